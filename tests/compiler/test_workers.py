"""jit on data in pieces, here and on workers: the results are those of one process, to the bit."""

import os
import pickle
import random
import signal
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import ClassVar

import dask.array
import numpy as np
import pyarrow
import pytest
import zarr
from dask.distributed import Client, LocalCluster
from hypothesis import given, settings, strategies as st
from pyarrow import parquet
from strategies import expressions

from autograd import dot, exp, jit, log, relu, rows, sqrt, value_and_grad, vmap
from autograd.compiler.lower import plan, reduction_kernels
from autograd.compiler.lower.target import host_lanes
from autograd.compiler.rows import Rows
from autograd.compiler.run import executors, kernel, pieces, workers
from nn import MLP, accuracy, fit
from tests.compiler.conftest import same_bits
from tests.compiler.test_primitives import EXACT
from tests.compiler.test_random_programs import BLOCKS, function_of, run

ROWS = 2 * pieces.PIECE + 100_001


class Pickling(Executor):
    """Runs at once what has gone through pickle, as it would to another process, and counts the bytes."""

    def __init__(self, workers=1):
        self.num_workers, self.sent, self.received, self.tasks = workers, 0, 0, 0

    def submit(self, f, /, *args, **kwargs):
        future = Future()
        try:
            sent = pickle.dumps((f, args))
            f, args = pickle.loads(sent)
            received = pickle.dumps(f(*args))
        except Exception as error:
            future.set_exception(pickle.loads(pickle.dumps(error)))
            return future
        self.sent, self.received, self.tasks = self.sent + len(sent), self.received + len(received), self.tasks + 1
        future.set_result(pickle.loads(received))
        return future


class Reader:
    """Anything that slices; it notes what was read, and may fail."""

    reads: ClassVar[list] = []

    def __init__(self, array, bad=None):
        self.array, self.bad, self.shape, self.dtype = array, bad, array.shape, array.dtype

    def __getitem__(self, index):
        Reader.reads.append((index.start, index.stop))
        if self.bad is not None and index.start <= self.bad < index.stop:
            raise OSError(f"block {self.bad} is damaged")
        return self.array[index]


@pytest.fixture
def small_groups(monkeypatch):
    """Groups of 2 blocks, so that a few thousand rows are many pieces."""
    monkeypatch.setattr(plan, "GROUP", 2)
    for module in (reduction_kernels, kernel, pieces):
        monkeypatch.setattr(module, "GROUP", 2)
    for module in (pieces, workers):
        monkeypatch.setattr(module, "PIECE", 2 * plan.BLOCK)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data set of 2.4 pieces, in memory and as files."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, 2))
    y = np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0)
    folder = tmp_path_factory.mktemp("data")
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    return X, y, folder


def loss(theta, x, y):
    if x[0] > 4.2:  # a few rows in a million
        return theta[0] * y
    hidden = [relu(dot(theta[3 * i : 3 * i + 2], x, theta[3 * i + 2])) for i in range(4)]
    return (dot(theta[12:16], hidden) - y) ** 2


def normalized(theta, X, y):
    """Three passes, each of which needs the one before."""
    mean = vmap(lambda x: x[0], reduce="mean")(X)
    variance = vmap(lambda x: (x[0] - mean) ** 2, reduce="mean")(X)
    score = vmap(lambda x, y: loss(theta, [(x[0] - mean) / sqrt(variance + 1e-5), x[1]], y), reduce="mean")
    return log(score(X, y)) + 1e-3 * dot(theta, theta)


def of_each_row(theta, X, y):
    """What two passes compute, in the same row."""
    total = vmap(lambda x: x[0] * x[1], reduce="sum")(X)
    return vmap(lambda x, y: (np.array([x[0], x[1] - total, loss(theta, x, y), total, x[0]]), x))(X, y)


mean_loss = value_and_grad(vmap(loss, in_axes=(None, 0, 0), reduce="mean"))
THETA = np.random.default_rng(1).normal(size=16)


def assert_same(found, expected):
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


# --- bits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [mean_loss, value_and_grad(normalized), of_each_row])
def test_data_in_pieces_give_the_bits_of_data_in_memory(data, f):
    X, y, folder = data
    expected = jit(f)(THETA, X, y)
    read = rows(folder / "X.npy"), rows(folder / "y.npy")
    assert_same(jit(f)(THETA, *read), expected)
    for count in (1, 3):
        assert_same(jit(f, executor=Pickling(count))(THETA, *read), expected)
    assert_same(jit(f, executor=Pickling(2), threads=2)(THETA, X, y), expected)


