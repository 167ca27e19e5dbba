"""What a traced function can reach outside of itself: noted before a trace, compared after it, and put back.

A trace runs the function once, and compiled code never again. So whatever the function writes to, or draws from,
outside of itself would happen once instead of at every call.
"""

import collections
import enum
import functools
import itertools
import operator
import random
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd.value import Value

_NOTHING = object()  # where a name stands for nothing
_ATOMS = (type(None), bool, int, float, complex, str, bytes)
_ATOMIC = frozenset([*_ATOMS, Value])


class _Kind(NamedTuple):
    """One kind of state: what it holds now, as a dict; how to put that back; how its parts are written.

    Where `read` gives a copy rather than what can be reached, the walk ends: `leads_on` is False.
    """

    read: Callable[[Any], dict[Any, Any]]
    write: Callable[[Any, dict[Any, Any]], None]
    part: str
    leads_on: bool = True
    verb: str = "changes"


class _Names(NamedTuple):
    """Some names of a namespace: the globals that a function speaks of."""

    namespace: dict[str, Any]
    names: frozenset[str]


def _write_names(x: _Names, contents: dict[Any, Any]) -> None:
    for name, value in contents.items():
        if value is not _NOTHING:
            x.namespace[name] = value
        else:
            x.namespace.pop(name, None)


def _write_attributes(x: Any, contents: dict[Any, Any]) -> None:
    vars(x).clear()
    vars(x).update(contents)


def _slots(x: Any) -> list[str]:
    listed = [vars(cls).get("__slots__", ()) for cls in type(x).__mro__]
    return [name for names in listed for name in ([names] if isinstance(names, str) else names)]


def _write_slots(x: Any, contents: dict[Any, Any]) -> None:
    for name, value in contents.items():
        if value is not _NOTHING:
            object.__setattr__(x, name, value)
        elif hasattr(x, name):
            object.__delattr__(x, name)


def _write_class(x: Any, contents: dict[Any, Any]) -> None:
    for name in _class_attributes(x).keys() - contents.keys():
        delattr(x, name)
    for name, value in contents.items():
        if vars(x).get(name) is not value:
            setattr(x, name, value)


def _class_attributes(x: type) -> dict[str, Any]:
    return {name: value for name, value in vars(x).items() if not (name.startswith("__") and name.endswith("__"))}


def _write_dict(x: Any, contents: dict[Any, Any]) -> None:
    x.clear()
    x.update(contents)


def _write_list(x: Any, contents: dict[Any, Any]) -> None:
    x.clear()
    x.extend(contents.values())


def _write_cell(x: Any, contents: dict[Any, Any]) -> None:
    if contents[""] is _NOTHING:
        del x.cell_contents
    else:
        x.cell_contents = contents[""]


def _read_cell(x: Any) -> dict[Any, Any]:
    try:
        return {"": x.cell_contents}
    except ValueError:  # not assigned yet
        return {"": _NOTHING}


def _write_array(x: Any, contents: dict[Any, Any]) -> None:
    np.copyto(x, contents[""])


_NAMES = _Kind(lambda x: {name: x.namespace.get(name, _NOTHING) for name in x.names}, _write_names, "the global {0}")
_ATTRIBUTES = _Kind(lambda x: dict(vars(x)), _write_attributes, "{1}.{0}")
_SLOTS = _Kind(lambda x: {name: getattr(x, name, _NOTHING) for name in _slots(x)}, _write_slots, "{1}.{0}")
_CLASS = _Kind(_class_attributes, _write_class, "{1}.{0}")
_DICT = _Kind(dict, _write_dict, "{1}[{0!r}]")
_LIST = _Kind(lambda x: dict(enumerate(x)), _write_list, "{1}[{0}]")
_SET = _Kind(lambda x: dict.fromkeys(x), lambda x, contents: _write_dict(x, dict.fromkeys(contents)), "{1}")
_CELL = _Kind(_read_cell, _write_cell, "{1}")
_ARRAY = _Kind(lambda x: {"": x.copy()}, _write_array, "the array {1}", False)
_RANDOM = _Kind(lambda x: {"": x.getstate()}, lambda x, state: x.setstate(state[""]), "{1}", False, "draws from")
_GENERATOR = _Kind(
    lambda x: {"": x.bit_generator.state}, lambda x, state: setattr(x.bit_generator, "state", state[""]), "{1}", False,
    "draws from",
)  # fmt: skip
_RANDOM_STATE = _Kind(
    lambda x: {"": x.get_state(legacy=False)}, lambda x, state: x.set_state(state[""]), "{1}", False, "draws from"
)
_ITERATOR = _Kind(lambda x: {"": _position(x)}, lambda x, state: None, "the iterator {1}", False, "draws from")
_FRAME = _Kind(lambda x: _suspended(x), lambda x, state: None, "the generator {1}", True, "draws from")


