"""vmap: which axis counts the examples, how results are put together, and what is refused."""

import functools
from typing import NamedTuple

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, jit, value_and_grad, vmap
from nn import MLP

rng = np.random.default_rng(3)
X, y = rng.normal(size=(5, 3)), rng.normal(size=5)


class Example(NamedTuple):
    x: object
    y: object


def squared_error(w, x, y):
    return (ag.dot(w, x) - y) ** 2


# --- axes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4,), (4, 3), (2, 4, 3)])
def test_any_axis_of_an_array_can_be_mapped(shape):
    a = rng.normal(size=shape)
    for axis in range(-a.ndim, a.ndim):
        assert np.array_equal(vmap(lambda x: x, in_axes=axis)(a), np.moveaxis(a, axis, 0))


def test_any_axis_of_nested_lists_can_be_mapped():
    rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert vmap(ag.sum)(rows) == [6.0, 15.0]
    assert vmap(ag.sum, in_axes=1)(rows) == [5.0, 7.0, 9.0]
    assert vmap(lambda a, b: a * b)([1.0, 2.0], [3.0, 4.0]) == [3.0, 8.0]


def test_none_passes_an_argument_whole():
    seen = []
    w = object()
    vmap(lambda w, x: seen.append(w) or x, in_axes=(None, 0))(w, [1.0, 2.0])
    assert seen == [w, w]


@pytest.mark.parametrize(
    ("in_axes", "arg"),
    [
        (0, {"x": X, "y": y}),
        (({"x": 0, "y": 0},), {"x": X, "y": y}),
        (({"x": 1, "y": 0},), {"x": X.T, "y": y}),
    ],
)
def test_every_part_of_a_structure_is_mapped(in_axes, arg):
    expected = [squared_error([1.0] * 3, *pair) for pair in zip(X, y, strict=True)]
    result = vmap(lambda e: squared_error([1.0] * 3, e["x"], e["y"]), in_axes=in_axes)(arg)
    assert np.array_equal(result, expected)


def test_tuples_namedtuples_and_lists_of_arrays_are_structures():
    expected = [squared_error([1.0] * 3, *pair) for pair in zip(X, y, strict=True)]
    for arg in ((X, y), Example(X, y), [X, y], (X.tolist(), y.tolist())):
        assert vmap(lambda e: squared_error([1.0] * 3, *e))(arg) == pytest.approx(expected, abs=0)
    scaled = vmap(lambda e: e.x[0] * e.y, in_axes=(Example(0, None),))(Example(X, 2.0))
    assert np.array_equal(scaled, 2.0 * X[:, 0])


def test_examples_are_python_numbers_so_that_arithmetic_follows_ieee():
    kinds = vmap(lambda x, i: [type(x) is float, type(i) is int])(np.array([1.0]), np.array([2]))
    assert [k.tolist() for k in kinds] == [[1.0], [1.0]]
    assert vmap(ag.log)(np.zeros(1)) == [-np.inf]


# --- results --------------------------------------------------------------------------------------------------------


def test_results_are_stacked_along_a_new_first_axis():
    result = vmap(lambda x: {"s": x[0], "v": x * x, "t": (x[1], [x[2]])})(X)
    assert np.array_equal(result["s"], X[:, 0])
    assert np.array_equal(result["v"], X * X)
    assert np.array_equal(result["t"][0], X[:, 1])
    assert np.array_equal(result["t"][1][0], X[:, 2])
    assert vmap(lambda x: (x, [x, 2 * x]))([1.0, 2.0]) == ([1.0, 2.0], [[1.0, 2.0], [2.0, 4.0]])


@pytest.mark.parametrize("kind", [list, np.array])
def test_reductions_add_first_to_last(kind):
    xs = kind([1e16, 1.0, -1e16, 3.0])
    assert vmap(lambda x: x, reduce="sum")(xs) == ((1e16 + 1.0) - 1e16) + 3.0
    assert vmap(lambda x: {"a": [x]}, reduce="mean")(xs) == {"a": [(((1e16 + 1.0) - 1e16) + 3.0) / 4]}
    assert np.array_equal(vmap(lambda x: x * X, reduce="sum")(kind([1.0, 2.0])), X + 2 * X)


