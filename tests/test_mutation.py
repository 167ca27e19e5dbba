"""The tests must be able to fail: each rule of the table is broken in turn, and the checks have to notice."""

import itertools
import math

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from strategies import expressions

from autograd.primitives import TABLE
from tests.test_primitives import check, some_arity
from tests.test_random_graphs import check_gradient, check_hessian

SLIGHTLY = 1 + 1e-6


def times(partial, factor):
    """Where no derivative flows there is nothing to be off by a factor."""
    return None if partial is None else factor * partial


def scaled(rule, factor):
    """A rule that is off by a factor; one that says that no derivative flows, and now lets one through."""
    if rule is None:
        return lambda *args: 1.0
    return lambda *args: times(rule(*args), factor)


def mutants():
    """Each primitive with one thing changed: (name, what, attribute, changed)."""
    for name, primitive in TABLE.items():
        forward, partials = primitive.forward, primitive.partials
        yield name, "forward off by 1e-6", "forward", lambda *xs, f=forward: SLIGHTLY * f(*xs)
        if primitive.arity is None:
            yield from nary_mutants(name, partials)
            continue
        for i, rule in enumerate(partials):
            changes = {"off by 1e-6": SLIGHTLY, "with the wrong sign": -1.0} if rule else {"where none flows": 1.0}
            for what, factor in changes.items():
                changed = (*partials[:i], scaled(rule, factor), *partials[i + 1 :])
                yield name, f"partial {i} {what}", "partials", changed
        if any(partials) and primitive.arity > 1 and name != "add":  # whose partials are the same
            yield name, "partials in the wrong order", "partials", partials[::-1]


def nary_mutants(name, partials):
    def changed(change):
        return lambda *args: change([0.0 if p is None else p for p in partials(*args)])

    yield name, "partials off by 1e-6", "partials", changed(lambda ps: [SLIGHTLY * p for p in ps])
    yield name, "first partial wrong", "partials", changed(lambda ps: [ps[0] + 1.0, *ps[1:]])
    yield name, "last partial wrong", "partials", changed(lambda ps: [*ps[:-1], -ps[-1]])
    if name != "sum":
        yield name, "partials in the wrong order", "partials", changed(lambda ps: ps[::-1])


MUTANTS = list(mutants())


def each(mutants):
    ids = [f"{name}: {what}" for name, what, _, _ in mutants]
    return pytest.mark.parametrize(("name", "attribute", "changed"), [(n, a, c) for n, _, a, c in mutants], ids=ids)


def check_at_some_points(name):
    ordinary = [0.5, 0.25, -0.75, 1.0, 1.5, 3.0, 0.0, 20.0, -20.0]
    for operands in itertools.product(ordinary, repeat=some_arity(name)):
        if name != "take" or operands[0] in (0.0, 1.0):
            check(name, list(operands))


@pytest.mark.parametrize("name", sorted(TABLE))
def test_check_passes_on_the_table_as_it_is(name):
    check_at_some_points(name)


@each(MUTANTS)
def test_check_of_a_primitive_notices(monkeypatch, name, attribute, changed):
    monkeypatch.setattr(TABLE[name], attribute, changed)
    with pytest.raises(AssertionError):
        check_at_some_points(name)


def search(name, check, **size):
    """A property test of graphs around one primitive; it ends at the first failure."""
    first_failure = settings(phases=[Phase.generate], max_examples=2000, suppress_health_check=list(HealthCheck))
    first_failure(given(expressions(primitives=[name, "mul", "sigmoid"], **size))(check))()


def seen_in_graphs(mutant):
    """One kind of slip a rule. The index of take is a condition in random graphs, which passes nothing on."""
    name, what, *_ = mutant
    return "forward" not in what and "sign" not in what and (name, what) != ("take", "first partial wrong")


@each(list(filter(seen_in_graphs, MUTANTS)))
def test_check_of_random_graphs_notices(monkeypatch, name, attribute, changed):
    monkeypatch.setattr(TABLE[name], attribute, changed)
    with pytest.raises(AssertionError):
        search(name, check_gradient, max_steps=5)


def test_check_of_second_derivatives_notices_a_rule_that_is_right_but_no_arithmetic_on_values(monkeypatch):
    constant = [lambda out, x: 1 - math.tanh(getattr(x, "data", x)) ** 2]
    monkeypatch.setattr(TABLE["tanh"], "partials", constant)
    for x in (0.25, -1.5, 3.0):
        check("tanh", [x])
    with pytest.raises(AssertionError):
        search("tanh", check_hessian, max_steps=3)
