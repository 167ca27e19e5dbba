"""Convolutions, LayerNorm, Embedding, Residual and Softmax: the numbers and gradients of PyTorch, in every mode."""

import itertools
import json

import pytest

import autograd
import nn
from autograd import Value, read_grads
from nn import (
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Softmax,
    Tanh,
)

numpy = pytest.importorskip("numpy")


def drawn(*shape):
    return numpy.random.default_rng(sum(shape)).normal(size=shape)


def with_weights(module, theirs):
    """The module with the weights of a module of PyTorch, whose names and shapes are the same."""
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            parameter[...] = torch.tensor(drawn(*parameter.shape) + 0.1)
            ours = autograd.flatten(getattr(module, name))[0]
            for weight, number in zip(ours, parameter.flatten().tolist(), strict=True):
                weight.data = number
    return module


def hold_to_torch(module, theirs, x):
    """Forward, and the derivatives of a sum of squares by weights and inputs."""
    torch = pytest.importorskip("torch")
    inputs = torch.tensor(x, requires_grad=True)
    expected = theirs(inputs)
    weights = torch.tensor(drawn(*expected.shape))
    (expected * weights).square().sum().backward()
    ours = autograd.array(x).tolist()
    found = module(ours)
    numbers = autograd.flatten(found)[0]
    assert numpy.shape(found) == expected.shape
    assert autograd.read_data(numbers) == pytest.approx(expected.flatten().tolist(), rel=1e-12, abs=1e-12)
    weighed = [z * w for z, w in zip(numbers, weights.flatten().tolist(), strict=True)]
    module.zero_grad()
    autograd.dot(weighed, weighed).backward()
    assert numpy.array(read_grads(ours)) == pytest.approx(inputs.grad.numpy(), rel=1e-11, abs=1e-11)
    for name, parameter in theirs.named_parameters():
        ours = numpy.array(read_grads(getattr(module, name)))
        assert ours == pytest.approx(parameter.grad.numpy(), rel=1e-11, abs=1e-11), name


@pytest.mark.parametrize(("size", "stride", "padding"), [(1, 1, 0), (3, 1, 0), (3, 2, 1), (4, 3, 5), (5, 1, 2)])
def test_conv1d_is_that_of_pytorch(size, stride, padding):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Conv1d(2, 3, size, stride=stride, padding=padding, dtype=torch.float64)
    hold_to_torch(with_weights(Conv1d(2, 3, size, stride=stride, padding=padding), theirs), theirs, drawn(2, 6))


@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(1, 1, 0), (3, 1, 1), ((2, 3), (1, 2), (0, 2)), ([3, 1], 2, [1, 0])]
)
def test_conv2d_is_that_of_pytorch(size, stride, padding):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Conv2d(2, 2, size, stride=stride, padding=padding, dtype=torch.float64)
    hold_to_torch(with_weights(Conv2d(2, 2, size, stride=stride, padding=padding), theirs), theirs, drawn(2, 5, 6))


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 1, 4)])
def test_layer_norm_and_softmax_are_those_of_pytorch_for_each_innermost_list(shape):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.LayerNorm(4, eps=1e-3, dtype=torch.float64)
    hold_to_torch(with_weights(LayerNorm(4, epsilon=1e-3), theirs), theirs, drawn(*shape))
    hold_to_torch(Softmax(), torch.nn.Softmax(dim=-1), drawn(*shape))


def test_an_embedding_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Embedding(5, 3, dtype=torch.float64)
    module = with_weights(Embedding(5, 3), theirs)
    tokens = [[0, 4], [4, 2]]
    expected = theirs(torch.tensor(tokens))
    expected.square().sum().backward()
    found = module(tokens)
    assert autograd.read_data(found) == expected.tolist()
    numbers = autograd.flatten(found)[0]
    autograd.dot(numbers, numbers).backward()
    assert read_grads(module.weight) == theirs.weight.grad.tolist()
    for wrong in (5, -1, 0.5):
        with pytest.raises(IndexError, match=r"5 values have the whole numbers 0 to 4"):
            module(wrong)


