"""Integers and booleans while a function is traced: they compute as Python and NumPy do for their type, or refuse.

Compiled code has doubles only. Those are exact for whole numbers up to 2**53, so each result of integers is checked to
stay within that, and within its type: a call in which one does not is left to the plain function, which wraps around,
or has as many digits as it needs. What doubles cannot do (bits, remainders, an index of a list) needs the number
itself: an integer argument becomes part of the program then, see `Static`.
"""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from autograd import primitives
from autograd.compiler.trace.hooks import TraceHooks
from autograd.condition import Condition
from autograd.primitives import Primitive
from autograd.tracing import tracing
from autograd.value import Value


def _trace() -> TraceHooks:
    """The trace that is going on."""
    assert isinstance(tracing.tracer, TraceHooks)
    return tracing.tracer


LIMIT = 2**53 - 1  # whole numbers up to here are doubles, and no other whole number is rounded to one of them
_WEAK = int(np.__version__.split(".")[0]) >= 2  # whether a Python int takes the type of what it is combined with
_BOOL = np.dtype(bool)


def is_integer(x: Any) -> bool:
    """Whether x is a whole number of Python or NumPy that a double can stand for; a bool does not count."""
    return bool((type(x) is int or isinstance(x, np.integer)) and -LIMIT <= x <= LIMIT)


def bounds(numpy_type: Any) -> tuple[float, float]:
    """The whole numbers of a type that compiled code computes with."""
    if numpy_type is None:
        return -float(LIMIT), float(LIMIT)
    info = np.iinfo(numpy_type)
    return float(max(info.min, -LIMIT)), float(min(info.max, LIMIT))


def _needs_number(what: str) -> Callable[..., Any]:
    def method(self: Any, *others: Any) -> NoReturn:
        _need_number(self, what)

    return method


