"""LLVM IR of reductions over lanes: sums and minima in an order that depends on neither threads nor registers.

Lane i of a block is added to partial result i mod V, lanes in their order; then the partial results of the block are
added in pairs; then the blocks, in their order.
"""

import itertools
from collections.abc import Mapping, Sequence

from autograd.compiler.lower.code import Code, table
from autograd.compiler.lower.plan import TILE, VIRTUAL_LANES, Pass
from autograd.compiler.optimize.graph import REDUCTIONS, Node

V = VIRTUAL_LANES
SUM, MIN = repr(REDUCTIONS["lane_sum"]), "0x7FF0000000000000"
VECTOR, MASK = f"<{V} x double>", f"<{V} x i1>"


def helpers(passes: Sequence[Pass]) -> list[Code]:
    """The functions that all passes share: @start, @finish.block, @combine, @add and @least."""
    kinds = ["add"] * any(p.sums for p in passes) + ["least"] * any(p.minima for p in passes)
    accumulate = [_accumulate(kind, masked=masked) for kind in kinds for masked in (False, True)]
    return [_start(), _finish_block(), _combine(), *accumulate]


def _start() -> Code:
    """The partial results before the first lane: sums first, then minima."""
    code = Code("start", {"to": "ptr", "sums": "i64", "all": "i64"}, internal=True)
    for first, end, x in ((0, "%sums", SUM), ("%sums", "%all", MIN)):
        everywhere = code.splat(V, "double", x)
        with code.loop(first, end) as r:
            code.store(VECTOR, everywhere, code.at("%to", code.mul(r, V)))
    return code


def _merged(code: Code, is_sum: str, x: str, y: str, kind: str = "double", bit: str = "i1") -> str:
    """x + y of a sum, the lesser of a minimum."""
    total, less = code.value(f"fadd {kind} {x}, {y}"), code.value(f"fcmp olt {kind} {y}, {x}")
    return code.select(kind, is_sum, total, code.select(kind, less, y, x, bit))


def _finish_block() -> Code:
    """The partial results of a block, added in pairs."""
    parameters = {"from": "ptr noalias", "results": "ptr noalias", "sums": "i64", "all": "i64"}
    code = Code("finish.block", parameters, internal=True)
    with code.loop(0, "%all") as r:
        is_sum = code.value(f"icmp slt i64 {r}, %sums")
        lanes, x = V, code.load(VECTOR, code.at("%from", code.mul(r, V)))
        while lanes > 1:
            whole, lanes = f"<{lanes} x double>", lanes // 2
            low, high = [
                code.value(f"shufflevector {whole} {x}, {whole} poison, <{lanes} x i32> <{_numbers('i32', i, lanes)}>")
                for i in (0, lanes)
            ]
            x = _merged(code, is_sum, low, high, f"<{lanes} x double>", f"<{lanes} x i1>")
        code.store("double", code.value(f"extractelement <1 x double> {x}, i64 0"), code.at("%results", r))
    return code


def _combine() -> Code:
    """The results of the blocks, in their order, go to the slots of the reductions."""
    parameters = {"slots": "ptr noalias", "targets": "ptr noalias", "partials": "ptr noalias"}
    code = Code("combine", parameters | {"blocks": "i64", "sums": "i64", "all": "i64"}, internal=True)
    with code.loop(0, "%all") as r:
        is_sum = code.value(f"icmp slt i64 {r}, %sums")
        first = code.entry("%partials", r, "double")
        with code.loop(1, "%blocks", result=("double", first)) as block:
            x = code.entry("%partials", code.add(code.mul(block, "%all"), r), "double")
            block["result"] = _merged(code, is_sum, block["result"], x)
        code.store("double", block["result"], code.at("%slots", code.entry("%targets", r)))
    return code


def _accumulate(kind: str, *, masked: bool) -> Code:
    """@add or @least: the first lanes of a tile to the partial results, lane i to partial result i mod V, in order.

    Run k multiplies left factor k with the right ones from `ends[k - 1]` to `ends[k]`, and the product of right factor
    r goes to reduction r. @least takes the right factors alone. The masked ones are for a tile that is not full: lanes
    that are not real change nothing.
    """
    pointers = dict.fromkeys(["results", "tile", "lefts", "ends", "rights"], "ptr noalias")
    name = f"{kind}.masked" if masked else kind
    code = Code(name, pointers | {"lanes": "i64", "runs": "i64"}, internal=True)
    groups = range(0, TILE, V)
    masks = dict.fromkeys(groups, "splat (i1 true)")
    if masked:
        limits = code.splat(V, "i64", "%lanes")
        masks = {i: code.value(f"icmp ult <{V} x i64> <{_numbers('i64', i, V)}>, {limits}") for i in groups}
    with code.loop(0, "%runs", start=("i64", "0")) as run:
        left = code.at("%tile", code.entry("%lefts", run))
        lefts = {i: code.load(VECTOR, code.at(left, i)) for i in groups}
        end = run["start"] = code.entry("%ends", run)
        with code.loop(run["start"], end) as r:
            right = code.at("%tile", code.entry("%rights", r))
            place = code.at("%results", code.mul(r, V))
            so_far = code.load(VECTOR, place)
            for i in groups:
                x = code.load(VECTOR, code.at(right, i))
                if kind == "add":
                    product = code.value(f"fmul {VECTOR} {lefts[i]}, {x}")
                    term = code.select(VECTOR, masks[i], product, f"splat (double {SUM})", MASK)
                    so_far = code.value(f"fadd {VECTOR} {so_far}, {term}")
                else:
                    less = code.value(f"fcmp olt {VECTOR} {x}, {so_far}")
                    real = code.value(f"and {MASK} {less}, {masks[i]}")
                    so_far = code.select(VECTOR, real, x, so_far, MASK)
            code.store(VECTOR, so_far, place)
    return code


def _numbers(kind: str, first: int, count: int) -> str:
    return ", ".join([f"{kind} {i}" for i in range(first, first + count)])


def accumulate(code: Code, n: int, loop: Pass, tile: str, lanes: str) -> list[str]:
    """Calls in pass n that accumulate the first lanes of its tile; returns the tables that they read."""
    tables: list[str] = []
    minima = {loop.minima[0]: loop.minima} if loop.minima else {}  # one run, whose left factor is not asked
    for kind, runs, first in (("add", loop.sums, 0), ("least", minima, loop.sum_count)):
        if runs:
            names = [f"pass{n}.{kind}.{what}" for what in ("lefts", "ends", "rights")]
            tables += map(table, names, _entries(runs, loop.factors))
            whole = code.value(f"icmp eq i64 {lanes}, {TILE}")
            function = code.select("ptr", whole, f"@{kind}", f"@{kind}.masked")
            pointers = [code.at("%work", first * V), tile, *[f"@{name}" for name in names]]
            code.call(function, *[("ptr", x) for x in pointers], ("i64", lanes), ("i64", len(runs)))
    return tables


def _entries(runs: Mapping[Node, Sequence[Node]], factors: Mapping[Node, int]) -> list[list[int]]:
    return [
        [factors[left] * TILE for left in runs],
        list(itertools.accumulate([len(rights) for rights in runs.values()])),
        [factors[right] * TILE for rights in runs.values() for right in rights],
    ]
