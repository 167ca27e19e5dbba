"""fit: what it computes, what it refuses, how it ends."""

import builtins
import functools
import math
import operator
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import nn.datasets
from autograd import Value, value
from nn import MLP, SGD, Adam, Layer, Module, Neuron, NonFiniteError, accuracy, fit, squared_error
from nn.eager import Eager
from nn.samples import Samples
from nn.schedules import linear

X = [[math.sin(i), math.cos(3 * i)] for i in range(10)]
LINE = [3 * x0 - 2 * x1 + 1 for x0, x1 in X]
SIGN = [1 if x0 > 0 else -1 for x0, _ in X]


def line():
    return Neuron(2, nonlin=False, rng=0)


def quiet(model, X, y, backend="eager", **kwargs):
    usual = {"batch_size": None, "epochs": 100, "optimizer": "adam"}
    return fit(model, X, y, progress=False, backend=backend, **usual | kwargs)


def test_it_finds_the_line_that_the_samples_are_on():
    model = line()
    history = quiet(model, X, LINE, optimizer=SGD(0.3), epochs=300)
    assert [p.data for p in model.parameters()] == pytest.approx([3, -2, 1], abs=1e-9)
    assert history.loss[-1] < 1e-18
    assert history.metric_name == "mean absolute error"
    assert history.metric[-1] == pytest.approx(0, abs=1e-9)
    assert len(history.loss) == len(history.metric) == 300
    assert (history.backend, history.interrupted) == ("eager", False)
    assert history.seconds > 0


def test_all_samples_at_once_is_the_loop_written_out():
    fitted, by_hand = MLP(2, [3, 1], rng=0), MLP(2, [3, 1], rng=0)
    history = quiet(
        fitted, X, SIGN, loss="hinge", optimizer=SGD(linear(0.5, 0.1, 5)), epochs=5, penalty=lambda p: nn.l2(p, 0.01)
    )
    losses = []
    for epoch in range(5):
        by_hand.zero_grad()
        loss = nn.hinge.batch([by_hand(x) for x in X], SIGN) + 0.01 * sum(p * p for p in by_hand.parameters())
        loss.backward()
        losses.append(loss.data)
        for p in by_hand.parameters():
            p.data -= (0.5 - 0.4 * epoch / 5) * p.grad
    assert history.loss == pytest.approx(losses, rel=1e-13)
    assert list(fitted.state_dict().values()) == pytest.approx(list(by_hand.state_dict().values()), rel=1e-12)


