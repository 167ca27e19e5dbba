"""`python -m nn --workers`: a cluster, and tables of numbers whose rows are read by its workers, never all at once."""

import argparse
import contextlib
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd import jit, rows, vmap
from autograd.compiler.rows import Reader, Rows, column_names, digest, parquet_files
from autograd.compiler.run.pieces import PIECE
from autograd.extras import needs
from nn.cells import DataError, column_called, shortened
from nn.scaling import Scale
from nn.tables import MOST_CLASSES, Feature
from nn.terminal import UsageError, tell

STRETCH = 65_536  # rows that lie together in the training, or in the test, of a long table; chosen, not measured
PATIENCE = 5  # seconds for a scheduler to answer; chosen, not measured
SHOWN = 2000  # samples in pictures

Samples = tuple[Any, Any]


@contextlib.contextmanager
def workers(options: argparse.Namespace) -> Iterator[Any]:
    """The executor of a cluster that is there, or of one on this machine that ends with the block; None if not asked.

    Errors: ImportError without Dask; UsageError for an address at which no cluster answers.
    """
    if options.workers is None and options.scheduler is None:
        yield None
        return
    try:
        from dask import distributed
    except ImportError as error:
        raise ImportError(needs("--workers", "distributed")) from error
    dask: Any = distributed  # it is typed in part
    with contextlib.ExitStack() as opened:
        if options.scheduler is None:
            of_workers = {"n_workers": options.workers, "threads_per_worker": 1}
            address = opened.enter_context(dask.LocalCluster(**of_workers, dashboard_address=":0", silence_logs=40))
        else:
            address = options.scheduler
        try:
            client = opened.enter_context(dask.Client(address, timeout=PATIENCE))
        except Exception as error:  # whatever answers there, or does not
            if options.scheduler is None:
                raise
            raise UsageError(
                f"--scheduler {shortened(options.scheduler, 60)}: no Dask scheduler answers there ({error!s:.120}); "
                "give the address that `dask scheduler` prints, such as tcp://HOST:8786"
            ) from error
        tell(options, f"{len(client.nthreads())} workers; what they do shows {client.dashboard_link}")
        yield client.get_executor()


# --- tables -----------------------------------------------------------------------------------------------------------


class Columns(NamedTuple):
    """Some columns of the rows of a reader, or one as a number for each row."""

    reader: Reader
    columns: Any

    def read(self, first: int, last: int) -> Any:
        return np.asarray(self.reader.read(first, last))[:, self.columns]


class Stretches(NamedTuple):
    """Stretches of the rows of a reader, one after another: where they start in it, and where they end."""

    reader: Reader
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def read(self, first: int, last: int) -> Any:
        parts, before = [], 0
        for start, end in zip(self.starts, self.ends, strict=True):
            low, high = max(first - before, 0), min(last - before, end - start)
            if low < high:
                parts.append(np.asarray(self.reader.read(start + low, start + high)))
            before += end - start
        return np.concatenate(parts)


class Scaled(NamedTuple):
    """The rows of a reader with mean 0 and deviation 1."""

    reader: Reader
    means: Any
    deviations: Any

    def read(self, first: int, last: int) -> Any:
        return (np.asarray(self.reader.read(first, last)) - self.means) / self.deviations


class Replaced(NamedTuple):
    """Numbers in place of the values of the rows of a reader, which are in order."""

    reader: Reader
    values: tuple[float, ...]
    numbers: tuple[float, ...]

    def read(self, first: int, last: int) -> Any:
        found = np.searchsorted(self.values, np.asarray(self.reader.read(first, last)))
        return np.array(self.numbers, dtype=float)[found]


def _derived(source: Rows, reader: Any, *shape: int) -> Rows:
    """Rows of a reader that reads from the source; they have changed when those of the source have."""
    key = digest(repr((source.key, type(reader).__name__, reader[1:])).encode())
    return Rows(reader, shape, float, source.name, key)


class RowTable(NamedTuple):
    """Samples and targets as Rows; the targets are the numbers of classes, or measurements if there are none."""

    X: Rows
    y: Rows
    features: list[Feature]
    target: str
    classes: list[str]


