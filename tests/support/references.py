"""What each primitive computes, written for other arithmetics: mpmath, PyTorch, JAX; and derivatives by mpmath.

The keys are those of autograd's table of primitives, and the operands come in the same order. Nothing here uses the
engine: derivatives are difference quotients in high precision. Only where the derivative is a matter of convention
(kinks, ties, conditions: autograd/README.md) is it written down, in `CONVENTIONS`.
"""

import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from mpmath import mp, mpf

Function = Callable[..., Any]
EPSILON = math.ulp(1.0)


def _cbrt(x: Any) -> Any:
    return mp.sign(x) * mp.cbrt(abs(x))


def _copysign(x: Any, y: Any) -> Any:
    return -abs(x) if y < 0 else abs(x)  # mpmath has no -0.0


def _erfc(x: Any) -> Any:
    return mp.erfc(x) if abs(x) < 1e5 else mpf(0 if x > 0 else 2)  # to within e^(-10^10); mpmath cannot go on for ever


def _dot(bias: Any, *terms: Any) -> Any:
    n = len(terms) // 2
    return bias + mp.fdot(zip(terms[:n], terms[n:], strict=True))


def _trunc(x: Any) -> Any:
    return mp.sign(x) * mp.floor(abs(x))


def _polygamma(n: int) -> Function:
    return lambda x: mp.psi(n, x) if x >= 0 else mp.nan


def _gamma(x: Any) -> Any:
    return mp.gamma(x) if abs(x) < 200 else mp.inf if x > 0 else mpf(0)  # beyond all doubles


def _softplus(x: Any) -> Any:
    return max(x, mpf(0)) + mp.log1p(mp.exp(-abs(x)))


def _logsumexp(*xs: Any) -> Any:
    shifted = [x - max(xs) for x in xs]
    return max(xs) + mp.log(mp.fsum(mp.exp(x) for x in shifted if x > -1e5))


SAME_NAME = (
    "sqrt exp expm1 log log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh hypot sign"
)

MPMATH: dict[str, Function] = {
    **{name: getattr(mp, name) for name in f"{SAME_NAME} erf".split()},
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "pow": mp.power,
    "cbrt": _cbrt,
    "erfc": _erfc,
    "cbrt_slope": lambda x: 1 / (3 * _cbrt(x) ** 2),
    "exp2": lambda x: mp.power(2, x),
    "log2": lambda x: mp.log(x) / mp.log(2),
    "floor": mp.floor,
    "ceil": mp.ceil,
    "trunc": _trunc,
    "round": mp.nint,
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "fmod": lambda x, y: x - y * _trunc(x / y),
    "square": lambda x: x * x,
    "erfinv": mp.erfinv,
    "erfinv_slope": lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(x) ** 2),
    "gamma": _gamma,
    "lgamma": lambda x: mp.re(mp.loggamma(x)),
    "digamma": lambda x: mp.psi(0, x),
    "trigamma": _polygamma(1),
    **{f"polygamma{n}": _polygamma(n) for n in range(2, 9)},  # in graphs of derivatives
    "sech_squared": lambda x: mp.sech(x) ** 2,
    "one_minus_square": lambda x: 1 - x * x,
    "gaussian": lambda x: mp.exp(-x * x / 2),
    "direction": lambda t, s: t / mp.sqrt(t * t + s),
    "abs": abs,
    "copysign": _copysign,
    "detach": lambda x: x,
    "identity": lambda x: x,
    "lt": lambda x, y: mpf(x < y),
    "le": lambda x, y: mpf(x <= y),
    "gt": lambda x, y: mpf(x > y),
    "ge": lambda x, y: mpf(x >= y),
    "eq": lambda x, y: mpf(x == y),
    "ne": lambda x, y: mpf(x != y),
    "logical_and": lambda x, y: mpf(x != 0 and y != 0),
    "logical_or": lambda x, y: mpf(x != 0 or y != 0),
    "logical_not": lambda x: mpf(x == 0),
    "where": lambda c, x, y: x if c != 0 else y,
    "take": lambda index, *values: values[int(mp.nint(index))],
    "maximum": max,
    "minimum": min,
    "clip": lambda x, low, high: min(max(x, low), high),
    "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * mp.expm1(x),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "sigmoid_slope": lambda x: mp.sech(x / 2) ** 2 / 4,
    "logit": lambda x: mp.log(x / (1 - x)),
    "logsigmoid": lambda x: -_softplus(-x),
    "softplus": _softplus,
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "gelu": lambda x: x * _erfc(-x / mp.sqrt(2)) / 2,
    "sum": lambda *xs: mp.fsum(xs),
    "prod": lambda *xs: mp.fprod(xs),
    "dot": _dot,
    "norm": lambda *xs: mp.sqrt(mp.fsum(x * x for x in xs)),
    "max": lambda *xs: max(xs),
    "min": lambda *xs: min(xs),
    "logsumexp": _logsumexp,
    "logaddexp": _logsumexp,
}