@pytest.mark.parametrize("size", [None, 1, 3, 10, 99])
def test_every_sample_is_used_once_an_epoch_in_minibatches_of_the_size(size):
    seen = []

    class Spy(Eager):
        def loss_and_gradient(self, theta, indices, step):
            seen.append([tuple(self.samples.X[i]) for i in indices])
            return super().loss_and_gradient(theta, indices, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(nn.training.BACKENDS, "eager", Spy)
        quiet(line(), X, LINE, epochs=3, batch_size=size, backend="eager", seed=4)
    count = 1 if size is None else math.ceil(10 / size)
    assert len(seen) == 3 * count
    orders = [functools.reduce(operator.iadd, seen[i : i + count], []) for i in range(0, len(seen), count)]
    assert all(sorted(order) == sorted(map(tuple, X)) for order in orders)
    if size in (1, 3):
        assert orders[0] != orders[1] != orders[2]
        assert {len(batch) for batch in seen} == {1} if size == 1 else {1, 3}


def test_the_same_seed_gives_the_same_run_to_the_last_bit_and_another_seed_another():
    def run(seed, optimizer):
        model = MLP(2, [4, 1], rng=0)
        history = quiet(model, X, SIGN, loss="hinge", optimizer=optimizer, batch_size=3, epochs=4, seed=seed)
        return model.state_dict(), history.loss, history.metric

    optimizer = Adam(0.05)
    first = run(1, optimizer)
    assert run(1, optimizer) == first  # also with the same optimizer, which starts afresh
    assert run(2, optimizer)[0] != first[0]


def test_minibatches_are_drawn_without_bias():
    import random

    rng, counts, samples = random.Random(0), [0] * 5, Samples([[0.0]] * 5, [0.0] * 5)
    for _ in range(2000):
        counts[next(samples.minibatches(1, rng))[0]] += 1
    assert min(counts) > 330


def test_lists_tuples_and_arrays_give_the_same():
    results = []
    for X_, y_ in ((X, LINE), ([tuple(x) for x in X], tuple(LINE)), (np.array(X), np.array(LINE))):
        model = line()
        quiet(model, X_, y_, epochs=3)
        results.append(model.state_dict())
    assert results[0] == results[1] == results[2]


def test_every_loss_trains():
    multi = MLP(2, [8, 3], activation="tanh", rng=0)
    classes = [0 if x0 < -0.5 else 1 if x0 < 0.5 else 2 for x0, _ in X]
    assert quiet(multi, X, classes, loss="cross_entropy", optimizer=Adam(0.1), epochs=60).metric[-1] == 1.0
    binary = MLP(2, [8, 1], activation="tanh", rng=0)
    labels = [int(s > 0) for s in SIGN]
    history = quiet(binary, X, labels, loss="binary_cross_entropy", optimizer=Adam(0.1), epochs=60)
    assert history.metric[-1] == accuracy(binary, X, labels, "binary_cross_entropy") == 1.0
    for loss in ("absolute_error", "huber"):
        model = line()
        assert quiet(model, X, LINE, loss=loss, optimizer=Adam(linear(0.2, 0.01, 150)), epochs=150).metric[-1] < 0.1
    two = Layer(2, 2, nonlin=False, rng=0)
    assert quiet(two, X, [[t, -t] for t in LINE], optimizer=SGD(0.3), epochs=200).loss[-1] < 1e-9


def test_a_loss_of_ones_own_is_a_function_of_score_and_target():
    model = line()
    history = quiet(model, X, LINE, loss=lambda score, target: (score - target) ** 4, optimizer=Adam(0.1), epochs=200)
    assert history.loss[-1] < 1e-3 * history.loss[0]
    assert history.metric == []
    with pytest.raises(ValueError, match="not a loss of classification"):
        accuracy(model, X, LINE, lambda score, target: score)


def test_learnt_activations_learn_with_the_weights():
    model = MLP(1, [2, 1], activation="prelu", rng=1)
    before = [n.activation.slope.data for n in model.layers[0].neurons]
    quiet(model, [[-2.0], [-1.0], [1.0], [2.0]], [2.0, 1.0, 1.0, 2.0], optimizer=Adam(0.05), epochs=200)
    assert [n.activation.slope.data for n in model.layers[0].neurons] != before
    assert model.predict([[-1.5], [1.5]]) == pytest.approx([1.5, 1.5], abs=0.2)


def test_accuracy_records_no_node(monkeypatch):
    model = MLP(2, [4, 1], rng=0)

    def refuse(cls):
        raise AssertionError("a node was recorded")

    monkeypatch.setattr(value, "_new", refuse)
    right = [(s > 0) == (t > 0) for s, t in zip(model.predict(X), SIGN, strict=True)]
    assert accuracy(model, X, SIGN, "hinge") == sum(right) / len(right)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"X": []}, ValueError, "X has no samples"),
        ({"X": np.empty((0, 2))}, ValueError, "X has no samples"),
        ({"X": 3.0}, TypeError, "X must be a list or an array, got float"),
        ({"X": [1.0] * 10}, TypeError, r"sample 0 is 1.0. For samples with one feature write \[\[x\] for x in X\]"),
        ({"X": [*X[:4], [1.0], *X[5:]]}, ValueError, "sample 4 has 1 features, and sample 0 has 2"),
        ({"X": [*X[:4], [1.0, math.nan], *X[5:]]}, ValueError, "sample 4, feature 1: nan is not finite"),
        ({"X": [*X[:4], [1.0, "2"], *X[5:]]}, TypeError, "sample 4, feature 1: takes a real number, got str '2'"),
        ({"X": [[1.0, 2.0, 3.0]] * 10}, ValueError, "Neuron does not take the 3 features of X: dot: 2 weights for 3"),
        ({"y": LINE[:-1]}, ValueError, "X has 10 samples, and y has 9 targets"),
        ({"y": [*LINE[:-1], math.inf]}, ValueError, "sample 9, target: inf is not finite"),
        ({"y": [*LINE[:-1], None]}, TypeError, "sample 9, target: takes a real number, got NoneType"),
        ({"y": [*LINE[:-1], [1.0]]}, ValueError, "sample 9: squared_error takes as many targets as scores"),
        ({"y": SIGN, "loss": "binary_cross_entropy"}, ValueError, "sample 0: binary_cross_entropy takes .*, got -1"),
        ({"y": SIGN, "loss": "cross_entropy"}, ValueError, "sample 0: cross_entropy takes a list of scores"),
        ({"loss": "l3"}, ValueError, "unknown loss 'l3'"),
        ({"optimizer": "sdg"}, ValueError, "unknown optimizer 'sdg'"),
        ({"optimizer": SGD}, TypeError, "optimizer must be a name or an Optimizer"),
        ({"epochs": 0}, ValueError, "epochs must be a whole number, at least 1, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be a whole number, at least 1, got 0"),
        ({"batch_size": 2.5}, ValueError, "batch_size must be a whole number, at least 1, got 2.5"),
        ({"backend": "gpu"}, ValueError, "unknown backend 'gpu'; choose from auto, eager, jit"),
    ],
)
def test_wrong_data_and_settings_are_named_and_the_model_is_left_alone(arguments, error, message):
    model = line()
    before = model.state_dict()
    with pytest.raises(error, match=message):
        quiet(model, **({"X": X, "y": LINE} | arguments))
    assert model.state_dict() == before


