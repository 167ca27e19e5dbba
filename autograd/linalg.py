"""Linear algebra on matrices of Values: what NumPy's linalg, which works on floats alone, cannot do for them.

A matrix is a square NumPy array or a list of rows; results are arrays if an argument is one, else lists. Everything is
made of the package's own arithmetic, so that it is differentiated to any order and compiled. Which row becomes the
pivot is decided by the numbers: under `jit` that is a branch like any other, and each order of the rows that turns up
is compiled.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd import primitives as p
from autograd.derivatives import constant
from autograd.scalars import is_array, number
from autograd.value import Value

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    Rows = list[list[Any]]
else:
    from autograd.records import NamedTuple


def solve(a: Any, b: Any) -> Any:
    """x with a @ x = b, by elimination with pivots.

    Args:
        a: a matrix, (n, n).
        b: right-hand sides, (n,) or (n, k).

    Returns: x, of the shape of b.

    Errors: ValueError if a is not square, if b has another number of rows, or if a is singular.

    Example:
        >>> from autograd import grad
        >>> solve([[2.0, 0.0], [1.0, 4.0]], [2.0, 9.0])
        [1.0, 2.0]
        >>> grad(lambda a: solve([[a, 0.0], [1.0, 4.0]], [2.0, 9.0])[0])(2.0)
        -0.5
    """
    rows = _square(a, "solve")
    right = _listed(b, "solve", "the right-hand side")
    if len(right) != len(rows):
        raise ValueError(f"solve: the matrix has {len(rows)} rows, but the right-hand side has {len(right)}")
    factors = _factorized(rows)
    _check_regular(factors, "solve")
    if not right or not isinstance(right[0], list):
        return _as_given(_substituted(factors, right), a, b)
    columns = [_substituted(factors, list(column)) for column in zip(*right, strict=True)]
    return _as_given(_transposed(columns, len(rows)), a, b)


def inv(a: Any) -> Any:
    """The inverse of a matrix; solve(a, b) takes a third of the work and is more accurate than inv(a) @ b.

    Errors: ValueError if a is not square, or singular.

    Example:
        >>> inv([[2.0, 0.0], [1.0, 4.0]])
        [[0.5, 0.0], [-0.125, 0.25]]
    """
    rows = _square(a, "inv")
    factors, n = _factorized(rows), len(rows)
    _check_regular(factors, "inv")
    columns = [_substituted(factors, [float(i == j) for i in range(n)]) for j in range(n)]
    return _as_given(_transposed(columns, n), a)


def det(a: Any) -> Any:
    """The determinant of a matrix. Its derivatives are right where the matrix is singular, too.

    Errors: ValueError if a is not square.

    Example:
        >>> det([[2.0, 0.0], [1.0, 4.0]])
        8.0
    """
    rows = _square(a, "det")
    factors = _factorized(rows)
    if factors.stuck is not None and factors.stuck < len(rows) - 1:
        return _det_without_division(rows)
    product = p.prod(*[factors.lu[i][i] for i in range(len(rows))])
    return p.neg(product) if factors.odd else product


def slogdet(a: Any) -> tuple[Any, Any]:
    """The sign of the determinant and the logarithm of its absolute value, which overflows later than det does.

    Returns: `(sign, logarithm)`; (0.0, -inf) for a singular matrix.

    Errors: ValueError if a is not square.

    Example:
        >>> slogdet([[1e200, 0.0], [0.0, -1e200]])
        (-1.0, 921.0340371976183)
    """
    factors = _factorized(_square(a, "slogdet"))
    if factors.stuck is not None:
        return 0.0, p.log(0.0)
    diagonal = [row[i] for i, row in enumerate(factors.lu)]
    sign = p.prod(-1.0 if factors.odd else 1.0, *map(p.sign, diagonal))
    return sign, p.sum(*[p.log(p.abs(x)) for x in diagonal])


def cholesky(a: Any) -> Any:
    """The lower triangular matrix L with L @ L.T = a.

    Args:
        a: a symmetric positive definite matrix. As in NumPy only its lower triangle is read, and so only that has a
            derivative.

    Errors: ValueError if a is not square, or not positive definite.

    Example:
        >>> cholesky([[4.0, 2.0], [2.0, 5.0]])
        [[2.0, 0.0], [1.0, 2.0]]
    """
    rows = _square(a, "cholesky")
    n = len(rows)
    lower = [[0.0] * n for _ in rows]
    for j in range(n):
        left = lower[j][:j]
        rest = _less(rows[j][j], left, left)
        if not rest > 0.0:
            shown = rest if isinstance(rest, float) else rest._data
            raise ValueError(
                f"cholesky: the matrix is not positive definite: {shown!r} is left of its diagonal at position {j}, "
                "where a positive number is needed"
            )
        lower[j][j] = p.sqrt(rest)
        for i in range(j + 1, n):
            lower[i][j] = p.div(_less(rows[i][j], lower[i][:j], left), lower[j][j])
    return _as_given(lower, a)


# --- elimination ----------------------------------------------------------------------------------------------------


class _Factors(NamedTuple):
    """L and U in one matrix, whose rows are those of the given one in this order."""

    lu: Rows
    order: list[int]
    odd: bool  # whether an odd number of exchanges made that order
    stuck: int | None  # the column in which nothing but zeros was left for a pivot: elimination ended there


def _factorized(rows: Rows) -> _Factors:
    """The factors of a matrix, column by column, so that each entry is one sum of products."""
    n, odd = len(rows), False
    lu, order = [list(row) for row in rows], list(range(n))
    for j in range(n):
        for i in range(n):
            k = i if i < j else j
            lu[i][j] = _less(lu[i][j], lu[i][:k], [lu[m][j] for m in range(k)])
        best = j
        for i in range(j + 1, n):
            if abs(lu[i][j]) > abs(lu[best][j]):
                best = i
        if best != j:
            lu[j], lu[best], order[j], order[best], odd = lu[best], lu[j], order[best], order[j], not odd
        if lu[j][j] == 0.0:
            return _Factors(lu, order, odd, stuck=j)
        for i in range(j + 1, n):
            lu[i][j] = p.div(lu[i][j], lu[j][j])
    return _Factors(lu, order, odd, stuck=None)


def _check_regular(factors: _Factors, what: str) -> None:
    if factors.stuck is not None:
        raise ValueError(
            f"{what}: the matrix is singular: its column {factors.stuck} (of {len(factors.lu)}, counted from 0) "
            "depends on those before it, so that elimination leaves nothing but zeros of it"
        )


def _substituted(factors: _Factors, right: list[Any]) -> list[Any]:
    """The solution for one right-hand side."""
    lu, order, n = factors.lu, factors.order, len(factors.lu)
    x: list[Any] = []
    for i in range(n):
        x.append(_less(right[order[i]], lu[i][:i], x[:i]))
    for i in reversed(range(n)):
        x[i] = p.div(_less(x[i], lu[i][i + 1 :], x[i + 1 :]), lu[i][i])
    return x


def _less(x: Any, left: list[Any], right: list[Any]) -> Any:
    """x less the dot of two vectors."""
    return p.sub(x, p.dot(0.0, *left, *right)) if left else x


def _det_without_division(rows: Rows) -> Any:
    """The determinant as a polynomial in the entries, which has all its derivatives where elimination finds no pivot.

    Bird, A simple division-free algorithm for computing determinants (2011): n - 1 products of matrices.
    """
    n, x = len(rows), rows
    for _ in range(n - 1):
        trailing = [p.neg(p.sum(*[x[k][k] for k in range(i + 1, n)])) for i in range(n)]
        left = [[trailing[i], *x[i][i + 1 :]] for i in range(n)]
        x = [[p.dot(0.0, *left[i], *[rows[k][j] for k in range(i, n)]) for j in range(n)] for i in range(n)]
    return x[0][0] if n % 2 else p.neg(x[0][0])


# --- arguments and results ------------------------------------------------------------------------------------------


def _listed(x: Any, what: str, name: str) -> list[Any]:
    """A vector or matrix as nested lists of floats and Values."""
    if is_array(x):
        if x.ndim not in (1, 2):
            raise ValueError(f"{what}: {name} is an array of shape {x.shape}; autograd.vmap maps {what} over a batch")
        x = x.tolist()
    if not isinstance(x, Sequence) or isinstance(x, str):
        raise TypeError(f"{what}: {name} is {type(x).__name__} {x!r:.60}; pass a NumPy array or a list")
    listed = [_listed(row, what, name) if is_array(row) or isinstance(row, list | tuple) else row for row in x]
    widths = {len(row) if isinstance(row, list) else None for row in listed}
    if len(widths) > 1:
        raise ValueError(f"{what}: {name} has rows of different lengths")
    return [x if isinstance(x, list | Value) else number(x, what) for x in listed]


def _square(a: Any, what: str) -> Rows:
    rows = _listed(a, what, "the matrix")
    n = len(rows)
    if any(not isinstance(row, list) or len(row) != n for row in rows):
        shape = f"{n} x {len(rows[0])}" if isinstance(rows[0], list) else f"a vector of {n}"
        raise ValueError(f"{what} needs a square matrix, got {shape}")
    return rows


def _transposed(columns: Rows, n: int) -> Rows:
    return [list(row) for row in zip(*columns, strict=True)] or [[] for _ in range(n)]


def _as_given(result: list[Any], *given: Any) -> Any:
    """Nested lists as an array, if one of what was given is an array."""
    if not any(map(is_array, given)):
        return result
    import numpy as np

    array = np.array(result, dtype=object)
    if not any(isinstance(x, Value) for x in array.flat):
        return array.astype(float)
    array.ravel()[:] = [x if isinstance(x, Value) else constant(x) for x in array.flat]  # as NumPy's functions need
    return array
