"""The functions of the package, on floats, on Values and elementwise on NumPy arrays of either.

On floats (and whatever converts to them: ints, bools, NumPy scalars) they return floats, so the same code evaluates
without building a graph. On Values they return Values. They follow IEEE 754: outside its domain a function is nan, and
nothing overflows into an exception. What is no number raises TypeError. Derivatives are in primitives.py.
"""

import bisect
import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from autograd import primitives as p
from autograd.scalars import elementwise, is_array, number
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

    np.maximum of Values is one of the two: of a tie the first, which gets the whole derivative, and beside a nan the
    second.

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
        w, x: n numbers or Values each, as sequences or arrays of shape (n,).
        bias: a number or Value.

    Errors: ValueError if w and x differ in length, or for an array of more than one dimension; W @ x is the product
        with a matrix.

    Example:
        >>> dot([Value(2.0), Value(3.0)], [10.0, 100.0], bias=Value(1.0)).data
        321.0
    """
    w = w if w.__class__ is list else _vector(w, "dot", "for matrices write W @ x", empty=True)
    x = x if x.__class__ is list else _vector(x, "dot", "for matrices write W @ x", empty=True)
    if len(w) != len(x):
        raise ValueError(f"dot: {len(w)} weights for {len(x)} inputs")
    node = record_dot(bias, w, x)
    return p.dot(bias, *w, *x) if node is None else node


def norm(values: Iterable[Any]) -> Any:
    """The Euclidean length √(Σ x²) without overflow, as one node; first and second derivatives 0 at the origin.

    So norm(x)**2 has a Hessian of 0 at the origin, where dot(x, x) has 2 I.

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


# --- NumPy's other spellings ---------------------------------------------------------------------------------------

absolute = fabs = abs
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh


def power(x: Any, y: Any) -> Any:
    """x to the power y, as x ** y; of two ints, too, the result is a float.

    Example:
        >>> power(2, -1)
        0.5
    """
    return p.pow(x, y)


float_power = power


def degrees(x: T) -> T:
    """Radians as degrees.

    Example:
        >>> degrees(math.pi)
        180.0
    """
    return p.mul(x, 180 / math.pi)


def radians(x: T) -> T:
    """Degrees as radians.

    Example:
        >>> radians(180.0)
        3.141592653589793
    """
    return p.mul(x, math.pi / 180)


rad2deg, deg2rad = degrees, radians


def heaviside(x: Any, at_zero: Any) -> Any:
    """0 below 0, 1 above, `at_zero` at 0, nan for nan; x has derivative 0.

    Example:
        >>> heaviside(-3.0, 0.5), heaviside(0.0, 0.5), heaviside(2.0, 0.5)
        (0.0, 0.5, 1.0)
    """
    return p.where(p.eq(x, 0.0), at_zero, p.mul(0.5, p.add(p.sign(x), 1.0)))


# --- questions: the answer is a bool, or an array of them; under `jit` a condition -----------------------------------


def _asked(question: Callable[..., Any], *operands: Any) -> Any:
    """The answer to a question about numbers, or for arrays about each of their elements."""
    if not any(map(is_array, operands)):
        return question(*[x if isinstance(x, Value) else number(x, "a comparison") for x in operands])
    answers = elementwise(question, operands)
    return answers.astype(bool) if tracing.tracer is None or answers.dtype != object else answers


def isnan(x: Any) -> Any:
    """Whether x is nan.

    Example:
        >>> isnan(Value(0.0) / 0.0), isnan(1.0)
        (True, False)
    """
    return _asked(lambda x: x != x, x)


def isinf(x: Any) -> Any:
    """Whether x is inf or -inf.

    Example:
        >>> isinf(1 / Value(0.0)), isinf(1.0)
        (True, False)
    """
    return _asked(lambda x: p.abs(x) == math.inf, x)


def isfinite(x: Any) -> Any:
    """Whether x is neither infinite nor nan.

    Example:
        >>> isfinite(Value(1.0)), isfinite(math.inf)
        (True, False)
    """
    return _asked(lambda x: p.abs(x) < math.inf, x)


def isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether |x - y| <= atol + rtol · |y|, as in NumPy; an infinity is close to itself only.

    Args:
        x, y: floats, Values or arrays.
        rtol, atol: relative and absolute tolerance.
        equal_nan: whether nan is close to nan.

    Example:
        >>> isclose(Value(1.0), 1.000001), isclose(1.0, 1.1)
        (True, False)
    """

    def close(x: Any, y: Any) -> Any:
        near = (p.abs(p.sub(x, y)) <= p.add(atol, p.mul(rtol, p.abs(y)))) & (p.abs(y) < math.inf) | (x == y)
        return near | (x != x) & (y != y) if equal_nan else near

    return _asked(close, x, y)


def allclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements of two arrays or lists are close; see isclose.

    Example:
        >>> allclose([Value(1.0), 2.0], [1.0, 2.0])
        True
    """
    import numpy as np

    close = isclose(np.asarray(x), np.asarray(y), rtol, atol, equal_nan)
    return functools.reduce(operator.and_, close.ravel().tolist(), True)


# --- of samples -----------------------------------------------------------------------------------------------------


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """The straight lines through given points, at x: np.interp, differentiable by x and by the points.

    Args:
        x: a number, a Value, or an array of them.
        xp: where the points are, increasing; n numbers or Values.
        fp: how high they are; n numbers or Values.
        left, right: the result below xp[0] and above xp[-1]; fp[0] and fp[-1] unless given.

    Errors: ValueError without points, for xp and fp of different lengths, or if xp is not increasing.

    Example:
        >>> interp(Value(1.5), [0.0, 1.0, 2.0], [0.0, 10.0, 30.0]).data
        20.0
    """
    xp, fp = _vector(xp, "interp"), _vector(fp, "interp")
    if len(xp) != len(fp):
        raise ValueError(f"interp: {len(xp)} places xp for {len(fp)} heights fp")
    if tracing.tracer is None and any(not a < b for a, b in itertools.pairwise(xp)):
        raise ValueError("interp: xp is not increasing; sort the points by xp first")
    first, last = xp[0], xp[-1]
    below, above = fp[0] if left is None else left, fp[-1] if right is None else right
    if len(xp) == 1:
        xp, fp = [first, math.inf], [fp[0], fp[0]]

    def at(x: Any) -> Any:
        start = _segment(x, xp)
        x0, x1, y0, y1 = (take(values[i:], start) for values in (xp, fp) for i in (0, 1))
        between = p.add(y0, p.mul(p.div(p.sub(y1, y0), p.sub(x1, x0)), p.sub(x, x0)))
        return p.where(p.lt(x, first), below, p.where(p.gt(x, last), above, between))

    return elementwise(at, [x]) if is_array(x) else at(x)


def _segment(x: Any, xp: list[Any]) -> Any:
    """The position of the last of xp, less the final one, that is not above x; 0 if there is none."""
    if tracing.tracer is None:
        return float(bisect.bisect_right(xp, x, 1, len(xp) - 1) - 1)
    return p.sum(*[p.ge(x, start) for start in xp[1:-1]])


def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Any:
    """The covariance matrix of observed variables: np.cov, which does not take Values.

    Args:
        m: an array of one variable (n,), or of several, one a row (variables, n).
        y: more variables, in the same form.
        rowvar: False if each column is a variable.
        bias: whether to divide by n, where n - 1 makes the estimate unbiased.
        ddof: divide by n - ddof instead.

    Returns: an array (variables, variables); of one variable a number.

    Errors: ValueError for arrays of more than two dimensions, or without more than `ddof` observations.

    Example:
        >>> cov([[1.0, 2.0, 3.0], [1.0, 2.0, 6.0]]).tolist()
        [[1.0, 2.5], [2.5, 7.0]]
    """
    import numpy as np

    parts = [np.asarray(part) for part in (m, y) if part is not None]
    if any(part.ndim > 2 for part in parts):
        raise ValueError(f"cov takes arrays of one or two dimensions, got the shapes {[part.shape for part in parts]}")
    rows = [part.T if part.ndim == 2 and not rowvar else np.atleast_2d(part) for part in parts]
    samples = np.concatenate(rows)
    n, ddof = samples.shape[1], (0 if bias else 1) if ddof is None else ddof
    if n <= ddof:
        raise ValueError(f"cov: {n} observations are too few to divide by their number less {ddof}")
    deviations = samples - (samples.sum(axis=1) / n)[:, None]
    matrix = deviations @ deviations.T / (n - ddof)
    return matrix[0, 0] if matrix.shape == (1, 1) else matrix


