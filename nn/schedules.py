"""Schedules: learning rates that change from epoch to epoch, or from step to step. Each is a function of the count."""

import math
from collections.abc import Callable

from nn.ranges import at_least_0, at_least_1, positive

Schedule = Callable[[int], float]


def constant(rate: float) -> Schedule:
    """The same rate always.

    Example:
        >>> constant(0.1)(1000)
        0.1
    """
    rate = positive(rate, "learning rate")
    return lambda count: rate


def linear(start: float, end: float, over: int) -> Schedule:
    """From start to end in equal steps while the count goes from 0 to `over`, then end.

    Example:
        >>> rate = linear(1.0, 0.1, over=100)
        >>> rate(0), rate(50), rate(200)
        (1.0, 0.55, 0.1)
    """
    start, end, over = positive(start, "learning rate"), at_least_0(end, "end"), at_least_1(over, "over")
    return lambda count: end if count >= over else start - (start - end) * count / over


def cosine(start: float, end: float, over: int) -> Schedule:
    """From start to end along half a wave of the cosine while the count goes from 0 to `over`, then end.

    Example:
        >>> rate = cosine(1.0, 0.0, over=100)
        >>> rate(0), rate(50), rate(100)
        (1.0, 0.5, 0.0)
    """
    start, end, over = positive(start, "learning rate"), at_least_0(end, "end"), at_least_1(over, "over")
    return lambda count: end + (start - end) * (1 + math.cos(math.pi * min(count, over) / over)) / 2


def step(start: float, factor: float, every: int) -> Schedule:
    """start, times the factor once more after every so many counts.

    Example:
        >>> rate = step(1.0, 0.5, every=10)
        >>> rate(9), rate(10), rate(25)
        (1.0, 0.5, 0.25)
    """
    start, factor, every = positive(start, "learning rate"), positive(factor, "factor"), at_least_1(every, "every")
    return lambda count: start * factor ** (count // every)
