"""Pictures: what is drawn, without a window and without pyplot's global state."""

import subprocess
import sys
import time

import pytest

np = pytest.importorskip("numpy", reason="the pictures need NumPy and matplotlib")
pytest.importorskip("matplotlib", reason="the pictures need matplotlib")

from nn import MLP, History, Neuron, fit  # noqa: E402
from nn.losses import LOSSES  # noqa: E402
from nn.plots import decision_boundary, loss_curve, png, summary  # noqa: E402

HISTORY = History(loss=[1.0, 0.5, 0.25], metric=[0.5, 0.75, 1.0], metric_name="accuracy")
X = [[-1.0, 0.0], [1.0, 0.5], [0.5, -1.0], [-0.25, 1.0]]


def test_the_loss_curve_shows_loss_and_metric_by_epoch():
    loss, metric = HISTORY.plot().axes
    assert loss.lines[0].get_xydata().tolist() == [[1, 1.0], [2, 0.5], [3, 0.25]]
    assert metric.lines[0].get_ydata().tolist() == [0.5, 0.75, 1.0]
    assert (loss.get_xlabel(), loss.get_ylabel(), metric.get_ylabel()) == ("epoch", "loss", "accuracy")
    assert len(loss_curve(History(loss=[1.0])).axes) == 1


def test_the_boundary_is_where_the_score_changes_its_sign():
    neuron = Neuron(2, nonlin=False)
    neuron.load_state_dict({"w.0": 1.0, "w.1": 0.0, "b": -0.25})  # x0 > 0.25
    (axes,) = decision_boundary(neuron, X, [-1, 1, 1, -1], "hinge").axes
    lines = [path for drawn in axes.collections for path in drawn.get_paths() if len(path.vertices)]
    line = [path.vertices for path in lines if np.allclose(path.vertices[:, 0], 0.25)]
    assert len(line) == 1
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["-1", "1"]


def test_three_classes_have_three_regions():
    model = MLP(2, [3], rng=0)
    (axes,) = decision_boundary(model, X, [0, 1, 2, 0], "cross_entropy").axes
    assert len(axes.get_legend().get_texts()) == 3


def test_other_problems_get_the_picture_that_fits_them():
    more = [[*x, 1.0] for x in X]
    titles = {
        "boundary": summary(Neuron(2, nonlin=False), HISTORY, X, [-1, 1, 1, -1], LOSSES["hinge"]),
        "confusion": summary(MLP(3, [2]), HISTORY, more, [0, 1, 1, 0], LOSSES["cross_entropy"], classes=["a", "b"]),
        "prediction": summary(Neuron(3, nonlin=False), HISTORY, more, [0.5, 1, 1, 2], LOSSES["huber"]),
    }
    for name, figure in titles.items():
        assert name in figure.axes[0].get_title().lower()
        assert png(figure)[:8] == b"\x89PNG\r\n\x1a\n"
    counts = [int(text.get_text()) for text in titles["confusion"].axes[0].texts]
    assert sum(counts) == 4


def test_a_boundary_needs_two_features_and_classes():
    with pytest.raises(ValueError, match=r"two features and a loss of classification; X is \(4, 2\)"):
        decision_boundary(Neuron(2), X, [1, 1, 1, 1], "huber")
    with pytest.raises(ValueError, match=r"X is \(1, 3\)"):
        decision_boundary(Neuron(3), [[1, 2, 3]], [1], "hinge")


def test_a_history_of_fit_can_be_plotted():
    history = fit(Neuron(2, rng=0), X, [1.0, 2.0, 3.0, 4.0], epochs=2, progress=False)
    assert len(history.plot().axes) == 2


def test_plotting_leaves_pyplot_alone():
    code = "import nn.plots, sys; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_names_of_columns_are_not_read_as_formulas():
    figure = summary(MLP(2, [1], rng=0), HISTORY, X, [-1, 1, 1, -1], LOSSES["hinge"], columns=["a$", "$x_{$", "y"])
    assert png(figure)[1:4] == b"PNG"


# --- what the pictures show ------------------------------------------------------------------------------------------


def regions(axes):
    """The lines that are drawn as boundaries, as points."""
    lines = [c for c in axes.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    return np.concatenate([path.vertices for line in lines for path in line.get_paths() if len(path.vertices)])


def test_the_boundary_of_two_classes_does_not_pass_through_a_third():
    model = MLP(2, [3], rng=0)  # classes 0 and 2 meet at x0 = 0, class 1 is never the best
    model.load_state_dict(dict(zip(model.named_parameters(), [-1, 0, 0, 0, 0, -100, 1, 0, 0], strict=True)))
    (axes,) = decision_boundary(model, X, [0, 2, 1, 0], "cross_entropy").axes
    assert np.abs(regions(axes)[:, 0]).max() < 1e-9
    shades = {tuple(c.get_facecolor()[0][:3]) for c in axes.collections if getattr(c, "filled", False)}
    assert len(shades) == 2


def test_classes_differ_by_colour_and_by_marker_and_test_samples_are_marked():
    (axes,) = decision_boundary(MLP(2, [3], rng=0), X, [0, 1, 2, 0], "cross_entropy", test=(X[:2], [0, 1])).axes
    points = [c for c in axes.collections if type(c).__name__ == "PathCollection" and len(c.get_offsets())]
    looks = {(tuple(c.get_facecolor()[0]), c.get_paths()[0].vertices.tobytes()) for c in points}
    assert len(looks) == len({colour for colour, _ in looks}) == len({marker for _, marker in looks}) == 3
    marked = [c for c in points if tuple(c.get_edgecolor()[0][:3]) == (0, 0, 0)]
    assert sum(len(c.get_offsets()) for c in marked) == 2
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["0", "1", "2", "test sample"]


def test_no_two_of_50_classes_look_alike():
    from nn.plots import COLOURS, MARKERS

    assert len({(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]) for i in range(50)}) == 50


