"""Exact identities: what may stand for an operation without changing an infinity, a zero's sign, or where a NaN is.

So `x + 0.0` stays: it turns -0.0 into 0.0. And so does `x * 0.0`.

They also choose one form among equal ones, so that equal numbers are found to be equal: a sign goes into the constant
factor of a product, or out of a sum; `<` and `<=` stand for `>` and `>=`; no `select` is on a `not`. (Graph.add puts
the operands of a commutative operation in order.)
"""

import math
from collections.abc import Callable

from autograd.compiler.optimize import exponential
from autograd.compiler.optimize.graph import UNIFORM, Graph, Node, Rule
from autograd.compiler.optimize.operations import CONDITIONS

# Each rule returns an equal node, or None.


def _add(graph: Graph, x: Node, y: Node) -> Node | None:
    """x + (-0.0) = x; x + 0.0 = x where x is never -0.0; x + (-y) = x - y."""
    ops = graph.ops
    if ops[x] not in _SIMPLE and ops[y] not in _SIMPLE:
        return None
    for one, other in ((x, y), (y, x)):
        value = graph.value_of(other)
        if value == 0 and (math.copysign(1.0, value) < 0 or _is_never_negative_zero(graph, one)):
            return one  # x + (-0.0) = x; and 0.0 + x = x where x is not -0.0
        if ops[other] == "fneg":
            return graph.add("fsub", (one, graph.args[other][0]))
    return None


_SIMPLE = frozenset({"const", "fneg"})  # the operands of a sum or product that a rule is about


def _is_never_negative_zero(graph: Graph, x: Node) -> bool:
    """A sum over lanes starts from 0.0, and so may an addition."""
    op = graph.ops[x]
    return op in ("lane_sum", "llvm.fabs") or (op == "fadd" and 0.0 in map(graph.value_of, graph.args[x]))


def _sub(graph: Graph, x: Node, y: Node) -> Node | None:
    """x - 0.0 = x; x - (-y) = x + y."""
    value = graph.value_of(y)
    if value == 0 and math.copysign(1.0, value) > 0:
        return x
    return graph.add("fadd", (x, graph.args[y][0])) if graph.ops[y] == "fneg" else None


def _mul(graph: Graph, x: Node, y: Node) -> Node | None:
    """x · 1 = x; x · (-1) = -x; (-x) · c = x · (-c); (-x) · (-y) = x · y."""
    if graph.ops[x] not in _SIMPLE and graph.ops[y] not in _SIMPLE:
        return None
    if graph.is_constant(x):
        x, y = y, x
    value = graph.value_of(y)
    if value == 1.0:
        return x
    if value == -1.0:
        return graph.add("fneg", (x,))
    if graph.ops[x] == "fneg" and value is not None:
        return graph.add("fmul", (graph.args[x][0], graph.constant(-value)))
    if graph.ops[x] == "fneg" and graph.ops[y] == "fneg":
        return graph.add("fmul", (graph.args[x][0], graph.args[y][0]))
    return None


def _div(graph: Graph, x: Node, y: Node) -> Node | None:
    """x / 2^k = x · 2^-k, both rounded once; if 2^-k is a number: 1 / 2^-1074 is inf."""
    value = graph.value_of(y)
    if value and math.isfinite(value) and abs(math.frexp(value)[0]) == 0.5 and 1e-300 < abs(value) < 1e300:
        return graph.add("fmul", (x, graph.constant(1.0 / value)))  # by a power of two: no rounding in either
    return None


def _neg(graph: Graph, x: Node) -> Node | None:
    """-(-x) = x; -(x · c) = x · (-c)."""
    if graph.ops[x] == "fneg":
        return graph.args[x][0]
    if graph.ops[x] == "fmul":
        for one, other in (graph.args[x], graph.args[x][::-1]):
            value = graph.value_of(other)
            if value is not None:
                return graph.add("fmul", (one, graph.constant(-value)))
    return None


def _fabs(graph: Graph, x: Node) -> Node | None:
    """||x|| = |x|; |-x| = |x|; |x · (-c)| = |x · c| for a positive c."""
    op, args = graph.ops[x], graph.args[x]
    if op == "llvm.fabs":
        return x
    if op == "fneg":
        return graph.add("llvm.fabs", args)
    if op == "fmul":
        for one, other in (args, args[::-1]):
            value = graph.value_of(other)
            if value is not None and math.copysign(1.0, value) < 0:
                return graph.add("llvm.fabs", (graph.add("fmul", (one, graph.constant(-value))),))
    return None


def _copysign(graph: Graph, x: Node, y: Node) -> Node | None:
    """copysign(-x, y) = copysign(|x|, y) = copysign(x, y); and so for the factors of x."""
    unsigned = _without_sign(graph, x)
    if graph.ops[unsigned] == "fmul":
        unsigned = graph.add("fmul", tuple([_without_sign(graph, factor) for factor in graph.args[unsigned]]))
    return None if unsigned == x else graph.add("llvm.copysign", (unsigned, y))


def _without_sign(graph: Graph, x: Node) -> Node:
    while graph.ops[x] in ("fneg", "llvm.fabs"):
        x = graph.args[x][0]
    return x


