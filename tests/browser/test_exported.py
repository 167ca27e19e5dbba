"""Exported WebAssembly and JavaScript in a browser: the same numbers as Python's, from a file and without network."""

import pytest

from autograd import export, relu, value_and_grad, vmap

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.browser


def loss(theta, x, y):
    a, b, c = theta
    return relu(1 - y * (a * x + b * relu(x) + c))


@pytest.mark.parametrize("language", ["wasm", "javascript"])
def test_a_training_step_gives_pythons_numbers(open_page, language):
    f = value_and_grad(vmap(loss, in_axes=(None, 0, 0), reduce="sum"))
    args = [0.1, -0.2, 0.3], [1.0, -1.5, 0.7, 2.5, -0.4], [1.0, -1.0, -1.0, 1.0, 1.0]
    code = export(f, *args, language=language, name="step")
    load = "(await Step.load())" if language == "wasm" else "globalThis"
    script = f"{code.text}\nglobalThis.step = typeof step === 'undefined' ? undefined : step;"
    script += f"globalThis.result = {load}.step(...{[*map(list, args)]!r}).flatMap((x) => (x.length ? [...x] : [x]));"
    tab = open_page(f"<!doctype html><meta charset=utf-8><title>step</title><script type=module>{script}</script>")
    tab.wait_for_function("() => globalThis.result")
    value, gradient = f(*args)
    assert tab.evaluate("() => globalThis.result") == [value, *gradient]
