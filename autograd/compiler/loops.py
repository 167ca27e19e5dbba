"""LLVM IR of the loops around the compiled body of a vmap: blocks of lanes, a ragged end, reductions in fixed order."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autograd.compiler.machine import REDUCTIONS

if TYPE_CHECKING:
    from autograd.compiler.lower import Layout, Pass

VIRTUAL_LANES = 8  # partial results of a reduction, whatever the width of the registers
BLOCK = 1024  # lanes to a block: a reduction goes over the lanes of a block, then over the blocks, both in order

# A pass over the blocks `first` to `end` - 1. A group is as many lanes as fit a register; groups take turns in the
# partial results, so that lane i always ends in partial result i mod V. The ragged end of the batch is copied out and
# filled up with repetitions of its last lane; of its partial results only those of real lanes are used.
PASS = """
define void @pass{n}(ptr noalias %slots, ptr noalias %table, i64 %first, i64 %end, ptr noalias %work,
                     ptr noalias %partials) {{
entry:
  %entries = getelementptr i64, ptr %table, i64 {table}
  %rows = getelementptr i64, ptr %entries, i64 1
  %columns = getelementptr i64, ptr %rows, i64 {arrays}
  %count = load i64, ptr %entries
  %ragged.sums = getelementptr double, ptr %work, i64 {ragged_sums}
  %ragged.data = getelementptr double, ptr %work, i64 {ragged_data}
  %ragged.rows = getelementptr double, ptr %work, i64 {ragged_rows}
  %scratch = getelementptr double, ptr %work, i64 {scratch}
  br label %blocks
blocks:
  %block = phi i64 [ %first, %entry ], [ %block.next, %block.done ]
  %more.blocks = icmp slt i64 %block, %end
  br i1 %more.blocks, label %block.start, label %return
block.start:
  call void @start(ptr %work, i64 {sums}, i64 {reductions})
  %block.row = mul i64 %block, {BLOCK}
  %left = sub i64 %count, %block.row
  %whole = icmp sgt i64 %left, {BLOCK}
  %size = select i1 %whole, i64 {BLOCK}, i64 %left
  %groups = udiv i64 %size, {W}
  br label %group
group:
  %g = phi i64 [ 0, %block.start ], [ %g.next, %group.body ]
  %more.groups = icmp slt i64 %g, %groups
  %offset = mul i64 %g, {W}
  %row = add i64 %block.row, %offset
  %turn = and i64 %offset, {last_virtual_lane}
  %sums = getelementptr double, ptr %work, i64 %turn
  br i1 %more.groups, label %group.body, label %groups.done
group.body:
{body}
  %g.next = add i64 %g, 1
  br label %group
groups.done:
  %valid = sub i64 %size, %offset
  %any.left = icmp sgt i64 %valid, 0
  br i1 %any.left, label %ragged, label %block.done
ragged:
{copy_rows}
  call void @start(ptr %ragged.sums, i64 {sums}, i64 {reductions})
{ragged_body}
  call void @merge(ptr %sums, ptr %ragged.sums, i64 %valid, i64 {sums}, i64 {reductions})
  br label %block.done
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
  %results = getelementptr double, ptr %slots, i64 {slots}
  call void @combine(ptr %results, ptr %partials, i64 %blocks, i64 {sums}, i64 {reductions})
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

# What the passes share. Sums start at -0.0, the one number that changes no other by being added; minima at infinity.
HELPERS = """
define internal void @fill(ptr %to, i64 %from, i64 %end, double %x) {
entry:
  br label %next
next:
  %i = phi i64 [ %from, %entry ], [ %i.next, %body ]
  %more = icmp slt i64 %i, %end
  br i1 %more, label %body, label %done
body:
  %offset = mul i64 %i, {V}
  %place = getelementptr double, ptr %to, i64 %offset
  %one = insertelement <{V} x double> poison, double %x, i64 0
  %all = shufflevector <{V} x double> %one, <{V} x double> poison, <{V} x i32> zeroinitializer
  store <{V} x double> %all, ptr %place, align 8
  %i.next = add i64 %i, 1
  br label %next
done:
  ret void
}
define internal void @start(ptr %to, i64 %sums, i64 %all) {
  call void @fill(ptr %to, i64 0, i64 %sums, double {SUM})
  call void @fill(ptr %to, i64 %sums, i64 %all, double {MIN})
  ret void
}
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
define internal void @merge(ptr noalias %into, ptr noalias %from, i64 %valid, i64 %sums, i64 %all) {
entry:
  br label %next
next:
  %r = phi i64 [ 0, %entry ], [ %r.next, %row.done ]
  %more = icmp slt i64 %r, %all
  %is.sum = icmp slt i64 %r, %sums
  %base = mul i64 %r, {V}
  br i1 %more, label %lane, label %done
lane:
  %l = phi i64 [ 0, %next ], [ %l.next, %merge.lane ]
  %more.lanes = icmp slt i64 %l, %valid
  br i1 %more.lanes, label %merge.lane, label %row.done
merge.lane:
  %index = add i64 %base, %l
  %into.place = getelementptr double, ptr %into, i64 %index
  %from.place = getelementptr double, ptr %from, i64 %index
  %x = load double, ptr %into.place
  %y = load double, ptr %from.place
  %sum = fadd double %x, %y
  %less = fcmp olt double %y, %x
  %min = select i1 %less, double %y, double %x
  %merged = select i1 %is.sum, double %sum, double %min
  store double %merged, ptr %into.place
  %l.next = add i64 %l, 1
  br label %lane
row.done:
  %r.next = add i64 %r, 1
  br label %next
done:
  ret void
}
define internal void @finish.block(ptr noalias %from, ptr noalias %results, i64 %sums, i64 %all) {
entry:
  br label %next
next:
  %r = phi i64 [ 0, %entry ], [ %r.next, %body ]
  %more = icmp slt i64 %r, %all
  br i1 %more, label %body, label %done
body:
  %offset = mul i64 %r, {V}
  %place = getelementptr double, ptr %from, i64 %offset
  %v = load <8 x double>, ptr %place, align 8
  %low = shufflevector <8 x double> %v, <8 x double> poison, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %high = shufflevector <8 x double> %v, <8 x double> poison, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %sum4 = fadd <4 x double> %low, %high
  %less4 = fcmp olt <4 x double> %low, %high
  %min4 = select <4 x i1> %less4, <4 x double> %low, <4 x double> %high
  %is.sum = icmp slt i64 %r, %sums
  %both4 = select i1 %is.sum, <4 x double> %sum4, <4 x double> %min4
  %low2 = shufflevector <4 x double> %both4, <4 x double> poison, <2 x i32> <i32 0, i32 1>
  %high2 = shufflevector <4 x double> %both4, <4 x double> poison, <2 x i32> <i32 2, i32 3>
  %sum2 = fadd <2 x double> %low2, %high2
  %less2 = fcmp olt <2 x double> %low2, %high2
  %min2 = select <2 x i1> %less2, <2 x double> %low2, <2 x double> %high2
  %both2 = select i1 %is.sum, <2 x double> %sum2, <2 x double> %min2
  %x = extractelement <2 x double> %both2, i64 0
  %y = extractelement <2 x double> %both2, i64 1
  %sum = fadd double %x, %y
  %less = fcmp olt double %x, %y
  %min = select i1 %less, double %x, double %y
  %result = select i1 %is.sum, double %sum, double %min
  %to = getelementptr double, ptr %results, i64 %r
  store double %result, ptr %to
  %r.next = add i64 %r, 1
  br label %next
done:
  ret void
}
define internal void @combine(ptr noalias %results, ptr noalias %partials, i64 %blocks, i64 %sums, i64 %all) {
entry:
  br label %next
next:
  %r = phi i64 [ 0, %entry ], [ %r.next, %row.done ]
  %more = icmp slt i64 %r, %all
  %is.sum = icmp slt i64 %r, %sums
  %first.place = getelementptr double, ptr %partials, i64 %r
  br i1 %more, label %first, label %done
first:
  %x = load double, ptr %first.place
  br label %block
block:
  %b = phi i64 [ 1, %first ], [ %b.next, %add ]
  %so.far = phi double [ %x, %first ], [ %merged, %add ]
  %more.blocks = icmp slt i64 %b, %blocks
  br i1 %more.blocks, label %add, label %row.done
add:
  %row.offset = mul i64 %b, %all
  %index = add i64 %row.offset, %r
  %place = getelementptr double, ptr %partials, i64 %index
  %y = load double, ptr %place
  %sum = fadd double %so.far, %y
  %less = fcmp olt double %y, %so.far
  %min = select i1 %less, double %y, double %so.far
  %merged = select i1 %is.sum, double %sum, double %min
  %b.next = add i64 %b, 1
  br label %block
row.done:
  %to = getelementptr double, ptr %results, i64 %r
  store double %so.far, ptr %to
  %r.next = add i64 %r, 1
  br label %next
done:
  ret void
}
"""


def helpers(lanes: int) -> str:
    """The functions that all passes share."""
    text = HELPERS.replace("{V}", str(VIRTUAL_LANES)).replace("{W}", str(lanes))
    return text.replace("{SUM}", repr(REDUCTIONS["lane_sum"])).replace("{MIN}", "0x7FF0000000000000")


def pass_loop(n: int, loop: "Pass", chunks: int, layout: "Layout", offsets: Sequence[int], lanes: int) -> str:
    """The loop of a pass around the functions of its body, and the combination of its blocks.

    Args:
        n: its number.
        loop: what it computes.
        chunks: how many functions its body has.
        layout: where the numbers of a call are.
        offsets: where in its workspace are: the partial results and those of the ragged end; the copied rows; the
            addresses of these; what the functions of the body hand to one another.
        lanes: doubles to a register.
    """
    lengths = layout.row_lengths[loop.region]
    copies, offset = [], 0
    for k, length in enumerate(lengths):
        copies.append(COPY_ROWS.format(k=k, length=length, offset=offset))
        offset += lanes * length

    def body(rows: str, sums: str) -> str:
        arguments = f"ptr %slots, ptr {rows}, i64 %row, ptr {sums}, ptr %scratch, ptr %columns"
        return "\n".join([f"  call void @pass{n}_{i}({arguments})" for i in range(chunks)])

    return PASS.format(
        n=n, W=lanes, BLOCK=BLOCK, last_virtual_lane=VIRTUAL_LANES - 1, table=layout.table[loop.region],
        arrays=len(lengths), sums=loop.sums, reductions=len(loop.reductions), slots=loop.slots,
        ragged_sums=VIRTUAL_LANES * len(loop.reductions), ragged_data=offsets[1], ragged_rows=offsets[2],
        scratch=offsets[3], body=body("%rows", "%sums"), ragged_body=body("%ragged.rows", "%ragged.sums"),
        copy_rows="".join(copies),
    )  # fmt: skip


def main_function(layout: "Layout") -> list[str]:
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
