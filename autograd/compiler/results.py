"""The results of a compiled function: numbers that code computed become the structure that the function returned."""

import enum
import numbers
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.compiler.arguments import FLOAT64
from autograd.compiler.trace.integers import Integer
from autograd.compiler.trace.lanes import StackedResult
from autograd.condition import Condition
from autograd.scalars import is_array
from autograd.transforms.tree import parts_of
from autograd.value import Value

Packer = Callable[["np.ndarray[Any, Any]", "Mapping[int, Sequence[np.ndarray[Any, Any]]]"], Any]
_CONSTANTS = (numbers.Number, str, bytes, np.generic, enum.Enum, type)  # results that hold no traced Values


class Packing:
    """How the numbers that code computed become the structure that the function returned.

    Args:
        result: what the traced function returned.

    The packer takes the outputs, and for each region the arrays (lanes, elements) of what was stored by lane.
    """

    def __init__(self, result: Any):
        self.outputs = 0
        self.stacks: Counter[int] = Counter()  # how many of them each region has
        self.pack = self._packer(result)

    def _packer(self, x: Any) -> Packer:
        if type(x) is StackedResult:
            return self._stack(x)
        parts = None if is_array(x) else parts_of(x)
        if parts is None:
            return self._leaf(x)
        kind, context, children = parts
        if type(x) in (list, tuple) and children and all(isinstance(child, Value) for child in children):
            return self._scalars(children, type(x))
        packers = [self._packer(child) for child in children]
        if type(x) is tuple:
            return lambda outputs, stacks: tuple([pack(outputs, stacks) for pack in packers])
        return lambda outputs, stacks: kind.put_together(context, [pack(outputs, stacks) for pack in packers])

    def _leaf(self, x: Any) -> Packer:
        first = self.outputs
        if isinstance(x, np.ndarray):
            if x.dtype != object:
                return lambda outputs, stacks: x.copy()
            self.outputs += x.size
            end, shape = self.outputs, x.shape
            if any(not isinstance(element, Value) for element in x.flat):
                return self._mixed_array(x, first)
            dtype = np.result_type(*{_dtype_of(element) for element in x.flat}) if x.size else FLOAT64
            return lambda outputs, stacks: outputs[first:end].reshape(shape).astype(dtype)
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
        if isinstance(x, Integer):
            kind = int if x.numpy_type is None else x.numpy_type.type
            return lambda outputs, stacks: kind(int(outputs.item(first)))
        return lambda outputs, stacks: outputs.item(first)

    def _mixed_array(self, x: "np.ndarray[Any, Any]", first: int) -> Packer:
        computed = np.array([isinstance(element, Value) for element in x.flat]).reshape(x.shape)
        dtype = np.result_type(*{_dtype_of(element) for element in x.flat})
        template = np.where(computed, 0.0, x).astype(dtype)
        self.outputs = end = first + int(computed.sum())

        def pack(outputs: Any, stacks: Any) -> Any:
            filled = template.copy()
            filled[computed] = outputs[first:end]
            return filled

        return pack

    def _scalars(self, children: Sequence[Value], kind: type) -> Packer:
        if any(isinstance(child, Condition | Integer) for child in children):
            packers = [self._leaf(child) for child in children]
            return lambda outputs, stacks: kind([pack(outputs, stacks) for pack in packers])
        first = self.outputs
        self.outputs = end = first + len(children)
        if kind is list:
            return lambda outputs, stacks: outputs[first:end].tolist()
        return lambda outputs, stacks: tuple(outputs[first:end].tolist())

    def _stack(self, x: StackedResult) -> Packer:
        region, shape, axis = x.region.number, x.row_shape, x.axis
        number = self.stacks[region]
        self.stacks[region] += 1

        def pack(outputs: Any, stacks: Any) -> Any:
            rows = stacks[region][number]
            array = rows.reshape(len(rows), *shape)
            return np.moveaxis(array, 0, axis).copy() if axis else array

        return pack


def _dtype_of(x: Any) -> Any:
    """The type of an element of a result, as NumPy has it."""
    if isinstance(x, Condition):
        return np.dtype(bool)
    if isinstance(x, Integer):
        return x.numpy_type or np.dtype(int)
    return FLOAT64 if isinstance(x, Value) else np.asarray(x).dtype
