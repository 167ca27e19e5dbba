"""A model as the stages that a sample goes through, one after another: what other libraries and pictures make of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from autograd import Value
from nn.activations import ACTIVATIONS, Activation
from nn.layers import MLP, Layer, Neuron, Sequential, Softmax
from nn.module import Module

# tanh is a function that a model may apply, and Tanh the module that applies it
_FUNCTIONS = {id(vars(kind)["function"].__func__): kind for kind in ACTIVATIONS.values()
              if isinstance(vars(kind)["function"], staticmethod)}  # fmt: skip


class Linear(NamedTuple):
    """Sums of products: one for each neuron of a layer.

    Attributes:
        weights: of each neuron the weights of its inputs.
        biases: of each neuron.
    """

    weights: list[list[Value]]
    biases: list[Value]


class Each(NamedTuple):
    """Activations side by side, each with a parameter of its own for one number."""

    modules: list[Activation]


Stage = Linear | Each | Module


def stages(model: Any) -> list[Stage]:
    """The stages of a model: a layer is a Linear and what is applied to its sums, other modules are as they are.

    Errors: TypeError for a function that is none of this package's activations, or a layer whose neurons differ.

    Example:
        >>> first, activation, last = stages(MLP(2, [3, 1]))
        >>> len(first.weights), len(first.weights[0]), activation, len(last.biases)
        (3, 2, ReLU(), 1)
    """
    found, last = [*_stages(model)], None
    for stage in found:
        if isinstance(stage, Softmax) and isinstance(last, Linear) and len(last.biases) == 1:
            raise TypeError("Softmax after a layer of one neuron is of another list elsewhere; put Flatten between")
        last = last if isinstance(stage, Activation | Each) else stage
    return found


def _stages(model: Any) -> Iterator[Stage]:
    parts = {Sequential: "modules", MLP: "layers"}.get(type(model))
    if parts:
        for part in getattr(model, parts):
            yield from _stages(part)
    elif type(model) in (Layer, Neuron):
        neurons = model.neurons if type(model) is Layer else [model]
        yield Linear([neuron.w for neuron in neurons], [neuron.b for neuron in neurons])
        yield from _activations([_as_module(neuron.activation) for neuron in neurons if neuron.activation])
    else:
        yield _as_module(model)


def _activations(modules: list[Any]) -> Iterator[Stage]:
    """What the neurons of a layer apply, as one stage."""
    if not modules:
        return
    if len({repr(module) for module in modules}) > 1:
        raise TypeError(f"the neurons of a layer differ in their activations: {modules[0]!r:.60} and others")
    if any(module.parameters() for module in modules):
        yield Each(modules)
    else:
        yield from _stages(modules[0])


def _as_module(part: Any) -> Module:
    if isinstance(part, Module):
        return part
    if id(part) not in _FUNCTIONS:
        raise TypeError(f"{part!r:.60} is a function that is known here only; make it a Module of this package")
    return _FUNCTIONS[id(part)]()
