"""Random expression graphs, and random programs with branches, compiled and compared with eager mode."""

import math
import random

import numpy as np
from hypothesis import strategies as st
from strategies import CONDITIONS, EXTREME, MODERATE, expressions, given_some_or_many

from autograd import hessian, jit, value_and_grad, vmap
from autograd.primitives import TABLE
from tests.compiler.conftest import TARGETS, close, same_bits
from tests.compiler.test_primitives import EXACT

KINKED = {"clip", "max", "min", "maximum", "minimum", "abs", "relu", "leaky_relu", "elu", "sign", "copysign"}
KINKED |= {"where", "take"}
SMOOTH = sorted(set(TABLE) - KINKED - set(CONDITIONS))


def function_of(expression, functions=TABLE):
    return lambda xs: expression.evaluate(functions, list(xs))


@given_some_or_many(
    expressions(primitives=sorted(EXACT - {"take"}), extreme=True, max_steps=20), st.data(), some=20, many=200
)
def test_arithmetic_and_comparisons_are_bit_identical_to_eager_mode(expression, data):
    f = value_and_grad(function_of(expression))
    n = len(expression.inputs)
    others = st.lists(st.lists(EXTREME, min_size=n, max_size=n), min_size=4, max_size=4)
    points = [list(expression.inputs), *data.draw(others)]
    compiled = jit(f)
    lanes = jit(vmap(f), target=TARGETS[data.draw(st.sampled_from(sorted(TARGETS)))])
    values, gradients = lanes(np.array(points))
    for i, xs in enumerate(points):
        value, gradient = f(xs)
        for computed in (compiled(xs), (values[i], gradients[i])):
            assert same_bits(computed[0], value), (xs, computed, value)
            assert all(map(same_bits, computed[1], gradient)), (xs, computed, gradient)


@given_some_or_many(expressions(primitives=SMOOTH), st.sampled_from(sorted(TARGETS)), some=12, many=120)
def test_elementary_functions_agree_within_a_rounding_bound(expression, target):
    xs = list(expression.inputs)
    everything = _derivatives(expression, TABLE)
    expected = everything(xs)
    spread = [_derivatives(expression, _with_roundings(seed))(xs) for seed in range(4)]
    bounds = [2 * max(abs(x - y) for x in others) for y, *others in zip(expected, *spread, strict=True)]
    lanes = jit(vmap(everything), target=TARGETS[target])(np.array([xs, xs, xs]))
    for computed in (jit(everything)(xs), [column[1] for column in lanes]):
        for x, y, bound in zip(computed, expected, bounds, strict=True):
            if math.isfinite(bound):
                assert close(x, y, 1e-13, bound + 1e-300), (xs, x, y, bound)


def _with_roundings(seed):
    """The table with every result off by 32 units in the last place: how far the rounding of each step may matter."""
    signs = random.Random(seed)

    def rounded(function):
        return lambda *xs: function(*xs) * (1 + signs.choice((-32, 32)) * math.ulp(1.0))

    return {name: rounded(function) for name, function in TABLE.items()}


def _derivatives(expression, functions):
    """The value, the gradient and the Hessian, in one list."""
    f = function_of(expression, functions)

    def everything(xs):
        xs = list(xs)
        value, gradient = value_and_grad(f)(xs)
        return [value, *gradient, *[entry for row in hessian(f)(xs) for entry in row]]

    return everything


# --- programs --------------------------------------------------------------------------------------------------------

TESTS = {"positive": lambda x, y: x > 0, "less": lambda x, y: x < y, "same": lambda x, y: x == y,
         "both": lambda x, y: x > 0 and not y > 1}  # fmt: skip
STEPS = {"add": lambda x, y: x + y, "halve": lambda x, y: x / 2 - y, "square": lambda x, y: x * y + 0.25,
         "back": lambda x, y: y - x, "hold": lambda x, y: x}  # fmt: skip
BLOCKS = st.recursive(
    st.sampled_from(sorted(STEPS)),
    lambda blocks: st.one_of(
        st.tuples(st.just("if"), st.sampled_from(sorted(TESTS)), blocks, blocks),
        st.tuples(st.just("while"), st.sampled_from(sorted(TESTS)), blocks),
        st.tuples(st.just("then"), blocks, blocks),
    ),
    max_leaves=6,
)


def run(block, x, y):
    """A program of two variables; a loop ends after four rounds at the latest."""
    if isinstance(block, str):
        return STEPS[block](x, y), x
    kind, *parts = block
    if kind == "then":
        return run(parts[1], *run(parts[0], x, y))
    if kind == "if":
        return run(parts[1] if TESTS[parts[0]](x, y) else parts[2], x, y)
    rounds = 0
    while rounds < 4 and TESTS[parts[0]](x, y):
        x, y = run(parts[1], x, y)
        rounds += 1
    return x, y


@given_some_or_many(BLOCKS, st.lists(st.tuples(MODERATE, MODERATE), min_size=6, max_size=6), some=12, many=120)
def test_programs_compiled_at_one_point_and_called_at_others(block, points):
    f = value_and_grad(lambda xs: run(block, xs[0], xs[1])[0])
    compiled, lanes = jit(f), jit(vmap(f))
    values, gradients = lanes(np.array(points))
    for i, point in enumerate(points):
        value, gradient = f(list(point))
        for computed in (compiled(list(point)), (values[i], gradients[i])):
            assert computed[0] == value
            assert list(computed[1]) == gradient
