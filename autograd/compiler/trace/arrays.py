"""Arrays while a function is traced: inputs that are not taken apart until somebody looks, and arrays of elements."""

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from autograd import primitives
from autograd.compiler.rows import Rows
from autograd.compiler.trace.hooks import TraceHooks
from autograd.compiler.trace.integers import (
    Boolean,
    BooleanElement,
    Integer,
    constant,
    convert,
    leaf_class,
    typed,
    widened,
)
from autograd.condition import Condition
from autograd.scalars import number
from autograd.value import Value


def _truth(x: Any) -> Any:
    return x if isinstance(x, Condition) else x != 0 if isinstance(x, Value) else bool(x)


def _compared(op: primitives.Primitive) -> Any:
    def compare(x: Any, y: Any) -> Any:
        return typed(BooleanElement, op(*[z if isinstance(z, Value) else number(z) for z in (x, y)]))

    return np.frompyfunc(compare, 2, 1)


# What NumPy does to objects by asking for their truth, and so to traced elements for a path each
_UFUNCS: dict[Any, Any] = {
    np.logical_and: np.frompyfunc(lambda x, y: _truth(x) & _truth(y), 2, 1, identity=True),
    np.logical_or: np.frompyfunc(lambda x, y: _truth(x) | _truth(y), 2, 1, identity=False),
    np.logical_xor: np.frompyfunc(lambda x, y: _truth(x) ^ _truth(y), 2, 1, identity=False),
    np.logical_not: np.frompyfunc(lambda x: ~_truth(x) if isinstance(x, Value) else not x, 1, 1),
    np.less: _compared(primitives.lt), np.less_equal: _compared(primitives.le),
    np.greater: _compared(primitives.gt), np.greater_equal: _compared(primitives.ge),
    np.equal: _compared(primitives.eq), np.not_equal: _compared(primitives.ne),
}  # fmt: skip


def apply_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What a function of NumPy gives for traced elements, among others: elements keep their types."""
    operands = [_with_types(x) for x in inputs]
    if method != "__call__" and ufunc in (np.add, np.multiply):
        operands[0] = _each(widened, operands[0])
    if "out" in kwargs:
        kwargs["out"] = tuple([x.view(np.ndarray) if isinstance(x, ElementArray) else x for x in kwargs["out"]])
    result = getattr(_UFUNCS.get(ufunc, ufunc), method)(*operands, **kwargs)
    return _as_elements(result)


def _as_elements(result: Any) -> Any:
    if isinstance(result, list | tuple) and not hasattr(result, "_fields"):
        return type(result)(map(_as_elements, result))
    return result.view(ElementArray) if type(result) is np.ndarray and result.dtype.hasobject else result


def _with_types(x: Any) -> Any:
    """Traced arrays as plain arrays of Values; constants of NumPy as elements that know their type."""
    x = _plain(x)
    if isinstance(x, np.ndarray):
        return _each(constant, x) if x.dtype.kind in "iub" else x.view(np.ndarray)
    if isinstance(x, np.integer | np.bool_):
        x = constant(x)
    if isinstance(x, Integer | Boolean):  # it would be asked again
        whole = np.empty((), dtype=object)
        whole[()] = x
        return whole
    return x


def _each(function: Any, x: Any) -> Any:
    if not isinstance(x, np.ndarray):
        return function(x)
    results = np.empty(x.shape, dtype=object)
    results.ravel()[:] = (
        [function(element) for element in x.ravel().tolist()]
        if x.dtype == object
        else [function(x.dtype.type(element)) for element in x.ravel().tolist()]
    )
    return results


class ElementArray(np.ndarray):
    """An array of traced elements, which computes with them as NumPy does with numbers of their types."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return apply_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _as_elements(super().__array_function__(function, types, args, kwargs))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, ElementArray) and any(isinstance(x, Condition) for x in index.flat):
            index = np.array([bool(x) for x in index.flat]).reshape(index.shape)  # a path for each way
        return super().__getitem__(index)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """The elements as numbers of another type."""
        dtype = np.dtype(dtype)
        if dtype.hasobject:
            return super().astype(dtype, *args, **kwargs)
        return _each(lambda x: convert(x, dtype), self).view(ElementArray)


class LikeArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An object that answers as the NumPy array that `_array()` returns, and only asks for it when it has to."""

    trace: TraceHooks

    def _array(self) -> "np.ndarray[Any, Any]":
        raise NotImplementedError

    def _refuse_if_over(self) -> None:
        if self.trace.closed:
            raise TypeError(
                "an array of a trace that is over has no numbers. Return it from the function under jit instead of "
                "keeping it in an attribute, a list or a variable outside"
            )

    @property
    def __class__(self) -> Any:
        return np.ndarray

    @__class__.setter
    def __class__(self, value: Any) -> None:
        raise TypeError("the class of a traced array cannot be changed")

    def __getattr__(self, name: str) -> Any:
        if not hasattr(np.ndarray, name):
            raise AttributeError(f"an array has no attribute {name!r}")
        return getattr(self._array(), name)

    def __array__(self, dtype: Any = None, copy: Any = None) -> "np.ndarray[Any, Any]":
        return self._array()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(issubclass(type(x), LikeArray) for x in kwargs.get("out", ())):
            _refuse_writing()
        return apply_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _as_elements(function(*map(_plain, args), **{name: _plain(x) for name, x in kwargs.items()}))

    def __getitem__(self, index: Any) -> Any:
        return self._array()[index]

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        _refuse_writing()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._array())

    def __len__(self) -> int:
        return len(self._array())

    def __bool__(self) -> bool:
        return bool(self._array())


def _refuse_writing() -> NoReturn:
    raise TypeError(
        "writing into an array argument inside jit would not change the caller's array, and lanes of a vmap would not "
        "see it: write into a copy, x.copy(), or compute a new array, x = x + 1 instead of x += 1"
    )


def _plain(x: Any) -> Any:
    """Traced arrays as arrays of Values, also inside lists and tuples."""
    if isinstance(x, list | tuple):
        return type(x)([_plain(element) for element in x])
    return x._array() if issubclass(type(x), LikeArray) else x


class TracedArray(LikeArray):
    """An array given to a traced function. Mapped by vmap, it is never taken apart; else it is an array of Values.

    Attributes:
        data: the array of this call, or Rows.
        position: which of the arrays among the arguments it is.
        axes: over which of its axes vmap maps it. Their lengths may differ from call to call, unless `fixed`.
        fixed: whether the traced function saw the shape, or the elements.
    """

    def __init__(self, trace: TraceHooks, array: "np.ndarray[Any, Any] | Rows", position: int, name: str):
        self.trace, self.position, self.name = trace, position, name
        self.data: Any = array
        self.dtype = array.dtype
        self.axes: set[int] = set()
        self.fixed = False
        self._elements: np.ndarray[Any, Any] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        self._refuse_if_over()
        self.fixed = True
        return self.data.shape

    @property
    def size(self) -> int:
        self._refuse_if_over()
        self.fixed = True
        return self.data.size

    @property
    def ndim(self) -> int:
        return self.data.ndim

    def __len__(self) -> int:
        return len(self.shape) and self.shape[0]

    @property
    def leaf(self) -> Any:
        """The class of its elements."""
        return leaf_class(self.dtype)

    def _array(self) -> "np.ndarray[Any, Any]":
        self._refuse_if_over()
        if self._elements is None:
            self.data.ravel()  # which Rows refuse
            self.fixed = True
            self._elements = np.empty(self.data.shape, dtype=object).view(ElementArray)
            self._elements.ravel()[:] = self.trace.array_inputs(self)
            self._elements.flags.writeable = False  # nor its views
        return self._elements
