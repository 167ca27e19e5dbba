"""Which functions, and of very long code which operations, of a lane run by table, and in which order."""

import itertools
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from autograd.compiler.optimize.graph import UNIFORM, Graph, Node, Nodes

MANY = 12  # functions from which they run by table
# Operations from which those of a pass run by table: compiling as many takes 2 s, and even at LLVM's level 0 they would
# be slower than the loops.
TOO_LONG = 40_000
WINDOW = 1000  # of these are put in order at a time: a step of the GPT takes 0.9 of the time that it takes unordered


class Function(NamedTuple):
    """A primitive of one number."""

    name: str
    x: Node

    @property
    def columns(self) -> Nodes:
        """What it reads from the tile."""
        return (self.x,)


class Functions(NamedTuple):
    """Functions that one call of a kernel computes.

    Attributes:
        names: primitives, all of each operand.
        groups: the results for each operand, and the operand.
    """

    names: Sequence[str]
    groups: Sequence[tuple[Nodes, Node]]


def group_functions(functions: Mapping[Node, Function]) -> Iterator[Functions]:
    """Functions of one operand together, since they share much of what is computed."""
    of: dict[Node, dict[str, Node]] = defaultdict(dict)
    for node, (name, x) in functions.items():
        of[x][name] = node
    calls: dict[Sequence[str], list[tuple[Nodes, Node]]] = defaultdict(list)
    for x, found in of.items():
        names = tuple(sorted(found))
        calls[names].append(([found[name] for name in names], x))
    return itertools.starmap(Functions, calls.items())


class Operations(NamedTuple):
    """Operations one after another that one call of a kernel computes.

    Attributes:
        kind: what each is, and which of its operands are the same for all lanes, and so read from slots.
        nodes: the operations.
    """

    kind: tuple[str, Sequence[bool]]
    nodes: Nodes


def plan_operations(
    graph: Graph, nodes: Nodes, columns: Container[Node]
) -> tuple[list[Operations], Mapping[Node, int]]:
    """These nodes as calls of kernels, and a place in scratch memory for each that has no column."""
    calls = _side_by_side(graph, nodes)
    return calls, _reused(graph, [node for call in calls for node in call.nodes], columns)


def _side_by_side(graph: Graph, nodes: Nodes) -> list[Operations]:
    """These nodes as calls of kernels: as far as operands allow, many of one kind together."""
    args, regions, calls = graph.args, graph.regions, []
    for i in range(0, len(nodes), WINDOW):
        level: dict[Node, int] = {}
        groups: dict[tuple[int, str, Sequence[bool]], list[Node]] = defaultdict(list)
        for node in nodes[i : i + WINDOW]:
            level[node] = above = 1 + max([level.get(x, 0) for x in args[node]])
            groups[above, graph.ops[node], tuple([regions[x] == UNIFORM for x in args[node]])].append(node)
        calls += [Operations((op, same), group) for (_, op, same), group in sorted(groups.items())]
    return calls


def _reused(graph: Graph, nodes: Nodes, columns: Container[Node]) -> Mapping[Node, int]:
    """A place for each of these that has no column, which another one gets after its last use."""
    last_use = {x: node for node in nodes for x in graph.args[node]}
    places: dict[Node, int] = {}
    free: list[int] = []
    count = 0
    for node in nodes:
        ended = [places[x] for x in set(graph.args[node]) if x in places and last_use[x] == node]
        if node not in columns:
            if not free:
                free.append(count)
                count += 1
            places[node] = free.pop()
        free += ended  # a result is never where one of its operands is
    return places
