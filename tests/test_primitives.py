"""Every primitive of the table against mpmath: values, derivatives, the extremes of its domain, kinks and ties."""

import itertools
import math
import sys

import pytest
from hypothesis import given, settings, strategies as st
from mpmath import mp, mpf
from references import MPMATH, partials

from autograd import Value, gradients
from autograd.primitives import TABLE

TOLERANCE = 1e-12  # relative
SMALLEST_NORMAL = sys.float_info.min  # below it floats themselves are not accurate to 1e-12
LARGEST = sys.float_info.max

scaled = st.builds(
    lambda sign, e, m: sign * m * 10.0**e, st.sampled_from([-1, 1]), st.integers(-307, 307), st.floats(1, 9)
)
near_one = st.builds(lambda x, k: x + 2.0**k, st.sampled_from([1.0, -1.0]), st.integers(-53, -1))
near_one |= near_one.map(lambda x: -x)
extremes = [0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-200, -1e-200, 1e200, -1e200, 5e-324, -5e-324, 1e-310, 2.3e-308]
extremes += [700.0, -700.0, 20.0, -20.0, 1e16, 1e-17, 1.7e308, -1.7e308]
moderate = st.floats(-30, 30, allow_subnormal=False)
anywhere = st.one_of(moderate, near_one, scaled, st.sampled_from(extremes))

primitives = pytest.mark.parametrize("name", sorted(TABLE))


@st.composite
def operands_of(draw, name):
    """As many operands as the primitive takes, from where it is defined to be accurate."""
    arity = TABLE[name].arity
    numbers = limited.get(name, anywhere)
    if name == "take":
        values = draw(st.lists(numbers, min_size=1, max_size=4))
        return [float(draw(st.integers(0, len(values) - 1))), *values]
    n = arity or draw(st.integers(1, 5).map(lambda n: 2 * n - 1 if name == "dot" else n))
    return [draw(numbers) for _ in range(n)]


def some_arity(name):
    """How many operands to try: few for those that take any number."""
    return TABLE[name].arity or (3 if name in ("dot", "take") else 2)


# A product goes from left to right, so it may leave the range of floats and come back on the way.
limited = {
    "prod": st.one_of(moderate, near_one, scaled.filter(lambda x: 1e-60 < abs(x) < 1e60)),
    "direction": st.floats(0, 1),
    "logit": st.one_of(st.floats(0, 1), near_one, scaled),
    **dict.fromkeys(["erfinv", "erfinv_slope"], st.floats(-1, 1)),
    **dict.fromkeys(["gamma", "lgamma", "digamma", "trigamma"], st.floats(1e-9, 150)),
}


def beyond(name: str, operands: list[float]) -> bool:
    """Points that are too much for a rule: a product that overflows on the way, a direction of no length near 1."""
    if name == "direction":
        t, s = operands
        return not 0.25 < t * t + s < 4
    if name == "prod":
        return any(x and not 1e-60 < abs(x) < 1e60 for x in operands)
    return name == "pow" and abs(operands[0]) < SMALLEST_NORMAL and 0 < abs(operands[1]) < 1e-10


def test_every_primitive_has_a_reference():
    assert set(TABLE) <= set(MPMATH), "write down in tests/references.py what these compute"


def close(actual: float, expected, scale=0.0) -> bool:
    """Within 1e-12 of the expected; infinite where that overflows, anything tiny where it underflows."""
    if mp.isnan(expected):
        return math.isnan(actual)
    if abs(expected) >= LARGEST * (1 - TOLERANCE):
        return abs(actual) >= LARGEST * (1 - 2 * TOLERANCE) and (actual > 0) == (expected > 0)
    if not math.isfinite(actual):
        return False
    return abs(actual - expected) <= TOLERANCE * max(abs(expected), scale) + SMALLEST_NORMAL


def check(name: str, operands: list[float]) -> None:
    """Value and local derivatives of a primitive at one point."""
    if beyond(name, operands):
        return
    operands = [x + 0.0 for x in operands]  # mpmath has no -0.0
    xs = [Value(x) for x in operands]
    out = TABLE[name](*xs)
    assert out.data == TABLE[name](*operands) or math.isnan(out.data)
    if not math.isfinite(out.data):  # outside the domain, or beyond the largest float
        assert all(p is None or isinstance(p, float) for p in out.partials)
        return
    # tanh(300) differs from 1 by 2^-864; a difference quotient needs the digits of its largest number and of its step
    with mp.workprec(1300 + 3 * max(abs(math.frexp(x)[1]) for x in operands)):
        exact = [mpf(x) for x in operands]
        expected = MPMATH[name](*exact)
        assert close(out.data, expected, cancellation(name, operands)), (
            f"{name}{operands} = {out.data}, not {mp.nstr(expected, 20)}"
        )
        for i, (partial, wanted) in enumerate(zip(out.partials, expected_partials(name, exact), strict=True)):
            actual = 0.0 if partial is None else partial
            message = f"∂{name}{operands}/∂operand {i} = {actual!r}, not {mp.nstr(wanted, 20)}"
            assert close(actual, wanted), message


def cancellation(name: str, operands: list[float]) -> float:
    """What the result of a sum is accurate to: its largest term."""
    if name == "dot":
        n = len(operands) // 2
        return max(
            abs(x) for x in [operands[0], *[w * x for w, x in zip(operands[1:], operands[1 + n :], strict=False)]]
        )
    return max(map(abs, operands)) if name in ("sum", "logsumexp", "add", "sub") else 0.0


