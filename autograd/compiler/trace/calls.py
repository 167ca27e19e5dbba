"""Stage 1, trace: call a function once with Values for its inputs, and keep the graph of everything it returns.

Floats and arrays become inputs. What Python decides on the way, by `if` or `while` on a traced number, becomes a guard:
a condition and the way it went. The body of a vmap is traced once, for all lanes together (see lanes.py).
"""

import inspect
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from autograd import primitives
from autograd.compiler.arguments import Fixed
from autograd.compiler.rows import Rows
from autograd.compiler.trace.arrays import TracedArray, apply_ufunc
from autograd.compiler.trace.escaped import close
from autograd.compiler.trace.hashes import watch_hashes
from autograd.compiler.trace.hooks import TraceHooks
from autograd.compiler.trace.inputs import Count, Elements, Input, Integers, Scalars
from autograd.compiler.trace.integers import Boolean, Integer, bounds, integer_class, is_integer
from autograd.compiler.trace.lanes import (
    Guard,
    Region,
    all_as_taken,
    insert_broadcasts,
    lane_count,
    same_length,
    shaped,
    spread_over,
    stacked,
)
from autograd.compiler.trace.outside import Outside
from autograd.compiler.trace.stops import Again, Static, Uncompilable
from autograd.condition import Condition
from autograd.frames import callers_frame
from autograd.graph import topological_order
from autograd.primitives import Primitive
from autograd.scalars import is_array, number
from autograd.tracing import tracing
from autograd.transforms.call import name_of
from autograd.transforms.tree import LEAF, Structure, flatten, matching_leaves
from autograd.transforms.vmap import Batch
from autograd.value import Value

Decisions = tuple[bool, ...]  # which way each guard of a path goes


_RETURN_DERIVATIVES = (
    "Return derivatives from the function instead: jit(value_and_grad(f)), or autograd.gradients(y, xs) inside it"
)
_REFUSED = {  # what, and what to write instead; of what is not here a read attribute of that name
    "data": (
        "the .data",
        "Compute with the Value itself (autograd.detach(v) is its number without a derivative; autograd.where and "
        "autograd.take choose by it), or read .data outside jit",
    ),
    "backward": ("the result of backward()", _RETURN_DERIVATIVES),
    "assignment": ("assigning to the .data", "Return the new number, and assign it outside"),
    "text": ("the text", "Compute with the Value itself; to look at numbers, call the function without jit"),
    "hash": (
        "the hash",
        "It is that of an object, not of the number: sets, dicts and caches would not find it. autograd.where and "
        "autograd.take choose by a number",
    ),
    "explanation": ("the result of why_nonfinite()", "Call the function without jit"),
    "copy": ("a copy", "Use the Value itself; copy outside jit"),
}


