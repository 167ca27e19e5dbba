"""Digits: values, first and second derivatives against mpmath, from the smallest doubles to the largest."""

import itertools
import math
import random

import accuracy
import pytest
from mpmath import mp, mpf

import autograd as ag
import nn
from autograd import grad, hessian

SOME = accuracy.EDGES + random.Random(0).sample(accuracy.points(), 100)
functions = pytest.mark.parametrize("name", accuracy.NAMES)


@functions
def test_value_and_two_derivatives_keep_their_digits_all_over_the_doubles(name):
    expected = [accuracy.exact(name, x) for x in SOME]
    assert not accuracy.failures(name, SOME, accuracy.eager(name, SOME), expected)


@pytest.mark.slow
@functions
def test_value_and_two_derivatives_keep_their_digits_at_many_points(name):
    xs = accuracy.points(2, seed=1)
    expected = [accuracy.exact(name, x) for x in xs]
    assert not accuracy.failures(name, xs, accuracy.eager(name, xs), expected)


def test_a_rule_that_cancels_is_found():
    xs = [1e-9, 0.9, 1 - 1e-9]
    expected = [accuracy.exact("asin", x) for x in xs]
    computed = accuracy.eager("asin", xs)
    assert not accuracy.failures("asin", xs, computed, expected)
    cancelling = [(y, 1 / math.sqrt(1 - x * x), second) for x, (y, _, second) in zip(xs, computed, strict=True)]
    (message,) = accuracy.failures("asin", xs, cancelling, expected)
    assert message.startswith("asin, first: ")
    assert message.endswith("units at 0.999999999")


def relative(actual, expected):
    return float(abs(mpf(actual) - expected) / abs(expected)) if expected else float(abs(actual))


LENGTHS = [
    [1.0, 1e-9], [1e-9, 1.0], [3.0, 4.0], [1e150, 1e-3], [1e-150, 1e-170], [0.0, 2.0], [-1e200, 1e190], [1e-100, 1e-90],
    [3e-307, 4e-306], [1.0, 1e-9, 2e-9], [0.0, 5.0, 0.0], [1e100, -1e90, 1e80, 1.0],
]  # fmt: skip


@pytest.mark.parametrize("xs", LENGTHS, ids=str)
def test_hessian_of_a_length_keeps_its_digits_far_from_the_diagonal(xs):
    """δij / h - xi xj / h³, where the diagonal is the sum of the squares of the others over h³."""
    with mp.workprec(400):
        exact = [mpf(x) for x in xs]
        h = mp.sqrt(mp.fsum(x * x for x in exact))
        expected = [
            [
                (mp.fsum(z * z for k, z in enumerate(exact) if k != i) if i == j else -x * y) / h**3
                for j, y in enumerate(exact)
            ]
            for i, x in enumerate(exact)
        ]
    lengths = [lambda p: ag.norm(p)] + [lambda p: ag.hypot(p[0], p[1])] * (len(xs) == 2)
    for length in lengths:
        assert all(relative(g, x / h) < 1e-15 for g, x in zip(grad(length)(xs), exact, strict=True))
        for row, wanted in zip(hessian(length)(xs), expected, strict=True):
            for actual, entry in zip(row, wanted, strict=True):
                if abs(entry) < 1e308:
                    assert abs(actual - entry) <= 1e-14 * abs(entry) + 1e-300, (actual, mp.nstr(entry, 17))
                else:
                    assert math.isinf(actual)


