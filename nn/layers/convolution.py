"""Conv1d and Conv2d: the same few weights at every place of a sequence or an image.

Each output is one dot, so that compiled code computes them by table, as it does the sums of neurons.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from autograd import Value, dot
from nn.layers.initial import Init, first_numbers, generator, whole
from nn.layers.shape import nested, shape_of
from nn.module import Module

Sizes = int | Sequence[int]  # one for each dimension, or the same for all


class _Convolution(Module):
    """What Conv1d and Conv2d have in common: the same for any number of dimensions."""

    dimensions: ClassVar[int]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        *,
        stride: Sizes = 1,
        padding: Sizes = 0,
        init: str | Init = "he",
        rng: Any = None,
    ):
        nin, nout = whole(in_channels, "in_channels"), whole(out_channels, "out_channels")
        self.kernel_size = self._sizes(kernel_size, "kernel_size")
        self.stride, self.padding = self._sizes(stride, "stride"), self._sizes(padding, "padding", least=0)
        (draw, bias), rng, shape = first_numbers(init, None), generator(rng), [nout, nin, *self.kernel_size]
        fans = nin * math.prod(self.kernel_size), nout * math.prod(self.kernel_size)
        places = itertools.product(*map(range, shape))
        weights = [Value(draw(rng, *fans), label=f"w{'_'.join(map(str, place))}") for place in places]
        self.weight = nested(weights, shape)
        self.bias = [Value(bias, label=f"b{i}") for i in range(nout)]

    def _sizes(self, given: Any, name: str, least: int = 1) -> list[int]:
        """One size for each dimension."""
        each = list(given) if isinstance(given, list | tuple) else [given] * self.dimensions
        if len(each) != self.dimensions:
            raise ValueError(f"{name} is a whole number, or {self.dimensions} of them, got {given!r:.60}")
        return [whole(n, name, least) for n in each]

    def __call__(self, x: Any) -> Any:
        shape = self._checked_shape(x)
        counts = [
            (n + 2 * padding - size) // stride + 1
            for n, size, stride, padding in zip(shape, self.kernel_size, self.stride, self.padding, strict=True)
        ]
        if min(counts) < 1:
            raise ValueError(f"{self!r} does not fit in {' x '.join(map(str, shape))} numbers")
        channels, kernels = [list(_flat(channel)) for channel in x], [list(_flat(kernel)) for kernel in self.weight]
        offsets = list(itertools.product(*map(range, self.kernel_size)))
        outputs: list[list[Any]] = [[] for _ in kernels]
        for place in itertools.product(*map(range, counts)):
            corner = [i * stride - padding for i, stride, padding in zip(place, self.stride, self.padding, strict=True)]
            found = [(n, _index(corner, offset, shape)) for n, offset in enumerate(offsets)]
            inside = [(n, at) for n, at in found if at is not None]  # what padding adds is 0, and no part of the sum
            seen = [channel[at] for channel in channels for _, at in inside]
            weighed = [c * len(offsets) + n for c in range(len(channels)) for n, _ in inside]
            for output, kernel, bias in zip(outputs, kernels, self.bias, strict=True):
                output.append(dot([kernel[n] for n in weighed], seen, bias))
        return [nested(output, counts) for output in outputs]

    def _checked_shape(self, x: Any) -> list[int]:
        """How many numbers a channel has along each dimension."""
        shape, channels = shape_of(x), len(self.weight[0])
        if shape is None or len(shape) != 1 + self.dimensions or shape[0] != channels:
            wanted = [f"{channels} channel{'s' * (channels != 1)}", *["rows"] * (self.dimensions - 1), "numbers"]
            got = "lists of different lengths" if shape is None else f"a shape of {shape}"
            raise ValueError(
                f"{type(self).__name__} takes a list of {', each a list of '.join(wanted)}; got {got}. "
                "Reshape makes such lists of the features of a sample"
            )
        return shape[1:]

    def shapes(self) -> str:
        return f"{len(self.weight[0])} -> {len(self.weight)} channels"

    def config(self) -> dict[str, Any]:
        sizes = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        short = {name: each[0] if len(set(each)) == 1 else each for name, each in sizes.items()}
        return {"in_channels": len(self.weight[0]), "out_channels": len(self.weight)} | short


class Conv1d(_Convolution):
    """Convolution of sequences: output[o][i] = bias[o] + Σ weight[o][c][k] · x[c][stride · i + k - padding].

    Args:
        in_channels, out_channels: how many sequences go in and come out.
        kernel_size: how many neighbours count.
        stride: by how many places the kernel moves on for the next output.
        padding: how many zeros are thought of at either end.
        init, rng: as for Neuron; by default "he", for the rectifier that usually follows. The bias begins at 0.

    Called with a list of in_channels lists of n numbers, it gives a list of out_channels lists of
    (n + 2 padding - kernel_size) // stride + 1 numbers. There is no activation: put a module after it.

    Errors: ValueError or TypeError for a setting out of its range; ValueError when called with lists of another shape,
    or shorter than the kernel.

    Example:
        >>> conv = Conv1d(1, 1, kernel_size=2)
        >>> conv.weight[0][0][0].data, conv.weight[0][0][1].data = -1.0, 1.0
        >>> [[x.data for x in channel] for channel in conv([[1.0, 4.0, 9.0, 16.0]])]
        [[3.0, 5.0, 7.0]]
    """

    dimensions = 1


class Conv2d(_Convolution):
    """Convolution of images: as Conv1d, with a kernel of rows and columns that moves down and across.

    Args:
        in_channels, out_channels: how many images go in and come out.
        kernel_size, stride, padding: as for Conv1d; one number, or one for rows and one for columns.
        init, rng: as for Conv1d.

    Called with a list of in_channels images, each a list of rows of numbers, it gives a list of out_channels images.
    `weight[o][c][i][j]` is the weight of row i and column j of channel c for output o.

    Errors: as Conv1d.

    Example:
        >>> from nn import Flatten, Layer, ReLU, Reshape, Sequential
        >>> conv = Conv2d(1, 4, 3, stride=2, padding=1)
        >>> model = Sequential(Reshape(1, 8, 8), conv, ReLU(), Flatten(), Layer(4 * 4 * 4, 10, nonlin=False))
        >>> len(model([0.0] * 64)), len(model.parameters())
        (10, 690)
    """

    dimensions = 2


def _flat(x: Any) -> Iterator[Any]:
    if isinstance(x, list | tuple):
        for part in x:
            yield from _flat(part)
    else:
        yield x


def _index(corner: Sequence[int], offset: Sequence[int], shape: Sequence[int]) -> int | None:
    """Where a place is in the list of all numbers of a channel; None if it is outside."""
    at = 0
    for start, step, n in zip(corner, offset, shape, strict=True):
        if not 0 <= start + step < n:
            return None
        at = at * n + start + step
    return at