class Trace(TraceHooks):
    """One tracing of a function: what was fed in, what was decided, which vmaps were met.

    Args:
        decisions: the way that each guard goes, in order; guards beyond those follow the numbers of the example.
        lane_paths: for each region, the decisions of the paths to trace its body along; one that follows the numbers
            of the first lane unless given.
        examples: for a region, lanes whose numbers may show more paths.
        loops: the vmaps that are to be plain loops.
        static: which of the integers among the arguments are part of the program.
    """

    def __init__(
        self,
        decisions: Decisions = (),
        lane_paths: Mapping[int, Sequence[Decisions]] = MappingProxyType({}),
        examples: Mapping[int, Sequence[int]] = MappingProxyType({}),
        loops: frozenset[int] = frozenset(),
        static: Collection[int] = (),
    ):
        self.static = static
        self.decisions = decisions
        self.lane_paths = lane_paths
        self.examples = examples
        self.loops = loops
        self.guards: list[Guard] = []
        self.sources: dict[Value, tuple[str, tuple[int, ...], int]] = {}  # of input leaves: op, which, region
        self.inputs: list[Input] = []  # what fills the slots
        self.slots = 0
        self.made: set[Value] = set()
        self.regions: list[Region] = []
        self.choices: list[Value] = []  # results of `take`: their index is checked even if only a derivative is used
        self.integers: dict[Value, int] = {}  # the whole numbers among the arguments, and which of them each is
        self.arguments: list[str] = []  # for each of these the argument that it is in
        self.ranges: list[tuple[Value, float, float]] = []  # what has to be in bounds, or the plain function serves
        self.requirements: list[Value] = []  # conditions without which the plain function serves
        self.stopped: tuple[type[BaseException], tuple[Any, ...]] | None = None
        self.outside: Outside
        self.closed = False
        self._vmaps = 0
        self._in_lanes = False

    # --- what Values ask ------------------------------------------------------------------------------------------

    def condition(self, op: Primitive, x: Any, y: Any) -> Condition:
        return Boolean.of(op(x, y))

    def decide(self, condition: Condition) -> bool:
        """The truth value of a condition, which the compiled code then takes for granted and checks."""
        n = len(self.guards)
        taken = self.decisions[n] if n < len(self.decisions) else bool(condition._data)
        self.guards.append(Guard(condition, taken, _callers_line()))
        return taken

    def refuse(self, node: Value, what: str) -> NoReturn:
        what, instead = _REFUSED.get(what, (f"the .{what}", _RETURN_DERIVATIVES))
        raise TypeError(f"{what} of {node._name()} inside jit would be frozen into the compiled code. {instead}")

    def watch_hashes(self, start: bool) -> None:
        watch_hashes(start)

    def note_hash(self, node: Value) -> None:
        if node.op is not None or node in self.sources:
            self.refuse(node, "hash")

    def note_leaf(self, leaf: Value) -> None:
        self.made.add(leaf)

    def note_choice(self, choice: Value) -> None:
        self.choices.append(choice)

    def note_copy(self, copy: Any) -> None:
        self.outside.watch(copy)

    def note_range(self, integer: Any) -> None:
        self.ranges.append((integer, *bounds(integer.numpy_type)))

    def note_requirement(self, condition: Any) -> None:
        if isinstance(condition, Value):
            self.requirements.append(condition)
        elif not condition:
            self.stop_compiling("what Python raises an error for")

    def need_number(self, x: Any, what: str) -> NoReturn:
        found = [leaf for leaf in topological_order([x]) if leaf.op is None and leaf in self.sources]
        if not found or not all(leaf in self.integers for leaf in found):
            self.stop_compiling(f"{what} of {_type_name(x)}")
        names = {self.arguments[self.integers[leaf]] for leaf in found}
        positions = [i for i, name in enumerate(self.arguments) if name in names]
        self.stop(Static, frozenset(positions), tuple(sorted(names)))

    def apply_ufunc(self, ufunc: Any, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        return apply_ufunc(ufunc, method, inputs, kwargs)

    def stop_compiling(self, what: str) -> NoReturn:
        self.stop(Uncompilable, f"compiled code cannot do {what}, at {_callers_line()}")

    def stop(self, kind: type[BaseException], *why: Any) -> NoReturn:
        """Give up this tracing, whatever the traced function, or NumPy, does to the exception on its way."""
        self.stopped = kind, why
        raise kind(*why)

    def close(self) -> None:
        """The trace is over: what still holds one of its arrays gets no more of it. Regions and arrays lead back to the
        trace; letting them go here leaves nothing for the garbage collector."""
        for region in self.regions:
            vars(region).clear()
        vars(self).clear()
        self.closed = True

    # --- inputs -------------------------------------------------------------------------------------------------------

    def scalar_inputs(self, numbers: Sequence[float], names: Sequence[str]) -> list[Value]:
        """Leaves for the float arguments."""
        return self._leaves(Scalars, (), numbers, names)

    def integer_inputs(self, numbers: Sequence[Any], names: Sequence[str]) -> list[Value]:
        """Leaves for the whole numbers among the arguments."""
        classes = [integer_class(None if type(x) is int else x.dtype) for x in numbers]
        found = self._leaves(Integers, (), list(map(float, numbers)), names, classes)
        self.integers = {leaf: i for i, leaf in enumerate(found)}
        self.arguments = [re.split(r"[.\[]", name)[0] for name in names]
        return found

    def array_inputs(self, array: TracedArray) -> list[Value]:
        """Leaves for the elements of an array argument."""
        names = [f"{array.name}[{', '.join(map(str, index))}]" for index in np.ndindex(array.data.shape)]
        return self._leaves(
            Elements, (array.position,), array.data.ravel().astype(float).tolist(), names, [array.leaf] * len(names)
        )

    def _leaves(
        self, kind: Callable[..., Input], which: tuple[int, ...], numbers: Sequence[float], names: Sequence[str],
        classes: Sequence[Any] = (),
    ) -> list[Value]:  # fmt: skip
        first = self.slots
        self.slots += len(numbers)
        self.inputs.append(kind(first, self.slots, *which))
        kinds = classes or [Value] * len(names)
        found = [cls(x, label=name) for cls, x, name in zip(kinds, numbers, names, strict=True)]
        self._note_wide(found)
        for slot, leaf in enumerate(found, first):
            self.sources[leaf] = "input", (slot,), 0
        return found

    def _note_wide(self, elements: Sequence[Value]) -> None:
        """Whole numbers of 64 bits may be too large for doubles; those of Python are looked at before the call."""
        for leaf in elements:
            if isinstance(leaf, Integer) and leaf.numpy_type is not None and leaf.numpy_type.itemsize == 8:
                self.note_range(leaf)

    # --- vmap ---------------------------------------------------------------------------------------------------------

    def vmap(self, f: Callable[..., Any], batch: Batch, out_axes: Any, reduce: str | None) -> Any:
        """f over the lanes of mapped arguments. Args: as autograd.vmap, and the arguments of the call.

        Returns: the results, or NotImplemented where a plain loop has to do: inside another vmap, and over anything
        but arrays that are arguments of the traced function.
        """
        self._vmaps += 1
        mapped = [(part.x, part.axis) for part in batch.mapped if part.axis is not None]
        if self._in_lanes or self._vmaps in self.loops or not same_length(mapped):
            return NotImplemented
        number = len(self.regions) + 1
        array, axis = mapped[0]
        count = self._leaves(Count, (array.position, axis), [float(lane_count(array, axis))], ["batch size"])[0]
        region = Region(number, self._vmaps, count)
        self.regions.append(region)
        lanes = [part.x if part.axis is None else self._lane(part.x, part.axis, region) for part in batch.parts]
        structure, results = self._along_all_paths(lambda: batch.call(f, lanes), region)
        varying = insert_broadcasts([*results, region.valid], region)
        if reduce is None:
            return stacked(self, structure, results, region, varying, out_axes)
        totals = [region.total(spread_over(x, varying, region)) for x in results]
        return structure.unflatten([x / count for x in totals] if reduce == "mean" else totals)

    def _lane(self, array: TracedArray, axis: int, region: Region) -> Any:
        """What one lane sees of an array: leaves."""
        axis %= array.ndim
        array.axes.add(axis)
        shape = array.data.shape[:axis] + array.data.shape[axis + 1 :]
        elements = [array.leaf(0.0, label=array.name) for _ in range(math.prod(shape))]
        self._note_wide(elements)
        for i, leaf in enumerate(elements):
            self.sources[leaf] = "lane_input", (len(region.arrays), i), region.number
        region.arrays.append((array, axis))
        region.leaves.append(elements)
        return shaped(elements, shape)

    def _along_all_paths(self, run: Callable[[], Any], region: Region) -> tuple[Structure, list[Any]]:
        """The structure and the results of the body, each lane's from the path that it takes."""
        known = self.lane_paths.get(region.number, ())
        plans = [(decisions, 0) for decisions in known]
        plans += [((), lane) for lane in self.examples.get(region.number, () if known else (0,))]
        structure, merged = LEAF, []
        for decisions, example in plans:
            result, guards = self._along_one_path(run, region, decisions, example)
            taken = tuple([guard.taken for guard in guards])
            if taken in [tuple([guard.taken for guard in path]) for path in region.paths]:
                continue
            here = all_as_taken(guards)
            what = "the result of a function under vmap"
            if region.paths:
                found = matching_leaves(structure, result, what)
            else:
                found, structure = flatten(result)
            numbers = [x._as_float() if isinstance(x, Value) else number(x, what) for x in found]
            if not region.paths:
                merged, region.valid = numbers, here
            else:
                merged = [primitives.where(here, x, y) for x, y in zip(numbers, merged, strict=True)]
                region.valid = primitives.logical_or(region.valid, here)
            region.paths.append(guards)
        return structure, merged

    def _along_one_path(
        self, run: Callable[[], Any], region: Region, decisions: Decisions, example: int
    ) -> tuple[Any, list[Guard]]:
        for (array, axis), elements in zip(region.arrays, region.leaves, strict=True):
            row = array.data.take(example, axis).ravel().astype(float).tolist()
            for leaf, x in zip(elements, row, strict=True):
                leaf._data = x
        outside = self.decisions, self.guards
        self.decisions, self.guards, self._in_lanes = decisions, [], True
        try:
            return run(), self.guards
        finally:
            (self.decisions, self.guards), self._in_lanes = outside, False

    def repeat_as_loop(self, region: Region) -> NoReturn:
        """Give up this tracing, for one in which that vmap is a plain loop."""
        self.stop(Again, region.vmap)


# --- the tracing -----------------------------------------------------------------------------------------------------


class Traced(NamedTuple):
    """What tracing a function found."""

    trace: Trace
    arrays: list[TracedArray]
    result: Any


def trace(
    f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any] = MappingProxyType({}), **how: Any
) -> Traced:
    """Call f with Values for the floats, and traced arrays for the arrays, in its arguments.

    Args:
        f: the function.
        args, kwargs: what to call it with; integers, strings, None and other objects are passed as they are.
        how: see Trace.

    Errors: what f raises; RuntimeError if f draws from a random generator, or changes something outside of itself,
        which is then put back as it was. Both are allowed to happen once, as where f keeps a table that it has made.

    Example:
        >>> traced = trace(lambda x, n: x**n if x > 0 else 0.0, [3.0, 2])
        >>> traced.result.data, traced.trace.guards[0].taken
        (9.0, True)
    """
    traced, before = _trace_once(f, args, kwargs, how)
    changes = before.changes()
    if not changes:
        return traced
    inputs = list(traced.trace.sources)
    traced.trace.close()
    del traced
    close(inputs, where_is(f))
    try:
        traced, after = _trace_once(f, args, kwargs, how)
        again = bool(after.changes())
    except Exception:
        again = True
    if again:
        before.restore()
        raise RuntimeError(
            f"{name_of(f)} {' and '.join(changes[:3])}, which compiled code would not do again at each call. Under jit "
            "a function returns what is new: draw or assign outside of it, and pass the numbers as arguments"
        )
    return traced