STAIRS = ("floor", "ceil", "trunc", "round")
NO_DERIVATIVE = ["lt", "le", "gt", "ge", "eq", "ne", "logical_and", "logical_or", "logical_not", "sign", "detach"]
NO_DERIVATIVE += STAIRS


def _tie(x: Any, y: Any) -> list[Any]:
    return [mpf(1), mpf(0)] if x > y else [mpf(0), mpf(1)] if y > x else [mpf(1) / 2, mpf(1) / 2]


def _shares(largest: Any, xs: Sequence[Any]) -> list[Any]:
    return [mpf(x == largest) / xs.count(largest) for x in xs]


CONVENTIONS: dict[str, Callable[..., list[Any]]] = {
    **{name: lambda *xs: [mpf(0)] * len(xs) for name in NO_DERIVATIVE},
    "abs": lambda x: [mp.sign(x)],
    "copysign": lambda x, y: [mp.sign(x) * _copysign(1, y), mpf(0)],
    "mod": lambda x, y: [mpf(1), -mp.floor(x / y)],
    "fmod": lambda x, y: [mpf(1), -_trunc(x / y)],
    "where": lambda c, x, y: [mpf(0), mpf(c != 0), mpf(c == 0)],
    "take": lambda index, *values: [mpf(0), *[mpf(mp.nint(index) == i) for i in range(len(values))]],
    "maximum": _tie,
    "minimum": lambda x, y: _tie(y, x),
    "clip": lambda x, low, high: ([mpf(low <= x <= high), mpf(x < low <= high), mpf(max(x, low) > high)]),
    "relu": lambda x: [mpf(x > 0)],
    "leaky_relu": lambda x, slope: [mpf(1) if x > 0 else slope, mpf(0) if x > 0 else x],
    "elu": lambda x, alpha: [
        mpf(1) if x > 0 else alpha * mp.exp(x),
        mpf(0) if x > 0 else mp.expm1(x),
    ],
    "max": lambda *xs: _shares(max(xs), xs),
    "min": lambda *xs: _shares(min(xs), xs),
}


def partials(name: str, operands: Sequence[Any]) -> list[Any]:
    """The derivatives of a primitive by each operand, in mpmath's current precision less the bits of the step below."""
    if name in CONVENTIONS:
        return CONVENTIONS[name](*operands)
    if name in ("norm", "hypot") and not any(operands):
        return [mpf(0)] * len(operands)
    if name == "pow" and operands[0] <= 0:
        return _partials_of_pow(*operands)
    if name == "atan2" and operands[1] < 0:  # the opposite point has the opposite derivatives, and no jump by 2π nearby
        return [-p for p in partials(name, [-x for x in operands])]
    return [_difference_quotient(MPMATH[name], operands, i) for i in range(len(operands))]


def _partials_of_pow(x: Any, y: Any) -> list[Any]:
    """For a base that is not positive: 0 ** y has a derivative on one side only, and (-2) ** y only at whole y."""
    if x < 0:
        return [_difference_quotient(mp.power, (x, y), 0), mp.nan]
    return [mpf(0) if y == 0 or y > 1 else mpf(1) if y == 1 else mp.inf, mpf(0)]


