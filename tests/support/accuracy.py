"""How many digits are right: values and derivatives of functions of one number against mpmath, all over the doubles.

Errors are counted in units in the last place of the true number, and only where that is a normal double; those of
derivatives only where the value is finite, too.
"""

import math
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from mpmath import mp, mpf
from references import MPMATH, STAIRS

from autograd.primitives import TABLE

SMALLEST_NORMAL, LARGEST = sys.float_info.min, sys.float_info.max
ORDERS = ("value", "first", "second")
# without a derivative, or with one that is a matter of convention: nothing to lose digits in
PIECEWISE = {"neg", "abs", "sign", "detach", "identity", "relu", "logical_not", *STAIRS}
NAMES = [name for name, op in TABLE.items() if op.arity == 1 and name not in PIECEWISE]

LIMITS = 8.0, 8.0, 1e-13 / sys.float_info.epsilon  # of the errors of a value and its derivatives: 8, 8 and 450 units
PERIODIC = {"sin", "cos", "tan"}
SINGULAR_AT_0 = {"sqrt", "cbrt", "cbrt_slope", "log", "log2", "log10", "logit"}
SINGULAR_AT_0 |= {"gamma", "lgamma", "digamma", "trigamma"}
POSITIVE = {"gamma", "lgamma", "digamma"}  # below 0 they or their derivatives are 0 between any two whole numbers

# Where a derivative is 0 at a number that is no double, the last digit of x alone is worth any number of units there:
# from 0 to twice such a root, errors are counted in units of no less than what the derivative is at the latter.
ROOTS = {
    ("gamma", "first"): 1.4616321449683622,
    ("lgamma", "first"): 1.4616321449683622,
    ("gaussian", "second"): 1.0,
    ("sech_squared", "second"): 0.6584789484624083,
    ("sigmoid_slope", "second"): 1.3169578969248166,
    ("silu", "first"): -1.2784645427610738,
    ("silu", "second"): 2.3993572805154677,
    ("gelu", "first"): -0.7517915246935645,
    ("gelu", "second"): math.sqrt(2),
}

# where e^-x², e^(-x²/2) and e^-x become subnormal; where a square of x or of a derivative over- or underflows; near ±1
EDGES = [26.55, 26.68, 37.55, 37.61, 708.7, 712.0, 714.5, 744.0, 9e-155, 1.4e-154, 1e154, 3e91, 1e-9, 2.0**-53]
EDGES += [1 - 2.0**-53, 1 - 2.0**-30, 1 + 2.0**-52, 1 + 2.0**-30, 0.5, 0.5 * math.pi]
EDGES += [-x for x in EDGES]

Triple = tuple[float, float, float]  # a value and its first two derivatives


