"""NamedTuple, as in typing, without loading typing: that would double the time of `import autograd`."""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_make: Any = namedtuple  # of names that are not known when types are checked


class _Fields(type):
    """A class statement with annotations becomes a named tuple of those fields."""

    def __new__(meta, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(meta, name, bases, namespace)
        fields = list(namespace.get("__annotations__", ()))
        defaults = [namespace.pop(field) for field in fields if field in namespace]
        record = _make(name, fields, defaults=defaults, module=namespace["__module__"])
        return type(name, (record,), {"__slots__": (), **namespace})


class NamedTuple(metaclass=_Fields):
    """A base class whose subclasses are tuples with named fields.

    Example:
        >>> class Point(NamedTuple):
        ...     x: float
        ...     y: float = 0.0
        >>> Point(1.0)
        Point(x=1.0, y=0.0)
    """
