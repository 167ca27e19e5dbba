"""What jit returns: a function compiled on first use, for each structure of its arguments and each path through it."""

import contextlib
import functools
import gc
import threading
import time
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.arguments import FLOAT64, Arguments, HasValues, Packing, address_of
from autograd.compiler.lower.layout import Layout, Target
from autograd.compiler.lower.module import lower
from autograd.compiler.lower.reductions import VIRTUAL_LANES
from autograd.compiler.optimize.convert import simplify
from autograd.compiler.run.kernel import Buffers, Kernel, host_target
from autograd.compiler.trace.calls import Again, Decisions, Traced, trace
from autograd.tracing import tracing
from autograd.transforms.call import name_of
from autograd.transforms.tree import leaves, rebuild
from autograd.value import Value

MAX_PATHS = 32  # through a function, and through the body of a vmap
LOOK_AHEAD = 64  # lanes that are searched for more paths when one takes an unknown path


class CacheInfo(NamedTuple):
    """What a compiled function has done so far: calls that ran compiled code, what was compiled, and in what time."""

    calls: int
    structures: int
    paths: int
    seconds: float


class Failure(NamedTuple):
    """What compiled code took for granted and did not hold: a guard of that number, the lanes of a region from that
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
    """

    def __init__(self, traced: Traced, target: Target, threads: int | None):
        self.target, self.threads, self.loops = target, threads, traced.trace.loops
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
        self._plan_inputs(recorded.inputs)
        self.exact_kernel: Kernel | None = None
        self.kernel = self._compile(exact=False)

    def _plan_inputs(self, inputs: Sequence[tuple[str, Any, int]]) -> None:
        self.scalars = 0
        self.arrays: list[tuple[int, int, int]] = []  # slots from, to, position among the arguments
        self.counts: dict[int, int] = {}  # of each region, the slot for how many lanes it has
        slot = 0
        for kind, what, size in inputs:
            if kind == "scalars":
                self.scalars = size
            elif kind == "array":
                self.arrays.append((slot, slot + size, what))
            else:
                self.counts[what] = slot
            slot += size
        self.captured = self.program.captured
        self.captured_from, self.captured_to = slot, slot + len(self.captured)

    def _compile(self, exact: bool) -> Kernel:
        ir, layout = lower(self.program, self.row_lengths, self.target, exact)
        return Kernel(ir, layout, self.threads)

    def matches(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        """Whether it serves arrays of these shapes."""
        return all(
            len(shape) == len(expected) and all(e is None or e == n for e, n in zip(expected, shape, strict=True))
            for shape, expected in zip(shapes, self.pattern, strict=True)
        )

    def __call__(self, arguments: Arguments) -> Any:
        """The result, or a Failure."""
        result = self._run(self.kernel, arguments)
        if result is _NAN:
            if self.exact_kernel is None:
                self.exact_kernel = self._compile(exact=True)
            result = self._run(self.exact_kernel, arguments)
        return result

    def _run(self, kernel: Kernel, arguments: Arguments) -> Any:
        """One call of the code: a hot path, of which benchmarks/jit.py sees every microsecond."""
        buffers = kernel.take_buffers()
        try:
            slots, arrays = buffers.slots, arguments.arrays
            if self.scalars:
                slots[: self.scalars] = arguments.scalars
            for first, end, position in self.arrays:
                slots[first:end] = arrays[position].ravel()
            if self.captured:
                slots[self.captured_from : self.captured_to] = [leaf._data for leaf in self.captured]
            lanes = 1
            kept: list[Any] = []
            stacks: dict[int, Any] = {}
            for region in self.maps:
                lanes = max(lanes, self._map(region, kernel.layout, buffers, arrays, kept, stacks))
            kernel.run(buffers, lanes)
            outputs = slots[kernel.layout.outputs :]
            if outputs.item(self.nan):
                return _NAN
            if outputs.item(self.trouble):
                return self._failure(outputs)
            return self.pack(outputs, stacks)
        finally:
            kernel.give_back(buffers)

    def _map(
        self, region: int, layout: Layout, buffers: Buffers, arrays: Sequence["np.ndarray[Any, Any]"],
        kept: list[Any], stacks: dict[int, Any],
    ) -> int:  # fmt: skip
        """Enter a region's arrays into the table, and columns for its results; returns how many lanes it has.

        What the code reads from is added to `kept`, so that it lives until the call is over.
        """
        table, entry, length = buffers.table, layout.table[region], -1
        for position, axis in self.maps[region]:
            array = arrays[position]
            if axis:
                array = np.moveaxis(array, axis, 0)
            if array.dtype is not FLOAT64 or not array.flags.c_contiguous:
                array = np.ascontiguousarray(array, dtype=FLOAT64)
            kept.append(array)
            if length != array.shape[0] and length != -1:
                raise _PlainCall
            length = array.shape[0]
            entry += 1
            table[entry] = address_of(array)
        if length == 0:
            raise _PlainCall
        table[layout.table[region]] = length
        buffers.slots[self.counts[region]] = length
        columns = layout.columns.get(region, 0)
        if columns:
            stacks[region] = self._columns(columns, length, table, entry + 1)
        return length

    def _columns(self, columns: int, length: int, table: Any, entry: int) -> "np.ndarray[Any, Any]":
        """Memory for the results of each lane, in full registers; shape (columns, length)."""
        padded = -(-length // VIRTUAL_LANES) * VIRTUAL_LANES
        stack = np.empty((columns, padded))
        for i in range(columns):
            table[entry + i] = address_of(stack) + i * padded * stack.itemsize
        return stack[:, :length]

    def _failure(self, outputs: "np.ndarray[Any, Any]") -> Failure:
        for verdict, x in zip(self.program.verdicts, outputs[self.verdicts_from :].tolist(), strict=False):
            if verdict.kind == "guard":
                if not x:
                    return Failure("guard", verdict.which, 0)
            elif x != np.inf:
                return Failure(verdict.kind, verdict.which, int(x))
        raise AssertionError("compiled code reports a failure, but nothing failed")


_NAN = object()  # in place of a result: a NaN in fast code


class _PlainCall(Exception):
    """The plain function has to serve: for batches of different lengths, or empty ones, on which it raises; for an
    index out of range; for a path beyond the limit; for an error that f raises."""


class Jitted:
    """A compiled function; what `autograd.jit` returns."""

    def __init__(self, f: Callable[..., Any], target: Target | None, threads: int | None):
        functools.update_wrapper(self, f, updated=())
        self._f = f
        self._target = target or host_target()
        self._threads = threads
        self._paths: dict[Any, list[Path]] = {}  # by structure and shapes of the arguments, the last taken first
        self._families: dict[Any, list[Path]] = {}  # by structure alone
        self._lock = threading.RLock()
        self._warned = False
        self._calls = 0
        self._seconds = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.tracer is not None:
            return self._f(*args, **kwargs)
        try:
            arguments = Arguments(args, kwargs)
        except HasValues:
            return self._f(*args, **kwargs)
        paths = self._paths.get((arguments.structure, arguments.shapes))
        try:
            if paths is None:
                paths = self._known_paths(arguments)
            if paths:
                result = paths[0](arguments)
                if type(result) is not Failure:
                    self._calls += 1
                    return result
            result = self._along_another_path(arguments, paths, args, kwargs)
            self._calls += 1
            return result
        except _PlainCall:
            as_numbers = True
        except HasValues:
            as_numbers = False
        result = self._f(*args, **kwargs)  # not inside a handler, so that an error of f's own shows alone
        return _numbers(result) if as_numbers else result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method, which gets its object as the first argument."""
        return self if instance is None else types.MethodType(self, instance)

    def cache_info(self) -> CacheInfo:
        """How many calls ran compiled code, for how many structures of arguments, along how many paths.

        Example:
            >>> from autograd import jit
            >>> f = jit(lambda x: x * x)
            >>> f(3.0), f(4.0)
            (9.0, 16.0)
            >>> f.cache_info().calls, f.cache_info().paths
            (2, 1)
        """
        families = self._families.values()
        return CacheInfo(self._calls, len(families), sum(map(len, families)), self._seconds)

    def lower(self, *args: Any, **kwargs: Any) -> "Report":
        """The optimised graph for these arguments: how many nodes each stage left, and which operations. Print it.

        Example:
            >>> from autograd import grad, jit
            >>> report = jit(grad(lambda x: x**3 * 1.0)).lower(2.0)
            >>> report.needed <= report.merged
            True
        """
        return Report.of(self._path_for(args, kwargs))

    def llvm_ir(self, *args: Any, **kwargs: Any) -> str:
        """The LLVM IR for these arguments.

        Example:
            >>> from autograd import jit
            >>> "fmul double" in jit(lambda x: x * x).llvm_ir(3.0)
            True
        """
        path = self._path_for(args, kwargs)
        return lower(path.program, path.row_lengths, self._target, False)[0]

    def _path_for(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Path:
        self(*args, **kwargs)
        try:
            arguments = Arguments(args, kwargs)
            paths = self._paths.get((arguments.structure, arguments.shapes))
        except HasValues:
            paths = None
        if not paths:
            raise TypeError("there is no compiled code for these arguments: they hold Values, or take too many paths")
        return paths[0]

    # --- paths --------------------------------------------------------------------------------------------------------

    def _known_paths(self, arguments: Arguments) -> list[Path]:
        """The paths compiled for arguments of this structure, whatever the length of a batch."""
        with self._lock:
            family = self._families.setdefault(arguments.structure, [])
            key = arguments.structure, arguments.shapes
            return self._paths.setdefault(key, [path for path in family if path.matches(arguments.shapes)])

    def _along_another_path(
        self, arguments: Arguments, paths: list[Path], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        """The result along the path that these numbers take, which is found guard by guard, and compiled if new."""
        with self._lock:
            path = paths[0] if paths else self._compile(arguments, args, kwargs)
            tried: list[Path] = []
            while True:
                result = path(arguments)
                if type(result) is not Failure:
                    if path is not paths[0]:  # the list is never empty: other threads read it
                        paths.remove(path)
                        paths.insert(0, path)  # the path taken last is tried first
                    return result
                tried.append(path)
                path = self._after(result, path, tried, paths, arguments, args, kwargs)

    def _after(
        self, failure: Failure, path: Path, tried: list[Path], paths: list[Path], arguments: Arguments, args: Any,
        kwargs: Any,
    ) -> Path:  # fmt: skip
        """The path to try when one has failed."""
        if failure.kind == "check":
            raise _PlainCall
        if failure.kind == "guard":
            prefix = (*path.decisions[: failure.which], not path.decisions[failure.which])
            for known in paths:
                if known not in tried and known.decisions[: len(prefix)] == prefix:
                    return known
            self._limit(len(paths), path.lines[failure.which])
            return self._compile(arguments, args, kwargs, path.loops, decisions=prefix, lane_paths=path.lane_paths)
        for known in paths:
            if known not in tried and known.decisions == path.decisions:
                return known
        region = failure.which
        self._limit(len(path.lane_paths[region]), path.lane_lines[region][-1])
        lanes = range(failure.lane, min(failure.lane + LOOK_AHEAD, self._lanes(path, region, arguments)))
        wider = self._compile(
            arguments, args, kwargs, path.loops,
            decisions=path.decisions, lane_paths=path.lane_paths, examples={region: lanes},
        )  # fmt: skip
        if wider.lane_paths == path.lane_paths:  # nothing new: the numbers that the trace works with mislead it
            raise _PlainCall
        self._replace(path)
        return wider

    def _lanes(self, path: Path, region: int, arguments: Arguments) -> int:
        position, axis = path.maps[region][0]
        return arguments.arrays[position].shape[axis]

    def _limit(self, count: int, line: str) -> None:
        if count < MAX_PATHS:
            return
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"jit: {name_of(self._f)} has taken {MAX_PATHS} paths, which differ in the branch at {line}; calls "
                "that take yet another one now run without being compiled. autograd.where chooses without branching",
                RuntimeWarning,
                stacklevel=6,
            )
        raise _PlainCall

    def _replace(self, path: Path) -> None:
        """Forget a path that another one covers."""
        for paths in [*self._paths.values(), *self._families.values()]:
            if path in paths:
                paths.remove(path)

    def _compile(
        self, arguments: Arguments, args: Any, kwargs: Any, loops: frozenset[int] = frozenset(), **how: Any
    ) -> Path:
        start = time.perf_counter()
        with _no_garbage_collection():
            while True:
                try:
                    traced = trace(self._f, args, kwargs, loops=loops, **how)
                    break
                except Again as again:
                    loops |= {again.vmap}
                    how = {}  # guards and regions are numbered differently now
                except (TypeError, RuntimeError):  # what jit refuses
                    raise
                except Exception:  # an error of f's own, or one that only the trace meets, whose numbers are examples
                    raise _PlainCall from None
            path = Path(traced, self._target, self._threads)
        self._families[arguments.structure].append(path)
        for (structure, shapes), paths in self._paths.items():
            if structure == arguments.structure and path.matches(shapes):
                paths.append(path)
        self._seconds += time.perf_counter() - start
        return path


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Nothing of a graph under construction is garbage, and looking for some takes longer than all the rest."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _numbers(result: Any) -> Any:
    """What a plain call returned, with numbers in place of Values, as compiled code returns them."""
    found = leaves(result)
    if not any(isinstance(x, Value) for x in found):
        return result
    return rebuild(result, [x._data if isinstance(x, Value) else x for x in found])


class Report(NamedTuple):
    """How the stages of the compiler shrank a graph.

    Attributes:
        traced: Values in the traced graph.
        merged: machine operations after lowering, folding and merging.
        needed: those that the results need, which is what is compiled.
        operations: how often each of them occurs.
        regions: how many vmaps became loops over lanes.
    """

    traced: int
    merged: int
    needed: int
    operations: dict[str, int]
    regions: int

    @classmethod
    def of(cls, path: Path) -> "Report":
        program = path.program
        graph = program.graph
        order = graph.needed([*program.outputs, *[n for n, _ in program.stacks], program.trouble])
        operations = Counter([graph.ops[n] for n in order])
        return cls(program.traced, len(graph), len(order), dict(operations.most_common()), len(path.maps))

    def __str__(self) -> str:
        counts = ", ".join([f"{count} {op}" for op, count in self.operations.items()])
        return (
            f"traced    {self.traced} Values\nmerged    {self.merged} machine operations\nneeded    {self.needed}\n"
            f"          {counts}\nlanes     {self.regions} vmap"
        )
