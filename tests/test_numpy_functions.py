"""NumPy's functions on arrays of Values, one by one: it works, or the table says what to write instead.

NumPy calls a method on each element of an object array where it has a loop for objects, and refuses with a TypeError
where it has none: then this package has the function, or the table says why there is none.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd as ag
from autograd import Value, check_grads

X, Y = np.array([0.25, 0.75, 0.5]), np.array([0.5, 0.3, 0.6])
M = np.array([[2.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 4.0]])


class Works(NamedTuple):
    """It gives NumPy's numbers, and derivatives unless its results are no real numbers of the operands."""

    differentiable: bool = True


class Instead(NamedTuple):
    """NumPy refuses; this function of the package does it."""

    function: Callable[..., Any]
    differentiable: bool = True


class Refused(NamedTuple):
    """It raises, and what to do is this."""

    advice: str


class Entry(NamedTuple):
    name: str
    call: Callable[..., Any]  # called with the function and operands
    operands: tuple[Any, ...]
    outcome: Works | Instead | Refused


def entries(names: str, call: Callable[..., Any], operands: tuple[Any, ...], outcome: Any) -> list[Entry]:
    return [Entry(name, call, operands, outcome) for name in names.split()]


def plain(function: Any, *operands: Any) -> Any:
    return function(*operands)


