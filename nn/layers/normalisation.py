"""LayerNorm and Softmax: numbers brought to mean 0 and deviation 1, or to positive ones that add up to 1."""

from typing import Any

import autograd
from autograd import Value, dot, sqrt
from nn.layers.initial import whole
from nn.layers.shape import of_each_list
from nn.module import Module
from nn.ranges import positive


class LayerNorm(Module):
    """(x - mean) / √(variance + ε) of a list of numbers, each times a weight and plus a bias that are learnt.

    Ba, Kiros and Hinton, Layer normalization, 2016.

    Args:
        size: how many numbers there are in a list.
        epsilon: keeps the division finite.

    Called with a list of `size` numbers it gives as many; with nested lists, that for each innermost list. Weights
    begin at 1, biases at 0.

    Errors: ValueError or TypeError for a setting out of its range; ValueError when called with another size.

    Example:
        >>> norm = LayerNorm(2)
        >>> [round(x.data, 4) for x in norm([10.0, 30.0])], len(norm.parameters())
        ([-1.0, 1.0], 4)
    """

    def __init__(self, size: int, epsilon: float = 1e-5):
        self.weight = [Value(1.0, label=f"weight{i}") for i in range(whole(size, "size"))]
        self.bias = [Value(0.0, label=f"bias{i}") for i in range(size)]
        self.epsilon = positive(epsilon, "epsilon")

    def __call__(self, x: Any) -> Any:
        return of_each_list(self._normalised, x)

    def _normalised(self, x: Any) -> list[Any]:
        if len(x) != len(self.weight):
            raise ValueError(f"LayerNorm({len(self.weight)}) takes lists of {len(self.weight)} numbers, got {len(x)}")
        mean = autograd.mean(x)
        distances = [xi - mean for xi in x]
        scale = 1 / sqrt(dot(distances, distances) / len(x) + self.epsilon)
        return [w * (d * scale) + b for w, d, b in zip(self.weight, distances, self.bias, strict=True)]

    def shapes(self) -> str:
        return f"{len(self.weight)} -> {len(self.weight)}"

    def config(self) -> dict[str, Any]:
        return {"size": len(self.weight), "epsilon": self.epsilon}


class Softmax(Module):
    """e^x / Σ e^x: scores as probabilities, positive and with the sum 1.

    At the end of a model it makes `predict` give probabilities; train that with the loss "negative_log_likelihood". A
    model without it, trained with "cross_entropy", learns the same and is exact for all scores; `predict_proba` then
    gives the probabilities.

    Called with a list of numbers it gives as many; with nested lists, that for each innermost list.

    Example:
        >>> Softmax()([[0.0, 0.0], [1000.0, 0.0]])
        [[0.5, 0.5], [1.0, 0.0]]
    """

    def __call__(self, x: Any) -> Any:
        return of_each_list(autograd.softmax, x)

    def config(self) -> dict[str, Any]:
        return {}
