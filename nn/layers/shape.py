"""Reshape and Flatten: the same numbers in lists of another shape."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import flatten
from nn.layers.initial import whole
from nn.module import Module


class Flatten(Module):
    """All numbers of nested lists in one list, in order.

    Example:
        >>> Flatten()([[1.0, 2.0], [3.0, 4.0]])
        [1.0, 2.0, 3.0, 4.0]
    """

    def __call__(self, x: Any) -> Any:
        return flatten(x)[0]

    def config(self) -> dict[str, Any]:
        return {}


class Reshape(Module):
    """All numbers of a list, in order, as nested lists of a shape: the features of a sample as an image.

    Args:
        shape: how many there are in each list, outermost first.

    Errors: ValueError or TypeError for a size that is not a whole number, at least 1; ValueError when called with more
    or fewer numbers than fill the shape.

    Example:
        >>> Reshape(1, 2, 3)([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]
    """

    def __init__(self, *shape: int):
        if not shape:
            raise ValueError("Reshape needs a size at least; Flatten() gives one list of all")
        self.shape = [whole(n, "a size of the shape") for n in shape]

    def __call__(self, x: Any) -> Any:
        numbers = flatten(x)[0]
        if len(numbers) != math.prod(self.shape):
            raise ValueError(f"{self!r} takes {math.prod(self.shape)} numbers, got {len(numbers)}")
        return nested(numbers, self.shape)

    def config(self) -> dict[str, Any]:
        return {"shape": self.shape}

    def __repr__(self) -> str:
        return f"Reshape({', '.join(map(str, self.shape))})"


def nested(numbers: list[Any], shape: Sequence[int]) -> list[Any]:
    """The numbers in order, in nested lists of a shape.

    Example:
        >>> nested([1, 2, 3, 4], [2, 2])
        [[1, 2], [3, 4]]
    """
    for size in shape[:0:-1]:
        numbers = [numbers[i : i + size] for i in range(0, len(numbers), size)]
    return numbers


def shape_of(x: Any) -> list[int] | None:
    """How many there are in each list of nested lists, outermost first; None where lists differ in that.

    Example:
        >>> shape_of([[1, 2, 3], [4, 5, 6]]), shape_of(1), shape_of([[1], [2, 3]])
        ([2, 3], [], None)
    """
    if not isinstance(x, list | tuple):
        return []
    shapes = list(map(shape_of, x)) or [[]]
    return None if shapes[0] is None or any(shape != shapes[0] for shape in shapes) else [len(x), *shapes[0]]


def of_each_list(f: Callable[[Any], Any], x: Any) -> Any:
    """f of a list of numbers; of nested lists, the same lists with that in place of each innermost list.

    Example:
        >>> of_each_list(sum, [[1.0, 2.0], [3.0, 4.0]])
        [3.0, 7.0]
    """
    return [of_each_list(f, part) for part in x] if isinstance(x, list) and x and isinstance(x[0], list) else f(x)
