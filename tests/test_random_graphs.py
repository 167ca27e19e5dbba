"""Properties of whole random graphs: gradients against 50-digit arithmetic, the rules of calculus, rewritings."""

import math
import struct
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings, strategies as st
from references import gradient_and_bound, hessian, is_tame, value_and_bound
from strategies import Expression, Step, expressions

from autograd import Value, gradients
from autograd.derivatives import pullback, pushforward, recorded_partials
from autograd.primitives import TABLE


def record(expression):
    """The leaves, and the results of all steps."""
    xs = [Value(x) for x in expression.inputs]
    return xs, expression.values(TABLE, xs)


def exact_gradient(expression):
    """The 50-digit gradient and its rounding bound; leaves out wild graphs, and points within rounding of a kink."""
    assume(is_tame(expression))
    exact, bound = gradient_and_bound(expression)
    assume(all(b <= 1e-6 * (1 + abs(g)) for g, b in zip(exact, bound, strict=True)))
    return exact, bound


def assert_within(actual, expected, bound, what="gradient", floor=1e-100):
    for i, (a, e, b) in enumerate(zip(actual, expected, bound, strict=True)):
        assert abs(a - e) <= b + floor, (
            f"{what} {i} is {a!r}, not {float(e)!r}: off by {float(a - e)}, bound {float(b)}"
        )


def bits(numbers):
    """The numbers bit for bit, with one nan."""
    return [struct.pack("<d", math.nan if x != x else x) for x in numbers]


# --- against mpmath ------------------------------------------------------------------------------------------------


def check_gradient(expression):
    xs, values = record(expression)
    exact, bound = exact_gradient(expression)
    value, value_bound = value_and_bound(expression)
    assert_within([values[-1].data], [value], [value_bound], "value")
    values[-1].backward()
    assert_within([x.grad for x in xs], exact, bound)
    assert_within([g.data for g in gradients(values[-1], xs)], exact, bound)


def check_hessian(expression):
    xs, values = record(expression)
    exact_gradient(expression)
    exact = hessian(expression)
    assume(exact is not None)
    for first, row in zip(gradients(values[-1], xs), exact, strict=True):
        second = gradients(first, xs)
        graphs = [Expression.of(g, xs) for g in second]
        assume(all(map(is_tame, graphs)))
        bound = [value_and_bound(graph)[1] for graph in graphs]
        assert_within([g.data for g in second], row, bound, "second derivative", floor=1e-40)


@settings(max_examples=200)
@given(expressions())
def test_gradients_equal_mpmath_within_the_rounding_bound_of_the_graph(expression):
    check_gradient(expression)


# A difference quotient of the gradient sees through detach.
DIFFERENTIABLE_TWICE = sorted(set(TABLE) - {"detach"})


@settings(max_examples=50)
@given(expressions(primitives=DIFFERENTIABLE_TWICE, max_inputs=2, max_steps=5))
def test_second_derivatives_equal_mpmath_within_the_rounding_bound_of_the_graph(expression):
    check_hessian(expression)


@pytest.mark.slow
@settings(settings.get_profile("search"), max_examples=1000)
@given(expressions(max_steps=20))
def test_gradients_equal_mpmath_in_a_long_search(expression):
    check_gradient(expression)


@pytest.mark.slow
@settings(settings.get_profile("search"), max_examples=1000)
@given(expressions(primitives=DIFFERENTIABLE_TWICE, max_inputs=3, max_steps=8))
def test_second_derivatives_equal_mpmath_in_a_long_search(expression):
    check_hessian(expression)


# --- the rules of calculus -----------------------------------------------------------------------------------------


def gradient_of(result, xs):
    """The gradient in doubles, the same in 50 digits, and the rounding bound."""
    exact, bound = exact_gradient(Expression.of(result, xs))
    return [g.data for g in gradients(result, xs)], exact, bound


@settings(max_examples=60)
@given(expressions(), st.floats(-3, 3), st.floats(-3, 3))
def test_gradient_is_linear(expression, a, b):
    xs, values = record(expression)
    f, g = values[-2:]
    combined, _, bound = gradient_of(a * f + b * g, xs)
    (of_f, _, bound_f), (of_g, _, bound_g) = gradient_of(f, xs), gradient_of(g, xs)
    expected = [a * x + b * y for x, y in zip(of_f, of_g, strict=True)]
    allowed = [c + abs(a) * x + abs(b) * y for c, x, y in zip(bound, bound_f, bound_g, strict=True)]
    assert_within(combined, expected, allowed)


@settings(max_examples=60)
@given(expressions())
def test_gradient_of_a_product_follows_the_product_rule(expression):
    xs, values = record(expression)
    f, g = values[-2:]
    combined, _, bound = gradient_of(f * g, xs)
    (of_f, _, bound_f), (of_g, _, bound_g) = gradient_of(f, xs), gradient_of(g, xs)
    expected = [x * g.data + f.data * y for x, y in zip(of_f, of_g, strict=True)]
    allowed = [c + abs(g.data) * x + abs(f.data) * y for c, x, y in zip(bound, bound_f, bound_g, strict=True)]
    assert_within(combined, expected, allowed)


@given(expressions(), expressions(max_inputs=1))
def test_gradient_of_a_composition_is_the_inner_one_seeded_with_the_outer(inner, outer):
    xs, values = record(inner)
    outer.evaluate(TABLE, values[-1:]).backward()

    us = [Value(values[-1].data)]
    outer.evaluate(TABLE, us).backward()
    assume(us[0].grad != 0.0)  # where no derivative flows nothing is computed, and a seed of 0 might meet an inf
    separate, inner_values = record(inner)
    inner_values[-1].backward(gradient=us[0].grad)

    if us[0].grad == 0:  # the seed 0.0 is a number, and 0.0 * nan is nan; from a kink of the outer one nothing flows
        assume(not any(math.isnan(x.grad) for x in separate))
    assert bits(x.grad for x in xs) == bits(x.grad for x in separate)


