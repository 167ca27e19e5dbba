"""Value: a number that remembers how it was computed, and so can be differentiated."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Sequence
from numbers import Integral, Rational
from operator import add, mul

from autograd import graph, primitives
from autograd.diagnose import why_nonfinite
from autograd.frames import is_inside
from autograd.ieee import Float
from autograd.node import Node
from autograd.primitives import Primitive
from autograd.scalars import elementwise, is_array, number
from autograd.tracing import tracing

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any, NoReturn

    import graphviz


_new: Any = object.__new__  # of every node; detect_anomaly puts another in its place
_ADD, _SUB, _MUL = primitives.add, primitives.sub, primitives.mul


class Value(Node):
    """A scalar in an expression graph: a leaf made from a number, or the result of an operation on other Values.

    Args:
        data: the number: int, float, bool, Fraction or NumPy scalar; kept as a float.
        label: a name for pictures and messages.

    Errors: TypeError if `data` is not a real number.

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

    __slots__ = ()

    def __init__(self, data: Any, *history: Any, label: str = ""):
        if history:
            raise TypeError(
                "Value(data, label=...) makes a leaf. For an operation of your own, describe it with "
                "autograd.Primitive(name, forward, partials) and call that: it is then differentiated to any order."
            )
        self._data = number(data)
        self.op = None
        self._a = self._b = self._da = self._db = None
        if label:
            self._label = label
        if tracing.tracer is not None:
            tracing.tracer.note_leaf(self)

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
        if tracing.tracer is not None:
            tracing.tracer.refuse(self, "backward")
        graph.backward(self, number(gradient, "a gradient"))

    def why_nonfinite(self) -> str:
        """One sentence on where inf or nan came from: the first operation that made it of finite numbers.

        Looks at the data of every node this one was computed from and then, if they are finite, at the gradients that
        the last backward() left.

        Example:
            >>> x = Value(0.0, label="x")
            >>> (1 / x + 5).why_nonfinite()
            'div gives inf from 1.0, x = 0.0'
        """
        if tracing.tracer is not None:
            tracing.tracer.refuse(self, "explanation")
        return why_nonfinite(self)

    def draw(self, **options: Any) -> graphviz.Digraph:
        """The graph that this node was computed by, as a picture; autograd.draw says what the options are."""
        from autograd.visualize import draw

        return draw(self, **options)

    @staticmethod
    def __apply__(op: Primitive, operands: Sequence[Any]) -> Any:
        """The node for an operation with a Value among its operands; see Primitive.__call__."""
        if op.arity == 1:
            return _unary(op, operands[0])
        kinds = set(map(type, operands))
        if not kinds <= _PLAIN:
            if any(map(is_array, operands)):
                return elementwise(op, operands)
            operands = [x._as_float() if isinstance(x, Value) else number(x, op.name) for x in operands]
        return _binary(op, *operands) if op.arity == 2 else _nary(op, operands)

    # --- arithmetic -----------------------------------------------------------------------------------------------
    # + - * are most of any graph. They are the primitives add, sub and mul written out: through apply() a training
    # step in plain operators takes nearly twice as long (benchmarks/eager.py); tests hold them to the table.

    def __add__(self, other: Any) -> Value:
        node: Value = _new(Value)
        if other.__class__ is Value:
            node._data = self._data + other._data
            node._db = 1.0
        elif other.__class__ is float:
            node._data = self._data + other
            node._db = None
        else:
            return _operator(_ADD, self, other)
        node._da = 1.0
        node.op = _ADD
        node._a = self
        node._b = other
        return node

    def __sub__(self, other: Any) -> Value:
        node: Value = _new(Value)
        if other.__class__ is Value:
            node._data = self._data - other._data
            node._db = -1.0
        elif other.__class__ is float:
            node._data = self._data - other
            node._db = None
        else:
            return _operator(_SUB, self, other)
        node._da = 1.0
        node.op = _SUB
        node._a = self
        node._b = other
        return node

    def __mul__(self, other: Any) -> Value:
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
            return _operator(_MUL, self, other)
        node.op = _MUL
        node._a = self
        node._b = other
        return node

    def __radd__(self, other: Any) -> Value:
        return _operator(_ADD, other, self)

    def __rsub__(self, other: Any) -> Value:
        return _operator(_SUB, other, self)

    def __rmul__(self, other: Any) -> Value:
        return _operator(_MUL, other, self)

    def __truediv__(self, other: Any) -> Value:
        return _operator(primitives.div, self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return _operator(primitives.div, other, self)

    def __pow__(self, other: Any) -> Value:
        return _operator(primitives.pow, self, other)

    def __rpow__(self, other: Any) -> Value:
        return _operator(primitives.pow, other, self)

    def __mod__(self, other: Any) -> Value:
        return _operator(primitives.mod, self, other)

    def __rmod__(self, other: Any) -> Value:
        return _operator(primitives.mod, other, self)

    def __floordiv__(self, other: Any) -> NoReturn:
        raise TypeError("x // y of Values: write autograd.floor(x / y), through which no derivative flows")

    __rfloordiv__ = __floordiv__

    def __round__(self, digits: int | None = None) -> Value:
        """To whole numbers, or to so many digits, as np.round."""
        if digits is None:
            return primitives.round(self)
        return primitives.round(self * 10.0**digits) / 10.0**digits

    def __neg__(self) -> Value:
        return _unary(primitives.neg, self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return _unary(primitives.abs, self)

    # --- functions as methods, under the names that NumPy calls on the elements of an object array ------------------
    # and those that users of micrograd and PyTorch expect. The functions of autograd.functions say what they do.

    sqrt, cbrt, exp, exp2, expm1 = primitives.sqrt, primitives.cbrt, primitives.exp, primitives.exp2, primitives.expm1
    log, log2, log10, log1p = primitives.log, primitives.log2, primitives.log10, primitives.log1p
    sin, cos, tan = primitives.sin, primitives.cos, primitives.tan
    arcsin, arccos, arctan, arctan2 = primitives.asin, primitives.acos, primitives.atan, primitives.atan2
    sinh, cosh, tanh = primitives.sinh, primitives.cosh, primitives.tanh
    arcsinh, arccosh, arctanh = primitives.asinh, primitives.acosh, primitives.atanh
    fabs, rint, fmod = primitives.abs, primitives.round, primitives.fmod
    __floor__, __ceil__, __trunc__ = primitives.floor, primitives.ceil, primitives.trunc
    hypot, sigmoid, relu, detach = primitives.hypot, primitives.sigmoid, primitives.relu, primitives.detach

    def degrees(self) -> Value:
        return self * (180 / math.pi)

    def radians(self) -> Value:
        return self * (math.pi / 180)

    rad2deg, deg2rad = degrees, radians

    def conjugate(self) -> Value:
        """A real number is its own conjugate; np.var and np.linalg ask."""
        return self

    # --- as a number ----------------------------------------------------------------------------------------------

    def __lt__(self, other: Any) -> bool:
        return _compare(primitives.lt, self, other)

    def __le__(self, other: Any) -> bool:
        return _compare(primitives.le, self, other)

    def __gt__(self, other: Any) -> bool:
        return _compare(primitives.gt, self, other)

    def __ge__(self, other: Any) -> bool:
        return _compare(primitives.ge, self, other)

    def __eq__(self, other: object) -> bool:
        return _compare(primitives.eq, self, other)

    def __ne__(self, other: object) -> bool:
        return _compare(primitives.ne, self, other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self != 0.0)

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"{self._name()} does not convert to a plain number by itself, since that would drop its gradient in "
            "silence. Use .data for the number, or autograd's own functions (autograd.exp, autograd.interp, "
            "autograd.linalg.solve, ...) to go on computing"
        )

    __int__ = __float__

    def __index__(self) -> NoReturn:
        raise TypeError(f"{self._name()} cannot index a sequence: use autograd.take(values, index)")

    def __format__(self, spec: str) -> str:
        return format(self.data, spec)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        if tracing.tracer is not None:
            if not is_inside(sys._getframe(1)):
                tracing.tracer.refuse(self, "text")
            return f"Value(traced{label})"  # in messages of this package: its number is that of the trace
        return f"Value(data={self._data!r}, grad={self.grad!r}{label})"

    def __reduce__(self) -> tuple[Any, ...]:
        if tracing.tracer is not None:
            tracing.tracer.refuse(self, "copy")
        if self.op is not None:
            raise TypeError(
                f"{self._name()} is the result of {self.op.name!r}; only leaves are copied and pickled, without the "
                "graph behind them. Take its number: Value(v.data)"
            )
        return _leaf, (self._data, self.grad, self.label, self.trainable)

    def _as_float(self) -> Value:
        """This as an operand; the compiler's integers, which have a type, differ."""
        return self

    def _no_number(self) -> str:
        """What to write instead of passing this where a number is needed."""
        return f"{self._name()}: use the Value itself, or its .data"


def _leaf(data: float, grad: float, label: str, trainable: bool = True) -> Value:
    leaf = Value(data, label=label)
    leaf.grad, leaf.trainable = grad, trainable
    return leaf


# --- recording: how a primitive applied to Values becomes a node ---------------------------------------------------

_FLOAT, _PLAIN = {float}, {float, Value}


def _data(operands: Sequence[Any]) -> list[float]:
    return [x if x.__class__ is float else x._data for x in operands]


def _node(op: Primitive, out: Any) -> Value:
    node: Value = _new(Value)
    node.op = op
    node._data = out if out.__class__ is float else number(out, f"the result of {op.name}")
    node._b = node._db = None
    return node


def _unary(op: Primitive, x: Value) -> Value:
    node: Value = _new(Value)
    data = x._data
    out = op.forward(data)
    node.op = op
    node._data = out if out.__class__ is float else number(out, f"the result of {op.name}")
    node._a = x
    node._da = _partial(op.partials[0], out, data)
    node._b = node._db = None
    return node


def _binary(op: Primitive, x: Any, y: Any) -> Value:
    x_data = x if x.__class__ is float else x._data
    y_data = y if y.__class__ is float else y._data
    out = op.forward(x_data, y_data)
    node = _node(op, out)
    node._a, node._b = x, y
    node._da = None if x.__class__ is float else _partial(op.partials[0], out, x_data, y_data)
    node._db = None if y.__class__ is float else _partial(op.partials[1], out, x_data, y_data)
    return node


def _nary(op: Primitive, operands: Sequence[Any]) -> Value:
    data = _data(operands)
    out = op.forward(*data)
    node = _node(op, out)
    node._a = tuple(operands)
    node._da = local_partials(op, out, data, operands)
    return node


def record_dot(bias: Any, w: list[Any], x: list[Any]) -> Value | None:
    """The dot of a neuron, whose weights are Values and whose inputs are all Values or all floats; else None.

    The primitive dot written out, as + - * are: through apply() a step of nn.MLP takes twice as long.
    """
    if not w or w[0].__class__ is not Value:
        return None
    try:
        bias_data, bias_partial = (bias, None) if bias.__class__ is float else (bias._data, 1.0)
        w_data = [v._data for v in w]
        if x[0].__class__ is not float:
            x_data, x_partials = [v._data for v in x], w_data
        elif set(map(type, x)) == _FLOAT:
            x_data, x_partials = x, [None] * len(x)
        else:
            return None
    except AttributeError:  # of a number among Values
        return None
    node: Value = _new(Value)
    node.op = primitives.dot
    node._data = functools.reduce(add, map(mul, w_data, x_data), bias_data)
    node._a = (bias, *w, *x)
    node._da = (bias_partial, *x_data, *x_partials)
    node._b = node._db = None
    return node


def _partial(rule: Any, out: float, *data: float) -> float | None:
    """One local derivative. Where Python's floats raise, the rule is evaluated on Values, which do as IEEE 754 says."""
    if rule is None:
        return None
    try:
        result = rule(out, *data)
    except (ZeroDivisionError, OverflowError):
        result = rule(*map(Float, (out, *data)))
    return _as_partial(result)


def local_partials(
    op: Primitive, out: float, data: Sequence[float], operands: Sequence[Any]
) -> tuple[float | None, ...]:
    """The local derivatives for many operands, None for those that are plain numbers."""
    if op.arity is not None:
        pairs = zip(op.partials, operands, strict=True)
        return tuple([None if x.__class__ is float else _partial(rule, out, *data) for rule, x in pairs])
    try:
        results = op.partials(out, *data)
    except (ZeroDivisionError, OverflowError):
        results = op.partials(*map(Float, (out, *data)))
    if len(results) != len(data):
        raise TypeError(f"the rule of {op.name} gives {len(results)} partials for {len(data)} operands")
    if set(map(type, results)) != _FLOAT:
        results = [_as_partial(p) for p in results]
    if float in map(type, operands):
        results = [None if x.__class__ is float else p for x, p in zip(operands, results, strict=True)]
    return tuple(results)


def _as_partial(result: Any) -> float | None:
    if result.__class__ is float or result is None:
        return result
    return result._data if isinstance(result, Value) else float(result)


def _operand(x: Any) -> Any:
    """x as an operand, a Value or a float; None if it is not a number."""
    if x.__class__ is float or isinstance(x, Value):
        return x
    try:
        if x.__class__ is int:  # before the slower question whether it is any kind of number
            return float(x)
        return number(x)
    except TypeError:
        return None
    except OverflowError:
        return number(x, "arithmetic on Values")


def _operator(op: Primitive, x: Any, y: Any) -> Any:
    """An operator's result, or NotImplemented so that Python asks the other operand or raises its own TypeError."""
    x, y = _operand(x), _operand(y)
    if x is None or y is None:
        return NotImplemented
    return _binary(op, x, y)


def _compare(op: Primitive, x: Value, y: Any) -> Any:
    if y.__class__ is not float and not isinstance(y, Value):
        if tracing.tracer is None and isinstance(y, Rational):  # exactly, as Python does: not every int is a float
            return bool(op.forward(x._data, int(y) if isinstance(y, Integral) else y))
        y = _operand(y)
        if y is None:
            return NotImplemented
    if tracing.tracer is not None:
        return tracing.tracer.condition(op, x, y)
    return bool(op.forward(x._data, y._data if isinstance(y, Value) else y))
