"""Condition: what a comparison of Values gives while they are traced, by the compiler or for the interactive page."""

from __future__ import annotations

from collections.abc import Callable

from autograd import primitives
from autograd.tracing import Tracer, tracing
from autograd.value import Value

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any, NoReturn


class Condition(Value):
    """A comparison of traced Values: a number, 1 or 0, whose truth value is for the trace to decide."""

    __slots__ = ()

    @classmethod
    def of(cls, node: Value) -> Condition:
        condition: Condition = object.__new__(cls)
        condition._data, condition.op = node._data, node.op
        condition._a, condition._b, condition._da, condition._db = node._a, node._b, node._da, node._db
        return condition

    def __bool__(self) -> bool:
        return bool(self._data) if tracing.tracer is None else tracing.tracer.decide(self)

    def __and__(self, other: Any) -> Condition:
        return self._combined(primitives.logical_and, other)

    def __or__(self, other: Any) -> Condition:
        return self._combined(primitives.logical_or, other)

    def __xor__(self, other: Any) -> Condition:
        return self._combined(primitives.ne, other)

    def __invert__(self) -> Condition:
        return self.of(primitives.logical_not(self))

    def logical_xor(self, other: Any) -> Condition:
        """What np.logical_xor calls on the elements of an object array."""
        return self ^ other

    def _combined(self, op: primitives.Primitive, other: Any) -> Any:
        if not (isinstance(other, Condition | bool) or type(other).__name__ in ("bool", "bool_")):
            return NotImplemented  # an int has bits
        return self._like(other).of(op(self, other))

    def _like(self, other: Any) -> type[Condition]:
        """The class of what a condition gives with another, or with a bool."""
        return Condition

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__


class RuleTracer(Tracer):
    """What listens while a rule of the table is evaluated on stand-ins for its operands,
    to be written in another language. Comparisons are recorded; what could not be written is refused.

    Attributes:
        made: the leaves that the rule made: constants.
    """

    def __init__(self) -> None:
        self.made: set[Value] = set()

    def condition(self, op: primitives.Primitive, x: Any, y: Any) -> Condition:
        return Condition.of(op(x, y))

    def decide(self, condition: Condition) -> NoReturn:
        raise TypeError("it branches on a number; choose with autograd.where(condition, x, y)")

    def note_leaf(self, leaf: Value) -> None:
        self.made.add(leaf)

    def refuse(self, node: Value, what: str) -> NoReturn:
        raise TypeError(f"it uses the {what} of a Value; compute with the Value itself, in functions of autograd")


def trace_rule(rule: Callable[..., Any], *operands: Value) -> tuple[Any, RuleTracer]:
    """What a rule returns for operands, as an expression in them, and its trace.

    Errors: TypeError for a rule that branches on a number or reads its data; what the rule raises.
    """
    before, tracing.tracer = tracing.tracer, (tracer := RuleTracer())
    try:
        return rule(*operands), tracer
    finally:
        tracing.tracer = before