# around the ends of blocks and of groups of two, and anywhere
ENDS = [1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 8193, 10241]
random_cases = given(
    st.tuples(
        expressions(primitives=sorted(EXACT - {"take"}), max_steps=12),
        BLOCKS,
        st.one_of(st.sampled_from(ENDS), st.integers(1, 12_000)),
        st.integers(1, 3),
        st.sampled_from([1, 2, host_lanes()]),
        st.sampled_from(["mean", "sum", None]),
        st.integers(0, 2**32),
    )
)


@pytest.mark.usefixtures("small_groups")
@settings(max_examples=8)
@random_cases
def test_random_programs_over_random_rows_on_any_number_of_workers_with_registers_of_any_width(case):
    check_random_program(*case)


@pytest.mark.slow
@pytest.mark.usefixtures("small_groups")
@settings(settings.get_profile("search"), max_examples=100)
@random_cases
def test_search_random_programs_over_random_rows(case):
    check_random_program(*case)


@pytest.mark.slow
@pytest.mark.usefixtures("small_groups")
def test_search_random_programs_on_workers_of_dask(cluster):
    """Two processes, which think that they have registers of another width for some of the programs."""
    cluster.run(exec, SMALL_GROUPS)
    try:

        @settings(settings.get_profile("search"), max_examples=30)
        @random_cases
        def check(case):
            lanes = case[4]
            cluster.run(exec, f"import autograd.compiler.run.pieces as p; p.host_lanes = lambda: {lanes}")
            check_random_program(*case, executor=cluster.get_executor())

        check()
    finally:
        cluster.run(exec, FORGET)


# In another process what `small_groups` does here, and what undoes it.
SMALL_GROUPS = """
from autograd.compiler.lower import plan
from autograd.compiler.run import kernel, pieces
plan.GROUP = kernel.GROUP = pieces.GROUP = 2
pieces.PIECE = 2 * plan.BLOCK
"""
FORGET = "import sys; [sys.modules.pop(x) for x in list(sys.modules) if x[:8] in ('autograd', 'llvmlite', 'platform')]"


def check_random_program(expression, block, count, workers, lanes, reduce, seed, executor=None):
    rng = np.random.default_rng(seed)
    X = rng.choice([0.0, 1.0, -2.0, 0.5, 3.0], (count, 2)) + rng.normal(size=(count, 2)).round(3)
    inputs = list(expression.inputs)

    def of_row(theta, x):
        return run(block, x[0], x[1])[0] * function_of(expression)([*theta[:-1], theta[-1] + x[0]])

    f = vmap(value_and_grad(of_row), in_axes=(None, 0), reduce=reduce)
    theta = np.array(inputs)
    expected = jit(f)(theta, X)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "host_lanes", lambda: lanes)
        shared = jit(f, executor=executor or Pickling(workers))
        found = shared(theta, Reader(X) if executor is None else X)
    assert shared._target.lanes == lanes
    for x, y in zip(found, expected, strict=True):
        assert all(map(same_bits, np.ravel(x), np.ravel(y)))


@pytest.mark.usefixtures("small_groups")
def test_many_threads_share_one_process():
    X = np.random.default_rng(0).normal(size=(20_000, 2))
    f = vmap(lambda x: exp(x[0]) * x[1], reduce="sum")
    with ThreadPoolExecutor(8) as pool:
        compiled = jit(f, executor=pool)
        assert {compiled(X) for _ in range(20)} == {jit(f)(X)}


@pytest.mark.parametrize(
    "view", [np.s_[:], np.s_[1000:-7], np.s_[::-1], np.s_[::2, ::-1], np.s_[:, 1], np.s_[5:600_000:3]]
)
def test_views_of_memory_maps_are_read_where_they_are_in_the_file(data, view):
    X, _, folder = data
    mapped = np.load(folder / "X.npy", mmap_mode="r")[view]
    found = rows(mapped)
    assert np.array_equal(found.read(3, 200), X[view][3:200])
    assert np.array_equal(found.read(len(found) - 1, len(found)), X[view][-1:])


