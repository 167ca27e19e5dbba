"""LLVM IR of what holds the functions of a graph together: the loops around the body of a vmap, in blocks, tiles and
groups of lanes with a ragged end; what comes last; and the one function that calls everything in order."""

from collections.abc import Sequence

from autograd.compiler.lower import reductions
from autograd.compiler.lower.layout import Layout, Pass
from autograd.compiler.lower.reductions import BLOCK, TILE, table

# A pass over the blocks `first` to `end` - 1, each in tiles. A group is as many lanes as fit a register. The body
# computes a group; what the reductions are made of stays in the tile, and @add and @least do the rest for all its
# lanes, so that a partial result is loaded and stored once a tile. The ragged end of the batch is copied out and filled
# up with repetitions of its last lane; only real lanes are accumulated.
PASS = """
{tables}
define void @pass{n}(ptr noalias %slots, ptr noalias %table, i64 %first, i64 %end, ptr noalias %work,
                     ptr noalias %partials) {{
entry:
  %entries = getelementptr i64, ptr %table, i64 {table}
  %rows = getelementptr i64, ptr %entries, i64 1
  %columns = getelementptr i64, ptr %rows, i64 {arrays}
  %count = load i64, ptr %entries
  %ragged.data = getelementptr double, ptr %work, i64 {ragged_data}
  %ragged.rows = getelementptr double, ptr %work, i64 {ragged_rows}
  %scratch = getelementptr double, ptr %work, i64 {scratch}
  %tile = getelementptr double, ptr %work, i64 {tile}
  br label %blocks
blocks:
  %block = phi i64 [ %first, %entry ], [ %block.next, %block.done ]
  %more.blocks = icmp slt i64 %block, %end
  br i1 %more.blocks, label %block.start, label %return
block.start:
  call void @start(ptr %work, i64 {sums}, i64 {reductions})
  %block.row = mul i64 %block, {BLOCK}
  %left = sub i64 %count, %block.row
  %size = call i64 @llvm.smin.i64(i64 %left, i64 {BLOCK})
  br label %tiles
tiles:
  %done = phi i64 [ 0, %block.start ], [ %done.next, %accumulate ]
  %tile.row = add i64 %block.row, %done
  %tile.left = sub i64 %size, %done
  %lanes = call i64 @llvm.smin.i64(i64 %tile.left, i64 {TILE})
  %more.tiles = icmp sgt i64 %lanes, 0
  br i1 %more.tiles, label %group, label %block.done
group:
  %lane = phi i64 [ 0, %tiles ], [ %lane.next, %group.body ]
  %row = add i64 %tile.row, %lane
  %factors = getelementptr double, ptr %tile, i64 %lane
  %lane.next = add i64 %lane, {W}
  %whole = icmp sle i64 %lane.next, %lanes
  br i1 %whole, label %group.body, label %groups.done
group.body:
{body}
  br label %group
groups.done:
  %valid = sub i64 %lanes, %lane
  %any.left = icmp sgt i64 %valid, 0
  br i1 %any.left, label %ragged, label %accumulate
ragged:
{copy_rows}
{ragged_body}
  br label %accumulate
accumulate:
{accumulate}
  %done.next = add i64 %done, {TILE}
  br label %tiles
block.done:
  %place = mul i64 %block, {reductions}
  %results = getelementptr double, ptr %partials, i64 %place
  call void @finish.block(ptr %work, ptr %results, i64 {sums}, i64 {reductions})
  %block.next = add i64 %block, 1
  br label %blocks
return:
  ret void
}}
define void @combine{n}(ptr noalias %slots, ptr noalias %partials, i64 %blocks) {{
  call void @combine(ptr %slots, ptr @pass{n}.slots, ptr %partials, i64 %blocks, i64 {sums}, i64 {reductions})
  ret void
}}
"""

COPY_ROWS = """
  %from{k}.place = getelementptr i64, ptr %rows, i64 {k}
  %from{k} = load ptr, ptr %from{k}.place
  %skip{k} = mul i64 %row, {length}
  %source{k} = getelementptr double, ptr %from{k}, i64 %skip{k}
  %copy{k} = getelementptr double, ptr %ragged.data, i64 {offset}
  call void @copy.rows(ptr %copy{k}, ptr %source{k}, i64 {length}, i64 %valid)
  %back{k} = sub i64 0, %skip{k}
  %pretended{k} = getelementptr double, ptr %copy{k}, i64 %back{k}
  %to{k} = getelementptr i64, ptr %ragged.rows, i64 {k}
  store ptr %pretended{k}, ptr %to{k}
"""

COPY = """
define internal void @copy.rows(ptr noalias %to, ptr noalias %from, i64 %length, i64 %valid) {
entry:
  %last = sub i64 %valid, 1
  br label %next
next:
  %lane = phi i64 [ 0, %entry ], [ %lane.next, %copied ]
  %more = icmp slt i64 %lane, {W}
  br i1 %more, label %row, label %done
row:
  %beyond = icmp sgt i64 %lane, %last
  %source = select i1 %beyond, i64 %last, i64 %lane
  %source.offset = mul i64 %source, %length
  %target.offset = mul i64 %lane, %length
  br label %element
element:
  %i = phi i64 [ 0, %row ], [ %i.next, %copy ]
  %more.elements = icmp slt i64 %i, %length
  br i1 %more.elements, label %copy, label %copied
copy:
  %from.index = add i64 %source.offset, %i
  %to.index = add i64 %target.offset, %i
  %from.place = getelementptr double, ptr %from, i64 %from.index
  %to.place = getelementptr double, ptr %to, i64 %to.index
  %x = load double, ptr %from.place
  store double %x, ptr %to.place
  %i.next = add i64 %i, 1
  br label %element
copied:
  %lane.next = add i64 %lane, 1
  br label %next
done:
  ret void
}
"""


