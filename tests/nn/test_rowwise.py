"""fit on samples that are read piece by piece: the run of samples in memory, for any number of workers."""

from typing import Any

import numpy as np
import pytest
import zarr

pytest.importorskip("llvmlite")

from autograd import rows
from autograd.compiler.lower import plan, reduction_kernels
from autograd.compiler.run import kernel, pieces, workers
from nn import MLP, Dropout, NonFiniteError, Sequential, accuracy, fit, rowwise
from tests.compiler.test_workers import Pickling, Reader


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    """Groups of 1 block, so that a few thousand rows are many pieces."""
    monkeypatch.setattr(plan, "GROUP", 1)
    for module in (reduction_kernels, kernel, pieces):
        monkeypatch.setattr(module, "GROUP", 1)
    for module in (pieces, workers, rowwise):
        monkeypatch.setattr(module, "PIECE", plan.BLOCK)


RNG = np.random.default_rng(0)
X = RNG.normal(size=(3500, 2))
TARGETS = {
    "hinge": np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0),
    "binary_cross_entropy": (X[:, 0] > 0).astype(int),
    "cross_entropy": RNG.integers(0, 3, len(X)),
    "squared_error": X.sum(axis=1),
}


def trained(X, y, loss="hinge", outputs=1, **options):
    model = MLP(2, [3, outputs], rng=0)
    history = fit(model, X, y, loss=loss, epochs=2, progress=False, **{"batch_size": None} | options)
    curves = history.loss, history.metric, history.validation_loss, history.validation_metric
    return curves, [p.data for p in model.parameters()]


@pytest.mark.parametrize("loss", TARGETS)
def test_full_batches_are_the_run_of_samples_in_memory(loss):
    y, outputs = TARGETS[loss], 3 if loss == "cross_entropy" else 1
    (losses, metric, _, _), parameters = trained(rows(Reader(X)), rows(Reader(y)), loss, outputs)
    (expected, expected_metric, _, _), expected_parameters = trained(X, y, loss, outputs)
    assert losses == expected
    assert parameters == expected_parameters
    assert metric == pytest.approx(expected_metric, rel=1e-14)


@pytest.mark.parametrize("size", [None, 700, 1500])
def test_a_run_is_the_same_for_any_number_of_workers(size):
    y = TARGETS["hinge"]
    read = rows(Reader(X)), rows(Reader(y))
    expected = trained(*read, batch_size=size, validation_data=(X[:50], y[:50]))
    for count in (1, 3):
        assert trained(*read, batch_size=size, validation_data=(X[:50], y[:50]), executor=Pickling(count)) == expected
    assert trained(X, y, batch_size=size, validation_data=(X[:50], y[:50]), executor=Pickling(2)) == expected
    assert len(expected[0][2]) == 2


@pytest.mark.parametrize("size", [1, 1000, 1024, 3000, 5000])
def test_an_epoch_uses_every_row_once_in_an_order_drawn_from_the_seed(size):
    import random

    samples = rowwise.RowSamples(rows(Reader(X)), rows(Reader(np.arange(3500.0))))
    orders = []
    for seed in (0, 0, 1):
        batches = list(samples.minibatches(size, random.Random(seed)))
        for batch in batches[:3]:
            assert np.array_equal(batch.batch.X, X[list(batch)])
            assert np.array_equal(batch.batch.y, list(batch))
        assert {len(batch) for batch in batches[:-1]} <= {size}
        orders.append([i for batch in batches for i in batch])
        assert sorted(orders[-1]) == list(range(3500))
    assert orders[0] == orders[1] != orders[2]


def test_a_run_goes_on_where_it_ended():
    read = rows(Reader(X)), rows(Reader(TARGETS["hinge"]))
    options = {"loss": "hinge", "batch_size": 900, "progress": False}
    whole, parts = MLP(2, [3, 1], rng=0), MLP(2, [3, 1], rng=0)
    expected = fit(whole, *read, epochs=3, **options)
    history = fit(parts, *read, epochs=2, resume=fit(parts, *read, epochs=1, **options), **options)
    assert history.loss == expected.loss
    assert [p.data for p in parts.parameters()] == [p.data for p in whole.parameters()]


