"""The random numbers of NumPy's RandomState in plain Python: data sets that are drawn by it need nothing installed."""

import math
import random
from typing import Any


class RandomState:
    """Normal numbers and orders, the same to the bit as `np.random.RandomState(seed)` draws.

    Both are Mersenne twisters (Matsumoto and Nishimura, 1998), which Python seeds in another way; normal numbers are
    made by Marsaglia's polar method.

    Example:
        >>> import numpy as np
        >>> RandomState(0).normal() == np.random.RandomState(0).normal()
        True
    """

    def __init__(self, seed: int):
        state = [seed]
        for i in range(1, 624):
            state.append((1812433253 * (state[-1] ^ (state[-1] >> 30)) + i) % 2**32)
        self.rng = random.Random()
        self.rng.setstate((3, (*state, 624), None))
        self.other: float | None = None

    def normal(self) -> float:
        """A number with mean 0 and standard deviation 1."""
        if self.other is not None:
            number, self.other = self.other, None
            return number
        squares = 0.0
        while not 0 < squares < 1:  # a point in the unit circle
            a, b = 2 * self.rng.random() - 1, 2 * self.rng.random() - 1
            squares = a * a + b * b
        scale = math.sqrt(-2 * math.log(squares) / squares)
        self.other = scale * a
        return scale * b

    def shuffle(self, xs: list[Any]) -> None:
        """Puts the items of xs into a random order."""
        for i in range(len(xs) - 1, 0, -1):
            mask, j = (1 << i.bit_length()) - 1, len(xs)
            while j > i:
                j = self.rng.getrandbits(32) & mask
            xs[i], xs[j] = xs[j], xs[i]
