"""What a traced function writes to, or draws from, outside of itself: refused by name, and put back."""

import collections
import functools
import gc
import itertools
import random
import types
from typing import Any

import numpy as np
import pytest

from autograd import Value, grad, jit, value_and_grad, vmap
from nn import MLP, Module

count = 0
table = {}


class Counter:
    total = 0

    def __init__(self):
        self.n = 0


class Slotted:
    __slots__ = ("n",)

    def __init__(self):
        self.n = 0


def add_to_global(x):
    global count
    count += 1
    return x * count


def add_to_enclosing():
    n = 0

    def f(x):
        nonlocal n
        n += 1
        return x * n

    return f


def function_attribute(x):
    function_attribute.calls += 1  # type: ignore[attr-defined]
    return x * function_attribute.calls  # type: ignore[attr-defined]


function_attribute.calls = 0  # type: ignore[attr-defined]


def through_another_function(x):
    return add_to_global(x) + 1.0


def class_attribute(x):
    Counter.total += 1
    return x * Counter.total


def of(make, write):
    """A function that writes to something of its own."""
    state = make()

    def f(x):
        write(state)
        return x * 2.0

    return f


def increase(counter):
    counter.n += 1


class Adder:
    def __init__(self):
        self.calls = [0]

    def __call__(self, x):
        self.calls[0] += 1
        return x * self.calls[0]

    def method(self, x):
        return self(x)


WRITES = {
    "a global": (add_to_global, "changes the global count"),
    "a global of a function that is called": (through_another_function, "changes the global count"),
    "a name of an enclosing function": (add_to_enclosing(), "changes n"),
    "an attribute of the function": (function_attribute, r"changes function_attribute\.calls"),
    "an attribute of a class": (class_attribute, r"changes Counter\.total"),
    "an attribute": (of(Counter, increase), r"changes state\.n"),
    "a slot": (of(Slotted, increase), r"changes state\.n"),
    "a namespace": (of(lambda: types.SimpleNamespace(n=0), increase), r"changes state\.n"),
    "a list": (of(list, lambda xs: xs.append(1)), r"changes state\[0\]"),
    "a list in an object": (of(Adder, lambda adder: adder(1.0)), r"changes state\.calls\[0\]"),
    "a dict": (of(dict, lambda d: d.update(a=d.get("a", 0) + 1)), r"changes state\['a'\]"),
    "a set": (of(set, lambda xs: xs.add(len(xs))), "changes state"),
    "a deque": (of(collections.deque, lambda xs: xs.append(1)), r"changes state\[0\]"),
    "an array": (of(lambda: np.zeros(3), lambda a: np.add(a, 1.0, out=a)), "changes the array state"),
    "a callable object": (Adder(), r"changes .*\.calls\[0\]"),
    "a method": (Adder().method, r"changes .*\.calls\[0\]"),
    "a partial": (functools.partial(lambda xs, x: (xs.append(1), x)[1], [0]), r"changes .*\[1\]"),
    "a bound method of a list": (of(lambda: [].append, lambda append: append(1)), r"changes state\[0\]"),
    "a default": (lambda x, xs=[]: (xs.append(1), x)[1], r"changes xs\[0\]"),
    "a generator of Python": (of(lambda: random.Random(0), lambda g: g.random()), "draws from state"),
    "a generator of NumPy": (of(lambda: np.random.default_rng(0), lambda g: g.normal()), "draws from state"),
    "an old generator of NumPy": (of(lambda: np.random.RandomState(0), lambda g: g.normal()), "draws from state"),
    "a drawing method": (of(lambda: random.Random(0).gauss, lambda draw: draw(0, 1)), "draws from state"),
    "an iterator": (of(itertools.count, next), "draws from the iterator state"),
    "an iterator of a list": (of(lambda: iter([1] * 100), next), "draws from the iterator state"),
}


