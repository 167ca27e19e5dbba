"""Samples that are read piece by piece, on workers or here, so that memory does not grow; their scores and metrics.

A piece is a group of blocks (see autograd/compiler/README.md), so that a run is the same for any number of workers.
"""

import functools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import jit, rows, vmap, where
from autograd.compiler.rows import Rows, is_sliceable
from autograd.compiler.run.pieces import PIECE
from autograd.foreign import as_numpy
from nn.evaluation import listed, scores_of, structure_of
from nn.losses import Loss
from nn.metrics import OF_SAMPLES, of_sample
from nn.samples import features, labelled, targets


class Minibatch(NamedTuple):
    """Samples by their numbers, with features and targets as arrays, or as Rows."""

    numbers: Any
    X: Any
    y: Any


class Numbers(Sequence[int]):
    """The numbers of the samples of a minibatch, which carries the samples themselves."""

    def __init__(self, batch: Minibatch):
        self.batch = batch

    def __len__(self) -> int:
        return len(self.batch.numbers)

    def __getitem__(self, i: Any) -> Any:
        found = self.batch.numbers[i]
        return found.tolist() if isinstance(found, np.ndarray) else found if isinstance(found, range) else int(found)


class RowSamples:
    """Samples and targets that are read where they are needed."""

    weights = None

    def __init__(self, X: Any, y: Any):
        self.X, self.y = X, y

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, i: int) -> tuple[Any, Any, None]:
        batch = self.read(i, i + 1)
        return batch.X[0].tolist(), batch.y[0].tolist(), None

    def read(self, first: int, last: int) -> Minibatch:
        """The samples `first` to `last` - 1, in memory."""
        X, y = [
            x.read(first, last).astype(float) if type(x) is Rows else x[first:last].astype(float)
            for x in (self.X, self.y)
        ]
        return Minibatch(range(first, last), X, y)

    def pieces(self) -> Iterator[Minibatch]:
        """All samples, piece by piece, in order."""
        for first in range(0, len(self), PIECE):
            yield self.read(first, min(first + PIECE, len(self)))

    def minibatches(self, size: int | None, rng: random.Random) -> Iterator[Numbers]:
        """All samples once: in one batch, or in batches of a size, for which pieces come in an order that is drawn and
        the rows of each are shuffled. What is left of a piece begins a batch that the next one fills."""
        if size is None:
            yield Numbers(Minibatch(range(len(self)), self.X, self.y))
            return
        starts = list(range(0, len(self), PIECE))
        rng.shuffle(starts)
        left: list[Minibatch] = []
        for first in starts:
            piece = self.read(first, min(first + PIECE, len(self)))
            order = np.random.default_rng(rng.getrandbits(64)).permutation(len(piece.numbers))
            left.append(Minibatch(first + order, piece.X[order], piece.y[order]))
            parts = [np.concatenate(each) for each in zip(*left, strict=True)]
            whole = len(parts[0]) - len(parts[0]) % size
            for start in range(0, whole, size):
                yield Numbers(Minibatch(*[part[start : start + size] for part in parts]))
            left = [Minibatch(*[part[whole:] for part in parts])]
        if len(left[0].numbers):
            yield Numbers(left[0])


def by_piece(x: Any, name: str, check: Callable[[Any], Any] = as_numpy) -> Any:
    """What is read piece by piece as Rows, all else as an array.

    Args:
        check: what makes an array, or lists, of what is in memory.

    Errors: TypeError or ValueError for anything but a table of numbers, or of targets a row of them.
    """
    if is_sliceable(x):
        x = rows(x)
    elif type(x) is not Rows:
        x = check(x)
        try:
            x = np.asarray(x)
        except ValueError as error:  # of lists of several lengths
            raise ValueError(f"{name} is no table of numbers, a sample a row: {error}") from error
    if x.dtype.kind not in "fiub" or x.ndim not in ((2,) if name == "X" else (1, 2)):
        raise TypeError(f"{name} has shape {x.shape} and dtype {x.dtype}; it is a table of numbers, a sample a row")
    return x


