"""Small data sets to learn on, and data from a CSV file.

Each gives (X, y): X has a list of features for each sample; y has the number of its class, from 0 on.

>>> X, y = xor(4, noise=0.0, seed=0)
>>> len(X), sorted(set(y))
(4, [0, 1])
"""

import csv
import math
import os
import random
from collections.abc import Callable
from typing import Any, NamedTuple

Samples = tuple[list[list[float]], list[int]]


class DataError(ValueError):
    """Data are not what they should be; of a file, the message names the file, the row and the column."""


def moons(n: int = 200, noise: float = 0.1, seed: int = 0) -> Samples:
    """Two half circles that reach into each other (scikit-learn's make_moons).

    Args:
        n: how many samples.
        noise: standard deviation of what is added to each coordinate; the circles' radius is 1.
        seed: for the noise and the order.

    Errors: ModuleNotFoundError without scikit-learn, saying what to install.
    """
    return _from_sklearn("make_moons", n_samples=n, noise=noise, random_state=seed)


def circles(n: int = 200, noise: float = 0.1, seed: int = 0) -> Samples:
    """A circle inside another (scikit-learn's make_circles). Args, errors: as moons."""
    return _from_sklearn("make_circles", n_samples=n, noise=noise, factor=0.5, random_state=seed)


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
    images, labels = _from_sklearn("load_digits", return_X_y=True)
    if n > len(images):
        raise DataError(f"there are {len(images)} digits, not {n}")
    rng = random.Random(seed)
    chosen = rng.sample(range(len(images)), n)
    X = [[x / 16 + (rng.gauss(0, noise) if noise else 0.0) for x in images[i]] for i in chosen]
    return X, [labels[i] for i in chosen]


DATASETS: dict[str, Callable[..., Samples]] = {
    "moons": moons,
    "circles": circles,
    "spirals": spirals,
    "xor": xor,
    "digits": digits,
}


def _from_sklearn(name: str, **arguments: Any) -> Samples:
    try:
        from sklearn import datasets
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'this data set comes from scikit-learn: python -m pip install ".[demo]" (spirals and xor need nothing)'
        ) from error
    X, y = getattr(datasets, name)(**arguments)
    return X.tolist(), y.tolist()


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


# --- CSV --------------------------------------------------------------------------------------------------------------


class Table(NamedTuple):
    """Numbers read from a CSV file.

    Attributes:
        X: for each row the features, which are all columns but the last.
        y: for each row its last column.
        columns: the names of all columns; "column 1" and so on where the file names none.
        rows: for each row its line in the file, from 1.
    """

    X: list[list[float]]
    y: list[float]
    columns: list[str]
    rows: list[int]


def read_csv(path: str | os.PathLike[str]) -> Table:
    """Read numeric columns, the last of which is the label; a first row of which no cell is a number names them.

    Args:
        path: a file of comma-separated values in UTF-8.

    Errors: DataError for a file that cannot be read, or holds anything but finite numbers in rows of one length, at
    least two columns wide.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "points.csv")
        ...     _ = path.write_text("x,y,label\\n1,2,0\\n3,4,1\\n")
        ...     read_csv(path)
        Table(X=[[1.0, 2.0], [3.0, 4.0]], y=[0.0, 1.0], columns=['x', 'y', 'label'], rows=[2, 3])
    """
    name = os.fspath(path)
    lines = _lines(name)
    if not lines:
        raise DataError(f"{name}: empty, no rows")
    first_row, first = lines[0]
    named = not any(map(_is_number, first))
    columns = [cell.strip() for cell in first] if named else [f"column {j}" for j in range(1, len(first) + 1)]
    if named:
        lines = lines[1:]
    if not lines:
        raise DataError(f"{name}: row {first_row} names the columns, and no row of numbers follows")
    if len(columns) < 2:
        raise DataError(f"{name}: row {first_row} has 1 column; needed are features and a label, separated by commas")
    numbers = [_numbers(name, row, cells, columns) for row, cells in lines]
    return Table([n[:-1] for n in numbers], [n[-1] for n in numbers], columns, [row for row, _ in lines])


def _lines(name: str) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with its line number."""
    lines = []
    try:
        with open(name, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    lines.append((reader.line_num, cells))
    except OSError as error:
        raise DataError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: row {len(lines) + 1} or after is not text in UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{name}: row {reader.line_num}: {error}") from error
    return lines


def _numbers(name: str, row: int, cells: list[str], columns: list[str]) -> list[float]:
    where = [f"{name}: row {row}, column {j} ({column})" for j, column in enumerate(columns, 1)]
    if len(cells) < len(columns):
        raise DataError(f"{where[len(cells)]} is missing: the row has {len(cells)} of {len(columns)} columns")
    if len(cells) > len(columns):
        raise DataError(f"{name}: row {row}, column {len(columns) + 1} is one too many: there are {len(columns)}")
    for place, cell in zip(where, cells, strict=True):
        if not cell.strip():
            raise DataError(f"{place} is empty where a number belongs")
        if not _is_number(cell):
            raise DataError(f"{place} is {cell!r:.60} where a number belongs")
        if not math.isfinite(float(cell)):
            raise DataError(f"{place} is {cell.strip()!r}, not a finite number")
    return [float(cell) for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_000
