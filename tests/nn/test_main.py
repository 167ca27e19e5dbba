"""The command line: what it prints and writes, and how it says what is wrong."""

import builtins
import importlib
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import nn.__main__ as command
from nn import load, options, terminal
from nn.datasets import split
from nn.eager import Eager
from nn.training import BACKENDS

pytest.importorskip("matplotlib", reason="the pictures need matplotlib")

SMALL = ["--quiet", "--epochs", "2", "--hidden", "3"]
QUICK = [*SMALL, "--samples", "20"]
IRIS = "length,width,species\n" + "".join(
    f"{5 + i % 3 + 0.01 * i},{3 + 0.1 * (i % 7)},{['setosa', 'virginica', 'versicolor'][i % 3]}\n" for i in range(60)
)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder; gives exit code, output lines and error lines."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        try:
            code = command.main([str(a) for a in arguments])
        except SystemExit as exit:
            code = int(exit.code)
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


@pytest.fixture
def without_pictures(monkeypatch):
    """For what is not about pictures, which take longer than all else."""
    monkeypatch.setattr(command, "_pictures", lambda *args: [])


def test_it_learns_two_moons_and_writes_the_pictures(tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "nn", "--epochs", "30"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, report, written, *following = result.stdout.splitlines()
    assert "nouts=[16, 16, 1]" in first
    assert "337 parameters" in first
    assert float(re.search(r"accuracy ([\d.]+),", report)[1]) > 0.97
    assert float(re.search(r"test samples ([\d.]+),", report)[1]) > 0.9
    assert re.search(r"loss 0\.\d+, .* s$", report)
    assert "out/training.png" in written
    assert "out/neuron.svg" in written
    assert following[0] == "next:"
    assert 2 <= len(following[1:]) <= 3
    package = [sys.executable, "-c", "import nn; print(nn.__file__)"]  # in a clone, or where pip has put it
    where = Path(subprocess.run(package, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip())
    assert ("notebooks" if (where.parents[1] / "notebooks").is_dir() else "pydoc nn") in following[-1]
    assert "\x1b" not in result.stdout  # no terminal, no colour
    assert "accuracy=" in result.stderr  # the bar
    assert sorted(os.listdir(tmp_path / "out")) == ["neuron.svg", "training.png"]
    assert (tmp_path / "out/training.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "out/neuron.svg").read_text(encoding="utf-8")


def test_the_default_options_are_those_of_the_readme():
    given = options.new_parser().parse_args([])
    assert (given.dataset, command._hidden(given), given.activation) == ("moons", [16, 16], "relu")
    assert command._hidden(options.new_parser().parse_args(["--dataset", "digits"])) == [32]


def test_help_names_every_option(run):
    code, out, _ = run("--help")
    assert code == 0
    for option in (
        "hidden", "activation", "loss", "optimizer", "learning-rate", "decay", "weight-decay", "batch-size", "epochs",
        "seed", "dataset", "data", "task", "test", "out", "save", "export", "load", "predictions", "json", "quiet",
        "target", "drop", "categorical", "missing", "header", "no-header",
    ):  # fmt: skip
        assert f"--{option}" in "\n".join(out)
    assert "None" not in "\n".join(out)


@pytest.mark.parametrize("dataset", ["spirals", "xor"])
def test_every_option_is_used(dataset, run):
    code, out, err = run(
        *QUICK, "--dataset", dataset, "--activation", "prelu", "--init", "xavier", "--loss", "binary_cross_entropy",
        "--optimizer", "rmsprop", "--decay", "cosine", "--batch-size", 5, "--seed", 7, "--test", 0.5, "--out", "here",
        "--save", "model.json", "--learning-rate", 0.1, "--weight-decay", 0.1, "--noise", 0,
    )  # fmt: skip
    assert (code, err) == (0, [])
    assert "10 samples, binary_cross_entropy, rmsprop" in out[0]
    assert "10 test samples" in out[1]
    assert re.fullmatch(r"wrote model.json, here/training.png, here/neuron.svg \(.* s in all\)", out[2])
    assert len(out) == 3
    assert repr(load("model.json")) == "MLP(nin=2, nouts=[3, 1], activation=PReLU())"


@pytest.mark.usefixtures("without_pictures")
def test_the_same_seed_gives_the_same_model(run):
    run(*QUICK, "--dataset", "xor", "--save", "a.json")
    run(*QUICK, "--dataset", "xor", "--save", "b.json")
    run(*QUICK, "--dataset", "xor", "--save", "c.json", "--seed", 1)
    assert load("a.json").state_dict() == load("b.json").state_dict() != load("c.json").state_dict()


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize(
    ("labels", "options", "loss", "outputs"),
    [
        ([3, 7] * 10, [], "hinge", 1),
        ([3, 7, 9, 9] * 5, [], "cross_entropy", 3),
        ([0.5, 1, 2, 3] * 5, [], "squared_error", 1),
        (range(21), [], "squared_error", 1),
        (range(20), [], "cross_entropy", 20),
        ([3, 7] * 10, ["--task", "regression"], "squared_error", 1),
        (range(21), ["--task", "classification"], "cross_entropy", 21),
        ([3, 7] * 10, ["--loss", "cross_entropy"], "cross_entropy", 2),
    ],
)
def test_the_task_follows_from_the_labels_or_the_option(labels, options, loss, outputs, run, tmp_path):
    rows = "".join(f"{i % 3},{i % 5},{i % 7},{label}\n" for i, label in enumerate(labels))
    (tmp_path / "data.csv").write_text("a,b,c,label\n" + rows)
    code, out, err = run(*SMALL, "--data", "data.csv", *options)
    assert (code, err) == (0, [])
    assert f"nin=3, nouts=[3, {outputs}]" in out[0]
    assert loss in out[0]


@pytest.mark.usefixtures("without_pictures")
def test_columns_of_any_size_are_learnt_and_the_saved_model_takes_them_as_they_are(run, tmp_path):
    rows = [(1000 + 50 * i, 1e-3 * (i % 7), 5e6 - 2e5 * i + 3e8 * 1e-3 * (i % 7)) for i in range(60)]
    (tmp_path / "data.csv").write_text("".join(",".join(map(repr, row)) + "\n" for row in rows))
    code, out, err = run("--data", "data.csv", "--quiet", "--hidden", "--save", "m.json", "--epochs", 100)
    assert (code, err) == (0, [])
    assert "nouts=[1]" in out[0]
    predicted = load("m.json").predict([[x0, x1] for x0, x1, _ in rows])
    assert predicted == pytest.approx([y for _, _, y in rows], abs=0.02 * 1.2e7)
    assert float(re.search(r"mean absolute error ([\d.e+]+)", out[1])[1]) < 0.02 * 1.2e7


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("1e308,0\n-1e308,1\n-1.7e308,0\n1.7e308,1\n1.7e308,1\n-1.7e308,1\n", ["--quiet"], "data.csv: column 1 has "
            "mean -3.4e+307 and standard deviation inf, too large or too small to compute with; "
            "give it in another unit"),
        ("1,0\n2,1\n", ["--test", "0.9"], "--test 0.9: a test fraction of 0.9 leaves none of 2 samples to train on"),
        (None, [], "data.csv: No such file or directory"),
        ("", [], "data.csv: empty, no rows"),
        ("a,b,c\n1,2,3\n1,2\n", [], "data.csv: row 3, column 3 (c) is missing: the row has 2 of 3 columns"),
        ("a,b,c\n1,2,3\n1,two,3\n", [], "data.csv: row 3, column 2 (b) is 'two' where a number belongs"),
        ("a,b,c\n1,2,3\n1,NaN,3\n", [], "data.csv: row 3, column 2 (b) is 'NaN', not a finite number; missing='drop' "
            "(--missing drop) leaves out such rows, 'mean' fills in the mean of the column"),
        ("a,b\n1,1\n2,1\n\n3,1\n", [], "data.csv: rows 2 to 5, column 2 (b) have one class only, 1; "
            "classification needs two or more"),
        ("1,0\n2,1.5\n", ["--task", "classification"], "data.csv: row 2, column 2 (column 2) is 1.5, where a class "
            "is a whole number"),
        ("1,0\n2,1\n", ["--loss", "huber"], "--loss huber does not go with classification"),
        ("1,0\n2,1.5\n", ["--loss", "hinge"], "--loss hinge does not go with regression"),
        ("1,0\n2,1\n3,2\n", ["--loss", "hinge"], "--loss hinge takes 2 classes, and there are 3; "
            "use --loss cross_entropy"),
    ],
)  # fmt: skip
def test_bad_data_end_with_one_line_and_exit_code_2(content, options, message, run, tmp_path):
    if content is not None:
        (tmp_path / "data.csv").write_text(content)
    code, _, err = run("--data", "data.csv", *options)
    assert (code, err) == (2, [f"python -m nn: error: {message}"])
    assert os.listdir(tmp_path) == ([] if content is None else ["data.csv"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--noise", "1e308"], "argument --noise: '1e308' is not a number, at least 0 and at most 1e6"),
        (["--learning-rate", "1e300"], "argument --learning-rate: '1e300' is not a positive number, at most 1e6"),
        (["--samples", "9" * 5000], "argument --samples: '999"),
        (["--dataset", "x" * 10**5], "argument --dataset: invalid choice: 'xxx"),
        (["--hidden", "99999", "99999"], "parameters are too many; at most 10000000"),
        (["--data", "x.csv", "--samples", "3"], "argument --samples: not allowed with argument --data"),
        (["--data", "x.csv", "--noise", "0"], "argument --noise: not allowed with argument --data"),
        (["--data", ""], "argument --data: '' is not the name of a file"),
        (["--target", "y"], "argument --target: needs --data"),
        (["--no-header"], "argument --header: needs --data"),
        (["--predictions", "p.csv"], "argument --predictions: needs --load"),
        (["--load", "m.json", "--predictions", "p.csv"], "argument --predictions: needs --data"),
        (["--load", "m.json", "--epochs", "3"], "argument --epochs: not allowed with --load"),
        (["--load", "m.json", "--save", "n.json"], "argument --save: not allowed with --load"),
        (["--load", "none.json"], "none.json: No such file or directory"),
        (["--dat", "x.csv"], "unrecognized arguments: --dat x.csv"),
        (["--epochs", "0"], "argument --epochs: '0' is not a whole number, at least 1"),
        (["--epochs", "many"], "argument --epochs: 'many' is not a whole number"),
        (["--learning-rate", "0"], "argument --learning-rate: '0' is not a positive number"),
        (["--learning-rate", "nan"], "argument --learning-rate: 'nan' is not a positive number"),
        (["--test", "1"], "argument --test: '1' is not a fraction"),
        (["--seed", "-1"], "argument --seed: '-1' is not a whole number from 0 to 2**32 - 1"),
        (["--dataset", "xor", "--samples", "1"], "--samples 1 draws one class only"),
        (["--hidden", "-3"], "--hidden"),
        (["--dataset", "sun"], "argument --dataset: invalid choice: 'sun'"),
        (["--dataset", "xor", "--data", "x.csv"], "not allowed with"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)
def test_bad_options_are_named_with_exit_code_2(arguments, message, run, tmp_path):
    code, out, err = run(*arguments)
    assert (code, out, len(err)) == (2, [], 1)
    assert message in err[0]
    assert len(err[0]) < 500
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "column"),
    [("1e307,0\n-1e307,1\n", "1 has"), ("1e-310,0\n2e-310,1\n", "1 has"), ("1,1e308\n2,-1e308\n", "2 has")],
)
def test_columns_that_cannot_be_scaled_are_named(content, column, run, tmp_path):
    (tmp_path / "data.csv").write_text(content)
    code, _, err = run("--data", "data.csv", "--test", "0", "--task", "regression", "--quiet")
    assert code == 2
    assert re.fullmatch(f"python -m nn: error: data.csv: column {column} mean .* give it in another unit", *err)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "file"], "--out file: file is not a folder"),
        (["--out", "file/deeper"], "--out file/deeper: file is not a folder"),
        (["--save", "."], "--save .: it exists and is not a regular file"),
        (["--save", "none/model.json"], "--save none/model.json: there is no folder none"),
    ]
    + [
        (["--out", "/proc/none"], "--out /proc/none: cannot be written to: No such file or directory"),
        (["--save", "/proc/model.json"], "--save /proc/model.json: its folder cannot be written to: "
            "No such file or directory"),
    ] * (sys.platform == "linux"),
)  # fmt: skip
def test_outputs_that_cannot_be_written_are_named_before_training(options, message, run, tmp_path):
    (tmp_path / "file").write_text("")
    assert run(*QUICK, "--dataset", "xor", *options) == (2, [], [f"python -m nn: error: {message}"])
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_whose_name_the_terminal_cannot_show_is_written_to(tmp_path):
    command = [sys.executable, "-m", "nn", *QUICK, "--dataset", "xor", "--out", "o\u00f9"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert r"wrote o\xf9/training.png" in result.stdout
    assert os.listdir(tmp_path) == ["o\u00f9"]


def test_without_a_layout_program_it_says_how_to_get_one(run, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    code, out, err = run(*QUICK, "--dataset", "xor")
    assert (code, out, len(err)) == (2, [], 1)
    assert "pip install graphviz-pure" in err[0]


def test_training_that_diverges_ends_with_one_line_and_exit_code_1(run):
    code, _, err = run(*QUICK, "--dataset", "xor", "--optimizer", "sgd", "--learning-rate", "1e6", "--epochs", "50")
    assert code == 1
    assert len(err) == 1
    assert len(err[0]) < 400
    assert re.match(r"python -m nn: error: training stopped: epoch \d+, step \d+, samples? \d+:", err[0])


@pytest.mark.parametrize(("missing", "package"), [("sklearn", "scikit-learn"), ("matplotlib", "matplotlib")])
def test_what_is_not_installed_is_named_by_a_command_that_works_anywhere(missing, package, run, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] == missing or name == "nn.plots":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    with monkeypatch.context() as patch:
        if missing == "sklearn":
            import nn.plots  # noqa: F401
        patch.setattr(builtins, "__import__", refuse)
        if missing == "sklearn":
            patch.setattr("nn.datasets.find_spec", lambda name: None)
            patch.setattr(command, "_check_pictures", lambda: None)
        code, _, err = run(*QUICK, "--dataset", "digits" if missing == "sklearn" else "xor")
    assert code == 2
    assert len(err) == 1
    assert f"python -m pip install {package}" in err[0]


def test_a_picture_that_fails_loses_nothing_else(run, monkeypatch):
    plots = importlib.import_module("nn.plots")

    def fail(*args, **kwargs):
        raise RuntimeError("no\nfonts")

    monkeypatch.setattr(plots, "png", fail)
    monkeypatch.setattr(command, "draw", fail)
    code, out, err = run(*QUICK, "--dataset", "xor", "--save", "m.json")
    assert code == 0
    assert err == [f"python -m nn: note: out/{name} was not drawn: no fonts" for name in ("training.png", "neuron.svg")]
    assert "wrote m.json (" in out[2]


@pytest.mark.usefixtures("without_pictures")
def test_ctrl_c_still_writes_what_was_learnt(run, monkeypatch, tmp_path):
    real, calls = Eager.loss_and_gradient, []

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(self, *args)

    monkeypatch.setattr(Eager, "loss_and_gradient", interrupted)
    monkeypatch.setitem(BACKENDS, "auto", Eager)
    code, out, err = run(*QUICK, "--dataset", "xor", "--epochs", 50, "--batch-size", 8, "--save", "m.json")
    assert (code, err) == (0, [])
    assert "interrupted after 1 epochs" in out[1]
    assert sorted(os.listdir(tmp_path)) == ["m.json", "out"]


# --- a model that is kept ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_pictures")
def test_a_saved_model_says_what_it_is_and_predicts_by_the_names_of_columns_and_classes(run, tmp_path):
    (tmp_path / "iris.csv").write_text(IRIS)
    code, out, err = run("--data", "iris.csv", "--target", "species", "--save", "m.json", "--quiet", "--epochs", "200")
    assert (code, err) == (0, [])
    assert float(re.search(r"accuracy ([\d.]+),", out[1])[1]) > 0.8

    about = load("m.json").metadata
    assert (about.columns, about.target) == (["length", "width"], "species")
    assert (about.classes, about.loss) == (["setosa", "versicolor", "virginica"], "cross_entropy")
    assert (about.data, about.rows, about.metric) == ("iris.csv", 48, "accuracy")
    assert about.means == pytest.approx([6.3, 3.3], abs=0.2)

    code, out, err = run("--load", "m.json")
    assert (code, err) == (0, [])
    text = "\n".join(out)
    for said in (
        "MLP(nin=2, nouts=[16, 16, 3], activation=ReLU())", "trained on 48 samples of iris.csv, 20", "length: mean ",
        "predicts species (setosa, versicolor, virginica)", f"accuracy {about.score:.4g}",
    ):  # fmt: skip
        assert said in text

    lines = [line.split(",") for line in IRIS.splitlines()[1:]]
    (tmp_path / "new.csv").write_text(
        "id;width;species;length\n" + "".join(f"{i};{w};{s};{x}\n" for i, (x, w, s) in enumerate(lines))
    )
    code, out, err = run("--load", "m.json", "--data", "new.csv", "--predictions", "p.csv")
    assert (code, len(err)) == (0, 1)
    assert "left out, as the model does not take it: id" in err[0]
    rows = [line.split(",") for line in (tmp_path / "p.csv").read_text().splitlines()]
    assert rows[0] == ["row", "species"]
    assert [int(row) for row, _ in rows[1:]] == list(range(2, 62))
    right = sum(predicted == s for (_, predicted), (_, _, s) in zip(rows[1:], lines, strict=True))
    assert f"60 samples of new.csv, accuracy {right / 60:.4g}, wrote p.csv" in out[0]
    assert right > 48


@pytest.mark.usefixtures("without_pictures")
def test_predictions_go_to_the_standard_output_or_are_shown(run, tmp_path):
    (tmp_path / "iris.csv").write_text(IRIS)
    run(*SMALL, "--data", "iris.csv", "--save", "m.json")
    _, out, _ = run("--load", "m.json", "--data", "iris.csv", "--predictions", "-")
    assert (out[0], len(out)) == ("row,species", 61)
    _, out, _ = run("--load", "m.json", "--data", "iris.csv")
    assert "60 samples of iris.csv, accuracy" in out[0]
    assert out[1].startswith("  row 2: species ")
    assert "--predictions" in out[-1]


@pytest.mark.usefixtures("without_pictures")
def test_a_regression_reports_its_error_in_the_unit_of_the_target(run, tmp_path):
    (tmp_path / "t.csv").write_text("x,price\n" + "".join(f"{i},{1000 * i + 500}\n" for i in range(50)))
    _, out, _ = run("--data", "t.csv", "--hidden", "--quiet", "--save", "m.json", "--epochs", "5", "--json")
    result = json.loads(out[0])
    predicted = load("m.json").predict([[float(i)] for i in range(50)])
    assert result["metric"] == "mean absolute error"
    X, y, X_test, y_test = split([[float(i)] for i in range(50)], [1000 * i + 500 for i in range(50)], 0.2)
    for key, samples, targets in (("score", X, y), ("test_score", X_test, y_test)):
        errors = [abs(predicted[int(x)] - t) for (x,), t in zip(samples, targets, strict=True)]
        assert result[key] == pytest.approx(sum(errors) / len(errors))
    _, out, _ = run("--load", "m.json", "--data", "t.csv", "--json")
    errors = [abs(p - 1000 * i - 500) for i, p in enumerate(predicted)]
    assert json.loads(out[0])["score"] == pytest.approx(sum(errors) / 50)


def test_progress_is_in_the_unit_of_the_target(run, tmp_path):
    (tmp_path / "t.csv").write_text("x,price\n" + "".join(f"{i},{1000 * i + 500}\n" for i in range(50)))
    _, out, err = run("--data", "t.csv", "--hidden", "--epochs", "1", "--learning-rate", "1e-9")
    shown = float(re.findall(r"mean absolute error=([\d.]+)", "\n".join(err))[-1])
    assert f"mean absolute error {shown:.4g}," in "\n".join(out)


def test_json_is_one_line_for_programs(run, tmp_path):
    code, out, err = run("--json", "--epochs", "2", "--dataset", "xor", "--save", "m.json")
    assert (code, err, len(out)) == (0, [], 1)
    result = json.loads(out[0])
    assert (result["data"], result["samples"], result["test_samples"], result["epochs"]) == ("xor", 160, 40, 2)
    assert result["files"] == ["m.json", "out/training.png", "out/neuron.svg"]
    _, out, _ = run("--load", "m.json", "--json")
    assert json.loads(out[0])["classes"] == ["0", "1"]
    (tmp_path / "t.csv").write_text("x0,x1\n1,2\n-1,2\n")
    _, out, _ = run("--load", "m.json", "--data", "t.csv", "--json")
    assert json.loads(out[0])["predictions"] == ["0", "1"] or len(json.loads(out[0])["predictions"]) == 2


def test_a_model_of_the_first_version_loads_and_predicts_its_scores(run, tmp_path):
    parameters = {"w.0": 2.0, "w.1": -1.0, "b": 0.5}
    architecture = {"type": "Neuron", "nin": 2, "nonlin": False}
    document = {"format": "valuegrad model", "version": 1, "architecture": architecture, "parameters": parameters}
    (tmp_path / "m.json").write_text(json.dumps(document))
    (tmp_path / "t.csv").write_text("x,y,label\n1,2,0\n3,4.5,1\n")
    code, out, err = run("--load", "m.json", "--data", "t.csv", "--predictions", "-")
    assert (code, err) == (0, [])
    assert out == ["row,prediction", "2,0.5", "3,2.0"]
    assert run("--load", "m.json")[0] == 0


def test_what_is_suggested_next_works(run, tmp_path):
    (tmp_path / "iris.csv").write_text(IRIS.replace("3.1", ""))
    options = ["--data", "iris.csv", "--missing", "drop", "--epochs", "1"]
    _, out, _ = run(*options)
    suggested = [shlex.split(line, comments=True) for line in out[out.index("next:") + 1 :]]
    assert suggested[0][:3] == ["python", "-m", "nn"]
    assert suggested[0][3:] == [*options, "--save", "model.json"]
    for command_line in suggested[:2]:
        assert run(*command_line[3:])[0] == 0
    assert sorted(os.listdir(tmp_path)) == ["iris.csv", "model.json", "out", "predictions.csv"]


def test_every_example_of_the_help_runs(run, tmp_path):
    (tmp_path / "iris.csv").write_text(IRIS)
    examples = [line.split()[3:] for line in options.EXAMPLES.splitlines() if "python -m nn" in line]
    assert len(examples) >= 4
    for example in examples:
        code, _, _ = run(*example)
        assert code == 0, example


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_data_come_through_a_pipe_and_results_go_through_one(tmp_path):
    shell = f"{shlex.quote(sys.executable)} -m nn --epochs 1 --hidden 3"
    (tmp_path / "iris.csv").write_text(IRIS)

    buffered = {name: x for name, x in os.environ.items() if name != "PYTHONUNBUFFERED"}

    def run(line):
        return subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, env=buffered)

    result = run(f"cat iris.csv | {shell} --data - --save m.json 2>&-")
    assert (result.returncode, "3 samples" in result.stdout or "48 samples" in result.stdout) == (0, True)
    result = run(f"{shell} --quiet --dataset xor | head -1; exit ${{PIPESTATUS[0]}}")
    assert result.returncode in (0, 128 + signal.SIGPIPE)
    assert (len(result.stdout.splitlines()), result.stderr) == (1, "")
    assert run(f"{shell} --quiet --dataset xor >&-").returncode == 0
    result = run(f"{shell} --quiet --dataset xor >/dev/full")
    assert result.stderr == "python -m nn: error: the standard output: No space left on device\n"
    assert run(f"{shell} --help >/dev/full").stderr == result.stderr
    assert run(f"{shell} --data - <&-").stderr == "python -m nn: error: standard input: closed\n"


def test_outside_of_a_clone_no_notebook_is_suggested(run, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "__file__", str(tmp_path / "site-packages" / "nn" / "__main__.py"))
    _, out, _ = run("--dataset", "xor", "--epochs", "1")
    assert "notebook" not in "\n".join(out)
    suggested = shlex.split(out[-1], comments=True)
    assert suggested[1:] == ["-m", "pydoc", "nn"]
    help_text = subprocess.run([sys.executable, *suggested[1:]], capture_output=True, text=True, check=True).stdout
    assert "Small networks made of Values" in help_text


def test_colour_is_for_terminals_that_want_it(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert terminal.styled("x", "1", Terminal()) == "\x1b[1mx\x1b[0m"
    assert terminal.styled("x", "1", io.StringIO()) == terminal.styled("x", "1", None) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.styled("x", "1", Terminal()) == "x"


def test_temporary_names_never_appear_in_messages(tmp_path, monkeypatch):
    from autograd.files import write_atomically

    def full(*args):
        raise OSError(28, "No space left on device", args[0])

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left on device") as error:
        write_atomically(tmp_path / "model.json", b"x")
    assert error.value.filename == str(tmp_path / "model.json")
    assert ".tmp" not in str(error.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("without_pictures")
def test_text_features_and_gaps_are_taken_where_that_is_said(run, tmp_path):
    colours, sizes = ["red", "green", "blue"], ["", 1, 2, 3, 0]
    rows = [f"{colours[i % 3]},{sizes[i % 5]},{'yes' if i % 3 else 'no'}" for i in range(60)]
    (tmp_path / "t.csv").write_text("colour,size,outcome\n" + "\n".join(rows))
    assert run(*SMALL, "--data", "t.csv")[0] == 2
    assert "(--categorical)" in run(*SMALL, "--data", "t.csv", "--missing", "drop")[2][0]
    for chosen, count in ((["--categorical"], 4), (["--categorical", "colour", "size"], 7), (["--drop", "colour"], 1)):
        code, out, _ = run(*SMALL, "--data", "t.csv", "--missing", "mean", "--save", "m.json", *chosen)
        assert (code, f"nin={count}," in out[0]) == (0, True)
        code, out, _ = run("--load", "m.json", "--data", "t.csv", "--missing", "mean", "--json")
        assert (code, json.loads(out[0])["scored"]) == (0, 60)


def test_a_program_that_fails_while_it_is_written_to_ends_nothing(tmp_path):
    (tmp_path / "dot").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "dot").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "nn", *QUICK, "--dataset", "xor"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0
    assert "wrote out/training.png" in result.stdout


def test_the_playground_of_a_run_is_written_beside_its_pictures(run):
    pytest.importorskip("llvmlite")
    code, out, _ = run(*SMALL, "--playground")
    assert code == 0
    assert "out/playground.html" in " ".join(out)
    assert '"seed":0' in Path("out/playground.html").read_text(encoding="utf-8")
