"""Linear algebra on Values: NumPy's numbers, the derivatives of PyTorch, JAX and differences; compiled, on lanes."""

from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, check_grads, grad, hessian, jacobian, linalg, value_and_grad, vmap

rng = np.random.default_rng(8)
SIZES = range(1, 6)
A = {n: rng.normal(size=(n, n)) for n in SIZES}
B = {n: rng.normal(size=n) for n in SIZES}


def symmetric(a):
    """Positive definite."""
    return a @ a.T + np.eye(len(a))


FUNCTIONS = {
    "solve": lambda xp, n: lambda a: xp.solve(a, B[n]),
    "inv": lambda xp, n: lambda a: xp.inv(a),
    "det": lambda xp, n: lambda a: xp.det(a),
    "slogdet": lambda xp, n: lambda a: xp.slogdet(a)[1],
    "cholesky": lambda xp, n: lambda a: xp.cholesky(symmetric(a)),
}
named = pytest.mark.parametrize("name", FUNCTIONS)


@named
@pytest.mark.parametrize("n", SIZES)
def test_numbers_are_numpys_on_arrays_of_floats_of_values_and_on_lists(name, n):
    expected = FUNCTIONS[name](np.linalg, n)(A[n])
    ours = FUNCTIONS[name](linalg, n)
    close: Any = {"rtol": 1e-11, "atol": 1e-12}
    np.testing.assert_allclose(ours(A[n]), expected, **close)
    np.testing.assert_allclose(ag.data(ours(ag.array(A[n]))), expected, **close)
    if name not in ("cholesky", "solve"):  # whose arguments are arrays here
        as_lists = ours(A[n].tolist())
        assert not isinstance(as_lists, np.ndarray)
        np.testing.assert_allclose(as_lists, expected, **close)


@named
@pytest.mark.parametrize("n", [1, 2, 4])
def test_jacobian_is_that_of_pytorch(name, n):
    torch = pytest.importorskip("torch")
    given = torch.tensor(A[n], dtype=torch.float64)
    b = torch.tensor(B[n], dtype=torch.float64)
    theirs = {
        "solve": lambda a: torch.linalg.solve(a, b),
        "cholesky": lambda a: torch.linalg.cholesky(a @ a.T + torch.eye(n, dtype=torch.float64)),
    }.get(name, FUNCTIONS[name](torch.linalg, n))
    expected = torch.autograd.functional.jacobian(theirs, given).numpy()
    np.testing.assert_allclose(jacobian(FUNCTIONS[name](linalg, n))(A[n]), expected, rtol=1e-9, atol=1e-10)


@named
def test_hessian_is_that_of_jax(name):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    theirs = {"cholesky": lambda a: jax.numpy.linalg.cholesky(a @ a.T + jax.numpy.eye(3))}
    reference = theirs.get(name, FUNCTIONS[name](jax.numpy.linalg, 3))
    ours = FUNCTIONS[name](linalg, 3)
    np.testing.assert_allclose(
        hessian(lambda a: np.sum(np.sin(ours(a))))(A[3]),
        jax.hessian(lambda a: jax.numpy.sin(reference(a)).sum())(A[3]),
        rtol=1e-8, atol=1e-9,
    )  # fmt: skip


def test_several_right_hand_sides_and_the_derivative_by_them():
    b = rng.normal(size=(3, 2))
    np.testing.assert_allclose(linalg.solve(A[3], b), np.linalg.solve(A[3], b), rtol=1e-12)
    assert linalg.solve(A[3].tolist(), b.tolist()) == linalg.solve(A[3], b).tolist()
    check_grads(linalg.solve, (A[3], b))


@pytest.mark.parametrize("singular", [
    [[0.0, 1.0], [0.0, 2.0]],
    np.zeros((2, 2)),
    [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [4.0, 5.0, 6.0]],
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
    np.diag([1.0, 0.0, 0.0]),
    np.diag([0.0, 2.0, 3.0, 4.0]),
])  # fmt: skip
def test_determinant_has_its_derivatives_at_singular_matrices(singular):
    a = np.array(singular)
    assert linalg.det(a) == pytest.approx(0.0, abs=1e-14)
    cofactors = [
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(len(a))]
        for i in range(len(a))
    ]
    np.testing.assert_allclose(grad(linalg.det)(a), cofactors, atol=1e-12)
    check_grads(linalg.det, (a,))


