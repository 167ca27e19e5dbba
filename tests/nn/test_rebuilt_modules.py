"""A Module with other parameters is a copy along the paths to them, and all else is shared."""

import copy
import functools
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, tanh
from nn import SGD, Layer, Module, Neuron, Sequential, fit

X, y = [[0.5, -1.0], [2.0, 0.25], [-1.0, 1.0], [0.0, 3.0]], [1.0, -1.0, 0.5, 2.0]
BACKENDS = ["eager", "jit"]


def loss(model):
    return ag.mean([(model(x) - t) ** 2 for x, t in zip(X, y, strict=True)])


def by_hand(model):
    """The gradient that backward() leaves: it knows no copies."""
    model.zero_grad()
    loss(model).backward()
    gradient = ag.grads(model)
    model.zero_grad()
    return gradient


class Odd(Module):
    """A model with attributes such as models have that nobody can copy, and a layer that keeps what it gave."""

    def __init__(self, keeps=True):
        self.first = Layer(2, 3, activation="tanh", rng=1)
        self._last = Neuron(3, nonlin=False, rng=2)
        self.lock = threading.Lock()
        self.file = open(__file__)  # noqa: SIM115
        self.compiled = ag.jit(lambda z: z * 2.0)
        self.stream = (i for i in range(3))
        self.keeps, self.out = keeps, None

    def __call__(self, x):
        hidden = self.first(x)
        if self.keeps:
            self.out = hidden
        with self.lock:
            return self._last(hidden) * self.compiled(1.5)


def test_attributes_that_cannot_be_copied_are_shared():
    model = Odd()
    copied = model.with_parameters(model.named_parameters())
    for name in ("lock", "file", "compiled", "stream"):
        assert getattr(copied, name) is getattr(model, name)
    assert copied.first is not model.first
    assert model.predict(X) == [model(x).data for x in X]
    assert grad(loss)(model) == pytest.approx(by_hand(model), rel=1e-13)
    model.file.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_with_such_attributes_trains_as_a_plain_one_does(backend):
    class Plain(Module):
        def __init__(self, other):
            self.first, self.last = copy.deepcopy(other.first), copy.deepcopy(other._last)

        def __call__(self, x):
            return self.last(self.first(x)) * 3.0

    odd = Odd(keeps=backend == "eager")
    plain = Plain(odd)
    losses = [
        fit(model, X, y, optimizer=SGD(0.01), epochs=3, backend=backend, progress=False).loss for model in (odd, plain)
    ]
    odd.file.close()
    assert losses[0] == losses[1]
    assert [*odd.state_dict().values()] == [*plain.state_dict().values()]
    assert [*odd.state_dict()][-1] == "_last.b"


@pytest.mark.parametrize("backend", BACKENDS)
def test_values_from_outside_are_constants_that_count_with_their_number(backend):
    outside = Value(3.0)

    class Scaled(Module):
        def __init__(self):
            self.w = Value(2.0)
            self.scale = lambda z: z * outside

        def __call__(self, x):
            return self.scale(self.w * x[0])

    model = Scaled()
    assert model.predict([[1.0], [2.0]]) == [6.0, 12.0]
    assert type(model.predict([[1.0]])[0]) is float
    history = fit(model, [[1.0], [2.0]], [3.0, 6.0], optimizer=SGD(0.02), epochs=60, backend=backend, progress=False)
    assert history.loss[-1] < 1e-6
    assert model.w.data == pytest.approx(1.0)
    assert outside.data == 3.0
    outside.data = 30.0
    assert model.predict([[1.0]]) == [pytest.approx(30.0, rel=1e-3)]


# --- the paths that lead to a parameter -----------------------------------------------------------------------------


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass(frozen=True)
class Fields:
    a: Any
    b: Any


class Helper:
    """An object of a class that is no Module, which refers to the model."""

    __slots__ = ("__private", "model")

    def __init__(self, model):
        self.model, self.__private = model, model

    def weight(self):
        return self.model.w + self.__private.w - self.model.w


def _closure(model):
    def weight(*, scale=1.0):
        return model.w * scale

    return weight


def _recursive(model):
    def weight(n=2):
        return model.w if n == 0 else weight(n - 1)

    return weight


def _wrapped(model):
    @functools.wraps(model.weight)
    def weight():
        return model.weight()

    return weight


