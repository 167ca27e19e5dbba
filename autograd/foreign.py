"""Arrays, frames and tensors of other libraries, read as NumPy's."""

import copy
import numbers
from collections.abc import Callable
from typing import Any

from autograd.scalars import is_array

_PLAIN = {float, int, bool, str, type(None)}


def as_numpy(x: Any) -> Any:
    """x with the arrays, frames and tensors of other libraries in it as NumPy's, also in lists, tuples and dicts.

    Errors: TypeError for one that has no NumPy array, or one of anything but numbers.

    Example:
        >>> as_numpy([1.0, (2.0, None)])
        [1.0, (2.0, None)]
    """
    return converted(x, is_foreign_array, _as_numpy)


def converted(x: Any, wanted: Callable[[Any], bool], convert: Callable[[Any], Any]) -> Any:
    """x with what is wanted in it converted, also in lists, tuples and dicts; x itself if there is none."""
    kind = x.__class__
    if kind in _PLAIN:
        return x
    if isinstance(x, list | tuple | dict):
        children = list(x.values()) if isinstance(x, dict) else x
        if set(map(type, children)) <= _PLAIN:
            return x
        parts = [converted(child, wanted, convert) for child in children]
        if all(old is new for old, new in zip(children, parts, strict=True)):
            return x
        if isinstance(x, dict):
            result = copy.copy(x)
            result.update(zip(x, parts, strict=True))
            return result
        return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
    return convert(x) if wanted(x) else x


def is_foreign_array(x: Any) -> bool:
    """Whether x is an array, a frame or a tensor of another library than NumPy, or an array in a file."""
    kind = x.__class__
    if kind.__name__ == "memmap" and is_array(x):
        return True
    if kind in _PLAIN or kind.__module__.partition(".")[0] in ("autograd", "numpy") or isinstance(x, type):
        return False
    return (hasattr(kind, "__array__") or hasattr(kind, "to_numpy")) and not is_array(x)


def _as_numpy(x: Any) -> Any:
    import numpy as np

    kind = type(x).__name__
    try:
        array = np.asarray(x) if hasattr(x, "__array__") else np.asarray(x.to_numpy())
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{kind} cannot be read as a NumPy array: {error!s:.200}") from error
    if array.dtype.kind not in "fiub":  # columns of several types, or of ones with a way of their own to miss a value
        entries = array.ravel().tolist()
        if any(hasattr(entry, "_no_number") for entry in entries):
            return array  # of Values
        for i, entry in enumerate(entries):
            if not isinstance(entry, numbers.Real) and not _is_missing(entry):
                row, column = divmod(i, array.shape[1]) if array.ndim == 2 else (i, 0)
                where = f"row {row}" + (f", column {list(x.columns)[column]!r:.60}" if hasattr(x, "columns") else "")
                raise TypeError(
                    f"{kind}: {where} is {type(entry).__name__} {entry!r:.60}, not a number; choose columns of "
                    "numbers, or let nn.datasets.read_table make numbers of them"
                )
        array = np.array([np.nan if _is_missing(entry) else float(entry) for entry in entries]).reshape(array.shape)
    return array if array.ndim else array.item()


def _is_missing(entry: Any) -> bool:
    return entry is None or type(entry).__name__ == "NAType"
