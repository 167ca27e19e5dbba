"""detect_anomaly: nodes that remember the line of code that made them, for why_nonfinite to name."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from autograd import value
from autograd.frames import callers_frame
from autograd.value import Value

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any


class LocatedValue(Value):
    """A Value that knows where it was made. It costs a frame walk an operation, so not every Value is one."""

    __slots__ = ("line",)
    line: str


@contextlib.contextmanager
def detect_anomaly() -> Iterator[None]:
    """Within this context, operations remember the line that they stand in, and `why_nonfinite` names it.

    A graph built in here takes several times as long. The name and the purpose are those of PyTorch's.

    Example:
        >>> from autograd import Value, detect_anomaly
        >>> x = Value(0.0, label="x")
        >>> with detect_anomaly():
        ...     y = 1 / x
        >>> y.why_nonfinite()
        'div gives inf from 1.0, x = 0.0, at <doctest autograd.anomaly.detect_anomaly[2]>:2'
    """
    before, value._new = value._new, _located
    try:
        yield
    finally:
        value._new = before


def _located(cls: Any) -> LocatedValue:
    node: LocatedValue = object.__new__(LocatedValue)
    numpy = sys.modules.get("numpy")
    frame = callers_frame(*(numpy.__path__ if numpy is not None else ()))
    node.line = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return node