ONE, TWO, MATRIX = (X,), (X, Y), (M,)
NO_REAL_FUNCTION = "it asks how a float is stored, which has no derivative: read the numbers, autograd.data(x)"
DECOMPOSITION = (
    "not offered: for least squares solve(A.T @ A, A.T @ b), for a positive definite matrix cholesky, both of "
    "autograd.linalg; for anything else take the numbers, autograd.data(A)"
)
TABLE = [
    # --- elementwise
    *entries(
        "sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arctanh "
        "abs absolute fabs negative positive square reciprocal conjugate conj degrees radians deg2rad rad2deg sinc "
        "real real_if_close", plain, ONE, Works(),
    ),
    Entry("arccosh", plain, (X + 2,), Works()),
    *entries("sign iscomplex isreal logical_not imag", plain, ONE, Works(differentiable=False)),
    *entries("floor ceil trunc rint round around", plain, (np.array([-2.3, 0.75, 1.7]),), Works()),
    *entries("isnan", plain, ONE, Instead(ag.isnan, differentiable=False)),
    *entries("isinf", plain, ONE, Instead(ag.isinf, differentiable=False)),
    *entries("isfinite", plain, ONE, Instead(ag.isfinite, differentiable=False)),
    *entries("signbit spacing", plain, ONE, Refused(NO_REAL_FUNCTION)),
    Entry("nextafter", plain, TWO, Refused(NO_REAL_FUNCTION)),
    Entry("ldexp", plain, (X, np.array([1, 2, 3])), Refused("write x * 2.0**n")),
    Entry("invert", plain, ONE, Refused("~ is for bools: compare first, ~(x > 0)")),
    Entry("i0", plain, ONE, Refused("no Bessel functions yet: describe it as autograd.Primitive")),
    Entry("angle", plain, ONE, Refused("of complex numbers: autograd.arctan2(y, x) of the parts")),
    # --- elementwise, of two
    *entries("add subtract multiply divide true_divide power arctan2 hypot maximum minimum fmax fmin",
             plain, TWO, Works()),
    *entries("less greater equal not_equal less_equal greater_equal", plain, TWO, Works(differentiable=False)),
    *entries("array_equal", plain, TWO, Works(differentiable=False)),
    *entries("mod remainder fmod", plain, (np.array([-2.3, 0.75, 1.7]), Y), Works()),
    Entry("floor_divide", plain, TWO, Refused("autograd.floor(x / y)")),
    Entry("divmod", plain, TWO, Refused("autograd.floor(x / y) and autograd.mod(x, y)")),
    Entry("logaddexp", plain, TWO, Instead(ag.logaddexp)),
    Entry("logaddexp2", plain, TWO, Refused("autograd.logaddexp of the natural logarithms")),
    Entry("float_power", plain, TWO, Instead(ag.float_power)),
    Entry("copysign", plain, (X, -Y), Instead(ag.copysign)),
    Entry("heaviside", plain, (X - 0.5, Y), Instead(ag.heaviside, differentiable=False)),
    Entry("isclose", plain, (X, X + 1e-9), Instead(ag.isclose, differentiable=False)),
    Entry("allclose", plain, (X, X + 1e-9), Instead(ag.allclose, differentiable=False)),
    Entry("logical_xor", plain, (X > 0.3, Value(1.0)), Refused("of bools, NumPy's own: np.logical_xor(x > 0, y > 0)")),
    Entry("clip", lambda clip, x: clip(x, 0.3, 0.6), ONE, Works()),
    Entry("where", lambda where, x, y: where(np.array([True, False, True]), x, y), TWO, Works()),
    Entry("select", lambda select, x, y: select([np.array([True, False, True])], [x], y), TWO, Works()),
    Entry("choose", lambda choose, x, y: choose([0, 1, 0], [x, y]), TWO, Works()),
    # --- products
    *entries("dot vdot inner outer cross kron convolve correlate matmul polyval", plain, TWO, Works()),
    Entry("tensordot", lambda f, m, x: f(m, x, 1), (M, X), Works()),
    Entry("einsum", lambda f, m, x: f("ij,j->i", m, x), (M, X), Works()),
    # --- reductions and what is made of them
    *entries(
        "sum mean prod var std cumsum cumprod max min ptp median average nansum nanmean nanmax nanmin diff ediff1d "
        "trapezoid", plain, ONE, Works(),
    ),
    *entries("argmax argmin argsort any all count_nonzero lexsort", plain, ONE, Works(differentiable=False)),
    Entry("percentile", lambda f, x: f(x, 30.0), ONE, Works()),
    Entry("quantile", lambda f, x: f(x, 0.3), ONE, Works()),
    Entry("digitize", lambda f, x: f(x, [0.3]), ONE, Works(differentiable=False)),
    Entry("searchsorted", lambda f, x: f(np.sort(x), 0.3), ONE, Works(differentiable=False)),
    Entry("nonzero", plain, ONE, Works(differentiable=False)),
    Entry("histogram", plain, ONE, Refused("counts have no derivative: read the numbers, autograd.data(x)")),
    Entry("cov", plain, MATRIX, Instead(ag.cov)),
    Entry("corrcoef", plain, MATRIX, Refused("c = autograd.cov(m); c / np.sqrt(np.outer(np.diag(c), np.diag(c)))")),
    Entry("gradient", plain, ONE, Instead(ag.gradient)),
    Entry("interp", lambda f, x, fp: f(x, [0.0, 0.4, 1.0], fp), TWO, Instead(ag.interp)),
    # --- shapes and order
    *entries(
        "sort flip unique ravel squeeze atleast_2d copy vander", plain, ONE, Works(),
    ),
    *entries("transpose trace diagonal diag tril triu rot90 fliplr flipud", plain, MATRIX, Works()),
    *entries("concatenate stack vstack hstack column_stack block", lambda f, x, y: f([x, y]), TWO, Works()),
    Entry("partition", lambda f, x: f(x, 1), ONE, Works()),
    Entry("roll", lambda f, x: f(x, 1), ONE, Works()),
    Entry("take", lambda f, x: f(x, [0, 1]), ONE, Works()),
    Entry("compress", lambda f, x: f([1, 0, 1], x), ONE, Works()),
    Entry("repeat", lambda f, x: f(x, 2), ONE, Works()),
    Entry("tile", lambda f, x: f(x, 2), ONE, Works()),
    Entry("reshape", lambda f, x: f(x, (3, 1)), ONE, Works()),
    Entry("pad", lambda f, x: f(x, 1), ONE, Works()),
    Entry("split", lambda f, x: f(x, 3), ONE, Works()),
    Entry("meshgrid", lambda f, x, y: f(x, y), TWO, Works()),
    Entry("apply_along_axis", lambda f, m: f(np.sum, 0, m), MATRIX, Works()),
    Entry("linspace", lambda f, x: f(x[0], x[1], 3), ONE, Works()),
    Entry("logspace", lambda f, x: f(x[0], x[1], 3), ONE, Works()),
    Entry("full_like", lambda f, x: f(x, 2.0), ONE, Works()),
    Entry("zeros_like", plain, ONE, Works()),
    # --- linear algebra
    Entry("linalg.norm", plain, ONE, Works()),
    Entry("linalg.matrix_power", lambda f, m: f(m, 2), MATRIX, Works()),
    Entry("linalg.multi_dot", lambda f, m, x: f([m, x]), (M, X), Works()),
    Entry("linalg.solve", plain, (M, X), Instead(ag.linalg.solve)),
    Entry("linalg.det", plain, MATRIX, Instead(ag.linalg.det)),
    Entry("linalg.slogdet", lambda f, m: f(m)[1], MATRIX, Instead(ag.linalg.slogdet)),
    Entry("linalg.inv", plain, MATRIX, Instead(ag.linalg.inv)),
    Entry("linalg.cholesky", lambda f, m: f(m @ m.T), MATRIX, Instead(ag.linalg.cholesky)),
    *entries("linalg.eig linalg.eigh linalg.svd linalg.qr linalg.pinv linalg.cond linalg.matrix_rank", plain, MATRIX,
             Refused(DECOMPOSITION)),
    Entry("linalg.lstsq", plain, (M, X), Refused(DECOMPOSITION)),
    Entry("fft.fft", plain, ONE, Refused("no complex numbers here: its two parts are products with matrices")),
]  # fmt: skip


