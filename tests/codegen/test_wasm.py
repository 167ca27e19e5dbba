"""WebAssembly beside the machine code that jit makes of the same function: the same numbers, to the bit."""

import math
import shutil

import numpy as np
import pytest
from exported import run_javascript

from autograd import export, flatten, jit, relu, take, tanh, value_and_grad, vmap
from nn import MLP

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="there is no node here")


def step_of(model):
    """Loss and gradient of a batch, by a vector of parameters."""
    names = list(model.named_parameters())

    def loss(theta, x, y):
        return relu(1 - y * model.with_parameters(dict(zip(names, theta, strict=True)))(list(x)))

    theta = np.array([p.data for p in model.parameters()])
    return value_and_grad(vmap(loss, in_axes=(None, 0, 0), reduce="mean")), theta


def batch(n):
    X = np.random.default_rng(n).normal(size=(n, 2))
    return X, np.sign(X[:, 0] * X[:, 1])


def test_a_training_step_is_that_of_jit_to_the_bit_for_batches_of_any_size():
    f, theta = step_of(MLP(2, [16, 16, 1], rng=0))
    code = export(f, theta, *batch(10), language="wasm", name="step", results=("loss", "gradient"))
    assert 20_000 < len(code.binary) < 40_000
    calls = [(theta, *batch(n)) for n in (1, 10, 104, 2049, 63)]
    for args, found in zip(calls, run_javascript(code, calls), strict=True):
        assert found == [*flatten(jit(f)(*args))[0][:1], *jit(f)(*args)[1].tolist()], len(args[2])


def test_with_tanh_it_differs_by_the_last_bits_only():
    f, theta = step_of(MLP(2, [4, 1], activation=tanh, rng=0))
    args = theta, *batch(10)
    (found,) = run_javascript(export(f, *args, language="wasm", name="step"), [args])
    value, gradient = jit(f)(*args)
    np.testing.assert_allclose(found, [value, *gradient], rtol=1e-13, atol=1e-15)


def test_no_rows_an_unknown_branch_and_an_index_out_of_range_are_errors():
    code = export(vmap(lambda x: 2.0 * x, reduce="mean"), np.ones(3), language="wasm", name="mean")
    known, empty = run_javascript(code, [(np.ones(2),), (np.ones(0),)])
    assert (known, empty) == ([2.0], "an array has no rows")

    def f(values, index):
        return take(values, index) if index < 5 else 0.0 * index

    code = export(f, [1.0, 2.0], 1.0, language="wasm", name="chosen")
    known, branch, *indices = run_javascript(code, [([1.0, 2.0], x) for x in (0.0, 7.0, 2.0, -1.0, 0.5)])
    assert (known, branch) == ([1.0], "the numbers take a branch that no example took")
    assert indices == ["an index is out of range"] * 3
    code = export(f, [1.0, 2.0], 1.0, examples=[([1.0, 2.0], 7.0)], language="wasm", name="chosen")
    found = run_javascript(code, [([3.0, 4.0], x) for x in (1.0, 9.0, 4.0)])
    assert found == [[4.0], [0.0], "an index is out of range"]


def test_the_module_stands_beside_the_class_that_has_it(tmp_path):
    code = export(lambda x: math.pi * x, 1.0, language="wasm", name="times_pi", about="Half a turn for each.")
    code.save(tmp_path / "times_pi.wasm")
    assert (tmp_path / "times_pi.wasm").read_bytes() == code.binary
    text = (tmp_path / "times_pi.mjs").read_text()
    assert text == str(code)
    assert "export class Times_pi {" in text
    assert "Half a turn for each." in text
