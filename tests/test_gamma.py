"""The gamma function and its kin where the tests of all primitives do not go: below 0, at their poles, to any order."""

import math
import random
from typing import Any

import pytest
from mpmath import mp, mpf

import autograd as ag
from autograd import Value, check_grads, grad
from autograd.primitives.gamma import polygamma

NEGATIVE = [random.Random(0).uniform(-40, 0) for _ in range(200)] + [-1e-300, -1e-9, -0.5, -1 + 1e-9, -2 - 1e-9]
POSITIVE = [1e-20, 0.3, 1 - 1e-14, 1.0, 1 + 1e-12, 1.4616321449683622, 2 - 1e-15, 2.0, 7.999, 8.0, 30.0, 1e8]


def test_below_zero_errors_are_those_of_the_two_sides_of_the_reflection():
    for x in NEGATIVE:
        with mp.workprec(400):
            exact = mpf(x)
            lgamma, psi, psi1 = mp.re(mp.loggamma(exact)), mp.psi(0, exact), mp.psi(1, exact)
            size = 4 + abs(x) * math.log(2 + abs(x)) + abs(lgamma)
            assert abs(ag.lgamma(x) - lgamma) <= 1e-15 * size, x
            near_pole = abs(psi) * (1 + 1 / abs(exact - mp.nint(exact)))  # which x itself is rounded to
            assert abs(ag.digamma(x) - psi) <= 1e-15 * (8 + near_pole), x
            assert abs(grad(ag.lgamma)(x) - psi) <= 1e-15 * (8 + near_pole), x
            assert psi1 > 1e300 or abs(grad(ag.digamma)(x) - psi1) <= 1e-14 * psi1, x
            if x > -30:
                assert abs(ag.gamma(x) - mp.gamma(exact)) <= 2e-15 * abs(mp.gamma(exact)), x


@pytest.mark.parametrize("order", range(1, 9))
def test_derivatives_of_any_order_keep_their_digits(order):
    for x in POSITIVE:
        with mp.workprec(400):
            expected = mp.psi(order, mpf(x))
        if 1e-300 < abs(expected) < 1e300:
            assert polygamma(order)(x) == pytest.approx(float(expected), rel=3e-15), x
    f: Any = ag.lgamma
    for _ in range(order + 1):
        f = grad(f)
    assert f(2.5) == pytest.approx(float(mp.psi(order, 2.5)), rel=1e-14)
    assert f(-2.3) == pytest.approx(float(mp.psi(order, -2.3)), rel=1e-11)


@pytest.mark.parametrize("f", [ag.gamma, ag.lgamma, ag.digamma])
@pytest.mark.parametrize("x", [0.3, 1.7, 4.2, 9.5, -0.3, -2.7])
def test_derivatives_are_those_of_differences(f, x):
    check_grads(f, (x,), order=3, tolerance=1e-5)


def test_poles_and_infinities():
    inf, nan = math.inf, math.nan
    for x, gamma, lgamma, digamma in [
        (0.0, inf, inf, -inf), (-0.0, -inf, inf, inf), (-3.0, nan, inf, nan), (-1e300, nan, inf, nan),
        (inf, inf, inf, inf), (-inf, nan, inf, nan), (nan, nan, nan, nan), (1e300, inf, 6.8977553e302, 690.775528),
        (5e-324, inf, 744.4400719213812, -inf), (-5e-324, -inf, 744.4400719213812, inf), (3e305, inf, inf, 703.385),
    ]:  # fmt: skip
        found = ag.gamma(x), ag.lgamma(x), ag.digamma(x)
        assert found == pytest.approx((gamma, lgamma, digamma), rel=1e-5, nan_ok=True), x
        assert (ag.gamma(Value(x)).data, ag.lgamma(Value(x)).data) == pytest.approx(found[:2], rel=0, nan_ok=True)


def test_compiled_to_the_second_derivative_and_on_lanes():
    np = pytest.importorskip("numpy")
    pytest.importorskip("llvmlite")

    def f(x):
        return ag.gamma(x), ag.lgamma(x), ag.digamma(x), grad(ag.digamma)(x), grad(grad(ag.lgamma))(x)

    xs = np.array([0.3, 1.7, 4.2, 9.5, -0.3, -2.7, 50.0])
    lanes = ag.jit(ag.vmap(f))(xs)
    compiled = ag.jit(f)
    for i, x in enumerate(xs.tolist()):
        assert compiled(x) == pytest.approx(f(x), rel=1e-13)
        assert [column[i] for column in lanes] == pytest.approx(f(x), rel=1e-13)
