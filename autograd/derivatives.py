"""Derivatives: what pulls cotangents back and pushes tangents forward over a graph, as numbers or as graphs again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from autograd import primitives
from autograd.graph import backward_order, descendants, open_edges, pull_numbers, push_numbers
from autograd.primitives import Flow, Primitive, detach
from autograd.tracing import tracing
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
    for x in operands:
        if x.__class__ is Value and x.op is None and x._a is None and tracing.tracer is None:
            _check_unedited(node, found)
            break
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
    """

    __slots__ = ("push", "pull")

    def __init__(
        self,
        name: str,
        forward: Callable[[float], float],
        push: Callable[[Any], Any],
        pull: Callable[[Any], Any],
        latex: str | None = None,
    ):
        super().__init__(name, forward, [lambda out, x: 1.0], latex=latex)
        self.push, self.pull = push, pull


class Row(dict[int, "Any"]):
    """One line of a Jacobian, without its zeros: derivatives by position, in place of one adjoint or tangent."""


def carry(amount: Any, partial: Any, linear: Callable[[Any], Any] | None = None) -> Any:
    """An adjoint or tangent across one operation: times the local derivative, or through a linear map in its place.

    Of a Row every entry is carried, into a new Row. What flows under a condition (see Flow) goes on doing so.
    """
    if amount.__class__ is Row:
        return Row({position: carry(entry, partial, linear) for position, entry in amount.items()})
    if amount.__class__ is Flow:
        if linear is not None:
            return Flow(linear(amount.amount), linear(amount.condition) > 0.0)
        return _carry_under(amount.condition, amount.amount, partial)
    if linear is not None:
        return linear(amount)
    if partial.__class__ is Flow:
        return Flow(primitives.where(partial.condition, multiply(amount, partial.amount), 0.0), partial.condition)
    return multiply(amount, partial)


def _carry_under(condition: Value, amount: Any, partial: Any) -> Flow:
    """What is 0 where the condition does not hold stays 0 there, also where the partial is infinite or nan."""
    if partial.__class__ is Flow:
        inner = _carry_under(condition, amount, partial.amount).amount
        both = primitives.logical_and(condition, partial.condition)
        return Flow(primitives.where(partial.condition, inner, 0.0), both)
    product = multiply(amount, partial)
    if partial.__class__ is float and math.isfinite(partial):
        return Flow(product, condition)
    gate = primitives.where(condition, product, 0.0)
    if tracing.tracer is not None:
        tracing.tracer.note_gate(gate)
    return Flow(gate, condition)


def multiply(adjoint: Any, partial: Any) -> Any:
    """A factor of the chain rule times the next, both floats or Values; no node where one of them is 1 or -1."""
    if adjoint.__class__ is float and adjoint == 1.0:
        return partial
    if partial.__class__ is float:
        if partial == 1.0:
            return adjoint
        if partial == -1.0:
            return -adjoint
    return adjoint * partial


def meet(x: Any, y: Any) -> Any:
    """The sum of two contributions, which flows where one of them does; a Row grows in place."""
    if x.__class__ is Row:
        for position, entry in y.items():
            x[position] = meet(x[position], entry) if position in x else entry
        return x
    if x.__class__ is Flow and y.__class__ is Flow:
        return Flow(x.amount + y.amount, primitives.logical_or(x.condition, y.condition))
    return _amount(x) + _amount(y)


def _amount(x: Any) -> Any:
    return x.amount if x.__class__ is Flow else x


def collected(x: Any) -> Any:
    """The derivative that came together at a node, or None for none.

    Its zeros are positive: -0.0 would tell how many zeros were added on the way, which differs between the graph of one
    side of a `where` and the compiled graph of both.
    """
    if x.__class__ is Row:
        return Row({position: collected(entry) for position, entry in x.items()})
    x = _amount(x)
    if x.__class__ is float:
        return 0.0 + x
    if x is not None and (tracing.tracer is not None or (x._data == 0.0 and math.copysign(1.0, x._data) < 0)):
        return 0.0 + x
    return x


# --- the sweeps -----------------------------------------------------------------------------------------------------


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
    adjoints = {}

    def contribute(node: Any, amount: Any) -> None:
        adjoints[node] = meet(adjoints[node], amount) if node in adjoints else amount

    for output, cotangent in zip(outputs, cotangents, strict=True):
        contribute(output, cotangent)
    for node in reversed(order):
        if node in on_the_way and node in adjoints:
            adjoint, linear = adjoints[node], node.op.pull if isinstance(node.op, LinearMap) else None
            for parent, partial in zip(node.operands, partials(node), strict=True):
                if partial is not None and parent in wanted:
                    contribute(parent, carry(adjoint, partial, linear))
    return [collected(adjoints.get(x)) for x in xs]


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
    known: dict[Any, Any] = dict(zip(xs, tangents, strict=True))
    if partials is recorded_partials and Row not in map(type, tangents):
        push_numbers(order, known)
        return [collected(known.get(output)) for output in outputs]
    on_the_way = descendants(order, xs).difference(xs)
    for node in order:
        if node in on_the_way:
            linear = node.op.push if isinstance(node.op, LinearMap) else None
            for parent, partial in zip(node.operands, partials(node), strict=True):
                if partial is not None and parent in known:
                    product = carry(known[parent], partial, linear)
                    known[node] = meet(known[node], product) if node in known else product
    return [collected(known.get(output)) for output in outputs]


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
