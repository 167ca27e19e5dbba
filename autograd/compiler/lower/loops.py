"""LLVM IR of what holds the functions of a graph together: the loops around the steps of a vmap, in blocks and tiles;
what comes last; and the one function that calls everything in order."""

from autograd.compiler.lower import elementwise_kernels, reduction_kernels, sum_kernels
from autograd.compiler.lower.code import Code, table
from autograd.compiler.lower.plan import BLOCK, COLUMN, TILE, Pass, Plan

WATCHED = 8  # results that are looked at for a NaN at a time


def helpers(plan: Plan) -> tuple[list[Code], list[str]]:
    """The functions that all passes share, and the tables that they read."""
    if not plan.passes:
        return [], []
    width = plan.target.lanes
    kinds = {(plan.row_lengths[x.region][array], size) for x in plan.passes for array, size, _ in x.work.inputs}
    gathers = [_gather(length, size, width) for length, size in sorted(kinds)]
    stored = {(plan.stacks[x.region][each.result], each.size) for x in plan.passes for each in x.stored}
    scatters = [_scatter(length, size, width) for length, size in sorted(stored)]
    sums = sum_kernels.kernels(plan.passes, plan.target)
    functions, read = elementwise_kernels.kernels(plan)
    reductions = reduction_kernels.kernels(plan.passes, plan.target)
    return [*gathers, *scatters, *sums, *functions, *reductions], read


def _gather(length: int, size: int, width: int) -> Code:
    """So many consecutive elements at a time of rows of a length become columns of a tile; beyond the last row it is
    repeated, to full registers."""
    pointers = dict.fromkeys(["to", "from", "firsts"], "ptr noalias")
    code = Code(f"gather.{length}.{size}", pointers | dict.fromkeys(["count", "lanes", "padded"], "i64"), internal=True)
    whole = code.sub("%lanes", code.value(f"urem i64 %lanes, {width}"))
    last = code.sub("%lanes", 1)
    with code.loop(0, "%count") as k:
        source, target = code.at("%from", code.index("%firsts", k)), code.at("%to", code.mul(k, size * COLUMN))
        with code.loop(0, whole, width) as lane:
            row, to = code.at(source, code.mul(lane, length)), code.at(target, lane)
            together, step, loads = (width, width, size) if length == size else (size, length, width)
            rows = [code.load(f"<{together} x double>", code.at(row, i * step)) for i in range(loads)]
            for i, column in enumerate(code.transposed(rows, size, width)):
                code.store(f"<{width} x double>", column, code.at(to, i * COLUMN))
        with code.loop(whole, "%padded") as lane:
            row, to = code.at(source, code.mul(code.least(lane, last), length)), code.at(target, lane)
            for i in range(size):
                code.store("double", code.entry(row, i, "double"), code.at(to, i * COLUMN))
    return code


def _scatter(length: int, size: int, width: int) -> Code:
    """Columns of a tile become elements of rows of a length, so many consecutive ones at a time."""
    pointers = dict.fromkeys(["to", "tile", "firsts", "columns"], "ptr noalias")
    code = Code(f"scatter.{length}.{size}", pointers | dict.fromkeys(["count", "lanes"], "i64"), internal=True)
    whole = code.sub("%lanes", code.value(f"urem i64 %lanes, {width}"))
    with code.loop(0, "%count") as k:
        target = code.at("%to", code.index("%firsts", k))
        places = [code.add(code.mul(k, size), i) for i in range(size)]
        columns = [code.at("%tile", code.index("%columns", place)) for place in places]
        with code.loop(0, whole, width) as lane:
            row = code.at(target, code.mul(lane, length))
            vectors = [code.load(f"<{width} x double>", code.at(column, lane)) for column in columns]
            together, step = (width, width) if length == size else (size, length)
            for i, part in enumerate(code.rows(vectors, width, together)):
                code.store(f"<{together} x double>", part, code.at(row, i * step))
        with code.loop(whole, "%lanes") as lane:
            row = code.at(target, code.mul(lane, length))
            for i, column in enumerate(columns):
                code.store("double", code.entry(column, lane, "double"), code.at(row, i))
    return code


