"""Executors: which workers they have, what these answer, and what to do about one that does not."""

from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any, NamedTuple

PATIENCE = 60.0  # seconds without any worker before a call gives up; a nanny takes some 2 to start one anew


def check_executor(executor: Any) -> None:
    """Errors: TypeError for anything but an executor, or None."""
    if executor is None or isinstance(executor, Executor):
        return
    if isinstance(executor, type) and issubclass(executor, Executor):
        got = f"the class {executor.__name__}: call it, {executor.__name__}(), for one"
    elif hasattr(executor, "get_executor"):
        got = f"{type(executor).__name__}; of a Dask client it is client.get_executor()"
    else:
        got = f"{type(executor).__name__}: give a ProcessPoolExecutor(), or Dask's Client().get_executor()"
    raise TypeError(f"executor is a concurrent.futures.Executor, got {got}")


class Worker(NamedTuple):
    """Who takes a share: an executor, or None for this process; and which of its workers, where that can be chosen."""

    executor: Any
    address: str = ""

    def submit(self, f: Any, *args: Any) -> "Future[Any]":
        """Have f called there. Errors: RuntimeError for an executor that takes no more work."""
        if self.executor is None:
            done: Future[Any] = Future()
            done.set_result(f(*args))
            return done
        chosen = {"workers": [self.address], "allow_other_workers": True, "pure": False} if self.address else {}
        try:
            future: Future[Any] = self.executor.submit(f, *args, **chosen)
        except Exception as error:
            if isinstance(error, RuntimeError) or _is_of_dask(error):
                raise self._unusable(str(error) or type(error).__name__) from error
            raise
        return future

    def result(self, future: "Future[Any]") -> Any:
        """What it answers.

        Errors: RuntimeError for an executor that takes no more work, and a worker that cannot do it; what f raised.
        """
        try:
            return future.result()
        except (BrokenExecutor, CancelledError) as error:
            raise self._unusable(str(error) or "it called off what was asked of it") from error
        except (ImportError, AttributeError) as error:
            raise RuntimeError(
                f"a worker cannot run compiled code: {error}. Install the same valuegrad with its extra `jit` on every "
                "worker"
            ) from error
        except Exception as error:
            if not _is_of_dask(error):
                raise
            raise RuntimeError(
                f"the cluster gave up on a share of the work: {error!s:.400} If workers run out of memory, give them "
                "more, or a smaller `keep`"
            ) from error

    def _unusable(self, why: str) -> RuntimeError:
        advice = (
            "If its Dask client was closed, or its scheduler ended, connect another one and give its get_executor()"
            if _is_of_dask(self.executor)
            else 'Give a new one; a script that starts processes does so under `if __name__ == "__main__":`. Dask, '
            "client.get_executor(), goes on when a worker is lost"
        )
        return RuntimeError(f"the executor takes no more work: {why.rstrip('.'):.300}. {advice}")


def workers_of(executor: Any) -> list[Worker]:
    """The workers of an executor, as far as they can be known; those of Dask so that each gets the same rows again.

    Errors: RuntimeError for a cluster without workers, or that is gone.
    """
    if executor is None:
        return [Worker(None)]
    if not _is_of_dask(executor):
        count = getattr(executor, "num_workers", None) or getattr(executor, "_max_workers", None) or 1
        return [Worker(executor)] * count
    client = executor._client
    while not (found := client.scheduler_info(n_workers=-1).get("workers")):
        if client.status != "running":
            raise Worker(executor)._unusable(f"its client is {client.status}")
        try:
            client.wait_for_workers(1, PATIENCE)
        except TimeoutError as error:
            raise RuntimeError(
                f"the cluster has had no workers for {PATIENCE:g} s: start some, by the `scale` of a Dask cluster or "
                "by `dask worker ADDRESS`, whose nanny starts those anew that end"
            ) from error
    return [Worker(executor, address) for address, worker in sorted(found.items()) for _ in range(worker["nthreads"])]


def _is_of_dask(x: Any) -> bool:
    return type(x).__module__.partition(".")[0] == "distributed"
