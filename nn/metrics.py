"""How good scores are, beside the loss: the fraction of right labels, how far off they are, and others by name."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import autograd
from autograd import take, where
from autograd.extras import needs
from autograd.scalars import is_array
from nn.losses import Loss, absolute_error

Metric = Callable[[Loss, Any, Any], float]  # of a loss, scores, and the targets of as many samples


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


# --- by scikit-learn --------------------------------------------------------------------------------------------------


def _measure(name: str, *arguments: Any, **options: Any) -> float:
    """What a function of sklearn.metrics gives; nan where it is not defined, as ROC AUC is not of a single class."""
    from sklearn import metrics
    from sklearn.exceptions import UndefinedMetricWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        try:
            return float(getattr(metrics, name)(*arguments, **options))
        except ValueError:
            return math.nan


def _of_labels(name: str) -> Metric:
    """Of two classes the metric of the second; of more the mean of all classes."""

    def measure(loss: Loss, scores: Any, wanted: Any) -> float:
        assert loss.label is not None
        found = [loss.label(score) for score in scores]
        two = loss.labels or len(scores[0]) == 2
        which = {"pos_label": (loss.labels or (0, 1))[1]} if two else {"average": "macro"}
        return _measure(name, wanted, found, zero_division=0.0, **which)

    return measure


def _roc_auc(loss: Loss, scores: Any, wanted: Any) -> float:
    if loss.labels:
        return _measure("roc_auc_score", [target == loss.labels[1] for target in wanted], scores)
    if len(scores[0]) == 2:
        return _measure("roc_auc_score", wanted, [score[1] - score[0] for score in scores])
    assert loss.probabilities is not None
    options = {"multi_class": "ovr", "labels": range(len(scores[0]))}
    return _measure("roc_auc_score", wanted, [loss.probabilities(list(score)) for score in scores], **options)


def _r2(loss: Loss, scores: Any, wanted: Any) -> float:
    return _measure("r2_score", wanted, loss.predicted(scores))


METRICS: dict[str, Metric] = {
    "accuracy": _accuracy,
    "mean absolute error": _mean_absolute_error,
    "precision": _of_labels("precision_score"),
    "recall": _of_labels("recall_score"),
    "f1": _of_labels("f1_score"),
    "roc_auc": _roc_auc,
    "r2": _r2,
}
OF_REGRESSIONS = {"mean absolute error", "r2"}
OF_SAMPLES = {"accuracy", "mean absolute error"}  # those that are means over the samples


def measured_by(loss: Loss, metric: str | None) -> Loss:
    """The same loss, reported with another metric; itself for None.

    Errors: ValueError for an unknown metric, or one that does not go with the loss; ImportError without scikit-learn,
    which all but accuracy and mean absolute error are computed by.

    Example:
        >>> from nn.losses import hinge
        >>> measured_by(hinge, "f1").metric, hinge.metric
        ('f1', 'accuracy')
    """
    if metric is None or metric == loss.metric:
        return loss
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r:.60}; choose from {', '.join(METRICS)}")
    if (metric in OF_REGRESSIONS) == (loss.label is not None):
        kind = "regression" if metric in OF_REGRESSIONS else "classification"
        raise ValueError(f"{metric} is a metric of {kind}, and {loss.name} is not a loss of {kind}")
    if metric not in OF_SAMPLES:
        try:
            import sklearn.metrics  # noqa: F401
        except ImportError as error:
            raise ImportError(needs(f"the metric {metric}", "scikit-learn")) from error
    return loss.with_metric(metric)


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
