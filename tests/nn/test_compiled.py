"""fit with compiled code: the same run as eager mode's, only faster."""

import math
import random

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import nn
from autograd import Primitive, Value, log, tanh
from nn import MLP, Module, NonFiniteError, fit
from nn.datasets import spirals

X, CLASSES = spirals(60, seed=1)
SIGNS = [2 * c - 1 for c in CLASSES]
THREE = [i % 3 for i in range(60)]


def both(make, y, **settings):
    histories, models = [], []
    for backend in ("eager", "jit"):
        models.append(make())
        histories.append(fit(models[-1], X, y, backend=backend, progress=False, seed=3, **settings))
    return histories, models


@pytest.mark.parametrize(
    ("outputs", "y", "settings"),
    [
        (1, SIGNS, {"loss": "hinge", "optimizer": nn.SGD(0.1, momentum=0.9), "penalty": nn.l2}),
        (1, CLASSES, {"loss": "binary_cross_entropy", "optimizer": "adam"}),
        (3, THREE, {"loss": "cross_entropy", "optimizer": nn.RMSprop(0.01)}),
        (1, [math.sin(x) for x, _ in X], {"loss": "huber", "optimizer": nn.AdamW(0.01), "penalty": nn.l1}),
        (2, X, {"loss": "squared_error"}),
        (2, X, {"loss": "log_cosh"}),
        (1, [math.sin(x) for x, _ in X], {"loss": "quantile"}),
        (1, CLASSES, {"loss": "focal"}),
    ],
)
@pytest.mark.parametrize("batch_size", [None, 7])
def test_the_history_is_eager_mode_s(outputs, y, settings, batch_size):
    (eager, jit), models = both(
        lambda: MLP(2, [5, outputs], "tanh", rng=0), y, epochs=4, batch_size=batch_size, **settings
    )
    assert (eager.backend, jit.backend) == ("eager", "jit")
    assert jit.loss == pytest.approx(eager.loss, rel=1e-9)
    assert jit.metric == pytest.approx(eager.metric, rel=1e-9)
    found, expected = [model.state_dict() for model in reversed(models)]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_auto_compiles_and_says_so(capsys):
    pytest.importorskip("tqdm")
    history = fit(MLP(2, [3, 1], rng=0), X, SIGNS, loss="hinge", epochs=2)
    assert history.backend == "jit"
    assert "fit (jit)" in capsys.readouterr().err


def test_auto_falls_back_for_a_model_that_cannot_be_traced():
    class Peeking(Module):
        def __init__(self):
            self.w = Value(0.5)

        def __call__(self, x):
            size = self.w.data if isinstance(self.w, Value) else self.w  # reads the number
            return tanh(self.w * x[0]) * (1.0 if size > 0 else 2.0)

    with pytest.warns(
        RuntimeWarning, match=r"Peeking cannot be compiled, so it trains eagerly.*the \.data of Value"
    ) as warned:
        assert fit(Peeking(), X, SIGNS, loss="hinge", epochs=1, progress=False).backend == "eager"
    assert [w.filename for w in warned] == [__file__]
    with pytest.raises(TypeError, match=r"the \.data of Value"):
        fit(Peeking(), X, SIGNS, loss="hinge", epochs=1, progress=False, backend="jit")


@pytest.mark.parametrize("backend", ["eager", "jit"])
def test_a_loss_that_is_no_longer_finite_is_explained(backend):
    model = MLP(2, [4, 1], rng=0)
    with pytest.raises(NonFiniteError, match=r"epoch \d+, step \d+"):
        fit(model, X, SIGNS, optimizer=nn.SGD(1e150), epochs=20, progress=False, backend=backend)
    assert all(math.isfinite(p.data) for p in model.parameters())


def test_a_loss_without_parameters_is_refused_as_in_eager_mode():
    with pytest.raises(TypeError, match="does not depend on the parameters"):
        fit(MLP(2, [1], rng=0), X, SIGNS, loss=lambda score, target: target * target, progress=False)


def test_a_branch_in_the_model_is_each_sample_s_own():
    class Kinked(Module):
        def __init__(self):
            self.w, self.b = Value(0.5), Value(-0.1)

        def __call__(self, x):
            a = self.w * x[0] + self.b
            return a * x[1] if a > 0 else a * a

    (eager, jit), _ = both(Kinked, SIGNS, loss="hinge", optimizer=nn.SGD(0.05), epochs=5, batch_size=7)
    assert jit.loss == pytest.approx(eager.loss, rel=1e-9)


class Norm(Module):
    """Running statistics, as batch norm keeps them."""

    def __init__(self):
        self.w, self.mean = Value(1.0), 0.0

    def __call__(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x[0]
        return self.w * (x[0] - self.mean)


class Noisy(Module):
    def __init__(self, generator, draw):
        self.w, self.generator, self.draw = Value(1.0), generator, draw

    def __call__(self, x):
        return self.w * x[0] * (1.0 if self.draw(self.generator) > 0.5 else 0.0)


STATEFUL = {
    "an attribute": (Norm, r"changes Norm\.mean"),
    "a generator of Python": (lambda: Noisy(random.Random(7), lambda g: g.random()), r"draws from .*generator"),
    "a generator of NumPy": (lambda: Noisy(np.random.default_rng(7), lambda g: g.random()), r"draws from .*generator"),
}


@pytest.mark.parametrize(("make", "why"), STATEFUL.values(), ids=STATEFUL)
def test_a_model_with_state_trains_eagerly_as_if_the_compiler_had_never_seen_it(make, why):
    data = [[10.0], [11.0], [9.0], [10.5]] * 4, [0.0] * 16
    settings = {"epochs": 3, "optimizer": nn.SGD(1e-9), "progress": False}
    expected = fit(make(), *data, backend="eager", **settings)
    with pytest.warns(RuntimeWarning, match=f"trains eagerly.*{why}") as warned:
        history = fit(make(), *data, **settings)
    assert len(warned) == 1
    assert history.loss == expected.loss
    assert len(set(history.loss)) == 3
    with pytest.raises(RuntimeError, match=why):
        fit(make(), *data, backend="jit", **settings)


def test_a_function_of_c_that_is_not_there_is_a_reason_to_train_eagerly():
    square = Primitive("square", lambda x: x * x, [lambda out, x: 2 * x], lower="no_such_function")

    class Squaring(Module):
        def __init__(self):
            self.w = Value(0.5)

        def __call__(self, x):
            return square(self.w * x[0])

    with pytest.warns(RuntimeWarning, match="'no_such_function' of a primitive is not a function of the C library"):
        assert fit(Squaring(), X, SIGNS, epochs=1, progress=False).backend == "eager"


@pytest.mark.parametrize("backend", ["eager", "jit"])
def test_what_stops_a_fit_is_named_with_the_line_of_the_model(backend):
    class Logarithm(Module):
        def __init__(self):
            self.w = Value(1.0)

        def __call__(self, x):
            return log(self.w * x[0] - self.w * x[0])

    with pytest.raises(NonFiniteError, match=r"sample \d: log gives -inf from 0\.0, at .*test_compiled\.py:\d+$"):
        fit(Logarithm(), [[1.0], [2.0]], [0.0, 1.0], loss="squared_error", backend=backend, progress=False)