def _trace_once(
    f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], how: Mapping[str, Any]
) -> tuple[Traced, Outside]:
    """What tracing f found, and the state of what f can reach before it; if f raises, that is put back."""
    current = Trace(**how)
    positional, named, arrays = _with_inputs(current, f, args, kwargs)
    outside = current.outside = Outside(f, [*zip(_roots(f, len(args)), positional, strict=False), *named.items()])
    outer, tracing.tracer = tracing.tracer, current
    watch_hashes(True)
    try:
        result = _taken_apart(f(*positional, **named))
        if current.stopped is None:
            return Traced(current, arrays, result), outside
    except BaseException:
        tracing.tracer = outer
        outside.restore()
        if current.stopped is None:
            current.close()
            raise
    finally:
        watch_hashes(False)
        tracing.tracer = outer
    outside.restore()
    kind, why = current.stopped
    current.close()
    raise kind(*why)


def _with_inputs(
    current: Trace, f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any], list[TracedArray]]:
    """The arguments with inputs in the place of numbers and arrays."""
    arguments = [list(args), dict(kwargs)]
    found, structure = flatten(arguments, is_array)
    labels = _names(f, args, kwargs)
    scalars = [i for i, x in enumerate(found) if is_traced_scalar(x)]
    whole = [i for i, x in enumerate(found) if is_integer(x)]
    arrays = [i for i, x in enumerate(found) if type(x) in (np.ndarray, Rows)]
    inputs = current.scalar_inputs([number_of(found[i]) for i in scalars], [labels[i] for i in scalars])
    integers = current.integer_inputs([found[i] for i in whole], [labels[i] for i in whole])
    traced_arrays = [TracedArray(current, found[i], n, labels[i]) for n, i in enumerate(arrays)]
    replaced: dict[int, Any] = dict(zip(scalars, inputs, strict=True)) | dict(zip(arrays, traced_arrays, strict=True))
    replaced |= {i: integers[n] for n, i in enumerate(whole) if n not in current.static}
    found = [replaced.get(i, x.x if type(x) is Fixed else x) for i, x in enumerate(found)]
    positional, named = structure.unflatten(found)
    return positional, named, traced_arrays


