"""check_grads: derivatives of a user's function against difference quotients."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from autograd.scalars import number
from autograd.transforms.call import name_of
from autograd.transforms.differentiate import jacobian
from autograd.transforms.tree import described, flatten, read_data

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    _Flat = Callable[[list[Any]], list[Any]]  # many numbers to many numbers
else:
    from autograd.records import NamedTuple


# The error of a central difference is least, about ε^(2/3), where truncation h² meets rounding ε/h.
_STEP = math.ulp(1.0) ** (1 / 3)
_SHOWN = 20  # rows of the table of differences


class _Entry(NamedTuple):
    result: str
    argument: str
    analytic: float
    numeric: float
    rounding: float  # of the difference quotient

    @property
    def difference(self) -> float:
        return abs(self.analytic - self.numeric)

    def agrees(self, tolerance: float) -> bool:
        """An infinite derivative never does: differences can only be finite."""
        allowed = tolerance * max(1.0, abs(self.analytic)) + self.rounding
        return math.isfinite(self.analytic) and self.difference <= allowed


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    tolerance: float = 1e-6,
) -> None:
    """Compare the derivatives of f with central differences, those of order 1, of order 2 and so on.

    Args:
        f: a function whose result has any structure, smooth around args.
        args: its arguments, a tuple or list.
        order: the highest order to check. A derivative of order k is compared with the differences of order k - 1.
        modes: "fwd" (forward mode) and "rev" (reverse); all combinations of those given are checked.
        tolerance: allowed difference, relative to the derivative where that is above 1.

    Errors: AssertionError with a table of what differs, worst first; ValueError for another mode, or if
        there is nothing to check.

    Example:
        >>> from autograd import Primitive, sin
        >>> check_grads(lambda x, y: sin(x) * y, (0.5, 2.0))
        >>> cube = Primitive("cube", lambda x: x**3, [lambda out, x: 2 * x**2])
        >>> check_grads(cube, (1.0,))
        Traceback (most recent call last):
        ...
        AssertionError: the derivative of cube by args[0] is 2, but differences give 3 (mode 'fwd')
            result  argument  analytic  numeric  difference
            cube    args[0]   2         3        1
    """
    if not isinstance(args, tuple | list):
        raise TypeError(f"check_grads takes the arguments of {name_of(f)} as a tuple, got {described(args)}")
    if order < 1 or not modes:
        raise ValueError(f"check_grads: order={order!r}, modes={modes!r} check nothing; order counts from 1")
    found, structure = flatten(list(args))
    xs = [number(x, "check_grads") for x in read_data(found)]
    name = name_of(f) if name_of(f).isidentifier() else "f"  # a lambda has none
    arguments, results = structure.with_dicts.names("args"), flatten(f(*args))[1].names(name)
    _check(lambda xs: flatten(f(*structure.unflatten(xs)))[0], xs, arguments, results, order, modes, tolerance)


def _check(
    f: _Flat,
    xs: list[float],
    arguments: list[str],
    results: list[str],
    order: int,
    modes: Sequence[str],
    tolerance: float,
) -> None:
    numeric = [_differences(f, xs, j) for j in range(len(xs))]
    for mode in modes:
        derivative = jacobian(f, mode=mode)
        entries = [
            _Entry(result, argument, analytic, *numeric[j][i])
            for i, (result, row) in enumerate(zip(results, read_data(derivative(xs)), strict=True))
            for j, (argument, analytic) in enumerate(zip(arguments, row, strict=True))
        ]
        wrong = [e for e in entries if not e.agrees(tolerance)]
        if wrong:
            raise AssertionError(_table(wrong, mode))
        if order > 1:
            second = [f"∂{result}/∂{argument}" for result in results for argument in arguments]
            _check(_flattened(derivative), xs, arguments, second, order - 1, modes, tolerance)


def _flattened(f: _Flat) -> _Flat:
    return lambda xs: flatten(f(xs))[0]


def _differences(f: _Flat, xs: list[float], j: int) -> list[tuple[float, float]]:
    """For each result of f, the central difference along x_j and a bound of its rounding error."""
    step = _STEP * max(1.0, abs(xs[j]))
    ahead, behind = xs[j] + step, xs[j] - step
    pairs = zip(*[read_data(f([*xs[:j], x, *xs[j + 1 :]])) for x in (ahead, behind)], strict=True)
    width = ahead - behind
    return [((y - z) / width, 8 * math.ulp(1.0) * max(abs(y), abs(z)) / width) for y, z in pairs]


def _table(wrong: list[_Entry], mode: str) -> str:
    """What differs, worst first."""
    wrong = sorted(wrong, key=lambda e: -math.inf if e.difference != e.difference else -e.difference)
    worst = wrong[0]
    shown: list[tuple[str, ...]] = [("result", "argument", "analytic", "numeric", "difference")]
    for e in wrong[:_SHOWN]:
        shown.append((e.result, e.argument, *(f"{x:.9g}" for x in (e.analytic, e.numeric, e.difference))))
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = ["    " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in shown]
    if len(wrong) > _SHOWN:
        lines.append(f"    and {len(wrong) - _SHOWN} more")
    return "\n".join([
        f"the derivative of {worst.result} by {worst.argument} is {worst.analytic:.9g}, "
        f"but differences give {worst.numeric:.9g} (mode {mode!r})",
        *lines,
    ])  # fmt: skip
