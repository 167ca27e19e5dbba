"""Structures of numbers: nested lists, tuples, dicts, dataclasses, NumPy arrays and Modules, as flat leaves and back.

Whatever stands in a structure and is not one itself is a leaf; so is every number. A Module is anything with
`named_parameters()`, and its leaves are its parameters.
"""

from __future__ import annotations

import functools
import itertools
import math
import sys
import types
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from autograd.primitives import detach
from autograd.scalars import is_array, number
from autograd.tracing import tracing
from autograd.transforms.objects import with_replaced
from autograd.value import Value

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    import numpy as np

    IsLeaf = Callable[[Any], bool]
else:
    from autograd.records import NamedTuple


Shape = tuple[int, ...] | None  # of an array; None for a number


# --- kinds of structures --------------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """One kind of structure.

    Attributes:
        name: what two structures have in common that may stand for each other.
        take_apart: a structure to its context, which is hashable and holds no leaves, and its parts.
        put_together: the context and other parts to a structure.
        keys: the context and the number of parts to what each part is reached by.
        by_attribute: whether that is the name of an attribute, or else an index or a key.
    """

    name: str
    take_apart: Callable[[Any], tuple[Any, Sequence[Any]]]
    put_together: Callable[[Any, list[Any]], Any]
    keys: Callable[[Any, int], Iterable[Any]]
    by_attribute: bool = False

    def written(self, key: Any) -> str:
        """A key as Python code."""
        if self.by_attribute:
            return f".{key}"
        return f"[{', '.join(map(str, key))}]" if self is _ARRAY else f"[{key!r}]"


class _Reference:
    """A Module in a context: equal to that of the same object with parameters of the same names.

    Attributes:
        module: the object.
        parameters: its parameters by name, as they were when it was taken apart.
    """

    __slots__ = ("module", "parameters")

    def __init__(self, module: Any, parameters: dict[str, Any]):
        self.module, self.parameters = module, parameters

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, _Reference) and self.module is other.module
        return same and [*self.parameters] == [*other.parameters]  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return id(self.module)


def first_names(named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The parameters by name; one that occurs twice is a single parameter, under its first name."""
    found: dict[int, tuple[str, Any]] = {}
    for name, p in named:
        found.setdefault(id(p), (name, p))
    return dict(found.values())


def _module_apart(module: Any) -> tuple[Any, Sequence[Any]]:
    named = module.named_parameters()
    parameters = first_names(named.items() if isinstance(named, Mapping) else named)
    return _Reference(module, parameters), [*parameters.values()]


def _module_together(reference: _Reference, values: list[Any]) -> Any:
    return with_parameters(reference.module, dict(zip(reference.parameters, values, strict=True)), reference.parameters)


