"""What goes into exported code and comes out of it: the arguments and results of the function, as named parts."""

import keyword
import math
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.compiler.optimize.graph import Graph, Node
from autograd.compiler.trace.calls import Traced, is_traced_scalar
from autograd.compiler.trace.inputs import Count, Elements
from autograd.compiler.trace.integers import Integer, is_integer
from autograd.compiler.trace.lanes import StackedResult
from autograd.condition import Condition
from autograd.scalars import is_array
from autograd.transforms.tree import parts_of
from autograd.value import Value


@dataclass
class Part:
    """A number, an array, a group of parts, or what is fixed in the code.

    Attributes:
        kind: "number", "array", "group" or "fixed".
        key: what the caller calls it: the name of an argument, the key or index in a structure.
        path: identifiers that lead to it, the last one its own.
        numbers: of a number or an array, for each element the input slot, or the node, that it is.
        shape: of an array; None for a length that may differ from call to call.
        keys: the keys of a dict of numbers which are not all names, and of a Module's parameters: an array in code.
        children: the parts of a group.
        container: "list", "tuple", "dict", "object" or "array".
        type: of a number: "float", "int" or "bool".
        value: what is fixed.
        position: of an array argument, which of them it is.
        region, axis: of a result that is stored by lane: over which lanes, and which axis counts them.
    """

    kind: str
    key: Any
    path: tuple[str, ...]
    numbers: Sequence[int] = ()
    shape: tuple[int | None, ...] = ()
    keys: Sequence[str] = ()
    children: "list[Part]" = field(default_factory=list)
    container: str = ""
    type: str = "float"
    value: Any = None
    position: int = -1
    region: int = 0
    axis: int = 0

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def size(self) -> int:
        """The elements of an array, without counting a free length."""
        return math.prod([n for n in self.shape if n is not None])

    def walk(self) -> "Iterator[Part]":
        """The part itself and all in it, from the outside in."""
        yield self
        for child in self.children:
            yield from child.walk()

    def alike(self, other: "Part") -> bool:
        """Whether another one differs from it in its numbers only."""
        mine, theirs = [
            (x.kind, x.path, x.shape, [*x.keys], x.container, x.type, repr(x.value), x.region, x.axis)
            for x in (self, other)
        ]
        return mine == theirs and all(map(Part.alike, self.children, other.children))


def is_name(key: Any) -> bool:
    return isinstance(key, str) and key.isidentifier() and key.isascii() and not keyword.iskeyword(key)


