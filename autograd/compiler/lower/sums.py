"""Which sums of products within a lane run by table."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from autograd.compiler.optimize.graph import LONG, UNIFORM, Graph, Node, Nodes


class Sum(NamedTuple):
    """A sum of products within a lane, added in this order. Left factors are uniform, or all factors are columns; if it
    is `chosen`, those on the left are conditions, under which those on the right are added, and else 0."""

    uniform: bool
    lefts: Nodes
    rights: Nodes
    chosen: bool = False

    @property
    def columns(self) -> Nodes:
        """What it reads from the tile."""
        return self.rights if self.uniform else [*self.lefts, *self.rights]

    def part(self, first: int, end: int) -> "Sum":
        """The sum of some of its terms."""
        return self._replace(lefts=self.lefts[first:end], rights=self.rights[first:end])


class Sums(NamedTuple):
    """Sums that one call of a kernel computes: in groups of so many that share their right factors.

    Attributes:
        uniform: whether left factors are read from slots; else all are columns.
        chosen: whether they are of what conditions choose.
        size: how many sums are in a group.
        groups: the results of each group, and its sums.
    """

    uniform: bool
    chosen: bool
    size: int
    groups: Sequence[tuple[Nodes, Sequence[Sum]]]


def find_sums(graph: Graph, nodes: Nodes, wanted: Nodes) -> dict[Node, Sum]:
    """The long sums of products among these nodes: chains of additions whose partial sums nothing else needs."""
    ops, args = graph.ops, graph.args
    uses = [0] * len(graph)
    for x in itertools.chain(wanted, *[graph.operands(node) for node in nodes]):
        uses[x] += 1
    length: dict[Node, int] = {}  # of the chain of additions that ends at a node
    before: dict[Node, Node] = {}  # the partial sum to which a node adds
    for node in nodes:
        if ops[node] in ("fadd", "fsub"):
            x, y = args[node]
            if ops[node] == "fadd" and length.get(y, 0) > length.get(x, 0) and uses[y] == 1:
                x = y
            inner = length.get(x, 0) if uses[x] == 1 else 0
            if inner:
                before[node] = x
            length[node] = inner + 1
    inside: set[Node] = set()
    sums = {}
    for node in reversed(nodes):
        if length.get(node, 0) >= LONG and node not in inside:
            chain = [node]
            while chain[-1] in before:
                chain.append(before[chain[-1]])
            inside.update(chain)
            found = _sum(graph, list(_terms(graph, chain[::-1], before)))
            if found is not None:
                sums[node] = found
        elif ops[node] == "dot":
            sums[node] = _dot(graph, *args[node])
    return {node: _of_chosen(graph, sums[node]) for node in nodes if node in sums}


def _of_chosen(graph: Graph, found: Sum) -> Sum:
    """The same sum, with what it adds left to conditions where it adds choices between a number and 0 only."""
    if graph.ops[found.rights[0]] != "select":
        return found
    one, zero = graph.constant(1.0), graph.constant(0.0)
    args = [graph.args[x] for x in found.rights if graph.ops[x] == "select"]
    if {*found.lefts} != {one} or len(args) < len(found.rights) or {z for _, _, z in args} != {zero}:
        return found
    conditions, numbers, _ = zip(*args, strict=True)
    return Sum(False, conditions, numbers, chosen=True)


def _terms(graph: Graph, chain: Nodes, before: Mapping[Node, Node]) -> Iterator[tuple[Node, bool]]:
    """What a chain of additions adds up, in order, and whether it subtracts it."""
    for node in chain:
        x, y = graph.args[node]
        partial = before.get(node)
        if partial is None:
            yield x, False
        yield (x if y == partial and x != partial else y), graph.ops[node] == "fsub"


def _dot(graph: Graph, start: Node, *factors: Node) -> Sum:
    """The sum of a node that is one already."""
    n = len(factors) // 2
    lefts, rights, one = factors[:n], factors[n:], graph.constant(1.0)
    if start != graph.constant(-0.0):  # which changes no other number by being added
        first = (start, one) if graph.regions[start] == UNIFORM else (one, start)
        lefts, rights = (first[0], *lefts), (first[1], *rights)
    uniform = graph.regions[rights[-1]] == UNIFORM or graph.regions[lefts[-1]] == UNIFORM
    if uniform:
        pairs = [(x, y) if graph.regions[x] == UNIFORM else (y, x) for x, y in zip(lefts, rights, strict=True)]
        lefts, rights = map(tuple, zip(*pairs, strict=True))
    return Sum(uniform, lefts, rights)


def _sum(graph: Graph, terms: Sequence[tuple[Node, bool]]) -> Sum | None:
    """These terms as products; None if too few of them are."""
    regions = graph.regions
    one, minus_one = graph.constant(1.0), graph.constant(-1.0)
    products = {x for x, negative in terms if graph.ops[x] == "fmul" and regions[x] != UNIFORM and not negative}
    lanes = {x for x in products if UNIFORM not in (regions[graph.args[x][0]], regions[graph.args[x][1]])}
    uniform = 2 * len(lanes) <= len(products)
    if uniform:
        products -= lanes  # these are computed by code, and added as they are
    if len(products) < LONG or 2 * len(products) < len(terms):
        return None
    pairs: list[tuple[Node, Node]] = []
    for x, negative in terms:
        if x in products and not negative:
            left, right = graph.args[x]
            pairs.append((right, left) if regions[right] == UNIFORM else (left, right))
        else:
            sign = minus_one if negative else one
            pairs.append((x, sign) if regions[x] == UNIFORM else (sign, x))
    lefts, rights = zip(*pairs, strict=True)
    return Sum(uniform, lefts, rights)


def grouped(sums: Mapping[Node, Sum], size: int) -> Iterator[Sums]:
    """Sums that share their right factors in groups, and the others."""
    sharing: dict[tuple[bool, bool, Nodes], list[Node]] = defaultdict(list)
    for node, found in sums.items():
        sharing[found.uniform, found.chosen, tuple(found.rights)].append(node)
    calls: dict[tuple[bool, bool, int], list[Nodes]] = defaultdict(list)
    for (uniform, chosen, _), nodes in sharing.items():
        whole = len(nodes) - len(nodes) % size
        calls[uniform, chosen, size] += [nodes[i : i + size] for i in range(0, whole, size)]
        calls[uniform, chosen, 1] += [[node] for node in nodes[whole:]]
    for key, groups in calls.items():
        if groups:
            yield Sums(*key, [(nodes, [sums[n] for n in nodes]) for nodes in groups])
