"""Objects with other things in place of some that they hold: copies along the paths to those, and all else shared.

A path leads through what Python finds: attributes, lists, tuples, dicts, sets and object arrays, and also through
methods, `functools.partial` and functions that captured something, which would go on using the original otherwise.
"""

from __future__ import annotations

import copy
import functools
import types
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from autograd.scalars import is_array
from autograd.value import Value

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    Resolve = Callable[[Any], Any]  # what stands in for an object: another, a copy, or itself
else:
    from autograd.records import NamedTuple


class _Sealed(NamedTuple):
    """How to look into objects of a class that cannot be changed once they are there, and how to make another one."""

    contents: Callable[[Any], Iterable[Any]]
    rebuilt: Callable[[Any, Resolve], Any]


class _Open(NamedTuple):
    """How to look into objects of a class, how to copy one, and how to exchange what the copy holds."""

    contents: Callable[[Any], Iterable[Any]]
    copied: Callable[[Any], Any]
    fill: Callable[[Any, Any, Resolve], None]


# --- what cannot be changed -----------------------------------------------------------------------------------------


def _rebuilt_tuple(x: Any, resolve: Resolve) -> Any:
    parts = list(map(resolve, x))
    return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)


def _rebuilt_function(f: Any, resolve: Resolve) -> Any:
    cells = tuple(map(resolve, f.__closure__)) if f.__closure__ else None
    result = types.FunctionType(f.__code__, f.__globals__, f.__name__, resolve(f.__defaults__), cells)
    for name in ("__kwdefaults__", "__doc__", "__annotations__", "__qualname__", "__module__"):
        setattr(result, name, resolve(getattr(f, name)))
    result.__dict__.update(resolve(f.__dict__))
    return result


_SEALED: dict[type, _Sealed] = {
    tuple: _Sealed(lambda x: x, _rebuilt_tuple),
    frozenset: _Sealed(lambda x: x, lambda x, resolve: type(x)(map(resolve, x))),
    types.FunctionType: _Sealed(
        lambda f: (*(f.__closure__ or ()), f.__defaults__, f.__kwdefaults__, f.__dict__), _rebuilt_function
    ),
    types.MethodType: _Sealed(
        lambda x: (x.__self__, x.__func__),
        lambda x, resolve: types.MethodType(resolve(x.__func__), resolve(x.__self__)),
    ),
    functools.partial: _Sealed(
        lambda x: (x.func, x.args, x.keywords),
        lambda x, resolve: functools.partial(resolve(x.func), *resolve(x.args), **resolve(x.keywords)),
    ),
}


def holds_function(cls: type, function: Callable[[Any], Any]) -> None:
    """Say that objects of a class stand for a function that they hold, as what `jit` returns does.

    Where the function holds something that is replaced, the new function itself takes the object's place.
    """
    _SEALED[cls] = _Sealed(lambda x: (function(x),), lambda x, resolve: resolve(function(x)))
    _kind_of_class.cache_clear()


# --- what can be filled after it was made ---------------------------------------------------------------------------


