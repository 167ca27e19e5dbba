"""The four operations and the change of sign."""

from __future__ import annotations

from autograd import ieee
from autograd.primitives.primitive import NEGATION, PRODUCT, SUM, primitive


@primitive(
    lambda out, x, y: 1.0, lambda out, x, y: 1.0,
    symbol="+", latex="{0} + {1}", precedence=SUM, lower="fadd",
)
def add(x: float, y: float) -> float:
    """x + y."""
    return x + y


@primitive(
    lambda out, x, y: 1.0, lambda out, x, y: -1.0,
    symbol="-", latex="{0} - {1}", precedence=SUM, lower="fsub",
)
def sub(x: float, y: float) -> float:
    """x - y."""
    return x - y


@primitive(
    lambda out, x, y: y, lambda out, x, y: x,
    symbol="*", latex=r"{0} \cdot {1}", precedence=PRODUCT, lower="fmul",
)
def mul(x: float, y: float) -> float:
    """x · y."""
    return x * y


@primitive(
    lambda out, x, y: 1 / y, lambda out, x, y: -out / y,
    symbol="/", latex=r"\frac{{{0}}}{{{1}}}", precedence=PRODUCT, lower="fdiv",
)
def div(x: float, y: float) -> float:
    """x / y; ±inf or nan for y = 0."""
    return ieee.div(x, y)


@primitive(lambda out, x: -1.0, symbol="-", latex="-{0}", precedence=NEGATION, lower="fneg")
def neg(x: float) -> float:
    """-x."""
    return -x
