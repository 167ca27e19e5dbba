"""draw(group=model): layers in columns, everything in order, no edge over a node."""

import itertools
import json
import math
import re

import pytest
from hypothesis import given, settings, strategies as st

from autograd import Value, draw, tanh
from autograd.graph import topological_order


class Model:
    """Layers of neurons; a neuron is a chain of products and sums, as in a first program."""

    def __init__(self, sizes, activation=tanh):
        self.layers = [
            [[Value(0.1 * k + j) for k in range(n + 1)] for j in range(m)] for n, m in itertools.pairwise(sizes)
        ]
        self.activation = activation

    def named_parameters(self):
        for i, layer in enumerate(self.layers):
            for j, (*weights, bias) in enumerate(layer):
                for k, w in enumerate(weights):
                    yield f"layers.{i}.neurons.{j}.w.{k}", w
                yield f"layers.{i}.neurons.{j}.b", bias

    def __call__(self, xs):
        for layer in self.layers:
            outputs = []
            for *weights, bias in layer:
                total = bias
                for w, x in zip(weights, xs, strict=True):
                    total = total + w * x
                outputs.append(self.activation(total))
            xs = outputs
        return xs


def placed(picture):
    """The box of each node, as (left, bottom, right, top), and for each edge points on its curve."""
    graph = json.loads(picture.pipe("json"))
    boxes = {}
    for x in graph["objects"]:
        if "pos" in x:
            (h, v), width, height = map(float, x["pos"].split(",")), 36 * float(x["width"]), 36 * float(x["height"])
            boxes[x["name"]] = (h - width, v - height, h + width, v + height)
    names = [x["name"] for x in graph["objects"]]
    edges = [(names[e["tail"]], names[e["head"]], list(points_on(e["pos"]))) for e in graph["edges"]]
    return boxes, edges


def points_on(pos):
    points = [tuple(map(float, p.split(","))) for p in re.sub(r"e,\S+ ", "", pos).split()]
    for i in range(0, len(points) - 1, 3):
        for t in (0.0, 0.25, 0.5, 0.75, 1.0):
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield tuple(sum(w * p[axis] for w, p in zip(weights, points[i : i + 4], strict=True)) for axis in (0, 1))


def overlap(a, b, margin=0.5):
    return a[0] < b[2] - margin and b[0] < a[2] - margin and a[1] < b[3] - margin and b[1] < a[3] - margin


SIZES = st.lists(st.integers(1, 4), min_size=2, max_size=4)


@given(SIZES, st.sampled_from(["LR", "TB", "RL", "BT"]), st.booleans())
@settings(max_examples=20)
def test_layers_stand_in_columns_and_everything_in_order(sizes, direction, numbers):
    model = Model(sizes)
    inputs = [1.0 + i if numbers else Value(1.0 + i, label=f"x{i}") for i in range(sizes[0])]
    outputs = model(inputs)
    total = outputs[0]
    for x in outputs[1:]:
        total = total + x * x
    boxes, edges = placed(draw(total, group=model, names={}, direction=direction, max_nodes=10**6))
    ids = {x: f"v{i}" for i, x in enumerate(topological_order([total]))}
    along = {"LR": lambda b: (b[0], b[2]), "RL": lambda b: (-b[2], -b[0]), "TB": lambda b: (-b[3], -b[1])}
    along["BT"] = lambda b: (b[1], b[3])
    across = (lambda b: -b[3]) if direction in ("LR", "RL") else (lambda b: b[0])
    reach = -math.inf
    for layer in model.layers:
        parameters = [boxes[ids[x]] for neuron in layer for x in neuron]
        starts, ends = zip(*map(along[direction], parameters), strict=True)
        assert min(starts) > reach, "a layer begins where the one before has ended"
        reach = max(ends)
        neurons = [[across(boxes[ids[x]]) for x in neuron] for neuron in layer]
        for first, second in itertools.pairwise(neurons):
            assert max(first) < min(second), "neurons in order"
        for *weights, _ in layer:
            places = [(along[direction](boxes[ids[x]])[0], across(boxes[ids[x]])) for x in weights]
            assert [p[1] for p in places] == sorted(p[1] for p in places), "weights in order"
    for (name, a), (other, b) in itertools.combinations(boxes.items(), 2):
        assert not overlap(a, b), f"{name} lies over {other}"
    for start, end, points in edges:
        for name, box in boxes.items():
            over = [p for p in points if name not in (start, end) and overlap((*p, *p), box, -0.01) and inside(p, box)]
            assert not over, f"the edge from {start} to {end} passes {name}"


def inside(point, box):
    return box[0] + 1 < point[0] < box[2] - 1 and box[1] + 1 < point[1] < box[3] - 1


def test_a_number_that_enters_all_neurons_is_drawn_once():
    nn = pytest.importorskip("nn")
    model = nn.MLP(2, [3, 1])
    output = model([1.0, 1.0])
    boxes, edges = placed(draw(output[0] if isinstance(output, list) else output, group=model, names={}))
    assert len([name for name in boxes if name.startswith("c")]) == 2, "two inputs, though both are 1"
    assert len([1 for start, _, _ in edges if start.startswith("c")]) == 6


def test_a_value_that_comes_back_to_its_layer_is_left_to_graphviz():
    model = Model([1, 1])
    x = Value(1.0)
    for _ in range(3):
        (x,) = model([x * 2.0])
    picture = draw(x, group=model, names={})
    assert "nop2" not in picture.source
    assert picture.pipe("svg").startswith(b"<?xml")