def _taken_apart(result: Any) -> Any:
    """A result in which arguments that f returns as they are have become arrays of Values."""
    found, structure = flatten(result, is_array)
    if not any(type(x) is TracedArray for x in found):
        return result
    return structure.unflatten([x._array() if type(x) is TracedArray else x for x in found])


def is_traced_scalar(x: Any) -> bool:
    """Floats are traced, and the parameters of Modules; integers, bools, strings and others are part of the program."""
    return isinstance(x, float | np.floating | Value)


def number_of(x: Any) -> float:
    return x._data if isinstance(x, Value) else float(x)


def where_is(f: Any) -> str:
    """The name of a function, and the line where it is defined."""
    while hasattr(f, "__wrapped__"):
        f = f.__wrapped__
    code = getattr(f, "__code__", None)
    return f"{name_of(f)} ({code.co_filename}:{code.co_firstlineno})" if code else name_of(f)


def _roots(f: Any, count: int) -> list[str]:
    """What to call each of the positional arguments."""
    try:
        roots = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        roots = []
    return roots + [f"args[{i}]" for i in range(len(roots), count)]


def _names(f: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
    """What to call each leaf of the arguments in messages."""
    pairs = [*zip(_roots(f, len(args)), args, strict=False), *kwargs.items()]
    return [name for root, x in pairs for name in flatten(x, is_array)[1].names(root)]


def _type_name(x: Any) -> str:
    """What messages call the type of an integer or boolean."""
    kind = getattr(x, "numpy_type", None)
    return str(kind) if kind is not None else "a comparison" if isinstance(x, Condition) else "an int"


def _callers_line() -> str:
    """Where in the traced function we are."""
    frame = callers_frame(*np.__path__)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
