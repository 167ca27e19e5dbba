"""What a worker does: a pass over some pieces of the lanes, with code and rows that it keeps from call to call.

A piece is one group of blocks (see lower/plan.py). Addresses are as if all rows were here, so that lanes have the
numbers that they have in one process. Here nothing is known of the function that was compiled.
"""

import ctypes
import math
import pickle
import platform
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.arguments import FLOAT64, address_of
from autograd.compiler.lower.plan import BLOCK, GROUP
from autograd.compiler.lower.target import host_lanes
from autograd.compiler.rows import Array, read_rows
from autograd.compiler.run.kernel import Layout, MachineCode, Sums, memory

PIECE = BLOCK * GROUP  # lanes


class About(NamedTuple):
    """What two processes need in common to compute the same: version and C library; and how wide registers are."""

    version: str
    library: str
    lanes: int


def about() -> About:
    """What this process is."""
    version: str = sys.modules["autograd"].__version__  # the package imports this file, and not this file the package
    return About(version, " ".join([platform.machine(), *platform.libc_ver()]), host_lanes())


class Code(NamedTuple):
    """What a worker compiles, once: LLVM IR for registers of so many doubles."""

    ir: str
    layouts: Sequence[Layout]
    lanes: int


class Source(NamedTuple):
    """One of the arrays mapped over: how many elements a row has in each dimension, and where its rows come from.

    Attributes:
        name: what messages call it.
        whole: the key of all of its rows.
        keys: for each piece the key of what reads its rows, or of the rows themselves.
    """

    name: str
    shape: tuple[int, ...]
    whole: str
    keys: Sequence[str]


class Task(NamedTuple):
    """A pass over some pieces.

    Attributes:
        number: no two tasks have the same; so nobody takes the result of another one for that of this one.
        code: the key of the code.
        layout: which of its passes.
        slots: the numbers that are the same for all lanes.
        rows: how many lanes there are in all.
        first, end: which pieces.
        sources: the arrays; their keys are those of these pieces.
        threads: how many may share them.
        keep: how many bytes of rows this process may keep.
    """

    number: int
    code: str
    layout: int
    slots: Array
    rows: int
    first: int
    end: int
    sources: Sequence[Source]
    threads: int
    keep: int


class Missing(NamedTuple):
    """Instead of a result: what was not given and is not kept here."""

    keys: frozenset[str]


class Computed(NamedTuple):
    """The reductions of each piece, a row each, and what was stored by lane: the elements of rows of each result."""

    groups: Array
    stored: Sequence[Array]


