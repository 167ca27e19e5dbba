"""fit: frozen modules, groups of parameters, schedules that count steps, runs that go on."""

import copy
import math
import pickle

import pytest

import autograd
import nn
from nn import MLP, SGD, Adam, NonFiniteError, RMSprop, fit
from nn.schedules import cosine, linear, plateau, restarts, warmup

X = [[math.sin(i), math.cos(3 * i)] for i in range(12)]
LINE = [3 * x0 - 2 * x1 + 1 for x0, x1 in X]

backends = pytest.mark.parametrize("backend", ["eager", "jit"])


@pytest.fixture(autouse=True)
def _installed(request):
    if "jit" in request.node.name:
        pytest.importorskip("llvmlite")


def small():
    return MLP(2, [3, 1], "tanh", rng=0)


def quiet(model, backend="eager", X=X, y=LINE, **settings):
    return fit(model, X, y, progress=False, backend=backend, **({"batch_size": 5, "epochs": 4} | settings))


# --- frozen modules ---------------------------------------------------------------------------------------------------


@backends
@pytest.mark.parametrize("optimizer", [nn.AdamW(0.1, weight_decay=0.1), SGD(0.1, momentum=0.9)])
def test_frozen_parameters_stay_as_they_are_to_the_bit_and_the_others_learn(optimizer, backend):
    model = small()
    before = model.state_dict()
    model.layers[0].freeze()
    quiet(model, backend, optimizer=optimizer, penalty=nn.l2)
    after = model.state_dict()
    for name in before:
        assert (after[name] == before[name]) == name.startswith("layers.0."), name
    model.unfreeze()
    quiet(model, backend, optimizer=optimizer)
    assert all(model.state_dict()[name] != after[name] for name in after)


@backends
def test_what_is_not_frozen_learns_as_if_the_rest_were_numbers(backend):
    """The last layer alone, on what the first gives."""
    model, last = small(), small().layers[1]
    inputs = [[neuron(x).data for neuron in model.layers[0].neurons] for x in X]
    model.layers[0].freeze()
    history = quiet(model, backend, optimizer=Adam(0.1), clip_norm=0.5)
    alone = quiet(last, backend, X=inputs, optimizer=Adam(0.1), clip_norm=0.5)
    assert history.loss == pytest.approx(alone.loss, rel=1e-12)
    assert list(model.layers[1].state_dict().values()) == pytest.approx(list(last.state_dict().values()), rel=1e-9)


def test_a_model_that_is_all_frozen_is_refused():
    model = small().freeze()
    assert model.trainable_parameters() == {}
    with pytest.raises(ValueError, match=r"MLP has no parameters to train: all are frozen; see unfreeze\(\)"):
        quiet(model)


@backends
def test_one_parameter_stays_as_it_is_in_fit_and_in_steps_by_hand(backend):
    model = small()
    fixed = model.layers[1].neurons[0].b
    fixed.data, fixed.trainable = 0.25, False
    assert "layers.1.neurons.0.b" not in model.trainable_parameters()
    before = model.state_dict()
    quiet(model, backend)
    optimizer = SGD(0.1, momentum=0.9)
    for p in model.parameters():
        p.grad = 1.0
    optimizer.step(model.parameters())
    after = model.state_dict()
    assert [name for name in before if before[name] == after[name]] == ["layers.1.neurons.0.b"]
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert list(again.trainable_parameters()) == list(model.trainable_parameters())


def test_a_shared_parameter_is_frozen_where_one_of_its_modules_is():
    class Tied(nn.Module):
        def __init__(self):
            self.first, self.second = nn.Neuron(1, nonlin=False), nn.Neuron(1, nonlin=False)
            self.second.w = self.first.w

    model = Tied()
    model.second.freeze()
    assert list(model.trainable_parameters()) == ["first.b"]


# --- groups -----------------------------------------------------------------------------------------------------------