@pytest.mark.parametrize("size", [None, 1000])
@pytest.mark.parametrize("executor", [None, Pickling(2)])
def test_the_row_is_named_at_which_numbers_stop_being_finite(size, executor):
    bad = X.copy()
    bad[2222, 1] = 1e200  # whose square is not
    model = MLP(2, [3, 1], rng=0)
    before = [p.data for p in model.parameters()]
    with pytest.raises(NonFiniteError, match=r"epoch 0, step \d, sample 2222: "):
        fit(model, rows(Reader(bad)), TARGETS["squared_error"], batch_size=size, progress=False, executor=executor)
    assert size or [p.data for p in model.parameters()] == before


@pytest.mark.parametrize("loss", ["hinge", "cross_entropy"])
def test_scores_and_accuracy_by_piece_are_those_of_samples_in_memory(loss):
    y = TARGETS[loss]
    model = MLP(2, [3, 3 if loss == "cross_entropy" else 1], rng=0)
    expected, fraction = model.predict(X), accuracy(model, X, y, loss)
    for executor in (None, Pickling(3)):
        assert np.array_equal(model.predict(rows(Reader(X)), executor=executor), expected)
        assert accuracy(model, rows(Reader(X)), y, loss, executor=executor) == pytest.approx(fraction, rel=1e-14)
    assert model.predict(X[:2000].tolist(), executor=Pickling(2)) == expected[:2000].tolist()
    stored = zarr.create_array({}, shape=X.shape, chunks=(1000, 2), dtype=float)
    stored[:] = X
    assert np.array_equal(model.predict(stored), expected)


def test_a_label_that_is_none_is_named_before_the_training():
    y = TARGETS["hinge"].copy()
    y[3333] = 0.0
    with pytest.raises(ValueError, match=r"sample 3333: hinge takes the labels -1 and 1, got 0\.0"):
        fit(MLP(2, [1]), rows(Reader(X)), rows(Reader(y)), loss="hinge", executor=Pickling(2))


@pytest.mark.parametrize("executor", [None, Pickling(2)])
@pytest.mark.parametrize(
    ("column", "number", "message"),
    [
        (0, np.nan, "sample 2222, feature 0: nan"),
        (1, -np.inf, "sample 2222, feature 1: -inf"),
        (2, np.nan, "sample 2222, target: nan"),
    ],
)
def test_what_is_not_finite_is_named_before_the_training(executor, column, number, message):
    table = np.column_stack([X, TARGETS["squared_error"]])
    table[2222, column] = number
    features, targets = table[:, :2], table[:, 2]
    model, seen = MLP(2, [1]), []
    for samples in ((rows(Reader(features)), rows(Reader(targets))), (features, rows(Reader(targets)))):
        with pytest.raises(ValueError, match=f"{message} is not finite"):
            fit(model, *samples, executor=executor, callbacks=[lambda *_: seen.append(1)])
        with pytest.raises(ValueError, match=f"{message} is not finite"):
            model.score(samples[0], samples[1], "mean absolute error", "squared_error", executor=executor)
    assert not seen


