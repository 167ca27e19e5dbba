"""The functions of the package, on floats, on Values and elementwise on NumPy arrays of either.

On floats (and whatever converts to them: ints, bools, NumPy scalars) they return floats, so the same code evaluates
without building a graph. On Values they return Values. They follow IEEE 754: outside its domain a function is nan, and
nothing overflows into an exception. What is no number raises TypeError. Derivatives are in primitives.py.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from autograd import primitives as p
from autograd.scalars import is_array
from autograd.tracing import tracing
from autograd.value import Value, record_dot

if TYPE_CHECKING:
    import numpy as np

Scalar = float | Value
T = TypeVar("T", float, Value, "np.ndarray[Any, Any]")

# --- of one argument ------------------------------------------------------------------------------------------------


def sqrt(x: T) -> T:
    """Square root; nan below 0, and an infinite derivative at 0.

    Example:
        >>> sqrt(Value(9.0)).local_grads
        (0.16666666666666666,)
    """
    return p.sqrt(x)


def cbrt(x: T) -> T:
    """Cube root, also of negative numbers.

    Example:
        >>> cbrt(-8.0)
        -2.0
    """
    return p.cbrt(x)


def exp(x: T) -> T:
    """e to the power x; inf on overflow.

    Example:
        >>> exp(0.0)
        1.0
    """
    return p.exp(x)


def exp2(x: T) -> T:
    """2 to the power x.

    Example:
        >>> exp2(3.0)
        8.0
    """
    return p.exp2(x)


def expm1(x: T) -> T:
    """e^x - 1, without cancellation for small x.

    Example:
        >>> expm1(1e-20)
        1e-20
    """
    return p.expm1(x)


def log(x: T) -> T:
    """Natural logarithm; -inf at 0, nan below.

    Example:
        >>> log(Value(4.0)).local_grads
        (0.25,)
    """
    return p.log(x)


def log2(x: T) -> T:
    """Logarithm to base 2; -inf at 0, nan below.

    Example:
        >>> log2(8.0)
        3.0
    """
    return p.log2(x)


def log10(x: T) -> T:
    """Logarithm to base 10; -inf at 0, nan below.

    Example:
        >>> log10(1000.0)
        3.0
    """
    return p.log10(x)


def log1p(x: T) -> T:
    """log(1 + x), without cancellation for small x.

    Example:
        >>> log1p(1e-20)
        1e-20
    """
    return p.log1p(x)


def sin(x: T) -> T:
    """Sine of x in radians.

    Example:
        >>> sin(Value(0.0)).local_grads
        (1.0,)
    """
    return p.sin(x)


def cos(x: T) -> T:
    """Cosine of x in radians.

    Example:
        >>> cos(0.0)
        1.0
    """
    return p.cos(x)


def tan(x: T) -> T:
    """Tangent of x in radians.

    Example:
        >>> tan(0.0)
        0.0
    """
    return p.tan(x)


def asin(x: T) -> T:
    """Arc sine in radians, -π/2 to π/2; nan outside -1 to 1.

    Example:
        >>> asin(0.0)
        0.0
    """
    return p.asin(x)


def acos(x: T) -> T:
    """Arc cosine in radians, 0 to π; nan outside -1 to 1.

    Example:
        >>> acos(1.0)
        0.0
    """
    return p.acos(x)


def atan(x: T) -> T:
    """Arc tangent in radians, -π/2 to π/2.

    Example:
        >>> atan(0.0)
        0.0
    """
    return p.atan(x)


def sinh(x: T) -> T:
    """Hyperbolic sine.

    Example:
        >>> sinh(0.0)
        0.0
    """
    return p.sinh(x)


def cosh(x: T) -> T:
    """Hyperbolic cosine.

    Example:
        >>> cosh(0.0)
        1.0
    """
    return p.cosh(x)


def tanh(x: T) -> T:
    """Hyperbolic tangent; its derivative 1 - tanh² keeps all its digits far from 0.

    Example:
        >>> tanh(Value(0.0)).local_grads
        (1.0,)
    """
    return p.tanh(x)


def asinh(x: T) -> T:
    """Inverse hyperbolic sine.

    Example:
        >>> asinh(0.0)
        0.0
    """
    return p.asinh(x)


def acosh(x: T) -> T:
    """Inverse hyperbolic cosine; nan below 1.

    Example:
        >>> acosh(1.0)
        0.0
    """
    return p.acosh(x)


def atanh(x: T) -> T:
    """Inverse hyperbolic tangent; ±inf at ±1, nan beyond.

    Example:
        >>> atanh(0.0)
        0.0
    """
    return p.atanh(x)


def erf(x: T) -> T:
    """Error function, 2/√π ∫₀ˣ e^(-t²) dt.

    Example:
        >>> erf(0.0)
        0.0
    """
    return p.erf(x)


def erfc(x: T) -> T:
    """1 - erf(x), without cancellation for large x.

    Example:
        >>> erfc(0.0)
        1.0
    """
    return p.erfc(x)


def abs(x: T) -> T:
    """Absolute value; derivative 0 at 0.

    Example:
        >>> abs(Value(-3.0)).local_grads
        (-1.0,)
    """
    return p.abs(x)


def sign(x: T) -> T:
    """-1.0, 0.0 or 1.0; no derivative flows through it.

    Example:
        >>> sign(-2.5)
        -1.0
    """
    return p.sign(x)


def relu(x: T) -> T:
    """max(x, 0); derivative 0 at 0.

    Example:
        >>> relu(-2.0), relu(3.0)
        (0.0, 3.0)
    """
    return p.relu(x)


def sigmoid(x: T) -> T:
    """1 / (1 + e^-x), which never overflows.

    Example:
        >>> sigmoid(Value(0.0)).local_grads
        (0.25,)
    """
    return p.sigmoid(x)


def logsigmoid(x: T) -> T:
    """log(sigmoid(x)) = -softplus(-x), which never overflows.

    Example:
        >>> logsigmoid(-1000.0)
        -1000.0
    """
    return p.logsigmoid(x)


def softplus(x: T) -> T:
    """log(1 + e^x), a smooth relu, which never overflows.

    Example:
        >>> softplus(1000.0)
        1000.0
    """
    return p.softplus(x)


def silu(x: T) -> T:
    """x · sigmoid(x), also called Swish.

    Example:
        >>> silu(0.0)
        0.0
    """
    return p.silu(x)


def gelu(x: T) -> T:
    """x · Φ(x), with Φ the standard normal distribution function (the exact form, not the tanh one).

    Example:
        >>> gelu(0.0)
        0.0
    """
    return p.gelu(x)


def detach(x: T) -> T:
    """x as a constant: the same number, and no derivative flows through it.

    Example:
        >>> detach(Value(2.0)).local_grads
        (0.0,)
    """
    return p.detach(x)


# --- of two and three -----------------------------------------------------------------------------------------------


def atan2(y: Any, x: Any) -> Any:
    """The angle in radians, -π to π, of the point (x, y).

    Example:
        >>> atan2(0.0, 1.0)
        0.0
    """
    return p.atan2(y, x)


def hypot(x: Any, y: Any) -> Any:
    """√(x² + y²) without overflow; derivatives 0 at the origin.

    Example:
        >>> hypot(Value(3.0), 4.0).local_grads
        (0.6,)
    """
    return p.hypot(x, y)


def copysign(x: Any, y: Any) -> Any:
    """|x| with the sign of y, also of a zero (the sign of a nan is not defined); derivative 0 at x = 0, and none by y.

    Example:
        >>> copysign(Value(3.0), -0.0).local_grads
        (-1.0,)
    """
    return p.copysign(x, y)


def maximum(x: Any, y: Any) -> Any:
    """The larger of two, nan if either is; a tie shares the derivative equally.

    Example:
        >>> maximum(Value(2.0), Value(2.0)).local_grads
        (0.5, 0.5)
    """
    return p.maximum(x, y)


def minimum(x: Any, y: Any) -> Any:
    """The smaller of two, nan if either is; a tie shares the derivative equally.

    Example:
        >>> minimum(1.0, 2.0)
        1.0
    """
    return p.minimum(x, y)


def clip(x: Any, low: Any, high: Any) -> Any:
    """x limited to low ... high; derivative 1 on the closed interval (as in PyTorch), 0 outside.

    Example:
        >>> clip(Value(1.0), 0.0, 1.0).local_grads
        (1.0,)
    """
    return p.clip(x, low, high)


def leaky_relu(x: Any, slope: Any = 0.01) -> Any:
    """x above 0, slope · x below; the slope may be a Value that is learnt.

    Example:
        >>> leaky_relu(-2.0, 0.1)
        -0.2
    """
    return p.leaky_relu(x, slope)


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """x above 0, alpha · (e^x - 1) below; alpha may be a Value that is learnt.

    Example:
        >>> elu(2.0), elu(-1000.0)
        (2.0, -1.0)
    """
    return p.elu(x, alpha)


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y; the derivative flows to the chosen one only.

    Args:
        condition: a bool, a comparison of Values, or an array of them; a number stands for itself being nonzero.
        x, y: floats, Values or arrays. Both are computed before the choice.

    Example:
        >>> x = Value(0.0)
        >>> y = where(x > 0, sqrt(x), 0.0)
        >>> y.backward()
        >>> x.grad                      # not nan, although sqrt has an infinite derivative at 0
        0.0
    """
    return p.where(condition, x, y)


