"""Stage 4, run: LLVM IR becomes machine code, and the code is called on numbers."""

import ctypes
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from autograd.compiler.lower import libmvec
from autograd.compiler.lower.plan import BLOCK, Plan

ROWS_MEMORY = 32_000_000  # bytes for the results of blocks until they are added
PASS_FUNCTIONS = (("pass", 6), ("combine", 3), ("end", 3))
THREADS_ABOVE = 2_000_000  # lanes times nodes from which starting threads pays


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


def _check_functions(module: Any) -> None:
    """Whether all functions that it calls are there: a call of one that is not would end the process."""
    for function in module.functions:
        name = function.name
        if function.is_declaration and not name.startswith("llvm.") and not llvm.address_of_symbol(name):
            raise TypeError(
                f"the lowering {name!r} of a primitive is no function of the C library: name one that is, or give an "
                "expression in functions of this package"
            )


class Kernel:
    """Compiled code.

    Args:
        ir: LLVM IR, from lower.
        plan: what the IR was written from.
        threads: at most so many.

    Two threads may call it at the same time: every call has numbers of its own.
    """

    def __init__(self, ir: str, plan: Plan, threads: int | None = None):
        self.plan = plan
        self.threads = threads or available_threads()
        machine = _machine(0 if plan.quick and not plan.passes else 1)  # the loops over tables are worth their time
        module = llvm.parse_assembly(ir)
        _check_functions(module)
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        self._main = self._function("main", 4)
        self._spare: list[Buffers] = []

    def _function(self, name: str, arguments: int) -> Callable[..., None]:
        address = self._engine.get_function_address(name)
        return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * arguments)(address)

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
            self._run_in_threads(buffers)
        else:
            self._main(buffers.slots_at, buffers.table_at, buffers.work_at, buffers.partials_at)

    def _run_in_threads(self, buffers: "Buffers") -> None:
        with ThreadPoolExecutor(self.threads - 1) as pool:  # at its end they have stopped, also after Ctrl-C
            for kind, n in self.plan.functions:
                if kind == "uniform":
                    self._function(f"uniform{n}", 1)(buffers.slots_at)
                else:
                    self._run_pass(n, buffers, pool)
        self._function("finish", 1)(buffers.slots_at)

    def _run_pass(self, n: int, buffers: "Buffers", pool: ThreadPoolExecutor) -> None:
        """A pass, with its blocks shared out. Each block's results have their own place, so that nothing depends on who
        computed them; so many blocks at a time as there is memory for."""
        loop = self.plan.passes[n]
        blocks = -(-buffers.table[self.plan.table[loop.region]] // BLOCK)
        run, combine, end = [self._function(f"{name}{n}", count) for name, count in PASS_FUNCTIONS]
        row = len(loop.reductions.order) * 8  # bytes
        together = min(blocks, max(self.threads, ROWS_MEMORY // max(1, row)))
        _, partials_at = _memory((2 + together) * row // 8)
        works = [_memory(loop.memory) for _ in range(self.threads)]

        def share(i: int) -> None:
            first, last = [before + now * k // self.threads for k in (i, i + 1)]
            rows_at = partials_at + row * (2 + first - before)
            run(buffers.slots_at, buffers.table_at, works[i][1], rows_at, first, last)

        for before in range(0, blocks, together):
            now = min(together, blocks - before)
            others = pool.map(share, range(1, self.threads))
            share(0)
            list(others)
            combine(partials_at, before, before + now)
        end(buffers.slots_at, partials_at, blocks)


class Buffers:
    """The memory of one call: slots, table, workspace, and the results of blocks; with their addresses."""

    def __init__(self, plan: Plan):
        self.slots, self.slots_at = _memory(plan.slots)
        for slot, x in plan.constants.items():
            self.slots[slot] = x
        self.table = (ctypes.c_int64 * max(1, plan.table_size))()
        self.table_at = ctypes.addressof(self.table)
        self.work, self.work_at = _memory(max([loop.memory for loop in plan.passes], default=0))
        self.partials, self.partials_at = _memory(3 * max([len(loop.slots) for loop in plan.passes], default=0))


def _memory(doubles: int) -> "tuple[np.ndarray[Any, Any], int]":
    """Zeros, and their address, a multiple of 64 bytes."""
    memory = np.zeros(doubles + 8)
    skip = -memory.ctypes.data % 64 // 8
    return memory[skip : skip + doubles], memory.ctypes.data + 8 * skip
