"""Neurons, layers and networks: their cost in nodes, their initialisation, their arguments."""

import math
import random

import pytest

import autograd
from autograd.graph import topological_order
from nn import MLP, Layer, Neuron, PReLU, ReLU, Sequential, Swish
from nn.activations import ACTIVATIONS


def test_a_neuron_costs_two_nodes_and_a_linear_one_costs_one():
    def recorded(neuron):
        return [node.op.name for node in topological_order([neuron([1.0, 2.0, 3.0])]) if node.op]

    assert recorded(Neuron(3)) == ["dot", "relu"]
    assert recorded(Neuron(3, activation="prelu")) == ["dot", "leaky_relu"]
    assert recorded(Neuron(3, nonlin=False)) == ["dot"]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_differentiable_in_a_network_that_trains_all_its_parameters(name):
    model = MLP(2, [3, 1], activation=name, rng=3)
    model([0.5, -0.7]).backward()
    assert any(p.grad for p in model.layers[0].parameters())
    own = model.layers[0].neurons[0].activation.parameters()
    assert bool(own) == (name in ("prelu", "swish"))


def test_learnt_activations_have_one_parameter_a_neuron():
    model = MLP(2, [3, 1], activation=PReLU())
    slopes = [neuron.activation.slope for neuron in model.layers[0].neurons]
    assert len({id(s) for s in slopes}) == 3
    assert len(model.parameters()) == 13 + 3
    assert "layers.0.neurons.2.activation.slope" in model.named_parameters()


def test_swish_with_beta_1_is_silu_and_beta_is_learnt():
    swish = Swish()
    out = swish(1.5)
    out.backward()
    assert out.data == pytest.approx(autograd.silu(1.5), rel=1e-15)
    s = autograd.sigmoid(1.5)
    assert swish.beta.grad == pytest.approx(1.5**2 * s * (1 - s), rel=1e-14)


def test_activations_apply_to_each_of_a_list():
    assert ReLU()([-1.0, 2.0]) == [0.0, 2.0]


def test_an_activation_may_be_a_function():
    neuron = Neuron(1, activation=autograd.sin, rng=0)
    assert neuron([2.0]).data == math.sin(neuron.w[0].data * 2.0)


def test_a_hidden_layer_of_one_neuron_feeds_the_next():
    model = MLP(2, [1, 2], rng=0)
    assert len(model([1.0, 1.0])) == 2
    assert model.predict([[1.0, 1.0]]) == [[score.data for score in model([1.0, 1.0])]]


def test_sequential_calls_one_after_the_other():
    model = Sequential(Layer(2, 3, nonlin=False), PReLU(), Layer(3, 1, nonlin=False))
    hidden = [z if z > 0 else 0.25 * z for z in model.modules[0].predict([[1.0, -2.0]])[0]]
    assert model([1.0, -2.0]).data == model.modules[2].predict([hidden])[0]


def test_initialisations_have_the_variance_that_they_promise():
    def variance(init):
        weights = [w.data for neuron in Layer(50, 200, init=init, rng=0).neurons for w in neuron.w]
        return sum(w * w for w in weights) / len(weights)

    assert variance("uniform") == pytest.approx(1 / 3, rel=0.05)
    assert variance("he") == pytest.approx(2 / 50, rel=0.05)
    assert variance("xavier") == pytest.approx(2 / 250, rel=0.05)


def test_rng_is_the_global_one_or_a_seed_or_a_generator():
    random.seed(5)
    drawn = MLP(2, [2, 1]).state_dict()
    assert drawn == MLP(2, [2, 1], rng=5).state_dict() == MLP(2, [2, 1], rng=random.Random(5)).state_dict()


def test_init_may_be_a_function_of_generator_and_sizes():
    layer = Layer(3, 2, init=lambda rng, nin, nout: nin + 10.0 * nout)
    assert [w.data for neuron in layer.neurons for w in neuron.w] == [23.0] * 6


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Neuron(0), ValueError, "nin must be at least 1, got 0"),
        (lambda: Neuron("3"), TypeError, "nin must be a whole number, got str '3'"),
        (lambda: Layer(2, 2.0), TypeError, "nout must be a whole number, got float 2.0"),
        (lambda: MLP(2, 3), TypeError, "nouts must be a list with the number of neurons in each layer, got 3"),
        (lambda: MLP(2, []), TypeError, "nouts must be a list"),
        (lambda: MLP(2, [3, 1], activation="rlu"), ValueError, "unknown activation 'rlu'; choose from relu, tanh"),
        (lambda: Neuron(2, activation=3), TypeError, "activation must be a name, a Module or a function, got int 3"),
        (
            lambda: Neuron(2, init="kaiming"),
            ValueError,
            "unknown initialisation 'kaiming'; choose from auto, uniform, he",
        ),
        (lambda: Sequential(3), TypeError, "Sequential takes Modules, got int 3"),
        (lambda: Neuron(2)([1.0, 2.0, 3.0]), ValueError, "2 weights for 3 inputs"),
    ],
)
def test_wrong_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_reprs_are_short_and_readable():
    assert repr(MLP(2, [16, 16, 1], activation="tanh")) == "MLP(nin=2, nouts=[16, 16, 1], activation=Tanh())"
    assert repr(Neuron(2, nonlin=False)) == "Neuron(nin=2, nonlin=False)"
    assert repr(Sequential(Layer(2, 1, nonlin=False), PReLU())) == (
        "Sequential(Layer(nin=2, nout=1, nonlin=False), PReLU())"
    )


@pytest.mark.parametrize(("activation", "init"), [("relu", "he"), ("prelu", "he"), ("gelu", "he"), ("tanh", "xavier")])
def test_auto_draws_weights_by_the_activation_and_those_of_a_linear_neuron_by_xavier(activation, init):
    def weights(layer):
        return [w.data for neuron in layer.neurons for w in neuron.w]

    auto = MLP(3, [4, 2], activation, init="auto", rng=0)
    assert weights(auto.layers[0]) == weights(Layer(3, 4, activation=activation, init=init, rng=0))
    assert weights(Layer(3, 4, nonlin=False, init="auto", rng=0)) == weights(Layer(3, 4, init="xavier", rng=0))


def test_by_default_layers_are_drawn_by_the_activation_and_a_neuron_alone_as_in_micrograd():
    def numbers(module):
        return list(module.state_dict().values())

    assert numbers(MLP(3, [4, 2], rng=0)) == numbers(MLP(3, [4, 2], init="auto", rng=0))
    assert numbers(Layer(3, 4, rng=0)) == numbers(Layer(3, 4, init="auto", rng=0))
    assert numbers(Neuron(3, rng=0)) == numbers(Neuron(3, init="uniform", rng=0))


def test_biases_begin_at_0_but_before_a_rectifier_where_auto_lets_few_neurons_be_0():
    def biases(**settings):
        return {neuron.b.data for layer in MLP(3, [4, 2], rng=0, **settings).layers for neuron in layer.neurons}

    assert biases() == {0.3, 0.0}
    assert biases(activation="tanh") == biases(init="he") == biases(init="uniform") == {0.0}
