"""Pictures of a training run with matplotlib: curves, decision boundary, predictions, confusions. They open no window.

Drawn on plain figures: scikit-learn's Display classes draw through pyplot, which changes the state of a whole session,
and take a second to load.
"""

import io
import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nn.cells import shortened
from nn.losses import Loss, find_loss
from nn.module import Module

# Told apart with any colour vision (Okabe and Ito, 2008); with as many markers, one fewer, no two classes look alike.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a", "#332288"]
MARKERS = "os^DvP*"
GRID = 150  # points a side at which a model of two features is evaluated
MOST_COUNTS, MOST_NAMES = 12, 40  # classes up to which a confusion matrix has numbers, and names
MOST_CONFUSIONS = 12  # bars, where a matrix would be unreadable
LEGEND = 10  # classes that a legend names
MOST_POINTS = 2000  # more hide each other, and take longer to draw than they are worth

Array = np.ndarray[Any, Any]


class Curves(Protocol):
    """What is drawn of a History."""

    loss: list[float]
    metric: list[float]
    metric_name: str
    validation_loss: list[float]
    validation_metric: list[float]


def loss_curve(history: Curves, unit: str = "") -> Figure:
    """Loss, and accuracy or error, by epoch: of the training, and of the validation where the history has it.

    Args:
        history: what `fit` returned.
        unit: the name of what an error is measured in.

    Example:
        >>> from nn import History
        >>> figure = loss_curve(History(loss=[1.0, 0.5], metric=[0.5, 1.0], metric_name="accuracy"))
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['loss', 'accuracy']
    """
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    _draw_history(figure.subplots(), history, unit)
    return figure


def decision_boundary(
    model: Module, X: Any, y: Any, loss: Any, *, test: Any = None, columns: Any = None, classes: Any = None
) -> Figure:
    """The samples, and the label that the model gives each point of the plane between them.

    Args:
        model: takes two features.
        X, y: samples and labels, as for `fit`.
        loss: a loss of classification, or its name.
        test: samples and labels that the model was not trained on, which are marked.
        columns: names of the features.
        classes: a name for each label, in the order of the loss's labels.

    Errors: ValueError if the samples do not have two features, or for another loss.
    """
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    samples = _samples(X, y, test)
    _draw_boundary(figure.subplots(), model, samples, find_loss(loss), _names(columns, samples), classes)
    return figure


def summary(
    model: Module, history: Curves, X: Any, y: Any, loss: Loss, *, test: Any = None, columns: Any = None,
    classes: Any = None,
) -> Figure:  # fmt: skip
    """What a model has learnt, and how its loss fell.

    Args:
        model, X, y, loss: as for `fit`; of targets that were scaled for the training, the loss `in_unit`.
        history: what it returned.
        test: samples and targets that the model was not trained on.
        columns: names of the features and of the target.
        classes: a name for each label, in the order of the loss's labels.

    The left picture is the decision boundary of a classifier of two features; of another the confusion matrix on the
    test samples, or, where that is too large to read, the most frequent confusions; of a regression the curve over its
    one feature, or the prediction over the target.
    """
    samples = _samples(X, y, test)
    columns = _names(columns, samples)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    if loss.label is None and samples.X.shape[1] == 1:
        _draw_curve(left, model, samples, loss, columns)
    elif loss.label is None:
        _draw_predictions(left, model, samples, loss, columns[-1])
    elif samples.X.shape[1] == 2:
        _draw_boundary(left, model, samples, loss, columns, classes)
    else:
        _draw_confusion(left, model, samples, loss, classes)
    _draw_history(right, history, "" if loss.label else columns[-1], scaled=loss.unit != 1.0)
    return figure


