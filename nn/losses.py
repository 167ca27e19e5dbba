"""Losses: how far the score for a sample is from its target.

Each takes one score (or list of scores) and one target; its `batch` takes many of both. They are written without
branches, so that they can be traced and compiled.

>>> from autograd import Value
>>> hinge(Value(0.25), -1).data
1.25
>>> squared_error.batch([1.0, 2.0], [0.0, 0.0])
2.5
"""

import functools
import math
import numbers
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import autograd
from autograd import Value, dot, exp, log, log1p, logsumexp, relu, sigmoid, sinh, softmax, softplus, take, where
from autograd.primitives import select
from autograd.scalars import is_array


class Loss:
    """A loss of one sample, with the targets it takes and the label that it reads from a score.

    Args:
        formula: maps a score and a target to the loss.
        complaint: says what is wrong with a target for a score, "" if nothing is.
        label: the label that a plain score stands for, or of an array of scores the array of labels; None if the loss
            is not one of classification.
        labels: the labels of the two classes, in their order; () if classes are numbered from 0.
        metric: what `fit` reports beside the loss: a name in nn.metrics.METRICS, or "".
        probabilities: of a loss that is -log of a probability, those of all classes by score; None of others.
        expected: the target that a score stands for, of a score or an array of them; None if that is the score itself.

    `unit` is what a target of 1 is in the unit that errors are reported in, if targets are scaled; see `in_unit`.

    Errors: when called, ValueError for a target that the loss cannot take.
    """

    def __init__(
        self,
        formula: Callable[..., Any],
        complaint: Callable[[Any, Any], str],
        label: Callable[[Any], float] | None = None,
        labels: tuple[float, ...] = (),
        metric: str = "",
        probabilities: Callable[[Any], list[Any]] | None = None,
        expected: Callable[[Any], Any] | None = None,
    ):
        functools.update_wrapper(self, formula)
        self.name = getattr(formula, "__name__", "the loss")
        self.formula = formula
        self.complaint = complaint
        self.label = label
        self.labels = labels
        self.metric = metric
        self.probabilities = probabilities
        self.expected = expected
        self.unit = 1.0

    def in_unit(self, unit: float) -> "Loss":
        """The same loss, of targets that were divided by `unit`: errors are reported as before that.

        Example:
            >>> squared_error.in_unit(100.0).unit, squared_error.unit
            (100.0, 1.0)
        """
        return self._but(unit=unit)

    def with_metric(self, metric: str) -> "Loss":
        """The same loss, reported with another metric, which goes with it."""
        return self._but(metric=metric)

    def _but(self, **changed: Any) -> "Loss":
        loss = object.__new__(Loss)
        vars(loss).update(vars(self) | changed)
        return loss

    def __reduce__(self) -> Any:
        """Those of this file go through pickle by their name, and others by their parts."""
        known = LOSSES.get(self.name)
        if known is self:
            return self.name
        if known is not None and known.formula is self.formula:
            return functools.partial(known._but, unit=self.unit, metric=self.metric), ()
        return object.__new__, (Loss,), vars(self)

    def predicted(self, scores: Any) -> Any:
        """What scores say of their targets: in a regression a number for each score.

        Args:
            scores: one score, an array of them, or a list of what this takes.

        Example:
            >>> poisson.predicted([0.0, math.log(2.0)]), squared_error.predicted(3.0)
            ([1.0, 2.0], 3.0)
        """
        if self.expected is None:
            return scores
        return list(map(self.predicted, scores)) if isinstance(scores, list) else self.expected(scores)

    def __call__(self, score: Any, target: Any, **options: Any) -> Any:
        self._check(score, target, "")
        return self.formula(score, target, **options)

    def batch(self, scores: Sequence[Any], targets: Sequence[Any], reduction: str = "mean", **options: Any) -> Any:
        """The mean or sum of the losses of many samples.

        Args:
            scores, targets: one for each sample.
            reduction: "mean" or "sum".
            options: what the loss takes besides, such as the `delta` of huber.

        Errors: ValueError if there are no samples, if the counts differ, or for a target that the loss cannot take,
        naming the sample.
        """
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be {' or '.join(map(repr, REDUCTIONS))}, got {reduction!r}")
        if len(scores) != len(targets):
            raise ValueError(f"{self.name}: {len(scores)} scores for {len(targets)} targets")
        for i, (score, target) in enumerate(zip(scores, targets, strict=True)):
            self._check(score, target, f"sample {i}: ")
        losses = [self.formula(s, t, **options) for s, t in zip(scores, targets, strict=True)]
        return REDUCTIONS[reduction](losses)

    def _check(self, score: Any, target: Any, where: str) -> None:
        if not isinstance(target, Value) and (complaint := self.complaint(score, target)):
            raise ValueError(f"{where}{self.name} {complaint}")

    def __repr__(self) -> str:
        return f"<loss {self.name}>"


