"""A call of a function on variables of its own: what every transform starts from, and how it ends."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd import primitives
from autograd.derivatives import constant, pullback, pushforward, recorded_partials, symbolic_partials
from autograd.graph import backward_order
from autograd.scalars import number
from autograd.tracing import tracing
from autograd.transforms.tree import has_values, leaves, parameters, rebuild
from autograd.value import Value

# --- variables ------------------------------------------------------------------------------------------------------
# A variable is a leaf that remembers, in _a, the number or Value that it stands for. While its transform is at work,
# every walk ends there, and a transform inside meets a leaf that is not its own. Then it is closed: it becomes a
# constant if it stands for a number, and lets derivatives through to the Value if it stands for one.


def _variable(x: "Value | float") -> Value:
    variable = constant(x._data if isinstance(x, Value) else x)
    variable.op, variable._a = None, x
    return variable


def _close(variable: Value) -> None:
    if isinstance(variable._a, Value):
        variable.op, variable._da = primitives.identity, 1.0
    else:
        variable.op = primitives.detach


# --- the call -------------------------------------------------------------------------------------------------------


class Recording:
    """A call of f with variables in place of the leaves of some arguments; the call is made on entering `with`.

    Args:
        f, args, kwargs: the call.
        positions: which of args the variables take the place of.

    Attributes:
        primals: those arguments, Modules as dicts of their parameters: the structure of their gradient.
        variables: one for each leaf of the primals.
        output, outputs: what f returned, and its leaves, Values and floats.
        attached: whether results are Values. They are if an argument is a Value, or if the output depends on a Value
            that is not among the variables: one that f captured, or the variable of a transform around this one.
            Constants do not count. Nor do Modules given as arguments, which are copied with parameters of their own.
    """

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], positions: Sequence[int] | None = None
    ):
        positions = range(len(args)) if positions is None else positions
        self.f, self.name, self._call = f, name_of(f), [*args, kwargs]
        settled = [parameters(arg) for arg in self._call]
        self.primals = tuple([settled[i] for i in positions])
        self.attached = tracing.tracer is not None or any(map(has_values, settled))
        what = f"differentiation of {self.name}"
        self.variables = [_variable(x if isinstance(x, Value) else number(x, what)) for x in leaves(self.primals)]
        self._opened = self.variables.copy()
        remaining = iter(self.variables)
        for i in positions:
            self._call[i] = rebuild(self._call[i], remaining)
        for i, arg in enumerate(self._call):
            if i not in positions and settled[i] is not arg:
                self._call[i] = self._with_own_parameters(arg, settled[i])

    def _with_own_parameters(self, arg: Any, settled: Any) -> Any:
        """An argument with its Modules copied, and variables in the place of their parameters."""
        replaced = []
        for x, own in zip(leaves(arg, whole_arrays=True), leaves(settled, whole_arrays=True), strict=True):
            if x is not own:
                self._opened.append(x := _variable(own))
            replaced.append(x)
        return rebuild(arg, replaced, whole_arrays=True)

    def __enter__(self) -> "Recording":
        try:
            self.output = self.f(*self._call[:-1], **self._call[-1])
            what = f"the result of {self.name}"
            self.outputs = [x if isinstance(x, Value) else number(x, what) for x in leaves(self.output)]
            self._nodes = [x for x in self.outputs if isinstance(x, Value)]
            self._walk = backward_order(self._nodes)
            self.attached = self.attached or not set(self._opened).issuperset(self._walk[1])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: Any) -> None:
        for variable in self._opened:
            _close(variable)

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """The cotangent of each variable, for one of each output; None where nothing depends on it."""
        pairs = zip(cotangents, self.outputs, strict=True)
        seeds = [cotangent for cotangent, output in pairs if isinstance(output, Value)]
        return pullback(self._nodes, seeds, self.variables, self._partials, self._walk)

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """The tangent of each output, for one of each variable; None for a constant output."""
        found = iter(pushforward(self._nodes, self.variables, tangents, self._partials, self._walk))
        return [next(found) if isinstance(output, Value) else None for output in self.outputs]

    @property
    def _partials(self) -> Callable[[Value], Sequence[Any]]:
        return symbolic_partials if self.attached else recorded_partials

    def result(self, x: Any) -> Any:
        """A number, a Value or None (for zero) as the transform returns it."""
        if x is None:
            x = 0.0
        if self.attached:
            return x if isinstance(x, Value) else constant(x)
        return x._data if isinstance(x, Value) else x

    def results(self, structure: Any, xs: Iterable[Any]) -> Any:
        """A structure of results."""
        return rebuild(structure, map(self.result, xs))


def name_of(f: Any) -> str:
    """What messages call a function."""
    return getattr(f, "__name__", type(f).__name__)
