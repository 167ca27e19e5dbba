"""A call of a function on variables of its own: what every transform starts from, and how it ends."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable, Mapping, Sequence

from autograd import primitives
from autograd.derivatives import constant, pullback, pushforward, recorded_partials, symbolic_partials
from autograd.foreign import as_numpy
from autograd.graph import backward_order
from autograd.scalars import is_array, number
from autograd.tracing import tracing
from autograd.transforms.tree import (
    Structure,
    described,
    flatten,
    flatten_numbers,
    holds_value,
    own_number,
    tuple_of,
)
from autograd.value import Value

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any

# --- what transforms return -----------------------------------------------------------------------------------------


class Transformed:
    """A function that a transform made of another one, whose name, signature and docs it has.

    Through pickle goes how it was made, so that it goes where the other function does.
    """

    def __init__(self, f: Callable[..., Any], made: tuple[Any, ...], call: Callable[..., Any]):
        functools.update_wrapper(self, f, updated=())  # but not the attributes that a Module has
        self._made, self._call = made, call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method, which gets its object as the first argument."""
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._made

    def __repr__(self) -> str:
        return f"<{self._made[0].func.__name__} of {name_of(self.__wrapped__)}>"  # type: ignore[attr-defined]


def transformed(
    f: Callable[..., Any], transform: Callable[..., Any], *args: Any, **kwargs: Any
) -> Callable[[Callable[..., Any]], Transformed]:
    """A decorator of what a transform returns.

    Args:
        f: the function that is transformed.
        transform, args, kwargs: the call that does so, of f and these.
    """
    made = functools.partial(transform, **kwargs), (f, *args)
    return lambda call: Transformed(f, made, call)


# --- variables ------------------------------------------------------------------------------------------------------
# A variable is a leaf that stands in for an argument, a number or a Value (kept in `_a`). While its transform runs,
# walks stop at it, and a transform inside sees a leaf that is not its own. When the transform ends, the variable
# becomes a constant or, if the argument is a Value, an identity node, which passes derivatives on to it.


def _variable(x: Value | float) -> Value:
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
        chosen: which arguments the variables take the place of: positions among args, and names among kwargs.
        has_aux: whether f returns a pair; only its first part is differentiated.

    Attributes:
        inputs: the structure of a tuple of those arguments, Modules as dicts of their parameters: that of a gradient.
        variables: one for each leaf of the inputs.
        output, outputs: the structure of what f returned, and its leaves, Values and floats.
        attached: whether results are Values. They are if an argument is a Value, or if the output depends on a Value
            that is not among the variables: one that f captured, or the variable of a transform around this one.
            Constants do not count. Nor do Modules given as arguments, which are copied with parameters of their own.

    Errors: TypeError if f does not return a pair where it should; what f raises.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        chosen: Sequence[int | str],
        has_aux: bool = False,
    ):
        self.f, self.name, self.has_aux = f, name_of(f), has_aux
        self._call: dict[int | str, Any] = dict([*enumerate(as_numpy(list(args))), *as_numpy(dict(kwargs)).items()])
        self.attached = tracing.tracer is not None
        self._opened: list[Value] = []
        inputs: dict[int | str, tuple[list[Value], Structure]] = {}
        for place, arg in self._call.items():
            if place in chosen:
                variables, structure = self._variables_for(arg)
                self._call[place] = structure.unflatten(variables)
                inputs[place] = variables, structure.with_dicts
            else:
                self._call[place] = self._with_own_parameters(arg)
        self.inputs = tuple_of([inputs[place][1] for place in chosen])
        self.variables = [variable for place in chosen for variable in inputs[place][0]]

    def _variables_for(self, arg: Any) -> tuple[list[Value], Structure]:
        """A variable for each leaf of an argument, and its structure."""
        found, structure = flatten_numbers(arg)
        what = f"differentiation of {self.name}"
        self.attached = self.attached or any(map(holds_value, found))
        return [self._variable(x if isinstance(x, Value) else number(x, what)) for x in found], structure

    def _with_own_parameters(self, arg: Any) -> Any:
        """An argument with its Modules copied, and variables in the place of their parameters."""
        found, structure = flatten_numbers(arg, is_array)
        self.attached = self.attached or any(map(holds_value, found))
        if not structure.has_modules:
            return arg
        found, structure = flatten_numbers(arg, is_array, lambda parameter: self._variable(own_number(parameter)))
        return structure.unflatten(found)

    def _variable(self, x: Value | float) -> Value:
        self._opened.append(variable := _variable(x))
        return variable

    def __enter__(self) -> Recording:
        try:
            positional = [x for place, x in self._call.items() if isinstance(place, int)]
            named = {place: x for place, x in self._call.items() if isinstance(place, str)}
            result = self.f(*positional, **named)
            result, aux = self._pair(result) if self.has_aux else (result, None)
            found, self.output = flatten(result)
            what = f"the result of {self.name}"
            self.outputs = [x if isinstance(x, Value) else number(x, what) for x in found]
            self._nodes = [x for x in self.outputs if isinstance(x, Value)]
            self._walk = backward_order(self._nodes)
            self._aux, self._aux_structure = flatten(aux)
            _, leaves = backward_order([x for x in self._aux if isinstance(x, Value)])
            self.attached = self.attached or not set(self._opened).issuperset([*self._walk[1], *leaves])
        except BaseException:
            self.__exit__()
            raise
        return self

    def _pair(self, result: Any) -> tuple[Any, Any]:
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError(
                f"has_aux=True differentiates the first of a pair and passes the second on, but {self.name} returned "
                f"{described(result)}: return (result, aux)"
            )
        return result[0], result[1]

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

    def results(self, structure: Structure, xs: Iterable[Any]) -> Any:
        """A structure of results."""
        return structure.unflatten(map(self.result, xs))

    def value(self) -> Any:
        """What f returned, without what is beside it."""
        return self.results(self.output, self.outputs)

    def aux(self) -> Any:
        """What f returned beside its result: anything, with numbers in place of Values unless results are Values."""
        return self._aux_structure.unflatten([self.result(x) if isinstance(x, Value) else x for x in self._aux])


def name_of(f: Any) -> str:
    """What messages call a function."""
    return getattr(f, "__name__", type(f).__name__)


def positional_parameters(f: Any) -> list[str]:
    """The names of the parameters that f takes by position; none of a builtin, which does not say."""
    bound = 0
    while not isinstance(f, types.FunctionType) or hasattr(f, "__wrapped__"):
        if isinstance(f, types.MethodType):
            bound, f = bound + 1, f.__func__
        elif isinstance(f, functools.partial):
            bound, f = bound + len(f.args), f.func
        elif hasattr(f, "__wrapped__"):
            f = f.__wrapped__
        elif isinstance(getattr(type(f), "__call__", None), types.FunctionType):  # noqa: B004  # which one it is
            bound, f = bound + 1, type(f).__call__
        else:
            return []
    return list(f.__code__.co_varnames[: f.__code__.co_argcount])[bound:]
