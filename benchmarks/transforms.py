"""What the transforms cost: time against one evaluation, and local derivatives visited.

    python benchmarks/transforms.py

Evaluation means calling the function on Values: the graph is built, and nothing is differentiated. That the ratios do
not grow with n is the cheap-gradient principle (Baur and Strassen, 1983). Ends with status 1 if a limit is exceeded.
"""

import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import autograd as ag
from autograd import Value, derivatives, hvp, jacobian, value_and_grad

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


def main() -> int:
    within = True
    print(f"{'n':>7} {'evaluation':>12} {'value and gradient':>20} {'Hessian times vector':>22}")
    for n in SIZES:
        x = [0.5 + 0.5 * i / n for i in range(n)]
        leaves = [Value(number) for number in x]
        gradient = value_and_grad(rosenbrock)
        evaluation, *others = best_times(
            [lambda: rosenbrock(leaves), lambda: gradient(x), lambda: hvp(rosenbrock, x, x)]  # noqa: B023
        )
        first, second = [t / evaluation for t in others]
        within &= first <= GRADIENT_LIMIT and second <= HVP_LIMIT
        print(f"{n:>7} {evaluation * 1e3:>9.3f} ms {first:>12.2f} times {second:>15.2f} times")
    print(f"limits: {GRADIENT_LIMIT:g} and {HVP_LIMIT:g} times\n")
    for mode in ("forward", "reverse"):
        visits = visits_per_input(2_000, mode)
        within &= visits <= VISITS_LIMIT
        print(f"Jacobian of an elementwise function of 2000 inputs, {mode}: {visits:g} local derivatives an input")
    print(f"limit: {VISITS_LIMIT:g}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