class _Typed:
    """Arithmetic of integers and booleans. `numpy_type` is their dtype, None for those of Python."""

    __slots__ = ()
    numpy_type: Any = None

    def __add__(self, other: Any) -> Any:
        return _operate(primitives.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _operate(primitives.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _operate(primitives.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _operate(primitives.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return _operate(primitives.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _operate(primitives.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _operate(primitives.div, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _operate(primitives.div, other, self)

    def __pow__(self, other: Any) -> Any:
        return _operate(primitives.pow, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _operate(primitives.pow, other, self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _trace().apply_ufunc(ufunc, method, inputs, kwargs)

    __floordiv__ = __rfloordiv__ = _needs_number("//")
    __mod__ = __rmod__ = _needs_number("%")
    __divmod__ = __rdivmod__ = _needs_number("divmod")
    __lshift__ = __rlshift__ = _needs_number("<<")
    __rshift__ = __rrshift__ = _needs_number(">>")
    __format__ = _needs_number("formatting")
    __str__ = __repr__ = _needs_number("text")


class Boolean(_Typed, Condition):
    """A comparison while the compiler traces: a bool of Python, unless it is an element of an array of booleans."""

    __slots__ = ()

    __neg__ = _needs_number("-")
    __pos__ = _needs_number("+")
    __abs__ = _needs_number("abs")

    def _combined(self, op: Primitive, other: Any) -> Any:
        if _is_whole(other) and not isinstance(other, Condition | bool):
            _need_number(self, "bits")
        return super()._combined(op, other)

    def _like(self, other: Any) -> "type[Boolean]":
        return BooleanElement if BooleanElement in (type(self), type(other)) else Boolean


class BooleanElement(Boolean):
    """An element of an array of booleans, which NumPy adds by `or` and multiplies by `and`."""

    __slots__ = ()
    numpy_type = _BOOL

    def __abs__(self) -> Any:
        return self


class Integer(_Typed, Value):
    """A traced whole number; its class says which type (see `integer_class`)."""

    __slots__ = ()

    @staticmethod
    def __apply__(op: Primitive, operands: Any) -> Any:
        return op(*[x._as_float() if isinstance(x, Value) else x for x in operands])

    def _as_float(self) -> Value:
        return Value.__apply__(primitives.identity, (self,))

    def __neg__(self) -> Any:
        return _operate(primitives.sub, 0, self)

    def __abs__(self) -> Any:
        return _checked(primitives.abs(self), self.numpy_type)

    __index__ = _needs_number("an index, a count or an int")
    __int__ = __trunc__ = __index__
    __float__ = _needs_number("float()")
    __round__ = __floor__ = __ceil__ = _needs_number("rounding")
    __and__ = __rand__ = _needs_number("&")
    __or__ = __ror__ = _needs_number("|")
    __xor__ = __rxor__ = _needs_number("^")
    __invert__ = _needs_number("~")


@functools.cache
def integer_class(numpy_type: Any) -> Any:
    """The class of traced integers of a dtype, or of Python's (None)."""
    return type("Integer", (Integer,), {"__slots__": (), "numpy_type": numpy_type})


def leaf_class(dtype: Any) -> Any:
    """What an element of an array of that dtype is while it is traced."""
    return BooleanElement if dtype.kind == "b" else integer_class(dtype) if dtype.kind in "iu" else Value


def constant(x: Any) -> Any:
    """A whole number or boolean of NumPy, which has a type, as one that takes part in a trace."""
    return leaf_class(x.dtype)(x.item())


def convert(x: Any, dtype: Any) -> Any:
    """What `astype` makes of an element: of the numbers that do not fit, calls are left to the plain function."""
    x = constant(x) if isinstance(x, np.generic) else x
    if dtype.kind == "f" and dtype.itemsize == 8:
        return x._as_float() if isinstance(x, Value) else float(x)
    if dtype.kind == "b":
        return x if isinstance(x, Boolean) else typed(BooleanElement, x != 0)
    if dtype.kind in "iu" and isinstance(x, _Typed):
        return _checked(primitives.identity(x), dtype)
    return _trace().stop_compiling(f"astype({dtype})")


def widened(x: Any) -> Any:
    """What NumPy's sums and products of many take an element for: small integers and booleans as a large integer."""
    x = constant(x) if isinstance(x, np.generic) else x
    kind = getattr(x, "numpy_type", None)
    if kind is None or kind.itemsize >= np.dtype(int).itemsize:
        return x
    return _checked(primitives.identity(x), np.dtype(np.uint if kind.kind == "u" else np.int_))


def typed(cls: Any, node: Value) -> Any:
    """The node as one of a class."""
    x = object.__new__(cls)
    x._data, x.op = node._data, node.op
    x._a, x._b, x._da, x._db = node._a, node._b, node._da, node._db
    return x


def _checked(node: Value, numpy_type: Any) -> Any:
    """The result of an operation on integers, which calls in which it is beyond its bounds are not to rely on."""
    result = typed(integer_class(numpy_type), node)
    _trace().note_range(result)
    return result


def _need_number(x: Any, what: str) -> NoReturn:
    _trace().need_number(x, what)
    raise AssertionError("unreachable")


def _operate(op: Primitive, x: Any, y: Any) -> Any:
    """x op y, where at least one is an integer or a boolean."""
    x, y = _operand(x), _operand(y)
    if x is NotImplemented or y is NotImplemented:
        return NotImplemented
    if not (_is_whole(x) and _is_whole(y)):
        return op(_as_float(x), _as_float(y))
    numpy_type = _promoted(x, y)
    if numpy_type == _BOOL or (isinstance(x, Condition | bool) and isinstance(y, Condition | bool)):
        return _of_booleans(op, x, y)
    if op is primitives.div:
        if numpy_type is None:
            _require(y != 0)  # Python raises
        return op(_as_float(x), _as_float(y))
    if op is primitives.pow:
        return _power(x, y, numpy_type)
    if numpy_type is not None and np.dtype(numpy_type).kind == "f":
        return op(_as_float(x), _as_float(y))
    result = op(_as_float(x), _as_float(y))
    return _checked(result + 0.0 if op is primitives.mul else result, numpy_type)  # an integer has no -0.0


def _operand(x: Any) -> Any:
    """x with its type; NotImplemented for anything but a number."""
    if isinstance(x, np.bool_ | np.integer):
        return constant(x) if is_integer(x) or isinstance(x, np.bool_) else _need_number(x, f"{x!r}")
    if isinstance(x, int) and not -LIMIT <= x <= LIMIT:
        return _trace().stop_compiling(f"computing with {x}")
    if isinstance(x, Value | int | float | np.floating):
        return x
    return NotImplemented


def _is_whole(x: Any) -> bool:
    return isinstance(x, _Typed | int)


def _as_float(x: Any) -> Any:
    return x._as_float() if isinstance(x, Value) else float(x)


def _promoted(x: Any, y: Any) -> Any:
    """The type of the result; None for Python's int."""
    kinds = [getattr(z, "numpy_type", None) for z in (x, y)]
    if kinds == [None, None]:
        return None
    if None not in kinds:
        return np.result_type(*kinds)
    own = kinds[0] if kinds[1] is None else kinds[1]
    other = y if kinds[1] is None else x
    if own == _BOOL:
        return _BOOL if isinstance(other, bool | Condition) else np.dtype(int)
    if not _WEAK and not isinstance(other, bool | Condition):
        _trace().stop_compiling(f"combining {own} with a Python int")
    low, high = bounds(own)
    if isinstance(other, Value):
        _require((low <= other) & (other <= high))  # NumPy raises
    elif not low <= other <= high:
        _trace().stop_compiling(f"{other} as {own}")
    return own


def _require(condition: Any) -> None:
    _trace().note_requirement(condition)


def _of_booleans(op: Primitive, x: Any, y: Any) -> Any:
    """Booleans of NumPy add by `or` and multiply by `and`; those of Python count; a comparison may have been either."""
    if BooleanElement not in (type(x), type(y)):
        _trace().stop_compiling(
            f"{op.symbol} of two comparisons, which NumPy takes for booleans and Python for integers (autograd.where("
            "condition, 1.0, 0.0) is a number)"
        )
    if op is primitives.add:
        return x | y
    if op is primitives.mul:
        return x & y
    if op is primitives.div:
        return op(_as_float(x), _as_float(y))
    return _trace().stop_compiling(f"{op.symbol} of booleans")


def _power(x: Any, y: Any, numpy_type: Any) -> Any:
    """An integer to the power of one: a product, for an exponent that is part of the program."""
    if isinstance(y, Value):
        _need_number(y, "the exponent of an integer")
    if y < 0 and numpy_type is None:
        _require(x != 0)
        return primitives.pow(_as_float(x), float(y))
    if not 0 <= y <= 64:
        _trace().stop_compiling(f"{numpy_type or 'an int'} ** {y}")
    result: Any = _checked(primitives.identity(Value(1.0)), numpy_type)
    for _ in range(y):
        result = result * x
    return result
