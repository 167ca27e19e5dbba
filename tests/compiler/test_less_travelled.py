"""What few programs do under jit, each beside what the plain function gives."""

from collections import defaultdict, namedtuple

import numpy as np
import pytest

import autograd as ag
from autograd import Value, gradients, jit
from autograd.derivatives import symbolic_partials
from autograd.visualize.javascript import operation

Pair = namedtuple("Pair", "left right")


def same(actual, expected):
    if isinstance(expected, np.floating):  # compiled functions return Python's floats
        expected = float(expected)
    assert type(actual) is type(expected)
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        actual, expected = list(actual.values()), list(expected.values())
    if isinstance(expected, list | tuple):
        for x, y in zip(actual, expected, strict=True):
            same(x, y)
    else:
        np.testing.assert_array_equal(actual, expected)
        assert getattr(actual, "dtype", None) == getattr(expected, "dtype", None)


def counts(x):
    result = defaultdict(list)
    result["a"].append(x)
    result["b"].append(x * x)
    return result


CALLS = {
    "keywords": (lambda x, k: x * k, (3.0,), {"k": 4.0}),
    "a namedtuple": (lambda p: Pair(p.left * 2.0, p.right + p.left), (Pair(1.5, 2.5),), {}),
    "a defaultdict as argument": (lambda d: d["a"] * 2.0, (defaultdict(float, a=1.5),), {}),
    "a defaultdict as result": (counts, (1.5,), {}),
    "float32": (lambda x: x + 0.5, (np.float32(1.25),), {}),
    "an array that is constant": (lambda x: [x, np.array([1.0, 2.0])], (3.0,), {}),
    "conditions in a list": (lambda x: [x > 0, x < 0], (3.0,), {}),
    "conditions in a tuple": (lambda x: (x > 0, x * 2.0, x < 0), (3.0,), {}),
    "the length of an array": (lambda a: a[0] * len(a) + a.size, (np.arange(3.0),), {}),
    "concatenate": (lambda a, b: np.concatenate([a, b]) * 2.0, (np.arange(3.0), np.ones(2)), {}),
    "stack": (lambda a, b: np.stack((a, b)).sum(), (np.arange(2.0), np.ones(2)), {}),
    "x ** -1": (lambda x: x**-1.0, (3.0,), {}),
    "None and text": (lambda x: (None, "text", x + 1.0), (3.0,), {}),
}


@pytest.mark.parametrize("name", CALLS)
def test_compiled_gives_what_plain_gives(name):
    f, args, kwargs = CALLS[name]
    compiled = jit(f)
    for _ in range(2):
        same(compiled(*args, **kwargs), f(*args, **kwargs))
    assert compiled.cache_info().paths == 1, "it ran without being compiled"


def test_the_opposite_of_a_condition_is_one():
    """Where Python's own ~True is -2, and so true."""
    f = jit(lambda x: ag.where(~(x > 0), x, x * 2.0))
    assert (f(3.0), f(-3.0)) == (6.0, -3.0)


def test_an_array_of_numbers_and_results_keeps_both():
    def f(x):
        return np.array([1.0, x * 2.0, 3.0], dtype=object)

    assert jit(f)(2.5).tolist() == [1.0, 5.0, 3.0]
    assert jit(f)(3.5).tolist() == [1.0, 7.0, 3.0]


def test_the_shape_and_the_dtype_of_an_array_are_known_while_tracing():
    f = jit(lambda a: a.sum() * a.shape[0] + a.ndim)
    assert f(np.ones((2, 3))) == 6.0 * 2 + 2
    assert f(np.ones((4, 3))) == 12.0 * 4 + 2


def test_jit_inside_jit_is_one_program():
    inner = jit(lambda x: x * x)
    outer = jit(lambda x: inner(x) + 1.0)
    assert outer(3.0) == 10.0
    assert inner.cache_info().calls == 0


def test_a_builtin_without_a_signature_compiles():
    assert jit(max)(2.0, 3.0) == 3.0


def test_a_rule_that_divides_two_plain_numbers_follows_ieee():
    x = Value(2.0)
    y = ag.hypot(x, 0.0) ** 2
    assert gradients(gradients(y, [x])[0], [x])[0].data == 2.0
    root = Value(0.0) ** Value(0.5)
    assert next(iter(symbolic_partials(root))).data == float("inf")


def test_numbers_that_json_does_not_know_are_written_in_javascript():
    strange = ag.Primitive("strange", lambda x: x, [lambda out, x: x * float("nan") + float("-inf")], lower=lambda x: x)
    assert "x0 * NaN + -Infinity" in operation(strange, 1)
