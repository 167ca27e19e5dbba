"""The plan of one pass: in which steps it computes, and what is kept in the tile.

A tile is as many lanes as are computed together; it has a column for everything that is kept for all of them. A pass
takes tile by tile through its steps. A step is sums of products (sums.py) and functions such as tanh (elementwise.py),
by table, and then code for what can be computed from them, up to what the next sums and functions read:

    inputs -> code 0 -> sums and functions 1 -> code 1 -> ... -> reductions over the lanes

Every number is computed in the first step that needs it. A later one reads it from the tile; conditions are cheaper to
compute again than to keep.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from autograd.compiler.lower import elementwise
from autograd.compiler.lower.elementwise import Function, Functions, Operations
from autograd.compiler.lower.sums import Sum, Sums, find_sums, grouped
from autograd.compiler.optimize.graph import UNIFORM, Graph, Node, Nodes
from autograd.compiler.optimize.operations import CONDITIONS

CHUNK = 500  # nodes to a function: compile time grows faster than the size of one


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
    regions = graph.regions
    nodes = [n for n in graph.needed(kept, graph.functions) if regions[n] == region]
    functions = {n: Function(*graph.functions[n]) for n in nodes if n in graph.functions}
    if len(functions) < elementwise.MANY:
        nodes, functions = [n for n in graph.needed(kept) if regions[n] == region], {}
    sums = find_sums(graph, nodes, kept)
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
    too_long = sum(map(len, code)) > elementwise.TOO_LONG
    if too_long:
        columns |= dict.fromkeys([n for here in code for n in here if not graph.args[n]])
    steps = []
    for step, here in enumerate(code):
        operations = [n for n in here if graph.args[n]] if too_long else []
        codes = cut(graph, [n for n in here if not graph.args[n]] if too_long else here)
        if not codes and not step:  # which keeps what is the same for all lanes
            codes.append([])
        handed = {x: i for i, x in enumerate([x for x in crossing(graph, codes) if x not in columns])}
        sums_here = grouped({n: sums[n] for n in by_depth[step] if n in sums}, group)
        functions_here = elementwise.group_functions({n: functions[n] for n in by_depth[step] if n in functions})
        steps.append(Step([*sums_here], [*functions_here], codes, handed))
        if operations:
            calls, places = elementwise.plan_operations(graph, operations, columns)
            steps[-1] = steps[-1]._replace(operations=calls, handed=places)
    copied, inputs = _inputs(graph, nodes, together)
    places = {n: i for i, n in enumerate(dict.fromkeys(inputs) | columns)}
    return Steps(copied, steps, places, [x for x in columns if regions[x] == UNIFORM])


def _inputs(graph: Graph, nodes: Nodes, together: int) -> tuple[list[tuple[int, int, list[int]]], Nodes]:
    """What is copied into a tile (see Steps), and the inputs that it is, in order."""
    found: dict[int, dict[int, Node]] = defaultdict(dict)
    for node in nodes:
        if graph.ops[node] == "lane_input":
            array, element = graph.args[node]
            found[array][element] = node
    copied = [(array, *run) for array, elements in found.items() for run in runs(sorted(elements), together)]
    return copied, [found[array][first + i] for array, size, firsts in copied for first in firsts for i in range(size)]


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
