"""Small networks made of Values: modules, losses, optimizers, and `fit`.

>>> from nn import MLP, fit
>>> model = MLP(2, [8, 1], activation="tanh", rng=0)
>>> history = fit(model, [[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1], loss="hinge", progress=False)
>>> history.metric_name, history.metric[-1]
('accuracy', 1.0)
"""

import nn.picture  # noqa: F401  what autograd.draw(model) calls
from nn.activations import (
    ELU,
    GELU,
    Activation,
    LeakyReLU,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Swish,
    Tanh,
)
from nn.checkpoint import ModelFileError, load, save
from nn.draws import draws_from, rand
from nn.exchange import from_torch, to_torch
from nn.exporting import export
from nn.history import History, NonFiniteError
from nn.layers import (
    MLP,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Neuron,
    Reshape,
    Residual,
    Sequential,
    Softmax,
)
from nn.losses import (
    Loss,
    absolute_error,
    binary_cross_entropy,
    cross_entropy,
    focal,
    hinge,
    huber,
    l1,
    l2,
    log_cosh,
    negative_log_likelihood,
    poisson,
    quantile,
    squared_error,
)
from nn.module import Module
from nn.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from nn.playground import playground
from nn.training import accuracy, fit

__all__ = [
    "Module", "Neuron", "Layer", "MLP", "Sequential", "Residual", "Conv1d", "Conv2d", "Reshape", "Flatten",
    "Embedding", "LayerNorm", "Softmax", "Dropout", "rand", "draws_from",
    "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Tanh", "Sigmoid", "SiLU", "Swish", "GELU", "Softplus",
    "Loss", "squared_error", "absolute_error", "huber", "log_cosh", "quantile", "poisson", "hinge",
    "binary_cross_entropy", "focal", "cross_entropy", "negative_log_likelihood", "l1", "l2",
    "Optimizer", "SGD", "Adam", "AdamW", "RMSprop",
    "fit", "accuracy", "History", "NonFiniteError", "playground",
    "save", "load", "ModelFileError", "export", "to_torch", "from_torch",
]  # fmt: skip