REDUCTIONS: dict[str, Callable[[list[Any]], Any]] = {"mean": autograd.mean, "sum": autograd.sum}


# --- which targets a loss takes -------------------------------------------------------------------------------------


def _not_numbers(score: Any, target: Any) -> str:
    if isinstance(score, list) != isinstance(target, list | tuple):
        return f"takes as many targets as scores: the score is {_kind(score)} and the target {_kind(target)}"
    if not isinstance(score, list):
        return "" if _finite(target) else f"takes a finite number as its target, got {target!r:.60}"
    if len(score) != len(target):
        return f"takes as many targets as scores: {len(score)} scores, {len(target)} targets"
    wrong = [t for t in target if not isinstance(t, Value) and not _finite(t)]
    return f"takes finite numbers as its targets, got {wrong[0]!r:.60}" if wrong else ""


def _not_counts(score: Any, target: Any) -> str:
    below = [t for t in (target if isinstance(target, list) else [target]) if _finite(t) and t < 0]
    return f"takes targets of 0 or more, got {below[0]!r:.60}" if below else _not_numbers(score, target)


def _not_among(*labels: int) -> Callable[[Any, Any], str]:
    def complaint(score: Any, target: Any) -> str:
        if isinstance(score, list):
            return f"takes one score a sample, got {_kind(score)}"
        if not _finite(target) or target not in labels:
            return f"takes the labels {labels[0]} and {labels[1]}, got {target!r:.60}"
        return ""

    return complaint


def _no_class(score: Any, target: Any) -> str:
    if not isinstance(score, list) or len(score) < 2:
        return f"takes a list of scores, one a class, got {_kind(score)}"
    if not _finite(target) or target not in range(len(score)):
        return f"takes the number of a class as its label, 0 to {len(score) - 1}, got {target!r:.60}"
    return ""


def _no_probabilities(score: Any, target: Any) -> str:
    if complaint := _no_class(score, target):
        return complaint
    numbers = [p._data if isinstance(p, Value) else p for p in score]
    if min(numbers) < 0 or abs(math.fsum(numbers) - 1) > 1e-6:
        return f"takes probabilities that add up to 1, got {numbers!r:.60}: end the model with Softmax()"
    return ""


def _finite(x: Any) -> bool:
    return isinstance(x, numbers.Real) and math.isfinite(x)


def _kind(x: Any) -> str:
    return f"a list of {len(x)}" if isinstance(x, list | tuple) else "one number"


# --- losses ---------------------------------------------------------------------------------------------------------


def _mean_over_outputs(formula: Callable[..., Any]) -> Callable[..., Any]:
    """The same formula for lists of scores and targets: a sample's loss is then the mean over the outputs."""

    @functools.wraps(formula)
    def of_one_or_many(score: Any, target: Any, **options: Any) -> Any:
        if not isinstance(score, list):
            return formula(score, target, **options)
        return autograd.mean([formula(s, t, **options) for s, t in zip(score, target, strict=True)])

    return of_one_or_many


