"""Programs that a compiler which freezes, forgets or reorders too much would get wrong without a word."""

import contextlib
import copy
import functools
import gc
import pickle
import threading
import time
import types

import numpy as np
import pytest

from autograd import Primitive, Value, grad, jit, take, value_and_grad, vjp, vmap, where
from autograd.compiler.run.kernel import MachineCode
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
    monkeypatch.setattr("autograd.compiler.run.kernel.THREADS_ABOVE", 0)
    f = jit(vmap(lambda x: x * 2.0), threads=2)
    X = np.ones(5000)
    f(X)
    find = MachineCode.function
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

    monkeypatch.setattr(MachineCode, "function", interrupted)
    with pytest.raises(KeyboardInterrupt):
        f(X)
    assert not running


def test_an_array_mapped_over_two_axes_in_other_shapes():
    def f(X):
        return vmap(lambda row: row[-1] * 1.0)(X), vmap(lambda column: column[-1] * 1.0, in_axes=1)(X)

    compiled = jit(f)
    for shape in ((3, 4), (5, 6), (2, 2), (3, 4)):
        X = rng.normal(size=shape)
        for computed, expected in zip(compiled(X), f(X), strict=True):
            assert np.array_equal(computed, expected), shape


def test_an_error_that_only_the_numbers_of_the_trace_would_raise():
    def total(X):
        found = vmap(lambda x: x * 1.0, reduce="sum")(X)
        if found > 10:
            raise ValueError("too large")
        return found

    compiled = jit(total)
    assert compiled(np.array([5.0, 1.0, 1.0])) == 7.0  # but three times the first is beyond 10
    with pytest.raises(ValueError, match="too large") as caught:
        compiled(np.array([5.0, 1.0, 5.0]))
    assert caught.value.__context__ is None

    def third(i):
        return take([1.0, 2.0, 3.0], i) if i < 3 else (i * 2.0 if i > 10 else i)

    lanes = jit(vmap(third))
    for X in ([5.0, 1.0, 2.0], [5.0, 20.0, 1.0], [1.0, 20.0, 5.0], [20.0, 2.0, 30.0]):
        assert np.array_equal(lanes(np.array(X)), vmap(third)(np.array(X)))


def test_decisions_of_a_vmap_that_became_a_loop_are_not_those_of_others():
    def f(w, X):
        found = vmap(lambda x: x if x > 0 else -2.0 * x)(X)
        if w < 0:
            raise ValueError("w is negative")
        return found[0] + found[1] if w > 5 else found[1]

    compiled = jit(f)
    for w in (1.0, 2.0, 6.0, 0.5):
        for X in ([1.0, 2.0], [-1.0, 2.0], [1.0, -2.0], [-1.0, -1.0], [1.0, 1.0, 1.0]):
            assert compiled(w, np.array(X)) == f(w, np.array(X)), (w, X)


class Parameters:
    def __init__(self, *numbers):
        self.numbers = [Value(x) for x in numbers]

    def named_parameters(self):
        return {f"p{i}": p for i, p in enumerate(self.numbers)}


def test_a_module_with_more_or_fewer_parameters_than_before():
    def total(module):
        return sum(module.named_parameters().values())

    module = Parameters(1.0, 2.0)
    compiled = jit(total)
    assert compiled(module) == 3.0
    for numbers in ([7.0], [1.0, 2.0, 3.0], [5.0, 6.0]):
        module.numbers = [Value(x) for x in numbers]
        assert compiled(module) == sum(numbers)


@pytest.mark.parametrize("index", [2.0, -1.0, 0.5, float("nan"), float("inf")])
def test_an_index_is_checked_even_where_only_the_derivative_is_used(index):
    f = grad(lambda v, i: take([v, v * v], i))
    mapped = grad(vmap(lambda v, i: take([v, v * v], i), in_axes=(None, 0), reduce="sum"))
    compiled, lanes = jit(f), jit(mapped)
    assert compiled(3.0, 1.0) == 6.0
    assert lanes(3.0, np.array([0.0, 1.0, 1.0])) == 13.0
    with pytest.raises(IndexError, match="take"):
        compiled(3.0, index)
    with pytest.raises(IndexError, match="take"):
        lanes(3.0, np.array([0.0, index, 1.0]))


