"""fit, jit and predict take whatever holds numbers in this ecosystem, here and on workers, to the same results."""

import os

import dask.array
import numpy as np
import pyarrow
import pytest
import zarr
from pyarrow import parquet

pytest.importorskip("llvmlite")

from autograd import dot, jit, rows, value_and_grad, vmap
from nn import MLP, accuracy, fit
from tests.compiler.test_workers import Pickling, Reader
from tests.nn.test_rowwise import small_groups  # noqa: F401

pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")

X = np.random.default_rng(0).integers(-3, 4, (1500, 2)).astype(float)  # numbers that all dtypes hold
y = np.sign(X[:, 0] + 0.5)


class AsArray:
    """What NumPy makes an array of."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array.astype(dtype or self.array.dtype)


def name(suffix):
    """Of a file that is not there yet."""
    return f"{len(os.listdir())}.{suffix}"


def mapped(array, dtype=None):
    """A memory map of an .npy file, in the order of the array."""
    path = name("npy")
    np.save(path, array.astype(dtype or array.dtype))
    return np.load(path, mmap_mode="r")


def raw(array):
    """A memory map of a file of another program: from some byte on, the most significant byte first."""
    path = name("bin")
    np.memmap(path, ">f4", "w+", 12, array.shape)[:] = array
    return np.memmap(path, ">f4", "r", 12, array.shape)


def stored(array):
    found = zarr.create_array(name("zarr"), shape=array.shape, chunks=(400, *array.shape[1:]), dtype="f4")
    found[:] = array
    return found


def lazy(array):
    return dask.array.from_array(array, chunks=400)


def counted(array):
    """A Dask array that did not know how many rows it has."""
    return lazy(array)[dask.array.ones(len(array), chunks=400) > 0].compute_chunk_sizes()


def table(array, files=1):
    columns = {str(j): column for j, column in enumerate(array.reshape(len(array), -1).T)}
    path = name("parquet")
    os.mkdir(path)
    for part in np.array_split(np.arange(len(array)), files):
        of_part = {name: column[part] for name, column in columns.items()}
        parquet.write_table(pyarrow.table(of_part), f"{path}/{part[0]:04}.parquet", row_group_size=300)
    return rows(path if files > 1 else f"{path}/0000.parquet", list(columns) if array.ndim == 2 else "0")


def of_torch(array):
    return pytest.importorskip("torch").from_numpy(array)


KINDS = {
    "as it is": np.asarray,
    "column after column": np.asfortranarray,
    "most significant byte first": lambda array: array.astype(">f8"),
    "float16": lambda array: array.astype(np.float16),
    "float32": lambda array: array.astype(np.float32),
    "int8": lambda array: array.astype(np.int8),
    "int64": lambda array: array.astype(np.int64),
    "every other": lambda array: np.repeat(array, 2, axis=0)[::2],
    "memory map": mapped,
    "memory map, column after column": lambda array: mapped(np.asfortranarray(array)),
    "memory map of integers": lambda array: mapped(array, np.int32),
    "memory map, every other": lambda array: mapped(np.repeat(array, 2, axis=0))[::2],
    "memory map, backwards": lambda array: mapped(array[::-1])[::-1],
    "memory map of another program": raw,
    "path": lambda array: rows(mapped(array).filename),
    "zarr": stored,
    "dask": lazy,
    "dask, counted": counted,
    "parquet": table,
    "parquet, three files": lambda array: table(array, 3),
    "what slices": Reader,
    "what has __array__": AsArray,
    "pandas": lambda array: pandas.DataFrame(array) if array.ndim == 2 else pandas.Series(array),
    "pandas, of its own types": lambda array: pandas.DataFrame(array).convert_dtypes() if array.ndim == 2 else array,
    "polars": lambda array: polars.from_numpy(array) if array.ndim == 2 else polars.Series(array),
    "arrow": lambda array: pyarrow.table(dict(zip("ab", array.T, strict=True))) if array.ndim == 2 else array,
    "torch": of_torch,
    "torch, float32": lambda array: of_torch(array).float(),
}


def losses(theta, X, y):
    return vmap(lambda x, y: (dot(theta, x) - y) ** 2, reduce="mean")(X, y)


def trained(X, y, executor=None):
    model = MLP(2, [2, 1], rng=0)
    history = fit(model, X, y, loss="hinge", epochs=2, batch_size=None, progress=False, executor=executor)
    return history.loss, [p.data for p in model.parameters()]


THETA, MODEL = np.array([0.3, -0.2]), MLP(2, [2, 1], rng=0)
EXECUTORS = {"here": None, "workers": Pickling(2)}
STEPS = {where: jit(value_and_grad(losses), executor=executor) for where, executor in EXECUTORS.items()}


@pytest.mark.parametrize("where", EXECUTORS)
@pytest.mark.parametrize("kind", KINDS)
def test_jit_takes(kind, where, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected, found = STEPS["here"](THETA, X, y), STEPS[where](THETA, KINDS[kind](X), KINDS[kind](y))
    assert found[0] == expected[0]
    assert np.array_equal(found[1], expected[1])


@pytest.mark.slow
@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
@pytest.mark.parametrize("kind", KINDS)
def test_fit_predict_and_scores_take(kind, executor, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(MODEL.predict(KINDS[kind](X), executor=executor), MODEL.predict(X))
    assert trained(KINDS[kind](X), KINDS[kind](y), executor) == trained(X, y)
    found = accuracy(MODEL, KINDS[kind](X), KINDS[kind](y), "hinge", executor=executor)
    assert found == pytest.approx(accuracy(MODEL, X, y, "hinge"), rel=1e-14)


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
def test_what_is_no_data_set_is_refused_in_a_sentence(executor):
    refused = {
        "text": (np.array([["a", "b"]] * 4), "takes a real number, got str 'a'"),
        "objects": (
            np.array([[1.0, None]] * 4, dtype=object),
            "sample 0, feature 1: .*takes a real number, got NoneType",
        ),
        "a frame with text": (pandas.DataFrame({"a": [1.0] * 4, "b": ["x"] * 4}), "row 0, column 'b' is str 'x'"),
        "lists of several lengths": ([[1.0, 2.0], [3.0], [1.0, 2.0], [1.0, 2.0]], "sample 1 has 1 features"),
        "no rows": (np.ones((0, 2)), "X has no samples"),
        "one axis": (np.ones(4), "each a list of features; sample 0 is"),
        "complex numbers": (np.ones((4, 2), complex), "takes a real number, got complex"),
        "unknown chunks": (
            lazy(X)[lazy(X)[:, 0] > 0],
            r"how many rows it has: call compute_chunk_sizes\(\)",
        ),
        "a tensor in a graph": (of_torch(X.copy()).requires_grad_(), r"Use tensor.detach\(\)"),
    }
    for name, (bad, message) in refused.items():
        with pytest.raises((TypeError, ValueError), match=message):
            pytest.fail(f"{name}: {fit(MLP(2, [1]), bad, [1.0] * 4, executor=executor, progress=False)}")
