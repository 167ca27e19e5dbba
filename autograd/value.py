"""Value: a number that remembers how it was computed, and so can be differentiated."""

import threading
from typing import TYPE_CHECKING, Any, NoReturn

from autograd import apply, primitives  # Values are made by applying primitives to Values
from autograd.methods import Methods

if TYPE_CHECKING:
    import graphviz

    from autograd.primitives import Primitive

_new = object.__new__
_ADD, _SUB, _MUL = primitives.add, primitives.sub, primitives.mul


class _Tracing(threading.local):
    """What the compiler is tracing in this thread, if anything: then comparisons and `.data` are its business."""

    trace: Any = None


tracing = _Tracing()


class Value(Methods):
    """A scalar in an expression graph: a leaf made from a number, or the result of an operation on other Values.

    Args:
        data: the number: int, float, bool, Fraction or NumPy scalar; kept as a float.
        label: a name for pictures and messages.

    Errors: TypeError if `data` is no real number.

    Values take part in + - * / ** with each other and with numbers, in the functions of this package, and in NumPy
    object arrays. They compare, sort, format and truth-test as their data does; hashing is by identity.

    Example:
        >>> a = Value(-4.0, label="a")
        >>> b = Value(2.0, label="b")
        >>> d = a * b + b**3
        >>> d.backward()
        >>> d.data, a.grad, b.grad
        (0.0, 2.0, 8.0)
    """

    # One tracked object an operation: most of the cost of a graph is the garbage collector walking it. A node of one or
    # two operands has them in _a and _b and its local derivatives in _da and _db; any other has tuples in _a and _da.
    # A derivative is None where none flows: to a number, to a condition. _grad and _label are unset until needed.
    __slots__ = ("_data", "_grad", "_label", "op", "_a", "_b", "_da", "_db")
    _data: float
    _grad: Any
    op: "Primitive | None"
    _a: Any
    _b: Any
    _da: Any
    _db: Any

    def __init__(self, data: Any, *graph: Any, label: str = ""):
        if graph:
            raise TypeError(
                "Value(data, label=...) makes a leaf. For an operation of your own, describe it with "
                "autograd.Primitive(name, forward, partials) and call that: it is then differentiated to any order."
            )
        self._data = apply.number(data)
        self.op = None
        self._a = self._b = self._da = self._db = None
        if label:
            self._label = label
        if tracing.trace is not None:
            tracing.trace.made.add(self)

    # --- what a node records --------------------------------------------------------------------------------------

    @property
    def data(self) -> float:
        """The number. Assigning converts to float; only a leaf can be assigned.

        Errors: TypeError for what is no number; AttributeError for the result of an operation; inside `jit`,
        reading raises, because the number would be frozen into the compiled code.
        """
        if tracing.trace is not None:
            tracing.trace.refuse_data(self)
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        if tracing.trace is not None:
            tracing.trace.refuse_assignment(self)
        if self.op is not None:
            raise AttributeError(
                f"{self._name()} is the result of {self.op.name!r}: its data follows from its parents. "
                "Assign to the data of a leaf, or make a new leaf with Value(...)"
            )
        self._data = apply.number(data)

    @property
    def grad(self) -> float:
        """The derivative that backward() left here, 0.0 before; leaves accumulate it until it is set to 0."""
        if tracing.trace is not None:
            tracing.trace.refuse_backward(self, "the .grad")
        grad = getattr(self, "_grad", None)  # None, too, where an interrupted sweep has not come by
        return 0.0 if grad is None else grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        self._grad = apply.number(grad, "a grad")

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
    def operands(self) -> "tuple[Value | float, ...]":
        """What the operation was applied to, Values and plain numbers; () for a leaf.

        Example:
            >>> (Value(3.0) * 2).operands
            (Value(data=3.0, grad=0.0), 2.0)
        """
        return self._operand_tuple(self._a, self._b)

    @property
    def partials(self) -> tuple[float | None, ...]:
        """The local derivative for each operand, aligned with `operands`; None where no derivative flows.

        Example:
            >>> (Value(3.0) * 2).partials
            (2.0, None)
        """
        if tracing.trace is not None:
            tracing.trace.refuse_backward(self, "the .partials")
        return self._partials

    @property
    def _partials(self) -> tuple[float | None, ...]:
        return self._operand_tuple(self._da, self._db)

    def _operand_tuple(self, first: Any, second: Any) -> tuple[Any, ...]:
        if self.op is None:
            return ()
        return (first,) if self.op.arity == 1 else (first, second) if self.op.arity == 2 else first

    @property
    def parents(self) -> "tuple[Value, ...]":
        """The operands that are Values, in order and as often as they occur."""
        return tuple([x for x in self.operands if isinstance(x, Value)])

    @property
    def local_grads(self) -> tuple[float, ...]:
        """The derivative of this node with respect to each of `parents`, at their current data.

        Example:
            >>> x, y = Value(3.0), Value(4.0)
            >>> (x * y).local_grads
            (4.0, 3.0)
        """
        if tracing.trace is not None:
            tracing.trace.refuse_backward(self, "the .local_grads")
        return tuple([p or 0.0 for x, p in zip(self.operands, self._partials, strict=True) if isinstance(x, Value)])

    @property
    def _prev(self) -> "set[Value]":
        """micrograd's name for the set of parents."""
        return set(self.parents)

    @property
    def _op(self) -> str:
        """micrograd's name for the symbol of the operation."""
        return self.op.symbol if self.op is not None else ""

    # --- differentiation ------------------------------------------------------------------------------------------

    def backward(self, gradient: float = 1.0) -> None:
        """Propagate derivatives of this node through the graph, by one sweep in reverse topological order.

        Adds into the `grad` of the leaves, so that gradients accumulate until they are set to 0, and sets the `grad`
        of the nodes between.

        Args:
            gradient: the derivative of the final result with respect to this node, 1.0 if this node is the result.

        Example:
            >>> x = Value(3.0)
            >>> y = x * x
            >>> y.backward()
            >>> x.grad
            6.0
            >>> y.backward()
            >>> x.grad
            12.0
        """
        from autograd.graph import backward

        if tracing.trace is not None:
            tracing.trace.refuse_backward(self, "the result of backward()")
        backward(self, apply.number(gradient, "a gradient"))

    def why_nonfinite(self) -> str:
        """One sentence on where inf or nan came from: the first operation that made it of finite numbers.

        Looks at the data of every node this one was computed from and then, if they are finite, at the gradients that
        the last backward() left.

        Example:
            >>> x = Value(0.0, label="x")
            >>> (1 / x + 5).why_nonfinite()
            'div gives inf from 1.0, x = 0.0'
        """
        from autograd.diagnose import why_nonfinite

        return why_nonfinite(self)

    def draw(self, **options: Any) -> "graphviz.Digraph":
        """The graph that this node was computed by, as a picture; autograd.draw says what the options are."""
        from autograd.visualize import draw

        return draw(self, **options)

    # --- arithmetic -----------------------------------------------------------------------------------------------
    # + - * are most of any graph. They are the primitives add, sub and mul written out: through apply() a training
    # step in plain operators takes nearly twice as long (benchmarks/eager.py); tests hold them to the table.

    def __add__(self, other: Any) -> "Value":
        node: Value = _new(Value)
        if other.__class__ is Value:
            node._data = self._data + other._data
            node._db = 1.0
        elif other.__class__ is float:
            node._data = self._data + other
            node._db = None
        else:
            return apply.operator(_ADD, self, other)
        node._da = 1.0
        node.op = _ADD
        node._a = self
        node._b = other
        return node

    def __sub__(self, other: Any) -> "Value":
        node: Value = _new(Value)
        if other.__class__ is Value:
            node._data = self._data - other._data
            node._db = -1.0
        elif other.__class__ is float:
            node._data = self._data - other
            node._db = None
        else:
            return apply.operator(_SUB, self, other)
        node._da = 1.0
        node.op = _SUB
        node._a = self
        node._b = other
        return node

    def __mul__(self, other: Any) -> "Value":
        node: Value = _new(Value)
        if other.__class__ is Value:
            node._db = x = self._data
            node._da = y = other._data
            node._data = x * y
        elif other.__class__ is float:
            node._data = self._data * other
            node._da = other
            node._db = None
        else:
            return apply.operator(_MUL, self, other)
        node.op = _MUL
        node._a = self
        node._b = other
        return node

    def __radd__(self, other: Any) -> "Value":
        return apply.operator(_ADD, other, self)

    def __rsub__(self, other: Any) -> "Value":
        return apply.operator(_SUB, other, self)

    def __rmul__(self, other: Any) -> "Value":
        return apply.operator(_MUL, other, self)

    def __truediv__(self, other: Any) -> "Value":
        return apply.operator(primitives.div, self, other)

    def __rtruediv__(self, other: Any) -> "Value":
        return apply.operator(primitives.div, other, self)

    def __pow__(self, other: Any) -> "Value":
        return apply.operator(primitives.pow, self, other)

    def __rpow__(self, other: Any) -> "Value":
        return apply.operator(primitives.pow, other, self)

    def __neg__(self) -> "Value":
        return apply.unary(primitives.neg, self)

    def __pos__(self) -> "Value":
        return self

    def __abs__(self) -> "Value":
        return apply.unary(primitives.abs, self)

    # --- as a number ----------------------------------------------------------------------------------------------

    def __lt__(self, other: Any) -> bool:
        return apply.compare(primitives.lt, self, other)

    def __le__(self, other: Any) -> bool:
        return apply.compare(primitives.le, self, other)

    def __gt__(self, other: Any) -> bool:
        return apply.compare(primitives.gt, self, other)

    def __ge__(self, other: Any) -> bool:
        return apply.compare(primitives.ge, self, other)

    def __eq__(self, other: object) -> bool:
        return apply.compare(primitives.eq, self, other)

    def __ne__(self, other: object) -> bool:
        return apply.compare(primitives.ne, self, other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self != 0.0)

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"{self._name()} does not convert to a plain number by itself, since that would drop its gradient in "
            "silence. Use .data for the number, or autograd's own functions (autograd.exp, ...) to go on computing"
        )

    __int__ = __float__

    def __index__(self) -> NoReturn:
        raise TypeError(f"{self._name()} is no index of a sequence: use autograd.take(values, index)")

    def __format__(self, spec: str) -> str:
        return format(self.data, spec)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        if tracing.trace is not None:
            return f"Value(traced{label})"  # its number is that of the trace, and may be another at the next call
        return f"Value(data={self._data!r}, grad={self.grad!r}{label})"

    def __reduce__(self) -> tuple[Any, ...]:
        if tracing.trace is not None:
            tracing.trace.refuse_copy(self)
        if self.op is not None:
            raise TypeError(
                f"{self._name()} is the result of {self.op.name!r}; only leaves are copied and pickled, without the "
                "graph behind them. Take its number: Value(v.data)"
            )
        return _leaf, (self._data, self.grad, self.label)

    def _name(self) -> str:
        return f"Value {self.label!r} ({self._data!r})" if self.label else f"Value({self._data!r})"


def _leaf(data: float, grad: float, label: str) -> Value:
    leaf = Value(data, label=label)
    leaf.grad = grad
    return leaf
