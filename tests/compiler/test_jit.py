"""jit from the outside: what it returns, what it refuses, and what it never gets silently wrong."""

import functools
import itertools
import math
import operator
import random
import threading

import numpy as np
import pytest

import autograd
from autograd import (
    Primitive,
    Value,
    dot,
    exp,
    grad,
    hessian,
    jacobian,
    jit,
    relu,
    sin,
    sqrt,
    take,
    tanh,
    value_and_grad,
    vmap,
    where,
)  # fmt: skip
from autograd.tracing import tracing
from tests.compiler.conftest import TARGETS, same_bits

rng = np.random.default_rng(0)


def example(w, x, y):
    return (dot(list(w), list(x)) - y) ** 2


def batch(n, features=2):
    return rng.normal(size=(n, features)), rng.normal(size=n)


# --- transforms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian, lambda f: grad(grad(f))])
def test_jit_nests_with_transforms_of_a_function_of_a_number(transform):
    f = transform(lambda x: x * sin(x) + exp(-x))
    for x in (0.3, 2.0, -1.5):
        assert np.allclose(jit(f)(x), f(x), rtol=1e-14)


@pytest.mark.parametrize("transform", [jacobian, hessian])
def test_jit_nests_with_transforms_of_a_function_of_an_array(transform):
    def f(x):
        return x[0] ** 2 * x[1] + sin(x[1] * x[2])

    x = np.array([2.0, 3.0, 0.5])
    assert np.allclose(jit(transform(f))(x), transform(f)(x), rtol=1e-14)
    assert jit(transform(f))(x).shape == transform(f)(x).shape


def test_grad_of_a_compiled_function_goes_through_the_plain_one():
    f = jit(lambda x: x**3)
    assert grad(f)(2.0) == 12.0
    x = Value(2.0)
    f(x).backward()
    assert x.grad == 12.0


def test_structures_of_arguments_and_results_come_back():
    f = jit(lambda p, n, mode: {"sum": p["w"][0] + p["b"], "pair": (p["w"], mode), "flag": p["b"] > 0, "n": n})
    result = f({"w": [1.0, 2.0], "b": 3.0}, 7, "text")
    assert result == {"sum": 4.0, "pair": ([1.0, 2.0], "text"), "flag": True, "n": 7}
    assert type(result["flag"]) is bool


def test_a_change_of_structure_between_calls_compiles_anew():
    f = jit(lambda xs, n: sum(x**n for x in xs))
    assert f([1.0, 2.0], 2) == 5.0
    assert f([1.0, 2.0, 3.0], 2) == 14.0
    assert f([1.0, 2.0], 3) == 9.0
    assert f((1.0, 2.0), True) == 3.0
    assert f(np.array([1.0, 2.0]), 2) == 5.0
    assert f.cache_info().structures == 4  # another int is no other structure


# --- vmap ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduce", ["mean", "sum"])
@pytest.mark.parametrize("n", [1, 3, 8, 13, 104, 1024, 1025, 3000])
def test_reduced_gradients_of_batches_of_any_size(n, reduce):
    X, y = batch(n)
    f = value_and_grad(vmap(example, in_axes=(None, 0, 0), reduce=reduce))
    w = np.array([0.5, -0.25])
    value, gradient = jit(f)(w, X, y)
    expected, expected_gradient = f(w, X, y)
    assert math.isclose(value, expected, rel_tol=1e-13)
    assert np.allclose(gradient, expected_gradient, rtol=1e-12)


@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_a_sum_of_negative_zeros_is_a_positive_zero_as_in_eager_mode(reduce):
    f = vmap(lambda x: x, reduce=reduce)
    X = np.full(9, -0.0)
    assert math.copysign(1.0, jit(f)(X)) == math.copysign(1.0, f(X)) == 1.0


