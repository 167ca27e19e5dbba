"""Networks written for micrograd run after only the import lines are changed.

From its first weights they give its numbers: those here are micrograd 0.1.0's.
"""

import math
import random

import pytest

from autograd import Value
from nn import MLP, Layer, Module, Neuron


def test_the_demo_loop_gives_micrograds_numbers_from_the_same_global_seed():
    random.seed(1337)
    model = MLP(2, [16, 16, 1], init="uniform")
    X = [[math.cos(i), math.sin(3 * i)] for i in range(20)]
    y = [1 if x0 * x1 > 0 else -1 for x0, x1 in X]

    def loss():
        inputs = [list(map(Value, xrow)) for xrow in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores, strict=True)]
        return total_loss, sum(accuracy) / len(accuracy)

    seen = []
    for k in range(8):
        total_loss, acc = loss()
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        seen.append((total_loss.data, acc))
    losses, accuracies = zip(*seen, strict=True)
    assert losses == pytest.approx(
        [1.1094570667024488, 0.8759400045400978, 0.4800533950598942, 0.8637398783475241, 0.9541183465446801,
         0.3071631843528065, 0.27995319167756, 0.15762156545274564], rel=1e-12,
    )  # fmt: skip
    assert accuracies == (0.45, 0.7, 0.8, 0.6, 0.65, 0.85, 0.85, 0.95)


def test_weights_are_drawn_as_micrograd_draws_them():
    random.seed(7)
    drawn = [p.data for p in MLP(3, [2, 1], init="uniform").parameters()]
    random.seed(7)
    expected = []
    for nin, nout in ((3, 2), (2, 1)):
        for _ in range(nout):
            expected += [random.uniform(-1, 1) for _ in range(nin)] + [0.0]
    assert drawn == expected


def test_the_classes_have_micrograds_attributes_and_arguments():
    neuron, linear, layer, model = Neuron(3), Neuron(3, nonlin=False), Layer(3, 2, nonlin=False), MLP(3, [4, 1])
    assert all(isinstance(m, Module) for m in (neuron, layer, model))
    assert neuron.parameters() == [*neuron.w, neuron.b]
    assert (neuron.nonlin, linear.nonlin, Neuron(3, False).nonlin) == (True, False, False)
    assert [n.nonlin for n in layer.neurons] == [False, False]
    assert [[n.nonlin for n in each.neurons] for each in model.layers] == [[True] * 4, [False]]
    assert isinstance(layer([1.0, 2.0, 3.0]), list)
    assert isinstance(model([1.0, 2.0, 3.0]), Value)
