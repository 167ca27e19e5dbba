"""disable_gc: Python's garbage collector is off while graphs are built, in which there is nothing for it to find."""

from __future__ import annotations

import contextlib
import gc
from _thread import allocate_lock
from collections.abc import Iterator

_lock = allocate_lock()
_open = 0  # how many contexts are open, in all threads
_was_on = False  # whether the collector was on before the first of them


@contextlib.contextmanager
def disable_gc() -> Iterator[None]:
    """Within this context Python's garbage collector is off; after it, it is as it was before.

    The collector looks for reference cycles. Graphs of Values have none: they are freed as soon as nobody uses them.
    Yet while a large one is built the collector walks it again and again, and all else that the process holds; in
    plain operators that is more than half of the time of a step (benchmarks/eager.py). So put a loop of training in
    here. What is in cycles, such as a figure of matplotlib, is not freed before the end of the context.

    Contexts may be nested, and overlap in several threads: the last to end turns the collector on again. `fit` and
    `jit` need none: they do it themselves, step by step. As a decorator, `@disable_gc()`, it is for the calls of a
    function. The name is that of `test.support.disable_gc` in Python's library.

    Example:
        >>> from autograd import Value, disable_gc
        >>> w = Value(0.0)
        >>> with disable_gc():
        ...     for step in range(100):
        ...         loss = (w - 3.0) ** 2
        ...         w.grad = 0.0
        ...         loss.backward()
        ...         w.data -= 0.1 * w.grad
        >>> round(w.data, 3)
        3.0
    """
    global _open, _was_on
    with _lock:
        if not _open:
            _was_on = gc.isenabled()
            gc.disable()
        _open += 1
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if not _open and _was_on:
                gc.enable()
