"""Arrays while a function is traced: an input that is not taken apart until somebody looks, and a vmap's results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from autograd.value import Value

if TYPE_CHECKING:
    from autograd.compiler.trace.calls import Region, Trace


class _LikeArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An object that answers as the NumPy array that `_array()` returns, and only asks for it when it has to."""

    trace: "Trace"

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
        if any(issubclass(type(x), _LikeArray) for x in kwargs.get("out", ())):
            _refuse_writing()
        return getattr(ufunc, method)(*map(_plain, inputs), **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return function(*map(_plain, args), **{name: _plain(x) for name, x in kwargs.items()})

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
    return x._array() if issubclass(type(x), _LikeArray) else x


class TracedArray(_LikeArray):
    """An array given to a traced function. Mapped by vmap, it is never taken apart; else it is an array of Values.

    Attributes:
        data: the floats of this call.
        position: which of the arrays among the arguments it is.
        axes: over which of its axes vmap maps it. Their lengths may differ from call to call, unless `fixed`.
        fixed: whether the traced function saw the shape, or the elements.
    """

    def __init__(self, trace: "Trace", data: "np.ndarray[Any, Any]", position: int, name: str):
        self.trace, self.data, self.position, self.name = trace, data, position, name
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

    @property
    def dtype(self) -> Any:
        return self.data.dtype

    def __len__(self) -> int:
        return len(self.shape) and self.shape[0]

    def _array(self) -> "np.ndarray[Any, Any]":
        self._refuse_if_over()
        if self._elements is None:
            self.fixed = True
            self._elements = np.empty(self.data.shape, dtype=object)
            self._elements.ravel()[:] = self.trace.array_inputs(self)
            self._elements.flags.writeable = False  # nor its views
        return self._elements


class StackedResult(_LikeArray):
    """What vmap returns while it is traced: one Value a lane. Returning it works on lanes; looking inside does not.

    Attributes:
        lanes: the Value, or the array of Values, that holds the result of every lane.
        region: the lanes.
    """

    def __init__(self, trace: "Trace", lanes: "list[Value]", shape: tuple[int, ...], region: "Region"):
        self.trace, self.lanes, self.row_shape, self.region = trace, lanes, shape, region

    def _array(self) -> "np.ndarray[Any, Any]":
        self._refuse_if_over()
        self.trace.repeat_as_loop(self.region)
