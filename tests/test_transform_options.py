"""What transforms take beside a function: has_aux, argnames, keyword arguments; and the names that JAX users type."""

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, hessian, jacfwd, jacobian, jacrev, jvp, value_and_grad, value_and_jacobian, vjp
from nn import Layer

A = np.array([[1.0, 2.0], [3.0, 5.0], [-1.0, 0.5]])


def loss(w, x, *, power, shift=0.0):
    return ag.sum([(a * b) ** power for a, b in zip(w, x, strict=True)]) + shift * power


W, X = [2.0, 3.0], [1.0, -0.5]


# --- has_aux --------------------------------------------------------------------------------------------------------


def with_aux(x):
    """A square, and beside it numbers of all kinds and what are no numbers."""
    return x * x, {"double": 2 * x, "n": 3, "what": "text", "none": None, "array": np.array([x, 1.0]), "kept": 7.5}


def checked(aux, x, kind):
    assert (aux["n"], aux["what"], aux["none"], aux["kept"]) == (3, "text", None, 7.5)
    assert type(aux["double"]) is kind
    assert (aux["double"], aux["array"].tolist()) == (2 * x, [x, 1.0])


@pytest.mark.parametrize(("given", "kind"), [(3.0, float), (Value(3.0), Value)])
def test_what_f_returns_beside_its_result_is_passed_on(given, kind):
    (value, aux), gradient = value_and_grad(with_aux, has_aux=True)(given)
    assert (value, gradient) == (9.0, 6.0)
    checked(aux, 3.0, kind)
    (matrix, aux) = jacobian(with_aux, has_aux=True)(given)
    assert matrix == 6.0
    checked(aux, 3.0, kind)
    (value, aux), matrix = value_and_jacobian(with_aux, has_aux=True)(given)
    assert (value, matrix) == (9.0, 6.0)
    checked(aux, 3.0, kind)
    for transformed, expected in [(grad, 6.0), (jacfwd, 6.0), (jacrev, 6.0), (hessian, 2.0)]:
        result, aux = transformed(with_aux, has_aux=True)(given)
        assert result == expected
        checked(aux, 3.0, kind)
    value, pull, aux = vjp(with_aux, given, has_aux=True)
    assert (value, pull(2.0)) == (9.0, (12.0,))
    checked(aux, 3.0, kind)
    value, tangent, aux = jvp(with_aux, (given,), (2.0,), has_aux=True)
    assert (value, tangent) == (9.0, 12.0)
    checked(aux, 3.0, kind)


def test_aux_of_an_inner_transform_is_differentiated_by_the_outer_one():
    def through_aux(x):
        _, aux = grad(lambda y: (y * y * x, y * x), has_aux=True)(x)
        return aux

    assert grad(through_aux)(3.0) == 6.0
    w = Value(2.0)
    _, aux = grad(lambda x: (x * x, w * x), has_aux=True)(3.0)
    aux.backward()
    assert w.grad == 3.0, "a Value that only aux depends on keeps its graph"


def test_aux_under_jit():
    pytest.importorskip("llvmlite")
    compiled = ag.jit(value_and_grad(lambda x: (ag.exp(x[0]) * x[1], {"x": x[0] + 1, "note": "a"}), has_aux=True))
    (value, aux), gradient = compiled(np.array([0.0, 3.0]))
    assert (value, aux, gradient.tolist()) == (3.0, {"x": 1.0, "note": "a"}, [3.0, 1.0])
    assert compiled(np.array([0.0, 5.0]))[0][0] == 5.0
    assert compiled.cache_info().calls == 2


@pytest.mark.parametrize(
    "returned", [lambda x: x, lambda x: (x, x, x), lambda x: {"a": x, "b": x}, lambda x: np.array(x)], ids=range(4)
)
def test_has_aux_without_a_pair_says_so(returned):
    with pytest.raises(TypeError, match=r"has_aux=True .* returned .*: return \(result, aux\)"):
        grad(returned, has_aux=True)(1.0)


# --- argnames -------------------------------------------------------------------------------------------------------


