"""vmap: a function of one example, mapped over a batch of them."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd import primitives
from autograd.scalars import as_numpy, is_array, number
from autograd.tracing import tracing
from autograd.transforms.tree import (
    LEAF,
    Parts,
    Structure,
    described,
    flatten,
    is_module,
    matching_leaves,
    parts_of,
    spans,
    tuple_of,
)
from autograd.value import Value

_REDUCTIONS = (None, "mean", "sum")


def vmap(f: Callable[..., Any], in_axes: Any = 0, reduce: str | None = None) -> Callable[..., Any]:
    """The function that calls f on each example of a batch.

    Arrays and lists have axes; tuples, dicts, namedtuples, and lists of arrays are structures, of which every part is
    mapped.

    Args:
        f: a function of one example.
        in_axes: for each argument the axis that counts the examples, or None for an argument that every call gets
            whole; or a structure of these, like the argument. One number or None holds for all arguments.
        reduce: None stacks the results along a new first axis; "sum" adds them, first to last, and "mean" divides that
            by their number.

    Returns: a function of the arguments of f with the mapped axes added. Stacked results are arrays if a mapped
        argument or a result is an array, else lists.

    Errors: ValueError for an empty batch, for sizes that differ, for an axis that an argument does not have, and for
        results that differ in structure.

    Example:
        >>> vmap(lambda w, x: w * x, in_axes=(None, 0))(10.0, [1.0, 2.0, 3.0])
        [10.0, 20.0, 30.0]
        >>> vmap(lambda x, y: (x - y) ** 2, reduce="mean")([1.0, 2.0], [1.0, 4.0])
        2.0
    """
    if reduce not in _REDUCTIONS:
        raise ValueError(f"vmap: reduce={reduce!r}; it is None to stack the results, 'mean' or 'sum'")

    @functools.wraps(f, updated=())
    def mapped(*args: Any) -> Any:
        args = as_numpy(args)
        if tracing.tracer is not None:
            lanes = tracing.tracer.vmap(f, args, in_axes, reduce)
            if lanes is not NotImplemented:
                return lanes
        batch = Batch(args, in_axes)
        return _map_eagerly(f, batch, reduce)

    return mapped


def _map_eagerly(f: Callable[..., Any], batch: "Batch", reduce: str | None) -> Any:
    """One call an example."""
    results = [f(*batch.example(i)) for i in range(batch.size)]
    return stacked(results, batch.has_arrays) if reduce is None else reduced(results, reduce)


class Batch:
    """The arguments of a mapped call.

    Attributes:
        size: the number of examples.
        has_arrays: whether one of the mapped arguments is an array.
    """

    def __init__(self, args: Sequence[Any], in_axes: Any):
        self._parts, self._structure = mapped_parts(args, in_axes)
        found = [part for part in self._parts if part.axis is not None]
        if not found:
            raise ValueError(f"vmap: in_axes={in_axes!r} maps none of the {len(args)} arguments")
        first = found[0]
        self.size = _length(first)
        for part in found:
            if _length(part) != self.size:
                raise ValueError(f"vmap: {first.name} has {self.size} examples, but {part.name} has {_length(part)}")
        if self.size == 0:
            raise ValueError(f"vmap: {first.name} is {described(first.x)}: a batch without examples")
        self.has_arrays = any(is_array(part.x) for part in found)

    def example(self, i: int) -> Sequence[Any]:
        """The arguments for one example."""
        elements = [part.x if part.axis is None else _element(part.x, part.axis, i) for part in self._parts]
        arguments: tuple[Any, ...] = self._structure.unflatten(elements)
        return arguments


class Part(NamedTuple):
    """An array or list among the arguments that is mapped over an axis; or, if that is None, what is passed whole."""

    name: str
    x: Any
    axis: int | None


def mapped_parts(args: Sequence[Any], in_axes: Any) -> tuple[list[Part], Structure]:
    """The parts of the arguments, and the structure that has them as its leaves.

    Args:
        args: the arguments, of which a tuple is made.
        in_axes: as for vmap: a prefix of their structure, with the axes as its leaves.
    """
    if not isinstance(in_axes, tuple | list):
        in_axes = [in_axes] * len(args)
    elif len(in_axes) != len(args):
        raise ValueError(f"vmap: in_axes={in_axes!r} has {len(in_axes)} entries for {len(args)} arguments")
    parts: list[Part] = []
    pairs = enumerate(zip(args, in_axes, strict=True))
    return parts, tuple_of([_mapped(arg, axis, f"argument {i}", parts) for i, (arg, axis) in pairs])


def _mapped(x: Any, axis: Any, name: str, found: list[Part]) -> Structure:
    """The structure of x with its parts as leaves, which are added to those found."""
    axes = None if axis is None else parts_of(axis)
    parts = None if axis is None or _has_axes(x, axes is not None) else parts_of(x)
    if parts is None:
        if axes is not None:
            raise ValueError(f"vmap: in_axes has {axis!r} for {name}, which is {described(x)}")
        found.append(Part(name, x, axis))
        return LEAF
    keys = parts.keys()
    each = [axis] * len(keys) if axes is None else _axes_of_parts(axes, parts, keys)
    if each is None:
        raise ValueError(f"vmap: in_axes has {axis!r} for {name}, which is {described(x)}")
    pairs = zip(parts.children, each, keys, strict=True)
    children = [_mapped(child, axis, name + key, found) for child, axis, key in pairs]
    return Structure(parts.kind, parts.context, tuple(children))


def _axes_of_parts(axes: Parts, parts: Parts, keys: list[str]) -> Sequence[Any] | None:
    """For each part its axes: of dicts by key, of other structures by position; None if they do not correspond."""
    if parts.kind.name == "dict" == axes.kind.name:
        by_key = dict(zip(axes.keys(), axes.children, strict=True))
        return [by_key[key] for key in keys] if by_key.keys() == set(keys) else None
    fits = "dict" not in (parts.kind.name, axes.kind.name) and len(axes.children) == len(keys)
    return axes.children if fits else None


def _has_axes(x: Any, structured: bool) -> bool:
    """Whether x is mapped as a whole, if it can be mapped: an array, a list of numbers; a Module cannot."""
    if isinstance(x, list):
        return not structured and not any(map(is_array, x))
    return is_array(x) or is_module(x)


def _length(part: Part) -> int:
    name, x, axis = part
    assert axis is not None
    if is_array(x) and -x.ndim <= axis < x.ndim:
        return int(x.shape[axis])
    inner = x
    for _ in range(axis):
        inner = inner[0] if isinstance(inner, list) and inner else None
    if axis < 0 or not isinstance(inner, list):
        raise ValueError(
            f"vmap: {name} is {described(x)} without an axis {axis}; in_axes=None passes it whole to every call"
        )
    return len(inner)


def _element(x: Any, axis: int, i: int) -> Any:
    """What example i sees of a mapped array or list."""
    if is_array(x):
        picked = x[(slice(None),) * (axis % x.ndim) + (i,)]
        return picked.item() if hasattr(picked, "dtype") and picked.ndim == 0 else picked  # a Python number
    return x[i] if axis == 0 else [_element(line, axis - 1, i) for line in x]


def _rows(results: Sequence[Any]) -> tuple[list[list[Any]], Structure]:
    """The numbers of each result, and the structure of the first, which all must have."""
    structure = flatten(results[0])[1]
    found = [matching_leaves(structure, x, f"vmap: the result for example {i}") for i, x in enumerate(results)]
    what = "the result of a mapped function"
    return [[x if isinstance(x, Value) else number(x, what) for x in row] for row in found], structure


def stacked(results: Sequence[Any], as_arrays: bool) -> Any:
    """The results of all examples along a new first axis."""
    rows, structure = _rows(results)
    shapes, units = structure.units()
    if not as_arrays and set(shapes) <= {None}:
        return _stacked_in_lists(structure, [structure.unflatten(row) for row in rows])
    import numpy as np

    dtype = object if any(isinstance(x, Value) for row in rows for x in row) else float
    matrix = np.array(rows, dtype=dtype).reshape(len(rows), len(rows[0]))
    columns = [
        matrix[:, span].reshape(len(rows), *(shape or ())) for shape, span in zip(shapes, spans(shapes), strict=True)
    ]
    return units.unflatten(columns)


def _stacked_in_lists(structure: Structure, results: list[Any]) -> Any:
    parts = [parts_of(result) for result in results]
    if structure.kind is None or isinstance(results[0], list) or parts[0] is None:
        return results
    columns = zip(*[part.children for part in parts if part is not None], strict=True)
    pairs = zip(structure.children, columns, strict=True)
    return parts[0].rebuild([_stacked_in_lists(child, list(column)) for child, column in pairs])


def reduced(results: Sequence[Any], reduce: str) -> Any:
    """The sum or the mean of the results of all examples, first to last."""
    rows, structure = _rows(results)
    totals = [primitives.sum(*column) for column in zip(*rows, strict=True)]
    return structure.unflatten([x / len(results) for x in totals] if reduce == "mean" else totals)
