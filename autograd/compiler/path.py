"""Path: compiled code for one way through a function; numbers in, code, numbers out."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.arguments import FLOAT64, Arguments, address_of
from autograd.compiler.lower.module import lower, write
from autograd.compiler.lower.plan import Plan, plan
from autograd.compiler.lower.target import Target
from autograd.compiler.optimize.convert import simplify
from autograd.compiler.optimize.gates import settle
from autograd.compiler.results import Packing
from autograd.compiler.rows import Rows
from autograd.compiler.run.cache import Cache
from autograd.compiler.run.kernel import Buffers, Kernel
from autograd.compiler.run.workers import Workers
from autograd.compiler.trace.calls import Decisions, Traced

LONG = 10.0  # seconds; chosen: what takes longer is announced
SECONDS = 4e-5  # that LLVM takes for an operation: 7e-6 to 1.2e-4, of graphs of 1 000 to 50 000 operations


class Failure(NamedTuple):
    """What compiled code took for granted and did not hold: the guard of that number, the lanes of a region from that
    one on, or the index of a take."""

    kind: str
    which: int
    lane: int


class Path:
    """Compiled code for one way through a function.

    Attributes:
        decisions: which way each guard goes.
        lane_paths: for each region, the decisions of the paths that its lanes may take.
        lines: for each guard, the line that branches.
        loops: the vmaps that became plain loops, whose guards are then among the others.
        pattern: for each array argument its shape, with None for an axis whose length is free.
        static: the integers among the arguments that are part of the program.
        integer_types: the types of the integers that are computed with.
        used: at which of the function's calls it was taken last.
    """

    def __init__(self, traced: Traced, target: Target, workers: Workers, cache: Cache | None = None):
        self.target, self.workers, self.cache, self.loops = target, workers, cache, traced.trace.loops
        recorded = traced.trace
        self.decisions: Decisions = tuple([guard.taken for guard in recorded.guards])
        self.lines = [guard.line for guard in recorded.guards]
        self.lane_paths = {
            region.number: [tuple([guard.taken for guard in path]) for path in region.paths]
            for region in recorded.regions
        }
        self.lane_lines = {r.number: [g.line for path in r.paths for g in path] for r in recorded.regions}
        self.pattern = [
            tuple([None if {axis} == array.axes and not array.fixed else n for axis, n in enumerate(array.data.shape)])
            for array in traced.arrays  # mapped over two axes, each is the length of a row along the other
        ]
        self.program = simplify(traced)
        packing = Packing(traced.result)
        self.pack, self.verdicts_from = packing.pack, packing.outputs
        self.trouble = self.verdicts_from + len(self.program.verdicts)
        self.nan = self.trouble + 1
        self.maps = {  # of each region its mapped arrays: position among the arguments, axis
            region.number: [(array.position, axis) for array, axis in region.arrays] for region in recorded.regions
        }
        self.row_lengths = {region.number: [len(row) for row in region.leaves] for region in recorded.regions}
        self.inputs = recorded.inputs
        self.captured, self.captured_from = self.program.captured, recorded.slots
        self.static: tuple[Any, ...] = ()
        self.integer_types = sorted({str(getattr(x, "numpy_type", None) or "int") for x, _, _ in recorded.ranges})
        self.used = 0
        self._largest = 0  # doubles that all results by lane took
        self.kernel: Kernel | None = None
        self.exact_kernel: Kernel | None = None

    @functools.cached_property
    def plan(self) -> Plan:
        """The plan of the code that serves most calls."""
        return plan(settle(self.program, exact=False), self.row_lengths, self.target)

    def llvm_ir(self) -> str:
        """The code that serves most calls."""
        return write(self.plan)

    def prepare(self) -> Kernel:
        """Compile."""
        self.kernel = kernel = Kernel(write(self.plan), self.plan, self.workers.threads, self.cache)
        return kernel

    def _exact(self) -> Kernel:
        code = lower(settle(self.program, exact=True), self.row_lengths, self.target)
        return Kernel(*code, self.workers.threads, self.cache)

    def matches(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        """Whether it serves arrays of these shapes."""
        return all(
            len(shape) == len(expected) and all(e is None or e == n for e, n in zip(expected, shape, strict=True))
            for shape, expected in zip(shapes, self.pattern, strict=True)
        )

    def __call__(self, arguments: Arguments) -> Any:
        """The result, or a Failure."""
        result = self._run(self.kernel or self.prepare(), arguments)
        if result is _NAN:
            if self.exact_kernel is None:
                self.exact_kernel = self._exact()
            result = self._run(self.exact_kernel, arguments)
        return result

    def _run(self, kernel: Kernel, arguments: Arguments) -> Any:
        """One call of the code: a hot path; benchmarks/jit.py sees every microsecond of it."""
        buffers = kernel.take_buffers()
        try:
            slots, arrays = buffers.slots, arguments.arrays
            for numbers in self.inputs:
                numbers.fill(slots, arguments)
            if self.captured:
                slots[self.captured_from : self.program.inputs] = [leaf._data for leaf in self.captured]
            lanes = 1
            mapped: dict[int, list[Any]] = {}
            stacks: dict[int, list[Any]] = {}
            for region in self.maps:
                lanes = max(lanes, self._map(region, kernel.plan, buffers, arrays, mapped, stacks))
            if arguments.on_disk or self.workers.executor is not None:
                self.workers.run(kernel, buffers, mapped, stacks)
            else:
                kernel.run(buffers, lanes)
            outputs = slots[kernel.plan.outputs :]
            if outputs.item(self.nan):
                return _NAN
            if outputs.item(self.trouble):
                return self._failure(outputs)
            return self.pack(outputs, stacks)
        finally:
            kernel.give_back(buffers)

    def _map(
        self, region: int, plan: Plan, buffers: Buffers, arrays: Sequence[Any],
        mapped: dict[int, list[Any]], stacks: dict[int, list[Any]],
    ) -> int:  # fmt: skip
        """Enter a region's arrays into the table, and others for its results; returns how many lanes it has.

        What the code reads from is in `mapped` then, where it lives until the call is over.
        """
        table, entry, length = buffers.table, plan.table[region], -1
        kept = mapped[region] = []
        for position, axis in self.maps[region]:
            array = arrays[position]
            entry += 1
            if type(array) is not Rows:
                if axis:
                    array = np.moveaxis(array, axis, 0)
                if array.dtype is not FLOAT64 or not array.flags.c_contiguous:
                    array = np.ascontiguousarray(array, dtype=FLOAT64)
                table[entry] = address_of(array)
            kept.append(array)
            if length != array.shape[0] and length != -1:
                raise PlainCall
            length = array.shape[0]
        if length == 0:
            raise PlainCall
        table[plan.table[region]] = length
        sizes = plan.stacks[region]
        if sizes:
            stacks[region] = self._memory_by_lane(length, sizes)
            for i, stack in enumerate(stacks[region], entry + 1):
                table[i] = address_of(stack)
        return length

    def _memory_by_lane(self, length: int, sizes: Sequence[int]) -> "list[np.ndarray[Any, Any]]":
        """For each result rows of so many doubles.

        When results are freed, glibc returns the memory to the system, and each page costs more at the next call than
        to compute what is in it; but up to twice the largest block that was ever freed it keeps. So there is one.
        """
        if length * sum(sizes) > self._largest:
            self._largest = np.empty(length * sum(sizes)).size
        return [np.empty((length, size)) for size in sizes]

    def _failure(self, outputs: "np.ndarray[Any, Any]") -> Failure:
        for verdict, x in zip(self.program.verdicts, outputs[self.verdicts_from :].tolist(), strict=False):
            if verdict.kind == "guard":
                if not x:
                    return Failure("guard", verdict.which, 0)
            elif x != np.inf:
                return Failure(verdict.kind, verdict.which, int(x))
        raise AssertionError("compiled code reports a failure, but nothing failed")


_NAN = object()  # in place of a result: a NaN in fast code


class PlainCall(Exception):
    """Call f uncompiled: for unequal or empty batches (so that it raises its own error), for an index out of range, for
    a path beyond the limit, for an error that f raises.

    Args:
        hopeless: why f can never be compiled for such arguments, if the plain function works; else "".
        at_once: whether that is certain.
    """

    def __init__(self, hopeless: str = "", at_once: bool = False):
        super().__init__(hopeless)
        self.hopeless, self.at_once = hopeless, at_once


class Report(NamedTuple):
    """How the stages of the compiler shrank a graph.

    Attributes:
        traced: Values in the traced graph.
        merged: machine operations after lowering, folding and merging.
        needed: those that the results need, which is what is compiled.
        operations: how often each of them occurs.
        regions: how many vmaps became loops over lanes.
        terms: how many products loops over tables multiply and add, in a lane or over the lanes.
        tabled: how many functions, and operations of very long code, loops over tables compute.
        instructions: how many operations are left to code of their own.
    """

    traced: int
    merged: int
    needed: int
    operations: dict[str, int]
    regions: int
    terms: int
    tabled: int
    instructions: int

    @property
    def seconds(self) -> float:
        """About how long compiling takes, by the number of operations that are left to code of their own.

        Functions and selections take up to three times as long, sums a third of it.
        """
        return self.instructions * SECONDS

    def announcement(self) -> str:
        """What to say before compiling, "" if it will not take long."""
        if self.seconds < LONG:
            return ""
        return f"is compiled, which will take about {self.seconds:.0f} s for its {self.instructions} operations"

    @classmethod
    def of(cls, path: Path) -> "Report":
        planned, merged = path.plan, path.program.graph
        operations = planned.graph.operations(planned.order)
        return cls(
            path.program.traced, merged.operations(range(len(merged))).total(), operations.total(),
            dict(operations.most_common()), len(path.maps), planned.terms, planned.tabled, planned.instructions,
        )  # fmt: skip

    def __str__(self) -> str:
        counts = ", ".join([f"{count} {op}" for op, count in self.operations.items()])
        return (
            f"traced    {self.traced} Values\nmerged    {self.merged} machine operations\nneeded    {self.needed}\n"
            f"          {counts}\nlanes     {self.regions} vmap\n"
            f"tables    {self.terms} products, {self.tabled} others\ncode      {self.instructions} operations"
        )
