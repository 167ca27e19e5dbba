"""Stage 3, lower: a compact graph becomes LLVM IR, as text.

The numbers of a call live in one vector of doubles, the slots: inputs first, then what one function hands to another,
then the results. What is the same for all lanes is computed by functions on slots. What varies over the lanes of a vmap
is computed by a pass, a loop over groups of lanes:

    uniform 0 -> passes that need no reduction -> uniform 1 -> passes that need reductions of the first -> ...

A pass computes anew what it needs of an earlier one: arithmetic is cheaper than memory. What it sums over the lanes are
mostly products, an adjoint times an input for each weight: it computes the factors, which are few, and a loop over
tables multiplies and adds them. A large graph is cut into functions of some CHUNK nodes, because compile time grows
faster than the size of one function.
"""

import functools
import itertools
import math
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from autograd.compiler.lower import libmvec as vmath
from autograd.compiler.lower.functions import Function, LaneFunction
from autograd.compiler.lower.layout import Layout, Pass, Target
from autograd.compiler.lower.loops import finish_function, helpers, main_function, pass_loop
from autograd.compiler.lower.reductions import TILE, VIRTUAL_LANES
from autograd.compiler.optimize.convert import Program
from autograd.compiler.optimize.graph import REDUCTIONS, SOURCES, UNIFORM, Graph, Node

CHUNK = 500  # nodes to a function

# Operations through which a NaN in an operand always reaches the result
TRANSPARENT = frozenset(
    ["fadd", "fsub", "fmul", "fdiv", "fneg", "llvm.sqrt", "llvm.fabs", "chain", "lane_sum", *vmath.UNARY]
)


def lower(
    program: Program, row_lengths: Mapping[int, Sequence[int]], target: Target, exact: bool
) -> tuple[str, Layout]:
    """LLVM IR for a program, and where its numbers are.

    Args:
        program: what to compute.
        row_lengths: for each region, for each array mapped over, how many doubles one lane has.
        target: what machine code it will become.
        exact: False for faster code, in which a product of the chain rule may be NaN where it should be 0, if that NaN
            reaches a result: then the last output is not 0, and the call has to be repeated by exact code.

    The outputs are those of the program, its verdicts, its trouble, and whether a result is NaN.
    """
    return Lowering(program, row_lengths, target, exact).module()