def with_parameters(module: Any, values: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    """A copy of a Module in which other things stand in place of its parameters; what else it holds is shared.

    Errors: TypeError if a parameter is not found in the module.
    """
    others = {id(p): values[name] for name, p in parameters.items()}
    replaced, missed = with_replaced(module, others, also=is_module)
    if missed:
        names = [name for name, p in parameters.items() if id(p) in missed]
        raise TypeError(
            f"{type(module).__name__}: the parameter {names[0]!r} is not held by an attribute, list, tuple, dict or "
            "object array of the model, where another number could take its place: keep it there"
        )
    if tracing.tracer is not None:
        tracing.tracer.note_copy(replaced)
    return replaced


def _array_together(shape: tuple[int, ...], values: list[Any]) -> Any:
    import numpy as np

    dtype = float if all(x.__class__ is float for x in values) else object
    result = np.empty(len(values), dtype)
    result[:] = values
    return result.reshape(shape)


def _indices(shape: tuple[int, ...], count: int) -> Iterable[tuple[int, ...]]:
    return itertools.product(*map(range, shape))


def _mapping_apart(mapping: Any) -> tuple[Any, Sequence[Any]]:
    factory = mapping.default_factory if isinstance(mapping, defaultdict) else None
    return (type(mapping), tuple(mapping), factory), [*mapping.values()]


def _mapping_together(context: tuple[Any, ...], values: list[Any]) -> Any:
    cls, keys, factory = context
    result = cls() if factory is None else cls(factory)
    result.update(zip(keys, values, strict=True))
    return result


@functools.lru_cache(maxsize=1000)
def _fields(cls: type) -> tuple[list[str], list[str]]:
    """The names of the fields of a dataclass or attrs class: those that are parts, and those marked as static."""
    described: Any = getattr(cls, "__attrs_attrs__", None)
    if described is None:
        described = sys.modules["dataclasses"].fields(cls)  # loaded by whoever made the class
    parts: tuple[list[str], list[str]] = [], []
    for field in described:
        parts[bool(field.metadata.get("static"))].append(field.name)
    return parts


def _object_apart(x: Any) -> tuple[Any, Sequence[Any]]:
    cls: type = type(x)
    names, static = _fields(cls)
    return (cls, tuple([getattr(x, name) for name in static])), [getattr(x, name) for name in names]


def _object_together(context: tuple[Any, ...], values: list[Any]) -> Any:
    """Without `__init__` and `__post_init__`, which may convert or check numbers that are Values here."""
    cls, fixed = context
    names, static = _fields(cls)
    result = object.__new__(cls)
    for name, value in zip([*names, *static], [*values, *fixed], strict=True):
        object.__setattr__(result, name, value)  # also where assigning is refused, as of a frozen dataclass
    return result


class _Registered(NamedTuple):
    flatten: Callable[[Any], tuple[Iterable[Any], Hashable]]
    unflatten: Callable[[Any, list[Any]], Any]


_registered: dict[type, _Registered] = {}


def _registered_apart(x: Any) -> tuple[Any, Sequence[Any]]:
    parts, context = _registered[type(x)].flatten(x)
    return (type(x), context), [*parts]


def _registered_together(context: tuple[Any, ...], values: list[Any]) -> Any:
    cls, own = context
    return _registered[cls].unflatten(own, values)


def _positions(context: Any, count: int) -> Iterable[int]:
    return range(count)


_LIST = Kind("list", lambda x: (None, x), lambda _, values: values, _positions)
_TUPLE = Kind("tuple", lambda x: (None, x), lambda _, values: tuple(values), _positions)
_NAMEDTUPLE = Kind("namedtuple", lambda x: (type(x), x), lambda cls, values: cls(*values),
                   lambda cls, _: cls._fields, by_attribute=True)  # fmt: skip
_DICT = Kind("dict", lambda x: (tuple(x), [*x.values()]), lambda keys, values: dict(zip(keys, values, strict=True)),
             lambda keys, _: keys)  # fmt: skip
_MAPPING = Kind("dict", _mapping_apart, _mapping_together, lambda context, _: context[1])
_NONE = Kind("None", lambda x: (None, ()), lambda _, values: None, lambda _, count: ())
_ARRAY = Kind("array", lambda x: (x.shape, x.ravel().tolist()), _array_together, _indices)
_MODULE = Kind(
    "Module", _module_apart, _module_together, lambda reference, _: [*reference.parameters], by_attribute=True
)
_OBJECT = Kind("object", _object_apart, _object_together, lambda context, _: _fields(context[0])[0], by_attribute=True)
_REGISTERED = Kind("registered", _registered_apart, _registered_together, _positions)

_LEAVES: set[type] = {float, Value, int, bool, str}  # most of all leaves, known at a glance


@functools.lru_cache(maxsize=1000)
def _kind_of_class(cls: type) -> Kind | None:
    if cls in _LEAVES:
        return None
    if cls in _registered:
        return _REGISTERED
    for base, kind in ((list, _LIST), (tuple, _TUPLE), (dict, _MAPPING), (types.NoneType, _NONE)):
        if issubclass(cls, base):
            return _DICT if cls is dict else _NAMEDTUPLE if hasattr(cls, "_fields") else kind
    if is_module_class(cls):
        return _MODULE
    return _OBJECT if hasattr(cls, "__dataclass_fields__") or hasattr(cls, "__attrs_attrs__") else None


def _kind_of(x: Any) -> Kind | None:
    cls: type = type(x)
    kind = _kind_of_class(cls)
    return _ARRAY if kind is None and is_array(x) else kind


def is_module_class(cls: type) -> bool:
    """Whether the objects of a class are Modules: they have `named_parameters()`."""
    return callable(getattr(cls, "named_parameters", None))


def is_module(x: Any) -> bool:
    """Whether x is a Module: an object with `named_parameters()`."""
    return is_module_class(type(x))


def register_structure(
    cls: type, flatten: Callable[[Any], tuple[Iterable[Any], Hashable]], unflatten: Callable[[Any, list[Any]], Any]
) -> None:
    """Say how objects of a class are taken apart and put together, so that they work wherever nested lists do.

    Dataclasses and attrs classes need not be registered: their fields are their parts, except those with
    `metadata={"static": True}`.

    Args:
        cls: the class; its subclasses are to be registered each for itself.
        flatten: an object to `(parts, context)`: numbers or structures of them, and what else there is to know, which
            must be hashable.
        unflatten: the context and a list of other parts to an object, as `jax.tree_util.register_pytree_node` has it.

    Errors: TypeError if cls is not a class, or is a structure already.

    Example:
        >>> from autograd import grad
        >>> class Point:
        ...     def __init__(self, x, y):
        ...         self.x, self.y = x, y
        >>> register_structure(Point, lambda p: ((p.x, p.y), None), lambda context, parts: Point(*parts))
        >>> gradient = grad(lambda p: p.x * p.y)(Point(2.0, 3.0))
        >>> gradient.x, gradient.y
        (3.0, 2.0)
    """
    if not isinstance(cls, type):
        raise TypeError(f"register_structure takes a class, got {type(cls).__name__} {cls!r:.60}")
    if cls in _LEAVES or (cls not in _registered and _kind_of_class(cls) not in (None, _OBJECT)):
        raise TypeError(f"register_structure: {cls.__name__} is a structure already")
    _registered[cls] = _Registered(flatten, unflatten)
    _kind_of_class.cache_clear()


# --- structures -----------------------------------------------------------------------------------------------------


class Parts(NamedTuple):
    """A structure taken apart by one level."""

    kind: Kind
    context: Any
    children: Sequence[Any]

    def keys(self) -> list[str]:
        """How Python code reaches each child, such as "[0]" or ".w"."""
        return [self.kind.written(key) for key in self.kind.keys(self.context, len(self.children))]

    def rebuild(self, children: list[Any]) -> Any:
        """The same structure with other children."""
        return self.kind.put_together(self.context, children)


def parts_of(x: Any) -> Parts | None:
    """A structure taken apart by one level; None for a leaf."""
    kind = _kind_of(x)
    return None if kind is None else Parts(kind, *kind.take_apart(x))


class Structure(NamedTuple):
    """How leaves make up a structure; hashable, and equal to that of every structure which is built alike.

    Attributes:
        kind: which kind of structure it is; None for a leaf.
        context: what to know beside the parts: the keys of a dict, the shape of an array, a Module itself.
        children: the structures of the parts.

    Example:
        >>> leaves, structure = flatten({"w": [1.0, 2.0], "b": 3.0})
        >>> structure
        Structure({'w': [*, *], 'b': *})
        >>> structure.unflatten([10.0, 20.0, 30.0])
        {'w': [10.0, 20.0], 'b': 30.0}
        >>> structure == flatten({"w": [5.0, 6.0], "b": 7.0})[1]
        True
    """

    kind: Kind | None
    context: Any
    children: tuple[Structure, ...]

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The structure with these leaves: as many as it has, in their order.

        A Module is a copy: what leads to a parameter is new in it, everything else is shared.

        Errors: ValueError if there are more leaves or fewer.
        """
        remaining = iter(leaves)
        try:
            result = _build(self, remaining)
        except StopIteration:
            raise ValueError(f"unflatten: {self!r:.200} has {self.num_leaves} leaves, got fewer") from None
        if next(remaining, _STAR) is not _STAR:
            raise ValueError(f"unflatten: {self!r:.200} has {self.num_leaves} leaves, got more")
        return result

    @property
    def num_leaves(self) -> int:
        """How many leaves it has."""
        return 1 if self.kind is None else sum([child.num_leaves for child in self.children])

    @property
    def is_number(self) -> bool:
        """Whether it is that of one number, or of an array without axes."""
        return self.kind is None or (self.kind is _ARRAY and self.context == ())

    @property
    def has_modules(self) -> bool:
        """Whether a Module is in it."""
        return self.kind is _MODULE or any(child.has_modules for child in self.children if child is not LEAF)

    @property
    def with_dicts(self) -> Structure:
        """The structure with each Module as the dict of its parameters, which is what its gradient looks like."""
        if self.kind is _MODULE:
            return Structure(_DICT, tuple(self.context.parameters), self.children)
        if not self.has_modules:
            return self
        return Structure(self.kind, self.context, tuple([child.with_dicts for child in self.children]))

    def names(self, root: str) -> list[str]:
        """How Python code reaches each leaf from the root, for messages.

        Example:
            >>> flatten({"w": [1.0, 2.0], "b": 3.0})[1].names("params")
            ["params['w'][0]", "params['w'][1]", "params['b']"]
        """
        if self.kind is None:
            return [root]
        pairs = zip(self.keys(), self.children, strict=True)
        return [name for key, child in pairs for name in child.names(root + key)]

    def keys(self) -> list[str]:
        """How Python code reaches each child, such as "[0]" or ".w"."""
        assert self.kind is not None
        return [self.kind.written(key) for key in self.kind.keys(self.context, len(self.children))]

    def units(self) -> tuple[list[Shape], Structure]:
        """The shape of each array, None for each number beside them, and the structure with whole arrays as leaves."""
        shapes: list[Shape] = []
        return shapes, _whole_arrays(self, shapes)

    def described(self) -> str:
        """What it is, in words for a message."""
        if self.kind is None:
            return "a number"
        if self.kind is _NONE:
            return "None"
        if self.kind is _ARRAY:
            return f"an array of shape {self.context}"
        name = self.kind.name
        if self.kind in (_NAMEDTUPLE, _MODULE, _MAPPING, _OBJECT, _REGISTERED):
            first = self.context if self.kind is _NAMEDTUPLE else getattr(self.context, "module", None)
            name = (type(first) if self.kind is _MODULE else first or self.context[0]).__name__
        return f"a {name} of {_listed(self.keys())}"

    def __repr__(self) -> str:
        return f"Structure({self.unflatten([_STAR] * self.num_leaves)!r})"


class _Star:
    def __repr__(self) -> str:
        return "*"


_STAR = _Star()
LEAF = Structure(None, None, ())


def flatten(tree: Any, is_leaf: IsLeaf | None = None) -> tuple[list[Any], Structure]:
    """The leaves of a structure, in order, and how to build it from them, as `jax.tree.flatten`.

    Args:
        tree: numbers in nested lists, tuples, dicts, namedtuples, dataclasses, attrs classes, NumPy arrays, Modules
            (whose leaves are their parameters) and registered classes; None is a structure without leaves.
        is_leaf: says of a structure that it is not to be taken apart.

    Returns: `(leaves, structure)`; `structure.unflatten(leaves)` builds the structure with other leaves.

    Example:
        >>> leaves, structure = flatten({"w": [1.0, 2.0], "b": (3.0, None)})
        >>> leaves
        [1.0, 2.0, 3.0]
        >>> structure.unflatten([10 * x for x in leaves])
        {'w': [10.0, 20.0], 'b': (30.0, None)}
    """
    found: list[Any] = []
    return found, _flatten(tree, found, is_leaf, None)


def flatten_numbers(
    tree: Any, is_leaf: IsLeaf | None = None, stand_in: Callable[[Any], Any] | None = None
) -> tuple[list[Any], Structure]:
    """As flatten, but where a Module has a parameter that is a plain leaf, its number is the leaf.

    A parameter that was computed, that is the variable of a transform (a leaf which stands for something), or that the
    compiler is tracing stays the Value that it is.

    Args:
        stand_in: what to take for each parameter in place of that number or Value.
    """
    found: list[Any] = []
    return found, _flatten(tree, found, is_leaf, stand_in or own_number)


def tuple_of(structures: Iterable[Structure]) -> Structure:
    """The structure of a tuple of structures."""
    return Structure(_TUPLE, None, tuple(structures))


def holds_value(leaf: Any) -> bool:
    """Whether a leaf is a Value, or a whole array in which one is; an array of floats is not searched."""
    if isinstance(leaf, Value):
        return True
    return is_array(leaf) and leaf.dtype == object and any(isinstance(x, Value) for x in leaf.flat)


def own_number(parameter: Any) -> Any:
    """The number of a Module's parameter that is a plain leaf; any other as it is."""
    own = tracing.tracer is None and parameter.op is None and parameter._a is None
    return parameter._data if own else parameter


def _flatten(x: Any, found: list[Any], is_leaf: IsLeaf | None, stand_in: Callable[[Any], Any] | None) -> Structure:
    cls = type(x)
    if cls in _LEAVES or (is_leaf is not None and is_leaf(x)) or (kind := _kind_of(x)) is None:
        found.append(x)
        return LEAF
    context, children = kind.take_apart(x)
    if stand_in is not None and kind is _MODULE:
        children = list(map(stand_in, children))
    if _LEAVES.issuperset(map(type, children)):
        found += children
        return Structure(kind, context, (LEAF,) * len(children))
    return Structure(kind, context, tuple([_flatten(child, found, is_leaf, stand_in) for child in children]))


def _build(structure: Structure, remaining: Iterator[Any]) -> Any:
    kind, context, children = structure
    if kind is None:
        return next(remaining)
    parts = [next(remaining) if child is LEAF else _build(child, remaining) for child in children]
    return kind.put_together(context, parts)


def _whole_arrays(structure: Structure, shapes: list[Shape]) -> Structure:
    if structure.kind is None or structure.kind is _ARRAY:
        shapes.append(structure.context)
        return LEAF
    return structure._replace(children=tuple([_whole_arrays(child, shapes) for child in structure.children]))


def spans(shapes: Iterable[Shape]) -> list[slice]:
    """Where each number or whole array of these shapes stands among the leaves.

    Example:
        >>> spans([None, (2, 3)])
        [slice(0, 1, None), slice(1, 7, None)]
    """
    ends = list(itertools.accumulate(math.prod(shape or ()) for shape in shapes))
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def matching_leaves(expected: Structure, tree: Any, what: str) -> list[Any]:
    """The leaves of a structure in the order of another of the same kinds, keys, lengths and array shapes.

    Args:
        expected: the structure to agree with; the order of keys in a dict is free, and a number serves for an array of
            one number without axes, or the other way round.
        tree: whose leaves are wanted; a Module serves for the dict of its parameters.
        what: its name, for messages.

    Errors: ValueError naming the first place where they differ.
    """
    found, given = flatten_numbers(tree)
    given = given.with_dicts
    if given == expected:
        return found
    return [found[i] for i in _order(expected, given, 0, what)]


def _order(expected: Structure, given: Structure, start: int, what: str) -> list[int]:
    """The position of each expected leaf among those given; those of this structure begin at `start`."""
    if expected.is_number and given.is_number:
        return [start]
    if getattr(expected.kind, "name", None) != getattr(given.kind, "name", None):
        raise ValueError(f"{what} is {given.described()}, where {expected.described()} is expected")
    if expected.kind is _ARRAY and expected.context != given.context:
        raise ValueError(f"{what} has shape {given.context}, where shape {expected.context} is expected")
    keys, given_keys = expected.keys(), given.keys()
    if set(keys) != set(given_keys):
        raise ValueError(f"{what} has {_listed(given_keys)}, where {_listed(keys)} is expected")
    children = {}
    for key, child in zip(given_keys, given.children, strict=True):
        children[key] = child, start
        start += child.num_leaves
    pairs = zip(keys, expected.children, strict=True)
    return [position for key, child in pairs for position in _order(child, *children[key], what + key)]


def described(tree: Any) -> str:
    """What a structure is, in words for a message."""
    return flatten(tree)[1].described()


def _listed(keys: list[str]) -> str:
    return f"{len(keys)} entries ({', '.join(keys[:4])}{', ...' if len(keys) > 4 else ''})"


# --- public ---------------------------------------------------------------------------------------------------------


def array(numbers: Any) -> np.ndarray[Any, Any]:
    """A NumPy object array of new leaf Values, one for each number.

    Args:
        numbers: an array of any shape, or nested lists; its Values are kept as they are.

    Errors: TypeError if an element is not a number.

    Example:
        >>> import numpy as np
        >>> W = array(np.eye(2))
        >>> y = np.sum(W @ [3.0, 4.0])
        >>> y.backward()
        >>> read_grads(W).tolist()
        [[3.0, 4.0], [3.0, 4.0]]
    """
    import numpy as np

    given = np.asarray(numbers)
    values = [x if isinstance(x, Value) else Value(x) for x in given.ravel().tolist()]
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result.reshape(given.shape)


def read_data(tree: Any) -> Any:
    """The numbers of a structure of Values: a structure of floats, with arrays of floats and a dict for a Module.

    `autograd.data` is the old name; new code says read_data.

    Args:
        tree: Values and numbers in structures of any kind, as `flatten` takes them.

    Errors: TypeError for anything but numbers.

    Example:
        >>> read_data({"w": [Value(1.0), Value(2.0)], "b": 3})
        {'w': [1.0, 2.0], 'b': 3.0}
    """
    return _read(tree, lambda x: x.data if isinstance(x, Value) else number(x, "read_data"))


def read_grads(tree: Any) -> Any:
    """The gradients that backward() left in a structure of Values, as read_data reads the numbers; 0.0 for numbers.

    `autograd.grads` is the old name, one letter from the transform `grad`; new code says read_grads.

    Example:
        >>> x = [Value(3.0), Value(4.0)]
        >>> (x[0] * x[1]).backward()
        >>> read_grads(x)
        [4.0, 3.0]
    """
    return _read(tree, lambda x: x.grad if isinstance(x, Value) else number(x, "read_grads") and 0.0)


data, grads = read_data, read_grads  # their names in version 0.1


def stop_gradient(tree: Any) -> Any:
    """A structure that no derivative flows to: `detach` for each Value in it, under JAX's name.

    Args:
        tree: a number, a Value, or a structure of any kind, as `flatten` takes it; also a Module, which is copied.

    Example:
        >>> from autograd import grad
        >>> grad(lambda x: x * stop_gradient(x))(3.0)
        3.0
    """
    found, structure = flatten(tree)
    return structure.unflatten([detach(x) if isinstance(x, Value) else x for x in found])


def _read(tree: Any, read: Callable[[Any], float]) -> Any:
    found, structure = flatten(tree)
    return structure.with_dicts.unflatten(map(read, found))
