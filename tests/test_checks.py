"""check_grads accepts right derivatives and shows wrong ones."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd import Primitive, check_grads
from nn import MLP


def primitive(first, second=None):
    """x**3, with first(x) as its derivative and second(x), if given, as that of the derivative."""
    square = Primitive("square", lambda x: first(x), [lambda out, x: (second or (lambda x: 6 * x))(x)])
    return Primitive("cube", lambda x: x**3, [lambda out, x: square(x)])


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: ag.sin(x) * ag.exp(x), (0.7,)),
        (lambda x, y: {"a": x * y, "b": [x / y]}, (0.7, -2)),
        (lambda p: p["w"] @ p["x"], ({"w": np.ones((2, 3)), "x": np.arange(3.0)},)),
        (lambda model, x: model(x) ** 2, (MLP(2, [2, 1], activation="tanh", rng=0), [0.5, -1.0])),
        (lambda x: 1e6 + x * x, (0.1,)),
        (lambda x: x * x, (1e5,)),
        (lambda x: 3.0, (1.0,)),
    ],
)
def test_right_derivatives_pass_in_every_order(f, args):
    for order in (1, 2, 3):
        check_grads(f, args, order=order)


def test_a_derivative_that_is_wrong_is_shown_in_a_table_worst_first():
    wrong = primitive(lambda x: 3.1 * x * x)
    with pytest.raises(AssertionError) as error:
        check_grads(lambda p: [p["x"] + p["y"], wrong(p["x"]), 10 * wrong(p["x"])], ({"x": 2.0, "y": 1.0},))
    lines = str(error.value).splitlines()
    assert lines[0] == "the derivative of f[2] by args[0]['x'] is 124, but differences give 120 (mode 'fwd')"
    assert lines[1].split() == ["result", "argument", "analytic", "numeric", "difference"]
    assert [line.split()[:2] for line in lines[2:]] == [["f[2]", "args[0]['x']"], ["f[1]", "args[0]['x']"]]
    assert float(lines[3].split()[-1]) == pytest.approx(0.4, abs=1e-6)


@pytest.mark.parametrize("modes", [("fwd",), ("rev",)])
def test_a_second_derivative_that_is_wrong_is_found_in_either_mode(modes):
    wrong = primitive(lambda x: 3 * x * x, lambda x: 5 * x)
    check_grads(wrong, (2.0,), order=1, modes=modes)
    with pytest.raises(AssertionError, match=r"∂cube/∂args\[0\] by args\[0\] is 10, but differences give 12"):
        check_grads(wrong, (2.0,), order=2, modes=modes)


def test_a_derivative_dropped_by_detach_is_found():
    with pytest.raises(AssertionError, match="is 2, but differences give 4"):
        check_grads(lambda x: x * ag.detach(x), (2.0,))


def test_nan_never_passes():
    undefined = Primitive("undefined", lambda x: x, [lambda out, x: 0 * x + math.nan])
    with pytest.raises(AssertionError, match="is nan, but differences give 1"):
        check_grads(undefined, (1.0,))


def test_an_infinite_derivative_never_passes():
    infinite = Primitive("infinite", lambda x: 2 * x, [lambda out, x: 0 * x + math.inf])
    for modes in (("fwd",), ("rev",)):
        with pytest.raises(AssertionError, match=r"derivative of infinite by .* is inf, but differences give 2"):
            check_grads(infinite, (1.0,), modes=modes)


def test_a_function_is_called_by_its_name():
    def energy(x):
        return {"total": x * ag.detach(x)}

    with pytest.raises(AssertionError, match=r"the derivative of energy\['total'\] by args\[0\]"):
        check_grads(energy, (2.0,))
    with pytest.raises(AssertionError, match=r"the derivative of f by args\[0\]"):
        check_grads(lambda x: x * ag.detach(x), (2.0,))


def test_long_tables_are_cut():
    wrong = primitive(lambda x: 4 * x * x)
    with pytest.raises(AssertionError, match="and 10 more"):
        check_grads(lambda xs: [wrong(x) for x in xs], ([1.0] * 30,), order=1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: check_grads(ag.exp, 1.0), TypeError, "arguments of exp as a tuple, got a number"),
        (lambda: check_grads(ag.exp, (1.0,), modes=("up",)), ValueError, "mode must be .* got 'up'"),
        (lambda: check_grads(ag.exp, (1.0,), modes=()), ValueError, "modes"),
        (lambda: check_grads(ag.exp, (1.0,), order=0), ValueError, "order=0"),
        (lambda: check_grads(lambda x, s: x, (1.0, "text")), TypeError, "'text'"),
    ],
)
def test_errors_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
