"""Nothing leaves reference cycles behind: a graph is freed when it is no longer used, not when the collector comes."""

import gc

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from nn import MLP


def f(p):
    return ag.exp(p["x"][0]) * ag.sum(p["x"]) ** 2 + ag.where(p["y"] > 0, p["y"], 0.0)


def many(p):
    return {"a": f(p), "b": (p["y"] * 2, [p["x"][1]])}


def raising(p):
    out = f(p)
    raise KeyError(out)


P = {"x": [1.0, 2.0], "y": 3.0}
V = {"x": [0.5, -1.0], "y": 0.25}
ARRAYS = {"x": np.array([1.0, 2.0]), "y": 3.0}
MODEL = MLP(2, [3, 1], activation="tanh", rng=0)

CALLS = {
    "grad": lambda f: ag.grad(f)(P),
    "value_and_grad": lambda f: ag.value_and_grad(f)(P),
    "grad of grad": lambda f: ag.grad(lambda x: ag.grad(lambda y: f({"x": [x, y], "y": x}))(2.0))(1.0),
    "hessian": lambda f: ag.hessian(f)(P),
    "hessian of arrays": lambda f: ag.hessian(f)(ARRAYS),
    "hvp": lambda f: ag.hvp(f, P, V),
    "jacobian": lambda f: ag.jacobian(lambda p: f(p) and many(p))(P),
    "jacobian forward": lambda f: ag.jacobian(lambda p: f(p) and many(p), mode="forward")(P),
    "jvp": lambda f: ag.jvp(f, (P,), (V,)),
    "vjp": lambda f: ag.vjp(f, P)[1](1.0),
    "vmap": lambda f: ag.vmap(lambda x: f({"x": [x, x], "y": x}))([1.0, 2.0]),
    "vmap of arrays": lambda f: ag.vmap(lambda x: f({"x": x, "y": x[0]}))(np.ones((3, 2))),
    "check_grads": lambda f: ag.check_grads(f, (P,)),
    "grad of a Module": lambda f: ag.grad(lambda m: f({"x": [m([1.0, 2.0]), 1.0], "y": 1.0}))(MODEL),
    "backward": lambda f: f({"x": [Value(1.0), Value(2.0)], "y": Value(3.0)}).backward(),
    "gradients": lambda f: ag.gradients(f({"x": [x := Value(1.0), Value(2.0)], "y": x}), [x]),
    "grads": lambda f: (f(tree := {"x": [Value(1.0), Value(2.0)], "y": Value(3.0)}), ag.grads(tree), ag.data(tree)),
    "predict": lambda f: f(P) and MODEL.predict([[1.0, 2.0]]),
}


@pytest.fixture(autouse=True, scope="module")
def _only_what_the_call_makes():
    """The collector passes over what other tests have left: thirty times as fast."""
    gc.collect()
    gc.freeze()


@pytest.mark.parametrize("f", [f, raising])
@pytest.mark.parametrize("name", CALLS)
def test_no_call_leaves_a_cycle(name, f):
    def call():
        try:
            CALLS[name](f)
        except KeyError:
            assert f is raising

    call()
    gc.collect()
    gc.disable()
    try:
        call()
        gc.set_debug(gc.DEBUG_SAVEALL)
        found = gc.collect()
        kinds = sorted({type(x).__name__ for x in gc.garbage})
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not found, f"{name} left {found} objects in cycles: {', '.join(kinds)}"
