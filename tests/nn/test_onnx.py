"""Models exported to ONNX, run by onnxruntime: the scores and classes of the model itself."""

import json

import numpy as np
import pytest

from nn import (
    MLP,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Module,
    PReLU,
    Reshape,
    Residual,
    Sequential,
    SiLU,
    Softmax,
    export,
    load,
)
from nn.__main__ import main
from nn.activations import ACTIVATIONS
from nn.datasets import read_table
from nn.losses import LOSSES
from nn.metadata import Metadata

onnx = pytest.importorskip("onnx", reason="onnx is not installed: python -m pip install onnx")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: python -m pip install onnxruntime")

X = np.random.default_rng(0).normal(scale=3.0, size=(20, 3))
SINGLE = 1e-6  # erf, of which GELU is made, is computed in single precision


def run(path, X):
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"x": np.asarray(X, dtype=float)}), strict=True))


def agree(model, path, tolerance=1e-13, X=X, inputs=None):
    export(model, path, inputs)
    (found,) = run(path, X).values()
    expected = model.predict(X)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_scores_are_the_same(activation, tmp_path):
    model = MLP(3, [5, 4, 2], activation, rng=0)
    for i, p in enumerate(model.parameters()):
        p.data += 0.01 * i  # biases and slopes that differ
    agree(model, tmp_path / "model.onnx", SINGLE if activation == "gelu" else 1e-13)


def test_what_stands_between_layers_is_the_same(tmp_path):
    agree(Sequential(Layer(3, 4, nonlin=False), PReLU(), Dropout(0.5), Layer(4, 1)), tmp_path / "model.onnx")


def test_models_of_all_layers_are_the_same(tmp_path):
    block = Residual(Conv2d(2, 2, (3, 1), padding=(1, 0), rng=1), SiLU())
    image = Sequential(
        Reshape(1, 5, 4), Conv2d(1, 2, 3, stride=(2, 1), padding=1, rng=0), block, Flatten(), LayerNorm(24, 1e-3),
        Layer(24, 3, nonlin=False, rng=2), Softmax(),
    )  # fmt: skip
    words = Sequential(
        Embedding(6, 4, rng=0), Residual(Layer(4, 4, activation="tanh", rng=1)), Flatten(), Reshape(2, 6),
        Conv1d(2, 3, 3, stride=2, rng=2), Flatten(), Layer(6, 1, rng=3),
    )  # fmt: skip
    agree(image, tmp_path / "image.onnx", X=np.random.default_rng(1).normal(size=(4, 20)))
    agree(words, tmp_path / "words.onnx", X=np.array([[0.0, 5.0, 2.0], [3.0, 3.0, 1.0]]), inputs=3)
    for word in (6.0, -1.0, 0.5):
        with pytest.raises(Exception, match="out of"):
            run(tmp_path / "words.onnx", [[0.0, word, 0.0]])


@pytest.mark.parametrize("loss", LOSSES)
def test_the_class_is_the_one_that_the_loss_reads_from_the_scores(loss, tmp_path):
    of = LOSSES[loss]
    classes = ["a", "b", "c"] if of.label and not of.labels else ["a", "b"] if of.label else []
    model = MLP(3, [4, len(classes) if len(classes) == 3 else 1], rng=0)
    model.metadata = Metadata(loss=loss, classes=classes)
    export(model, tmp_path / "model.onnx")
    found = run(tmp_path / "model.onnx", X)
    if not classes:
        expected = of.predicted(model.predict(X).tolist())
        np.testing.assert_allclose(found.pop("score"), expected, rtol=1e-13)
        assert not found
        return
    labels = [of.label(score) for score in model.predict(X).tolist()]
    assert found["chosen"].tolist() == [of.labels.index(label) if of.labels else label for label in labels]
    assert len({*labels}) > 1


def test_the_command_writes_a_model_of_samples_as_they_are_in_the_table(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    rows = [f"{500 + i % 3 + 0.01 * i},{3 + 0.1 * (i % 7)},{['sun', 'moon', 'star'][i % 3]}\n" for i in range(60)]
    (tmp_path / "sky.csv").write_text("length,width,kind\n" + "".join(rows))
    options = ["--quiet", "--epochs", "3", "--hidden", "4", "--data", "sky.csv", "--save", "sky.json"]
    assert main([*options, "--export", "sky.onnx"]) == 0
    model, table = load("sky.json"), read_table("sky.csv")
    found = run("sky.onnx", table.X)
    np.testing.assert_allclose(found["scores"], model.predict(table.X), rtol=1e-11)
    assert found["chosen"].tolist() == np.argmax(model.predict(table.X), axis=1).tolist()
    proto = onnx.load("sky.onnx")
    props = {entry.key: json.loads(entry.value) for entry in proto.metadata_props}
    assert props == {"columns": ["length", "width"], "classes": ["moon", "star", "sun"]}
    assert "predicts kind from x = length, width" in proto.doc_string


class Bell(Module):
    pass


def test_what_onnx_has_not_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"ONNX: Bell\(0 parameters\) is not known there, only Layer, MLP"):
        export(Sequential(Layer(3, 2), Bell()), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_does_not_say_what_it_takes_is_told_by_hand(tmp_path):
    with pytest.raises(ValueError, match="does not say how many numbers it takes; give inputs="):
        export(Sequential(Dropout(0.5), Layer(3, 2)), tmp_path / "model.onnx")


def test_a_missing_package_is_said_before_training(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nn.exporting.find_spec", lambda name: None if name == "onnx" else name)
    assert main(["--quiet", "--dataset", "xor", "--export", "model.onnx"]) == 2
    assert "export to model.onnx needs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
