"""predict of many samples: the same numbers by compiled code, and by Python where that cannot be."""

import builtins

import numpy as np
import pytest

import nn.module
from autograd import Value
from nn import MLP, Module, evaluation

pytest.importorskip("llvmlite")

X = np.random.default_rng(0).normal(size=(300, 2))


@pytest.fixture
def compiled(monkeypatch):
    """How often something was compiled to predict by; from 1000 parameters times samples on it is."""
    monkeypatch.setattr(nn.module, "MANY", 1000)
    calls, real = [], evaluation.scores_of
    monkeypatch.setattr(evaluation, "scores_of", lambda model: calls.append(model) or real(model))
    return calls


@pytest.mark.parametrize("outputs", [1, 3])
def test_many_samples_are_compiled_with_the_same_scores(outputs, compiled):
    model = MLP(2, [5, outputs], "tanh", rng=0)
    found = model.predict(X)
    assert compiled == [model]
    one_by_one = [model.predict(X[i : i + 1].tolist())[0] for i in range(len(X))]
    assert len(compiled) == 1
    assert found == pytest.approx(np.array(one_by_one), rel=1e-13)
    assert isinstance(found, np.ndarray)
    as_lists = model.predict(X.tolist())
    assert as_lists == found.tolist()
    model.layers[0].freeze()
    model.layers[1].neurons[0].b.data += 1.0
    assert model.predict(X).reshape(300, -1)[:, 0] == pytest.approx(found.reshape(300, -1)[:, 0] + 1.0)


class Counting(Module):
    def __init__(self):
        self.weights, self.calls = [Value(2.0) for _ in range(10)], 0

    def __call__(self, x):
        self.calls = self.calls + 1
        return self.weights[0] * x[0] + len(x)


def test_a_model_that_cannot_be_compiled_is_evaluated_by_python(compiled):
    assert Counting().predict(X.tolist()) == [2.0 * x[0] + 2 for x in X.tolist()]


def test_wrong_samples_are_named_as_by_python(compiled):
    with pytest.raises(ValueError, match="2 weights for 3 inputs"):
        MLP(2, [5, 1]).predict(np.zeros((300, 3)))
    with pytest.raises(TypeError, match="got str"):
        MLP(2, [5, 1]).predict([["a", "b"]] * 300)


def test_without_numpy_python_evaluates(compiled, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "nn.evaluation":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    model, samples = MLP(2, [5, 1], rng=0), X.tolist()
    expected = model.predict(samples)
    monkeypatch.setattr(builtins, "__import__", refuse)
    assert model.predict(samples) == pytest.approx(expected, rel=1e-13)
    assert len(compiled) == 1
