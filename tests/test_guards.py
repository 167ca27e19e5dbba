"""Guards: what keeps a function away from where its derivative is infinite or undefined keeps derivatives away as well.

Each guard is put before and behind each singular function, and differentiated up to order 3 in every way there is. The
references are derivatives of the plain function that the guarded one is near the point: 0, or those of `chosen`.
"""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from strategies import EXTREME, expressions

import autograd as ag
from autograd import Value, grad, gradients, hessian, hvp, jacobian, jit, jvp, vjp, vmap
from autograd.primitives import TABLE

pytest.importorskip("llvmlite")  # every guard is compiled as well

ORDERS = (1, 2, pytest.param(3, marks=pytest.mark.slow))

# Functions, each with a point where a derivative is infinite or undefined
SINGULAR = {
    "sqrt at 0": (ag.sqrt, 0.0),
    "sqrt below 0": (ag.sqrt, -1.0),
    "log at 0": (ag.log, 0.0),
    "log below 0": (ag.log, -1.0),
    "1 / x": (lambda x: 1 / x, 0.0),
    "x ** 0.5 at 0": (lambda x: x**0.5, 0.0),
    "x ** 0.5 below 0": (lambda x: x**0.5, -1.0),
    "x ** -1.5": (lambda x: x**-1.5, 0.0),
    "asin at 1": (ag.asin, 1.0),
    "asin beyond 1": (ag.asin, 2.0),
    "acos at -1": (ag.acos, -1.0),
    "acosh at 1": (ag.acosh, 1.0),
    "acosh below 1": (ag.acosh, 0.5),
    "atanh at 1": (ag.atanh, 1.0),
    "atanh beyond 1": (ag.atanh, -2.0),
    "cbrt": (ag.cbrt, 0.0),
}

# Functions of x and a number c that are c near a point, which comes second: nothing flows to x
FLAT = {
    "where": (lambda x, c: ag.where(x > 0, x, c), -2.0),
    "where, the other side": (lambda x, c: ag.where(x > 0, c, x * x), 2.0),
    "maximum": (lambda x, c: ag.maximum(x, c), -9.0),
    "minimum": (lambda x, c: ag.minimum(c, x), 9.0),
    "max": (lambda x, c: ag.max([x, c, x - 1.0]), -9.0),
    "min": (lambda x, c: ag.min([x, c]), 9.0),
    "clip below": (lambda x, c: ag.clip(x, c, c + 1.0), -9.0),
    "clip above": (lambda x, c: ag.clip(x, c - 1.0, c), 9.0),
    "relu": (lambda x, c: ag.relu(x) + c, -2.0),
    "relu at its kink": (lambda x, c: c - ag.relu(x), 0.0),
    "elu's slope": (lambda x, c: ag.elu(2.0, x) - 2.0 + c, 0.5),
    "leaky_relu's slope": (lambda x, c: ag.leaky_relu(2.0, x) - 2.0 + c, 0.5),
    "take": (lambda x, c: ag.take([x, c], ag.relu(ag.sign(x - 2.0))), 3.0),
    "abs at its kink": (lambda x, c: abs(x) + c, 0.0),
    "sign": (lambda x, c: ag.sign(x) - 1.0 + c, 4.0),
    "norm at its kink": (lambda x, c: ag.norm([x, 2 * x]) + c, 0.0),
    "hypot at its kink": (lambda x, c: ag.hypot(x, x) + c, 0.0),
    "detach": (lambda x, c: ag.detach(x) - 3.0 + c, 3.0),
}


SOME_ALWAYS = [
    name if name in ("sqrt at 0", "log below 0") else pytest.param(name, marks=pytest.mark.slow) for name in SINGULAR
]


def chosen(x):
    return x * x * x - 2.0 * x * x


CHOSEN = (lambda x: 3 * x * x - 4 * x, lambda x: 6 * x - 4, lambda x: 6.0)  # its derivatives

# Choices between the singular function of x, near that point, and `chosen`, which wins
CHOICES = {
    "where": lambda s, x, at: ag.where(x < at + 1.0, chosen(x), s(x)),
    "where, the other side": lambda s, x, at: ag.where(x > at + 1.0, s(x), chosen(x)),
    "where twice": lambda s, x, at: ag.where(x < at + 1.0, ag.where(x > at + 0.5, s(x), chosen(x)), s(x)),
    "take": lambda s, x, at: ag.take([s(x), chosen(x)], ag.relu(ag.sign(at + 1.0 - x))),
    "behind a guard": lambda s, x, at: ag.where(x > at + 1.0, ag.exp(s(x)) * x, chosen(x)),
    "a product": lambda s, x, at: ag.prod([ag.where(x > at + 1.0, s(x), 1.0), chosen(x)]),
}


def repeated(transform, f, order):
    return functools.reduce(lambda f, _: transform(f), range(order), f)


def along(f):
    return lambda x: jvp(f, (x,), (1.0,))[1]