def test_stacked_results_are_bit_identical_to_eager_ones():
    X, y = batch(21)
    f = vmap(value_and_grad(lambda w, x, y: relu(dot(list(w), list(x)) - y) / sqrt(y * y + 1.0)), in_axes=(None, 0, 0))
    w = np.array([0.5, -0.25])
    for computed, expected in zip(jit(f)(w, X, y), f(w, X, y), strict=True):
        assert np.array_equal(computed, expected)
        assert computed.shape == expected.shape


def test_vmap_of_jacobian():
    f = vmap(jacobian(lambda x: [x[0] * x[1], sin(x[0])]))
    X = rng.normal(size=(11, 2))
    for computed, expected in zip(jit(f)(X), f(X), strict=True):
        assert np.allclose(computed, expected, rtol=1e-14)


def test_one_compilation_serves_all_batch_sizes_and_widths_do_not_matter():
    f = value_and_grad(vmap(example, in_axes=(None, 0, 0), reduce="mean"))
    w = np.array([0.5, -0.25])
    compiled = {name: jit(f, target=target) for name, target in TARGETS.items()}
    for n in (5, 100, 2500):
        X, y = batch(n)
        results = {(value, *gradient) for value, gradient in (g(w, X, y) for g in compiled.values())}
        assert len(results) == 1, f"{n} examples give {results}"
    assert {g.cache_info().paths for g in compiled.values()} == {1}


def added_in_order(terms):
    """The order of reductions: tiles of 64 terms, blocks of 16 tiles, groups of 256 blocks, each in their order."""
    parts = [tile_sum(terms[i : i + 64]) for i in range(0, len(terms), 64)]
    for size in (16, 256, len(parts)):
        parts = [functools.reduce(operator.add, parts[i : i + size]) for i in range(0, len(parts), size)]
    return parts[0]


def tile_sum(terms):
    """Eight partial results, added in pairs."""
    partial = [functools.reduce(operator.add, terms[i::8], -0.0) for i in range(8)]
    halves = [partial[i] + partial[i + 4] for i in range(4)]
    return (halves[0] + halves[2]) + (halves[1] + halves[3])


def test_sums_over_a_batch_are_added_in_the_same_order_everywhere(target):
    def f(w, x, y, z):
        product = x * y
        return w[0] * product + w[1] * (x * z) + w[2] * y + w[3] * (product * z)

    compiled = jit(value_and_grad(vmap(f, in_axes=(None, 0, 0, 0), reduce="sum")), target=target)
    for n in (1, 7, 8, 9, 63, 64, 65, 127, 129, 1000, 1023, 1024, 1025, 2100):
        x, y, z = rng.normal(size=(3, n))
        total, gradient = compiled(np.ones(4), x, y, z)
        terms = [x * y, x * z, y, x * y * z]
        assert gradient.tolist() == [added_in_order(column.tolist()) for column in terms], n
        assert total == added_in_order((((terms[0] + terms[1]) + terms[2]) + terms[3]).tolist()), n


def test_rows_of_every_length_are_read_whichever_of_their_elements_are_needed(target):
    needed = [[0], [0, 1], [2, 0, 1], [5, 0, 2, 3, 4], [9, 10, 1, 2, 3, 4, 5, 6, 0]]
    f = jit(vmap(lambda *rows: [row[i] for row, some in zip(rows, needed, strict=True) for i in some]), target=target)
    for n in (1, 3, 8, 67, 200):
        arrays = [rng.normal(size=(n, length)) for length in (1, 2, 3, 6, 11)]
        expected = [array[:, i] for array, some in zip(arrays, needed, strict=True) for i in some]
        assert np.array_equal(f(*arrays), expected), n