def helpers(lanes: int, passes: Sequence[Pass]) -> str:
    """The functions that all passes share."""
    return COPY.replace("{W}", str(lanes)) + reductions.helpers(passes)


def pass_loop(n: int, loop: Pass, chunks: int, layout: Layout, offsets: Sequence[int], lanes: int) -> str:
    """The loop of a pass around the functions of its body, and the combination of its blocks.

    Args:
        n: its number.
        loop: what it computes.
        chunks: how many functions its body has.
        layout: where the numbers of a call are.
        offsets: where in its workspace are: the partial results; the copied rows; the addresses of these; what the
            functions of the body hand to one another; the tile.
        lanes: doubles to a register.
    """
    lengths = layout.row_lengths[loop.region]
    copies, offset = [], 0
    for k, length in enumerate(lengths):
        copies.append(COPY_ROWS.format(k=k, length=length, offset=offset))
        offset += lanes * length

    def body(rows: str) -> str:
        arguments = f"ptr %slots, ptr {rows}, i64 %row, ptr %scratch, ptr %factors, ptr %columns"
        return "\n".join([f"  call void @pass{n}_{i}({arguments})" for i in range(chunks)])

    tables, accumulate = reductions.accumulation(n, loop)
    return PASS.format(
        n=n, W=lanes, BLOCK=BLOCK, TILE=TILE, tables=tables, table=layout.table[loop.region], arrays=len(lengths),
        sums=loop.sum_count, reductions=len(loop.reductions), ragged_data=offsets[1],
        ragged_rows=offsets[2], scratch=offsets[3], tile=offsets[4], body=body("%rows"),
        ragged_body=body("%ragged.rows"), copy_rows="".join(copies), accumulate=accumulate,
    )  # fmt: skip


# Results that no other function writes are copied; then the last of all results says whether one of the first is NaN.
FINISH = """
{tables}
define void @finish(ptr noalias %slots) {{
entry:
  br label %copies
copies:
  %c = phi i64 [ 0, %entry ], [ %c.next, %copy ]
  %more.copies = icmp slt i64 %c, {copies}
  br i1 %more.copies, label %copy, label %next
copy:
  %from.entry = getelementptr i64, ptr @copies.from, i64 %c
  %to.entry = getelementptr i64, ptr @copies.to, i64 %c
  %from.slot = load i64, ptr %from.entry
  %to.slot = load i64, ptr %to.entry
  %from = getelementptr double, ptr %slots, i64 %from.slot
  %to = getelementptr double, ptr %slots, i64 %to.slot
  %copied = load double, ptr %from
  store double %copied, ptr %to
  %c.next = add i64 %c, 1
  br label %copies
next:
  %i = phi i64 [ {first}, %copies ], [ %i.next, %check ]
  %found = phi i1 [ false, %copies ], [ %found.next, %check ]
  %more = icmp slt i64 %i, {end}
  br i1 %more, label %check, label %done
check:
  %place = getelementptr double, ptr %slots, i64 %i
  %x = load double, ptr %place
  %nan = fcmp uno double %x, %x
  %found.next = or i1 %found, %nan
  %i.next = add i64 %i, 1
  br label %next
done:
  %last.place = getelementptr double, ptr %slots, i64 {last}
  %by.lane = load double, ptr %last.place
  %here = uitofp i1 %found to double
  %anywhere = fadd double %by.lane, %here
  store double %anywhere, ptr %last.place
  ret void
}}
"""


def finish_function(copies: Sequence[tuple[int, int]], first: int, watched: int, results: int) -> str:
    """What comes last.

    Args:
        copies: slots from which, and to which, a number is copied.
        first: the slot of the first of the results.
        watched: how many of them are watched for a NaN.
        results: how many there are; the last tells of a NaN.
    """
    tables = [table("copies.from", [x for x, _ in copies]), table("copies.to", [x for _, x in copies])]
    return FINISH.format(
        tables="\n".join(tables), copies=len(copies), first=first, end=first + watched, last=first + results - 1
    )


def main_function(layout: Layout) -> list[str]:
    """Everything in order, in one thread: `main(slots, table, work, partials)`."""
    lines = ["define void @main(ptr noalias %slots, ptr noalias %table, ptr noalias %work, ptr noalias %partials) {"]
    for kind, n in layout.functions:
        if kind == "uniform":
            lines.append(f"  call void @uniform{n}(ptr %slots)")
            continue
        lines += [
            f"  %place{n} = getelementptr i64, ptr %table, i64 {layout.table[layout.passes[n].region]}",
            f"  %count{n} = load i64, ptr %place{n}",
            f"  %up{n} = add i64 %count{n}, {BLOCK - 1}",
            f"  %blocks{n} = udiv i64 %up{n}, {BLOCK}",
            f"  call void @pass{n}(ptr %slots, ptr %table, i64 0, i64 %blocks{n}, ptr %work, ptr %partials)",
            f"  call void @combine{n}(ptr %slots, ptr %partials, i64 %blocks{n})",
        ]
    return [*lines, "  call void @finish(ptr %slots)", "  ret void", "}"]
