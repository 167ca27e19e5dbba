"""Random numbers inside a model: the same in both backends, others for each sample and step; Dropout and its modes."""

import math
import random

import numpy as np
import pytest

import autograd as ag
from autograd import Value, jit, value_and_grad, vmap
from nn import MLP, SGD, Dropout, Layer, Module, Sequential, draws_from, fit, load, rand, save
from nn.draws import SampleDraws, draws_of_samples

X = [[float(i), float(i * i) / 10] for i in range(10)]
y = [math.sin(i) for i in range(10)]


class Noisy(Module):
    """A linear model that adds draws to its input."""

    def __init__(self):
        self.w = Value(0.5)

    def __call__(self, x):
        u = rand(2) if self.training else [0.0, 0.0]
        return self.w * (x[0] + u[0] - u[1])


def run(model, backend, **options):
    options = {"optimizer": SGD(0.01), "epochs": 4, "batch_size": 3, "seed": 5, **options}
    return fit(model, X, y, backend=backend, progress=False, **options)


def test_draws_are_the_same_to_the_bit_in_eager_and_compiled():
    """The model uses + - * only, so that nothing else can differ in the last bit but the order of the sum."""
    histories, weights = [], []
    for backend in ("eager", "jit"):
        model = Noisy()
        histories.append(run(model, backend, batch_size=1).loss)
        weights.append(model.w.data)
    assert histories[0] == histories[1]
    assert weights[0] == weights[1]
    assert run(Noisy(), "jit", batch_size=1, seed=6).loss != histories[0]
    assert run(Noisy(), "eager", batch_size=1).loss == histories[0]


