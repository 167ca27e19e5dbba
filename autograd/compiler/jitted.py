"""What jit returns: a function compiled on first use, for each structure of its arguments and each path through it."""

import contextlib
import functools
import inspect
import threading
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.collector import disable_gc
from autograd.compiler.arguments import Arguments, Fixed, HasForeignArrays, HasValues
from autograd.compiler.lower.target import Target
from autograd.compiler.path import Failure, Path, PlainCall, Report
from autograd.compiler.rows import with_rows
from autograd.compiler.run.cache import Cache
from autograd.compiler.run.workers import Workers
from autograd.compiler.trace.calls import Traced, trace, where_is
from autograd.compiler.trace.escaped import close
from autograd.compiler.trace.stops import Again, Static, Uncompilable
from autograd.foreign import as_numpy
from autograd.frames import warn
from autograd.tracing import tracing
from autograd.transforms.call import name_of
from autograd.transforms.objects import holds_function
from autograd.transforms.tree import flatten
from autograd.value import Value

# Limits of patience and memory: chosen, not measured.
MAX_PATHS = 32  # through a function, and through the body of a vmap
MAX_COMPILED = 64  # paths that one function keeps, for all structures of its arguments
MAX_STRUCTURES = 1024  # structures, and shapes for one structure, that are remembered
MAX_VALUES = 8  # of integers that are part of the program, before a warning
ATTEMPTS = 3  # at tracing a function that raises while it is traced, and not when it is called
LOOK_AHEAD = 64  # lanes that are searched for more paths when one takes an unknown path


class Family:
    """What is known for one structure of the arguments.

    Attributes:
        static: which of the integers are part of the program, since f needs them as Python numbers.
        names: the arguments that they are in.
        values: how many different integers these were.
        paths: all that are compiled.
        served: those for certain shapes of the arrays and integers that are part of the program, the path taken last
            first.
        failures: how often tracing raised an error where the plain function did not.
        hopeless: why there can be no compiled code, or "".
    """

    def __init__(self) -> None:
        self.static: tuple[int, ...] = ()
        self.names: tuple[str, ...] = ()
        self.values: set[Any] = set()
        self.paths: list[Path] = []
        self.served: dict[Any, list[Path]] = {}
        self.failures = 0
        self.hopeless = ""

    def key(self, arguments: Arguments) -> Any:
        """What code is made for, beside the structure."""
        if not self.static:
            return arguments.shapes
        return arguments.shapes, self.of(arguments)

    def of(self, arguments: Arguments) -> tuple[Any, ...]:
        """The integers that are part of the program."""
        return tuple([arguments.integers[i] for i in self.static])


class CacheInfo(NamedTuple):
    """What a compiled function has done so far: calls that ran compiled code, what was compiled, and in what time."""

    calls: int
    structures: int
    paths: int
    seconds: float


