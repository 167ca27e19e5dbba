"""The checks of the exercises: what is right passes; what is wrong gets a hint that does not give the answer away."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from autograd.teaching import EXERCISES, check

np = pytest.importorskip("numpy", reason="some exercises have arrays as answers")

W, DELTA = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1.0, -1.0, 0.5])


class Linear:
    def predict(self, X):
        return [0.5 + 2 * x - 3 * y for x, y in X]


class Bent:
    def predict(self, X):
        return [max(0.0, x + y - 1) for x, y in X]


def softmax_jacobian(z):
    p = np.exp(z) / np.exp(z).sum()
    return np.diag(p) - np.outer(p, p)


def rosenbrock_hessian():
    from autograd import hessian

    def f(x):
        return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))

    return hessian(f)([0.1 * i for i in range(20)])


ERRORS = [i / 4 for i in range(-12, 13)]
SLOPES = [max(-1.0, min(1.0, e)) for e in ERRORS]
NAMES = ["clara", "zoe", "bob"]
FIBONACCI = 2880067194370816120.0

# Of each exercise right answers, and wrong ones as people give them: what is changed, and what the hint is about.
CASES: dict[str, Any] = {
    "00.1": ({"by_a": 20, "by_b": 4.0}, [({"by_a": 10}, "two uses"), ({"by_b": 5}, "contained")]),
    "00.2": (
        {"largest": 1.0},
        [({"largest": 0.3}, "larger"), ({"largest": 3}, "first"), ({"largest": 0.9}, "other side")],
    ),
    "00.3": (
        {"neuron_gets_right": 3, "network_gets_right": 4},
        [({"neuron_gets_right": 4}, "line"), ({"network_gets_right": 2}, "labels")],
    ),
    "01.1": ({"by_a": 1 / 8, "by_b": -3 / 8}, [({"by_a": 0.25}, "by_a"), ({"by_b": 3 / 8}, "shrink")]),
    "01.2": (
        {"x_grad": 24, "y_grad": 3.0, "z_grad": 1},
        [({"x_grad": 18}, "set it to 0"), ({"y_grad": 4}, "no leaf"), ({"z_grad": 0}, "z_grad")],
    ),
    "01.3": ({"root": 0.7390851332151607, "steps": 4}, [({"root": 0.739}, "15 digits"), ({"steps": 40}, "set to 0")]),
    "02.1": (
        {"y": 3.5, "by_q": 0.5, "by_t": 0.25, "by_x": 0.75},
        [({"by_t": 2.0}, "below the line"), ({"by_x": 0.25}, "not only in t"), ({"y": 4}, "q is 7")],
    ),
    "02.2": ({"plain": 1e-41, "residual": 12.0}, [({"plain": 0.1}, "forty"), ({"residual": 0.5}, "two ways")]),
    "02.3": ({"derivative": FIBONACCI, "nodes": 89}, [({"nodes": 90}, "same node"), ({"derivative": 1.78e18}, "f_89")]),
    "03.1": ({"downhill": "A"}, [({"downhill": "B"}, "grows"), ({"downhill": 1}, "downhill")]),
    "03.2": ({"wrong": "C", "factor": 0.1}, [({"wrong": "A"}, "no proof"), ({"factor": 3}, "divided")]),
    "03.3": (
        {"missing_in_w2": ["w3"], "missing_in_w1": ["w2", "w3"]},
        [({"missing_in_w1": ["w3"]}, "one of two"), ({"missing_in_w2": ["w2"]}, "chain")],
    ),
    "04.1": (
        {"ds_dx": DELTA @ W, "delta": DELTA, "W": W},
        [({"ds_dx": DELTA}, "fewer"), ({"ds_dx": DELTA[:2]}, "column"), ({"ds_dx": 1.0}, "row")],
    ),
    "04.2": (
        {"jacobian_of_softmax": softmax_jacobian},
        [({"jacobian_of_softmax": lambda z: np.eye(3)}, "diagonal"), ({"jacobian_of_softmax": 3}, "went wrong")],
    ),
    "05.1": ({"optimizer": "SGD with momentum", "mu": 1}, [({"optimizer": "Adam"}, "adds up"), ({"mu": 0.9}, "left")]),
    "05.2": ({"straight": Linear(), "right": 0.87}, [({"straight": Bent()}, "plane"), ({"right": 87}, "fraction")]),
    "05.3": (
        {"right": 0.97},
        [({"right": 0.5}, "guessing"), ({"right": 0.8}, "on the way"), ({"right": 97}, "fraction")],
    ),
    "06.1": ({"paths": 3}, [({"paths": 4}, "same way"), ({"paths": 1}, "rounds")]),
    "06.2": (
        {"errors": ERRORS, "slopes": SLOPES, "paths": 1},
        [({"paths": 3}, "if"), ({"slopes": ERRORS}, "beyond"), ({"slopes": [2 * s for s in SLOPES]}, "itself")],
    ),
    "06.3": (
        {"hessian_there": rosenbrock_hessian(), "times_faster": 50.0},
        [
            ({"times_faster": 0.5}, "first call"),
            ({"hessian_there": np.eye(20)}, "point"),
            ({"hessian_there": [[1]]}, "20"),
        ],
    ),
    "07.1": ({"different": {0.3: 9, 1.0: 17, 2.0: 20}}, [({"different": {0.3: 20, 1.0: 20, 2.0: 20}}, "likeliest")]),
    "07.2": (
        {"surprise": lambda name: float(len(set(name))), "least": "bob", "names": NAMES},
        [({"least": "zoe"}, "less"), ({"least": "qq"}, "thirty"), ({"surprise": lambda name: 1.0}, "qxzvb")],
    ),
    "07.3": ({"first_place": 4}, [({"first_place": 3}, "dot"), ({"first_place": 0}, "maria")]),
    "08.1": ({"groups": 3, "most_workers": 3}, [({"groups": 2}, "left over"), ({"most_workers": 600}, "group")]),
    "08.2": ({"numbers": [1e16, 1.0, -1e16]}, [({"numbers": [1, 2, 3]}, "large"), ({"numbers": [1.0]}, "three")]),
    "08.3": ({"to_each": 256, "back": 792}, [({"to_each": 32}, "bytes"), ({"back": 264}, "one group")]),
}
WITHOUT_NOTEBOOK = set(EXERCISES) - {"04.3"}  # which needs the notebook's layers: its own solution is the test


def test_every_exercise_has_its_cases():
    assert set(CASES) == WITHOUT_NOTEBOOK


@pytest.mark.parametrize("exercise", CASES)
def test_what_is_right_passes(exercise):
    verdict = check(exercise, **CASES[exercise][0])
    assert verdict
    assert repr(verdict) == "Right."


@pytest.mark.parametrize(
    ("exercise", "change", "about"), [(name, *wrong) for name, (_, wrongs) in CASES.items() for wrong in wrongs]
)
def test_what_is_wrong_gets_a_hint_and_not_the_answer(exercise, change, about):
    right = CASES[exercise][0]
    verdict = check(exercise, **{**right, **change})
    assert not verdict
    assert verdict.message.startswith("Not yet: ")
    assert about in verdict.message
    for name in change:
        if isinstance(right[name], float) and not right[name].is_integer() and exercise != "03.2":  # which names 0.1
            assert f"{right[name]:g}" not in verdict.message


@pytest.mark.parametrize("exercise", CASES)
def test_what_is_not_answered_is_named(exercise):
    right = CASES[exercise][0]
    name = next(iter(right))
    assert check(exercise, **{**right, name: ...}).message.startswith(f"Not answered yet: {name}.")


def test_a_wrong_call_says_what_is_asked_for():
    with pytest.raises(ValueError, match=r"no exercise '99.1'; there are 00.1"):
        check("99.1")
    with pytest.raises(ValueError, match=r"exercise 01.1 asks for by_a, by_b, got by_c"):
        check("01.1", by_c=1)


def test_the_notebooks_ask_for_each_exercise_once():
    folder = Path(__file__).parents[1] / "notebooks"
    if not folder.exists():
        pytest.skip("the notebooks are not beside the tests")
    asked = []
    for path in sorted(folder.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                asked += re.findall(r'^check\("([\d.]+)"', "".join(cell["source"]), re.MULTILINE)
    assert sorted(asked) == sorted(EXERCISES)
