"""Node: a number of an expression graph, the operation that gave it, its operands and its local derivatives."""

from __future__ import annotations

import sys

from autograd.freeing import free_operands
from autograd.primitives import Primitive
from autograd.scalars import number
from autograd.tracing import tracing

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any


class Node:
    """One number of a graph; a leaf has no operation.

    Example:
        >>> from autograd import Value
        >>> product = Value(3.0) * 2
        >>> product.op, product.operands, product._partials
        (<primitive mul>, (Value(data=3.0, grad=0.0), 2.0), (2.0, None))
    """

    # One tracked object an operation: most of the cost of a graph is the garbage collector walking it. A node of one or
    # two operands has them in _a and _b and its local derivatives in _da and _db; any other has tuples in _a and _da.
    # A derivative is None where none flows: to a number, to a condition. _grad and _label are unset until needed. Of a
    # leaf, _b is False where it is not to be trained.
    __slots__ = ("_data", "_grad", "_label", "op", "_a", "_b", "_da", "_db")
    _data: float
    _grad: Any
    op: Primitive | None
    _a: Any
    _b: Any
    _da: Any
    _db: Any

    @property
    def data(self) -> float:
        """The number. Assigning converts to float; only a leaf can be assigned.

        Errors: TypeError for anything but a number; AttributeError for the result of an operation; inside `jit`,
        reading raises, because the number would be frozen into the compiled code.
        """
        if tracing.tracer is not None:
            tracing.tracer.refuse(self, "data")
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        if tracing.tracer is not None:
            tracing.tracer.refuse(self, "assignment")
        if self.op is not None:
            raise AttributeError(
                f"{self._name()} is the result of {self.op.name!r}: its data follows from its parents. "
                "Assign to the data of a leaf, or make a new leaf with Value(...)"
            )
        self._data = number(data)

    @property
    def grad(self) -> float:
        """The derivative that backward() left here, 0.0 before; leaves accumulate it until it is set to 0."""
        if tracing.tracer is not None:
            tracing.tracer.refuse(self, "grad")
        try:
            return self._grad
        except AttributeError:
            return 0.0

    @grad.setter
    def grad(self, grad: Any) -> None:
        self._grad = number(grad, "a grad")

    @property
    def label(self) -> str:
        """A name for pictures and messages; empty unless given."""
        try:
            return self._label
        except AttributeError:
            return ""

    @label.setter
    def label(self, label: str) -> None:
        self._label = label

    @property
    def trainable(self) -> bool:
        """Whether optimizers move this leaf: True until it is set to False. The result of an operation never is.

        Errors: AttributeError when assigning to the result of an operation.

        Example:
            >>> from autograd import Value
            >>> w = Value(3.0)
            >>> w.trainable = False
            >>> w.trainable
            False
        """
        return self.op is None and getattr(self, "_b", None) is not False

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        if self.op is not None:
            raise AttributeError(f"{self._name()} is the result of {self.op.name!r}; only leaves are trained")
        self._b = None if trainable else False

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the operation was applied to, nodes and plain numbers; () for a leaf.

        Example:
            >>> from autograd import Value
            >>> (Value(3.0) * 2).operands
            (Value(data=3.0, grad=0.0), 2.0)
        """
        return self._operand_tuple(self._a, self._b)

    @property
    def _partials(self) -> tuple[float | None, ...]:
        return self._operand_tuple(self._da, self._db)

    def _operand_tuple(self, first: Any, second: Any) -> tuple[Any, ...]:
        if self.op is None:
            return ()
        return (first,) if self.op.arity == 1 else (first, second) if self.op.arity == 2 else first

    def become(self, other: Node) -> None:
        """The same result as that of another node, computed in the same way."""
        self.op, self._a, self._b, self._da, self._db = other.op, other._a, other._b, other._da, other._db

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands that are nodes, in order and as often as they occur."""
        return tuple([x for x in self.operands if isinstance(x, Node)])

    @property
    def partials(self) -> tuple[float | None, ...]:
        """The local derivative for each operand, aligned with `operands`; None where no derivative flows.

        Example:
            >>> from autograd import Value
            >>> (Value(3.0) * 2).partials
            (2.0, None)
        """
        if tracing.tracer is not None:
            tracing.tracer.refuse(self, "partials")
        return self._partials

    @property
    def local_grads(self) -> tuple[float, ...]:
        """The derivative of this node with respect to each of `parents`, at their current data.

        Example:
            >>> from autograd import Value
            >>> x, y = Value(3.0), Value(4.0)
            >>> (x * y).local_grads
            (4.0, 3.0)
        """
        if tracing.tracer is not None:
            tracing.tracer.refuse(self, "local_grads")
        return tuple([p or 0.0 for x, p in zip(self.operands, self._partials, strict=True) if isinstance(x, Node)])

    @property
    def _prev(self) -> set[Any]:
        """micrograd's name for the set of parents."""
        return set(self.parents)

    @property
    def _op(self) -> str:
        """micrograd's name for the symbol of the operation."""
        return self.op.symbol if self.op is not None else ""

    if sys.platform == "emscripten":  # in a browser

        def __del__(self) -> None:
            free_operands(self)

    def _name(self) -> str:
        return f"Value {self.label!r} ({self._data!r})" if self.label else f"Value({self._data!r})"
