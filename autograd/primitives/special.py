"""The error function, and the Gaussian that its derivatives are made of."""

from __future__ import annotations

import math

from autograd import ieee
from autograd.primitives.arithmetic import div
from autograd.primitives.choices import abs, copysign, select
from autograd.primitives.powers import exp, expm1, log, log1p, sqrt
from autograd.primitives.primitive import Scalar, primitive

TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


GAUSSIAN_IS_0 = 64.0  # from here on


def _gaussian_by_exp(x: Scalar, factor: float = 0.5) -> Scalar:
    """e^(-factor x²) for a factor that is a power of 2, as in ieee.gaussian."""
    head = leading_bits(x)
    most = exp(-factor * head * head)
    return most + most * expm1(-factor * (x - head) * (x + head))


def leading_bits(x: Scalar) -> Scalar:
    """The leading 26 bits of x, whose square is exact (Veltkamp, 1968)."""
    return x * ieee.SPLITTER - (x * ieee.SPLITTER - x)


@primitive(
    lambda out, x: -x * out,
    symbol="e^(-x²/2)", latex=r"e^{{-\left({0}\right)^2 / 2}}",
    lower=lambda x: _gaussian_by_exp(select(abs(x) > GAUSSIAN_IS_0, GAUSSIAN_IS_0, x)),
)
def gaussian(x: float) -> float:
    """e^(-x²/2), also where the rounding of a large x² would cost its digits."""
    return ieee.gaussian(x)


def _erfinv(x: Scalar) -> Scalar:
    """A start that is right to 0.2 % (Winitzki, 2008), then three steps of Halley's method: 2e-5, 1e-13, all digits.

    From 1/2 on they solve erfc(y) = 1 - |x|, where 1 - |x| is exact and erf(y) would be rounded to 1.
    """
    size = abs(x)
    outer = size > 0.5
    a = 0.147
    logarithm = select(outer, log((1 - size) * (1 + size)), log1p(-size * size))
    middle = 2 / (math.pi * a) + 0.5 * logarithm
    y = sqrt(div(-logarithm, a * (sqrt(middle * middle - logarithm / a) + middle)))
    for _ in range(3):
        miss = select(outer, (1 - size) - erfc(y), erf(y) - size)
        step = div(miss, TWO_OVER_SQRT_PI * _gaussian_by_exp(y, 1.0))
        y = y - div(step, 1 + y * step)
    return copysign(select(size < 1, y, select(size == 1, math.inf, math.nan)), x)


def _erfinv_slope(x: Scalar) -> Scalar:
    """√π/2 e^(y²) at y = erfinv(x). e^(y²) has many times the rounding error of y, erfc(y) e^(y²) does not."""
    size = abs(x)
    y = erfinv(size)
    growth = select(size > 0.75, div(erfc(y), (1 - size) * _gaussian_by_exp(y, 1.0)), exp(y * y))
    return select(size == 1, math.inf, growth / TWO_OVER_SQRT_PI)


@primitive(lambda out, x: erfinv_slope(x), latex=r"\operatorname{{erf}}^{{-1}}({0})", lower=_erfinv)
def erfinv(x: float) -> float:
    """The inverse of erf; ±inf at ±1, nan beyond.

    Example:
        >>> erfinv(0.5), erf(erfinv(0.5))
        (0.4769362762044699, 0.5)
    """
    return _erfinv(x)


@primitive(
    lambda out, x: 2 * erfinv(x) * out * out,
    symbol="erf⁻¹'", latex=r"\left(\operatorname{{erf}}^{{-1}}\right)'({0})", lower=_erfinv_slope,
)
def erfinv_slope(x: float) -> float:
    """√π/2 e^(erfinv(x)²), the derivative of erfinv."""
    return _erfinv_slope(x)


@primitive(
    lambda out, x: TWO_OVER_SQRT_PI * gaussian(x) * gaussian(x),
    latex=r"\operatorname{{erf}}({0})", lower="erf",
)
def erf(x: float) -> float:
    """Error function, 2/√π ∫₀ˣ e^(-t²) dt.

    Example:
        >>> erf(0.0)
        0.0
    """
    return math.erf(x)


@primitive(
    lambda out, x: -TWO_OVER_SQRT_PI * gaussian(x) * gaussian(x),
    latex=r"\operatorname{{erfc}}({0})", lower="erfc",
)
def erfc(x: float) -> float:
    """1 - erf(x), without cancellation for large x.

    Example:
        >>> erfc(0.0)
        1.0
    """
    return math.erfc(x)
