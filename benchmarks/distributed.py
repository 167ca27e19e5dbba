"""What it costs to share out a step over processes, from how many rows on it pays, and what memory it takes.

    python -m pip install ".[cluster]" jax
    python -m benchmarks.distributed            # all tables; --only NAME for one of them

A step is the loss and all gradients of a network over rows of a memory map. Before anything is timed, the numbers are
compared, those of ours to the last bit. Times are medians, with everybody taking turns.
"""

import contextlib
import functools
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd import jit, rows, value_and_grad, vmap

sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/distributed.py serves as well

from benchmarks.jit import Step, data, loss_in_jax, loss_of_sample, memory, run, with_numpy
from benchmarks.table import Table, command_line, measure

MOONS = [2, 16, 16, 1]
NETWORKS = {"2-4-4-1": range(18, 25), "2-16-16-1": range(18, 25), "2-64-64-1": range(18, 22)}  # powers of 2 of rows
ROWS = 4_000_000
EFFICIENCY = 0.85  # of two workers beside two threads, to reach
PIECE, PIECES, FEATURES = 2**18, 228, 8  # of the data set larger than memory, of 4 GiB
LIMIT = 2**30  # bytes of memory for it


@contextlib.contextmanager
def dask_workers(count: int, **options: Any) -> Iterator[Any]:
    """A client of so many workers on this machine."""
    import dask
    from dask.distributed import Client, LocalCluster

    # by default memory goes back to the system after each array, for which NumPy by hand takes four times as long
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": {}}),
        LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0", **options) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextlib.contextmanager
