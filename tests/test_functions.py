"""The functions: on floats, on Values and with wrong arguments; the n-ary ones and those made of several primitives."""

import builtins
import inspect
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import autograd
from autograd import Primitive, Value, gradients
from autograd.primitives import TABLE


def names(text):
    return text.split()


UNARY = names(
    "sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
    "erf erfc abs sign relu leaky_relu elu sigmoid logit logsigmoid softplus silu gelu detach square "
    "floor ceil trunc round erfinv gamma lgamma digamma"
)
BINARY = names("atan2 hypot copysign maximum minimum mod fmod logaddexp")
OF_MANY = names("sum mean var std prod norm logsumexp max min")
OTHERS = names("clip where take dot softmax log_softmax cumsum power heaviside degrees radians interp cov gradient")
QUESTIONS = names("isnan isinf isfinite isclose allclose")
SPELLINGS = {
    **{f"arc{name}": f"a{name}" for name in names("sin cos tan sinh cosh tanh tan2")},
    "absolute": "abs", "fabs": "abs", "float_power": "power", "deg2rad": "radians", "rad2deg": "degrees",
    "rint": "round", "remainder": "mod",
}  # fmt: skip
STABLE = [-1e308, -1000.0, -30.0, -1e-300, 0.0, 1e-300, 30.0, 1000.0, 1e308]


def test_every_function_of_the_design_is_public_and_documented_with_an_example():
    for name in UNARY + BINARY + OF_MANY + OTHERS + QUESTIONS:
        assert (name in autograd.__all__) != hasattr(builtins, name), "a star import leaves Python's own alone"
        assert ">>>" in inspect.getdoc(getattr(autograd, name)), name


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_numpys_spelling_is_the_same_function(spelling):
    assert spelling in autograd.__all__
    assert hasattr(np, spelling)
    assert getattr(autograd, spelling) is getattr(autograd, SPELLINGS[spelling])


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("x", [0.25, 1, True, Fraction(1, 2), np.float64(0.75), np.int64(1)], ids=repr)
def test_function_of_a_number_is_a_float_and_of_a_value_a_value_of_the_same_data(name, x):
    function = getattr(autograd, name)
    result, node = function(x), function(Value(x))
    assert type(result) is float
    assert type(node) is Value
    assert node.data == result or (math.isnan(result) and math.isnan(node.data))


@pytest.mark.parametrize("name", BINARY)
def test_function_of_two_takes_numbers_and_values_on_either_side(name):
    function = getattr(autograd, name)
    assert type(function(1, 2)) is float
    for operands in [(Value(1), 2), (1, Value(2)), (Value(1), Value(2))]:
        assert function(*operands).data == function(1.0, 2.0)


@pytest.mark.parametrize("name", OF_MANY)
def test_function_of_many_takes_any_iterable_of_numbers_and_values(name):
    function = getattr(autograd, name)
    expected = function([1.0, 2.0, 3.0])
    assert type(expected) is float
    values: Any
    for values in [(1, 2, 3), iter([1, 2.0, 3]), np.array([1.0, 2.0, 3.0]), np.array([[1, 2, 3]]), range(1, 4)]:
        result = function(values)
        assert type(result) is float
        assert result == expected
    for values in [[Value(1), 2, Value(3)], (Value(x) for x in (1, 2, 3)), np.array([Value(1), 2.0, 3.0])]:
        assert function(values).data == expected


@pytest.mark.parametrize("name", ["mean", "var", "std", "logsumexp", "max", "min", "softmax", "log_softmax"])
def test_function_of_no_values_at_all_says_so(name):
    with pytest.raises(ValueError, match=f"{name} needs at least one value"):
        getattr(autograd, name)([])


def test_dot_of_matrices_is_refused_where_it_would_be_the_dot_of_all_their_entries():
    for w, x in [(np.eye(2), np.eye(2)), (np.ones(2), np.eye(2)), (np.eye(2), [1.0, 2.0]), (np.array(2.0), [1.0])]:
        with pytest.raises(ValueError, match=r"dot takes vectors, got an array of shape \(.*\); .*W @ x"):
            autograd.dot(w, x)
    with pytest.raises(TypeError):
        autograd.dot([[1.0]], [[1.0]])


def test_empty_sum_product_norm_and_dot_are_those_of_mathematics():
    assert (autograd.sum([]), autograd.prod([]), autograd.norm([]), autograd.dot([], [])) == (0.0, 1.0, 0.0, 0.0)
    bias = Value(2.0)
    assert autograd.dot([], [], bias=bias).data == 2.0