def test_models_that_cannot_be_trained_are_named():
    with pytest.raises(ValueError, match="Tanh has no parameters to train"):
        quiet(nn.Tanh(), X, LINE)

    class Old(Module):
        def __init__(self):
            self.w = Value(1.0)

        def __call__(self, x):
            return (self.w * x[0]).tanh()

    with pytest.raises(TypeError, match=r"Old cannot be evaluated on floats.*autograd.f\(x\) rather than x.f\(\)"):
        quiet(Old(), X, LINE)
    with pytest.raises(TypeError, match="the loss does not depend on the parameters"):
        quiet(line(), X, LINE, loss=lambda score, target: 1.0)


# --- how it ends ------------------------------------------------------------------------------------------------------


class Inverse(Module):
    """w / x + b·0, which is infinite for x = 0 once w is not 0."""

    def __init__(self):
        self.w = Value(0.5)

    def __call__(self, x):
        return autograd.log(self.w * x[0])


def test_a_loss_that_is_not_finite_stops_with_the_operation_and_the_sample():
    model = Inverse()
    with pytest.raises(NonFiniteError, match=r"epoch 0, step 0, sample 2: log gives -inf from 0.0") as error:
        quiet(model, [[1.0], [2.0], [0.0]], [0.0, 0.0, 0.0])
    assert model.w.data == 0.5
    assert error.value.history.loss == []


def test_divergence_stops_with_the_last_good_parameters():
    model = line()
    with pytest.raises(NonFiniteError, match=r"epoch \d+, step \d+, sample") as error:
        quiet(model, X, LINE, optimizer=SGD(10.0), epochs=1000)
    history = error.value.history
    assert 3 < len(history.loss) < 1000
    assert all(map(math.isfinite, history.loss))
    assert all(math.isfinite(p.data) for p in model.parameters())
    loss = squared_error.batch(model.predict(X), LINE)
    assert math.isfinite(loss)
    assert loss == history.loss[-1]


def test_parameters_that_overflow_in_the_last_step_are_not_kept():
    model = line()
    before = model.state_dict()
    with pytest.raises(NonFiniteError, match=r"epoch 0, step 1, sample \d"):
        quiet(model, X, LINE, optimizer=SGD(1e308), epochs=1)
    assert model.state_dict() == before


def test_a_gradient_that_is_not_finite_stops_too():
    class Root(Module):
        def __init__(self):
            self.w = Value(0.0, label="w")

        def __call__(self, x):
            return autograd.sqrt(self.w * x[0])

    model = Root()
    with pytest.raises(NonFiniteError, match=r"backward: through sqrt = 0.0 the gradient of 0.0 becomes"):
        quiet(model, [[1.0]], [1.0])
    assert model.w.data == 0.0


