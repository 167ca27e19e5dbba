"""Models of this package as modules of PyTorch, and back: one row of a table a kind of layer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from autograd import flatten
from nn.activations import ELU, GELU, Activation, LeakyReLU, PReLU, ReLU, Sigmoid, SiLU, Softplus, Swish, Tanh
from nn.layers import (
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Reshape,
    Residual,
    Sequential,
    Softmax,
)
from nn.module import Module
from nn.stages import Each, Linear, Stage, stages


class LearntSwish(torch.nn.Module):
    """x · sigmoid(beta · x), which PyTorch does not have; beta is one number, or one for each input."""

    def __init__(self, count: int = 1):
        super().__init__()
        self.beta = torch.nn.Parameter(torch.ones(count))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.beta * x)


class Shortcut(torch.nn.Sequential):
    """x + f(x), f being the modules one after the other: Residual."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for module in self:
            y = module(y)
        return x + y


class Row(NamedTuple):
    """One kind of module in both packages.

    Attributes:
        ours, theirs: the classes.
        arguments: the arguments of ours, with the names of theirs, which are attributes as well.
        parameters: the parameters of ours, with the names of theirs.
        made: other arguments of theirs, so that it computes the same.
        computes: attributes of theirs, with the only values for which ours computes the same.
    """

    ours: type[Module]
    theirs: type[torch.nn.Module]
    arguments: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}
    made: Mapping[str, Any] = {}
    computes: Mapping[str, Any] = {}


FAR = 40.0  # log(1 + e^x) is x from here on, in double precision; PyTorch's takes it for x from 20 on, unless told
TABLE = [
    Row(ReLU, torch.nn.ReLU),
    Row(Tanh, torch.nn.Tanh),
    Row(Sigmoid, torch.nn.Sigmoid),
    Row(SiLU, torch.nn.SiLU),
    Row(GELU, torch.nn.GELU, computes={"approximate": "none"}),
    Row(Softplus, torch.nn.Softplus, made={"threshold": FAR}, computes={"beta": 1.0}),
    Row(LeakyReLU, torch.nn.LeakyReLU, {"slope": "negative_slope"}),
    Row(ELU, torch.nn.ELU, {"alpha": "alpha"}),
    Row(PReLU, torch.nn.PReLU, parameters={"slope": "weight"}),
    Row(Swish, LearntSwish, parameters={"beta": "beta"}),
    Row(Dropout, torch.nn.Dropout, {"p": "p"}),
    Row(Softmax, torch.nn.Softmax, made={"dim": -1}, computes={"dim": -1}),
    Row(Flatten, torch.nn.Flatten, computes={"start_dim": 1, "end_dim": -1}),
    Row(
        LayerNorm, torch.nn.LayerNorm, {"size": "normalized_shape", "epsilon": "eps"},
        {"weight": "weight", "bias": "bias"}, computes={"elementwise_affine": True},
    ),
    Row(
        Embedding, torch.nn.Embedding, {name: name for name in ("num_embeddings", "embedding_dim")},
        {"weight": "weight"}, computes={"padding_idx": None, "max_norm": None},
    ),
    *[
        Row(
            ours, theirs,
            {name: name for name in ("in_channels", "out_channels", "kernel_size", "stride", "padding")},
            {"weight": "weight", "bias": "bias"},
            computes={"groups": 1, "dilation": dilation, "padding_mode": "zeros"},
        )
        for ours, theirs, dilation in ((Conv1d, torch.nn.Conv1d, (1,)), (Conv2d, torch.nn.Conv2d, (1, 1)))
    ],
]  # fmt: skip


# --- to PyTorch -------------------------------------------------------------------------------------------------------


def to_torch(model: Module) -> torch.nn.Sequential:
    """See nn.to_torch."""
    return torch.nn.Sequential(*map(_to, stages(model))).double().train(model.training)