def _select(graph: Graph, condition: Node, x: Node, y: Node) -> Node | None:
    """select(true, x, y) = x; select(false, x, y) = y; select(c, x, x) = x; select(not c, x, y) = select(c, y, x).

    select(c, select(c, x, z), y) = select(c, x, y), and so on the other side; select(c, 1.0, 0.0) = c.
    """
    value = graph.value_of(condition)
    if value is not None:
        return x if value else y
    if x == y:
        return x
    if graph.ops[condition] == "not":
        return graph.add("select", (graph.args[condition][0], y, x))
    if graph.ops[x] == "select" and graph.args[x][0] == condition:
        return graph.add("select", (condition, graph.args[x][1], y))
    if graph.ops[y] == "select" and graph.args[y][0] == condition:
        return graph.add("select", (condition, x, graph.args[y][2]))
    if x == graph.constant(1.0) and y == graph.constant(0.0) and graph.ops[condition] in CONDITIONS:  # not -0.0
        return condition
    return None


def _not(graph: Graph, x: Node) -> Node | None:
    """not not c = c, for a c that is 0 or 1."""
    if graph.ops[x] == "not" and graph.ops[graph.args[x][0]] in CONDITIONS:
        return graph.args[x][0]
    return None


def _and(graph: Graph, x: Node, y: Node) -> Node | None:
    """c and true = c; c and false = false; c and c = c."""
    return _logical(graph, x, y, absorbing=False)


def _or(graph: Graph, x: Node, y: Node) -> Node | None:
    """c or false = c; c or true = true; c or c = c."""
    return _logical(graph, x, y, absorbing=True)


def _logical(graph: Graph, x: Node, y: Node, *, absorbing: bool) -> Node | None:
    for one, other in ((x, y), (y, x)):
        value = graph.value_of(other)
        if value is not None and bool(value) is absorbing:
            return graph.constant(float(absorbing))
        if (value is not None or one == other) and graph.ops[one] in CONDITIONS:
            return one
    return None


def _compare(op: str) -> Callable[[Graph, Node, Node], Node | None]:
    """x · c < 0 = x < 0 for c >= 1, and = 0 < x for c <= -1 (a smaller c may make 0 of x); so for <=, == and != 0."""

    def rule(graph: Graph, x: Node, y: Node) -> Node | None:
        for zero, product, swapped in ((x, y, False), (y, x, True)):
            if graph.value_of(zero) == 0 and graph.ops[product] == "fmul":
                one, other = graph.args[product]
                one, other = (other, one) if graph.is_constant(one) else (one, other)
                factor = graph.value_of(other)
                if factor is not None and math.inf > abs(factor) >= 1:
                    return graph.add(op, (one, zero) if swapped == (factor > 0) else (zero, one))
        return None

    return rule


def _greater(op: str) -> Callable[[Graph, Node, Node], Node | None]:
    """x > y = y < x; x >= y = y <= x."""
    return lambda graph, x, y: graph.add(op, (y, x))


def _pow(graph: Graph, x: Node, y: Node) -> Node | None:
    """x^0 = 1; x^1 = x; x^-1 = 1 / x; x^2 = x · x; x^3 = x · x · x: at least as accurate as the C function.
    And so is √x for x^(1/2), but that of -0.0 is -0.0, and of -inf nan."""
    value = graph.value_of(y)
    if value == 0.0:
        return graph.constant(1.0)  # also where x is NaN
    if value == 1.0:
        return x
    if value == -1.0:
        return graph.add("fdiv", (graph.constant(1.0), x))
    if value in (2.0, 3.0):
        square = graph.add("fmul", (x, x))
        return square if value == 2.0 else graph.add("fmul", (square, x))
    if value == 0.5:
        infinite = graph.add("fcmp oeq", (x, graph.constant(-math.inf)))
        root = graph.add("llvm.sqrt", (graph.add("fadd", (x, graph.constant(0.0))),))
        return graph.add("select", (infinite, graph.constant(math.inf), root))
    return None


def _gated(graph: Graph, x: Node, *others: Node) -> Node | None:
    """gated(x, y, true) = x · y; gated(x, y, false) = 0."""
    value = graph.value_of(others[-1]) if len(others) == 2 else None
    return None if value is None else graph.add("fmul", (x, others[0])) if value else graph.constant(0.0)


def is_finite(graph: Graph, node: Node) -> bool:
    """Whether a node is surely neither infinite nor NaN."""
    op = graph.ops[node]
    if op == "select":
        _, x, y = graph.args[node]
        return _is_finite_constant(graph, x) and _is_finite_constant(graph, y)
    return op in CONDITIONS or _is_finite_constant(graph, node)


def _is_finite_constant(graph: Graph, node: Node) -> bool:
    return graph.ops[node] == "const" and math.isfinite(graph.args[node][0])


def _on_lanes(written_out: Callable[[Graph, Node], Node]) -> Callable[[Graph, Node], Node | None]:
    def rule(graph: Graph, x: Node) -> Node | None:
        if graph.regions[x] == UNIFORM:
            return None
        node = written_out(graph, x)
        graph.functions[node] = written_out.__name__, x
        return node

    return rule


RULES: dict[str, Rule] = {
    "fadd": _add, "fsub": _sub, "fmul": _mul, "fdiv": _div, "fneg": _neg, "llvm.fabs": _fabs, "select": _select,
    "llvm.copysign": _copysign,
    "exp": _on_lanes(exponential.exp), "expm1": _on_lanes(exponential.expm1), "and": _and, "or": _or,
    "not": _not, "gated": _gated, "pow": _pow, "fcmp ogt": _greater("fcmp olt"),
    "fcmp oge": _greater("fcmp ole"), "fcmp olt": _compare("fcmp olt"), "fcmp ole": _compare("fcmp ole"),
    "fcmp oeq": _compare("fcmp oeq"), "fcmp une": _compare("fcmp une"),
}  # fmt: skip