def test_a_memory_map_with_changes_of_its_own_is_sent_by_contents(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(10))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="c")
    mapped[3] = 5.0
    f = vmap(lambda x: x, reduce="sum")
    assert jit(f, executor=Pickling())(mapped) == jit(f)(mapped) == 5.0


def test_a_file_that_was_changed_is_read_again(tmp_path):
    compiled = jit(vmap(lambda x: x, reduce="sum"), executor=Pickling())
    np.save(tmp_path / "x.npy", np.zeros(10))
    assert compiled(np.load(tmp_path / "x.npy", mmap_mode="r")) == 0.0
    np.save(tmp_path / "x.npy", np.ones(10))
    os.utime(tmp_path / "x.npy", ns=(1, 1))
    assert compiled(np.load(tmp_path / "x.npy", mmap_mode="r")) == 10.0


@pytest.mark.usefixtures("small_groups")
def test_an_array_that_was_written_into_counts_as_it_is_now():
    compiled = jit(vmap(lambda x: x, reduce="sum"), executor=Pickling())
    X = np.zeros(10_000)
    assert compiled(X) == 0.0
    X[7777] = 1.0
    assert compiled(X) == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int8, np.bool_])
def test_rows_of_other_types_compute_as_arrays_of_them(dtype):
    X = np.random.default_rng(0).integers(0, 2, 3000).astype(dtype)
    f = vmap(lambda x: x * 1.5, reduce="mean")
    assert jit(f)(rows(Reader(X))) == jit(f)(X)


def test_rows_of_zarr_dask_and_parquet(tmp_path):
    table = np.random.default_rng(0).normal(size=(10_000, 3))
    X, y = table[:, :2], table[:, 2]
    f = vmap(lambda x, y: x[0] * x[1] + y, reduce="mean")
    expected = jit(f)(X, y)
    stored = zarr.create_array(tmp_path / "X.zarr", shape=X.shape, chunks=(3000, 2), dtype=float)
    stored[:] = X
    lazy = dask.array.from_array(table, chunks=(2500, 3))
    (tmp_path / "table").mkdir()
    for i, part in enumerate((table[:4000], table[4000:])):
        named = {name: part[:, k] for k, name in enumerate("abc")}
        parquet.write_table(pyarrow.table(named), tmp_path / "table" / f"{i}.parquet", row_group_size=1500)
    columns = rows(tmp_path / "table", ["a", "b"]), rows(tmp_path / "table", "c")
    for each in ((stored, y), (lazy[:, :2], lazy[:, 2]), columns):
        assert jit(f, executor=Pickling(2))(*each) == expected
        assert jit(f)(*map(rows, each[:1]), each[1]) == expected


# --- what is sent, and what is kept -----------------------------------------------------------------------------------


def test_code_and_readers_are_sent_once_and_rows_are_read_once(data, monkeypatch):
    monkeypatch.setattr(pieces, "_kept", pieces._Kept())
    executor = Pickling(2)
    compiled = jit(mean_loss, executor=executor)
    _, _, folder = data
    read = rows(folder / "X.npy"), rows(folder / "y.npy")
    compiled(THETA, *read)
    executor.sent = executor.received = executor.tasks = 0
    compiled(THETA, *read)
    assert executor.tasks == 2  # one a worker
    assert executor.sent < 4000, executor.sent  # slots and keys
    assert executor.received < 4000, executor.received


@pytest.mark.parametrize(("keep", "again"), [(2**30, 0), (3 * 2048 * 16, 2), (0, 5)])
@pytest.mark.usefixtures("small_groups")
def test_a_worker_keeps_so_many_bytes_and_reads_the_rest_again(keep, again, monkeypatch):
    monkeypatch.setattr(pieces, "_kept", pieces._Kept())
    X = np.ones((5 * 2048, 2))
    compiled = jit(vmap(lambda x: x[0] + x[1], reduce="sum"), keep=keep)
    source = rows(Reader(X))
    assert compiled(source) == 2 * len(X)
    Reader.reads.clear()
    assert compiled(source) == 2 * len(X)
    assert len(Reader.reads) == again
    assert pieces._kept.bytes <= keep


@pytest.mark.usefixtures("small_groups")
def test_other_data_make_way_for_those_at_hand(monkeypatch):
    monkeypatch.setattr(pieces, "_kept", pieces._Kept())
    compiled = jit(vmap(lambda x: x, reduce="sum"), keep=4 * 2048 * 8)
    first, second = (rows(Reader(np.full(4 * 2048, x))) for x in (1.0, 2.0))
    compiled(first)
    compiled(second)
    Reader.reads.clear()
    compiled(second)
    assert not Reader.reads


