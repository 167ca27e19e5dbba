"""Pictures of a training run with matplotlib: loss curve, decision boundary, predictions. They open no window."""

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from nn.losses import Loss, find_loss
from nn.module import Module

if TYPE_CHECKING:
    from nn.training import History

COLOURS = ["#4063d8", "#cb3c33", "#389826", "#9558b2", "#d98c00", "#00998f", "#7a7a7a", "#b5487c", "#8c6d31", "#1f3552"]
GRID = 100  # points a side at which a model of two features is evaluated


def loss_curve(history: "History") -> Figure:
    """Loss, and accuracy or error, by epoch.

    Example:
        >>> from nn import History
        >>> figure = loss_curve(History(loss=[1.0, 0.5], metric=[0.5, 1.0], metric_name="accuracy"))
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['loss', 'accuracy']
    """
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    _draw_history(figure.subplots(), history)
    return figure


def decision_boundary(model: Module, X: Any, y: Any, loss: Any) -> Figure:
    """The samples, and the label that the model gives each point of the plane between them.

    Args:
        model: takes two features.
        X, y: samples and labels, as for `fit`.
        loss: a loss of classification, or its name.

    Errors: ValueError if the samples do not have two features, or for another loss.
    """
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    _draw_boundary(figure.subplots(), model, np.asarray(X, dtype=float), y, find_loss(loss), ("x0", "x1"))
    return figure


def summary(
    model: Module, history: "History", X: Any, y: Any, loss: Loss, *, columns: Any = None, classes: Any = None
) -> Figure:
    """What a model has learnt, and how its loss fell.

    Args:
        model, X, y, loss: as for `fit`.
        history: what it returned.
        columns: names of the features and of the target.
        classes: a name for each label, in the order of the loss's labels.

    The left picture is the decision boundary of a classifier of two features, the confusion matrix of another; of a
    regression it is the prediction over the target.
    """
    X = np.asarray(X, dtype=float)
    columns = [_plain(name) for name in columns or [*(f"x{j}" for j in range(X.shape[1])), "y"]]
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    if loss.label is None:
        _draw_predictions(left, model, X, y, columns[-1])
    elif X.shape[1] == 2:
        _draw_boundary(left, model, X, y, loss, columns, classes)
    else:
        _draw_confusion(left, model, X, y, loss, classes)
    _draw_history(right, history)
    return figure


def png(figure: Figure) -> bytes:
    """The picture as the content of a PNG file.

    Example:
        >>> png(Figure())[1:4]
        b'PNG'
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def _draw_history(axes: Any, history: "History") -> None:
    epochs = range(1, len(history.loss) + 1)
    axes.set(xlabel="epoch", title="Training")
    axes.set_ylabel("loss", color=COLOURS[0])
    axes.plot(epochs, history.loss, color=COLOURS[0])
    axes.grid(alpha=0.3)
    axes.set_ylim(bottom=0)
    if history.metric:
        other = axes.twinx()
        other.plot(epochs, history.metric, color=COLOURS[1])
        other.set_ylabel(history.metric_name, color=COLOURS[1])
        other.set_ylim(0, 1.02 if history.metric_name == "accuracy" else None)


def _draw_boundary(axes: Any, model: Module, X: Any, y: Any, loss: Loss, columns: Any, classes: Any = None) -> None:
    if X.ndim != 2 or X.shape[1] != 2 or loss.label is None:
        raise ValueError(f"a decision boundary needs two features and a loss of classification; X is {X.shape}")
    margin = 0.08 * (X.max(axis=0) - X.min(axis=0)) + 1e-9
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    across, up = np.meshgrid(np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID))
    scores = _predict(model, np.column_stack([across.ravel(), up.ravel()]))
    labels = _labels(loss, scores)
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(labels))]
    if loss.labels:  # one score, of which the boundary is where it changes its sign
        height, between = np.array(scores), np.array([0.0])
    else:
        height, between = np.array([loss.label(score) for score in scores]), np.arange(len(labels) - 1) + 0.5
    height = height.reshape(across.shape)
    axes.contourf(across, up, height, levels=[-np.inf, *between, np.inf], colors=colours, alpha=0.2)
    axes.contour(across, up, height, levels=between, colors="0.25", linewidths=1)
    for i, label in enumerate(labels):
        chosen = X[np.asarray(y) == label]
        name = str(classes[i] if classes else f"{label:g}")
        axes.scatter(chosen[:, 0], chosen[:, 1], s=16, color=colours[i], edgecolor="white", linewidth=0.5, label=name)
    axes.set(xlabel=columns[0], ylabel=columns[1], title="Decision boundary", xlim=(low[0], high[0]))
    axes.set_ylim(low[1], high[1])
    axes.legend(title="class", loc="best", fontsize="small")


def _draw_confusion(axes: Any, model: Module, X: Any, y: Any, loss: Loss, classes: Any) -> None:
    assert loss.label is not None
    scores = model.predict(X.tolist())
    labels = _labels(loss, scores)
    names = [str(name) for name in (classes or labels)]
    counts = np.zeros((len(labels), len(labels)), dtype=int)
    for score, label in zip(scores, y, strict=True):
        counts[labels.index(label), labels.index(loss.label(score))] += 1
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        shade = "white" if count > counts.max() / 2 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=shade, fontsize="small")
    axes.set(xlabel="predicted class", ylabel="class", title="Confusion matrix")
    axes.set_xticks(range(len(labels)), names)
    axes.set_yticks(range(len(labels)), names)


def _predict(model: Module, samples: Any) -> list[Any]:
    """model.predict for thousands of samples: compiled, where that can be."""
    try:
        from nn.compiled import scores_of

        return scores_of(model)(np.array([p.data for p in model.parameters()]), samples).tolist()
    except Exception:  # llvmlite is not installed, or the model cannot be traced: `fit` has said so
        return model.predict(samples.tolist())


def _plain(name: str) -> str:
    """A name that is data: matplotlib would read what is between dollars as a formula."""
    return name.replace("$", r"\$")


def _labels(loss: Loss, scores: Any) -> list[float]:
    return list(loss.labels or range(len(scores[0])))


def _draw_predictions(axes: Any, model: Module, X: Any, y: Any, name: str) -> None:
    axes.axline((y[0], y[0]), slope=1, color="0.6", linewidth=1)
    axes.scatter(y, model.predict(X.tolist()), s=16, color=COLOURS[0], edgecolor="white", linewidth=0.5)
    axes.set(xlabel=name, ylabel="prediction", title="Predictions")
    axes.grid(alpha=0.3)
