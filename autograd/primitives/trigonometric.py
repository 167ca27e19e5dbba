"""Trigonometric and hyperbolic functions, and their inverses."""

from __future__ import annotations

import math

from autograd import ieee
from autograd.primitives.choices import abs, copysign
from autograd.primitives.lengths import hypot
from autograd.primitives.powers import exp, expm1, one_minus_square, sqrt
from autograd.primitives.primitive import Scalar, primitive


@primitive(lambda out, x: cos(x), latex=r"\sin({0})", lower="sin")
def sin(x: float) -> float:
    """Sine of x in radians.

    Example:
        >>> from autograd import Value
        >>> sin(Value(0.0)).local_grads
        (1.0,)
    """
    return ieee.sin(x)


@primitive(lambda out, x: -sin(x), latex=r"\cos({0})", lower="cos")
def cos(x: float) -> float:
    """Cosine of x in radians.

    Example:
        >>> cos(0.0)
        1.0
    """
    return ieee.cos(x)


@primitive(lambda out, x: 1 + out * out, latex=r"\tan({0})", lower="tan")
def tan(x: float) -> float:
    """Tangent of x in radians.

    Example:
        >>> tan(0.0)
        0.0
    """
    return ieee.tan(x)


@primitive(lambda out, x: 1 / sqrt(one_minus_square(x)), latex=r"\arcsin({0})", lower="asin")
def asin(x: float) -> float:
    """Arc sine in radians, -π/2 to π/2; nan outside -1 to 1.

    Example:
        >>> asin(0.0)
        0.0
    """
    return ieee.asin(x)


@primitive(lambda out, x: -1 / sqrt(one_minus_square(x)), latex=r"\arccos({0})", lower="acos")
def acos(x: float) -> float:
    """Arc cosine in radians, 0 to π; nan outside -1 to 1.

    Example:
        >>> acos(1.0)
        0.0
    """
    return ieee.acos(x)


@primitive(lambda out, x: 1 / hypot(1.0, x) / hypot(1.0, x), latex=r"\arctan({0})", lower="atan")
def atan(x: float) -> float:
    """Arc tangent in radians, -π/2 to π/2.

    Example:
        >>> atan(0.0)
        0.0
    """
    return math.atan(x)


@primitive(
    lambda out, y, x: x / hypot(x, y) / hypot(x, y), lambda out, y, x: -y / hypot(x, y) / hypot(x, y),
    latex=r"\operatorname{{atan2}}({0}, {1})", lower="atan2",
)
def atan2(y: float, x: float) -> float:
    """The angle in radians, -π to π, of the point (x, y).

    Example:
        >>> atan2(0.0, 1.0)
        0.0
    """
    return math.atan2(y, x)


@primitive(lambda out, x: cosh(x), latex=r"\sinh({0})", lower="sinh")
def sinh(x: float) -> float:
    """Hyperbolic sine.

    Example:
        >>> sinh(0.0)
        0.0
    """
    return ieee.sinh(x)


@primitive(lambda out, x: sinh(x), latex=r"\cosh({0})", lower="cosh")
def cosh(x: float) -> float:
    """Hyperbolic cosine.

    Example:
        >>> cosh(0.0)
        1.0
    """
    return ieee.cosh(x)


def _tanh_by_exp(x: Scalar) -> Scalar:
    """(1 - e) / (1 + e) with e = exp(-2|x|), which the derivative takes as well; expm1 keeps the digits near 0."""
    return copysign(expm1(-abs(2 * x)) * (1 / (1 + exp(-abs(2 * x)))), x)


def _sech_squared_by_exp(e: Scalar) -> Scalar:
    return (e * (1 / (1 + e))) * (4 * (1 / (1 + e)))


@primitive(lambda out, x: sech_squared(x), latex=r"\tanh({0})", lower=_tanh_by_exp)
def tanh(x: float) -> float:
    """Hyperbolic tangent; its derivative 1 - tanh² keeps all its digits far from 0.

    Example:
        >>> from autograd import Value
        >>> tanh(Value(0.0)).local_grads
        (1.0,)
    """
    return math.tanh(x)


@primitive(
    lambda out, x: -2 * out * tanh(x),
    symbol="sech²", latex=r"\operatorname{{sech}}^2({0})", lower=lambda x: _sech_squared_by_exp(exp(-abs(2 * x))),
)
def sech_squared(x: float) -> float:
    """1 / cosh(x)² = 1 - tanh(x)², which would cancel for large |x|."""
    return ieee.sech_squared(x)


@primitive(lambda out, x: 1 / hypot(1.0, x), latex=r"\operatorname{{arsinh}}({0})", lower="asinh")
def asinh(x: float) -> float:
    """Inverse hyperbolic sine.

    Example:
        >>> asinh(0.0)
        0.0
    """
    return math.asinh(x)


@primitive(
    lambda out, x: 1 / (sqrt(x - 1) * sqrt(x + 1)),
    latex=r"\operatorname{{arcosh}}({0})", lower="acosh",
)
def acosh(x: float) -> float:
    """Inverse hyperbolic cosine; nan below 1.

    Example:
        >>> acosh(1.0)
        0.0
    """
    return ieee.acosh(x)


@primitive(
    lambda out, x: 1 / one_minus_square(x),
    latex=r"\operatorname{{artanh}}({0})", lower="atanh",
)
def atanh(x: float) -> float:
    """Inverse hyperbolic tangent; ±inf at ±1, nan beyond.

    Example:
        >>> atanh(0.0)
        0.0
    """
    return ieee.atanh(x)