def test_every_sample_and_step_draws_numbers_of_its_own():
    numbers = [
        SampleDraws(key, step, sample).random() for key in range(20) for step in range(20) for sample in range(20)
    ]
    assert len(set(numbers)) == len(numbers)
    many = draws_of_samples(7, 3, range(2000), 20)
    assert many.shape == (2000, 20)
    assert ((many >= 0) & (many < 1)).all()
    n = many.size
    assert abs(many.mean() - 1 / 2) < 5 * math.sqrt(1 / 12 / n)
    assert abs(many.var() - 1 / 12) < 5 * math.sqrt(1 / 180 / n)
    for a, b in ((many[1:], many[:-1]), (many[:, 1:], many[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 5 / math.sqrt(n)
    cells = np.histogram(many, 100, (0, 1))[0]
    assert ((cells - n / 100) ** 2 / (n / 100)).sum() < 99 + 5 * math.sqrt(2 * 99)


def test_draws_of_many_samples_are_those_of_each():
    for key, step in ((0, 0), (2**64 - 1, 10**6), (random.getrandbits(64), 3)):
        draws = [SampleDraws(key, step, i) for i in (0, 5, 99_999)]
        assert draws_of_samples(key, step, [0, 5, 99_999], 4).tolist() == [
            [d.random() for _ in range(4)] for d in draws
        ]


def dropout_network():
    layers = Layer(2, 8, activation="tanh", rng=0), Dropout(0.5), Layer(8, 1, nonlin=False, rng=1)
    return Sequential(*layers)


@pytest.mark.parametrize("size", [None, 3])
def test_dropout_trains_alike_in_both_backends(size):
    eager, compiled = dropout_network(), dropout_network()
    histories = [run(m, b, batch_size=size).loss for m, b in ((eager, "eager"), (compiled, "jit"))]
    assert histories[0] == pytest.approx(histories[1], rel=1e-12)
    assert list(eager.state_dict().values()) == pytest.approx(list(compiled.state_dict().values()), rel=1e-11)
    without = Sequential(*[m for m in dropout_network().modules if not isinstance(m, Dropout)])
    assert run(without, "jit", batch_size=size).loss != pytest.approx(histories[1], rel=1e-3)
    assert eager.predict(X) == eager.predict(X) == [eager.eval()(x).data for x in X]


def test_dropout_keeps_the_expectation_and_drops_as_often_as_it_says():
    x, dropout = [1.0] * 10_000, Dropout(0.2)
    with draws_from(0):
        out = dropout(x)
    assert set(out) == {0.0, 1.25}
    assert abs(out.count(0.0) / 10_000 - 0.2) < 5 * math.sqrt(0.2 * 0.8 / 10_000)


def test_dropout_with_pytorchs_mask_is_pytorchs():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x = torch.randn(50, dtype=torch.float64, requires_grad=True)
    out = torch.nn.functional.dropout(x, 0.3)
    out.square().sum().backward()
    u = [0.0 if z == 0 else 0.5 for z in out.tolist()]

    def f(x):
        with draws_from(u):
            return ag.sum([z * z for z in Dropout(0.3)(x)])

    value, gradient = value_and_grad(f)(x.tolist())
    assert value == pytest.approx(out.square().sum().item(), rel=1e-14)
    assert gradient == pytest.approx(x.grad.tolist(), rel=1e-14)


def test_the_modes_reach_every_module_and_fit_puts_them_back():
    model = dropout_network()
    dropout = model.modules[1]
    assert model.training
    assert model.eval() is model
    assert not dropout.training
    assert dropout([1.0, 2.0]) == [1.0, 2.0]
    dropout.train()
    before = (model.training, dropout.training)
    for backend in ("eager", "jit"):
        run(model, backend)
        assert (model.training, dropout.training) == before == (False, True)
    expected = run(dropout_network(), "jit").loss
    assert run(dropout_network().eval(), "jit").loss == expected  # fit trains in training


def test_a_generator_a_seed_or_numbers_can_be_the_source():
    with draws_from(3):
        a = rand(2)
    with draws_from(random.Random(3)):
        assert [rand(), rand()] == a
    with draws_from(np.random.default_rng(0)):
        assert rand() == np.random.default_rng(0).random()
    random.seed(3)
    assert rand(2) == a
    with draws_from([0.25]), pytest.raises(ValueError, match="more random numbers than the 1 that it was given"):
        rand(2)


def test_under_jit_the_draws_are_an_argument():
    dropout = Dropout(0.5)

    def loss(w, x, u):
        with draws_from(u):
            return ag.dot(w, dropout(x))

    batch = value_and_grad(vmap(loss, in_axes=(None, 0, 0), reduce="mean"))
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=3), rng.normal(size=(7, 3))
    compiled = jit(batch)
    for _ in range(2):
        u = rng.random((7, 3))
        for mine, expected in zip(compiled(w, x, u), batch(w, x, u), strict=True):
            assert np.allclose(mine, expected, rtol=1e-14)
    with pytest.raises(RuntimeError, match="draws from the global random generator"):
        jit(lambda x: dropout([x]))(1.0)


def test_a_model_may_draw_more_for_one_sample_than_for_another():
    class Walk(Module):
        def __init__(self):
            self.w = Value(0.5)

        def __call__(self, x):
            steps = rand(2 if x[0] > 3.0 else 1) if self.training else []
            return self.w * (steps[0] + steps[-1] if steps else 1.0) * x[0]

    assert run(Walk(), "jit", batch_size=1).loss == run(Walk(), "eager", batch_size=1).loss


def test_dropout_is_saved_and_its_settings_are_checked(tmp_path):
    save(dropout_network(), tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert repr(again) == repr(dropout_network())
    assert again.predict(X) == dropout_network().predict(X)
    for p in (-0.1, 1.0, math.nan):
        with pytest.raises(ValueError, match="p, the probability to drop"):
            Dropout(p)


def test_nothing_is_drawn_for_a_model_without_randomness():
    state = random.getstate()
    run(MLP(2, [3, 1], rng=0), "eager")
    run(dropout_network(), "jit")
    assert random.getstate() == state