def test_a_residual_adds_what_goes_in():
    block = Residual(Layer(3, 4, activation="tanh", rng=0), Layer(4, 3, nonlin=False, rng=1))
    x = [0.5, -1.0, 2.0]
    inner = Sequential(*block.modules)(x)
    assert [z.data for z in block(x)] == [a + b.data for a, b in zip(x, inner, strict=True)]
    assert Residual(ReLU())([[1.0, -2.0], [3.0, 4.0]]) == [[2.0, -2.0], [6.0, 8.0]]
    with pytest.raises(ValueError, match="Residual adds what its modules give to a list of 3, and that is a list of 2"):
        Residual(Layer(3, 2))(x)
    with pytest.raises(ValueError, match="to a list of 3, and that is one number"):
        Residual(Layer(3, 1))(x)


# --- in models --------------------------------------------------------------------------------------------------------


def image_model():
    return Sequential(
        Reshape(1, 4, 4), Conv2d(1, 2, 3, padding=1, rng=0), ReLU(), Residual(Conv2d(2, 2, 3, padding=1, rng=1)),
        Flatten(), LayerNorm(32), Layer(32, 3, nonlin=False, rng=2), Softmax(),
    )  # fmt: skip


def word_model():
    return Sequential(
        Embedding(6, 4, rng=0), LayerNorm(4), Residual(Layer(4, 4, activation="tanh", rng=1)), Flatten(),
        Reshape(1, 12), Conv1d(1, 2, 3, stride=2, rng=2), Tanh(), Flatten(), Layer(10, 3, nonlin=False, rng=3),
    )  # fmt: skip


