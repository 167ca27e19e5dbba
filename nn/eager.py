"""The backend of `fit` that builds a graph for every minibatch, and what both backends minimise."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import autograd
from autograd import Value, disable_gc
from nn.draws import SampleDraws, draws_from
from nn.losses import Loss
from nn.metrics import METRICS
from nn.module import Module
from nn.optimizers import Optimizer
from nn.samples import Samples, as_lists

Penalty = Callable[[Sequence[Any]], Any]


class Eager:
    """Losses and gradients by a graph built for each minibatch.

    A backend has a name and these methods, is made for one run, and chooses the type of θ, the numbers of all
    parameters in the order of `model.parameters()`: here a list of floats.
    """

    name = "eager"

    def __init__(self, model: Module, loss: Loss, penalty: Penalty | None, samples: Samples, key: int = 0):
        self.model, self.parameters = model, model.parameters()
        self.loss, self.objective = loss, objective(loss, penalty)
        self.samples, self.key = samples, key

    def initial(self) -> Sequence[float]:
        """θ of the model as it is."""
        return [p._data for p in self.parameters]

    @disable_gc()
    def loss_and_gradient(
        self, theta: Sequence[float], indices: Sequence[int], step: int
    ) -> tuple[float, Sequence[float]]:
        """The mean loss of the samples with these indices, with the penalty, and its derivative by θ.

        What the model draws at random depends on the step.
        """
        self._assign(theta)
        drawn = [(*self.samples[i], SampleDraws(self.key, step, i)) for i in indices]
        loss = self.objective(self.model, self.parameters, drawn)
        if not isinstance(loss, Value):
            raise TypeError(f"the loss does not depend on the parameters: it is the {type(loss).__name__} {loss!r:.60}")
        loss.backward()
        return loss._data, [p.grad for p in self.parameters]

    def scores(self, theta: Sequence[float], samples: Samples) -> Any:
        """The scores of samples: floats, or lists of them."""
        self._assign(theta)
        return self.model.predict(as_lists(samples.X))

    def not_finite(self, scores: Any) -> Iterable[int]:
        """The indices of samples whose scores are not finite."""
        return (i for i, s in enumerate(scores) if not all(map(math.isfinite, s if isinstance(s, list) else [s])))

    def metric(self, scores: Any, samples: Samples) -> float:
        """How good these scores are, by the metric that the loss has."""
        return METRICS[self.loss.metric](self.loss, scores, as_lists(samples.y))

    def suspects(self, theta: Sequence[float], samples: Samples, indices: Sequence[int]) -> Sequence[int]:
        """Of the samples with these indices those to look at where something is not finite."""
        return indices

    def mean_loss(self, scores: Any, samples: Samples) -> float:
        """The mean loss of samples with these scores."""
        return float(
            autograd.mean([self.loss.formula(*each) for each in zip(scores, as_lists(samples.y), strict=True)])
        )

    def update(self, optimizer: Optimizer, theta: Any, gradient: Any, state: Any, t: int, rate: float) -> Any:
        """The next θ, and the optimizer's next state: a tuple of vectors, None before the first update."""
        states = zip(*state, strict=True) if state else [optimizer.initial_state()] * len(theta)
        moved = [optimizer.update(*each, t, rate) for each in zip(theta, gradient, states, strict=True)]
        return [theta for theta, _ in moved], tuple(zip(*[state for _, state in moved], strict=True))

    def some(self, vector: Sequence[float], indices: list[int]) -> Sequence[float]:
        """The numbers at these indices."""
        return [vector[i] for i in indices]

    def replaced(self, vector: Sequence[float], indices: list[int], numbers: Sequence[float]) -> Sequence[float]:
        """The same with other numbers at these indices."""
        new = list(vector)
        for i, x in zip(indices, numbers, strict=True):
            new[i] = x
        return new

    def scaled(self, gradient: Sequence[float], factor: float) -> Sequence[float]:
        """A shorter gradient in the same direction."""
        return [factor * g for g in gradient]

    def is_finite(self, gradient: Sequence[float]) -> bool:
        """Whether all derivatives are finite."""
        return all(map(math.isfinite, gradient))

    def _assign(self, theta: Sequence[float]) -> None:
        for parameter, data in zip(self.parameters, theta, strict=True):
            parameter._data, parameter._grad = data, 0.0


def objective(loss: Loss, penalty: Penalty | None) -> Callable[..., Any]:
    """What is minimised: the mean loss of samples, and the penalty.

    It is a function of the model, its parameters, and for each sample the features, the target, the weight and the
    draws.
    """

    def mean_loss(model: Module, parameters: Sequence[Any], samples: Iterable[Any]) -> Any:
        mean = autograd.mean([sample_loss(model, loss, *sample) for sample in samples])
        return mean if penalty is None else mean + penalty(parameters)

    return mean_loss


def sample_loss(model: Module, loss: Loss, x: Any, target: Any, weight: Any, draws: Any) -> Any:
    """The loss of one sample, times its weight if it has one, of a model that draws its random numbers from there."""
    with draws_from(draws):
        result = loss.formula(model(x), target)
    return result if weight is None else weight * result
