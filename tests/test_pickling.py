"""Primitives of one's own, models that use them, and errors go through pickle, cloudpickle and process pools."""

import copy
import math
import multiprocessing
import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor

import cloudpickle
import numpy as np
import pytest

import autograd as ag
from autograd import Primitive, Value, gradients, primitives
from nn import MLP, Module, NonFiniteError, fit
from nn.history import History

cube = Primitive("cube", lambda x: x**3, [lambda out, x: 3 * x * x])
under_another_name = Primitive("square", lambda x: x * x, [lambda out, x: 2 * x])


def _halve(x):
    return x / 2


def _half(out, x):
    return 0.5


def test_compiled_and_transformed_functions_go_through_cloudpickle():
    pytest.importorskip("llvmlite")
    square = ag.jit(lambda x: x * x)
    assert square(3.0) == cloudpickle.loads(cloudpickle.dumps(square))(3.0) == 9.0
    step = ag.jit(ag.value_and_grad(ag.vmap(lambda w, x: (w * x) ** 2, in_axes=(None, 0), reduce="mean")))
    x = np.array([1.0, 2.0])
    assert cloudpickle.loads(cloudpickle.dumps(step))(3.0, x) == step(3.0, x)
    for transform in (ag.vmap, ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian):
        f = transform(lambda x: ag.sum([y * y for y in x]) if isinstance(x, list) else x * x)
        assert cloudpickle.loads(cloudpickle.dumps(f))([2.0, 3.0]) == f([2.0, 3.0])
    assert pickle.loads(pickle.dumps(ag.jit(_halve)))(3.0) == 1.5


class Cubed(Module):
    def __init__(self, op=cube):
        self.w, self.op = Value(2.0), op

    def __call__(self, x):
        return self.op(self.w) * x


def derivatives(op):
    x = Value(2.0)
    (first,) = gradients(op(x), [x])
    return first.data, gradients(first, [x])[0].data


@pytest.mark.parametrize("op", [cube, under_another_name, primitives.exp, *primitives.TABLE.values()])
def test_a_primitive_of_a_module_is_pickled_by_its_name_there(op):
    assert pickle.loads(pickle.dumps(op)) is op
    assert cloudpickle.loads(cloudpickle.dumps(op)) is op
    assert copy.deepcopy(op) is copy.copy(op) is op


def test_a_primitive_without_such_a_name_is_pickled_by_its_parts():
    local = Primitive("halve", _halve, [_half], symbol="½", lower=_halve)
    again = pickle.loads(pickle.dumps(local))
    assert vars(again) == vars(local)
    assert derivatives(again) == (0.5, 0.0)
    local = Primitive("versine", lambda x: 1 - math.cos(x), [lambda out, x: ag.sin(x)])
    assert derivatives(cloudpickle.loads(cloudpickle.dumps(local))) == (math.sin(2.0), math.cos(2.0))
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(local)


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_a_model_with_a_primitive_of_ones_own_comes_back(pickler):
    model = Cubed()
    again = pickler.loads(pickler.dumps(model))
    assert again.predict([3.0]) == model.predict([3.0]) == [24.0]
    assert again.op is cube
    assert ag.grad(lambda m: m(3.0))(again) == {"w": 36.0}


SCRIPT = """
    import pickle, subprocess, sys
    import cloudpickle
    from autograd import Primitive, Value
    from nn import Module

    cube = Primitive("cube", lambda x: x**3, [lambda out, x: 3 * x * x])

    class Cubed(Module):
        def __init__(self):
            self.w, self.op = Value(2.0), cube

        def __call__(self, x):
            return self.op(self.w) * x

    assert pickle.loads(pickle.dumps(Cubed())).op is cube
    sent = cloudpickle.dumps(Cubed())
    read = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()).predict([3.0]))"
    done = subprocess.run([sys.executable, "-c", read], input=sent, capture_output=True, check=True)
    print(done.stdout.decode().strip())
"""


def test_what_a_script_defines_goes_to_another_process_by_cloudpickle():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout.strip(), done.stderr) == ("[24.0]", "")


def test_an_error_of_training_comes_through_a_process_pool():
    error = NonFiniteError("epoch 3", History(loss=[1.0, 2.0]))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.history) == (str(error), error.history)
    run = MLP(1, [1]), [[1e200]], [0.0]
    spawn = multiprocessing.get_context("spawn")  # which does not inherit what other tests have open
    with ProcessPoolExecutor(1, spawn) as pool, pytest.raises(NonFiniteError, match="epoch 0, step 0, sample 0"):
        pool.submit(fit, *run, backend="eager", progress=False).result(timeout=60)
