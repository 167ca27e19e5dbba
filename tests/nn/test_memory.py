"""fit takes arrays as they are: no lists, and no copy where they are float64 and row after row."""

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
