"""Samples for training, checked: rows of finite numbers, a target for each, and a model that fits them."""

import math
import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from autograd.foreign import as_numpy
from autograd.scalars import is_array, number
from nn.cells import shortened
from nn.losses import Loss
from nn.metadata import check_columns, columns_of
from nn.ranges import at_least_0

T = TypeVar("T")


def features(X: Any) -> Any:
    """The samples, checked: an array of floats of what is one of numbers, itself where it is so; else lists of floats.

    Args:
        X: n samples with the same number of features each, n at least 1: lists, tuples, an array, a frame or a tensor.

    Errors: ValueError or TypeError that names the sample, and the feature.

    Example:
        >>> features([[1, 2], [3, float("nan")]])
        Traceback (most recent call last):
        ...
        ValueError: sample 1, feature 1: nan is not finite
    """
    names = [f" ({shortened(name, 40)})" for name in columns_of(X) or ()]
    found = as_numpy(X)
    if is_array(found) and found.ndim == 2 and found.dtype.kind in "fiub" and len(found):
        return _finite_array(found, lambda i, j: f"sample {i}, feature {j}{names[j] if names else ''}")
    rows = _listed(found, "X")
    if not rows:
        raise ValueError("X has no samples")
    samples: list[list[float]] = []
    for i, row in enumerate(rows):
        row = as_numpy(row)
        if not isinstance(row, list | tuple) and not is_array(row):
            raise TypeError(
                f"X must be a list of samples, each a list of features; sample {i} is {row!r:.60}. "
                "For samples with one feature write [[x] for x in X]"
            )
        sample = [_finite(x, f"sample {i}, feature {j}{names[j] if names else ''}") for j, x in enumerate(row)]
        if samples and len(sample) != len(samples[0]):
            raise ValueError(f"sample {i} has {len(sample)} features, and sample 0 has {len(samples[0])}")
        samples.append(sample)
    return samples


