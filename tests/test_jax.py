"""The transforms equal JAX's, in double precision."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import assume, given, settings
from references import gradient_and_bound, is_tame, jax_functions
from strategies import expressions

import autograd as ag
from autograd.primitives import TABLE

jax = pytest.importorskip("jax", reason="jax is not installed: there is nothing to compare the transforms with")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy
REFERENCE = jax_functions()


def network(functions, p, x):
    """Two layers on arrays, written once for both."""
    hidden = functions["tanh"](p["layers"][0][0] @ x + p["layers"][0][1])
    return functions["softplus"](p["layers"][1][0] @ hidden + p["layers"][1][1])


def score(functions, p, x):
    return network(functions, p, x).sum()


def wave(functions, xs):
    """Of a list of three numbers, with shared and unshared terms."""
    a, b, c = xs
    product = functions["sin"](a * b) * functions["exp"](-c)
    return functions["log1p"](product * product) + functions["atan2"](b, c) ** 3 + a / (1 + b * b)


rng = np.random.default_rng(11)
PARAMETERS = {
    "layers": [(rng.normal(size=(4, 3)), rng.normal(size=4)), (rng.normal(size=(2, 4)), rng.normal(size=2))],
}
INPUT, BATCH, POINT = rng.normal(size=3), rng.normal(size=(5, 3)), [0.7, -1.3, 2.1]
DIRECTION = [1.0, 0.5, -2.0]


def assert_equal(actual, expected):
    """Equal structures, and numbers equal to 1e-12."""
    flat, expected_flat = jax.tree_util.tree_flatten(actual), jax.tree_util.tree_flatten(expected)
    assert flat[1] == expected_flat[1]
    for x, y in zip(flat[0], expected_flat[0], strict=True):
        np.testing.assert_allclose(x, np.asarray(y), rtol=1e-12, atol=1e-13)
        assert np.shape(x) == np.shape(y)


def both(f):
    return lambda *args: f(TABLE, *args), lambda *args: f(REFERENCE, *args)


@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
def test_grad_and_value_and_grad_of_structures(argnums):
    ours, theirs = both(score)
    assert_equal(
        ag.value_and_grad(ours, argnums)(PARAMETERS, INPUT),
        jax.jit(jax.value_and_grad(theirs, argnums))(PARAMETERS, INPUT),
    )


@pytest.mark.parametrize(("mode", "reference"), [("forward", jax.jacfwd), ("reverse", jax.jacrev)])
def test_jacobian_of_structures(mode, reference):
    ours, theirs = both(network)
    assert_equal(
        ag.jacobian(ours, argnums=(0, 1), mode=mode)(PARAMETERS, INPUT),
        jax.jit(reference(theirs, argnums=(0, 1)))(PARAMETERS, INPUT),
    )


def test_hessian_of_lists_and_of_arrays():
    ours, theirs = both(wave)
    assert_equal(ag.hessian(ours)(POINT), jax.jit(jax.hessian(theirs))(POINT))
    ours, theirs = both(score)
    assert_equal(
        ag.hessian(ours, argnums=1)(PARAMETERS, INPUT), jax.jit(jax.hessian(theirs, argnums=1))(PARAMETERS, INPUT)
    )


def test_vjp_jvp_and_hvp():
    ours, theirs = both(network)
    value, pullback = ag.vjp(ours, PARAMETERS, INPUT)
    expected, reference = jax.vjp(jax.jit(theirs), PARAMETERS, INPUT)
    assert_equal((value, pullback(np.array([1.0, -2.0]))), (expected, reference(jnp.array([1.0, -2.0]))))
    tangents = (jax.tree_util.tree_map(np.cos, PARAMETERS), np.sin(INPUT))
    assert_equal(ag.jvp(ours, (PARAMETERS, INPUT), tangents), jax.jvp(jax.jit(theirs), (PARAMETERS, INPUT), tangents))
    ours, theirs = both(wave)
    assert_equal(ag.hvp(ours, POINT, DIRECTION), jax.jvp(jax.jit(jax.grad(theirs)), (POINT,), (DIRECTION,))[1])


@pytest.mark.parametrize("in_axes", [(None, 0), (None, 1)])
def test_vmap_and_its_compositions(in_axes):
    batch = BATCH if in_axes[1] == 0 else BATCH.T
    ours, theirs = both(score)
    for compose in (
        lambda lib, f: lib.vmap(f, in_axes),
        lambda lib, f: lib.vmap(lib.grad(f), in_axes),
        lambda lib, f: lib.vmap(lib.value_and_grad(f, argnums=1), in_axes),
        lambda lib, f: lib.grad(lambda p, x: lib.vmap(f, in_axes)(p, x).sum()),
    ):
        assert_equal(compose(ag, ours)(PARAMETERS, batch), jax.jit(compose(jax, theirs))(PARAMETERS, batch))


def test_transforms_of_transforms():
    ours, theirs = both(wave)

    def along(lib, f):
        return lambda xs: lib.jvp(f, (xs,), (DIRECTION,))[1]

    for compose in (
        lambda lib, f: lib.grad(along(lib, along(lib, f))),
        lambda lib, f: along(lib, lib.grad(along(lib, f))),
        lambda lib, f: lib.grad(lambda xs: sum(g * g for g in lib.grad(f)(xs))),
        lambda lib, f: lib.grad(lambda xs: xs[0] * lib.grad(lambda y: f([xs[0], y, xs[0] * y]))(xs[1])),
    ):
        assert_equal(compose(ag, ours)(POINT), jax.jit(compose(jax, theirs))(POINT))


SMOOTH = (
    *("add", "sub", "mul", "div", "neg", "exp", "sin", "cos", "tanh", "atan", "sigmoid", "softplus", "erf", "gelu"),
    *("dot", "sum", "logsumexp", "prod", "norm"),
)


@settings(max_examples=8)
@given(expressions(primitives=SMOOTH, max_steps=10))
def test_gradients_of_random_graphs(expression):
    assume(is_tame(expression))
    _, bound = gradient_and_bound(expression)
    ours = ag.grad(lambda xs: expression.evaluate(TABLE, xs))(list(expression.inputs))
    reference = jax.jit(jax.grad(lambda xs: expression.evaluate(REFERENCE, xs, jnp.float64)))
    for a, b, allowed in zip(ours, reference(list(expression.inputs)), bound, strict=True):
        assert abs(a - float(b)) <= 1e-12 * abs(a) + 10 * allowed, (a, b, allowed)


@dataclass
class Point:
    x: object
    y: object
    note: str = field(default="", metadata={"static": True})


def test_structures_have_the_leaves_that_jax_finds():
    jax.tree_util.register_dataclass(Point, data_fields=["x", "y"], meta_fields=["note"])
    tree = {"a": Point(1.0, (2.0, None), "n"), "b": [3.0]}
    leaves, structure = ag.flatten(tree)
    jax_leaves, jax_structure = jax.tree.flatten(tree)
    assert leaves == jax_leaves
    assert structure.unflatten("xyz") == jax_structure.unflatten("xyz")
    again, other = ag.flatten({"a": Point(0.0, (0.0, None), "n"), "b": [0.0]}), {**tree, "a": Point(1.0, 2.0, "n")}
    assert again[1] == structure != ag.flatten(other)[1]