# --- processes --------------------------------------------------------------------------------------------------------


def test_a_pool_of_processes_and_one_that_is_broken(data):
    X, y, folder = data
    expected = jit(mean_loss)(THETA, X, y)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        compiled = jit(mean_loss, executor=pool)
        mapped = [np.load(folder / name, mmap_mode="r") for name in ("X.npy", "y.npy")]
        assert_same(compiled(THETA, *mapped), expected)
        os.kill(pool.submit(os.getpid).result(), signal.SIGKILL)
        with pytest.raises(RuntimeError, match=r"takes no more work.*Give a new one"):
            [compiled(THETA, *mapped) for _ in range(100)]


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),  # workers start sooner
        LocalCluster(**options) as cluster,
        Client(cluster) as client,
    ):
        yield client


def train(compiled, X, y, steps, after=None):
    theta, losses = THETA, []
    for step in range(steps):
        value, gradient = compiled(theta, X, y)
        theta = theta - 0.05 * gradient
        losses.append(value)
        if after and after(step) is False:
            break
    return losses, theta


@pytest.mark.filterwarnings("ignore")  # Dask's own, of a worker that is gone
def test_a_worker_of_dask_is_killed_and_nothing_differs(data, cluster):
    X, y, folder = data
    expected = train(jit(mean_loss), X, y, 6)
    mapped = [np.load(folder / name, mmap_mode="r") for name in ("X.npy", "y.npy")]
    before = cluster.run(os.getpid)

    def kill(step):
        if step == 2:
            os.kill(min(before.values()), signal.SIGKILL)

    assert_same(train(jit(mean_loss, executor=cluster.get_executor()), *mapped, steps=6, after=kill), expected)
    assert_same(jit(mean_loss, executor=cluster.get_executor())(THETA, X, y), jit(mean_loss)(THETA, X, y))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_fifty_workers_of_dask_are_killed_at_random_moments(data, cluster):
    X, y, folder = data
    mapped = [np.load(folder / name, mmap_mode="r") for name in ("X.npy", "y.npy")]
    rng, killed, stepped = random.Random(0), [], threading.Event()

    def kill():
        """One of two after a step, a moment later, if both are there: whom Dask is starting it gives up if killed."""
        workers = cluster.cluster.scheduler.workers
        while len(killed) < 50 and stepped.wait(60):
            stepped.clear()
            time.sleep(0.2 * rng.random())
            nannies = [nanny for nanny in list(cluster.cluster.workers.values()) if nanny.process]
            pids = {nanny.pid for nanny in nannies if nanny.process.status.name == "running"} - {None, *killed}
            if len(workers) < 2 or len(pids) < 2:
                continue
            killed.append(rng.choice(sorted(pids)))
            os.kill(killed[-1], signal.SIGKILL)
            while len(workers) == 2:  # until the scheduler knows
                time.sleep(0.01)
            killed_at = time.monotonic()
            while len(workers) < 2 and time.monotonic() < killed_at + 10:
                time.sleep(0.01)
            if len(workers) < 2:  # a nanny has given up
                cluster.cluster.scale(len(cluster.cluster.worker_spec) + 1)

    killer = threading.Thread(target=kill)

    def after(step):
        stepped.set()
        step or killer.start()
        if len(cluster.cluster.scheduler.workers) < 2:
            time.sleep(0.1)  # a step takes milliseconds, and a worker seconds to start
        return killer.is_alive()

    compiled = jit(mean_loss, executor=cluster.get_executor())
    found = train(compiled, *mapped, steps=5000, after=after)
    stepped.set()
    killer.join()
    assert len(killed) == 50
    assert_same(found, train(jit(mean_loss), X, y, len(found[0])))


# --- what goes wrong --------------------------------------------------------------------------------------------------


