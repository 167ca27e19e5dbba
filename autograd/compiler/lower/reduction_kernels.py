"""LLVM IR of reductions over lanes, by table.

They add in an order that depends on neither threads nor registers: lane i of a tile is added to partial result i mod V,
lanes in order; then the partial results in pairs; then tiles, blocks of tiles, and groups of blocks, each in order.
"""

import itertools
from collections.abc import Iterator, Sequence

from autograd.compiler.lower.accumulators import accumulate, merged, start_of
from autograd.compiler.lower.code import Code, literal, table, vector_type
from autograd.compiler.lower.plan import COLUMN, GROUP, VIRTUAL_LANES, Pass
from autograd.compiler.lower.reductions import Reductions, Shape
from autograd.compiler.lower.target import Target
from autograd.compiler.optimize.graph import REDUCTIONS, Nodes

V = VIRTUAL_LANES
VECTOR, MASK = f"<{V} x double>", f"<{V} x i1>"


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


def kernels(passes: Sequence[Pass], target: Target) -> list[Code]:
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
        with code.loop(0, "%lanes", V, {x: (VECTOR, start_of(kind)) for x in names}) as lane:
            xs, ys = [[code.load(VECTOR, code.at(place, lane)) for place in side] for side in places]
            if ragged:
                numbers = code.value(f"add <{V} x i64> {code.splat(V, 'i64', lane)}, <{_numbers('i64', 0, V)}>")
                real = code.value(f"icmp slt <{V} x i64> {numbers}, {limit}")
            terms = (code.value(f"fmul {VECTOR} {xs[i]}, {ys[j]}") if ys else xs[i] for i, j in pairs)
            if ragged:
                terms = (code.select(VECTOR, real, x, start_of(kind), MASK) for x in terms)
            accumulate(code, kind, lane, names, terms, V, target.products)
        first = code.at("%results", code.mul(entry, len(pairs)))
        for i, (x, width) in enumerate(_in_pairs(code, kind, [lane[x] for x in names])):
            place = code.at(first, i * width)
            so_far = code.load(f"<{width} x double>", place)
            code.store(f"<{width} x double>", merged(code, kind, so_far, x, width), place)
    return code


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
            merged(code, kind, code.shuffle(old, x, y, first), code.shuffle(old, x, y, second), width) for x, y in pairs
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
            start.store(vector, start_of(kind), start.at("%to", r))

    def add(code: Code, x: str, y: str) -> None:
        """Add one row to another."""
        for kind, first, last in ranges:
            with code.loop(first, last, width) as r:
                place = code.at(x, r)
                now, more = code.load(vector, place), code.load(vector, code.at(y, r))
                code.store(vector, merged(code, kind, now, more, width), place)

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
            vector, name = vector_type(size), f"pass{n}.{kind}.{size}"
            tables += [table(f"{name}.from", starts), table(f"{name}.to", [loop.slots[r] for r in starts])]
            with end.loop(0, len(starts)) as i:
                total = end.load(vector, end.at(totals, end.index(f"@{name}.from", i)))
                if kind == "sums":
                    total = merged(end, kind, total, literal(repr(REDUCTIONS["lane_sum"]), size), size)
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