def _position(x: Any) -> Any:
    """How far an iterator has come, as far as it shows."""
    try:
        return repr(x) if isinstance(x, itertools.count) else operator.length_hint(x, 0)
    except TypeError:
        return None


def _suspended(x: Any) -> dict[str, Any]:
    """Where a generator has stopped, and the names that it goes on with."""
    return {"": x.gi_frame.f_lasti, **x.gi_frame.f_locals} if x.gi_frame is not None else {}


class _State(NamedTuple):
    name: str
    x: Any
    kind: _Kind
    contents: dict[Any, Any]

    def changes(self) -> Iterator[str]:
        """What is no longer as it was, in words."""
        now = self.kind.read(self.x)
        for key in [*self.contents, *(now.keys() - self.contents.keys())]:
            if not _same(self.contents.get(key, _NOTHING), now.get(key, _NOTHING)):
                yield f"{self.kind.verb} {self.kind.part.format(key, self.name)}"


def _same(old: Any, new: Any) -> bool:
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):  # the state of a generator of NumPy
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, np.ndarray):
        return old.shape == new.shape and old.tobytes() == new.tobytes()
    if isinstance(old, tuple):
        return len(old) == len(new) and all(map(_same, old, new))
    return isinstance(old, _ATOMS) and (old == new or (old != old and new != new))


