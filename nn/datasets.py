"""Small data sets to learn on, and data from a table: a CSV, Parquet or npy file, a zarr array, a frame.

Each gives (X, y): X has a list of features for each sample; y has the number of its class, from 0 on.

>>> X, y = xor(4, noise=0.0, seed=0)
>>> len(X), sorted(set(y))
(4, [0, 1])
"""

import gzip
import math
import random
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograd.extras import needs
from nn.cells import DataError as DataError
from nn.mersenne import RandomState
from nn.tables import Table as Table, read_table as read_table

Samples = tuple[list[list[float]], list[int]]
Point = tuple[float, float]


def moons(n: int = 200, noise: float = 0.1, seed: int = 0) -> Samples:
    """Two half circles that reach into each other: the samples of scikit-learn's make_moons, which need nothing here.

    Args:
        n: how many samples.
        noise: standard deviation of what is added to each coordinate; the circles' radius is 1.
        seed: for the noise and the order.

    Example:
        >>> X, y = moons(100, noise=0.0)
        >>> {round(math.hypot(*x), 9) for x, label in zip(X, y) if label == 0}
        {1.0}
    """
    outer = [(math.cos(t), math.sin(t)) for t in _evenly(math.pi, n // 2)]
    inner = [(1 - math.cos(t), 0.5 - math.sin(t)) for t in _evenly(math.pi, n - n // 2)]
    return _shuffled(outer, inner, noise, seed)


def circles(n: int = 200, noise: float = 0.1, seed: int = 0) -> Samples:
    """A circle inside another: the samples of scikit-learn's make_circles with factor 0.5. Args: as moons.

    Example:
        >>> X, y = circles(100, noise=0.0)
        >>> {round(math.hypot(*x), 9) for x, label in zip(X, y) if label}
        {0.5}
    """
    outer = [(math.cos(t), math.sin(t)) for t in _evenly(2 * math.pi, n // 2 + 1)[:-1]]
    inner = [(0.5 * math.cos(t), 0.5 * math.sin(t)) for t in _evenly(2 * math.pi, n - n // 2 + 1)[:-1]]
    return _shuffled(outer, inner, noise, seed)


def _evenly(end: float, count: int) -> list[float]:
    """Numbers from 0 to end, both included."""
    step = end / (count - 1) if count > 1 else 0.0
    return [i * step for i in range(count)]


def _shuffled(first: list[Point], second: list[Point], noise: float, seed: int) -> Samples:
    """Points of two classes in a random order, with noise: drawn in the order in which scikit-learn draws."""
    rng = RandomState(seed)
    points = [(point, 0) for point in first] + [(point, 1) for point in second]
    rng.shuffle(points)
    return [[x + noise * rng.normal() for x in point] for point, _ in points], [label for _, label in points]


def spirals(n: int = 200, noise: float = 0.02, seed: int = 0) -> Samples:
    """Two spirals wound into each other, one turn each from the origin out to radius 1. Args: as moons.

    Example:
        >>> X, y = spirals(10)
        >>> len(X), y.count(0), y.count(1)
        (10, 5, 5)
    """
    rng = random.Random(seed)
    X, y = [], []
    for i in range(n):
        label, t = i % 2, math.sqrt(rng.random())  # the root spreads the samples evenly along the arm
        angle = 2 * math.pi * t + math.pi * label
        X.append([t * math.cos(angle) + rng.gauss(0, noise), t * math.sin(angle) + rng.gauss(0, noise)])
        y.append(label)
    return X, y


def xor(n: int = 200, noise: float = 0.1, seed: int = 0) -> Samples:
    """Four clouds at the corners of a square, of one class where the signs of the coordinates agree. Args: as moons.

    Example:
        >>> X, y = xor(100, noise=0.0)
        >>> all((x0 * x1 < 0) == label for (x0, x1), label in zip(X, y))
        True
    """
    rng = random.Random(seed)
    X, y = [], []
    for i in range(n):
        corner = (1 if i % 4 < 2 else -1), (1 if i % 2 else -1)
        X.append([c * (0.75 + rng.uniform(-0.5, 0.5)) + rng.gauss(0, noise) for c in corner])
        y.append(int(corner[0] != corner[1]))
    return X, y


def digits(n: int = 1797, noise: float = 0.0, seed: int = 0) -> Samples:
    """Handwritten digits, 8 by 8 pixels from 0 to 1, and which digit it is (scikit-learn's load_digits).

    Args:
        n: how many of the 1797; the seed draws which.
        noise: standard deviation of what is added to each pixel.
        seed: for the drawing and the noise.

    Errors: DataError for more than there are; ModuleNotFoundError without scikit-learn, saying what to install.
    """
    images = _digits()
    if n > len(images):
        raise DataError(f"there are {len(images)} digits, not {n}")
    rng = random.Random(seed)
    chosen = rng.sample(images, n)
    X = [[x / 16 + (rng.gauss(0, noise) if noise else 0.0) for x in pixels] for *pixels, _ in chosen]
    return X, [int(digit) for *_, digit in chosen]


def _digits() -> list[list[float]]:
    """Pixels from 0 to 16 of each image, and its digit. They are read from scikit-learn's file, since importing
    scikit-learn, and with it SciPy and pandas, takes about as long as training on them."""
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError(needs("this data set", "scikit-learn") + " (the others need nothing)")
    try:
        with gzip.open(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", "rt") as rows:
            return [[float(x) for x in row.split(",")] for row in rows]
    except FileNotFoundError:  # in a version that keeps them elsewhere
        from sklearn.datasets import load_digits

        images, labels = [array.tolist() for array in load_digits(return_X_y=True)]
        return [[*pixels, digit] for pixels, digit in zip(images, labels, strict=True)]


DATASETS: dict[str, Callable[..., Samples]] = {
    "moons": moons,
    "circles": circles,
    "spirals": spirals,
    "xor": xor,
    "digits": digits,
}


def split(X: list[Any], y: list[Any], test: float, seed: int = 0) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Samples to train on and samples to test on, drawn by a seed.

    Args:
        X, y: samples and targets.
        test: the fraction of samples to test on, 0 or more and below 1.
        seed: for the drawing.

    Returns: X and y for training, X and y for the test.

    Errors: ValueError for another fraction, or if no samples would be left to train on.

    Example:
        >>> split([[1.0], [2.0], [3.0], [4.0]], [0, 1, 0, 1], test=0.25)
        ([[3.0], [1.0], [2.0]], [0, 0, 1], [[4.0]], [1])
    """
    if not 0 <= test < 1:
        raise ValueError(f"the test fraction must be 0 or more and below 1, got {test!r}")
    order = list(range(len(X)))
    random.Random(seed).shuffle(order)
    cut = len(order) - round(test * len(order))
    if cut < 1:
        raise ValueError(f"a test fraction of {test!r} leaves none of {len(X)} samples to train on")
    train, held = order[:cut], order[cut:]
    return [X[i] for i in train], [y[i] for i in train], [X[i] for i in held], [y[i] for i in held]
