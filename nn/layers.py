"""Neuron, Layer, MLP and Sequential: modules made of Values."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd import Value, dot, flatten, where
from nn.activations import ELU, GELU, LeakyReLU, PReLU, ReLU, SiLU, Softplus, Swish, activation as make_activation
from nn.draws import rand
from nn.module import Module

Init = Callable[[Any, int, int], float]

# A weight drawn from a generator, for a neuron of nin inputs in a layer of nout neurons.
INITS: dict[str, Init] = {
    "uniform": lambda rng, nin, nout: rng.uniform(-1, 1),  # micrograd's
    "he": lambda rng, nin, nout: rng.gauss(0.0, math.sqrt(2 / nin)),  # He et al., 2015, for ReLU
    "xavier": lambda rng, nin, nout: rng.uniform(-1, 1) * math.sqrt(6 / (nin + nout)),  # Glorot and Bengio, 2010
}
RECTIFIERS = ReLU, LeakyReLU, PReLU, ELU, SiLU, Swish, GELU, Softplus  # which halve the variance, as "he" makes up for


class Neuron(Module):
    """activation(w · x + b): two nodes of the graph, or one if it is linear.

    Args:
        nin: how many inputs.
        nonlin: False for a linear neuron, which has no activation.
        activation: a name, a Module (each neuron gets a copy) or a function of one number.
        init: how weights are drawn: "uniform" (-1 to 1, as in micrograd), "he", "xavier", "auto" for "he" before a
            rectifier and "xavier" otherwise, which wide layers learn better from, or a function of generator, nin and
            nout. The bias begins at 0.
        rng: None for Python's global `random`, a seed, or a random.Random.
        nout: how many neurons its layer has, which "xavier" looks at.

    Errors: ValueError or TypeError for an argument that is none of these.

    Example:
        >>> neuron = Neuron(2, rng=1)
        >>> neuron
        Neuron(nin=2, nonlin=True, activation=ReLU())
        >>> neuron.w[0].data, neuron.w[1].data = 2.0, 3.0
        >>> neuron([10.0, 100.0]).data
        320.0
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Any = "relu",
        init: str | Init = "uniform",
        rng: Any = None,
        nout: int = 1,
    ):
        nin, rng = _size(nin, "nin"), _generator(rng)
        self.activation = make_activation(activation) if nonlin else None
        draw = _init(init, self.activation)
        self.w = [Value(draw(rng, nin, nout), label=f"w{i}") for i in range(nin)]
        self.b = Value(0.0, label="b")
        self.nonlin = bool(nonlin)

    def __call__(self, x: Any) -> Any:
        z = dot(self.w, x, self.b)
        return z if self.activation is None else self.activation(z)

    def config(self) -> dict[str, Any]:
        structure: dict[str, Any] = {"nin": len(self.w), "nonlin": self.nonlin}
        return structure if self.activation is None else structure | {"activation": self.activation}


class Layer(Module):
    """nout neurons side by side; called with a list of nin inputs, it gives the list of their outputs.

    Args:
        nin, nout: how many inputs and neurons.
        nonlin, activation, init, rng: as for Neuron.

    One neuron alone gives its output itself, not a list of one (as in micrograd).

    Example:
        >>> Layer(2, 3, activation="tanh")
        Layer(nin=2, nout=3, nonlin=True, activation=Tanh())
        >>> len(Layer(2, 3)([1.0, 2.0]))
        3
    """

    def __init__(self, nin: int, nout: int, *, rng: Any = None, **kwargs: Any):
        nout, rng = _size(nout, "nout"), _generator(rng)
        self.neurons = [Neuron(nin, rng=rng, nout=nout, **kwargs) for _ in range(nout)]

    def __call__(self, x: Any) -> Any:
        if isinstance(x, Value | float | int):  # what a layer of one neuron gave
            x = [x]
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def config(self) -> dict[str, Any]:
        neuron = self.neurons[0].config()
        return {"nin": neuron.pop("nin"), "nout": len(self.neurons)} | neuron