def test_rows_of_results_are_written_whole_whichever_pass_computes_their_elements(target):
    def f(X):
        total = vmap(lambda x: x[0] * x[1], reduce="sum")(X)
        of_all = lambda x: np.array([[x[0], x[1] - total], [x[2] * 2.0, total], [x[0], 0.5]])  # noqa: E731
        return vmap(lambda x: (of_all(x), x[:2], x[2] > 0.0, x[1]), out_axes=(-1, 0, 0, 0))(X)

    compiled = jit(f, target=target)
    for n in (1, 8, 67, 200):
        X = rng.normal(size=(n, 3))
        x, y, z = X.T
        whole, pair, above, second = compiled(X)
        total = added_in_order((x * y).tolist())
        assert np.array_equal(whole, [[x, y - total], [z * 2.0, 0 * x + total], [x, 0 * x + 0.5]]), n
        assert np.array_equal(pair, X[:, :2])
        assert np.array_equal(above, z > 0)
        assert np.array_equal(second, y)
        assert all(array.flags.c_contiguous for array in (whole, pair, second))


def test_groups_of_blocks_are_added_up_before_they_are_added_to_each_other(monkeypatch):
    X = rng.normal(size=600_000)
    expected = added_in_order(X.tolist())
    for threads, memory in ((1, 0), (2, 10_000), (3, 0)):
        monkeypatch.setattr("autograd.compiler.run.kernel.ROWS_MEMORY", memory)
        assert jit(vmap(lambda x: x * 1.0, reduce="sum"), threads=threads)(X) == expected, (threads, memory)


def test_threads_do_not_change_the_result(monkeypatch):
    monkeypatch.setattr("autograd.compiler.run.kernel.THREADS_ABOVE", 0)
    X, y = batch(5000)
    f = value_and_grad(vmap(example, in_axes=(None, 0, 0), reduce="mean"))
    w = np.array([0.5, -0.25])
    one, many = jit(f, threads=1)(w, X, y), jit(f, threads=3)(w, X, y)
    assert one[0] == many[0]
    assert np.array_equal(one[1], many[1])


def test_what_is_the_same_for_all_lanes_is_computed_once():
    def f(w, X):
        return vmap(lambda w, x: exp(w * w) * x, in_axes=(None, 0), reduce="sum")(w, X)

    compiled = jit(value_and_grad(f))
    X = rng.normal(size=64)
    value, gradient = compiled(0.5, X)
    assert np.allclose([value, gradient], value_and_grad(f)(0.5, X), rtol=1e-13)
    assert "call double @exp(" in compiled.llvm_ir(0.5, X)
    assert compiled.lower(0.5, X).operations["exp"] == 1


def test_several_vmaps_and_a_result_that_depends_on_a_reduction():
    def f(w, X, Z):
        mean = vmap(lambda w, x: w * x, in_axes=(None, 0), reduce="mean")(w, X)
        spread = vmap(lambda w, m, x: (w * x - m) ** 2, in_axes=(None, None, 0), reduce="mean")(w, mean, X)
        return sqrt(spread) + vmap(lambda w, z: tanh(w * z), in_axes=(None, 0), reduce="sum")(w, Z)

    X, Z = rng.normal(size=37), rng.normal(size=11)
    assert np.allclose(jit(value_and_grad(f))(0.7, X, Z), value_and_grad(f)(0.7, X, Z), rtol=1e-12)
    assert np.allclose(jit(grad(grad(f)))(0.7, X, Z), grad(grad(f))(0.7, X, Z), rtol=1e-10)


def test_arrays_are_not_copied_and_other_layouts_work():
    f = vmap(lambda x: x[0] - 2.0 * x[1])
    X = rng.normal(size=(10, 2))
    expected = X[:, 0] - 2.0 * X[:, 1]
    compiled = jit(f)
    assert np.array_equal(compiled(X), expected)
    assert np.array_equal(compiled(np.asfortranarray(X)), expected)
    assert np.array_equal(compiled(np.repeat(X, 2, axis=0)[::2]), expected)
    assert np.array_equal(jit(vmap(lambda x: x[0] - 2.0 * x[1], in_axes=1))(np.ascontiguousarray(X.T)), expected)
    assert np.array_equal(compiled(X.astype(np.float32)), (X.astype(np.float32) @ [1.0, -2.0]))
    X.flags.writeable = False
    assert np.array_equal(compiled(X), expected)


