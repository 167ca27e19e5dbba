"""What code is made for: the registers and vector functions of a machine."""

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import llvmlite.binding as llvm

from autograd.compiler.lower import libmvec


class Target(NamedTuple):
    """What code is made for.

    Attributes:
        lanes: doubles to a vector register: 1, 2, 4 or 8.
        vector_functions: functions of a double, or of two, that are there for whole registers: C name -> symbol.
        scalef: whether there is an instruction for x 2^k (AVX-512).
    """

    lanes: int
    vector_functions: Mapping[str, str]
    scalef: bool = False

    @property
    def sums(self) -> int:
        """How many sums with the same right factors are computed at a time, so that registers hold the partial ones."""
        return 8 if self.lanes == 8 else 2

    @property
    def partial_sums(self) -> int:
        """How many registers hold partial sums."""
        return 16 if self.lanes == 8 else 8

    @property
    def products(self) -> int:
        """How many products are computed, then added: several keep units that multiply and units that add busy alike,
        where there are registers for them."""
        return 4 if self.lanes == 8 else 1

    @property
    def blocks(self) -> Sequence[tuple[int, int]]:
        """How many left and right factors are multiplied with each other at a time in sums over lanes."""
        return ((4, 4), (2, 2)) if self.lanes == 8 else ((2, 2),)

    @property
    def together(self) -> int:
        """How many elements of a row are copied together, at most."""
        return min(4, self.lanes)


@functools.cache
def host_lanes() -> int:
    """How many doubles the widest registers of this machine hold.

    Example:
        >>> host_lanes() in (1, 2, 4, 8)
        True
    """
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 8
    return 4 if features.get("avx2") else 2


def host_target(lanes: int | None = None, vector_functions: bool = True) -> Target:
    """The target for this machine.

    Args:
        lanes: doubles to a register: as the machine has, unless given.
        vector_functions: whether to use the vector functions of the C library where there are any.
    """
    width = host_lanes() if lanes is None else lanes
    functions = libmvec.vector_functions(width) if vector_functions and width <= host_lanes() else {}
    return Target(width, functions, scalef=width == 8 and host_lanes() == 8)
