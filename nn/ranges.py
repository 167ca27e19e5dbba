"""Settings in their range: each function gives the number back, or raises a ValueError with its name."""

import math
import operator
from typing import Any


def positive(x: float, name: str) -> float:
    if not 0 < x < math.inf:
        raise ValueError(f"{name} must be positive, got {x!r}")
    return float(x)


def at_least_0(x: float, name: str) -> float:
    if not 0 <= x < math.inf:
        raise ValueError(f"{name} must be 0 or more, got {x!r}")
    return float(x)


def fraction(x: float, name: str) -> float:
    if not 0 <= x < 1:
        raise ValueError(f"{name} must be 0 or more and below 1, got {x!r}")
    return float(x)


def at_least_1(n: Any, name: str) -> int:
    if isinstance(n, bool) or not hasattr(n, "__index__") or n < 1:
        raise ValueError(f"{name} must be a whole number, at least 1, got {n!r}")
    return operator.index(n)