IMAGES = numpy.random.default_rng(0).normal(size=(12, 16))
WORDS = numpy.array(list(itertools.product(range(6), range(2), [3])), dtype=float)
CLASSES = [i % 3 for i in range(12)]
MODELS = {
    "images": (image_model, IMAGES, "negative_log_likelihood"),
    "words": (word_model, WORDS, "cross_entropy"),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_all_layers_train_compiled_as_they_do_eagerly(name):
    pytest.importorskip("llvmlite")
    make, X, loss = MODELS[name]
    settings = {"loss": loss, "epochs": 3, "batch_size": 6, "progress": False}
    eager, compiled = make(), make()
    expected = nn.fit(eager, X, CLASSES, backend="eager", **settings)
    history = nn.fit(compiled, X, CLASSES, backend="jit", **settings)
    assert history.loss == pytest.approx(expected.loss, rel=1e-12)
    assert list(compiled.state_dict().values()) == pytest.approx(list(eager.state_dict().values()), rel=1e-7, abs=1e-9)
    numpy.testing.assert_allclose(compiled.predict(X), eager.predict(X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_models_of_all_layers_are_saved_and_loaded_and_shown(name, tmp_path):
    make, X, _ = MODELS[name]
    model = make()
    model.modules[1].freeze()
    nn.save(model, tmp_path / "model.json")
    again = nn.load(tmp_path / "model.json")
    assert repr(again) == repr(model)
    assert again.state_dict() == model.state_dict()
    assert list(again.trainable_parameters()) == list(model.trainable_parameters())
    assert (again.predict(X) == model.predict(X)).all()
    assert str(eval(repr(model), vars(nn))) == repr(model)
    summary = model.summary()
    assert [line.split()[:2] for line in summary.splitlines()[1:-1]] == [
        [place, type(module).__name__]
        for place, module in nn.module.named_modules(model).items()
        if place.split(".")[-2:-1] == ["modules"] and not isinstance(module, Residual)
    ]


def test_loading_draws_nothing_and_asks_for_no_more_than_the_file_has(tmp_path):
    import random

    path = tmp_path / "model.json"
    model = Sequential(Conv2d(1, 2, [2, 3]), Flatten(), LayerNorm(4), Embedding(3, 2))
    nn.save(model, path)
    random.seed(0)
    nn.load(path)
    first = random.random()
    random.seed(0)
    assert first == random.random()
    document = json.loads(path.read_text())
    entries = [(0, "in_channels"), (0, "kernel_size"), (2, "size"), (3, "num_embeddings"), (3, "embedding_dim")]
    for place, name in entries:
        modules = [dict(module) for module in document["architecture"]["modules"]]
        modules[place][name] = 10**9
        changed = document | {"architecture": {"type": "Sequential", "modules": modules}}
        path.write_text(json.dumps(changed))
        with pytest.raises(nn.ModelFileError, match="its architecture has more parameters than"):
            nn.load(path)


def test_a_convolution_is_compiled_by_table():
    pytest.importorskip("llvmlite")
    conv = Conv2d(2, 4, 3, rng=0)

    def loss(parameters, x):
        return autograd.sum([z * z for z in autograd.flatten(conv.with_parameters(parameters)(x.tolist()))[0]])

    X = numpy.random.default_rng(0).normal(size=(8, 2, 6, 6))
    batch = autograd.vmap(loss, in_axes=(None, 0), reduce="mean")
    report = autograd.jit(autograd.value_and_grad(batch)).lower(conv.state_dict(), X)
    products = 4 * 4 * 4 * (2 * 3 * 3)
    assert report.terms >= 1.9 * products, report  # forward, and backward to the weights
    assert report.instructions < products / 2, report


# --- wrong arguments --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Conv1d(0, 1, 1), ValueError, "in_channels must be at least 1, got 0"),
        (lambda: Conv1d(1, 1, 2, padding=-1), ValueError, "padding must be at least 0, got -1"),
        (lambda: Conv1d(1, 1, (2, 2)), ValueError, r"kernel_size is a whole number, or 1 of them, got \(2, 2\)"),
        (lambda: Conv2d(1, 1, 2.5), TypeError, "kernel_size must be a whole number, got float 2.5"),
        (
            lambda: Conv2d(2, 1, 2)([[1.0] * 4] * 4),
            ValueError,
            r"a list of 2 channels, each a list of rows, each a list of numbers; got a shape of \[4, 4\]\. Reshape",
        ),
        (
            lambda: Conv1d(1, 1, 2)([1.0]),
            ValueError,
            r"a list of 1 channel, each a list of numbers; got a shape of \[1\]",
        ),
        (lambda: Conv1d(2, 1, 2)([[1.0, 2.0], [3.0]]), ValueError, "got lists of different lengths"),
        (lambda: Conv1d(1, 1, 3)([[1.0, 2.0]]), ValueError, r"kernel_size=3, .*\) does not fit in 2 numbers"),
        (lambda: LayerNorm(3)([1.0]), ValueError, r"LayerNorm\(3\) takes lists of 3 numbers, got 1"),
        (lambda: LayerNorm(3, epsilon=0.0), ValueError, "epsilon must be positive"),
        (lambda: Embedding(3, 0), ValueError, "embedding_dim must be at least 1, got 0"),
        (lambda: Reshape(), ValueError, "Reshape needs a size at least"),
        (lambda: Reshape(2, 2)([1.0] * 5), ValueError, r"Reshape\(2, 2\) takes 4 numbers, got 5"),
        (lambda: Residual(3), TypeError, "Residual takes Modules, got int 3"),
    ],
)
def test_wrong_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_fit_says_which_shape_a_layer_takes():
    with pytest.raises(
        ValueError, match=r"Sequential does not take the 16 features of X: Conv2d takes a list of 1 channel"
    ):
        nn.fit(Sequential(Conv2d(1, 1, 3), Flatten(), Layer(4, 1)), IMAGES, CLASSES, progress=False)


def test_dropout_takes_lists_of_any_shape():
    with nn.draws_from([0.1, 0.9, 0.1, 0.9]):
        assert Dropout(0.5)([[1.0, 2.0], [3.0, 4.0]]) == [[0.0, 4.0], [0.0, 8.0]]
    assert Value(1.0).trainable
