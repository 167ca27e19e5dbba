"""Long sums of products, which compiled code adds by table: the same bits as in eager mode, whatever their terms."""

import functools
import operator
import random

import numpy as np
import pytest
from hypothesis import given, strategies as st
from strategies import SPECIAL, given_some_or_many

import autograd
from autograd import clip, dot, floor, jit, relu, take, value_and_grad, vmap
from autograd.compiler.lower import elementwise
from autograd.compiler.lower.reductions import plan_reductions
from autograd.transforms.tree import flatten
from tests.compiler.conftest import TARGETS, same_bits
from tests.compiler.test_jit import added_in_order

WEIGHTS, INPUTS = 40, 12
SEEDS = st.integers(0, 10**9)


def network_of_sums(seed, every):
    """A function of uniform weights w and the inputs x of a lane: sums of these kinds of terms, of earlier ones too."""

    def f(w, x):
        rng = random.Random(seed)
        known = list(x)

        def term(kind):
            y, z, u = rng.choice(known), rng.choice(known), rng.choice(list(w))
            return {
                "uniform x lane": lambda: u * y, "lane x uniform": lambda: y * u, "lane x lane": lambda: y * z,
                "constant x lane": lambda: rng.choice([0.5, -2.0, 3.0]) * y, "square": lambda: y * y,
                "lane": lambda: y, "uniform": lambda: u, "constant": lambda: 0.25, "zero": lambda: 0.0,
                "uniform x uniform": lambda: u * u, "function": lambda: relu(y),
            }[kind]()  # fmt: skip

        for _ in range(rng.randint(2, 5)):
            mostly = rng.choice(["uniform x lane", "lane x lane", "constant x lane"])
            kinds = rng.choice([[mostly], [mostly] * 5 + ["lane", "square", every[-1]], every])
            if rng.random() < 0.3:
                size = rng.randint(5, 20)
                ys = [rng.choice(known) for _ in range(size)]
                many = range(rng.randint(4, 15))
                sums = [dot(rng.choices(list(w), k=size), ys, bias=rng.choice([0.0, w[0], x[0]])) for _ in many]
            else:
                sums = [_added_up([term(rng.choice(kinds)) for _ in range(rng.randint(5, 40))], rng)]
            known += [rng.choice([relu, lambda v: v, lambda v: v * 0.125])(s) for s in sums]
        return known[len(x) :]

    return f


OF_LANES = ["uniform x lane", "lane x uniform", "lane x lane", "constant x lane", "square", "lane", "function"]
KINDS = [*OF_LANES, "uniform", "constant", "zero", "uniform x uniform"]


def _added_up(terms, rng):
    """From left to right, with some terms in front, subtracted or repeated, and partial sums that are used again."""
    total, partial = terms[0], None
    for x in terms[1:]:
        how = rng.random()
        if how < 0.85:
            total = total + x
        elif how < 0.9:
            total = x + total
        elif how < 0.95:
            total = total - x
        else:
            total, partial = total + x + x, total
    return total if partial is None else total + partial * 0.5


def total_of(f):
    return lambda w, x: functools.reduce(operator.add, f(w, x))


def lanes_of(seed, n):
    rng = np.random.default_rng(seed)
    w, X = rng.normal(size=WEIGHTS), rng.normal(size=(n, INPUTS))
    if seed % 3 == 0:
        X.flat[rng.integers(0, X.size, 4)] = rng.choice(SPECIAL, 4)
        w[rng.integers(0, WEIGHTS)] = rng.choice(SPECIAL)
    return w, X