def png(figure: Figure) -> bytes:
    """The picture as the content of a PNG file.

    Example:
        >>> png(Figure())[1:4]
        b'PNG'
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # for a name in a script that the font lacks
        figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


class _Samples(NamedTuple):
    """Samples of the training, and of the test."""

    X: Array
    y: Array
    X_test: Array
    y_test: Array


def _samples(X: Any, y: Any, test: Any) -> _Samples:
    X = np.asarray(X, dtype=float)
    X_test, y_test = test if test is not None and len(test[0]) else (X[:0], [])
    return _Samples(X, np.asarray(y, dtype=float), np.asarray(X_test, dtype=float), np.asarray(y_test, dtype=float))


def _drawn(samples: _Samples) -> tuple[_Samples, str]:
    """No more samples than can be told apart, the same part of training and test, and what a title says of that."""
    total, rng = len(samples.X) + len(samples.X_test), np.random.default_rng(0)
    if total <= MOST_POINTS:
        return samples, ""
    some: list[Array] = []
    for X, y in (samples[:2], samples[2:]):
        chosen = np.sort(rng.permutation(len(X))[: math.ceil(len(X) * MOST_POINTS / total)])
        some += [X[chosen], y[chosen]]
    return _Samples(*some), f" ({len(some[0]) + len(some[2])} of {total} samples)"


def _names(columns: Any, samples: _Samples) -> list[str]:
    """Names of the features and the target, as matplotlib shows them."""
    count = samples.X.shape[1] if samples.X.ndim == 2 else 0
    return [_plain(name) for name in columns or [*(f"x{j}" for j in range(count)), "y"]]


def _plain(name: Any, length: int = 30) -> str:
    """A name that is data: short, and not read as a formula, as matplotlib does what is between dollars."""
    text = shortened(str(name), 1000)
    if len(text) > length:  # names that begin alike are told apart by their ends
        text = f"{text[: length - length // 2 - 1]}…{text[-(length // 2) :]}"
    return text.replace("$", r"\$")


def _whole_numbers() -> MaxNLocator:
    return MaxNLocator(integer=True, steps=[1, 2, 5, 10])


# --- curves -----------------------------------------------------------------------------------------------------------


def _draw_history(axes: Any, history: Curves, unit: str, scaled: bool = False) -> None:
    axes.set_xlabel("epoch")
    axes.set_title("Training", loc="left")  # beside which there is room for what the lines are
    axes.xaxis.set_major_locator(_whole_numbers())
    axes.set_ylabel("loss (target scaled to deviation 1)" if scaled else "loss", color=COLOURS[0])
    _draw_lines(axes, history.loss, history.validation_loss, COLOURS[0])
    axes.grid(alpha=0.3)
    if len(history.loss) < 3:
        axes.set_xlim(0, len(history.loss) + 1)
    axes.set_ylim(_from_0([*history.loss, *history.validation_loss]))
    if history.metric:
        other = axes.twinx()
        _draw_lines(other, history.metric, history.validation_metric, COLOURS[1])
        in_unit = f" ({unit})" if unit and history.metric_name == "mean absolute error" else ""
        other.set_ylabel(history.metric_name + in_unit, color=COLOURS[1])
        if history.metric_name == "mean absolute error":
            other.set_ylim(_from_0([*history.metric, *history.validation_metric]))
        else:  # 1 is the best
            other.set_ylim(min(0, *history.metric, *history.validation_metric), 1.02)
    if history.validation_loss or history.validation_metric:
        for style, name in (("-", "training"), ("--", "validation")):
            axes.plot([], [], style, color="0.3", label=name)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2, frameon=False)


def _from_0(values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis that shows 0 and all values, with room above the largest."""
    low, high = min([0.0, *values]), max([0.0, *values])
    return low, high + 0.05 * (high - low or 1.0)


def _draw_lines(axes: Any, training: Sequence[float], validation: Sequence[float], colour: str) -> None:
    for values, style in ((training, "-"), (validation, "--")):
        if values:
            marker = "." if len(values) == 1 else ""  # one epoch makes no line
            axes.plot(range(1, len(values) + 1), values, style, color=colour, marker=marker)


# --- classification ---------------------------------------------------------------------------------------------------