def test_gradient_of_a_minibatch_is_the_mean_of_the_gradients():
    w = [0.5, -1.0, 2.0]
    value, gradient = value_and_grad(vmap(squared_error, in_axes=(None, 0, 0), reduce="mean"))(w, X, y)
    values, each = vmap(value_and_grad(squared_error), in_axes=(None, 0, 0))(w, X, y)
    assert value == pytest.approx(values.mean(), rel=1e-14)
    assert gradient == pytest.approx([g.mean() for g in each], rel=1e-13)
    assert np.allclose(gradient, 2 * ((X @ w - y)[:, None] * X).mean(axis=0), rtol=1e-12)


def test_modules_are_passed_whole_and_differentiated():
    model = MLP(3, [4, 1], activation="tanh", rng=0)

    def loss(model, x, y):
        return (model(x) - y) ** 2

    gradient = grad(vmap(loss, in_axes=(None, 0, 0), reduce="sum"))(model, X, y)
    each = vmap(grad(loss), in_axes=(None, 0, 0))(model, X, y)
    for name, g in gradient.items():
        assert g == pytest.approx(each[name].sum(), rel=1e-12, abs=1e-14)
    ag.sum(vmap(loss, in_axes=(None, 0, 0))(model, X, y)).backward()
    assert ag.grads(model) == pytest.approx(gradient, rel=1e-12, abs=1e-14)


def test_vmap_nests():
    table = vmap(lambda a: vmap(lambda b: a * b)(y))(X[:, 0])
    assert np.array_equal(table, np.outer(X[:, 0], y))


