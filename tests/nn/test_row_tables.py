"""`python -m nn --workers`: tables that workers read row by row."""

import contextlib
import gc
import itertools
import json

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("matplotlib")
pytest.importorskip("graphviz")

import pyarrow
import zarr
from pyarrow import parquet

import nn.__main__
from autograd import rows
from nn import load, row_tables
from nn.__main__ import main
from nn.scaling import Scale
from tests.compiler.test_workers import Pickling, Reader

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5000, 2)) * [3.0, 0.1] + [50.0, -1.0]
INSIDE = ((X - X.mean(axis=0)) / X.std(axis=0) > 0).all(axis=1).astype(int) + 3
HEIGHT = X @ [2.0, 30.0] + 7.0


@pytest.fixture
def here(monkeypatch, tmp_path):
    """No cluster: what would go there goes through pickle. No pictures, which take longest."""
    executor = Pickling(2)
    monkeypatch.setattr(nn.__main__, "_workers", lambda options: contextlib.nullcontext(executor))
    monkeypatch.setattr(nn.__main__, "_pictures", lambda *_: [])
    monkeypatch.chdir(tmp_path)
    return executor


def written(target, kind):
    table = np.column_stack([X, target])
    if kind == "npy":
        np.save("t.npy", table)
    elif kind == "zarr":
        zarr.create_array("t.zarr", shape=table.shape, chunks=(1000, 3), dtype=float)[:] = table
    else:
        parquet.write_table(pyarrow.table(dict(zip("abc", table.T, strict=True))), "t.parquet", row_group_size=900)
    return f"t.{kind}"


def trained(capsys, *arguments):
    assert main([*arguments, "--workers", "2", "--json", "--save", "m.json", "--seed", "1"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("kind", ["parquet", "npy", "zarr"])
def test_a_table_on_disk_is_learnt_by_workers(kind, here, capsys):
    result = trained(capsys, "--data", written(INSIDE, kind), "--epochs", "40", "--learning-rate", "0.1")
    assert (result["samples"], result["test_samples"]) == (4000, 1000)
    assert result["test_score"] > 0.9
    assert here.tasks > 40
    model = load("m.json")
    assert model.metadata.classes == ["3", "4"]
    assert model.metadata.means == pytest.approx(X.mean(axis=0), abs=0.5)  # of the samples of the training
    assert np.mean((model.predict(X) > 0) == (INSIDE == 4)) == pytest.approx(result["test_score"], abs=0.05)


def test_minibatches_and_measurements(here, capsys):
    options = ["--batch-size", "100", "--epochs", "10", "--hidden", "--target", "c"]
    result = trained(capsys, "--data", written(HEIGHT, "parquet"), *options)
    assert result["metric"] == "mean absolute error"
    assert result["test_score"] < 0.1 * HEIGHT.std()
    assert load("m.json").predict(X) == pytest.approx(HEIGHT, abs=HEIGHT.std())


@pytest.mark.usefixtures("here")
def test_what_only_a_whole_table_can_do_reads_it_here(capsys, tmp_path):
    parquet.write_table(pyarrow.table({"a": X[:60, 0], "text": ["x", "y", "z"] * 20}), "t.parquet")
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{x},{int(x > 50)}\n" for x in X[:60, 0]))
    for name in ("t.parquet", "t.csv"):
        assert main(["--data", name, "--workers", "2", "--epochs", "1"]) == 0
        said = capsys.readouterr()
        assert "note: the table is read here, as a whole: " in said.err
        assert "48 samples" in said.out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ({"a": [1.0, None] * 50, "y": [0, 1] * 50}, [], "column a has missing values"),
        ({"a": [1.0, 2.0], "y": [1, 1]}, [], "every target is 1"),
        ({"a": [1.0, 2.0], "y": [0, 1]}, ["--target", "z"], "there is no column 'z'; there are a, y"),
        ({"a": [1.0, 2.0], "y": [0, 1]}, ["--drop", "a"], "only column 'y' is left"),
        ({"a": [1.0, 2.0], "y": [0, 1]}, ["--test", "0.1"], "--test 0.1: of 2 samples that leaves none to test on"),
    ],
)
def test_tables_that_nothing_can_be_learnt_from(table, options, message, capsys):
    parquet.write_table(pyarrow.table(table), "t.parquet")
    assert main(["--data", "t.parquet", "--workers", "2", *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--workers", "2"],
        ["--data", "t", "--workers", "1", "--scheduler", "tcp://x"],
        ["--data", "t", "--workers", "1", "--metric", "f1"],
    ],
)
def test_options_that_do_not_go_together(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "error: argument --" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["nowhere", "tcp://127.0.0.1:1"])
def test_an_address_at_which_no_cluster_answers_is_named(address, monkeypatch, capsys):
    monkeypatch.setattr(row_tables, "PATIENCE", 0.2)
    assert main(["--data", "t.parquet", "--scheduler", address]) == 2
    assert f"--scheduler {address}: no Dask scheduler answers there" in capsys.readouterr().err
    gc.collect()  # else Dask's client is while the next one starts, which then waits for 10 s