def first_element(x):
    return vmap(lambda x: x, reduce="mean")(x)


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("executor", [None, Pickling(2)])
def test_errors_say_which_rows_and_what_to_do(executor):
    X = np.ones(5000)
    compiled = jit(first_element, executor=executor)
    with pytest.raises(RuntimeError, match=r"rows 2048 to 4095 of .* cannot be read here: OSError: block 3000"):
        compiled(rows(Reader(X, bad=3000)))
    with pytest.raises(TypeError, match="argument 0 has 5000 examples, but argument 1 has 4999"):
        jit(vmap(lambda x, y: x * y, reduce="mean"), executor=executor)(rows(Reader(X)), rows(Reader(X[:-1])))
    with pytest.raises(TypeError, match=r"used as a whole.*map over it"):
        jit(lambda x: x[0] * 2.0, executor=executor)(rows(Reader(X)))
    with pytest.raises(TypeError, match="mapped over axis 1"):
        jit(vmap(lambda x: x[0], in_axes=1), executor=executor)(rows(Reader(np.ones((10, 3)))))
    shrunk = Reader(X)
    shrunk.array = X[:3000]
    with pytest.raises(RuntimeError, match=r"rows 2048 to 4095 .* are of shape \(952,\).*has it changed"):
        compiled(rows(shrunk))


class Odd(OSError):
    def __init__(self, message, code):  # so that it does not go through pickle
        super().__init__(message)


class Worse(Reader):
    def __getitem__(self, index):
        raise Odd("no tape in the drive", 7)


class Locked(Reader):
    def __init__(self, array):
        super().__init__(array)
        self.lock = threading.Lock()


class Elsewhere:
    """As a package that is not installed where the workers are."""

    def __reduce__(self):
        return __import__, ("no_such_package",)

    def read(self, first, last):
        return np.ones(last - first)


def test_readers_that_fail_in_their_own_ways_leave_the_pool_as_it_was():
    X, executor = np.arange(10.0), Pickling()
    use = jit(first_element, executor=executor)
    for bad, cause in ((Worse(X), type(None)), (Reader(X, bad=3), OSError)):
        with pytest.raises(RuntimeError, match=r"rows 0 to 9 of .* cannot be read here: O.*: (no tape|block 3)"):
            use(bad)
        with pytest.raises(RuntimeError) as caught:
            rows(bad).read(0, 9)
        assert type(caught.value.__cause__) is cause  # which some picklers send, too
    with pytest.raises(TypeError, match=r"cannot be sent .*: cannot pickle .*lock.*Let it keep a path, and open"):
        use(Locked(X))
    assert jit(first_element)(rows(Locked(X))) == 4.5  # here it need not be sent
    with pytest.raises(RuntimeError, match=r"tape 7 cannot be read by .*No module named 'no_such_package'. Install"):
        use(Rows(Elsewhere(), (10,), float, "tape 7"))
    assert use(Reader(X)) == 4.5


