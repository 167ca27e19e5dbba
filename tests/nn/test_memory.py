"""fit takes arrays as they are: no lists, and no copy where they are float64 and row after row."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from nn import Neuron, fit
from nn.samples import features, targets

ROWS, WIDTH = 50_000, 16
X = np.random.default_rng(0).normal(size=(ROWS, WIDTH))
y = X @ np.linspace(-1, 1, WIDTH)


def of_torch(x):
    return pytest.importorskip("torch").from_numpy(x)


def of_pandas(x):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(x) if x.ndim == 2 else pandas.Series(x)


def of_polars(x):
    polars = pytest.importorskip("polars")
    return polars.from_numpy(x) if x.ndim == 2 else polars.Series(x)


def of_memmap(x):
    mapped = np.memmap("x.bin" if x.ndim == 2 else "y.bin", float, "w+", shape=x.shape)
    mapped[:] = x
    return mapped


def of_zarr(x):
    zarr = pytest.importorskip("zarr")
    stored = zarr.create_array({}, shape=x.shape, chunks=(1000, *x.shape[1:]), dtype=float)
    stored[:] = x
    return stored


def trained(X, y, **options):
    """The losses, the model, and how many bytes a sample it took at most beside X and y themselves."""
    model = Neuron(WIDTH, nonlin=False, rng=0)
    tracemalloc.start()
    try:
        losses = fit(model, X, y, progress=False, epochs=1, **{"batch_size": 500} | options).loss
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return losses, [p.data for p in model.parameters()], peak / ROWS


@pytest.fixture(scope="module")
def expected():
    trained(X[:100], y[:100])  # what is loaded once
    *expected, memory = trained(X, y)
    assert memory < 90, f"{memory:.0f} bytes a sample"
    return expected


# of the data themselves a copy has 136 bytes a sample, and lists of them 560; 90 are for the check and the compiler
@pytest.mark.parametrize(("convert", "most"), [(of_torch, 90), (of_memmap, 90), (of_pandas, 230), (of_polars, 370)])
def test_samples_are_neither_listed_nor_copied(convert, most, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    *found, memory = trained(convert(X), convert(y))
    assert found == expected
    assert memory < most, f"{memory:.0f} bytes a sample"


def test_arrays_of_zarr_give_the_run_of_those_in_memory():
    some = X[:3000], y[:3000]
    expected = trained(*some, batch_size=None)
    found = trained(*map(of_zarr, some), batch_size=None)
    assert found[:2] == expected[:2]


def test_an_array_of_floats_in_rows_is_taken_as_it_is():
    assert features(X) is X
    assert targets(y) is y
    assert features(X.astype(np.float32)).dtype == float
    assert features(X.T[:2]).flags.c_contiguous


def test_the_number_that_is_not_finite_is_named_wherever_it_is():
    bad = np.zeros((70_000, 2))
    bad[69_999, 1] = np.nan
    with pytest.raises(ValueError, match="sample 69999, feature 1: nan is not finite"):
        features(bad)
    with pytest.raises(ValueError, match="sample 69999, target: nan is not finite"):
        targets(bad[:, 1])
    with pytest.raises(ValueError, match="sample 69999, target 1: nan is not finite"):
        targets(bad)


def test_the_first_label_of_an_array_that_is_none_is_named():
    labels = np.where(np.arange(1000) % 2, 1, -1)
    labels[[700, 800]] = 3, 2
    with pytest.raises(ValueError, match=r"sample 700: hinge takes the labels -1 and 1, got 3\.0"):
        fit(Neuron(1), np.ones((1000, 1)), labels, loss="hinge")


SCRIPT = """
import resource, sys
import numpy as np
from autograd import rows
from nn import Neuron, fit
model = Neuron(8, nonlin=False, rng=0)
read = rows(sys.argv[1], [str(i) for i in range(8)]), rows(sys.argv[1], "y")
few = np.ones((2, 8)), np.ones(2)
fit(model, *few, epochs=1, progress=False)  # what is loaded once
[x.read(0, 100) for x in read]
with open("/proc/self/status") as status:
    used = next(int(line.split()[1]) for line in status if line.startswith("VmData")) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + int(sys.argv[2]),) * 2)
history = fit(Neuron(8, nonlin=False, rng=0), *read, batch_size=None, epochs=2, progress=False, keep=10_000_000)
print(history.loss)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are those of Linux")
def test_data_of_four_times_the_memory_that_is_left_are_trained_on(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows, limit = 33 * 262_144, 150_000_000
    assert rows * 9 * 8 > 4 * limit
    rng = np.random.default_rng(0)
    schema = pyarrow.schema([(name, pyarrow.float64()) for name in [*map(str, range(8)), "y"]])
    with parquet.ParquetWriter(tmp_path / "t.parquet", schema) as file:
        for _ in range(33):
            X = rng.normal(size=(262_144, 8))
            file.write_table(pyarrow.table([*X.T, X.sum(axis=1)], schema=schema), row_group_size=65_536)
    command = ["sh", "-c", 'ulimit -s 512; exec "$@"', "sh", sys.executable, "-c", SCRIPT]  # stacks of threads count
    command += [str(tmp_path / "t.parquet"), str(limit)]
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.startswith("["), done.stderr[-2000:]
