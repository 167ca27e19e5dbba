"""The arguments and the results of a compiled function: what is a number, what is part of the program, and back."""

import ctypes
import enum
import numbers
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.compiler.trace.arrays import StackedResult
from autograd.condition import Condition
from autograd.transforms.tree import is_module, kind_of, leaves
from autograd.value import Value

Packer = Callable[["np.ndarray[Any, Any]", "Mapping[int, np.ndarray[Any, Any]]"], Any]


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

    Errors: HasValues; TypeError for an argument that is no structure of numbers and cannot be part of a key.
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
            parameters = leaves(x)
            if any(is_differentiated(p) for p in parameters):
                raise HasValues
            self.scalars += [p._data for p in parameters]
            return _SameObject(x), len(parameters)
        structure = kind_of(x)
        if structure is not None and x is not None:
            children = structure.children(x)
            parts: list[Any] = [type(x), *structure.keys(x), *[self._part(child) for child in children]]
            return tuple(parts)
        try:
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
_CONSTANTS = (numbers.Number, str, bytes, np.generic, enum.Enum, type)  # results that hold no traced Values


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

# --- results ---------------------------------------------------------------------------------------------------------


class Packing:
    """How the numbers that code computed become the structure that the function returned.

    Args:
        result: what the traced function returned.

    The packer takes the outputs, and for each region the array (columns, lanes) of what was stored by lane.
    """

    def __init__(self, result: Any):
        self.outputs = 0
        self.columns: dict[int, int] = {}
        self.pack = self._packer(result)

    def _packer(self, x: Any) -> Packer:
        if type(x) is StackedResult:
            return self._stack(x)
        kind = kind_of(x, whole_arrays=True)
        if kind is None:
            return self._leaf(x)
        children = list(kind.children(x))
        if type(x) in (list, tuple) and children and all(isinstance(child, Value) for child in children):
            return self._scalars(children, type(x))
        packers = [self._packer(child) for child in children]
        if type(x) is tuple:
            return lambda outputs, stacks: tuple([pack(outputs, stacks) for pack in packers])
        template = kind.rebuild(x, [None] * len(children))  # without the Values, and all that they were computed from
        return lambda outputs, stacks: kind.rebuild(template, [pack(outputs, stacks) for pack in packers])

    def _leaf(self, x: Any) -> Packer:
        first = self.outputs
        if isinstance(x, np.ndarray):
            if x.dtype != object:
                return lambda outputs, stacks: x.copy()
            self.outputs += x.size
            end, shape = self.outputs, x.shape
            if any(not isinstance(element, Value) for element in x.flat):
                return self._mixed_array(x, first)
            return lambda outputs, stacks: outputs[first:end].reshape(shape).copy()
        if not isinstance(x, Value):
            if not isinstance(x, _CONSTANTS):
                raise TypeError(
                    f"a function under jit returns {type(x).__name__} {x!r:.60}, whose numbers would be frozen into "
                    "the compiled code: return them in lists, tuples, dicts, namedtuples or arrays"
                )
            return lambda outputs, stacks: x
        self.outputs += 1
        if isinstance(x, Condition):
            return lambda outputs, stacks: bool(outputs.item(first))
        return lambda outputs, stacks: outputs.item(first)

    def _mixed_array(self, x: "np.ndarray[Any, Any]", first: int) -> Packer:
        computed = np.array([isinstance(element, Value) for element in x.flat]).reshape(x.shape)
        template = np.where(computed, 0.0, x).astype(float)
        self.outputs = end = first + int(computed.sum())

        def pack(outputs: Any, stacks: Any) -> Any:
            filled = template.copy()
            filled[computed] = outputs[first:end]
            return filled

        return pack

    def _scalars(self, children: Sequence[Value], kind: type) -> Packer:
        if any(isinstance(child, Condition) for child in children):
            packers = [self._leaf(child) for child in children]
            return lambda outputs, stacks: kind([pack(outputs, stacks) for pack in packers])
        first = self.outputs
        self.outputs = end = first + len(children)
        if kind is list:
            return lambda outputs, stacks: outputs[first:end].tolist()
        return lambda outputs, stacks: tuple(outputs[first:end].tolist())

    def _stack(self, x: StackedResult) -> Packer:
        region, shape = x.region.number, x.row_shape
        first = self.columns.get(region, 0)
        self.columns[region] = end = first + len(x.lanes)
        if not shape:
            return lambda outputs, stacks: stacks[region][first].copy()
        return lambda outputs, stacks: np.ascontiguousarray(stacks[region][first:end].T).reshape(-1, *shape)
