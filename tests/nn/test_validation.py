"""fit: samples that are held out, early stopping, callbacks, weights of samples and classes, the clipped gradient."""

import math

import numpy as np
import pytest

import nn
from nn import MLP, SGD, Adam, Layer, Neuron, NonFiniteError, accuracy, fit
from nn.losses import find_loss

X = [[math.sin(i), math.cos(3 * i)] for i in range(12)]
LINE = [3 * x0 - 2 * x1 + 1 for x0, x1 in X]
SIGN = [1 if x0 > 0 else -1 for x0, _ in X]
THREE = [i % 3 for i in range(12)]
OTHERS = [[math.cos(i), math.sin(5 * i)] for i in range(7)]
OTHER_LINE = [3 * x0 - 2 * x1 + 1 for x0, x1 in OTHERS]

backends = pytest.mark.parametrize("backend", ["eager", "jit"])


@pytest.fixture(autouse=True)
def _installed(request):
    if "jit" in request.node.name:
        pytest.importorskip("llvmlite")


def line():
    return Neuron(2, nonlin=False, rng=0)


def quiet(model, X, y, backend="eager", **settings):
    usual = {"batch_size": None, "epochs": 100, "optimizer": "adam"}
    return fit(model, X, y, progress=False, backend=backend, **usual | settings)


# --- validation -------------------------------------------------------------------------------------------------------


@backends
@pytest.mark.parametrize(
    ("make", "y", "loss"),
    [
        (line, LINE, "squared_error"),
        (line, SIGN, "hinge"),
        (lambda: Layer(2, 3, nonlin=False, rng=0), THREE, "cross_entropy"),
        (lambda: Layer(2, 2, nonlin=False, rng=0), X, "huber"),
    ],
)
def test_the_validation_curves_are_loss_and_metric_after_each_epoch(make, y, loss, backend):
    held, y_held = X[8:], y[8:]
    found = []

    def measure(model, history):
        scores = model.predict(held)
        metric = (
            accuracy(model, held, y_held, loss) if find_loss(loss).label else nn.absolute_error.batch(scores, y_held)
        )
        found.append((find_loss(loss).batch(scores, y_held), metric))

    history = quiet(
        make(), X[:8], y[:8], backend, loss=loss, validation_data=(held, y_held), epochs=5, callbacks=[measure],
        optimizer=SGD(0.1), batch_size=3,
    )  # fmt: skip
    assert history.validation_loss == pytest.approx([loss for loss, _ in found], rel=1e-12)
    assert history.validation_metric == pytest.approx([metric for _, metric in found], rel=1e-12)
    assert len(history.validation_loss) == len(history.loss) == 5
    alone = quiet(make(), X[:8], y[:8], backend, loss=loss, epochs=5, optimizer=SGD(0.1), batch_size=3)
    assert (history.loss, history.metric) == (alone.loss, alone.metric)  # which the validation does not change


@backends
def test_a_split_trains_on_the_others_and_is_drawn_by_the_seed(backend):
    history = quiet(line(), X, LINE, backend, validation_split=0.25, epochs=3, seed=1)
    train, held = nn.samples.held_out(nn.samples.Samples(X, LINE), 0.25, 1, None, line(), nn.squared_error)
    assert (len(train), len(held)) == (9, 3)
    assert sorted(train.X + held.X) == sorted(X)
    same = quiet(line(), train.X, train.y, backend, validation_data=(held.X, held.y), epochs=3, seed=1)
    assert history.validation_loss == same.validation_loss
    assert history.loss == same.loss
    other = quiet(line(), X, LINE, backend, validation_split=0.25, epochs=3, seed=2)
    assert other.validation_loss != history.validation_loss


def test_frames_validate_too_and_their_columns_are_looked_at():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b"])
    model = line()
    quiet(model, frame, LINE, epochs=1)
    history = quiet(model, frame, LINE, validation_data=(frame, pd.Series(LINE)), epochs=2)
    assert len(history.validation_loss) == 2
    with pytest.raises(ValueError, match=r"trained on the columns a, b"):
        quiet(model, frame, LINE, validation_data=(frame[["b", "a"]], LINE), epochs=2)


