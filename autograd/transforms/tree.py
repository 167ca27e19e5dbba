"""Structures of numbers: nested lists, tuples, dicts, namedtuples, NumPy arrays and Modules, as flat leaves and back.

A Module is anything with `named_parameters()`. Whatever else is found in a structure is a leaf.
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.scalars import is_array, number
from autograd.tracing import tracing
from autograd.value import Value

if TYPE_CHECKING:
    import numpy as np


class _Kind(NamedTuple):
    """One kind of structure: how to take it apart, how its parts are written, and how to put others in their place."""

    matches: Callable[[Any], bool]
    children: Callable[[Any], Sequence[Any]]
    keys: Callable[[Any], Iterable[str]]
    rebuild: Callable[[Any, list[Any]], Any]


def is_module(x: Any) -> bool:
    """Whether x is a Module: an object with `named_parameters()`."""
    return callable(getattr(x, "named_parameters", None)) and not isinstance(x, type)


def _named_parameters(module: Any) -> dict[str, Value]:
    """The parameters by name; one that a module holds twice is a single parameter, under its first name."""
    first_names: dict[int, str] = {}
    named = dict(module.named_parameters())
    return {name: p for name, p in named.items() if first_names.setdefault(id(p), name) == name}


def _with_parameters(module: Any, values: list[Any]) -> Any:
    """A deep copy of the module that holds other parameters: the copy finds them where it looks for copies it has."""
    replaced = {id(p): value for p, value in zip(_named_parameters(module).values(), values, strict=True)}
    copied = copy.deepcopy(module, replaced)
    if tracing.tracer is not None:
        tracing.tracer.note_copy(copied)
    return copied


def _with_entries(mapping: Any, values: list[Any]) -> Any:
    result = copy.copy(mapping)  # keeps the class, the order and a defaultdict's factory
    result.update(zip(mapping, values, strict=True))
    return result


def _with_elements(elements: Any, values: list[Any]) -> Any:
    import numpy as np

    dtype = float if all(x.__class__ is float for x in values) else object
    return np.array(values, dtype=dtype).reshape(elements.shape)


def _indices(elements: Any) -> Iterator[str]:
    import numpy as np

    return (f"[{', '.join(map(str, index))}]" for index in np.ndindex(elements.shape))


def _positions(xs: Any) -> Iterator[str]:
    return (f"[{i}]" for i in range(len(xs)))


_ARRAY = _Kind(is_array, lambda x: x.ravel().tolist(), _indices, _with_elements)
_MODULE = _Kind(is_module, lambda x: [*_named_parameters(x).values()],
                lambda x: [f".{name}" for name in _named_parameters(x)], _with_parameters)  # fmt: skip
_KINDS = (
    _Kind(lambda x: isinstance(x, list), lambda x: x, _positions, lambda x, values: values),
    _Kind(lambda x: isinstance(x, tuple) and hasattr(x, "_fields"), lambda x: x,
          lambda x: [f".{name}" for name in x._fields], lambda x, values: type(x)(*values)),
    _Kind(lambda x: isinstance(x, tuple), lambda x: x, _positions, lambda x, values: tuple(values)),
    _Kind(lambda x: isinstance(x, dict), lambda x: [*x.values()],
          lambda x: [f"[{key!r}]" for key in x], _with_entries),
    _Kind(lambda x: x is None, lambda x: (), lambda x: (), lambda x, values: None),
    _ARRAY,
    _MODULE,
)  # fmt: skip


def kind_of(x: Any, *, whole_arrays: bool = False) -> _Kind | None:
    """The entry of the table for a structure, None for a leaf; an array is a leaf if arrays are to stay whole."""
    if x.__class__ is float or x.__class__ is Value:
        return None
    kind = next((kind for kind in _KINDS if kind.matches(x)), None)
    return None if whole_arrays and kind is _ARRAY else kind


def leaves(tree: Any, *, whole_arrays: bool = False) -> list[Any]:
    """The leaves of a structure, in order.

    Example:
        >>> leaves({"w": [1.0, 2.0], "b": (3.0, None)})
        [1.0, 2.0, 3.0]
    """
    kind = kind_of(tree, whole_arrays=whole_arrays)
    if kind is None:
        return [tree]
    found: list[Any] = []
    for child in kind.children(tree):
        if child.__class__ is float or child.__class__ is Value:
            found.append(child)
        else:
            found += leaves(child, whole_arrays=whole_arrays)
    return found


def rebuild(tree: Any, values: Iterable[Any], *, whole_arrays: bool = False) -> Any:
    """The same structure with other leaves: a copy, also of a Module.

    Args:
        tree: the structure.
        values: as many as `tree` has leaves, in their order.

    Example:
        >>> rebuild({"w": [1.0, 2.0], "b": 3.0}, [10.0, 20.0, 30.0])
        {'w': [10.0, 20.0], 'b': 30.0}
    """
    remaining = iter(values)

    def fill(tree: Any) -> Any:
        kind = kind_of(tree, whole_arrays=whole_arrays)
        if kind is None:
            return next(remaining)
        plain = (float, Value)  # most children, so they are worth a shortcut
        children = kind.children(tree)
        return kind.rebuild(tree, [next(remaining) if x.__class__ in plain else fill(x) for x in children])

    return fill(tree)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an array, () for a number."""
    return x.shape if is_array(x) else ()


