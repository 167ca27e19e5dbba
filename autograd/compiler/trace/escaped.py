"""Values that outlive the trace that made them: they have no number, and raise when they are used."""

import gc
from collections.abc import Iterable
from typing import Any, NoReturn

from autograd.node import Node
from autograd.value import Value


class Escaped(Value):
    """What becomes of a traced Value that the traced function has put somewhere: any use of its number raises."""

    __slots__ = ()

    def _refuse(self, *number: Any) -> NoReturn:
        raise TypeError(
            f"{self._label}; the trace is over, so it has no number. Return it from the function instead of keeping it "
            "in an attribute, a list or a variable outside"
        )

    _data = data = grad = property(_refuse, _refuse)

    def _name(self) -> str:
        return f"Value({self._label})"

    __repr__ = __str__ = _name


def close(inputs: Iterable[Value], where: str) -> None:
    """End a trace: what was computed from its inputs, and is still there, becomes Escaped.

    Args:
        inputs: leaves that stood for the numbers of arguments.
        where: the traced function, and where it is.

    The graph must have been let go before. What is left of it is among the objects that the garbage collector has not
    met yet, since it does not run during a trace.
    """
    closed = set(inputs)
    depends: dict[Any, bool] = dict.fromkeys(closed, True)
    left = [x for x in gc.get_objects(generation=0) if issubclass(type(x), Value) and type(x) is not Escaped]
    escaped = [x for x in left if _depends(x, depends)]
    for x in [*closed, *escaped]:
        made = f"the argument {x.label}" if x.op is None else f"the result of {x.op.name}"
        x._label = f"{made} in a trace of {where}"
    for x in [*closed, *escaped]:
        x.op = x._a = x._b = x._da = x._db = None
        x.__class__ = Escaped


def _depends(root: Node, known: dict[Any, bool]) -> bool:
    """Whether a node was computed from the inputs, which are known to depend on themselves."""
    stack: list[Any] = [root]
    while stack:
        node = stack[-1]
        if node in known:
            stack.pop()
        elif waiting := [x for x in node.parents if x not in known]:
            stack += waiting
        else:
            known[node] = any(known[x] for x in node.parents)
            stack.pop()
    return known[root]
