"""Rows of numbers that are read piece by piece, where they are needed: what a data set larger than memory is to jit."""

import contextlib
import hashlib
import itertools
import math
import mmap
import os
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np

from autograd.extras import needs
from autograd.foreign import converted

Array = np.ndarray[Any, Any]
_numbers = itertools.count()
EXAMPLES = 64  # rows that are read together when a trace looks at some


class Reader(Protocol):
    """Reads rows, in any process: it goes through pickle, and names what it reads without holding it."""

    def read(self, first: int, last: int) -> Any:
        """The rows `first` to `last` - 1, as an array."""


class Rows:
    """Rows of numbers on disk, or wherever a reader finds them; vmap maps over them like over an array.

    Attributes:
        shape, dtype, ndim: as of an array; `shape[0]` rows.
        name: what messages call it.
        reader: what reads them.
    """

    def __init__(self, reader: Reader, shape: Sequence[int], dtype: Any, name: str, key: str = ""):
        self.reader, self.shape, self.dtype, self.name = reader, tuple(map(int, shape)), np.dtype(dtype), name
        self._key = key
        self.ndim = len(self.shape)
        self._first, self._examples = 0, np.empty((0, *self.shape[1:]))
        if self.dtype.kind not in "fiub" or self.dtype.itemsize > 8:
            raise TypeError(f"{name} has dtype {self.dtype}; rows are real numbers of up to 64 bits, all of one dtype")
        if not self.shape or not self.shape[0]:
            raise ValueError(f"{name} has no rows")

    @property
    def key(self) -> str:
        """The same for the same rows only. What somebody has read is kept under it."""
        if not self._key:
            try:
                self._key = digest(self.pickled())
            except TypeError:  # which is read in this process only
                self._key = f"{next(_numbers)} of this process"
        return self._key

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Rows({self.name}, shape={self.shape}, dtype={self.dtype})"

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def read(self, first: int, last: int) -> Array:
        """The rows `first` to `last` - 1. Errors: RuntimeError that names them."""
        return read_rows(self.reader, self.name, self.shape[1:], first, last)

    def take(self, index: int, axis: int) -> Array:
        """One row, as floats. The rows after it are read with it: who looks at one will look at those."""
        if axis:
            raise TypeError(f"{self.name} is mapped over axis {axis}; rows are read along axis 0 only")
        if not self._first <= index < self._first + len(self._examples):
            self._examples = self.read(index, min(index + EXAMPLES, len(self))).astype(float)
            self._first = index
        return self._examples[index - self._first]

    def ravel(self) -> NoReturn:
        raise TypeError(
            f"{self.name} is used as a whole, where only one row at a time is there: map over it by "
            "vmap(f, in_axes=(..., 0), ...), with as many rows in all that is mapped together"
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return self.read(0, len(self)).astype(dtype or self.dtype)

    def pickled(self) -> bytes:
        """The reader, for other processes. Errors: TypeError if it cannot be sent there."""
        found, refusal = b"", None
        try:
            found = pickle.dumps(self.reader, 5)
        except Exception as error:  # there is no common class of what pickle raises
            refusal = error
        if found and b"__main__" not in found:
            return found
        try:
            import cloudpickle

            return bytes(cloudpickle.dumps(self.reader))  # with what a script or a notebook defines
        except Exception as error:
            if found:
                return found
            reason = refusal if isinstance(error, ImportError) else error
            raise TypeError(
                f"{self.name} cannot be sent to other processes, since it does not go through pickle: {reason}. Let it "
                "keep a path, and open what is there when rows are asked for"
            ) from reason


def read_rows(reader: Reader, name: str, shape: Sequence[int], first: int, last: int) -> Array:
    """Rows as a reader gives them, checked.

    Errors: RuntimeError that names the rows.
    """
    try:
        found = np.asarray(reader.read(first, last))
    except Exception as error:
        raise RuntimeError(
            f"rows {first} to {last - 1} of {name} cannot be read here: {type(error).__name__}: {error}"
        ) from _sendable(error)
    if found.shape != (last - first, *shape) or found.dtype.kind not in "fiub":
        raise RuntimeError(
            f"rows {first} to {last - 1} of {name} are of shape {found.shape} and dtype {found.dtype}, where numbers "
            f"of shape {(last - first, *shape)} were expected: has it changed?"
        )
    return found


def _sendable(error: Exception) -> Exception | None:
    """The error, unless it would break a pool of processes on its way back."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return None
    return error


# --- where rows come from ---------------------------------------------------------------------------------------------


class FileRows(NamedTuple):
    """Rows of fixed size in a file, which are mapped into memory rather than read."""

    path: str
    offset: int
    dtype: str
    row: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, first: int, last: int) -> Array:
        spread = [(n - 1) * stride for n, stride in zip(self.row, self.strides[1:], strict=True)]
        ends = first * self.strides[0], (last - 1) * self.strides[0]
        low = min(ends) + sum(min(0, x) for x in spread)
        high = max(ends) + sum(max(0, x) for x in spread) + np.dtype(self.dtype).itemsize
        window = np.memmap(self.path, np.uint8, "r", self.offset + low, (high - low,))
        return np.ndarray((last - first, *self.row), self.dtype, window, ends[0] - low, self.strides)


class Sliced(NamedTuple):
    """Rows of anything that slices."""

    source: Any

    def read(self, first: int, last: int) -> Any:
        return self.source[first:last]


class DaskRows(NamedTuple):
    """Rows of a Dask array, computed where they are asked for, in the same thread."""

    array: Any

    def read(self, first: int, last: int) -> Any:
        return self.array[first:last].compute(scheduler="synchronous")


class ParquetRows(NamedTuple):
    """Rows of Parquet files: which files with how many rows each, which columns, and whether it is a single number."""

    files: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    single: bool

    def read(self, first: int, last: int) -> Any:
        parts, start = [], 0
        for path, count in self.files:
            low, high = max(first, start) - start, min(last, start + count) - start
            if low < high:
                try:
                    parts.append(self._read_file(path, low, high))
                except Exception as error:  # which may not say where
                    raise OSError(f"rows {low} to {high - 1} of {path}: {error}") from error
            start += count
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _read_file(self, path: str, first: int, last: int) -> Any:
        """Of a file only the groups of rows that have some of these."""
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            groups: list[int] = []
            begin = start = 0
            for i in range(file.num_row_groups):
                count = file.metadata.row_group(i).num_rows
                if start < last and first < start + count:
                    begin = begin if groups else start
                    groups.append(i)
                start += count
            table = file.read_row_groups(groups, columns=list(self.columns)).slice(first - begin, last - first)
        if self.single:
            return _numbers_of(table.column(self.columns[0]))
        found = np.empty((last - first, len(self.columns)))
        for j, name in enumerate(self.columns):  # one after another, so that there is never a second copy of all
            found[:, j] = _numbers_of(table.column(name))
        return found


def _numbers_of(column: Any) -> Array:
    """A column of Arrow's as floats, NaN where a value is missing."""
    return np.asarray(column.to_numpy(), dtype=float)


def rows(source: Any, columns: "Sequence[str] | str | None" = None) -> Rows:
    """The rows of a data set as an argument of a compiled function, read piece by piece where they are needed.

    Args:
        source: an `np.memmap`; a zarr or Dask array; anything with `shape`, `dtype` and slices that goes through
            pickle; or the path of an `.npy` file, a `.zarr` array, a Parquet file or a folder of them.
        columns: of Parquet the columns, whose types are numbers in all files: a list for rows of several, a name for
            one number a row; all of them unless given. Values that are missing are NaN.

    Returns: an argument for a function under `jit`, which maps over it by `vmap`. Memory is needed for what is kept of
        it (see `keep` of jit), whatever its size. What it reads from must not change while it is in use; a file that
        was changed between two calls is read again if it is named again, by another `rows(...)`.

    Errors: TypeError for what has no rows of real numbers, and for files of a folder that differ in columns; ValueError
    for no rows, and files that are damaged or of another kind; FileNotFoundError; ImportError without pyarrow or zarr.

    Example:
        >>> import tempfile
        >>> from autograd import jit, vmap
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/x.npy", np.arange(1000.0))
        ...     jit(vmap(lambda x: x * x, reduce="mean"))(rows(f"{folder}/x.npy"))
        332833.5
    """
    if isinstance(source, Rows):
        return source
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if path.suffix in (".npy", ".zarr") and not path.exists():
            raise FileNotFoundError(f"{path}: there is no such file or folder")
        if path.suffix == ".npy":
            with _reading(path, "an .npy file of numbers"):
                array = np.load(path, mmap_mode="r")
            return rows(array)
        if path.suffix == ".zarr":
            return rows(_opened(path))
        return _of_parquet(path, columns)
    if isinstance(source, np.memmap):
        return _of_memmap(source)
    if not is_sliceable(source):
        raise TypeError(f"rows takes an array on disk, or a path, got {type(source).__name__} {source!r:.60}")
    name = f"the {type(source).__module__.partition('.')[0]} array of shape {source.shape}"
    if not all(n == n for n in source.shape):
        raise TypeError(f"{name} does not know how many rows it has: call compute_chunk_sizes() first")
    if type(source).__module__.startswith("dask."):
        return Rows(DaskRows(source), source.shape, source.dtype, name, f"dask {source.name}")
    return Rows(Sliced(source), source.shape, source.dtype, name)


def is_sliceable(x: Any) -> bool:
    """Whether x has rows that can be read: an array that is not in memory as one of NumPy's, PyTorch's or JAX's."""
    if isinstance(x, type | np.generic | Rows) or type(x) is np.ndarray:
        return False
    in_memory = type(x).__module__.partition(".")[0] in ("autograd", "torch", "jax", "jaxlib", "pandas", "polars")
    return not in_memory and all(hasattr(x, name) for name in ("shape", "dtype", "__getitem__")) and bool(x.shape)


def with_rows(x: Any) -> Any:
    """Arguments in which arrays on disk, and others that slice, have become Rows, also in lists, tuples and dicts."""
    return converted(x, is_sliceable, rows)


def _opened(path: Path) -> Any:
    try:
        import zarr
    except ModuleNotFoundError as error:
        raise ImportError(needs("reading zarr", "zarr")) from error
    with _reading(path, "a zarr array"):
        return zarr.open_array(str(path.absolute()), mode="r")


@contextlib.contextmanager
def _reading(path: Path, kind: str) -> Iterator[None]:
    """Errors: ValueError that names the file, which those of the libraries may not."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"{path} is not {kind}, or is damaged: {error!s:.200}") from error


def _of_memmap(array: Any) -> Rows:
    mapped = getattr(array, "_mmap", None)
    if mapped is None or array.filename is None or array.mode == "c":  # a result; no name; changes of its own
        return Rows(Sliced(np.array(array)), array.shape, array.dtype, "a memory map without a file of its own")
    start = np.frombuffer(mapped, np.uint8).ctypes.data
    offset = array.ctypes.data - start + array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    path = os.path.abspath(array.filename)
    reader = FileRows(path, offset, array.dtype.str, array.shape[1:], array.strides)
    return Rows(reader, array.shape, array.dtype, path, digest(repr((reader, array.shape, _state(path))).encode()))


def parquet_files(path: Path) -> list[tuple[Path, Any]]:
    """A Parquet file, or those of a folder in order, each with what it says of itself.

    Errors: ImportError without pyarrow; FileNotFoundError; ValueError for a damaged file.
    """
    try:
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise ImportError(needs("reading Parquet", "pyarrow")) from error
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder")
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(f"{path}: no *.parquet file in this folder")
    found = []
    for file in files:
        with _reading(file, "a Parquet file"):
            found.append((file, parquet.read_metadata(file)))
    return found


def column_names(files: Sequence[tuple[Path, Any]], apart_from: Sequence[str] = ()) -> list[str]:
    """The names of the columns of Parquet files. Errors: TypeError if they differ in others than `apart_from`."""
    found = [metadata.schema.to_arrow_schema().names for _, metadata in files]
    for (file, _), names in zip(files, found, strict=True):
        if odd := ({*names} ^ {*found[0]}) - {*apart_from}:
            raise TypeError(
                f"{file} and {files[0][0]} differ in the column {min(odd)!r:.60}; choose those that all files have"
            )
    return list(dict.fromkeys(itertools.chain(*found)))


def _of_parquet(path: Path, columns: "Sequence[str] | str | None") -> Rows:
    files = parquet_files(path)
    from pyarrow import types

    wanted = column_names(files) if columns is None else [columns] if isinstance(columns, str) else list(columns)
    for file, metadata in files:
        schema = metadata.schema.to_arrow_schema()
        for name in wanted:
            if name not in schema.names:
                raise TypeError(f"{file}: there is no column {name!r:.60}; there are {', '.join(schema.names):.200}")
            kind = schema.field(name).type
            if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
                raise TypeError(f"{file}: column {name!r:.60} is of type {kind}, not numbers; choose others")
    counts = [(str(file.absolute()), metadata.num_rows) for file, metadata in files]
    single = isinstance(columns, str)
    reader = ParquetRows(tuple(counts), tuple(wanted), single)
    total = sum([count for _, count in counts])
    key = digest(repr((reader, [_state(file) for file, _ in counts])).encode())
    return Rows(reader, (total,) if single else (total, len(wanted)), float, str(path), key)


def _state(path: str) -> tuple[int, int]:
    """What changes when a file does."""
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def content_key(array: Array) -> str:
    """A key that arrays of the same contents have in common."""
    digest = hashlib.blake2b(repr((array.shape, array.dtype.str)).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
