"""What lowering decides before a line is written: which functions compute what, in which order, and where numbers are.

The numbers of a call live in one vector of doubles, the slots: inputs first, then the results, then what one function
hands to another. What is the same for all lanes is computed by functions on slots. What varies over the lanes of a vmap
is computed by a pass, a loop over tiles of lanes (see passes.py):

    uniform 0 -> passes that need no reduction -> uniform 1 -> passes that need reductions of the first -> ...

Each pass recomputes what it needs from earlier passes: arithmetic is cheaper than memory. What it sums over the lanes
are mostly products, an adjoint times an input for each weight: it computes the factors, which are few, and a loop over
tables multiplies and adds them.
"""

import functools
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autograd.compiler.lower.passes import Steps, crossing, cut, plan_steps, runs
from autograd.compiler.lower.reductions import Reductions, plan_reductions
from autograd.compiler.lower.target import Target
from autograd.compiler.optimize.convert import Program
from autograd.compiler.optimize.exponential import ROUND
from autograd.compiler.optimize.graph import REDUCTIONS, SOURCES, UNIFORM, Graph, Node, Nodes

VIRTUAL_LANES = 8  # partial results of a reduction, whatever the width of the registers
TILE = 64  # lanes computed together; of 32, layers of 16 to 128 took 1.2 to 1.3 times as long in a prototype
COLUMN = TILE + VIRTUAL_LANES  # doubles to the next column of a tile; a power of 2 would use few sets of the cache
# How many lanes, and then blocks, are added up before they are added to others: part of a result, to the last bit.
BLOCK, GROUP = 1024, 256
EXPONENT_BIAS = 1023.0

# From this many nodes on that are the same for all lanes, their code is compiled quickly, without optimisation. It is
# slower by a twentieth: 190 000 nodes take 3.6 s and 57 µs instead of 12 s and 54.
QUICK_ABOVE = 5_000

# Numbers that lane functions read without their being nodes: for conditions as numbers, and for powers of two
WRITERS_CONSTANTS = (1.0, 0.5, ROUND, ROUND + EXPONENT_BIAS)


class Stored(NamedTuple):
    """Elements of a result that is stored by lane.

    Attributes:
        result: which of those of the region.
        size: how many consecutive elements of a row are copied at a time.
        firsts: the first ones.
        nodes: what all these elements are.
    """

    result: int
    size: int
    firsts: Sequence[int]
    nodes: Nodes


@dataclass(frozen=True)
class Pass:
    """One loop over the lanes of a region: what it computes, and what of it is reduced or stored by lane.

    Attributes:
        region, level: over which lanes, and how many reductions have to come before.
        work: what it computes for a tile.
        reductions: what of it is reduced.
        slots: which slots get the results of these.
        stored: what is stored by lane.
        scratch: doubles of memory for what the functions of a step hand to one another.
    """

    region: int
    level: int
    work: Steps
    reductions: Reductions
    slots: Sequence[int]
    stored: Sequence[Stored]
    scratch: int

    @property
    def memory(self) -> int:
        """Doubles that it works with."""
        return COLUMN * len(self.work.columns) + self.scratch


@dataclass(frozen=True)
class Plan:
    """What there is to write, and where the numbers of a call are.

    Attributes:
        graph: what is computed: that of the program, and what tells whether a result is NaN.
        target: what it is written for.
        order: the nodes that are needed, operands first.
        slots: how many doubles; `outputs` is the first of the results, `results` their number.
        watched: how many of the results are watched for a NaN.
        slot: where to read a node; `places`: where a node has to be written because it is a result.
        copies: slots from which, and to which, results are copied that no function computes.
        constants: which slots hold a number before the first call; `constant_slot`: where lanes find a number.
        row_lengths: for each region, for each of its arrays, how many doubles one lane has.
        stacks: for each region, how many doubles a lane has in each of the results that are stored by lane.
        table: for each region, where its entries start in the table of 64-bit integers: how many lanes, the addresses
            of its arrays, the addresses of the results; `table_size`: entries of the table.
        uniform: the functions on slots: what each computes, operands first.
        passes: the loops.
        functions: what to call, in order: ("uniform", position) or ("pass", position).
    """

    graph: Graph
    target: Target
    order: Nodes
    slots: int
    outputs: int
    results: int
    watched: int
    slot: Mapping[Node, int]
    places: Mapping[Node, Sequence[int]]
    copies: Sequence[tuple[int, int]]
    constants: Mapping[int, float]
    constant_slot: Mapping[float, int]
    row_lengths: Mapping[int, Sequence[int]]
    stacks: Mapping[int, Sequence[int]]
    table: Mapping[int, int]
    table_size: int
    uniform: Sequence[Nodes]
    passes: Sequence[Pass]
    functions: Sequence[tuple[str, int]]

    @property
    def quick(self) -> bool:
        """Whether there is so much code that the time to compile it matters more than its speed."""
        return sum(map(len, self.uniform)) > QUICK_ABOVE

    @functools.cached_property
    def instructions(self) -> int:
        """How many nodes become code of their own."""
        codes = [
            *self.uniform,
            *[nodes for loop in self.passes for step in loop.work.steps for nodes in step.codes],
        ]
        return sum(map(len, codes))

    @functools.cached_property
    def kinds(self) -> Sequence[tuple[str, Sequence[bool]]]:
        """The operations that run by table, each kind once."""
        steps = [step for loop in self.passes for step in loop.work.steps]
        return sorted({call.kind for step in steps for call in step.operations})

    @property
    def terms(self) -> int:
        """How many products are multiplied and added by table, in a lane or over the lanes."""
        within = [len(found.rights) for loop in self.passes for found in loop.work.sums]
        return sum(within) + sum([loop.reductions.sum_count for loop in self.passes])

    @property
    def tabled(self) -> int:
        """How many other operations, and functions of many operations, run by table."""
        steps = [step for loop in self.passes for step in loop.work.steps]
        functions = [results for step in steps for call in step.functions for results, _ in call.groups]
        return sum(map(len, [*functions, *[call.nodes for step in steps for call in step.operations]]))


