"""Modules find their parameters, and set, copy and replace them."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, relu, value
from nn import MLP, Layer, Module, Neuron, PReLU, Sequential


class Nested(Module):
    def __init__(self):
        self.scale = Value(2.0)
        self.parts = {"first": Neuron(1, nonlin=False), "rest": (Value(3.0), [Value(4.0)])}
        self.matrix = np.array([[Value(5.0), Value(6.0)]])
        self.again = self.scale
        self.hyperparameter = 0.5
        self.result = None
        self._cache = Value(7.0)


@pytest.fixture
def no_graph(monkeypatch):
    """From here on, recording a node fails."""

    def start():
        def refuse(cls):
            raise AssertionError("a node was recorded")

        for module in (value,):
            monkeypatch.setattr(module, "_new", refuse)

    return start


def test_parameters_are_found_in_nested_structures_once_and_in_order():
    assert list(Nested().named_parameters()) == [
        "scale", "parts.first.w.0", "parts.first.b", "parts.rest.0", "parts.rest.1.0", "matrix.0.0", "matrix.0.1",
        "_cache",
    ]  # fmt: skip


def test_a_result_kept_in_an_attribute_is_no_parameter():
    model: Any = Neuron(1)
    model.last = model([1.0])
    assert list(model.named_parameters()) == ["w.0", "b"]


def test_a_module_that_contains_itself_is_searched_once():
    model: Any = Neuron(1)
    model.child = Neuron(2)
    model.child.parent = model
    assert len(model.parameters()) == 5


def test_zero_grad_clears_every_gradient():
    model = MLP(2, [3, 1])
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * 13


def test_predict_records_no_node_and_gives_the_scores(no_graph):
    model = MLP(2, [4, 3], activation="prelu", rng=0)
    X = [[0.5, -1.0], [2.0, 0.25]]
    scores = [[score.data for score in model(x)] for x in X]
    no_graph()
    assert model.predict(X) == scores
    assert model.predict(np.array(X)).tolist() == scores
    with pytest.raises(AssertionError, match="a node was recorded"):
        model(X[0])


def test_with_parameters_leaves_the_module_as_it_was():
    model = Neuron(1, nonlin=False)
    before = model.state_dict()
    stands_in = Value(3.0)
    copied = model.with_parameters({"w.0": stands_in, "b": 1.0})
    assert copied.w[0] is stands_in
    assert copied([2.0]).data == 7.0
    assert model.state_dict() == before


def test_state_dict_round_trip_is_exact():
    model, other = MLP(2, [3, 1], rng=1), MLP(2, [3, 1], rng=2)
    assert other.state_dict() != model.state_dict()
    other.load_state_dict(model.state_dict())
    assert other.state_dict() == model.state_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("b"), "no entry for the parameter 'b'"),
        (lambda s: s.update(c=1.0), "an entry for 'c', which is not a parameter"),
        (lambda s: s.update({"w.1": [1.0, 2.0]}), r"the parameter 'w.1' takes a real number, got list \[1.0, 2.0\]"),
        (lambda s: s.update({"w.1": "1"}), "the parameter 'w.1' takes a real number, got str '1'"),
        (lambda s: s.update({"w.1": None}), "the parameter 'w.1' takes a real number, got NoneType"),
        (lambda s: s.update({"w.1": 10**400}), r"the parameter 'w.1' takes .* got int of about 10\*\*400"),
        (lambda s: [s.pop(k) for k in list(s)], "'w.0', 'w.1', 'w.2' and 1 more"),
    ],
)
def test_load_state_dict_names_the_wrong_entry_and_changes_nothing(change, message):
    neuron = Neuron(3)
    before = neuron.state_dict()
    state = dict.fromkeys(before, 9.0)
    change(state)
    with pytest.raises(ValueError, match=message):
        neuron.load_state_dict(state)
    assert neuron.state_dict() == before


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_have_parameters_of_their_own(copied):
    model = Sequential(Layer(2, 3, activation="swish"), PReLU(), Layer(3, 1, nonlin=False))
    again = copied(model)
    assert again.state_dict() == model.state_dict()
    assert again([1.0, 2.0]).data == model([1.0, 2.0]).data
    again.parameters()[0].data = 100.0
    assert again.state_dict() != model.state_dict()


def test_a_module_without_call_says_so():
    with pytest.raises(NotImplementedError, match="Nested defines no __call__"):
        Nested()(1.0)


def test_a_module_of_ones_own_predicts_if_it_uses_the_functions():
    class Own(Module):
        def __init__(self):
            self.w = Value(-2.0)

        def __call__(self, x):
            return relu(self.w * x[0])

    assert Own().predict([[1.0], [-3.0]]) == [0.0, 6.0]
    assert repr(Own()) == "Own(1 parameters)"


@pytest.mark.parametrize("as_array", [False, True])
def test_probabilities_are_those_of_the_loss(as_array):
    X = [[0.5, -1.0], [2.0, 3.0], [-40.0, 1.0], [800.0, 1.0]]
    given = np.array(X) if as_array else X
    three = nn.Layer(2, 3, nonlin=False, rng=0)
    nn.fit(three, X, [0, 1, 2, 0], loss="cross_entropy", epochs=1, progress=False)
    found = three.predict_proba(given)
    for row, scores in zip(found, three.predict(X), strict=True):
        exponentials = np.exp(np.array(scores) - max(scores))
        assert row == pytest.approx(exponentials / exponentials.sum(), rel=1e-12)
    two = nn.Neuron(2, nonlin=False, rng=0)
    nn.fit(two, X, [0, 1, 1, 0], loss="binary_cross_entropy", epochs=1, progress=False)
    found = two.predict_proba(given)
    with np.errstate(over="ignore"):
        expected = [[1 / (1 + np.exp(s)), 1 / (1 + np.exp(-s))] for s in two.predict(X)]
    assert np.array(found) == pytest.approx(np.array(expected), rel=1e-12)
    assert isinstance(found, np.ndarray) == as_array
    assert np.array(found).shape == (4, 2)


def test_scores_that_are_no_probabilities_are_refused():
    model = nn.Neuron(1, nonlin=False)
    with pytest.raises(ValueError, match="Neuron gives scores and no probabilities: it was not trained by fit"):
        model.predict_proba([[1.0]])
    nn.fit(model, [[1.0], [2.0]], [-1, 1], loss="hinge", epochs=1, progress=False)
    with pytest.raises(ValueError, match=r'it was trained with hinge\. Train it with the loss "cross_entropy" or'):
        model.predict_proba([[1.0]])


def test_the_summary_counts_every_parameter_once():
    class Model(nn.Module):
        def __init__(self):
            self.scale = Value(1.0)
            self.body = nn.Sequential(nn.Layer(2, 3), nn.Dropout(), nn.MLP(3, [4, 1], activation="prelu"))
            self.again = [self.body.modules[0]]

        def __call__(self, x):
            return self.scale * self.body(x)

    model = Model()
    model.body.modules[2].freeze()
    model.scale.label = "scale"
    assert [line.split() for line in model.summary().splitlines()] == [
        ["module", "type", "shape", "parameters", "trained"],
        ["body.modules.0", "Layer", "2", "->", "3", "9", "9"],
        ["body.modules.1", "Dropout", "0", "0"],
        ["body.modules.2", "MLP", "3", "->", "1", "25", "0"],
        ["its", "own", "1", "1"],
        ["total", "Model", "35", "10"],
    ]
    assert len(model.parameters()) == 35
    inner = [line.split() for line in model.body.summary().splitlines()]
    assert inner[1:4] == [
        ["modules.0", "Layer", "2", "->", "3", "9", "9"],
        ["modules.1", "Dropout", "0", "0"],
        ["modules.2", "MLP", "3", "->", "1", "25", "0"],
    ]
