"""Code written for micrograd runs after its import line is changed."""

import pytest

from autograd import Value


def test_readme_example_of_micrograd_gives_its_three_numbers():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def nodes_and_edges(root):
    """A graph walk as users of micrograd write it for their pictures: sets of Values, recursion over `_prev`."""
    nodes, edges = set(), set()

    def visit(v):
        if v not in nodes:
            nodes.add(v)
            for parent in v._prev:
                edges.add((parent, v))
                visit(parent)

    visit(root)
    return nodes, edges


def test_graph_walk_over_prev_and_op_finds_every_node_once():
    a, b = Value(2.0, label="a"), Value(2.0, label="b")  # equal, but two nodes
    product = a * b
    result = (product + a).relu()
    nodes, edges = nodes_and_edges(result)
    assert len(nodes) == 5
    assert len(edges) == 5
    assert (a, product) in edges
    assert (b, product) in edges
    assert sorted(v._op for v in nodes) == ["", "", "*", "+", "ReLU"]


@pytest.mark.parametrize(
    ("node", "symbol", "parents"),
    [
        (Value(1.0) + Value(2.0), "+", 2),
        (Value(1.0) * 2, "*", 1),
        (Value(1.0) - 2, "-", 1),
        (Value(4.0) ** 2, "**", 1),
        (Value(4.0) / Value(2.0), "/", 2),
        (Value(1.0), "", 0),
    ],
)
def test_op_is_the_symbol_and_prev_the_set_of_parents(node, symbol, parents):
    assert node._op == symbol
    assert type(node._prev) is set
    assert len(node._prev) == parents


def test_parameter_update_as_micrograd_writes_it():
    w = Value(1.0)
    for _ in range(20):
        loss = (w * 3 - 6) ** 2
        w.grad = 0
        loss.backward()
        w.data -= 0.05 * w.grad
    assert w.data == pytest.approx(2.0)
