"""Models as ONNX: nodes over rows of samples, in double precision; one row of a table a kind of stage."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from autograd import exp, read_data
from autograd.files import write_atomically
from nn.activations import ELU, GELU, LeakyReLU, PReLU, ReLU, Sigmoid, SiLU, Softplus, Swish, Tanh
from nn.layers import Conv1d, Conv2d, Dropout, Embedding, Flatten, LayerNorm, Reshape, Residual, Sequential, Softmax
from nn.layers.shape import shape_of
from nn.losses import Loss
from nn.metadata import Metadata, package_version
from nn.module import Module
from nn.stages import Each, Linear, Stage, stages

OPSET, IR_VERSION = 17, 8  # of 2022: the runtime that a model meets may not be new


class OnnxModel:
    """A model that any runtime of ONNX computes.

    Attributes:
        proto: the same as the package onnx has it.
    """

    def __init__(self, proto: Any):
        self.proto = proto

    def save(self, path: "str | Path") -> None:
        """Write it to a file."""
        write_atomically(path, self.proto.SerializeToString())


class Graph:
    """Nodes, each after those that it reads from.

    Attributes:
        shape: that of what one sample has come to.
    """

    def __init__(self, shape: list[int]):
        self.shape = shape
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, op: str, *inputs: Any, name: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of what it computes.

        Args:
            inputs: names of what others compute, or numbers.
            name: what to call it; otherwise that of the operation, with a number.
        """
        name = name or f"{op.lower()}_{len(self.nodes)}"
        read = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        self.nodes.append(helper.make_node(op, read, [name], **attributes))
        return name

    def constant(self, numbers: Any, name: str = "") -> str:
        name = name or f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(numbers), name))
        return name


Parameters = dict[str, Any]  # the attributes of a module, its parameters as arrays


def _elu(graph: Graph, x: str, given: Parameters) -> str:
    below = graph.node("Sub", graph.node("Exp", graph.node("Min", x, 0.0)), 1.0)
    return graph.node("Where", graph.node("Greater", x, 0.0), x, graph.node("Mul", below, given["alpha"]))


def _leaky_relu(graph: Graph, x: str, given: Parameters) -> str:
    return graph.node("Where", graph.node("Greater", x, 0.0), x, graph.node("Mul", x, given["slope"]))


def _gelu(graph: Graph, x: str, given: Parameters) -> str:
    """Runtimes have erf in single precision only."""
    single = graph.node("Cast", graph.node("Mul", x, math.sqrt(0.5)), to=TensorProto.FLOAT)
    erf = graph.node("Cast", graph.node("Erf", single), to=TensorProto.DOUBLE)
    return graph.node("Mul", graph.node("Mul", x, 0.5), graph.node("Add", erf, 1.0))


def _softplus(graph: Graph, x: str, given: Parameters) -> str:
    small = graph.node("Exp", graph.node("Neg", graph.node("Abs", x)))
    return graph.node("Add", graph.node("Relu", x), graph.node("Log", graph.node("Add", small, 1.0)))


def _softmax(graph: Graph, x: str, given: Parameters) -> str:
    return graph.node("Softmax", x, axis=-1)


def _layer_norm(graph: Graph, x: str, given: Parameters) -> str:
    """Written out: of LayerNormalization epsilon is in single precision."""
    distances = graph.node("Sub", x, graph.node("ReduceMean", x, axes=[-1]))
    variance = graph.node("ReduceMean", graph.node("Mul", distances, distances), axes=[-1])
    deviation = graph.node("Sqrt", graph.node("Add", variance, given["epsilon"]))
    scaled = graph.node("Mul", graph.node("Div", distances, deviation), given["weight"])
    return graph.node("Add", scaled, given["bias"])


def _embedding(graph: Graph, x: str, given: Parameters) -> str:
    """A number that is no index becomes one that is out of range, which runtimes refuse."""
    is_whole = graph.node("Equal", x, graph.node("Floor", x))
    is_index = graph.node("And", is_whole, graph.node("GreaterOrEqual", x, 0.0))
    index = graph.node("Cast", graph.node("Where", is_index, x, float(len(given["weight"]))), to=TensorProto.INT64)
    graph.shape = [*graph.shape, given["weight"].shape[1]]
    return graph.node("Gather", given["weight"], index)


def _flatten(graph: Graph, x: str, given: Parameters) -> str:
    graph.shape = [math.prod(graph.shape)]
    return graph.node("Flatten", x)


def _reshape(graph: Graph, x: str, given: Parameters) -> str:
    graph.shape = [*given["shape"]]
    return graph.node("Reshape", x, [-1, *graph.shape])


