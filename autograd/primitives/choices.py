"""Comparisons, choices and what has a kink; conditions are 1 or 0, and carry no derivative.

At a kink no derivative flows, ties share it equally, and clip has 1 on its closed interval.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from autograd import ieee
from autograd.primitives.primitive import NEGATION, SUM, Primitive, Scalar, primitive

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any


def _comparison(name: str, compare: Callable[[float, float], bool], symbol: str, latex: str, lower: str) -> Primitive:
    return Primitive(
        name, lambda x, y: float(compare(x, y)), (None, None), symbol=symbol, latex=f"{{0}} {latex} {{1}}",
        precedence=SUM, lower=lower,
    )  # fmt: skip


lt = _comparison("lt", operator.lt, "<", "<", "fcmp olt")


le = _comparison("le", operator.le, "<=", r"\le", "fcmp ole")


gt = _comparison("gt", operator.gt, ">", ">", "fcmp ogt")


ge = _comparison("ge", operator.ge, ">=", r"\ge", "fcmp oge")


eq = _comparison("eq", operator.eq, "==", "=", "fcmp oeq")


ne = _comparison("ne", operator.ne, "!=", r"\ne", "fcmp une")


@primitive(
    None, None,
    symbol="and", latex=r"{0} \wedge {1}", precedence=SUM, lower="and",
)
def logical_and(x: float, y: float) -> float:
    """1.0 if both are nonzero."""
    return float(bool(x and y))


@primitive(None, None, symbol="or", latex=r"{0} \vee {1}", precedence=SUM, lower="or")
def logical_or(x: float, y: float) -> float:
    """1.0 if one is nonzero."""
    return float(bool(x or y))


@primitive(None, symbol="not", latex=r"\neg {0}", precedence=NEGATION, lower="not")
def logical_not(x: float) -> float:
    """1.0 of 0.0, else 0.0."""
    return float(not x)


@primitive(
    None, lambda out, c, x, y: select(c != 0, 1.0, None), lambda out, c, x, y: select(c != 0, None, 1.0),
    latex=r"\operatorname{{where}}({0}, {1}, {2})", lower="select",
)
def where(condition: float, x: float, y: float) -> float:
    """x where the condition holds, else y; the derivative flows to the chosen one only.

    Args:
        condition: a bool, a comparison of Values, or an array of them; a number stands for itself being nonzero.
        x, y: floats, Values or arrays. Both are computed before the choice.

    Example:
        >>> from autograd import Value, sqrt
        >>> x = Value(0.0)
        >>> y = where(x > 0, sqrt(x), 0.0)
        >>> y.backward()
        >>> x.grad                      # not nan, although sqrt has an infinite derivative at 0
        0.0
    """
    return x if condition else y


class Flow:
    """A derivative that flows under a condition: what `select(condition, amount, None)` is in a graph of both sides.

    Attributes:
        amount: the derivative where the condition holds; of an adjoint or a tangent 0.0 elsewhere, of a partial
            whatever the rule gives there.
        condition: 1 or 0, a node of the graph.
    """

    __slots__ = ("amount", "condition")

    def __init__(self, amount: Scalar, condition: Scalar):
        self.amount = amount
        self.condition = condition


def select(condition: Scalar, x: Scalar | None, y: Scalar | None) -> Any:
    """The choice of a rule between two derivatives; one may be None: no derivative flows there.

    Args:
        condition: a comparison, or several joined by & | ^ ~.
        x, y: floats, Values or None.

    Returns: x or y at once where the condition is decided, which it is except while a graph that must hold both sides
        is traced.

    Example:
        >>> select(2.0 > 1.0, 3.0, None), select(2.0 < 1.0, 3.0, None)
        (3.0, None)
    """
    if condition.__class__ is bool or isinstance(condition, float):
        return x if condition else y
    if x is None and y is None:
        return None
    if y is None:
        return _under(condition, x)
    if x is None:
        return _under(logical_not(condition), y)
    if not (isinstance(x, Flow) or isinstance(y, Flow)):
        return where(condition, x, y)
    (x, when_x), (y, when_y) = [(z.amount, z.condition) if isinstance(z, Flow) else (z, 1.0) for z in (x, y)]
    return Flow(where(condition, x, y), where(condition, when_x, when_y))


def _under(condition: Scalar, x: Any) -> Flow:
    if isinstance(x, Flow):
        return Flow(x.amount, logical_and(condition, x.condition))
    return Flow(x, condition)


def _take(index: float, *values: float) -> float:
    if index != index // 1 or not 0 <= index < len(values):
        raise IndexError(
            f"take: the index is {index!r}; {len(values)} values have the whole numbers 0 to {len(values) - 1}"
        )
    return values[int(index)]


@primitive(
    lambda out, index, *values: [None, *(select(index == i, 1.0, None) for i in range(len(values)))],
    lower="take",
)
def take(index: float, *values: float) -> float:
    """The value of that index; IndexError if there is none."""
    return _take(index, *values)


@primitive(None, lower=lambda x: x)
def detach(x: float) -> float:
    """x as a constant: the same number, and no derivative flows through it.

    Example:
        >>> from autograd import Value
        >>> detach(Value(2.0)).local_grads
        (0.0,)
    """
    return x


@primitive(lambda out, x: 1.0, latex="{0}", lower=lambda x: x)
def identity(x: float) -> float:
    """x itself: what a variable becomes when its transform ends."""
    return x


@primitive(
    lambda out, x: select(x == 0, None, sign(x)),
    latex=r"\left|{0}\right|", lower="llvm.fabs",
)
def abs(x: float) -> float:
    """Absolute value; derivative 0 at 0.

    Example:
        >>> from autograd import Value
        >>> abs(Value(-3.0)).local_grads
        (-1.0,)
    """
    return math.fabs(x)


@primitive(
    None,
    latex=r"\operatorname{{sign}}({0})",
    lower=lambda x: select(x > 0, 1.0, select(x < 0, -1.0, select(x == 0, 0.0, x))),
)
def sign(x: float) -> float:
    """-1.0, 0.0 or 1.0; no derivative flows through it.

    Example:
        >>> sign(-2.5)
        -1.0
    """
    return ieee.sign(x)


@primitive(
    lambda out, x, y: select(x == 0, None, sign(x) * copysign(1.0, y)), None,
    latex=r"\operatorname{{copysign}}({0}, {1})", lower="llvm.copysign",
)
def copysign(x: float, y: float) -> float:
    """|x| with the sign of y, also of a zero (the sign of a nan is not defined); derivative 0 at x = 0, and none by y.

    Example:
        >>> from autograd import Value
        >>> copysign(Value(3.0), -0.0).local_grads
        (-1.0,)
    """
    return math.copysign(x, y)


def _tie(won: Scalar, drawn: Scalar) -> Scalar:
    return select(won, 1.0, select(drawn, 0.5, None))


@primitive(
    lambda out, x, y: _tie(x > y, x == y), lambda out, x, y: _tie(y > x, x == y),
    symbol="max", latex=r"\max({0}, {1})", lower="llvm.maximum",
)
def maximum(x: float, y: float) -> float:
    """The larger of two, nan if either is; a tie shares the derivative equally.

    np.maximum of Values is one of the two: of a tie the first, which gets the whole derivative, and beside a nan the
    second.

    Example:
        >>> from autograd import Value
        >>> maximum(Value(2.0), Value(2.0)).local_grads
        (0.5, 0.5)
    """
    return ieee.maximum(x, y)


@primitive(
    lambda out, x, y: _tie(x < y, x == y), lambda out, x, y: _tie(y < x, x == y),
    symbol="min", latex=r"\min({0}, {1})", lower="llvm.minimum",
)
def minimum(x: float, y: float) -> float:
    """The smaller of two, nan if either is; a tie shares the derivative equally.

    Example:
        >>> minimum(1.0, 2.0)
        1.0
    """
    return ieee.minimum(x, y)


@primitive(
    lambda out, x, low, high: select((low <= x) & (x <= high), 1.0, None),
    lambda out, x, low, high: select((x < low) & (low <= high), 1.0, None),
    lambda out, x, low, high: select(maximum(x, low) > high, 1.0, None),
    latex=r"\operatorname{{clip}}({0}, {1}, {2})",
    lower=lambda x, low, high: minimum(maximum(x, low), high),
)
def clip(x: float, low: float, high: float) -> float:
    """x limited to low ... high; derivative 1 on the closed interval (as in PyTorch), 0 outside.

    Example:
        >>> from autograd import Value
        >>> clip(Value(1.0), 0.0, 1.0).local_grads
        (1.0,)
    """
    return ieee.minimum(ieee.maximum(x, low), high)
