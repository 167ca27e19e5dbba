"""The gamma function, its logarithm, and the derivatives of that to any order."""

from __future__ import annotations

import functools
import math

from autograd import ieee
from autograd.primitives.arithmetic import div
from autograd.primitives.choices import select
from autograd.primitives.powers import log, pow, square
from autograd.primitives.primitive import Primitive, Scalar, primitive
from autograd.primitives.rounding import floor, round
from autograd.primitives.trigonometric import sin, tan

LARGE = 8.0  # from here on Stirling's series, in which the terms of B₂ ... B₂₂ are enough for a double
B = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330, 854513 / 138]

# Polynomials in t = 2x - 3 for x in 1 ... 2, from the values at 23 Chebyshev points, computed to 60 digits: of
# ψ(x) / (x - ROOT), and of ln Γ(x) / ((x - 1) (x - 2)). Their zeros are in the other factors, so that no digit is lost.
ROOT, ROOT_REST = 1.4616321449683622, 9.549995429965697e-17  # where ψ is 0, to twice the digits of a double
PSI = (
    0.9510558760318328, -0.2118137106407303, 0.060135621060196744, -0.018550615381735115, 0.005936795278305649,
    -0.0019350666648590097, 0.0006368880303257201, -0.00021074841140458636, 6.995018873950506e-05,
    -2.325824239445257e-05, 7.741232223504057e-06, -2.57809436305308e-06, 8.589127353033379e-07,
    -2.86315275846934e-07, 9.542050972688906e-08, -3.163020268955334e-08, 1.0542687624027994e-08,
    -3.7075072647122386e-09, 1.2358072433984831e-09, -2.7619635330317715e-10, 9.206434499177992e-11,
    -8.498137230186096e-11, 2.832706668021759e-11,
)  # fmt: skip
LOG_GAMMA = (
    0.4831289505409809, -0.07297994795715304, 0.015727850268641236, -0.003913560937626187, 0.0010498186644491197,
    -0.00029455070151955954, 8.510090382266539e-05, -2.5094328669818345e-05, 7.5113911543279285e-06,
    -2.2742474054826674e-06, 6.948460789947273e-07, -2.138632494418463e-07, 6.622926112005164e-08,
    -2.0620995364628568e-08, 6.448043752521901e-09, -2.016989565826891e-09, 6.353017600845751e-10,
    -2.0871311005452823e-10, 6.615691316451458e-11, -1.5410479069560222e-11, 4.892185826125285e-12,
    -3.8008085820640625e-12, 1.2170358219385592e-12,
)  # fmt: skip


def _polynomial(coefficients: tuple[float, ...], t: Scalar) -> Scalar:
    return functools.reduce(lambda total, c: total * t + c, reversed(coefficients))


def _fraction(x: Scalar) -> Scalar:
    """x less the nearest whole number, in radians of half a period of sin(πx); a derivative flows through x alone."""
    return math.pi * (x - round(x))


# --- the derivatives of ψ: Hurwitz' zeta function -------------------------------------------------------------------

SHIFT = 10  # terms of the sum that are added one by one, before the Euler-Maclaurin formula takes the rest
TERMS = 10  # of that formula


@functools.cache
def polygamma(n: int) -> Primitive:
    """The derivative of order n ≥ 1 of ψ, for x ≥ 0: (-1)ⁿ⁺¹ n! ∑ₖ (x + k)⁻ⁿ⁻¹. Its derivative is polygamma(n + 1)."""
    s, sign = n + 1, (-1.0) ** (n + 1)
    weights = [  # of Euler and Maclaurin's terms: n! s (s + 1) ... (s + 2j - 2) B₂ⱼ / (2j)!
        sign * b * math.factorial(s + 2 * j - 2) / math.factorial(2 * j) for j, b in enumerate(B[:TERMS], 1)
    ]

    def value(x: Scalar) -> Scalar:
        end = x + float(SHIFT)
        inverse = div(1.0, end)
        steps: Scalar = 0.0
        for k in range(SHIFT):
            steps = steps + pow(x + float(k), float(-s))
        rest = pow(end, float(-n)) * (1 / n + 0.5 * inverse)
        tail = pow(inverse, float(s + 1)) * _polynomial(tuple(weights), square(inverse))
        return select(x < 0, math.nan, sign * math.factorial(n) * (steps + rest) + tail)

    return Primitive(
        "trigamma" if n == 1 else f"polygamma{n}", value, (lambda out, x: polygamma(n + 1)(x),),
        symbol=f"ψ^({n})", latex=rf"\psi^{{{{({n})}}}}({{0}})", lower=value,
    )  # fmt: skip