@pytest.mark.parametrize(
    "wrap",
    [lambda x: {x}, lambda x: lambda: x, lambda x: vjp(lambda y: y * y, x), lambda x: {"a": [iter([x])]}],
    ids=["set", "function", "pullback", "iterator"],
)
def test_results_that_would_hold_frozen_numbers_are_refused(wrap):
    with pytest.raises(TypeError, match="would be frozen"):
        jit(wrap)(1.0)


def test_the_limit_of_paths_through_a_function_without_a_name(monkeypatch):
    monkeypatch.setattr("autograd.compiler.jitted.MAX_PATHS", 1)
    compiled = jit(functools.partial(lambda slope, x: x if x > 0 else slope * x, 2.0))
    assert compiled(1.0) == 1.0
    with pytest.warns(RuntimeWarning, match="partial has taken 1 paths"):
        assert compiled(-1.0) == -2.0


def test_a_lowering_to_a_function_that_is_not_there():
    misspelled = Primitive("square", lambda x: x * x, [lambda out, x: 2 * x], lower="no_such_function")
    for f, x in ((misspelled, 2.0), (vmap(misspelled), np.ones(3))):
        with pytest.raises(TypeError, match="'no_such_function' of a primitive is not a function of the C library"):
            jit(lambda x, f=f: f(x))(x)


OUTSIDE = Value(3.0, label="outside")


@pytest.mark.parametrize(
    ("lowering", "message"),
    [
        (lambda x: x * x if x > 0 else x, "'mine'.*branches on a number; choose with autograd.where"),
        (lambda x: x * x.data, r"'mine'.*uses the data"),
        (lambda x: x * OUTSIDE, r"'mine' uses Value 'outside' \(3\.0\), which is not one of its operands"),
    ],
)
def test_a_lowering_that_could_not_follow_the_numbers_is_refused(lowering, message):
    mine = Primitive("mine", lambda x: x * x, [lambda out, x: 2 * x], lower=lowering)
    with pytest.raises(TypeError, match=message):
        jit(lambda x: mine(x))(2.0)


@functools.lru_cache
def _cached(x):
    return x * 2.0


WAYS_OUT = {
    "print": (lambda x: (print(x), x)[1], "the text"),
    "str": (lambda x: x * len(str(x)), "the text"),
    "repr": (lambda x: x * len(repr(x * 2.0)), "the text"),
    "text of a list": (lambda x: x * len(str([x])), "the text"),
    "sorted by text": (lambda x: sorted([x, x * 2.0], key=str)[0], "the text"),
    "%": (lambda x: x * len("%s" % x), "the text"),  # noqa: UP031
    "hash": (lambda x: x * (hash(x) % 2), "the hash"),
    "in a set": (lambda x: x * (x in {1.5, 2.5}), "the hash"),
    "in a dict": (lambda x: {1.5: x}.get(x, 0.0), "the hash"),
    "key": (lambda x: len({x: 1, x * 1.0: 2}) * x, "the hash"),
    "cache": (lambda x: _cached(x), "the hash"),
    "why_nonfinite": (lambda x: x * len((x * np.inf).why_nonfinite()), r"why_nonfinite\(\)"),
    "float": (lambda x: x * float(x), "does not convert"),
    "asarray": (lambda x: np.asarray([x], dtype=float)[0] * x, "does not convert"),
    "deepcopy": (lambda x: copy.deepcopy(x), "a copy"),
    "pickle": (lambda x: pickle.dumps(x), "a copy"),
}


@pytest.mark.parametrize(("f", "what"), WAYS_OUT.values(), ids=WAYS_OUT)
def test_no_way_out_leads_past_the_compiler(f, what):
    with pytest.raises(TypeError, match=what):
        jit(f)(1.5)
    with pytest.raises(TypeError, match=f"{what}|format"):
        jit(lambda x: f(x[0]))(np.array([1.5]))


def test_objects_are_hashed_while_a_function_is_traced():
    w = Value(2.0, label="w")
    scale = {w: 3.0}
    assert jit(lambda x: x * w * scale[w])(1.5) == 9.0
    assert hash(w) == object.__hash__(w)
    assert vars(Value)["__hash__"] is vars(object)["__hash__"]


