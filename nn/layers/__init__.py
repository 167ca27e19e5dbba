"""The layers that networks are made of: each is called with the numbers, or nested lists of numbers, of one sample."""

from nn.layers.containers import Residual, Sequential
from nn.layers.convolution import Conv1d, Conv2d
from nn.layers.dense import MLP, Layer, Neuron
from nn.layers.dropout import Dropout
from nn.layers.embedding import Embedding
from nn.layers.initial import INITS
from nn.layers.normalisation import LayerNorm, Softmax
from nn.layers.shape import Flatten, Reshape

__all__ = [
    "INITS", "MLP", "Conv1d", "Conv2d", "Dropout", "Embedding", "Flatten", "Layer", "LayerNorm", "Neuron", "Reshape",
    "Residual", "Sequential", "Softmax",
]  # fmt: skip