def _draw_boundary(axes: Any, model: Module, samples: _Samples, loss: Loss, columns: Any, classes: Any) -> None:
    X = samples.X
    if X.ndim != 2 or X.shape[1] != 2 or loss.label is None:
        raise ValueError(f"a decision boundary needs two features and a loss of classification; X is {X.shape}")
    everything = np.concatenate([X, samples.X_test])
    margin = 0.08 * (everything.max(axis=0) - everything.min(axis=0)) + 1e-9
    low, high = everything.min(axis=0) - margin, everything.max(axis=0) + margin
    across, up = np.meshgrid(np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID))
    scores = model.predict(np.column_stack([across.ravel(), up.ravel()]))
    labels = _labels(loss, scores)
    scores = np.column_stack([-scores, scores]) if loss.labels else scores
    for n, i in enumerate(np.unique(scores.argmax(axis=1))):
        # by how much a class has the best score: 0 is the boundary, whatever the numbers of the classes are
        lead = (scores[:, i] - np.delete(scores, i, axis=1).max(axis=1)).reshape(across.shape)
        axes.contourf(across, up, lead, levels=[0, np.inf], colors=[_colour(i)], alpha=0.2)
        if n:  # the boundaries of the first are also those of others
            axes.contour(across, up, lead, levels=[0], colors="0.25", linewidths=1)
    samples, of = _drawn(samples)
    X = samples.X
    for i, label in enumerate(labels):
        name = _plain(classes[i] if classes else f"{label:g}")
        look = {"color": _colour(i), "marker": MARKERS[i % len(MARKERS)], "edgecolor": "white", "linewidth": 0.5}
        train, test = X[samples.y == label], samples.X_test[samples.y_test == label]
        axes.scatter(*train.T, s=20, label=name if i < LEGEND else None, **look)
        axes.scatter(*test.T, s=28, **look | {"edgecolor": "black", "linewidth": 1.1})
    if len(samples.X_test):
        axes.scatter([], [], s=28, color="white", edgecolor="black", linewidth=1.1, label="test sample")
    axes.set(xlabel=columns[0], ylabel=columns[1], title=f"Decision boundary{of}", xlim=(low[0], high[0]))
    axes.set_ylim(low[1], high[1])
    more = f" ({LEGEND} of {len(labels)})" if len(labels) > LEGEND else ""
    axes.legend(title=f"class{more}", loc="best", fontsize="small")


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def _draw_confusion(axes: Any, model: Module, samples: _Samples, loss: Loss, classes: Any) -> None:
    """How often a sample of one class is taken for one of another: of the test, if there are samples for it."""
    assert loss.label is not None
    X, y, which = (samples.X_test, samples.y_test, "test") if len(samples.X_test) else (*samples[:2], "training")
    scores = model.predict(X)
    labels = _labels(loss, scores)
    length = 30 if len(labels) <= MOST_COUNTS else 15
    names = [_plain(name, length) for name in (classes or [f"{label:g}" for label in labels])]
    position = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=int)
    for score, label in zip(scores, y.tolist(), strict=True):
        counts[position[label], position[loss.label(score)]] += 1
    title = f"{len(X)} {which} sample{'s' * (len(X) != 1)}"
    if len(labels) > MOST_NAMES:
        _draw_confusions(axes, counts, names, title)
        return
    axes.imshow(counts, cmap="Blues", vmin=0)
    axes.set(xlabel="predicted class", ylabel="class", title=f"Confusion matrix of {title}")
    size = "small" if len(labels) <= MOST_COUNTS else 6
    longest = max(map(len, names))
    across = {"rotation": 90} if len(labels) > MOST_COUNTS or longest * len(labels) > 50 else {}
    axes.set_xticks(range(len(labels)), names, fontsize=size, **across)
    axes.set_yticks(range(len(labels)), names, fontsize=size)
    if len(labels) > MOST_COUNTS:
        axes.figure.colorbar(axes.images[0], ax=axes, label="samples", ticks=_whole_numbers())
        return
    for (row, column), count in np.ndenumerate(counts):
        shade = "white" if count > counts.max() / 2 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=shade, fontsize="small")


def _draw_confusions(axes: Any, counts: Array, names: Sequence[str], title: str) -> None:
    """The most frequent confusions of many classes, as bars."""
    right = int(np.trace(counts))
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
    pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True) if wrong[i, j]]
    axes.barh(range(len(pairs)), [wrong[pair] for pair in pairs], color=COLOURS[0])
    axes.set_yticks(range(len(pairs)), [f"{names[i]} as {names[j]}" for i, j in pairs], fontsize="small")
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(_whole_numbers())
    axes.set(
        xlabel="samples", title=f"{right} of {title} right, of {len(names)} classes;\nmost of the others are taken"
    )


def _labels(loss: Loss, scores: Any) -> list[float]:
    return list(loss.labels or range(len(scores[0])))


# --- regression -------------------------------------------------------------------------------------------------------


def _draw_curve(axes: Any, model: Module, samples: _Samples, loss: Loss, columns: Sequence[str]) -> None:
    """What a model of one feature predicts over it, among the samples."""
    everything = np.concatenate([samples.X, samples.X_test])[:, 0]
    margin = 0.04 * (everything.max() - everything.min()) + 1e-9
    x = np.linspace(everything.min() - margin, everything.max() + margin, 500)
    samples, of = _drawn(samples)
    _draw_both(axes, samples.X[:, 0], samples.y, samples.X_test[:, 0], samples.y_test)
    axes.plot(x, loss.predicted(model.predict(x[:, None])), color="black", linewidth=1.5, label="prediction")
    axes.set(xlabel=columns[0], ylabel=columns[-1], title=f"Prediction over its feature{of}")
    axes.legend(loc="best", fontsize="small")


def _draw_predictions(axes: Any, model: Module, samples: _Samples, loss: Loss, name: str) -> None:
    axes.axline((samples.y[0], samples.y[0]), slope=1, color="0.6", linewidth=1)
    samples, of = _drawn(samples)
    predicted = loss.predicted(model.predict(np.concatenate([samples.X, samples.X_test])))
    count = len(samples.X)
    _draw_both(axes, samples.y, predicted[:count], samples.y_test, predicted[count:])
    axes.set(xlabel=name, ylabel=f"predicted {name}", title=f"Predictions{of}")
    if len(samples.X_test):
        axes.legend(loc="best", fontsize="small")


def _draw_both(axes: Any, x: Any, y: Any, x_test: Any, y_test: Any) -> None:
    """Samples of the training, and of the test where there are any."""
    axes.scatter(x, y, s=16, color=COLOURS[0], edgecolor="white", linewidth=0.5, label="training")
    if len(x_test):
        look = {"edgecolor": "black", "linewidth": 0.8, "marker": MARKERS[1]}
        axes.scatter(x_test, y_test, s=20, color=COLOURS[1], label="test", **look)
    axes.grid(alpha=0.3)
