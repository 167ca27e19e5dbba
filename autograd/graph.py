"""Walks over expression graphs: topological order, the backward sweep, and gradients as graphs."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd.primitives import Primitive, chain, detach
from autograd.value import Value

Walk = tuple[list[Value], list[Value]]


def topological_order(outputs: Iterable[Value], parents: Callable[[Value], Iterable[Any]] | None = None) -> list[Value]:
    """All nodes that the outputs were computed from, and the outputs, parents before children; each node once.

    Args:
        outputs: where to start.
        parents: which Values to go on to from a node: all its parents, unless given (see `differentiable_parents`).

    Iterative, like everything here: a chain of a million nodes is deeper than Python's recursion limit.

    Example:
        >>> x = Value(2.0, label="x")
        >>> y = x * x
        >>> [node.data for node in topological_order([y + 1.0])]
        [2.0, 4.0, 5.0]
    """
    parents = parents or (lambda node: node.parents)
    order: list[Value] = []
    seen: set[Any] = set()
    stack: list[Any] = list(outputs)[::-1]
    while stack:
        node = stack.pop()
        if node is None:  # a mark: what stands below it has all its parents in the order
            order.append(stack.pop())
        elif node not in seen:
            seen.add(node)
            stack += [node, None, *reversed(tuple(parents(node)))]
    return order


def differentiable_parents(node: Value) -> list[Any]:
    """The operands to which a derivative flows, as often as they occur."""
    return [x for x, p in zip(node.operands, node._partials, strict=True) if p is not None]


def backward(root: Value, gradient: float) -> None:
    """What Value.backward does.

    The same walk as topological_order and the same sums as pullback, with their steps written out: through those a
    training step in plain operators spends 3 times as long here (benchmarks/eager.py).
    """
    order, leaves = backward_order([root])
    before_sweep = [leaf.grad for leaf in leaves]
    try:
        for node in order:
            node._grad = None
        for leaf in leaves:
            leaf._grad = None
        root._grad = gradient
        for node in reversed(order):
            adjoint = node._grad
            first: Any = node._da
            if first.__class__ is tuple:
                for parent, partial in zip(node._a, first, strict=True):
                    if partial is not None:
                        product = adjoint * partial
                        if not adjoint and product:  # 0 * inf; see primitives.chain
                            product = 0.0
                        so_far = parent._grad
                        parent._grad = product if so_far is None else so_far + product
                continue
            if first is not None:
                product = adjoint * first
                if not adjoint and product:
                    product = 0.0
                parent = node._a
                so_far = parent._grad
                parent._grad = product if so_far is None else so_far + product
            second = node._db
            if second is not None:
                product = adjoint * second
                if not adjoint and product:
                    product = 0.0
                parent = node._b
                so_far = parent._grad
                parent._grad = product if so_far is None else so_far + product
    finally:  # an interrupted sweep must not cost the leaves what they had accumulated
        for leaf, before in zip(leaves, before_sweep, strict=True):
            leaf._grad = before if leaf._grad is None else before + leaf._grad


def backward_order(roots: Sequence[Value]) -> Walk:
    """The topological order along differentiable operands: results of operations, and apart from them the leaves."""
    order: list[Value] = []
    leaves: list[Value] = []
    seen: set[Any] = set()
    stack: list[Any] = list(roots)[::-1]
    pop, push = stack.pop, stack.append
    while stack:
        node = pop()
        if node is None:
            order.append(pop())
        elif node not in seen:
            seen.add(node)
            if node.op is None:
                leaves.append(node)
                continue
            push(node)
            push(None)
            first = node._da
            if first.__class__ is tuple:
                if not seen.issuperset(node._a):  # a weight is an operand for every example, and new for the first
                    stack += [x for x, p in zip(node._a, first, strict=True) if p is not None][::-1]
            else:
                if node._db is not None:
                    push(node._b)
                if first is not None:
                    push(node._a)
    return order, leaves


# --- gradients as graphs -------------------------------------------------------------------------------------------


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
    walk: Walk | None = None,
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
    on_the_way = _descendants(order, xs)
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


def pull_numbers(
    order: Sequence[Value], leaves: Sequence[Value], outputs: Sequence[Value], cotangents: Sequence[float]
) -> dict[Any, Any]:
    """The sweep of pullback on numbers, as blunt as backward's (benchmarks/transforms.py): the adjoint of each node."""
    adjoints: dict[Any, Any] = dict.fromkeys(leaves)
    adjoints.update(dict.fromkeys(order))
    for output, cotangent in zip(outputs, cotangents, strict=True):
        so_far = adjoints[output]
        adjoints[output] = cotangent if so_far is None else so_far + cotangent
    for node in reversed(order):
        adjoint = adjoints[node]
        for parent, partial in _edges(node):
            if partial is not None:
                product = adjoint * partial
                if not adjoint and product:  # 0 * inf; see primitives.chain
                    product = 0.0
                so_far = adjoints[parent]
                adjoints[parent] = product if so_far is None else so_far + product
    return adjoints


def _edges(node: Any) -> Iterable[tuple[Any, Any]]:
    """The operands with their recorded partials."""
    first = node._da
    if first.__class__ is tuple:
        return zip(node._a, first, strict=True)
    return ((node._a, first), (node._b, node._db))


def pushforward(
    outputs: Sequence[Value],
    xs: Sequence[Value],
    tangents: Sequence[Any],
    partials: Callable[[Value], Sequence[Any]] = symbolic_partials,
    walk: Walk | None = None,
) -> list[Any]:
    """Forward mode: the tangents of the outputs for given tangents of xs, by one sweep over the recorded graph.

    Args, returns: as pullback, the other way round; None for an output that depends on none of xs.
    """
    order, _ = walk or backward_order(outputs)
    known: dict[Any, Any] = dict(zip(xs, tangents, strict=True))
    if partials is recorded_partials and Row not in map(type, tangents):
        push_numbers(order, known)
        return [known.get(output) for output in outputs]
    on_the_way = _descendants(order, xs).difference(xs)
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


def push_numbers(order: Iterable[Value], tangents: dict[Any, Any]) -> None:
    """The sweep of pushforward on numbers: adds to the tangents those of all nodes that depend on them."""
    for node in order:
        total = None
        for parent, partial in _edges(node):
            if partial is not None and parent in tangents:
                tangent = tangents[parent]
                product = tangent * partial
                if product != product and (tangent == 0.0 or partial == 0.0):  # as in multiply_tangent
                    product = 0.0
                total = product if total is None else total + product
        if total is not None:
            tangents.setdefault(node, total)


def _descendants(order: Iterable[Value], xs: Iterable[Value]) -> set[Any]:
    """Those of the order that are computed from one of xs, in a way that a derivative flows."""
    found: set[Any] = set()
    sources = set(xs)
    for node in order:
        for parent, partial in _edges(node):
            if partial is not None and (parent in sources or parent in found):
                found.add(node)
                break
    return found


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
