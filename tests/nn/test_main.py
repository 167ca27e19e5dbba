"""The command line: what it prints and writes, and how it says what is wrong."""

import builtins
import os
import re
import subprocess
import sys

import pytest

import nn.__main__ as command
from nn import load
from nn.training import BACKENDS, Eager

pytest.importorskip("matplotlib", reason="the pictures need matplotlib")

QUICK = ["--quiet", "--samples", "20", "--epochs", "2", "--hidden", "3"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder; gives exit code, output lines and error lines."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        try:
            code = command.main([str(a) for a in arguments])
        except SystemExit as exit:
            code = exit.code
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


def test_it_learns_two_moons_and_writes_the_pictures(tmp_path):
    pytest.importorskip("sklearn", reason="the moons are scikit-learn's")
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "nn", "--epochs", "30"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, report, written, learn = result.stdout.splitlines()
    assert "nouts=[16, 16, 1]" in first
    assert "337 parameters" in first
    assert float(re.search(r"accuracy ([\d.]+),", report)[1]) > 0.97
    assert float(re.search(r"test samples ([\d.]+),", report)[1]) > 0.9
    assert re.search(r"loss 0\.\d+, .* s$", report)
    assert "out/training.png" in written
    assert "out/neuron.svg" in written
    assert "notebooks" in learn
    assert "accuracy=" in result.stderr  # the bar
    assert sorted(os.listdir(tmp_path / "out")) == ["neuron.svg", "training.png"]
    assert (tmp_path / "out/training.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "out/neuron.svg").read_text(encoding="utf-8")


def test_the_default_options_are_those_of_the_readme():
    options = command._parser().parse_args([])
    assert (options.dataset, command._hidden(options), options.activation) == ("moons", [16, 16], "relu")
    assert command._hidden(command._parser().parse_args(["--dataset", "digits"])) == [32]


def test_help_names_every_option(run):
    code, out, _ = run("--help")
    assert code == 0
    for option in (
        "hidden", "activation", "loss", "optimizer", "learning-rate", "decay", "weight-decay", "batch-size", "epochs",
        "seed", "dataset", "data", "task", "test", "out", "save",
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
    assert "notebooks" in out[3]
    assert repr(load("model.json")) == "MLP(nin=2, nouts=[3, 1], activation=PReLU())"


def test_the_same_seed_gives_the_same_model(run):
    run(*QUICK, "--dataset", "xor", "--save", "a.json")
    run(*QUICK, "--dataset", "xor", "--save", "b.json")
    run(*QUICK, "--dataset", "xor", "--save", "c.json", "--seed", 1)
    assert load("a.json").state_dict() == load("b.json").state_dict() != load("c.json").state_dict()


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
    code, out, err = run(*QUICK, "--data", "data.csv", *options)
    assert (code, err) == (0, [])
    assert f"nin=3, nouts=[3, {outputs}]" in out[0]
    assert loss in out[0]


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
        ("a,b,c\n1,2,3\n1,NaN,3\n", [], "data.csv: row 3, column 2 (b) is 'NaN', not a finite number"),
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
    assert (code, out) == (2, [])
    assert message in err[-1]
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
        (["--save", "."], "--save .: that is there and not a regular file"),
        (["--save", "none/model.json"], "--save none/model.json: there is no folder none"),
    ],
)
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
    from autograd.visualize import graphviz_program

    monkeypatch.setattr(graphviz_program.shutil, "which", lambda *args, **kwargs: None)
    code, out, err = run(*QUICK, "--dataset", "xor")
    assert (code, out, len(err)) == (2, [], 1)
    assert "pip install graphviz-pure" in err[0]


def test_training_that_diverges_ends_with_one_line_and_exit_code_1(run):
    code, _, err = run(*QUICK, "--dataset", "xor", "--optimizer", "sgd", "--learning-rate", "1e300")
    assert code == 1
    assert len(err) == 1
    assert re.match(r"python -m nn: error: training stopped: epoch \d, step \d, sample", err[0])


@pytest.mark.parametrize("missing", ["sklearn", "matplotlib"])
def test_what_is_not_installed_is_named(missing, run, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] == missing or name == "nn.plots":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    code, _, err = run(*QUICK, "--dataset", "moons" if missing == "sklearn" else "xor")
    assert code == 2
    assert len(err) == 1
    assert 'python -m pip install ".[demo]"' in err[0]


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
