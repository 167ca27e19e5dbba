"""Derivatives: what pulls cotangents back and pushes tangents forward over a graph, as numbers or as graphs again."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd.graph import backward_order, descendants, pull_numbers, push_numbers
from autograd.primitives import Primitive, chain, detach
from autograd.value import Value


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
    """The local derivatives as graphs: the rules of the table, applied to the node and its operands."""
    op, operands = node.op, node.operands
    if op is None:
        return ()
    try:
        return _evaluate_rules(op, node, operands)
    except (ZeroDivisionError, OverflowError):  # of two plain numbers in a rule; Values do as IEEE 754 says
        return _evaluate_rules(op, node, [x if isinstance(x, Value) else constant(x) for x in operands])


def _evaluate_rules(op: Primitive, node: Value, operands: Sequence[Any]) -> list[Any]:
    if op.arity is None:
        partials = op.partials(node, *operands)
        return [p if known is not None else None for p, known in zip(partials, node._partials, strict=True)]
    rules = zip(op.partials, node._partials, strict=True)
    return [rule(node, *operands) if known is not None else None for rule, known in rules]


class Row(dict[int, Any]):
    """One line of a Jacobian, without its zeros: derivatives by position, in place of one adjoint or tangent."""

    def __iadd__(self, other: "Row") -> "Row":
        for position, amount in other.items():
            self[position] = self[position] + amount if position in self else amount
        return self


def multiply(adjoint: Any, partial: Any) -> Any:
    """A factor of the chain rule times the next, both floats or Values; no node where one of them is 1 or -1."""
    if adjoint.__class__ is Value and partial.__class__ is Value:
        node = adjoint * partial  # the same as a node of `chain` but for 0 * inf, and several times as fast
        node.op = chain
        if node._data != node._data and adjoint._data == 0.0:
            node._data = 0.0
        return node
    if adjoint.__class__ is float and adjoint == 1.0:
        return partial
    if not isinstance(partial, Value):
        if partial == 1.0:
            return adjoint
        if partial == -1.0:
            return -adjoint
        if isinstance(adjoint, Value) and math.isfinite(partial):
            return adjoint * partial
    return chain(adjoint, partial)


def multiply_tangent(tangent: Any, partial: Any) -> Any:
    """The same in forward mode, where zero ends come last: a zero partial contributes zero, whatever came before it."""
    if tangent.__class__ is float and partial.__class__ is float:
        product = tangent * partial
        return 0.0 if product != product and (tangent == 0.0 or partial == 0.0) else product
    partial_decides = isinstance(tangent, Value) and (isinstance(partial, Value) or partial == 0.0)
    return multiply(partial, tangent) if partial_decides else multiply(tangent, partial)


def carry(amount: Any, partial: Any, linear: Callable[[Any], Any] | None, product: Callable[[Any, Any], Any]) -> Any:
    """An adjoint or tangent across one operation: times the local derivative, or through a linear map in its place.

    A Row is carried entry by entry, into a new Row.
    """
    if amount.__class__ is Row:
        return Row({position: carry(entry, partial, linear, product) for position, entry in amount.items()})
    return product(amount, partial) if linear is None else linear(amount)


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
        return [adjoints.get(x) for x in xs]
    on_the_way = descendants(order, xs)
    wanted = on_the_way.union(xs)
    adjoints = {}

    def contribute(node: Any, amount: Any) -> None:
        if node in adjoints:
            adjoints[node] += amount
        else:
            adjoints[node] = amount

    for output, cotangent in zip(outputs, cotangents, strict=True):
        contribute(output, cotangent)
    for node in reversed(order):
        if node in on_the_way and node in adjoints:
            adjoint, linear = adjoints[node], node.op.linear  # type: ignore[union-attr]
            for parent, partial in zip(node.operands, partials(node), strict=True):
                if partial is not None and parent in wanted:
                    contribute(parent, carry(adjoint, partial, linear and linear[1], multiply))
    return [adjoints.get(x) for x in xs]


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
        return [known.get(output) for output in outputs]
    on_the_way = descendants(order, xs).difference(xs)
    for node in order:
        if node in on_the_way:
            linear = node.op.linear  # type: ignore[union-attr]
            total = None
            for parent, partial in zip(node.operands, partials(node), strict=True):
                if partial is not None and parent in known:
                    product = carry(known[parent], partial, linear and linear[0], multiply_tangent)
                    if total is None:
                        total = product
                    else:
                        total += product
            known[node] = total
    return [known.get(output) for output in outputs]


def gradients(y: Value, xs: Sequence[Value]) -> list[Value]:
    """The derivatives of y with respect to each of xs, as Values: graphs to differentiate again, compile or draw.

    Args:
        y: the result.
        xs: leaves, or nodes on the way to y.

    Returns: one Value for each of xs, 0 for one that y does not depend on. No `grad` is read or written.

    Errors: TypeError if y or one of xs is no Value.

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