def _regression(formula: Callable[..., Any]) -> Loss:
    return Loss(_mean_over_outputs(formula), _not_numbers, metric="mean absolute error")


def _binary(low: int, high: int, probabilities: Any = None) -> Callable[[Callable[..., Any]], Loss]:
    def label(score: Any) -> Any:
        return low + (high - low) * (score > 0)

    def loss(formula: Callable[..., Any]) -> Loss:
        return Loss(formula, _not_among(low, high), label, (low, high), "accuracy", probabilities)

    return loss


def _multiclass(formula: Callable[..., Any]) -> Loss:
    return Loss(formula, _no_class, _position_of_the_largest, metric="accuracy", probabilities=softmax)


def _position_of_the_largest(scores: Any) -> Any:
    return scores.argmax(axis=-1) if is_array(scores) else max(range(len(scores)), key=scores.__getitem__)


@_regression
def squared_error(score: Any, target: Any) -> Any:
    """(score - target)²; the mean over the outputs if there are several.

    Example:
        >>> squared_error(3.0, 1.0), squared_error([3.0, 1.0], [1.0, 1.0])
        (4.0, 2.0)
    """
    error = score - target
    return error * error


@_regression
def absolute_error(score: Any, target: Any) -> Any:
    """|score - target|; the mean over the outputs if there are several.

    Example:
        >>> absolute_error(3.0, 1.0)
        2.0
    """
    return abs(score - target)


@_regression
def huber(score: Any, target: Any, delta: float = 1.0) -> Any:
    """Half the squared error up to delta, and beyond it linear, so that outliers pull less (Huber, 1964).

    Example:
        >>> huber(1.5, 1.0), huber(11.0, 1.0), huber(11.0, 1.0, delta=2.0)
        (0.125, 9.5, 18.0)
    """
    error = abs(score - target)
    return where(error <= delta, 0.5 * error * error, delta * (error - 0.5 * delta))


@_regression
def log_cosh(score: Any, target: Any) -> Any:
    """log(cosh(score - target)): half the squared error near 0, and the absolute error less log 2 far from it.

    Example:
        >>> log_cosh(1.0, 1.0), log_cosh(1001.0, 1.0) == 1000 - math.log(2)
        (0.0, True)
    """
    error = abs(score - target)
    near = where(error < 1.0, error, 0.0)
    return where(error < 1.0, 0.5 * log1p(sinh(near) ** 2), error + softplus(-2 * error) - math.log(2))


@_regression
def quantile(score: Any, target: Any, q: float = 0.5) -> Any:
    """q times the error below the target, 1 - q times the error above it: the best score is the quantile q of targets.

    Koenker and Bassett, Regression quantiles, 1978.

    Example:
        >>> quantile(1.0, 3.0, q=0.75), quantile(3.0, 1.0, q=0.75)
        (1.5, 0.5)
    """
    error = target - score
    return q * relu(error) + (1 - q) * relu(-error)


def _counts(formula: Callable[..., Any]) -> Loss:
    return Loss(_mean_over_outputs(formula), _not_counts, metric="mean absolute error", expected=exp)


@_counts
def poisson(score: Any, target: Any) -> Any:
    """e^score - target · score, for targets that are counts: -log of their Poisson probability, e^score being expected.

    But for a part that does not depend on the score, log(target!).

    Example:
        >>> poisson(0.0, 3), poisson(1.0, 0) == math.e
        (1.0, True)
    """
    return exp(score) - target * score


@_binary(-1, 1)
def hinge(score: Any, label: Any) -> Any:
    """max(0, 1 - label · score) for labels -1 and 1: the max-margin loss of support vector machines.

    Example:
        >>> hinge(0.25, 1), hinge(2.0, 1), hinge(0.25, -1)
        (0.75, 0.0, 1.25)
        >>> hinge(0.25, 2)
        Traceback (most recent call last):
        ...
        ValueError: hinge takes the labels -1 and 1, got 2
    """
    return relu(1 - label * score)


