"""Functions of sequences: sums, products, softmax and their kin, left to right; those of numbers are in primitives/.

On floats (and whatever converts to them: ints, bools, NumPy scalars) they return floats, so the same code evaluates
without building a graph; with Values among the numbers they return Values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from autograd import primitives as p
from autograd.scalars import is_array
from autograd.tracing import tracing
from autograd.value import Value, record_dot

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any

    pass


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
        raise ValueError(f"{what} needs at least one value, got none")
    return listed


def sum(values: Iterable[Any]) -> Any:
    """The sum, left to right, as one node; 0.0 without values.

    Example:
        >>> sum([Value(1.0), 2.0, Value(3.0)]).data
        6.0
    """
    return p.sum(*_listed(values, "sum", empty=True))


def mean(values: Iterable[Any]) -> Any:
    """The sum divided by the count. Errors: ValueError without values.

    Example:
        >>> mean([1.0, 2.0, 6.0])
        3.0
    """
    listed = _listed(values, "mean")
    return p.sum(*listed) / len(listed)


def var(values: Iterable[Any], ddof: int = 0) -> Any:
    """The mean of the squared distances from the mean, as np.var: divided by n - ddof.

    Errors: ValueError without more than `ddof` values.

    Example:
        >>> var([1.0, 2.0, 6.0])
        4.666666666666667
    """
    distances = _distances(values, ddof, "var")
    return p.dot(0.0, *distances, *distances) / (len(distances) - ddof)


def std(values: Iterable[Any], ddof: int = 0) -> Any:
    """The standard deviation √var, as np.std; derivative 0 where all values are the same.

    Errors: ValueError without more than `ddof` values.

    Example:
        >>> std([1.0, 3.0])
        1.0
    """
    distances = _distances(values, ddof, "std")
    return p.norm(*distances) / math.sqrt(len(distances) - ddof)


def _distances(values: Iterable[Any], ddof: int, what: str) -> list[Any]:
    listed = _listed(values, what)
    if len(listed) <= ddof:
        raise ValueError(f"{what} with ddof={ddof} needs at least {ddof + 1} values, got {len(listed)}")
    middle = p.sum(*listed) / len(listed)
    return [x - middle for x in listed]


def cumsum(values: Sequence[Any]) -> Any:
    """The sums of the first 1, 2, ... values, left to right.

    Args:
        values: n numbers or Values, as a sequence or an array of shape (n,).

    Returns: a list of n, or an array of shape (n,) for an array.

    Example:
        >>> cumsum([1.0, 2.0, 4.0])
        [1.0, 3.0, 7.0]
    """
    return _like(
        values, list(itertools.accumulate(vector(values, "cumsum", "apply it to each row", empty=True), p.add))
    )


def prod(values: Iterable[Any]) -> Any:
    """The product, left to right, as one node; 1.0 without values. Its derivatives are right at 0, too.

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
    w = w if w.__class__ is list else vector(w, "dot", "for matrices write W @ x", empty=True)
    x = x if x.__class__ is list else vector(x, "dot", "for matrices write W @ x", empty=True)
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
    """The largest, nan if one is nan; k that tie share the derivative equally. Errors: ValueError without values.

    Example:
        >>> max([Value(2.0), Value(1.0), Value(2.0)]).local_grads
        (0.5, 0.0, 0.5)
    """
    return p.max(*_listed(values, "max"))


def min(values: Iterable[Any]) -> Any:
    """The smallest, nan if one is nan; k that tie share the derivative equally. Errors: ValueError without values.

    Example:
        >>> min([3.0, 1.0, 2.0])
        1.0
    """
    return p.min(*_listed(values, "min"))


def logsumexp(values: Iterable[Any]) -> Any:
    """log(Σ e^x) as one node, without overflow: a smooth maximum. Errors: ValueError without values.

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

    Errors: ValueError without values, or for an array of more than one dimension.

    Example:
        >>> softmax([0.0, 0.0])
        [0.5, 0.5]
    """
    return _like(values, p.softmax(vector(values, "softmax")))


def log_softmax(values: Sequence[Any]) -> Any:
    """log(softmax(x)) for each, without overflow or cancellation. Args, returns, errors: as softmax.

    Example:
        >>> log_softmax([1000.0, 0.0])
        [0.0, -1000.0]
    """
    xs = vector(values, "log_softmax")
    shift = p.detach(p.max(*xs))
    shifted = [x - shift for x in xs]
    total = p.logsumexp(*shifted)
    return _like(values, [x - total for x in shifted])


def vector(values: Any, what: str, instead: str = "apply it to each row", *, empty: bool = False) -> list[Any]:
    if is_array(values) and values.ndim != 1:
        raise ValueError(f"{what} takes vectors, got an array of shape {values.shape}; {instead}")
    return _listed(values, what, empty=empty)


def _like(values: Any, results: list[Any]) -> Any:
    """The results as the caller's kind of sequence."""
    if not is_array(values):
        return results
    import numpy as np

    return np.array(results, dtype=values.dtype if values.dtype == object else float)
