"""Update rules, written out a second time as their papers have them; schedules; settings out of their range."""

import math

import numpy as np
import pytest

from autograd import Value
from nn import SGD, Adam, AdamW, RMSprop
from nn.optimizers import find_optimizer
from nn.schedules import constant, cosine, linear, step

STEPS = 50


def slope(theta):
    """The derivative of a bumpy bowl."""
    return 2 * theta + 3 * math.cos(5 * theta)


def by_hand_sgd(theta, lr, momentum=0.0, nesterov=False, decay=0.0):
    buffer = None
    for _ in range(STEPS):
        g = slope(theta) + decay * theta
        if momentum:
            buffer = g if buffer is None else momentum * buffer + g
            g = g + momentum * buffer if nesterov else buffer
        theta = theta - lr * g
    return theta


def by_hand_adam(theta, lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, decoupled=False):
    m = v = 0.0
    for t in range(1, STEPS + 1):
        g = slope(theta)
        if decoupled:
            theta = theta - lr * decay * theta
        else:
            g = g + decay * theta
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        theta = theta - lr * (m / (1 - b1**t)) / (math.sqrt(v / (1 - b2**t)) + eps)
    return theta


def by_hand_rmsprop(theta, lr, alpha=0.99, eps=1e-8, momentum=0.0, decay=0.0):
    v = b = 0.0
    for _ in range(STEPS):
        g = slope(theta) + decay * theta
        v = alpha * v + (1 - alpha) * g**2
        b = momentum * b + g / (math.sqrt(v) + eps)
        theta = theta - lr * b
    return theta


CASES = {
    "sgd": (SGD(0.05), lambda x: by_hand_sgd(x, 0.05)),
    "sgd with weight decay": (SGD(0.05, weight_decay=0.1), lambda x: by_hand_sgd(x, 0.05, decay=0.1)),
    "momentum": (SGD(0.02, momentum=0.9), lambda x: by_hand_sgd(x, 0.02, 0.9)),
    "nesterov": (
        SGD(0.02, momentum=0.9, nesterov=True, weight_decay=0.01),
        lambda x: by_hand_sgd(x, 0.02, 0.9, True, 0.01),
    ),
    "adam": (Adam(0.05), lambda x: by_hand_adam(x, 0.05)),
    "adam with settings": (
        Adam(0.05, betas=(0.8, 0.95), epsilon=1e-3, weight_decay=0.1),
        lambda x: by_hand_adam(x, 0.05, 0.8, 0.95, 1e-3, 0.1),
    ),
    "adamw": (AdamW(0.05), lambda x: by_hand_adam(x, 0.05, decay=0.01, decoupled=True)),
    "rmsprop": (RMSprop(0.02), lambda x: by_hand_rmsprop(x, 0.02)),
    "rmsprop with settings": (
        RMSprop(0.02, alpha=0.9, epsilon=1e-4, momentum=0.5, weight_decay=0.1),
        lambda x: by_hand_rmsprop(x, 0.02, 0.9, 1e-4, 0.5, 0.1),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_fifty_steps_follow_the_formulas_on_values_floats_and_vectors(name):
    optimizer, by_hand = CASES[name]
    starts = [1.5, -0.75, 0.01]
    expected = [by_hand(x) for x in starts]

    parameters = [Value(x) for x in starts]
    for _ in range(STEPS):
        for p in parameters:
            p.grad = slope(p.data)
        optimizer.step(parameters)
    assert [p.data for p in parameters] == pytest.approx(expected, rel=1e-12)

    vector, state = np.array(starts), optimizer.initial_state()
    for t in range(1, STEPS + 1):
        gradient = np.array([slope(x) for x in vector])
        vector, state = optimizer.update(vector, gradient, state, t, optimizer.rate(t))
    assert vector.tolist() == pytest.approx(expected, rel=1e-12)


def test_the_step_is_against_the_gradient():
    x = Value(1.0)
    x.grad = 10.0
    SGD(0.1).step([x])
    assert x.data == 0.0


def test_schedules():
    assert [constant(0.3)(k) for k in (0, 10**6)] == [0.3, 0.3]
    rate = linear(1.0, 0.1, over=100)
    assert [rate(k) for k in range(100)] == [1.0 - 0.9 * k / 100 for k in range(100)]  # micrograd's demo, to the bit
    assert (rate(100), rate(1000)) == (0.1, 0.1)
    rate = cosine(1.0, 0.2, over=10)
    assert [rate(k) for k in (0, 5, 10, 11)] == pytest.approx([1.0, 0.6, 0.2, 0.2])
    assert rate(1) == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi / 10)) / 2)
    rate = step(1.0, 0.1, every=3)
    assert [rate(k) for k in (0, 2, 3, 5, 6)] == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_a_schedule_counts_the_steps():
    x, optimizer = Value(0.0), SGD(linear(1.0, 0.5, over=2))
    moved = []
    for _ in range(4):
        x.data, x.grad = 0.0, -1.0
        optimizer.step([x])
        moved.append(x.data)
    assert moved == [1.0, 0.75, 0.5, 0.5]


@pytest.mark.parametrize("rate", [0.0, -0.1, math.nan, math.inf])
@pytest.mark.parametrize("kind", [SGD, Adam, AdamW, RMSprop])
def test_a_learning_rate_that_is_not_positive_is_refused(kind, rate):
    with pytest.raises(ValueError, match=f"learning rate must be positive, got {rate!r}"):
        kind(rate)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.0), "momentum must be 0 or more and below 1, got 1.0"),
        (lambda: SGD(nesterov=True), "nesterov needs a momentum"),
        (lambda: SGD(weight_decay=-1), "weight decay must be 0 or more, got -1"),
        (lambda: Adam(betas=(0.9, 1.5)), "beta must be 0 or more and below 1, got 1.5"),
        (lambda: RMSprop(epsilon=0), "epsilon must be positive, got 0"),
        (lambda: linear(0.0, 0.1, 10), "learning rate must be positive"),
        (lambda: cosine(0.1, -0.1, 10), "end must be 0 or more, got -0.1"),
        (lambda: step(0.1, 0.5, 0), "every must be a whole number, at least 1, got 0"),
        (lambda: SGD(lambda count: -1.0).rate(3), "the learning rate after 3 must be 0 or more, got -1.0"),
        (lambda: find_optimizer("adagrad"), "unknown optimizer 'adagrad'; choose from sgd, adam, adamw, rmsprop"),
    ],
)
def test_settings_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("make", [lambda: SGD(linear(1.0, 0.5, over=2), momentum=0.9), Adam, AdamW, RMSprop])
def test_the_parameters_of_another_model_start_afresh(make):
    def run(optimizer, steps):
        x = Value(1.0)
        for k in range(steps):
            x.grad = 1.0 + k
            optimizer.step([x])
        return x.data

    used = make()
    alone = run(used, 3)
    assert run(used, 4) == run(make(), 4)
    assert run(used, 3) == alone
    first, second, both = Value(1.0), Value(1.0), make()
    for k in range(3):
        for x in (first, second):  # in turn, as the two networks of a GAN
            x.grad = 1.0 + k
            both.step([x])
    assert first.data == second.data == alone
