"""Activations: what a neuron applies to its weighted sum; some have a parameter that is learnt with the weights."""

import copy
from collections.abc import Callable
from typing import Any

import autograd
from autograd import Value
from nn.module import Module


class Activation(Module):
    """A function of one number, applied to a score or to each in a list of scores, or in nested lists.

    Example:
        >>> ReLU()(-2.0), ReLU()([-2.0, 3.0]), ReLU()([[-2.0], [3.0]])
        (0.0, [0.0, 3.0], [[0.0], [3.0]])
    """

    function: Callable[[Any], Any]

    def __call__(self, x: Any) -> Any:
        return [self(xi) for xi in x] if isinstance(x, list) else self.function(x)

    def config(self) -> dict[str, Any]:
        return {}


class ReLU(Activation):
    """max(x, 0).

    Example:
        >>> ReLU()(-2.0)
        0.0
    """

    function = staticmethod(autograd.relu)


class Tanh(Activation):
    """The hyperbolic tangent, -1 to 1.

    Example:
        >>> Tanh()([0.0, 1000.0])
        [0.0, 1.0]
    """

    function = staticmethod(autograd.tanh)


class Sigmoid(Activation):
    """1 / (1 + e^-x), 0 to 1.

    Example:
        >>> Sigmoid()(0.0)
        0.5
    """

    function = staticmethod(autograd.sigmoid)


class SiLU(Activation):
    """x · sigmoid(x); see Swish for one that learns.

    Example:
        >>> SiLU()([0.0, 1000.0])
        [0.0, 1000.0]
    """

    function = staticmethod(autograd.silu)


class GELU(Activation):
    """x · Φ(x).

    Example:
        >>> GELU()([0.0, 1000.0])
        [0.0, 1000.0]
    """

    function = staticmethod(autograd.gelu)


class Softplus(Activation):
    """log(1 + e^x).

    Example:
        >>> Softplus()(1000.0)
        1000.0
    """

    function = staticmethod(autograd.softplus)


class LeakyReLU(Activation):
    """x above 0, slope · x below, with a fixed slope; see PReLU for one that learns.

    Example:
        >>> LeakyReLU(0.1)(-2.0)
        -0.2
    """

    def __init__(self, slope: float = 0.01):
        self.slope = slope

    def function(self, x: Any) -> Any:
        return autograd.leaky_relu(x, self.slope)

    def config(self) -> dict[str, Any]:
        return {"slope": self.slope}


class ELU(Activation):
    """x above 0, alpha · (e^x - 1) below.

    Example:
        >>> ELU()([2.0, -1000.0])
        [2.0, -1.0]
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def function(self, x: Any) -> Any:
        return autograd.elu(x, self.alpha)

    def config(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


class PReLU(Activation):
    """x above 0, slope · x below, with a slope that is learnt (He et al., 2015), from 0.25 on.

    Example:
        >>> activation = PReLU()
        >>> activation(-2.0).backward()
        >>> activation.slope
        Value(data=0.25, grad=-2.0, label='slope')
    """

    def __init__(self) -> None:
        self.slope = Value(0.25, label="slope")

    def function(self, x: Any) -> Any:
        return autograd.leaky_relu(x, self.slope)


class Swish(Activation):
    """x · sigmoid(beta · x), with a beta that is learnt (Ramachandran et al., 2017), from 1 on.

    Example:
        >>> Swish()(0.0).data
        0.0
    """

    def __init__(self) -> None:
        self.beta = Value(1.0, label="beta")

    def function(self, x: Any) -> Any:
        return x * autograd.sigmoid(self.beta * x)


ACTIVATIONS: dict[str, type[Activation]] = {
    kind.__name__.lower(): kind for kind in (ReLU, Tanh, Sigmoid, SiLU, GELU, Softplus, LeakyReLU, ELU, PReLU, Swish)
}


def activation(what: Any) -> Any:
    """An activation of its own for one neuron, so that a parameter in it is that neuron's.

    Args:
        what: a name in ACTIVATIONS ("relu", "tanh", "prelu", ...), a Module (which is copied), or a function.

    Errors: ValueError for another name, TypeError for what cannot be called.

    Example:
        >>> activation("tanh")
        Tanh()
    """
    if isinstance(what, str):
        if what not in ACTIVATIONS:
            raise ValueError(f"unknown activation {what!r}; choose from {', '.join(ACTIVATIONS)}")
        return ACTIVATIONS[what]()
    if not callable(what):
        raise TypeError(f"activation must be a name, a Module or a function, got {type(what).__name__} {what!r:.60}")
    return copy.deepcopy(what)
