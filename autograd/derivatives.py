"""Derivatives: what pulls cotangents back and pushes tangents forward over a graph, as numbers or as graphs again."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from autograd import primitives
from autograd.graph import backward_order, descendants, open_edges, pull_numbers, push_numbers
from autograd.primitives import Flow, Primitive, detach
from autograd.tracing import tracing, unwatched
from autograd.value import Value, local_partials

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any


def constant(x: float) -> Value:
    """A number as a Value that no derivative flows to: unlike a leaf, it does not ask to be differentiated."""
    node: Value = object.__new__(Value)
    node._data = node._a = x
    node.op = detach
    node._b = node._da = node._db = None
    return node


def recorded_partials(node: Value) -> Sequence[float | None]:
    """The local derivatives as numbers."""
    return node._partials


def symbolic_partials(node: Value) -> Sequence[Any]:
    """The local derivatives as graphs: the rules of the table, applied to the node and its operands.

    Errors: RuntimeError if they are no longer those that were recorded, because an operand has been edited since.
    """
    op, operands = node.op, node.operands
    if op is None:
        return ()
    try:
        found = _evaluate_rules(op, node, operands)
    except (ZeroDivisionError, OverflowError):  # of two plain numbers in a rule; Values do as IEEE 754 says
        found = _evaluate_rules(op, node, [x if isinstance(x, Value) else constant(x) for x in operands])
    if tracing.tracer is None and any(x.__class__ is Value and x.op is None and x._a is None for x in operands):
        _check_unedited(node, found)
    return found


def _evaluate_rules(op: Primitive, node: Value, operands: Sequence[Any]) -> list[Any]:
    flows = [partial is not None for _, partial in open_edges(node)]
    if op.arity is None:
        return [p if f else None for p, f in zip(op.partials(node, *operands), flows, strict=True)]
    return [rule(node, *operands) if f else None for rule, f in zip(op.partials, flows, strict=False)]


# --- leaves that were edited ----------------------------------------------------------------------------------------


def is_out_of_date(node: Value) -> bool:
    """Whether an operand was edited after the node was computed from it, so that node or partials would be others now.

    Example:
        >>> x = Value(2.0)
        >>> y = x * x
        >>> x.data = 5.0
        >>> is_out_of_date(y), is_out_of_date(y + 1.0)
        (True, False)
    """
    op, operands = node.op, node.operands
    if op is None:
        return False
    data = [x._data if isinstance(x, Value) else x for x in operands]
    try:
        now = op.forward(*data), *local_partials(op, node._data, data, operands)
    except (ValueError, ArithmeticError):  # it was no error at the numbers that it was computed from
        return True
    pairs = zip(now, (node._data, *node._partials), strict=True)
    return any(new != old and (new == new or old == old) for new, old in pairs)


def out_of_date(order: Iterable[Value]) -> set[Value]:
    """Those nodes of a topological order that are out of date, and those that were computed from them."""
    found: set[Value] = set()
    for node in order:
        if is_out_of_date(node) or not found.isdisjoint(node.parents):
            found.add(node)
    return found


def refuse_edited(order: Iterable[Value]) -> None:
    """Raise RuntimeError, naming the leaf, for the first node that is out of date."""
    for node in order:
        if is_out_of_date(node):
            assert node.op is not None
            leaves = dict.fromkeys(x for x in node.operands if isinstance(x, Value) and x.op is None)
            raise RuntimeError(
                f"{' or '.join([leaf._name() for leaf in leaves])} was edited after {node.op.name} = {node._data!r} "
                "was computed from it, so derivatives would mix the two points: compute the result again, then its "
                "derivatives"
            )


def _check_unedited(node: Value, partials: Sequence[Any]) -> None:
    """Raise RuntimeError if the partials of a node that was computed from leaves are others than were recorded.

    Not while a function is traced, when numbers are those of an example, of one lane or another.
    """
    pairs = zip(partials, node._partials, strict=True)
    now = [(partial._data if partial.__class__ is Value else partial, known) for partial, known in pairs]
    differ = any(new != old and (new == new or old == old) for new, old in now)
    if differ:  # which a rule may also do that rounds in one way on Values and in another on floats
        refuse_edited([node])


# --- across one operation -------------------------------------------------------------------------------------------


class LinearMap(Primitive):
    """A linear operation of one operand other than a product with a number, such as a sum over the lanes of a batch.

    Args:
        name, forward, latex: as of every primitive.
        push: maps a tangent of the operand.
        pull: maps a cotangent of the result: the transpose.
        never_negative_zero: whether its results are sums from 0.0.
    """

    __slots__ = ("pull", "push")

    def __init__(
        self,
        name: str,
        forward: Callable[[float], float],
        push: Callable[[Any], Any],
        pull: Callable[[Any], Any],
        latex: str | None = None,
        never_negative_zero: bool = False,
    ):
        super().__init__(name, forward, [lambda out, x: 1.0], latex=latex)
        self.push, self.pull, self.never_negative_zero = push, pull, never_negative_zero


class Row(dict[int, "Any"]):
    """One line of a Jacobian, without its zeros: derivatives by position, in place of one adjoint or tangent."""


def carry(adjoint: Any, partial: Any) -> Any:
    """A factor of the chain rule times the next, both floats or Values; no node where one of them is 1 or -1."""
    if adjoint.__class__ is float and adjoint == 1.0:
        return partial
    if partial.__class__ is float:
        if partial == 1.0:
            return adjoint
        if partial == -1.0:
            return -adjoint
    return adjoint * partial


class GatedProducts(Primitive):
    """Products of the chain rule, added from left to right, each 0 where its condition says that none flows.

    Only traces record it, in one node where there would be some hundred thousand. Its operands are the n adjoints, the
    n partials and the n conditions; 1.0 is the condition of a product that needs none. The sign of its zeros does not
    matter, since derivatives are collected from 0.0 on.
    """

    __slots__ = ()

    def record(self, operands: tuple[Any, ...], data: float | None = None) -> Value:
        """The node of the sum, whose number may be known."""
        node: Value = object.__new__(Value)
        node.op, node._a = self, operands
        node._b = node._da = node._db = None
        if data is None:
            data = self.forward(*[x if x.__class__ is float else x._data for x in operands])
        node._data = data
        return node

    def expand(self, node: Any) -> None:
        """Sums become additions, so that derivatives of derivatives come together in the order of eager mode."""
        if len(node._a) > 3:
            terms = [carry(x, y) if c.__class__ is float else self.record((x, y, c)) for x, y, c in _thirds(node._a)]
            node.become(functools.reduce(operator.add, terms))


def _thirds(operands: Sequence[Any]) -> Iterable[Any]:
    n = len(operands) // 3
    return zip(operands[:n], operands[n : 2 * n], operands[2 * n :], strict=True)


def _gated(*operands: float) -> float:
    if len(operands) == 3:
        return operands[0] * operands[1] if operands[2] else 0.0
    return functools.reduce(operator.add, [x * y if flows else 0.0 for x, y, flows in _thirds(operands)])


GATED = GatedProducts(
    "gated", _gated, lambda out, x, y, flows: [*[primitives.select(flows, z, None) for z in (y, x)], None]
)


_WHOLE = 1.0  # the partial of what is complete


class _Contributions:
    """What a sweep hands from node to node: for each, adjoints or tangents with the partials to carry them across."""

    def __init__(self) -> None:
        self.pairs: dict[Any, list[tuple[Any, Any]]] = defaultdict(list)
        # What is made of conditions, once for all: by their ids, and so with what has these.
        self._conditions: dict[tuple[int, ...], tuple[Any, Any]] = {}

    def add(self, node: Any, amount: Any, partial: Any = _WHOLE) -> None:
        self.pairs[node].append((amount, partial))

    def __contains__(self, node: Any) -> bool:
        return node in self.pairs

    def at(self, node: Any) -> Any:
        """What came together at a node; None for nothing."""
        pairs = self.pairs.get(node)
        if pairs is None:
            return None
        if len(pairs) > 1 or pairs[0][1] is not _WHOLE:
            pairs[:] = [(self._total(pairs), _WHOLE)]
        return pairs[0][0]

    def through(self, linear: Callable[[Any], Any], amount: Any) -> Any:
        """An adjoint or tangent through a linear map."""
        if amount.__class__ is Row:
            return Row({position: self.through(linear, entry) for position, entry in amount.items()})
        if amount.__class__ is Flow:
            key = id(linear), id(amount.condition)
            if key not in self._conditions:
                self._conditions[key] = linear(amount.condition) > 0.0, (linear, amount)
            return Flow(linear(amount.amount), self._conditions[key][0])
        return linear(amount)

    def _total(self, pairs: Sequence[tuple[Any, Any]]) -> Any:
        """The sum of what the pairs carry. It flows under a condition if all of them do: where one of them does."""
        if pairs[0][0].__class__ is Row:
            entries = defaultdict(list)
            for row, partial in pairs:
                for position, entry in row.items():
                    entries[position].append((entry, partial))
            return Row({position: self._total(found) for position, found in entries.items()})
        if tracing.tracer is None:
            return functools.reduce(operator.add, itertools.starmap(carry, pairs))
        if len(pairs) == 1:
            x, y, gate, condition = self._term(*pairs[0])
            total = carry(x, y) if gate.__class__ is float else GATED.record((x, y, gate))
            return total if condition is None else Flow(total, condition)
        terms = itertools.starmap(self._term, pairs)
        adjoints, partials, gates, conditions = zip(*terms, strict=True)
        if set(map(type, adjoints + partials + gates)) == {float}:
            total = functools.reduce(operator.add, map(carry, adjoints, partials))
        else:
            total = GATED.record(adjoints + partials + gates)
        return total if any(x is None for x in conditions) else Flow(total, self._either(conditions))

    def _term(self, amount: Any, partial: Any) -> tuple[Any, Any, Any, Any]:
        """What to multiply with what; the condition without which that is 0, if it might be nan, else 1.0; and the
        condition under which it flows, None for always."""
        if partial.__class__ is Flow:
            amount, partial = self._chosen(amount, partial), 1.0
        if amount.__class__ is not Flow:
            return amount, partial, 1.0, None
        finite = partial.__class__ is float and math.isfinite(partial)
        return amount.amount, partial, 1.0 if finite else amount.condition, amount.condition

    def _chosen(self, amount: Any, partial: Flow) -> Flow:
        """What is 0 where the condition does not hold stays 0 there, also where the partial is infinite or nan."""
        inner, both = self._total([(amount, partial.amount)]), partial.condition
        if inner.__class__ is Flow:
            inner, both = inner.amount, primitives.logical_and(inner.condition, both)
        return Flow(primitives.where(partial.condition, inner, 0.0), both)

    def _either(self, conditions: Sequence[Any]) -> Any:
        """That one of the conditions holds."""
        distinct = {id(condition): condition for condition in conditions}
        key = tuple(distinct)
        if key not in self._conditions:
            self._conditions[key] = functools.reduce(primitives.logical_or, distinct.values()), conditions
        return self._conditions[key][0]


def collected(x: Any) -> Any:
    """The derivative that came together at a node, or None for none.

    Its zeros are positive: -0.0 would tell how many zeros were added on the way, which differs between the graph of one
    side of a `where` and the compiled graph of both.
    """
    if x.__class__ is Row:
        return Row({position: collected(entry) for position, entry in x.items()})
    if x.__class__ is Flow:
        x = x.amount
    if x is None or x.__class__ is float:
        return x if x is None else 0.0 + x
    if x.op is not None and x.op.never_negative_zero:
        return x
    if tracing.tracer is not None or (x._data == 0.0 and math.copysign(1.0, x._data) < 0):
        return 0.0 + x
    return x


# --- the sweeps -----------------------------------------------------------------------------------------------------


@unwatched
def pullback(
    outputs: Sequence[Value],
    cotangents: Sequence[Any],
    xs: Sequence[Value],
    partials: Callable[[Value], Sequence[Any]] = symbolic_partials,
    walk: tuple[list[Value], list[Value]] | None = None,
) -> list[Any]:
    """Reverse mode: the cotangents of xs for given cotangents of the outputs; nothing is written to any `grad`.

    Args:
        outputs: the nodes to start from.
        cotangents: for each output, a number or a Value.
        xs: the nodes, leaves or not, whose cotangents are wanted.
        partials: `symbolic_partials` for graphs that can be differentiated again, `recorded_partials` for numbers.
        walk: what backward_order(outputs) gave, if that is known.

    Returns: one number or Value for each of xs; None for one that no output depends on.
    """
    order, leaves = walk or backward_order(outputs)
    if partials is recorded_partials and Row not in map(type, cotangents):
        adjoints = pull_numbers(order, leaves, outputs, cotangents)
        return [collected(adjoints.get(x)) for x in xs]
    on_the_way = descendants(order, xs)
    wanted = on_the_way.union(xs)
    found = _Contributions()
    for output, cotangent in zip(outputs, cotangents, strict=True):
        found.add(output, cotangent)
    for node in reversed(order):
        if node in on_the_way and node in found:
            adjoint = found.at(node)
            if isinstance(node.op, LinearMap):
                found.add(node._a, found.through(node.op.pull, adjoint))
                continue
            for parent, partial in zip(node.operands, partials(node), strict=True):
                if partial is not None and parent in wanted:
                    found.pairs[parent].append((adjoint, partial))  # a hot path: the weights of a network
    return [collected(found.at(x)) for x in xs]


@unwatched
def pushforward(
    outputs: Sequence[Value],
    xs: Sequence[Value],
    tangents: Sequence[Any],
    partials: Callable[[Value], Sequence[Any]] = symbolic_partials,
    walk: tuple[list[Value], list[Value]] | None = None,
) -> list[Any]:
    """Forward mode: the tangents of the outputs for given tangents of xs, by one sweep over the recorded graph.

    Args, returns: as pullback, the other way round; None for an output that depends on none of xs.
    """
    order, _ = walk or backward_order(outputs)
    if partials is recorded_partials and Row not in map(type, tangents):
        known: dict[Any, Any] = dict(zip(xs, tangents, strict=True))
        push_numbers(order, known)
        return [collected(known.get(output)) for output in outputs]
    on_the_way = descendants(order, xs).difference(xs)
    found = _Contributions()
    for x, tangent in zip(xs, tangents, strict=True):
        found.add(x, tangent)
    for node in order:
        if node in on_the_way:
            if isinstance(node.op, LinearMap):
                found.add(node, found.through(node.op.push, found.at(node._a)))
                continue
            for parent, partial in zip(node.operands, partials(node), strict=True):
                if partial is not None and parent in found:
                    found.add(node, found.at(parent), partial)
    return [collected(found.at(output)) for output in outputs]


def gradients(y: Value, xs: Sequence[Value]) -> list[Value]:
    """The derivatives of y with respect to each of xs, as Values: graphs to differentiate again, compile or draw.

    Args:
        y: the result.
        xs: leaves, or nodes on the way to y.

    Returns: one Value for each of xs, 0 for one that y does not depend on. No `grad` is read or written.

    Errors: TypeError if y or one of xs is not a Value.

    Example:
        >>> x = Value(2.0, label="x")
        >>> first, = gradients(x**3, [x])
        >>> second, = gradients(first, [x])
        >>> first.data, second.data
        (12.0, 12.0)
    """
    if isinstance(xs, Value):
        raise TypeError(f"gradients(y, xs) takes a list of Values as xs, got the Value {xs._data!r}: write [x] for one")
    for node in (y, *xs):
        if not isinstance(node, Value):
            raise TypeError(
                f"gradients(y, xs) takes a Value and a list of Values, got {type(node).__name__} {node!r:.60}"
            )
    results = pullback([y], [1.0], xs)
    return [g if isinstance(g, Value) else Value(0.0 if g is None else g) for g in results]