def test_results_of_lanes_can_be_looked_into():
    def f(X):
        squares = vmap(lambda x: x * x)(X)
        return squares[0] + squares[-1] + len(squares)

    X = rng.normal(size=5)
    assert jit(f)(X) == X[0] ** 2 + X[-1] ** 2 + 5


def test_nested_vmap_and_arrays_that_are_also_indexed():
    def f(X, Z):
        inner = vmap(lambda x: vmap(lambda z: x * z, reduce="sum")(Z), reduce="sum")(X)
        return inner + X[0] * X.shape[0]

    X, Z = rng.normal(size=6), rng.normal(size=3)
    assert math.isclose(jit(f)(X, Z), f(X, Z), rel_tol=1e-13)


def test_wrong_batches_raise_as_in_eager_mode():
    f = jit(vmap(lambda x, y: x * y, reduce="mean"))
    f(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="without examples"):
        f(np.ones(0), np.ones(0))
    with pytest.raises(ValueError, match="3 examples, but"):
        f(np.ones(3), np.ones(4))


# --- branches --------------------------------------------------------------------------------------------------------


def collatz_like(x):
    """Steps until x is at most 1: the trip count depends on x."""
    steps = 0.0
    while x > 1:
        x = x / 2 if steps < 5 else x - 1
        steps = steps + x
    return steps


def test_a_branch_is_followed_the_other_way_when_the_numbers_say_so():
    f = value_and_grad(lambda x: x * 2.0 if x > 0 else (x - 1 if x < -1 else x * x))
    compiled = jit(f)
    for x in (3.0, -0.5, -2.0, 0.0, -0.0, math.nan, math.inf, 5.0):
        assert np.array_equal(compiled(x), f(x), equal_nan=True), x
    assert compiled.cache_info().paths == 3


def test_loops_whose_trip_count_depends_on_a_number():
    f = value_and_grad(collatz_like)
    compiled = jit(f)
    for x in rng.uniform(0, 30, size=40):
        assert compiled(float(x)) == f(float(x))


@pytest.mark.parametrize("f", [collatz_like, lambda x: 1 / x if abs(x) > 0.5 else sqrt(x)])
def test_each_lane_gets_the_result_of_its_own_branch(f, target):
    X = rng.uniform(-2, 12, size=61)
    mapped = vmap(value_and_grad(f))
    compiled = jit(mapped, target=target)
    for numbers in (X[:5], X, -X):
        for computed, expected in zip(compiled(numbers), mapped(numbers), strict=True):
            assert all(map(same_bits, computed, expected))
    reduced = value_and_grad(vmap(lambda w, x: f(w * x), in_axes=(None, 0), reduce="sum"))
    assert np.allclose(jit(reduced, target=target)(1.5, X), reduced(1.5, X), rtol=1e-12, equal_nan=True)


def test_branches_of_the_same_for_all_lanes_and_after_a_reduction():
    def f(w, X):
        total = vmap(lambda w, x: w * x if w > 1 else w - x, in_axes=(None, 0), reduce="sum")(w, X)
        return total * 2.0 if total > 3 else total * w

    compiled = jit(value_and_grad(f))
    for w in (0.5, 2.0, -3.0, 1.0, 20.0):
        X = rng.normal(size=9) + 1.0
        assert np.allclose(compiled(w, X), value_and_grad(f)(w, X), rtol=1e-12), w


def test_sorting_and_comparing_python_functions_take_paths():
    f = jit(lambda xs: [sorted(xs)[0], max(xs), min(xs)])
    for xs in ([1.0, 3.0, 2.0], [3.0, 2.0, 1.0], [2.0, 2.0, 1.0]):
        assert f(xs) == [min(xs), max(xs), min(xs)]


