"""The plan of one pass: which sums run by table, in which steps the rest is computed, and what is kept in the tile.

A tile is as many lanes as are computed together; it has a column for everything that is kept for all of them. A pass
takes tile by tile through its steps. A step is sums of products and functions such as tanh, by table, and then code for
what can be computed from them, up to what the next sums and functions read:

    inputs -> code 0 -> sums and functions 1 -> code 1 -> ... -> reductions over the lanes

Every number is computed in the first step that needs it. A later one reads it from the tile; conditions are cheaper to
compute again than to keep.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autograd.compiler.optimize.graph import LONG, UNIFORM, Graph, Node
from autograd.compiler.optimize.operations import CONDITIONS

Nodes = Sequence[Node]
Pair = tuple[Node, Node]
Shape = tuple[int, int]

MANY = 12  # functions from which they run by table
# Operations from which those of a pass run by table: compiling as many takes 2 s, and even at LLVM's level 0 they would
# be slower than the loops.
TOO_LONG = 40_000
WINDOW = 1000  # of these are put in order at a time: a step of the GPT takes 0.9 of the time that it takes unordered
CHUNK = 500  # nodes to a function: compile time grows faster than the size of one


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


class Function(NamedTuple):
    """A primitive of one number."""

    name: str
    x: Node

    @property
    def columns(self) -> Nodes:
        """What it reads from the tile."""
        return (self.x,)


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


class Functions(NamedTuple):
    """Functions that one call of a kernel computes.

    Attributes:
        names: primitives, all of each operand.
        groups: the results for each operand, and the operand.
    """

    names: Sequence[str]
    groups: Sequence[tuple[Nodes, Node]]


class Operations(NamedTuple):
    """Operations one after another that one call of a kernel computes.

    Attributes:
        kind: what each is, and which of its operands are the same for all lanes, and so read from slots.
        nodes: the operations.
    """

    kind: tuple[str, Sequence[bool]]
    nodes: Nodes


class Step(NamedTuple):
    """Sums and functions by table, then code; of a pass that is too long to compile, operations by table instead.

    Attributes:
        sums, functions: calls of kernels.
        codes: what each function of LLVM IR computes, operands first.
        handed: what one of them hands to another for as many lanes as a register holds, and where in scratch memory;
            of operations what they hand to each other for a whole tile, and in which column of scratch memory.
        operations: calls of kernels, in order.
    """

    sums: Sequence[Sums]
    functions: Sequence[Functions]
    codes: Sequence[Nodes]
    handed: Mapping[Node, int]
    operations: Sequence[Operations] = ()

    @property
    def scratch(self) -> int:
        """How many places in scratch memory it needs."""
        return 1 + max(self.handed.values(), default=-1)


class Steps(NamedTuple):
    """What a pass computes for each tile.

    Attributes:
        inputs: what is copied into the tile, its first columns: array, how many consecutive elements of a row at a
            time, the first ones.
        steps: the steps.
        columns: what is kept in the tile, and in which column.
        splat: the columns that are the same for all lanes.
    """

    inputs: Sequence[tuple[int, int, Sequence[int]]]
    steps: Sequence[Step]
    columns: Mapping[Node, int]
    splat: Nodes

    @property
    def sums(self) -> Iterator[Sum]:
        """All sums by table."""
        return (found for step in self.steps for call in step.sums for _, group in call.groups for found in group)


def plan_steps(graph: Graph, region: int, kept: Nodes, group: int, together: int) -> Steps:
    """The steps to what is kept in the tile, to be reduced or stored by lane.

    Args:
        group: how many sums the kernel for shared right factors takes.
        together: how many consecutive elements of a row are copied at a time, at most.
    """
    regions, ops = graph.regions, graph.ops
    nodes = [n for n in graph.needed(kept, graph.functions) if regions[n] == region]
    functions = {n: Function(*graph.functions[n]) for n in nodes if n in graph.functions}
    if len(functions) < MANY:
        nodes, functions = [n for n in graph.needed(kept) if regions[n] == region], {}
    sums = _find_sums(graph, nodes, kept)
    tabled: Mapping[Node, Sum | Function] = {**sums, **functions}
    depth = _depths(graph, nodes, tabled)
    last = max(depth.values(), default=0)
    by_depth: dict[int, list[Node]] = defaultdict(list)
    targets: dict[int, list[Node]] = defaultdict(list)
    columns: dict[Node, None] = {}
    for node, found in tabled.items():
        by_depth[depth[node]].append(node)
        targets[depth[node] - 1] += found.columns
    for step in range(last):
        columns |= dict.fromkeys(targets[step])
    columns |= dict.fromkeys([*tabled, *kept])
    targets[last] += kept

    position = {n: i for i, n in enumerate(nodes)}
    computed: set[Node] = set()
    code = [_code(graph, targets[step], position, tabled, computed, columns) for step in range(last + 1)]
    too_long = sum(map(len, code)) > TOO_LONG
    if too_long:
        columns |= dict.fromkeys([n for here in code for n in here if not graph.args[n]])
    steps = []
    for step, here in enumerate(code):
        operations = [n for n in here if graph.args[n]] if too_long else []
        codes = cut(graph, [n for n in here if not graph.args[n]] if too_long else here)
        if not codes and not step:  # which keeps what is the same for all lanes
            codes.append([])
        handed = {x: i for i, x in enumerate([x for x in crossing(graph, codes) if x not in columns])}
        sums_here = _grouped({n: sums[n] for n in by_depth[step] if n in sums}, group)
        functions_here = _together({n: functions[n] for n in by_depth[step] if n in functions})
        steps.append(Step([*sums_here], [*functions_here], codes, handed))
        if operations:
            calls = _side_by_side(graph, operations)
            places = _reused(graph, [node for call in calls for node in call.nodes], columns)
            steps[-1] = steps[-1]._replace(operations=calls, handed=places)
    inputs: dict[int, dict[int, Node]] = defaultdict(dict)
    for n in nodes:
        if ops[n] == "lane_input":
            array, element = graph.args[n]
            inputs[array][element] = n
    copied = [(array, *run) for array, found in inputs.items() for run in runs(sorted(found), together)]
    spans = [(array, first + i) for array, size, firsts in copied for first in firsts for i in range(size)]
    ordered = dict.fromkeys([inputs[array][element] for array, element in spans]) | columns
    splat = [x for x in columns if regions[x] == UNIFORM]
    return Steps(copied, steps, {n: i for i, n in enumerate(ordered)}, splat)


def runs(numbers: Sequence[int], together: int) -> list[tuple[int, list[int]]]:
    """Increasing numbers as runs of consecutive ones: of so many, the first of each run; then of half as many, ...

    Example:
        >>> runs([0, 1, 2, 5, 6, 7, 8, 9], 4)
        [(4, [5]), (2, [0]), (1, [2, 9])]
    """
    found: dict[int, list[int]] = defaultdict(list)
    start = 0
    while start < len(numbers):
        size = together
        while numbers[start + size - 1 : start + size] != [numbers[start] + size - 1]:
            size //= 2
        found[size].append(numbers[start])
        start += size
    return sorted(found.items(), reverse=True)


def cut(graph: Graph, nodes: Nodes) -> list[Nodes]:
    """The nodes of one function after the other, of some CHUNK instructions each."""
    functions: list[list[Node]] = []
    size = CHUNK
    for node in nodes:
        if size >= CHUNK:
            functions.append([])
            size = 0
        functions[-1].append(node)
        size += max(1, len(graph.args[node]) // 3)  # a gate has three operands a product
    return [*functions]


def crossing(graph: Graph, functions: Sequence[Nodes]) -> Iterable[Node]:
    """What one of these functions computes and another reads, each once."""
    home = {node: n for n, nodes in enumerate(functions) for node in nodes}
    return dict.fromkeys(
        [x for n, nodes in enumerate(functions) for node in nodes for x in graph.operands(node) if home.get(x, n) != n]
    )


def _depths(graph: Graph, nodes: Nodes, tabled: Mapping[Node, Sum | Function]) -> dict[Node, int]:
    """How many loops over tables have to be complete, one after another, with each of what runs by table."""
    depth = [0] * len(graph)
    for node in nodes:
        found = tabled.get(node)
        for x in graph.operands(node) if found is None else found.columns:
            if depth[x] > depth[node]:
                depth[node] = depth[x]
        if found is not None:
            depth[node] += 1
    return {node: depth[node] for node in tabled}


def _code(
    graph: Graph, targets: Nodes, position: Mapping[Node, int], tabled: Container[Node], computed: set[Node],
    columns: dict[Node, None],
) -> Nodes:  # fmt: skip
    """What a step computes to have its targets; what it needs of an earlier step gets a column."""
    here: set[Node] = set()
    stack = list(targets)
    while stack:
        node = stack.pop()
        if node in here or node not in position or node in tabled or graph.ops[node] == "lane_input":
            continue
        if node in computed and (node in columns or graph.ops[node] not in CONDITIONS):
            columns[node] = None
            continue
        here.add(node)
        stack += graph.operands(node)
    computed |= here
    return sorted(here, key=position.__getitem__)


# --- sums ------------------------------------------------------------------------------------------------------------


def _find_sums(graph: Graph, nodes: Nodes, wanted: Nodes) -> dict[Node, Sum]:
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
    pairs: list[Pair] = []
    for x, negative in terms:
        if x in products and not negative:
            left, right = graph.args[x]
            pairs.append((right, left) if regions[right] == UNIFORM else (left, right))
        else:
            sign = minus_one if negative else one
            pairs.append((x, sign) if regions[x] == UNIFORM else (sign, x))
    lefts, rights = zip(*pairs, strict=True)
    return Sum(uniform, lefts, rights)


def _grouped(sums: Mapping[Node, Sum], size: int) -> Iterator[Sums]:
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


# --- operations ------------------------------------------------------------------------------------------------------


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


# --- functions -------------------------------------------------------------------------------------------------------


def _together(functions: Mapping[Node, Function]) -> Iterator[Functions]:
    """Functions of one operand together, since they share much of what is computed."""
    of: dict[Node, dict[str, Node]] = defaultdict(dict)
    for node, (name, x) in functions.items():
        of[x][name] = node
    calls: dict[Sequence[str], list[tuple[Nodes, Node]]] = defaultdict(list)
    for x, found in of.items():
        names = tuple(sorted(found))
        calls[names].append(([found[name] for name in names], x))
    return itertools.starmap(Functions, calls.items())


# --- reductions ------------------------------------------------------------------------------------------------------


class Reductions(NamedTuple):
    """Reductions over the lanes of a tile, in the order in which kernels compute them.

    Attributes:
        width: how many pairs, terms or minima a kernel takes at a time.
        blocks: for each shape, sums of all products of so many left factors with so many right ones.
        pairs: the other sums of products.
        terms: what is summed as it is.
        minima: what the others are the minima of.
        order: the reduction of each result of these; None for what only fills up.
    """

    width: int
    blocks: Mapping[Shape, Sequence[tuple[Nodes, Nodes]]]
    pairs: Sequence[Pair]
    terms: Nodes
    minima: Nodes
    order: Sequence[Node | None]

    @property
    def sum_count(self) -> int:
        return len(self.order) - len(self.minima)


def plan_reductions(
    sums: Sequence[tuple[Node, Nodes]], minima: Sequence[tuple[Node, Node]], shapes: Sequence[Shape], width: int
) -> Reductions:
    """Find blocks among products: left factors that meet the same right ones.

    Args:
        sums: reductions, each with the two factors, or the one term, that are summed.
        minima: reductions, each with the term that it reduces.
        shapes: of blocks, those to look for first; width: see Reductions.
    """
    runs: dict[Node, dict[Node, Node]] = defaultdict(dict)
    pairs: list[tuple[Pair, Node]] = []
    terms: list[tuple[Node, Node]] = []
    on_the_left = _lefts([factors for _, factors in sums if len(factors) == 2])
    for node, factors in sums:
        if len(factors) == 1:
            terms.append((node, factors[0]))
            continue
        left, right = factors if factors[0] in on_the_left else factors[::-1]
        if runs[left].setdefault(right, node) != node:  # in fast code two terms may be the same product
            pairs.append(((left, right), node))
    blocks: dict[Shape, list[tuple[Nodes, Nodes]]] = {}
    order: list[Node | None] = []
    for shape in shapes:
        needed = 0.75 if shape == shapes[-1] else 1.0  # a pair takes twice the loads that a product in a block does
        found = list(_blocks(runs, *shape, needed))
        order += [runs[x].pop(y, None) for lefts, rights in found for x in lefts for y in rights]
        if found:
            blocks[shape] = found
    pairs += [((left, right), node) for left, run in runs.items() for right, node in run.items()]
    kinds: list[list[tuple[Node, Any]]] = [[(node, pair) for pair, node in pairs], terms, [*minima]]
    for kind in kinds:
        missing = -len(kind) % width
        order += [*[node for node, _ in kind], *([None] * missing)]
        kind += kind[-1:] * missing
    multiplied, summed, least = [[x for _, x in kind] for kind in kinds]
    return Reductions(width, blocks, multiplied, summed, least, order)


def _lefts(products: Sequence[Nodes]) -> set[Node]:
    """One factor of each product, and as far as possible not the other: what meets the same factors is on one side."""
    partners: dict[Node, list[Node]] = defaultdict(list)
    for x, y in products:
        partners[x].append(y)
        partners[y].append(x)
    side: dict[Node, bool] = {}
    for first in sorted(partners, key=lambda x: -len(partners[x])):
        side.setdefault(first, True)
        stack = [first]
        while stack:
            x = stack.pop()
            new = [y for y in partners[x] if y not in side]
            side |= dict.fromkeys(new, not side[x])
            stack += new
    return {x for x, left in side.items() if left}


def _blocks(
    runs: Mapping[Node, Mapping[Node, Node]], rows: int, columns: int, needed: float
) -> Iterator[tuple[Nodes, Nodes]]:
    """Blocks of a shape of which so much is needed: of left factors next to each other when their runs of right ones
    are in alphabetical order, with the most frequent as the first letters."""
    frequency = Counter(itertools.chain.from_iterable(runs.values()))
    letters = {right: i for i, (right, _) in enumerate(frequency.most_common())}
    least = columns - rows * columns * (1 - needed)
    words = {left: sorted(map(letters.__getitem__, run)) for left, run in runs.items() if len(run) >= least}
    lefts = sorted(words, key=words.__getitem__)
    start = 0
    while start + rows <= len(lefts):
        some = lefts[start : start + rows]
        found = Counter(itertools.chain.from_iterable([runs[left] for left in some])).most_common()
        whole = [found[i : i + columns] for i in range(0, len(found) - columns + 1, columns)]
        blocks = [block for block in whole if sum([count for _, count in block]) >= rows * columns * needed]
        yield from [(some, [right for right, _ in block]) for block in blocks]
        start += rows if blocks else 1
