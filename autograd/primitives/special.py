"""The error function, and the Gaussian that its derivatives are made of."""

from __future__ import annotations

import math

from autograd import ieee
from autograd.primitives.choices import abs, select
from autograd.primitives.powers import exp, expm1
from autograd.primitives.primitive import Primitive, Scalar, primitive

TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


def _gaussian(name: str, factor: float, symbol: str, latex: str) -> Primitive:
    """e^(-factor x²), with a factor that is a power of 2."""
    return Primitive(
        name, lambda x: ieee.gaussian(factor, x), (lambda out, x: -2 * factor * x * out,), symbol=symbol, latex=latex,
        lower=lambda x: _gaussian_by_exp(factor, select(abs(x) > GAUSSIAN_IS_0, GAUSSIAN_IS_0, x)),
        js=f"gaussian({factor}, {{0}})",
    )  # fmt: skip


GAUSSIAN_IS_0 = 64.0  # from here on e^(-x²/4) is 0


def _gaussian_by_exp(factor: float, x: Scalar) -> Scalar:
    """As in ieee.gaussian."""
    head = leading_bits(x)
    most = exp(-factor * head * head)
    return most + most * expm1(-factor * (x - head) * (x + head))


def leading_bits(x: Scalar) -> Scalar:
    """The leading 26 bits of x, whose square is exact (Veltkamp, 1968)."""
    return x * ieee.SPLITTER - (x * ieee.SPLITTER - x)


# Each is the square of the next: (a g) g with a large a keeps the digits that a g² would lose where g² is subnormal.
gaussian = _gaussian("gaussian", 0.5, "e^(-x²/2)", r"e^{{-\left({0}\right)^2 / 2}}")


root_gaussian = _gaussian("root_gaussian", 0.25, "e^(-x²/4)", r"e^{{-\left({0}\right)^2 / 4}}")


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
