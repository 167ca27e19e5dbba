"""Values inside NumPy object arrays."""

import math
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value


def values(*numbers):
    return np.array([Value(x) for x in numbers])


def data(array):
    return [x.data for x in array.ravel()]


UFUNCS = [np.sqrt, np.cbrt, np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sin, np.cos, np.tan]
UFUNCS += [np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arctanh]
UFUNCS += [np.abs, np.negative, np.positive, np.square, np.reciprocal, np.conjugate]


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
def test_ufunc_on_an_array_of_values_is_elementwise_and_differentiable(ufunc):
    xs = [0.25, 0.75]
    leaves = values(*xs)
    results = ufunc(leaves)
    assert data(results) == pytest.approx(ufunc(np.array(xs)).tolist(), rel=1e-15)
    for leaf, x, result in zip(leaves, xs, results, strict=True):
        result.backward()
        h = 1e-6
        assert leaf.grad == pytest.approx((ufunc(x + h) - ufunc(x - h)) / (2 * h), rel=1e-7)


@pytest.mark.parametrize("ufunc", UFUNCS[:20], ids=lambda f: f.__name__)
def test_ufunc_on_one_value_returns_a_value(ufunc):
    assert ufunc(Value(0.5)).data == pytest.approx(float(ufunc(0.5)), rel=1e-15)


@pytest.mark.parametrize("ufunc", [np.arccosh])
def test_ufunc_beyond_one(ufunc):
    assert data(ufunc(values(1.5))) == pytest.approx([ufunc(1.5)])


@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.multiply, np.divide, np.power, np.arctan2, np.hypot])
def test_ufunc_of_two_takes_arrays_of_values_and_of_floats_on_either_side(ufunc):
    a, b = np.array([1.5, 2.0]), np.array([0.5, 3.0])
    expected = ufunc(a, b).tolist()
    assert data(ufunc(values(*a), values(*b))) == pytest.approx(expected)
    if ufunc not in (np.arctan2, np.hypot):  # these call a method of the first operand, and a float has none
        assert data(ufunc(a, values(*b))) == pytest.approx(expected)
    assert data(ufunc(values(*a), b)) == pytest.approx(expected)


@pytest.mark.parametrize("scalar", [np.float64(2), np.float32(2), np.int64(2), np.bool_(True)], ids=repr)
def test_numpy_scalar_and_value_give_a_value(scalar):
    v = Value(3.0)
    for result, expected in [
        (scalar * v, float(scalar) * 3.0),
        (scalar + v, float(scalar) + 3.0),
        (scalar - v, float(scalar) - 3.0),
        (scalar / v, float(scalar) / 3.0),
        (scalar**v, float(scalar) ** 3.0),
        (v * scalar, 3.0 * float(scalar)),
        (v - scalar, 3.0 - float(scalar)),
        (v / scalar, 3.0 / float(scalar)),
        (v**scalar, 3.0 ** float(scalar)),
    ]:
        assert type(result) is Value
        assert result.data == expected
    assert bool(scalar < v)
    assert not bool(scalar == v)
    assert bool(v != scalar)


def test_linear_layer_on_arrays():
    W = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = np.array([10.0, 100.0])
    b = values(0.5, -0.5)
    out = np.tanh((W @ x + b) * 1e-3)
    assert data(out) == pytest.approx(np.tanh([0.2105, 0.4295]).tolist())
    out.sum().backward()
    assert autograd.grads(W) == pytest.approx(np.outer(autograd.grads(b), x))
    assert autograd.data(W).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert data(np.array([[1.0, 2.0]]) @ W) == [7.0, 10.0]
    assert (W @ values(1.0, 1.0)).shape == (2,)


def test_value_and_array_broadcast():
    v, a = Value(2.0), np.array([1.0, 2.0, 3.0])
    for result, expected in [(v * a, [2, 4, 6]), (a * v, [2, 4, 6]), (v - a, [1, 0, -1]), (a / v, [0.5, 1, 1.5])]:
        assert isinstance(result, np.ndarray)
        assert data(result) == expected
    greater: Any = v > a
    assert greater.tolist() == [True, False, False]
    assert (a == v).tolist() == [False, True, False]


def test_reductions_and_sorting():
    array = values(3.0, 1.0, 2.0)
    assert array.sum().data == 6.0
    assert array.mean().data == 2.0
    assert array.prod().data == 6.0
    assert array.var().data == pytest.approx(2 / 3)
    assert array.std().data == pytest.approx(math.sqrt(2 / 3))
    assert (array.max() is array[0], array.min() is array[1]) == (True, True)
    assert (array.argmax(), array.argmin()) == (0, 1)
    assert data(np.sort(array)) == [1.0, 2.0, 3.0]
    assert data(np.cumsum(array)) == [3.0, 4.0, 6.0]
    assert np.dot(array, array).data == 14.0
    assert np.linalg.norm(array).data == pytest.approx(math.sqrt(14))
    assert data(np.clip(array, 1.5, 2.5)[[1, 2]][1:]) == [2.0]


def test_inplace_operators_on_an_array():
    array = values(1.0, 2.0)
    array *= 2
    array += values(1.0, 1.0)
    assert data(array) == [3.0, 5.0]


@pytest.mark.parametrize("name", ["exp", "tanh", "relu", "sigmoid", "softplus", "gelu"])
def test_functions_are_elementwise_on_arrays_of_floats_and_of_values(name):
    function = getattr(autograd, name)
    numbers = np.array([[0.5, -1.0], [2.0, 0.0]])
    on_floats = function(numbers)
    assert on_floats.dtype == float
    assert on_floats.shape == (2, 2)
    assert on_floats.tolist() == [[function(x) for x in row] for row in numbers.tolist()]
    on_values = function(np.vectorize(Value, otypes=[object])(numbers))
    assert on_values.shape == (2, 2)
    assert autograd.data(on_values).tolist() == on_floats.tolist()
    assert function(numbers.astype(int)).tolist() == function(np.trunc(numbers)).tolist()


def test_functions_of_two_and_three_broadcast():
    column, row = np.array([[1.0], [5.0]]), np.array([2.0, 3.0])
    assert autograd.maximum(column, row).tolist() == [[2.0, 3.0], [5.0, 5.0]]
    assert autograd.where(column > row, column, 0.0).tolist() == [[0.0, 0.0], [5.0, 5.0]]
    assert autograd.clip(values(-1.0, 0.5, 2.0), 0.0, 1.0)[2].data == 1.0
    assert autograd.hypot(Value(3.0), np.array([4.0]))[0].data == 5.0


def test_functions_of_many_take_arrays():
    array = values(1.0, 2.0, 3.0)
    assert autograd.sum(array).data == 6.0
    assert autograd.logsumexp(array).data == pytest.approx(3.4076059644443806)
    shares = autograd.softmax(array)
    assert isinstance(shares, np.ndarray)
    assert sum(data(shares)) == pytest.approx(1.0)
    assert autograd.softmax(np.array([0.0, 0.0])).tolist() == [0.5, 0.5]
    assert autograd.dot(array, np.array([1.0, 0.0, 1.0])).data == 4.0
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        autograd.softmax(np.zeros((2, 2)))


@pytest.mark.parametrize("convert", [lambda a: a.astype(float), np.isfinite, lambda a: a // 2])
def test_conversion_that_would_drop_the_gradient_is_refused(convert):
    with pytest.raises(TypeError):
        convert(values(1.0, 2.0))
