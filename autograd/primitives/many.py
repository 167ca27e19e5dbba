"""Operations of any number of operands, which go left to right."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence

from autograd import ieee
from autograd.primitives.activations import sigmoid
from autograd.primitives.arithmetic import div
from autograd.primitives.choices import abs, detach, maximum, minimum, select
from autograd.primitives.lengths import of_the_others
from autograd.primitives.powers import exp, log1p
from autograd.primitives.primitive import Scalar, primitive


@primitive(
    lambda out, *xs: [1.0] * len(xs),
    symbol="Σ", latex=r"\sum({0})", lower=lambda *xs: functools.reduce(operator.add, xs, 0.0),
)
def sum(*xs: float) -> float:
    """x₁ + x₂ + ..., from 0.0, left to right."""
    return ieee.sum(xs)


@primitive(
    lambda out, *xs: of_the_others(operator.mul, 1.0, xs),
    symbol="Π", latex=r"\prod({0})", lower=lambda *xs: functools.reduce(operator.mul, xs, 1.0),
)
def prod(*xs: float) -> float:
    """x₁ · x₂ · ..., from 1.0, left to right."""
    return functools.reduce(operator.mul, xs, 1.0)


def _dot(bias: Scalar, *terms: Scalar) -> Scalar:
    n = len(terms) // 2
    return functools.reduce(operator.add, map(operator.mul, terms[:n], terms[n:]), bias)


@primitive(
    lambda out, bias, *terms: [1.0, *terms[len(terms) // 2 :], *terms[: len(terms) // 2]],
    symbol="w·x+b", latex=r"\operatorname{{dot}}({0})", lower=_dot,
)
def dot(bias: float, *terms: float) -> float:
    """bias + w₁ x₁ + w₂ x₂ + ..., left to right; the operands are the bias, the n weights, the n inputs."""
    return _dot(bias, *terms)


def _shares_of_the_largest(out: Scalar, *xs: Scalar) -> list[Scalar]:
    reached = [select(x == out, 1.0, 0.0) for x in xs]
    share = div(1.0, sum(*reached))
    shares = [select(x == out, share, None) for x in xs]
    return [select(out == out, s, math.nan) for s in shares]  # if one is nan, none is known to be the largest


@primitive(
    _shares_of_the_largest,
    latex=r"\max({0})", lower=lambda *xs: functools.reduce(maximum, xs),
)
def max(*xs: float) -> float:
    """The largest; nan if one is nan."""
    return functools.reduce(ieee.maximum, xs)


@primitive(
    _shares_of_the_largest,
    latex=r"\min({0})", lower=lambda *xs: functools.reduce(minimum, xs),
)
def min(*xs: float) -> float:
    """The smallest; nan if one is nan."""
    return functools.reduce(ieee.minimum, xs)


def softmax(xs: Sequence[Scalar]) -> list[Scalar]:
    """e^x / Σ e^x, with the largest x taken out: a shift changes nothing, so it needs no derivative."""
    shift = detach(max(*xs))
    exps = [exp(x - shift) for x in xs]
    total = sum(*exps)
    return [e / total for e in exps]


@primitive(
    lambda out, *xs: softmax(xs),
    latex=r"\operatorname{{logsumexp}}({0})", lower=lambda *xs: _shifted_logsumexp(max(*xs), xs),
)
def logsumexp(*xs: float) -> float:
    """log(e^x₁ + e^x₂ + ...), with the largest taken out so that nothing overflows."""
    return ieee.logsumexp(xs)


@primitive(
    lambda out, x, y: sigmoid(x - y), lambda out, x, y: sigmoid(y - x),
    latex=r"\ln\left(e^{{{0}}} + e^{{{1}}}\right)",
    lower=lambda x, y: _shifted_logsumexp(maximum(x, y), (x, y)),
)
def logaddexp(x: float, y: float) -> float:
    """log(e^x + e^y) without overflow: the sum of two numbers given by their logarithms.

    Example:
        >>> logaddexp(1000.0, -1000.0), logaddexp(-1000.0, -1000.0)
        (1000.0, -999.3068528194401)
    """
    return ieee.logsumexp((x, y))


def _shifted_logsumexp(shift: Scalar, xs: Sequence[Scalar]) -> Scalar:
    others = sum(*[select(x == shift, 0.0, exp(x - shift)) for x in xs])
    largest = sum(*[select(x == shift, 1.0, 0.0) for x in xs])
    return select(abs(shift) == math.inf, shift, shift + log1p(others + (largest - 1)))
