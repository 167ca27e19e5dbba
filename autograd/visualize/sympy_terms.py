"""Primitives in the terms of SymPy: by the same name, by a row of a table, or by what they are lowered to."""

import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy
from sympy import Abs, Eq, Max, Min, Ne, Piecewise, Rational, exp, floor, log, pi, sign, sqrt, true
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom, BooleanFunction

from autograd import primitives
from autograd.condition import trace_rule
from autograd.derivatives import GATED, gradients
from autograd.graph import topological_order
from autograd.ieee import NORMAL_DENSITY_AT_0, SQRT_HALF
from autograd.primitives import Primitive
from autograd.primitives.gamma import polygamma
from autograd.primitives.lengths import LARGEST
from autograd.primitives.powers import LN2, LOG2_E, LOG10_E
from autograd.primitives.special import TWO_OVER_SQRT_PI
from autograd.value import Value
from autograd.visualize.names import Names, distinct_names

Term = Any  # an expression or a condition of SymPy


def _copysign(x: Term, y: Term) -> Term:
    return Piecewise((Abs(x), y >= 0), (-Abs(x), true))


def _trunc(x: Term) -> Term:
    return sign(x) * floor(Abs(x))


def _round(x: Term) -> Term:
    """The nearest whole number, of two the even one."""
    up = floor(x + Rational(1, 2))
    return Piecewise((2 * floor(up / 2), Eq(up - x, Rational(1, 2))), (up, true))


def _cbrt(x: Term) -> Term:
    return sign(x) * Abs(x) ** Rational(1, 3)


def _logsumexp(*xs: Term) -> Term:
    return log(sum(map(exp, xs)))


def _take(index: Term, *values: Term) -> Term:
    return Piecewise(*[(x, Eq(index, i)) for i, x in enumerate(values)], (sympy.nan, true))


SAME_NAME = (
    "acos acosh asin asinh atan atan2 atanh cos cosh digamma erf erfc erfinv exp floor gamma log sign sin sinh sqrt "
    "tan tanh"
)
# Those that are lowered to what computes well, not to what they mean; and those that are not lowered to others.
TABLE: dict[str, Callable[..., Term]] = {
    **{name: getattr(sympy, name) for name in SAME_NAME.split()},
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "pow": lambda x, y: x**y,
    "one_minus_square": lambda x: 1 - x**2,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": Eq,
    "ne": Ne,
    "logical_and": sympy.And,
    "logical_or": sympy.Or,
    "logical_not": sympy.Not,
    "where": lambda c, x, y: Piecewise((x, c), (y, true)),
    "take": _take,
    "abs": Abs,
    "copysign": _copysign,
    "maximum": Max,
    "minimum": Min,
    "max": Max,
    "min": Min,
    "relu": lambda x: Max(x, 0),
    "ceil": sympy.ceiling,
    "trunc": _trunc,
    "round": _round,
    "mod": sympy.Mod,
    "fmod": lambda x, y: x - y * _trunc(x / y),
    "cbrt": _cbrt,
    "cbrt_slope": lambda x: Abs(x) ** Rational(-2, 3) / 3,
    "exp2": lambda x: 2**x,
    "expm1": lambda x: exp(x) - 1,
    "log1p": lambda x: log(1 + x),
    "log2": lambda x: log(x, 2),
    "log10": lambda x: log(x, 10),
    "hypot": lambda x, y: sqrt(x**2 + y**2),
    "norm": lambda *xs: sqrt(sum([x**2 for x in xs])),
    "gaussian": lambda x: exp(-(x**2) / 2),
    "erfinv_slope": lambda x: sqrt(pi) / 2 * exp(sympy.erfinv(x) ** 2),
    "lgamma": lambda x: log(Abs(sympy.gamma(x))),
    "sech_squared": lambda x: 1 - sympy.tanh(x) ** 2,
    "sigmoid": lambda x: 1 / (1 + exp(-x)),
    "logit": lambda x: log(x / (1 - x)),
    "softplus": lambda x: log(1 + exp(x)),
    "silu": lambda x: x / (1 + exp(-x)),
    "gelu": lambda x: x * (1 + sympy.erf(x / sqrt(2))) / 2,
    "logsumexp": _logsumexp,
    "logaddexp": _logsumexp,
}
CONDITIONS = {"logical_and", "logical_or", "logical_not"}  # all their operands; of `where` the first is one
LARGEST_DENOMINATOR = 1000
CONSTANTS = {
    math.pi: pi,
    math.e: sympy.E,
    LN2: log(2),
    LOG2_E: 1 / log(2),
    LOG10_E: 1 / log(10),
    SQRT_HALF: 1 / sqrt(2),
    TWO_OVER_SQRT_PI: 2 / sqrt(pi),
    NORMAL_DENSITY_AT_0: 1 / sqrt(2 * pi),
    LARGEST: sympy.oo,  # a bound that only rounding needs
}