def _difference_quotient(function: Function, operands: Sequence[Any], i: int) -> Any:
    """(f(x + h) - f(x - h)) / 2h. The step h is far below the distance of any two floats."""
    sizes = [abs(x) for x in operands if x] or [mpf(1)]
    h = mp.ldexp(min(abs(operands[i]) or 1, 1, *sizes) / max(1, *sizes), -150)
    ahead, behind = ([*operands[:i], operands[i] + step, *operands[i + 1 :]] for step in (h, -h))
    return (function(*ahead) - function(*behind)) / (2 * h)


# --- the same for arrays ---------------------------------------------------------------------------------------------


def torch_functions() -> dict[str, Function]:
    """The references on PyTorch tensors of double precision."""
    import torch
    from torch.nn import functional

    return {
        **_array_functions(torch, torch.special),
        "detach": torch.Tensor.detach,
        "logsigmoid": functional.logsigmoid,
        "silu": functional.silu,
        "gelu": functional.gelu,
        "logsumexp": lambda *xs: torch.logsumexp(torch.stack(xs), 0),
        "norm": lambda *xs: torch.linalg.vector_norm(torch.stack(xs)),
        "max": lambda *xs: torch.stack(xs).amax(),
        "min": lambda *xs: torch.stack(xs).amin(),
        "take": lambda index, *values: values[int(index)],
    }


def jax_functions() -> dict[str, Function]:
    """The references on JAX arrays; enable jax_enable_x64 first."""
    import jax
    from jax import numpy as jnp

    return {
        **_array_functions(jnp, jax.scipy.special),
        "detach": jax.lax.stop_gradient,
        "logsigmoid": jax.nn.log_sigmoid,
        "silu": jax.nn.silu,
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "logsumexp": lambda *xs: jax.scipy.special.logsumexp(jnp.stack(xs)),
        "norm": lambda *xs: jnp.linalg.norm(jnp.stack(xs)),
        "max": lambda *xs: jnp.stack(xs).max(),
        "min": lambda *xs: jnp.stack(xs).min(),
        "take": lambda index, *values: jnp.stack(values)[jnp.asarray(index, int)],
    }


def _array_functions(xp: Any, special: Any) -> dict[str, Function]:
    """What PyTorch and NumPy's namespaces have in common."""

    def number(condition: Any) -> Any:
        return xp.where(condition, 1.0, 0.0) + xp.zeros((), dtype=xp.float64)

    def dot(bias: Any, *terms: Any) -> Any:
        n = len(terms) // 2
        return sum((w * x for w, x in zip(terms[:n], terms[n:], strict=True)), bias)

    return {
        "sech_squared": lambda x: 1 / xp.cosh(x) ** 2,
        "one_minus_square": lambda x: 1 - x * x,
        "gaussian": lambda x: xp.exp(-x * x / 2),
        "direction": lambda t, s: t / xp.sqrt(t * t + s),
        **{name: getattr(xp, name) for name in f"{SAME_NAME} exp2 log2 abs copysign maximum minimum".split()},
        **{name: getattr(xp, name) for name in ["floor", "ceil", "trunc", "round", "fmod", "square", "logaddexp"]},
        "mod": xp.remainder,
        "erf": special.erf,
        "erfc": special.erfc,
        "logit": special.logit,
        "erfinv": special.erfinv,
        "erfinv_slope": lambda x: math.sqrt(math.pi) / 2 * xp.exp(special.erfinv(x) ** 2),
        "gamma": lambda x: xp.exp(special.gammaln(x)) * xp.where(x > 0, 1.0, xp.cos(math.pi * xp.floor(x))),
        "lgamma": special.gammaln,
        "digamma": special.digamma,
        "trigamma": lambda x: special.polygamma(1, x),
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "div": lambda x, y: x / y,
        "neg": lambda x: -x,
        "identity": lambda x: x,
        "pow": xp.pow,
        "cbrt": lambda x: xp.sign(x) * xp.pow(xp.abs(x), 1 / 3),
        "cbrt_slope": lambda x: xp.pow(xp.abs(x), -2 / 3) / 3,
        "lt": lambda x, y: number(x < y),
        "le": lambda x, y: number(x <= y),
        "gt": lambda x, y: number(x > y),
        "ge": lambda x, y: number(x >= y),
        "eq": lambda x, y: number(x == y),
        "ne": lambda x, y: number(x != y),
        "logical_and": lambda x, y: number((x != 0) & (y != 0)),
        "logical_or": lambda x, y: number((x != 0) | (y != 0)),
        "logical_not": lambda x: number(x == 0),
        "where": lambda c, x, y: xp.where(c != 0, x, y),
        "clip": lambda x, low, high: xp.clip(x, low, high),
        "relu": lambda x: xp.where(x > 0, x, 0.0 * x),
        "leaky_relu": lambda x, slope: xp.where(x > 0, x, slope * x),
        "elu": lambda x, alpha: xp.where(x > 0, x, alpha * xp.expm1(xp.where(x > 0, 0.0, x))),
        "sigmoid": lambda x: special.expit(x),
        "sigmoid_slope": lambda x: special.expit(x) * special.expit(-x),
        "softplus": lambda x: xp.logaddexp(x, 0.0 * x),
        "sum": lambda *xs: xp.stack(xs).sum(),
        "prod": lambda *xs: xp.stack(xs).prod(),
        "dot": dot,
    }