def pass_loop(n: int, loop: Pass, plan: Plan) -> tuple[list[Code], list[str]]:
    """The loop of a pass around its steps, and what adds its blocks; and the tables that these read.

    It runs over blocks `first` to `end` - 1, whose results go to `rows`, each in tiles. Code computes as many lanes as
    fit a register at a time, tables a whole tile. Of a ragged end only real lanes are reduced.
    """
    lengths, width, results = plan.row_lengths[loop.region], plan.target.lanes, len(loop.reductions.order)
    pointers = dict.fromkeys(["slots", "table", "work", "rows"], "ptr noalias")
    code = Code(f"pass{n}", pointers | {"first": "i64", "end": "i64"})
    entries = code.at("%table", plan.table[loop.region], "i64")
    count = code.load("i64", entries)
    inputs = [code.entry(entries, 1 + k, "ptr") for k in range(len(lengths))]
    outputs = [code.entry(entries, 1 + len(lengths) + r, "ptr") for r in range(len(plan.stacks[loop.region]))]
    scratch = code.at("%work", COLUMN * len(loop.work.columns))
    written = []
    with code.loop("%first", "%end") as block:
        row = code.at("%rows", code.mul(code.sub(block, "%first"), results))
        code.call(f"@start{n}", ("ptr", row))
        first = code.mul(block, BLOCK)
        block_lanes = code.least(code.sub(count, first), BLOCK)
        with code.loop(0, block_lanes, TILE) as done:
            tile_row = code.add(first, done)
            lanes = code.least(code.sub(block_lanes, done), TILE)
            padded = code.mul(code.value(f"udiv i64 {code.add(lanes, width - 1)}, {width}"), width)
            column = 0
            for i, (array, size, firsts) in enumerate(loop.work.inputs):
                source = code.at(inputs[array], code.mul(tile_row, lengths[array]))
                written.append(table(f"pass{n}.firsts{i}", firsts))
                to = code.at("%work", COLUMN * column)
                addresses = [("ptr", x) for x in (to, source, f"@pass{n}.firsts{i}")]
                numbers = [("i64", x) for x in (len(firsts), lanes, padded)]
                code.call(f"@gather.{lengths[array]}.{size}", *addresses, *numbers)
                column += size * len(firsts)
            for i, step in enumerate(loop.work.steps):
                name = f"pass{n}.step{i}"
                for k, call in enumerate(step.sums):
                    written += sum_kernels.sums(code, f"{name}.sums{k}", call, plan, loop, "%work", padded)
                for k, functions in enumerate(step.functions):
                    called = f"{name}.functions{k}"
                    written += elementwise_kernels.functions(code, called, functions, loop, "%work", padded)
                if step.codes:
                    with code.loop(0, padded, width) as lane:
                        addresses = [("ptr", x) for x in ("%slots", scratch, code.at("%work", lane))]
                        lane_row = code.add(tile_row, lane)
                        for k in range(len(step.codes)):
                            code.call(f"@pass{n}_{i}_{k}", *addresses, ("i64", lane_row))
                if step.operations:
                    written += elementwise_kernels.operations(code, name, step, plan, loop, "%work", padded)
            for result, size, firsts, nodes in loop.stored:
                length = plan.stacks[loop.region][result]
                name = f"pass{n}.stored{result}.{size}"
                to = code.at(outputs[result], code.mul(tile_row, length))
                addresses = [("ptr", x) for x in (to, "%work", f"@{name}.firsts", f"@{name}.columns")]
                code.call(f"@scatter.{length}.{size}", *addresses, ("i64", len(firsts)), ("i64", lanes))
                columns = [loop.work.columns[x] * COLUMN for x in nodes]
                written += [table(f"{name}.firsts", firsts), table(f"{name}.columns", columns)]
            written += reduction_kernels.reduce(code, n, loop, "%work", lanes, row)
    codes, more = reduction_kernels.totals(n, loop)
    return [code, *codes], [*written, *more]


def finish(plan: Plan) -> tuple[Code, list[str]]:
    """What comes last: results that no other function writes are copied; then the last of all results says whether one
    of those that are watched is NaN. Returns also the tables that it reads."""
    code = Code("finish", {"slots": "ptr noalias"})
    with code.loop(0, len(plan.copies)) as c:
        x = code.entry("%slots", code.index("@copies.from", c), "double")
        code.store("double", x, code.at("%slots", code.index("@copies.to", c)))
    rest = plan.outputs + plan.watched - plan.watched % WATCHED
    vector, bits = f"<{WATCHED} x double>", f"<{WATCHED} x i1>"
    with code.loop(plan.outputs, rest, WATCHED, {"found": (bits, "zeroinitializer")}) as some:
        xs = code.load(vector, code.at("%slots", some))
        some["found"] = code.value(f"or {bits} {some['found']}, {code.value(f'fcmp uno {vector} {xs}, {xs}')}")
    mask = code.value(f"bitcast {bits} {some['found']} to i{WATCHED}")
    with_nan = code.value(f"icmp ne i{WATCHED} {mask}, 0")
    with code.loop(rest, plan.outputs + plan.watched, 1, {"found": ("i1", with_nan)}) as i:
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
        loop = plan.passes[n]
        results = len(loop.reductions.order)
        count = code.entry("%table", plan.table[loop.region])
        blocks = code.value(f"udiv i64 {code.add(count, BLOCK - 1)}, {BLOCK}")
        group, row = [code.at("%partials", r * results) for r in (1, 2)]
        with code.loop(0, blocks) as block:  # the first block's results are the first of its group
            first = code.value(f"icmp eq i64 {block}, 0")
            addresses = "%slots", "%table", "%work", code.select("ptr", first, group, row)
            both = ("i64", block), ("i64", code.add(block, 1))
            code.call(f"@pass{n}", *[("ptr", x) for x in addresses], *both)
            with code.when(code.value(f"icmp ne i64 {block}, 0")):
                code.call(f"@combine{n}", ("ptr", "%partials"), *both)
        code.call(f"@end{n}", ("ptr", "%slots"), ("ptr", "%partials"), ("i64", blocks))
    code.call("@finish", ("ptr", "%slots"))
    return code
