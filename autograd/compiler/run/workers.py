"""Stage 4 on many machines: the passes of a kernel shared out over an executor; who calls does all the rest.

What is the same for all lanes is computed here, guards are looked at here, other paths are compiled here. A worker gets
a Task, which names code and rows by keys; what it does not keep it asks for. Groups are added here, in their order, so
that the result is that of one process, to the bit.
"""

import functools
import itertools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from typing import Any, NamedTuple

from autograd.compiler.lower.plan import BLOCK
from autograd.compiler.lower.target import Target, host_lanes, host_target
from autograd.compiler.rows import Array, Rows, content_key
from autograd.compiler.run.kernel import Buffers, Kernel, Sums
from autograd.compiler.run.pieces import PIECE, About, Code, Computed, Missing, Source, Task, about, compute

COUNT_AGAIN = 1.0  # seconds after which it is asked again which workers there are
PATIENCE = 60.0  # seconds without any worker before a call gives up; a nanny takes some 2 to start one anew
_numbers = itertools.count()


class Worker(NamedTuple):
    """Who takes a share: an executor, or None for this process; and which of its workers, where that can be chosen."""

    executor: Any
    address: str = ""


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

    def _each(self) -> list[Worker]:
        """All workers; counted anew after a while."""
        now = time.monotonic()
        if self._counted is None or now > self._counted + COUNT_AGAIN:
            self._counted, self._known = now, _all_of(self.executor)
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

    def _all_computed(self, tasks: Sequence[Task], workers: list[Worker], given: Mapping[str, Any]) -> list[Computed]:
        """The results of all tasks. If one fails, or Ctrl-C comes, the others are called off."""
        supply: list[dict[str, Any]] = [{} for _ in tasks]
        takers = workers[: len(tasks)]
        waiting: dict[Future[Any], int] = {}
        results: dict[int, Computed] = {}

        def submit(i: int) -> None:
            waiting[self._submit(takers[i], compute, tasks[i], supply[i])] = i

        try:
            for i in range(len(tasks)):
                submit(i)
            while waiting:
                done = wait(waiting, COUNT_AGAIN, FIRST_COMPLETED).done
                for future in done:
                    i = waiting.pop(future)
                    found = self._result(future)
                    if isinstance(found, Missing):
                        supply[i] |= {key: _sent(given[key]) for key in found.keys}
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
        return [results[i] for i in range(len(tasks))]

    # --- the executor -------------------------------------------------------------------------------------------------

    def _submit(self, worker: Worker, f: Any, *args: Any) -> "Future[Any]":
        if worker.executor is None:
            done: Future[Any] = Future()
            done.set_result(f(*args))
            return done
        try:
            future: Future[Any] = worker.executor.submit(f, *args)
        except RuntimeError as error:  # it is shut down, or a worker process ended
            raise _unusable(error) from error
        return future

    def _result(self, future: "Future[Any]") -> Any:
        try:
            return future.result()
        except (BrokenExecutor, CancelledError) as error:
            raise _unusable(error) from error
        except ImportError as error:
            raise RuntimeError(
                f"a worker cannot run compiled code: {error}. Install valuegrad with its extra `jit` on every worker"
            ) from error
        except Exception as error:
            if not type(error).__module__.startswith("distributed."):
                raise
            raise RuntimeError(
                f"the cluster gave up on a share of the work: {error!s:.400} If workers run out of memory, give them "
                "more, or give jit a smaller `keep`"
            ) from error


def _unusable(error: Exception) -> RuntimeError:
    return RuntimeError(
        f"the executor takes no more work: {str(error) or type(error).__name__:.300}. Give jit a new one; a script "
        'that starts processes does so under `if __name__ == "__main__":`. Dask, client.get_executor(), goes on when a '
        "worker is lost"
    )


def _sent(x: Any) -> Any:
    return x.pickled() if type(x) is Rows else x


def _all_of(executor: Any) -> list[Worker]:
    """The workers of an executor, as far as they can be known; those of Dask so that each gets the same rows again.

    Errors: RuntimeError for a cluster without workers.
    """
    if executor is None:
        return [Worker(None)]
    if not type(executor).__module__.startswith("distributed"):
        count = getattr(executor, "num_workers", None) or getattr(executor, "_max_workers", None) or 1
        return [Worker(executor)] * count
    client = executor._client
    while not (found := client.scheduler_info(n_workers=-1)["workers"]):
        try:
            client.wait_for_workers(1, PATIENCE)
        except TimeoutError as error:
            raise RuntimeError(
                f"the cluster has had no workers for {PATIENCE:g} s: start some, by the `scale` of a Dask cluster or "
                "by `dask worker ADDRESS`, whose nanny starts those anew that end"
            ) from error
    return [
        Worker(client.get_executor(pure=False, workers=[address], allow_other_workers=True), address)
        for address, worker in sorted(found.items())
        for _ in range(worker["nthreads"])
    ]
