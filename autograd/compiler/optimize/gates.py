"""Gates: products of the chain rule that are 0 where no derivative flows, settled before a program is lowered.

`gated(adjoint, partial, flows)` is `select(flows, adjoint * partial, 0.0)`, and differs from the bare product only
where the partial is infinite or nan although no derivative flows, since the adjoint is 0 there. Fast code takes the
bare product wherever that NaN would show in a result; if one does, exact code repeats the call. A node "gated" of many
adjoints, partials and conditions is the sum of such products, and becomes a "dot"; a "lane_sum" of three sums one.
"""

from collections.abc import Iterable, Sequence

from autograd import primitives
from autograd.compiler.optimize.convert import Program
from autograd.compiler.optimize.graph import Graph, Node
from autograd.compiler.optimize.operations import CONDITIONS

# Operations through which a NaN in an operand always reaches the result: functions of one argument, and these.
_OF_ONE = {p.lower for p in primitives.TABLE.values() if p.arity == 1 and isinstance(p.lower, str)}
TRANSPARENT = frozenset(_OF_ONE - CONDITIONS | {"fadd", "fsub", "fmul", "fdiv", "dot", "lane_sum"})


def settle(program: Program, exact: bool) -> Program:
    """The program with its gates settled.

    Args:
        program: what convert made.
        exact: whether every gate stays. If not, the result's `watched` says whether a NaN among its results may come
            from a bare product, so that the call has to be repeated by exact code.
    """
    if exact:
        return program
    outputs = [*program.outputs, *[node for node, _ in program.by_lane]]
    order = program.graph.needed([*outputs, *[v.node for v in program.verdicts]])
    bare = _bare_products(program.graph, order, outputs)
    if not bare:
        return program
    graph = program.graph.copy()
    ops, args, start = graph.ops, graph.args, graph.constant(-0.0)  # which was made before the gates
    for node in bare:
        factors = args[node] = args[node][: len(args[node]) // 3 * 2]
        if ops[node] == "gated":
            ops[node] = "fmul" if len(factors) == 2 else "dot"
        if ops[node] == "dot":
            args[node] = (start, *factors)
    return program._replace(graph=graph, watched=bool(bare))


def _bare_products(graph: Graph, order: Sequence[Node], outputs: Iterable[Node]) -> set[Node]:
    """The gates whose NaN would show in a result."""
    behind = _behind_a_gate(graph, order)
    shows = set(outputs)
    bare = set()
    for node in reversed(order):
        if node not in shows:
            continue
        op, operands = graph.ops[node], graph.operands(node)
        if _is_gate(op, operands):
            factors = len(operands) // 3 * 2
            if behind.isdisjoint(operands[factors:]):
                bare.add(node)
                shows.update(operands[:factors])
        elif op in TRANSPARENT:
            shows.update(operands)
        elif op == "select" and operands[0] not in behind:  # a NaN that is not chosen is not missed
            shows.update(operands[1:])
    return bare


def _is_gate(op: str, operands: Sequence[Node]) -> bool:
    return op == "gated" or (op == "lane_sum" and len(operands) == 3)


def _behind_a_gate(graph: Graph, order: Iterable[Node]) -> set[Node]:
    """The nodes that are computed from a gate."""
    behind: set[Node] = set()
    for node in order:
        operands = graph.operands(node)
        if _is_gate(graph.ops[node], operands) or not behind.isdisjoint(operands):
            behind.add(node)
    return behind
