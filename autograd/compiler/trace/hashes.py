"""While a trace is going on, the compiler hears of it when a Value is hashed outside of this package."""

import sys
import threading
from typing import Any

from autograd.frames import is_inside
from autograd.tracing import tracing
from autograd.value import Value

_lock = threading.Lock()
_watching = 0
_inside: set[str] = set()  # files of this package


def _hash(value: Value, frame: Any = sys._getframe, of_object: Any = object.__hash__) -> int:
    """The walks over graphs hash every node several times, hence the defaults and known files in place of calls."""
    if frame(1).f_code.co_filename not in _inside and tracing.tracer is not None:
        if is_inside(frame(1)):
            _inside.add(frame(1).f_code.co_filename)
        else:
            tracing.tracer.note_hash(value)
    return of_object(value)


def watch_hashes(start: bool) -> None:
    """Start, or stop. Values hash by identity at all times; in Python only while some thread traces, since it is slower
    and the walks over graphs hash every node."""
    global _watching
    with _lock:
        _watching += 1 if start else -1
        if _watching == (1 if start else 0):
            Value.__hash__ = _hash if start else object.__hash__  # type: ignore