def _raise(x):
    raise ValueError("no")


CALLS = {
    "scalar": lambda: jit(lambda x: x * 2.0)(1.0),
    "gradient": lambda: jit(value_and_grad(lambda x: x * x))(1.0),
    "lanes": lambda: jit(value_and_grad(vmap(lambda w, x: w * x, in_axes=(None, 0), reduce="sum")))(1.0, np.ones(3)),
    "stacked": lambda: jit(vmap(lambda x: {"y": [x, x * 2.0]}))(np.ones(3)),
    "branches": lambda: [jit(vmap(lambda x: x if x > 0 else -x))(np.array([1.0, -1.0]))],
    "loop": lambda: jit(lambda X: vmap(lambda x: x * 2.0)(X)[0])(np.ones(3)),
    "integer": lambda: jit(lambda x, n: [x, x * 2.0][n])(1.0, 1),
    "state": lambda: jit(lambda x, kept=[]: (kept.append(x), x)[1])(1.0),
    "raises": lambda: jit(_raise)(1.0),
    "refused": lambda: jit(lambda x: x.data)(1.0),
    "index": lambda: jit(lambda i: take([1.0, 2.0], i))(3.0),
    "report": lambda: jit(lambda x: x * 2.0).lower(1.0),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_calls_leave_nothing_of_ours_to_the_garbage_collector(call):
    def run():
        with contextlib.suppress(Exception):
            call()

    run()
    gc.collect()
    gc.disable()
    try:
        run()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [type(x).__qualname__ for x in gc.garbage if _is_ours(x)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []


def _is_ours(x):
    """Whether it is made by this package; ctypes makes types that refer to themselves."""
    module = getattr(x, "__module__", None) if isinstance(x, types.FunctionType) else type(x).__module__
    return str(module).startswith("autograd") or isinstance(x, types.FrameType | types.TracebackType | Exception)


def test_lanes_that_return_their_results_in_another_order_or_structure():
    def f(x):
        return {"a": x, "b": 2.0 * x} if x > 0 else {"b": x, "a": 5.0 * x}

    compiled = jit(vmap(f))
    for X in ([1.0, -1.0], [-1.0, 1.0]):
        assert {k: v.tolist() for k, v in compiled(np.array(X)).items()} == {
            k: v.tolist() for k, v in vmap(f)(np.array(X)).items()
        }
    for wrong in (lambda x: [x, x] if x > 0 else [x], lambda x: (x, x) if x > 0 else [x, x]):
        with pytest.raises(ValueError, match="example 1"):
            jit(vmap(wrong))(np.array([1.0, -1.0]))


def test_arrays_of_values_and_numbers_reach_the_plain_function():
    v = Value(3.0)
    result = jit(lambda X: X[0] * X[1])(np.array([v, 2.0], dtype=object))
    result.backward()
    assert v.grad == 2.0


@pytest.mark.parametrize(
    "use",
    [
        lambda kept, X: kept * 2.0,
        lambda kept, X: kept if kept > 0 else -kept,
        lambda kept, X: vmap(lambda x: kept, reduce="sum")(X),
        lambda kept, X: vmap(lambda x: x * kept, reduce="sum")(X),
        lambda kept, X: vmap(lambda x: (x, kept))(X),
    ],
    ids=["result", "branch", "other sum", "other lanes", "other stack"],
)
def test_a_number_of_a_lane_carried_out_of_its_vmap_is_refused(use):
    def f(X):
        kept = []
        total = vmap(lambda x: kept.append(x * 2.0) or x, reduce="sum")(X)
        return total, use(kept[-1], X)

    with pytest.raises(TypeError, match="return it from the mapped function"):
        jit(f)(np.array([1.0, 2.0, 5.0]))


@pytest.mark.parametrize("read", ["data", "grad", "local_grads", "partials"])
def test_a_recorded_number_is_refused_while_tracing(read):
    with pytest.raises(TypeError, match=r"grad|data|partials"):
        jit(lambda x: getattr(x * x, read))(0.5)
