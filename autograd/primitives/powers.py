"""Powers, exponentials and logarithms."""

from __future__ import annotations

import math

from autograd import ieee
from autograd.primitives.choices import select
from autograd.primitives.primitive import POWER, SUM, Scalar, primitive


def _pow_by_base(out: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """y x^(y - 1); as y (x^y / x) where y - 1 may be rounded, unless that is 0 / 0 or inf / inf. x^0 is flat at 0."""
    if y.__class__ is float and 0.5 <= y <= 2.0**53:  # most powers, and nothing to choose
        return y * pow(x, y - 1)
    flat = (y == 0) & (x < 1e-300) & (x > -1e-300)
    rounded = (y < 0.5) | (y > 2.0**53)
    power = select((y < 0) | rounded & (x != 0) & (x - x == 0), out / x, pow(x, y - 1))
    return select(flat, None, y * select(flat, 0.0, power))  # of 0 * inf NumPy would warn


@primitive(
    _pow_by_base, lambda out, x, y: select((x == 0) & (y >= 0), None, out * log(x)),
    symbol="**", latex="{{{0}}}^{{{1}}}", precedence=POWER, lower="pow",
)
def pow(x: float, y: float) -> float:
    """x to the power y, as C's pow; nan for a negative x and a y that is not whole."""
    return ieee.pow(x, y)


LN2, LOG2_E, LOG10_E = math.log(2), 1 / math.log(2), 1 / math.log(10)


@primitive(
    lambda out, x: 2 * x, latex="{{{0}}}^{{2}}", precedence=POWER, lower=lambda x: x * x,
)
def square(x: float) -> float:
    """x · x.

    Example:
        >>> square(-3.0)
        9.0
    """
    return x * x


@primitive(lambda out, x: 0.5 / out, latex=r"\sqrt{{{0}}}", lower="llvm.sqrt")
def sqrt(x: float) -> float:
    """Square root; nan below 0, and an infinite derivative at 0.

    Example:
        >>> from autograd import Value
        >>> sqrt(Value(9.0)).local_grads
        (0.16666666666666666,)
    """
    return ieee.sqrt(x)


@primitive(lambda out, x: cbrt_slope(x), latex=r"\sqrt[3]{{{0}}}", lower="cbrt")
def cbrt(x: float) -> float:
    """Cube root, also of negative numbers.

    Example:
        >>> cbrt(-8.0)
        -2.0
    """
    return math.cbrt(x)


@primitive(
    lambda out, x: -2 / 3 * out / x,
    latex=r"1 / (3 \sqrt[3]{{{0}}}^2)",
    lower=lambda x: select((x == 0) | (x - x != 0), 1 / (cbrt(x) * cbrt(x)), cbrt(x) / x / 3),
)
def cbrt_slope(x: float) -> float:
    """1 / (3 ∛x²), the derivative of ∛x, without squaring the error of ∛x."""
    return ieee.cbrt_slope(x)


@primitive(lambda out, x: out, latex="e^{{{0}}}", lower="exp")
def exp(x: float) -> float:
    """e to the power x; inf on overflow.

    Example:
        >>> exp(0.0)
        1.0
    """
    return ieee.exp(x)


@primitive(lambda out, x: out * LN2, latex="2^{{{0}}}", lower="exp2")
def exp2(x: float) -> float:
    """2 to the power x.

    Example:
        >>> exp2(3.0)
        8.0
    """
    return ieee.exp2(x)


@primitive(lambda out, x: exp(x), latex=r"\operatorname{{expm1}}({0})", lower="expm1")
def expm1(x: float) -> float:
    """e^x - 1, without cancellation for small x.

    Example:
        >>> expm1(1e-20)
        1e-20
    """
    return ieee.expm1(x)


@primitive(lambda out, x: 1 / x, latex=r"\ln({0})", lower="log")
def log(x: float) -> float:
    """Natural logarithm; -inf at 0, nan below.

    Example:
        >>> from autograd import Value
        >>> log(Value(4.0)).local_grads
        (0.25,)
    """
    return ieee.log(x)


@primitive(lambda out, x: LOG2_E / x, latex=r"\log_2({0})", lower="log2")
def log2(x: float) -> float:
    """Logarithm to base 2; -inf at 0, nan below.

    Example:
        >>> log2(8.0)
        3.0
    """
    return ieee.log2(x)


@primitive(lambda out, x: LOG10_E / x, latex=r"\log_{{10}}({0})", lower="log10")
def log10(x: float) -> float:
    """Logarithm to base 10; -inf at 0, nan below.

    Example:
        >>> log10(1000.0)
        3.0
    """
    return ieee.log10(x)


@primitive(lambda out, x: 1 / (1 + x), latex=r"\ln(1 + {0})", lower="log1p")
def log1p(x: float) -> float:
    """log(1 + x), without cancellation for small x.

    Example:
        >>> log1p(1e-20)
        1e-20
    """
    return ieee.log1p(x)


@primitive(
    lambda out, x: -2 * x,
    symbol="1-x²", latex=r"1 - \left({0}\right)^2", precedence=SUM, lower=lambda x: (1 - x) * (1 + x),
)
def one_minus_square(x: float) -> float:
    """1 - x², without cancellation at ±1."""
    return (1.0 - x) * (1.0 + x)
