"""Transforms of plain functions: gradients, Jacobians, Hessians and products with them, in the manner of JAX.

Arguments may be floats, Values, nested lists, tuples, dicts and namedtuples of them, NumPy arrays and Modules; results
come back in the same structure, for a Module as a dict of its `named_parameters()`. Transforms nest to any order,
write no `.grad`, and work on a copy of a Module. Integers are treated as floats.

A result is a Value if an argument is a Value, or if the function depends on a Value that it captured or on an argument
of a transform around this one: such a result can be differentiated in turn. Otherwise it is a float.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping, Sequence

from autograd.derivatives import Row
from autograd.scalars import number
from autograd.transforms.call import Recording, name_of, positional_parameters, transformed
from autograd.transforms.tree import Shape, Structure, described, holds_value, matching_leaves, spans
from autograd.value import Value

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any

    Function = Callable[..., Any]
    Argnums = int | Sequence[int] | None
    Argnames = str | Sequence[str] | None


class _Chosen:
    """The arguments of f to differentiate with respect to: those of argnums, then those of argnames."""

    def __init__(self, f: Function, argnums: Argnums, argnames: Argnames):
        self.argnums = 0 if argnums is None and argnames is None else argnums
        self.f, self.argnames = f, argnames
        given = [x for x in (self.argnums, argnames) if x is not None]
        self.is_one = len(given) == 1 and (isinstance(given[0], str) or not isinstance(given[0], Sequence))

    def places(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[int | str]:
        """Where they stand in a call: positions among args, names among kwargs."""
        places: list[int | str] = [self._position(i, args, kwargs) for i in self._numbers()]
        places += [name if name in kwargs else self._position_of(name, args, kwargs) for name in self._names()]
        if len(set(places)) < len(places):
            raise ValueError(f"{self!r} names an argument of {name_of(self.f)} twice")
        return places

    def one_or_all(self, results: Any) -> Any:
        """Of a tuple of results that for the only argument, if that was not given as a sequence."""
        return results[0] if self.is_one else results

    def _numbers(self) -> list[int]:
        if self.argnums is None:
            return []
        given = list(self.argnums) if isinstance(self.argnums, Sequence) else [self.argnums]
        if not all(hasattr(i, "__index__") for i in given):
            raise TypeError(
                f"argnums must be the position of an argument of {name_of(self.f)}, or several, got {self.argnums!r}; "
                "argnames takes names"
            )
        return list(map(operator.index, given))

    def _names(self) -> list[str]:
        if self.argnames is None:
            return []
        one = isinstance(self.argnames, str) or not isinstance(self.argnames, Sequence)
        given: list[Any] = [self.argnames] if one else list(self.argnames)
        if not all(isinstance(name, str) for name in given):
            raise TypeError(
                f"argnames must be the name of an argument of {name_of(self.f)}, or several, got {self.argnames!r}; "
                "argnums takes positions"
            )
        return given

    def _position(self, i: int, args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
        position = i + len(args) if i < 0 else i
        if not 0 <= position < len(args):
            instead = f"; for one given by keyword write argnames={next(iter(kwargs))!r}" if kwargs else ""
            raise ValueError(
                f"argnums={self.argnums!r} asks for argument {i} of {name_of(self.f)}, which was called with "
                f"{len(args)} positional arguments; they count from 0{instead}"
            )
        return position

    def _position_of(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
        """The position of an argument that was given without its name."""
        parameters = positional_parameters(self.f)[: len(args)]
        if name in parameters:
            return parameters.index(name)
        given = ", ".join([*parameters, *kwargs]) or "nothing"
        raise ValueError(
            f"argnames={self.argnames!r} asks for the argument {name!r} of {name_of(self.f)}, which was called with "
            f"{given}"
        )

    def __repr__(self) -> str:
        given = {"argnums": self.argnums, "argnames": self.argnames}
        return ", ".join([f"{name}={x!r}" for name, x in given.items() if x is not None])


# --- first derivatives ----------------------------------------------------------------------------------------------


def value_and_grad(
    f: Function, argnums: Argnums = None, has_aux: bool = False, *, argnames: Argnames = None
) -> Function:
    """The function that returns the value of f and its gradient, by one forward and one reverse sweep.

    Args, errors: as grad.

    Returns: a function of the arguments of f that returns `(value, gradient)`; `((value, aux), gradient)` with has_aux.

    Example:
        >>> value_and_grad(lambda x: x**3)(2.0)
        (8.0, 12.0)
        >>> value_and_grad(lambda x: (x**3, {"half": x / 2}), has_aux=True)(2.0)
        ((8.0, {'half': 1.0}), 12.0)
    """
    chosen = _Chosen(f, argnums, argnames)

    @transformed(f, value_and_grad, argnums, has_aux, argnames=argnames)
    def call(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        with Recording(f, args, kwargs, chosen.places(args, kwargs), has_aux) as recording:
            _check_scalar(recording)
            gradient = recording.results(recording.inputs, recording.pull([1.0]))
            value = recording.result(recording.outputs[0])
            return (value, recording.aux()) if has_aux else value, chosen.one_or_all(gradient)

    return call


def _check_scalar(recording: Recording) -> None:
    output = recording.output
    if not output.is_number:
        raise TypeError(
            f"grad needs one number as the result of {recording.name}, got {output.described()}; "
            "jacobian(f) differentiates results of any structure"
        )


def grad(f: Function, argnums: Argnums = None, has_aux: bool = False, *, argnames: Argnames = None) -> Function:
    """The function that returns the gradient of f.

    Args:
        f: a function with one number as its result.
        argnums: the position of the argument to differentiate with respect to, or a sequence of positions; the first
            argument, unless argnums or argnames says otherwise.
        has_aux: whether f returns a pair: the first is differentiated, the second is passed on. That may be
            anything; Values in it become numbers.
        argnames: the name of the argument to differentiate with respect to, or a sequence of names, whether the call
            gives it by position or by keyword.

    Returns: a function of the arguments of f that returns a structure like that argument; for a sequence, or for both
        argnums and argnames, a tuple of such structures. With has_aux `(gradient, aux)`. What f does not depend on has
        derivative 0.

    Errors: TypeError if the result of f is not one number, or not a pair with has_aux, or if an argument to
        differentiate with respect to holds something other than numbers; ValueError if there is no such argument.

    Example:
        >>> grad(lambda p: p["w"] ** 2 * p["b"])({"w": 3.0, "b": 2.0})
        {'w': 12.0, 'b': 9.0}
        >>> grad(grad(grad(lambda x: x**4)))(1.0)
        24.0
        >>> grad(lambda x, *, rate: rate * x, argnames="rate")(3.0, rate=0.5)
        3.0
    """
    both = value_and_grad(f, argnums, has_aux, argnames=argnames)

    @transformed(f, grad, argnums, has_aux, argnames=argnames)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def vjp(f: Function, *primals: Any, has_aux: bool = False, argnames: Argnames = None, **kwargs: Any) -> tuple[Any, ...]:
    """The value of f, and the function that pulls cotangents back: the product of a vector with the Jacobian.

    Args:
        f: a function whose result has any structure.
        primals: its arguments.
        has_aux: as in grad.
        argnames: which of kwargs are differentiated with respect to as well.
        kwargs: what else to call f with, by keyword.

    Returns: `(value, pullback)`; pullback(cotangent), for a cotangent of the structure of the value, is a tuple with
        one entry for each of the primals and then of argnames. It may be called any number of times. With has_aux
        `(value, pullback, aux)`.

    Errors: ValueError if the cotangent has another structure than the value, or if there is no such argument.

    Example:
        >>> value, pullback = vjp(lambda x, y: (x * y, x + y), 3.0, 4.0)
        >>> value, pullback((1.0, 0.0)), pullback((0.0, 1.0))
        ((12.0, 7.0), (4.0, 3.0), (1.0, 1.0))
    """
    chosen = _Chosen(f, range(len(primals)), argnames)
    with Recording(f, primals, kwargs, chosen.places(primals, kwargs), has_aux) as recording:
        value, aux = recording.value(), recording.aux()

    def pull(cotangent: Any) -> tuple[Any, ...]:
        cotangents = _numbers(recording.output, cotangent, "the cotangent")
        sweep = copy.copy(recording)
        sweep.attached = recording.attached or any(map(holds_value, cotangents))
        return sweep.results(recording.inputs, sweep.pull(cotangents))

    return (value, pull, aux) if has_aux else (value, pull)


def _numbers(structure: Structure, tree: Any, what: str) -> list[Any]:
    """The leaves of a tangent or cotangent, checked against the structure that it belongs to."""
    found = matching_leaves(structure, tree, what)
    return [x if isinstance(x, Value) else number(x, what) for x in found]


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> tuple[Any, ...]:
    """The value of f and its derivative along a direction: the product of the Jacobian with a vector.

    One forward sweep over the recorded graph, with the same partials as the reverse one.

    Args:
        f: a function whose result has any structure.
        primals: its arguments, a tuple or list.
        tangents: the direction: for each argument a structure like it.
        has_aux: as in grad.

    Returns: `(value, tangent)`, both of the structure of the result. With has_aux `(value, tangent, aux)`.

    Errors: ValueError if the tangents have another structure than the primals.

    Example:
        >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 10.0))
        (12.0, 34.0)
    """
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple | list):
            raise TypeError(f"jvp takes the {what} as a tuple, one for each argument, got {described(given)}")
    with Recording(f, primals, {}, range(len(primals)), has_aux) as recording:
        directions = _numbers(recording.inputs, tuple(tangents), "tangents")
        recording.attached = recording.attached or any(map(holds_value, directions))
        pair = recording.value(), recording.results(recording.output, recording.push(directions))
        return (*pair, recording.aux()) if has_aux else pair


# --- whole matrices -------------------------------------------------------------------------------------------------

_MODES = {None: None, "fwd": True, "forward": True, "rev": False, "reverse": False}  # whether forward


def value_and_jacobian(
    f: Function,
    argnums: Argnums = None,
    mode: str | None = None,
    has_aux: bool = False,
    *,
    argnames: Argnames = None,
) -> Function:
    """The function that returns the value of f and all its partial derivatives, by one call of f.

    Args, errors: as jacobian.

    Returns: a function of the arguments of f that returns `(value, jacobian)`; `((value, aux), jacobian)` with has_aux.

    Example:
        >>> value_and_jacobian(lambda x: [x[0] * x[1], 3 * x[1]])([2.0, 5.0])
        ([10.0, 15.0], [[5.0, 2.0], [0.0, 3.0]])
    """
    if mode not in _MODES:
        raise ValueError(f"jacobian: mode must be 'forward', 'reverse', or None to choose by shape, got {mode!r}")
    chosen = _Chosen(f, argnums, argnames)

    @transformed(f, value_and_jacobian, argnums, mode, has_aux, argnames=argnames)
    def call(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        with Recording(f, args, kwargs, chosen.places(args, kwargs), has_aux) as recording:
            n, m = len(recording.variables), len(recording.outputs)
            forward = n < m if _MODES[mode] is None else _MODES[mode]
            rows = _forward_rows(recording) if forward else _reverse_rows(recording)
            inputs = recording.inputs.children[0] if chosen.is_one else recording.inputs
            value = recording.value()
            return (value, recording.aux()) if has_aux else value, _assembled(recording, rows, inputs)

    return call


def jacobian(
    f: Function,
    argnums: Argnums = None,
    mode: str | None = None,
    has_aux: bool = False,
    *,
    argnames: Argnames = None,
) -> Function:
    """The function that returns all partial derivatives of f.

    One sweep over the recorded graph carries, for each node, only the derivatives that are not zero by structure: for
    an elementwise function of n inputs it visits as many local derivatives as the graph has.

    Args:
        f: a function whose result has any structure.
        argnums, has_aux, argnames: as in grad.
        mode: "forward" or "reverse" (or "fwd", "rev"); unless given, what has fewer columns or rows to carry.

    Returns: a function of the arguments of f that returns the structure of its result, with the structure of the
        argument in the place of each number. An array for an array: out_shape + in_shape. With has_aux
        `(jacobian, aux)`.

    Errors: as grad, but for any result made of numbers; ValueError for another mode.

    Example:
        >>> jacobian(lambda x: [x[0] * x[1], 3 * x[1]])([2.0, 5.0])
        [[5.0, 2.0], [0.0, 3.0]]
        >>> import numpy as np
        >>> W, b = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.ones(3)
        >>> jacobian(lambda x: W @ x + b)(np.array([10.0, 20.0])).tolist()
        [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    """
    both = value_and_jacobian(f, argnums, mode, has_aux, argnames=argnames)

    @transformed(f, jacobian, argnums, mode, has_aux, argnames=argnames)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return matrix


def jacfwd(f: Function, argnums: Argnums = None, has_aux: bool = False, *, argnames: Argnames = None) -> Function:
    """jacobian(f, mode="forward"), under JAX's name: one tangent for each number of the argument.

    Example:
        >>> jacfwd(lambda x: [x, x * x])(3.0)
        [1.0, 6.0]
    """
    return jacobian(f, argnums, "forward", has_aux, argnames=argnames)


def jacrev(f: Function, argnums: Argnums = None, has_aux: bool = False, *, argnames: Argnames = None) -> Function:
    """jacobian(f, mode="reverse"), under JAX's name: one cotangent for each number of the result.

    Example:
        >>> jacrev(lambda x: x[0] * x[1])([3.0, 5.0])
        [5.0, 3.0]
    """
    return jacobian(f, argnums, "reverse", has_aux, argnames=argnames)


def _forward_rows(recording: Recording) -> list[dict[int, Any]]:
    """For each output, its derivatives by the position of the input."""
    return [row or {} for row in recording.push([Row({j: 1.0}) for j in range(len(recording.variables))])]


def _reverse_rows(recording: Recording) -> list[dict[int, Any]]:
    rows: list[dict[int, Any]] = [{} for _ in recording.outputs]
    for j, column in enumerate(recording.pull([Row({i: 1.0}) for i in range(len(rows))])):
        for i, derivative in (column or {}).items():
            rows[i][j] = derivative
    return rows


def _assembled(recording: Recording, rows: list[dict[int, Any]], primal: Structure) -> Any:
    """The matrix with the given rows, zero elsewhere, cut into the structures of the output and of the primal."""
    zero, n = recording.result(None), len(recording.variables)
    dense = []
    for row in rows:
        entries = [zero] * n
        for j, derivative in row.items():
            entries[j] = recording.result(derivative)
        dense.append(entries)
    (out_shapes, out_units), (in_shapes, in_units) = recording.output.units(), primal.units()
    if set(out_shapes + in_shapes) <= {None}:
        return recording.output.unflatten([primal.unflatten(entries) for entries in dense])
    import numpy as np

    matrix = np.array(dense, dtype=object if recording.attached else float).reshape(len(rows), n)

    def block(out_shape: Shape, lines: slice, in_shape: Shape, columns: slice) -> Any:
        part = matrix[lines, columns]
        return part.item() if out_shape is in_shape is None else part.reshape((out_shape or ()) + (in_shape or ()))

    outputs, inputs = [list(zip(shapes, spans(shapes), strict=True)) for shapes in (out_shapes, in_shapes)]
    return out_units.unflatten([in_units.unflatten([block(*y, *x) for x in inputs]) for y in outputs])


def hessian(f: Function, argnums: Argnums = None, has_aux: bool = False, *, argnames: Argnames = None) -> Function:
    """The function that returns all second derivatives of f: the Jacobian of its gradient.

    Args, errors: as grad.

    Returns: a function of the arguments of f that returns the structure of the argument, with the same structure in
        the place of each number. An array for an array: shape + shape. With has_aux `(hessian, aux)`.

    Example:
        >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
        [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f, argnums, has_aux, argnames=argnames), argnums, None, has_aux, argnames=argnames)


def hvp(f: Function, x: Any, vector: Any) -> Any:
    """The Hessian of f at x times a vector, without the Hessian: the gradient, differentiated along a direction.

    Args:
        f: a function of one argument, with one number as its result.
        x: the argument.
        vector: a structure like x.

    Returns: a structure like x.

    Errors: as grad and jvp.

    Example:
        >>> hvp(lambda x: x[0] ** 2 * x[1], [3.0, 5.0], [1.0, 0.0])
        [10.0, 6.0]
    """
    return jvp(grad(f), (x,), (vector,))[1]