def test_beyond_the_limit_of_paths_calls_run_plainly_with_one_warning(monkeypatch):
    monkeypatch.setattr("autograd.compiler.jitted.MAX_PATHS", 3)
    compiled = jit(collatz_like)
    numbers = [float(x) for x in range(1, 20)]
    with pytest.warns(RuntimeWarning, match=r"branch at .*test_jit\.py:\d+") as warned:
        results = [compiled(x) for x in numbers]
    assert results == [collatz_like(x) for x in numbers]
    assert len(warned) == 1
    assert compiled.cache_info().paths == 3


# --- never silently wrong --------------------------------------------------------------------------------------------


def test_no_contraction_and_no_reassociation():
    compiled = jit(lambda x, y, z: [x * y + z, (x + y) + z, x - y * z])
    lanes = jit(vmap(lambda x, y, z: [x * y + z, (x + y) + z, x - y * z]))
    numbers = rng.normal(size=(3, 2000)) * 10.0 ** rng.integers(-8, 8, size=(3, 2000))
    columns = lanes(*numbers)
    for i, (x, y, z) in enumerate(numbers.T.tolist()):
        expected = [x * y + z, (x + y) + z, x - y * z]
        assert compiled(x, y, z) == expected
        assert [column[i] for column in columns] == expected


def test_a_zero_adjoint_contributes_zero_whatever_the_partial():
    f = grad(lambda x: where(x > 0, sqrt(x), 0.0))
    assert jit(f)(0.0) == 0.0
    assert np.array_equal(jit(vmap(f))(np.array([0.0, 4.0, -1.0, 0.0])), [0.0, 0.25, 0.0, 0.0])
    total = grad(vmap(lambda w, x: where(x > 0, sqrt(w * x), 0.0), in_axes=(None, 0), reduce="sum"))
    assert jit(total)(1.0, np.array([0.0, 4.0, 0.0])) == 1.0


def test_conditions_combine_as_bools_do():
    def f(x, y):
        a, b = x > 0, y > 0
        return [where(c, x, y) for c in (a & b, a | b, a ^ b, True ^ a, a & True)]

    compiled = jit(f)
    for x, y in itertools.product([-1.0, 2.0], [-3.0, 4.0]):
        assert compiled(x, y) == f(x, y)


def test_captured_leaves_are_read_again_at_every_call():
    w = Value(2.0)
    f = jit(grad(lambda x: w * x * x))
    assert f(1.0) == 4.0
    w.data = 10.0
    assert f(1.0) == 20.0
    g = jit(vmap(lambda x: w * x, reduce="sum"))
    assert g(np.ones(3)) == 30.0
    w.data = 1.0
    assert g(np.ones(3)) == 3.0


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: x * x.data, r"the \.data of Value 'x'.*autograd.detach"),
        (lambda x: (x * x).backward(), "backward.*value_and_grad"),
        (lambda x: x.grad, r"\.grad.*value_and_grad"),
        (lambda x: [1.0, 2.0][x], r"Value 'x' \(1\.0\) cannot index a sequence: use autograd\.take"),
        (lambda x: math.sin(x), "does not convert to a plain number"),
        (lambda x: x * float(f"{x:.1f}"), r"the \.data of Value 'x'"),
        (lambda x: x * len(f"{x}"), r"the \.data of Value 'x'"),
        (Primitive("mystery", math.sin, [lambda out, x: x]), "mystery.*no lowering"),
    ],
)
def test_what_would_be_frozen_is_refused(f, message):
    def named(x):
        return f(x)

    with pytest.raises(TypeError, match=message):
        jit(named)(1.0)


def test_assignment_to_a_captured_leaf_is_refused():
    w = Value(1.0)

    def step(x):
        w.data = 5.0
        return w * x

    with pytest.raises(TypeError, match=r"assigning to the \.data"):
        jit(step)(1.0)


