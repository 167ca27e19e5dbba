"""Every primitive in JavaScript, in a real browser: the same numbers as Python's, forward and derivative."""

import itertools
import json
import math

import pytest

from autograd import Value
from autograd.codegen.javascript import called_by
from autograd.primitives import TABLE
from autograd.visualize.javascript import operation

pytestmark = pytest.mark.browser

NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1.7, 20.0, -20.0, 710.0, -750.0, 1e-9, 1e-200, -1e-200, 1e200, 5e-324,
    math.inf, -math.inf, math.nan,
]  # fmt: skip


def points(name):
    """Operands to try: all of NUMBERS, all pairs, and of three and more a walk through them."""
    op = TABLE[name]
    if op.arity in (1, 2):
        return [list(xs) for xs in itertools.product(NUMBERS, repeat=op.arity)]
    walk = [[NUMBERS[(i * step + k * k) % len(NUMBERS)] for k in range(5)] for step in (1, 5, 8) for i in range(21)]
    if name == "take":
        return [[float(i % 4), *xs[:4]] for i, xs in enumerate(walk)]
    ordered = itertools.product([-2.0, 0.0, 0.5, 1.0, math.nan], repeat=3)
    return [xs[: op.arity] for xs in walk] + [list(xs) for xs in ordered]


def in_python(op, operands):
    """The result and the partials of all operands, None where no derivative flows."""
    node = op(*[Value(x) for x in operands])
    return [node.data, *node.partials]


def same(x, y):
    if x is None or y is None:
        return x is y
    if math.isnan(x) or math.isnan(y) or math.isinf(x) or math.isinf(y):
        return (math.isnan(x) and math.isnan(y)) or x == y
    return abs(x - y) <= 1e-12 * max(abs(x), abs(y)) + 1e-300


def test_every_primitive_gives_pythons_numbers_in_the_browser(open_page):
    questions = {name: points(name) for name in TABLE}
    functions = ",\n".join(
        f"{json.dumps(f'{name}/{n}')}: {operation(TABLE[name], n)}"
        for name, asked in questions.items() for n in {len(xs) for xs in asked}
    )  # fmt: skip
    helpers = "\n".join(called_by(functions))
    asked = {name: [[repr(x).replace("inf", "Infinity") for x in xs] for xs in xss] for name, xss in questions.items()}
    tab = open_page("<!doctype html><meta charset=utf-8><title>arithmetic</title>")
    answers = tab.evaluate(f"""() => {{
        {helpers}
        const operations = {{{functions}}};
        const answer = (name, texts) => {{
            const xs = texts.map(Number);
            const {{forward, partials}} = operations[`${{name}}/${{xs.length}}`];
            const out = Number(forward(...xs));
            return [out, ...partials(out, ...xs)].map((x) => (x === null ? null : String(x)));
        }};
        const asked = {json.dumps(asked)};
        return Object.entries(asked).map(([name, xss]) => [name, xss.map((xs) => answer(name, xs))]);
    }}""")
    wrong = []
    compared = 0
    for name, results in answers:
        for operands, result in zip(questions[name], results, strict=True):
            got = [None if x is None else float(x.replace("Infinity", "inf")) for x in result]
            expected = in_python(TABLE[name], operands)
            compared += 1
            if not all(map(same, got, expected)):
                wrong.append(f"{name}{operands}: {got}, Python gives {expected}")
    assert not wrong, "\n".join([f"{len(wrong)} of {compared} differ:", *wrong[:40]])
    assert len(answers) == len(TABLE)
    assert compared > 5000