def workers(count: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A client of Dask, and executors by their names."""
    with (
        ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool,
        dask_workers(count) as client,
    ):
        yield client, {"process pool": pool, "Dask": client.get_executor()}


@contextlib.contextmanager
def on_disk(n: int, sizes: list[int]) -> Iterator[tuple[Any, Any, Any]]:
    """Parameters, and samples and labels as memory maps."""
    theta, *arrays = data(n, sizes)
    with tempfile.TemporaryDirectory() as folder:
        for name, array in zip("Xy", arrays, strict=True):
            np.save(Path(folder, name), array)
        X, y = (np.load(f"{folder}/{name}.npy", mmap_mode="r") for name in "Xy")
        yield theta, X, y


def medians(calls: Mapping[str, Callable[[], Any]], rounds: int = 7) -> dict[str, float]:
    """Milliseconds of each; first calls are not counted."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            taken[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def steps(sizes: list[int], executors: dict[str, Any], theta: Any, X: Any, y: Any) -> dict[str, Step]:
    """A step by one and by two threads, and by each executor, their numbers found equal."""
    f = value_and_grad(vmap(loss_of_sample("relu", sizes), in_axes=(None, 0, 0), reduce="mean"))
    compiled = {"1 thread": jit(f, threads=1), "2 threads": jit(f, threads=2)}
    compiled |= {f"{name}, 2 workers": jit(f, executor=executor) for name, executor in executors.items()}
    expected, expected_gradient = compiled["1 thread"](theta, X, y)
    for name, step in compiled.items():
        value, gradient = step(theta, X, y)
        assert value == expected, name
        assert np.array_equal(gradient, expected_gradient), name
    return {name: functools.partial(step, theta, X, y) for name, step in compiled.items()}


# --- the same by hand -------------------------------------------------------------------------------------------------


def part(path: str, first: int, last: int) -> Any:
    """Rows of a file, read where this is called; always with two dimensions."""
    return np.array(np.load(path, mmap_mode="r")[first:last]).reshape(last - first, -1)


def sums_by_numpy(X: Any, y: Any, theta: Any, block: int = 4000) -> Any:
    """Loss and gradient, added over the rows, in blocks that stay in the cache: the quickest of several sizes."""
    total = np.zeros((1, 1 + len(theta)))
    for i in range(0, len(X), block):
        loss, gradient = with_numpy(theta, X[i : i + block], y[i : i + block, 0], "relu", MOONS)()
        total += np.append(loss, gradient) * len(X[i : i + block])
    return total


def with_dask_array(client: Any, theta: Any, X: Any, y: Any) -> Step:
    """Each worker holds a part; a task for each part, and one that adds what they give."""
    import dask.array as da
    from dask.delayed import delayed

    addresses = list(client.ncores())
    held = []
    for address, (first, last) in zip(addresses, parts(len(X), len(addresses)), strict=True):
        read = [delayed(part)(array.filename, first, last) for array in (X, y)]
        arrays = [da.from_delayed(r, (last - first, n), float) for r, n in zip(read, (X.shape[1], 1), strict=True)]
        held.append(client.persist(arrays, workers=[address]))
    all_X, all_y = (da.concatenate(each) for each in zip(*held, strict=True))

    def step() -> tuple[float, Any]:
        size = 1 + len(theta)
        each = da.map_blocks(sums_by_numpy, all_X, all_y, theta=theta, dtype=float, chunks=(1, size))
        total = each.sum(axis=0).compute() / len(X)
        return total[0], total[1:]

    return step


def parts(n: int, count: int) -> list[tuple[int, int]]:
    return list(pairwise(n * i // count for i in range(count + 1)))


def jax_of_part(X: str, y: str, first: int, last: int, block: int = 1000) -> Callable[[Any], Any]:
    """Loss and gradient, added over the rows, a block at a time: the quickest of several sizes."""
    import jax

    loss = loss_in_jax("relu", MOONS)
    shapes = {X: (-1, block, MOONS[0]), y: (-1, block)}
    blocks = [jax.numpy.asarray(part(path, first, last).reshape(shape)) for path, shape in shapes.items()]

    @jax.jit
    def total(theta: Any, X: Any, y: Any) -> Any:
        def add(so_far: Any, block: Any) -> tuple[Any, None]:
            return jax.tree.map(jax.numpy.add, so_far, jax.value_and_grad(loss)(theta, *block)), None

        return jax.lax.scan(add, (0.0, jax.numpy.zeros_like(theta)), (X, y))[0]

    return lambda theta: np.hstack(total(theta, *blocks)) * block


def with_jax(client: Any, theta: Any, X: Any, y: Any) -> Step:
    """Each worker holds a part and what it compiled for it; a task for each."""
    addresses = list(client.ncores())
    held = [
        client.submit(jax_of_part, X.filename, y.filename, *ends, workers=[address])
        for address, ends in zip(addresses, parts(len(X), len(addresses)), strict=True)
    ]

    def called(f: Any, theta: Any) -> Any:
        return f(theta)

    def step() -> tuple[float, Any]:
        futures = [
            client.submit(called, f, theta, workers=[address], pure=False)
            for f, address in zip(held, addresses, strict=True)
        ]
        total = sum(client.gather(futures)) / len(X)
        return total[0], total[1:]

    return step


# --- tables -----------------------------------------------------------------------------------------------------------


def overhead() -> Table:
    """A step whose arithmetic is next to nothing: two pieces, one operation a row."""
    n = 300_000
    title = f"Milliseconds a step for a kernel with next to no arithmetic, {n:,} rows"
    table = Table(title, "what", "1 worker", "2 workers")
    f = vmap(lambda x: x, reduce="sum")
    cells: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", np.ones(n))
        x = np.load(f"{folder}/x.npy", mmap_mode="r")
        for count in (1, 2):
            with workers(count) as (_, executors):
                compiled = {"this process": jit(f)} | {name: jit(f, executor=e) for name, e in executors.items()}
                assert {step(x) for step in compiled.values()} == {float(n)}
                times = medians({name: functools.partial(step, x) for name, step in compiled.items()}, 50)
            for name, spent in times.items():
                cells.setdefault(name, []).append(f"{spent:.2f}")
    for name, row in cells.items():
        table.row(name, *row)
    return table


def by_hand() -> Table:
    """What two workers reach of what two threads do, and what one would write without this package on the same two."""
    title = f"A step of the moons network, {ROWS:,} rows"
    table = Table(title, "what", "time", "beside 2 threads", "to reach")
    with on_disk(ROWS, MOONS) as arguments, workers(2) as (client, executors):
        calls = steps(MOONS, executors, *arguments)
        by_hand = "by hand on Dask's 2 workers"
        hands = {f"{by_hand}, dask.array and NumPy": with_dask_array(client, *arguments)}
        if find_spec("jax"):
            hands[f"{by_hand}, JAX jit"] = with_jax(client, *arguments)
        expected = calls["1 thread"]()
        for name, step in hands.items():
            for found, right in zip(step(), expected, strict=True):
                np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-12, err_msg=name)
        times = medians(calls | hands)
        for name, spent in times.items():
            efficiency = times["2 threads"] / spent
            ours = "2 workers" in name and name in calls
            table.exceeded |= ours and efficiency < EFFICIENCY
            goal = f"at least {EFFICIENCY}" if ours else ""
            table.row(name, f"{spent:.0f} ms", f"{efficiency:.2f}", goal)
    return table


def crossover() -> Table:
    """Steps over more and more rows, by workers and by threads of one process."""
    title = "Milliseconds a step by the number of rows; from which on two workers take a tenth less time than threads"
    table: Table | None = None
    with workers(2) as (_, executors):
        for network, powers in NETWORKS.items():
            sizes, counts = [int(w) for w in network.split("-")], [2**k for k in powers]
            times: dict[str, list[float]] = {}
            for n in counts:
                with on_disk(n, sizes) as arguments:
                    for name, spent in medians(steps(sizes, executors, *arguments), 5).items():
                        times.setdefault(name, []).append(spent)
                table = table or Table(title, "network", "rows", *times)
                table.row(network, f"{n:,}", *(f"{column[-1]:.2f}" for column in times.values()))
            assert table
            for threads in ("1 thread", "2 threads"):
                first = [
                    pays_from(counts, of_workers, times[threads]) if "workers" in name else ""
                    for name, of_workers in times.items()
                ]
                table.row(network, f"beside {threads}", *first)
    assert table
    return table


def pays_from(counts: list[int], ours: list[float], others: list[float]) -> str:
    """The first number of rows from which on ours always took less than nine tenths."""
    behind = [i for i in range(len(counts)) if ours[i] > 0.9 * others[i]]
    first = behind[-1] + 1 if behind else 0
    return f"from {counts[first]:,}" if first < len(counts) else "never"


# --- memory -----------------------------------------------------------------------------------------------------------


def memory_limited() -> Table:
    """Training on a data set that is four times as large as the memory."""
    size = PIECES * PIECE * (FEATURES + 1) * 8
    title = f"fit of {PIECES * PIECE:,} rows in files of {gib(size)}, in {gib(LIMIT)} of memory"
    table = Table(title, "what", "peak of memory", "an epoch")
    # else pyarrow and the threads of the C library reserve gigabytes of addresses that they never use
    allocators = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1"}
    for kind in ("npy", "parquet"):
        with tempfile.TemporaryDirectory() as folder:
            if shutil.disk_usage(folder).free < size + LIMIT:
                raise SystemExit(f"{folder} has less than {gib(size + LIMIT)} of room; TMPDIR names another folder")
            write_samples(folder, kind)
            for what, *arguments in (
                ("full batch", None, False),
                ("minibatches of 10,000", 10_000, False),
                ("full batch, Dask, 2 workers", None, True),
            ):
                code = f"import benchmarks.distributed as d; d.print_limited_run({folder!r}, {kind!r}, *{arguments})"
                seconds, megabytes = map(float, run(code, allocators).split())
                table.row(f"{kind}, {what}", f"{megabytes:.0f} MiB", f"{seconds:.1f} s")
    table.note(
        "of one process the address space is limited (ulimit -v); of two workers of Dask the memory of each to half as "
        "much (memory_limit), and their peaks and the caller's are added; what the system caches of files is not in it"
    )
    return table


def gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


def write_samples(folder: str, kind: str) -> None:
    """Features and a target that is no linear function of them, piece by piece."""
    rng = np.random.default_rng(0)
    names = [*(f"x{j}" for j in range(FEATURES)), "y"]
    with contextlib.ExitStack() as stack:
        if kind == "parquet":
            from pyarrow import float64, parquet, schema, table

            columns = schema([(name, float64()) for name in names])
            file = stack.enter_context(parquet.ParquetWriter(f"{folder}/t.parquet", columns, use_dictionary=False))
        else:
            opened = functools.partial(np.lib.format.open_memmap, mode="w+", dtype=float)
            X_file = opened(f"{folder}/X.npy", shape=(PIECES * PIECE, FEATURES))
            y_file = opened(f"{folder}/y.npy", shape=(PIECES * PIECE,))
        for i in range(PIECES):
            X = rng.normal(size=(PIECE, FEATURES))
            y = np.tanh(X @ np.linspace(-1, 1, FEATURES))
            if kind == "parquet":
                file.write_table(table([*X.T, y], schema=columns), row_group_size=PIECE // 4)
            else:
                X_file[i * PIECE : (i + 1) * PIECE], y_file[i * PIECE : (i + 1) * PIECE] = X, y


def print_limited_run(folder: str, kind: str, batch_size: int | None, cluster: bool, epochs: int = 2) -> None:
    """Train with little memory; seconds an epoch, and megabytes that were taken at most."""
    if kind == "parquet":
        X, y = rows(f"{folder}/t.parquet", [f"x{j}" for j in range(FEATURES)]), rows(f"{folder}/t.parquet", "y")
    else:
        X, y = rows(f"{folder}/X.npy"), rows(f"{folder}/y.npy")
    model = nn.MLP(FEATURES, [8, 1], activation="tanh", rng=0)
    options: dict[str, Any] = {"optimizer": nn.Adam(0.05), "batch_size": batch_size, "keep": LIMIT // 16}
    if cluster:
        with dask_workers(2, memory_limit=LIMIT // 2) as client:
            history = nn.fit(model, X, y, epochs=epochs, progress=False, executor=client.get_executor(), **options)
            peaks = list(client.run(memory, "VmHWM").values())
    else:
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
        history, peaks = nn.fit(model, X, y, epochs=epochs, progress=False, **options), []
    assert history.loss[-1] < history.loss[0], history.loss
    print(history.seconds / epochs, memory("VmHWM") + sum(peaks))


TABLES = {"overhead": overhead, "by-hand": by_hand, "crossover": crossover, "memory": memory_limited}

if __name__ == "__main__":
    options = command_line(__file__, "What it costs to share out a step.", TABLES).parse_args()
    sys.exit(measure(__file__, options, TABLES))
