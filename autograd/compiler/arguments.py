"""The arguments of a compiled function: what is a number, and what is part of the program."""

import ctypes
import sys
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from autograd.scalars import is_foreign_array
from autograd.transforms.tree import flatten, is_module, parts_of
from autograd.value import Value


class HasForeignArrays(Exception):
    """The arguments hold arrays, frames or tensors of other libraries, which are to be made NumPy's."""


class HasValues(Exception):
    """The arguments hold Values, or f captured the variable of a transform at work: plain f is to be called."""


def is_differentiated(x: Value) -> bool:
    """Whether a Value is no plain leaf: it was computed, or is the variable of a transform that is at work."""
    return x.op is not None or x._a is not None


class Arguments:
    """The arguments of one call.

    Attributes:
        structure: how they are built, with everything that is part of the program.
        shapes: those of the arrays.
        scalars: the floats among them, and the numbers of Modules' parameters, in order.
        arrays: the arrays, in order.

    Errors: HasValues; HasForeignArrays; TypeError for an argument that is no structure of numbers and cannot be part of
    a key.
    """

    __slots__ = ("structure", "shapes", "scalars", "arrays")

    def __init__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]):
        self.scalars: list[float] = []
        self.arrays: list[np.ndarray[Any, Any]] = []
        self.shapes: tuple[tuple[int, ...], ...] = ()
        part = self._part
        structure: tuple[Hashable, ...] = tuple([part(x) for x in args])
        if kwargs:
            structure = (structure, *[(name, part(x)) for name, x in kwargs.items()])
        self.structure: Hashable = structure

    def _part(self, x: Any) -> Hashable:
        """The part of the structure that stands for x; its numbers are noted."""
        kind = type(x)
        if kind is np.ndarray:
            if x.dtype is not FLOAT64 and x.dtype.kind not in "fiub":
                self._refuse_array(x)
            self.arrays.append(x)
            self.shapes += (x.shape,)
            return np.ndarray
        if kind is float:
            self.scalars.append(x)
            return float
        if kind is list or kind is tuple:
            if set(map(type, x)) == _FLOATS:
                self.scalars += x
                return kind, len(x)
            return (kind, *[self._part(child) for child in x])
        if kind is dict:
            return (dict, *[(name, self._part(child)) for name, child in x.items()])
        return self._unusual_part(x)

    def _unusual_part(self, x: Any) -> Hashable:
        if isinstance(x, Value):
            raise HasValues
        if isinstance(x, float | np.floating):
            self.scalars.append(float(x))
            return float
        if isinstance(x, np.ndarray):
            raise TypeError(f"jit takes plain NumPy arrays, got a {type(x).__name__}: use np.asarray(...)")
        if is_module(x):
            parameters, _ = flatten(x)
            if any(is_differentiated(p) for p in parameters):
                raise HasValues
            self.scalars += [p._data for p in parameters]
            return _SameObject(x), len(parameters)
        if is_foreign_array(x):
            raise HasForeignArrays
        parts = parts_of(x)
        try:
            if parts is not None:
                hash(parts.context)
                return (type(x), parts.context, *[self._part(child) for child in parts.children])
            hash(x)
        except TypeError:
            raise TypeError(
                f"jit got {type(x).__name__} {x!r:.60} as an argument: neither a number, nor a structure of numbers, "
                "nor something hashable that could be part of the program"
            ) from None
        return type(x), x

    def _refuse_array(self, x: Any) -> None:
        if x.dtype == object and (not x.size or any(isinstance(element, Value) for element in x.flat)):
            raise HasValues
        raise TypeError(f"jit takes arrays of real numbers, got one of dtype {x.dtype}")


_FLOATS = {float}
FLOAT64 = np.dtype(np.float64)


class _SameObject:
    """A key that is equal to that of the same object only, and keeps it alive."""

    def __init__(self, x: Any):
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameObject) and self.x is other.x

    def __hash__(self) -> int:
        return id(self.x)


def _address_by_interface(array: "np.ndarray[Any, Any]") -> int:
    return array.ctypes.data


def _address_by_layout(array: "np.ndarray[Any, Any]") -> int:
    return _read_address(id(array) + object.__basicsize__).value


_read_address = ctypes.c_int64.from_address
_sample = np.zeros(1)
# Where the elements of an array are. NumPy's C interface fixes the address as the first field after the object's head,
# from where it is read ten times faster than through `array.ctypes`, a tenth of a small call (benchmarks/jit.py).
address_of = (
    _address_by_layout
    if sys.implementation.name == "cpython" and _address_by_layout(_sample) == _sample.ctypes.data
    else _address_by_interface
)