def test_argument_by_name_is_the_same_however_the_call_gives_it():
    expected = grad(lambda w: loss(w, X, power=2))(W)
    assert grad(loss, argnames="w")(W, X, power=2) == expected
    assert grad(loss, argnames="w")(w=W, x=X, power=2) == expected
    assert grad(loss, argnames="x")(W, X, power=2) == grad(loss, 1)(W, X, power=2)
    assert grad(loss, argnames="shift")(W, X, power=2, shift=5.0) == 2.0
    assert grad(lambda *, y: y * y, argnames="y")(y=3.0) == 6.0


def test_several_names_and_names_beside_positions_give_a_tuple_in_that_order():
    by_w, by_x = grad(loss, (0, 1))(W, X, power=2)
    assert grad(loss, argnames=["x", "w"])(W, x=X, power=2) == (by_x, by_w)
    assert grad(loss, 0, argnames="x")(W, X, power=2) == (by_w, by_x)
    assert grad(loss, argnames=("shift",))(W, X, power=2, shift=1.0) == (2.0,)
    assert value_and_grad(loss, argnames=("w", "shift"))(w=W, x=X, power=2, shift=1.0)[1] == (by_w, 2.0)


def test_matrices_by_name():
    def f(x, *, scale):
        return [scale * a * b for a, b in zip(x, x[::-1], strict=True)]

    assert jacobian(f, argnames="scale")([2.0, 3.0], scale=5.0) == [6.0, 6.0]
    assert jacobian(f, argnames="x")([2.0, 3.0], scale=5.0) == jacobian(f)([2.0, 3.0], scale=5.0)
    both = jacobian(f, 0, argnames="scale")([2.0, 3.0], scale=5.0)
    assert both == [([15.0, 10.0], 6.0), ([15.0, 10.0], 6.0)]
    assert hessian(lambda *, y: y**3, argnames="y")(y=2.0) == 12.0
    second = hessian(lambda x, *, y: x * y * y, argnames=("x", "y"))(5.0, y=3.0)
    assert second == ((0.0, 6.0), (6.0, 10.0))


def test_pullback_of_keyword_arguments():
    value, pull = vjp(loss, W, X, power=2, shift=1.0, argnames="shift")
    assert value == loss(W, X, power=2, shift=1.0)
    assert pull(1.0) == (*grad(loss, (0, 1))(W, X, power=2, shift=1.0), 2.0)
    assert vjp(lambda *, y: y * y, y=3.0, argnames=["y"])[1](1.0) == (6.0,)
    assert vjp(lambda x, n: x**n, 3.0, n=2)[1](1.0) == (6.0,), "what is not named is passed as it is"