def test_a_confusion_matrix_counts_test_samples_only():
    model = MLP(3, [2], rng=0)
    more = [[*x, 1.0] for x in X]
    right = [s.index(max(s)) for s in model.predict(more)]
    test = (more[:3], [right[0], right[1], 1 - right[2]])
    axes = summary(model, HISTORY, more, right, LOSSES["cross_entropy"], test=test, classes=["a", "b"]).axes[0]
    counts = np.array([int(text.get_text()) for text in axes.texts]).reshape(2, 2)
    assert counts.sum() == 3
    assert np.trace(counts) == 2
    assert "3 test samples" in axes.get_title()
    axes = summary(model, HISTORY, more, right, LOSSES["cross_entropy"]).axes[0]
    assert "4 training samples" in axes.get_title()


def test_214_classes_are_summarised_in_a_moment():
    model = MLP(3, [214], rng=0)
    samples = np.random.default_rng(0).normal(size=(1000, 3))
    labels = [i % 214 for i in range(1000)]
    names = [f"a class whose name is long {i}" for i in range(214)]
    started = time.perf_counter()
    figure = summary(model, HISTORY, samples, labels, LOSSES["cross_entropy"], test=(samples, labels), classes=names)
    png(figure)
    assert time.perf_counter() - started < 20  # a minute, once
    texts = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert len(texts) == 12
    assert all(" as a class" in text for text in texts)


def test_a_regression_of_one_feature_shows_the_curve_over_it():
    neuron = Neuron(1, nonlin=False)
    neuron.load_state_dict({"w.0": 2.0, "b": 1.0})
    rows, y = [[0.0], [1.0], [3.0]], [1.0, 3.5, 7.0]
    axes = summary(neuron, HISTORY, rows, y, LOSSES["squared_error"], test=([[2.0]], [5.5]), columns=["t", "v"]).axes[0]
    (line,) = axes.lines
    x, prediction = line.get_data()
    assert prediction == pytest.approx(2 * x + 1)
    assert (min(x) <= 0, max(x) >= 3) == (True, True)
    assert sorted(len(c.get_offsets()) for c in axes.collections) == [1, 3]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("t", "v")


def test_training_and_validation_are_drawn_and_errors_in_the_unit_of_the_target():
    history = History(
        loss=[1.0, 0.5], metric=[30.0, 20.0], metric_name="mean absolute error", validation_loss=[1.5, 1.0],
        validation_metric=[40.0, 35.0],
    )  # fmt: skip
    loss, metric = loss_curve(history, "price").axes
    assert [line.get_ydata().tolist() for line in loss.lines[:2]] == [[1.0, 0.5], [1.5, 1.0]]
    assert [line.get_ydata().tolist() for line in metric.lines] == [[30.0, 20.0], [40.0, 35.0]]
    assert metric.get_ylabel() == "mean absolute error (price)"
    assert [t.get_text() for t in loss.get_legend().get_texts()] == ["training", "validation"]
    scaled = LOSSES["squared_error"].in_unit(10.0)
    figure = summary(
        Neuron(3), history, [[*x, 1.0] for x in X], [1.0, 2.0, 3.0, 4.0], scaled, columns=[*"abc", "price"]
    )
    assert figure.axes[1].get_ylabel() == "loss (target scaled to deviation 1)"
    assert figure.axes[2].get_ylabel() == "mean absolute error (price)"


@pytest.mark.parametrize("epochs", [1, 2, 7, 1000])
def test_the_axis_of_epochs_has_whole_numbers(epochs):
    figure = loss_curve(History(loss=[1.0] * epochs))
    figure.canvas.draw()
    assert all(tick == int(tick) for tick in figure.axes[0].get_xticks())


def test_names_in_any_script_are_drawn():
    figure = summary(MLP(2, [1], rng=0), HISTORY, X, [-1, 1, 1, -1], LOSSES["hinge"], classes=["日本", "a\nb" * 1000])
    assert png(figure)[1:4] == b"PNG"


def test_of_many_samples_as_many_are_drawn_as_can_be_told_apart(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 2)), np.where(rng.random(3000) < 0.5, 1.0, -1.0)
    figure = decision_boundary(MLP(2, [1], rng=0), X[:2400], y[:2400], "hinge", test=(X[2400:], y[2400:]))
    (axes,) = figure.axes
    drawn = [
        len(each.get_offsets()) for each in axes.collections if hasattr(each, "get_sizes") and len(each.get_offsets())
    ]
    assert sum(drawn) in (2000, 2001)
    assert abs(drawn[1] + drawn[3] - 400) <= 1  # the same part of the test
    assert axes.get_title() == f"Decision boundary ({sum(drawn)} of 3000 samples)"


def test_a_curve_that_hardly_falls_is_within_the_picture():
    loss, error = loss_curve(History(loss=[5.42, 5.41], metric=[2.0, 2.0], metric_name="mean absolute error")).axes
    assert loss.get_ylim()[0] == error.get_ylim()[0] == 0
    assert loss.get_ylim()[1] > 5.6
    assert error.get_ylim()[1] > 2.05
