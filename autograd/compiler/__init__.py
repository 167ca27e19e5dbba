"""The compiler: `jit` traces a function, simplifies its graph, lowers it to LLVM IR and runs the machine code.

One folder a stage: trace, optimize, lower, run. jitted puts them together; arguments takes structures of numbers apart.
All but this file need llvmlite and NumPy.
"""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd.extras import needs

if TYPE_CHECKING:
    from autograd.compiler.jitted import Jitted
    from autograd.compiler.lower.target import Target


def jit(
    f: Callable[..., Any],
    *,
    static_argnums: "int | Sequence[int] | None" = None,
    static_argnames: "str | Sequence[str] | None" = None,
    target: "Target | None" = None,
    threads: int | None = None,
    executor: Any = None,
    keep: int = 2**30,
    cache: "str | os.PathLike[str] | None" = None,
) -> "Jitted":
    """Compile a function of numbers to machine code, on its first call.

    Args:
        f: a function that computes with the operators and functions of this package. Also a transformed one:
            `jit(value_and_grad(f))`, `jit(value_and_grad(vmap(loss, in_axes=(None, 0, 0), reduce="mean")))`.
        static_argnums, static_argnames: positions and names of arguments that are part of the program, whatever they
            are, as in JAX; they have to be hashable. One of the two is enough.
        target: what to compile for; this machine, unless given.
        threads: how many threads may share a large batch; as many as there are cores, unless given. Of those of a
            worker one, unless given.
        executor: workers that share large batches: any `concurrent.futures.Executor`, such as a process pool, Dask's
            `client.get_executor()` or `mpi4py.futures.MPIPoolExecutor`. Arguments may then be larger than memory; see
            `autograd.rows`. The results are those of one process, to the bit.
        keep: how many bytes of rows that were read a process keeps from call to call.
        cache: a folder for machine code, where another process finds it that traces the same program on the same kind
            of processor, with the same versions. It may be deleted at any time. A file that is damaged, or that another
            user could have written, is not used; as code is run from there, name a folder of your own.

    Returns: a function of the same arguments, with floats and arrays of floats as results. It has `cache_info()`,
        `lower(*args)`, a report on the optimised graph, and `llvm_ir(*args)`. Called with Values it calls f.

        Floats and arrays among the arguments may change from call to call, and so may integers that f only computes
        with. One that it uses as a Python int, such as a count or an index, becomes part of the program, and so are
        bools, strings and other objects, and what else f reads: the code is compiled for each value. (The paths that
        were not taken for longest are forgotten.) But leaf Values that f captures, such as the parameters of a model,
        are read again at every call, and what was computed from them is computed again. An `if` or `while` on a number
        is compiled for every way that it goes.

        Whole numbers and booleans compute as NumPy computes them for their dtype; where doubles cannot do that, the
        call runs without being compiled, and a warning says so. Floats of less than 64 bits are computed with in 64.

    Errors: ImportError without llvmlite and NumPy; OSError for a `cache` that cannot be made. From a call: TypeError
    where f reads or formats the number of a Value, reads its `.grad`, or uses a primitive without lowering, and where
    Rows meet what cannot be compiled; RuntimeError for workers that are not there or not fit, and rows that cannot be
    read; if f draws from a random generator, or changes something outside of itself, which is then as it was before;
    what f raises.

    Example:
        >>> from autograd import sin, value_and_grad
        >>> f = jit(value_and_grad(lambda x: x * sin(x)))
        >>> f(0.0)
        (0.0, 0.0)
    """
    try:
        from autograd.compiler.jitted import Jitted, static_arguments
        from autograd.compiler.run.cache import Cache
        from autograd.compiler.run.workers import Workers
    except ModuleNotFoundError as error:
        raise ImportError(needs("jit", "llvmlite", "numpy")) from error
    static = static_arguments(f, static_argnums, static_argnames)
    return Jitted(f, target, Workers(executor, threads, keep), static, None if cache is None else Cache(cache))
