"""Structures: taken apart and put together, and NumPy arrays of Values in ordinary expressions."""

import subprocess
import sys
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import attrs
import numpy as np
import pytest
from hypothesis import given, strategies as st

import autograd as ag
from autograd import Value, grad
from autograd.scalars import is_array
from autograd.transforms.tree import flatten, holds_value, matching_leaves, register_structure
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
    for is_leaf in (None, is_array):
        leaves, structure = flatten(tree, is_leaf)
        same = structure.unflatten(leaves)
        assert repr(same) == repr(tree)
        assert type(same) is type(tree)
        assert structure.num_leaves == len(leaves)
        assert flatten(same, is_leaf)[1] == structure
        assert hash(flatten(same, is_leaf)[1]) == hash(structure)
        for wrong in ([*leaves, 1.0], leaves[1:]) if leaves else ([1.0],):
            with pytest.raises(ValueError, match=f"has {len(leaves)} leaves, got (more|fewer)"):
                structure.unflatten(wrong)


@given(TREES)
def test_every_leaf_has_a_name_that_python_evaluates_to_it(tree):
    found, structure = flatten(tree)
    assert [eval(name, {"tree": tree}) for name in structure.names("tree")] == found
    assert matching_leaves(structure, tree, "tree") == found


def test_dicts_keep_their_class_and_order():
    ordered = flatten(OrderedDict(b=1.0, a=2.0))[1].unflatten([10.0, 20.0])
    assert (type(ordered), list(ordered.items())) == (OrderedDict, [("b", 10.0), ("a", 20.0)])
    counted = flatten(defaultdict(list, b=1.0))[1].unflatten([10.0])
    assert counted["missing"] == []


def test_arrays_are_floats_until_a_value_is_among_them():
    ints = flatten(np.arange(4).reshape(2, 2))[1]
    assert ints.unflatten([1.0] * 4).dtype == float
    mixed = ints.unflatten([1.0, Value(2.0), 3.0, 4.0])
    assert (mixed.dtype, mixed.shape, mixed[0, 1].data) == (object, (2, 2), 2.0)
    assert flatten(np.array(5.0))[1].unflatten([6.0]).shape == ()


def test_a_rebuilt_module_is_a_copy_with_other_parameters():
    model = MLP(2, [2, 1], rng=0)
    before = model.state_dict()
    parameters, structure = flatten(model)
    assert all(p is own for p, own in zip(parameters, model.parameters(), strict=True))
    other = structure.unflatten([2.0 * x for x in before.values()])
    assert other([1.0, 2.0]) != model([1.0, 2.0]).data
    assert model.state_dict() == before
    assert structure.with_dicts.unflatten(before.values()) == before


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
    assert all(map(holds_value, (x, np.array([1.0, x]))))
    assert not any(map(holds_value, (1.0, "text", [None, {}], np.ones(3), object())))


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
        matching_leaves(flatten({"a": 1.0, "b": np.ones(2)})[1], other, "t")


# --- dataclasses, attrs classes, registered types -------------------------------------------------------------------


@dataclass(frozen=True)
class Frozen:
    first: object
    second: object
    note: str = field(default="", metadata={"static": True})


@attrs.frozen
class Attrs:
    first: object
    second: object
    note: str = attrs.field(default="", metadata={"static": True})


class Registered:
    def __init__(self, first: Any, second: Any, note: str = "") -> None:
        self.first, self.second, self.note = first, second, note


register_structure(Registered, lambda x: ((x.first, x.second), x.note), lambda note, xs: Registered(xs[0], xs[1], note))
CLASSES = [Frozen, Attrs, Registered]


def f(p):
    return ag.exp(p.first) * ag.sum(p.second) ** 2 + p.first * p.second[0]


def g(p):
    return ag.exp(p[0]) * ag.sum(p[1]) ** 2 + p[0] * p[1][0]


def as_list(x):
    """A structure of the classes above as nested lists."""
    if type(x) in CLASSES:
        assert x.note == "kept"
        return [as_list(x.first), as_list(x.second)]
    return [as_list(part) for part in x] if isinstance(x, list) else x


