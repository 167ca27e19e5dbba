"""LLVM IR of numbers that a loop adds up, or takes the least of."""

import itertools
from collections.abc import Iterable, Iterator

from autograd.compiler.lower.code import Code, Loop, literal, vector_type
from autograd.compiler.lower.plan import VIRTUAL_LANES

NOTHING, INFINITY = "-0.0", "0x7FF0000000000000"  # -0.0 changes no other number by being added


def start_of(kind: str) -> str:
    """What a vector of partial results starts from."""
    return literal(INFINITY if kind == "minima" else NOTHING, VIRTUAL_LANES)


def merged(code: Code, kind: str, x: str, y: str, width: int) -> str:
    """x + y, or the lesser of minima."""
    vector = vector_type(width)
    if kind != "minima":
        return code.value(f"fadd {vector} {x}, {y}")
    return code.select(vector, code.value(f"fcmp olt {vector} {y}, {x}"), y, x, f"<{width} x i1>")


def accumulate(
    code: Code, kind: str, loop: Loop, names: Iterable[str], terms: Iterator[str], width: int, together: int
) -> None:
    """Add a term to each variable of a loop: so many terms are computed, then added, and so on."""
    variables = iter(names)
    while some := list(itertools.islice(terms, together)):
        for x, name in zip(some, variables, strict=False):
            loop[name] = merged(code, kind, loop[name], x, width)
