"""vmap: a function of one example, mapped over a batch of them."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd import primitives
from autograd.scalars import is_array, number
from autograd.tracing import tracing
from autograd.transforms.tree import described, is_module, kind_of, leaves, matching_leaves, rebuild, shape_of, spans
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
        args: the arguments.
        axes: for each of them the mapped axis, None, or a structure of these.
        size: the number of examples.
        has_arrays: whether one of the mapped arguments is an array.
    """

    def __init__(self, args: Sequence[Any], in_axes: Any):
        self.args = args
        self.axes = axes_of(args, in_axes)
        found = mapped_parts(args, self.axes)
        if not found:
            raise ValueError(f"vmap: in_axes={in_axes!r} maps none of the {len(args)} arguments")
        first_name, first, axis = found[0]
        self.size = _length(first, axis, first_name)
        for name, part, axis in found:
            size = _length(part, axis, name)
            if size != self.size:
                raise ValueError(f"vmap: {first_name} has {self.size} examples, but {name} has {size}")
        if self.size == 0:
            raise ValueError(f"vmap: {first_name} is {described(first)}: a batch without examples")
        self.has_arrays = any(is_array(part) for _, part, _ in found)

    def example(self, i: int) -> list[Any]:
        """The arguments for one example."""
        pairs = zip(self.args, self.axes, strict=True)
        return [replace_mapped(arg, axis, lambda x, axis: _element(x, axis, i)) for arg, axis in pairs]


def axes_of(args: Sequence[Any], in_axes: Any) -> Sequence[Any]:
    """For each argument its mapped axis, None, or a structure of these."""
    if not isinstance(in_axes, tuple | list):
        return [in_axes] * len(args)
    if len(in_axes) != len(args):
        raise ValueError(f"vmap: in_axes={in_axes!r} has {len(in_axes)} entries for {len(args)} arguments")
    return in_axes


def mapped_parts(args: Sequence[Any], axes: Sequence[Any]) -> list[tuple[str, Any, int]]:
    """Every array or list that is mapped, with its name and axis."""
    pairs = enumerate(zip(args, axes, strict=True))
    return [part for i, (arg, axis) in pairs for part in _mapped_parts(arg, axis, f"argument {i}")]


def replace_mapped(arg: Any, axis: Any, replace: Callable[[Any, int], Any]) -> Any:
    """An argument with every mapped array or list x in it replaced by `replace(x, its axis)`."""
    if axis is None:
        return arg
    parts = _parts(arg, axis, "")
    if parts is None:
        return replace(arg, axis)
    kind = kind_of(arg, whole_arrays=True)
    assert kind is not None
    return kind.rebuild(arg, [replace_mapped(part, part_axis, replace) for _, part, part_axis in parts])


def _parts(arg: Any, axis: Any, name: str) -> list[tuple[str, Any, Any]] | None:
    """The parts of a structure, each with its name and axis; None for what has axes of its own."""
    kind = kind_of(arg, whole_arrays=True)
    structured = isinstance(axis, tuple | list | dict)
    if kind is None or is_module(arg) or (isinstance(arg, list) and not structured and not any(map(is_array, arg))):
        if structured:
            raise ValueError(f"vmap: in_axes has {axis!r} for {name}, which is {described(arg)}")
        return None
    names, children = [name + key for key in kind.keys(arg)], kind.children(arg)
    axes = axis
    if not structured:
        axes = [axis] * len(names)
    elif isinstance(arg, dict) and isinstance(axis, dict) and axis.keys() == arg.keys():
        axes = [axis[key] for key in arg]
    elif isinstance(arg, dict) or isinstance(axis, dict) or len(axis) != len(names):
        raise ValueError(f"vmap: in_axes has {axis!r} for {name}, which is {described(arg)}")
    return list(zip(names, children, axes, strict=True))


def _mapped_parts(arg: Any, axis: Any, name: str) -> Iterator[tuple[str, Any, int]]:
    """Every array or list that is mapped, with its name and axis."""
    if axis is None:
        return
    parts = _parts(arg, axis, name)
    if parts is None:
        yield name, arg, axis
    else:
        for part_name, part, part_axis in parts:
            yield from _mapped_parts(part, part_axis, part_name)


def _length(x: Any, axis: int, name: str) -> int:
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


def _row(result: Any, first: Any, i: int) -> list[Any]:
    """The numbers of one result, which must have the structure of the first."""
    found = matching_leaves(first, result, f"vmap: the result for example {i}")
    return [x if isinstance(x, Value) else number(x, "the result of a mapped function") for x in found]


def stacked(results: Sequence[Any], as_arrays: bool) -> Any:
    """The results of all examples along a new first axis."""
    first = results[0]
    rows = [_row(result, first, i) for i, result in enumerate(results)]
    units = leaves(first, whole_arrays=True)
    if not as_arrays and not any(map(is_array, units)):
        return _stacked_in_lists(first, [rebuild(first, row) for row in rows])
    import numpy as np

    dtype = object if any(isinstance(x, Value) for row in rows for x in row) else float
    matrix = np.array(rows, dtype=dtype).reshape(len(rows), len(rows[0]))
    columns = [matrix[:, span].reshape(len(rows), *shape_of(x)) for x, span in zip(units, spans(units), strict=True)]
    return rebuild(first, columns, whole_arrays=True)


def _stacked_in_lists(first: Any, results: list[Any]) -> Any:
    kind = kind_of(first)
    if kind is None or isinstance(first, list):
        return results
    columns = zip(*map(kind.children, results), strict=True)
    return kind.rebuild(first, [_stacked_in_lists(column[0], list(column)) for column in columns])


def reduced(results: Sequence[Any], reduce: str) -> Any:
    """The sum or the mean of the results of all examples, first to last."""
    columns = zip(*[_row(result, results[0], i) for i, result in enumerate(results)], strict=True)
    totals = [primitives.sum(*column) for column in columns]
    return rebuild(results[0], [x / len(results) for x in totals] if reduce == "mean" else totals)