class Lowering:
    def __init__(self, program: Program, row_lengths: Mapping[int, Sequence[int]], target: Target, exact: bool):
        self.graph = graph = program.graph
        self.target = target
        results = [*program.outputs, *[v.node for v in program.verdicts], program.trouble]
        order = graph.needed([*program.outputs, *[node for node, _ in program.stacks], *results])
        self.plain = set() if exact else _plain_products(graph, order, program)
        results.append(_any_nan_by_lane(graph, program) if self.plain else graph.constant(0.0))
        self.watched = len(program.outputs) if self.plain else 0
        self.order = order + graph.needed(results[-1:], known=order)
        self.layout = Layout(nodes=len(self.order))
        self.layout.row_lengths = {region: list(lengths) for region, lengths in row_lengths.items()}
        self.results = results
        self.stacks = program.stacks
        self._constant_slots: dict[bytes, int] = {}
        self.lines: list[str] = []
        self.declared: set[str] = set()
        self.levels = self._levels()
        n_inputs = program.inputs
        self.slot = {n: graph.args[n][0] for n in self.order if graph.ops[n] == "input"}  # where to read a node
        self.places: dict[Node, list[int]] = defaultdict(list)  # where a result has to be written
        for i, node in enumerate(results, n_inputs):
            self.places[node].append(i)
        self.layout.outputs = n_inputs
        self.layout.slots = n_inputs + len(results)

    # --- the order of things ------------------------------------------------------------------------------------------

    def _levels(self) -> dict[Node, int]:
        """How many reductions have to be complete, one after another, before a node can be computed."""
        graph = self.graph
        levels: dict[Node, int] = {}
        for node in self.order:
            operands = graph.operands(node)
            level = max([levels[x] for x in operands], default=0)
            levels[node] = level + 1 if graph.ops[node] in REDUCTIONS else level
        return levels

    def _passes(self) -> list[Pass]:
        graph = self.graph
        passes: dict[tuple[int, int], Pass] = {}

        def at(node: Node, region: int) -> Pass:
            key = self.levels[node], region
            return passes.setdefault(key, Pass(region, key[0]))

        for node in self.order:
            if graph.ops[node] in REDUCTIONS:
                x = graph.args[node][0]
                at(x, graph.regions[x]).reductions.append(node)
        columns: dict[int, int] = defaultdict(int)
        for node, region in self.stacks:
            at(node, region).stacks.append((node, columns[region]))
            columns[region] += 1
        self.layout.columns = dict(columns)
        ordered = [passes[key] for key in sorted(passes)]
        for loop in ordered:
            self._plan_reductions(loop)
            loop.nodes = self._computed(loop, loop.factors)
            loop.slots = [self._slot_of_result(node) for node in loop.reductions]
            self.slot |= dict(zip(loop.reductions, loop.slots, strict=True))
        return ordered

    def _computed(self, loop: Pass, factors: Iterable[Node]) -> list[Node]:
        graph = self.graph
        needed = graph.needed([*factors, *[n for n, _ in loop.stacks]])
        return [n for n in needed if graph.regions[n] == loop.region]

    def _plan_reductions(self, loop: Pass) -> None:
        """Group the sums by the factor that occurs in most of them; the reductions follow the order of the tables."""
        graph = self.graph
        sums, minima = ([n for n in loop.reductions if graph.ops[n] == op] for op in ("lane_sum", "lane_min"))
        pairs = self._factors_of_sums(loop, sums)
        frequency = Counter(itertools.chain.from_iterable(pairs))
        runs: dict[Node, list[tuple[Node, Node]]] = defaultdict(list)
        for node, pair in zip(sums, pairs, strict=True):
            left, right = sorted(pair, key=lambda x: -frequency[x])
            runs[left].append((right, node))
        loop.sums = {left: [right for right, _ in run] for left, run in runs.items()}
        loop.minima = [graph.args[node][0] for node in minima]
        loop.reductions = [node for run in runs.values() for _, node in run] + minima
        factors = [x for left, rights in loop.sums.items() for x in (left, *rights)] + loop.minima
        loop.factors = {x: i for i, x in enumerate(dict.fromkeys(factors))}

    def _factors_of_sums(self, loop: Pass, sums: Sequence[Node]) -> list[tuple[Node, Node]]:
        """The factors of each term, if it is a product that nothing else needs; else 1 and the term itself."""
        graph = self.graph
        reduced = [graph.args[n][0] for n in loop.reductions]
        used = {x for n in self._computed(loop, reduced) for x in graph.operands(n)} | {n for n, _ in loop.stacks}
        used |= {graph.args[n][0] for n in loop.reductions if graph.ops[n] == "lane_min"}
        terms = [graph.args[n][0] for n in sums]
        one = graph.constant(1.0)
        products = [x not in used and (graph.ops[x] == "fmul" or x in self.plain) for x in terms]
        return [graph.args[x] if product else (one, x) for x, product in zip(terms, products, strict=True)]

    def _slot_of_result(self, node: Node) -> int:
        return self.places[node][0] if node in self.places else self.new_slot()

    def constant_slot(self, x: float) -> int:
        """Where a number stands before the first call. 0.0 and -0.0 are two."""
        slot = self._constant_slots.setdefault(struct.pack("d", x), self.layout.slots)
        if slot == self.layout.slots:
            self.layout.constants[self.new_slot()] = x
        return slot

    def new_slot(self) -> int:
        self.layout.slots += 1
        return self.layout.slots - 1

    # --- the module ---------------------------------------------------------------------------------------------------

    def module(self) -> tuple[str, Layout]:
        layout = self.layout
        for region, lengths in layout.row_lengths.items():
            layout.table[region] = layout.table_size
            layout.table_size += 1 + len(lengths) + sum(r == region for _, r in self.stacks)
        layout.passes = self._passes()
        chunks = self._uniform_chunks()
        level = 0
        for n, (chunk_level, nodes) in enumerate(chunks):
            while level < chunk_level:
                self._call_passes(level)
                level += 1
            self.lines += Function(self, f"uniform{n}").emit(nodes)
            layout.functions.append(("uniform", n))
        for rest in range(level, 1 + max([loop.level for loop in layout.passes], default=-1)):
            self._call_passes(rest)
        self.lines.append(self._finish())
        for n, loop in enumerate(layout.passes):
            self._pass(n, loop)
        self.lines += main_function(layout)
        if layout.passes:
            self.declared.add("i64 @llvm.smin.i64(i64, i64)")
            self.lines.append(helpers(self.target.lanes, layout.passes))
        declarations = [f"declare {line}" for line in sorted(self.declared)]
        return "\n".join(declarations + self.lines), layout

    def _call_passes(self, level: int) -> None:
        found = [("pass", n) for n, loop in enumerate(self.layout.passes) if loop.level == level]
        self.layout.functions += found

    def _uniform_chunks(self) -> list[tuple[int, list[Node]]]:
        """The nodes that are the same for all lanes, cut into functions, those of one level together."""
        graph, levels = self.graph, self.levels
        computed = [
            n for n in self.order
            if graph.regions[n] == UNIFORM and graph.ops[n] not in SOURCES and graph.ops[n] not in REDUCTIONS
        ]  # fmt: skip
        by_level: dict[int, list[Node]] = defaultdict(list)
        for node in computed:
            by_level[levels[node]].append(node)
        chunks = [(level, part) for level in sorted(by_level) for part in _cut(by_level[level])]
        home = {node: n for n, (_, nodes) in enumerate(chunks) for node in nodes}
        for n, (_, nodes) in enumerate(chunks):
            for node in nodes:
                for x in graph.operands(node):
                    if home.get(x, n) != n:
                        self._give_slot(x)
        for loop in self.layout.passes:
            for node in [*loop.nodes, *loop.factors, *[n for n, _ in loop.stacks]]:
                for x in (node, *graph.operands(node)):
                    if x in home:
                        self._give_slot(x)
        return chunks

    def _give_slot(self, node: Node) -> None:
        if node not in self.slot:
            self.slot[node] = self.new_slot()

    def _finish(self) -> str:
        """What comes last: results that no other function writes, and whether one of them is NaN."""
        copies = [
            (self._slot_of_source(node), place)
            for node, places in self.places.items() if self.graph.ops[node] in SOURCES | REDUCTIONS.keys()
            for place in places
        ]  # fmt: skip
        copies = [(source, place) for source, place in copies if source != place]
        return finish_function(copies, self.layout.outputs, self.watched, len(self.results))

    def _slot_of_source(self, node: Node) -> int:
        return self.constant_slot(self.graph.args[node][0]) if self.graph.is_constant(node) else self.slot[node]

    def _pass(self, n: int, loop: Pass) -> None:
        """The functions of one loop: the chunks of its body, the body, the loop."""
        graph = self.graph
        chunks = list(_cut(loop.nodes)) or [[]]
        home = {node: i for i, nodes in enumerate(chunks) for node in nodes}
        handed: dict[Node, int] = {}
        for i, nodes in enumerate(chunks):
            for node in nodes:
                for x in graph.operands(node):
                    if home.get(x, i) != i and x not in loop.factors:
                        handed.setdefault(x, len(handed))
        for i, nodes in enumerate(chunks):
            self.lines += LaneFunction(self, f"pass{n}_{i}", loop, handed, last=i == len(chunks) - 1).emit(nodes)
        lengths = self.layout.row_lengths[loop.region]
        work = [VIRTUAL_LANES * len(loop.reductions), self.target.lanes * sum(lengths), len(lengths),
                self.target.lanes * len(handed), TILE * len(loop.factors)]  # fmt: skip
        offsets = list(itertools.accumulate([_aligned(x) for x in work], initial=0))
        self.layout.workspaces.append(offsets[-1])
        self.lines.append(pass_loop(n, loop, len(chunks), self.layout, offsets, self.target.lanes))


