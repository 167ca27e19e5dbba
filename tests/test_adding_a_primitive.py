"""One entry in one file is a whole primitive: proved on a module that is written for this test alone."""

import importlib
import inspect
import pickle
import sys
import textwrap

import numpy as np
import pytest
from mpmath import mp, mpf
from references import MPMATH

import autograd as ag
from autograd import Value, chain_rule, check_grads, draw, grad, jacobian, jit, jvp, page, vmap
from autograd.primitives import TABLE
from tests.test_primitives import check

MODULE = '''
"""A module of somebody's own."""

import math

from autograd import cosh, sinh
from autograd.primitives import primitive


@primitive(lambda out, x: sinh(x), symbol="Ch", latex=r"\\operatorname{{Ch}}({0})", lower="cosh")
def catenary(x: float) -> float:
    """The shape of a hanging chain.

    Example:
        >>> catenary(0.0)
        1.0
    """
    return math.cosh(x)


@primitive(
    lambda out, x, sag: sag * sinh(x), lambda out, x, sag: cosh(x),
    lower=lambda x, sag: sag * cosh(x),
)
def hanging(x: float, sag: float = 2.0) -> float:
    """A chain that sags."""
    return sag * math.cosh(x)
'''


@pytest.fixture
def chains(tmp_path, monkeypatch):
    (tmp_path / "chains.py").write_text(textwrap.dedent(MODULE), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("chains")
    del sys.modules["chains"]


def test_it_is_a_function_with_help_a_signature_and_defaults(chains, capsys):
    assert chains.catenary.__doc__.startswith("The shape of a hanging chain.")
    assert list(inspect.signature(chains.hanging).parameters) == ["x", "sag"]
    help(chains.hanging)
    assert "A chain that sags." in capsys.readouterr().out
    assert chains.hanging(0.0) == chains.hanging(0.0, 2.0) == chains.hanging(0.0, sag=2.0) == 2.0
    with pytest.raises(TypeError, match=r"hanging takes 2 operands \(x, sag\), got 3"):
        chains.hanging(1.0, 2.0, 3.0)
    assert pickle.loads(pickle.dumps(chains.catenary)) is chains.catenary


def test_its_example_is_a_doctest(chains):
    import doctest

    finder = doctest.DocTestFinder(exclude_empty=True)
    assert sum(len(test.examples) for test in finder.find(chains)) == 1
    assert doctest.testmod(chains).failed == 0


def test_it_computes_on_floats_values_and_arrays_and_as_a_method_in_numpys_loops(chains):
    class Chain(Value):
        catenary = chains.catenary

    assert chains.catenary(1.0) == np.cosh(1.0)
    assert chains.catenary(Value(1.0)).data == np.cosh(1.0)
    assert chains.catenary(np.array([0.0, 1.0])).tolist() == [1.0, np.cosh(1.0)]
    assert chains.catenary(ag.array([0.0, 1.0]))[1].data == np.cosh(1.0)
    assert Chain(1.0).catenary().data == np.cosh(1.0)


def test_it_is_differentiated_to_any_order_in_every_mode(chains):
    def f(x):
        return chains.hanging(chains.catenary(x), x)

    with mp.workdps(50):
        for order in (1, 2, 3):
            exact = mp.diff(lambda x: x * mp.cosh(mp.cosh(x)), mpf("0.5"), order)
            g = f
            for _ in range(order):
                g = grad(g)
            assert abs(g(0.5) - exact) < 1e-13 * abs(exact)
    assert jvp(f, (0.5,), (1.0,))[1] == pytest.approx(grad(f)(0.5), rel=1e-15)
    assert jacobian(f, mode="forward")(0.5) == pytest.approx(grad(f)(0.5), rel=1e-15)
    check_grads(f, (0.5,), order=3)


def test_it_compiles_and_runs_on_lanes(chains):
    pytest.importorskip("llvmlite")
    derivative = grad(grad(chains.hanging))
    assert jit(derivative)(0.5, 3.0) == pytest.approx(derivative(0.5, 3.0), rel=1e-14)
    xs = np.linspace(-1.0, 1.0, 7)
    assert jit(vmap(derivative, in_axes=(0, None)))(xs, 3.0) == pytest.approx(3.0 * np.cosh(xs), rel=1e-14)


def test_it_is_drawn_written_and_played(chains):
    pytest.importorskip("graphviz")
    x = Value(0.5, label="x")
    y = chains.catenary(x)
    assert "Ch" in draw(y).source
    assert r"\operatorname{Ch}(x)" in chain_rule(y, wrt=[x]).latex
    assert "Math.cosh(x0)" in page(y).html


def test_the_property_tests_of_the_table_cover_it(chains, monkeypatch):
    monkeypatch.setitem(TABLE, "catenary", chains.catenary)
    monkeypatch.setitem(MPMATH, "catenary", mp.cosh)
    for x in (0.0, -0.75, 3.0, 20.0):
        check("catenary", [x])
    monkeypatch.setitem(MPMATH, "catenary", lambda x: mp.cosh(x) * (1 + mpf("1e-9")))
    with pytest.raises(AssertionError, match="catenary"):
        check("catenary", [1.0])
