"""Transforms of plain functions: gradients, Jacobians, Hessians and products with them, in the manner of JAX.

Arguments may be floats, Values, nested lists, tuples, dicts and namedtuples of them, NumPy arrays and Modules; results
come back in the same structure, for a Module as a dict of its `named_parameters()`. Transforms nest to any order,
write no `.grad`, and work on a copy of a Module. Integers are treated as floats.

A result is a Value if an argument is a Value, or if the function depends on a Value that it captured or on an argument
of a transform around this one: such a result can be differentiated in turn. Otherwise it is a float.
"""

import copy
import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from autograd.derivatives import Row
from autograd.scalars import number
from autograd.transforms.call import Recording, name_of
from autograd.transforms.tree import Shape, Structure, described, holds_value, matching_leaves, spans
from autograd.value import Value

Function = Callable[..., Any]
Argnums = int | Sequence[int]


def _positions(argnums: Argnums, args: Sequence[Any], f: Function) -> list[int]:
    """argnums as positions among the arguments of a call."""
    given = list(argnums) if isinstance(argnums, Sequence) else [argnums]
    if not all(hasattr(i, "__index__") for i in given):
        raise TypeError(f"argnums={argnums!r}: it is the position of an argument of {name_of(f)}, or several of them")
    positions = [i + len(args) if i < 0 else i for i in map(operator.index, given)]
    for i, position in zip(given, positions, strict=True):
        if not 0 <= position < len(args):
            raise ValueError(
                f"argnums={argnums!r} asks for argument {i} of {name_of(f)}, which was called with {len(args)} "
                "positional arguments; they count from 0"
            )
    if len(set(positions)) < len(positions):
        raise ValueError(f"argnums={argnums!r} names an argument of {name_of(f)} twice")
    return positions


def _one_or_all(argnums: Argnums, results: tuple[Any, ...]) -> Any:
    return results if isinstance(argnums, Sequence) else results[0]


def _transform(f: Function) -> Callable[[Function], Function]:
    """Gives a transformed function the name and docs of f, but not the attributes that a Module has."""
    return functools.wraps(f, updated=())


