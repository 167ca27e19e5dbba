"""LLVM IR of loops over tables: sums of products within lanes, and reductions over lanes.

Sums within a lane add their products in the order in which they were written. Reductions over lanes add in an order
that depends on neither threads nor registers: lane i of a tile is added to partial result i mod V, lanes in order; then
the partial results in pairs; then tiles, blocks of tiles, and groups of blocks, each in order.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence

from autograd.compiler.lower.code import Code, Loop, table
from autograd.compiler.lower.functions import Writer
from autograd.compiler.lower.passes import Functions, Nodes, Reductions, Shape, Step, Sum, Sums
from autograd.compiler.lower.plan import COLUMN, GROUP, VIRTUAL_LANES, Pass, Plan
from autograd.compiler.lower.target import Target
from autograd.compiler.optimize.graph import REDUCTIONS, SOURCES, UNIFORM, Graph
from autograd.compiler.optimize.lowering import on_lanes

V = VIRTUAL_LANES
VECTOR, MASK = f"<{V} x double>", f"<{V} x i1>"
NOTHING, INFINITY = "-0.0", "0x7FF0000000000000"  # -0.0 changes no other number by being added
AT_A_TIME = 64  # terms of a sum, so that what other sums read, too, stays in the fastest cache: see `widths`
UNROLLED = 4  # registers of lanes to which one left factor is applied at a time, at most

# --- sums within a lane ----------------------------------------------------------------------------------------------


def sums(code: Code, name: str, call: Sums, plan: Plan, loop: Pass, tile: str, lanes: str) -> list[str]:
    """Calls that compute these sums for the first lanes of a tile; returns the tables that they read."""
    columns = loop.work.columns
    place = plan.slot if call.uniform else {x: column * COLUMN for x, column in columns.items()}
    written = []
    for more, parts in enumerate(_parts(call)):
        lefts, rights = [], []
        for _, group in parts:
            lefts += [place[x] for together in zip(*[each.lefts for each in group], strict=True) for x in together]
            rights += [columns[x] * COLUMN for x in group[0].rights]
        tables = {
            "results": [columns[node] * COLUMN for nodes, _ in parts for node in nodes],
            "ends": list(itertools.accumulate([len(group[0].rights) for _, group in parts])),
            "lefts": lefts, "rights": rights,
        }  # fmt: skip
        names = [f"{name}.{more}.{what}" for what in tables]
        pointers = [*["%slots"] * _registers(call, plan.target), tile, *[f"@{x}" for x in names]]
        kernel = _sums_name(call, bool(more))
        code.call(f"@{kernel}", *[("ptr", x) for x in pointers], ("i64", lanes), ("i64", len(parts)))
        written += list(map(table, names, tables.values()))
    return written


def _parts(call: Sums) -> list[list[tuple[Nodes, list[Sum]]]]:
    """The groups of a call with the first terms of their sums, and then those with the next ones, and so on."""
    longest = max([len(group[0].rights) for _, group in call.groups])
    cut = [
        [(nodes, [x.part(i, i + AT_A_TIME) for x in group])
         for nodes, group in call.groups if len(group[0].rights) > i]
        for i in range(0, longest, AT_A_TIME)
    ]  # fmt: skip
    return [cut[0], list(itertools.chain(*cut[1:]))] if len(cut) > 1 else cut


def _sums_name(call: Sums, more: bool) -> str:
    kind = "uniform" if call.uniform else "chosen" if call.chosen else "lanes"
    return f"sums.{kind}.{call.size}{'.more' * more}"


def _registers(call: Sums, target: Target) -> int:
    """How many registers of lanes are computed at a time."""
    return min(UNROLLED, target.partial_sums // call.size)


def sum_kernels(passes: Sequence[Pass], target: Target) -> list[Code]:
    """The functions that `sums` calls."""
    calls = [call for loop in passes for step in loop.work.steps for call in step.sums]
    kernels = {_sums_name(call, bool(more)): (call, bool(more)) for call in calls for more in range(len(_parts(call)))}
    return [_sum_kernel(*kernel, target) for kernel in kernels.values()]


def _sum_kernel(call: Sums, more: bool, target: Target) -> Code:
    """For each group its results; with `more` what has been summed is there already.

    Registers of lanes that are multiplied by the same number read it through addresses of their own, all the same:
    LLVM, which does not know that, makes a broadcasting load a part of each multiplication where AVX-512 has that. One
    load for all of them takes longer, a quarter of the time of this loop on Zen 4.
    """
    registers, width = _registers(call, target), target.lanes
    slots = [f"slots{r}" for r in range(registers)]
    pointers = dict.fromkeys([*slots, "tile", "results", "ends", "lefts", "rights"], "ptr noalias")
    code = Code(_sums_name(call, more), pointers | {"lanes": "i64", "groups": "i64"}, internal=True)
    unrolled = code.sub("%lanes", code.value(f"urem i64 %lanes, {registers * width}"))
    with code.loop(0, unrolled, registers * width) as lane:
        _sum_lanes(code, call, more, lane, registers, target)
    with code.loop(unrolled, "%lanes", width) as lane:
        _sum_lanes(code, call, more, lane, 1, target)
    return code


def _sum_lanes(code: Code, call: Sums, more: bool, lane: Loop, registers: int, target: Target) -> None:
    """All sums for so many registers of lanes."""
    width = target.lanes
    vector, nothing = _vector(width), _literal(NOTHING, width)
    names = [[f"{i}.{r}" for r in range(registers)] for i in range(call.size)]
    tile = code.at("%tile", lane)
    with code.loop(0, "%groups", 1, {"first": ("i64", "0")}) as group:
        end = group["first"] = code.index("%ends", group)
        start = dict.fromkeys(itertools.chain(*names), (vector, nothing))
        places = [
            code.at(tile, code.index("%results", code.add(code.mul(group, call.size), i))) for i in range(call.size)
        ]
        if more:
            for place, row in zip(places, names, strict=True):
                start |= {x: (vector, code.load(vector, code.at(place, r * width))) for r, x in enumerate(row)}
        with code.loop(group["first"], end, 1, start) as term:
            products = _products(code, call, tile, term, registers, width)
            _add(code, "sums", term, itertools.chain(*names), products, width, target.products)
        for place, row in zip(places, names, strict=True):
            for r, so_far in enumerate(row):
                code.store(vector, term[so_far], code.at(place, r * width))


def _products(code: Code, call: Sums, tile: str, term: Loop, registers: int, width: int) -> Iterator[str]:
    """The products of a term, or what is chosen, in so many registers of lanes for one sum after the other."""
    vector, zero, right = _vector(width), _literal("0.0", width), code.at(tile, code.index("%rights", term))
    xs = [code.load(vector, code.at(right, r * width)) for r in range(registers)]
    for i in range(call.size):
        left = code.index("%lefts", code.add(code.mul(term, call.size), i))
        for r, x in enumerate(xs):
            if call.uniform:
                y = code.splat(width, "double", code.entry(f"%slots{r if width == 8 else 0}", left, "double"))
            else:
                y = code.load(vector, code.at(code.at(tile, left), r * width))
            if call.chosen:
                chosen = code.value(f"fcmp une {vector} {y}, {zero}")
                yield code.select(vector, chosen, x, zero, f"<{width} x i1>" if width > 1 else "i1")
            else:
                yield code.value(f"fmul {vector} {x}, {y}")


def _add(
    code: Code, kind: str, loop: Loop, names: Iterable[str], terms: Iterator[str], width: int, together: int
) -> None:
    """Add a term to each variable of a loop: so many terms are computed, then added, and so on."""
    variables = iter(names)
    while some := list(itertools.islice(terms, together)):
        for x, name in zip(some, variables, strict=False):
            loop[name] = _merged(code, kind, loop[name], x, width)


# --- functions and operations within a lane --------------------------------------------------------------------------


def functions(code: Code, name: str, call: Functions, loop: Pass, tile: str, lanes: str) -> list[str]:
    """A call that computes these for the first lanes of a tile; returns the table that it reads."""
    columns = loop.work.columns
    pointers = [("ptr", x) for x in ("%slots", tile, f"@{name}")]
    code.call(f"@{_functions_name(call)}", *pointers, ("i64", lanes), ("i64", len(call.groups)))
    return [table(name, [columns[node] * COLUMN for results, x in call.groups for node in (x, *results)])]


def operations(code: Code, name: str, step: Step, plan: Plan, loop: Pass, tile: str, lanes: str) -> list[str]:
    """A call that computes these for the first lanes of a tile; returns the tables that it reads."""
    columns, kept, graph = loop.work.columns, len(loop.work.columns), plan.graph
    number = {kind: i for i, kind in enumerate(plan.kinds)}
    calls: list[int] = []
    entries: list[int] = []
    for call in step.operations:
        calls += [number[call.kind], len(entries), len(call.nodes)]
        for node in call.nodes:
            for x in (*graph.args[node], node):
                if graph.regions[x] == UNIFORM:
                    entries.append(plan.slot[x])
                else:
                    entries.append(COLUMN * (columns[x] if x in columns else kept + step.handed[x]))
    names = [f"{name}.{what}" for what in ("calls", "entries")]
    pointers = [("ptr", x) for x in ("%slots", tile, *[f"@{x}" for x in names])]
    code.call("@operations", *pointers, ("i64", lanes), ("i64", len(step.operations)))
    return list(map(table, names, (calls, entries)))


def _functions_name(call: Functions) -> str:
    return ".".join(["functions", *call.names])


def function_kernels(plan: Plan) -> tuple[list[Code], list[str]]:
    """The functions that `functions` and `operations` call; and the table of the latter."""
    calls = [call for loop in plan.passes for step in loop.work.steps for call in step.functions]
    kernels = []
    for call in {call.names: call for call in calls}.values():
        graph, x, results = on_lanes(call.names)
        kernels.append(_function_kernel(_functions_name(call), graph, [x], results, plan.target))
    names = []
    for op, uniform in plan.kinds:
        graph = Graph()
        operands = [graph.source("input", i, region=not same) for i, same in enumerate(uniform)]
        names.append(".".join(["operation", *op.split(), *["slot" if same else "lane" for same in uniform]]))
        kernels.append(_function_kernel(names[-1], graph, operands, [graph.add(op, tuple(operands))], plan.target))
    if not names:
        return kernels, []
    addresses = ", ".join([f"ptr @{name}" for name in names])
    return [*kernels, _operations()], [f"@kernels = internal constant [{len(names)} x ptr] [{addresses}]"]


def _operations() -> Code:
    """One kernel after another: which, where its entries are, and how many."""
    pointers = dict.fromkeys(["slots", "tile", "calls", "entries"], "ptr")
    code = Code("operations", pointers | {"lanes": "i64", "count": "i64"}, internal=True)
    with code.loop(0, "%count") as call:
        kernel, first, count = [code.index("%calls", code.add(code.mul(call, 3), i)) for i in range(3)]
        entries = code.at("%entries", first, "i32")
        arguments = [*[("ptr", x) for x in ("%slots", "%tile", entries)], ("i64", "%lanes"), ("i64", count)]
        code.call(code.entry("@kernels", kernel, "ptr"), *arguments)
    return code


def _function_kernel(name: str, graph: Graph, operands: Nodes, results: Nodes, target: Target) -> Code:
    """For each entry of a table, places of operands and results, the latter."""
    pointers = dict.fromkeys(["slots", "tile", "places"], "ptr")
    code = Code(name, pointers | {"lanes": "i64", "count": "i64"}, internal=True)
    size = len(operands) + len(results)
    with code.loop(0, "%count") as entry:
        places, same = {}, {}
        for i, node in enumerate([*operands, *results]):
            place = code.index("%places", code.add(code.mul(entry, size), i))
            if graph.regions[node] == UNIFORM:
                same[node] = code.splat(target.lanes, "double", code.entry("%slots", place, "double"))
            else:
                places[node] = code.at("%tile", place)
        with code.loop(0, "%lanes", target.lanes) as lane:
            writer = Writer(graph, code, target, target.lanes)
            writer.doubles |= same
            for node in [x for x in operands if x in places]:
                writer.doubles[node] = code.load(writer.double, code.at(places[node], lane))
            writer.write([node for node in graph.needed(results) if graph.ops[node] not in SOURCES])
            for node in results:
                code.store(writer.double, writer.number(node), code.at(places[node], lane))
    return code


# --- reductions over lanes -------------------------------------------------------------------------------------------


def reduce(code: Code, n: int, loop: Pass, tile: str, lanes: str, results: str) -> list[str]:
    """Calls that add the first lanes of a tile to the results of pass n; returns the tables that they read."""
    tables, done = [], 0
    for kind, shape, *factors in _kinds(loop.reductions):
        names = [f"pass{n}.{kind}.{side}" for side in ("lefts", "rights")]
        for name, nodes in zip(names, factors, strict=True):
            tables.append(table(name, [loop.work.columns[x] * COLUMN for x in nodes]))
        ragged = code.value(f"icmp ne i64 {code.value(f'urem i64 {lanes}, {V}')}, 0")
        function = code.select("ptr", ragged, f"@{kind}.ragged", f"@{kind}")
        pointers = [code.at(results, done), tile, *[f"@{name}" for name in names]]
        count = len(factors[0]) // shape[0]
        code.call(function, *[("ptr", x) for x in pointers], ("i64", lanes), ("i64", count))
        done += count * len(_results(kind, shape))
    return tables


def _kinds(found: Reductions) -> Iterator[tuple[str, Shape, Nodes, Nodes]]:
    """The kernels that have work: name, how many left and right factors each takes at a time, and all of these."""
    for (rows, columns), blocks in found.blocks.items():
        lefts, rights = [[x for block in blocks for x in block[side]] for side in (0, 1)]
        yield f"blocks.{rows}.{columns}", (rows, columns), lefts, rights
    width = found.width
    if found.pairs:
        lefts, rights = [[pair[side] for pair in found.pairs] for side in (0, 1)]
        yield "pairs", (width, width), lefts, rights
    for kind, terms in (("terms", found.terms), ("minima", found.minima)):
        if terms:
            yield kind, (width, 0), terms, ()


def _results(kind: str, shape: Shape) -> list[tuple[int, int]]:
    """Which left factor meets which right one for each result of a kernel."""
    rows, columns = map(range, shape)
    return list(itertools.product(rows, columns)) if "blocks" in kind else [(i, i) for i in rows]


def reduction_kernels(passes: Sequence[Pass], target: Target) -> list[Code]:
    """The functions that `reduce` calls."""
    kinds = {kind: shape for loop in passes for kind, shape, *_ in _kinds(loop.reductions)}
    return [_reduction_kernel(*kind, ragged, target) for kind in kinds.items() for ragged in (False, True)]


def _reduction_kernel(kind: str, shape: Shape, ragged: bool, target: Target) -> Code:
    """For each entry of the tables so many factors, and the results of the pairs of them; or of left ones alone.

    A ragged tile ends with a vector of lanes that are not all real: those change nothing.
    """
    pointers = dict.fromkeys(["results", "tile", "lefts", "rights"], "ptr noalias")
    name = f"{kind}.ragged" if ragged else kind
    code = Code(name, pointers | {"lanes": "i64", "count": "i64"}, internal=True)
    limit = code.splat(V, "i64", "%lanes") if ragged else ""
    pairs = _results(kind, shape)
    names = [str(i) for i in range(len(pairs))]
    with code.loop(0, "%count") as entry:
        places = [
            [code.at("%tile", code.index(f"%{side}", code.add(code.mul(entry, size), i))) for i in range(size)]
            for side, size in zip(("lefts", "rights"), shape, strict=True)
        ]
        with code.loop(0, "%lanes", V, {x: (VECTOR, _start(kind)) for x in names}) as lane:
            xs, ys = [[code.load(VECTOR, code.at(place, lane)) for place in side] for side in places]
            if ragged:
                numbers = code.value(f"add <{V} x i64> {code.splat(V, 'i64', lane)}, <{_numbers('i64', 0, V)}>")
                real = code.value(f"icmp slt <{V} x i64> {numbers}, {limit}")
            terms = (code.value(f"fmul {VECTOR} {xs[i]}, {ys[j]}") if ys else xs[i] for i, j in pairs)
            if ragged:
                terms = (code.select(VECTOR, real, x, _start(kind), MASK) for x in terms)
            _add(code, kind, lane, names, terms, V, target.products)
        first = code.at("%results", code.mul(entry, len(pairs)))
        for i, (x, width) in enumerate(_in_pairs(code, kind, [lane[x] for x in names])):
            place = code.at(first, i * width)
            so_far = code.load(f"<{width} x double>", place)
            code.store(f"<{width} x double>", _merged(code, kind, so_far, x, width), place)
    return code


def _start(kind: str) -> str:
    return _literal(INFINITY if kind == "minima" else NOTHING, V)


def _vector(width: int) -> str:
    return f"<{width} x double>" if width > 1 else "double"


def _literal(x: str, width: int) -> str:
    return f"splat (double {x})" if width > 1 else x


def _merged(code: Code, kind: str, x: str, y: str, width: int) -> str:
    """x + y, or the lesser of minima."""
    vector = _vector(width)
    if kind != "minima":
        return code.value(f"fadd {vector} {x}, {y}")
    return code.select(vector, code.value(f"fcmp olt {vector} {y}, {x}"), y, x, f"<{width} x i1>")


def _in_pairs(code: Code, kind: str, vectors: Sequence[str]) -> list[tuple[str, int]]:
    """The V partial results of each vector added in pairs, i and i + V / 2 first: vectors of results, and their width.

    Two vectors become one at each step: the first halves of the partial results of both, and the second ones, are
    gathered and added.
    """
    partial, width = V, V
    while partial > 1:
        half = partial // 2
        halves = [[k + i for k in range(0, 2 * V, partial) for i in range(start, start + half)] for start in (0, half)]
        if len(vectors) == 1:
            halves = [indices[: width // 2] for indices in halves]
            pairs = [(vectors[0], "poison")]
        else:
            pairs = list(zip(vectors[::2], vectors[1::2], strict=True))
        old, width = width, len(halves[0])
        first, second = halves
        vectors = [
            _merged(code, kind, code.shuffle(old, x, y, first), code.shuffle(old, x, y, second), width)
            for x, y in pairs
        ]
        partial = half
    return [(x, width) for x in vectors]


def _numbers(kind: str, first: int, count: int) -> str:
    return ", ".join([f"{kind} {i}" for i in range(first, first + count)])


# --- from tiles to results -------------------------------------------------------------------------------------------


def totals(n: int, loop: Pass) -> tuple[list[Code], list[str]]:
    """The functions around the blocks of pass n, and the tables that they read. Two rows of results come first in the
    memory for partial ones: the total of the groups before, if any, and that of the present group.

    @start<n>(to): a row before the first lane.
    @combine<n>(partials, first, end): add these blocks, whose rows are the next ones.
    @end<n>(slots, partials, blocks): the results of so many blocks, to their slots.
    """
    found = loop.reductions
    count, width = len(found.order), found.width
    ranges = [("sums", 0, found.sum_count), ("minima", found.sum_count, count)]
    vector = f"<{width} x double>"
    start = Code(f"start{n}", {"to": "ptr"})
    for kind, first, last in ranges:
        with start.loop(first, last, width) as r:
            start.store(vector, _start(kind), start.at("%to", r))

    def add(code: Code, x: str, y: str) -> None:
        """Add one row to another."""
        for kind, first, last in ranges:
            with code.loop(first, last, width) as r:
                place = code.at(x, r)
                now, more = code.load(vector, place), code.load(vector, code.at(y, r))
                code.store(vector, _merged(code, kind, now, more, width), place)

    combine = Code(f"combine{n}", {"partials": "ptr noalias", "first": "i64", "end": "i64"})
    group, rows = combine.at("%partials", count), combine.at("%partials", 2 * count)
    with combine.loop("%first", "%end") as block:
        with combine.when(combine.value(f"icmp eq i64 {combine.value(f'urem i64 {block}, {GROUP}')}, 0")):
            with combine.when(combine.value(f"icmp eq i64 {block}, {GROUP}")):
                combine.call(f"@start{n}", ("ptr", "%partials"))
            with combine.when(combine.value(f"icmp ne i64 {block}, 0")):
                add(combine, "%partials", group)
            combine.call(f"@start{n}", ("ptr", group))
        add(combine, group, combine.at(rows, combine.mul(combine.sub(block, "%first"), count)))

    end = Code(f"end{n}", {"slots": "ptr noalias", "partials": "ptr noalias", "blocks": "i64"})
    group = end.at("%partials", count)
    groups = end.value(f"icmp sgt i64 %blocks, {GROUP}")
    with end.when(groups):
        add(end, "%partials", group)
    totals = end.select("ptr", groups, "%partials", group)
    tables = []
    for kind, first, last in ranges:
        for size, starts in _stretches(loop.slots, first, last, V // 2).items():
            vector, name = _vector(size), f"pass{n}.{kind}.{size}"
            tables += [table(f"{name}.from", starts), table(f"{name}.to", [loop.slots[r] for r in starts])]
            with end.loop(0, len(starts)) as i:
                total = end.load(vector, end.at(totals, end.index(f"@{name}.from", i)))
                if kind == "sums":
                    total = _merged(end, kind, total, _literal(repr(REDUCTIONS["lane_sum"]), size), size)
                end.store(vector, total, end.at("%slots", end.index(f"@{name}.to", i)))
    return [start, combine, end], tables


def _stretches(slots: Sequence[int], first: int, last: int, size: int) -> dict[int, list[int]]:
    """The first of each `size` results that go to slots next to each other, and those that stay alone."""
    found: dict[int, list[int]] = {size: [], 1: []}
    while first < last:
        together = slots[first : min(last, first + size)] == [*range(slots[first], slots[first] + size)]
        found[size if together else 1].append(first)
        first += size if together else 1
    return found