def row_samples(model: Any, X: Any, y: Any, loss: Loss, executor: Any = None, keep: int = 2**30) -> RowSamples:
    """Samples that are read piece by piece; all are finite, the model takes the first, and the loss takes all targets.

    Errors: ValueError or TypeError; RuntimeError for rows that cannot be read, and workers that are not there.
    """
    if loss.metric and loss.metric not in OF_SAMPLES:
        raise ValueError(
            f"the metric {loss.metric} needs all scores at once, which workers, and rows that are read piece by piece, "
            f"do not give; choose from {', '.join(sorted(OF_SAMPLES))}"
        )
    samples = RowSamples(by_piece(X, "X", features), by_piece(y, "y", targets))
    if len(samples.X) != len(samples.y):
        raise ValueError(f"X has {len(samples.X)} samples, and y has {len(samples.y)} targets")
    first = samples.read(0, 1)
    labelled(model, first.X, first.y, loss)
    score = model.predict(first.X.tolist())[0]
    labels = loss.labels or (range(len(score)) if loss.label is not None and samples.y.ndim == 1 else ())

    def count(x: Any, target: Any) -> Any:
        numbers = [*listed(x), *(listed(target) if samples.y.ndim == 2 else [target])]
        finite = autograd.sum([0.0 * number for number in numbers]) == 0.0
        return where(finite, autograd.sum([target == label for label in labels]) if labels else 1.0, 0.0)

    if jit(vmap(count, reduce="sum"), executor=executor, keep=keep)(samples.X, samples.y) != len(samples):
        _name_bad_sample(samples, loss, score)
    return samples


def _name_bad_sample(samples: RowSamples, loss: Loss, score: Any) -> None:
    """Raise what is wrong with the first sample that nothing can be learnt from."""
    for piece in samples.pieces():
        for what, x in (("feature", piece.X), ("target", piece.y)):
            for i, *j in np.argwhere(~np.isfinite(x)).tolist()[:1]:
                place = " ".join([f"sample {piece.numbers[i]}, {what}", *map(str, j)])
                raise ValueError(f"{place}: {x[i, *j].item()!r} is not finite")
        for i, target in zip(piece.numbers, piece.y.tolist(), strict=True):
            if complaint := loss.complaint(score, target):
                raise ValueError(f"sample {i}: {loss.name} {complaint}")


class Measured(NamedTuple):
    """Means over samples: of the loss, of the metric, and 0 if all scores are finite, else NaN."""

    loss: float
    metric: float
    finite: float
    samples: RowSamples


def measured(model: Any, loss: Loss) -> Callable[..., Any]:
    """Loss, metric, and 0 or NaN, as functions of all parameters, samples and targets: each one's, or means."""
    structure = structure_of(model, training=False)

    def of_one(theta: Any, x: Any, target: Any) -> tuple[Any, Any, Any]:
        score, target = structure.unflatten(theta)(listed(x)), listed(target)
        metric = of_sample(loss, score, target) if loss.metric else 0.0
        finite = autograd.sum(score if isinstance(score, list) else [score]) * 0.0
        return loss.formula(score, target), metric, finite

    return functools.partial(vmap, of_one, (None, 0, 0))


def metric_by_piece(model: Any, X: Any, y: Any, loss: Loss, executor: Any) -> float:
    """The metric of a loss, of samples that are read piece by piece, here or by workers, which keep the scores."""
    samples = row_samples(model, X, y, loss, executor)
    theta = np.array([p._data for p in model.parameters()])
    _, metric, _ = jit(measured(model, loss)(reduce="mean"), executor=executor)(theta, samples.X, samples.y)
    return float(metric)


def scores_by_piece(model: Any, X: Any, executor: Any) -> Any:
    """The scores of samples that are read piece by piece, here or by workers, as an array."""
    theta = np.array([p._data for p in model.parameters()])
    return np.asarray(scores_of(model, executor)(theta, by_piece(X, "X")))
