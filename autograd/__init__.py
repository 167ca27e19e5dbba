"""Scalar automatic differentiation: `Value`, its functions, and gradients of any order.

>>> from autograd import Value
>>> x = Value(3.0)
>>> y = x**2 + 1
>>> y.backward()
>>> x.grad
6.0
"""

from __future__ import annotations

__version__ = "0.1.0"

from autograd.arrays import (
    absolute,
    allclose,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cov,
    deg2rad,
    degrees,
    fabs,
    float_power,
    gradient,
    heaviside,
    interp,
    isclose,
    isfinite,
    isinf,
    isnan,
    power,
    rad2deg,
    radians,
    remainder,
    rint,
)
from autograd.collector import disable_gc
from autograd.derivatives import gradients
from autograd.functions import (
    cumsum,
    dot,
    log_softmax,
    logsumexp,
    max as max,
    mean,
    min as min,
    norm,
    prod,
    softmax,
    std,
    sum as sum,
    take,
    var,
)
from autograd.primitives import (
    Primitive,
    abs as abs,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cbrt,
    ceil,
    clip,
    copysign,
    cos,
    cosh,
    detach,
    digamma,
    elu,
    erf,
    erfc,
    erfinv,
    exp,
    exp2,
    expm1,
    floor,
    fmod,
    gamma,
    gelu,
    hypot,
    leaky_relu,
    lgamma,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logit,
    logsigmoid,
    maximum,
    minimum,
    mod,
    relu,
    round as round,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softplus,
    sqrt,
    square,
    tan,
    tanh,
    trunc,
    where,
)
from autograd.value import Value

# fmt: off
# Not here: abs, max, min, round and sum, so that `from autograd import *` leaves Python's own alone.
__all__ = [
    "Primitive", "Value", "gradients", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh",
    "cbrt", "clip", "copysign", "cos", "cosh", "detach", "dot", "elu", "erf", "erfc", "exp", "exp2", "expm1",
    "gelu", "hypot", "leaky_relu", "log", "log10", "log1p", "log2", "log_softmax", "logsigmoid", "logsumexp",
    "maximum", "mean", "minimum", "norm", "prod", "relu", "sigmoid", "sign", "silu", "sin", "sinh",
    "softmax", "softplus", "sqrt", "take", "tan", "tanh", "where",
    "absolute", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "deg2rad", "degrees", "fabs",
    "float_power", "heaviside", "power", "rad2deg", "radians", "remainder", "rint",
    "ceil", "cumsum", "digamma", "erfinv", "floor", "fmod", "gamma", "lgamma", "logaddexp", "logit", "mod",
    "square", "std", "trunc", "var",
    "allclose", "cov", "gradient", "interp", "isclose", "isfinite", "isinf", "isnan", "linalg",
    "grad", "value_and_grad", "jacobian", "value_and_jacobian", "jacfwd", "jacrev", "hessian", "vjp", "jvp", "hvp",
    "vmap", "stop_gradient", "check_grads", "detect_anomaly", "disable_gc",
    "array", "read_data", "read_grads", "data", "grads", "flatten", "register_structure",
    "jit", "export", "rows", "draw", "chain_rule", "page", "to_sympy",
]
# fmt: on


TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any

    from autograd import linalg
    from autograd.anomaly import detect_anomaly
    from autograd.codegen import export
    from autograd.compiler import jit
    from autograd.compiler.rows import rows
    from autograd.transforms.checks import check_grads
    from autograd.transforms.differentiate import (
        grad,
        hessian,
        hvp,
        jacfwd,
        jacobian,
        jacrev,
        jvp,
        value_and_grad,
        value_and_jacobian,
        vjp,
    )
    from autograd.transforms.tree import (
        array,
        data,
        flatten,
        grads,
        read_data,
        read_grads,
        register_structure,
        stop_gradient,
    )
    from autograd.transforms.vmap import vmap
    from autograd.visualize.chain_rule import chain_rule
    from autograd.visualize.draw import draw
    from autograd.visualize.page import page
    from autograd.visualize.symbolic import to_sympy

_ON_FIRST_USE = {  # what needs more than the standard library, and what not every program needs
    **dict.fromkeys(("grad", "value_and_grad", "hessian", "vjp", "jvp", "hvp"), "autograd.transforms.differentiate"),
    **dict.fromkeys(("jacobian", "value_and_jacobian", "jacfwd", "jacrev"), "autograd.transforms.differentiate"),
    **dict.fromkeys(("array", "data", "grads", "read_data", "read_grads", "flatten"), "autograd.transforms.tree"),
    **dict.fromkeys(("register_structure", "stop_gradient"), "autograd.transforms.tree"),
    "vmap": "autograd.transforms.vmap",
    **dict.fromkeys(("draw", "chain_rule", "page", "to_sympy"), "autograd.visualize"),
    "jit": "autograd.compiler",
    "rows": "autograd.compiler.rows",
    "export": "autograd.codegen",
    "linalg": "autograd.linalg",
    "check_grads": "autograd.transforms.checks",
    "detect_anomaly": "autograd.anomaly",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = __import__(_ON_FIRST_USE[name], fromlist=["*"])
    globals()[name] = found = module if module.__name__ == f"autograd.{name}" else getattr(module, name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_FIRST_USE})
