"""Pictures: what is drawn, without a window and without pyplot's global state."""

import subprocess
import sys

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
