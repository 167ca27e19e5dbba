"""Embedding: a list of numbers for each word, letter or kind, which is learnt."""

from typing import Any

from autograd import Value, take
from nn.layers.initial import generator, whole
from nn.module import Module


class Embedding(Module):
    """The row of a table of weights that a whole number stands for.

    Args:
        num_embeddings: how many rows: the whole numbers from 0 to num_embeddings - 1 are taken.
        embedding_dim: how many numbers a row has.
        rng: as for Neuron; weights are drawn from the normal distribution of deviation 1, as in PyTorch.

    Called with a whole number, which may be a feature of a sample, it gives a list of embedding_dim numbers; with a
    list of n, a list of n such lists.

    Errors: ValueError or TypeError for a size that is not a whole number, at least 1; IndexError when called with
    another number than it has rows for.

    Example:
        >>> letters = Embedding(26, 2, rng=0)
        >>> letters(3.0) == letters.weight[3]
        True
        >>> len(letters([7.0, 8.0, 8.0])), len(letters.parameters())
        (3, 52)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, *, rng: Any = None):
        rows, columns = whole(num_embeddings, "num_embeddings"), whole(embedding_dim, "embedding_dim")
        rng = generator(rng)
        self.weight = [[Value(rng.gauss(0.0, 1.0), label=f"w{i}_{j}") for j in range(columns)] for i in range(rows)]

    def __call__(self, x: Any) -> Any:
        if isinstance(x, list | tuple):
            return [self(each) for each in x]
        if isinstance(x, Value):  # a number that is known only when compiled code runs
            return [take(column, x) for column in zip(*self.weight, strict=True)]
        return list(take(self.weight, x))

    def shapes(self) -> str:
        return f"{len(self.weight)} rows of {len(self.weight[0])}"

    def config(self) -> dict[str, Any]:
        return {"num_embeddings": len(self.weight), "embedding_dim": len(self.weight[0])}
