"""Gates: products of the chain rule that are 0 where no derivative flows, settled before a program is lowered.

`gate(flows, adjoint * partial)` is `select(flows, adjoint * partial, 0.0)`, and differs from the bare product only
where the partial is infinite or nan although no derivative flows, since the adjoint is 0 there. Fast code takes the
bare product wherever that NaN would show in a result; if one does, exact code repeats the call.
"""

from collections.abc import Iterable, Sequence

from autograd import primitives
from autograd.compiler.optimize.convert import Program
from autograd.compiler.optimize.graph import SOURCES, Graph, Node
from autograd.compiler.optimize.operations import CONDITIONS

# Operations through which a NaN in an operand always reaches the result: functions of one argument, and these.
_OF_ONE = {p.lower for p in primitives.TABLE.values() if p.arity == 1 and isinstance(p.lower, str)}
TRANSPARENT = frozenset(_OF_ONE - CONDITIONS | {"fadd", "fsub", "fmul", "fdiv", "lane_sum"})


def settle(program: Program, exact: bool) -> Program:
    """The program without gates.

    Args:
        program: what convert made.
        exact: whether every gate becomes a `select`. If not, the result's `watched` says whether a NaN among its
            results may come from a bare product, so that the call has to be repeated by exact code.
    """
    graph = program.graph
    gates = [node for node, op in enumerate(graph.ops) if op == "gate"]
    if not gates:
        return program
    bare = set() if exact else _bare_products(graph, program)
    settled, zero = graph.copy(), graph.constant(0.0)
    place = list(range(len(graph)))
    for node in gates:
        if node in bare:
            place[node] = place[graph.args[node][1]]
        else:
            settled.ops[node] = "select"
    moved = {node for node in gates if place[node] != node}
    for node, args in enumerate(graph.args):
        if not moved.isdisjoint(args) and graph.ops[node] not in SOURCES:
            settled.args[node] = tuple([place[x] for x in args])
    for node in gates:
        settled.args[node] = (*settled.args[node], zero)

    def placed(nodes: Iterable[Node]) -> list[Node]:
        return [place[node] for node in nodes]

    return program._replace(
        graph=settled,
        outputs=placed(program.outputs),
        stacks=[(place[node], region) for node, region in program.stacks],
        verdicts=[v._replace(node=place[v.node]) for v in program.verdicts],
        trouble=place[program.trouble],
        watched=bool(bare),
    )


def _bare_products(graph: Graph, program: Program) -> set[Node]:
    """The gates whose NaN would show in a result."""
    outputs = [*program.outputs, *[node for node, _ in program.stacks]]
    order = graph.needed([*outputs, *[v.node for v in program.verdicts]])
    behind = _behind_a_gate(graph, order)
    shows = bytearray(len(graph))
    for node in outputs:
        shows[node] = 1
    bare = set()
    for node in reversed(order):
        if not shows[node]:
            continue
        op, operands = graph.ops[node], graph.operands(node)
        if op in TRANSPARENT:
            seen_through = operands
        elif op in ("select", "gate") and not behind[operands[0]]:  # a NaN that is not chosen is not missed
            seen_through = operands[1:]
        else:
            continue
        if op == "gate":
            bare.add(node)
        for x in seen_through:
            shows[x] = 1
    return bare


def _behind_a_gate(graph: Graph, order: Sequence[Node]) -> bytearray:
    """For each node whether it is computed from a gate."""
    behind = bytearray(len(graph))
    for node in order:
        behind[node] = graph.ops[node] == "gate" or 1 in [behind[x] for x in graph.operands(node)]
    return behind
