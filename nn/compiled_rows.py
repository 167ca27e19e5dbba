"""The backend of `fit` for samples that are read piece by piece, on workers or here."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd import jit
from autograd.compiler.rows import Rows
from nn.compiled import Compiled, Vector
from nn.losses import Loss
from nn.module import Module
from nn.rowwise import Measured, Minibatch, Numbers, RowSamples, measured


class Rowwise(Compiled):
    """Losses and gradients by autograd.jit, of samples that are read where they are needed; see eager.Eager.

    Errors: as Compiled; RuntimeError for rows that cannot be read, and workers that are not there.
    """

    def __init__(self, model: Module, loss: Loss, penalty: Any, samples: Any, key: int = 0, **sharing: Any):
        self._prepare(model, loss, penalty, key, **sharing)
        of_samples = measured(model, loss)
        self._measured: Any = jit(of_samples(reduce="mean"), **sharing)
        self._each: Any = jit(of_samples(reduce=None))
        first = samples.read(0, 1)
        report = self._with_draws(self._loss_and_gradient.lower, self._initial, Numbers(first), 0)
        self._announce(report)
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
