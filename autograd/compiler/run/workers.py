"""Stage 4 on many machines: the passes of a kernel shared out over an executor; who calls does all the rest.

What is the same for all lanes is computed here, guards are looked at here, other paths are compiled here. A worker gets
a Task, which names code and rows by keys; what it does not keep it asks for. Groups are added here, in their order, so
that the result is that of one process, to the bit.
"""

import functools
import itertools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from autograd.compiler.lower.plan import BLOCK
from autograd.compiler.lower.target import Target, host_lanes, host_target
from autograd.compiler.rows import Array, Rows, content_key
from autograd.compiler.run.executors import Worker, check_executor, workers_of
from autograd.compiler.run.kernel import Buffers, Kernel, Sums
from autograd.compiler.run.pieces import PIECE, Code, Computed, Missing, Source, Task, about, compute

COUNT_AGAIN = 1.0  # seconds after which it is asked again which workers there are
# What a worker is. As text, since one without this package could not read the function: Dask would end that worker.
ABOUT = "tuple(__import__('autograd.compiler.run.pieces', fromlist=['about']).about())"
_numbers = itertools.count()


class Workers:
    """Who runs passes over lanes.

    Args:
        executor: any executor; None for this process alone.
        threads: that share a batch in one process.
        keep: how many bytes of rows a process keeps.

    Errors: TypeError for anything but an executor; ValueError for a negative `keep`.
    """

    def __init__(self, executor: Any = None, threads: int | None = None, keep: int = 0):
        check_executor(executor)
        if keep < 0:
            raise ValueError(f"keep={keep!r}: how many bytes of rows a worker keeps is at least 0")
        self.executor, self.threads, self.keep = executor, threads, keep
        self._counted: float | None = None
        self._known: list[Worker] = []

    # --- which there are ----------------------------------------------------------------------------------------------

    def target(self) -> Target:
        """What code is made for: what all workers have.

        Errors: RuntimeError for workers on which the code would not run, or not compute the same.
        """
        return host_target() if self.executor is None else host_target(self._lanes)

    @functools.cached_property
    def _lanes(self) -> int:
        here = about()
        workers = self._each()
        narrowest = host_lanes()
        for version, library, lanes, *_ in self._answers([(eval, ABOUT) for _ in workers], workers, {}):
            for what, mine, theirs in (
                ("version of valuegrad", here.version, version),
                ("C library, whose functions may round differently", here.library, library),
            ):
                if mine != theirs:
                    raise RuntimeError(f"a worker has another {what}: {theirs}, and here {mine}; install the same")
            narrowest = min(narrowest, lanes)
        return narrowest

    def _each(self) -> list[Worker]:
        """All workers; counted anew after a while."""
        now = time.monotonic()
        if self._counted is None or now > self._counted + COUNT_AGAIN:
            self._counted, self._known = now, workers_of(self.executor)
        return self._known

    # --- a call -------------------------------------------------------------------------------------------------------

    def run(
        self, kernel: Kernel, buffers: Buffers, mapped: Mapping[int, list[Any]], stacks: Mapping[int, Sequence[Array]]
    ) -> None:
        """Compute; inputs, table and results are in the buffers.

        Args:
            mapped: for each region its arrays, or Rows.
            stacks: for each region the arrays (lanes, elements) for what is stored by lane.

        Errors: RuntimeError for rows that cannot be read, and for workers that are not there, or not fit.
        """
        sources: dict[int, list[Source]] = {}
        supplies: dict[str, Any] = {}

        def run_pass(n: int) -> None:
            region = kernel.plan.passes[n].region
            arrays = mapped[region]
            if len(arrays[0]) <= PIECE and not any(type(x) is Rows for x in arrays):
                kernel.run_pass(n, buffers, 1, None)
                return
            if region not in sources:
                sources[region] = [self._source(x, supplies) for x in arrays]
            self._share_out(kernel, n, buffers, len(arrays[0]), sources[region], supplies, stacks.get(region, ()))

        kernel.run_passes(buffers, run_pass)

    def _source(self, array: Any, supplies: dict[str, Any]) -> Source:
        pieces = -(-len(array) // PIECE)
        if type(array) is Rows:
            supplies[array.key] = array
            return Source(array.name, array.shape[1:], array.key, [array.key] * pieces)
        parts = [array[i * PIECE : (i + 1) * PIECE] for i in range(pieces)]
        keys = [content_key(part) for part in parts]
        supplies.update(zip(keys, parts, strict=True))
        return Source("an array", array.shape[1:], " ".join(keys), keys)

    def _share_out(
        self, kernel: Kernel, n: int, buffers: Buffers, rows: int, sources: Sequence[Source],
        supplies: Mapping[str, Any], stacks: Sequence[Array],
    ) -> None:  # fmt: skip
        """A pass: to each worker as many pieces, and what they give added in order."""
        pieces, layout, workers = -(-rows // PIECE), kernel.layouts[n], self._each()
        share = min(len(workers), pieces)
        bounds = [pieces * i // share for i in range(share + 1)]
        threads = (kernel.threads if self.executor is None else self.threads) or 1
        slots = buffers.slots[: layout.slots].copy()
        tasks = [
            Task(
                next(_numbers), kernel.key, n, slots, rows, first, end,
                [source._replace(keys=source.keys[first:end]) for source in sources], threads, self.keep,
            )
            for first, end in itertools.pairwise(bounds)
        ]  # fmt: skip
        given = {**supplies, kernel.key: Code(kernel.ir, kernel.layouts, kernel.plan.target.lanes)}
        calls: list[tuple[Any, ...]] = [(compute, task, {}) for task in tasks]
        computed: Computed
        sums = Sums(kernel.code, layout, 1, 1)
        for task, computed in zip(tasks, self._answers(calls, workers, given), strict=True):
            for i, group in enumerate(computed.groups, task.first):
                sums.add_group(i, group)
            for (result, _, elements), rows_there in zip(layout.stored, computed.stored, strict=True):
                first = task.first * PIECE
                stacks[result][first : first + len(rows_there), elements] = rows_there
        sums.finish(buffers.slots_at, -(-rows // BLOCK))

    def _answers(
        self, calls: Sequence[tuple[Any, ...]], workers: Sequence[Worker], given: Mapping[str, Any]
    ) -> list[Any]:
        """The results of all calls. If one fails, or Ctrl-C comes, the others are called off.

        Args:
            calls: for each of as many workers a function and its arguments, of which the last may be a supply.
            given: from what keys that are missing are supplied.
        """
        takers = list(workers[: len(calls)])
        waiting: dict[Future[Any], int] = {}
        results: dict[int, Any] = {}

        def submit(i: int) -> None:
            waiting[takers[i].submit(*calls[i])] = i

        try:
            for i in range(len(calls)):
                submit(i)
            while waiting:
                done = wait(waiting, COUNT_AGAIN, FIRST_COMPLETED).done
                for future in done:
                    i = waiting.pop(future)
                    found = takers[i].result(future)
                    if isinstance(found, Missing):
                        calls[i][-1].update({key: self._sent(given[key]) for key in found.keys})
                        submit(i)
                    else:
                        results[i] = found
                if not done:
                    there = self._each()
                    for future, i in list(waiting.items()):
                        if takers[i].address not in {worker.address for worker in there}:
                            # Dask gives it to another worker, but never if there was none at that moment
                            del waiting[future]
                            future.cancel()
                            takers[i] = there[i % len(there)]
                            submit(i)
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
        return [results[i] for i in range(len(calls))]

    def _sent(self, x: Any) -> Any:
        if type(x) is Rows:
            return x.reader if self.executor is None else x.pickled()
        return x
