"""LLVM IR of reductions over lanes: sums and minima in an order that depends on neither threads nor registers.

Lane i of a block is added to partial result i mod V, lanes in their order; then the partial results of the block are
added in pairs; then the blocks, in their order.
"""

import itertools
from collections.abc import Mapping, Sequence

from autograd.compiler.lower.layout import Pass
from autograd.compiler.optimize.graph import REDUCTIONS, Node

VIRTUAL_LANES = 8  # partial results of a reduction, whatever the width of the registers
BLOCK = 1024  # lanes to a block, whole tiles
TILE = 64  # lanes whose factors are kept until they are multiplied and added: a partial result moves once a tile
SUM, MIN = repr(REDUCTIONS["lane_sum"]), "0x7FF0000000000000"  # -0.0 changes no other number by being added

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
  %v = load <{V} x double>, ptr %place, align 8
  %low = shufflevector <{V} x double> %v, <{V} x double> poison, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %high = shufflevector <{V} x double> %v, <{V} x double> poison, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
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
define internal void @combine(ptr noalias %slots, ptr noalias %targets, ptr noalias %partials, i64 %blocks, i64 %sums,
                              i64 %all) {
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
  %target.entry = getelementptr i64, ptr %targets, i64 %r
  %target = load i64, ptr %target.entry
  %to = getelementptr double, ptr %slots, i64 %target
  store double %so.far, ptr %to
  %r.next = add i64 %r, 1
  br label %next
done:
  ret void
}
"""

# The lanes of a tile are added to the partial results, lane i to partial result i mod V, in their order; lanes that are
# not real change nothing. Run k multiplies left factor k with the right ones from `ends[k - 1]` to `ends[k]`, and the
# product of right factor r goes to reduction r. @least takes the right factors alone, for minima.
ACCUMULATE = """
define internal void @{name}(ptr noalias %results, ptr noalias %tile, i64 %lanes,
                             ptr noalias %lefts, ptr noalias %ends, ptr noalias %rights, i64 %runs) {{
entry:
{masks}
  br label %run
run:
  %k = phi i64 [ 0, %entry ], [ %k.next, %run.done ]
  %start = phi i64 [ 0, %entry ], [ %end, %run.done ]
  %more.runs = icmp slt i64 %k, %runs
  br i1 %more.runs, label %left, label %return
left:
  %left.entry = getelementptr i64, ptr %lefts, i64 %k
  %left.offset = load i64, ptr %left.entry
  %left.place = getelementptr double, ptr %tile, i64 %left.offset
{lefts}
  %end.entry = getelementptr i64, ptr %ends, i64 %k
  %end = load i64, ptr %end.entry
  br label %next
next:
  %r = phi i64 [ %start, %left ], [ %r.next, %right ]
  %more = icmp slt i64 %r, %end
  br i1 %more, label %right, label %run.done
right:
  %right.entry = getelementptr i64, ptr %rights, i64 %r
  %right.offset = load i64, ptr %right.entry
  %right.place = getelementptr double, ptr %tile, i64 %right.offset
  %offset = mul i64 %r, {V}
  %place = getelementptr double, ptr %results, i64 %offset
  %so.far.0 = load <{V} x double>, ptr %place, align 8
{steps}
  store <{V} x double> %so.far.{count}, ptr %place, align 8
  %r.next = add i64 %r, 1
  br label %next
run.done:
  %k.next = add i64 %k, 1
  br label %run
return:
  ret void
}}
"""
LOAD = """
  %{side}.place.{i} = getelementptr double, ptr %{side}.place, i64 {offset}
  %{side}.{i} = load <{V} x double>, ptr %{side}.place.{i}, align 8"""
STEPS = {
    "add": """
  %product.{i} = fmul <{V} x double> %left.{i}, %right.{i}
  %term.{i} = select <{V} x i1> {mask}, <{V} x double> %product.{i}, <{V} x double> splat (double {SUM})
  %so.far.{next} = fadd <{V} x double> %so.far.{i}, %term.{i}""",
    "least": """
  %less.{i} = fcmp olt <{V} x double> %right.{i}, %so.far.{i}
  %real.less.{i} = and <{V} x i1> %less.{i}, {mask}
  %so.far.{next} = select <{V} x i1> %real.less.{i}, <{V} x double> %right.{i}, <{V} x double> %so.far.{i}""",
}
MASK = """
  %mask.{i} = icmp ult <{V} x i64> <{numbers}>, %limits"""
ALL = "splat (i1 true)"


def _accumulate(kind: str, *, masked: bool) -> str:
    """The function @add or @least for a whole tile, or for one with fewer lanes."""
    V, count = VIRTUAL_LANES, TILE // VIRTUAL_LANES
    steps, lefts, masks = [], [], []
    for i in range(count):
        lefts.append(LOAD.format(side="left", i=i, offset=i * V, V=V))
        step = LOAD.format(side="right", i=i, offset=i * V, V=V) + STEPS[kind]
        steps.append(step.format(i=i, next=i + 1, V=V, mask=f"%mask.{i}" if masked else ALL, SUM=SUM))
        masks.append(MASK.format(i=i, V=V, numbers=", ".join(f"i64 {i * V + lane}" for lane in range(V))))
    limits = f"""
  %one = insertelement <{V} x i64> poison, i64 %lanes, i64 0
  %limits = shufflevector <{V} x i64> %one, <{V} x i64> poison, <{V} x i32> zeroinitializer"""
    return ACCUMULATE.format(
        name=f"{kind}.masked" if masked else kind, V=V, count=count, masks=limits + "".join(masks) if masked else "",
        lefts="".join(lefts), steps="".join(steps),
    )  # fmt: skip


def helpers(passes: Sequence[Pass]) -> str:
    """The functions that all passes share: @start, @add, @least, @finish.block and @combine."""
    text = HELPERS.replace("{V}", str(VIRTUAL_LANES)).replace("{SUM}", SUM).replace("{MIN}", MIN)
    kinds = ["add"] * any(p.sums for p in passes) + ["least"] * any(p.minima for p in passes)
    return text + "".join([_accumulate(kind, masked=masked) for kind in kinds for masked in (False, True)])


def accumulation(n: int, loop: Pass) -> tuple[str, str]:
    """Tables for pass n, and the calls that accumulate the first %lanes of its %tile."""
    tables, calls = [table(f"pass{n}.slots", loop.slots)], []
    minima = {loop.minima[0]: loop.minima} if loop.minima else {}  # one run, whose left factor is not asked
    for kind, runs, first in (("add", loop.sums, 0), ("least", minima, loop.sum_count)):
        if runs:
            tables += _tables(f"pass{n}.{kind}", runs, loop.factors)
            calls.append(CALL.format(kind=kind, TILE=TILE, first=first * VIRTUAL_LANES, n=n, runs=len(runs)))
    return "\n".join(tables), "".join(calls)


CALL = """
  %{kind}.results = getelementptr double, ptr %work, i64 {first}
  %{kind}.whole = icmp eq i64 %lanes, {TILE}
  %{kind} = select i1 %{kind}.whole, ptr @{kind}, ptr @{kind}.masked
  call void %{kind}(ptr %{kind}.results, ptr %tile, i64 %lanes, ptr @pass{n}.{kind}.lefts, ptr @pass{n}.{kind}.ends,
                    ptr @pass{n}.{kind}.rights, i64 {runs})"""


def _tables(name: str, runs: Mapping[Node, Sequence[Node]], factors: Mapping[Node, int]) -> list[str]:
    return [
        table(f"{name}.lefts", [factors[left] * TILE for left in runs]),
        table(f"{name}.ends", list(itertools.accumulate([len(rights) for rights in runs.values()]))),
        table(f"{name}.rights", [factors[right] * TILE for rights in runs.values() for right in rights]),
    ]


def table(name: str, entries: Sequence[int]) -> str:
    return f"@{name} = internal constant [{len(entries)} x i64] [{', '.join([f'i64 {x}' for x in entries])}]"
