"""`python -m nn --export`: code that predicts what the model does, of samples as they are in the table."""

import math
import shutil

import pytest
from exported import compiled, python_function, run_javascript

from nn import MLP, fit, load
from nn.__main__ import main
from nn.datasets import read_table
from nn.exporting import predictor
from nn.losses import LOSSES
from nn.metadata import Metadata

IRIS = "length,width,species\n" + "".join(
    f"{500 + i % 3 + 0.01 * i},{3 + 0.1 * (i % 7)},{['setosa', 'virginica', 'versicolor'][i % 3]}\n" for i in range(60)
)
SMALL = ["--quiet", "--epochs", "3", "--hidden", "4", "--out", "out"]


@pytest.mark.skipif(not shutil.which("gcc"), reason="there is no gcc here")
def test_the_command_writes_code_that_takes_samples_as_they_are_in_the_table(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris.csv").write_text(IRIS)
    assert main([*SMALL, "--data", "iris.csv", "--save", "iris.json", "--export", "iris.py"]) == 0
    assert main(["--load", "iris.json", "--export", "iris.c"]) == 0
    model, table = load("iris.json"), read_table("iris.csv")
    namespace = {}
    exec((tmp_path / "iris.py").read_text(), namespace)
    for row, scores in zip(table.X[:9], model.predict(table.X[:9]), strict=True):
        found = namespace["predict"](row)
        assert found["scores"] == scores
        assert found["chosen"] == scores.index(max(scores))
    assert "iris.h" in [path.name for path in tmp_path.iterdir()]
    text = (tmp_path / "iris.c").read_text().replace("\n * ", " ")
    assert "from x = length, width" in text
    assert "0 setosa, 1 versicolor, 2 virginica" in text
    c = compiled(predictor(model, "c", 2))
    assert c(table.X[0])["scores"].tolist() == model.predict(table.X[:1])[0]


@pytest.mark.parametrize("loss", LOSSES)
def test_the_class_is_the_one_that_the_loss_reads_from_the_scores(loss):
    of = LOSSES[loss]
    classes = ["a", "b", "c"] if of.label and not of.labels else ["a", "b"] if of.label else []
    model = MLP(2, [3, len(classes) if len(classes) == 3 else 1], rng=0)
    model.metadata = Metadata(loss=loss, classes=classes)
    xs = [[math.cos(i), math.sin(i)] for i in range(8)]
    function = python_function(predictor(model, "python", 2))
    for x, score in zip(xs, model.predict(xs), strict=True):
        found = function(x)
        if not classes:
            assert found == of.predicted(score)
            continue
        label = of.label(score)
        assert found["chosen"] == (of.labels.index(label) if of.labels else label)


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node here")
@pytest.mark.parametrize("language", ["javascript", "wasm"])
def test_javascript_predicts_the_same(language):
    model = MLP(2, [9, 1], rng=0)
    fit(model, [[0.0, 1.0], [1.0, 0.0]] * 4, [1, -1] * 4, loss="hinge", epochs=2, progress=False)
    xs = [[0.3, -0.2], [1e3, 5.0]]
    code = predictor(model, language, 2)
    assert [numbers[0] for numbers in run_javascript(code, [(x,) for x in xs])] == model.predict(xs)


def test_an_unknown_ending_is_refused_before_training(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL, "--dataset", "xor", "--export", "model.rs"]) == 2
    assert "model.rs cannot be exported to: give it a name that ends with .c, .js, .mjs, .py" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
