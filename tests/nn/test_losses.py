"""Losses: values, derivatives, the targets they take, batches and penalties."""

import math

import pytest

import nn
from autograd import Value, gradients
from nn.losses import LOSSES, find_loss

NEAR = [-3.0, -1.0, -0.25, 0.0, 0.5, 1.0, 2.5]


def derivative(loss, score, target, **options):
    s = Value(score)
    loss(s, target, **options).backward()
    return s.grad


@pytest.mark.parametrize("s", NEAR)
def test_regression_losses_and_their_derivatives_follow_the_formulas(s):
    t = 0.7
    e = s - t
    assert nn.squared_error(s, t) == e**2
    assert derivative(nn.squared_error, s, t) == 2 * e
    assert nn.absolute_error(s, t) == abs(e)
    assert derivative(nn.absolute_error, s, t) == math.copysign(1, e)
    for delta in (0.5, 1.0, 3.0):
        inside = abs(e) <= delta
        expected = e * e / 2 if inside else delta * (abs(e) - delta / 2)
        assert nn.huber(s, t, delta=delta) == pytest.approx(expected, rel=1e-15)
        assert derivative(nn.huber, s, t, delta=delta) == pytest.approx(e if inside else math.copysign(delta, e))


@pytest.mark.parametrize("s", NEAR)
def test_classification_losses_and_their_derivatives_follow_the_formulas(s):
    for label in (-1, 1):
        assert nn.hinge(s, label) == max(0.0, 1 - label * s)
        assert derivative(nn.hinge, s, label) == (-label if label * s < 1 else 0.0)
    p = 1 / (1 + math.exp(-s))
    for label in (0, 1):
        assert nn.binary_cross_entropy(s, label) == pytest.approx(-math.log(p if label else 1 - p), rel=1e-14)
        assert derivative(nn.binary_cross_entropy, s, label) == pytest.approx(p - label, rel=1e-14)
    logits = [s, 0.3, -1.2]
    exps = [math.exp(z) for z in logits]
    for label in range(3):
        values = [Value(z) for z in logits]
        loss = nn.cross_entropy(values, label)
        loss.backward()
        assert loss.data == pytest.approx(-math.log(exps[label] / sum(exps)), rel=1e-14)
        expected = [e / sum(exps) - (i == label) for i, e in enumerate(exps)]
        assert [v.grad for v in values] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("e", [0.0, 1e-9, 1e-4, 0.3, 0.999, 1.0, 1.5, 20.0, 1e4])
@pytest.mark.parametrize("sign", [1, -1])
def test_log_cosh_is_exact_everywhere(e, sign):
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(50):
        expected, slope = float(mpmath.log(mpmath.cosh(mpmath.mpf(e)))), float(mpmath.tanh(mpmath.mpf(sign * e)))
    assert nn.log_cosh(sign * e, 0.0) == pytest.approx(expected, rel=1e-14)
    assert derivative(nn.log_cosh, sign * e, 0.0) == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize("s", NEAR)
def test_quantile_and_focal_follow_the_formulas(s):
    torch = pytest.importorskip("torch")
    for q in (0.1, 0.5, 0.9):
        e = 0.7 - s
        assert nn.quantile(s, 0.7, q=q) == pytest.approx(max(q * e, (q - 1) * e))
        assert derivative(nn.quantile, s, 0.7, q=q) == pytest.approx(-q if e > 0 else 1 - q)
    for gamma in (0.0, 1.0, 2.0):
        for label in (0, 1):
            z = torch.tensor(s, dtype=torch.float64, requires_grad=True)
            p = torch.sigmoid(z if label else -z)
            loss = -((1 - p) ** gamma) * torch.log(p)
            loss.backward()
            assert nn.focal(s, label, gamma=gamma) == pytest.approx(loss.item(), rel=1e-13)
            assert derivative(nn.focal, s, label, gamma=gamma) == pytest.approx(z.grad.item(), rel=1e-12)


