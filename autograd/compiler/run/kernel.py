"""Stage 4, run: LLVM IR becomes machine code, and the code is called on numbers."""

import ctypes
import functools
import hashlib
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np

from autograd.compiler.lower import libmvec
from autograd.compiler.lower.plan import BLOCK, GROUP, Pass, Plan
from autograd.compiler.run.cache import Cache

ROWS_MEMORY = 32_000_000  # bytes for the results of blocks until they are added; chosen, not measured
PASS_FUNCTIONS = (("pass", 6), ("combine", 3), ("end", 3))
# Lanes times nodes from which two threads pay: a pool takes 0.08 ms to start and stop, as measured, and these 0.2 ms.
THREADS_ABOVE = 8_000_000


@functools.cache
def _initialize() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    libmvec.load()


def _machine(level: int) -> Any:
    """A new one each time: an engine owns its machine, and frees it."""
    _initialize()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=level, jit=True)


def available_threads() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_function(name: str) -> None:
    """Whether a function that is called is there: a call of one that is not would end the process."""
    if not name.startswith("llvm.") and not llvm.address_of_symbol(name):
        raise TypeError(
            f"the lowering {name!r} of a primitive is not a function of the C library: name one, or give an "
            "expression in functions of this package"
        )


class Layout(NamedTuple):
    """What it takes to run a pass, which other processes get in place of the plan.

    Attributes:
        number: which of the passes it is.
        entry: where the entries of its region start in the table: lanes, arrays, results.
        arrays: how many arrays there are.
        stored: which elements of rows it stores by lane: result, doubles to a row, elements.
        results: how many results it reduces.
        memory: doubles that it works with.
        slots: how many of them there are; `table`: how many entries the table has.
    """

    number: int
    entry: int
    arrays: int
    stored: tuple[tuple[int, int, tuple[int, ...]], ...]
    results: int
    memory: int
    slots: int
    table: int

    @classmethod
    def of(cls, plan: Plan, number: int) -> "Layout":
        loop: Pass = plan.passes[number]
        found: dict[int, list[int]] = {}
        for result, size, firsts, _ in loop.stored:
            found.setdefault(result, []).extend([first + i for first in firsts for i in range(size)])
        sizes = plan.stacks[loop.region]
        stored = tuple([(result, sizes[result], tuple(elements)) for result, elements in found.items()])
        arrays = len(plan.row_lengths[loop.region])
        results = len(loop.reductions.order)
        entry = plan.table[loop.region]
        return cls(number, entry, arrays, stored, results, loop.memory, plan.slots, max(1, plan.table_size))


class MachineCode:
    """Functions that were compiled from LLVM IR: those without optimisation, `optnone`, at level 0 and the others at
    level 1, as modules of their own, since LLVM chooses by module how it allocates registers.

    Args:
        ir: LLVM IR, from lower.
        cache: where object code is looked for, and kept.
    """

    def __init__(self, ir: str, cache: Cache | None = None):
        start, *functions = re.split(r"^(?=define )", ir, flags=re.M)
        quick: list[str] = []
        others: list[str] = []
        for function in functions:
            (quick if " optnone {" in function[: function.index("\n")] else others).append(function)
        self._engines: list[Any] = []
        if quick:
            outside = [line for line in start.splitlines(keepends=True) if line.startswith("declare ")]
            self._add("".join([*outside, *quick]), 0, cache)
            signatures = [function[len("define ") :].partition(" noinline")[0] for function in quick]
            start += "".join([f"declare {signature}\n" for signature in signatures])
        self._add("".join([start, *others]), 1, cache)

    def _add(self, ir: str, level: int, cache: Cache | None) -> None:
        """Compile a module, which may call functions of the one before."""
        machine = _machine(level)
        module = llvm.parse_assembly(ir)
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        declared = [function for function in module.functions if function.is_declaration]
        engine = llvm.create_mcjit_compiler(module, machine)
        for function in declared:
            address = self.address(function.name)
            if address:
                engine.add_global_mapping(function, address)
            else:
                _check_function(function.name)
        if cache is not None:
            key = cache.key(ir, level)
            engine.set_object_cache(lambda _, code: cache.store(key, code), lambda _: cache.load(key))
        engine.finalize_object()
        self._engines.append(engine)

    def address(self, name: str) -> int:
        """Where a function is; 0 if it is none of these."""
        return next(filter(None, [engine.get_function_address(name) for engine in self._engines]), 0)

    def function(self, name: str, arguments: int) -> Callable[..., None]:
        return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * arguments)(self.address(name))


