"""What is learnt with settings that nobody chose: `fit` by its defaults, and others, beside scikit-learn's networks.

    python -m pip install ".[demo,sklearn]"
    python -m benchmarks.learning
    python -m benchmarks.learning --seeds 5 iris xor

For each data set the mean and the standard deviation, over splits and first weights of so many seeds, of the accuracy
on a quarter of the samples that were held out (of diabetes R², of the four points of xor how many of the seeds learn
all four). Features are scaled to deviation 1 by those of the training; both libraries get networks of the same size and
100 epochs, ours more where those would be few steps. init="uniform" are the first weights of micrograd, "before" the
defaults of 0.1.0. The settings were chosen on other seeds. A second table has the estimators for scikit-learn beside
its own, and their time.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/learning.py serves as well

from benchmarks.table import Table, command_line, measure
from nn import MLP, Adam, datasets as ours, fit

Arrays = tuple[Any, Any]


class Task(NamedTuple):
    """Samples for a seed, and the network for them."""

    samples: Callable[[int], Arrays]
    hidden: list[int]
    regression: bool = False


def of_sklearn(name: str) -> Callable[[int], Arrays]:
    from sklearn import datasets

    return lambda seed: getattr(datasets, f"load_{name}")(return_X_y=True)


def drawn(name: str) -> Callable[[int], Arrays]:
    return lambda seed: tuple(map(np.array, ours.DATASETS[name](seed=seed)))  # type: ignore[return-value]


CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])

TASKS = {
    "iris": Task(of_sklearn("iris"), [16]),
    "wine": Task(of_sklearn("wine"), [16]),
    "breast cancer": Task(of_sklearn("breast_cancer"), [16]),
    "digits": Task(of_sklearn("digits"), [32]),
    "moons": Task(drawn("moons"), [16, 16]),
    "circles": Task(drawn("circles"), [16, 16]),
    "spirals": Task(drawn("spirals"), [32, 32]),
    "xor": Task(drawn("xor"), [16]),
    "four points": Task(lambda seed: CORNERS, [8]),
    "diabetes": Task(of_sklearn("diabetes"), [16], regression=True),
}


def split(task: Task, seed: int) -> tuple[Any, Any, Any, Any]:
    """Samples to train on, and others to test on; the four points of xor are both."""
    X, y = task.samples(seed)
    if len(X) == 4:
        return X, y, X, y
    order = np.random.default_rng(seed).permutation(len(X))
    test, train = order[: len(X) // 4], order[len(X) // 4 :]
    deviation = X[train].std(axis=0)
    scaled = (X - X[train].mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return scaled[train], y[train], scaled[test], y[test]


def score(task: Task, predicted: Any, wanted: Any) -> float:
    if task.regression:
        return float(1 - ((predicted - wanted) ** 2).sum() / ((wanted - wanted.mean()) ** 2).sum())
    return float((predicted == wanted).mean())


def by_fit(task: Task, seed: int, init: str | None = None, **settings: Any) -> float:
    X, y, X_test, y_test = split(task, seed)
    outputs = 1 if task.regression or y.max() == 1 else int(y.max()) + 1
    loss = "squared_error" if task.regression else "binary_cross_entropy" if outputs == 1 else "cross_entropy"
    model = MLP(X.shape[1], [*task.hidden, outputs], rng=seed, **({"init": init} if init else {}))
    fit(model, X, y, loss=loss, seed=seed, progress=False, **settings)
    scores = model.predict(X_test)
    if not task.regression:
        scores = scores.argmax(axis=1) if outputs > 1 else scores > 0
    return score(task, scores, y_test)


def by_sklearn(task: Task, seed: int) -> float:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    X, y, X_test, y_test = split(task, seed)
    kind = MLPRegressor if task.regression else MLPClassifier
    model = kind(hidden_layer_sizes=task.hidden, max_iter=100, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 100 epochs are few
        return score(task, model.fit(X, y).predict(X_test), y_test)


def before(task: Task, seed: int) -> float:
    n = len(split(task, seed)[0])
    return by_fit(task, seed, "uniform", optimizer=Adam(0.001), batch_size=n, epochs=100)


COLUMNS: dict[str, Callable[[Task, int], float]] = {
    "fit": by_fit,
    'fit, init="uniform"': lambda task, seed: by_fit(task, seed, "uniform"),
    "scikit-learn": by_sklearn,
    "before": before,
}


def defaults(names: Sequence[str], seeds: int) -> Table:
    table = Table(f"Learnt by defaults, {seeds} seeds", "data", *COLUMNS, width=16)
    for name in names:
        cells = []
        for learn in COLUMNS.values():
            cells.append(summary(name, [learn(TASKS[name], seed) for seed in range(seeds)]))
        table.row(name, *cells)
    return table


def summary(name: str, found: Sequence[float]) -> str:
    if name == "four points":
        return f"{sum(x == 1.0 for x in found)} of {len(found)}"
    return f"{statistics.mean(found):.3f} ± {statistics.pstdev(found):.3f}"


def estimated(kinds: tuple[Any, Any], task: Task, seed: int) -> tuple[float, float]:
    """The score of a classifier or a regressor by its defaults, and the CPU seconds of its training."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    X, y, X_test, y_test = split(task, seed)
    model = kinds[task.regression](hidden_layer_sizes=task.hidden, random_state=seed)
    if task.regression:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 200 epochs are few
        started = time.process_time()
        model.fit(X, y)
        seconds = time.process_time() - started
    return score(task, model.predict(X_test), y_test), seconds


def estimators(names: Sequence[str], seeds: int) -> Table:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    from nn.sklearn import ValueMLPClassifier, ValueMLPRegressor

    ours, theirs = (ValueMLPClassifier, ValueMLPRegressor), (MLPClassifier, MLPRegressor)
    columns = "data", "ValueMLP", "scikit-learn's MLP", "ValueMLP, CPU", "scikit-learn's, CPU"
    table = Table(f"Estimators by their defaults, {seeds} seeds", *columns, width=16)
    for name in names:
        found = [[estimated(kinds, TASKS[name], seed) for seed in range(seeds)] for kinds in (ours, theirs)]
        scores = [summary(name, [score for score, _ in each]) for each in found]
        table.row(name, *scores, *[f"{statistics.median(s for _, s in each):.2f} s" for each in found])
    return table


TABLES = {"defaults": defaults, "estimators": estimators}


def main() -> int:
    parser = command_line(__file__, str(__doc__).splitlines()[0], TABLES)
    parser.add_argument("names", nargs="*", default=list(TASKS), help="data sets; all unless given")
    parser.add_argument("--seeds", type=int, default=20, help="how many splits and first weights")
    return measure(__file__, parser.parse_args(), TABLES)


if __name__ == "__main__":
    sys.exit(main())
