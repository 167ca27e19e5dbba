"""LLVM IR of what holds the functions of a graph together: the loops around the body of a vmap, in blocks, tiles and
groups of lanes with a ragged end; what comes last; and the one function that calls everything in order."""

from autograd.compiler.lower import reductions
from autograd.compiler.lower.code import Code, table
from autograd.compiler.lower.plan import BLOCK, TILE, Pass, Plan


def helpers(plan: Plan) -> list[Code]:
    """The functions that all passes share."""
    return [_copy_rows(plan.target.lanes), *reductions.helpers(plan.passes)] if plan.passes else []


def _copy_rows(lanes: int) -> Code:
    """The ragged end of a batch, filled up with repetitions of its last lane."""
    parameters = {"to": "ptr noalias", "from": "ptr noalias", "length": "i64", "valid": "i64"}
    code = Code("copy.rows", parameters, internal=True)
    last = code.sub("%valid", 1)
    with code.loop(0, lanes) as lane:
        source, target = code.mul(code.least(lane, last), "%length"), code.mul(lane, "%length")
        with code.loop(0, "%length") as i:
            x = code.entry("%from", code.add(source, i), "double")
            code.store("double", x, code.at("%to", code.add(target, i)))
    return code


def pass_loop(n: int, loop: Pass, plan: Plan) -> tuple[list[Code], list[str]]:
    """The loop of a pass around the functions of its body, and the combination of its blocks; and the tables they read.

    It runs over blocks `first` to `end` - 1, each in tiles. A group is as many lanes as fit a register. The body
    computes a group; what the reductions are made of stays in the tile, and @add and @least do the rest for all its
    lanes, so that a partial result is loaded and stored once a tile. Of the ragged end only real lanes are accumulated.
    """
    lengths, sums, results, width = (
        plan.row_lengths[loop.region],
        loop.sum_count,
        len(loop.reductions),
        plan.target.lanes,
    )
    numbers = ("i64", sums), ("i64", results)
    pointers = dict.fromkeys(["slots", "table", "work", "partials"], "ptr noalias")
    code = Code(f"pass{n}", pointers | {"first": "i64", "end": "i64"})
    entries = code.at("%table", plan.table[loop.region], "i64")
    rows, count = code.at(entries, 1, "i64"), code.load("i64", entries)
    columns = code.at(rows, len(lengths), "i64")
    copied, copied_rows, scratch, tile = [code.at("%work", offset) for offset in loop.work[1:5]]

    def body(row: str, rows: str, lane: str) -> None:
        pointers = [("ptr", x) for x in ("%slots", scratch, code.at(tile, lane), rows, columns)]
        for i in range(len(loop.chunks)):
            code.call(f"@pass{n}_{i}", *pointers, ("i64", row))

    with code.loop("%first", "%end") as block:
        code.call("@start", ("ptr", "%work"), *numbers)
        block_row = code.mul(block, BLOCK)
        size = code.least(code.sub(count, block_row), BLOCK)
        with code.loop(0, size, TILE) as done:
            tile_row = code.add(block_row, done)
            lanes = code.least(code.sub(size, done), TILE)
            valid = code.value(f"urem i64 {lanes}, {width}")
            whole = code.sub(lanes, valid)
            with code.loop(0, whole, width) as lane:
                body(code.add(tile_row, lane), rows, str(lane))
            with code.when(code.value(f"icmp sgt i64 {valid}, 0")):
                row = code.add(tile_row, whole)
                offset = 0
                for k, length in enumerate(lengths):  # the copies are found by the number of the row, as the originals
                    skip = code.mul(row, length)
                    copy = code.at(copied, offset)
                    source = code.at(code.entry(rows, k, "ptr"), skip)
                    code.call("@copy.rows", ("ptr", copy), ("ptr", source), ("i64", length), ("i64", valid))
                    code.store("ptr", code.at(copy, code.sub(0, skip)), code.at(copied_rows, k, "i64"))
                    offset += width * length
                body(row, copied_rows, whole)
            tables = reductions.accumulate(code, n, loop, tile, lanes)
        place = code.at("%partials", code.mul(block, results))
        code.call("@finish.block", ("ptr", "%work"), ("ptr", place), *numbers)

    combine = Code(f"combine{n}", {"slots": "ptr noalias", "partials": "ptr noalias", "blocks": "i64"})
    targets = [("ptr", x) for x in ("%slots", f"@pass{n}.slots", "%partials")]
    combine.call("@combine", *targets, ("i64", "%blocks"), *numbers)
    return [code, combine], [table(f"pass{n}.slots", loop.slots), *tables]


def finish(plan: Plan) -> tuple[Code, list[str]]:
    """What comes last: results that no other function writes are copied; then the last of all results says whether one
    of those that are watched is NaN. Returns also the tables that it reads."""
    code = Code("finish", {"slots": "ptr noalias"})
    with code.loop(0, len(plan.copies)) as c:
        x = code.entry("%slots", code.entry("@copies.from", c), "double")
        code.store("double", x, code.at("%slots", code.entry("@copies.to", c)))
    with code.loop(plan.outputs, plan.outputs + plan.watched, found=("i1", "false")) as i:
        x = code.entry("%slots", i, "double")
        i["found"] = code.value(f"or i1 {i['found']}, {code.value(f'fcmp uno double {x}, {x}')}")
    last = code.at("%slots", plan.outputs + plan.results - 1)
    here = code.value(f"uitofp i1 {i['found']} to double")
    code.store("double", code.value(f"fadd double {code.load('double', last)}, {here}"), last)
    sources, places = zip(*plan.copies, strict=True) if plan.copies else ((), ())
    return code, [table("copies.from", sources), table("copies.to", places)]


def main(plan: Plan) -> Code:
    """Everything in order, in one thread: `main(slots, table, work, partials)`."""
    code = Code("main", dict.fromkeys(["slots", "table", "work", "partials"], "ptr noalias"))
    for kind, n in plan.functions:
        if kind == "uniform":
            code.call(f"@uniform{n}", ("ptr", "%slots"))
            continue
        count = code.entry("%table", plan.table[plan.passes[n].region])
        blocks = code.value(f"udiv i64 {code.add(count, BLOCK - 1)}, {BLOCK}")
        pointers = [("ptr", f"%{x}") for x in ("slots", "table", "work", "partials")]
        code.call(f"@pass{n}", *pointers, ("i64", 0), ("i64", blocks))
        code.call(f"@combine{n}", ("ptr", "%slots"), ("ptr", "%partials"), ("i64", blocks))
    code.call("@finish", ("ptr", "%slots"))
    return code