# --- gradients of whole expressions in mpmath -------------------------------------------------------------------------


def gradient(expression: Any, inputs: Sequence[Any], rounding: Callable[[Any], Any] = lambda x: x) -> list[Any]:
    """The derivative of an expression by each input: the chain rule over difference quotients.

    Args:
        expression: a strategies.Expression.
        inputs: mpmath numbers.
        rounding: applied to every operand, result, partial and term, as rounding is in floating-point arithmetic.
    """
    local = _local_partials(expression, inputs, rounding)
    adjoints = [mpf(0)] * (len(inputs) + len(local))
    adjoints[-1] = mpf(1)
    for k in reversed(range(len(local))):
        for x, partial in zip(expression.steps[k].operands, local[k], strict=True):
            if isinstance(x, int):
                adjoints[x] += rounding(adjoints[len(inputs) + k] * partial)
    return adjoints[: len(inputs)]


def _local_partials(
    expression: Any, inputs: Sequence[Any], rounding: Callable[[Any], Any] = lambda x: x
) -> list[list[Any]]:
    values, local = list(inputs), []
    for step in expression.steps:
        operands = [rounding(values[x]) if isinstance(x, int) else mpf(x) for x in step.operands]
        values.append(rounding(MPMATH[step.primitive](*operands)))
        local.append([rounding(p) for p in partials(step.primitive, operands)])
    return local


def gradient_and_bound(expression: Any) -> tuple[list[Any], list[Any]]:
    """The derivatives to 50 digits and more, and for each how far rounding may take a computation in doubles from it.

    The bound comes from the conditioning of this very graph: the gradient is computed again with every operand,
    result, partial and term changed by up to 64 units in the last place, in several random ways, and the largest
    change is the bound. One operation in doubles errs by one or two units, so a correct engine stays well inside,
    while a graph without cancellation leaves no room for a rule that is off by 1e-12.
    """
    with mp.workprec(PRECISION):
        inputs = [mpf(x) for x in expression.inputs]
        exact = gradient(expression, inputs)
        return exact, _largest_changes(exact, lambda rounding: gradient(expression, inputs, rounding))


def is_tame(expression: Any) -> bool:
    """Whether every value and partial is a real number, not so large or small that doubles lose relative accuracy."""

    def tame(x: Any) -> bool:
        return isinstance(x, mpf) and (x == 0 or 1e-50 < abs(x) < 1e10)

    with mp.workprec(PRECISION):
        values = [mpf(x) for x in expression.inputs]
        try:
            for step in expression.steps:
                operands = [values[x] if isinstance(x, int) else mpf(x) for x in step.operands]
                values.append(MPMATH[step.primitive](*operands))
                local = partials(step.primitive, operands)
                needed = [p for p, x in zip(local, step.operands, strict=True) if isinstance(x, int)]
                if not all(map(tame, [values[-1], *needed])):
                    return False
                if _at_a_jump(step.primitive, operands):
                    return False
        except (ZeroDivisionError, ValueError, TypeError):  # a pole; outside the domain; the order of complex numbers
            return False
    return True


