"""Models in PyTorch and back: the same scores and the same gradients."""

import math
import sys
from typing import Any

import pytest

import autograd
from autograd import Value
from nn import (
    MLP,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Module,
    Neuron,
    PReLU,
    Reshape,
    Residual,
    Sequential,
    SiLU,
    Softmax,
    Softplus,
    from_torch,
    hinge,
    to_torch,
)
from nn.activations import ACTIVATIONS
from tests.compiler.conftest import close

torch = pytest.importorskip("torch", reason="PyTorch is not installed: python -m pip install torch")

X = [[0.5, -1.0], [2.0, 0.25], [-30.0, 7.0], [0.0, 0.0]]
Y = [1.0, -1.0, 1.0, -1.0]


def gradients(model):
    """Of the mean hinge loss, by the parameters in their order."""
    model.zero_grad()
    hinge.batch([model(x) for x in X], Y).backward()
    return [p.grad for p in model.parameters()]


def torch_gradients(module):
    scores = module(torch.tensor(X, dtype=torch.float64))[:, 0]
    torch.relu(1 - torch.tensor(Y) * scores).mean().backward()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_scores_and_gradients_are_the_same_in_pytorch(activation):
    model = MLP(2, [5, 4, 1], activation, rng=0)
    for i, p in enumerate(model.parameters()):
        p.data += 0.01 * i  # biases and slopes that differ
    module = to_torch(model)
    scores = module(torch.tensor(X, dtype=torch.float64))[:, 0].tolist()
    assert scores == pytest.approx(model.predict(X), rel=1e-13, abs=1e-14)
    torch_gradients(module)
    again = from_torch(module)
    for mine, theirs in zip(again.parameters(), from_torch_of_gradients(module), strict=True):
        mine.grad = theirs
    expected = gradients(model)
    found = [p.grad for p in again.parameters()]
    for name, mine, theirs in zip(model.named_parameters(), expected, found, strict=True):
        assert math.isclose(mine, theirs, rel_tol=1e-12, abs_tol=1e-14), (name, mine, theirs)
    assert again.predict(X) == model.predict(X)
    assert gradients(again) == expected


def from_torch_of_gradients(module):
    """The gradients in the order of our parameters, by the way of the parameters themselves."""
    for p in module.parameters():
        p.data = p.grad
    return [p.data for p in from_torch(module).parameters()]


def test_what_stands_between_layers_goes_over_and_back():
    shared = PReLU()
    shared.slope.data = 0.125
    last = Neuron(3, activation=autograd.tanh)
    model = Sequential(Layer(2, 3, nonlin=False), shared, Dropout(0.25), Sequential(Softplus()), last)
    module = to_torch(model.eval())
    kinds = ["Linear", "PReLU", "Dropout", "Softplus", "Linear", "Tanh"]
    assert [type(part).__name__ for part in module] == kinds
    assert module[1].weight.tolist() == [0.125]
    assert not module.training
    again: Any = from_torch(module)
    assert again.predict(X) == model.predict(X)
    assert [type(part).__name__ for part in again.modules] == ["Layer", "PReLU", "Dropout", "Softplus", "Layer"]
    assert (again.modules[2].p, again.training) == (0.25, False)


def test_modules_of_pytorch_come_over_as_they_are_made_there():
    torch.manual_seed(0)
    inner = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.LeakyReLU(0.2), torch.nn.Identity())
    module = torch.nn.Sequential(torch.nn.Linear(2, 3, bias=False), torch.nn.PReLU(3), inner, torch.nn.ELU(0.5))
    model: Any = from_torch(module)
    assert repr(model.modules[1]) == "Layer(nin=3, nout=3, nonlin=True, activation=LeakyReLU(slope=0.2))"
    expected = module.double()(torch.tensor(X, dtype=torch.float64)).tolist()
    for mine, theirs in zip(model.predict(X), expected, strict=True):
        assert all(close(x, y, 1e-14) for x, y in zip(mine, theirs, strict=True)), (mine, theirs)


def image_model():
    block = Residual(Conv2d(2, 2, (3, 1), padding=(1, 0), rng=1), SiLU())
    return Sequential(
        Reshape(1, 4, 4), Conv2d(1, 2, 3, padding=1, rng=0), block, Flatten(), LayerNorm(32, 1e-3),
        Layer(32, 3, nonlin=False, rng=2), Softmax(),
    )  # fmt: skip


def word_model():
    return Sequential(
        Embedding(6, 4, rng=0), Residual(Layer(4, 4, activation="tanh", rng=1)), Flatten(), Reshape(2, 6),
        Conv1d(2, 3, 3, stride=2, rng=2), Flatten(), Layer(6, 1, rng=3),
    )  # fmt: skip


IMAGES = [[math.sin(7 * i + j) for j in range(16)] for i in range(3)]
WORDS = [[0, 5, 2], [3, 3, 1]]


@pytest.mark.parametrize(("make", "samples", "dtype"), [(image_model, IMAGES, "float64"), (word_model, WORDS, "long")])
def test_models_of_all_layers_go_over_and_back(make, samples, dtype):
    model = make()
    module = to_torch(model)
    scores = module(torch.tensor(samples, dtype=getattr(torch, dtype)))
    ours = [model([float(x) for x in sample]) for sample in samples]
    assert all(close(x, y, 1e-13) for x, y in zip(data(ours), scores.flatten().tolist(), strict=True))
    again = from_torch(module)
    assert data([again(sample) for sample in samples]) == data(ours)
    weights = [1.0 + 0.1 * i for i in range(scores.numel())]  # so that all scores count, and none alike
    (scores.flatten() * torch.tensor(weights, dtype=torch.float64)).sum().backward()
    autograd.dot(autograd.flatten(ours)[0], weights).backward()
    for (name, p), theirs in zip(model.named_parameters().items(), from_torch_of_gradients(module), strict=True):
        assert math.isclose(p.grad, theirs, rel_tol=1e-12, abs_tol=1e-13), (name, p.grad, theirs)


def data(structure):
    return autograd.read_data(autograd.flatten(structure)[0])


class Bell(Module):
    def __init__(self):
        self.width = Value(1.0)


@pytest.mark.parametrize(
    ("convert", "said"),
    [
        (lambda: to_torch(Bell()), r"no module of PyTorch is known for Bell\(1 parameters\), only for Layer, MLP"),
        (lambda: to_torch(Sequential(Layer(2, 2), autograd.exp)), "is a function that is known here only"),
        (lambda: from_torch(torch.nn.Bilinear(2, 2, 2)), "nothing here is known to be Bilinear"),
        (lambda: from_torch(torch.nn.GELU("tanh")), "GELU here has approximate='none', unlike GELU"),
        (lambda: from_torch(torch.nn.PReLU(4)), "4 parameters where this package has 1"),
    ],
)
def test_what_has_no_counterpart_is_named(convert, said):
    with pytest.raises(TypeError, match=said):
        convert()


def test_without_pytorch_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "nn.torch_modules", None)
    with pytest.raises(ImportError, match=r"an exchange with PyTorch needs torch.* python -m pip install torch"):
        to_torch(MLP(2, [1]))