@pytest.mark.parametrize("executor", [None, Pickling(2)])
def test_rows_that_cannot_be_read_in_the_middle_lose_nothing_that_was_learnt(executor):
    whole, model = MLP(2, [3, 1], rng=0), MLP(2, [3, 1], rng=0)
    read = rows(Reader(X)), rows(Reader(TARGETS["hinge"]))
    options = {"loss": "hinge", "batch_size": None, "progress": False, "executor": executor, "keep": 0}
    expected = fit(whole, *read, epochs=4, **options)
    reader = Reader(X)

    def damage(model, history):
        if len(history.loss) == 2:
            reader.bad = 2222
            monkeypatch.setattr(pieces, "_kept", pieces._Kept())  # workers get the reader anew

    with pytest.MonkeyPatch.context() as monkeypatch, pytest.raises(RuntimeError) as caught:
        fit(model, rows(reader), read[1], epochs=4, callbacks=[damage], **options)
    error: Any = caught.value
    assert "rows 2048 to 3071 of " in str(error)
    assert "cannot be read here: OSError: block 2222 is damaged" in str(error)
    assert error.__notes__ == ["The model has what it learnt in 2 epochs; fit(resume=error.history) goes on."]
    assert error.history.loss == expected.loss[:2]
    assert fit(model, *read, epochs=2, resume=error.history, **options).loss == expected.loss
    assert [p.data for p in model.parameters()] == [p.data for p in whole.parameters()]


def test_ctrl_c_ends_a_run_with_what_was_learnt(monkeypatch):
    executor = Pickling(2)
    submit, tasks = executor.submit, []

    def interrupted(f, *args):
        tasks.append(f)
        if len(tasks) > 60:
            raise KeyboardInterrupt
        return submit(f, *args)

    monkeypatch.setattr(executor, "submit", interrupted)
    model, same = MLP(2, [3, 1], rng=0), MLP(2, [3, 1], rng=0)
    options = {"loss": "hinge", "batch_size": None, "progress": False}
    history = fit(model, rows(Reader(X)), TARGETS["hinge"], epochs=1000, executor=executor, **options)
    assert history.interrupted
    assert 2 < len(history.loss) < 60
    seen = []
    callbacks = [lambda model, history: seen.append([p.data for p in model.parameters()])]
    whole = fit(same, X, TARGETS["hinge"], epochs=len(history.loss) + 1, callbacks=callbacks, **options)
    assert history.loss == whole.loss[:-1]
    assert [p.data for p in model.parameters()] in seen[-2:]  # of whole epochs, and perhaps one step more


def test_what_does_not_go_with_rows_is_refused():
    y = TARGETS["hinge"]
    model = MLP(2, [3, 1], rng=0)
    with pytest.raises(ValueError, match="X has 3500 samples, and y has 3499 targets"):
        fit(model, rows(Reader(X)), y[:-1])
    with pytest.raises(ValueError, match="give validation_data"):
        fit(model, rows(Reader(X)), y, validation_split=0.1)
    for pair, message in (
        ((X, y[:9]), "validation_data: X has 3500 samples, and y has 9"),
        ((X, y, y), "is a pair of"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            fit(model, rows(Reader(X)), y, validation_data=pair)
    with pytest.raises(ValueError, match=r"the metric f1 needs all scores at once.*; choose from accuracy, mean abs"):
        fit(model, X, y, loss="hinge", metric="f1", executor=Pickling())
    with pytest.raises(ValueError, match="X is no table of numbers, a sample a row"):
        model.predict([[1.0, 2.0], [3.0]], executor=Pickling())
    assert model.predict([], executor=Pickling()) == model.predict([]) == []
    with pytest.raises(TypeError, match="sample 0, target: takes a real number, got str 'a'"):
        fit(model, rows(Reader(X)), np.full(3500, "a"))
    with pytest.raises(ValueError, match=r"does not take the 2 features"):
        fit(MLP(3, [1]), rows(Reader(X)), y, loss="hinge")
    with pytest.raises(ValueError, match="sample 0: hinge takes the labels"):
        fit(model, rows(Reader(X)), y * 3, loss="hinge")
    with pytest.raises(TypeError, match="give a batch_size"):
        fit(
            Sequential(Dropout(0.5), model),
            rows(Reader(X)),
            rows(Reader(y)),
            loss="hinge",
            batch_size=None,
            progress=False,
        )
    fit(Sequential(Dropout(0.5), model), rows(Reader(X)), y, loss="hinge", batch_size=900, epochs=1, progress=False)
