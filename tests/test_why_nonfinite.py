"""A nan must never be a riddle: the sentence names the operation, its operands and their labels."""

import math
from pathlib import Path

import pytest

import autograd
from autograd import Value, detect_anomaly, dot, gradients, sqrt, where


def nan_of_a_hidden_division():
    x, y = Value(0.0, label="x"), Value(0.0, label="y")
    ratio = x / y
    ratio.label = "ratio"
    return autograd.exp(ratio + 1) * 3


def overflow():
    z = Value(800.0, label="z")
    return 1.0 - autograd.exp(z) / autograd.exp(z)


def bad_leaf():
    return Value(math.nan, label="weight") * 2 + 1


def n_ary():
    return autograd.dot([Value(1e300, label="w"), Value(1.0)], [Value(1e300, label="x"), 2.0]) - 1


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (nan_of_a_hidden_division, "div gives nan from x = 0.0, y = 0.0 (in ratio)"),
        (overflow, "exp gives inf from z = 800.0"),
        (bad_leaf, "weight = nan is a leaf: it was given that value"),
        (n_ary, "dot gives inf from 0.0, w = 1e+300, 1.0, x = 1e+300, 2.0"),
        (lambda: autograd.log(Value(-1.0)), "log gives nan from -1.0"),
        (lambda: Value(-8.0, label="x") ** (1 / 3), "pow gives nan from x = -8.0, 0.3333333333333333"),
    ],
)
def test_forward_names_the_first_operation_that_made_it(make, sentence):
    assert make().why_nonfinite() == sentence


def test_long_list_of_operands_is_cut():
    total = autograd.sum([Value(1e308) for _ in range(1000)])
    assert len(total.why_nonfinite()) < 200


def test_backward_names_the_operation_and_the_numbers():
    x = Value(0.0, label="x")
    y = autograd.sqrt(x) * 2
    y.backward()
    assert y.data == 0.0
    assert y.why_nonfinite() == "backward: through sqrt = 0.0 the gradient of x = 0.0 becomes 2.0 * inf = inf"


def test_backward_names_an_overflowing_sum():
    x = Value(1e-300, label="x")
    y = x * 1e308 + x * 1e308
    y.backward()
    assert math.isinf(x.grad)
    assert y.why_nonfinite() == "backward: the gradient of x = 1e-300 is inf, a sum that overflowed"


def test_backward_names_a_seed_that_is_not_finite():
    y = Value(1.0) * 2
    y.backward(gradient=math.inf)
    assert "inf already where the sweep starts" in y.why_nonfinite()


def test_nan_where_the_derivative_is_undefined_is_traced_to_its_operation():
    base, exponent = Value(-2.0, label="base"), Value(2.0, label="exponent")
    y = base**exponent
    y.backward()
    assert y.why_nonfinite() == ("backward: through pow = 4.0 the gradient of exponent = 2.0 becomes 1.0 * nan = nan")


def test_finite_graph_is_said_to_be_finite():
    y = Value(2.0, label="x") * 3
    y.backward()
    assert "are finite" in y.why_nonfinite()


def test_deep_graph_is_searched_without_recursion():
    y = Value(0.0, label="x") / 0
    for _ in range(20_000):
        y = y + 1
    assert y.why_nonfinite() == "div gives nan from x = 0.0, 0.0"


def test_the_line_of_an_operation_is_named_within_detect_anomaly():
    x = Value(0.0, label="x")
    with detect_anomaly():
        y = sqrt(x)
        z = y * 0.0
        w = 1.0 / x
    z.backward()
    line = y.line.rsplit(":", 1)
    assert Path(line[0]) == Path(__file__)
    assert (
        z.why_nonfinite()
        == f"backward: through sqrt = 0.0 the gradient of x = 0.0 becomes 0.0 * inf = nan, at {y.line}"
    )
    assert w.why_nonfinite().endswith(f"test_why_nonfinite.py:{int(line[1]) + 2}")
    assert " at " not in (1 / x).why_nonfinite(), "outside it costs nothing and says nothing"


def test_graphs_built_within_detect_anomaly_are_the_same_graphs():
    def gradient():
        x = Value(2.0)
        y = where(x > 1, dot([x, x], [x, 3.0], bias=x), 0.0) ** 2 / x
        return gradients(gradients(y, [x])[0], [x])[0].data

    expected = gradient()
    with detect_anomaly():
        assert gradient() == expected
