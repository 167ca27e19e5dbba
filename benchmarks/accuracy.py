"""How accurate: every function of one number and its first two derivatives against mpmath, PyTorch and JAX beside.

    python -m pip install ".[test]" torch jax
    python -m benchmarks.accuracy
    python -m benchmarks.accuracy tanh silu --per-octave 8

For each function the largest errors of its value, first and second derivative, in units in the last place, over numbers
from every octave of the doubles, wherever the true number is a normal double (tests/support/accuracy.py says more). inf
means an infinity, a NaN or a zero more than 10^15 units off. Ends with status 1 if an error of ours is beyond the
limits: 8 units for the value and the first derivative, 1e-13 of the second. mpmath is several times faster where gmpy2
is installed.
"""

import math
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import compress
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/accuracy.py serves as well
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import accuracy
import references
from accuracy import LIMITS, NAMES, Triple

from benchmarks.table import Table, command_line, measure

Measured = Callable[[str, Sequence[float]], list[Triple]]


def torch_columns() -> Measured:
    import torch

    functions = references.torch_functions()

    def measured(name: str, xs: Sequence[float]) -> list[Triple]:
        x = torch.tensor(xs, dtype=torch.float64, requires_grad=True)
        columns = [functions[name](x)]
        for _ in range(2):
            (derivative,) = torch.autograd.grad(columns[-1].sum(), x, create_graph=True)
            columns.append(derivative if derivative.requires_grad else derivative + 0 * x)
        return list(zip(*[column.tolist() for column in columns], strict=True))

    return measured


def jax_columns() -> Measured:
    import jax

    jax.config.update("jax_enable_x64", True)
    functions = references.jax_functions()

    def measured(name: str, xs: Sequence[float]) -> list[Triple]:
        f = functions[name]
        columns = [jax.jit(jax.vmap(g))(np.array(xs)) for g in (f, jax.grad(f), jax.grad(jax.grad(f)))]
        return list(zip(*[np.asarray(column).tolist() for column in columns], strict=True))

    return measured


OURS: dict[str, Measured] = {"eager": accuracy.eager, "jit": accuracy.compiled, "lanes of jit": accuracy.lanes}
OTHERS = {"torch": torch_columns, "jax": jax_columns}
ENDLESS = {"digamma", "trigamma"}  # PyTorch's derivatives of these add ones to x until it is above 9
FROM = -10_000.0


def written(error: float) -> str:
    return "inf" if error > 1e15 else f"{error:.1f}" if error < 1000 else f"{error:.0e}"


def functions(names: list[str], per_octave: int) -> Table:
    columns = OURS | {name: make() for name, make in OTHERS.items() if find_spec(name)}
    xs = accuracy.points(per_octave)
    title = f"Largest errors of the value, first and second derivative at {len(xs)} points, in units in the last place"
    table = Table(title, "function", *columns, width=24)
    for name in names:
        expected = [accuracy.exact(name, x) for x in xs]
        cells = []
        for column, measured in columns.items():
            chosen = [column != "torch" or name not in ENDLESS or x > FROM for x in xs]
            points, wanted = list(compress(xs, chosen)), list(compress(expected, chosen))
            errors = [found.error for found in accuracy.worst(name, points, measured(name, points), wanted)]
            cells.append("".join(f"{written(error):>7}" for error in errors))
            ok = all(error <= limit for error, limit in zip(errors, LIMITS, strict=True))
            table.exceeded |= not ok and column in OURS
        table.row(name, *cells)
    if "torch" in columns and ENDLESS & set(names):
        table.note(f"{' and '.join(sorted(ENDLESS))} of PyTorch from {FROM:,.0f} on: far below, they do not end")
    table.note(f"limits here: {', '.join(f'{math.floor(limit)}' for limit in LIMITS)}")
    return table


TABLES = {"functions": functions}


def main() -> int:
    parser = command_line(__file__, str(__doc__).splitlines()[0], TABLES)
    parser.add_argument("names", nargs="*", default=NAMES, help="functions to measure; all unless given")
    parser.add_argument("--per-octave", type=int, default=1, help="how many numbers from each power of 2 to the next")
    return measure(__file__, parser.parse_args(), TABLES)


if __name__ == "__main__":
    sys.exit(main())
