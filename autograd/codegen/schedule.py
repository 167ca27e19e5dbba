"""What exported code computes in which order, and what of it runs in loops; the same for every language.

Straight-line code, one operation after another, is what the graph is. But a network repeats itself: what does the same
to many numbers that are in a row somewhere becomes a loop over them, and so do long sums of products. These numbers are
then kept in an array, `work`. A vmap is a loop over its lanes.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from autograd.compiler.optimize.graph import REDUCTIONS, SOURCES, UNIFORM, Graph, Node


class Space(NamedTuple):
    """An array of numbers.

    Attributes:
        kind: "argument", "result", "captured" or "work"; "row" for one lane's part of an argument.
        path: of an argument or result, which; else ().
    """

    kind: str
    path: tuple[str, ...] = ()


class Place(NamedTuple):
    """An element of an array."""

    space: Space
    offset: int


Ref = Place | Node  # how loops read a number: where it is, or a node that has a name or is a constant
WORK, LANES = Space("work"), Space("lanes")
LONG = 8  # numbers that a loop is worth, rather than a line each
COMMUTATIVE = {"fadd", "fmul", "and", "or"}
MOST_FUSED = 6  # operations that a loop does to each of its numbers before they are hard to read


class Single(NamedTuple):
    """One operation."""

    node: Node


class Copy(NamedTuple):
    """A number gets a second place, among those that it is added up with."""

    node: Node
    place: Place


class Chain(NamedTuple):
    """A sum, or a sum of products, added in this order, beginning with `start` unless it is None."""

    start: Node | None
    lefts: Sequence[Node]
    rights: Sequence[Node] | None

    @property
    def operands(self) -> list[Node]:
        return [*([] if self.start is None else [self.start]), *self.lefts, *(self.rights or ())]


class Sum(NamedTuple):
    """A short sum, written out."""

    node: Node
    chain: Chain


class Map(NamedTuple):
    """The same operation on many numbers.

    Attributes:
        nodes: what it computes; `places`: where that goes.
        op: the operation.
        operands: for each operand, for each node, where it is; or the Map that computes it on the spot.
    """

    nodes: Sequence[Node]
    places: Sequence[Place]
    op: str
    operands: "Sequence[Operand]"

    @property
    def size(self) -> int:
        """How many operations it does to each number."""
        return 1 + sum([x.size for x in self.operands if isinstance(x, Map)])


Operand = Sequence[Ref] | Map


def refs_of(operand: Operand) -> Iterator[Sequence[Ref]]:
    """What is read for an operand: for each sequence of numbers where they are."""
    if isinstance(operand, Map):
        for x in operand.operands:
            yield from refs_of(x)
    else:
        yield operand


class Sums(NamedTuple):
    """Sums of the same length.

    Attributes:
        nodes, places: as of Map.
        starts: where each begins; None if with nothing.
        lefts, rights: the factors of each sum, one sum after the other; no rights if numbers are added as they are.
        needs: the nodes that are read.
    """

    nodes: Sequence[Node]
    places: Sequence[Place]
    starts: Sequence[Ref] | None
    lefts: Operand
    rights: Operand | None
    needs: Sequence[Node]

    @property
    def length(self) -> int:
        """How many terms each sum has."""
        return len(self.lefts.nodes if isinstance(self.lefts, Map) else self.lefts) // len(self.nodes)


class Total(NamedTuple):
    """Reductions over lanes of one kind: in a loop, if they have places.

    Attributes:
        nodes: the reductions.
        places: where each accumulates; of a single one None, for a variable.
        op: "lane_sum" or "lane_min".
        factors: one or two of each: what is added up is their product.
    """

    nodes: Sequence[Node]
    places: Sequence[Place] | None
    op: str
    factors: Sequence[Operand]


@dataclass
class Lanes:
    """A loop over the lanes of a region.

    Attributes:
        body: what it computes of each.
        totals: what is reduced over the lanes.
        stacks: what is stored by lane.
        inside: what is known in the body.
    """

    region: int
    body: "list[Item]"
    totals: list[Total]
    stacks: list[Node]
    inside: "State"


Item = Single | Copy | Sum | Map | Sums | Lanes


@dataclass
class State:
    """What is known at one point of the code.

    Attributes:
        places: of the nodes that are in arrays.
        computed: the nodes that are there.
        work: how many places of `space`, which is `work` or `lanes`, are taken.
        loops: for each node that a loop computed, a number of that loop.
    """

    places: dict[Node, Place]
    computed: set[Node] = field(default_factory=set)
    work: int = 0
    space: Space = WORK
    loops: dict[Node, int] = field(default_factory=dict)

    def copy(self) -> "State":
        return State(self.places.copy(), self.computed.copy(), self.work, self.space, self.loops.copy())

    def new(self) -> Place:
        self.work += 1
        return Place(self.space, self.work - 1)


def schedule(
    graph: Graph,
    targets: Sequence[Node],
    stacks: Sequence[tuple[Node, int]],
    homes: Mapping[Node, Place],
    state: State,
    apart: bool = False,
) -> list[Item]:
    """The items that compute some nodes; what they compute is noted in the state.

    Args:
        targets: what is wanted; stacks: what is wanted of every lane of a region.
        homes: where a node goes if it becomes part of a loop.
        apart: whether what is computed of each lane has an array `lanes` of its own.
    """
    lanes = [node for node, _ in stacks]
    order = _needed(graph, [*targets, *lanes], state.computed)
    stage = _stages(graph, order)
    loops: dict[int, dict[int, tuple[list[Node], list[Node]]]] = defaultdict(lambda: defaultdict(lambda: ([], [])))
    uniform: dict[int, list[Node]] = defaultdict(list)
    for node in order:
        if graph.ops[node] in REDUCTIONS:
            x = graph.args[node][0]
            loops[stage.get(x, 0)][graph.regions[x]][0].append(node)
        elif graph.regions[node] == UNIFORM and graph.ops[node] not in SOURCES:
            uniform[stage[node]].append(node)
    for node, region in stacks:
        loops[stage.get(node, 0)][region][1].append(node)
    uses = _uses(graph, order, [*targets, *lanes])
    items: list[Item] = []
    for s in sorted({*loops, *uniform}):
        nodes = uniform[s]
        here = {*nodes}
        read = {x for node in order if node not in here for x in graph.operands(node)}.union(targets, lanes)
        straight, first = _Straight(graph, state, homes, uses), state.work
        found = straight.items(nodes, [n for n in nodes if n in read])
        state.computed.update(straight.computed)
        items += _fused(found, [], uses, first, [state])[0]
        for region, (reductions, stacked) in sorted(loops[s].items()):
            items.append(_lanes(graph, region, reductions, stacked, homes, state, apart))
            state.computed.update(reductions)
    return items


def _needed(graph: Graph, targets: Sequence[Node], known: Collection[Node]) -> list[Node]:
    """What the targets need beyond what is known, operands before results."""
    found: set[Node] = set()
    waiting = [*targets]
    while waiting:
        node = waiting.pop()
        if node not in found and node not in known:
            found.add(node)
            waiting += graph.operands(node)
    return sorted(found)


def _stages(graph: Graph, order: Sequence[Node]) -> dict[Node, int]:
    """How many loops over lanes have to be complete, one after another, before a node can be computed."""
    stage = dict.fromkeys(order, 0)
    for node in order:
        known = [stage[x] for x in graph.operands(node) if x in stage]
        stage[node] = max(known, default=0) + (graph.ops[node] in REDUCTIONS)
    return stage


def _uses(graph: Graph, order: Sequence[Node], wanted: Sequence[Node]) -> list[int]:
    uses = [0] * len(graph)
    for x in itertools.chain(wanted, *[graph.operands(node) for node in order]):
        uses[x] += 1
    return uses


def _lanes(
    graph: Graph,
    region: int,
    reductions: Sequence[Node],
    stacks: list[Node],
    homes: Mapping[Node, Place],
    state: State,
    apart: bool,
) -> Lanes:
    factors = {}
    for node in reductions:
        x = graph.args[node][0]
        is_product = graph.ops[node] == "lane_sum" and graph.ops[x] == "fmul"
        factors[node] = graph.args[x] if is_product else (x,)
    wanted = [*itertools.chain.from_iterable(factors.values()), *stacks]
    order = [
        n for n in _needed(graph, wanted, state.computed)
        if graph.regions[n] == region and graph.ops[n] not in SOURCES
    ]  # fmt: skip
    inside = state.copy()  # what is computed of one lane is not there after the loop
    if apart:
        inside.space, inside.work = LANES, 0
    first = inside.work
    uses = _uses(graph, order, wanted)
    straight = _Straight(graph, inside, {}, uses)
    body = straight.items(order, wanted)
    factors = {n: straight.sorted(x) if len(x) == 2 else x for n, x in factors.items()}
    groups: dict[Any, list[Node]] = defaultdict(list)
    for node in reductions:
        home = homes.get(node)
        keys = tuple([(straight.key(x), inside.loops.get(x)) for x in factors[node]])
        groups[graph.ops[node], home and home.space, keys].append(node)
    totals = []
    if not apart:
        state.work = inside.work
    for (op, _, _), nodes in groups.items():
        refs = [[straight.ref(factors[n][i]) for n in nodes] for i in range(len(factors[nodes[0]]))]
        if len(nodes) >= LONG and op == "lane_sum":
            for n in nodes:
                state.places[n] = homes.get(n) or state.new()
            totals.append(Total(nodes, [state.places[n] for n in nodes], op, refs))
        else:
            totals += [Total([n], None, op, [[r[i]] for r in refs]) for i, n in enumerate(nodes)]
    if not apart:
        inside.work = state.work
    body, totals = _fused(body, totals, uses, first, [inside] if apart else [state, inside])
    return Lanes(region, body, totals, stacks, inside)


class _Straight:
    """Code without lanes, or of one lane: finds what becomes a loop, and an order."""

    def __init__(self, graph: Graph, state: State, homes: Mapping[Node, Place], uses: Sequence[int]):
        self.graph, self.state, self.homes, self.uses = graph, state, homes, uses
        self.copied: dict[Node, Place] = {}
        self.computed: list[Node] = []

    def items(self, nodes: Sequence[Node], wanted: Sequence[Node]) -> list[Item]:
        chains = _chains(self.graph, nodes, self.uses)
        live = self.computed = self._live(nodes, wanted, chains)
        depth: dict[Node, int] = {}
        by_depth: dict[int, list[Node]] = defaultdict(list)
        for node in live:
            found = [depth[x] for x in self._operands(node, chains) if x in depth]
            depth[node] = max(found, default=-1) + 1
            by_depth[depth[node]].append(node)
        items: list[Item] = []
        for level in sorted(by_depth):
            items += self._level(by_depth[level], chains, depth)
        return _ordered(items, chains, self.graph, wanted)

    def _operands(self, node: Node, chains: Mapping[Node, Chain]) -> Sequence[Node]:
        return chains[node].operands if node in chains else self.graph.operands(node)

    def _live(self, nodes: Sequence[Node], wanted: Sequence[Node], chains: Mapping[Node, Chain]) -> list[Node]:
        needed = {*wanted}
        found = []
        for node in reversed(nodes):
            if node in needed:
                found.append(node)
                needed.update(self._operands(node, chains))
        return found[::-1]

    # --- groups -------------------------------------------------------------------------------------------------------

    def _level(self, nodes: Sequence[Node], chains: dict[Node, Chain], depth: Mapping[Node, int]) -> Iterator[Item]:
        """The items for nodes that do not need one another."""
        graph = self.graph
        groups: dict[Any, list[Node]] = defaultdict(list)
        for node in nodes:
            home = self.homes.get(node)
            chain = chains.get(node)
            if chain is None:
                keys = [(self.key(x), self.state.loops.get(x)) for x in self._in_order(node)]
                kinds: Any = graph.ops[node], tuple(keys)
            else:
                if chain.rights is not None:
                    pairs = [self.sorted(pair) for pair in zip(chain.lefts, chain.rights, strict=True)]
                    chain = Chain(chain.start, *[list(side) for side in zip(*pairs, strict=True)])
                    chains[node] = chain
                if len(chain.lefts) >= LONG:
                    for side in (chain.lefts, chain.rights or ()):
                        yield from self._gather(side, depth)
                sides = [self._side(side) for side in (chain.lefts, chain.rights or ())]
                start = None if chain.start is None else self.key(chain.start)
                kinds = "sum", len(chain.lefts), chain.rights is None, start, *sides
            groups[home and home.space, kinds].append(node)
        for (_, kinds), group in groups.items():
            count = len(group) * (kinds[1] if kinds[0] == "sum" else 1)
            if count < LONG or None in kinds[4:]:
                yield from [Sum(n, chains[n]) if n in chains else Single(n) for n in group]
            elif kinds[0] == "sum":
                yield self._sums(group, [chains[n] for n in group])
            else:
                operands = zip(*[self._in_order(n) for n in group], strict=True)
                refs = [[self.ref(x) for x in each] for each in operands]
                yield Map(group, self._placed(group), graph.ops[group[0]], refs)

    def _sums(self, nodes: Sequence[Node], chains: Sequence[Chain]) -> Sums:
        def refs(sides: Iterable[Sequence[Node]]) -> list[Ref]:
            return [self.copied.get(x) or self.ref(x) for side in sides for x in side]

        starts = None if chains[0].start is None else [self.ref(c.start) for c in chains if c.start is not None]
        lefts = refs([c.lefts for c in chains])
        rights = None if chains[0].rights is None else refs([c.rights or () for c in chains])
        needs = [x for c in chains for x in c.operands]
        return Sums(nodes, self._placed(nodes), starts, lefts, rights, needs)

    def _in_order(self, node: Node) -> Sequence[Node]:
        """The operands; where their order does not matter, in the same order whatever that of the nodes."""
        args = self.graph.args[node]
        return self.sorted(args) if self.graph.ops[node] in COMMUTATIVE else args

    def sorted(self, factors: Sequence[Node]) -> Sequence[Node]:
        x, y = factors
        return (x, y) if self._rank(x) <= self._rank(y) else (y, x)

    def _rank(self, x: Node) -> tuple[Any, ...]:
        place = self.state.places.get(x)
        return (0, *place.space, self.state.loops.get(x, -1)) if place else (1 + self.graph.is_constant(x),)

    def _placed(self, nodes: Sequence[Node]) -> list[Place]:
        number = nodes[0]
        for n in nodes:
            self.state.loops[n] = number
            self.state.places[n] = self.homes.get(n) or self.state.new()
        return [self.state.places[n] for n in nodes]

    def key(self, x: Node) -> Any:
        """What numbers that one loop reads have in common: the array that they are in, or that they are the same."""
        place = self.state.places.get(x)
        return place.space if place else "constant" if self.graph.is_constant(x) else x

    def ref(self, x: Node) -> Ref:
        return self.state.places.get(x, x)

    def _side(self, side: Sequence[Node]) -> Any:
        keys = {self.copied[x].space if x in self.copied else self.key(x) for x in side}
        return keys.pop() if len(keys) == 1 else None if keys else ()

    def _gather(self, side: Sequence[Node], depth: Mapping[Node, int]) -> Iterator[Copy]:
        """Have the factors of a long sum all in one array."""
        if self._side(side) is not None:
            return
        for x in side:
            if x in self.copied or self.key(x) == self.state.space:
                continue
            if x in depth and x not in self.state.places:  # computed here, by itself: right into its place
                self.state.places[x] = self.state.new()
            else:
                self.copied[x] = self.state.new()
                yield Copy(x, self.copied[x])


def _chains(graph: Graph, nodes: Sequence[Node], uses: Sequence[int]) -> dict[Node, Chain]:
    """The sums among these nodes, cut where sums of products and of other numbers meet; at least two terms each."""
    ops, args = graph.ops, graph.args
    here = {*nodes}
    before: dict[Node, Node] = {}  # the partial sum to which a node adds
    for node in nodes:
        if ops[node] == "fadd":
            partial = [x for x in args[node] if ops[x] == "fadd" and x in here and uses[x] == 1]
            if partial:
                before[node] = partial[0]
    inner = {*before.values()}
    chains: dict[Node, Chain] = {}
    for node in nodes:
        if ops[node] == "fadd" and node not in inner:
            chain = [node]
            while chain[-1] in before:
                chain.append(before[chain[-1]])
            chains.update(_pieces(graph, chain[::-1], before))
    return chains


def _pieces(graph: Graph, chain: Sequence[Node], before: Mapping[Node, Node]) -> Iterator[tuple[Node, Chain]]:
    """One chain of additions, as sums of like terms."""
    x, y = graph.args[chain[0]]
    first, second = (x, y) if graph.ops[y] == "fmul" or graph.ops[x] != "fmul" else (y, x)  # a product comes last
    like = (graph.ops[first] == "fmul") == (graph.ops[second] == "fmul")
    start: Node | None = None if like else first
    terms = [(chain[0], first)] if like else []
    terms.append((chain[0], second))
    for node in chain[1:]:
        x, y = graph.args[node]
        terms.append((node, y if x == before[node] else x))
    for is_product, run in itertools.groupby(terms, lambda term: graph.ops[term[1]] == "fmul"):
        found = list(run)
        if len(found) >= (3 if start is None and not is_product else 2):
            lefts = [graph.args[x][0] if is_product else x for _, x in found]
            rights = [graph.args[x][1] for _, x in found] if is_product else None
            yield found[-1][0], Chain(start, lefts, rights)
        start = found[-1][0]


# --- loops in loops ---------------------------------------------------------------------------------------------------


def _fused(
    items: Sequence[Item], totals: Sequence[Total], uses: Sequence[int], first: int, states: Sequence[State]
) -> tuple[list[Item], list[Total]]:
    """The same, with each Map whose numbers are read once, in their order, done by the loop that reads them.

    Args:
        uses: how often each node is read.
        first: the first place of their array that they may have; the others move up to where none is left out.
        states: what knows the places.
    """
    known: dict[tuple[Ref, ...], Map] = {}
    gone: dict[int, Map] = {}

    def joined(operand: Operand) -> Operand:
        found = None if isinstance(operand, Map) else known.get(tuple(operand))
        if found is None:
            return operand
        gone[id(found)] = found
        return found._replace(places=[])

    made: list[Item] = []
    for item in items:
        if isinstance(item, Map):
            item = item._replace(operands=[joined(operand) for operand in item.operands])
            once = all(uses[n] == 1 for n in item.nodes) and item.places[0].space == states[0].space
            if once and item.size < MOST_FUSED:
                known[tuple(item.places)] = item
        elif isinstance(item, Sums):
            item = item._replace(lefts=joined(item.lefts), rights=item.rights and joined(item.rights))
        made.append(item)
    totals = [total._replace(factors=[joined(factor) for factor in total.factors]) for total in totals]
    kept = [item for item in made if id(item) not in gone]
    for item in gone.values():
        for state in states:
            for n in item.nodes:
                state.places.pop(n, None)
                state.computed.discard(n)
    return _moved(kept, totals, first, states)


def _moved(
    items: Sequence[Item], totals: Sequence[Total], first: int, states: Sequence[State]
) -> tuple[list[Item], list[Total]]:
    """The same without gaps in their array from its place `first` on."""
    places: dict[Place, Place] = {}
    space = states[0].space

    def move(place: Place) -> Place:
        if place.space != space or place.offset < first:
            return place
        return places.setdefault(place, Place(space, first + len(places)))

    moved_items = [_with_places(item, move) for item in items]
    moved_totals = [_with_places(total, move) for total in totals]
    for state in states:
        state.places = {n: move(place) for n, place in state.places.items()}
    for state in states:
        state.work = first + len(places)
    return moved_items, moved_totals


def _with_places(x: Any, move: Callable[[Place], Place]) -> Any:
    if isinstance(x, Place):
        return move(x)
    if isinstance(x, Copy | Map | Sums | Total):
        fields = {name: getattr(x, name) for name in x._fields if name not in ("node", "nodes", "op", "needs")}
        return x._replace(**{name: _with_places(part, move) for name, part in fields.items()})
    return [_with_places(part, move) for part in x] if type(x) is list else x


# --- order -----------------------------------------------------------------------------------------------------------


def _reads(item: Item, graph: Graph) -> Collection[Node]:
    if isinstance(item, Single):
        return graph.operands(item.node)
    if isinstance(item, Copy):
        return [item.node]
    if isinstance(item, Sum):
        return item.chain.operands
    if isinstance(item, Sums):
        return item.needs
    assert isinstance(item, Map)
    return [x for node in item.nodes for x in graph.operands(node)]


def _ordered(items: Sequence[Item], chains: Mapping[Node, Chain], graph: Graph, wanted: Sequence[Node]) -> list[Item]:
    """Every item after those that it reads from, and otherwise as late as it is wanted, which reads best."""
    home: dict[Node, int] = {}
    copies: dict[Node, list[int]] = defaultdict(list)
    for i, item in enumerate(items):
        if isinstance(item, Copy):
            copies[item.node].append(i)
        elif isinstance(item, Single | Sum):
            home[item.node] = i
        elif isinstance(item, Map | Sums):
            home |= dict.fromkeys(item.nodes, i)
    order: list[Item] = []
    seen = [False] * len(items)
    stack = [home[n] for n in reversed(wanted) if n in home]
    while stack:
        i = stack.pop()
        if i < 0:
            order.append(items[~i])
        elif not seen[i]:
            seen[i] = True
            stack.append(~i)
            reads = [*dict.fromkeys(_reads(items[i], graph))]
            needed = [k for x in reads for k in copies[x]] if isinstance(items[i], Sums) else []
            needed += [home[x] for x in reads if x in home]
            stack += [k for k in reversed(needed) if not seen[k]]
    return order
