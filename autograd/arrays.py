"""NumPy arrays of Values, without importing NumPy unless somebody has."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array; False without loading NumPy when nothing else has loaded it.

    Example:
        >>> is_array([1.0, 2.0])
        False
    """
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


def elementwise(function: Callable[..., Any], operands: Sequence[Any]) -> "np.ndarray[Any, Any]":
    """function over arrays, broadcast; an array of floats if all results are floats, else one of objects."""
    import numpy as np

    results = np.frompyfunc(function, len(operands), 1)(*operands)
    if all((isinstance(x, np.ndarray) and x.dtype != object) or isinstance(x, float) for x in operands):
        return np.asarray(results, dtype=float)
    return np.asarray(results)