@_binary(0, 1, lambda logit: [sigmoid(-logit), sigmoid(logit)])
def binary_cross_entropy(logit: Any, label: Any) -> Any:
    """-log of the probability sigmoid(logit) that the label is 1, or of its complement for 0; exact everywhere.

    Example:
        >>> binary_cross_entropy(0.0, 1) == math.log(2)
        True
        >>> binary_cross_entropy(1000.0, 0), binary_cross_entropy(40.0, 1)
        (1000.0, 4.248354255291589e-18)
    """
    return label * softplus(-logit) + (1 - label) * softplus(logit)


@_binary(0, 1)
def focal(logit: Any, label: Any, gamma: float = 2.0) -> Any:
    """binary_cross_entropy times (1 - p)^gamma, p being the probability of the right label: what is learnt counts less.

    Lin, Goyal, Girshick, He and Dollár, Focal loss for dense object detection, 2017.

    Example:
        >>> focal(0.0, 1) == math.log(2) / 4, focal(3.0, 1, gamma=0.0) == binary_cross_entropy(3.0, 1)
        (True, True)
    """
    return label * sigmoid(-logit) ** gamma * softplus(-logit) + (1 - label) * sigmoid(logit) ** gamma * softplus(logit)


@_multiclass
def cross_entropy(logits: Any, label: Any) -> Any:
    """-log of the probability softmax(logits)[label] of the right class; exact everywhere.

    Args:
        logits: a list with a score for each of k classes.
        label: the number of the right class, 0 to k - 1; may be a traced number.

    Example:
        >>> cross_entropy([0.0, 0.0], 1) == math.log(2)
        True
    """
    right = take(logits, label)
    return logsumexp([select(label == i, 0.0, logit - right) for i, logit in enumerate(logits)])


@functools.partial(
    Loss, complaint=_no_probabilities, label=_position_of_the_largest, metric="accuracy", probabilities=list
)
def negative_log_likelihood(probabilities: Any, label: Any) -> Any:
    """-log(probabilities[label]): cross_entropy of a model that ends with Softmax, and so gives probabilities.

    Inf for a probability that is 0 in floating point, where cross_entropy of the scores is exact.

    Args:
        probabilities: a list with the probability of each of k classes.
        label: as for cross_entropy.

    Example:
        >>> negative_log_likelihood([0.25, 0.75], 0) == math.log(4)
        True
    """
    return -log(take(probabilities, label))


_ALL = (
    squared_error, absolute_error, huber, log_cosh, quantile, poisson, hinge, binary_cross_entropy, focal,
    cross_entropy, negative_log_likelihood,
)  # fmt: skip
LOSSES: dict[str, Loss] = {loss.name: loss for loss in _ALL}


def find_loss(loss: Any) -> Loss:
    """A loss by its name, or from a function of score and target.

    Errors: ValueError for another name, TypeError for what cannot be called.

    Example:
        >>> find_loss("hinge")
        <loss hinge>
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ValueError(f"unknown loss {loss!r}; choose from {', '.join(LOSSES)}")
        return LOSSES[loss]
    if not callable(loss):
        raise TypeError(
            f"loss must be a name or a function of score and target, got {type(loss).__name__} {loss!r:.60}"
        )
    return Loss(loss, _no_complaint)


def _no_complaint(score: Any, target: Any) -> str:
    return ""


# --- penalties on the parameters --------------------------------------------------------------------------------------


def l1(parameters: Iterable[Any], strength: float = 1.0) -> Any:
    """strength · Σ |θ|, which makes parameters exactly 0 that do not matter.

    Example:
        >>> l1([Value(-2.0), Value(1.0)], 0.5).data
        1.5
    """
    return strength * autograd.sum([abs(p) for p in parameters])


def l2(parameters: Iterable[Any], strength: float = 1.0) -> Any:
    """strength · Σ θ², which keeps parameters small.

    Example:
        >>> l2([Value(-2.0), Value(1.0)], 0.5).data
        2.5
    """
    listed = list(parameters)
    return strength * dot(listed, listed)
