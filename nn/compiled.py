"""The backend of `fit` that compiles: losses, gradients and scores of whole minibatches as machine code."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd import jit, value_and_grad, vmap
from autograd.compiler.path import Report
from autograd.frames import warn
from nn.draws import draws_of_samples
from nn.eager import sample_loss
from nn.evaluation import listed, scores_of, structure_of
from nn.losses import Loss
from nn.metrics import METRICS
from nn.module import Module
from nn.optimizers import Optimizer
from nn.samples import Samples

Vector = np.ndarray[Any, Any]


def mean_loss(model: Module, loss: Loss, penalty: Any = None) -> Callable[..., Any]:
    """What is trained on: a function of all parameters, and of samples, targets, weights and random numbers.

    Errors: of its call MoreDraws, if the model draws more numbers for a sample than it was given.
    """
    structure = structure_of(model, training=True)

    def mean_loss(theta: Any, X: Any, y: Any, weights: Any, draws: Any) -> Any:
        traced = structure.unflatten(theta)

        def of_sample(x: Any, target: Any, weight: Any, draws: Any) -> Any:
            given = _GivenDraws(draws)
            result = sample_loss(traced, loss, listed(x), listed(target), weight, given)
            given.check()
            return result

        mean = vmap(of_sample, reduce="mean")(X, y, weights, draws)
        return mean if penalty is None else mean + penalty(list(theta))

    return mean_loss


class Compiled:
    """Losses and gradients by `autograd.jit`: SIMD lanes for samples. θ is one float64 vector; see eager.Eager.

    Errors: ImportError without llvmlite and NumPy; what autograd.jit refuses, such as a model that reads the `data` of
    a Value or changes its own attributes; what the model or the loss raise.
    """

    name = "jit"

    def __init__(self, model: Module, loss: Loss, penalty: Any, samples: Samples, key: int = 0):
        self._arrays: dict[int, tuple[Samples, Vector, Vector]] = {}
        self.X, self.y = self._as_arrays(samples)
        self.weights = None if samples.weights is None else np.array(samples.weights)
        self._everything = range(len(self.X))
        self._prepare(model, loss, penalty, key)
        self._losses: Any = jit(vmap(lambda score, target: loss.formula(listed(score), listed(target))))
        self._scores: Any = scores_of(model)
        report = self._with_draws(self._loss_and_gradient.lower, self._initial, [0], 0)  # raises what jit refuses
        self._announce(report)
        self._scores.lower(self._initial, self.X)
        self.loss_and_gradient(self._initial, [0], 0)
        self.scores(self._initial, samples)

    def _prepare(self, model: Module, loss: Loss, penalty: Any, key: int, **sharing: Any) -> None:
        """What all need that train by compiled code."""
        self.model, self.loss = model, loss
        self.parameters = model.parameters()
        self._initial = np.array([p._data for p in self.parameters])
        self._key, self._count = key, 0  # of random numbers for each sample; how many there have to be, the trace finds
        self._loss_and_gradient: Any = jit(value_and_grad(mean_loss(model, loss, penalty)), **sharing)

    def _announce(self, report: Report) -> None:
        if expected := report.announcement():
            name = type(self.model).__name__
            advice = "backend='eager' starts at once, and smaller or fewer layers have less to compile"
            warn(f"fit: {name} {expected}; {advice}", RuntimeWarning, os.path.dirname(__file__))

    def initial(self) -> Vector:
        return self._initial

    def loss_and_gradient(self, theta: Vector, indices: Sequence[int], step: int) -> tuple[float, Vector]:
        return self._with_draws(self._loss_and_gradient, theta, indices, step)

    def _with_draws(self, call: Callable[..., Any], theta: Vector, indices: Sequence[int], step: int) -> Any:
        """A call for some samples, with as many random numbers as the model draws for any of them."""
        X, y, weights = self._batch(indices)
        while True:
            try:
                return call(theta, X, y, weights, self._draws(step, indices))
            except MoreDraws as more:
                self._count = more.count

    def _batch(self, indices: Any) -> tuple[Any, ...]:
        """Features, targets and weights of the samples with these indices."""
        everything = indices == self._everything
        return tuple([x if x is None or everything else x[indices] for x in (self.X, self.y, self.weights)])

    def _draws(self, step: int, indices: Sequence[int]) -> Vector | None:
        return draws_of_samples(self._key, step, indices, self._count) if self._count else None

    def scores(self, theta: Vector, samples: Samples) -> Vector:
        self._assign(theta.tolist())
        return np.asarray(self._scores(theta, self._as_arrays(samples)[0]))

    def not_finite(self, scores: Any) -> Iterable[int]:
        finite = np.isfinite(scores)
        return [] if finite.all() else np.flatnonzero(~finite.reshape(len(scores), -1).all(axis=1)).tolist()

    def metric(self, scores: Any, samples: Any) -> float:
        return METRICS[self.loss.metric](self.loss, scores, self._as_arrays(samples)[1])

    def suspects(self, theta: Vector, samples: Any, indices: Sequence[int]) -> Sequence[int]:
        return indices

    def mean_loss(self, scores: Vector, samples: Samples) -> float:
        return float(self._losses(scores, self._as_arrays(samples)[1]).mean())

    def _as_arrays(self, samples: Samples) -> tuple[Vector, Vector]:
        """Features and targets, converted once."""
        if id(samples) not in self._arrays:
            self._arrays[id(samples)] = samples, _as_array(samples.X), _as_array(samples.y)
        return self._arrays[id(samples)][1:]

    def update(self, optimizer: Optimizer, theta: Vector, gradient: Vector, state: Any, t: int, rate: float) -> Any:
        state = tuple(map(np.asarray, state)) if state else optimizer.initial_state()
        with np.errstate(all="ignore"):  # infinities are reported by fit, with where they come from
            return optimizer.update(theta, gradient, state, t, rate)

    def some(self, vector: Vector, indices: list[int]) -> Vector:
        return vector[indices]

    def replaced(self, vector: Vector, indices: list[int], numbers: Vector) -> Vector:
        new = vector.copy()
        new[indices] = numbers
        return new

    def scaled(self, gradient: Vector, factor: float) -> Vector:
        return factor * gradient

    def is_finite(self, gradient: Vector) -> bool:
        return bool(np.isfinite(gradient).all())

    def _assign(self, theta: Sequence[float]) -> None:
        for parameter, data in zip(self.parameters, theta, strict=True):
            parameter._data = data


def _as_array(x: Any) -> Vector:
    return np.ascontiguousarray(x, dtype=float)


class MoreDraws(RuntimeError):
    """The model draws that many random numbers for a sample, more than it was given."""

    def __init__(self, count: int):
        super().__init__(count)
        self.count = count


class _GivenDraws:
    """The random numbers that one sample was given, and others in their place once they are used up."""

    def __init__(self, numbers: Any):
        self._numbers, self._count = [] if numbers is None else list(numbers), 0

    def random(self) -> Any:
        self._count += 1
        return self._numbers[self._count - 1] if self._count <= len(self._numbers) else 0.5

    def check(self) -> None:
        if self._count > len(self._numbers):
            raise MoreDraws(self._count)
