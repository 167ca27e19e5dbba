"""Freeing a long graph without recursion.

CPython frees the operands of a node that it frees, and theirs, one call inside the other; it counts the calls, and puts
off what is too deep. In WebAssembly it does not see how deep the stack of its host is: a chain of 8 000 nodes ends the
program. There, and only there, this is the `__del__` of nodes (node.py).
"""

from __future__ import annotations

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any

_waiting: list[Any] = []  # operands to let go of; not empty while a loop is at it


def free_operands(node: Any) -> None:
    """Takes the operands off a node. The outermost call lets go of them one by one; inner calls only add theirs."""
    outermost = not _waiting
    if outermost:
        _waiting.append(None)
    for name in ("_a", "_b"):
        _waiting.append(getattr(node, name, None))
        setattr(node, name, None)
    if outermost:
        while len(_waiting) > 1:
            _waiting.pop()
        _waiting.clear()
