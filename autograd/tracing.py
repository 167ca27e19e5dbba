"""Tracer: what listens, in one thread, while Values are made: the compiler's trace, and the trace of a rule."""

from __future__ import annotations

import functools
from _thread import _local

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any, NoReturn


class Tracer:
    """The hooks that Values call while a tracer is active. Each says what it is called for; subclasses give an answer.

    Numbers that a tracer sees belong to the example that is traced, and are others at the next call. So it decides
    comparisons, and refuses whatever would freeze a number.
    """

    def condition(self, op: Any, x: Any, y: Any) -> Any:
        """The result of the comparison `op(x, y)`, at least one of them a Value."""
        raise NotImplementedError

    def decide(self, condition: Any) -> bool:
        """The truth value of such a result, which Python's `if` or `while` asks for."""
        raise NotImplementedError

    def refuse(self, node: Any, what: str) -> NoReturn:
        """Raise TypeError for a use of a Value that would freeze its number.

        Args:
            node: the Value.
            what: "data", "grad", "partials", "local_grads" (it was read), "backward" (called), "assignment" (to its
                data), "copy" (copied or pickled), "text" (str or repr), "explanation" (why_nonfinite).
        """
        raise NotImplementedError

    def note_hash(self, node: Any) -> None:
        """Code outside of this package hashes a Value, to look it up in a set, a dict or a cache."""

    def watch_hashes(self, start: bool) -> None:
        """`note_hash` is wanted from now on, or no longer."""

    def note_leaf(self, leaf: Any) -> None:
        """A Value was made of a number."""

    def note_choice(self, choice: Any) -> None:
        """A choice by a traced index was recorded: the index is to be checked even if only a derivative is used."""

    def note_copy(self, copy: Any) -> None:
        """A Module was copied, with other parameters: what is written to the copy would be written to the Module."""

    def vmap(self, f: Any, batch: Any, out_axes: Any, reduce: str | None) -> Any:
        """The result of a call under vmap; NotImplemented where f is to be called for one example after another."""
        return NotImplemented


class _Active(_local):  # threading.local, without the rest of threading
    """The tracer that is active in this thread, or None."""

    tracer: Tracer | None = None

    def __reduce__(self) -> str:
        return "tracing"  # the one of this module: a function that is sent elsewhere asks the one there


tracing = _Active()


def unwatched(walk: Any) -> Any:
    """A decorator: a walk over a graph, which hashes every node several times, and runs no code but of this package."""

    @functools.wraps(walk)
    def faster(*args: Any, **kwargs: Any) -> Any:
        tracer = tracing.tracer
        if tracer is None:
            return walk(*args, **kwargs)
        tracer.watch_hashes(False)
        try:
            return walk(*args, **kwargs)
        finally:
            tracer.watch_hashes(True)

    return faster