def row_table(source: str, target: str | None, drop: Sequence[str], task: str) -> RowTable:
    """A Parquet or npy file, or a zarr array, of numbers, as samples that are read where they are needed.

    Args:
        source, target, drop, task: as for `read_table`.

    Errors: TypeError for a file that is none of these; DataError as `read_table`.
    """
    path = Path(source)
    if not (_is_parquet(path) or path.suffix in (".npy", ".zarr")):
        raise TypeError(f"{source} is not a Parquet or npy file, nor a zarr array")
    whole = None if _is_parquet(path) else rows(path)
    if whole is not None and whole.ndim != 2:
        raise DataError(f"{source}: an array of shape {whole.shape}; a table has two dimensions")
    names = (
        column_names(parquet_files(path), drop) if whole is None else [f"column {j + 1}" for j in range(whole.shape[1])]
    )
    for name in [*drop, *([] if target is None else [target])]:
        if name not in names:
            known = shortened(", ".join(names), 100)
            raise DataError(f"{source}: there is no column {shortened(name, 40)!r}; there are {known}")
    left = [name for name in names if name not in drop]
    chosen = left[-1] if target is None else target
    inputs = [name for name in left if name != chosen]
    if not inputs:
        raise DataError(f"{source}: only column {chosen!r:.60} is left; a table needs features and a label")
    if whole is None:
        X, y = rows(path, inputs), rows(path, chosen)
    else:
        X = _derived(whole, Columns(whole.reader, [names.index(name) for name in inputs]), len(whole), len(inputs))
        y = _derived(whole, Columns(whole.reader, names.index(chosen)), len(whole))
    values = _values(y, MOST_CLASSES) if task == "auto" else _values(y, 1000) if task == "classification" else None
    if task == "classification" and values is None:
        raise DataError(f"{source}: {chosen} has more than 1000 values, or some that are not whole numbers")
    if values is not None and len(values) < 2:
        raise DataError(f"{source}: every target is {values[0]:g}; there is nothing to learn")
    if values is not None:
        y = replaced(y, values, range(len(values)))
    return RowTable(X, y, [Feature(name) for name in inputs], chosen, [f"{value:g}" for value in values or ()])


def _is_parquet(path: Path) -> bool:
    return path.suffix in (".parquet", ".pq") or (path.is_dir() and path.suffix != ".zarr")


def _values(y: Rows, most: int) -> tuple[float, ...] | None:
    """The values of whole numbers, if there are not too many."""
    found: set[float] = set()
    for first in range(0, len(y), PIECE):
        found |= set(np.unique(y.read(first, min(first + PIECE, len(y)))).tolist())
        if len(found) > most or not all(float(value).is_integer() for value in found):
            return None
    return tuple(sorted(map(float, found)))


def replaced(y: Rows, values: Sequence[float], numbers: Sequence[float]) -> Rows:
    """Targets with a number in place of each value."""
    return _derived(y, Replaced(y.reader, tuple(map(float, values)), tuple(map(float, numbers))), len(y))


def split_rows(X: Rows, y: Rows, fraction: float, seed: int) -> tuple[Samples, Samples]:
    """Samples for training and for the test: stretches of rows, which are drawn.

    Errors: ValueError for a fraction that leaves one of the two empty.
    """
    length = max(1, min(STRETCH, len(X) // 100))
    starts = range(0, len(X), length)
    count = round(fraction * len(starts))
    if fraction and count in (0, len(starts)):
        raise ValueError(f"of {len(X)} samples that leaves none to {'test on' if not count else 'train on'}")
    drawn = set(random.Random(seed).sample(starts, count))

    def some(chosen: list[int]) -> Samples:
        ends = [min(start + length, len(X)) for start in chosen]
        total = sum(ends) - sum(chosen)
        if not total:
            return [], []
        places = tuple(chosen), tuple(ends)
        found_X, found_y = [_derived(x, Stretches(x.reader, *places), total, *x.shape[1:]) for x in (X, y)]
        return found_X, found_y

    return some([start for start in starts if start not in drawn]), some(sorted(drawn))


def scale_of_rows(x: Rows, names: Sequence[str], executor: Any) -> Scale:
    """The scale of the columns, computed by workers.

    Errors: DataError for a column with a number that is not finite.
    """
    means = jit(vmap(lambda x: x, reduce="mean"), executor=executor)(x)
    variances = jit(vmap(lambda mean, x: (x - mean) ** 2, (None, 0), reduce="mean"), executor=executor)(means, x)
    scale = Scale(*[np.ravel(found).tolist() for found in (means, np.sqrt(variances))])
    for name, mean, deviation in zip(names, *scale, strict=True):
        if not (math.isfinite(mean) and math.isfinite(deviation)):
            raise DataError(
                f"{x.name}: {column_called(name)} has missing values, or some that are not finite; workers read "
                "the rows as they are: leave it out by --drop, fill the values in, or read the table without --workers"
            )
    constant = [deviation <= 1e-12 * abs(mean) for mean, deviation in zip(*scale, strict=True)]
    return scale._replace(deviations=[1.0 if c else d for c, d in zip(constant, scale.deviations, strict=True)])


def scaled_rows(x: Rows, scale: Scale) -> Rows:
    """The rows with mean 0 and deviation 1."""
    numbers = tuple(map(tuple, scale)) if x.ndim == 2 else (scale.means[0], scale.deviations[0])
    return _derived(x, Scaled(x.reader, *numbers), *x.shape)


def shown(x: Any) -> Any:
    """As lists: all samples, of Rows the first few."""
    return x.read(0, min(SHOWN, len(x))).astype(float).tolist() if type(x) is Rows else x
