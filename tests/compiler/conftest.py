"""What the tests of the compiler share: targets to force, and how closely numbers have to agree."""

import math
from typing import Any

import pytest

pytest.importorskip("llvmlite")

from autograd.compiler.lower.target import host_lanes, host_target

TARGETS = {
    f"{lanes} lanes, {'libmvec' if vector_functions else 'libm'}": host_target(lanes, vector_functions)
    for lanes in (1, 2, 4, 8)
    if lanes <= host_lanes()
    for vector_functions in ((True, False) if lanes > 1 else (False,))
}


@pytest.fixture(params=list(TARGETS))
def target(request: pytest.FixtureRequest) -> Any:
    """Every width of registers that this machine has, with and without the vector functions of the C library."""
    return TARGETS[request.param]


def same_bits(x: float, y: float) -> bool:
    """Whether two numbers are the same, the sign of a zero included; NaNs are all one."""
    return (x != x and y != y) or (x == y and math.copysign(1.0, x) == math.copysign(1.0, y))


def close(x: float, y: float, relative: float = 1e-13, absolute: float = 1e-305) -> bool:
    """Whether two numbers agree within a rounding bound; NaN with NaN only, and infinity with infinity or the largest
    numbers."""
    if x != x or y != y:
        return x != x and y != y
    if math.isinf(x) or math.isinf(y):
        return x == y or ((x > 0) == (y > 0) and min(abs(x), abs(y)) > 1e307)
    return abs(x - y) <= absolute + relative * max(abs(x), abs(y))