@given_some_or_many(SEEDS, st.sampled_from([1, 7, 8, 33, 70, 150]), st.sampled_from(sorted(TARGETS)), some=10, many=80)
def test_random_graphs_of_long_sums_are_bit_identical_to_eager_mode(seed, n, target):
    f = network_of_sums(seed, KINDS)
    w, X = lanes_of(seed, n)
    compiled = jit(vmap(f, in_axes=(None, 0)), target=TARGETS[target])
    columns = compiled(w, X)
    gradients = jit(vmap(value_and_grad(total_of(f), argnums=(0, 1)), in_axes=(None, 0)), target=TARGETS[target])(w, X)
    for i in {0, n // 2, n - 1}:
        row = [column[i] for column in columns]
        point = w.tolist(), X[i].tolist()
        assert all(map(same_bits, row, f(*point))), (i, row)
        value, (dw, dx) = value_and_grad(total_of(f), argnums=(0, 1))(*point)
        assert same_bits(gradients[0][i], value)
        assert all(map(same_bits, gradients[1][0][i], dw))
        assert all(map(same_bits, gradients[1][1][i], dx))


@given_some_or_many(SEEDS, st.sampled_from([3, 64, 100, 1100]), st.sampled_from(sorted(TARGETS)), some=10, many=80)
def test_their_gradients_summed_over_a_batch_are_added_in_the_one_order(seed, n, target):
    f = total_of(network_of_sums(seed, OF_LANES))
    w, X = lanes_of(3 * seed + 1, n)
    per_lane = jit(vmap(value_and_grad(f), in_axes=(None, 0)))(w, X)
    value, gradient = jit(value_and_grad(vmap(f, in_axes=(None, 0), reduce="sum")), target=TARGETS[target])(w, X)
    assert same_bits(value, 0.0 + added_in_order(per_lane[0].tolist()))
    assert all(map(same_bits, gradient, [0.0 + added_in_order(x) for x in per_lane[1].T.tolist()]))


@given_some_or_many(SEEDS, st.sampled_from([1, 70, 1100]), some=4, many=40)
def test_what_is_too_long_for_code_runs_by_table_to_the_same_bits(seed, n):
    f = network_of_sums(seed, KINDS)
    w, X = lanes_of(seed, n)
    for g in (vmap(f, in_axes=(None, 0)), value_and_grad(vmap(total_of(f), in_axes=(None, 0), reduce="sum"))):
        expected = jit(g)(w, X)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(elementwise, "TOO_LONG", 0)
            by_table = jit(g)
            assert "@operations" in by_table.llvm_ir(w, X)
            for column, other in zip(flatten(by_table(w, X))[0], flatten(expected)[0], strict=True):
                assert all(map(same_bits, np.ravel(column), np.ravel(other)))


def _mlp(w, x):
    h = x
    for k in range(3):
        h = [relu(dot(w[i : i + 20], h, bias=w[i])) for i in range(k, k + 20)]
    return autograd.sum(h)


def _convolution(w, x):
    return autograd.sum([relu(sum((a * b for a, b in zip(w[:15], x[i:], strict=False)), w[9])) for i in range(6)])


def _attention(w, x):
    keys = [[w[i] * v for v in x[:15]] for i in range(8)]
    return autograd.sum([relu(dot(a, b)) for a in keys for b in keys])


def _quadratic_form(w, x):
    centred = [v - m for v, m in zip(x, w, strict=False)]
    return autograd.sum([v * dot(w[i : i + 20], centred) for i, v in enumerate(centred)])


def _sparse(w, x):
    rng = random.Random(0)
    picked = [rng.sample(range(20), 14) for _ in range(10)]
    return autograd.sum([dot([w[i] for i in some], [x[i] for i in some]) * x[0] for some in picked])


def _wider_than_the_fastest_cache(w, x):
    inputs = [v * u for v in x for u in w[:8]]
    return autograd.sum([relu(dot([w[(i + k) % 42] for i in range(160)], inputs, bias=w[k])) for k in range(9)])


def _lookup(w, x):
    chosen = [take(w[:6], clip(floor(v * v), 0.0, 5.0)) for v in x]
    return autograd.sum([relu(a * b) for a, b in zip(chosen, x, strict=True)])


FORWARD = {
    _mlp: 60 * 20, _convolution: 6 * 15, _attention: 36 * 15, _quadratic_form: 20 * 20, _sparse: 10 * 14,
    _wider_than_the_fastest_cache: 9 * 160, _lookup: 6 * 20 - 1,
}  # fmt: skip


@pytest.mark.parametrize("f", list(FORWARD))
def test_sums_run_by_table_whatever_the_code_looks_like(f):
    w, X = np.random.default_rng(1).normal(size=42), np.random.default_rng(2).normal(size=(50, 20))
    step = jit(value_and_grad(vmap(f, in_axes=(None, 0), reduce="sum")))
    report = step.lower(w, X)
    assert report.terms > FORWARD[f], str(report)
    per_lane = [value_and_grad(f)(w, x) for x in X]
    value, gradient = step(w, X)
    assert value == added_in_order([v for v, _ in per_lane])
    assert gradient.tolist() == [added_in_order(list(column)) for column in zip(*[g for _, g in per_lane], strict=True)]


def test_neurons_with_biases_share_the_loads_of_their_inputs():
    layer = jit(vmap(lambda w, x: [dot(w[i : i + 20], x, bias=w[i]) for i in range(16)], in_axes=(None, 0)))
    alone = "@sums.uniform.1"
    assert alone not in layer.llvm_ir(np.ones(42), np.ones((50, 20)))


TRIANGLE = [(i, 10 + j) for i in range(10) for j in range(i + 1)]
PRODUCTS = st.lists(st.tuples(st.integers(0, 12), st.integers(8, 20)), max_size=150)


@given(PRODUCTS | st.permutations(TRIANGLE), st.sampled_from(sorted(TARGETS)))
def test_each_product_is_summed_over_the_lanes_once_and_most_of_them_in_blocks(products, target):
    shapes = TARGETS[target].blocks
    found = plan_reductions([(100 + i, pair) for i, pair in enumerate(products)], [], shapes, 4)
    computed = [(x, y) for blocks in found.blocks.values() for xs, ys in blocks for x in xs for y in ys]
    results = dict(zip(found.order, [*computed, *found.pairs], strict=True))
    assert sorted(n for n in found.order if n is not None) == [100 + i for i in range(len(products))]
    assert all({*results[100 + i]} == {*pair} for i, pair in enumerate(products))
    if sorted(products) == TRIANGLE:
        assert len(found.pairs) <= 12, found