def targets(y: Any) -> Any:
    """The targets, checked: an array of floats of what is one of numbers; else floats, or lists of them.

    Errors: ValueError or TypeError that names the sample.

    Example:
        >>> targets([1, [2, 3]])
        [1.0, [2.0, 3.0]]
    """
    y = as_numpy(y[y.columns[0]] if len(columns_of(y) or ()) == 1 else y)
    if is_array(y) and y.ndim in (1, 2) and y.dtype.kind in "fiub":
        return _finite_array(y, lambda i, *j: f"sample {i}, target{''.join(f' {k}' for k in j)}")
    y = _listed(y, "y")
    return [
        [_finite(t, f"sample {i}, target {j}") for j, t in enumerate(target)]
        if isinstance(target, list | tuple) or is_array(target)
        else _finite(target, f"sample {i}, target")
        for i, target in enumerate(map(as_numpy, y))
    ]


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples with a target each, and perhaps a weight each."""

    X: Any  # lists of floats, or an array of floats
    y: Any
    weights: list[float] | None = None

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, i: int) -> tuple[list[float], Any, float | None]:
        return as_lists(self.X[i]), as_lists(self.y[i]), None if self.weights is None else self.weights[i]

    def at(self, indices: Sequence[int]) -> "Samples":
        """Those with these indices."""
        columns: list[Any] = [self.X, self.y, self.weights]
        X, y, weights = [x if x is None else x[indices] if is_array(x) else [x[i] for i in indices] for x in columns]
        return Samples(X, y, weights)

    def minibatches(self, size: int | None, rng: random.Random) -> Iterator[Sequence[int]]:
        """The indices of all in groups: one in order, or groups of a size in an order that is drawn."""
        if size is None:
            yield range(len(self))
            return
        order = array("q", range(len(self)))
        rng.shuffle(order)
        for i in range(0, len(self), size):
            yield order[i : i + size]

    def weighted(self, sample_weight: Any, class_weight: Any, loss: Loss) -> "Samples":
        """The same with weights, whose mean is 1; without any if neither is given.

        Args:
            sample_weight: a number for each sample, 0 or more.
            class_weight: a number for each label, 0 or more; or "balanced", for the same weight of all classes.

        Errors: ValueError or TypeError for weights that are not finite, below 0, too few or too many, or all 0.
        """
        if sample_weight is None and class_weight is None:
            return self
        weights = [1.0] * len(self)
        if sample_weight is not None:
            weights = [_weight(w, f"the weight of sample {i}") for i, w in enumerate(_listed(sample_weight, "weights"))]
            if len(weights) != len(self):
                raise ValueError(f"sample_weight has {len(weights)} weights for {len(self)} samples")
        if class_weight is not None:
            y = as_lists(self.y)
            of_class = self._of_classes(y, class_weight, loss, weights)
            weights = [w * of_class[target] for w, target in zip(weights, y, strict=True)]
        mean = sum(weights) / len(weights)
        if not 0 < mean < math.inf:
            raise ValueError(f"the mean of the weights is {mean!r}; it must be positive and finite")
        return replace(self, weights=[w / mean for w in weights]) if any(w != mean for w in weights) else self

    def _of_classes(self, y: list[Any], class_weight: Any, loss: Loss, weights: list[float]) -> dict[float, float]:
        if loss.label is None:
            raise ValueError(f"class_weight needs a loss of classification, and {loss.name} is none; see sample_weight")
        if isinstance(class_weight, str) and class_weight == "balanced":
            totals = dict.fromkeys(y, 0.0)
            for target, w in zip(y, weights, strict=True):
                totals[target] += w
            return {target: 1 / total if total else 0.0 for target, total in totals.items()}
        if not isinstance(class_weight, Mapping):
            raise TypeError(f'class_weight is "balanced" or a weight for each label, got {class_weight!r:.60}')
        found = {label: _weight(w, f"the weight of class {label!r:.40}") for label, w in class_weight.items()}
        if missing := [target for target in y if target not in found]:
            raise ValueError(f"class_weight has no weight for the label {missing[0]!r}; it has {list(found)!r:.100}")
        return found


def _weight(w: Any, where: str) -> float:
    return at_least_0(number(w, f"{where}:"), where)


def of_pair(validation_data: Any, model: Any, check: Callable[[Any, Any], T]) -> T:
    """What a check makes of samples to validate with, and their targets.

    Errors: TypeError for anything but a pair; those of the check say that they are of these samples.
    """
    if not isinstance(validation_data, list | tuple) or len(validation_data) != 2:
        raise TypeError(f"validation_data is a pair of samples and targets, got {validation_data!r:.60}")
    check_columns(model, validation_data[0])
    try:
        return check(*validation_data)
    except (ValueError, TypeError) as error:
        raise type(error)(f"validation_data: {error}") from error


def held_out(
    samples: Samples, fraction: float, seed: int, validation_data: Any, model: Any, loss: Loss
) -> tuple[Samples, Samples | None]:
    """The samples to train on, and those to validate with: a fraction that is drawn, others, or none.

    Errors: ValueError or TypeError for both, for a fraction that leaves one of the two empty, and as `labelled`.
    """
    if validation_data is not None:
        if fraction:
            raise ValueError("give validation_data or validation_split, not both")
        return samples, of_pair(validation_data, model, lambda X, y: labelled(model, X, y, loss))
    if not 0 <= fraction < 1:
        raise ValueError(f"validation_split must be 0 or more and below 1, got {fraction!r}")
    if not fraction:
        return samples, None
    order = list(range(len(samples)))
    random.Random(seed).shuffle(order)
    cut = len(order) - round(fraction * len(order))
    if cut in (0, len(order)):
        raise ValueError(
            f"validation_split={fraction!r} of {len(order)} samples leaves none to "
            + ("validate with" if cut else "train on")
        )
    return samples.at(sorted(order[:cut])), samples.at(sorted(order[cut:]))


def labelled(model: Any, X: Any, y: Any, loss: Loss) -> Samples:
    """Samples and targets, checked: the model and the loss take every one of them.

    Errors: ValueError or TypeError that names the sample.
    """
    samples, wanted = features(X), targets(y)
    if len(samples) != len(wanted):
        raise ValueError(f"X has {len(samples)} samples, and y has {len(wanted)} targets")
    try:
        score = model.predict(as_lists(samples[:1]))[0]
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(
            f"{type(model).__name__} does not take the {len(samples[0])} features of X: {error}"
        ) from error
    except AttributeError as error:
        raise TypeError(
            f"{type(model).__name__} cannot be evaluated on floats: {error}. Write autograd.f(x) rather than x.f()"
        ) from error
    for i in _telling(wanted, loss):
        if complaint := loss.complaint(score, as_lists(wanted[i])):
            raise ValueError(f"sample {i}: {loss.name} {complaint}")
    return Samples(samples, wanted)


def _telling(y: Any, loss: Loss) -> Iterable[int]:
    """The indices of targets of which a loss can complain first: of an array those of its labels, or any one."""
    if not is_array(y):
        return range(len(y))
    if loss.label is None or y.ndim == 2:
        return [0]
    import numpy as np

    return sorted(np.unique(y, return_index=True)[1].tolist())


def as_lists(x: Any) -> Any:
    """x, or of an array the lists or the number that it is."""
    return x.tolist() if hasattr(x, "tolist") else x


AT_ONCE = 65_536  # rows that are checked together, so that the check needs little memory; chosen, not measured


def _finite_array(x: Any, where: Callable[..., str]) -> Any:
    """An array as one of floats, row after row, all of them finite: itself if it is such a one."""
    import numpy as np

    x = np.ascontiguousarray(x, dtype=float)
    for start in range(0, len(x), AT_ONCE):
        finite = np.isfinite(x[start : start + AT_ONCE])
        if not finite.all():
            first, *rest = np.argwhere(~finite)[0].tolist()
            _finite(x[start + first, *rest].item(), where(start + first, *rest))
    return x


def _listed(rows: Any, name: str) -> Sequence[Any]:
    rows = as_numpy(rows)
    if is_array(rows):
        rows = rows.tolist()
    if not isinstance(rows, list | tuple):
        raise TypeError(f"{name} must be a list or an array, got {type(rows).__name__} {rows!r:.60}")
    return rows


def _finite(x: Any, where: str) -> float:
    x = number(x, f"{where}:")
    if not math.isfinite(x):
        raise ValueError(f"{where}: {x!r} is not finite")
    return x