def test_values_go_through():
    xs = [Value(1.0), Value(2.0)]
    vmap(lambda x: x**3, reduce="sum")(xs).backward()
    assert ag.grads(xs) == [3.0, 12.0]
    assert vmap(lambda x: x**3)(ag.array([1.0, 2.0])).dtype == object


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vmap(ag.exp)([]), "argument 0 is a list of 0 entries .*: a batch without examples"),
        (lambda: vmap(ag.exp, reduce="mean")(np.ones((0, 3))), r"argument 0 is an array of shape \(0, 3\): a batch"),
        (lambda: vmap(squared_error)(X, X, y[:3]), "argument 0 has 5 examples, but argument 2 has 3"),
        (lambda: vmap(lambda e: e)({"x": X, "y": y[:2]}), r"argument 0\['x'\] has 5 examples, but .*\['y'\] has 2"),
        (lambda: vmap(ag.exp)(1.0), "argument 0 is a number without an axis 0; in_axes=None"),
        (lambda: vmap(ag.exp, in_axes=2)(X), r"argument 0 is an array of shape \(5, 3\) without an axis 2"),
        (lambda: vmap(ag.exp, in_axes=1)([1.0]), "without an axis 1"),
        (lambda: vmap(ag.exp, in_axes=-1)([1.0]), "without an axis -1"),
        (lambda: vmap(ag.exp, in_axes=(0, 0))(X), r"in_axes=\(0, 0\) has 2 entries for 1 arguments"),
        (lambda: vmap(ag.exp, in_axes=None)(X), "in_axes=None maps none"),
        (lambda: vmap(ag.exp, in_axes=({"a": 0},))(X), r"in_axes has {'a': 0} for argument 0, which is an array"),
        (
            lambda: vmap(lambda e: e, in_axes=((0,),))((X, y)),
            r"in_axes has \(0,\) for argument 0, which is a tuple of 2",
        ),
        (
            lambda: vmap(lambda e: e, in_axes=({"a": 0},))({"b": X}),
            r"in_axes has {'a': 0} for argument 0, which is a dict",
        ),
        (lambda: vmap(lambda m: m)(MLP(1, [1])), "argument 0 is a MLP .* without an axis 0"),
        (lambda: vmap(lambda x: [x] * int(x))([1.0, 2.0]), "result for example 1 has 2 entries"),
        (lambda: vmap(ag.exp, reduce="max")(X), "reduce must be .* got 'max'"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- keyword arguments and out_axes, as in JAX ------------------------------------------------------------------------


def scaled(x, *, k, offset=0.0):
    return k * x + offset


def test_keyword_arguments_are_mapped_over_their_first_axis():
    k = np.array([1.0, 10.0, 100.0, 1000.0, 1e4])
    expected = k[:, None] * X
    assert np.array_equal(vmap(scaled)(X, k=k), expected)
    assert np.array_equal(vmap(scaled, in_axes=1)(X.T, k=k), expected), "in_axes is of the arguments by position"
    assert np.array_equal(vmap(lambda *, e: e["a"] + e["b"])(e={"a": k, "b": k}), 2 * k)
    assert vmap(lambda x, y: x - y)([5.0, 7.0], y=[1.0, 2.0]) == [4.0, 5.0]
    assert vmap(lambda x, y: x - y, reduce="sum")([5.0, 7.0], y=[1.0, 2.0]) == 9.0


def test_keyword_argument_that_cannot_be_mapped_says_how_to_pass_it_whole():
    with pytest.raises(ValueError, match=r"argument 'k' is a number without an axis 0; .*functools.partial\(f"):
        vmap(scaled)(X, k=3.0)
    assert np.array_equal(vmap(functools.partial(scaled, k=3.0))(X), 3 * X)
    with pytest.raises(ValueError, match="argument 0 has 5 examples, but argument 'k' has 2"):
        vmap(scaled)(X, k=[1.0, 2.0])


OUT_AXES = [0, 1, -1, -2, 2, -3]


@pytest.mark.parametrize("out_axes", OUT_AXES)
def test_results_are_stacked_along_any_axis_in_eager_mode_and_on_lanes(out_axes):
    def f(x):
        return np.outer(x, x[:2])

    expected = np.stack([f(x) for x in X], axis=out_axes)
    assert np.array_equal(vmap(f, out_axes=out_axes)(X), expected)
    pytest.importorskip("llvmlite")
    compiled = ag.jit(vmap(f, out_axes=out_axes))
    assert np.array_equal(compiled(X), expected)
    assert compiled(X).flags.c_contiguous
    assert compiled(X[:3]).shape == np.stack([f(x) for x in X[:3]], axis=out_axes).shape
    assert compiled.cache_info().paths == 1, "on lanes, for any number of them"


def test_out_axes_may_be_a_structure_like_the_result():
    result = vmap(lambda x: {"v": x, "s": (x[0], x[1:])}, out_axes={"v": 1, "s": (0, -1)})(X)
    assert np.array_equal(result["v"], X.T)
    assert np.array_equal(result["s"][0], X[:, 0])
    assert np.array_equal(result["s"][1], X[:, 1:].T)
    both = vmap(lambda x: (x, x), out_axes=(0, 1))(X)
    assert (both[0].shape, both[1].shape) == ((5, 3), (3, 5))


def test_lists_are_stacked_along_any_axis_of_theirs():
    rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert vmap(lambda row: row, out_axes=1)(rows) == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert vmap(lambda row: [row, row], out_axes=1)(rows) == [rows, rows]
    assert vmap(lambda row: [row], out_axes=2)(rows) == [[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]]
    assert vmap(lambda row: (row[0], row), out_axes=(0, 1))(rows) == ([1.0, 4.0], [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    assert vmap(lambda row: [row, 7.0], out_axes=[1, None])(rows) == [[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]], 7.0]


def test_none_returns_once_what_is_the_same_for_all():
    w = np.array([1.0, np.nan])
    pytest.importorskip("llvmlite")
    for transform in (lambda f: f, jit):
        f = transform(vmap(lambda w, x: (w, 2 * w[0], x), in_axes=(None, 0), out_axes=(None, None, 0)))
        whole, double, stacked = f(w, X)
        assert np.array_equal(whole, w, equal_nan=True)
        assert double == 2.0
        assert np.array_equal(stacked, X)
        with pytest.raises(ValueError, match="out_axes is None for a result that"):
            transform(vmap(lambda x: x[0], out_axes=None))(X)
    assert vmap(lambda w, x: w, (None, 0), None)(3.0, [1.0, 2.0]) == 3.0


def test_derivatives_go_through_out_axes_and_keyword_arguments():
    k = np.array([1.0, 2.0, 3.0, 4.0, 5.0])

    def total(x, k):
        return ag.sum(vmap(lambda x, *, k: k * x * x, out_axes=1)(x, k=k)[0])

    assert np.array_equal(grad(total)(X, k), np.where([True, False, False], 2 * k[:, None] * X, 0.0))
    assert grad(total, 1)(X, k) == pytest.approx(X[:, 0] ** 2)
    pytest.importorskip("llvmlite")
    loss = vmap(lambda x, *, y: (x[0] - y) ** 2, reduce="mean")
    compiled = ag.jit(value_and_grad(lambda x, y: loss(x, y=y)))
    value, gradient = compiled(X, y)
    assert value == pytest.approx(np.mean((X[:, 0] - y) ** 2))
    assert gradient[:, 0] == pytest.approx(2 * (X[:, 0] - y) / 5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: vmap(ag.exp, in_axes=False)(X), TypeError, "in_axes has False, where the number of an axis or None"),
        (lambda: vmap(ag.exp, in_axes=(True,))(X), TypeError, "in_axes has True"),
        (lambda: vmap(ag.exp, in_axes=1.0)(X), TypeError, "in_axes has 1.0"),
        (lambda: vmap(ag.exp, in_axes="0")(X), TypeError, "in_axes has '0'"),
        (lambda: vmap(ag.exp, out_axes=True)(X), TypeError, "out_axes has True"),
        (lambda: vmap(ag.exp, 0, "mean")(X), TypeError, "out_axes='mean'; write reduce='mean'"),
        (
            lambda: vmap(ag.exp, out_axes=2)(X),
            ValueError,
            "out_axes has 2, but .* have 2 axes, 0 to 1",
        ),
        (lambda: vmap(ag.sum, out_axes=-2)(X), ValueError, "out_axes has -2, but .* have 1 axes"),
        (
            lambda: vmap(ag.exp, out_axes=-1)([1.0]),
            ValueError,
            "out_axes has -1, an axis that the stacked lists",
        ),
        (lambda: vmap(ag.exp, out_axes=1)([1.0]), ValueError, "out_axes has 1, an axis that the stacked lists"),
        (
            lambda: vmap(lambda x: (x, x), out_axes=(0, 0, 0))(X),
            ValueError,
            r"\(0, 0, 0\) for a result .*2 ent",
        ),
        (lambda: vmap(lambda x: (x, x), out_axes={"a": 0})([1.0]), ValueError, "out_axes has {'a': 0} for a result"),
        (
            lambda: vmap(ag.exp, out_axes=(0,))(X),
            ValueError,
            r"out_axes has \(0,\) for a result that is a",
        ),
        (lambda: vmap(ag.sum, out_axes=1, reduce="sum")(X), ValueError, "out_axes=1 with reduce='sum'"),
    ],
)
def test_axes_that_do_not_fit_are_said(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_out_axes_and_keyword_arguments_are_those_of_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    k = np.arange(1.0, 6.0)
    options = [{}, {"out_axes": 1}, {"out_axes": -1}, {"in_axes": (0,), "out_axes": 1}]
    for how in options:
        ours = vmap(scaled, **how)(X, k=k, offset=k)
        np.testing.assert_allclose(ours, jax.vmap(scaled, **how)(X, k=k, offset=k), rtol=1e-15)

    def f(w, x):
        return {"same": w, "each": w * x}

    ours, theirs = (m(f, (None, 0), {"same": None, "each": 1})(2.0, X) for m in (vmap, jax.vmap))
    assert ours["same"] == theirs["same"]
    np.testing.assert_allclose(ours["each"], theirs["each"], rtol=1e-15)