def _convolution(graph: Graph, x: str, given: Parameters) -> str:
    """Each place's neighbours side by side, times the weights: runtimes have Conv in single precision only."""
    weight, kernel = given["weight"], given["kernel_size"]
    count, axes = math.prod(graph.shape), tuple(range(1, len(graph.shape)))
    beside = [(0, 0), *[(n, n) for n in given["padding"]]]
    numbered = np.pad(np.arange(count).reshape(graph.shape), beside, constant_values=count)  # where the 0 will be
    places = np.lib.stride_tricks.sliding_window_view(numbered, kernel, axes)
    places = places[:, *[slice(None, None, step) for step in given["stride"]]]
    graph.shape = [len(weight), *places.shape[1 : len(axes) + 1]]
    neighbours = np.moveaxis(places, 0, len(axes)).reshape(math.prod(graph.shape[1:]), -1)
    padded = graph.node("Pad", graph.node("Flatten", x), [0, 0, 0, 1])
    gathered = graph.node("Gather", padded, neighbours, axis=1)
    sums = graph.node("Add", graph.node("MatMul", gathered, weight.reshape(len(weight), -1).T), given["bias"])
    return graph.node("Reshape", graph.node("Transpose", sums, perm=[0, 2, 1]), [-1, *graph.shape])


def _swish(graph: Graph, x: str, given: Parameters) -> str:
    return graph.node("Mul", x, graph.node("Sigmoid", graph.node("Mul", x, given["beta"])))


# What runtimes seldom have in double precision (Elu, Erf, LeakyRelu, PRelu, Softplus) is made of what they have.
TABLE: dict[type[Module], Callable[[Graph, str, Parameters], str]] = {
    ReLU: lambda graph, x, given: graph.node("Relu", x),
    Tanh: lambda graph, x, given: graph.node("Tanh", x),
    Sigmoid: lambda graph, x, given: graph.node("Sigmoid", x),
    SiLU: lambda graph, x, given: graph.node("Mul", x, graph.node("Sigmoid", x)),
    GELU: _gelu,
    Softplus: _softplus,
    LeakyReLU: _leaky_relu,
    PReLU: _leaky_relu,
    ELU: _elu,
    Swish: _swish,
    Dropout: lambda graph, x, given: x,
    Softmax: _softmax,
    LayerNorm: _layer_norm,
    Embedding: _embedding,
    Flatten: _flatten,
    Reshape: _reshape,
    Conv1d: _convolution,
    Conv2d: _convolution,
}
EXPECTED: dict[Any, str] = {exp: "Exp"}  # what a target is expected to be, of a score: see Loss


def onnx_model(model: Module, inputs: int, loss: Loss | None, about: Metadata, said: str) -> OnnxModel:
    """A model with the input x, of shape (n, inputs), and outputs as those of nn.exporting.predictor, for n samples.

    Args:
        model: what predicts, in evaluation mode.
        loss: that which says the class that a score stands for; None for a regression.
        about: what else is known of the model; `said`: the same in words.

    Errors: TypeError for a module that is not in the table.
    """
    graph, x = Graph([inputs]), "x"
    for stage in stages(model):
        x = _written(graph, stage, x)
    width = shape_of(model([0.0] * inputs)) or []
    if loss and loss.expected:
        x = graph.node(EXPECTED[loss.expected], x)
    score = graph.node("Reshape", x, [-1, *width], name="scores" if width else "score")
    outputs = [helper.make_tensor_value_info(score, TensorProto.DOUBLE, ["n", *width])]
    if loss and loss.label and about.classes:
        if loss.labels:
            graph.node("Cast", graph.node("Greater", score, 0.0), to=TensorProto.INT64, name="chosen")
        else:
            graph.node("ArgMax", score, axis=1, keepdims=0, name="chosen")
        outputs.append(helper.make_tensor_value_info("chosen", TensorProto.INT64, ["n"]))
    taken = helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", inputs])
    proto = helper.make_model(
        helper.make_graph(graph.nodes, "predict", [taken], outputs, graph.constants, doc_string=said),
        opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, doc_string=said,
        producer_name="valuegrad", producer_version=package_version(),
    )  # fmt: skip
    named = {"columns": about.columns, "classes": about.classes}
    helper.set_model_props(proto, {name: json.dumps(names) for name, names in named.items() if names})
    onnx.checker.check_model(proto, full_check=True)
    return OnnxModel(proto)


def _written(graph: Graph, stage: Stage, x: str) -> str:
    if isinstance(stage, Linear):
        weights = np.array(read_data(stage.weights))
        *outer, _ = graph.shape
        graph.shape = [*outer, len(weights)]
        products = graph.node("MatMul", x, graph.constant(weights.T, f"weights_{len(graph.nodes)}"))
        return graph.node("Add", products, graph.constant(read_data(stage.biases), f"biases_{len(graph.nodes)}"))
    if isinstance(stage, Residual):
        y = x
        for inner in stages(Sequential(*stage.modules)):
            y = _written(graph, inner, y)
        return graph.node("Add", x, y)
    modules: Sequence[Module] = stage.modules if isinstance(stage, Each) else [stage]
    kind = type(modules[0])
    if kind not in TABLE:
        known = ", ".join([each.__name__ for each in TABLE])
        raise TypeError(f"ONNX: {modules[0]!r:.60} is not known there, only Layer, MLP, Sequential, Residual, {known}")
    given = dict(vars(modules[0]))
    for name in {path.partition(".")[0] for path in modules[0].named_parameters()}:
        given[name] = np.array(read_data([getattr(m, name) for m in modules] if len(modules) > 1 else given[name]))
    return TABLE[kind](graph, x, given)
