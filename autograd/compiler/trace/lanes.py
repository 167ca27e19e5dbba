"""The lanes of a vmap while it is traced: their paths, their results, and what is the same for all of them."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import primitives
from autograd.compiler.trace.arrays import LikeArray, TracedArray
from autograd.compiler.trace.hooks import TraceHooks
from autograd.condition import Condition
from autograd.derivatives import GATED, GatedProducts, LinearMap
from autograd.graph import open_edges, topological_order
from autograd.tracing import unwatched
from autograd.transforms.tree import Structure, spans
from autograd.transforms.vmap import axes_of_results
from autograd.value import Value


class Guard(NamedTuple):
    """A condition that Python branched on, which way it went, and the line of code that branches."""

    condition: Condition
    taken: bool
    line: str


class Region:
    """The lanes of one vmap, each of which is one example.

    `broadcast` and `total` are the two ways between a number that is the same for all lanes and one that is not. Both
    are linear, and each is the other's transpose: so a pullback sums an adjoint over the lanes where it leaves them.

    Attributes:
        number: 1, 2, ... in the order in which the vmaps were met; `vmap` counts also those that became loops.
        count: how many lanes there are, an input.
        arrays: the arrays mapped over, each with its axis.
        paths: the guards on each path that the body was traced along.
        valid: the condition that a lane takes one of those paths; None if there is only one way.
    """

    def __init__(self, number: int, vmap: int, count: Value):
        self.number = number
        self.vmap = vmap
        self.count = count
        self.arrays: list[tuple[TracedArray, int]] = []
        self.leaves: list[list[Value]] = []  # of each array, what one lane sees
        self.paths: list[list[Guard]] = []
        self.valid: Value | None = None
        self.broadcast = LinearMap("broadcast", lambda x: x, push=self.spread, pull=self.sum, latex="{0}")
        self.total = LinearMap(
            "lane_sum", lambda x: x * count._data, push=self.sum, pull=self.spread, never_negative_zero=True
        )

        self.total_of_gated = _TotalOfGated(self.total)

    def spread(self, x: Any) -> Any:
        return self.broadcast(x)

    def sum(self, x: Any) -> Any:
        if not isinstance(x, Value):
            return self.count * x
        if x.op is GATED:
            return self.total_of_gated.record(x._a, self.total.forward(x._data))
        return self.total(x)


class _TotalOfGated(GatedProducts):
    """The sum over the lanes of products of the chain rule: one node for the derivative of each weight, not two."""

    __slots__ = ("total",)
    never_negative_zero = True

    def __init__(self, total: LinearMap):
        super().__init__("lane_sum", lambda *operands: total.forward(GATED.forward(*operands)), GATED.partials)
        self.total = total

    def expand(self, node: Any) -> None:
        node.become(self.total(GATED.record(node._a)))


class StackedResult(LikeArray):
    """What vmap returns while it is traced: one Value a lane. Returning it works on lanes; looking inside does not.

    Attributes:
        lanes: the Value, or the array of Values, that holds the result of every lane.
        region: the lanes.
        axis: which axis of the array counts them.
    """

    def __init__(self, trace: TraceHooks, lanes: list[Value], shape: tuple[int, ...], region: Region, axis: int):
        self.trace, self.lanes, self.row_shape, self.region, self.axis = trace, lanes, shape, region, axis

    def _array(self) -> "np.ndarray[Any, Any]":
        self._refuse_if_over()
        self.trace.repeat_as_loop(self.region)


def lane_count(array: TracedArray, axis: int) -> int:
    return array.data.shape[axis]


def same_length(mapped: Sequence[tuple[Any, int]]) -> bool:
    """Whether all are traced arrays with as many lanes; if not, a plain loop will say what is wrong, or do it."""
    if not mapped or not all(type(x) is TracedArray and -x.ndim <= axis < x.ndim for x, axis in mapped):
        return False
    lengths = {lane_count(x, axis) for x, axis in mapped}
    return len(lengths) == 1 and 0 not in lengths


def shaped(elements: list[Value], shape: tuple[int, ...]) -> Any:
    if not shape:
        return elements[0]
    array = np.empty(len(elements), dtype=object)
    array[:] = elements
    return array.reshape(shape)


def all_as_taken(guards: Sequence[Guard]) -> Value | None:
    """The condition that every guard goes the way it went; None if there is none."""
    each = [guard.condition if guard.taken else primitives.logical_not(guard.condition) for guard in guards]
    return functools.reduce(primitives.logical_and, each) if each else None


@unwatched
def insert_broadcasts(roots: Sequence[Any], region: Region) -> set[Value]:
    """Put a broadcast wherever a node of the lanes reads what is the same for all; returns the nodes of the lanes.

    This is done when the body is complete, so that inside of it a derivative with respect to what is the same for all
    lanes is each lane's own.
    """
    varying = {leaf for elements in region.leaves for leaf in elements}
    broadcasts: dict[Value, Value] = {}

    def spread(x: Any) -> Any:
        if not isinstance(x, Value) or x in varying:
            return x
        if x not in broadcasts:
            broadcasts[x] = region.broadcast(x)
        return broadcasts[x]

    def parents(node: Any) -> list[Any]:
        return [x for x, _ in open_edges(node) if isinstance(x, Value)]

    for node in topological_order([x for x in roots if isinstance(x, Value)], parents):
        if node.op is None or varying.isdisjoint(node.parents):
            continue
        varying.add(node)
        if node.op.arity in (1, 2):
            node._a, node._b = spread(node._a), spread(node._b)
        else:
            node._a = tuple(map(spread, node._a))
    return varying


def spread_over(x: Any, varying: set[Value], region: Region) -> Value:
    """A result of the body as one that each lane has; so a derivative that comes back is summed over the lanes."""
    if not isinstance(x, Value):
        x = Value(x)
    return x if x in varying else region.broadcast(x)


def stacked(
    trace: TraceHooks, structure: Structure, results: list[Any], region: Region, varying: set[Value], out_axes: Any
) -> Any:
    lanes = [x if isinstance(x, Value) else Value(x) for x in results]
    shapes, units = structure.units()

    def stack(elements: list[Value], shape: tuple[int, ...], axis: int | None) -> Any:
        if axis is not None:
            return StackedResult(trace, elements, shape, region, axis)
        if not varying.isdisjoint(elements):
            raise ValueError(
                "vmap: out_axes is None for a result that depends on the example; only what is the same for all can be "
                "returned once"
            )
        return shaped(elements, shape)

    axes = axes_of_results(units, shapes, out_axes)
    triples = zip(spans(shapes), shapes, axes, strict=True)
    return units.unflatten([stack(lanes[span], shape or (), axis) for span, shape, axis in triples])