def plan(program: Program, row_lengths: Mapping[int, Sequence[int]], target: Target) -> Plan:
    """The plan for a program. Args: as `lower`."""
    graph = program.graph.copy()
    results = [*program.outputs, *[v.node for v in program.verdicts], program.trouble]
    results.append(_any_nan_by_lane(graph, program) if program.watched else graph.constant(0.0))
    order = graph.needed([*results, *[node for node, _ in program.by_lane]])

    slots = _Slots(graph, program.inputs, results, order)
    levels = _levels(graph, order)
    passes = _passes(graph, order, levels, program.stacks, target, slots)
    uniform = _uniform_chunks(graph, order, levels)
    _hand_over(graph, uniform, passes, slots)
    no_function = SOURCES | REDUCTIONS.keys()
    copies = [
        (slots.of(node), place)
        for node, places in slots.places.items() if graph.ops[node] in no_function
        for place in places
    ]  # fmt: skip
    stacks = {region: [len(nodes) for nodes, r in program.stacks if r == region] for region in row_lengths}
    sizes = [1 + len(lengths) + len(stacks[region]) for region, lengths in row_lengths.items()]
    starts = list(itertools.accumulate(sizes, initial=0))
    watched = len(program.outputs) if program.watched else 0
    return Plan(
        graph, target, order, slots.count, program.inputs, len(results), watched,
        slots.slot, slots.places, [(x, y) for x, y in copies if x != y], slots.constants, slots.constant_slot,
        row_lengths, stacks, dict(zip(row_lengths, starts, strict=False)), starts[-1],
        [nodes for _, nodes in uniform], passes, _sequence([level for level, _ in uniform], passes),
    )  # fmt: skip


class _Slots:
    """Which slot each node has, while that is being decided."""

    def __init__(self, graph: Graph, inputs: int, results: Nodes, order: Nodes):
        self.graph = graph
        self.count = inputs + len(results)
        self.slot = {n: graph.args[n][0] for n in order if graph.ops[n] == "input"}
        self.places: dict[Node, list[int]] = defaultdict(list)
        for place, node in enumerate(results, inputs):
            self.places[node].append(place)
        self.constants: dict[int, float] = {}
        self.constant_slot: dict[float, int] = {}

    def new(self) -> int:
        self.count += 1
        return self.count - 1

    def of(self, node: Node) -> int:
        """The slot from which others read a node; a constant's holds its number before the first call."""
        if node not in self.slot:
            self.slot[node] = slot = self.new()
            value = self.graph.value_of(node)
            if value is not None:
                self.constants[slot] = value
                if value and value == value:  # 0.0, -0.0 and NaN are literals
                    self.constant_slot[value] = slot
        return self.slot[node]

    def of_reduction(self, node: Node) -> int:
        """Where a reduction goes: to its first place among the results if it is one."""
        if node in self.places:
            self.slot[node] = self.places[node][0]
        return self.of(node)


def _levels(graph: Graph, order: Nodes) -> dict[Node, int]:
    """How many reductions have to be complete, one after another, before a node can be computed."""
    levels: dict[Node, int] = {}
    level_of = levels.__getitem__
    for node in order:
        op = graph.ops[node]
        levels[node] = 0 if op in SOURCES else max(map(level_of, graph.args[node])) + (op in REDUCTIONS)
    return levels


# --- passes ----------------------------------------------------------------------------------------------------------


def _passes(
    graph: Graph, order: Nodes, levels: Mapping[Node, int], stacks: Iterable[tuple[Nodes, int]], target: Target,
    slots: _Slots,
) -> list[Pass]:  # fmt: skip
    """The loops: one for each region and level of what is reduced or stored by lane."""
    reductions: dict[tuple[int, int], list[Node]] = defaultdict(list)
    rows: dict[tuple[int, int], dict[int, dict[int, Node]]] = defaultdict(lambda: defaultdict(dict))
    for node in order:
        if graph.ops[node] in REDUCTIONS:
            region = max(map(graph.regions.__getitem__, graph.args[node]))
            reductions[levels[node] - 1, region].append(node)
    results: Counter[int] = Counter()
    for nodes, region in stacks:
        for element, node in enumerate(nodes):
            rows[levels[node], region][results[region]][element] = node
        results[region] += 1
    passes = []
    for level, region in sorted(reductions.keys() | rows.keys()):
        key = level, region
        passes.append(_pass(graph, region, level, reductions[key], rows[key], target, slots))
    return passes