@given(expressions())
def test_forward_and_reverse_mode_agree(expression):
    xs, values = record(expression)
    _, exact, bound = gradient_of(values[-1], xs)
    for i in range(len(xs)):
        tangents = [float(i == j) for j in range(len(xs))]
        for partials in ({}, {"partials": recorded_partials}):
            (tangent,) = pushforward(values[-1:], xs, tangents, **partials)
            assert_within([getattr(tangent, "data", tangent) or 0.0], [exact[i]], [bound[i]])


# --- the same graph, written otherwise -----------------------------------------------------------------------------


def permuted(expression, order):
    """The steps in another order in which they can be computed."""
    n = len(expression.inputs)
    position, steps, waiting = {i: i for i in range(n)}, [], list(enumerate(expression.steps))
    while waiting:
        ready = [(k, s) for k, s in waiting if all(x in position for x in s.operands if isinstance(x, int))]
        k, step = order.choice([r for r in ready if r[0] != len(expression.steps) - 1] or ready)
        waiting.remove((k, step))
        position[n + k] = n + len(steps)
        steps.append(Step(step.primitive, tuple([position[x] if isinstance(x, int) else x for x in step.operands])))
    return replace(expression, steps=tuple(steps))


def merged(expression):
    """Equal steps computed once."""
    n = len(expression.inputs)
    position, found, steps = {i: i for i in range(n)}, {}, []
    for k, step in enumerate(expression.steps):
        same = Step(step.primitive, tuple([position[x] if isinstance(x, int) else x for x in step.operands]))
        if repr(same) not in found or k == len(expression.steps) - 1:
            found[repr(same)] = n + len(steps)
            steps.append(same)
        position[n + k] = found[repr(same)]
    return replace(expression, steps=tuple(steps))


def unshared(expression):
    """Every use of a result computes it again: a tree."""
    n = len(expression.inputs)
    steps = []

    def compute(x):
        if not isinstance(x, int) or x < n:
            return x
        step = expression.steps[x - n]
        operands = tuple([compute(operand) for operand in step.operands])
        steps.append(Step(step.primitive, operands))
        return n + len(steps) - 1

    compute(n + len(expression.steps) - 1)
    return replace(expression, steps=tuple(steps))


@given(expressions(extreme=True), st.randoms(use_true_random=False))
def test_order_of_the_steps_changes_no_bit(expression, order):
    (xs, values), (others, other_values) = record(expression), record(permuted(expression, order))
    values[-1].backward()
    other_values[-1].backward()
    assert bits([values[-1].data]) == bits([other_values[-1].data])
    assert bits(x.grad for x in xs) == bits(x.grad for x in others)


@pytest.mark.parametrize("rewrite", [merged, unshared])
def test_sharing_and_duplicating_change_a_gradient_by_rounding_only(rewrite):
    @given(expressions(max_steps=7))
    def search(expression):
        xs, values = record(expression)
        values[-1].backward()
        _, exact, bound = gradient_of(values[-1], xs)
        others, other_values = record(rewrite(expression))
        other_values[-1].backward()
        assert bits([values[-1].data]) == bits([other_values[-1].data])
        assert_within([x.grad for x in others], exact, bound)

    search()


@given(expressions())
def test_an_input_split_into_one_leaf_a_use_shares_out_its_derivative(expression):
    xs, values = record(expression)
    _, exact, bound = gradient_of(values[-1], xs)
    leaves = [[] for _ in xs]
    split = []

    def fresh(i):
        leaves[i].append(Value(expression.inputs[i]))
        return leaves[i][-1]

    for step in expression.steps:
        operands = [fresh(x) if isinstance(x, int) and x < len(xs) else x for x in step.operands]
        operands = [split[x - len(xs)] if isinstance(x, int) else x for x in operands]
        split.append(TABLE[step.primitive](*operands))
    split[-1].backward()
    assert_within([math.fsum(leaf.grad for leaf in used) for used in leaves], exact, bound)


# --- the ways to compute, to the bit -------------------------------------------------------------------------------


@given(expressions(extreme=True))
def test_values_compute_as_floats_do(expression):
    _, values = record(expression)
    assert bits(getattr(x, "data", x) for x in values) == bits(expression.values(TABLE))


@given(expressions(extreme=True, max_steps=20))
def test_backward_equals_pullback_of_the_recorded_partials(expression):
    xs, values = record(expression)
    values[-1].backward()
    expected = pullback(values[-1:], [1.0], xs, recorded_partials)
    assert bits(x.grad for x in xs) == bits(0.0 + (g or 0.0) for g in expected)  # a leaf adds to 0.0, so never has -0.0


@given(expressions(extreme=True))
def test_description_of_a_graph_replays_it(expression):
    xs, values = record(expression)
    assert bits([Expression.of(values[-1], xs).evaluate(TABLE)]) == bits([values[-1].data])


def test_mixed_second_derivative_of_a_power_at_exponent_zero():
    x, y = Value(0.5), Value(0.0)
    along_x, along_y = gradients(x**y, [x, y])
    assert along_x.data == 0.0
    assert gradients(along_x, [y])[0].data == 2.0  # of y x^(y-1) by y: x^-1
    assert gradients(along_y, [x])[0].data == 2.0