# --- first derivatives ----------------------------------------------------------------------------------------------


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """The function that returns the value of f and its gradient, by one forward and one reverse sweep.

    Args, errors: as grad.

    Returns: a function of the arguments of f that returns `(value, gradient)`.

    Example:
        >>> value_and_grad(lambda x: x**3)(2.0)
        (8.0, 12.0)
    """

    @_transform(f)
    def transformed(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        with Recording(f, args, kwargs, _positions(argnums, args, f)) as recording:
            _check_scalar(recording)
            gradient = recording.results(recording.inputs, recording.pull([1.0]))
            return recording.result(recording.outputs[0]), _one_or_all(argnums, gradient)

    return transformed


def _check_scalar(recording: Recording) -> None:
    output = recording.output
    if not output.is_number:
        raise TypeError(
            f"grad needs one number as the result of {recording.name}, got {output.described()}; "
            "jacobian(f) differentiates results of any structure"
        )


def grad(f: Function, argnums: Argnums = 0) -> Function:
    """The function that returns the gradient of f.

    Args:
        f: a function with one number as its result.
        argnums: the position of the argument to differentiate with respect to, or a sequence of positions.

    Returns: a function of the arguments of f that returns a structure like that argument, or a tuple of such
        structures for a sequence of positions. What f does not depend on has derivative 0.

    Errors: TypeError if the result of f is not one number, or if an argument to differentiate with respect to holds
        something that is no number; ValueError if there is no such argument.

    Example:
        >>> grad(lambda p: p["w"] ** 2 * p["b"])({"w": 3.0, "b": 2.0})
        {'w': 12.0, 'b': 9.0}
        >>> grad(grad(grad(lambda x: x**4)))(1.0)
        24.0
    """
    transformed = value_and_grad(f, argnums)

    @_transform(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return transformed(*args, **kwargs)[1]

    return gradient


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value of f, and the function that pulls cotangents back: the product of a vector with the Jacobian.

    Args:
        f: a function whose result has any structure.
        primals: its arguments.

    Returns: `(value, pullback)`; pullback(cotangent), for a cotangent of the structure of the value, is a tuple with
        one entry an argument. It may be called any number of times.

    Errors: ValueError if the cotangent has another structure than the value.

    Example:
        >>> value, pullback = vjp(lambda x, y: (x * y, x + y), 3.0, 4.0)
        >>> value, pullback((1.0, 0.0)), pullback((0.0, 1.0))
        ((12.0, 7.0), (4.0, 3.0), (1.0, 1.0))
    """
    with Recording(f, primals, {}) as recording:
        value = recording.results(recording.output, recording.outputs)

    def pull(cotangent: Any) -> tuple[Any, ...]:
        cotangents = _numbers(recording.output, cotangent, "the cotangent")
        sweep = copy.copy(recording)
        sweep.attached = recording.attached or any(map(holds_value, cotangents))
        return sweep.results(recording.inputs, sweep.pull(cotangents))

    return value, pull


def _numbers(structure: Structure, tree: Any, what: str) -> list[Any]:
    """The leaves of a tangent or cotangent, checked against the structure that it belongs to."""
    found = matching_leaves(structure, tree, what)
    return [x if isinstance(x, Value) else number(x, what) for x in found]


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of f and its derivative along a direction: the product of the Jacobian with a vector.

    One forward sweep over the recorded graph, with the same partials as the reverse one.

    Args:
        f: a function whose result has any structure.
        primals: its arguments, a tuple or list.
        tangents: the direction: for each argument a structure like it.

    Returns: `(value, tangent)`, both of the structure of the result.

    Errors: ValueError if the tangents have another structure than the primals.

    Example:
        >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 10.0))
        (12.0, 34.0)
    """
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple | list):
            raise TypeError(f"jvp takes the {what} as a tuple, one for each argument, got {described(given)}")
    with Recording(f, primals, {}) as recording:
        directions = _numbers(recording.inputs, tuple(tangents), "tangents")
        recording.attached = recording.attached or any(map(holds_value, directions))
        value = recording.results(recording.output, recording.outputs)
        return value, recording.results(recording.output, recording.push(directions))


# --- whole matrices -------------------------------------------------------------------------------------------------

_MODES = {None: None, "fwd": True, "forward": True, "rev": False, "reverse": False}  # whether forward


def jacobian(f: Function, argnums: Argnums = 0, mode: str | None = None) -> Function:
    """The function that returns all partial derivatives of f.

    One sweep over the recorded graph carries, for each node, only the derivatives that are not zero by structure: for
    an elementwise function of n inputs it visits as many local derivatives as the graph has.

    Args:
        f: a function whose result has any structure.
        argnums: as in grad.
        mode: "forward" or "reverse" (or "fwd", "rev"); unless given, what has fewer columns or rows to carry.

    Returns: a function of the arguments of f that returns the structure of its result, with the structure of the
        argument in the place of each number. An array for an array: out_shape + in_shape.

    Errors: as grad, but for any result made of numbers; ValueError for another mode.

    Example:
        >>> jacobian(lambda x: [x[0] * x[1], 3 * x[1]])([2.0, 5.0])
        [[5.0, 2.0], [0.0, 3.0]]
        >>> import numpy as np
        >>> W, b = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.ones(3)
        >>> jacobian(lambda x: W @ x + b)(np.array([10.0, 20.0])).tolist()
        [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    """
    if mode not in _MODES:
        raise ValueError(f"jacobian: mode={mode!r}; it is 'forward', 'reverse' or None to choose by shape")

    @_transform(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        with Recording(f, args, kwargs, _positions(argnums, args, f)) as recording:
            n, m = len(recording.variables), len(recording.outputs)
            forward = n < m if _MODES[mode] is None else _MODES[mode]
            rows = _forward_rows(recording) if forward else _reverse_rows(recording)
            inputs = recording.inputs if isinstance(argnums, Sequence) else recording.inputs.children[0]
            return _assembled(recording, rows, inputs)

    return transformed


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


def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """The function that returns all second derivatives of f: the Jacobian of its gradient.

    Args, errors: as grad.

    Returns: a function of the arguments of f that returns the structure of the argument, with the same structure in
        the place of each number. An array for an array: shape + shape.

    Example:
        >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
        [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums)


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