def identifier(key: Any, taken: Collection[str] = ()) -> str:
    """A name made of a key: anything but a letter or a digit becomes _.

    Example:
        >>> identifier("learning rate"), identifier(0), identifier("x", {"x"})
        ('learning_rate', '_0', 'x_')
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", str(key)) or "_"
    name = name if name.isidentifier() and not keyword.iskeyword(name) else f"_{name}"
    while name in taken:
        name += "_"
    return name


class _Builder:
    """Takes structures apart.

    Args:
        leaf: says what a leaf is.
        taken: names that no part may have; those of parts are added, joined by _, since that is a name as well.
    """

    def __init__(self, leaf: "Callable[[Any, Any, tuple[str, ...]], Part | None]", taken: set[str]):
        self.leaf, self.taken = leaf, taken

    def name(self, key: Any, path: tuple[str, ...]) -> tuple[str, ...]:
        """The path of a part that the caller calls by this key."""
        name = identifier(key)
        while name in self.taken or "_".join((*path, name)) in self.taken:
            name += "_"
        self.taken.add("_".join((*path, name)))
        return (*path, name)

    def part(self, x: Any, key: Any, path: tuple[str, ...]) -> Part:
        found = self.leaf(x, key, path)
        if found is not None:
            return found
        parts = parts_of(x)
        if parts is None or parts.kind.name == "None":
            return Part("fixed", key, path, value=x)
        kind, context, contents = parts
        keys = [*kind.keys(context, len(contents))]
        children = [self.part(c, k, self.name(k, path)) for c, k in zip(contents, keys, strict=True)]
        container = {"list": "list", "tuple": "tuple"}.get(kind.name, "object" if kind.by_attribute else "dict")
        if kind.name == "Module":
            container = "dict"
        return _gathered(Part("group", key, path, children=children, container=container), keys)


def _gathered(group: Part, keys: Sequence[Any]) -> Part:
    """A group of like numbers as an array, unless they have names."""
    children = group.children
    plain = children and all(c.kind == "number" and c.type == "float" for c in children)
    if group.container in ("list", "tuple"):
        rows = children and all(c.kind == "array" and c.position < 0 and not c.region and not c.keys for c in children)
        if plain:
            return _array(group, [c.numbers[0] for c in children], (len(children),))
        if rows and len({c.shape for c in children}) == 1:
            return _array(group, [x for c in children for x in c.numbers], (len(children), *children[0].shape))
    elif plain and group.container == "dict" and not all(map(is_name, keys)):
        gathered = _array(group, [c.numbers[0] for c in children], (len(children),))
        gathered.keys = [str(k) for k in keys]
        return gathered
    return group


def _array(group: Part, numbers: Sequence[int], shape: tuple[int | None, ...]) -> Part:
    return Part("array", group.key, group.path, numbers, shape, container=group.container)


# --- arguments -------------------------------------------------------------------------------------------------------


def arguments(traced: Traced, args: Sequence[Any], names: Sequence[str], reserved: Collection[str]) -> list[Part]:
    """The arguments of a traced function, with the input slots of their numbers.

    Args:
        args: those that it was traced with.
        names: what it calls them.
        reserved: names that mean something in the language.
    """
    trace = traced.trace
    scalars = _slots(traced, "Scalars")
    integers = _slots(traced, "Integers")
    elements = {x.position: range(x.first, x.end) for x in trace.inputs if isinstance(x, Elements)}
    arrays = iter(traced.arrays)
    counted = iter(range(len(args) + 10**9))

    def leaf(x: Any, key: Any, path: tuple[str, ...]) -> Part | None:
        if type(x) is np.ndarray:
            array = next(arrays)
            free = array.axes if len(array.axes) == 1 and not array.fixed else ()
            shape = tuple([None if axis in free else n for axis, n in enumerate(array.data.shape)])
            numbers = elements.get(array.position, ())
            return Part("array", key, path, numbers, shape, container="array", position=array.position)
        if is_integer(x):
            slot = next(integers)
            if next(counted) in trace.static:
                return Part("fixed", key, path, value=x)
            return Part("number", key, path, [slot], type="int")
        if is_traced_scalar(x):
            return Part("number", key, path, [next(scalars)])
        return None

    builder = _Builder(leaf, {*reserved, "result"})
    paths = [builder.name(name, ()) for name in names[: len(args)]]
    return [builder.part(x, name, path) for x, name, path in zip(args, names, paths, strict=False)]


def _slots(traced: Traced, kind: str) -> Iterator[int]:
    return (
        slot for x in traced.trace.inputs if type(x).__name__ == kind for slot in range(x.first, x.end)
    )  # those of lanes and arrays come apart


def counts(traced: Traced) -> dict[int, tuple[int, int]]:
    """The input slots that hold how many lanes there are: position of an array, axis."""
    return {x.first: (x.position, x.axis) for x in traced.trace.inputs if isinstance(x, Count)}


# --- results ---------------------------------------------------------------------------------------------------------


def results(
    traced: Traced, graph: Graph, outputs: Sequence[Node], stacks: Sequence[tuple[Sequence[Node], int]],
    names: Sequence[str], reserved: Collection[str],
) -> Part:  # fmt: skip
    """What a traced function returned, with the nodes of its numbers.

    Args:
        outputs, stacks: those of the program.
        names: what to call the items of a tuple.
    """
    numbers, lanes = iter(outputs), iter(stacks)

    def one(x: Any) -> Node:
        return next(numbers) if isinstance(x, Value) else graph.constant(float(x))

    def leaf(x: Any, key: Any, path: tuple[str, ...]) -> Part | None:
        if type(x) is StackedResult:
            nodes = list(next(lanes)[0])
            axis = x.axis % (len(x.row_shape) + 1)
            shape: tuple[int | None, ...] = (*x.row_shape[:axis], None, *x.row_shape[axis:])
            return Part("array", key, path, nodes, shape, container="array", region=x.region.number, axis=axis)
        if is_array(x) and isinstance(x, np.ndarray):
            return Part("array", key, path, [one(e) for e in x.flat], x.shape, container="array")
        if isinstance(x, Value):
            kind = "bool" if isinstance(x, Condition) else "int" if isinstance(x, Integer) else "float"
            return Part("number", key, path, [one(x)], type=kind)
        if isinstance(x, float | np.floating):
            return Part("number", key, path, [one(x)])
        return None

    result = _Builder(leaf, {*reserved}).part(traced.result, "result", ("result",))
    if names:
        if result.kind != "group" and not (result.kind == "array" and len(result.numbers) == len(names)):
            raise ValueError(f"export: results={list(names)!r}: the function returns no {len(names)} items")
        if result.kind == "array":
            children = [Part("number", n, ("result", n), [x]) for n, x in zip(names, result.numbers, strict=True)]
            result = Part("group", "result", ("result",), children=children, container=result.container)
        _rename(result, names)
    return result


def _rename(result: Part, names: Sequence[str]) -> None:
    if len(names) != len(result.children) or not all(map(is_name, names)) or len(set(names)) < len(names):
        raise ValueError(
            f"export: results={list(names)!r}: give a different name to each of the {len(result.children)} items that "
            "the function returns"
        )
    for child, name in zip(result.children, names, strict=True):
        for part in child.walk():
            part.path = (part.path[0], name, *part.path[2:])
