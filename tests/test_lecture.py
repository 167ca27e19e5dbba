"""The identities of the lecture on backpropagation, with concrete numbers, through `jacobian` and `grad`."""

from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
from autograd import grad, jacobian

W = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
b = np.array([0.1, -0.2])
x = np.array([1.0, -2.0, 0.5])
u = np.array([2.0, -3.0])
z = W @ x + b

ACTIVATIONS = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (ag.sigmoid, lambda z: 1 / (1 + np.exp(-z)) / (1 + np.exp(z))),
    "exp": (np.exp, np.exp),
    "square": (lambda z: z * z, lambda z: 2 * z),
}


def assert_equal(actual, expected):
    np.testing.assert_allclose(np.array(actual, dtype=float), expected, rtol=1e-12, atol=1e-12, strict=True)


@pytest.fixture(params=ACTIVATIONS)
def activation(request):
    """An elementwise function f, and f'."""
    return ACTIVATIONS[request.param]


# --- Jacobians of one layer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_derivative_of_an_affine_map_by_its_input_is_its_matrix(mode):
    assert_equal(jacobian(lambda x: W @ x + b, mode=mode)(x), W)


def test_derivative_of_an_affine_map_by_its_bias_is_the_identity():
    assert_equal(jacobian(lambda b: W @ x + b)(b), np.eye(2))


def test_derivative_of_a_scalar_product_is_the_other_factor():
    h = np.array([0.3, 0.7])
    assert_equal(jacobian(lambda u: u @ h)(u), h)
    assert_equal(jacobian(lambda h: u @ h)(h), u)


def test_jacobian_of_an_elementwise_function_is_diagonal(activation):
    f, slope = activation
    matrix = jacobian(f)(z)
    assert_equal(matrix, np.diag(slope(z)))
    assert (matrix[~np.eye(2, dtype=bool)] == 0).all()


def test_one_variable_chain_rule_multiplies_derivatives():
    assert grad(lambda x: 3 * x**2)(1.7) == pytest.approx(6 * 1.7, abs=1e-12)


def test_chain_rule_for_jacobians_multiplies_them(activation):
    f, slope = activation
    whole = jacobian(lambda x: f(W @ x + b))(x)
    assert_equal(whole, jacobian(f)(z) @ jacobian(lambda x: W @ x + b)(x))
    assert_equal(whole, np.diag(slope(z)) @ W)


# --- the score of a network -----------------------------------------------------------------------------------------


def test_score_by_bias_is_u_times_the_slopes(activation):
    f, slope = activation
    assert_equal(grad(lambda b: u @ f(W @ x + b))(b), u * slope(z))


def test_score_by_weights_is_an_outer_product(activation):
    f, slope = activation
    assert_equal(grad(lambda W: u @ f(W @ x + b))(W), np.outer(u * slope(z), x))


def layered_score(parameters, x, f):
    """s = u^T h_n, with h_k = f(W_k h_(k-1) + b_k) and h_0 = x."""
    h = x
    for W, b in parameters["layers"]:
        h = f(W @ h + b)
    return parameters["u"] @ h


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_layered_nets_follow_the_recursion_of_the_deltas(depth, activation):
    f, slope = activation
    random = np.random.default_rng(depth)
    sizes = [3, 4, 2, 5][: depth + 1]
    layers = [(random.normal(size=(m, n)) / 5, random.normal(size=m)) for n, m in pairwise(sizes)]
    parameters = {"layers": layers, "u": random.normal(size=sizes[-1])}
    gradient, by_input = grad(lambda p, x: layered_score(p, x, f), argnums=(0, 1))(parameters, x)

    hs, zs = [x], []
    for W, b in layers:
        zs.append(W @ hs[-1] + b)
        hs.append(np.array(f(zs[-1]), dtype=float))
    delta = parameters["u"]
    assert_equal(gradient["u"], hs[-1])
    for k in reversed(range(depth)):
        delta = delta * slope(zs[k])  # ds/dz_k
        assert_equal(gradient["layers"][k][0], np.outer(delta, hs[k]))
        assert_equal(gradient["layers"][k][1], delta)
        delta = delta @ layers[k][0]  # ds/dh_(k-1)
    assert_equal(by_input, delta)


# --- the function of four parameters and four layers -----------------------------------------------------------------


def test_four_parameter_function_has_the_chain_rules_products():
    """The factors as they should be: the slides write -η for -(y - ŷ) once, and later drop ∂a3/∂f2 and ∂a2/∂f1."""
    x, target = 0.8, 1.0
    w1, w2, w3, b1 = theta = [0.6, -1.1, 1.7, 0.3]

    def loss(theta):
        w1, w2, w3, b1 = theta
        return 0.5 * (target - ag.sigmoid(w3 * ag.sigmoid(w2 * ag.sigmoid(w1 * x + b1)))) ** 2

    f1 = ag.sigmoid(w1 * x + b1)
    f2 = ag.sigmoid(w2 * f1)
    f3 = ag.sigmoid(w3 * f2)
    to_a3 = -(target - f3) * f3 * (1 - f3)  # ∂L/∂f3 ∂f3/∂a3
    to_a2 = to_a3 * w3 * f2 * (1 - f2)  # ... ∂a3/∂f2 ∂f2/∂a2
    to_a1 = to_a2 * w2 * f1 * (1 - f1)  # ... ∂a2/∂f1 ∂f1/∂a1
    assert_equal(grad(loss)(theta), [to_a1 * x, to_a2 * f1, to_a3 * f2, to_a1])


def test_a_step_against_the_gradient_lowers_the_loss_and_one_along_it_raises_it():
    """Why the update subtracts: two of the slides add."""

    def loss(w):
        return 0.5 * (1.0 - ag.sigmoid(w * 0.8)) ** 2

    w, step = 0.6, 0.1
    assert loss(w - step * grad(loss)(w)) < loss(w) < loss(w + step * grad(loss)(w))
