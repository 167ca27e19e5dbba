"""A leaf that is edited between the forward pass and the derivatives: an error by name, or marked; never a mixture."""

import pytest
from hypothesis import given, strategies as st

import autograd as ag
from autograd import Value, exp, gradients, sin
from autograd.derivatives import out_of_date, pullback, recorded_partials
from autograd.graph import topological_order
from autograd.primitives import TABLE

NUMBERS = st.floats(0.1, 0.9) | st.floats(-3.0, 3.0)


def test_gradients_name_the_leaf_that_was_edited():
    x = Value(2.0, label="x")
    y = exp(x) * x
    x.data = 5.0
    with pytest.raises(RuntimeError, match=r"Value 'x' \(5.0\) was edited after mul = 14.7781121978613 was computed"):
        gradients(y, [x])
    x.data = 2.0
    assert gradients(y, [x])[0].data == pytest.approx(3 * 7.38905609893065)
    assert gradients(exp(x) * x, [x])[0].data == gradients(y, [x])[0].data


def test_a_number_edited_to_the_same_output_counts_as_well():
    x = Value(2.0)
    y = x**2
    x.data = -2.0
    with pytest.raises(RuntimeError, match="was edited"):
        gradients(y, [x])


def test_vjp_names_a_captured_leaf_that_was_edited():
    c = Value(3.0, label="c")
    _, pull = ag.vjp(lambda x: sin(x * c), 2.0)
    assert pull(1.0)[0].data == pytest.approx(3 * 0.9601702866503661)
    c.data = 4.0
    with pytest.raises(RuntimeError, match="'c'"):
        pull(1.0)


def test_backward_gives_the_gradient_at_the_point_of_the_forward_pass():
    x = Value(2.0)
    y = exp(x) * x
    x.data = 5.0
    y.backward()
    assert x.grad == pytest.approx(3 * 7.38905609893065)


@given(st.sampled_from(sorted(TABLE)), st.lists(NUMBERS, min_size=5, max_size=5), st.integers(0, 2), NUMBERS)
def test_derivatives_after_an_edit_are_those_before_it_or_an_error(name, numbers, which, other):
    """No alarm without an edit, and no mixture of two points after one, through every primitive."""
    op = TABLE[name]
    xs = [Value(x) for x in numbers[: op.arity or 5]]
    if name == "take":
        xs[0].data = 1.0
    inner = op(*xs)
    y = sin(inner) * op(*xs) + xs[-1] * inner
    recorded = [g or 0.0 for g in pullback([y], [1.0], xs, recorded_partials)]
    assert [g.data for g in gradients(y, xs)] == pytest.approx(recorded, rel=1e-12, abs=1e-300, nan_ok=True)
    if name == "take":
        return
    xs[which % len(xs)].data = other
    try:
        found = gradients(y, xs)
    except RuntimeError as error:
        assert "was edited after" in str(error)  # noqa: PT017
    else:
        assert [g.data for g in found] == pytest.approx(recorded, rel=1e-12, abs=1e-300, nan_ok=True)


def test_what_was_computed_from_an_edited_leaf_is_out_of_date():
    x, z = Value(2.0), Value(3.0)
    inner = x * x
    y = sin(inner) + z
    apart = z * 2.0
    assert not out_of_date(topological_order([y, apart]))
    x.data = 5.0
    assert out_of_date(topological_order([y, apart])) == {inner, y.operands[0], y}


def test_pictures_mark_what_is_out_of_date():
    pytest.importorskip("graphviz")
    x, z = Value(2.0, label="x"), Value(3.0, label="z")
    y = exp(x) * x + z * 1.5
    for show in (lambda: ag.draw(y).source, lambda: ag.page(y).html):
        x.data = 2.0
        assert "out of date" not in show()
        x.data = 5.0
        assert "out of date" in show()
    with pytest.raises(RuntimeError, match=r"'x' \(5.0\) was edited"):
        ag.chain_rule(y, wrt=x)
    source = ag.draw(y).source
    assert source.count(">out of date<") == 3  # exp, its product and the sum, but not z * 1.5