def by_graphs(f, x, order):
    """Gradients of gradients, as graphs; and what backward() leaves on the graph of the last but one."""
    leaf = Value(x)
    y = f(leaf)
    for _ in range(order - 1):
        (y,) = gradients(y, [leaf])
    (result,) = gradients(y, [leaf])
    y.backward()
    return result.data, leaf.grad


def derivatives(f, x, order):
    """The derivative of f at x in every way, by name."""
    nested = repeated(grad, f, order)
    forward = repeated(functools.partial(jacobian, mode="forward"), f, order)
    found = {
        "grad": nested(x),
        "jacobian forward": forward(x),
        "jacobian reverse": repeated(functools.partial(jacobian, mode="reverse"), f, order)(x),
        "jvp": repeated(along, f, order)(x),
        "grad of jvp": repeated(along, repeated(grad, f, 1), order - 1)(x),
        "vjp": vjp(repeated(grad, f, order - 1), x)[1](1.0)[0],
    }
    compiled = jit(lambda x: (nested(x), repeated(along, f, order)(x), forward(x)))
    found |= zip(("jit", "jit of jvp", "jit of jacobian"), compiled(x), strict=True)
    found["gradients"], found["backward"] = by_graphs(f, x, order)
    if order > 1:
        found["hessian"] = hessian(repeated(grad, f, order - 2))(x)
        found["hvp"] = hvp(repeated(grad, f, order - 2), x, 1.0)
    return found


def check_everywhere(f, x, order, expected, others):
    found = derivatives(f, x, order)
    wrong = {name: number for name, number in found.items() if not math.isclose(number, expected, abs_tol=1e-300)}
    assert not wrong, f"the derivative of order {order} at {x} is {expected}, not {wrong}"
    nested = repeated(grad, f, order)
    batch = np.array([x, *others])
    lanes = jit(vmap(nested))(batch)
    for lane, at in zip(lanes, batch.tolist(), strict=True):
        assert_same(lane, nested(at), at)
    reduced = jit(grad(lambda w, xs: vmap(lambda w, x: f(w + x), in_axes=(None, 0), reduce="sum")(w, xs)))
    if order == 1:
        assert math.isclose(reduced(0.0, np.array([x, x])), 2 * expected, abs_tol=1e-300)


def assert_same(actual, expected, where):
    both_nan = actual != actual and expected != expected
    assert both_nan or actual == expected or math.isclose(actual, expected, rel_tol=1e-9), (actual, expected, where)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("singular", SOME_ALWAYS)
@pytest.mark.parametrize("guard", FLAT)
def test_nothing_flows_through_the_flat_side_of_a_guard_whatever_comes_behind_it(guard, singular, order):
    flat, x = FLAT[guard]
    s, c = SINGULAR[singular]
    check_everywhere(lambda x: s(flat(x, c)), x, order, 0.0, [x + 0.25, x - 0.25, -x, 0.75])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("singular", SOME_ALWAYS)
@pytest.mark.parametrize("choice", CHOICES)
def test_a_derivative_is_that_of_the_chosen_side_whatever_the_other_is(choice, singular, order):
    s, x = SINGULAR[singular]
    f = functools.partial(CHOICES[choice], s, at=x)
    check_everywhere(lambda x: f(x), x, order, CHOSEN[order - 1](x), [x + 2.0, x + 0.75, x - 0.5])


@pytest.mark.parametrize("compile", [lambda f: f, jit])
def test_lanes_of_which_none_lets_a_derivative_flow_leave_a_shared_one_out(compile):
    def loss(w, xs):
        root = ag.sqrt(w)
        return vmap(lambda root, x: ag.where(x > 0, root * x, x * x), in_axes=(None, 0), reduce="sum")(root, xs)

    assert compile(grad(loss))(0.0, np.array([-1.0, -2.0, -3.0])) == 0.0
    assert compile(grad(loss))(0.0, np.array([-1.0, 2.0, -3.0])) == math.inf
    assert compile(grad(loss))(4.0, np.array([-1.0, 2.0, 3.0])) == 5.0 * 0.25


def test_a_captured_choice_is_made_anew_for_the_numbers_of_each_call():
    x = Value(2.0)
    y = ag.where(x > 1.0, x * x, 3.0 * x)
    derivative = jit(lambda: gradients(y * 1.0, [x])[0])
    x.data = 2.0
    assert derivative() == 4.0


@given(expressions(extreme=True, max_steps=8), st.data())
def test_forward_and_reverse_agree_on_random_programs_with_special_values(expression, data):
    def f(xs):
        return expression.evaluate(TABLE, xs)

    xs = [data.draw(EXTREME) for _ in expression.inputs]
    gradient, compiled = grad(f)(xs), jit(grad(f))(xs)
    for i, by_reverse in enumerate(gradient):
        for mode in ("forward", "reverse"):
            assert_finite_alike(jacobian(f, mode=mode)(xs)[i], by_reverse, mode)
        assert_finite_alike(compiled[i], by_reverse, "jit")


def assert_finite_alike(actual, expected, where):
    """nan for nan, and otherwise close, unless terms of opposite sign cancel or overflow on one of the ways."""
    assert (actual != actual) == (expected != expected), (actual, expected, where)