def take(values: Any, index: Any) -> Any:
    """values[index], where the index may be a number that is known only later (a Value, a traced argument of `jit`).

    Args:
        values: a sequence of n numbers or Values.
        index: a whole number from 0 to n - 1.

    Errors: IndexError for any other index, with its value and n.

    Example:
        >>> take([10.0, Value(20.0), 30.0], 1).data
        20.0
    """
    if not isinstance(index, Value):
        return values[int(p.take(float(index), *map(float, range(len(values)))))]
    choice = p.take(index, *values)
    if tracing.tracer is not None:
        tracing.tracer.note_choice(choice)
    return choice


# --- of many: left to right -----------------------------------------------------------------------------------------


def _listed(values: Any, what: str, *, empty: bool = False) -> list[Any]:
    """The values of an iterable, or of an array of any shape, as a list; ValueError if there are none."""
    if isinstance(values, Value | int | float):
        raise TypeError(f"{what} takes one sequence of numbers or Values, got the {type(values).__name__} {values!r}")
    listed = values.ravel().tolist() if is_array(values) else list(values)
    if not listed and not empty:
        raise ValueError(f"{what} of no values at all; it needs at least one")
    return listed


def sum(values: Iterable[Any]) -> Any:
    """The sum, left to right, as one node; 0.0 of nothing.

    Example:
        >>> sum([Value(1.0), 2.0, Value(3.0)]).data
        6.0
    """
    return p.sum(*_listed(values, "sum", empty=True))