def spans(units: Iterable[Any]) -> list[slice]:
    """Where each number or whole array stands among the leaves.

    Example:
        >>> spans([1.0, 2.0])
        [slice(0, 1, None), slice(1, 2, None)]
    """
    ends = list(itertools.accumulate(math.prod(shape_of(x)) for x in units))
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def names(tree: Any, root: str, *, whole_arrays: bool = False) -> list[str]:
    """How each leaf is reached from the root, for messages.

    Example:
        >>> names({"w": [1.0, 2.0], "b": 3.0}, "params")
        ["params['w'][0]", "params['w'][1]", "params['b']"]
    """
    kind = kind_of(tree, whole_arrays=whole_arrays)
    if kind is None:
        return [root]
    pairs = zip(kind.keys(tree), kind.children(tree), strict=True)
    return [name for key, child in pairs for name in names(child, root + key, whole_arrays=whole_arrays)]


def parameters(tree: Any) -> Any:
    """The structure with each Module replaced by the dict of its parameters, which is what its gradient looks like.

    A parameter that is a plain leaf stands for its number. One that was computed, that is the variable of a transform
    (a leaf which stands for something), or that the compiler is tracing stays the Value that it is.
    """
    kind = kind_of(tree, whole_arrays=True)
    if kind is None:
        return tree
    if kind is _MODULE:
        named = _named_parameters(tree).items()
        own_numbers = tracing.tracer is None
        return {name: p._data if own_numbers and p.op is None and p._a is None else p for name, p in named}
    children = kind.children(tree)
    replaced = [parameters(child) for child in children]
    if all(new is old for new, old in zip(replaced, children, strict=True)):
        return tree
    return kind.rebuild(tree, replaced)


def has_values(tree: Any) -> bool:
    """Whether a Value is among the leaves; an array of floats is not searched."""
    for leaf in leaves(tree, whole_arrays=True):
        if isinstance(leaf, Value):
            return True
        if is_array(leaf) and leaf.dtype == object and any(isinstance(x, Value) for x in leaf.flat):
            return True
    return False


def matching_leaves(expected: Any, tree: Any, what: str) -> list[Any]:
    """The leaves of a structure in the order of another of the same kinds, keys, lengths and array shapes.

    Args:
        expected: the structure to agree with; the order of keys in a dict is free.
        tree: whose leaves are wanted.
        what: its name, for messages.

    Errors: ValueError naming the first place where they differ.
    """
    kind = kind_of(expected)
    if kind is not kind_of(tree):
        raise ValueError(f"{what} is {described(tree)}, where {described(expected)} is expected")
    if kind is None:
        return [tree]
    if kind is _ARRAY:
        if expected.shape != tree.shape:
            raise ValueError(f"{what} has shape {tree.shape}, where shape {expected.shape} is expected")
        return leaves(tree)
    keys = list(kind.keys(expected))
    children = dict(zip(kind.keys(tree), kind.children(tree), strict=True))
    if children.keys() != set(keys):
        raise ValueError(f"{what} has {_listed([*children])}, where {_listed(keys)} is expected")
    pairs = zip(keys, kind.children(expected), strict=True)
    return [leaf for key, child in pairs for leaf in matching_leaves(child, children[key], what + key)]


def described(tree: Any) -> str:
    """What a structure is, in words for a message."""
    if is_array(tree):
        return f"an array of shape {tree.shape}"
    kind = kind_of(tree)
    if kind is None:
        return "a number"
    return "None" if tree is None else f"a {type(tree).__name__} of {_listed([*kind.keys(tree)])}"


def _listed(keys: list[str]) -> str:
    return f"{len(keys)} entries ({', '.join(keys[:4])}{', ...' if len(keys) > 4 else ''})"


# --- public ---------------------------------------------------------------------------------------------------------


def array(numbers: Any) -> "np.ndarray[Any, Any]":
    """A NumPy object array of new leaf Values, one for each number.

    Args:
        numbers: an array of any shape, or nested lists; its Values are kept as they are.

    Errors: TypeError if an element is no number.

    Example:
        >>> import numpy as np
        >>> W = array(np.eye(2))
        >>> y = np.sum(W @ [3.0, 4.0])
        >>> y.backward()
        >>> grads(W).tolist()
        [[3.0, 4.0], [3.0, 4.0]]
    """
    import numpy as np

    given = np.asarray(numbers)
    values = [x if isinstance(x, Value) else Value(x) for x in given.ravel().tolist()]
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result.reshape(given.shape)


def data(tree: Any) -> Any:
    """The numbers of a structure of Values: a structure of floats, with arrays of floats and a dict for a Module.

    Args:
        tree: Values and numbers in nested lists, tuples, dicts, namedtuples, NumPy arrays and Modules.

    Errors: TypeError for what is no number.

    Example:
        >>> data({"w": [Value(1.0), Value(2.0)], "b": 3})
        {'w': [1.0, 2.0], 'b': 3.0}
    """
    return _read(tree, lambda x: x.data if isinstance(x, Value) else number(x, "data"))


def grads(tree: Any) -> Any:
    """The gradients that backward() left in a structure of Values, as `data` reads the numbers; 0.0 for plain numbers.

    Example:
        >>> x = [Value(3.0), Value(4.0)]
        >>> (x[0] * x[1]).backward()
        >>> grads(x)
        [4.0, 3.0]
    """
    return _read(tree, lambda x: x.grad if isinstance(x, Value) else number(x, "grads") and 0.0)


def _read(tree: Any, read: Callable[[Any], float]) -> Any:
    kind = kind_of(tree)
    if kind is None:
        return read(tree)
    if kind is _MODULE:
        return {name: read(p) for name, p in _named_parameters(tree).items()}
    return kind.rebuild(tree, [_read(child, read) for child in kind.children(tree)])