@pytest.mark.parametrize(("f", "message"), WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("wrap", [lambda f: f, grad, lambda f: vmap(value_and_grad(f))], ids=["f", "grad", "vmap"])
def test_what_a_function_writes_outside_of_itself_is_refused_by_name(f, message, wrap):
    x = np.ones(3) if wrap.__name__ != "grad" and wrap(f) is not f else 1.5
    with pytest.raises(RuntimeError, match=message):
        jit(wrap(f))(x)


def test_a_refused_trace_leaves_everything_as_it_was():
    counter: Any = Counter()
    numbers, seen = random.Random(3), [1]
    generator, buffer = np.random.default_rng(5), np.zeros(2)
    before = numbers.getstate(), generator.bit_generator.state

    def f(x):
        counter.n, counter.last = counter.n + 1, x * 2.0
        seen.append(x)
        buffer[0] += 1.0
        return x * numbers.random() * generator.normal()

    with pytest.raises(RuntimeError, match=r"changes counter.n and changes counter.last"):
        jit(f)(1.5)
    assert (vars(counter), seen, buffer.tolist()) == ({"n": 0}, [1], [0.0, 0.0])
    assert (numbers.getstate(), generator.bit_generator.state) == before


def test_a_function_that_raises_while_it_is_traced_leaves_everything_as_it_was():
    seen = []

    def f(x):
        seen.append(1)
        if x > 0:
            raise ValueError("no")
        return x

    with pytest.raises(ValueError, match="no"):
        jit(f)(1.0)
    assert seen == [1]  # by the plain call, whose error that is


def test_what_is_only_made_once_may_be_kept():
    made = {}

    class Lazy:
        weights = None

        def __call__(self, x):
            if self.weights is None:
                self.weights = [random.random(), 2.0]
            return x * made.setdefault("three", 3.0) * self.weights[1]

    f = jit(Lazy())
    assert [f(1.0), f(2.0)] == [6.0, 12.0]
    assert made == {"three": 3.0}


def test_a_table_of_traced_values_is_not_something_made_once():
    squares = {}

    def f(x):
        if "x" not in squares:
            squares["x"] = x * x
        return squares["x"] + 1.0

    with pytest.raises(RuntimeError, match=r"changes squares\['x'\]"):
        jit(f)(3.0)
    assert squares == {}


def test_reading_what_is_outside_is_allowed():
    scale, options, model = [2.0], {"n": 3}, MLP(1, [2, 1], rng=0)
    f = jit(lambda x: model([x]) * scale[0] + options["n"])
    assert f(1.0) == pytest.approx(model([1.0]).data * 2.0 + 3.0)


class Norm(Module):
    """Running statistics, as batch norm keeps them."""

    def __init__(self):
        self.w, self.mean = Value(1.0), 0.0

    def __call__(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
        return self.w * (x - self.mean)


@pytest.mark.parametrize(
    "call",
    [
        lambda model: jit(model)(1.5),
        lambda model: jit(lambda x: model(x))(1.5),
        lambda model: jit(lambda model, x: model(x))(model, 1.5),
        lambda model: jit(value_and_grad(lambda model, x: model(x)))(model, 1.5),
        lambda model: jit(lambda w, x: model.with_parameters({"w": w})(x))(1.0, 1.5),
        lambda model: jit(vmap(lambda x: model(x)))(np.ones(3)),
    ],
)
def test_an_attribute_of_a_module_that_changes_is_named(call):
    model = Norm()
    with pytest.raises(RuntimeError, match=r"changes (Norm|model)\.mean"):
        call(model)
    assert model.mean == 0.0


# --- Values that outlive their trace ---------------------------------------------------------------------------------


USES = {
    "data": lambda v: v.data, "grad": lambda v: v.grad, "+": lambda v: v + 1.0, "radd": lambda v: 1.0 + v,
    "*": lambda v: Value(2.0) * v, "exp": lambda v: v.exp(), "<": lambda v: v < 1.0, "format": lambda v: f"{v:.2f}",
    "backward": lambda v: v.backward(), "float": float, "another trace": lambda v: jit(lambda x: x * v)(1.0),
    "assignment": lambda v: setattr(v, "data", 1.0), "bool": bool,
}  # fmt: skip


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_value_that_outlives_its_trace_raises_and_says_where_it_was_made(use):
    escaped = []
    context = _escape_to(escaped)
    jit(context)(1.5)
    argument, computed = escaped
    with pytest.raises(TypeError, match=r"the argument x in a trace of escaping \(.*test_state\.py:\d+\)"):
        use(argument)
    with pytest.raises(TypeError, match=r"the result of mul in a trace of escaping \(.*test_state\.py:\d+\)"):
        use(computed)
    assert "the result of mul" in repr(computed)
    assert "the result of mul" in str(computed)


def _escape_to(kept):
    """A function whose Values escape to a list that it does not lead to."""
    address = id(kept)

    def escaping(x):
        next(o for o in gc.get_objects() if id(o) == address).extend([x, x * 2.0])
        return x * 3.0

    return escaping


def test_values_of_others_are_left_alone():
    w = Value(2.0)
    before = w * 3.0
    inside = []
    keep = _escape_to(inside)

    def f(x):
        keep(w)
        return x * w

    assert jit(f)(1.5) == 3.0
    assert (before.data, inside[1].data) == (6.0, 4.0)
    inside[1].backward()
    assert w.grad == 2.0


def test_an_array_that_outlives_its_trace_raises():
    kept = []
    address = id(kept)

    def f(X):
        next(o for o in gc.get_objects() if id(o) == address).append(X)
        return X[0] * 2.0

    jit(f)(np.ones(2))
    for use in (lambda X: X[0], lambda X: X.shape, lambda X: X + 1.0, lambda X: X.sum()):
        with pytest.raises(TypeError, match="an array of a trace that is over"):
            use(kept[0])


def test_a_warning_names_the_line_that_called_not_one_inside_numpy():
    f = jit(lambda row: row[np.array([0])[0] + row.astype(int).argmin()] * 1.0)
    with pytest.warns(RuntimeWarning, match="runs without being compiled") as warned:
        assert np.apply_along_axis(f, 1, np.array([[1.0, 2.0], [4.0, 3.0]])).tolist() == [1.0, 3.0]
    assert [w.filename for w in warned] == [__file__]