def in_numpy(name: str) -> Any:
    function: Any = np
    for part in name.split("."):
        function = getattr(function, part)
    return function


def with_values(operands):
    return [ag.array(x) if isinstance(x, np.ndarray) and x.dtype == float else x for x in operands]


def numbers(result):
    """Nested results as one flat array of floats."""
    if isinstance(result, list | tuple):
        return np.concatenate([numbers(part) for part in result])
    return np.array(
        [x.data if isinstance(x, Value) else x for x in np.asarray(result, dtype=object).ravel()], dtype=float
    )


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.name)
def test_function_of_numpy_works_on_values_or_the_table_says_what_to_write(entry):
    function = in_numpy(entry.name)
    if isinstance(entry.outcome, Refused):
        with pytest.raises((TypeError, AttributeError)):
            entry.call(function, *with_values(entry.operands))
        return
    expected = numbers(entry.call(function, *entry.operands))
    if isinstance(entry.outcome, Instead):
        with pytest.raises((TypeError, AttributeError)):
            entry.call(function, *with_values(entry.operands))
        function = entry.outcome.function
        np.testing.assert_allclose(numbers(entry.call(function, *entry.operands)), expected, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(
        numbers(entry.call(function, *with_values(entry.operands))), expected, rtol=1e-14, atol=1e-15
    )
    if entry.outcome.differentiable:
        check_grads(lambda *operands: list(np.ravel(flat(entry.call(function, *operands)))), entry.operands, order=1)


def flat(result):
    return np.concatenate([np.ravel(part) for part in result]) if isinstance(result, list | tuple) else result


def test_table_has_each_function_once_and_more_than_120_of_them():
    names = [entry.name for entry in TABLE]
    assert len(set(names)) == len(names) > 120


# --- what works, but not as on floats: NumPy's loops over objects decide --------------------------------------------


@pytest.mark.parametrize("function", [np.maximum, np.minimum, np.fmax, np.fmin])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_numpys_maximum_of_values_is_one_of_them_the_first_of_a_tie_the_second_beside_nan(function):
    one, again, nan = Value(1.0), Value(1.0), Value(np.nan)
    assert function(one, again) is one
    assert function(one, nan) is nan
    assert function(nan, one) is one
    ours = {"m": ag.maximum, "f": ag.maximum}[function.__name__[0]]
    assert ours(one, again).local_grads == (0.5, 0.5), "autograd's own share a tie"
    assert ag.isnan(ours(nan, one)), "and nan stays nan"


@pytest.mark.filterwarnings("ignore:invalid value")
def test_numpys_max_of_values_overlooks_nan_where_autograds_does_not():
    array = np.array([Value(2.0), Value(np.nan), Value(1.0)])
    assert np.max(array).data == 1.0
    assert ag.isnan(ag.max(array))
    assert np.nanmax(array).data == 2.0


def test_nan_to_num_leaves_values_as_they_are_and_where_replaces_them():
    array = np.array([Value(np.nan), Value(1.0)])
    assert np.isnan(np.nan_to_num(array)[0].data)
    assert ag.data(ag.where(ag.isnan(array), 0.0, array)).tolist() == [0.0, 1.0]


# --- the functions that stand in for NumPy's: their other arguments, special numbers, what they refuse ----------------


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 1e-9, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite"])
def test_question_about_special_numbers_has_numpys_answer_as_bools(name):
    function, expected = getattr(ag, name), getattr(np, name)(SPECIAL)
    for array in (SPECIAL, ag.array(SPECIAL)):
        assert function(array).dtype == bool
        assert np.array_equal(function(array), expected)
    for x, answer in zip(SPECIAL.tolist(), expected.tolist(), strict=True):
        assert function(x) is function(Value(x)) is answer


@pytest.mark.parametrize("equal_nan", [False, True])
def test_isclose_is_numpys_for_all_pairs_of_special_numbers(equal_nan):
    x, y = np.meshgrid(SPECIAL, SPECIAL)
    expected = np.isclose(x, y, equal_nan=equal_nan)
    assert np.array_equal(ag.isclose(x, y, equal_nan=equal_nan), expected)
    assert np.array_equal(ag.isclose(ag.array(x), y, equal_nan=equal_nan), expected)
    assert ag.allclose(x, y, equal_nan=equal_nan) is False
    assert ag.allclose(ag.array(SPECIAL), SPECIAL, equal_nan=equal_nan) is equal_nan
    assert ag.isclose(Value(1.0), 1.2, atol=0.3)
    assert not ag.isclose(Value(1.0), 1.2, rtol=0.1)


def test_questions_and_interpolation_are_compiled_without_a_branch():
    pytest.importorskip("llvmlite")
    clean = ag.jit(lambda x: ag.where(ag.isnan(x), 0.0, x))
    line = ag.jit(lambda x, xp, fp: ag.interp(x, xp, fp))
    assert (clean(np.nan), clean(2.0)) == (0.0, 2.0)
    for x in [-1.0, 0.0, 0.2, 0.4, 0.7, 1.0, 3.0]:
        assert line(x, np.array([0.0, 0.4, 1.0]), Y) == pytest.approx(np.interp(x, [0.0, 0.4, 1.0], Y), rel=1e-15)
    assert (clean.cache_info().paths, line.cache_info().paths) == (1, 1)
    close = ag.jit(lambda x: ag.allclose(x, np.ones(3)))
    assert (close(np.ones(3)), close(np.zeros(3))) == (True, False)


@pytest.mark.parametrize("ends", [{}, {"left": -5.0}, {"right": 7.0}, {"left": np.nan, "right": np.nan}])
def test_interp_is_numpys_at_the_points_between_them_beyond_them_and_at_special_numbers(ends):
    xp, fp = np.array([-1.0, 0.5, 1.4, 3.0]), np.array([2.0, -1.0, 4.0, 0.0])
    x = np.concatenate([xp, SPECIAL, np.linspace(-2, 4, 50)])
    np.testing.assert_allclose(ag.interp(x, xp, fp, **ends), np.interp(x, xp, fp, **ends), rtol=1e-14, atol=1e-15)
    of_one = ag.interp(x, xp[:1], fp[:1], **ends)
    expected = np.where(np.isnan(x), x, np.interp(x, xp[:1], fp[:1], **ends))  # NumPy has fp[0] for nan there
    assert np.array_equal(of_one, expected, equal_nan=True)
    check_grads(ag.interp, (0.9, xp, fp))


def test_cov_has_numpys_options():
    m = np.random.default_rng(3).normal(size=(3, 7))
    for options in [{}, {"bias": True}, {"ddof": 3}, {"rowvar": False}, {"y": 2 * m}]:
        np.testing.assert_allclose(ag.cov(m, **options), np.cov(m, **options), rtol=1e-12, atol=1e-14)
    assert ag.cov(m[0]) == pytest.approx(np.cov(m[0]))
    assert ag.cov(ag.array(m[0])).data == pytest.approx(np.cov(m[0]))
    assert ag.cov(m[0], m[1]).shape == (2, 2)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient_has_numpys_options(edge_order):
    y, places = np.random.default_rng(3).normal(size=(4, 5)), np.array([-1.0, 0.5, 0.6, 2.0, 5.0])
    for spacing, options in [((), {}), ((0.3,), {}), ((0.3, places), {}), ((places,), {"axis": 1}), ((), {"axis": -2})]:
        expected = np.gradient(y, *spacing, **options, edge_order=edge_order)
        found = ag.gradient(y, *spacing, **options, edge_order=edge_order)
        assert type(found) is type(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    check_grads(lambda y, places: ag.gradient(y, places, axis=1, edge_order=edge_order), (y, places), order=1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ag.interp(0.5, [0.0, 1.0], [1.0]), ValueError, "xp has 2 points, but fp has 1"),
        (lambda: ag.interp(0.5, [], []), ValueError, "interp needs at least one value"),
        (lambda: ag.interp(0.5, [1.0, 0.0], [1.0, 2.0]), ValueError, "xp is not increasing; sort"),
        (lambda: ag.cov([1.0]), ValueError, "1 observations are too few"),
        (lambda: ag.cov(np.zeros((2, 2, 2))), ValueError, r"\(2, 2, 2\)"),
        (lambda: ag.gradient(lambda x: x), TypeError, r"the gradient of a function is autograd.grad\(f\)"),
        (lambda: ag.gradient([1.0, 2.0], edge_order=2), ValueError, "edge_order must be 1 or 2 .* got 2 for 2 samples"),
        (lambda: ag.gradient([1.0, 2.0], [0.0]), ValueError, "coordinates for 2 samples"),
        (lambda: ag.gradient(np.eye(2), 1.0, 1.0, 1.0), ValueError, "3 spacings for 2 axes"),
    ],
)
def test_what_cannot_be_computed_is_said(call, error, message):
    with pytest.raises(error, match=message):
        call()