def expression(value: Value, by: Sequence[Value], names: Names) -> Term:
    """See to_sympy."""
    leaves = [node for node in topological_order([value, *by]) if node.op is None]
    known: dict[Any, Term] = {x: sympy.Symbol(name, real=True) for x, name in distinct_names(leaves, names).items()}
    for x in by:
        (value,), _ = trace_rule(lambda y=value, x=x: gradients(y, [x]))  # with both sides of every choice
    return _number(_term(value, known))


def _term(value: Any, known: dict[Any, Term]) -> Term:
    """The term of a Value or a number, those of some Values being known."""
    for node in topological_order([value] if isinstance(value, Value) else []):
        if node.op is None:
            known.setdefault(node, _literal(node._data))
        elif node not in known:
            known[node] = _applied(node.op, [known[x] if isinstance(x, Value) else _literal(x) for x in node.operands])
    return known[value] if isinstance(value, Value) else _literal(value)


def _gated(terms: Sequence[Term]) -> Term:
    """The sum of adjoints times partials, each where it flows."""
    n = len(terms) // 3
    products = zip(terms[:n], terms[n : 2 * n], terms[2 * n :], strict=True)
    return sum([Piecewise((_number(x) * _number(y), _condition(flows)), (0, true)) for x, y, flows in products])


def _applied(op: Primitive, terms: Sequence[Term]) -> Term:
    if op is GATED:
        return _gated(terms)
    name = _meaning(op)
    if name is not None:
        as_operands = [_condition if name in CONDITIONS or (name == "where" and not i) else _number
                       for i in range(len(terms))]  # fmt: skip
        return TABLE[name](*[as_operand(x) for as_operand, x in zip(as_operands, terms, strict=True)])
    order = re.fullmatch(r"polygamma(\d+)", op.name.replace("trigamma", "polygamma1"))
    if order and op is polygamma(int(order[1])):
        return sympy.polygamma(int(order[1]), terms[0])
    if not callable(op.lower):
        raise TypeError(
            f"to_sympy: SymPy has no {op.name!r}: give the primitive a `lower` made of functions of this package"
        )
    operands = [Value(0.5) for _ in terms]
    lowered, _ = trace_rule(op.lower, *operands)
    return _term(lowered, dict(zip(operands, terms, strict=True)))


def _meaning(op: Primitive) -> str | None:
    """The name in this table of an operation, or of the one that it is lowered to."""
    if op.name in TABLE and primitives.TABLE.get(op.name) is op:
        return op.name
    return _LOWERED.get(op.lower) if isinstance(op.lower, str) else None


_LOWERED = {op.lower: name for name, op in primitives.TABLE.items() if name in TABLE and isinstance(op.lower, str)}


def _literal(x: float) -> Term:
    """A number, exact where it is one that people mean."""
    if not math.isfinite(x):
        return sympy.nan if x != x else sympy.oo if x > 0 else -sympy.oo
    if abs(x) in CONSTANTS:
        return CONSTANTS[abs(x)] if x > 0 else -CONSTANTS[-x]
    fraction = Fraction(x).limit_denominator(LARGEST_DENOMINATOR)
    return Rational(fraction.numerator, fraction.denominator) if float(fraction) == x else sympy.Float(x)


def _is_condition(x: Term) -> bool:
    return isinstance(x, Relational | BooleanFunction | BooleanAtom)


def _condition(x: Term) -> Term:
    return x if _is_condition(x) else Ne(x, 0)


def _number(x: Term) -> Term:
    return Piecewise((1, x), (0, true)) if _is_condition(x) else x
