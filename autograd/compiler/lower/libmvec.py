"""The vector functions of glibc's libmvec: exp, sin and the like for a whole register of doubles at once.

Their names follow the vector function ABI of the platform: `_ZGVdN4v_exp` is exp for 4 doubles in AVX2 registers.
"""

import ctypes
import functools

import llvmlite.binding as llvm

LIBRARY = "libmvec.so.1"
ISA = {2: "b", 4: "d", 8: "e"}  # SSE4, AVX2, AVX-512
# fmt: off
UNARY = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "cbrt",
]
# fmt: on
BINARY = ("pow", "atan2", "hypot")


@functools.cache
def load() -> "ctypes.CDLL | None":
    """The library, made known to the compiler; None on a machine without it."""
    try:
        library = ctypes.CDLL(LIBRARY)
        llvm.load_library_permanently(LIBRARY)
    except (OSError, RuntimeError):
        return None
    return library


@functools.cache
def vector_functions(lanes: int) -> dict[str, str]:
    """C name -> symbol, for those functions that the library has for this many doubles.

    Example:
        >>> vector_functions(1)
        {}
    """
    library = load() if lanes in ISA else None
    symbols = {name: f"_ZGV{ISA.get(lanes)}N{lanes}v_{name}" for name in UNARY}
    symbols |= {name: f"_ZGV{ISA.get(lanes)}N{lanes}vv_{name}" for name in BINARY}
    return {name: symbol for name, symbol in symbols.items() if hasattr(library, symbol)}