@pytest.mark.parametrize("draw", [random.random, np.random.normal], ids=["random", "numpy"])
@pytest.mark.parametrize("earlier", [0, 1])
def test_a_draw_from_the_global_generators_is_refused(draw, earlier):
    np.random.seed(0)
    for _ in range(earlier):
        draw()
    with pytest.raises(RuntimeError, match="draws from the global random generator"):
        jit(lambda x: x * draw())(1.0)


def test_take_by_a_traced_index():
    f = jit(lambda xs, i: take(xs, i))
    assert f([10.0, 20.0, 30.0], 2.0) == 30.0
    with pytest.raises(IndexError, match=r"the index is 3\.0"):
        f([10.0, 20.0, 30.0], 3.0)
    with pytest.raises(IndexError, match=r"the index is 0\.5"):
        f([10.0, 20.0, 30.0], 0.5)
    lanes = jit(grad(vmap(lambda xs, i: take(xs, i) ** 2, in_axes=(None, 0), reduce="sum")))
    assert lanes([1.0, 2.0, 3.0], np.array([0.0, 2.0, 2.0])) == [2.0, 0.0, 12.0]
    with pytest.raises(IndexError):
        lanes([1.0, 2.0, 3.0], np.array([0.0, 2.0, -1.0]))
    for n in (8, 64, 65, 100, 1024):
        indices = np.arange(n) % 3.0
        assert sum(lanes([1.0, 2.0, 3.0], indices)) == sum(2 * (i + 1.0) for i in indices)
        for wrong in (0, n // 2, n - 1):
            with pytest.raises(IndexError, match=r"the index is 3\.0"):
                lanes([1.0, 2.0, 3.0], np.where(np.arange(n) == wrong, 3.0, indices))


def test_what_stands_behind_the_end_of_a_batch_does_not_matter():
    f = jit(vmap(lambda xs, i: take(xs, i), in_axes=(None, 0), reduce="sum"))
    indices = np.array([0.0, 2.0, 2.0, -1.0, -1.0])
    assert f([1.0, 2.0, 3.0], indices[:3]) == 7.0
    assert f.cache_info().calls == 1  # an illegal index would have been left to the plain function


def test_an_argument_that_is_no_number_is_named():
    with pytest.raises(TypeError, match="set"):
        jit(lambda x: 1.0)({1.0})
    with pytest.raises(TypeError, match="dtype complex"):
        jit(lambda x: 1.0)(np.ones(2, dtype=complex))


def test_two_threads_can_call_one_kernel():
    f = jit(value_and_grad(vmap(example, in_axes=(None, 0, 0), reduce="mean")))
    w = np.array([0.5, -0.25])
    jobs = [batch(40) for _ in range(4)]
    expected = [f(w, *job) for job in jobs]
    wrong = []

    def work(job, right):
        for _ in range(300):
            value, gradient = f(w, *job)
            if value != right[0] or not np.array_equal(gradient, right[1]):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=each) for each in zip(jobs, expected, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_without_llvmlite_the_error_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    for name in [name for name in sys.modules if name.startswith("autograd.compiler.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match=r"jit needs llvmlite.*: python -m pip install llvmlite"):
        autograd.jit(lambda x: x)


def test_a_long_chain_compiles_without_recursion():
    def f(x):
        y = x
        for _ in range(30_000):
            y = y * 0.999 + x
        return y

    assert jit(f)(1.0) == f(1.0)


def test_reports():
    f = jit(value_and_grad(vmap(example, in_axes=(None, 0, 0), reduce="mean")))
    X, y = batch(8)
    w = np.array([0.5, -0.25])
    report = f.lower(w, X, y)
    assert report.needed <= report.merged
    assert "1 vmap" in str(report)
    assert "define void @main" in f.llvm_ir(w, X, y)
    info = f.cache_info()
    assert (info.structures, info.paths) == (1, 1)


def test_arguments_that_are_not_used():
    f = jit(lambda x, y, Z: x * 2.0)
    assert f(1.0, 5.0, np.ones(20)) == 2.0
    g = jit(grad(lambda x, y: y * 2.0))
    assert g([1.0, 2.0], 3.0) == [0.0, 0.0]


def test_a_function_of_no_numbers_at_all():
    assert jit(lambda n: {"n": n, "x": 1.5})(3) == {"n": 3, "x": 1.5}


class Line:
    """A module, and a compiled method."""

    def __init__(self):
        self.w = Value(2.0)

    def named_parameters(self):
        return {"w": self.w}

    @jit
    def __call__(self, x):
        return self.w * x


def test_modules_as_arguments_and_compiled_methods():
    line = Line()
    assert line(3.0) == 6.0
    line.w.data = 5.0
    assert line(3.0) == 15.0
    assert jit(value_and_grad(lambda model, x: model.w * model.w * x))(line, 2.0) == (50.0, {"w": 20.0})
    assert line.w.grad == 0.0


def test_derivatives_by_parameters_are_never_lost_in_a_compiled_function():
    line = Line()
    f = jit(lambda model, x: model.w * model.w * x)
    assert f(line, 1.0) == 4.0
    assert grad(f)(line, 1.0) == {"w": 4.0}
    assert grad(lambda model: jit(lambda x: model.w * x)(3.0))(line) == {"w": 3.0}
    assert grad(lambda w: jit(lambda x: w * x)(3.0))(2.0) == 3.0


def test_the_traced_graph_is_not_kept_in_memory():
    import gc

    def f(x):
        y = x * 123.0
        return {"y": y, "pair": (y, [y, None])}

    compiled = jit(f)
    compiled(1.0)
    kept = [o for o in gc.get_objects() if issubclass(type(o), Value)]  # isinstance would wake lazy objects of others
    assert not any(o.op is not None and 123.0 in o.operands for o in kept)
    assert compiled(2.0) == {"y": 246.0, "pair": (246.0, [246.0, None])}


def test_a_function_that_cannot_be_traced_is_warned_about_once_and_then_left_alone():
    traced = []

    def f(X):
        traced.append(tracing.tracer is not None)
        if traced[-1]:
            raise OSError("not while it is traced")
        return X[0] * 2.0

    compiled = jit(f)
    with pytest.warns(RuntimeWarning, match="f runs without being compiled.*OSError: not while it is traced") as warned:
        results = [compiled(np.array([float(i)])) for i in range(9)]
    assert results == [2.0 * i for i in range(9)]
    assert len(warned) == 1
    assert (warned[0].filename, traced) == (__file__, [False] * 9)  # what the traces wrote was put back


def test_lower_and_llvm_ir_run_nothing(monkeypatch):
    f = jit(value_and_grad(lambda x: exp(x) if x > 0 else sin(x)))
    with monkeypatch.context() as patch:
        patch.setattr("autograd.compiler.path.Kernel", None)
        assert "exp" in f.lower(1.0).operations
        assert "sin" in f.lower(-1.0).operations
        assert "sin" in f.llvm_ir(-2.0)
    assert f.cache_info()[:3] == (0, 1, 2)
    assert f(1.0) == (math.exp(1.0), math.exp(1.0))
    assert f.cache_info()[:3] == (1, 1, 2)
    with pytest.raises(TypeError, match="they hold Values"):
        f.lower(Value(1.0))


def test_code_that_was_not_used_for_longest_is_forgotten(monkeypatch):
    monkeypatch.setattr("autograd.compiler.jitted.MAX_COMPILED", 3)
    f = jit(lambda xs, mode: xs[0] * 2.0)
    for mode in ("a", "b", "c", "a", "d"):
        assert f([1.0], mode) == 2.0
    assert f.cache_info().paths == 3
    seconds = f.cache_info().seconds
    assert f([1.0], "a") == f([1.0], "c") == f([1.0], "d") == 2.0
    assert f.cache_info().seconds == seconds  # b is gone, and no other
    f([1.0], "b")
    assert f.cache_info().seconds > seconds
