"""What the transforms return, for every structure of arguments, nested in one another, and on wrong input."""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest

import autograd as ag
from autograd import Value, data, grad, grads, hessian, hvp, jacobian, jvp, value_and_grad, vjp, vmap
from nn import MLP, Layer


class Point(NamedTuple):
    x: object
    y: object


def rosenbrock(x):
    return ag.sum([100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x)])


# --- higher order, and perturbation confusion -----------------------------------------------------------------------


def test_perturbations_of_nested_gradients_are_not_confused():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(2.0) == 4.0
    assert grad(lambda x: x * grad(lambda y: y * y)(x))(3.0) == 12.0
    assert grad(lambda x: grad(lambda y: grad(lambda z: x * y * z)(x * y))(x))(2.0) == 1.0
    assert grad(lambda x: x * jvp(lambda y: x * y, (1.0,), (x,))[1])(2.0) == 12.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,)) == (1.0, 1.0)


@pytest.mark.parametrize("order", range(7))
def test_grad_nests_to_any_order(order):
    f, expected = lambda x: ag.sin(2 * x), math.sin(2 * 0.3 + order * math.pi / 2) * 2**order
    for _ in range(order):
        f = grad(f)
    result = f(0.3)
    assert type(result) is float
    assert result == pytest.approx(expected, abs=1e-12)


def test_inner_gradients_of_plain_numbers_do_not_turn_the_result_into_a_value():
    result = grad(lambda x: x * grad(lambda y: x * y * y)(3.0))(2.0)
    assert type(result) is float
    assert result == 24.0


def test_transforms_of_transforms_agree():
    x, v = [0.5, -1.2, 2.0], [1.0, 0.5, -2.0]
    expected = np.array(hessian(rosenbrock)(x)) @ v
    for along in (
        hvp(rosenbrock, x, v),
        grad(lambda x: jvp(rosenbrock, (x,), (v,))[1])(x),
        jvp(grad(rosenbrock), (x,), (v,))[1],
        vjp(grad(rosenbrock), x)[1](v)[0],
    ):
        assert along == pytest.approx(expected, rel=1e-12)
    for mode in ("forward", "reverse"):
        assert np.allclose(jacobian(grad(rosenbrock), mode=mode)(x), hessian(rosenbrock)(x), rtol=1e-13, atol=0)


def test_third_derivatives_as_a_jacobian_of_a_hessian():
    cubes = jacobian(hessian(lambda a: np.sum(a**3) + a[0] * a[1] * a[2]))(np.array([1.0, 2.0, 3.0]))
    expected = np.ones((3, 3, 3))
    for i, j, k in np.ndindex(3, 3, 3):
        expected[i, j, k] = 6 if i == j == k else float(len({i, j, k}) == 3)
    assert np.array_equal(cubes, expected)


def test_gradient_through_vmap_and_vmap_of_a_gradient():
    xs = np.array([1.0, 2.0, 3.0])
    assert grad(lambda x: ag.sum(vmap(lambda t: t**3)(xs * x)))(2.0) == 3 * 4 * (1 + 8 + 27)
    assert np.array_equal(vmap(grad(lambda t: t**3))(xs), 3 * xs**2)
    assert hessian(lambda x: vmap(lambda t: t**3 * x, reduce="sum")(xs))(2.0) == 0.0


# --- when results are Values ----------------------------------------------------------------------------------------


def test_results_are_floats_for_numbers_and_values_for_values():
    for number in (2, 2.0, np.float64(2), np.int64(2), True + 1):
        value, gradient = value_and_grad(lambda x: x**3)(number)
        assert (type(value), type(gradient)) == (float, float)
        assert (value, gradient) == (8.0, 12.0)
    for f in (lambda x: x**3, lambda x: 3 * x, lambda x: 1.0):
        value, gradient = value_and_grad(f)(Value(2.0))
        assert (type(value), type(gradient)) == (Value, Value)


