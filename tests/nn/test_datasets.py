"""Data sets, and samples drawn from them."""

import gzip
import math
from unittest import mock

import pytest

from nn import datasets
from nn.datasets import DATASETS, DataError, split


@pytest.mark.parametrize("name", ["moons", "circles", "spirals", "xor"])
def test_a_data_set_has_the_samples_asked_for_and_depends_on_the_seed_only(name):
    X, y = DATASETS[name](40, noise=0.05, seed=3)
    assert len(X) == len(y) == 40
    assert {len(x) for x in X} == {2}
    assert sorted(y) == [0] * 20 + [1] * 20
    assert {type(v) for x in X for v in x} == {float}
    assert DATASETS[name](40, noise=0.05, seed=3) == (X, y)
    assert DATASETS[name](40, noise=0.05, seed=4)[0] != X


def test_digits_are_images_of_64_pixels_with_their_digit():
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    X, y = DATASETS["digits"](300, seed=1)
    assert len(X) == len(y) == 300
    assert {len(x) for x in X} == {64}
    assert (min(map(min, X)), max(map(max, X))) == (0.0, 1.0)
    assert sorted(set(y)) == list(range(10))
    assert DATASETS["digits"](300, seed=1) == (X, y)
    assert DATASETS["digits"](300, seed=2)[1] != y
    with pytest.raises(DataError, match="there are 1797 digits, not 2000"):
        DATASETS["digits"](2000)


def test_digits_are_those_of_scikit_learn_wherever_it_keeps_them(monkeypatch):
    load_digits = pytest.importorskip("sklearn.datasets", reason="the digits are scikit-learn's").load_digits
    X, y = datasets.digits()
    images, labels = load_digits(return_X_y=True)
    assert sorted(zip((images / 16).tolist(), labels.tolist(), strict=True)) == sorted(zip(X, y, strict=True))
    monkeypatch.setattr(gzip, "open", mock.Mock(side_effect=FileNotFoundError))
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda **_: (images, labels))
    assert datasets.digits() == (X, y)


def test_spirals_without_noise_are_two_turns_opposite_each_other():
    for (x0, x1), label in zip(*DATASETS["spirals"](50, noise=0.0), strict=True):
        radius = math.hypot(x0, x1)
        angle = 2 * math.pi * radius + math.pi * label
        assert (x0, x1) == pytest.approx((radius * math.cos(angle), radius * math.sin(angle)))


@pytest.mark.parametrize(("n", "noise", "seed"), [(200, 0.1, 0), (7, 0.0, 1), (1000, 1.5, 123456789)])
@pytest.mark.parametrize("name", ["moons", "circles"])
def test_moons_and_circles_are_scikit_learns(name, n, noise, seed):
    datasets = pytest.importorskip("sklearn.datasets", reason="the reference is scikit-learn")
    factor = {"factor": 0.5} if name == "circles" else {}
    X, y = getattr(datasets, f"make_{name}")(n_samples=n, noise=noise, random_state=seed, **factor)
    ours = DATASETS[name](n, noise=noise, seed=seed)
    assert ours[1] == y.tolist()
    assert ours[0] == [pytest.approx(x, rel=0, abs=4e-15) for x in X.tolist()]


def test_without_scikit_learn_digits_say_what_to_install(monkeypatch):
    monkeypatch.setattr(datasets, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"scikit-learn.*: python -m pip install scikit-learn"):
        DATASETS["digits"]()
    assert len(DATASETS["moons"](4)[0]) == 4


def test_split_uses_every_sample_once():
    X, y = [[float(i)] for i in range(11)], list(range(11))
    X1, y1, X2, y2 = split(X, y, 0.3, seed=1)
    assert (len(X1), len(X2)) == (8, 3)
    assert sorted(X1 + X2) == X
    assert [[float(i)] for i in y1 + y2] == X1 + X2
    assert split(X, y, 0.3, seed=2)[1] != y1
    with pytest.raises(ValueError, match="leaves none of 1 samples"):
        split([[1.0]], [1], 0.9)
    with pytest.raises(ValueError, match=r"below 1, got 1\.5"):
        split(X, y, 1.5)
