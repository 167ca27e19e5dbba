"""Dropout: numbers that are left out at random while a model is in training."""

from typing import Any

from autograd import flatten, where
from nn.draws import rand
from nn.module import Module


class Dropout(Module):
    """In training a number becomes 0 with probability p, and otherwise 1 / (1 - p) times itself.

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout, 2014.

    Args:
        p: 0 or more, below 1.

    What is dropped is drawn by `nn.rand`: in `fit` for each sample and step, from the seed. In evaluation, which
    `predict` and `model.eval()` see to, numbers pass through.

    Errors: ValueError for a p out of its range.

    Example:
        >>> from nn import Layer, Sequential, draws_from
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