@pytest.mark.parametrize("s", NEAR)
def test_poisson_and_negative_log_likelihood_are_those_of_pytorch(s):
    torch = pytest.importorskip("torch")
    z = torch.tensor([s, 0.3, -1.2], dtype=torch.float64, requires_grad=True)
    for target in (0.0, 1.0, 7.5):
        expected = torch.nn.functional.poisson_nll_loss(z[0], torch.tensor(target, dtype=torch.float64))
        (gradient,) = torch.autograd.grad(expected, z)
        assert nn.poisson(s, target) == pytest.approx(expected.item(), rel=1e-14)
        assert derivative(nn.poisson, s, target) == pytest.approx(gradient[0].item(), rel=1e-14)
    for label in range(3):
        expected = torch.nn.functional.nll_loss(z.log_softmax(0), torch.tensor(label))
        (gradient,) = torch.autograd.grad(expected, z)
        leaves = [Value(x) for x in z.tolist()]
        loss = nn.negative_log_likelihood(nn.Softmax()(leaves), label)
        loss.backward()
        assert loss.data == pytest.approx(expected.item(), rel=1e-13)
        assert [x.grad for x in leaves] == pytest.approx(gradient.tolist(), rel=1e-12)


def test_counts_are_learnt_and_their_error_is_that_of_the_expected_count():
    X = [[i / 10] for i in range(10)]
    counts = [math.exp(1 + 2 * x) for (x,) in X]
    model = nn.Neuron(1, nonlin=False, rng=0)
    history = nn.fit(model, X, counts, loss="poisson", optimizer=nn.Adam(0.1), epochs=300, progress=False)
    assert nn.poisson.predicted(model.predict(X)) == pytest.approx(counts, rel=1e-3)
    assert history.metric[-1] < 0.01
    assert (model.w[0].data, model.b.data) == pytest.approx((2.0, 1.0), rel=1e-2)


def test_probabilities_and_scores_are_not_confused():
    X, y = [[0.0], [1.0]], [0, 1]
    with pytest.raises(ValueError, match=r"negative_log_likelihood takes probabilities .*: end the model with Softmax"):
        nn.fit(nn.Layer(1, 2, nonlin=False, rng=0), X, y, loss="negative_log_likelihood", progress=False)
    ended = nn.Sequential(nn.Layer(1, 2, nonlin=False, rng=0), nn.Softmax())
    with pytest.raises(ValueError, match="cross_entropy takes scores, and this model ends with Softmax"):
        nn.fit(ended, X, y, loss="cross_entropy", progress=False)
    nn.fit(ended, X, y, loss="negative_log_likelihood", epochs=2, progress=False)
    assert ended.predict_proba(X) == ended.predict(X)


def test_the_score_with_the_least_quantile_loss_is_the_quantile_of_the_targets():
    targets = [[float(i)] for i in range(101)]
    model = nn.Neuron(1, nonlin=False, init=lambda *_: 0.0)
    nn.fit(
        model, [[0.0]] * 101, [t for (t,) in targets], loss=lambda s, t: nn.quantile.formula(s, t, q=0.8),
        optimizer=nn.SGD(10.0), epochs=100, progress=False,
    )  # fmt: skip
    assert model.predict([[0.0]])[0] == pytest.approx(80, abs=4)


def test_extreme_logits_do_not_overflow():
    assert nn.binary_cross_entropy(-1e6, 1) == 1e6
    assert nn.binary_cross_entropy(1e6, 1) == 0.0
    assert nn.focal(-1e6, 1) == 1e6
    assert nn.focal(1e6, 1) == 0.0
    assert derivative(nn.focal, -1e6, 1) == -1.0
    assert nn.cross_entropy([1e6, 0.0], 1) == 1e6
    assert derivative(nn.binary_cross_entropy, -1e6, 1) == -1.0


def test_the_label_may_be_a_value_as_when_traced():
    assert nn.cross_entropy([Value(1.0), Value(2.0)], Value(1.0)).data == nn.cross_entropy([1.0, 2.0], 1)
    assert nn.hinge(Value(0.5), Value(-1.0)).data == 1.5
    assert nn.huber(Value(0.5), Value(-1.0)).data == 1.0


