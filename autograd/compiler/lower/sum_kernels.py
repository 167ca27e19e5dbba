"""LLVM IR of sums of products within a lane, by table: added in the order in which they were written."""

import itertools
from collections.abc import Iterator, Sequence

from autograd.compiler.lower.accumulators import NOTHING, accumulate
from autograd.compiler.lower.code import Code, Loop, literal, table, vector_type
from autograd.compiler.lower.plan import COLUMN, Pass, Plan
from autograd.compiler.lower.sums import Sum, Sums
from autograd.compiler.lower.target import Target
from autograd.compiler.optimize.graph import Nodes

AT_A_TIME = 64  # terms of a sum, so that what other sums read, too, stays in the fastest cache: see `widths`
UNROLLED = 4  # registers of lanes to which one left factor is applied at a time, at most


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


def kernels(passes: Sequence[Pass], target: Target) -> list[Code]:
    """The functions that `sums` calls."""
    calls = [call for loop in passes for step in loop.work.steps for call in step.sums]
    found = {_sums_name(call, bool(more)): (call, bool(more)) for call in calls for more in range(len(_parts(call)))}
    return [_sum_kernel(*kernel, target) for kernel in found.values()]


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
    vector, nothing = vector_type(width), literal(NOTHING, width)
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
            accumulate(code, "sums", term, itertools.chain(*names), products, width, target.products)
        for place, row in zip(places, names, strict=True):
            for r, so_far in enumerate(row):
                code.store(vector, term[so_far], code.at(place, r * width))


def _products(code: Code, call: Sums, tile: str, term: Loop, registers: int, width: int) -> Iterator[str]:
    """The products of a term, or what is chosen, in so many registers of lanes for one sum after the other."""
    vector, zero, right = vector_type(width), literal("0.0", width), code.at(tile, code.index("%rights", term))
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
                yield code.select(vector, chosen, x, zero, vector_type(width, "i1"))
            else:
                yield code.value(f"fmul {vector} {x}, {y}")