def test_a_reader_that_a_script_defines_is_sent_with_its_code():
    names = {"__name__": "__main__", "Reader": Reader}
    exec("class OfScript(Reader):\n    def __getitem__(self, i):\n        return 2 * self.array[i]", names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("__main__.OfScript", names["OfScript"], raising=False)
        sent = rows(names["OfScript"](np.arange(4.0))).pickled()
    assert pickle.loads(sent).read(1, 3).tolist() == [2.0, 4.0]  # where there is no such name


def test_what_is_no_data_set_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(ValueError, match="has no rows"):
        rows(Reader(np.ones((0, 2))))
    with pytest.raises(TypeError, match="dtype complex128"):
        rows(Reader(np.ones(3, complex)))
    with pytest.raises(TypeError, match="got list"):
        rows([1.0, 2.0])
    for name in ("absent.parquet", "absent.npy", "absent.zarr", "absent"):
        with pytest.raises(FileNotFoundError, match=f"{name}: there is no such file or folder"):
            rows(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"no \*.parquet file in this folder"):
        rows(tmp_path)
    for name, kind in (
        ("bad.parquet", "a Parquet file"),
        ("bad.npy", "an .npy file of numbers"),
        ("bad.zarr", "a zarr"),
    ):
        (tmp_path / name).write_text("a,b\n1,2\n")
        with pytest.raises(ValueError, match=f"{name} is not {kind}.*, or is damaged: "):
            rows(tmp_path / name)
    for array, message in (
        (np.array(["a"]), "dtype <U1"),
        (np.ones((0, 3)), "has no rows"),
        (np.ones(()), "has no rows"),
    ):
        np.save(tmp_path / "x.npy", array)
        with pytest.raises((TypeError, ValueError), match=message):
            rows(tmp_path / "x.npy")
    parquet.write_table(pyarrow.table({"a": [1.0], "name": ["x"]}), tmp_path / "t.parquet")
    with pytest.raises(TypeError, match="'name' is of type string, not numbers; choose others"):
        rows(tmp_path / "t.parquet")
    with pytest.raises(TypeError, match="no column 'b'; there are a, name"):
        rows(tmp_path / "t.parquet", "b")
    chunks = dask.array.from_array(np.ones(10), chunks=5)
    with pytest.raises(TypeError, match="compute_chunk_sizes"):
        rows(chunks[chunks > 0])


def written(folder, *of_files):
    folder.mkdir()
    for i, table in enumerate(of_files):
        parquet.write_table(pyarrow.table(table), folder / f"{i}.parquet")
    return folder


TWO = {"a": [1.0, 2.0], "b": [3.0, 4.0]}


@pytest.mark.parametrize(
    ("other", "columns", "message"),
    [
        ({"a": [1.0]}, None, "differ in the column 'b'; choose those that all files have"),
        (TWO | {"c": [1.0, 2.0]}, None, "differ in the column 'c'; choose those that all files have"),
        ({"a": [1.0]}, ["a", "b"], "1.parquet: there is no column 'b'; there are a"),
        ({"a": [1.0], "b": ["x"]}, None, "1.parquet: column 'b' is of type string, not numbers; choose others"),
        ({"a": [1.0], "b": [[1.0]]}, ["b"], "1.parquet: column 'b' is of type list<.*>, not numbers; choose others"),
    ],
)
def test_files_of_a_folder_that_differ_are_named_before_anything_is_read(other, columns, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        rows(written(tmp_path / "t", TWO, other), columns)


def test_files_of_a_folder_may_differ_in_types_of_numbers_and_in_order_and_lack_values_or_rows(tmp_path):
    nothing = {name: pyarrow.array([], pyarrow.float32()) for name in "ab"}
    folder = written(tmp_path / "t", TWO, {"b": [True, None], "a": [5, None]}, nothing, {"a": [6.0], "b": [7.0]})
    expected = [[1, 3], [2, 4], [5, 1], [np.nan, np.nan], [6, 7]]
    assert np.array_equal(rows(folder).read(0, 5), expected, equal_nan=True)
    assert np.array_equal(rows(folder, "b").read(1, 4), [4, 1, np.nan], equal_nan=True)
    with pytest.raises(ValueError, match="has no rows"):
        rows(written(tmp_path / "empty", nothing))


@pytest.mark.parametrize("executor", [None, Pickling(2)])
def test_a_file_that_can_no_longer_be_read_is_named(executor, tmp_path):
    compiled = jit(vmap(lambda x: x[0] * x[1], reduce="sum"), executor=executor)
    for damage in (os.remove, lambda path: os.truncate(path, 100)):
        folder = written(tmp_path / str(damage), TWO, TWO)
        read = rows(folder)
        damage(folder / "1.parquet")
        with pytest.raises(RuntimeError, match=r"rows 0 to 3 of .* be read here: .*rows 0 to 1 of .*1.parquet: "):
            compiled(read)


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        (3, r"got int: give a ProcessPoolExecutor\(\), or Dask's Client\(\).get_executor\(\)"),
        (ThreadPoolExecutor, r"got the class ThreadPoolExecutor: call it, ThreadPoolExecutor\(\), for one"),
    ],
)
def test_what_is_no_executor_is_refused_before_anything_runs(executor, message):
    X, y, model = [[1.0], [2.0]], [1.0, -1.0], MLP(1, [1])
    for use in (
        lambda: jit(first_element, executor=executor),
        lambda: fit(model, X, y, loss="hinge", executor=executor),
        lambda: model.predict(X, executor=executor),
        lambda: accuracy(model, X, y, "hinge", executor=executor),
    ):
        with pytest.raises(TypeError, match="executor is a concurrent.futures.Executor, " + message):
            use()
    with pytest.raises(ValueError, match="keep=-1"):
        jit(first_element, keep=-1)


def test_an_executor_that_is_shut_down_is_known_at_the_first_call_however_few_the_rows():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    X, y, model = [[1.0], [2.0]], [1.0, -1.0], MLP(1, [1])
    for use in (
        lambda: jit(first_element, executor=pool)(np.ones(10)),
        lambda: fit(model, X, y, loss="hinge", executor=pool),
        lambda: model.predict(X, executor=pool),
        lambda: accuracy(model, X, y, "hinge", executor=pool),
    ):
        with pytest.raises(RuntimeError, match="takes no more work: cannot schedule new futures after shutdown"):
            use()