def test_batches_are_means_or_sums_of_the_losses():
    scores, targets = [Value(1.0), Value(-2.0), Value(0.5)], [1.0, 1.0, 1.0]
    assert nn.squared_error.batch(scores, targets).data == pytest.approx((0 + 9 + 0.25) / 3)
    assert nn.squared_error.batch(scores, targets, reduction="sum").data == 9.25
    assert nn.huber.batch(scores, targets, "sum", delta=0.5).data == 0.5 * 2.75 + 0.125
    assert nn.cross_entropy.batch([[0.0, 0.0], [0.0, 0.0]], [0, 1]) == math.log(2)


def test_several_outputs_are_averaged_within_a_sample():
    assert nn.squared_error([1.0, 3.0], [0.0, 0.0]) == 5.0
    assert nn.squared_error.batch([[1.0, 3.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 2.0]]) == 3.5


@pytest.mark.parametrize(
    ("loss", "score", "target", "message"),
    [
        ("hinge", 1.0, 0, "hinge takes the labels -1 and 1, got 0"),
        ("hinge", 1.0, "1", "hinge takes the labels -1 and 1, got '1'"),
        ("hinge", [1.0, 2.0], 1, "hinge takes one score a sample, got a list of 2"),
        ("binary_cross_entropy", 1.0, -1, "takes the labels 0 and 1, got -1"),
        ("binary_cross_entropy", 1.0, math.nan, "takes the labels 0 and 1, got nan"),
        ("cross_entropy", [1.0, 2.0], 2, "takes the number of a class as its label, 0 to 1, got 2"),
        ("cross_entropy", [1.0, 2.0], 0.5, "0 to 1, got 0.5"),
        ("cross_entropy", [1.0, 2.0], -1, "0 to 1, got -1"),
        ("cross_entropy", 1.0, 1, "takes a list of scores, one a class, got one number"),
        ("poisson", 1.0, -1, "poisson takes targets of 0 or more, got -1"),
        ("negative_log_likelihood", [0.5, 0.5], 2, "takes the number of a class as its label, 0 to 1, got 2"),
        ("negative_log_likelihood", [1.0, 2.0], 1, r"takes probabilities that add up to 1, got \[1.0, 2.0\]: end the"),
        ("squared_error", 1.0, math.inf, "takes a finite number as its target, got inf"),
        ("squared_error", 1.0, [1.0], "the score is one number and the target a list of 1"),
        ("squared_error", [1.0], [1.0, 2.0], "1 scores, 2 targets"),
        ("huber", [1.0, 2.0], [1.0, None], "takes finite numbers as its targets, got None"),
    ],
)
def test_targets_that_a_loss_cannot_take_are_named_with_their_sample(loss, score, target, message):
    loss = LOSSES[loss]
    with pytest.raises(ValueError, match=message):
        loss(score, target)
    fine = {"hinge": (1.0, 1), "binary_cross_entropy": (1.0, 1), "cross_entropy": ([1.0, 2.0], 1)}
    fine["negative_log_likelihood"] = [0.25, 0.75], 1
    good = fine.get(loss.name, (1.0, 1.0))
    with pytest.raises(ValueError, match=f"sample 1: .*{message}"):
        loss.batch([good[0], score], [good[1], target])


def test_wrong_batches_are_named():
    with pytest.raises(ValueError, match="squared_error: 1 scores for 2 targets"):
        nn.squared_error.batch([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="needs at least one value, got none"):
        nn.squared_error.batch([], [])
    with pytest.raises(ValueError, match="reduction must be 'mean' or 'sum', got 'none'"):
        nn.squared_error.batch([1.0], [1.0], reduction="none")
    with pytest.raises(ValueError, match="unknown loss 'mse'; choose from squared_error"):
        find_loss("mse")
    with pytest.raises(TypeError, match="loss must be a name or a function"):
        find_loss(3)


def test_penalties_and_their_derivatives():
    ps = [Value(-2.0), Value(0.5), Value(0.0)]
    nn.l1(ps, 0.1).backward()
    assert [p.grad for p in ps] == [-0.1, 0.1, 0.0]
    for p in ps:
        p.grad = 0
    penalty = nn.l2(ps, 0.1)
    penalty.backward()
    assert penalty.data == pytest.approx(0.425)
    assert [p.grad for p in ps] == pytest.approx([-0.4, 0.1, 0.0])
    assert [g.data for g in gradients(penalty, ps)] == [p.grad for p in ps]
