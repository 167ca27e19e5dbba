"""How good scores are, beside the loss: the fraction of right labels, or how far off they are."""

from collections.abc import Callable
from typing import Any

import autograd
from autograd import take, where
from autograd.scalars import is_array
from nn.losses import Loss, absolute_error


def _accuracy(loss: Loss, scores: Any, wanted: Any) -> float:
    assert loss.label is not None
    if is_array(scores):
        return float((loss.label(scores) == wanted).mean())
    return sum([loss.label(score) == target for score, target in zip(scores, wanted, strict=True)]) / len(wanted)


def _mean_absolute_error(loss: Loss, scores: Any, wanted: Any) -> float:
    predicted = loss.predicted(scores)
    if is_array(predicted):
        return loss.unit * float(abs(predicted - wanted).mean())
    return loss.unit * float(absolute_error.batch(predicted, wanted))


METRICS: dict[str, Callable[[Loss, Any, Any], float]] = {
    "accuracy": _accuracy,
    "mean absolute error": _mean_absolute_error,
}


def of_sample(loss: Loss, score: Any, target: Any) -> Any:
    """What the metric of a loss is the mean of, for one score; without branches, so that it can be compiled.

    Example:
        >>> from nn.losses import cross_entropy, hinge
        >>> of_sample(hinge, 0.5, 1.0), of_sample(hinge, 0.5, -1.0), of_sample(cross_entropy, [1.0, 3.0, 3.0], 2.0)
        (1.0, 0.0, 0.0)
    """
    if loss.metric == "mean absolute error":
        return loss.unit * absolute_error.formula(loss.predicted(score), target)
    if loss.labels:
        low, high = loss.labels
        return where(where(score > 0, high, low) == target, 1.0, 0.0)
    right = take(score, target)  # it has to be the first of the largest
    beaten = [where(s > right, 1.0, where(s == right, where(i < target, 1.0, 0.0), 0.0)) for i, s in enumerate(score)]
    return where(autograd.sum(beaten) > 0, 0.0, 1.0)
