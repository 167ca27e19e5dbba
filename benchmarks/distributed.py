"""What it costs to share out a step over processes, by the number of rows.

    python -m pip install ".[cluster]"
    python -m benchmarks.distributed            # all tables; --only NAME for one of them

A step is the loss and all gradients of the moons network (2-16-16-1, 337 parameters) over rows of a memory map. Before
anything is timed, the numbers are compared, to the last bit. Times are medians.
"""

import contextlib
import functools
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from dask.distributed import Client, LocalCluster

from autograd import jit, value_and_grad, vmap
from benchmarks.jit import loss_of_sample
from benchmarks.table import Table, command_line, measure

SIZES = (300_000, 1_000_000, 4_000_000)
STEPS = 5


@contextlib.contextmanager
def processes(count: int) -> Iterator[Any]:
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextlib.contextmanager
def dask(count: int) -> Iterator[Any]:
    cluster = LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        yield client.get_executor()


ENGINES: dict[str, Callable[[int], Any]] = {"process pool": processes, "Dask": dask}


def milliseconds(step: Callable[[], Any], steps: int = STEPS) -> float:
    step()
    taken = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        taken.append(time.perf_counter() - start)
    return 1e3 * statistics.median(taken)


def overhead() -> Table:
    """A step whose arithmetic is next to nothing: two pieces, one operation a row."""
    title = "Milliseconds a step for a kernel with next to no arithmetic, 300 000 rows"
    table = Table(title, "what", "1 worker", "2 workers")
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", np.ones(SIZES[0]))
        x = np.load(f"{folder}/x.npy", mmap_mode="r")
        f = vmap(lambda x: x, reduce="sum")
        here = jit(f)
        table.row("this process", f"{milliseconds(lambda: here(x)):.2f}")
        for name, engine in ENGINES.items():
            cells = []
            for count in (1, 2):
                with engine(count) as executor:
                    there = jit(f, executor=executor)
                    assert there(x) == here(x)
                    cells.append(f"{milliseconds(functools.partial(there, x), 50):.2f}")
            table.row(name, *cells)
    return table


def rows() -> Table:
    """Steps over more and more rows, by two workers and by two threads of one process."""
    columns = ["rows", "1 thread", "2 threads", *[f"{name}, 2 workers" for name in ENGINES]]
    table = Table("Milliseconds a step of the moons network", *columns)
    loss = loss_of_sample("relu", [2, 16, 16, 1])
    f = value_and_grad(vmap(loss, in_axes=(None, 0, 0), reduce="mean"))
    rng = np.random.default_rng(0)
    theta = rng.normal(size=337) / 4
    for n in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            for name, array in (("X", rng.normal(size=(n, 2))), ("y", rng.choice([-1.0, 1.0], n))):
                np.save(Path(folder, name), array)
            X, y = (np.load(f"{folder}/{name}.npy", mmap_mode="r") for name in "Xy")
            expected = jit(f, threads=1)(theta, X, y)

            def timed(step: Any, X: Any = X, y: Any = y, expected: Any = expected) -> str:
                value, gradient = step(theta, X, y)
                assert value == expected[0]
                assert np.array_equal(gradient, expected[1])
                return f"{milliseconds(lambda: step(theta, X, y)):.0f}"

            cells = [timed(jit(f, threads=threads)) for threads in (1, 2)]
            for engine in ENGINES.values():
                with engine(2) as executor:
                    cells.append(timed(jit(f, executor=executor)))
            table.row(f"{n:,}", *cells)
    return table


TABLES = {"overhead": overhead, "rows": rows}

if __name__ == "__main__":
    options = command_line(__file__, "What it costs to share out a step.", TABLES).parse_args()
    sys.exit(measure(__file__, options, TABLES))
