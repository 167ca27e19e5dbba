"""Schedules: learning rates that change from epoch to epoch, or from step to step.

Each is a function of the count, but `plateau`, which follows the losses.
"""

import math
from collections.abc import Callable, Sequence

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


def warmup(schedule: Schedule, over: int) -> Schedule:
    """A schedule that begins after so many counts, during which the rate rises to its first in equal steps.

    Example:
        >>> rate = warmup(linear(1.0, 0.0, over=100), over=4)
        >>> rate(0), rate(3), rate(4), rate(54)
        (0.25, 1.0, 1.0, 0.5)
    """
    over = at_least_1(over, "over")
    return lambda count: schedule(0) * (count + 1) / over if count < over else schedule(count - over)


def restarts(schedule: Schedule, every: int, longer: float = 1.0) -> Schedule:
    """A schedule that starts again after so many counts, each time after `longer` times as many as the time before.

    Loshchilov and Hutter, SGDR, 2017, with `cosine` over as many counts; of a cycle that is longer than the first, the
    schedule is stretched to it.

    Errors: ValueError for `longer` below 1.

    Example:
        >>> rate = restarts(linear(1.0, 0.0, over=10), every=10, longer=2.0)
        >>> rate(5), rate(10), rate(20), rate(30)
        (0.5, 1.0, 0.5, 1.0)
    """
    every = at_least_1(every, "every")
    if not 1 <= longer < math.inf:
        raise ValueError(f"longer must be 1 or more, got {longer!r}")

    def rate(count: int) -> float:
        start, length = 0, float(every)
        while count >= start + round(length):
            start, length = start + round(length), length * longer
        return schedule(int((count - start) * every / length))

    return rate


class plateau:
    """start, times the factor once more whenever so many epochs have brought no smaller loss.

    `fit` gives it the losses of the epochs so far, on the validation if there is one. The rule is that of PyTorch's
    ReduceLROnPlateau without threshold.

    Example:
        >>> rate = plateau(1.0, factor=0.1, patience=2)
        >>> rate([]), rate([3.0, 2.0, 2.0, 2.0]), rate([3.0, 2.0, 2.0, 2.0, 2.0])
        (1.0, 1.0, 0.1)
    """

    def __init__(self, start: float, factor: float = 0.1, patience: int = 10):
        self.start, self.factor = positive(start, "learning rate"), positive(factor, "factor")
        self.patience = at_least_1(patience, "patience")

    def __call__(self, losses: Sequence[float]) -> float:
        rate, best, waited = self.start, math.inf, 0
        for loss in losses:
            best, waited = (loss, 0) if loss < best else (best, waited + 1)
            if waited > self.patience:
                rate, waited = rate * self.factor, 0
        return rate