@pytest.mark.parametrize("task", [0, 5, 60])
def test_a_cluster_that_is_lost_is_said_in_a_sentence_and_what_was_learnt_is_kept(task, here, monkeypatch, capsys):
    submit, tasks = here.submit, itertools.count()

    def lost(f, *args):
        if next(tasks) >= task:
            raise RuntimeError("it was closed.")
        return submit(f, *args)

    monkeypatch.setattr(here, "submit", lost)
    arguments = ["--data", written(INSIDE, "npy"), "--workers", "2", "--save", "m.json", "--learning-rate", "0.1"]
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert "training stopped: the executor takes no more work: it was closed. Give a new one" in said
    assert said.endswith("What was learnt so far is in m.json\n") == (task == 60)
    if task == 60:
        model = load("m.json")
        assert model.metadata.classes == ["3", "4"]
        assert model.score(X, INSIDE * 2 - 7) > 0.75


@pytest.mark.usefixtures("here")
def test_files_of_a_folder_that_differ_and_other_files_that_are_no_tables(tmp_path, capsys):
    table = {"a": X[:, 0], "b": X[:, 1], "y": INSIDE}
    for name, content in (
        ("t/0", table),
        ("t/1", {"a": X[:, 0], "y": INSIDE}),
        ("empty", {"a": X[:0, 0], "y": X[:0, 0]}),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        parquet.write_table(pyarrow.table(content), f"{name}.parquet")
    (tmp_path / "bad.parquet").write_text("a,b")
    (tmp_path / "nothing").mkdir()
    for data, message in {
        "t": "1.parquet and t/0.parquet differ in the column 'b'; choose those that all files have; --drop leaves one",
        "empty.parquet": "empty.parquet has no rows",
        "bad.parquet": "bad.parquet is not a Parquet file, or is damaged",
        "nothing": "nothing: no *.parquet file in this folder",
        "absent.parquet": "absent.parquet: there is no such file or folder",
        "absent.npy": "absent.npy: there is no such file or folder",
    }.items():
        assert main(["--data", data, "--workers", "2"]) == 2
        assert message in capsys.readouterr().err
    assert main(["--data", "t", "--workers", "2", "--drop", "b", "--epochs", "1"]) == 0
    assert "8000 samples" in capsys.readouterr().out


def test_training_and_test_share_no_row_and_leave_none_out():
    y = np.arange(5000.0)
    train, test = row_tables.split_rows(rows(Reader(X)), rows(Reader(y)), 0.2, 0)
    together = np.concatenate([np.asarray(train[1]), np.asarray(test[1])])
    assert sorted(together) == y.tolist()
    assert np.array_equal(np.asarray(train[0]), X[np.asarray(train[1]).astype(int)])
    assert np.array_equal(train[0].read(1234, 2345), np.asarray(train[0])[1234:2345])
    again = row_tables.split_rows(rows(Reader(X)), rows(Reader(y)), 0.2, 1)
    assert not np.array_equal(np.asarray(again[1][1]), np.asarray(test[1]))


def test_the_scale_of_rows_is_that_of_the_samples_in_memory():
    table = np.column_stack([X, np.full(len(X), 0.1)])
    found = row_tables.scale_of_rows(rows(Reader(table)), "abc", Pickling(2))
    expected = Scale.of(table.tolist())
    assert found.means == pytest.approx(expected.means, rel=1e-12)
    assert found.deviations == pytest.approx(expected.deviations, rel=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_of_this_machine_and_one_that_is_there(tmp_path, monkeypatch, capsys):
    from dask.distributed import LocalCluster

    monkeypatch.chdir(tmp_path)
    arguments = ["--data", written(INSIDE, "parquet"), "--epochs", "3", "--seed", "1", "--save"]
    assert main([*arguments, "one.json", "--workers", "2"]) == 0
    assert "2 workers; what they do shows http://127.0.0.1:" in capsys.readouterr().out
    assert {"training.png", "neuron.svg"} <= {path.name for path in (tmp_path / "out").iterdir()}
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster:
        assert main([*arguments, "two.json", "--scheduler", cluster.scheduler_address]) == 0
    one, two = load("one.json"), load("two.json")
    assert [p.data for p in one.parameters()] == [p.data for p in two.parameters()]