def _pass(
    graph: Graph, region: int, level: int, reductions: Nodes, rows: Mapping[int, Mapping[int, Node]],
    target: Target, slots: _Slots,
) -> Pass:  # fmt: skip
    sums = [(n, _factors(graph, graph.args[n])) for n in reductions if graph.ops[n] == "lane_sum"]
    minima = [(n, graph.args[n][0]) for n in reductions if graph.ops[n] == "lane_min"]
    reduced = plan_reductions(sums, minima, target.blocks, min(map(math.prod, target.blocks)))
    kept = itertools.chain(
        *[factors for _, factors in sums], [x for _, x in minima], *[r.values() for r in rows.values()]
    )
    work = plan_steps(graph, region, list(dict.fromkeys(kept)), target.sums, target.together)
    read = set(itertools.chain(work.columns, *_read(graph, work)))
    for x in [*[graph.constant(x) for x in WRITERS_CONSTANTS], *[x for x in read if graph.ops[x] == "const"]]:
        slots.of(x)
    stored = [
        Stored(result, size, firsts, [row[first + i] for first in firsts for i in range(size)])
        for result, row in rows.items() for size, firsts in runs(sorted(row), target.together)
    ]  # fmt: skip
    unused = slots.new() if None in reduced.order else 0
    return Pass(
        region, level, work, reduced,
        [unused if n is None else slots.of_reduction(n) for n in reduced.order], stored,
        max([step.scratch * (COLUMN if step.operations else target.lanes) for step in work.steps]),
    )  # fmt: skip


def _factors(graph: Graph, args: tuple[Node, ...]) -> Nodes:
    """What is multiplied and summed over the lanes: two factors, or a term."""
    if len(args) == 2:
        return args
    if len(args) == 3:
        return (graph.add("gated", args),)
    return graph.args[args[0]] if graph.ops[args[0]] == "fmul" else args


# --- functions -------------------------------------------------------------------------------------------------------


def _uniform_chunks(graph: Graph, order: Nodes, levels: Mapping[Node, int]) -> list[tuple[int, Nodes]]:
    """The nodes that are the same for all lanes, cut into functions, those of one level together."""
    by_level: dict[int, list[Node]] = defaultdict(list)
    for n in order:
        if graph.regions[n] == UNIFORM and graph.ops[n] not in SOURCES and graph.ops[n] not in REDUCTIONS:
            by_level[levels[n]].append(n)
    return [(level, nodes) for level in sorted(by_level) for nodes in cut(graph, by_level[level])]


def _hand_over(graph: Graph, uniform: Sequence[tuple[int, Nodes]], passes: Sequence[Pass], slots: _Slots) -> None:
    """Give a slot to what one function on slots computes and another, or a pass, reads."""
    chunks = [nodes for _, nodes in uniform]
    for x in crossing(graph, chunks):
        slots.of(x)
    computed = set(itertools.chain.from_iterable(chunks))
    for loop in passes if computed else ():
        for x in itertools.chain(loop.work.columns, *_read(graph, loop.work)):
            if x in computed:
                slots.of(x)


def _read(graph: Graph, work: Steps) -> Iterator[Nodes]:
    """What the steps of a pass read."""
    for step in work.steps:
        codes = [*step.codes, *[call.nodes for call in step.operations]]
        yield from [graph.operands(node) for nodes in codes for node in nodes]
    yield from [found.lefts for found in work.sums]


def _sequence(uniform_levels: Sequence[int], passes: Sequence[Pass]) -> list[tuple[str, int]]:
    """What to call, in order: of each level first the functions on slots, then the passes."""
    calls = [(level, "uniform", n) for n, level in enumerate(uniform_levels)]
    calls += [(loop.level, "pass", n) for n, loop in enumerate(passes)]
    return [(kind, n) for _, kind, n in sorted(calls, key=lambda call: (call[0], call[1] == "pass"))]


def _any_nan_by_lane(graph: Graph, program: Program) -> Node:
    """Whether a result that is stored by lane is NaN."""
    found = []
    for region in {region for _, region in program.by_lane}:
        lanes = [graph.add("fcmp une", (x, x)) for x, r in program.by_lane if r == region]
        any_lane = functools.reduce(lambda x, y: graph.add("or", (x, y)), lanes)
        if graph.regions[any_lane] != UNIFORM:
            first = graph.add("select", (any_lane, graph.constant(0.0), graph.constant(math.inf)))
            any_lane = graph.add("fcmp oeq", (graph.reduce("lane_min", first), graph.constant(0.0)))
        found.append(any_lane)
    return functools.reduce(lambda x, y: graph.add("or", (x, y)), found, graph.constant(0.0))