def points(per_octave: int = 1, seed: int = 0) -> list[float]:
    """Numbers of both signs from every octave of the doubles, more of them where functions turn, saturate or cross 0.

    Args:
        per_octave: how many random mantissas an exponent gets.
        seed: of the random numbers.
    """
    rng = random.Random(seed)
    found = [math.ldexp(rng.uniform(0.5, 1), e) for e in range(-1073, 1025) for _ in range(per_octave)]
    found += [math.ldexp(1.0, e) for e in range(-1074, 1024, 16 // min(per_octave, 16))]
    found += [rng.uniform(0, end) for end in (1, 3, 10, 40, 750, 1100) for _ in range(60 * per_octave)]
    near = [1 - s * math.ldexp(rng.uniform(0.5, 1), -e) for e in range(53) for s in (1, -1) for _ in range(per_octave)]
    found += near
    for place in (0.5 * math.pi, math.pi, 0.5, 2.0):
        found += [place * x for x in near[::4]]
    found += [k * 0.5 * math.pi for k in (1, 2, 3, 4, 11, 1000, 10**10)]
    return EDGES + [s * x for x in sorted(set(found)) for s in (1, -1)]


def exact(name: str, x: float) -> tuple[Any, Any, Any] | None:
    """The value and derivatives of a primitive at x, by differences in as many digits as that takes; None outside its
    domain."""
    if name in POSITIVE and x < 0:
        return None
    function = MPMATH[name]
    local = name in SINGULAR_AT_0 or (abs(x) > 1 and name not in PERIODIC)
    h = mp.ldexp(abs(mpf(x)) if local and x else 1, -150)
    bits = least = 200 + max(_exponent(mpf(x)) - _exponent(h), 300)
    while True:
        with mp.workprec(bits):
            try:
                behind, at, ahead = (function(mpf(x) + step) for step in (-h, 0, h))
            except (ValueError, ZeroDivisionError):
                return None
            if not all(isinstance(y, mpf) and mp.isfinite(y) for y in (behind, at, ahead)):
                return None
            differences = ahead - behind, (ahead - at) - (at - behind)
            most = least + 1100 + max(_exponent(at), 0)  # a derivative that needs more is below 2^-1022
            size = max(map(_exponent, (behind, at, ahead)))
            needed = 120 + max(size - _exponent(d) if d else most for d in differences)
            if needed <= bits or bits >= most:
                return at, differences[0] / (2 * h), differences[1] / (h * h)
            bits = min(needed, most)


def _exponent(x: Any) -> int:
    return int(mp.mag(x)) if x else 0


def ulps(actual: float, expected: Any, size: float = 0.0) -> float | None:
    """The error in units in the last place of the true number, or of `size` if that is larger; None where the true
    number is no normal double."""
    if not SMALLEST_NORMAL <= abs(expected) <= LARGEST:
        return None
    if not math.isfinite(actual):
        return math.inf
    with mp.workprec(200):
        return float(abs(mpf(actual) - expected) / math.ulp(max(float(abs(expected)), size)))


class Worst(NamedTuple):
    """The largest error, in units in the last place, and where it is."""

    error: float
    x: float


def failures(name: str, xs: Sequence[float], computed: Sequence[Triple], expected: Sequence[Any]) -> list[str]:
    """Which errors are beyond the limits, as sentences."""
    found = zip(ORDERS, worst(name, xs, computed, expected), LIMITS, strict=True)
    return [f"{name}, {what}: {e.error:.4g} units at {e.x!r}" for what, e, limit in found if e.error > limit]


def worst(name: str, xs: Sequence[float], computed: Sequence[Triple], expected: Sequence[Any]) -> list[Worst]:
    """For the value, the first and the second derivative of a primitive the largest of the errors."""
    return [_worst(name, k, xs, computed, expected) for k in range(3)]


def _worst(name: str, k: int, xs: Sequence[float], computed: Sequence[Triple], expected: Sequence[Any]) -> Worst:
    root = ROOTS.get((name, ORDERS[k]))
    beside = None if root is None else exact(name, 2 * root)
    size = 0.0 if beside is None else abs(float(beside[k]))
    found = Worst(0.0, math.nan)
    for x, actual, wanted in zip(xs, computed, expected, strict=True):
        near = root is not None and abs(abs(x) - abs(root)) < abs(root)
        measured = wanted is not None and abs(wanted[0]) <= LARGEST
        error = ulps(actual[k], wanted[k], size if near else 0.0) if measured else None
        if error is not None and error > found.error:
            found = Worst(error, x)
    return found


# --- what is measured: each maps a primitive's name and points to values and derivatives ------------------------------


def eager(name: str, xs: Sequence[float]) -> list[Triple]:
    from autograd import grad

    f = TABLE[name]
    first = grad(f)
    second = grad(first)
    return [(f(x), first(x), second(x)) for x in xs]


def _all_three(name: str) -> Callable[[Any], Any]:
    from autograd import grad

    f = TABLE[name]
    return lambda x: (f(x), grad(f)(x), grad(grad(f))(x))


def compiled(name: str, xs: Sequence[float]) -> list[Triple]:
    from autograd import jit

    return list(map(jit(_all_three(name)), xs))


def lanes(name: str, xs: Sequence[float], target: Any = None) -> list[Triple]:
    import numpy as np

    from autograd import jit, vmap

    columns = jit(vmap(_all_three(name)), target=target)(np.array(xs))
    return list(zip(*[column.tolist() for column in columns], strict=True))
