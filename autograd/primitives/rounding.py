"""Whole numbers and remainders. What rounds is a staircase: no derivative flows through it, not at its jumps either."""

from __future__ import annotations

import math

from autograd import ieee
from autograd.primitives.arithmetic import div
from autograd.primitives.choices import copysign, select
from autograd.primitives.primitive import Scalar, primitive


@primitive(None, latex=r"\left\lfloor {0} \right\rfloor", lower="llvm.floor")
def floor(x: float) -> float:
    """The largest whole number that is not above x; derivative 0.

    Example:
        >>> floor(2.7), floor(-2.7)
        (2.0, -3.0)
    """
    return ieee.floor(x)


@primitive(None, latex=r"\left\lceil {0} \right\rceil", lower="llvm.ceil")
def ceil(x: float) -> float:
    """The smallest whole number that is not below x; derivative 0.

    Example:
        >>> ceil(2.2), ceil(-2.2)
        (3.0, -2.0)
    """
    return ieee.ceil(x)


@primitive(None, latex=r"\operatorname{{trunc}}({0})", lower="llvm.trunc")
def trunc(x: float) -> float:
    """x without its fraction: the whole number next to it on the side of 0; derivative 0.

    Example:
        >>> trunc(2.7), trunc(-2.7)
        (2.0, -2.0)
    """
    return ieee.trunc(x)


@primitive(None, latex=r"\operatorname{{round}}({0})", lower="llvm.rint")
def round(x: float) -> float:
    """The nearest whole number, of two the even one (as NumPy, PyTorch and Python's own round); derivative 0.

    Example:
        >>> round(0.5), round(1.5), round(-2.6)
        (0.0, 2.0, -3.0)
    """
    return ieee.round(x)


def _by_divisor(out: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """Minus the whole number of times that y is taken from x."""
    return -round(div(x - out, y))


@primitive(
    lambda out, x, y: 1.0, _by_divisor,
    latex=r"\operatorname{{fmod}}({0}, {1})", lower="fmod",
)
def fmod(x: float, y: float) -> float:
    """What is left of x after taking y from it as often as possible, with the sign of x (C's fmod); nan for y = 0.

    Example:
        >>> fmod(7.0, 3.0), fmod(-7.0, 3.0)
        (1.0, -1.0)
    """
    return ieee.fmod(x, y)


def _mod_by_fmod(x: Scalar, y: Scalar) -> Scalar:
    left = fmod(x, y)
    return select(left == 0, copysign(0.0, y), select((left < 0) ^ (y < 0), left + y, left))


@primitive(
    lambda out, x, y: 1.0, _by_divisor,
    latex=r"\operatorname{{mod}}({0}, {1})", lower=_mod_by_fmod,
)
def mod(x: float, y: float) -> float:
    """x - ⌊x / y⌋ y, which has the sign of y: Python's and NumPy's %; nan for y = 0.

    The derivative by x is 1 and that by y is -⌊x / y⌋, at the jumps as well.

    Example:
        >>> mod(7.0, 3.0), mod(-7.0, 3.0)
        (1.0, 2.0)
    """
    return x % y if y else math.nan
