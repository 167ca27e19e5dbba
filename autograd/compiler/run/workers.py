"""Stage 4 on many machines: the passes of a kernel shared out over an executor; who calls does all the rest.

What is the same for all lanes is computed here, guards are looked at here, other paths are compiled here. A worker gets
a Task, which names code and rows by keys; what it does not keep it asks for. Groups are added here, in their order, so
that the result is that of one process, to the bit.
"""

import functools
import itertools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import Any

from autograd.compiler.lower.plan import BLOCK
from autograd.compiler.lower.target import Target, host_lanes, host_target
from autograd.compiler.rows import Array, Rows, content_key
from autograd.compiler.run.kernel import Buffers, Kernel, Sums
from autograd.compiler.run.pieces import PIECE, About, Code, Computed, Missing, Source, Task, about, compute

COUNT_AGAIN = 1.0  # seconds after which it is asked again which workers there are
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
        if executor is not None and not isinstance(executor, Executor):
            hint = "; of a Dask client it is client.get_executor()" if hasattr(executor, "get_executor") else ""
            raise TypeError(f"executor is a concurrent.futures.Executor, got {type(executor).__name__}{hint}")
        if keep < 0:
            raise ValueError(f"keep={keep!r}: how many bytes of rows a worker keeps is at least 0")
        self.executor, self.threads, self.keep = executor, threads, keep
        self._counted: float | None = None
        self._known: list[Any] = []

    # --- which there are ----------------------------------------------------------------------------------------------

    def target(self) -> Target:
        """What code is made for: what all workers have.

        Errors: RuntimeError for workers on which the code would not run, or not compute the same.
        """
        return host_target() if self.executor is None else host_target(self._lanes)

    @functools.cached_property
    def _lanes(self) -> int:
        here = about()
        lanes = host_lanes()
        for future in [self._submit(worker, about) for worker in self._each()]:
            there: About = self._result(future)
            for what, mine, theirs in (
                ("version of valuegrad", here.version, there.version),
                ("C library, whose functions may round differently", here.library, there.library),
            ):
                if mine != theirs:
                    raise RuntimeError(f"a worker has another {what}: {theirs}, and here {mine}; install the same")
            lanes = min(lanes, there.lanes)
        return lanes

    def _each(self) -> list[Any]:
        """For each worker the executor that reaches it; where that cannot be chosen, the executor so many times."""
        now = time.monotonic()
        if self._counted is None or now > self._counted + COUNT_AGAIN:
            self._counted, self._known = now, _executors(self.executor)
        return self._known

    # --- a call -------------------------------------------------------------------------------------------------------

    def run(
        self, kernel: Kernel, buffers: Buffers, mapped: Mapping[int, list[Any]], stacks: Mapping[int, Array]
    ) -> None:
        """Compute; inputs, table and results are in the buffers.

        Args:
            mapped: for each region its arrays, or Rows.
            stacks: for each region the array (columns, lanes) for what is stored by lane.

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
            self._share_out(kernel, n, buffers, len(arrays[0]), sources[region], supplies, stacks.get(region))

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
        supplies: Mapping[str, Any], stack: Array | None,
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
        given = {**supplies, kernel.key: Code(kernel.ir, kernel.level, kernel.layouts, kernel.plan.target.lanes)}
        sums = Sums(kernel.code, layout, 1, 1)
        for task, computed in zip(tasks, self._all_computed(tasks, workers, given), strict=True):
            for i, group in enumerate(computed.groups, task.first):
                sums.add_group(i, group)
            if stack is not None and layout.columns:
                first = task.first * PIECE
                stack[list(layout.columns), first : first + computed.stored.shape[1]] = computed.stored
        sums.finish(buffers.slots_at, -(-rows // BLOCK))

    def _all_computed(self, tasks: Sequence[Task], workers: list[Any], given: Mapping[str, Any]) -> list[Computed]:
        """The results of all tasks. If one fails, or Ctrl-C comes, the others are called off."""
        supply: list[dict[str, Any]] = [{} for _ in tasks]
        waiting = {self._submit(workers[i], compute, task, supply[i]): i for i, task in enumerate(tasks)}
        results: dict[int, Computed] = {}
        try:
            while waiting:
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    i = waiting.pop(future)
                    found = self._result(future)
                    if isinstance(found, Missing):
                        supply[i] |= {key: _sent(given[key]) for key in found.keys}
                        waiting[self._submit(workers[i], compute, tasks[i], supply[i])] = i
                    else:
                        results[i] = found
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
        return [results[i] for i in range(len(tasks))]

    # --- the executor -------------------------------------------------------------------------------------------------

    def _submit(self, worker: Any, f: Any, *args: Any) -> "Future[Any]":
        if worker is None:
            done: Future[Any] = Future()
            done.set_result(f(*args))
            return done
        try:
            return worker.submit(f, *args)
        except RuntimeError as error:  # it is shut down, or a worker process ended
            raise _unusable(error) from error

    def _result(self, future: "Future[Any]") -> Any:
        try:
            return future.result()
        except BrokenExecutor as error:
            raise _unusable(error) from error
        except ImportError as error:
            raise RuntimeError(
                f"a worker cannot run compiled code: {error}. Install valuegrad with its extra `jit` on every worker"
            ) from error


def _unusable(error: Exception) -> RuntimeError:
    return RuntimeError(
        f"the executor takes no more work: {error!s:.300}. Give jit a new one; a script that starts processes does so "
        'under `if __name__ == "__main__":`. Dask, client.get_executor(), goes on when a worker is lost'
    )


def _sent(x: Any) -> Any:
    return x.pickled() if type(x) is Rows else x


def _executors(executor: Any) -> list[Any]:
    """For each worker the executor that reaches it, as far as that can be known."""
    if executor is None:
        return [None]
    if type(executor).__module__.startswith("distributed"):  # of Dask: each worker has the same rows again
        client = executor._client
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            client.wait_for_workers(1)
            return _executors(executor)
        return [
            client.get_executor(pure=False, workers=[address], allow_other_workers=True)
            for address, worker in sorted(workers.items())
            for _ in range(worker["nthreads"])
        ]
    count = getattr(executor, "num_workers", None) or getattr(executor, "_max_workers", None) or 1
    return [executor] * count
