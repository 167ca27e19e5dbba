"""Samples for training, checked: rows of finite numbers, a target for each, and a model that fits them."""

import math
from collections.abc import Sequence
from typing import Any

from autograd.scalars import as_numpy, is_array, number
from nn.cells import shortened
from nn.losses import Loss
from nn.metadata import columns_of
from nn.module import Module


def features(X: Any) -> list[list[float]]:
    """The samples as lists of floats.

    Args:
        X: n samples with the same number of features each, n at least 1: lists, tuples, an array, a frame or a tensor.

    Errors: ValueError or TypeError that names the sample, and the feature.

    Example:
        >>> features([[1, 2], [3, float("nan")]])
        Traceback (most recent call last):
        ...
        ValueError: sample 1, feature 1: nan is not finite
    """
    rows = _listed(X, "X")
    if not rows:
        raise ValueError("X has no samples")
    samples: list[list[float]] = []
    names = [f" ({shortened(name, 40)})" for name in columns_of(X) or ()]
    for i, row in enumerate(rows):
        row = as_numpy(row)
        if not isinstance(row, list | tuple) and not is_array(row):
            raise TypeError(
                f"X is a list of samples, each a list of features; sample {i} is {row!r:.60}. "
                "Of samples with one feature make lists of one: [[x] for x in X]"
            )
        sample = [_finite(x, f"sample {i}, feature {j}{names[j] if names else ''}") for j, x in enumerate(row)]
        if samples and len(sample) != len(samples[0]):
            raise ValueError(f"sample {i} has {len(sample)} features, and sample 0 has {len(samples[0])}")
        samples.append(sample)
    return samples


def targets(y: Any) -> list[Any]:
    """The targets as floats, or as lists of floats where a sample has several.

    Errors: ValueError or TypeError that names the sample.

    Example:
        >>> targets([1, [2, 3]])
        [1.0, [2.0, 3.0]]
    """
    y = _listed(y[y.columns[0]] if len(columns_of(y) or ()) == 1 else y, "y")
    return [
        [_finite(t, f"sample {i}, target {j}") for j, t in enumerate(target)]
        if isinstance(target, list | tuple) or is_array(target)
        else _finite(target, f"sample {i}, target")
        for i, target in enumerate(map(as_numpy, y))
    ]


def labelled(model: Module, X: Any, y: Any, loss: Loss) -> tuple[list[list[float]], list[Any]]:
    """Samples and targets, of which the model and the loss are known to take every one.

    Errors: ValueError or TypeError that names the sample.
    """
    samples, wanted = features(X), targets(y)
    if len(samples) != len(wanted):
        raise ValueError(f"X has {len(samples)} samples, and y has {len(wanted)} targets")
    try:
        score = model.predict(samples[:1])[0]
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(
            f"{type(model).__name__} does not take the {len(samples[0])} features of X: {error}"
        ) from error
    except AttributeError as error:
        raise TypeError(
            f"{type(model).__name__} cannot be evaluated on floats: {error}. Write autograd.f(x) rather than x.f()"
        ) from error
    for i, target in enumerate(wanted):
        if complaint := loss.complaint(score, target):
            raise ValueError(f"sample {i}: {loss.name} {complaint}")
    return samples, wanted


def _listed(rows: Any, name: str) -> Sequence[Any]:
    rows = as_numpy(rows)
    if is_array(rows):
        rows = rows.tolist()
    if not isinstance(rows, list | tuple):
        raise TypeError(f"{name} is a list or an array, got {type(rows).__name__} {rows!r:.60}")
    return rows


def _finite(x: Any, where: str) -> float:
    x = number(x, f"{where}:")
    if not math.isfinite(x):
        raise ValueError(f"{where}: {x!r} is not finite")
    return x