trigamma = polygamma(1)


# --- ψ --------------------------------------------------------------------------------------------------------------


def _psi(x: Scalar) -> Scalar:
    """ψ from 0 on: by the polynomial in 1 ... 2, next to it by ψ(x + 1) = ψ(x) + 1/x, then by Stirling's series."""
    whole = select(x < 1, 0.0, floor(x))
    inside = select(x < 1, x + 1, x - (whole - 1))
    middle = (inside - ROOT - ROOT_REST) * _polynomial(PSI, 2 * inside - 3)
    for k in range(1, int(LARGE) - 1):
        middle = middle + select(whole > k, div(1.0, inside + (k - 1)), 0.0)
    inverse = div(1.0, x)
    tail = square(inverse) * _polynomial(tuple([b / (2 * k) for k, b in enumerate(B, 1)]), square(inverse))
    return select(x < LARGE, select(x < 1, middle - inverse, middle), log(x) - 0.5 * inverse - tail)


def _digamma(x: Scalar) -> Scalar:
    """Below 0 by reflection: ψ(x) = ψ(1 - x) - π / tan(πx)."""
    angle = _fraction(x)
    reflected = _psi(select(x < 0, 1 - x, x))
    return select(x < 0, select(angle == 0, math.nan, reflected - div(math.pi, tan(angle))), reflected)


def _digamma_slope(x: Scalar) -> Scalar:
    reflected = trigamma(select(x < 0, 1 - x, x))
    return select(x < 0, square(div(math.pi, sin(_fraction(x)))) - reflected, reflected)


@primitive(lambda out, x: _digamma_slope(x), symbol="ψ", latex=r"\psi({0})", lower=_digamma)
def digamma(x: float) -> float:
    """The derivative of lgamma, Γ'(x) / Γ(x); nan at -1, -2, ..., and -inf at 0.

    Example:
        >>> digamma(1.0)
        -0.5772156649015329
    """
    return _digamma(x)


# --- Γ and its logarithm --------------------------------------------------------------------------------------------


@primitive(lambda out, x: digamma(x), latex=r"\ln\left|\Gamma({0})\right|", lower="lgamma")
def lgamma(x: float) -> float:
    """log |Γ(x)|, which overflows much later than gamma does; inf at 0, -1, -2, ...

    Example:
        >>> lgamma(1.0), lgamma(101.0)
        (0.0, 363.73937555556347)
    """
    return _lgamma(x)


def _lgamma(x: float) -> float:
    """As _psi and _digamma; math.lgamma, which C's is better than, loses its digits near 1 and 2."""
    if x >= LARGE or x in (math.inf, -math.inf) or x != x:
        return ieee.lgamma(x)
    if -0.5 < x < 0:
        return _lgamma(x + 1) - math.log(-x)
    if x < 0:
        sine = abs(math.sin(_fraction(x)))
        return math.log(math.pi / sine) - _lgamma(1 - x) if sine else math.inf
    if x < 1:
        return x * (x - 1) * _polynomial(LOG_GAMMA, 2 * x - 1) - ieee.log(x)
    whole = math.floor(x)
    inside = x - (whole - 1)
    logarithm: float = (inside - 1) * (inside - 2) * _polynomial(LOG_GAMMA, 2 * inside - 3)
    return logarithm + math.log(math.prod([inside + k for k in range(whole - 1)]))


@primitive(lambda out, x: out * digamma(x), latex=r"\Gamma({0})", lower="tgamma")
def gamma(x: float) -> float:
    """The gamma function, (x - 1)! for whole x; inf beyond 171.6, ±inf at ±0, nan at -1, -2, ...

    Example:
        >>> gamma(5.0)
        24.0
    """
    return ieee.gamma(x)