class Jitted:
    """A compiled function; what `autograd.jit` returns."""

    def __init__(
        self, f: Callable[..., Any], target: Target | None, workers: Workers, static: tuple[set[int], set[str]],
        cache: Cache | None = None,
    ):  # fmt: skip
        functools.update_wrapper(self, f, updated=())
        self._f = f
        self._asked = target, workers, static, cache
        self._target = target
        self._workers, self._cache = workers, cache
        self._static = static if any(static) else None
        self._families: dict[Any, Family] = {}  # by structure
        self._lock = threading.RLock()
        self._warned: set[str] = set()
        self._calls = 0
        self._seconds = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.tracer is not None:
            return self._f(*args, **kwargs)
        if self._workers.executor is not None:
            args, kwargs = with_rows(args), with_rows(kwargs)
        if self._static is not None:
            args, kwargs = self._fixed(args, kwargs)
        hopeless, at_once, as_numbers = "", False, True
        try:
            arguments = Arguments(args, kwargs)
            family = self._families.get(arguments.structure)
            if family is not None:
                paths = family.served.get(family.key(arguments))
                if paths:
                    path = paths[0]
                    result = path(arguments)
                    if type(result) is not Failure:
                        self._calls = path.used = self._calls + 1
                        return result
            return self._along_another_path(arguments, args, kwargs)
        except PlainCall as plain:
            hopeless, at_once = plain.hopeless, plain.at_once
            if arguments.on_disk:
                raise self._cannot(hopeless) from None
        except HasValues:
            as_numbers = False
        except HasForeignArrays:
            args, kwargs = _unfixed(args, kwargs)
            new_args, new_kwargs = with_rows(as_numpy(args)), with_rows(as_numpy(kwargs))
            if new_args is args and new_kwargs is kwargs:
                raise
            return self(*new_args, **new_kwargs)
        if self._static is not None:
            args, kwargs = _unfixed(args, kwargs)
        result = self._f(*args, **kwargs)  # not inside a handler, so that an error of f's own shows alone
        if hopeless:
            self._give_up(arguments, hopeless, at_once)
        return _numbers(result) if as_numbers else result

    def _fixed(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, with those hidden that are to be part of the program."""
        assert self._static is not None
        numbers, names = self._static
        positional = [Fixed(x) if i in numbers else x for i, x in enumerate(args)]
        return tuple(positional), {name: Fixed(x) if name in names else x for name, x in kwargs.items()}

    def __reduce__(self) -> Any:
        """Another process compiles anew, and alone: an executor does not go there."""
        target, workers, static, cache = self._asked
        return Jitted, (self._f, target, Workers(None, workers.threads, workers.keep), static, cache)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method, which gets its object as the first argument."""
        return self if instance is None else types.MethodType(self, instance)

    def cache_info(self) -> CacheInfo:
        """How many calls ran compiled code, for how many structures of arguments, along how many paths.

        Example:
            >>> from autograd import jit
            >>> f = jit(lambda x: x * x)
            >>> f(3.0), f(4.0)
            (9.0, 16.0)
            >>> f.cache_info().calls, f.cache_info().paths
            (2, 1)
        """
        found = [len(family.paths) for family in self._families.values()]
        return CacheInfo(self._calls, len(found), sum(found), self._seconds)

    def lower(self, *args: Any, **kwargs: Any) -> Report:
        """The optimised graph for these arguments: how many nodes each stage left, and which operations. Print it.

        The function is traced, if that was not done before, and nothing is run.

        Errors: TypeError if there can be no compiled code for these arguments; what jit refuses.

        Example:
            >>> from autograd import grad, jit
            >>> report = jit(grad(lambda x: x**3 * 1.0)).lower(2.0)
            >>> report.needed <= report.merged
            True
        """
        return Report.of(self._path_for(args, kwargs))

    def llvm_ir(self, *args: Any, **kwargs: Any) -> str:
        """The LLVM IR for these arguments. As `lower`, it runs nothing.

        Example:
            >>> from autograd import jit
            >>> "fmul double" in jit(lambda x: x * x).llvm_ir(3.0)
            True
        """
        path = self._path_for(args, kwargs)
        return path.llvm_ir()

    def _path_for(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Path:
        """The path that these arguments take through the function itself, with what is known of the lanes."""
        if self._workers.executor is not None:
            args, kwargs = with_rows(args), with_rows(dict(kwargs))
        args, kwargs = with_rows(as_numpy(args)), with_rows(as_numpy(dict(kwargs)))
        if self._static is not None:
            args, kwargs = self._fixed(args, kwargs)
        try:
            arguments = Arguments(args, kwargs)
            with self._lock:
                paths = self._known_paths(arguments)
                if paths and not paths[0].decisions:
                    return paths[0]
                while True:
                    try:
                        path = self._new_path(arguments, args, kwargs)
                        break
                    except Static as need:
                        self._make_static(arguments, need)
                        paths = self._known_paths(arguments)
                known = next((known for known in paths if known.decisions == path.decisions), None)
                return known or self._add(path, arguments)
        except HasValues:
            reason = "they hold Values, with which plain Python computes"
        except PlainCall as plain:
            reason = plain.hopeless
        raise self._cannot(reason)

    def _cannot(self, reason: str) -> TypeError:
        reason = reason or (
            "data sets of different lengths are mapped together, an index is out of range, whole numbers are beyond "
            "2**53, or there are too many paths"
        )
        return TypeError(f"{name_of(self._f)} cannot be compiled for these arguments: {reason}")

    # --- for export ---------------------------------------------------------------------------------------------------

    def paths_for(self, examples: Sequence[Sequence[Any]]) -> tuple[list[Path], tuple[int, ...]]:
        """The paths that calls with these arguments have taken, and which integers are part of the program.

        Errors: ValueError for examples of different structures; TypeError if there is no compiled code for them.
        """
        found = [Arguments(tuple(args), {}) for args in examples]
        family = self._families.get(found[0].structure)
        if family is None or not family.paths:
            raise TypeError(f"{name_of(self._f)} cannot be compiled for these arguments")
        for n, other in enumerate(found[1:], 1):
            if other.structure != found[0].structure or family.of(other) != family.of(found[0]):
                raise ValueError(
                    f"example {n} differs from the arguments before it in more than its numbers: give it the same "
                    "structure, types of arrays, and whole numbers that are part of the program"
                )
        paths = self._known_paths(found[0])
        for n, other in enumerate(found[1:], 1):
            if {*map(id, self._known_paths(other))} != {*map(id, paths)}:
                raise ValueError(f"example {n} has arrays of other shapes than the arguments before it")
        return sorted(paths, key=lambda path: path.decisions, reverse=True), family.static

    @contextlib.contextmanager
    def retraced(self, path: Path, args: Sequence[Any], static: tuple[int, ...]) -> Iterator[Traced]:
        """What the trace of a known path found, once more; it ends with the block."""
        with disable_gc():
            traced = self._traced(
                tuple(args), {}, path.loops, static, decisions=path.decisions, lane_paths=path.lane_paths
            )
            inputs = list(traced.trace.sources)
            yield traced
            traced.trace.close()
            del traced
            close(inputs, where_is(self._f))

    # --- paths --------------------------------------------------------------------------------------------------------

    def _known_paths(self, arguments: Arguments) -> list[Path]:
        """The paths compiled for arguments of this structure, whatever the length of a batch."""
        with self._lock:
            family = self._families.setdefault(arguments.structure, Family())
            if family.hopeless:
                raise PlainCall(family.hopeless)
            if len(family.served) > MAX_STRUCTURES:
                family.served.clear()
            static = family.of(arguments)
            known = [path for path in family.paths if path.static == static and path.matches(arguments.shapes)]
            return family.served.setdefault(family.key(arguments), known)

    def _along_another_path(self, arguments: Arguments, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The result along the path that these numbers take, which is found guard by guard, and compiled if new."""
        with self._lock:
            while True:
                try:
                    return self._search(arguments, args, kwargs)
                except Static as need:
                    self._make_static(arguments, need)

    def _make_static(self, arguments: Arguments, need: Static) -> None:
        """From now on these integers are part of the program; what was compiled without is not reached again."""
        family = self._families[arguments.structure]
        family.static = tuple(sorted({*family.static, *need.positions}))
        family.names = tuple(sorted({*family.names, *need.names}))
        family.served, family.paths = {}, []

    def _search(self, arguments: Arguments, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        paths = self._known_paths(arguments)
        path = paths[0] if paths else self._compile(arguments, args, kwargs)
        tried: list[Path] = []
        while True:
            result = path(arguments)
            if type(result) is not Failure:
                if path is not paths[0]:  # the list is never empty: other threads read it
                    paths.remove(path)
                    paths.insert(0, path)  # the path taken last is tried first
                self._calls = path.used = self._calls + 1
                return result
            tried.append(path)
            path = self._after(result, path, tried, paths, arguments, args, kwargs)

    def _after(
        self, failure: Failure, path: Path, tried: list[Path], paths: list[Path], arguments: Arguments, args: Any,
        kwargs: Any,
    ) -> Path:  # fmt: skip
        """The path to try when one has failed."""
        if failure.kind == "range":
            self._warn_once(
                "range",
                f"met whole numbers ({', '.join(path.integer_types)}) beyond their type, or beyond 2**53 - 1; compiled "
                "code has no room for them, so that such calls run without it",
            )
        if failure.kind in ("range", "check"):
            raise PlainCall
        if failure.kind == "guard":
            prefix = (*path.decisions[: failure.which], not path.decisions[failure.which])
            for known in paths:
                if known not in tried and known.decisions[: len(prefix)] == prefix:
                    return known
            self._limit(len(paths), path.lines[failure.which])
            return self._compile(arguments, args, kwargs, path.loops, decisions=prefix, lane_paths=path.lane_paths)
        for known in paths:
            if known not in tried and known.decisions == path.decisions:
                return known
        region = failure.which
        self._limit(len(path.lane_paths[region]), path.lane_lines[region][-1])
        lanes = range(failure.lane, min(failure.lane + LOOK_AHEAD, self._lanes(path, region, arguments)))
        wider = self._compile(
            arguments, args, kwargs, path.loops,
            decisions=path.decisions, lane_paths=path.lane_paths, examples={region: lanes},
        )  # fmt: skip
        if (
            wider.lane_paths == path.lane_paths
        ):  # no new path found: tracing these example lanes follows paths that are already known
            raise PlainCall
        self._replace(path)
        return wider

    def _lanes(self, path: Path, region: int, arguments: Arguments) -> int:
        position, axis = path.maps[region][0]
        return arguments.arrays[position].shape[axis]

    def _limit(self, count: int, line: str) -> None:
        if count < MAX_PATHS:
            return
        self._warn_once(
            "paths",
            f"has taken {MAX_PATHS} paths, which differ in the branch at {line}; calls that take yet another one now "
            "run without being compiled. autograd.where chooses without branching",
        )
        raise PlainCall

    def _give_up(self, arguments: Arguments, reason: str, at_once: bool) -> None:
        """Note that tracing failed where the plain function worked; of numbers of one call that may be, not of many."""
        family = self._families.setdefault(arguments.structure, Family())
        family.failures += ATTEMPTS if at_once else 1
        if family.failures < ATTEMPTS:
            return
        family.hopeless = reason
        self._warn_once("hopeless", f"runs without being compiled: {reason}")

    def _warn_once(self, subject: str, message: str) -> None:
        if subject not in self._warned:
            self._warned.add(subject)
            warn(f"jit: {name_of(self._f)} {message}", RuntimeWarning, *np.__path__)

    def _replace(self, path: Path) -> None:
        """Forget a path."""
        for family in self._families.values():
            for paths in [family.paths, *family.served.values()]:
                if path in paths:
                    paths.remove(path)

    def _compile(self, arguments: Arguments, args: Any, kwargs: Any, *how: Any, **plan: Any) -> Path:
        start = time.perf_counter()
        path = self._new_path(arguments, args, kwargs, *how, **plan)
        if expected := Report.of(path).announcement():
            self._warn_once("long", f"{expected}. Where it loops over samples, vmap has less to compile")
        path.prepare()
        self._add(path, arguments)
        self._seconds += time.perf_counter() - start
        return path

    def _new_path(
        self, arguments: Arguments, args: Any, kwargs: Any, loops: frozenset[int] = frozenset(), **how: Any
    ) -> Path:
        family = self._families[arguments.structure]
        with disable_gc():
            traced = self._traced(args, kwargs, loops, static=family.static, **how)
            if self._target is None:
                self._target = self._workers.target()
            path = Path(traced, self._target, self._workers, self._cache)
            path.static = family.of(arguments)
            inputs = list(traced.trace.sources)
            traced.trace.close()
            del traced
            close(inputs, where_is(self._f))
        return path

    def _traced(
        self, args: Any, kwargs: Any, loops: frozenset[int], static: tuple[int, ...] = (), **how: Any
    ) -> Traced:
        while True:
            try:
                return trace(self._f, args, kwargs, loops=loops, static=static, **how)
            except Again as again:
                loops |= {again.vmap}
                how = {}  # guards and regions are numbered differently now
            except Uncompilable as reason:
                raise PlainCall(str(reason), at_once=True) from None
            except (TypeError, RuntimeError):  # what jit refuses
                raise
            except Exception as error:  # of f's own, or one that only the trace meets, whose numbers are examples
                raise PlainCall(f"while it was traced it raised {type(error).__name__}: {error}") from None

    def _add(self, path: Path, arguments: Arguments) -> Path:
        """Remember a path, and forget those that were not taken for longest if there are too many."""
        path.used = self._calls
        compiled = [known for family in self._families.values() for known in family.paths]
        for known in sorted(compiled, key=lambda known: known.used)[: max(0, len(compiled) + 1 - MAX_COMPILED)]:
            self._replace(known)
        for structure in list(self._families)[: max(0, len(self._families) - MAX_STRUCTURES)]:
            if not self._families[structure].paths:
                del self._families[structure]
        family = self._families.setdefault(arguments.structure, Family())
        family.paths.append(path)
        for key, paths in family.served.items():
            shapes, static = key if family.static else (key, ())
            if path.static == static and path.matches(shapes):
                paths.append(path)
        if family.static:
            family.values.add(path.static)
        if len(family.values) == MAX_VALUES:
            self._warn_once(
                "values",
                f"was compiled for {MAX_VALUES} different values of {', '.join(family.names)}, since it uses what is "
                "there as a Python int: a count, an index, a key. Pass a float, or compute with the number only; "
                "static_argnames says that this is meant",
            )
        return path


holds_function(Jitted, lambda jitted: jitted._f)  # so that a method under jit in a copied Module is that of the copy


def _unfixed(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return tuple([x.x if type(x) is Fixed else x for x in args]), {
        name: x.x if type(x) is Fixed else x for name, x in kwargs.items()
    }


def _numbers(result: Any) -> Any:
    """What a plain call returned, with numbers in place of Values, as compiled code returns them."""
    found, structure = flatten(result)
    if not any(isinstance(x, Value) for x in found):
        return result
    return structure.unflatten([x._data if isinstance(x, Value) else x for x in found])


def static_arguments(f: Callable[..., Any], argnums: Any, argnames: Any) -> tuple[set[int], set[str]]:
    """The positions and the names of the arguments that are part of the program, each from the other.

    Errors: TypeError for anything but positions and names; ValueError for an argument that f does not have.
    """
    numbers = {argnums} if isinstance(argnums, int) else set(argnums or ())
    names = {argnames} if isinstance(argnames, str) else set(argnames or ())
    if not all(isinstance(n, int) for n in numbers) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"jit: static_argnums={argnums!r}, static_argnames={argnames!r}: give positions and names")
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # a builtin that does not say
        return numbers, names
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    kinds = {p.kind for p in parameters}
    if (too_large := [n for n in numbers if not -len(positional) <= n < len(positional)]) and (
        inspect.Parameter.VAR_POSITIONAL not in kinds
    ):
        raise ValueError(f"jit: static_argnums={argnums!r}: {name_of(f)} has no argument {too_large[0]}")
    if (unknown := names - {p.name for p in parameters}) and inspect.Parameter.VAR_KEYWORD not in kinds:
        raise ValueError(f"jit: static_argnames={argnames!r}: {name_of(f)} has no argument {sorted(unknown)[0]!r}")
    numbers = {n if n >= 0 else n + len(positional) for n in numbers}
    named = {positional[n] for n in numbers if n < len(positional)}
    return numbers | {positional.index(name) for name in names if name in positional}, names | named