def test_log_determinant_of_a_singular_matrix_and_of_one_whose_determinant_overflows():
    assert linalg.slogdet([[1.0, 2.0], [2.0, 4.0]]) == (0.0, -np.inf)
    assert linalg.slogdet(np.eye(120) * 1e3)[1] == pytest.approx(np.linalg.slogdet(np.eye(120) * 1e3)[1])
    for a in (A[4], -A[5], A[4][[1, 0, 2, 3]]):
        assert linalg.slogdet(a)[0] == np.linalg.slogdet(a)[0]


@named
def test_compiled_code_follows_whichever_row_becomes_the_pivot(name):
    pytest.importorskip("llvmlite")
    plain = FUNCTIONS[name](linalg, 3)

    def f(a):
        return ag.sum(plain(a)) if name in ("solve", "inv", "cholesky") else plain(a)

    compiled = ag.jit(value_and_grad(f))
    for rows in ([0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 1, 2]):
        value, gradient = compiled(A[3][rows])
        expected = value_and_grad(f)(A[3][rows])
        assert value == pytest.approx(expected[0], rel=1e-14)
        np.testing.assert_allclose(gradient, expected[1], rtol=1e-12)
    assert compiled.cache_info().calls == 4


def test_batches_by_vmap_eagerly_and_on_lanes():
    pytest.importorskip("llvmlite")
    matrices, right = rng.normal(size=(40, 3, 3)), rng.normal(size=(40, 3))
    expected = np.linalg.solve(matrices, right[:, :, None])[:, :, 0]
    np.testing.assert_allclose(vmap(linalg.solve)(matrices, right), expected, rtol=1e-10)
    compiled = ag.jit(vmap(linalg.solve))
    np.testing.assert_allclose(compiled(matrices, right), expected, rtol=1e-10)
    assert compiled.cache_info().calls == 1, "pivots that differ from lane to lane are compiled, too"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: linalg.solve([[1.0, 2.0], [2.0, 4.0]], [1.0, 1.0]),
            ValueError,
            "solve: the matrix is singular: its column 1",
        ),
        (lambda: linalg.inv(np.zeros((2, 2))), ValueError, "inv: the matrix is singular: its column 0"),
        (lambda: linalg.cholesky([[1.0, 2.0], [2.0, 1.0]]), ValueError, r"not positive definite: -3\.0 .* position 1"),
        (lambda: linalg.cholesky(ag.array([[np.nan]])), ValueError, "not positive definite: nan"),
        (lambda: linalg.det([1.0, 2.0]), ValueError, "det needs a square matrix, got a vector of 2"),
        (lambda: linalg.inv(np.ones((2, 3))), ValueError, "inv needs a square matrix, got 2 x 3"),
        (lambda: linalg.det([[1.0], [1.0, 2.0]]), ValueError, "rows of different lengths"),
        (lambda: linalg.solve(np.eye(2), [1.0]), ValueError, "2 rows, but the right-hand side has 1"),
        (lambda: linalg.det(np.ones((2, 3, 3))), ValueError, r"shape \(2, 3, 3\); autograd.vmap"),
        (lambda: linalg.det("ab"), TypeError, "the matrix is str 'ab'"),
        (lambda: linalg.det([["a"]]), TypeError, "det takes a real number, got str 'a'"),
    ],
)
def test_what_cannot_be_done_is_said(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_singular_matrix_raises_from_compiled_code_as_well():
    pytest.importorskip("llvmlite")
    compiled = ag.jit(lambda a: linalg.solve(a, [1.0, 1.0]))
    assert compiled(np.eye(2)).tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="singular"):
        compiled(np.ones((2, 2)))


def test_lists_give_lists():
    assert linalg.solve([[2.0, 0.0], [0.0, 4.0]], (2, 4)) == [1.0, 1.0]
    assert linalg.cholesky([[4, 0], [0, 9]]) == [[2.0, 0.0], [0.0, 3.0]]
    assert isinstance(linalg.solve([[2.0]], np.ones(1)), np.ndarray)


def test_an_array_of_results_holds_nothing_but_values_so_that_numpys_functions_take_it():
    lower = linalg.cholesky(ag.array(symmetric(A[3])))
    np.testing.assert_allclose(ag.data(np.tanh(lower)), np.tanh(np.linalg.cholesky(symmetric(A[3]))))


def test_results_are_values_that_backward_goes_through():
    a = ag.array(A[3])
    linalg.det(a).backward()
    np.testing.assert_allclose(ag.grads(a), np.linalg.det(A[3]) * np.linalg.inv(A[3]).T, rtol=1e-12)
    assert isinstance(linalg.solve([[Value(2.0)]], [1.0])[0], Value)
