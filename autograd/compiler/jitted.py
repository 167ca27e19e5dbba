"""What jit returns: a function compiled on first use, for each structure of its arguments and each path through it."""

import contextlib
import functools
import gc
import threading
import time
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.arguments import Arguments, HasForeignArrays, HasValues
from autograd.compiler.lower.target import Target, host_target
from autograd.compiler.path import Failure, Path, PlainCall, Report
from autograd.compiler.trace.calls import Again, Traced, trace, where_is
from autograd.compiler.trace.escaped import close
from autograd.frames import warn
from autograd.scalars import as_numpy
from autograd.tracing import tracing
from autograd.transforms.call import name_of
from autograd.transforms.objects import holds_function
from autograd.transforms.tree import flatten
from autograd.value import Value

MAX_PATHS = 32  # through a function, and through the body of a vmap
MAX_COMPILED = 64  # paths that one function keeps, for all structures of its arguments
MAX_STRUCTURES = 1024  # structures, and shapes for one structure, that are remembered
ATTEMPTS = 3  # to trace a function that raises an error while it is traced, and none else
LOOK_AHEAD = 64  # lanes that are searched for more paths when one takes an unknown path


class Family:
    """What is known for one structure of the arguments.

    Attributes:
        paths: all that are compiled.
        served: those for arrays of certain shapes, the path taken last first.
        failures: how often tracing raised an error where the plain function did not.
        hopeless: why there can be no compiled code, or "".
    """

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.served: dict[Any, list[Path]] = {}
        self.failures = 0
        self.hopeless = ""


class CacheInfo(NamedTuple):
    """What a compiled function has done so far: calls that ran compiled code, what was compiled, and in what time."""

    calls: int
    structures: int
    paths: int
    seconds: float


class Jitted:
    """A compiled function; what `autograd.jit` returns."""

    def __init__(self, f: Callable[..., Any], target: Target | None, threads: int | None):
        functools.update_wrapper(self, f, updated=())
        self._f = f
        self._target = target or host_target()
        self._threads = threads
        self._families: dict[Any, Family] = {}  # by structure
        self._lock = threading.RLock()
        self._warned: set[str] = set()
        self._calls = 0
        self._seconds = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.tracer is not None:
            return self._f(*args, **kwargs)
        hopeless, as_numbers = "", True
        try:
            arguments = Arguments(args, kwargs)
            family = self._families.get(arguments.structure)
            if family is not None:
                paths = family.served.get(arguments.shapes)
                if paths:
                    path = paths[0]
                    result = path(arguments)
                    if type(result) is not Failure:
                        self._calls = path.used = self._calls + 1
                        return result
            return self._along_another_path(arguments, args, kwargs)
        except PlainCall as plain:
            hopeless = plain.hopeless
        except HasValues:
            as_numbers = False
        except HasForeignArrays:
            return self(*as_numpy(args), **as_numpy(kwargs))
        result = self._f(*args, **kwargs)  # not inside a handler, so that an error of f's own shows alone
        if hopeless:
            self._give_up(arguments, hopeless)
        return _numbers(result) if as_numbers else result

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
        args, kwargs = as_numpy(args), as_numpy(dict(kwargs))
        try:
            arguments = Arguments(args, kwargs)
            with self._lock:
                paths = self._known_paths(arguments)
                if paths and not paths[0].decisions:
                    return paths[0]
                path = self._new_path(args, kwargs)
                known = next((known for known in paths if known.decisions == path.decisions), None)
                return known or self._add(path, arguments)
        except HasValues:
            reason = "they hold Values, with which plain Python computes"
        except PlainCall as plain:
            reason = plain.hopeless
        raise TypeError(f"{name_of(self._f)} cannot be compiled for these arguments: {reason}")

    # --- paths --------------------------------------------------------------------------------------------------------

    def _known_paths(self, arguments: Arguments) -> list[Path]:
        """The paths compiled for arguments of this structure, whatever the length of a batch."""
        with self._lock:
            family = self._families.setdefault(arguments.structure, Family())
            if family.hopeless:
                raise PlainCall(family.hopeless)
            if len(family.served) > MAX_STRUCTURES:
                family.served.clear()
            known = [path for path in family.paths if path.matches(arguments.shapes)]
            return family.served.setdefault(arguments.shapes, known)

    def _along_another_path(self, arguments: Arguments, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The result along the path that these numbers take, which is found guard by guard, and compiled if new."""
        with self._lock:
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
        if failure.kind == "check":
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
        if wider.lane_paths == path.lane_paths:  # nothing new: the numbers that the trace works with mislead it
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

    def _give_up(self, arguments: Arguments, reason: str) -> None:
        """Note that tracing failed where the plain function worked; of numbers of one call that may be, not of many."""
        family = self._families.setdefault(arguments.structure, Family())
        family.failures += 1
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
        path = self._new_path(args, kwargs, *how, **plan)
        path.prepare()
        self._add(path, arguments)
        self._seconds += time.perf_counter() - start
        return path

    def _new_path(self, args: Any, kwargs: Any, loops: frozenset[int] = frozenset(), **how: Any) -> Path:
        with _no_garbage_collection():
            traced = self._traced(args, kwargs, loops, **how)
            path = Path(traced, self._target, self._threads)
            inputs = list(traced.trace.sources)
            traced.trace.close()
            del traced
            close(inputs, where_is(self._f))
        return path

    def _traced(self, args: Any, kwargs: Any, loops: frozenset[int], **how: Any) -> Traced:
        while True:
            try:
                return trace(self._f, args, kwargs, loops=loops, **how)
            except Again as again:
                loops |= {again.vmap}
                how = {}  # guards and regions are numbered differently now
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
        for shapes, paths in family.served.items():
            if path.matches(shapes):
                paths.append(path)
        return path


holds_function(Jitted, lambda jitted: jitted._f)  # so that a method under jit in a copied Module is that of the copy


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Nothing of a graph under construction is garbage, and looking for some takes longer than all the rest."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _numbers(result: Any) -> Any:
    """What a plain call returned, with numbers in place of Values, as compiled code returns them."""
    found, structure = flatten(result)
    if not any(isinstance(x, Value) for x in found):
        return result
    return structure.unflatten([x._data if isinstance(x, Value) else x for x in found])
