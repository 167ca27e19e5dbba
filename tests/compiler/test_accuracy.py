"""Digits in compiled code: values and derivatives against mpmath, as numbers and on lanes of every width."""

import functools
import random

import accuracy
import numpy as np
import pytest

import nn
from autograd import grad, jit, maximum, minimum, vmap
from tests.compiler.conftest import same_bits

SOME = accuracy.EDGES + random.Random(0).sample(accuracy.points(), 150)
MANY = accuracy.points(seed=2)


@functools.cache
def expected(name, many=False):
    return [accuracy.exact(name, x) for x in (MANY if many else SOME)]


@pytest.mark.parametrize("name", accuracy.NAMES)
def test_compiled_values_and_two_derivatives_keep_their_digits_all_over_the_doubles(name):
    assert not accuracy.failures(name, SOME, accuracy.compiled(name, SOME), expected(name))


@pytest.mark.parametrize("name", accuracy.NAMES)
def test_lanes_keep_their_digits_all_over_the_doubles(name):
    assert not accuracy.failures(name, SOME, accuracy.lanes(name, SOME), expected(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", accuracy.NAMES)
def test_lanes_of_every_width_keep_their_digits_at_many_points(name, target):
    assert not accuracy.failures(name, MANY, accuracy.lanes(name, MANY, target), expected(name, many=True))


def test_losses_are_exact_when_compiled():
    tiny = 4.248354255291589e-18  # log(1 + e^-40)
    binary = jit(lambda x, label: (nn.binary_cross_entropy(x, label), grad(nn.binary_cross_entropy)(x, label)))
    assert binary(40.0, 1.0) == pytest.approx((tiny, -tiny), rel=1e-14)
    assert binary(-40.0, 0.0) == pytest.approx((tiny, tiny), rel=1e-14)
    several = jit(lambda scores, label: (nn.cross_entropy(scores, label), *grad(nn.cross_entropy)(scores, label)))
    assert several([40.0, 0.0], 0.0) == pytest.approx((tiny, -tiny, tiny), rel=1e-14)
    assert several([1e17, 1e17], 1.0) == pytest.approx((np.log(2), 0.5, -0.5), rel=1e-15)


def test_a_positive_zero_is_the_larger_one(target):
    zeros = [0.0, -0.0, 0.0, -0.0], [-0.0, 0.0, 0.0, -0.0]
    for function, sure in ((maximum, [0.0, 0.0, 0.0, -0.0]), (minimum, [-0.0, -0.0, 0.0, -0.0])):
        on_lanes = jit(vmap(function), target=target)(*map(np.array, zeros))
        for x, y, lane, wanted in zip(*zeros, on_lanes, sure, strict=True):
            for actual in (function(x, y), jit(function)(x, y), lane):
                assert same_bits(actual, wanted), (function, x, y)