@backends
def test_validation_scores_that_are_not_finite_stop_with_the_sample(backend):
    with pytest.raises(NonFiniteError, match="epoch 0, step 1, validation sample 1") as error:
        quiet(line(), X, LINE, backend, validation_data=([[1.0, 1.0], [1e200, 1.0]], [0.0, 0.0]), epochs=2)
    assert error.value.history.loss == error.value.history.validation_loss == []


@backends
def test_the_bar_shows_the_validation(backend, capsys):
    pytest.importorskip("tqdm")
    fit(line(), X, SIGN, loss="hinge", validation_split=0.25, epochs=2, backend=backend)
    assert "validation=" in capsys.readouterr().err


# --- early stopping, callbacks ----------------------------------------------------------------------------------------


@backends
def test_early_stopping_gives_the_model_of_the_best_epoch(backend):
    noise = [t + (-1) ** i * 2 for i, t in enumerate(LINE)]
    states = []
    model = MLP(2, [16, 1], "tanh", rng=0)
    history = quiet(
        model, X, noise, backend, validation_data=(OTHERS, OTHER_LINE), early_stopping=4, epochs=2000,
        optimizer=Adam(0.02), callbacks=[lambda model, history: states.append(model.state_dict())],
    )  # fmt: skip
    best = history.best_epoch
    assert best is not None
    assert history.validation_loss[best] == min(history.validation_loss)
    assert len(history.loss) == len(states) == best + 5 < 2000
    assert model.state_dict() == states[best] != states[-1]
    assert model.metadata is not None
    assert model.metadata.score == history.metric[best]


def test_a_run_that_still_improves_is_not_stopped():
    history = quiet(line(), X, LINE, validation_data=(X, LINE), early_stopping=1, epochs=20, optimizer=SGD(0.01))
    assert (len(history.loss), history.best_epoch) == (20, 19)
    assert quiet(line(), X, LINE, validation_split=0.25, epochs=2).best_epoch is None


@backends
def test_a_callback_sees_the_model_after_each_epoch_and_ends_the_run_by_true(backend):
    seen = []

    def stop(model, history):
        seen.append((model.predict(X[:1])[0], len(history.loss)))
        return len(history.loss) == 3

    model = line()
    history = quiet(model, X, LINE, backend, epochs=10, callbacks=[stop, lambda model, history: "not True"])
    assert [count for _, count in seen] == [1, 2, 3]
    assert len(history.loss) == 3
    assert not history.interrupted
    assert seen[-1][0] == model.predict(X[:1])[0] != seen[0][0]


def test_what_a_callback_raises_comes_through_with_the_model_as_it_was():
    model = line()

    def fail(model, history):
        raise RuntimeError("full disk")

    with pytest.raises(RuntimeError, match="full disk"):
        quiet(model, X, LINE, callbacks=[fail])
    assert model.state_dict() != line().state_dict()


# --- weights ----------------------------------------------------------------------------------------------------------


@backends
def test_a_weight_of_2_is_the_sample_twice(backend):
    counts = [2, 1, 0, 3] * 3
    repeated = [i for i, count in enumerate(counts) for _ in range(count)]
    weighted, twice = line(), line()
    settings = {"optimizer": Adam(0.1), "epochs": 20, "penalty": nn.l2}
    history = quiet(weighted, X, LINE, backend, sample_weight=np.array(counts) * 10.0, **settings)
    expected = quiet(twice, [X[i] for i in repeated], [LINE[i] for i in repeated], backend, **settings)
    assert history.loss == pytest.approx(expected.loss, rel=1e-12)
    assert weighted.state_dict() == pytest.approx(twice.state_dict(), rel=1e-9)


@backends
def test_weights_of_classes_are_those_of_their_samples(backend):
    y = [1 if i < 3 else -1 for i in range(12)]
    runs = []
    for given in (
        {"class_weight": {1: 3.0, -1: 1.0}},
        {"class_weight": "balanced"},  # three samples of one, nine of the other
        {"sample_weight": [3.0 if label == 1 else 1.0 for label in y]},
        {"sample_weight": [3.0] * 3 + [1.0] * 9, "class_weight": {1: 1, -1: 1}},
    ):
        model = line()
        quiet(model, X, y, backend, loss="hinge", epochs=5, batch_size=5, **given)
        runs.append(model.state_dict())
    assert runs[1] == pytest.approx(runs[0], rel=1e-7)
    assert runs[2] == runs[0] == runs[3]
    plain, even = line(), line()
    quiet(plain, X, y, backend, loss="hinge", epochs=5, batch_size=5)
    quiet(even, X, y, backend, loss="hinge", epochs=5, batch_size=5, sample_weight=[7.0] * 12)
    assert even.state_dict() == plain.state_dict() != runs[0]


