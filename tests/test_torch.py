"""Random graphs against PyTorch in double precision."""

import pytest
from hypothesis import assume, given, settings
from references import gradient_and_bound, is_tame, torch_functions
from strategies import expressions

from autograd import Value
from autograd.derivatives import pullback
from autograd.primitives import TABLE

torch = pytest.importorskip("torch", reason="PyTorch is not installed: python -m pip install torch")


def sensitivity(result, xs):
    """How much an error of 1 in any one partial can change each derivative: the sweep with absolute values, at least 1.

    PyTorch computes some partials by formulas that cancel (1 - tanh²), so that they have an absolute error only.
    """

    def at_least_one(node):
        return [None if p is None else max(abs(p), 1.0) for p in node.partials]

    return [g or 0.0 for g in pullback([result], [1.0], xs, at_least_one)]


@settings(max_examples=150)
@given(expressions())
def test_values_and_gradients_equal_those_of_pytorch(expression):
    assume(is_tame(expression))
    exact, bound = gradient_and_bound(expression)
    assume(all(b <= 1e-9 * (1 + abs(g)) for g, b in zip(exact, bound, strict=True)))

    xs = [Value(x) for x in expression.inputs]
    result = expression.evaluate(TABLE, xs)
    result.backward()

    def tensor(x):
        return torch.tensor(x, dtype=torch.float64)

    leaves = [tensor(x).requires_grad_() for x in expression.inputs]
    expected = expression.evaluate(torch_functions(), leaves, tensor)
    if expected.requires_grad:
        expected.backward()

    assert result.data == pytest.approx(expected.item(), rel=1e-9, abs=1e-9)
    for x, leaf, b, scale in zip(xs, leaves, bound, sensitivity(result, xs), strict=True):
        gradient = 0.0 if leaf.grad is None else leaf.grad.item()
        assert abs(x.grad - gradient) <= float(b) + 1e-12 * scale, (x.grad, gradient)


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("relu", [0.0]),
        ("abs", [0.0]),
        ("sign", [0.0]),
        ("norm", [0.0, 0.0]),
        ("maximum", [2.0, 2.0]),
        ("minimum", [2.0, 2.0]),
        ("max", [2.0, 1.0, 2.0, 2.0]),
        ("min", [1.0, 1.0, 3.0]),
        ("clip", [0.0, 0.0, 1.0]),
        ("clip", [1.0, 0.0, 1.0]),
        ("prod", [0.0, 3.0, 2.0]),
        ("pow", [0.0, 0.0]),
        ("pow", [0.0, 2.0]),
        ("sqrt", [0.0]),
    ],
)
def test_convention_at_a_kink_is_that_of_pytorch(name, operands):
    xs = [Value(x) for x in operands]
    TABLE[name](*xs).backward()
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in operands]
    torch_functions()[name](*leaves).backward()
    assert [x.grad for x in xs] == pytest.approx([leaf.grad.item() for leaf in leaves])
