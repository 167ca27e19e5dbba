"""Where nodes have a __del__, as in a browser, a graph is freed whole and without recursion."""

import gc

import pytest

from autograd import Value, freeing
from autograd.node import Node


@pytest.fixture
def depth(monkeypatch):
    """Nodes are freed as they are in a browser; the deepest nesting of calls is kept."""
    now = deepest = 0

    def freed(node):
        nonlocal now, deepest
        now += 1
        deepest = max(deepest, now)
        freeing.free_operands(node)
        now -= 1

    monkeypatch.setattr(Node, "__del__", freed, raising=False)
    return lambda: deepest


def count():
    return sum(issubclass(type(x), Value) for x in gc.get_objects())  # some objects warn when asked for their class


def chain(x):
    for _ in range(20_000):
        x = x * 1.0001
    return x


def bundle(x):
    """Sums of many operands, nodes that are shared, and what backward leaves."""
    xs = [x] * 3
    for _ in range(2_000):
        total = sum(xs, 0.0)
        xs = [total * 0.5, total.tanh(), -total]
    total = sum(xs, 0.0)
    total.backward()
    return total


@pytest.mark.parametrize("graph", [chain, bundle])
def test_a_graph_is_freed_whole_and_without_recursion(depth, graph):
    gc.collect()
    x = Value(0.5)
    before = count()
    result = graph(x)
    assert count() > before + 5_000
    del result
    assert count() == before
    assert depth() == 2
    assert freeing._waiting == []


def test_a_part_that_is_still_used_stays(depth):
    x = Value(0.5)
    kept = x * 2.0
    del_me = chain(kept)
    del del_me
    kept.backward()
    assert (kept.data, x.grad, kept.operands) == (1.0, 2.0, (x, 2.0))
