"""Scalar automatic differentiation: `Value`, its functions, and gradients of any order.

>>> from autograd import Value
>>> x = Value(3.0)
>>> y = x**2 + 1
>>> y.backward()
>>> x.grad
6.0
"""

from typing import TYPE_CHECKING, Any

from autograd.derivatives import gradients
from autograd.functions import (
    abs,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cbrt,
    clip,
    copysign,
    cos,
    cosh,
    detach,
    dot,
    elu,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    gelu,
    hypot,
    leaky_relu,
    log,
    log1p,
    log2,
    log10,
    log_softmax,
    logsigmoid,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    norm,
    prod,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softmax,
    softplus,
    sqrt,
    sum,
    take,
    tan,
    tanh,
    where,
)
from autograd.primitives import Primitive
from autograd.transforms.checks import check_grads
from autograd.transforms.differentiate import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.transforms.tree import array, data, grads

# fmt: off
from autograd.transforms.vmap import vmap
from autograd.value import Value

__all__ = [
    "Primitive", "Value", "gradients", "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh",
    "cbrt", "clip", "copysign", "cos", "cosh", "detach", "dot", "elu", "erf", "erfc", "exp", "exp2", "expm1",
    "gelu", "hypot", "leaky_relu", "log", "log10", "log1p", "log2", "log_softmax", "logsigmoid", "logsumexp", "max",
    "maximum", "mean", "min", "minimum", "norm", "prod", "relu", "sigmoid", "sign", "silu", "sin", "sinh",
    "softmax", "softplus", "sqrt", "sum", "take", "tan", "tanh", "where",
    "grad", "value_and_grad", "jacobian", "hessian", "vjp", "jvp", "hvp", "vmap", "check_grads",
    "array", "data", "grads", "jit", "draw", "chain_rule", "page",
]
# fmt: on

if TYPE_CHECKING:
    from autograd.compiler import jit
    from autograd.visualize import chain_rule, draw, page

# What needs more than the standard library
_ON_FIRST_USE = {  # what needs more than the standard library
    **dict.fromkeys(("draw", "chain_rule", "page"), "autograd.visualize"),
    "jit": "autograd.compiler",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    globals()[name] = found = getattr(import_module(_ON_FIRST_USE[name]), name)
    return found
