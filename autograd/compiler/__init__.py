"""The compiler: `jit` traces a function, simplifies its graph, lowers it to LLVM IR and runs the machine code.

One folder a stage: trace, optimize, lower, run. jitted puts them together; arguments takes structures of numbers apart.
All but this file need llvmlite and NumPy.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd.compiler.jitted import Jitted
    from autograd.compiler.lower.target import Target


def jit(f: Callable[..., Any], *, target: "Target | None" = None, threads: int | None = None) -> "Jitted":
    """Compile a function of numbers to machine code, on its first call.

    Args:
        f: a function that computes with the operators and functions of this package. Also a transformed one:
            `jit(value_and_grad(f))`, `jit(value_and_grad(vmap(loss, in_axes=(None, 0, 0), reduce="mean")))`.
        target: what to compile for; this machine, unless given.
        threads: how many threads may share a large batch; as many as there are cores, unless given.

    Returns: a function of the same arguments, with floats and arrays of floats as results. It has `cache_info()`,
        `lower(*args)`, a report on the optimised graph, and `llvm_ir(*args)`. Called with Values it calls f.

        Floats and arrays among the arguments may change from call to call. Integers, bools, strings and other objects
        are part of the program, and so is what else f reads; but leaf Values that it captures, such as the parameters
        of a model, are read again at every call, and what was computed from them is computed again. (Values that f
        makes are part of the program, and so are numbers that it draws from a random generator of its own.) An `if` or
        `while` on a number is compiled for every way that it goes.

    Errors: ImportError without llvmlite and NumPy. From a call: TypeError where f reads or formats the number of a
        Value, reads its `.grad`, or uses a primitive without lowering; RuntimeError if f draws from the global random
        generators; what f raises.

    Example:
        >>> from autograd import sin, value_and_grad
        >>> f = jit(value_and_grad(lambda x: x * sin(x)))
        >>> f(0.0)
        (0.0, 0.0)
    """
    try:
        from autograd.compiler.jitted import Jitted
    except ModuleNotFoundError as error:
        from autograd.extras import needs

        raise ImportError(needs("jit", "llvmlite", "numpy")) from error
    return Jitted(f, target, threads)