class Sums:
    """What a pass adds up over the lanes: block after block to a group, group after group to a total.

    With the first block of a group, the group before is added to the total, and forgotten. Each block's results have
    their own place, so that nothing depends on who computed them.

    Args:
        code, layout: the pass.
        blocks: how many there are to add; so many at a time as there is memory for.
        threads: that share them.
    """

    def __init__(self, code: MachineCode, layout: Layout, blocks: int, threads: int):
        self.layout, self.threads = layout, threads
        self._pass, self._combine, self._end = [
            code.function(f"{name}{layout.number}", count) for name, count in PASS_FUNCTIONS
        ]
        self._row = layout.results * 8  # bytes
        self._together = min(blocks, max(threads, ROWS_MEMORY // max(1, self._row)))
        self._rows, self._at = memory((2 + self._together) * layout.results)
        self._works = [memory(layout.memory) for _ in range(threads)]

    def add(self, slots_at: int, table_at: int, first: int, end: int, pool: ThreadPoolExecutor | None) -> None:
        """Compute these blocks, and add them."""

        def share(i: int) -> None:
            start, stop = [before + now * k // self.threads for k in (i, i + 1)]
            rows_at = self._at + self._row * (2 + start - before)
            self._pass(slots_at, table_at, self._works[i][1], rows_at, start, stop)

        for before in range(first, end, self._together):
            now = min(self._together, end - before)
            others = pool.map(share, range(1, self.threads)) if pool else ()
            share(0)
            list(others)
            self._combine(self._at, before, before + now)

    @property
    def group(self) -> "np.ndarray[Any, Any]":
        """The sums of the group that was begun last."""
        return self._rows[self.layout.results : 2 * self.layout.results].copy()

    def add_group(self, number: int, group: "np.ndarray[Any, Any]") -> None:
        """Add a whole group, which takes the way of its first block."""
        self._rows[2 * self.layout.results : 3 * self.layout.results] = group
        self._combine(self._at, number * GROUP, number * GROUP + 1)

    def finish(self, slots_at: int, blocks: int) -> None:
        """The results of so many blocks, to their slots."""
        self._end(slots_at, self._at, blocks)


class Kernel:
    """Compiled code.

    Args:
        ir: LLVM IR, from lower.
        plan: what the IR was written from.
        threads: at most so many.
        cache: where object code is kept.

    Two threads may call it at the same time: every call has numbers of its own.
    """

    def __init__(self, ir: str, plan: Plan, threads: int | None = None, cache: Cache | None = None):
        self.ir, self.plan = ir, plan
        self.threads = threads or available_threads()
        self.code = MachineCode(ir, cache)
        self._main = self.code.function("main", 4)
        self._spare: list[Buffers] = []

    @functools.cached_property
    def layouts(self) -> list[Layout]:
        """Those of its passes."""
        return [Layout.of(self.plan, n) for n in range(len(self.plan.passes))]

    @functools.cached_property
    def key(self) -> str:
        """The same for the same code only."""
        content = repr((self.ir, self.layouts)).encode()
        return hashlib.blake2b(content, digest_size=16).hexdigest()

    def take_buffers(self) -> "Buffers":
        """Memory for a call; `give_back` afterwards."""
        try:
            return self._spare.pop()
        except IndexError:
            return Buffers(self.plan)

    def give_back(self, buffers: "Buffers") -> None:
        self._spare.append(buffers)

    def run(self, buffers: "Buffers", lanes: int) -> None:
        """Compute; inputs, table and results are in the buffers. `lanes` is the largest batch."""
        if self.threads > 1 and lanes > BLOCK and lanes * len(self.plan.order) > THREADS_ABOVE:
            with ThreadPoolExecutor(self.threads - 1) as pool:  # at its end they have stopped, also after Ctrl-C
                self.run_passes(buffers, lambda n: self.run_pass(n, buffers, self.threads, pool))
        else:
            self._main(buffers.slots_at, buffers.table_at, buffers.work_at, buffers.partials_at)

    def run_passes(self, buffers: "Buffers", run_pass: Callable[[int], None]) -> None:
        """Compute, with passes run by somebody."""
        for kind, n in self.plan.functions:
            if kind == "uniform":
                self.code.function(f"uniform{n}", 1)(buffers.slots_at)
            else:
                run_pass(n)
        self.code.function("finish", 1)(buffers.slots_at)

    def run_pass(self, n: int, buffers: "Buffers", threads: int, pool: ThreadPoolExecutor | None) -> None:
        """A pass, with its blocks shared out among threads."""
        layout = self.layouts[n]
        blocks = -(-buffers.table[layout.entry] // BLOCK)
        sums = Sums(self.code, layout, blocks, threads)
        sums.add(buffers.slots_at, buffers.table_at, 0, blocks, pool)
        sums.finish(buffers.slots_at, blocks)


class Buffers:
    """The memory of one call: slots, table, workspace, and the results of blocks; with their addresses."""

    def __init__(self, plan: Plan):
        self.slots, self.slots_at = memory(plan.slots)
        for slot, x in plan.constants.items():
            self.slots[slot] = x
        self.table = (ctypes.c_int64 * max(1, plan.table_size))()
        self.table_at = ctypes.addressof(self.table)
        self.work, self.work_at = memory(max([loop.memory for loop in plan.passes], default=0))
        self.partials, self.partials_at = memory(3 * max([len(loop.slots) for loop in plan.passes], default=0))


def memory(doubles: int) -> "tuple[np.ndarray[Any, Any], int]":
    """Zeros, and their address, a multiple of 64 bytes."""
    memory = np.zeros(doubles + 8)
    skip = -memory.ctypes.data % 64 // 8
    return memory[skip : skip + doubles], memory.ctypes.data + 8 * skip
