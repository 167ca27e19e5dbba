"""disable_gc: the collector is off within, and as it was after every way out; graphs need no collector."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograd import Value, disable_gc, jit
from nn import MLP, SGD, Module, fit


@pytest.fixture(params=[True, False], ids=["on before", "off before"])
def before(request):
    """Whether the collector is on before the test."""
    if not request.param:
        gc.disable()
    yield request.param
    gc.enable()


def leave_by_return():
    with disable_gc():
        return


def leave_by_error():
    with pytest.raises(ZeroDivisionError), disable_gc():
        _ = 1 / 0


def leave_by_interrupt():
    with pytest.raises(KeyboardInterrupt), disable_gc():
        raise KeyboardInterrupt


def leave_a_generator():
    def steps():
        with disable_gc():
            yield

    running = steps()
    next(running)
    assert not gc.isenabled()
    running.close()


@pytest.mark.parametrize("leave", [leave_by_return, leave_by_error, leave_by_interrupt, leave_a_generator])
def test_after_every_way_out_the_collector_is_as_it_was(leave, before):
    leave()
    assert gc.isenabled() == before


def test_nested_contexts_and_decorated_functions_end_with_the_outermost(before):
    @disable_gc()
    def enabled():
        return gc.isenabled()

    assert not enabled()
    assert gc.isenabled() == before
    with disable_gc():
        with disable_gc():
            assert not enabled()
        assert not gc.isenabled()
    assert gc.isenabled() == before


def test_a_compilation_leaves_the_collector_as_it_was(before):
    pytest.importorskip("llvmlite", reason="jit needs llvmlite")
    with disable_gc():
        assert jit(lambda x: x * 2.0)(3.0) == 6.0
        assert not gc.isenabled()
    assert jit(lambda x: x * 3.0)(3.0) == 9.0
    assert gc.isenabled() == before


def test_contexts_of_two_threads_end_with_the_last(before):
    inside, leave = threading.Event(), threading.Event()

    def other():
        with disable_gc():
            inside.set()
            leave.wait(10)

    with ThreadPoolExecutor(1) as pool:
        with disable_gc():
            running = pool.submit(other)
            inside.wait(10)
        assert not gc.isenabled()
        leave.set()
        running.result()
    assert gc.isenabled() == before


def test_a_loop_without_the_collector_holds_one_graph_at_a_time():
    model = MLP(2, [8, 1], activation="tanh", rng=0)
    counts = []
    with disable_gc():
        for _ in range(6):
            loss = (model([1.0, -1.0]) - 3.0) ** 2
            model.zero_grad()
            loss.backward()
            counts.append(len(gc.get_objects()))
    assert max(counts[2:]) <= counts[1] + 2, counts


class Watched(Module):
    """Notes whether the collector is on when it is called in training."""

    def __init__(self, error=None):
        self.w, self.error = Value(1.0), error

    def __call__(self, x):
        if self.training:
            seen.append(gc.isenabled())
            if self.error:
                raise self.error
        return self.w * x[0]


seen = []


@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), ArithmeticError("of the model")], ids=repr)
def test_fit_turns_the_collector_off_within_an_eager_step_only(error, before):
    seen.clear()
    between = []

    def train():
        fit(Watched(error), [[1.0], [2.0]], [3.0, 6.0], optimizer=SGD(0.01), epochs=3, batch_size=1, backend="eager",
            progress=False, callbacks=[lambda model, history: between.append(gc.isenabled())])  # fmt: skip

    if isinstance(error, ArithmeticError):
        with pytest.raises(ArithmeticError, match="of the model"):
            train()
    else:
        train()
    assert seen == [False] * (1 if error else 6)
    assert between == [before] * (0 if error else 3)
    assert gc.isenabled() == before
