"""Metrics by name: what they count, in fit, in model.score and on the command line."""

import json
import math
import sys

import pytest

import nn
from nn import MLP, Layer, Neuron, fit
from nn.__main__ import main
from nn.losses import LOSSES, Loss
from nn.metrics import METRICS, measured_by

pytest.importorskip("sklearn")

SCORES = [0.3, -1.2, 2.0, -0.1, 0.7, -2.5, 0.1, 1.1]
LABELS = [1, -1, 1, 1, -1, -1, -1, 1]
THREE = [[2.0, 0.1, -1.0], [0.0, 1.0, 0.5], [0.3, 0.2, 0.1], [-1.0, 0.0, 3.0], [0.5, 0.1, 0.9], [0.1, 0.7, 0.6]]
OF_THREE = [0, 1, 1, 2, 0, 2]


def counted(found, wanted, label):
    """Precision, recall and F1 of a label, by counting."""
    hits = sum(f == w == label for f, w in zip(found, wanted, strict=True))
    precision, recall = (hits / max(1, side.count(label)) for side in (found, wanted))
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(("i", "name"), list(enumerate(["precision", "recall", "f1"])))
def test_precision_recall_and_f1_are_those_of_the_second_class_or_the_mean_over_all(i, name):
    found = [1 if score > 0 else -1 for score in SCORES]
    assert METRICS[name](LOSSES["hinge"], SCORES, LABELS) == pytest.approx(counted(found, LABELS, 1)[i])
    two, labels = [[-s, s] for s in SCORES], [max(0, label) for label in LABELS]
    assert METRICS[name](LOSSES["cross_entropy"], two, labels) == pytest.approx(counted(found, LABELS, 1)[i])
    found = [score.index(max(score)) for score in THREE]
    mean = sum(counted(found, OF_THREE, k)[i] for k in range(3)) / 3
    assert METRICS[name](LOSSES["cross_entropy"], THREE, OF_THREE) == pytest.approx(mean)


def pairs_in_order(scores, positive):
    """How often a positive sample has a higher score than a negative one, which is the area under the curve."""
    pairs = [(p > n) + (p == n) / 2 for p, yes in zip(scores, positive, strict=True) if yes
             for n, no in zip(scores, positive, strict=True) if not no]  # fmt: skip
    return sum(pairs) / len(pairs)


def test_roc_auc_is_how_often_pairs_are_in_order_and_nan_of_one_class():
    of_hinge = pairs_in_order(SCORES, [label == 1 for label in LABELS])
    assert METRICS["roc_auc"](LOSSES["hinge"], SCORES, LABELS) == pytest.approx(of_hinge)
    two, labels = [[-s, s] for s in SCORES], [max(0, label) for label in LABELS]
    assert METRICS["roc_auc"](LOSSES["cross_entropy"], two, labels) == pytest.approx(of_hinge)
    probabilities = [nn.Softmax()(score) for score in THREE]
    mean = sum(pairs_in_order([p[k] for p in probabilities], [t == k for t in OF_THREE]) for k in range(3)) / 3
    assert METRICS["roc_auc"](LOSSES["cross_entropy"], THREE, OF_THREE) == pytest.approx(mean)
    assert math.isnan(METRICS["roc_auc"](LOSSES["hinge"], SCORES, [1] * 8))


def test_r2_is_the_part_of_the_variance_that_is_explained():
    targets, predicted = [1.0, 2.0, 4.0, 3.0], [1.5, 2.0, 3.0, 3.0]
    left = sum((t - p) ** 2 for t, p in zip(targets, predicted, strict=True))
    whole = sum((t - 2.5) ** 2 for t in targets)
    assert METRICS["r2"](LOSSES["squared_error"], predicted, targets) == pytest.approx(1 - left / whole)
    logs = [math.log(p) for p in predicted]
    assert METRICS["r2"](LOSSES["poisson"], logs, targets) == pytest.approx(1 - left / whole)


X = [[math.cos(i), math.sin(2 * i)] for i in range(24)]
Y = [1 if x0 * x1 > -0.1 else -1 for x0, x1 in X]