@backends
def test_groups_are_those_of_pytorch(backend):
    torch = pytest.importorskip("torch")
    model = small()
    layers = [torch.nn.Linear(2, 3, dtype=torch.float64), torch.nn.Linear(3, 1, dtype=torch.float64)]
    with torch.no_grad():
        for theirs, ours in zip(layers, model.layers, strict=True):
            theirs.weight[:] = torch.tensor(
                [[w.data for w in neuron.w] for neuron in ours.neurons], dtype=torch.float64
            )
            theirs.bias[:] = 0.0
    first = torch.optim.SGD(layers[0].parameters(), lr=0.1, momentum=0.9)
    last = torch.optim.Adam(layers[1].parameters(), lr=0.05)
    samples, targets = torch.tensor(X, dtype=torch.float64), torch.tensor(LINE, dtype=torch.float64)
    for _ in range(20):
        loss = (layers[1](layers[0](samples).tanh()).squeeze(1) - targets).square().mean()
        for optimizer in (first, last):
            optimizer.zero_grad()
        loss.backward()
        for optimizer in (first, last):
            optimizer.step()
    groups = {"layers.0": SGD(0.1, momentum=0.9), "": Adam(0.05)}
    quiet(model, backend, optimizer=groups, epochs=20, batch_size=None)
    for theirs, ours in zip(layers, model.layers, strict=True):
        assert [[w.data for w in neuron.w] for neuron in ours.neurons] == [
            pytest.approx(row, rel=1e-9) for row in theirs.weight.tolist()
        ]
        assert [neuron.b.data for neuron in ours.neurons] == pytest.approx(theirs.bias.tolist(), rel=1e-9)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ({"layers.0": "sgd"}, r"no optimizer is for the parameter 'layers.1.neurons.0.w.0'; give one for \"\""),
        ({"layers.2": "sgd", "": "adam"}, "no parameter that is trained has a name that begins with 'layers.2'"),
        ({"layers.0": "sdg", "": "adam"}, "unknown optimizer 'sdg'"),
    ],
)
def test_groups_that_fit_no_parameter_are_named(optimizer, message):
    with pytest.raises(ValueError, match=message):
        quiet(small(), optimizer=optimizer)


# --- schedules --------------------------------------------------------------------------------------------------------


def rates(schedule, backend="eager", **settings):
    """The rates that fit asks for."""
    seen = []

    class Spy(SGD):
        def update(self, theta, gradient, state, t, rate):
            seen.append(rate)
            return super().update(theta, gradient, state, t, rate)

    quiet(small(), "jit", optimizer=Spy(schedule), **settings)
    return seen


def test_a_schedule_counts_epochs_or_steps():
    pytest.importorskip("llvmlite")
    schedule = linear(0.1, 0.0, 100)
    assert rates(schedule) == [schedule(epoch) for epoch in range(4) for _ in range(3)]
    assert rates(schedule, rate_per="step") == [schedule(step) for step in range(12)]
    with pytest.raises(ValueError, match='rate_per is "epoch" or "step", got \'batch\''):
        quiet(small(), rate_per="batch")


def test_warm_up_and_restarts_are_pytorch_s():
    torch = pytest.importorskip("torch")

    def of_torch(make, count, after=lambda scheduler, i: scheduler.step()):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.4)
        scheduler, found = make(optimizer), []
        for i in range(count):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            after(scheduler, i)
        return found

    schedulers = torch.optim.lr_scheduler
    ours = restarts(cosine(0.4, 0.0, 8), 8, longer=2.0)
    theirs = of_torch(lambda o: schedulers.CosineAnnealingWarmRestarts(o, T_0=8, T_mult=2), 8)
    assert [ours(i) for i in range(8)] == pytest.approx(theirs)
    equal = restarts(cosine(0.4, 0.0, 8), 8)
    theirs = of_torch(lambda o: schedulers.CosineAnnealingWarmRestarts(o, T_0=8), 30)
    assert [equal(i) for i in range(30)] == pytest.approx(theirs)
    rising = warmup(linear(0.4, 0.4, 1), 4)
    theirs = of_torch(lambda o: schedulers.LinearLR(o, start_factor=0.25, total_iters=3), 10)
    assert [rising(i) for i in range(10)] == pytest.approx(theirs)
    losses = [5.0, 4.0, 4.5, 4.2, 4.1, 4.0, 3.9, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]

    def plateaus(optimizer):
        return schedulers.ReduceLROnPlateau(optimizer, factor=0.5, patience=2, threshold=0.0)

    theirs = of_torch(plateaus, len(losses), lambda scheduler, i: scheduler.step(losses[i]))
    ours_by_loss = plateau(0.4, 0.5, patience=2)
    assert [ours_by_loss(losses[:i]) for i in range(len(losses))] == pytest.approx(theirs)
    assert len(set(theirs)) == 3