class Outside:
    """The state that a function, and the arguments of a call of it, lead to.

    Random generators, attributes of objects and classes, the contents of lists, dicts, sets, deques and arrays, names
    of enclosing functions, and the globals that functions name; from there on likewise. Not the insides of libraries.

    Args:
        f: the function.
        arguments: what it is called with, by name.
    """

    def __init__(self, f: Callable[..., Any], arguments: Iterable[tuple[str, Any]]):
        self._states: list[_State] = []
        self._seen: dict[int, Any] = {}
        self._own = {_root(getattr(g, "__module__", None)) for g in _unwrapped(f)}
        self._note("the global random generator", random._inst, _RANDOM)
        self._note("the global random generator", np.random.mtrand._rand, _RANDOM_STATE)
        self._walk([("", f), *arguments])

    def watch(self, x: Any) -> None:
        """Also look at a copy that was made for the call: what is written to it would be written outside."""
        self._walk([(type(x).__name__, x)])

    def changes(self) -> list[str]:
        """What is no longer as it was: "changes model.mean", "draws from rng", ..."""
        return list(dict.fromkeys(itertools.chain.from_iterable([state.changes() for state in self._states])))

    def restore(self) -> None:
        """Put everything back as it was."""
        for state in self._states:
            if any(state.changes()):
                state.kind.write(state.x, state.contents)

    def _note(self, name: str, x: Any, kind: _Kind) -> dict[Any, Any]:
        state = _State(name, x, kind, kind.read(x))
        self._states.append(state)
        return state.contents

    def _walk(self, found: list[tuple[str, Any]]) -> None:
        stack = found[::-1]
        while stack:
            name, x = stack.pop()
            if type(x) in _ATOMIC or id(x) in self._seen:
                continue
            self._seen[id(x)] = x  # kept alive, so that no other object gets its id
            stack += reversed([(n, y) for n, y in self._parts(name, x) if type(y) not in _ATOMIC])

    def _parts(self, name: str, x: Any) -> Iterator[tuple[str, Any]]:
        """Note what x holds; from there on the walk goes to what is given back."""
        kind = type(x)
        if issubclass(kind, (*_ATOMS, Value, enum.Enum, types.ModuleType)):
            return
        if issubclass(kind, types.FunctionType):
            yield from self._function(name, x)
        elif issubclass(kind, types.MethodType):
            yield from ((name, x.__self__), (name, x.__func__))
        elif issubclass(kind, types.BuiltinMethodType | types.MethodWrapperType):
            yield name, x.__self__
        elif issubclass(kind, functools.partial):
            yield from ((name, x.func), (name, x.args), (name, x.keywords))
        elif issubclass(kind, classmethod | staticmethod):
            yield name, x.__func__
        elif issubclass(kind, property):
            yield from ((name, x.fget), (name, x.fset))
        elif issubclass(kind, tuple | frozenset):
            yield from [(f"{name}[{i}]", y) for i, y in enumerate(x)]
        elif issubclass(kind, type):
            if self._is_users(x.__module__):
                yield from self._contents(x.__qualname__, x, _CLASS)
        elif (state := _kind_of(x)) is not None:
            yield from self._contents(name, x, state)
        if not issubclass(kind, type) and self._is_inspected(kind):
            yield name, kind
            yield from [(name, base) for base in kind.__mro__[1:]]
            if not issubclass(kind, types.FunctionType) and hasattr(x, "__dict__"):
                yield from self._contents(name or _called(x), x, _ATTRIBUTES)
            if _slots(x):
                yield from self._contents(name or _called(x), x, _SLOTS)
        elif "__wrapped__" in getattr(x, "__dict__", ()):  # what jit or functools.cache returned
            yield name, x.__wrapped__

    def _contents(self, name: str, x: Any, kind: _Kind) -> list[tuple[str, Any]]:
        found = self._note(name, x, kind)
        return [(kind.part.format(key, name), y) for key, y in found.items()] if kind.leads_on else []

    def _function(self, name: str, f: types.FunctionType) -> Iterator[tuple[str, Any]]:
        for free, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            yield from self._contents(free, cell, _CELL)
        defaults = f.__defaults__ or ()
        names = f.__code__.co_varnames[: f.__code__.co_argcount][-len(defaults) :] if defaults else ()
        yield from zip(names, defaults, strict=True)
        yield from (f.__kwdefaults__ or {}).items()
        if f.__dict__:
            yield from self._contents(f.__name__, f, _ATTRIBUTES)
        if self._is_users(f.__module__):
            spoken_of = _Names(f.__globals__, frozenset(_names_in(f.__code__)))
            self._seen[id(spoken_of)] = spoken_of
            yield from [(key, y) for key, y in self._note(name, spoken_of, _NAMES).items()]

    def _is_users(self, module: Any) -> bool:
        """Whether code of a module is the user's own, rather than a library's."""
        return _root(module) in self._own or not _is_library(_root(module))

    def _is_inspected(self, kind: type) -> bool:
        """Whether the attributes of an object are the user's affair: not those of the standard library or NumPy."""
        root = _root(kind.__module__)
        return kind is types.SimpleNamespace or root not in _CLOSED


_CLOSED = sys.stdlib_module_names | {"autograd", "numpy", "builtins"}


def _root(module: Any) -> str:
    return str(module).partition(".")[0]


@functools.cache
def _is_library(root: str) -> bool:
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    return root in _CLOSED or "site-packages" in file or "dist-packages" in file


def _unwrapped(f: Any) -> Iterator[Any]:
    while f is not None:
        yield f
        f = getattr(f, "__wrapped__", None) or getattr(f, "func", None)


def _called(x: Any) -> str:
    return type(x).__name__


def _names_in(code: types.CodeType) -> Iterator[str]:
    """The names in a function's code, and in that of functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)


def _kind_of(x: Any) -> _Kind | None:
    """The kind of state that an object holds, apart from its attributes."""
    kind = type(x)
    for base, state in _KINDS:
        if issubclass(kind, base):
            return state
    return _ITERATOR if hasattr(kind, "__next__") and not hasattr(kind, "read") else None


_KINDS: list[tuple[Any, _Kind]] = [
    (types.GeneratorType, _FRAME),
    (dict, _DICT),
    (list | collections.deque, _LIST),
    (set, _SET),
    (np.ndarray, _ARRAY),
    (random.Random, _RANDOM),
    (np.random.Generator, _GENERATOR),
    (np.random.RandomState, _RANDOM_STATE),
]
