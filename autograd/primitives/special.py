"""The error function, and the Gaussian that its derivatives are made of."""

from __future__ import annotations

import math

from autograd import ieee
from autograd.primitives.choices import abs, select
from autograd.primitives.powers import exp, expm1
from autograd.primitives.primitive import Scalar, primitive

TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


GAUSSIAN_IS_0 = 64.0  # from here on


def _gaussian_by_exp(x: Scalar) -> Scalar:
    """As in ieee.gaussian."""
    head = leading_bits(x)
    most = exp(-0.5 * head * head)
    return most + most * expm1(-0.5 * (x - head) * (x + head))


def leading_bits(x: Scalar) -> Scalar:
    """The leading 26 bits of x, whose square is exact (Veltkamp, 1968)."""
    return x * ieee.SPLITTER - (x * ieee.SPLITTER - x)


@primitive(
    lambda out, x: -x * out,
    symbol="e^(-x²/2)", latex=r"e^{{-\left({0}\right)^2 / 2}}", js="gaussian({0})",
    lower=lambda x: _gaussian_by_exp(select(abs(x) > GAUSSIAN_IS_0, GAUSSIAN_IS_0, x)),
)
def gaussian(x: float) -> float:
    """e^(-x²/2), also where the rounding of a large x² would cost its digits."""
    return ieee.gaussian(x)


@primitive(lambda out, x: TWO_OVER_SQRT_PI * gaussian(x) * gaussian(x), latex=r"\operatorname{{erf}}({0})", lower="erf")
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