@pytest.mark.parametrize("backend", ["eager", "jit"])
@pytest.mark.parametrize("cls", CLASSES)
def test_classes_of_fields_work_wherever_nested_lists_do(cls, backend):
    if backend == "jit":
        pytest.importorskip("llvmlite")
    compiled = ag.jit if backend == "jit" else lambda f: f
    x, xs = cls(0.5, [2.0, 3.0], "kept"), [0.5, [2.0, 3.0]]
    v, vs = cls(1.0, [-1.0, 0.25], "kept"), [1.0, [-1.0, 0.25]]
    for transform in (ag.grad, ag.hessian, ag.jacobian, lambda f: ag.value_and_grad(f, argnums=(0,))):
        result, expected = compiled(transform(f))(x), compiled(transform(g))(xs)
        if isinstance(result, tuple):
            assert result[0] == expected[0]
            result, expected = result[1][0], expected[1][0]
        assert as_list(result) == expected
    hvp = compiled(lambda x, v: ag.hvp(f, x, v))(x, v)
    assert as_list(hvp) == compiled(lambda x, v: ag.hvp(g, x, v))(xs, vs)
    assert compiled(lambda x, v: ag.jvp(f, (x,), (v,)))(x, v) == compiled(lambda x, v: ag.jvp(g, (x,), (v,)))(xs, vs)
    twice = compiled(lambda p: cls(2 * p.first, [2 * q for q in p.second], p.note))
    assert as_list(twice(x)) == [1.0, [4.0, 6.0]]
    assert as_list(ag.jacobian(twice, mode="forward")(x).first) == [2.0, [0.0, 0.0]]
    _, pullback = ag.vjp(twice, x)
    assert as_list(pullback(v)[0]) == [2.0, [-2.0, 0.5]]
    batch = cls(np.array([0.5, 0.25]), [np.ones(2), np.array([2.0, 3.0])], "kept")
    mapped = compiled(ag.vmap(ag.grad(f)))(batch)
    for i in range(2):
        example = cls(batch.first[i], [column[i] for column in batch.second], "kept")
        assert mapped.first[i] == pytest.approx(ag.grad(f)(example).first, rel=1e-14)
        assert [column[i] for column in mapped.second] == pytest.approx(ag.grad(f)(example).second, rel=1e-14)
    whole = compiled(ag.vmap(f, in_axes=(cls(0, None),)))(cls(batch.first, [2.0, 3.0], "kept"))
    assert whole == pytest.approx([f(cls(first, [2.0, 3.0], "kept")) for first in batch.first], rel=1e-14)


@pytest.mark.parametrize("cls", CLASSES)
def test_classes_of_fields_are_read_checked_and_named(cls):
    x = cls(Value(0.5), [Value(2.0), 3.0], "kept")
    f(x).backward()
    assert as_list(ag.data(x)) == [0.5, [2.0, 3.0]]
    assert as_list(ag.grads(x)) == [x.first.grad, [x.second[0].grad, 0.0]]
    ag.check_grads(f, (ag.data(x),))
    structure = flatten(x)[1]
    assert structure == flatten(ag.data(x))[1]
    assert structure != flatten(cls(1.0, [1.0, 1.0], "another"))[1]
    assert structure.names("x")[-1] == ("x[1][1]" if cls is Registered else "x.second[1]")
    with pytest.raises(ValueError, match=f"has 1 entries .*, where 2 entries|is a {cls.__name__} of"):
        matching_leaves(flatten(ag.data(x))[1], cls(1.0, [1.0]), "t")


def test_a_dataclass_is_put_together_without_its_constructor():
    @dataclass
    class Converted:
        x: float
        squared: float = field(init=False)

        def __post_init__(self):
            self.x = float(self.x)
            self.squared = self.x**2

    assert vars(grad(lambda p: p.x * p.squared)(Converted("3"))) == {"x": 9.0, "squared": 3.0}


def test_what_cannot_be_registered_is_refused():
    for cls in (list, dict, float, Value, MLP):
        with pytest.raises(TypeError, match="is a structure already"):
            register_structure(cls, None, None)
    with pytest.raises(TypeError, match="takes a class, got list"):
        register_structure([], None, None)


def test_a_mapping_of_a_class_of_its_own_is_made_by_its_constructor():
    class Attributes(dict):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.__dict__ = self

    assert grad(lambda p: p.w * p["b"])(Attributes(w=2.0, b=3.0)) == {"w": 3.0, "b": 2.0}


def test_flatten_stops_where_is_leaf_says():
    tree = {"a": (1.0, [2.0]), "b": None}
    leaves, structure = flatten(tree, is_leaf=lambda x: isinstance(x, tuple))
    assert leaves == [(1.0, [2.0])]
    assert structure.unflatten(["leaf"]) == {"a": "leaf", "b": None}


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
