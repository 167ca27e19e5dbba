"""Random numbers inside a model: drawn by `fit` for each sample and step, the same to the bit in every backend.

A number is a function of where it is drawn (the seed, the step, the sample, and how many were drawn before), so nothing
depends on the order in which a backend goes about its work: a hash of those, mixed by the last steps of SplitMix64
(Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
"""

import contextlib
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

Draw = Callable[[], Any]  # the next number

_MASK, _GOLDEN = 2**64 - 1, 0x9E3779B97F4A7C15


class _Source(threading.local):
    """Where this thread's numbers come from."""

    def __init__(self) -> None:
        self.draw: Draw = random.random


_source = _Source()


def rand(n: int | None = None) -> Any:
    """Numbers drawn uniformly from [0, 1), for use inside a model: dropout, noise, a choice at random.

    Args:
        n: how many; None for one number instead of a list.

    In `fit` each sample in each step has numbers of its own, which follow from the seed, in both backends alike.
    Elsewhere they come from Python's `random`, or from what `draws_from` names; under `jit` pass them as an argument:

        >>> from autograd import jit
        >>> from nn import Dropout, draws_from
        >>> dropout = Dropout(0.5)
        >>> def f(x, u):
        ...     with draws_from(u):
        ...         return dropout(x)
        >>> jit(f)([1.0, 2.0, 3.0], [0.75, 0.25, 0.5])
        [2.0, 0.0, 6.0]
    """
    return _source.draw() if n is None else [_source.draw() for _ in range(n)]


@contextlib.contextmanager
def draws_from(source: Any) -> Iterator[None]:
    """Inside `with`, what `rand` gives comes from here.

    Args:
        source: a seed, a generator with a method `random()`, or a sequence of numbers, Values or traced numbers, which
            are given first to last.

    Errors: ValueError if the model asks for more numbers than the sequence has.

    Example:
        >>> with draws_from(0):
        ...     first = rand(3)
        >>> with draws_from(0):
        ...     rand(3) == first
        True
    """
    before = _source.draw
    _source.draw = _draw_from(source)
    try:
        yield
    finally:
        _source.draw = before


def _draw_from(source: Any) -> Draw:
    if isinstance(source, Iterable):
        return _Sequence(source)
    if callable(getattr(source, "random", None)):
        draw: Draw = source.random
        return draw
    return random.Random(source).random


class _Sequence:
    """Numbers that are given first to last."""

    def __init__(self, numbers: Iterable[Any]):
        self._remaining, self._given = iter(numbers), 0

    def __call__(self) -> Any:
        for x in self._remaining:
            self._given += 1
            return x
        raise ValueError(f"the model draws more random numbers than the {self._given} that it was given")


# --- for each sample and step ---------------------------------------------------------------------------------------


def _mix(z: Any) -> Any:
    """Of 64 bits, ints or an array of uint64, others in which each depends on all."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def _successor(key: Any, index: Any) -> Any:
    return _mix((key + (index + 1) * _GOLDEN) & _MASK)


class SampleDraws:
    """The numbers that one sample draws in one step.

    Attributes:
        count: how many it has drawn.
    """

    def __init__(self, key: int, step: int, sample: int):
        self._key, self.count = _successor(_successor(key, step), sample), 0

    def random(self) -> float:
        """The next number."""
        x: float = (_successor(self._key, self.count) >> 11) * 2.0**-53
        self.count += 1
        return x


def draws_of_samples(key: int, step: int, samples: Sequence[int], count: int) -> Any:
    """The first numbers of many SampleDraws: an array of shape (samples, count).

    Example:
        >>> draws = SampleDraws(1, 7, 5)
        >>> draws_of_samples(1, 7, [4, 5], 2)[1].tolist() == [draws.random(), draws.random()]
        True
    """
    import numpy as np

    keys = _successor(_successor(key, step), np.array(samples, dtype=np.uint64)[:, None])
    return (_successor(keys, np.arange(count, dtype=np.uint64)) >> 11) * 2.0**-53