class MLP(Module):
    """A multi-layer perceptron: each layer feeds the next, with an activation on all but the last.

    Args:
        nin: how many inputs.
        nouts: how many neurons in each layer, the last being the output.
        activation, init, rng: as for Neuron.

    Example:
        >>> model = MLP(2, [16, 16, 1], rng=1)
        >>> model
        MLP(nin=2, nouts=[16, 16, 1], activation=ReLU())
        >>> len(model.parameters())
        337
        >>> model([1.0, -1.0])
        Value(data=0.9114664625543354, grad=0.0)
    """

    def __init__(
        self, nin: int, nouts: Sequence[int], activation: Any = "relu", init: str | Init = "uniform", rng: Any = None
    ):
        if not isinstance(nouts, list | tuple) or not nouts:
            raise TypeError(f"nouts must be a list with the number of neurons in each layer, got {nouts!r:.60}")
        rng = _generator(rng)
        last = len(nouts) - 1
        self.layers = [
            Layer(n, m, nonlin=i != last, activation=activation, init=init, rng=rng)
            for i, (n, m) in enumerate(zip([nin, *nouts], nouts, strict=False))
        ]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def config(self) -> dict[str, Any]:
        layers = [layer.config() for layer in self.layers]
        structure = {"nin": layers[0]["nin"], "nouts": [layer["nout"] for layer in layers]}
        return structure | ({"activation": layers[0]["activation"]} if len(layers) > 1 else {})


class Sequential(Module):
    """Modules or functions, each called with the result of the one before.

    Example:
        >>> from nn import PReLU
        >>> model = Sequential(Layer(2, 3, nonlin=False), PReLU(), Layer(3, 1, nonlin=False))
        >>> len(model.parameters())
        14
    """

    def __init__(self, *modules: Any):
        for module in modules:
            if not callable(module):
                raise TypeError(f"Sequential takes Modules, got {type(module).__name__} {module!r:.60}")
        self.modules = list(modules)

    def __call__(self, x: Any) -> Any:
        for module in self.modules:
            x = module(x)
        return x

    def config(self) -> dict[str, Any]:
        return {"modules": self.modules}

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.modules))})"


class Dropout(Module):
    """In training a number becomes 0 with probability p, and otherwise 1 / (1 - p) times itself.

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout, 2014.

    Args:
        p: 0 or more, below 1.

    What is dropped is drawn by `nn.rand`: in `fit` for each sample and step, from the seed. In evaluation, which
    `predict` and `model.eval()` see to, numbers pass through.

    Errors: ValueError for a p out of its range.

    Example:
        >>> from nn import draws_from
        >>> model = Sequential(Layer(2, 8), Dropout(0.5), Layer(8, 1))
        >>> with draws_from([0.2, 0.7, 0.4]):
        ...     model.modules[1]([1.0, 2.0, 3.0])
        [0.0, 4.0, 0.0]
        >>> model.eval().modules[1]([1.0, 2.0, 3.0])
        [1.0, 2.0, 3.0]
    """

    def __init__(self, p: float = 0.5):
        if not 0 <= p < 1:
            raise ValueError(f"p, the probability to drop a number, must be 0 or more and below 1, got {p!r}")
        self.p = float(p)

    def __call__(self, x: Any) -> Any:
        if not self.training or not self.p:
            return x
        numbers, structure = flatten(x)
        pairs = zip(numbers, rand(len(numbers)), strict=True)
        return structure.unflatten([z * where(u >= self.p, 1 / (1 - self.p), 0.0) for z, u in pairs])

    def config(self) -> dict[str, Any]:
        return {"p": self.p}


def _size(n: Any, name: str) -> int:
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"{name} must be a whole number, got {type(n).__name__} {n!r:.60}")
    if n < 1:
        raise ValueError(f"{name} must be at least 1, got {n!r}")
    return int(n)


def _init(init: str | Init, activation: Any) -> Init:
    if callable(init):
        return init
    if init == "auto":
        init = "he" if isinstance(activation, RECTIFIERS) else "xavier"
    if init not in INITS:
        raise ValueError(f"unknown initialisation {init!r}; choose from auto, {', '.join(INITS)}")
    return INITS[init]


def _generator(rng: Any) -> Any:
    """Something with uniform() and gauss(): Python's module `random`, or a generator."""
    if rng is None:
        return random
    return rng if hasattr(rng, "uniform") else random.Random(rng)
