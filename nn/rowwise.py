"""The backend of `fit` for samples that are read piece by piece, on workers or here, so that memory does not grow.

A piece is a group of blocks (see autograd/compiler/README.md), so that a run is the same for any number of workers.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import jit, rows, vmap
from autograd.compiler.rows import Rows, is_sliceable
from autograd.compiler.run.pieces import PIECE
from nn.compiled import Compiled, Vector
from nn.evaluation import listed, structure_of
from nn.losses import Loss
from nn.metrics import of_sample
from nn.module import Module
from nn.samples import labelled


class Minibatch(NamedTuple):
    """Samples by their numbers, with features and targets as arrays, or as Rows."""

    numbers: Any
    X: Any
    y: Any


class _Numbers(Sequence[int]):
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

    def minibatches(self, size: int | None, rng: random.Random) -> Iterator[_Numbers]:
        """All samples once: in one batch, or in batches of a size, for which pieces come in an order that is drawn and
        the rows of each are shuffled. What is left of a piece begins a batch that the next one fills."""
        if size is None:
            yield _Numbers(Minibatch(range(len(self)), self.X, self.y))
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
                yield _Numbers(Minibatch(*[part[start : start + size] for part in parts]))
            left = [Minibatch(*[part[whole:] for part in parts])]
        if len(left[0].numbers):
            yield _Numbers(left[0])


def row_samples(model: Module, X: Any, y: Any, loss: Loss) -> RowSamples:
    """Samples that are read piece by piece; the model and the loss are known to take the first.

    Errors: ValueError or TypeError.
    """
    found = []
    for name, x in (("X", X), ("y", y)):
        x = rows(x) if is_sliceable(x) else x if type(x) is Rows else np.asarray(x)
        if x.dtype.kind not in "fiub" or x.ndim not in ((2,) if name == "X" else (1, 2)):
            raise TypeError(f"{name} has shape {x.shape} and dtype {x.dtype}; it is a table of numbers, a sample a row")
        found.append(x)
    samples = RowSamples(*found)
    if len(found[0]) != len(found[1]):
        raise ValueError(f"X has {len(found[0])} samples, and y has {len(found[1])} targets")
    first = samples.read(0, 1)
    labelled(model, first.X, first.y, loss)
    return samples


class Measured(NamedTuple):
    """Means over samples: of the loss, of the metric, and 0 if all scores are finite, else NaN."""

    loss: float
    metric: float
    finite: float
    samples: RowSamples


class Rowwise(Compiled):
    """Losses and gradients by autograd.jit, of samples that are read where they are needed; see eager.Eager.

    Errors: as Compiled; RuntimeError for rows that cannot be read, and workers that are not there.
    """

    def __init__(self, model: Module, loss: Loss, penalty: Any, samples: Any, key: int = 0, executor: Any = None):
        self._prepare(model, loss, penalty, key, executor)
        structure = structure_of(model, training=False)

        def measured(theta: Any, x: Any, target: Any) -> tuple[Any, Any, Any]:
            score, target = structure.unflatten(theta)(listed(x)), listed(target)
            metric = of_sample(loss, score, target) if loss.metric else 0.0
            finite = autograd.sum(score if isinstance(score, list) else [score]) * 0.0
            return loss.formula(score, target), metric, finite

        self._measured: Any = jit(vmap(measured, in_axes=(None, 0, 0), reduce="mean"), executor=executor)
        self._each: Any = jit(vmap(measured, in_axes=(None, 0, 0)))
        first = samples.read(0, 1)
        self._with_draws(self._loss_and_gradient.lower, self._initial, _Numbers(first), 0)  # raises what jit refuses
        self._measured.lower(self._initial, first.X, first.y)

    def _batch(self, indices: Any) -> tuple[Any, ...]:
        return indices.batch.X, indices.batch.y, None

    def _draws(self, step: int, indices: Any) -> Any:
        if self._count and isinstance(indices.batch.X, Rows):
            raise TypeError(
                "a model that draws random numbers would need some for all samples at once: give a batch_size"
            )
        return super()._draws(step, indices)

    def scores(self, theta: Vector, samples: Any) -> Any:
        self._assign(theta.tolist())
        loss, metric, finite = self._measured(theta, samples.X, samples.y)
        return Measured(loss, metric, finite, samples)

    def not_finite(self, scores: Any) -> Iterable[int]:
        if scores.finite == 0.0:
            return []
        theta = np.array([p._data for p in self.parameters])
        return self._first(theta, scores.samples, 2)

    def metric(self, scores: Any, samples: Any) -> float:
        return float(scores.metric)

    def mean_loss(self, scores: Any, samples: Any) -> float:
        return float(scores.loss)

    def suspects(self, theta: Vector, samples: Any, indices: Any) -> Sequence[int]:
        """The first of them whose loss is not finite; some, where each one's loss is."""
        if len(indices) == 1:
            return indices
        batch = getattr(indices, "batch", None)
        chosen = None if batch is None or isinstance(batch.numbers, range) else batch
        return self._first(theta, samples, 0, chosen) or indices[:8]

    def _first(self, theta: Vector, samples: RowSamples, which: int, batch: Minibatch | None = None) -> list[int]:
        """The number of the first sample with a measured number that is not finite, if there is one."""
        for piece in samples.pieces() if batch is None else [batch]:
            bad = np.flatnonzero(~np.isfinite(self._each(theta, piece.X, piece.y)[which]))
            if len(bad):
                return [int(piece.numbers[bad[0]])]
        return []
