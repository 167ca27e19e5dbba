"""to_torch and from_torch: a model as a module of PyTorch, and back."""

from typing import TYPE_CHECKING, Any

from autograd.extras import needs
from nn.module import Module

if TYPE_CHECKING:
    import torch


def to_torch(model: Module) -> "torch.nn.Sequential":
    """A torch.nn.Sequential in double precision with the same parameters, scores and gradients.

    Args:
        model: an MLP or Layer, or a Sequential of such and of the other layers and activations of this package.

    The module takes tensors of shape (n, features), before an Embedding of whole numbers, and gives (n, outputs), also
    for one output. It is in training or
    evaluation as the model is. Later changes of one do not reach the other.

    Errors: ImportError without PyTorch; TypeError for a module that has no counterpart there.

    Example:
        >>> from nn import MLP
        >>> model = MLP(2, [3, 1], rng=0)
        >>> to_torch(model)                                                                 # doctest: +SKIP
        Sequential(
          (0): Linear(in_features=2, out_features=3, bias=True)
          (1): ReLU()
          (2): Linear(in_features=3, out_features=1, bias=True)
        )
    """
    made: torch.nn.Sequential = _torch_modules().to_torch(model)
    return made


def from_torch(module: "torch.nn.Module") -> Module:
    """A model of this package that computes what a module of PyTorch does, with its parameters.

    Args:
        module: a torch.nn.Sequential of Linear, activations and what else has a counterpart here, or one of these.
            Linear becomes a Layer, with the activation that follows; what has no bias gets biases of 0.

    Errors: ImportError without PyTorch; TypeError for a module that has no counterpart here.
    """
    made: Module = _torch_modules().from_torch(module)
    return made


def _torch_modules() -> Any:
    try:
        import nn.torch_modules
    except ImportError as error:
        raise ImportError(needs("an exchange with PyTorch", "torch")) from error
    return nn.torch_modules
