"""What NumPy offers for arrays and cannot hand on to Values: its other spellings, questions, interp, cov, gradient."""

from __future__ import annotations

import bisect
import functools
import itertools
import math
import operator
from collections.abc import Callable

from autograd import primitives as p
from autograd.functions import take, vector
from autograd.primitives import abs, acos, acosh, asin, asinh, atan, atan2, atanh
from autograd.scalars import elementwise, is_array, number
from autograd.tracing import tracing
from autograd.value import Value

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from autograd.scalars import T


# --- NumPy's other spellings ---------------------------------------------------------------------------------------

absolute = fabs = abs
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
rint, remainder = p.round, p.mod


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
    """Whether x is a finite number, not infinite and not nan.

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
    xp, fp = vector(xp, "interp"), vector(fp, "interp")
    if len(xp) != len(fp):
        raise ValueError(f"interp: xp has {len(xp)} points, but fp has {len(fp)}")
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
        raise ValueError(f"cov: {n} observations are too few for ddof={ddof}")
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


def _slopes(samples: np.ndarray[Any, Any], spacing: Any, axis: int, edge_order: int) -> np.ndarray[Any, Any]:
    """Differences along one axis, by the parabola through three neighbours; at the ends that, or a straight line."""
    import numpy as np

    y = np.moveaxis(samples, axis, 0)
    if edge_order not in (1, 2) or len(y) <= edge_order:
        raise ValueError(
            f"gradient: edge_order must be 1 or 2 and less than the number of samples, got {edge_order!r} for {len(y)} "
            f"samples along axis {axis}"
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
