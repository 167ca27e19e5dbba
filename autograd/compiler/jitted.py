"""What jit returns: a function compiled on first use, for each structure of its arguments and each path through it."""

import contextlib
import functools
import gc
import threading
import time
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from autograd.compiler.arguments import Arguments, HasValues
from autograd.compiler.lower.target import Target, host_target
from autograd.compiler.path import Failure, Path, PlainCall, Report
from autograd.compiler.trace.calls import Again, trace
from autograd.tracing import tracing
from autograd.transforms.call import name_of
from autograd.transforms.tree import leaves, rebuild
from autograd.value import Value

MAX_PATHS = 32  # through a function, and through the body of a vmap
LOOK_AHEAD = 64  # lanes that are searched for more paths when one takes an unknown path


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
        self._paths: dict[Any, list[Path]] = {}  # by structure and shapes of the arguments, the last taken first
        self._families: dict[Any, list[Path]] = {}  # by structure alone
        self._lock = threading.RLock()
        self._warned = False
        self._calls = 0
        self._seconds = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.tracer is not None:
            return self._f(*args, **kwargs)
        try:
            arguments = Arguments(args, kwargs)
        except HasValues:
            return self._f(*args, **kwargs)
        paths = self._paths.get((arguments.structure, arguments.shapes))
        try:
            if paths is None:
                paths = self._known_paths(arguments)
            if paths:
                result = paths[0](arguments)
                if type(result) is not Failure:
                    self._calls += 1
                    return result
            result = self._along_another_path(arguments, paths, args, kwargs)
            self._calls += 1
            return result
        except PlainCall:
            as_numbers = True
        except HasValues:
            as_numbers = False
        result = self._f(*args, **kwargs)  # not inside a handler, so that an error of f's own shows alone
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
        families = self._families.values()
        return CacheInfo(self._calls, len(families), sum(map(len, families)), self._seconds)

    def lower(self, *args: Any, **kwargs: Any) -> Report:
        """The optimised graph for these arguments: how many nodes each stage left, and which operations. Print it.

        Example:
            >>> from autograd import grad, jit
            >>> report = jit(grad(lambda x: x**3 * 1.0)).lower(2.0)
            >>> report.needed <= report.merged
            True
        """
        return Report.of(self._path_for(args, kwargs))

    def llvm_ir(self, *args: Any, **kwargs: Any) -> str:
        """The LLVM IR for these arguments.

        Example:
            >>> from autograd import jit
            >>> "fmul double" in jit(lambda x: x * x).llvm_ir(3.0)
            True
        """
        path = self._path_for(args, kwargs)
        return path.llvm_ir()

    def _path_for(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Path:
        self(*args, **kwargs)
        try:
            arguments = Arguments(args, kwargs)
            paths = self._paths.get((arguments.structure, arguments.shapes))
        except HasValues:
            paths = None
        if not paths:
            raise TypeError("there is no compiled code for these arguments: they hold Values, or take too many paths")
        return paths[0]

    # --- paths --------------------------------------------------------------------------------------------------------

    def _known_paths(self, arguments: Arguments) -> list[Path]:
        """The paths compiled for arguments of this structure, whatever the length of a batch."""
        with self._lock:
            family = self._families.setdefault(arguments.structure, [])
            key = arguments.structure, arguments.shapes
            return self._paths.setdefault(key, [path for path in family if path.matches(arguments.shapes)])

    def _along_another_path(
        self, arguments: Arguments, paths: list[Path], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        """The result along the path that these numbers take, which is found guard by guard, and compiled if new."""
        with self._lock:
            path = paths[0] if paths else self._compile(arguments, args, kwargs)
            tried: list[Path] = []
            while True:
                result = path(arguments)
                if type(result) is not Failure:
                    if path is not paths[0]:  # the list is never empty: other threads read it
                        paths.remove(path)
                        paths.insert(0, path)  # the path taken last is tried first
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
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"jit: {name_of(self._f)} has taken {MAX_PATHS} paths, which differ in the branch at {line}; calls "
                "that take yet another one now run without being compiled. autograd.where chooses without branching",
                RuntimeWarning,
                stacklevel=6,
            )
        raise PlainCall

    def _replace(self, path: Path) -> None:
        """Forget a path that another one covers."""
        for paths in [*self._paths.values(), *self._families.values()]:
            if path in paths:
                paths.remove(path)

    def _compile(
        self, arguments: Arguments, args: Any, kwargs: Any, loops: frozenset[int] = frozenset(), **how: Any
    ) -> Path:
        start = time.perf_counter()
        with _no_garbage_collection():
            while True:
                try:
                    traced = trace(self._f, args, kwargs, loops=loops, **how)
                    break
                except Again as again:
                    loops |= {again.vmap}
                    how = {}  # guards and regions are numbered differently now
                except (TypeError, RuntimeError):  # what jit refuses
                    raise
                except Exception:  # an error of f's own, or one that only the trace meets, whose numbers are examples
                    raise PlainCall from None
            path = Path(traced, self._target, self._threads)
        self._families[arguments.structure].append(path)
        for (structure, shapes), paths in self._paths.items():
            if structure == arguments.structure and path.matches(shapes):
                paths.append(path)
        self._seconds += time.perf_counter() - start
        return path


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
    found = leaves(result)
    if not any(isinstance(x, Value) for x in found):
        return result
    return rebuild(result, [x._data if isinstance(x, Value) else x for x in found])
