"""Lengths: what is √(x² + y² + ...), and its derivatives, which must not cancel."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Sequence

from autograd import ieee
from autograd.primitives.choices import detach, minimum, select
from autograd.primitives.powers import sqrt
from autograd.primitives.primitive import Scalar, primitive

LARGEST = math.nextafter(math.inf, 0.0)  # the share of a component in an infinite length is 0, not inf / inf


def of_the_others(combine: Callable[[Scalar, Scalar], Scalar], neutral: float, xs: Sequence[Scalar]) -> list[Scalar]:
    """For each of xs all the others combined: what stands before it with what stands after it."""
    before = itertools.accumulate(xs[:-1], combine, initial=neutral)
    after = itertools.accumulate(xs[:0:-1], lambda later, x: combine(x, later), initial=neutral)
    return list(map(combine, before, [*after][::-1]))


@primitive(
    lambda out, t, s: s / sqrt(t * t + s) / (t * t + s), lambda out, t, s: -0.5 * out / (t * t + s),
    lower=lambda t, s: t / sqrt(t * t + s),
)
def direction(t: float, s: float) -> float:
    """t / √(t² + s): the partial of a length by one of its components t.

    The others come apart, as the sum s of their squares: a derivative of t / length would be 1 - t² / length², which
    cancels.
    """
    return ieee.direction(t, s)


def _direction(length: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """x / length, for the length of (x, y); none at the origin. A rough length will do, as one that is subnormal."""
    scale = minimum(detach(length), LARGEST)
    rest = y / scale
    return select(length == 0, None, direction(x / scale, rest * rest))


def directions(length: Scalar, *xs: Scalar) -> list[Scalar]:
    """The same for a length of many components."""
    scale = minimum(detach(length), LARGEST)
    scaled = [x / scale for x in xs]
    others = of_the_others(operator.add, 0.0, [t * t for t in scaled])
    return [select(length == 0, None, direction(t, s)) for t, s in zip(scaled, others, strict=True)]


@primitive(
    lambda out, x, y: _direction(out, x, y), lambda out, x, y: _direction(out, y, x),
    latex=r"\operatorname{{hypot}}({0}, {1})", lower="hypot",
)
def hypot(x: float, y: float) -> float:
    """√(x² + y²) without overflow; derivatives 0 at the origin.

    Example:
        >>> from autograd import Value
        >>> hypot(Value(3.0), 4.0).local_grads
        (0.6,)
    """
    return math.hypot(x, y)


@primitive(
    directions,
    symbol="‖·‖", latex=r"\left\|{0}\right\|",
    lower=lambda *xs: functools.reduce(hypot, xs, 0.0),
)
def norm(*xs: float) -> float:
    """√(x₁² + x₂² + ...) without overflow."""
    return math.hypot(*xs)
