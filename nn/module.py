"""Module: a part of a model, which knows its parameters."""

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from autograd import Value
from autograd.scalars import is_array, number
from autograd.tracing import tracing

if TYPE_CHECKING:
    from nn.metadata import Metadata


class Module:
    """What models are made of: an object whose attributes hold its parameters, and which is called with one sample.

    The parameters are the leaf Values among the attributes, and in Modules, lists, tuples, dicts and NumPy object
    arrays there, in the order in which they were assigned. Attributes whose name begins with _ are not looked at.

    Write `__call__` with operators and the functions of `autograd` (`autograd.relu(x)` rather than `x.relu()`): then it
    also evaluates on plain floats, which is what `predict` does.

    Example:
        >>> from autograd import exp
        >>> class Bell(Module):
        ...     def __init__(self):
        ...         self.height, self.width = Value(2.0), Value(1.0)
        ...     def __call__(self, x):
        ...         return self.height * exp(-(x * x) / self.width)
        >>> bell = Bell()
        >>> bell
        Bell(2 parameters)
        >>> bell(0.0)
        Value(data=2.0, grad=0.0)
        >>> bell.predict([0.0, 0.0])
        [2.0, 2.0]
    """

    metadata: "Metadata | None" = None  # what is known of it beside its parameters; `save` keeps it

    def __call__(self, x: Any) -> Any:
        """The score or scores for one sample x."""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__(self, x)")

    def named_parameters(self) -> dict[str, Value]:
        """The parameters by dotted name; one that occurs twice has its first name only.

        Example:
            >>> from nn import MLP
            >>> list(MLP(2, [1]).named_parameters())
            ['layers.0.neurons.0.w.0', 'layers.0.neurons.0.w.1', 'layers.0.neurons.0.b']
        """
        return dict(_leaves(self, (), set()))

    def parameters(self) -> list[Value]:
        """The parameters in the order of `named_parameters`."""
        return list(self.named_parameters().values())

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, before the next backward()."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def with_parameters(self, replacements: Mapping[str, Any]) -> Self:
        """A copy of this module that computes with something else in place of its parameters.

        Args:
            replacements: for the name of each parameter what stands in for it: a float, another Value, an array.

        Errors: KeyError if a parameter has none.

        Example:
            >>> from nn import Neuron
            >>> neuron = Neuron(1, nonlin=False)
            >>> neuron.with_parameters({"w.0": 2.0, "b": 1.0})([10.0])      # of floats only: no graph
            21.0
        """
        stand_ins: dict[int, Any] = {id(p): replacements[name] for name, p in self.named_parameters().items()}
        copied = copy.deepcopy(self, stand_ins)  # deepcopy takes what is in its memo for the copy
        if tracing.tracer is not None:
            tracing.tracer.note_copy(copied)
        return copied

    def predict(self, X: Any) -> Any:
        """The scores for many samples, as plain floats; builds no graph.

        Args:
            X: n samples, each a list of features; or an array of shape (n, features).

        Returns: a list of n scores (lists of scores, of a model with several outputs), an array for an array.

        Example:
            >>> from nn import Neuron
            >>> neuron = Neuron(1, nonlin=False)
            >>> neuron.w[0].data, neuron.b.data = 2.0, 1.0
            >>> neuron.predict([[10.0], [20.0]])
            [21.0, 41.0]
        """
        if is_array(X):
            import numpy as np

            return np.array(self.predict(X.tolist()))
        plain = self.with_parameters(self.state_dict())
        return [plain(x) for x in X]

    def state_dict(self) -> dict[str, float]:
        """The numbers of all parameters by name."""
        return {name: parameter._data for name, parameter in self.named_parameters().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set all parameters to the numbers that `state_dict` gave; all of them or, on an error, none.

        Errors: ValueError if an entry is missing, unexpected, or is not one number, naming it.

        Example:
            >>> from nn import Neuron
            >>> Neuron(1).load_state_dict({"w.0": 1.0})
            Traceback (most recent call last):
            ...
            ValueError: Neuron: the state has no entry for the parameter 'b'
        """
        parameters = self.named_parameters()
        kind = type(self).__name__
        if missing := [name for name in parameters if name not in state]:
            raise ValueError(f"{kind}: the state has no entry for the parameter {_some(missing)}")
        if unexpected := [name for name in state if name not in parameters]:
            raise ValueError(f"{kind}: the state has an entry that is no parameter here: {_some(unexpected)}")
        numbers = {}
        for name in parameters:
            try:
                numbers[name] = number(state[name], f"the parameter {name!r}")
            except (TypeError, OverflowError) as error:
                raise ValueError(f"{kind}: {error}") from None
        for name, parameter in parameters.items():
            parameter.data = numbers[name]

    def config(self) -> dict[str, Any]:
        """The arguments that construct a module of this structure; parameters and initialisation are not among them.

        Errors: TypeError for a Module that has not said. Those of this package have; one of your own can.
        """
        raise TypeError(f"{type(self).__name__} has no config(), which says how to construct it")

    def __repr__(self) -> str:
        try:
            arguments = [f"{name}={value!r}" for name, value in self.config().items()]
        except TypeError:
            arguments = [f"{len(self.parameters())} parameters"]
        return f"{type(self).__name__}({', '.join(arguments)})"


def _leaves(x: Any, path: tuple[str, ...], seen: set[int]) -> Iterator[tuple[str, Value]]:
    """Dotted name and Value of each parameter in x, once each."""
    if isinstance(x, Value):
        if x.op is None and id(x) not in seen:
            seen.add(id(x))
            yield ".".join(path), x
    elif id(x) not in seen and (children := _children(x)):
        seen.add(id(x))
        for name, child in children:
            yield from _leaves(child, (*path, str(name)), seen)


def _children(x: Any) -> list[tuple[Any, Any]]:
    if isinstance(x, Module):
        return [(name, child) for name, child in vars(x).items() if not name.startswith("_")]
    if isinstance(x, dict):
        return list(x.items())
    if isinstance(x, list | tuple) or (is_array(x) and x.dtype == object and x.ndim):
        return list(enumerate(x))
    return []


def _some(names: list[Any]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(repr, names[:3])) + more
