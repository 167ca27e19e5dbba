"""Structures: taken apart and put together, and NumPy arrays of Values in ordinary expressions."""

import subprocess
import sys
from collections import OrderedDict, defaultdict
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, grad
from autograd.transforms.tree import has_values, leaves, matching_leaves, names, parameters, rebuild
from nn import MLP


class Pair(NamedTuple):
    first: object
    second: object


NUMBERS = st.floats(-10, 10)
TREES = st.recursive(
    NUMBERS | st.none() | st.lists(NUMBERS, max_size=4).map(np.array),
    lambda trees: st.one_of(
        st.lists(trees, max_size=3),
        st.lists(trees, max_size=3).map(tuple),
        st.tuples(trees, trees).map(lambda pair: Pair(*pair)),
        st.dictionaries(st.text(max_size=2), trees, max_size=3),
    ),
    max_leaves=10,
)

# --- apart and together ---------------------------------------------------------------------------------------------


@given(TREES)
def test_rebuilding_from_its_own_leaves_gives_an_equal_structure(tree):
    for whole in (False, True):
        same = rebuild(tree, leaves(tree, whole_arrays=whole), whole_arrays=whole)
        assert repr(same) == repr(tree)
        assert type(same) is type(tree)


@given(TREES)
def test_every_leaf_has_a_name_that_python_evaluates_to_it(tree):
    found = leaves(tree)
    assert [eval(name, {"tree": tree}) for name in names(tree, "tree")] == found
    assert matching_leaves(tree, tree, "tree") == found


def test_dicts_keep_their_class_and_order():
    ordered = rebuild(OrderedDict(b=1.0, a=2.0), [10.0, 20.0])
    assert (type(ordered), list(ordered.items())) == (OrderedDict, [("b", 10.0), ("a", 20.0)])
    counted = rebuild(defaultdict(list, b=1.0), [10.0])
    assert counted["missing"] == []


def test_arrays_are_floats_until_a_value_is_among_them():
    ints = np.arange(4).reshape(2, 2)
    assert rebuild(ints, [1.0] * 4).dtype == float
    mixed = rebuild(ints, [1.0, Value(2.0), 3.0, 4.0])
    assert (mixed.dtype, mixed.shape, mixed[0, 1].data) == (object, (2, 2), 2.0)
    assert rebuild(np.array(5.0), [6.0]).shape == ()


def test_a_rebuilt_module_is_a_copy_with_other_parameters():
    model = MLP(2, [2, 1], rng=0)
    before = model.state_dict()
    other = rebuild(model, [2.0 * x for x in before.values()])
    assert other([1.0, 2.0]) != model([1.0, 2.0]).data
    assert model.state_dict() == before
    assert parameters([model]) == [before]


def test_a_parameter_that_a_module_holds_twice_is_one_parameter():
    class Tied:
        def __init__(self):
            self.w = self.v = Value(3.0)

        def named_parameters(self):
            yield "w", self.w
            yield "v", self.v

    assert grad(lambda m: m.w * m.v)(Tied()) == {"w": 6.0}


def test_values_are_found_wherever_they_are():
    x = Value(1.0)
    assert all(map(has_values, (x, [0, {"a": (x,)}], np.array([1.0, x]))))
    assert not any(map(has_values, (1.0, "text", [None, {}], np.ones(3), object())))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ([1.0], "t is a list of 1 entries .*, where a dict of 2 entries"),
        ({"a": 1.0}, r"t has 1 entries \(\['a'\]\), where 2 entries"),
        ({"a": 1.0, "b": np.ones(3)}, r"t\['b'\] has shape \(3,\), where shape \(2,\)"),
        ({"a": None, "b": np.ones(2)}, r"t\['a'\] is None, where a number"),
    ],
)
def test_the_first_difference_between_structures_is_named(other, message):
    with pytest.raises(ValueError, match=message):
        matching_leaves({"a": 1.0, "b": np.ones(2)}, other, "t")


# --- array, data, grads ---------------------------------------------------------------------------------------------


def test_array_makes_leaves_of_any_shape_and_keeps_values():
    x = Value(5.0, label="x")
    made = ag.array([[1, 2.5], [x, True]])
    assert made.shape == (2, 2)
    assert made[1, 0] is x
    assert ag.data(made).tolist() == [[1.0, 2.5], [5.0, 1.0]]
    assert ag.array(np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert ag.array(np.array(3)).shape == ()
    with pytest.raises(TypeError, match="text"):
        ag.array(np.array(["text"]))


def test_data_and_grads_read_whole_structures():
    model, xs = MLP(1, [1], rng=0), ag.array([1.0, 2.0])
    tree = {"model": model, "xs": xs, "rest": (Fraction(1, 2), [Value(3.0)], None)}
    ag.sum([model([x]) for x in xs]).backward()
    assert ag.data(tree)["rest"] == (0.5, [3.0], None)
    assert ag.data(tree)["model"] == model.state_dict()
    assert ag.data(xs).dtype == ag.grads(xs).dtype == float
    assert ag.grads(tree)["rest"] == (0.0, [0.0], None)
    assert ag.grads(tree)["model"] == {"layers.0.neurons.0.w.0": 3.0, "layers.0.neurons.0.b": 2.0}
    for read in (ag.data, ag.grads):
        with pytest.raises(TypeError, match="'text'"):
            read(["text"])


# --- NumPy expressions ----------------------------------------------------------------------------------------------

rng = np.random.default_rng(7)
W, x, b = rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=3)


@pytest.mark.parametrize(
    "f",
    [
        lambda W, x, b: W @ x + b,
        lambda W, x, b: np.dot(W, x) - b,
        lambda W, x, b: np.exp(W) * b[:, None],
        lambda W, x, b: np.tanh(W) / (2 + x**2),
        lambda W, x, b: np.sum(W, axis=0) * x,
        lambda W, x, b: W.mean(axis=1) + b.max(),
        lambda W, x, b: np.arctan2(W, x) + np.hypot(b, 2.0)[:, None],
        lambda W, x, b: np.einsum("ij,j->i", W, x),
        lambda W, x, b: np.prod(W, axis=1) * np.var(b),
        lambda W, x, b: np.concatenate([W.ravel(), x, b])[::2],
        lambda W, x, b: np.abs(W).T + np.outer(x, b) + np.sqrt(np.square(x))[:, None],
        lambda W, x, b: np.where(W > 0, W, 0.0) + np.float64(2) * x,
        lambda W, x, b: ag.sigmoid(W) + ag.relu(x),
    ],
)
def test_numpy_expressions_compute_and_differentiate(f):
    np.testing.assert_allclose(ag.data(f(*map(ag.array, (W, x, b)))), np.array(f(W, x, b)), rtol=1e-14)
    ag.check_grads(f, (W, x, b), order=1)


def test_importing_and_transforming_without_arrays_loads_no_numpy():
    code = (
        "import sys, autograd; f = lambda p: p['a'][0] ** 3\n"
        "assert autograd.hessian(f)({'a': [2.0]}) == {'a': [{'a': [12.0]}]}\n"
        "autograd.vmap(autograd.grad(f))({'a': [[1.0, 2.0]]})\n"
        "autograd.check_grads(f, ({'a': [2.0]},))\n"
        "assert 'numpy' not in sys.modules, 'numpy was loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