def _to(stage: Stage) -> torch.nn.Module:
    if isinstance(stage, Linear):
        linear = torch.nn.Linear(len(stage.weights[0]), len(stage.weights))
        _copy(stage.weights, linear.weight)
        _copy(stage.biases, linear.bias)
        return linear
    if isinstance(stage, Residual):
        return Shortcut(*map(_to, stages(Sequential(*stage.modules))))
    if isinstance(stage, Reshape):
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Unflatten(1, stage.shape))
    modules: Sequence[Module] = stage.modules if isinstance(stage, Each) else [stage]
    row = next((row for row in TABLE if row.ours is type(modules[0])), None)
    if row is None:
        known = ", ".join([row.ours.__name__ for row in TABLE])
        raise TypeError(
            f"to_torch: no module of PyTorch is known for {modules[0]!r:.60}, only for Layer, MLP, Sequential, {known}"
        )
    config = modules[0].config()
    count = [len(modules)] if isinstance(stage, Each) else []
    made = row.theirs(*count, **{theirs: config[ours] for ours, theirs in row.arguments.items()}, **row.made)
    for ours, theirs in row.parameters.items():
        _copy([getattr(module, ours) for module in modules], getattr(made, theirs))
    return made


def _copy(values: Any, tensor: torch.Tensor) -> None:
    """Give a parameter of theirs the numbers of ours, which are in the same order."""
    numbers = [value.data for value in flatten(values)[0]]
    tensor.data = torch.tensor(numbers, dtype=torch.float64).reshape(tensor.shape)


# --- from PyTorch -----------------------------------------------------------------------------------------------------


def from_torch(module: torch.nn.Module) -> Module:
    """See nn.from_torch."""
    parts = [*_parts(module)]
    made: list[Module] = []
    while parts:
        part = parts.pop(0)
        if isinstance(part, torch.nn.Linear):
            activation = parts.pop(0) if parts and _belongs_to(parts[0], part) else None
            made.append(_layer(part, activation))
        else:
            made.append(_from(part))
    return (made[0] if len(made) == 1 else Sequential(*made)).train(module.training)


def _parts(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    if type(module) is torch.nn.Sequential:
        for part in module:
            yield from _parts(part)
    elif type(module) is not torch.nn.Identity:
        yield module


def _belongs_to(part: torch.nn.Module, linear: torch.nn.Linear) -> bool:
    """Whether it is an activation of the neurons of a layer: one with a parameter has as many of it as there are."""
    of_ours = [row for row in TABLE if row.theirs is type(part) and issubclass(row.ours, Activation)]
    return bool(of_ours) and all(p.numel() == linear.out_features for p in part.parameters())


def _layer(linear: torch.nn.Linear, activation: torch.nn.Module | None) -> Layer:
    row, ours = (None, None) if activation is None else _made(activation)
    layer = Layer(linear.in_features, linear.out_features, nonlin=ours is not None, activation=ours)
    weights = linear.weight.tolist()
    biases = [0.0] * len(weights) if linear.bias is None else linear.bias.tolist()
    for i, neuron in enumerate(layer.neurons):
        _set([*neuron.w, neuron.b], [*weights[i], biases[i]])
        for name, theirs in row.parameters.items() if row else ():
            _set([getattr(neuron.activation, name)], [getattr(activation, theirs).tolist()[i]])
    return layer


def _from(module: torch.nn.Module) -> Module:
    if isinstance(module, Shortcut):
        return Residual(*map(from_torch, module))
    if isinstance(module, torch.nn.Unflatten) and module.dim == 1:
        return Reshape(*module.unflattened_size)
    row, ours = _made(module)
    for name, theirs in row.parameters.items():
        values, tensor = flatten(getattr(ours, name))[0], getattr(module, theirs)
        _set(values, [0.0] * len(values) if tensor is None else tensor.flatten().tolist())  # without bias
    return ours


def _made(module: torch.nn.Module) -> tuple[Row, Module]:
    """What ours is, with parameters that are not yet theirs."""
    row = next((row for row in TABLE if row.theirs is type(module)), None)
    if row is None:
        known = ", ".join([row.theirs.__name__ for row in TABLE])
        raise TypeError(
            f"from_torch: nothing here is known to be {module!r:.60}; known are Linear, Sequential, {known}"
        )
    for name, value in row.computes.items():
        if getattr(module, name) != value:
            raise TypeError(f"from_torch: {row.ours.__name__} here has {name}={value!r}, unlike {module!r:.60}")
    given = {ours: getattr(module, theirs) for ours, theirs in row.arguments.items()}
    return row, row.ours(**{name: x[0] if isinstance(x, tuple) and len(x) == 1 else x for name, x in given.items()})


def _set(values: Sequence[Any], numbers: Sequence[float]) -> None:
    if len(values) != len(numbers):
        raise TypeError(f"from_torch: {len(numbers)} parameters where this package has {len(values)}")
    for value, number in zip(values, numbers, strict=True):
        value.data = number