@pytest.mark.parametrize(
    ("keep", "read"),
    [
        (lambda m: [m.w], lambda held: held[0]),
        (lambda m: ((m.w,),), lambda held: held[0][0]),
        (lambda m: Pair(m.w, 1.0), lambda held: held.a),
        (lambda m: Fields(m.w, 1.0), lambda held: held.a),
        (lambda m: {"w": m.w}, lambda held: held["w"]),
        (lambda m: {m.w: 1.0}, lambda held: next(iter(held))),
        (lambda m: {m.w}, lambda held: next(iter(held))),
        (lambda m: frozenset([m.w]), lambda held: next(iter(held))),
        (lambda m: deque([m.w], maxlen=1), lambda held: held[0]),
        (lambda m: np.array([m.w, 1.0]), lambda held: held[0]),
        (lambda m: m.weight, lambda held: held()),
        (lambda m: functools.partial(Own.weight, m), lambda held: held()),
        (lambda m: functools.partial(lambda *, w: w, w=m.w), lambda held: held()),
        (lambda m: lambda: m.w, lambda held: held()),
        (lambda m: lambda w=m.w: w, lambda held: held()),
        (_closure, lambda held: held(scale=1.0)),
        (_recursive, lambda held: held()),
        (_wrapped, lambda held: held()),
        (lambda m: ag.jit(m.weight), lambda held: held()),
        (lambda m: grad(lambda x: m.w * x), lambda held: held(1.0)),
        (lambda m: [m], lambda held: held[0].w),
        (Helper, lambda held: held.weight()),
    ],
)
def test_whatever_refers_to_a_parameter_refers_to_its_stand_in(keep, read):
    model = Own(read)
    model.held = keep(model)
    assert ag.data(read(model.held)) == 2.0
    other = model.with_parameters({"w": 5.0})
    assert read(other.held) == 5.0
    assert ag.data(read(model.held)) == 2.0
    assert model.predict([3.0]) == [6.0]
    assert grad(lambda m: m(3.0) ** 2)(model) == {"w": 36.0}
    assert grad(grad(lambda w: model.with_parameters({"w": w})(3.0) ** 3))(2.0) == pytest.approx(27 * 6 * 2)


class Own(Module):
    def __init__(self, read):
        self.w, self.read, self.held = Value(2.0), read, None

    def weight(self):
        return self.w

    def __call__(self, x):
        return self.read(self.held) * x


def test_modules_that_refer_to_each_other_are_copied_once():
    model: Any = Neuron(1, nonlin=False, rng=0)
    model.child = Neuron(1, nonlin=False, rng=0)
    model.child.parent = model
    model.both = (model, model.child)
    other = model.with_parameters(dict.fromkeys(model.named_parameters(), 1.0))
    assert other.child.parent is other
    assert other.both == (other, other.child)
    assert other.child.w == [1.0]


def test_a_cached_property_is_computed_again():
    class Cached(Module):
        def __init__(self):
            self.w = Value(2.0)

        @functools.cached_property
        def squared(self):
            return self.w * self.w

        def __call__(self, x):
            return self.squared * x

    model = Cached()
    assert model(3.0).data == 12.0
    assert model.with_parameters({"w": 5.0})(3.0) == 75.0
    assert grad(lambda m: m(3.0))(model) == {"w": 12.0}


def test_a_parameter_that_cannot_be_replaced_is_named():
    class Hidden:
        def __init__(self):
            w = Value(2.0)
            self.read = iter([w]).__next__
            self.parameters = lambda: {"w": w}
            self.keep = [w]

        def named_parameters(self):
            return {"w": Value(1.0)}

    with pytest.raises(TypeError, match="Hidden: the parameter 'w' is not held by an attribute"):
        grad(lambda m: 1.0)(Hidden())


def test_a_copy_writes_nothing_to_the_modules_of_the_original():
    class Counting(Module):  # it has no parameters
        def __init__(self):
            self.calls = 0

        def __call__(self, x):
            self.calls += 1
            return tanh(x)

    model = Sequential(Neuron(2, nonlin=False, rng=0), Counting())
    model.predict(X)
    grad(loss)(model)
    assert model.modules[1].calls == 0


def test_deep_structures_need_no_deep_stack():
    model: Any = Neuron(1, nonlin=False)
    chain = []
    for _ in range(5_000):
        chain = [chain]
    chain.append(model.w)
    for _ in range(5_000):
        chain = [chain]
    model.extra = Helper(model)
    model.extra.model = chain
    assert model.with_parameters({"w.0": 1.0, "b": 0.0})([2.0]) == 2.0


def test_parameters_are_found_in_dataclasses_and_registered_types():
    class Held:
        def __init__(self, w):
            self.w = w

    ag.register_structure(Held, lambda x: ((x.w,), None), lambda context, parts: Held(*parts))

    class Model(Module):
        def __init__(self):
            self.fields, self.held = Fields(Value(2.0), [Value(3.0)]), Held(Value(4.0))

        def __call__(self, x):
            return self.fields.a * x + self.fields.b[0] + self.held.w

    model = Model()
    assert model.state_dict() == {"fields.a": 2.0, "fields.b.0": 3.0, "held.0": 4.0}
    assert model.predict([10.0]) == [27.0]
    assert grad(lambda m: m(10.0))(model) == {"fields.a": 10.0, "fields.b.0": 1.0, "held.0": 1.0}
