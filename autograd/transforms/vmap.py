"""vmap: a function of one example, mapped over a batch of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

from autograd import primitives
from autograd.foreign import as_numpy
from autograd.scalars import is_array, number
from autograd.tracing import tracing
from autograd.transforms.call import transformed
from autograd.transforms.tree import (
    LEAF,
    Kind,
    Parts,
    Shape,
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

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:
    from autograd.records import NamedTuple

_REDUCTIONS = (None, "mean", "sum")


def vmap(
    f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0, *, reduce: str | None = None
) -> Callable[..., Any]:
    """The function that calls f on each example of a batch.

    Arrays and lists have axes; tuples, dicts, namedtuples, and lists of arrays are structures, and every part of them
    is mapped.

    Args:
        f: a function of one example.
        in_axes: for each argument the axis that counts the examples, or None for an argument that every call gets
            whole; or a structure of these, like the argument. One number or None holds for all arguments. Arguments
            given by keyword are mapped over axis 0, as in JAX; `functools.partial(f, k=k)` passes one whole.
        out_axes: the axis of the stacked results that counts the examples, or None for a result that is the same for
            all of them, which is then returned once; or a structure of these, like the result.
        reduce: in place of stacking them, "sum" adds the results, first to last, and "mean" divides that by their
            number.

    Returns: a function of the arguments of f with the mapped axes added. Stacked results are arrays if a mapped
        argument or a result is an array, else lists.

    Errors: ValueError for an empty batch, for sizes that differ, for an axis that an argument or a result does not
        have, for results that differ in structure, and where out_axes is None for results that differ; TypeError for
        an axis that is not an int.

    Example:
        >>> vmap(lambda w, x: w * x, in_axes=(None, 0))(10.0, [1.0, 2.0, 3.0])
        [10.0, 20.0, 30.0]
        >>> vmap(lambda x, y: (x - y) ** 2, reduce="mean")([1.0, 2.0], [1.0, 4.0])
        2.0
        >>> vmap(lambda x, *, rate: [x, rate * x], out_axes=1)([1.0, 2.0], rate=[10.0, 100.0])
        [[1.0, 2.0], [10.0, 200.0]]
    """
    if reduce not in _REDUCTIONS:
        raise ValueError(f"vmap: reduce must be None to stack the results, 'mean' or 'sum', got {reduce!r}")
    if out_axes in ("mean", "sum"):
        raise TypeError(f"vmap: out_axes={out_axes!r}; write reduce={out_axes!r}")
    if reduce is not None and out_axes != 0:
        raise ValueError(f"vmap: out_axes={out_axes!r} with reduce={reduce!r}, which leaves no axis to count examples")

    @transformed(f, vmap, in_axes, out_axes, reduce=reduce)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        batch = Batch(as_numpy(args), as_numpy(kwargs), in_axes)
        if tracing.tracer is not None:
            lanes = tracing.tracer.vmap(f, batch, out_axes, reduce)
            if lanes is not NotImplemented:
                return lanes
        batch.check()
        results = [batch.call(f, batch.example(i)) for i in range(batch.size)]
        return reduced(results, reduce) if reduce is not None else stacked(results, batch.has_arrays, out_axes)

    return mapped


class Batch:
    """The arguments of a mapped call.

    Args:
        args, kwargs: the arguments, those given by keyword mapped over axis 0.
        in_axes: as for vmap: a prefix of the structure of args, with the axes as its leaves.

    Attributes:
        parts: the arrays and lists among the arguments, mapped or passed whole.
        mapped: those that are mapped.
        size: the number of examples; set by `check`.
        has_arrays: whether one of the mapped parts is an array.
    """

    def __init__(self, args: Sequence[Any], kwargs: Mapping[str, Any], in_axes: Any):
        axes = in_axes if isinstance(in_axes, tuple | list) else [in_axes] * len(args)
        if len(axes) != len(args):
            raise ValueError(f"vmap: in_axes={in_axes!r} has {len(in_axes)} entries for {len(args)} arguments")
        self.parts: list[Part] = []
        pairs = enumerate(zip(args, axes, strict=True))
        positional = [_mapped(arg, axis, f"argument {i}", self.parts) for i, (arg, axis) in pairs]
        named = [_mapped(arg, 0, f"argument {name!r}", self.parts) for name, arg in kwargs.items()]
        self._names, self._structure = list(kwargs), tuple_of([*positional, *named])
        self.mapped = [part for part in self.parts if part.axis is not None]
        if not self.mapped:
            raise ValueError(f"vmap: in_axes={in_axes!r} maps none of the {len(args) + len(kwargs)} arguments")
        self.has_arrays = any(is_array(part.x) for part in self.mapped)

    def check(self) -> None:
        """Find out the number of examples, on which all parts must agree."""
        first = self.mapped[0]
        self.size = _length(first)
        for part in self.mapped:
            if _length(part) != self.size:
                raise ValueError(f"vmap: {first.name} has {self.size} examples, but {part.name} has {_length(part)}")
        if self.size == 0:
            raise ValueError(f"vmap: {first.name} is {described(first.x)}: a batch without examples")

    def example(self, i: int) -> list[Any]:
        """What one example sees of each part."""
        return [part.x if part.axis is None else _element(part.x, part.axis, i) for part in self.parts]

    def call(self, f: Callable[..., Any], parts: Sequence[Any]) -> Any:
        """f of the arguments that have these parts."""
        arguments: tuple[Any, ...] = self._structure.unflatten(parts)
        count = len(arguments) - len(self._names)
        return f(*arguments[:count], **dict(zip(self._names, arguments[count:], strict=True)))


class Part(NamedTuple):
    """An array or list among the arguments that is mapped over an axis; or, if that is None, what is passed whole."""

    name: str
    x: Any
    axis: int | None


def _mapped(x: Any, axis: Any, name: str, found: list[Part]) -> Structure:
    """The structure of x with its parts as leaves, which are added to those found."""
    axes = None if axis is None else parts_of(axis)
    parts = None if axis is None or _has_axes(x, axes is not None) else parts_of(x)
    if parts is None:
        if axes is not None:
            raise ValueError(f"vmap: in_axes has {axis!r} for {name}, which is {described(x)}")
        found.append(Part(name, x, None if axis is None else _axis(axis, "in_axes")))
        return LEAF
    keys = parts.keys()
    each = [axis] * len(keys) if axes is None else _axes_of_parts(axes, parts.kind, keys)
    if each is None:
        raise ValueError(f"vmap: in_axes has {axis!r} for {name}, which is {described(x)}")
    pairs = zip(parts.children, each, keys, strict=True)
    children = [_mapped(child, axis, name + key, found) for child, axis, key in pairs]
    return Structure(parts.kind, parts.context, tuple(children))


def _axis(axis: Any, what: str) -> int:
    """An axis as an int."""
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise TypeError(f"vmap: {what} has {axis!r}, where the number of an axis or None is needed")
    return operator.index(axis)


def _axes_of_parts(axes: Parts, kind: Kind | None, keys: list[str]) -> Sequence[Any] | None:
    """For each part its axes: of dicts by key, of other structures by position; None if they do not correspond."""
    name = getattr(kind, "name", None)
    if name == "dict" == axes.kind.name:
        by_key = dict(zip(axes.keys(), axes.children, strict=True))
        return [by_key[key] for key in keys] if by_key.keys() == set(keys) else None
    fits = "dict" not in (name, axes.kind.name) and len(axes.children) == len(keys)
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
            f"vmap: {name} is {described(x)} without an axis {axis}; in_axes=None passes it whole to every call, "
            "functools.partial(f, ...) one that is given by keyword"
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


def stacked(results: Sequence[Any], as_arrays: bool, out_axes: Any) -> Any:
    """The results of all examples along a new axis."""
    rows, structure = _rows(results)
    shapes, units = structure.units()
    if not as_arrays and set(shapes) <= {None}:
        return _stacked_in_lists(structure, [structure.unflatten(row) for row in rows], out_axes)
    import numpy as np

    dtype = object if any(isinstance(x, Value) for row in rows for x in row) else float
    matrix = np.array(rows, dtype=dtype).reshape(len(rows), len(rows[0]))
    columns = [
        matrix[:, span].reshape(len(rows), *(shape or ())) for shape, span in zip(shapes, spans(shapes), strict=True)
    ]
    axes = axes_of_results(units, shapes, out_axes)
    return units.unflatten([_along(column, axis) for column, axis in zip(columns, axes, strict=True)])


def axes_of_results(units: Structure, shapes: Sequence[Shape], out_axes: Any) -> list[int | None]:
    """For each number or array of a result the axis of the stack that counts the examples, from 0; None if it is not
    to be stacked.

    Args:
        units: the structure of the result, with whole arrays as its leaves.
        shapes: theirs, for one example.
        out_axes: as for vmap: a prefix of that structure.
    """
    given = _spread_axes(units, out_axes)
    return [
        None if axis is None else _checked_axis(axis, len(shape or ()) + 1)
        for axis, shape in zip(given, shapes, strict=True)
    ]


def _spread_axes(units: Structure, axes: Any) -> list[Any]:
    parts = None if axes is None else parts_of(axes)
    if parts is None:
        return [axes] * units.num_leaves
    each = None if units.kind is None else _axes_of_parts(parts, units.kind, units.keys())
    if each is None:
        raise ValueError(f"vmap: out_axes has {axes!r} for a result that is {units.described()}")
    return [
        axis for child, child_axes in zip(units.children, each, strict=True) for axis in _spread_axes(child, child_axes)
    ]


def _checked_axis(axis: Any, ndim: int) -> int:
    position = _axis(axis, "out_axes")
    if not -ndim <= position < ndim:
        raise ValueError(f"vmap: out_axes has {axis!r}, but the stacked results have {ndim} axes, 0 to {ndim - 1}")
    return position % ndim


def _along(column: Any, axis: int | None) -> Any:
    """The results of all examples, an array with these as its first axis, with them along another one."""
    import numpy as np

    if axis is not None:
        return np.moveaxis(column, 0, axis)
    _check_equal([list(row.ravel()) for row in column.reshape(len(column), -1)])
    return column[0]


def _check_equal(rows: Sequence[Sequence[Any]]) -> None:
    """Check that results are the same for all examples."""

    def number_of(x: Any) -> Any:
        return x._data if isinstance(x, Value) else x

    for i, row in enumerate(rows):
        for x, y in zip(map(number_of, row), map(number_of, rows[0]), strict=True):
            if not (x == y or (x != x and y != y)):
                raise ValueError(
                    f"vmap: out_axes is None for a result that is {y!r} for example 0, but {x!r} for example {i}; "
                    "only what is the same for all can be returned once"
                )


def _stacked_in_lists(structure: Structure, results: list[Any], axes: Any) -> Any:
    """The same in lists: one more list around, or within, those that a result is made of."""
    if axes is None:
        _check_equal([flatten(result)[0] for result in results])
        return results[0]
    given, parts = parts_of(axes), [parts_of(result) for result in results]
    if given is None and (structure.kind is None or isinstance(results[0], list) or parts[0] is None):
        return _along_list_axis(results, _axis(axes, "out_axes"), axes)
    each = (
        [axes] * len(structure.children) if given is None else _axes_of_parts(given, structure.kind, structure.keys())
    )
    if each is None or parts[0] is None:
        raise ValueError(f"vmap: out_axes has {axes!r} for a result that is {structure.described()}")
    columns = zip(*[part.children for part in parts if part is not None], strict=True)
    triples = zip(structure.children, columns, each, strict=True)
    return parts[0].rebuild([_stacked_in_lists(child, list(column), axis) for child, column, axis in triples])


def _along_list_axis(results: list[Any], axis: int, given: Any) -> list[Any]:
    if axis == 0:
        return results
    if axis < 0 or not isinstance(results[0], list):
        raise ValueError(f"vmap: out_axes has {given!r}, an axis that the stacked lists do not have")
    return [_along_list_axis(list(column), axis - 1, given) for column in zip(*results, strict=True)]


def reduced(results: Sequence[Any], reduce: str) -> Any:
    """The sum or the mean of the results of all examples, first to last."""
    rows, structure = _rows(results)
    totals = [primitives.sum(*column) for column in zip(*rows, strict=True)]
    return structure.unflatten([x / len(results) for x in totals] if reduce == "mean" else totals)
