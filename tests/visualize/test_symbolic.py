"""Graphs and their derivatives in SymPy, against its own derivatives and the numbers of the engine."""

import math
import random
import sys

import pytest

from autograd import Primitive, Value, exp, gradients, log, sigmoid, sin, to_sympy, where
from autograd.primitives import TABLE, primitive

sympy = pytest.importorskip("sympy", reason="SymPy is not installed: python -m pip install sympy")

LIMITED = dict.fromkeys(["gamma", "lgamma", "digamma", "trigamma", "erfinv", "erfinv_slope", "logit"], (0.1, 0.9))
# SymPy writes their derivatives by Heaviside or DiracDelta, or does not know them, or does not see that they are equal
NUMBERS_ONLY = {"abs", "sign", "maximum", "minimum", "max", "min", "clip", "relu", "cbrt", "cbrt_slope", "copysign"}
NUMBERS_ONLY |= {"detach", "lgamma", "floor", "ceil", "trunc", "round", "mod", "fmod"}
NUMBERS_ONLY |= {"silu"}  # whose rule leaves out, from 40 on, what doubles do not have
SLOW = {"gelu", "logsumexp", "logaddexp", "direction", "logit"}


def applied(name, seed):
    """A primitive of Values x0, x1, ... at a point where it and its partials are finite."""
    op, rng = TABLE[name], random.Random(f"{name} {seed}")
    low, high = LIMITED.get(name, (-2.5, 2.5))
    count = op.arity or 3
    while True:
        xs = [Value(rng.uniform(low, high), label=f"x{i}") for i in range(count)]
        if name == "take":
            xs[0] = Value(float(rng.randrange(count - 1)), label="x0")
        y = op(*xs)
        derivatives = gradients(y, xs)
        if all(math.isfinite(v.data) for v in (y, *derivatives)):
            return y, xs, derivatives


def symbols(xs):
    return [sympy.Symbol(x.label, real=True) for x in xs]


def number(term, xs):
    return float(term.subs(dict(zip(symbols(xs), [sympy.Float(x.data, 30) for x in xs], strict=True))).evalf(20))


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_primitive_and_its_derivatives_have_the_numbers_of_the_engine(name):
    y, xs, derivatives = applied(name, 0)
    terms = [to_sympy(y), *[to_sympy(y, x) for x in xs]]
    other, others, other_derivatives = applied(name, 1)  # the same terms at another point, on another side of a kink
    for at, numbers in ((xs, [y, *derivatives]), (others, [other, *other_derivatives])):
        for term, expected in zip(terms, numbers, strict=True):
            assert math.isclose(number(term, at), expected.data, rel_tol=1e-12, abs_tol=1e-15), (term, at)


def of_sympy(names):
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in sorted(names)]


@pytest.mark.parametrize("name", of_sympy(TABLE.keys() - NUMBERS_ONLY))
def test_derivatives_simplify_to_those_of_sympy(name):
    y, xs, _ = applied(name, 0)
    positive = {x: sympy.Symbol(x.name, positive=True) for x in symbols(xs)}
    term = to_sympy(y)
    for x, symbol in zip(xs, symbols(xs), strict=True):
        difference = (to_sympy(y, x) - sympy.diff(term, symbol)).xreplace(positive).rewrite(sympy.erfc, sympy.erf)
        assert sympy.simplify(difference) == 0 or sympy.simplify(difference.rewrite(sympy.exp)) == 0, difference


def test_derivatives_of_any_order_are_those_of_sympy():
    x, y = Value(0.7, label="x"), Value(2.0, label="y")
    f = sin(x) * exp(-(x**2) / 2) + sigmoid(x * y) - log(y)
    X, Y = symbols([x, y])
    term = to_sympy(f)
    assert term == sympy.sin(X) * sympy.exp(-(X**2) / 2) + 1 / (1 + sympy.exp(-X * Y)) - sympy.log(Y)
    for by in ([x], [y, y], [x, y], [x, x, x]):
        theirs = sympy.diff(term, *[sympy.Symbol(v.label, real=True) for v in by])
        assert sympy.simplify((to_sympy(f, *by) - theirs).rewrite(sympy.exp)) == 0
    assert to_sympy(gradients(log(y), [y])[0]) == 1 / Y


def test_both_sides_of_a_kink_are_in_the_derivative():
    x = Value(3.0, label="x")
    derivative = to_sympy(x * abs(x), x)
    assert [derivative.subs(symbols([x])[0], n) for n in (3, -2)] == [6, 4]
    assert to_sympy(where(x > 0, x**2, x)) == symbols([x])[0] ** 2  # the comparison was decided by Python


def test_numbers_are_exact_where_people_mean_them_so():
    x = Value(1.0, label="x")
    (X,) = symbols([x])
    assert to_sympy(x * 0.1 + 1 / 3 - x**0.5 * math.pi) == X / 10 + sympy.Rational(1, 3) - sympy.sqrt(X) * sympy.pi
    odd = to_sympy(x * 0.123456789)
    assert odd == sympy.Float(0.123456789) * X


def test_leaves_are_called_as_their_variables():
    a, b = Value(1.0), Value(2.0, label="β")
    assert to_sympy(a * b).free_symbols == {sympy.Symbol("a", real=True), sympy.Symbol("β", real=True)}
    assert to_sympy(a + 1, names={}) == sympy.Symbol("v1", real=True) + 1


@primitive(lambda out, x: sin(x) / 2, lower=lambda x: sin(x / 2) ** 2)
def haversine(x):
    return math.sin(x / 2) ** 2


def test_a_primitive_of_ones_own_is_what_it_is_lowered_to():
    x = Value(0.5, label="x")
    (X,) = symbols([x])
    assert to_sympy(haversine(x)) == sympy.sin(X / 2) ** 2
    assert to_sympy(haversine(x), x) == sympy.sin(X) / 2
    catenary = Primitive("log", math.cosh, [lambda out, x: out], lower="cosh")  # not the logarithm of this name
    assert to_sympy(catenary(x)) == sympy.cosh(X)
    zeroth = Primitive("zeroth", math.sin, [lambda out, x: out])
    with pytest.raises(TypeError, match="SymPy has no 'zeroth': give the primitive a `lower`"):
        to_sympy(zeroth(x))


def test_what_is_no_value_is_refused():
    with pytest.raises(TypeError, match=r"to_sympy takes Values, got float 2\.0"):
        to_sympy(2.0)


def test_without_sympy_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "autograd.visualize.sympy_terms", None)
    with pytest.raises(ImportError, match=r"to_sympy needs sympy.*: python -m pip install sympy"):
        to_sympy(Value(1.0))
