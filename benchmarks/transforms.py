"""What the transforms cost: time against one evaluation, and local derivatives visited.

    python -m benchmarks.transforms

Evaluation means calling the function on Values: the graph is built, and nothing is differentiated. That the ratios do
not grow with n is the cheap-gradient principle (Baur and Strassen, 1983). Ends with status 1 if a limit is exceeded.
"""

import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import autograd as ag
from autograd import Value, derivatives, hvp, jacobian, value_and_grad

sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/transforms.py serves as well

from benchmarks.table import Table, command_line, measure

GRADIENT_LIMIT, HVP_LIMIT, VISITS_LIMIT = 3.0, 12.0, 8.0
SIZES = (10, 100, 1_000, 10_000)


def rosenbrock(x: list[Any]) -> Any:
    """The chain Σ 100 (x[i+1] - x[i]²)² + (1 - x[i])²."""
    return ag.sum([100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x)])


def best_times(calls: list[Callable[[], Any]], seconds: float = 0.5) -> list[float]:
    """The shortest processor time of each call, all in turn, so that a busy moment of the machine meets all of them."""
    best, end = [float("inf")] * len(calls), time.process_time() + seconds * len(calls)
    rounds = 0
    while rounds < 3 or time.process_time() < end:
        for i, call in enumerate(calls):
            start = time.process_time()
            call()
            best[i] = min(best[i], time.process_time() - start)
        rounds += 1
    return best


def visits_per_input(n: int, mode: str) -> float:
    """Local derivatives that the Jacobian of an elementwise function of n inputs multiplies with, over n."""
    visits, carry, patched = 0, derivatives.carry, cast("Any", derivatives)

    def counted(amount: Any, *how: Any) -> Any:
        nonlocal visits
        visits += not isinstance(amount, derivatives.Row)  # a row is carried entry by entry
        return carry(amount, *how)

    patched.carry = counted
    try:
        jacobian(lambda xs: [ag.sin(x) * x for x in xs], mode=mode)([0.001 * i for i in range(n)])
    finally:
        patched.carry = carry
    return visits / n


def ratios() -> Table:
    table = Table(
        "The Rosenbrock function of n numbers", "n", "evaluation", "value and gradient", "Hessian times vector"
    )
    for n in SIZES:
        x = [0.5 + 0.5 * i / n for i in range(n)]
        leaves = [Value(number) for number in x]
        gradient = value_and_grad(rosenbrock)
        evaluation, *others = best_times(
            [lambda: rosenbrock(leaves), lambda: gradient(x), lambda: hvp(rosenbrock, x, x)]  # noqa: B023
        )
        first, second = [t / evaluation for t in others]
        table.exceeded |= first > GRADIENT_LIMIT or second > HVP_LIMIT
        table.row(n, f"{evaluation * 1e3:.3f} ms", f"{first:.2f} times", f"{second:.2f} times")
    table.note(f"limits: {GRADIENT_LIMIT:g} and {HVP_LIMIT:g} times")
    return table


def visits() -> Table:
    table = Table("Jacobian of an elementwise function of 2000 inputs", "mode", "local derivatives an input")
    for mode in ("forward", "reverse"):
        found = visits_per_input(2_000, mode)
        table.exceeded |= found > VISITS_LIMIT
        table.row(mode, f"{found:g}")
    table.note(f"limit: {VISITS_LIMIT:g}")
    return table


TABLES = {"ratios": ratios, "visits": visits}

if __name__ == "__main__":
    sys.exit(measure(__file__, command_line(__file__, "What the transforms cost.", TABLES).parse_args(), TABLES))
