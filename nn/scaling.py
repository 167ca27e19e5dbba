"""Scaling: data of any size brought to mean 0 and deviation 1 to train on, and a network turned back after it."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import autograd
from nn.layers import MLP


class Scale(NamedTuple):
    """Mean and standard deviation of each column.

    Example:
        >>> scale = Scale.of([[1.0, 5.0], [3.0, 5.0]])
        >>> scale
        Scale(means=[2.0, 5.0], deviations=[1.0, 1.0])
        >>> scale.apply([[3.0, 5.0]])
        [[1.0, 0.0]]
    """

    means: list[float]
    deviations: list[float]

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]]) -> "Scale":
        """The scale of the columns of some rows; 1 for the deviation of a column that is constant."""
        means, deviations = [], []
        for column in zip(*rows, strict=True):
            constant = min(column) == max(column)  # its computed mean may be off by a rounding error, not 0
            mean = column[0] if constant else autograd.mean(column)
            means.append(mean)
            deviations.append(1.0 if constant else math.hypot(*[x - mean for x in column]) / math.sqrt(len(column)))
        return cls(means, deviations)

    def apply(self, rows: Iterable[Sequence[float]]) -> list[list[float]]:
        """The rows with mean 0 and deviation 1, if they are those that the scale is of."""
        return [[(x - m) / d for x, m, d in zip(row, self.means, self.deviations, strict=True)] for row in rows]


def unscale(model: MLP, inputs: Scale, outputs: Scale | None = None) -> None:
    """Change a network that takes (and gives) scaled numbers into one that takes (and gives) the numbers themselves.

    A scale is a linear function, and so becomes part of the weights and biases of the first layer (and of the last).

    Example:
        >>> model, scale = MLP(1, [3, 1], rng=0), Scale([100.0], [20.0])
        >>> scaled, = model.predict(scale.apply([[130.0]]))
        >>> unscale(model, inputs=scale)
        >>> math.isclose(model.predict([[130.0]])[0], scaled)
        True
    """
    for neuron in model.layers[0].neurons:
        for w, mean, deviation in zip(neuron.w, *inputs, strict=True):
            w.data /= deviation
            neuron.b.data -= w.data * mean
    if outputs:
        for neuron, mean, deviation in zip(model.layers[-1].neurons, *outputs, strict=True):
            for w in neuron.w:
                w.data *= deviation
            neuron.b.data = neuron.b.data * deviation + mean