@pytest.mark.parametrize("name", OF_MANY)
@pytest.mark.parametrize("wrong", [Value(1.0), 2.0, 3])
def test_function_of_many_refuses_a_single_number(name, wrong):
    with pytest.raises(TypeError, match=f"{name} takes one sequence"):
        getattr(autograd, name)(wrong)


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
@pytest.mark.parametrize("wrong", ["1", None, 1j, [1.0]], ids=repr)
def test_function_names_itself_when_given_no_number(name, wrong):
    operands = [wrong] if name in UNARY else [1.0, wrong]
    with pytest.raises(TypeError, match=f"{name}.*{type(wrong).__name__}"):
        getattr(autograd, name)(*operands)


def test_primitive_names_a_wrong_number_of_operands():
    with pytest.raises(TypeError, match=r"hypot takes 2 operands \(x, y\), got 3"):
        TABLE["hypot"](1.0, 2.0, 3.0)


# --- methods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "name"),
    [(name, name) for name in names("sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh")]
    + [(name, name) for name in names("sigmoid relu detach")]
    + [(f"arc{name}", f"a{name}") for name in names("sin cos tan sinh cosh tanh")],
)
def test_method_is_the_function(method, name):
    x = Value(1.0 if name == "acosh" else 0.25)
    assert getattr(x, method)().data == getattr(autograd, name)(x).data
    assert getattr(x, method)().op is TABLE[name]


def test_method_of_two_is_the_function():
    x, y = Value(3.0), Value(4.0)
    assert x.arctan2(y).data == math.atan2(3.0, 4.0)
    assert x.hypot(4.0).data == 5.0


# --- stability --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sigmoid", "logsigmoid", "softplus", "tanh"])
@pytest.mark.parametrize("x", STABLE)
def test_stable_function_neither_overflows_nor_loses_its_derivative(name, x):
    leaf = Value(x)
    node = getattr(autograd, name)(leaf)
    node.backward()
    assert math.isfinite(node.data)
    assert math.isfinite(leaf.grad)


@given(st.lists(st.sampled_from(STABLE), min_size=1, max_size=4))
def test_softmax_and_its_relatives_never_overflow(xs):
    shares = autograd.softmax(xs)
    assert sum(shares) == pytest.approx(1.0, abs=1e-15)
    assert all(0 <= share <= 1 for share in shares)
    assert all(x <= 0 for x in autograd.log_softmax(xs))
    assert autograd.logsumexp(xs) >= max(xs)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=5), st.data())
def test_log_softmax_is_the_logarithm_of_softmax_and_has_its_gradient(xs, data):
    k = data.draw(st.integers(0, len(xs) - 1))
    leaves = [Value(x) for x in xs]
    log_share, share = autograd.log_softmax(leaves)[k], autograd.softmax(leaves)[k]
    assert log_share.data == pytest.approx(math.log(share.data), rel=1e-9, abs=1e-9)
    direct = [g.data for g in gradients(log_share, leaves)]
    through_logarithm = [g.data for g in gradients(autograd.log(share), leaves)]
    expected = [(i == k) - s for i, s in enumerate(autograd.softmax(xs))]
    assert direct == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert through_logarithm == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=4))
def test_gradient_of_logsumexp_is_softmax_to_second_order(xs):
    leaves = [Value(x) for x in xs]
    first = gradients(autograd.logsumexp(leaves), leaves)
    shares = autograd.softmax(xs)
    assert [g.data for g in first] == pytest.approx(shares)
    for i, g in enumerate(first):
        expected = [shares[i] * ((i == j) - shares[j]) for j in range(len(xs))]
        assert [h.data for h in gradients(g, leaves)] == pytest.approx(expected, abs=1e-14)


def test_logsumexp_takes_infinities():
    inf = math.inf
    assert autograd.logsumexp([-inf, 0.0]) == 0.0
    assert autograd.logsumexp([-inf, -inf]) == -inf
    assert autograd.logsumexp([inf, 0.0]) == inf
    assert math.isnan(autograd.logsumexp([math.nan, 0.0]))
    masked = [Value(-inf), Value(0.0), Value(0.0)]
    autograd.logsumexp(masked).backward()
    assert [x.grad for x in masked] == [0.0, 0.5, 0.5]


@pytest.mark.parametrize("name", ["maximum", "minimum", "max", "min", "clip", "relu", "abs", "sign", "hypot", "norm"])
def test_nan_is_passed_on_by_functions_that_compare(name):
    others = {"maximum": 1, "minimum": 1, "max": 1, "min": 1, "clip": 2, "hypot": 1, "norm": 1}.get(name, 0)
    assert math.isnan(TABLE[name](math.nan, *[1.0] * others))
    assert math.isnan(TABLE[name](Value(math.nan), *[1.0] * others).data)
    if name in ("maximum", "minimum", "max", "min"):
        assert math.isnan(TABLE[name](1.0, math.nan))