@functools.lru_cache(maxsize=1000)
def _slots(cls: type) -> tuple[str, ...]:
    found: list[str] = []
    for base in cls.__mro__:
        slots = vars(base).get("__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            is_private = name.startswith("__") and not name.endswith("__")
            found.append(f"_{base.__name__.lstrip('_')}{name}" if is_private else name)
    return tuple([name for name in found if name not in ("__dict__", "__weakref__")])


@functools.lru_cache(maxsize=1000)
def _cached_properties(cls: type) -> list[str]:
    """Attributes that the class computes from others and keeps."""
    found = [(name, x) for base in cls.__mro__ for name, x in vars(base).items()]
    return [name for name, x in found if isinstance(x, functools.cached_property)]


def attributes(x: Any) -> dict[str, Any]:
    """The attributes of an object, in the order in which they were assigned; those in slots first."""
    slots = _slots(x.__class__)
    own: dict[str, Any] = getattr(x, "__dict__", {})
    return {name: getattr(x, name) for name in slots if hasattr(x, name)} | own if slots else own


def _copied_object(x: Any) -> Any:
    try:
        return object.__new__(type(x))
    except TypeError:  # a class whose objects are laid out in a way of their own
        return copy.copy(x)


def _fill_object(copied: Any, x: Any, resolve: Resolve) -> None:
    for name in _slots(x.__class__):
        if hasattr(x, name):
            object.__setattr__(copied, name, resolve(getattr(x, name)))
    if hasattr(x, "__dict__"):
        own = vars(copied)
        own.update(zip(vars(x), map(resolve, vars(x).values()), strict=True))
        for name in _cached_properties(x.__class__):
            if name in own and own[name] is vars(x)[name]:  # it may have been computed from what is other here
                del own[name]


def _fill_list(copied: Any, x: Any, resolve: Resolve) -> None:
    copied[:] = map(resolve, x)


def _fill_deque(copied: Any, x: Any, resolve: Resolve) -> None:
    copied.clear()
    copied.extend(map(resolve, x))


def _fill_set(copied: Any, x: Any, resolve: Resolve) -> None:
    copied.clear()
    copied.update(map(resolve, x))


def _fill_dict(copied: Any, x: Any, resolve: Resolve) -> None:
    copied.clear()
    copied.update(zip(map(resolve, x), map(resolve, x.values()), strict=True))


def _fill_array(copied: Any, x: Any, resolve: Resolve) -> None:
    for index, element in enumerate(x.flat):
        copied.flat[index] = resolve(element)


def _fill_cell(copied: Any, x: Any, resolve: Resolve) -> None:
    for content in _content_of_cell(x):
        copied.cell_contents = resolve(content)


def _content_of_cell(cell: Any) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # what a function captures may not be there yet
        return ()


_CELL = _Open(_content_of_cell, lambda x: types.CellType(), _fill_cell)
_ARRAY = _Open(lambda x: x.ravel().tolist() if x.dtype == object else (), copy.copy, _fill_array)
_OBJECT = _Open(lambda x: attributes(x).values(), _copied_object, _fill_object)
_OPEN: dict[type, _Open] = {
    list: _Open(lambda x: x, copy.copy, _fill_list),
    dict: _Open(lambda x: (*x, *x.values()), copy.copy, _fill_dict),
    set: _Open(lambda x: x, copy.copy, _fill_set),
    deque: _Open(lambda x: x, copy.copy, _fill_deque),
}


def _with_attributes(kind: _Open) -> _Open:
    """For a class derived from a container, whose objects may have attributes as well."""

    def fill(copied: Any, x: Any, resolve: Resolve) -> None:
        kind.fill(copied, x, resolve)
        _fill_object(copied, x, resolve)

    return _Open(lambda x: [*kind.contents(x), *attributes(x).values()], kind.copied, fill)


# What is not looked into. That goes for the graph behind a computed Value, too: it is how the number came about.
_CLOSED = (Value, float, int, str, bytes, complex, type, types.ModuleType, BaseException)


@functools.lru_cache(maxsize=1000)
def _kind_of_class(cls: type) -> _Sealed | _Open | None:
    """How to look into objects of a class, None if they hold nothing to find."""
    has_attributes = getattr(cls, "__dictoffset__", 0) or _slots(cls)
    if issubclass(cls, _CLOSED):
        return None
    if cls is types.CellType:
        return _CELL
    for base, sealed in _SEALED.items():
        if cls is base or (base is tuple and issubclass(cls, tuple)):
            return sealed
    for base, kind in _OPEN.items():
        if issubclass(cls, base):
            return kind if cls is base else _with_attributes(kind)
    return _OBJECT if has_attributes else None


def _kind_of(x: Any) -> _Sealed | _Open | None:
    cls: type = type(x)
    kind = _kind_of_class(cls)
    return _ARRAY if (kind is None or kind is _OBJECT) and is_array(x) else kind


# --- the search -----------------------------------------------------------------------------------------------------

_NUMBERS = {float, int, bool, str, types.NoneType}  # most of what is not looked into, known at a glance


def with_replaced(root: Any, others: Mapping[int, Any], also: Callable[[Any], bool]) -> tuple[Any, set[int]]:
    """root with other objects in place of some that it holds.

    Args:
        root: any object.
        others: for the `id` of each object to replace what takes its place.
        also: says of an object that it is to be copied although it holds nothing to replace.

    Returns: the copy, or root itself if it holds nothing to replace; and those of the ids that were not found.
    """
    found: dict[int, tuple[Any, Any]] = {}  # by id, objects and how to look into them
    holders: dict[int, list[int]] = {}
    wanted: list[int] = []
    missed = set(others)
    stack = [root]
    while stack:
        x = stack.pop()
        key = id(x)
        if key in found:
            continue
        kind = _kind_of(x)
        found[key] = x, kind
        if kind is None:
            continue
        if also(x):
            wanted.append(key)
        for part in kind.contents(x):
            if type(part) not in _NUMBERS:
                part_key = id(part)
                if part_key in others:
                    missed.discard(part_key)
                    wanted.append(key)
                else:
                    holders.setdefault(part_key, []).append(key)
                    stack.append(part)
    changed: set[int] = set()
    while wanted:
        key = wanted.pop()
        if key not in changed:
            changed.add(key)
            wanted += holders.get(key, ())
    return _Copies({key: found[key] for key in changed}, others)(root), missed


class _Copies:
    """What stands in for each object: another, for those to be changed a copy, or the object itself."""

    def __init__(self, changed: Mapping[int, tuple[Any, Any]], others: Mapping[int, Any]):
        self._known, self._changed = dict(others), changed
        fillable = [(key, x, kind) for key, (x, kind) in changed.items() if isinstance(kind, _Open)]
        for key, x, kind in fillable:  # before any is filled, since they may hold each other
            self._known[key] = kind.copied(x)
        for key, x, kind in fillable:
            kind.fill(self._known[key], x, self)

    def __call__(self, x: Any) -> Any:
        key = id(x)
        if key in self._known:
            return self._known[key]
        if key not in self._changed:
            return x
        self._known[key] = copied = self._changed[key][1].rebuilt(x, self)
        return copied