def test_third_derivatives_of_a_length_hold_on_an_axis():
    for x in ([2.0, 0.0], [0.0, -2.0], [2.0, 1e-9]):
        third = ag.jacobian(hessian(ag.norm))(x)
        fourth = ag.jacobian(ag.jacobian(hessian(ag.norm)))(x)
        a, b = (0, 1) if abs(x[0]) > abs(x[1]) else (1, 0)
        assert third[b][b][a] == pytest.approx(-math.copysign(1 / 4, x[a]), rel=1e-14)  # -1 / x²
        assert fourth[b][b][b][b] == pytest.approx(-3 / 8, rel=1e-14)  # -3 / |x|³


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_norm_squared_is_flat_at_the_origin_and_dot_is_not(mode):
    assert hessian(lambda x: ag.norm(x) ** 2)([0.0, 0.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert hessian(lambda x: ag.dot(x, x))([0.0, 0.0]) == [[2.0, 0.0], [0.0, 2.0]]


EXPONENTS = [0.1, 0.3, 0.49, 0.5, 0.7, 0.9999, 1.0, 1.5, 2.0, 3.7, -0.1, -0.5, -1.0, -3.3, -20.1, 1e-5, 1e3, 2.0**53]
BASES = [1e-300, 3e-100, 1.1e-50, 1e-5, 0.3, 0.999, 1.001, 7.7, 1e5, 3.3e50, 1e200, 2e-320]


def test_power_by_its_base_is_within_4_units_wherever_it_is_a_normal_number():
    """The rounding of y - 1 alone would cost up to ln(x) units."""
    worst = (0.0, 0.0, 0.0)
    for x, y in itertools.product(BASES, EXPONENTS):
        with mp.workprec(300):
            exact, value = mpf(y) * mp.power(x, mpf(y) - 1), mp.power(x, y)
        if abs(value) < accuracy.LARGEST:
            error = accuracy.ulps(grad(lambda x, y: x**y)(x, y), exact)
            worst = max(worst, (error or 0.0, x, y))
    assert worst[0] <= 4, worst


def test_power_by_its_base_has_the_right_sign_beyond_2_to_the_53():
    for y in (2.0**53, 2.0**53 + 2, 1e17, -(2.0**53), -1e17):
        assert grad(lambda x, y: x**y)(-1.0, y) == -y
        assert grad(lambda x, y: x**y)(1.0, y) == y


def test_power_by_its_base_at_zero_and_infinity():
    by_base = grad(lambda x, y: x**y)
    for y, at_0, at_inf in [(0.3, math.inf, 0.0), (-1.0, -math.inf, -0.0), (-0.5, -math.inf, -0.0), (0.0, 0.0, 0.0)]:
        assert by_base(0.0, y) == at_0
        assert by_base(math.inf, y) == at_inf
    assert by_base(0.0, 1e17) == 0.0
    assert by_base(-0.0, -1.0) == -math.inf


LOGITS = [0.0, 1e-300, 0.3, -1.0, 36.0, 40.0, -40.0, 700.0, -745.0, 1e8, -1e17]


def test_binary_cross_entropy_is_symmetric_and_exact_with_its_derivative():
    for x in LOGITS:
        with mp.workprec(2000):
            loss, slope = mp.log1p(mp.exp(-mpf(x))), -1 / (1 + mp.exp(mpf(x)))
        for sign, label in ((1, 1), (-1, 0)):
            assert (accuracy.ulps(nn.binary_cross_entropy(sign * x, label), loss) or 0) <= 3, x
            derivative = grad(lambda z, label=label: nn.binary_cross_entropy(z, label))(sign * x)
            assert (accuracy.ulps(sign * derivative, slope) or 0) <= 3, x


def test_binary_cross_entropy_of_a_soft_label_is_the_mixture_of_both():
    for p, x in itertools.product((0.0, 0.25, 1.0), (-3.0, 0.0, 2.0)):
        mixed = p * nn.binary_cross_entropy(x, 1) + (1 - p) * nn.binary_cross_entropy(x, 0)
        assert nn.binary_cross_entropy(x, ag.Value(p)).data == mixed


SCORES = [[1e8, 1e8], [1e17, 1e17], [40.0, 0.0], [0.0, 40.0, 0.0], [1e8, 1e8 - 30], [-3.0, 2.0, 0.5, 2.0], [0.0] * 5]


@pytest.mark.parametrize("scores", SCORES, ids=str)
def test_cross_entropy_is_exact_with_its_gradient_whatever_the_scores_have_in_common(scores):
    for label in range(len(scores)):
        with mp.workprec(400):
            exps = [mp.exp(mpf(x) - mpf(scores[label])) for x in scores]
            others = mp.fsum(e for i, e in enumerate(exps) if i != label)
            loss = mp.log1p(others)
            slopes = [-others / (1 + others) if i == label else e / (1 + others) for i, e in enumerate(exps)]
        assert relative(nn.cross_entropy(scores, label), loss) < 1e-15
        assert relative(nn.cross_entropy(scores, ag.Value(float(label))).data, loss) < 1e-15
        for actual, wanted in zip(grad(lambda s, label=label: nn.cross_entropy(s, label))(scores), slopes, strict=True):
            assert relative(actual, wanted) < 2e-15


def test_logsumexp_and_log_softmax_keep_what_is_added_to_the_largest():
    tiny = 4.248354255291589e-18  # log(1 + e^-40)
    assert ag.logsumexp([0.0, -40.0]) == ag.logsumexp([-40.0, 0.0]) == tiny
    assert ag.log_softmax([40.0, 0.0]) == [-tiny, -40.0]
    assert ag.logsumexp([2.0, 2.0, 2.0]) == pytest.approx(2 + math.log(3), rel=1e-16)
    assert ag.logsumexp([math.inf, math.inf]) == math.inf
    assert ag.logsumexp([-math.inf, -math.inf]) == -math.inf
    assert math.isnan(ag.logsumexp([1.0, math.nan]))