def mean(values: Iterable[Any]) -> Any:
    """The sum over the count. Errors: ValueError of no values.

    Example:
        >>> mean([1.0, 2.0, 6.0])
        3.0
    """
    listed = _listed(values, "mean")
    return p.sum(*listed) / len(listed)


def prod(values: Iterable[Any]) -> Any:
    """The product, left to right, as one node; 1.0 of nothing. Its derivatives are right at 0, too.

    Example:
        >>> prod([Value(0.0), Value(3.0)]).local_grads
        (3.0, 0.0)
    """
    return p.prod(*_listed(values, "prod", empty=True))


def dot(w: Iterable[Any], x: Iterable[Any], bias: Any = 0.0) -> Any:
    """bias + w[0]·x[0] + w[1]·x[1] + ..., left to right, as one node: what a neuron computes.

    Args:
        w, x: n numbers or Values each.
        bias: a number or Value.

    Errors: ValueError if w and x differ in length.

    Example:
        >>> dot([Value(2.0), Value(3.0)], [10.0, 100.0], bias=Value(1.0)).data
        321.0
    """
    w = w if w.__class__ is list else _listed(w, "dot", empty=True)
    x = x if x.__class__ is list else _listed(x, "dot", empty=True)
    if len(w) != len(x):
        raise ValueError(f"dot: {len(w)} weights for {len(x)} inputs")
    node = record_dot(bias, w, x)
    return p.dot(bias, *w, *x) if node is None else node


def norm(values: Iterable[Any]) -> Any:
    """The Euclidean length √(Σ x²) without overflow, as one node; derivatives 0 at the origin.

    Example:
        >>> norm([Value(3.0), Value(4.0)]).local_grads
        (0.6, 0.8)
    """
    return p.norm(*_listed(values, "norm", empty=True))


def max(values: Iterable[Any]) -> Any:
    """The largest, nan if one is nan; k that tie share the derivative equally. Errors: ValueError of no values.

    Example:
        >>> max([Value(2.0), Value(1.0), Value(2.0)]).local_grads
        (0.5, 0.0, 0.5)
    """
    return p.max(*_listed(values, "max"))


def min(values: Iterable[Any]) -> Any:
    """The smallest, nan if one is nan; k that tie share the derivative equally. Errors: ValueError of no values.

    Example:
        >>> min([3.0, 1.0, 2.0])
        1.0
    """
    return p.min(*_listed(values, "min"))


def logsumexp(values: Iterable[Any]) -> Any:
    """log(Σ e^x) as one node, without overflow: a smooth maximum. Errors: ValueError of no values.

    Example:
        >>> logsumexp([1000.0])
        1000.0
    """
    return p.logsumexp(*_listed(values, "logsumexp"))


def softmax(values: Sequence[Any]) -> Any:
    """e^x / Σ e^x for each: positive numbers that add up to 1. Never overflows.

    Args:
        values: n numbers or Values, as a sequence or an array of shape (n,).

    Returns: a list of n, or an array of shape (n,) for an array.

    Errors: ValueError of no values, or for an array of more than one dimension.

    Example:
        >>> softmax([0.0, 0.0])
        [0.5, 0.5]
    """
    return _like(values, p.softmax(_vector(values, "softmax")))


def log_softmax(values: Sequence[Any]) -> Any:
    """log(softmax(x)) for each, without overflow or cancellation. Args, returns, errors: as softmax.

    Example:
        >>> log_softmax([1000.0, 0.0])
        [0.0, -1000.0]
    """
    xs = _vector(values, "log_softmax")
    shift = p.detach(p.max(*xs))
    shifted = [x - shift for x in xs]
    total = p.logsumexp(*shifted)
    return _like(values, [x - total for x in shifted])


def _vector(values: Any, what: str) -> list[Any]:
    if is_array(values) and values.ndim != 1:
        raise ValueError(f"{what} takes one vector, got an array of shape {values.shape}; apply it to each row")
    return _listed(values, what)


def _like(values: Any, results: list[Any]) -> Any:
    """The results as the caller's kind of sequence."""
    if not is_array(values):
        return results
    import numpy as np

    return np.array(results, dtype=values.dtype if values.dtype == object else float)
