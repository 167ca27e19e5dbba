"""Every primitive of the table, compiled: values, first and second derivatives, as numbers and on lanes."""

import functools
import itertools

import numpy as np
import pytest

from autograd import Value, exp, expm1, jit, value_and_grad, vmap
from autograd.derivatives import gradients
from autograd.primitives import TABLE
from tests.compiler.conftest import TARGETS, close, same_bits

# What is made of + - * / sqrt and comparisons is bit-identical to eager mode
EXACT = {
    "add", "sub", "mul", "div", "neg", "sqrt", "abs", "sign", "maximum", "minimum", "clip", "relu",
    "leaky_relu", "where", "take", "detach", "identity", "lt", "le", "gt", "ge", "eq", "ne", "logical_and",
    "logical_or", "logical_not", "sum", "prod", "dot", "max", "min",
}  # fmt: skip
COUNTS = {"take": 4, "dot": 5}
MODERATE = [0.3, -0.7, 1.5, 2.0, 0.5, 1.0, -1.0, 3.0, -2.5, 0.1]
EXTREME = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-200, -1e200, 5e-324, -5e-324, 1e308, 710.0, -746.0, 1e16, 2.2e-308]


def operand_count(name):
    return TABLE[name].arity or COUNTS.get(name, 3)


def derivatives(name, xs):
    """The result of a primitive, its derivatives, and the derivatives of their sum."""
    variables = [Value(x) if not isinstance(x, Value) else x for x in xs]
    result = TABLE[name](*variables)
    first = gradients(result, variables)
    second = gradients(sum(first[1:], first[0]), variables)
    return [result, *first, *second]


def all_derivatives(points):
    return {name: derivatives(name, [points[name][i] for i in range(operand_count(name))]) for name in TABLE}


@functools.cache
def points(numbers):
    """For each primitive the same number of points, as an array of shape (points, operands)."""
    rows = {}
    for name in TABLE:
        n = operand_count(name)
        found = list(itertools.product(numbers, repeat=min(n, 2)))
        found = [(row * 3)[:n] for row in found]
        if name == "take":
            found = [(float(i % 3), *row[1:]) for i, row in enumerate(found)]
        rows[name] = found
    most = max(map(len, rows.values()))
    return {name: np.array((found * most)[:most]) for name, found in rows.items()}


@functools.cache
def eager(numbers):
    batch = points(numbers)
    size = len(batch["add"])
    rows = [all_derivatives({name: batch[name][i].tolist() for name in TABLE}) for i in range(size)]
    return [{name: [v.data for v in found] for name, found in row.items()} for row in rows]


def disagreements(computed, expected, i):
    """Where they differ by more than rounding: of values 1e-14, of derivatives, in which terms cancel, 1e-12."""
    found = []
    for name in TABLE:
        scale = max([abs(x) for x in computed[name] if np.isfinite(x)], default=0.0)  # of terms that cancel
        for k, (x, y) in enumerate(zip(computed[name], expected[name], strict=True)):
            if name in ("hypot", "norm") and k > operand_count(name) and scale > 1e280:
                continue  # second derivatives of a subnormal length: the difference of terms beyond 1e300
            agree = same_bits(x, y) if name in EXACT else close(x, y, 1e-12 if k else 1e-14, 1e-305 + 1e-14 * scale)
            if not agree:
                found.append((name, "value" if k == 0 else f"derivative {k}", i, float(x), y))
    return found


@functools.cache
def compiled_for(target=None):
    """The derivatives of all primitives: of numbers, or on the lanes of a target."""
    return jit(vmap(all_derivatives), target=TARGETS[target]) if target else jit(all_derivatives)


@pytest.mark.parametrize("numbers", [tuple(MODERATE), tuple(EXTREME)], ids=["moderate", "extreme"])
def test_compiled_numbers_agree_with_eager_ones(numbers):
    compiled = compiled_for()
    batch = points(numbers)
    found = []
    for i, expected in enumerate(eager(numbers)):
        computed = compiled({name: batch[name][i].tolist() for name in TABLE})
        found += disagreements(computed, expected, i)
    assert not found, found[:10]


@pytest.mark.parametrize("numbers", [tuple(MODERATE), tuple(EXTREME)], ids=["moderate", "extreme"])
@pytest.mark.parametrize("target", TARGETS)
def test_lanes_agree_with_eager_numbers(target, numbers):
    computed = compiled_for(target)(points(numbers))
    found = []
    for i, expected in enumerate(eager(numbers)):
        row = {name: [column[i] for column in computed[name]] for name in TABLE}
        found += disagreements(row, expected, i)
    assert not found, found[:10]


@pytest.mark.parametrize("target", TARGETS)
def test_exponentials_of_a_size_with_a_minus_keep_their_digits_and_the_sign_of_zero(target):
    sizes = [0.0, -0.0, 5e-324, 1e-300, 1e-17, 1e-8, 0.34, 0.35, 1.0, 30.0, 708.0, 744.0, 746.0, 801.0, np.inf, np.nan]
    exps, minus_1 = jit(vmap(lambda x: (exp(-abs(x)), expm1(-abs(x)))), target=TARGETS[target])(np.array(sizes))
    for x, computed, difference in zip(sizes, exps, minus_1, strict=True):
        assert close(computed, exp(-abs(x)), 4e-16, 5e-324), x
        assert close(difference, expm1(-abs(x)), 4e-16), x
        assert np.signbit(difference) or x != x


@pytest.mark.parametrize("name", ["tanh", "exp", "gelu"])
def test_many_functions_run_by_table_to_the_same_bits_as_code_of_their_own(name):
    """Each with its derivative, which shares what it can; the last two lanes are a register's ragged end."""
    f = value_and_grad(TABLE[name])
    X = np.array([*MODERATE, *EXTREME[:9], 0.7, -0.2])
    factors = [1.0 + 0.25 * i for i in range(20)]
    many = jit(vmap(lambda x: [f(factor * x) for factor in factors]))
    one = jit(vmap(f))
    assert many.lower(X).instructions < len(factors) * one.lower(X).instructions / 2
    for factor, found in zip(factors, many(X), strict=True):
        for column, expected in zip(found, one(factor * X), strict=True):
            assert all(map(same_bits, column, expected)), factor
