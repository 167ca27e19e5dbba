"""Primitives of one's own, models that use them, and errors go through pickle, cloudpickle and process pools."""

import copy
import importlib.util
import inspect
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
import nn
from autograd import Primitive, Value, gradients, primitives
from autograd.transforms.tree import flatten
from nn import MLP, Module, NonFiniteError, fit
from nn.activations import ACTIVATIONS
from nn.history import History
from nn.losses import LOSSES, find_loss

cube = Primitive("cube", lambda x: x**3, [lambda out, x: 3 * x * x])
under_another_name = Primitive("square", lambda x: x * x, [lambda out, x: 2 * x])


def _halve(x):
    return x / 2


def _half(out, x):
    return 0.5


def _norm(x):
    return ag.sum([y * y * y for y in x])


def _pair(x, w=2.0):
    return _norm(x) * w, {"half": x[0] / 2}


TRANSFORMED = {
    "grad": (ag.grad(_norm), [[2.0, 3.0]]),
    "grad with aux": (ag.grad(_pair, has_aux=True), [[2.0, 3.0]]),
    "grad by name": (ag.grad(lambda x, w: _pair(x, w)[0], argnames="w"), [[2.0, 3.0], 5.0]),
    "grad of grad": (ag.grad(lambda x: ag.grad(_norm)(x)[0]), [[2.0, 3.0]]),
    "value_and_grad": (ag.value_and_grad(_norm), [[2.0, 3.0]]),
    "jacobian": (ag.jacobian(_pair, has_aux=True), [[2.0, 3.0]]),
    "value_and_jacobian": (ag.value_and_jacobian(_norm), [[2.0, 3.0]]),
    "jacfwd": (ag.jacfwd(_norm), [[2.0, 3.0]]),
    "jacrev": (ag.jacrev(_norm), [[2.0, 3.0]]),
    "hessian": (ag.hessian(_norm), [[2.0, 3.0]]),
    "vmap": (ag.vmap(_norm), [[[2.0, 3.0], [4.0, 5.0]]]),
    "vmap with axes": (ag.vmap(_pair, in_axes=(None, 0), out_axes=0), [[2.0, 3.0], [4.0, 5.0]]),
    "gradient of a batch": (ag.value_and_grad(ag.vmap(_norm, reduce="mean")), [[[2.0, 3.0], [4.0, 5.0]]]),
}
if importlib.util.find_spec("llvmlite"):
    mean_square = ag.vmap(lambda w, x: (w * x) ** 2, (None, 0), reduce="mean")
    TRANSFORMED |= {
        "jit": (ag.jit(_norm), [[2.0, 3.0]]),
        "jit, static": (ag.jit(_pair, static_argnames="w"), [[2.0, 3.0], 5]),
        "jit of a gradient of a batch": (ag.jit(ag.value_and_grad(mean_square)), [3.0, np.arange(4.0)]),
    }


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
@pytest.mark.parametrize("name", TRANSFORMED)
def test_a_transformed_function_goes_where_its_function_does(name, pickler):
    f, args = TRANSFORMED[name]
    if pickler is pickle and "lambda" in str(inspect.unwrap(f)):
        with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
            pickle.dumps(f)
        return
    again = pickler.loads(pickler.dumps(f))
    expected, found = flatten(f(*args)), flatten(again(*args))
    assert list(map(float, found[0])) == list(map(float, expected[0]))
    assert again.__name__ == f.__name__
    assert inspect.signature(again) == inspect.signature(f)


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_loss_comes_back_as_itself_and_with_its_unit_and_metric(loss, pickler):
    def sent(x):
        return pickler.loads(pickler.dumps(x))

    assert sent(loss) is copy.deepcopy(loss) is loss
    other = sent(loss.in_unit(3.0).with_metric("f1"))
    assert vars(other) == vars(loss) | {"unit": 3.0, "metric": "f1"}
    assert (loss.unit, loss.metric) != (other.unit, other.metric)
    samples = {"cross_entropy": ([0.5, 2.0], 1), "focal": (0.3, 1), "negative_log_likelihood": ([0.25, 0.75], 0)}
    score, target = samples.get(loss.name, (0.3, 1))
    assert sent(ag.grad(loss))(score, target) == ag.grad(loss)(score, target)
    assert sent(loss.batch)([score], [target]) == loss(score, target)


def _distance(score, target):
    return abs(score - target)


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_a_loss_of_ones_own_comes_back_as_one_like_it(pickler):
    loss = find_loss(_distance)
    again = pickler.loads(pickler.dumps(loss))
    assert (again(1.0, 3.0), again.name, again.complaint(1.0, "x")) == (2.0, "_distance", "")


