"""Neuron, Layer and MLP: every input has a weight for every output."""

from collections.abc import Sequence
from typing import Any

from autograd import Value, dot
from nn.activations import activation as make_activation
from nn.layers.initial import Init, first_numbers, generator, whole
from nn.layers.shape import of_each_list
from nn.module import Module


class Neuron(Module):
    """activation(w · x + b): two nodes of the graph, or one if it is linear.

    Args:
        nin: how many inputs.
        nonlin: False for a linear neuron, which has no activation.
        activation: a name, a Module (each neuron gets a copy) or a function of one number.
        init: how weights are drawn: "uniform" (-1 to 1, as in micrograd), "he", "xavier", or a function of generator,
            nin and nout, all with a bias of 0 at first; "auto", of which layers learn best, is "he" with a bias of 0.3
            before a rectifier, and "xavier" otherwise.
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
        nin, rng = whole(nin, "nin"), generator(rng)
        self.activation = make_activation(activation) if nonlin else None
        draw, bias = first_numbers(init, self.activation)
        self.w = [Value(draw(rng, nin, nout), label=f"w{i}") for i in range(nin)]
        self.b = Value(bias, label="b")
        self.nonlin = bool(nonlin)

    def __call__(self, x: Any) -> Any:
        z = dot(self.w, x, self.b)
        return z if self.activation is None else self.activation(z)

    def shapes(self) -> str:
        return f"{len(self.w)} -> 1"

    def config(self) -> dict[str, Any]:
        structure: dict[str, Any] = {"nin": len(self.w), "nonlin": self.nonlin}
        return structure if self.activation is None else structure | {"activation": self.activation}


class Layer(Module):
    """nout neurons side by side; called with a list of nin inputs, it gives the list of their outputs.

    Called with nested lists, it gives that in place of each innermost list.

    Args:
        nin, nout: how many inputs and neurons.
        nonlin, activation, rng: as for Neuron.
        init: as for Neuron; "auto" unless given, where a neuron alone is drawn as in micrograd.

    One neuron alone gives its output itself, not a list of one (as in micrograd).

    Example:
        >>> Layer(2, 3, activation="tanh")
        Layer(nin=2, nout=3, nonlin=True, activation=Tanh())
        >>> len(Layer(2, 3)([1.0, 2.0]))
        3
    """

    def __init__(self, nin: int, nout: int, *, init: str | Init = "auto", rng: Any = None, **kwargs: Any):
        nout, rng = whole(nout, "nout"), generator(rng)
        self.neurons = [Neuron(nin, init=init, rng=rng, nout=nout, **kwargs) for _ in range(nout)]

    def __call__(self, x: Any) -> Any:
        if isinstance(x, Value | float | int):  # what a layer of one neuron gave
            x = [x]
        return of_each_list(self._outputs, x)

    def _outputs(self, x: Any) -> Any:
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def shapes(self) -> str:
        return f"{len(self.neurons[0].w)} -> {len(self.neurons)}"

    def config(self) -> dict[str, Any]:
        neuron = self.neurons[0].config()
        return {"nin": neuron.pop("nin"), "nout": len(self.neurons)} | neuron


class MLP(Module):
    """A multi-layer perceptron: each layer feeds the next, with an activation on all but the last.

    Args:
        nin: how many inputs.
        nouts: how many neurons in each layer, the last being the output.
        activation, rng: as for Neuron.
        init: as for Layer.

    Example:
        >>> model = MLP(2, [16, 16, 1], rng=1)
        >>> model
        MLP(nin=2, nouts=[16, 16, 1], activation=ReLU())
        >>> len(model.parameters())
        337
        >>> model([1.0, -1.0])
        Value(data=-0.3129222361605521, grad=0.0)
    """

    def __init__(
        self, nin: int, nouts: Sequence[int], activation: Any = "relu", init: str | Init = "auto", rng: Any = None
    ):
        if not isinstance(nouts, list | tuple) or not nouts:
            raise TypeError(f"nouts must be a list with the number of neurons in each layer, got {nouts!r:.60}")
        rng = generator(rng)
        last = len(nouts) - 1
        self.layers = [
            Layer(n, m, nonlin=i != last, activation=activation, init=init, rng=rng)
            for i, (n, m) in enumerate(zip([nin, *nouts], nouts, strict=False))
        ]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def shapes(self) -> str:
        return f"{len(self.layers[0].neurons[0].w)} -> {len(self.layers[-1].neurons)}"

    def config(self) -> dict[str, Any]:
        layers = [layer.config() for layer in self.layers]
        structure = {"nin": layers[0]["nin"], "nouts": [layer["nout"] for layer in layers]}
        return structure | ({"activation": layers[0]["activation"]} if len(layers) > 1 else {})
