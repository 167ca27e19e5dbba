"""What `if` and `while` decide while a function computes a graph, so that the page can ask again after an edit."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograd import value
from autograd.condition import Condition
from autograd.frames import callers_frame
from autograd.value import Value


@dataclass(frozen=True)
class Decision:
    """A comparison whose truth value was asked for.

    Attributes:
        condition: the comparison, a node of 1 or 0.
        line: where it was asked for, as file:number.
    """

    condition: Value
    line: str


class _Noted(Condition):
    """A comparison that is a node of the graph and notes when it is asked for its truth value."""

    __slots__ = ()

    def __bool__(self) -> bool:
        if _noting:
            frame = callers_frame()
            _noting[-1].append(Decision(self, f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"))
        return bool(self._data)

    def _like(self, other: Any) -> type[Condition]:
        return _Noted


_noting: list[list[Decision]] = []  # of the context that is at work, within those around it


@contextlib.contextmanager
def noting_decisions() -> Iterator[list[Decision]]:
    """Within this context a comparison is a node of the graph; the list holds those that decided something.

    Example:
        >>> x = Value(2.0)
        >>> with noting_decisions() as decisions:
        ...     y = x * x if x > 1.0 else x
        >>> [(d.condition.op.name, d.condition.data) for d in decisions]
        [('gt', 1.0)]
    """
    before = value._compare

    def compare(op: Any, x: Value, y: Any) -> Any:
        result = before(op, x, y)
        return result if result is NotImplemented else _Noted.of(op(x, y if isinstance(y, Value) else float(y)))

    decisions: list[Decision] = []
    value._compare = compare
    _noting.append(decisions)
    try:
        yield decisions
    finally:
        value._compare = before
        _noting.pop()
