"""The arguments of a compiled function: what is a number, and what is part of the program."""

import ctypes
import enum
import sys
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from autograd.compiler.rows import Rows, is_sliceable
from autograd.compiler.trace.integers import is_integer
from autograd.foreign import is_foreign_array
from autograd.transforms.tree import flatten, is_module, parts_of
from autograd.value import Value


class HasForeignArrays(TypeError):
    """The arguments hold arrays, frames or tensors of other libraries, which are to be made NumPy's, or Rows; an error
    of the caller's where that cannot be done."""

    def __init__(self, x: Any):
        super().__init__(
            f"jit takes a {type(x).__name__} as an argument, or in a list, tuple or dict; elsewhere make an array of "
            "it by np.asarray(...)"
        )


class HasValues(Exception):
    """The arguments hold Values, or f captured the variable of a transform around it: call f uncompiled."""


def is_differentiated(x: Value) -> bool:
    """Whether a Value is more than a plain leaf: it was computed, or is the variable of a transform that is running."""
    return x.op is not None or x._a is not None


class Arguments:
    """The arguments of one call.

    Attributes:
        structure: how they are built, with everything that is part of the program.
        integers: the whole numbers among them, in order. Some may be part of the program (see trace.integers).
        shapes: those of the arrays.
        scalars: the floats among them, and the numbers of Modules' parameters, in order.
        arrays: the arrays, in order; Rows are among them.
        on_disk: whether some are Rows.

    Errors: HasValues; HasForeignArrays; TypeError for an argument that is neither a structure of numbers nor
    hashable.
    """

    __slots__ = ("structure", "shapes", "scalars", "integers", "arrays", "on_disk")

    def __init__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]):
        self.scalars: list[float] = []
        self.integers: list[Any] = []
        self.arrays: list[Any] = []
        self.on_disk = False
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
            if x.dtype is not FLOAT64 and (x.dtype.kind not in "fiub" or x.dtype.itemsize > 8):
                self._refuse_array(x)
            self.arrays.append(x)
            self.shapes += (x.shape,)
            return x.dtype
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
        if type(x) is Fixed:
            return exact_key(x.x)
        if is_integer(x):
            self.integers.append(x)
            return int if type(x) is int else x.dtype.type
        if isinstance(x, float | np.floating):
            if isinstance(x, np.floating) and x.dtype.itemsize > 8:
                self._refuse_array(x)
            self.scalars.append(float(x))
            return float
        if type(x) is Rows:
            self.on_disk = True
            self.arrays.append(x)
            self.shapes += (x.shape,)
            return x.dtype
        if is_foreign_array(x) or is_sliceable(x):
            raise HasForeignArrays(x)
        if isinstance(x, np.ndarray):
            raise TypeError(f"jit takes plain NumPy arrays, got a {type(x).__name__}: use np.asarray(...)")
        if is_module(x):
            parameters, _ = flatten(x)
            if any(is_differentiated(p) for p in parameters):
                raise HasValues
            self.scalars += [p._data for p in parameters]
            return _SameObject(x), len(parameters)
        parts = parts_of(x)
        if parts is None:
            return exact_key(x)
        try:
            hash(parts.context)
        except TypeError:
            raise _unhashable(x) from None
        return (type(x), parts.context, *[self._part(child) for child in parts.children])

    def _refuse_array(self, x: Any) -> None:
        if x.dtype == object and (not x.size or any(isinstance(element, Value) for element in x.flat)):
            raise HasValues
        raise TypeError(f"jit takes arrays of real numbers of up to 64 bits, got one of dtype {x.dtype}")


_FLOATS = {float}
FLOAT64 = np.dtype(np.float64)


class Fixed:
    """An argument that is part of the program (see `static_argnums` of jit), hidden from what looks for numbers."""

    def __init__(self, x: Any):
        self.x = x


def exact_key(x: Any) -> Hashable:
    """A key for something that is part of the program: equal keys only for things that no program can tell apart.

    Equal is not enough: 0.0 == -0.0, 1 == 1.0 == True, and objects may hold these and be equal.

    Errors: TypeError if x is not hashable.
    """
    kind = type(x)
    if kind is float:
        return float, x.hex()
    if (
        kind in (int, bool, str, bytes, type(None))
        or isinstance(x, enum.Enum | type)
        or getattr(kind, "__eq__", None) is object.__eq__
    ):
        return kind, x
    try:
        hash(x)
    except TypeError:
        raise _unhashable(x) from None
    if isinstance(x, tuple):
        return (kind, *map(exact_key, x))
    if isinstance(x, frozenset):
        return kind, frozenset(map(exact_key, x))
    if isinstance(x, Value) or is_module(x):
        return _SameObject(x)
    if kind.__module__ in sys.stdlib_module_names or isinstance(x, np.generic):
        return kind, x, repr(x)
    try:
        return kind, x, tuple([(name, exact_key(part)) for name, part in sorted(_parts(x).items())])
    except TypeError:  # a part that is not hashable, and so does not count for being equal
        return _SameObject(x)


def _unhashable(x: Any) -> TypeError:
    return TypeError(
        f"jit got {type(x).__name__} {x!r:.60} as an argument: neither a number, nor a structure of numbers, "
        "nor something hashable that could be part of the program"
    )


def _parts(x: Any) -> dict[str, Any]:
    slots = [name for cls in type(x).__mro__ for name in vars(cls).get("__slots__", ())]
    return {name: getattr(x, name) for name in slots if hasattr(x, name)} | getattr(x, "__dict__", {})


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