def test_a_plateau_lowers_the_rate_in_fit():
    history = quiet(
        small(), optimizer=SGD(schedule := plateau(10.0, 0.1, patience=1)), epochs=12, clip_norm=1.0, batch_size=None
    )
    assert schedule(history.loss) < 10.0
    seen = rates(plateau(10.0, 0.1, patience=1), epochs=12, clip_norm=1.0, batch_size=None)
    assert seen == pytest.approx([schedule(history.loss[:i]) for i in range(12)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: warmup(linear(1, 1, 1), 0), "over must be a whole number, at least 1"),
        (lambda: restarts(linear(1, 1, 1), 0), "every must be a whole number, at least 1"),
        (lambda: restarts(linear(1, 1, 1), 5, 0.5), "longer must be 1 or more, got 0.5"),
        (lambda: plateau(0.0), "learning rate must be positive"),
        (lambda: plateau(1.0, 0.0), "factor must be positive"),
        (lambda: plateau(1.0, patience=0), "patience must be a whole number"),
    ],
)
def test_schedules_refuse_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- runs that go on --------------------------------------------------------------------------------------------------


@backends
@pytest.mark.parametrize(
    "optimizer", [SGD(0.05, momentum=0.9), Adam(cosine(0.1, 0.01, 9)), {"layers.0": RMSprop(0.01), "": "adam"}]
)
def test_two_runs_are_one_to_the_bit(optimizer, backend):
    def model():
        first = MLP(2, [4], "tanh", rng=0)
        return nn.Sequential(*first.layers, nn.Dropout(0.3), nn.Neuron(4, nonlin=False, rng=1))

    if isinstance(optimizer, dict):
        optimizer = {"modules.0": optimizer["layers.0"], "": optimizer[""]}
    settings = {"optimizer": optimizer, "validation_split": 0.25, "rate_per": "step", "backend": backend}
    whole, parts = model(), model()
    expected = quiet(whole, epochs=7, **settings)
    history = pickle.loads(pickle.dumps(quiet(parts, epochs=3, **settings)))
    first = list(history.loss)
    again = quiet(parts, epochs=4, resume=history, **settings)
    assert (again.loss, again.metric) == (expected.loss, expected.metric)
    assert again.validation_loss == expected.validation_loss
    assert parts.state_dict() == whole.state_dict()
    assert history.loss == first  # the History of the first run stays what it was
    assert again.seconds > history.seconds


def test_the_backends_take_over_from_each_other():
    pytest.importorskip("llvmlite")
    whole = small()
    expected = quiet(whole, epochs=6, optimizer=Adam(0.1))
    for first, second in (("eager", "jit"), ("jit", "eager")):
        model = small()
        history = quiet(model, first, epochs=3, optimizer=Adam(0.1))
        history = quiet(model, second, epochs=3, optimizer=Adam(0.1), resume=history)
        assert history.loss == pytest.approx(expected.loss, rel=1e-9)
        assert all(type(p.data) is float for p in model.parameters())


def test_early_stopping_goes_on_from_the_best_epoch():
    model = small()
    settings = {"validation_data": (X, LINE), "early_stopping": 2, "optimizer": SGD(0.01), "batch_size": None}
    history = quiet(model, epochs=5, **settings)
    assert history.best_epoch == 4
    history = quiet(model, epochs=5, resume=history, **settings)
    assert (history.best_epoch, len(history.loss)) == (9, 10)
    best = model.state_dict()
    worse = quiet(model, epochs=9, resume=history, **(settings | {"optimizer": SGD(3.0), "clip_norm": 100.0}))
    assert (worse.best_epoch, len(worse.loss)) == (9, 12)
    assert model.state_dict() == best


def test_a_history_of_another_run_is_refused():
    history = quiet(small(), epochs=1, optimizer="adam")
    with pytest.raises(ValueError, match="resume: that run had 1 optimizers, and this has 2"):
        quiet(small(), resume=history, optimizer={"layers.0": "sgd", "": "adam"})
    with pytest.raises(ValueError, match="resume: that run trained other parameters"):
        quiet(MLP(2, [4, 1]), resume=history)
    with pytest.raises(ValueError, match="resume takes the History of a run of fit"):
        quiet(small(), resume=nn.History())
    with pytest.raises(ValueError, match="resume: the one run has samples to validate with"):
        quiet(small(), resume=history, validation_split=0.5)


def test_a_frozen_parameter_without_a_finite_derivative_is_no_obstacle():
    class Root(nn.Module):
        def __init__(self):
            self.inner = nn.Neuron(1, nonlin=False)
            self.inner.w[0].data = 0.0
            self.outer = nn.Neuron(1, nonlin=False)

        def __call__(self, x):
            return autograd.sqrt(self.inner.w[0] * x[0]) + self.outer(x)

    model = Root()
    with pytest.raises(NonFiniteError):
        quiet(model, X=[[1.0]], y=[1.0])
    model.inner.freeze()
    assert len(quiet(model, X=[[1.0]], y=[1.0]).loss) == 4