def test_a_client_of_dask_that_is_closed_says_so(data):
    _, y, _ = data
    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0", silence_logs=50) as cluster:
        client = Client(cluster)
        executor = client.get_executor(pure=False)
        compiled = jit(first_element, executor=executor)
        assert compiled(rows(Reader(y))) == jit(first_element)(y)
        executor.shutdown()
        with pytest.raises(RuntimeError, match="takes no more work: cannot schedule new futures after shutdown"):
            compiled(rows(Reader(y)))
        compiled = jit(first_element, executor=client.get_executor())
        compiled(y[:100])
        client.close()
        for use in (compiled, jit(first_element, executor=client.get_executor())):
            with pytest.raises(RuntimeError, match=r"takes no more work: .* closed.* connect another one"):
                use(rows(Reader(y)))
        client = Client(cluster)
        compiled = jit(first_element, executor=client.get_executor())
        compiled(y[:100])
    with pytest.raises(RuntimeError, match=r"takes no more work: .*its scheduler ended, connect another one"):
        compiled(rows(Reader(y)))
    client.close()


def test_a_cluster_without_workers_is_waited_for_a_while(monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", 0.1)
    with (
        LocalCluster(n_workers=0, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        pytest.raises(RuntimeError, match=r"has had no workers for 0\.1 s: start some"),
    ):
        jit(first_element, executor=client.get_executor())(np.ones(10))


INSTALL = r"cannot run compiled code: .*{}.* Install the same valuegrad with its extra `jit` on every worker"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("sys.modules['llvmlite'] = None", INSTALL.format("llvmlite")),
        pytest.param("sys.modules['autograd'] = None", INSTALL.format("autograd"), marks=pytest.mark.slow),
        ("import autograd; autograd.__version__ = '0.0.1'", "has another version of valuegrad: 0.0.1, and here"),
        pytest.param(
            "import platform; platform.libc_ver = lambda: ('musl', '1')",
            "has another C library, whose functions may round differently: .*musl 1, and here",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_workers_that_cannot_compute_the_same_are_named_and_stay_alive(change, message, cluster):
    X, y, model = [[1.0], [2.0]], [1.0, -1.0], MLP(1, [1])
    executor, before = cluster.get_executor(), cluster.run(os.getpid)
    cluster.run(exec, f"{FORGET}; {change}")
    try:
        for use in (
            lambda: jit(first_element, executor=executor)(np.ones(10)),
            lambda: fit(model, X, y, loss="hinge", executor=executor),
            lambda: model.predict(X, executor=executor),
            lambda: accuracy(model, X, y, "hinge", executor=executor),
        ):
            with pytest.raises(RuntimeError, match="a worker " + message):
                use()
        assert cluster.run(os.getpid) == before
    finally:
        cluster.run(exec, FORGET)
    assert jit(first_element, executor=executor)(np.ones(10)) == 1.0


@pytest.mark.usefixtures("small_groups")
def test_workers_agree_on_the_narrowest_registers(monkeypatch):
    X = np.random.default_rng(0).normal(size=5000)
    monkeypatch.setattr(pieces, "host_lanes", lambda: 2)
    compiled = jit(first_element, executor=Pickling(2))
    assert compiled(X) == jit(first_element)(X)
    assert "<8 x i1>" not in compiled.llvm_ir(X) or compiled._target.lanes == 2
    assert compiled._target.lanes == 2
    monkeypatch.setattr(pieces, "_kept", pieces._Kept())
    monkeypatch.setattr(pieces, "host_lanes", lambda: 1)  # one that came later
    with pytest.raises(RuntimeError, match="registers of 1 doubles, and the code is for 2: call jit again"):
        compiled(X)


def test_ctrl_c_calls_off_what_is_out(monkeypatch):
    X = np.ones(3 * pieces.PIECE)
    waiting = [Future() for _ in range(3)]
    executor = Pickling(3)
    compiled = jit(first_element, executor=executor)
    compiled.lower(X)
    monkeypatch.setattr(executor, "submit", lambda f, *args: waiting[args[0].first])

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        compiled(X)
    assert all(future.cancelled() for future in waiting)
