"""Programs that a compiler which freezes, forgets or reorders too much would get wrong without a word."""

import threading
import time

import numpy as np
import pytest

from autograd import jit, vmap, where
from autograd.compiler.run import Kernel
from tests.compiler.conftest import same_bits

rng = np.random.default_rng(0)


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_choice_of_1_and_0_keeps_the_sign_of_the_zero(zero):
    f = jit(lambda x: where(x > 0, 1.0, zero))
    assert f(1.0) == 1.0
    assert same_bits(f(-1.0), zero)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_an_array_returned_as_it_is(shape):
    f = jit(lambda X: {"same": X, "pair": (X, X * 2.0)})
    for X in rng.normal(size=(2, *shape)):
        X = np.asarray(X)
        result = f(X)
        assert np.array_equal(result["same"], X)
        assert result["same"].shape == shape
        assert result["same"] is not X
        assert np.array_equal(result["pair"][1], X * 2.0)


def _set_element(X):
    X[0] = 0.0
    return vmap(lambda x: x * 1.0, reduce="sum")(X)


def _add_in_place(X):
    X += 1.0
    return X


@pytest.mark.parametrize("f", [_set_element, _add_in_place])
def test_writing_into_an_argument_is_refused(f):
    with pytest.raises(TypeError, match="writing into an array argument"):
        jit(f)(np.ones(3))


def test_a_copy_of_an_argument_can_be_written_to():
    def f(X):
        X = X.copy()
        X[0] = X[1] * 2.0
        X += 1.0
        return X

    assert np.array_equal(jit(f)(np.array([1.0, 2.0, 3.0])), [5.0, 3.0, 4.0])


def test_threads_end_before_an_interrupt_frees_what_they_write_to(monkeypatch):
    monkeypatch.setattr("autograd.compiler.run.THREADS_ABOVE", 0)
    f = jit(vmap(lambda x: x * 2.0), threads=2)
    X = np.ones(5000)
    f(X)
    find = Kernel._function
    running = []

    def interrupted(self, name, arguments):
        compiled = find(self, name, arguments)
        if not name.startswith("pass"):
            return compiled

        def run(*numbers):
            if threading.current_thread() is threading.main_thread():
                while not running:
                    time.sleep(0.001)
                raise KeyboardInterrupt
            running.append(True)
            time.sleep(0.05)
            compiled(*[getattr(x, "value", x) for x in numbers])
            running.pop()

        return run

    monkeypatch.setattr(Kernel, "_function", interrupted)
    with pytest.raises(KeyboardInterrupt):
        f(X)
    assert not running