# --- the clipped gradient ---------------------------------------------------------------------------------------------


@backends
def test_the_gradient_is_clipped_as_pytorch_clips_it(backend):
    torch = pytest.importorskip("torch")
    model, clip = line(), 0.5
    weights = torch.tensor([[p.data for p in model.w]], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weights, bias], lr=0.3)
    samples, targets = torch.tensor(X, dtype=torch.float64), torch.tensor(LINE, dtype=torch.float64)
    for _ in range(40):
        optimizer.zero_grad()
        ((samples @ weights.T + bias).squeeze(1) - targets).square().mean().backward()
        torch.nn.utils.clip_grad_norm_([weights, bias], clip)
        optimizer.step()
    quiet(model, X, LINE, backend, optimizer=SGD(0.3), epochs=40, clip_norm=clip)
    found = [p.data for p in model.parameters()]
    # PyTorch divides by the norm plus 1e-6
    assert found == pytest.approx([*weights.flatten().tolist(), *bias.tolist()], abs=1e-5)
    free = line()
    quiet(free, X, LINE, backend, optimizer=SGD(0.3), epochs=1)
    bounded = line()
    quiet(bounded, X, LINE, backend, optimizer=SGD(0.3), epochs=1, clip_norm=clip)
    moved = math.dist([p.data for p in bounded.parameters()], [p.data for p in line().parameters()])
    assert moved == pytest.approx(0.3 * clip, rel=1e-12)
    assert free.state_dict() != bounded.state_dict()


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"early_stopping": 3}, ValueError, "early_stopping needs validation_data or validation_split"),
        ({"early_stopping": 0, "validation_split": 0.5}, ValueError, "early_stopping must be a whole number"),
        ({"validation_split": 1.0}, ValueError, "validation_split must be 0 or more and below 1, got 1.0"),
        ({"validation_split": 0.01}, ValueError, "validation_split=0.01 of 12 samples leaves none to validate with"),
        ({"validation_split": 0.99}, ValueError, "validation_split=0.99 of 12 samples leaves none to train on"),
        ({"validation_data": (X, LINE), "validation_split": 0.5}, ValueError, "not both"),
        ({"validation_data": X}, TypeError, "validation_data is a pair of samples and targets"),
        ({"validation_data": ([], [])}, ValueError, "validation_data: X has no samples"),
        ({"validation_data": (X, LINE[1:])}, ValueError, "validation_data: X has 12 samples, and y has 11 targets"),
        ({"validation_data": ([[1.0]], [1.0])}, ValueError, "validation_data: Neuron does not take the 1 features"),
        ({"sample_weight": [1.0]}, ValueError, "sample_weight has 1 weights for 12 samples"),
        ({"sample_weight": [1.0] * 11 + [-1]}, ValueError, "the weight of sample 11 must be 0 or more, got -1"),
        ({"sample_weight": [1.0] * 11 + ["1"]}, TypeError, "the weight of sample 11: takes a real number, got str"),
        ({"sample_weight": [0.0] * 12}, ValueError, "the mean of the weights is 0.0; it must be positive"),
        ({"class_weight": "balanced"}, ValueError, "class_weight needs a loss of classification"),
        ({"class_weight": "even", "y": SIGN, "loss": "hinge"}, TypeError, 'class_weight is "balanced" or'),
        ({"class_weight": {1: 1}, "y": SIGN, "loss": "hinge"}, ValueError, "no weight for the label -1.0"),
        ({"clip_norm": 0.0}, ValueError, "clip_norm must be positive, got 0.0"),
    ],
)
def test_wrong_settings_are_named_and_the_model_is_left_alone(settings, error, message):
    model = line()
    with pytest.raises(error, match=message):
        quiet(model, X, **({"y": LINE} | settings))
    assert model.state_dict() == line().state_dict()