def gradient(f: Any, *spacing: Any, axis: int | None = None, edge_order: int = 1) -> Any:
    """The slope of sampled values by differences: np.gradient, which does not take Values. grad(f) is of a function.

    Args:
        f: an array of samples.
        spacing: the distance of samples, or where they were taken; one for all axes or one for each. 1 unless given.
        axis: along which axis; all of them unless given.
        edge_order: 1 or 2, the order of the differences at both ends; those between are of order 2.

    Returns: an array like f, or a tuple of them, one for each axis, if f has several and `axis` is not given.

    Errors: TypeError for a function; ValueError for fewer than edge_order + 1 samples, or coordinates that do not fit.

    Example:
        >>> gradient([1.0, 4.0, 9.0, 16.0]).tolist()
        [3.0, 4.0, 6.0, 7.0]
    """
    import numpy as np

    if callable(f):
        raise TypeError("gradient takes samples; the gradient of a function is autograd.grad(f)")
    samples = np.asarray(f)
    axes = range(samples.ndim) if axis is None else [axis]
    if len(spacing) not in (0, 1, len(axes)):
        raise ValueError(f"gradient: {len(spacing)} spacings for {len(axes)} axes; give one for all, or one for each")
    spacings = spacing if len(spacing) == len(axes) else [spacing[0] if spacing else 1.0] * len(axes)
    slopes = [_slopes(samples, h, along, edge_order) for h, along in zip(spacings, axes, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slopes(samples: "np.ndarray[Any, Any]", spacing: Any, axis: int, edge_order: int) -> "np.ndarray[Any, Any]":
    """Differences along one axis, by the parabola through three neighbours; at the ends that, or a straight line."""
    import numpy as np

    y = np.moveaxis(samples, axis, 0)
    if edge_order not in (1, 2) or len(y) <= edge_order:
        raise ValueError(
            f"gradient: edge_order={edge_order!r} for {len(y)} samples along axis {axis}; it is 1 or 2, and needs more "
            "samples than that"
        )
    h = np.asarray(spacing)
    if h.ndim and h.shape != y.shape[:1]:
        raise ValueError(f"gradient: {h.shape} coordinates for {len(y)} samples along axis {axis}")
    steps = (np.diff(h) if h.ndim else np.full(len(y) - 1, h)).reshape(-1, *[1] * (y.ndim - 1))
    lines = np.diff(y, axis=0) / steps
    before, after = steps[:-1], steps[1:]
    share = after / (before + after)
    middle = share * lines[:-1] + (1 - share) * lines[1:]
    first, last = lines[:1], lines[-1:]
    if edge_order == 2:
        first = first + (first - middle[:1])
        last = last + (last - middle[-1:])
    return np.moveaxis(np.concatenate([first, middle, last]), 0, axis)


def _vector(values: Any, what: str, instead: str = "apply it to each row", *, empty: bool = False) -> list[Any]:
    if is_array(values) and values.ndim != 1:
        raise ValueError(f"{what} takes vectors, got an array of shape {values.shape}; {instead}")
    return _listed(values, what, empty=empty)


def _like(values: Any, results: list[Any]) -> Any:
    """The results as the caller's kind of sequence."""
    if not is_array(values):
        return results
    import numpy as np

    return np.array(results, dtype=values.dtype if values.dtype == object else float)