class Cubed(Module):
    def __init__(self, op=cube):
        self.w, self.op = Value(2.0), op

    def __call__(self, x):
        return self.op(self.w) * x


IMAGE = [[0.5, -1.0, 2.0, 0.25]]
MODELS = {
    "Neuron": (nn.Neuron(2, rng=0), [[0.5, -1.0]]),
    "Layer": (nn.Layer(2, 3, activation="tanh", rng=0), [[0.5, -1.0]]),
    "MLP": (MLP(2, [3, 1], rng=0), [[0.5, -1.0]]),
    "frozen": (MLP(2, [3, 1], rng=0).freeze(), [[0.5, -1.0]]),
    "Sequential": (nn.Sequential(nn.Layer(2, 3, rng=0), nn.LayerNorm(3), nn.Dropout(0.5), nn.Softmax()), [[0.5, -1.0]]),
    "Residual": (nn.Residual(nn.Layer(2, 2, rng=0)), [[0.5, -1.0]]),
    "Embedding": (nn.Embedding(4, 2, rng=0), [[1.0, 3.0]]),
    "Conv1d": (nn.Sequential(nn.Reshape(1, 4), nn.Conv1d(1, 2, 3, rng=0), nn.Flatten()), IMAGE),
    "Conv2d": (nn.Sequential(nn.Reshape(1, 2, 2), nn.Conv2d(1, 2, 2, rng=0), nn.Flatten()), IMAGE),
    "own": (Cubed(), [3.0]),
}
for name, activation in ACTIVATIONS.items():
    MODELS[name] = nn.Sequential(nn.Layer(2, 2, rng=0), activation()), [[0.5, -1.0]]


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_with_its_parameters_and_names_and_learns_on(name, pickler):
    model, X = MODELS[name]
    again = pickler.loads(pickler.dumps(model))
    assert repr(again) == repr(model)
    assert again.predict(X) == model.predict(X)
    assert list(again.named_parameters()) == list(model.named_parameters())
    assert list(again.trainable_parameters()) == list(model.trainable_parameters())
    assert not {*map(id, again.parameters())} & {*map(id, model.parameters())}
    for learner in (model, again):
        ag.sum([y * y for y in flatten(learner.eval()(X[0]))[0]]).backward()
    assert [p.grad for p in again.parameters()] == [p.grad for p in model.parameters()]
    model.zero_grad()


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_a_history_goes_on_in_another_process(pickler):
    def started():
        model = MLP(1, [2, 1], rng=0)
        return model, fit(model, X, y, optimizer=nn.Adam(nn.schedules.cosine(0.1, 0.0, 8)), **settings)

    X, y, settings = [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0], {"epochs": 4, "progress": False, "backend": "eager"}
    model, history = started()
    other = pickler.loads(pickler.dumps((model, history)))
    assert other[1] == history
    for each in ((model, history), other):
        found = fit(each[0], X, y, resume=each[1], optimizer="adam", **settings)
        assert len(found.loss) == 8
    assert other[0].predict(X) == model.predict(X)
    optimizer = nn.SGD(0.1, momentum=0.9)
    assert pickler.loads(pickler.dumps(optimizer)).learning_rate == 0.1


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


@pytest.mark.parametrize("backend", ["eager", "jit"])
def test_an_error_of_training_comes_through_a_process_pool(backend, pool):
    if backend == "jit":
        pytest.importorskip("llvmlite")
    error = NonFiniteError("epoch 3", History(loss=[1.0, 2.0]))
    for pickler in (pickle, cloudpickle):
        again = pickler.loads(pickler.dumps(error))
        assert (type(again), str(again), again.history) == (NonFiniteError, str(error), error.history)
    run = MLP(1, [1], rng=0), [[1e200]], [0.0]
    with pytest.raises(NonFiniteError, match="epoch 0, step 0, sample 0") as caught:
        pool.submit(fit, *run, backend=backend, progress=False).result(timeout=60)
    assert caught.value.history.loss == []


@pytest.mark.parametrize("name", ["grad with aux", "vmap"])
def test_a_transformed_function_computes_in_a_process_pool(name, pool):
    f, args = TRANSFORMED[name]
    assert pool.submit(f, *args).result(timeout=60) == f(*args)


@pytest.fixture(scope="module")
def pool():
    spawn = multiprocessing.get_context("spawn")  # which does not inherit what other tests have open
    with ProcessPoolExecutor(1, spawn) as pool:
        yield pool
