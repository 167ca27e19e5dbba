"""Models as ONNX: nodes over rows of samples, in double precision; one row of a table a kind of stage."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from autograd import read_data
from autograd.files import write_atomically
from nn.activations import ELU, GELU, LeakyReLU, PReLU, ReLU, Sigmoid, SiLU, Softplus, Swish, Tanh
from nn.layers import Dropout
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
    """Nodes, each after those that it reads from."""

    def __init__(self) -> None:
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


Parameters = dict[str, Any]  # of a stage: the arguments that construct it, and arrays of its parameters


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
}


def onnx_model(model: Module, inputs: int, loss: Loss | None, about: Metadata, said: str) -> OnnxModel:
    """A model with the input x, of shape (n, inputs), and outputs as those of nn.exporting.predictor, for n samples.

    Args:
        model: what predicts, in evaluation mode.
        loss: that which says the class that a score stands for; None for a regression.
        about: what else is known of the model; `said`: the same in words.

    Errors: TypeError for a module that is not in the table.
    """
    graph, x = Graph(), "x"
    for i, stage in enumerate(stages(model)):
        x = _written(graph, stage, x, i)
    example = model([0.5] * inputs)
    width = [len(example)] if isinstance(example, list) else []
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


def _written(graph: Graph, stage: Stage, x: str, number: int) -> str:
    if isinstance(stage, Linear):
        weights = graph.constant(read_data(stage.weights), f"weights_{number}")
        return graph.node("Gemm", x, weights, graph.constant(read_data(stage.biases), f"biases_{number}"), transB=1)
    modules = stage.modules if isinstance(stage, Each) else [stage]
    kind = type(modules[0])
    if kind not in TABLE:
        known = ", ".join([each.__name__ for each in TABLE])
        raise TypeError(f"ONNX: {modules[0]!r:.60} is not known there, only Layer, MLP, Sequential, {known}")
    given = modules[0].config()
    for name in modules[0].named_parameters():
        numbers = [module.state_dict()[name] for module in modules]
        given[name] = numbers if isinstance(stage, Each) else numbers[0]
    return TABLE[kind](graph, x, given)