def _at_a_jump(name: str, operands: Sequence[Any]) -> bool:
    """Where rounding, a convention, or the sign of a zero (mpmath has only one) decides on which side we are."""
    if name in STAIRS or name in ("mod", "fmod"):
        steps = operands[0] if name in STAIRS else operands[0] / operands[1]
        steps = 2 * steps if name == "round" else steps
        return abs(steps - mp.nint(steps)) < 1e-9
    if name == "atan2":
        return operands[0] == 0 and operands[1] < 0
    if name == "clip":
        return bool(operands[1] == operands[2])  # no interval; libraries differ in the derivative by its ends
    if name == "hypot":
        return not any(operands)
    return name == "copysign" and operands[1] == 0


def hessian(expression: Any) -> list[list[Any]] | None:
    """All second derivatives, as difference quotients of the gradient; None at a kink, a jump or a pole of either."""
    with mp.workprec(PRECISION):
        inputs, h = [mpf(x) for x in expression.inputs], mpf(2) ** -70
        here, rows = _local_partials(expression, inputs), []
        for j in range(len(inputs)):
            ahead, behind = ([*inputs[:j], inputs[j] + step, *inputs[j + 1 :]] for step in (h, -h))
            try:
                if any(_jumps(here, _local_partials(expression, there)) for there in (ahead, behind)):
                    return None
            except (ZeroDivisionError, ValueError):  # a pole
                return None
            after, at, before = (gradient(expression, there) for there in (ahead, inputs, behind))
            right = [(a - b) / h for a, b in zip(after, at, strict=True)]
            left = [(a - b) / h for a, b in zip(at, before, strict=True)]
            if _jumps([left], [right]):  # such as leaky_relu at 0 with a slope that happens to be 1 there
                return None
            rows.append([(a + b) / 2 for a, b in zip(left, right, strict=True)])
        return rows


def _jumps(partials: list[list[Any]], others: list[list[Any]]) -> bool:
    """Whether a partial differs between two points next to each other, or is undefined at one of them."""
    pairs = zip(itertools.chain(*partials), itertools.chain(*others), strict=True)
    return any(mp.isnan(p) != mp.isnan(q) or abs(p - q) > 1e-9 * (1 + abs(p)) for p, q in pairs)


def value_and_bound(expression: Any) -> tuple[Any, Any]:
    """The result of an expression itself, and how far rounding may take it from there, as in gradient_and_bound."""
    with mp.workprec(PRECISION):
        inputs = [mpf(x) for x in expression.inputs]
        exact = expression.evaluate(MPMATH, inputs, mpf)
        (bound,) = _largest_changes([exact], lambda rounding: [_with_roundings(expression, inputs, rounding)])
        return exact, bound


def _with_roundings(expression: Any, inputs: Sequence[Any], rounding: Callable[[Any], Any]) -> Any:
    values = list(inputs)
    for step in expression.steps:
        operands = [rounding(values[x]) if isinstance(x, int) else mpf(x) for x in step.operands]
        values.append(rounding(MPMATH[step.primitive](*operands)))
    return values[-1]


PRECISION = 600


def _largest_changes(exact: Sequence[Any], compute: Callable[[Callable[[Any], Any]], Sequence[Any]]) -> list[Any]:
    """How far each result moves under roundings; infinitely far if they take an operand out of a domain."""
    try:
        others = [compute(Rounding(seed)) for seed in range(5)]
    except (ValueError, ZeroDivisionError):  # out of the domain, or a pole
        return [mp.inf] * len(exact)
    return [max(abs(x - y) for y in column) for x, column in zip(exact, zip(*others, strict=True), strict=True)]


class OutOfDomain(ValueError):
    """A function of a real number gave a complex one."""


class Rounding:
    """Changes each number that it is given by up to 64 units in the last place, at random but repeatably.

    Not always by as much: equal changes of an operand and of the result would cancel in half of all cases.
    """

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def __call__(self, x: Any) -> Any:
        if not isinstance(x, mpf):
            raise OutOfDomain(x)
        return x * (1 + self.random.uniform(-64, 64) * EPSILON)
