"""Condition: what a comparison of Values gives while they are traced, by the compiler or for the interactive page."""

from typing import Any

from autograd import primitives
from autograd.value import Value, tracing


class Condition(Value):
    """A comparison of traced Values: a number, 1 or 0, whose truth value is for the trace to decide."""

    __slots__ = ()

    @classmethod
    def of(cls, node: Value) -> "Condition":
        condition: Condition = object.__new__(cls)
        condition._data, condition.op = node._data, node.op
        condition._a, condition._b, condition._da, condition._db = node._a, node._b, node._da, node._db
        return condition

    def __bool__(self) -> bool:
        return bool(self._data) if tracing.trace is None else tracing.trace.decide(self)

    def __and__(self, other: Any) -> "Condition":
        return Condition.of(primitives.logical_and(self, other))

    def __or__(self, other: Any) -> "Condition":
        return Condition.of(primitives.logical_or(self, other))

    def __invert__(self) -> "Condition":
        return Condition.of(primitives.logical_not(self))

    __rand__, __ror__ = __and__, __or__