# Where a derivative is infinite or undefined at a point of the domain: by name and operands, what was decided.
SINGULAR = {
    ("sqrt", 0.0): [mp.inf],
    ("cbrt", 0.0): [mp.inf],
    ("acosh", 1.0): [mp.inf],
    ("asin", 1.0): [mp.inf],
    ("asin", -1.0): [mp.inf],
    ("acos", 1.0): [-mp.inf],
    ("acos", -1.0): [-mp.inf],
}


def expected_partials(name, exact):
    if (name, *exact) in SINGULAR:
        return SINGULAR[name, *exact]
    if name == "atan2" and not any(exact):
        return [mp.nan, mp.nan]
    return partials(name, exact)


@primitives
def test_value_and_derivative_are_within_1e_12_of_mpmath(name):
    settings(max_examples=30)(given(operands_of(name))(lambda operands: check(name, operands)))()


@pytest.mark.slow
@primitives
def test_value_and_derivative_are_within_1e_12_of_mpmath_in_a_long_search(name):
    settings(settings.get_profile("search"), max_examples=200)(
        given(operands_of(name))(lambda operands: check(name, operands))
    )()


EXTREME_OTHERS = [0.0, 1.0, -2.0, 1e-200, 1e200]


@primitives
def test_derivative_holds_at_combinations_of_extremes(name):
    for first in extremes:
        for others in itertools.product(EXTREME_OTHERS, repeat=some_arity(name) - 1):
            if name != "take" or first in (0, 1):
                check(name, [first, *others])


# --- conventions: at a kink, and among ties (autograd/README.md) ----------------------------------------------------

KINKS: list[tuple[tuple, list[float]]] = [
    (("relu", 0.0), [0.0]),
    (("relu", -0.0), [0.0]),
    (("abs", 0.0), [0.0]),
    (("abs", -0.0), [0.0]),
    (("sign", 0.0), [0.0]),
    (("sign", 3.0), [0.0]),
    (("copysign", 0.0, -2.0), [0.0, 0.0]),
    (("copysign", 3.0, -0.0), [-1.0, 0.0]),
    (("copysign", -3.0, -0.0), [1.0, 0.0]),
    (("leaky_relu", 0.0, 0.1), [0.1, 0.0]),
    (("elu", 0.0, 2.0), [2.0, 0.0]),
    (("norm", 0.0), [0.0]),
    (("norm", 0.0, 0.0, -0.0), [0.0, 0.0, 0.0]),
    (("hypot", 0.0, 0.0), [0.0, 0.0]),
    (("maximum", 2.0, 2.0), [0.5, 0.5]),
    (("minimum", 2.0, 2.0), [0.5, 0.5]),
    (("maximum", 0.0, -0.0), [0.5, 0.5]),
    (("max", 2.0, 1.0, 2.0), [0.5, 0.0, 0.5]),
    (("max", 1.0, 1.0, 1.0), [1 / 3, 1 / 3, 1 / 3]),
    (("min", 1.0, 1.0, 2.0, 1.0), [1 / 3, 1 / 3, 0.0, 1 / 3]),
    (("clip", 0.0, 0.0, 1.0), [1.0, 0.0, 0.0]),
    (("clip", 1.0, 0.0, 1.0), [1.0, 0.0, 0.0]),
    (("clip", 2.0, 0.0, 1.0), [0.0, 0.0, 1.0]),
    (("clip", -2.0, 0.0, 1.0), [0.0, 1.0, 0.0]),
    (("prod", 0.0, 3.0), [3.0, 0.0]),
    (("prod", 0.0, 0.0, 3.0), [0.0, 0.0, 0.0]),
    (("pow", 0.0, 0.0), [0.0, 0.0]),
    (("pow", 0.0, 1.0), [1.0, 0.0]),
    (("pow", 0.0, 2.0), [0.0, 0.0]),
    (("sqrt", 0.0), [math.inf]),
    (("cbrt", 0.0), [math.inf]),
    (("log", 0.0), [math.inf]),
    (("acosh", 1.0), [math.inf]),
]


@pytest.mark.parametrize(("point", "expected"), KINKS, ids=str)
def test_derivative_at_a_kink_is_the_one_in_the_table(point, expected):
    name, *operands = point
    xs = [Value(x) for x in operands]
    out = TABLE[name](*xs)
    out.backward()
    assert [x.grad for x in xs] == expected
    assert [g.data for g in gradients(out, xs)] == expected


PIECEWISE_LINEAR = ("relu", "abs", "sign", "copysign", "maximum", "minimum", "max", "min", "clip")


@pytest.mark.parametrize("point", [p for p, _ in KINKS if p[0] in (*PIECEWISE_LINEAR, "norm", "hypot")], ids=str)
def test_second_derivative_at_a_kink_is_zero(point):
    name, *operands = point
    xs = [Value(x) for x in operands]
    for first in gradients(TABLE[name](*xs), xs):
        assert [second.data for second in gradients(first, xs)] == [0.0] * len(xs)


def test_exponent_of_a_negative_base_has_an_undefined_derivative():
    base, exponent = Value(-2.0), Value(2.0)
    assert math.isnan((base**exponent).local_grads[1])
    assert (base**exponent).local_grads[0] == -4.0


NONFINITE_OR_EXTREME = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -1e308]


@primitives
def test_partials_never_raise_to_second_order(name):
    for operands in itertools.product(NONFINITE_OR_EXTREME, repeat=some_arity(name)):
        xs = [Value(x) for x in ([1.0, *operands] if name == "take" else operands)]
        out = TABLE[name](*xs)
        assert all(p is None or type(p) is float for p in out.partials)
        for gradient in gradients(out, xs):
            gradients(gradient, xs)
