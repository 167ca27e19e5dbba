"""Walks over large graphs, repeated and interrupted sweeps, threads."""

import gc
import math
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import autograd
from autograd import Value, gradients, graph
from autograd.derivatives import pullback, pushforward, recorded_partials
from autograd.graph import topological_order
from autograd.primitives import TABLE
from autograd.primitives.gamma import polygamma

MILLION = 1_000_000


@pytest.fixture(scope="module")
def chain():
    """x, and a chain of a million operations on it."""
    x = y = Value(0.5)
    gc.disable()  # tests of depth, not of the collector
    for _ in range(MILLION // 2):
        y = y * 0.999999
        y = y + x
    gc.enable()
    return x, y


def test_chain_of_a_million_nodes_differentiates(chain):
    x, y = chain
    x.grad = 0.0
    y.backward()
    expected = 1.0
    for _ in range(MILLION // 2):
        expected = expected * 0.999999 + 1.0
    assert x.grad == pytest.approx(expected, rel=1e-9)


def test_long_chain_is_walked_forward():
    x = y = Value(0.5)
    for _ in range(50_000):
        y = y * 0.999 + x
    (tangent,) = pushforward([y], [x], [1.0], recorded_partials)
    y.backward()
    assert tangent == pytest.approx(x.grad, rel=1e-12)
    assert len(topological_order([y])) == 100_001


def test_chain_of_a_million_nodes_is_freed_without_recursion():
    x = Value(1.0)
    references = sys.getrefcount(x)
    y = x
    for _ in range(MILLION):
        y = y + 1.0
    del y
    assert sys.getrefcount(x) == references  # and without waiting for the garbage collector: there are no cycles


def test_gradient_graph_of_a_long_chain_is_differentiated_again():
    x = y = Value(1.0)
    for _ in range(20_000):
        y = y * x
    (first,) = gradients(y, [x])
    (second,) = gradients(first, [x])
    assert (y.data, first.data, second.data) == (1.0, 20_001.0, 20_001.0 * 20_000.0)


def test_wide_node_and_widely_shared_leaf():
    x = Value(2.0)
    total = autograd.sum([x * i for i in range(100_000)])
    total.backward()
    assert x.grad == sum(range(100_000))


def test_topological_order_has_each_node_once_and_parents_first():
    x = Value(2.0)
    y = x * x
    result = autograd.dot([y, x], [x, y], bias=y + x)
    order = topological_order([result, y])
    assert len(order) == len(set(order)) == 4
    position = {node: i for i, node in enumerate(order)}
    assert all(position[parent] < position[node] for node in order for parent in node.parents)


# --- repeated and interrupted ---------------------------------------------------------------------------------------


def small_graph():
    x, y = Value(3.0), Value(-2.0)
    shared = x * y
    return x, y, shared, autograd.exp(shared) + shared * x


def test_backward_repeated_k_times_multiplies_the_leaves_exactly():
    x, y, shared, result = small_graph()
    result.backward()
    once = (x.grad, y.grad, shared.grad)
    for k in (2, 3, 4):
        result.backward()
        assert (x.grad, y.grad, shared.grad) == (k * once[0], k * once[1], once[2])


def interrupted_after(lines, call, code):
    """Whether the call was interrupted, as by Ctrl-C, when it had run that many lines of the code of one function."""
    left = lines

    def trace(frame, event, _):
        nonlocal left
        if frame.f_code is not code:
            return None
        left -= event == "line"
        if left < 0:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_backward_interrupted_at_any_line_leaves_the_leaves_what_they_had_and_can_be_repeated():
    x, y, shared, result = small_graph()
    result.backward()
    once = (x.grad, y.grad, shared.grad)
    x.grad, y.grad = 5.0, -7.0
    lines = 0
    while interrupted_after(lines, result.backward, graph.backward.__code__):
        assert (x.grad, y.grad) == (5.0, -7.0), f"after {lines} lines"
        lines += 1
    assert lines > 40
    assert (x.grad, y.grad, shared.grad) == (5.0 + once[0], -7.0 + once[1], once[2])


# --- threads ----------------------------------------------------------------------------------------------------------


def test_threads_build_and_differentiate_disjoint_graphs():
    def derivative(seed):
        x = y = Value(1.0 + seed / 100)
        for _ in range(200):
            y = autograd.sin(y) * x + y
        y.backward()
        (again,) = gradients(y, [x])
        return x.grad, again.data

    one_by_one = [derivative(seed) for seed in range(32)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(derivative, range(32))) == one_by_one
    finally:
        sys.setswitchinterval(interval)


def test_threads_may_build_on_shared_leaves_and_read_gradients_as_graphs():
    weights = [Value(0.1 * i) for i in range(5)]
    barrier = threading.Barrier(4)

    def gradient(k):
        barrier.wait()
        loss = autograd.sum([autograd.tanh(w * k) for w in weights])
        return [g.data for g in gradients(loss, weights)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(gradient, [1.0, 2.0, 3.0, 4.0]))
    for k, row in zip((1.0, 2.0, 3.0, 4.0), results, strict=True):
        assert row == pytest.approx([k * (1 - math.tanh(0.1 * i * k) ** 2) for i in range(5)])
    assert [w.grad for w in weights] == [0.0] * 5


# --- gradients --------------------------------------------------------------------------------------------------------


def test_gradients_of_what_is_no_value_names_it():
    x = Value(1.0)
    with pytest.raises(TypeError, match=r"float 2\.0"):
        gradients(2.0, [x])
    with pytest.raises(TypeError, match=r"got the Value 2\.0: write \[x\] for one"):
        gradients(Value(2.0), Value(2.0))
    with pytest.raises(TypeError, match="str 'x'"):
        gradients(x * 2, ["x"])


def test_gradients_neither_read_nor_write_any_grad():
    x, y, shared, result = small_graph()
    x.grad = 7.0
    found = gradients(result, [x, y, shared])
    assert (x.grad, y.grad, shared.grad) == (7.0, 0.0, 0.0)
    assert all(isinstance(g, Value) for g in found)


def test_gradient_by_an_intermediate_node_and_by_itself():
    _, _, shared, result = small_graph()
    by_shared, by_itself = gradients(result, [shared, result])
    assert by_shared.data == math.exp(shared.data) + 3.0
    assert by_itself.data == 1.0


def test_gradient_by_what_the_result_does_not_depend_on_is_zero():
    x, unrelated = Value(1.0), Value(2.0)
    (found,) = gradients(x * 2, [unrelated])
    assert found.data == 0.0
    assert pullback([x * 2], [1.0], [unrelated]) == [None]


def test_derivatives_of_any_order():
    x = Value(0.3)
    y = autograd.exp(2 * x)
    for order in range(6):
        assert y.data == pytest.approx(2.0**order * math.exp(0.6), rel=1e-14)
        (y,) = gradients(y, [x])


@pytest.mark.parametrize("name", sorted(TABLE))
def test_gradient_of_one_primitive_is_a_graph_of_primitives(name):
    count = TABLE[name].arity or 3
    xs = [Value(x) for x in (1.0, 0.5, 0.75)[:count]]
    result = TABLE[name](*xs)
    known = {*TABLE.values(), polygamma(2)}  # a family without an end, of which the table has the first
    for gradient in gradients(result, xs):
        assert all(node.op is None or node.op in known for node in topological_order([gradient]))