# --- where, take, dot, clip -------------------------------------------------------------------------------------------


def test_where_selects_by_bools_numbers_and_comparisons():
    x, y = Value(2.0), Value(3.0)
    assert autograd.where(True, x, y).data == 2.0
    assert autograd.where(0, x, y).data == 3.0
    assert autograd.where(x > y, x, y).data == 3.0
    assert autograd.where(np.bool_(True), 1.0, 2.0) == 1.0
    node = autograd.where(x > y, x, y * y)
    node.backward()
    assert (x.grad, y.grad) == (0.0, 6.0)


def test_take_indexes_by_numbers_and_values():
    values: list[Any] = [10.0, Value(20.0), Value(30.0)]
    assert autograd.take(values, 0) == 10.0
    assert autograd.take(values, 1) is values[1]
    node = autograd.take(values, Value(2.0))
    node.backward()
    assert (node.data, values[1].grad, values[2].grad) == (30.0, 0.0, 1.0)


@pytest.mark.parametrize("index", [3, -1, 0.5, math.nan, math.inf, Value(3.0), Value(0.5)], ids=repr)
def test_take_names_an_index_that_does_not_exist(index):
    with pytest.raises(IndexError, match=r"take: the index is .*0 to 2"):
        autograd.take([1.0, 2.0, 3.0], index)


def test_dot_names_different_lengths():
    with pytest.raises(ValueError, match="2 weights for 3 inputs"):
        autograd.dot([1.0, 2.0], [1.0, 2.0, 3.0])


def test_dot_is_one_node():
    w, x, b = [Value(1.0), Value(2.0)], [3.0, 4.0], Value(5.0)
    node = autograd.dot(w, x, bias=b)
    assert (node.data, node.op.name, node.parents) == (16.0, "dot", (b, *w))


def test_learnt_parameters_of_activations_have_derivatives():
    slope, alpha = Value(0.1), Value(2.0)
    autograd.leaky_relu(-3.0, slope).backward()
    autograd.elu(-1.0, alpha).backward()
    assert (slope.grad, alpha.grad) == (-3.0, math.expm1(-1.0))


# --- one's own primitive ----------------------------------------------------------------------------------------------


def test_own_primitive_is_differentiated_to_any_order_and_elementwise_on_arrays():
    cube = Primitive("cube", lambda x: x**3, [lambda out, x: 3 * x * x], symbol="³")
    x = Value(2.0)
    y = cube(x)
    derivatives = [y]
    for _ in range(4):
        derivatives += gradients(derivatives[-1], [x])
    assert [d.data for d in derivatives] == [8.0, 12.0, 12.0, 6.0, 0.0]
    assert y._op == "³"
    assert cube(2.0) == 8.0
    assert cube(np.array([1.0, 2.0])).tolist() == [1.0, 8.0]


def test_own_primitive_of_any_number_of_operands():
    def others(out, *xs):
        return [sum(x for j, x in enumerate(xs) if j != i) for i in range(len(xs))]

    pairs = Primitive("pairs", lambda *xs: sum(x * y for i, x in enumerate(xs) for y in xs[:i]), others)
    xs = [Value(1.0), Value(2.0), Value(4.0)]
    node = pairs(*xs)
    node.backward()
    assert (node.data, [x.grad for x in xs]) == (14.0, [6.0, 5.0, 3.0])


def test_own_primitive_that_goes_wrong_is_named():
    wrong_count = Primitive("lossy", lambda *xs: 0.0, lambda out, *xs: [1.0])
    with pytest.raises(TypeError, match="the rule of lossy gives 1 partials for 2 operands"):
        wrong_count(Value(1.0), Value(2.0))
    no_number = Primitive("chatty", lambda x: "text", [None])
    with pytest.raises(TypeError, match="the result of chatty"):
        no_number(Value(1.0))


def test_there_is_no_public_function_of_numbers_without_a_test_here():
    modules = ("autograd.functions", "autograd.arrays", "autograd.primitives")
    public = {
        name for name in autograd.__all__ if getattr(getattr(autograd, name), "__module__", "").startswith(modules)
    } - {"Primitive"}
    assert public <= {*UNARY, *BINARY, *OF_MANY, *OTHERS, *QUESTIONS, *SPELLINGS}


@pytest.mark.parametrize("length", [autograd.hypot, lambda x, y: autograd.norm([x, y])])
def test_a_component_of_an_infinite_length_has_derivative_zero(length):
    assert autograd.grad(length)(1.0, math.inf) == 0.0
    assert autograd.grad(length)(-1e300, -math.inf) == 0.0