def test_gradient_of_a_value_can_be_differentiated_by_backward():
    x = Value(2.0)
    g = grad(lambda y: y**3)(x * x)
    g.backward()
    assert (g.data, x.grad) == (3 * 16.0, 6 * 4.0 * 4.0)


def test_captured_values_are_differentiated_through():
    w = Value(3.0)
    g = grad(lambda x: w * x * x)(2.0)
    assert g.data == 12.0
    g.backward()
    assert w.grad == 4.0


def test_captured_constants_leave_results_floats():
    w = Value(3.0).detach()
    assert type(grad(lambda x: w * x * x)(2.0)) is float


def test_cotangents_and_tangents_that_are_values_are_differentiated_through():
    v = Value(5.0)
    jvp(lambda x: x**3, (2.0,), (v,))[1].backward()
    _, pullback = vjp(lambda x: x**3, 2.0)
    assert v.grad == 12.0
    pullback(v)[0].backward()
    assert v.grad == 24.0
    assert pullback(1.0) == (12.0,)


def test_transforms_write_no_grad_and_leave_the_arguments_as_they_were():
    x, w = Value(2.0), Value(3.0)
    y = w * 2
    x.grad = w.grad = y.grad = 7.0
    for result in (grad(lambda x: x * y)(x), hessian(lambda x: x * x * y)(x), hvp(lambda x: x * x * w, x, 1.0)):
        assert isinstance(result, Value)
    assert (x.grad, w.grad, y.grad) == (7.0, 7.0, 7.0)
    arrays = np.array([1.0, 2.0])
    grad(lambda a: (a * a).sum())(arrays)
    assert arrays.dtype == float


def test_a_failing_function_leaves_nothing_behind():
    kept = []

    def fails(x):
        kept.append(x)
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        grad(fails)(1.0)
    assert type(grad(lambda x: x * kept[0])(2.0)) is float  # the variable that escaped is a constant by now


# --- structures -----------------------------------------------------------------------------------------------------


def test_gradient_has_the_structure_of_the_argument():
    tree = {"a": [1.0, (2.0, 3)], "p": Point(4.0, [5.0]), "n": None, "m": np.array([[6.0, 7.0]])}

    def f(t):
        return t["a"][0] * t["a"][1][0] * t["a"][1][1] + t["p"].x * t["p"].y[0] + np.sum(t["m"] * [[1, 10]])

    value, gradient = value_and_grad(f)(tree)
    assert value == 6 + 20 + 76
    assert gradient["a"] == [6.0, (3.0, 2.0)]
    assert gradient["p"] == Point(5.0, [4.0])
    assert gradient["n"] is None
    assert np.array_equal(gradient["m"], [[1.0, 10.0]])
    assert gradient["m"].dtype == float