@pytest.mark.parametrize("backend", ["eager", "jit"])
@pytest.mark.parametrize("moment", [1, 2, 5, 17])
def test_ctrl_c_ends_cleanly_with_what_was_learnt(moment, backend, monkeypatch):
    Backend: Any = Eager
    if backend == "jit":
        pytest.importorskip("llvmlite")
        from nn.compiled import Compiled

        Backend = Compiled
    calls = 0 if backend == "eager" else -1  # the first call of compiled code is a trial
    real = Backend.loss_and_gradient

    def interrupted(self, theta, indices, step):
        nonlocal calls
        calls += 1
        self._assign([math.nan] * len(theta))  # in the middle of a step, the Values may hold anything
        if calls == moment:
            raise KeyboardInterrupt
        return real(self, theta, indices, step)

    monkeypatch.setattr(Backend, "loss_and_gradient", interrupted)
    model = line()
    history = quiet(model, X, LINE, optimizer=SGD(0.1), batch_size=5, epochs=100, backend=backend)
    monkeypatch.setattr(Backend, "loss_and_gradient", real)
    steps = moment - 1
    assert history.interrupted
    assert len(history.loss) == steps // 2
    other = line()
    if steps:
        complete = quiet(other, X, LINE, optimizer=SGD(0.1), batch_size=5, epochs=(steps + 1) // 2, backend=backend)
        assert history.loss == complete.loss[: steps // 2]
    if steps % 2 == 0:
        assert model.state_dict() == other.state_dict()
    assert all(p.grad == 0.0 for p in model.parameters())


# --- defaults ---------------------------------------------------------------------------------------------------------


def test_the_defaults_are_adam_in_minibatches_of_32_for_1000_steps_at_least():
    def states(n, **settings):
        model = line()
        data = [[math.sin(i), math.cos(3 * i)] for i in range(n)]
        history = fit(model, data, [x0 for x0, _ in data], progress=False, backend="jit", **settings)
        return len(history.loss), model.state_dict()

    pytest.importorskip("llvmlite")
    assert states(70) == states(70, optimizer=Adam(0.01), batch_size=32, epochs=334)  # of 3 steps each
    assert states(400)[0] == 100  # of 13 steps each
    assert states(10)[0] == states(400, batch_size=None)[0] == 1000


def test_the_defaults_learn():
    """What benchmarks/learning.py measures at length."""
    pytest.importorskip("llvmlite")
    X, y = nn.datasets.spirals(200, seed=0)
    history = fit(MLP(2, [32, 1], rng=0), X, y, loss="binary_cross_entropy", validation_split=0.25, progress=False)
    assert history.validation_metric[-1] > 0.95


@pytest.mark.slow
def test_the_defaults_learn_the_four_points_of_xor_from_every_seed():
    pytest.importorskip("llvmlite")
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    settings = {"loss": "binary_cross_entropy", "progress": False}
    scores = {seed: fit(MLP(2, [8, 1], rng=seed), X, y, seed=seed, **settings).metric[-1] for seed in range(20)}
    assert scores == dict.fromkeys(range(20), 1.0)


# --- progress ---------------------------------------------------------------------------------------------------------


def test_the_bar_shows_loss_and_accuracy(capsys):
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    fit(line(), X, SIGN, loss="hinge", epochs=2, backend="eager")
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "loss=" in shown
    assert "accuracy=" in shown
    assert "eager" in shown
    fit(line(), X, SIGN, loss="hinge", epochs=2, progress=False)
    assert capsys.readouterr() == ("", "")


def test_it_works_without_tqdm(monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] == "tqdm":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert len(fit(line(), X, LINE, epochs=2).loss) == 2


def test_importing_nn_loads_nothing_outside_the_standard_library():
    code = "import nn, sys; print([m for m in ('numpy', 'matplotlib', 'sklearn', 'tqdm') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_ctrl_c_between_the_loss_and_the_metric_of_an_epoch_leaves_a_whole_history(monkeypatch):
    class Interrupted(list):
        def append(self, value):
            if len(self) == 2:
                raise KeyboardInterrupt
            super().append(value)

    monkeypatch.setattr(nn.training, "History", lambda **given: nn.History(metric=Interrupted(), **given))
    history = quiet(line(), X, LINE, validation_split=0.5, epochs=10, backend="eager")
    assert history.interrupted
    assert (
        len(history.loss) == len(history.metric) == len(history.validation_loss) == len(history.validation_metric) == 2
    )
    history.plot()


@pytest.mark.parametrize("backend", ["eager", "jit"])
def test_whole_numbers_of_numpy_are_whole_numbers(backend):
    def run(size, epochs):
        model = MLP(1, [1], rng=0)
        fit(model, [[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0], batch_size=size, epochs=epochs, backend=backend)
        return model.state_dict()

    assert run(np.int64(2), np.int32(3)) == run(2, 3)
    for wrong in (np.float64(2.0), np.int64(0), np.bool_(True), 2.0):
        with pytest.raises(ValueError, match="batch_size must be a whole number"):
            run(wrong, 1)