def _aligned(doubles: int) -> int:
    return -(-doubles // 8) * 8


def _cut(nodes: list[Node]) -> Iterable[list[Node]]:
    return (nodes[i : i + CHUNK] for i in range(0, len(nodes), CHUNK))


def _plain_products(graph: Graph, order: Sequence[Node], program: Program) -> set[Node]:
    """The products of the chain rule whose NaN would show in a result, so that no instruction has to watch for it."""
    shows = bytearray(len(graph))
    for node in [*program.outputs, *[node for node, _ in program.stacks]]:
        shows[node] = 1
    plain = set()
    for node in reversed(order):
        if shows[node] and graph.ops[node] in TRANSPARENT:
            if graph.ops[node] == "chain":
                plain.add(node)
            for x in graph.operands(node):
                shows[x] = 1
    return plain


def _any_nan_by_lane(graph: Graph, program: Program) -> Node:
    """Whether a result that is stored by lane is NaN."""
    found = []
    for region in {region for _, region in program.stacks}:
        lanes = [graph.add("fcmp une", (x, x)) for x, r in program.stacks if r == region]
        any_lane = functools.reduce(lambda x, y: graph.add("or", (x, y)), lanes)
        if graph.regions[any_lane] != UNIFORM:
            first = graph.add("select", (any_lane, graph.constant(0.0), graph.constant(math.inf)))
            any_lane = graph.add("fcmp oeq", (graph.reduce("lane_min", first), graph.constant(0.0)))
        found.append(any_lane)
    return functools.reduce(lambda x, y: graph.add("or", (x, y)), found, graph.constant(0.0))