class _Kept:
    """What a process keeps. Code and readers are small; of rows so many bytes as the task says."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.codes: OrderedDict[str, tuple[MachineCode, Sequence[Layout]]] = OrderedDict()
        self.readers: OrderedDict[str, Any] = OrderedDict()
        self.pieces: OrderedDict[tuple[str, int], Array] = OrderedDict()
        self.bytes = 0

    def keep_piece(self, key: tuple[str, int], piece: Array, limit: int, needed: frozenset[str]) -> None:
        """Keep rows if there is room, for which rows of other data make way. Of data that do not fit, those that were
        read first stay: they come by in the same order again and again."""
        with self.lock:
            if key in self.pieces:
                return
            for other in [k for k in self.pieces if k[0] not in needed]:
                if self.bytes + piece.nbytes <= limit:
                    break
                self.bytes -= self.pieces.pop(other).nbytes
            if self.bytes + piece.nbytes <= limit:
                self.pieces[key] = piece
                self.bytes += piece.nbytes


_kept = _Kept()
KEPT_CODES, KEPT_READERS = 64, 1024  # both are small; chosen, not measured


def _note(found: "OrderedDict[str, Any]", key: str, x: Any, limit: int) -> None:
    with _kept.lock:
        found[key] = x
        found.move_to_end(key)
        while len(found) > limit:
            found.popitem(last=False)


def compute(task: Task, supply: Mapping[str, Any]) -> Computed | Missing:
    """Run a task.

    Args:
        supply: by key, what was missing: code, readers (pickled, for another process), arrays of rows.

    Errors: RuntimeError for code that cannot run here, and for rows that cannot be read.
    """
    pieces = range(task.first, task.end)
    wanted = {(x.whole, g): key for x in task.sources for g, key in zip(pieces, x.keys, strict=True)}
    with _kept.lock:
        code = _kept.codes.get(task.code)
        found: dict[tuple[str, int], Any] = {k: _kept.pieces[k] for k in wanted if k in _kept.pieces}
        found |= {k: _kept.readers[key] for k, key in wanted.items() if k not in found and key in _kept.readers}
    absent = {k: key for k, key in wanted.items() if k not in found}
    missing = {*absent.values(), *([] if code else [task.code])} - supply.keys()
    if missing:
        return Missing(frozenset(missing))
    machine_code, layouts = code or _compiled(task.code, supply[task.code])
    layout = layouts[task.layout]
    names = {key: source.name for source in task.sources for key in source.keys}
    given = {key: _read_by(supply[key], names[key]) for key in {*absent.values()}}
    for key, x in given.items():
        if not isinstance(x, np.ndarray):
            _note(_kept.readers, key, x, KEPT_READERS)
    found |= {k: given[key] for k, key in absent.items()}
    slots, slots_at = memory(layout.slots)
    slots[:] = task.slots
    table = (ctypes.c_int64 * layout.table)()
    table[layout.entry] = task.rows
    sums = Sums(machine_code, layout, min(GROUP, -(-task.rows // BLOCK)), task.threads)
    groups = np.empty((len(pieces), layout.results))
    start, stop = task.first * PIECE, min(task.end * PIECE, task.rows)
    rows = [np.empty((stop - start, size)) for _, size, _ in layout.stored]
    for stack, (result, size, _) in zip(rows, layout.stored, strict=True):
        table[layout.entry + 1 + layout.arrays + result] = address_of(stack) - start * size * 8
    with ThreadPoolExecutor(max(1, task.threads - 1)) as pool:
        for i, piece in enumerate(pieces):
            first, last = piece * PIECE, min((piece + 1) * PIECE, task.rows)
            arrays = [_rows(task, source, piece, found[source.whole, piece], first, last) for source in task.sources]
            for entry, (array, source) in enumerate(zip(arrays, task.sources, strict=True), layout.entry + 1):
                table[entry] = address_of(array) - first * math.prod(source.shape) * 8
            ends = piece * GROUP, -(-last // BLOCK)
            sums.add(slots_at, ctypes.addressof(table), *ends, pool if task.threads > 1 else None)
            groups[i] = sums.group
            del arrays, array  # before the next ones are read
    return Computed(groups, [x[:, elements] for x, (_, _, elements) in zip(rows, layout.stored, strict=True)])


def _compiled(key: str, given: Code) -> tuple[MachineCode, Sequence[Layout]]:
    """Compile, and keep it. Two threads may compile the same at the same time, which does no harm."""
    if given.lanes > host_lanes():
        raise RuntimeError(
            f"the worker {platform.node()} has registers of {host_lanes()} doubles, and the code is for {given.lanes}: "
            "call jit again, now that this worker is there, so that the code is for what all of them have"
        )
    code = MachineCode(given.ir), given.layouts
    _note(_kept.codes, key, code, KEPT_CODES)
    return code


def _read_by(sent: Any, name: str) -> Any:
    """A reader as it was before it was sent here, or rows."""
    if not isinstance(sent, bytes):
        return sent
    try:
        return pickle.loads(sent)
    except Exception as error:
        raise RuntimeError(
            f"{name} cannot be read by the worker {platform.node()}: {type(error).__name__}: {error}. Install there "
            "what reads it here"
        ) from error


def _rows(task: Task, source: Source, piece: int, found: Any, first: int, last: int) -> Array:
    """The rows of a piece, in float64, one after another."""
    if not isinstance(found, np.ndarray):
        found = read_rows(found, source.name, source.shape, first, last)
    rows = np.ascontiguousarray(found, dtype=FLOAT64)
    _kept.keep_piece((source.whole, piece), rows, task.keep, frozenset([each.whole for each in task.sources]))
    return rows