@pytest.mark.parametrize("backend", ["eager", "jit"])
def test_fit_and_score_have_the_metric_that_was_asked_for(backend):
    if backend == "jit":
        pytest.importorskip("llvmlite")
    model = MLP(2, [4, 1], rng=0)
    settings = {"epochs": 3, "loss": "hinge", "backend": backend, "progress": False}
    history = fit(model, X, Y, metric="f1", validation_split=0.25, **settings)
    assert (history.metric_name, len(history.metric), len(history.validation_metric)) == ("f1", 3, 3)
    assert (model.metadata.metric, model.metadata.score) == ("f1", history.metric[-1])
    expected = counted([1 if s > 0 else -1 for s in model.predict(X)], Y, 1)
    assert model.score(X, Y) == pytest.approx(expected[2])
    assert model.score(X, Y, "recall") == pytest.approx(expected[1])
    assert model.score(X, Y, "accuracy") == nn.accuracy(model, X, Y, "hinge")


def test_a_metric_of_one_class_is_nan_and_does_not_keep_a_model_from_being_saved(tmp_path):
    model = MLP(2, [4, 1], rng=0)
    history = fit(model, X, [1] * 24, loss="hinge", metric="roc_auc", epochs=2, progress=False, backend="eager")
    assert all(map(math.isnan, history.metric))
    nn.save(model, tmp_path / "model.json")
    assert nn.load(tmp_path / "model.json").metadata.score is None


def test_a_loss_of_ones_own_takes_r2():
    model = Neuron(2, nonlin=False, rng=0)
    targets = [x0 - 3 * x1 for x0, x1 in X]

    def cubic(score, target):
        return abs(score - target) ** 3

    history = fit(model, X, targets, loss=cubic, metric="r2", optimizer=nn.Adam(0.1), epochs=60, progress=False)
    assert history.metric[-1] > 0.9
    assert model.score(X, targets, loss=cubic, metric="r2") == history.metric[-1]
    with pytest.raises(ValueError, match="Neuron was trained with a loss of its own; say which loss reads its scores"):
        model.score(X, targets)
    with pytest.raises(ValueError, match="say which metric: cubic has none"):
        model.score(X, targets, loss=cubic)


@pytest.mark.parametrize(
    ("loss", "metric", "message"),
    [
        ("hinge", "r2", "r2 is a metric of regression, and hinge is not a loss of regression"),
        ("squared_error", "f1", "f1 is a metric of classification, and squared_error is not a loss of classification"),
        ("hinge", "F1", "unknown metric 'F1'; choose from accuracy, mean absolute error, precision"),
    ],
)
def test_metrics_that_do_not_go_with_the_loss_are_named(loss, metric, message):
    with pytest.raises(ValueError, match=message):
        fit(Neuron(2), X, Y, loss=loss, metric=metric, progress=False)
    with pytest.raises(ValueError, match=message):
        Neuron(2).score(X, Y, metric, loss)


def test_a_model_that_was_not_trained_needs_a_loss():
    with pytest.raises(ValueError, match="Layer was trained with no loss by fit; say which loss reads its scores"):
        Layer(2, 3).score(X, Y)


def test_without_scikit_learn_a_metric_says_what_to_install_before_training(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(ImportError, match=r"the metric f1 needs scikit-learn, .*pip install scikit-learn"):
        measured_by(LOSSES["hinge"], "f1")
    assert measured_by(LOSSES["hinge"], "accuracy") is LOSSES["hinge"]
    own = Loss(lambda score, target: score, lambda score, target: "")
    assert measured_by(own, "mean absolute error").metric == "mean absolute error"


def test_the_command_line_reports_the_metric_and_a_saved_model_keeps_it(tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    rows = [f"{x0},{x1},{math.floor(math.exp(1 + x0))}" for x0, x1 in X]
    (tmp_path / "counts.csv").write_text("\n".join(["a,b,count", *rows]))
    options = ["--hidden", "3", "--epochs", "2", "--json"]
    learn = ["--data", "counts.csv", "--task", "regression", "--loss", "poisson", "--metric", "r2", "--save", "m.json"]
    assert main([*learn, *options]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["metric"], result["loss"]) == ("r2", "poisson")
    assert main(["--load", "m.json", "--data", "counts.csv", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["metric"], again["scored"]) == ("r2", 24)
    assert min(again["predictions"]) > 0  # counts, not their logarithms
    assert main([*learn, *options, "--metric", "f1"]) == 2
    assert "--metric f1: f1 is a metric of classification" in capsys.readouterr().err
