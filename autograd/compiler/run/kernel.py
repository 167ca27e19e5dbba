"""Stage 4, run: LLVM IR becomes machine code, and the code is called on numbers."""

import ctypes
import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from autograd.compiler.lower import libmvec as vmath
from autograd.compiler.lower.layout import Layout, Target
from autograd.compiler.lower.reductions import BLOCK

# From so many nodes on, compile time matters more than speed: a third of it for numbers, but most of it on lanes
QUICK_ABOVE, QUICK_LANES_ABOVE = 5_000, 40_000
THREADS_ABOVE = 2_000_000  # lanes times nodes from which starting threads pays


@functools.cache
def _initialize() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    vmath.load()


def _machine(level: int) -> Any:
    """A new one each time: an engine owns its machine, and frees it."""
    _initialize()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=level, jit=True)


@functools.cache
def host_lanes() -> int:
    """How many doubles the widest registers of this machine hold.

    Example:
        >>> host_lanes() in (1, 2, 4, 8)
        True
    """
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 8
    return 4 if features.get("avx2") else 2


def host_target(lanes: int | None = None, vector_functions: bool = True) -> Target:
    """The target for this machine.

    Args:
        lanes: doubles to a register: as the machine has, unless given.
        vector_functions: whether to use the vector functions of the C library where there are any.
    """
    width = host_lanes() if lanes is None else lanes
    functions = vmath.vector_functions(width) if vector_functions and width <= host_lanes() else {}
    return Target(width, functions, scalef=width == 8 and host_lanes() == 8)


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
        layout: its layout, from lower.
        threads: at most so many.

    Two threads may call it at the same time: every call has numbers of its own.
    """

    def __init__(self, ir: str, layout: Layout, threads: int | None = None):
        self.layout = layout
        self.threads = threads or available_threads()
        machine = _machine(0 if layout.nodes > (QUICK_LANES_ABOVE if layout.passes else QUICK_ABOVE) else 1)
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
            return Buffers(self.layout)

    def give_back(self, buffers: "Buffers") -> None:
        self._spare.append(buffers)

    def run(self, buffers: "Buffers", lanes: int) -> None:
        """Compute; inputs, table and results are in the buffers. `lanes` is the largest batch."""
        if lanes > BLOCK:
            buffers.grow(-(-lanes // BLOCK))
        if self.threads > 1 and lanes > BLOCK and lanes * self.layout.nodes > THREADS_ABOVE:
            self._run_in_threads(buffers)
        else:
            self._main(buffers.slots_at, buffers.table_at, buffers.work_at, buffers.partials_at)

    def _run_in_threads(self, buffers: "Buffers") -> None:
        for kind, n in self.layout.functions:
            if kind == "uniform":
                self._function(f"uniform{n}", 1)(buffers.slots_at)
            else:
                self._run_pass(n, buffers)
        self._function("finish", 1)(buffers.slots_at)

    def _run_pass(self, n: int, buffers: "Buffers") -> None:
        """A pass, with its blocks shared out. Each block's results have their own place, so that nothing depends on who
        computed them."""
        region = self.layout.passes[n].region
        blocks = -(-buffers.table[self.layout.table[region]] // BLOCK)
        run = self._function(f"pass{n}", 6)
        bounds = [blocks * i // self.threads for i in range(self.threads + 1)]
        workspaces = [_memory(self.layout.workspaces[n]) for _ in range(self.threads - 1)]
        threads = [
            threading.Thread(
                target=run, args=(buffers.slots_at, buffers.table_at, first, end, work_at, buffers.partials_at)
            )
            for (_, work_at), first, end in zip(workspaces, bounds[1:-1], bounds[2:], strict=True)
        ]  # fmt: skip
        try:
            for thread in threads:
                thread.start()
            run(buffers.slots_at, buffers.table_at, 0, bounds[1], buffers.work_at, buffers.partials_at)
        finally:  # also after Ctrl-C: the memory that they write to is not theirs to keep
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        self._function(f"combine{n}", 3)(buffers.slots_at, buffers.partials_at, blocks)


class Buffers:
    """The memory of one call: slots, table, workspace, and the results of blocks; with their addresses."""

    def __init__(self, layout: Layout):
        self.slots, self.slots_at = _memory(layout.slots)
        for slot, x in layout.constants.items():
            self.slots[slot] = x
        self.table = (ctypes.c_int64 * max(1, layout.table_size))()
        self.table_at = ctypes.addressof(self.table)
        self.work, self.work_at = _memory(max(layout.workspaces, default=0))
        self.results = max([len(loop.reductions) for loop in layout.passes], default=0)
        self.blocks = 0
        self.grow(1)

    def grow(self, blocks: int) -> None:
        """Make place for the results of so many blocks."""
        if blocks > self.blocks:
            self.blocks = blocks
            self.partials, self.partials_at = _memory(blocks * self.results)


def _memory(doubles: int) -> "tuple[np.ndarray[Any, Any], int]":
    """Zeros, and their address, a multiple of 64 bytes."""
    memory = np.zeros(doubles + 8)
    skip = -memory.ctypes.data % 64 // 8
    return memory[skip : skip + doubles], memory.ctypes.data + 8 * skip