def test_names_work_on_structures_modules_wrapped_functions_and_methods():
    layer = Layer(2, 1)
    by_name = grad(lambda *, model, x: model(x), argnames="model")(model=layer, x=[1.0, 2.0])
    assert by_name == grad(lambda model, x: model(x))(layer, [1.0, 2.0])
    assert grad(grad(loss), argnames="x") is not None

    class Model:
        def cost(self, w, x):
            return w * w * x

    assert grad(Model().cost, argnames="x")(3.0, 2.0) == 9.0
    assert grad(grad(Model().cost), argnames="x")(3.0, 2.0) == 6.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda *, y: y * y)(y=3.0), ValueError, "called with 0 positional .* write argnames='y'"),
        (lambda: grad(loss, argnames="v")(W, X, power=2), ValueError, "the argument 'v' of loss.* with w, x, power"),
        (
            lambda: grad(loss, argnames="shift")(W, X, power=2),
            ValueError,
            "'shift' of loss, which was called with w, x",
        ),
        (lambda: grad(loss, argnames=0)(W, X, power=2), TypeError, "argnames must be the name .* got 0"),
        (lambda: grad(loss, argnames=["w", 1])(W, X, power=2), TypeError, r"got \['w', 1\]; argnums takes positions"),
        (lambda: grad(loss, 0, argnames="w")(W, X, power=2), ValueError, "argnums=0, argnames='w' names .* loss twice"),
        (lambda: grad(max, argnames="x")(1.0, 2.0), ValueError, "the argument 'x' of max"),
        (lambda: vjp(loss, W, X, power=2, argnames="w"), ValueError, "names an argument of loss twice"),
        (lambda: grad(loss, argnames="power")(W, X, power="2"), TypeError, "takes a real number, got str"),
    ],
)
def test_names_that_cannot_be_found_are_said(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- JAX's and other names --------------------------------------------------------------------------------------------


def test_jacfwd_and_jacrev_are_the_two_modes():
    f = lambda x: ag.sin(A @ x)  # noqa: E731
    x = np.array([0.5, -1.0])
    expected = np.cos(A @ x)[:, None] * A
    for transform in (jacfwd, jacrev, jacobian):
        np.testing.assert_allclose(transform(f)(x), expected, rtol=1e-14)
    value, matrix = value_and_jacobian(f)(x)
    np.testing.assert_allclose(value, np.sin(A @ x), rtol=1e-15)
    np.testing.assert_allclose(matrix, expected, rtol=1e-14)


def test_value_and_jacobian_calls_f_once():
    calls = []
    value_and_jacobian(lambda x: calls.append(x) or [x, x * x])(3.0)
    assert len(calls) == 1


def test_stop_gradient_goes_through_structures_and_models():
    assert grad(lambda x: x * ag.stop_gradient(x))(3.0) == 3.0
    assert grad(lambda p: p["a"] * ag.stop_gradient(p)["b"][0])({"a": 2.0, "b": [5.0]}) == {"a": 5.0, "b": [0.0]}
    x = ag.array([1.0, 2.0])
    (x * ag.stop_gradient(x)).sum().backward()
    assert ag.read_grads(x).tolist() == [1.0, 2.0]
    assert ag.stop_gradient([1.0, None, "text"]) == [1.0, None, "text"]
    target = Layer(2, 1)
    frozen = grad(lambda model: model([1.0, 2.0]) * ag.stop_gradient(model)([1.0, 2.0]))(target)
    value, gradient = value_and_grad(lambda model: model([1.0, 2.0]))(target)
    assert frozen == {name: value * g for name, g in gradient.items()}


def test_read_data_and_read_grads_are_the_names_beside_grad():
    x = [Value(3.0), Value(4.0)]
    (x[0] * x[1]).backward()
    assert (ag.read_data(x), ag.read_grads(x)) == ([3.0, 4.0], [4.0, 3.0])
    assert ag.data is ag.read_data
    assert ag.grads is ag.read_grads


def test_numpys_where_inside_a_transform_gives_a_number_without_axes_that_takes_a_plain_cotangent():
    def f(x):
        return np.where(x > 0, x * x, 0.0)

    value, pull = vjp(f, 3.0)
    assert value == 9.0
    for cotangent in (2.0, np.array(2.0), np.float64(2.0)):
        assert pull(cotangent) == (12.0,)
    assert grad(f)(3.0) == 6.0
    assert jvp(f, (3.0,), (2.0,))[1] == 12.0
    assert ag.vmap(f)([3.0, -1.0]).tolist() == [9.0, 0.0]


@pytest.mark.parametrize("name", ["grad", "value_and_grad", "jacfwd", "jacrev", "hessian"])
def test_has_aux_is_that_of_jax(name):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)

    def f(xp, w, x):
        hidden = xp.tanh(w @ x)
        return (hidden * hidden).sum(), {"hidden": hidden}

    x = np.array([0.3, -0.7])
    ours = getattr(ag, name)(lambda w, x: f(np, w, x), 1, has_aux=True)(A, x)
    theirs = getattr(jax, name)(lambda w, x: f(jax.numpy, w, x), 1, has_aux=True)(A, x)
    flat, expected = jax.tree_util.tree_flatten(ours), jax.tree_util.tree_flatten(theirs)
    assert flat[1] == expected[1]
    for actual, number in zip(flat[0], expected[0], strict=True):
        np.testing.assert_allclose(actual, number, rtol=1e-12)