def test_what_a_function_ignores_has_zeros_of_the_right_structure():
    x, y = np.ones((2, 3)), {"a": 1.0}
    by_x, by_y = grad(lambda x, y: 5.0, argnums=(0, 1))(x, y)
    assert np.array_equal(by_x, np.zeros((2, 3)))
    assert by_y == {"a": 0.0}
    assert np.array_equal(jacobian(lambda x: x[0])(x), np.eye(6)[:3].reshape(3, 2, 3))
    assert jvp(lambda x: [1.0, x], (2.0,), (3.0,)) == ([1.0, 2.0], [0.0, 3.0])
    assert hessian(lambda x: x[0] + 1)([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]


def test_argnums_select_arguments_also_from_the_end():
    def f(x, y, scale=1.0):
        return scale * x * y**2

    assert grad(f, argnums=1)(2.0, 3.0) == 12.0
    assert grad(f, argnums=-1)(2.0, 3.0) == 12.0
    assert grad(f, argnums=(1, 0))(2.0, 3.0, scale=10.0) == (120.0, 90.0)
    assert jacobian(f, argnums=[0])(2.0, 3.0) == (9.0,)
    assert hessian(f, argnums=(0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))


def test_integers_in_other_arguments_stay_integers():
    assert grad(lambda xs, i: xs[i] ** 2)([3.0, 4.0], 1) == [0.0, 8.0]


@pytest.mark.parametrize("mode", ["forward", "reverse", None])
@pytest.mark.parametrize(
    ("out", "inp"), [((), ()), ((2,), ()), ((), (3,)), ((2, 2), (3,)), ((2,), (3, 2)), ((0,), (2,))]
)
def test_jacobian_of_arrays_has_the_shape_of_the_result_and_of_the_argument(mode, out, inp):
    rng = np.random.default_rng(0)
    weights, x = rng.normal(size=out + inp), rng.normal(size=inp)

    def f(x):
        return np.tensordot(weights, x, x.ndim) * 1.0 if inp else weights * x

    matrix = jacobian(f, mode=mode)(x if inp else float(x))
    assert np.shape(matrix) == out + inp
    assert np.array_equal(matrix, weights)


def test_jacobian_of_structures_nests_that_of_the_argument_in_that_of_the_result():
    result = jacobian(lambda p: {"s": p["a"] * p["b"][1], "v": p["b"] * p["b"]})({"a": 2.0, "b": np.array([3.0, 5.0])})
    assert result["s"]["a"] == 5.0
    assert np.array_equal(result["s"]["b"], [0.0, 2.0])
    assert np.array_equal(result["v"]["a"], [0.0, 0.0])
    assert np.array_equal(result["v"]["b"], [[6.0, 0.0], [0.0, 10.0]])


def test_vjp_and_jvp_take_and_return_structures():
    def f(p, x):
        return {"y": p[0] * x, "z": [p[1]]}

    value, pullback = vjp(f, [2.0, 3.0], 5.0)
    assert value == {"y": 10.0, "z": [3.0]}
    assert pullback({"z": [10.0], "y": 1.0}) == ([5.0, 10.0], 2.0)  # the order of keys is free
    assert jvp(f, ([2.0, 3.0], 5.0), ([1.0, 0.5], 0.0)) == (value, {"y": 5.0, "z": [0.5]})


def test_results_used_twice_or_returned_as_they_came_are_counted_right():
    def f(x):
        y = x * x
        return [y, y, x, 2.0]

    for mode in ("forward", "reverse"):
        assert jacobian(f, mode=mode)(3.0) == [6.0, 6.0, 1.0, 0.0]
    assert vjp(f, 3.0)[1]([1.0, 10.0, 100.0, 1000.0]) == (166.0,)


# --- Modules --------------------------------------------------------------------------------------------------------


@pytest.fixture
def model():
    return MLP(2, [3, 1], activation="tanh", rng=1)


def squared_error(model, x, y):
    return (model(x) - y) ** 2 + 0.1 * ag.sum([p * p for p in model.parameters()])


def test_gradient_of_a_module_is_a_dict_by_name_and_equals_backward(model):
    value, gradient = value_and_grad(squared_error)(model, [1.0, -2.0], 0.5)
    assert list(gradient) == list(dict(model.named_parameters()))
    assert grads(model) == dict.fromkeys(gradient, 0.0)
    loss = squared_error(model, [1.0, -2.0], 0.5)
    loss.backward()
    assert (value, gradient) == (loss.data, grads(model))


def test_module_derivatives_of_second_order_agree(model):
    args = (model, [1.0, -2.0], 0.5)
    gradient = grad(squared_error)(*args)
    direction = {name: float(i % 3) for i, name in enumerate(gradient)}
    along = hvp(lambda model: squared_error(model, *args[1:]), model, direction)
    whole = hessian(squared_error)(*args)
    assert type(whole["layers.1.neurons.0.b"]["layers.0.neurons.0.b"]) is float
    for name, row in whole.items():
        expected = sum(entry * direction[other] for other, entry in row.items())
        assert along[name] == pytest.approx(expected, abs=1e-12)


def test_a_module_in_another_argument_keeps_its_parameters_and_results_floats(model):
    value, gradient = value_and_grad(squared_error, argnums=1)(model, [1.0, -2.0], 0.5)
    assert value == squared_error(model, [1.0, -2.0], 0.5).data
    assert [type(g) for g in gradient] == [float, float]


def test_an_outer_gradient_reaches_the_parameters_of_a_module_in_an_inner_transform(model):
    def penalty(model):
        return ag.sum([g * g for g in grad(lambda x: model(x))([1.0, -2.0])])

    direct = grad(penalty)(model)
    inner = grad(lambda m: ag.sum([g * g for g in grad(lambda m, x: m(x), argnums=1)(m, [1.0, -2.0])]))(model)
    assert inner == direct
    assert any(direct.values())


def test_a_captured_module_is_differentiated_through(model):
    slope = grad(lambda x: model([x, 1.0]))(0.5)
    (slope * slope).backward()
    assert any(grads(model).values())


def test_gradient_of_a_module_with_many_outputs_through_jacobian():
    layer = Layer(2, 2, nonlin=False)
    matrix = jacobian(lambda layer, x: layer(x))(layer, [10.0, 20.0])
    weights = {name: [row[name] for row in matrix] for name in matrix[0]}
    assert sorted(map(tuple, weights.values())) == sorted([(10.0, 0.0), (20.0, 0.0), (1.0, 0.0), (0.0, 10.0),
                                                           (0.0, 20.0), (0.0, 1.0)])  # fmt: skip


# --- work follows the graph -----------------------------------------------------------------------------------------


def test_jacobian_sweeps_the_way_that_carries_less(monkeypatch):
    swept = []
    for name in ("pullback", "pushforward"):
        walk = getattr(ag.transforms.call, name)
        monkeypatch.setattr(
            ag.transforms.call, name, lambda *args, name=name, walk=walk: swept.append(name) or walk(*args)
        )
    jacobian(lambda x: [x, x, x])(1.0)
    jacobian(lambda x: x[0])([1.0, 2.0, 3.0])
    assert swept == ["pushforward", "pullback"]


@pytest.mark.parametrize("mode", ["forward", "reverse", None])
def test_jacobian_of_an_elementwise_function_visits_each_local_derivative_once(mode, monkeypatch):
    visited = []
    carry = ag.derivatives.carry
    monkeypatch.setattr(ag.derivatives, "carry", lambda x, *args: visited.append(type(x) is float) or carry(x, *args))
    n = 2000
    x = [0.001 * i for i in range(n)]
    matrix = np.array(jacobian(lambda xs: [ag.sin(x) * x for x in xs], mode=mode)(x))
    assert n < sum(visited) <= 8 * n  # entries; the rows that hold them are carried, too
    assert np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0
    assert matrix.shape == (n, n)
    assert np.allclose(np.diag(matrix), np.sin(x) + x * np.cos(x), rtol=1e-14)


def test_long_chains_need_no_recursion():
    def f(x):
        for _ in range(20_000):
            x = x * 1.0001
        return x

    assert grad(f)(1.0) == pytest.approx(1.0001**20_000)
    assert jvp(f, (1.0,), (1.0,))[1] == grad(f)(1.0)
    assert jacobian(f, mode="forward")(1.0) == jacobian(f, mode="reverse")(1.0) == grad(f)(1.0)


# --- zero times infinity --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [0.0, Value(0.0)])
def test_a_branch_not_taken_contributes_zero_in_every_mode_and_order(x):
    def f(x):
        return ag.where(x > 0, ag.sqrt(x), 0.0) + x * x

    found = [grad(f)(x), jvp(f, (x,), (1.0,))[1], vjp(f, x)[1](1.0)[0]]
    found += [jacobian(f, mode=mode)(x) for mode in ("forward", "reverse")]
    assert data(found) == [0.0] * 5


@pytest.mark.parametrize("kind", [float, Value])
def test_a_number_that_happens_to_be_zero_times_an_infinite_derivative_is_nan(kind):
    def sqrt_times(x, y):
        return ag.sqrt(x) * y

    assert math.isnan(data(grad(sqrt_times)(kind(0.0), kind(0.0))))
    assert math.isnan(data(jvp(sqrt_times, (kind(0.0), 2.0), (0.0, 1.0))[1]))
    assert math.isnan(data(vjp(lambda x: [ag.sqrt(x), x], kind(0.0))[1]([0.0, 1.0])[0]))


def test_forward_mode_stops_at_what_it_differentiates_by():
    x = Value(2.0)
    y = x * x
    z = y * x
    assert ag.derivatives.pushforward([z], [x, y], [1.0, 10.0], ag.derivatives.recorded_partials) == [4.0 + 20.0]
    assert ag.derivatives.pushforward([z], [x, y], [1.0, 10.0])[0].data == 24.0


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda x: [x, x])(1.0), TypeError, r"list of 2 entries .* jacobian\(f\)"),
        (lambda: grad(lambda x: x)(np.ones(3)), TypeError, r"array of shape \(3,\); jacobian"),
        (lambda: grad(lambda x: "a")(1.0), TypeError, "the result of <lambda> takes a real number, got str 'a'"),
        (lambda: grad(lambda x: None)(1.0), TypeError, "got None; jacobian"),
        (lambda: grad(math.exp)(1.0), TypeError, "autograd.exp"),
        (lambda: grad(lambda x: x, 2)(1.0), ValueError, "argnums=2 asks for argument 2 .* called with 1 positional"),
        (lambda: grad(lambda x: x, (0, -2))(1.0), ValueError, r"argnums=\(0, -2\) asks for argument -2"),
        (lambda: grad(lambda x: x, (0, -1))(1.0), ValueError, r"argnums=\(0, -1\) names .* twice"),
        (lambda: grad(lambda x: x, "x")(1.0), TypeError, r"argnums must be .* got 'x'; argnames takes names"),
        (lambda: grad(lambda x: x["a"])({"a": 1.0, "b": "text"}), TypeError, "<lambda> takes a real number, got str"),
        (lambda: grad(lambda x: x)(1j), TypeError, "got complex"),
        (lambda: jvp(lambda x: x[0], ([1.0],), ([1.0, 2.0],)), ValueError, r"tangents\[0\] has 2 entries"),
        (lambda: jvp(lambda x: x, (1.0,), ([1.0],)), ValueError, r"tangents\[0\] is a list .* where a number"),
        (lambda: jvp(lambda x: x, (1.0,), ("a",)), TypeError, "tangents takes a real number, got str"),
        (lambda: jvp(lambda x: x, 1.0, 1.0), TypeError, r"jvp takes the primals as a tuple, .* got a number"),
        (lambda: hvp(lambda a: a.sum(), np.ones(2), np.ones(3)), ValueError, r"shape \(3,\), where shape \(2,\)"),
        (lambda: vjp(lambda x: {"a": x}, 1.0)[1]({"b": 1.0}), ValueError, r"cotangent has 1 entries \(\['b'\]\)"),
        (lambda: vjp(lambda x: x, 1.0)[1](None), ValueError, "the cotangent is None, where a number is expected"),
        (lambda: jacobian(lambda x: x, mode="both"), ValueError, "mode must be .* got 'both'"),
    ],
)
def test_errors_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_transformed_functions_keep_name_and_docs():
    def loss(x):
        """What it costs."""
        return x

    for transform in (grad, value_and_grad, jacobian, hessian, vmap):
        assert (transform(loss).__name__, transform(loss).__doc__) == ("loss", "What it costs.")


def test_data_of_results_reads_any_structure():
    assert data(value_and_grad(lambda x: x * x)(Value(3.0))) == (9.0, 6.0)
