"""How a primitive applied to Values becomes a node: its number, its operands and its local derivatives."""

import functools
import numbers
import sys
from collections.abc import Iterable, Sequence
from operator import add, mul
from typing import TYPE_CHECKING, Any

from autograd import primitives
from autograd.arrays import elementwise, is_array
from autograd.value import Value as Value  # given on: this module is the one to import first
from autograd.value import tracing

if TYPE_CHECKING:
    from autograd.primitives import Primitive

_new = object.__new__


class _Unrecorded(Value):
    """A Value that computes as IEEE 754 says and records nothing."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:  # Value writes these three out, and they would record
        return apply(primitives.add, (self, other))

    def __sub__(self, other: Any) -> Any:
        return apply(primitives.sub, (self, other))

    def __mul__(self, other: Any) -> Any:
        return apply(primitives.mul, (self, other))


def number(x: Any, what: str = "Value") -> float:
    """x as a float, if it is a real number; TypeError, saying what to write instead, if not."""
    if x.__class__ is float:
        return x
    if isinstance(x, numbers.Real):  # also int, bool, Fraction, NumPy's floats and ints
        return float(x)
    if isinstance(x, Value):
        raise TypeError(f"{what} takes a number, got {x._name()}: use the Value itself, or its .data")
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(x, numpy.bool_):
        return float(x)
    hint = ""
    if is_array(x) or (isinstance(x, Iterable) and not isinstance(x, str | bytes)):
        hint = ": a Value is one scalar; for many, use autograd.array(...) or a list of Values"
    elif isinstance(x, str | bytes):
        hint = ": convert it with float(...) first"
    elif isinstance(x, complex):
        hint = ": complex numbers are not supported; use its real and imaginary parts"
    raise TypeError(f"{what} takes a real number, got {type(x).__name__} {x!r:.60}{hint}")


def apply(op: "Primitive", operands: Sequence[Any]) -> Any:
    """The result of a primitive on floats, Values and other numbers: a Value if an operand is one, else a float.

    NumPy arrays among the operands are taken element by element.
    """
    for x in operands:
        if x.__class__ is not float:
            break
    else:
        return op.forward(*operands)
    if op.arity == 1 and operands[0].__class__ is Value:
        return unary(op, operands[0])
    kinds = set(map(type, operands))
    if not kinds <= _PLAIN:
        if any(map(is_array, operands)):
            return elementwise(op, operands)
        operands = [x if isinstance(x, Value) else number(x, op.name) for x in operands]
        kinds = set(map(type, operands))
        if kinds <= _FLOAT:
            return op.forward(*operands)
    if _Unrecorded in kinds:
        return _Unrecorded(op.forward(*_data(operands)))
    return unary(op, *operands) if op.arity == 1 else _binary(op, *operands) if op.arity == 2 else _nary(op, operands)


_FLOAT, _VALUE, _PLAIN = {float}, {Value}, {float, Value}


def _data(operands: Sequence[Any]) -> list[float]:
    return [x if x.__class__ is float else x._data for x in operands]


def _node(op: "Primitive", out: Any) -> Value:
    node: Value = _new(Value)
    node.op = op
    node._data = out if out.__class__ is float else number(out, f"the result of {op.name}")
    node._b = node._db = None
    return node


def unary(op: "Primitive", x: Value) -> Value:
    node: Value = _new(Value)
    data = x._data
    out = op.forward(data)
    node.op = op
    node._data = out if out.__class__ is float else number(out, f"the result of {op.name}")
    node._a = x
    node._da = _partial(op.partials[0], out, data)
    node._b = node._db = None
    return node


def _binary(op: "Primitive", x: Any, y: Any) -> Value:
    x_data = x if x.__class__ is float else x._data
    y_data = y if y.__class__ is float else y._data
    out = op.forward(x_data, y_data)
    node = _node(op, out)
    node._a, node._b = x, y
    node._da = None if x.__class__ is float else _partial(op.partials[0], out, x_data, y_data)
    node._db = None if y.__class__ is float else _partial(op.partials[1], out, x_data, y_data)
    return node


def _nary(op: "Primitive", operands: Sequence[Any]) -> Value:
    data = _data(operands)
    out = op.forward(*data)
    node = _node(op, out)
    node._a = tuple(operands)
    node._da = _partials(op, out, data, operands)
    return node


def record_dot(bias: Any, w: list[Any], x: list[Any]) -> Value | None:
    """The dot of a neuron, whose weights are Values and whose inputs are all Values or all floats; None for others.

    The primitive dot written out, as + - * are: through apply() a step of nn.MLP takes twice as long.
    """
    try:
        bias_data = bias._data
        w_data = [v._data for v in w]
        x_data = [v._data for v in x]
        x_partials = w_data
    except AttributeError:
        if bias.__class__ is not Value or set(map(type, w)) != _VALUE or set(map(type, x)) != _FLOAT:
            return None
        x_data, x_partials = x, [None] * len(x)
    node: Value = _new(Value)
    node.op = primitives.dot
    node._data = functools.reduce(add, map(mul, w_data, x_data), bias_data)
    node._a = (bias, *w, *x)
    node._da = (1.0, *x_data, *x_partials)
    node._b = node._db = None
    return node


def _partial(rule: Any, out: float, *data: float) -> float | None:
    """One local derivative. Where Python's floats raise, the rule is evaluated on Values, which do as IEEE 754 says."""
    if rule is None:
        return None
    try:
        result = rule(out, *data)
    except (ZeroDivisionError, OverflowError):
        result = rule(*map(_Unrecorded, (out, *data)))
    return _as_partial(result)


def _partials(op: "Primitive", out: float, data: Sequence[float], operands: Sequence[Any]) -> tuple[float | None, ...]:
    """The local derivatives for many operands, None for those that are plain numbers."""
    if op.arity is not None:
        pairs = zip(op.partials, operands, strict=True)
        return tuple([None if x.__class__ is float else _partial(rule, out, *data) for rule, x in pairs])
    try:
        results = op.partials(out, *data)
    except (ZeroDivisionError, OverflowError):
        results = op.partials(*map(_Unrecorded, (out, *data)))
    if len(results) != len(data):
        raise TypeError(f"the partials of {op.name} are {len(results)} for {len(data)} operands")
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
    """x as an operand, a Value or a float; None if it is no number."""
    if x.__class__ is float or isinstance(x, Value):
        return x
    if x.__class__ is int:  # before the slower question whether it is any kind of number
        return float(x)
    try:
        return number(x)
    except TypeError:
        return None


def operator(op: "Primitive", x: Any, y: Any) -> Any:
    """An operator's result, or NotImplemented so that Python asks the other operand or raises its own TypeError."""
    x, y = _operand(x), _operand(y)
    if x is None or y is None:
        return NotImplemented
    if x.__class__ is _Unrecorded or y.__class__ is _Unrecorded:
        return apply(op, (x, y))
    return _binary(op, x, y)


def compare(op: "Primitive", x: Value, y: Any) -> Any:
    y = _operand(y)
    if y is None:
        return NotImplemented
    if tracing.trace is not None:
        return tracing.trace.condition(op, x, y)
    return bool(op.forward(x._data, y._data if isinstance(y, Value) else y))
