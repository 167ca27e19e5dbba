"""Scaling for training, and the network turned back after it."""

import pytest

from nn import MLP
from nn.scaling import Scale, unscale

ROWS = [[1000.0, 1e-6, 0.1], [1200.0, 3e-6, 0.1], [1900.0, -4e-6, 0.1]]


def test_scaled_columns_have_mean_0_and_deviation_1_and_constant_ones_are_0():
    columns = list(zip(*Scale.of(ROWS).apply(ROWS), strict=True))
    for column in columns[:2]:
        assert sum(column) == pytest.approx(0, abs=1e-12)
        assert sum(x * x for x in column) / 3 == pytest.approx(1)
    assert columns[2] == (0.0, 0.0, 0.0)
    assert Scale.of(ROWS).deviations[2] == 1.0


@pytest.mark.parametrize("nouts", [[2], [4, 2], [3, 4, 2]])
def test_an_unscaled_network_gives_the_same_for_the_numbers_themselves(nouts):
    model, inputs, outputs = MLP(3, nouts, rng=0), Scale.of(ROWS), Scale([5.0, -2.0], [100.0, 1e-3])
    expected = [
        [score * deviation + mean for score, mean, deviation in zip(scores, *outputs, strict=True)]
        for scores in model.predict(inputs.apply(ROWS))
    ]
    unscale(model, inputs, outputs)
    for scores, wanted in zip(model.predict(ROWS), expected, strict=True):
        assert scores == pytest.approx(wanted, rel=1e-9)
