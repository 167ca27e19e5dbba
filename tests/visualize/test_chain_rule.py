"""chain_rule: its factors multiply to the derivatives of a backward sweep, its formulas say what its numbers are."""

import itertools
import json
import math
import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from matplotlib.mathtext import MathTextParser
from strategies import expressions

from autograd import Primitive, Value, chain_rule, exp, prod, relu, sigmoid, tanh
from autograd.graph import topological_order
from autograd.primitives import TABLE
from autograd.visualize.derivation import Analysis
from autograd.visualize.expressions import ELLIPSIS, Applied, Printer, Symbol
from autograd.visualize.latex_names import latex_name, latex_names
from autograd.visualize.names import Names, number_formatter

DIFFERENTIABLE = {name for name, op in TABLE.items() if op.arity is None or any(op.partials)}
DIFFERENTIABLE -= {"direction"}  # which is for operands with t² + s = 1


def lecture_network():
    """The lecture's chain of three sigmoid layers with a squared loss."""
    values = {"w1": 0.5, "w2": -0.4, "w3": 0.8, "b1": 0.1, "x": 1.5, "y": 1.0}
    w1, w2, w3, b1, x, y = [Value(data, label=name) for name, data in values.items()]
    a1 = w1 * x + b1
    f1 = sigmoid(a1)
    a2 = w2 * f1
    f2 = sigmoid(a2)
    a3 = w3 * f2
    f3 = sigmoid(a3)
    L = (y - f3) ** 2 / 2
    for name, node in {"a1": a1, "f1": f1, "a2": a2, "f2": f2, "a3": a3, "f3": f3, "L": L}.items():
        node.label = name
    return L, [w1, w2, w3, b1]


def test_lecture_is_written_as_the_lecture_writes_it():
    L, (w1, w2, w3, b1) = lecture_network()
    assert (
        chain_rule(L, wrt=[w1, b1, w2, w3], names={}).text
        == """\
a1 = w1·x + b1 = 0.85
f1 = σ(a1) = 0.7006
a2 = w2·f1 = −0.2802
f2 = σ(a2) = 0.4304
a3 = w3·f2 = 0.3443
f3 = σ(a3) = 0.5852
L = (y − f3)²/2 = 0.08601

∂L/∂w3 = ∂L/∂f3    · ∂f3/∂a3     · ∂a3/∂w3
       = −(y − f3) · f3·(1 − f3) · f2
       = −0.4148   · 0.2427      · 0.4304
       = −0.04333

∂L/∂w2 = ∂L/∂f3    · ∂f3/∂a3     · ∂a3/∂f2 · ∂f2/∂a2     · ∂a2/∂w2
         └─────────────────────┘ already computed: reuse
       = −(y − f3) · f3·(1 − f3) · w3      · f2·(1 − f2) · f1
       = −0.4148   · 0.2427      · 0.8     · 0.2452      · 0.7006
       = −0.01383

∂L/∂w1 = ∂L/∂f3    · ∂f3/∂a3     · ∂a3/∂f2 · ∂f2/∂a2     · ∂a2/∂f1 · ∂f1/∂a1     · ∂a1/∂w1
         └────────── already computed: reuse ──────────┘
       = −(y − f3) · f3·(1 − f3) · w3      · f2·(1 − f2) · w2      · f1·(1 − f1) · x
       = −0.4148   · 0.2427      · 0.8     · 0.2452      · (−0.4)  · 0.2098      · 1.5
       = 0.002485

∂L/∂b1 = ∂L/∂f3    · ∂f3/∂a3     · ∂a3/∂f2 · ∂f2/∂a2     · ∂a2/∂f1 · ∂f1/∂a1     · ∂a1/∂b1
         └────────────────────── already computed: reuse ──────────────────────┘
       = −(y − f3) · f3·(1 − f3) · w3      · f2·(1 − f2) · w2      · f1·(1 − f1) · 1
       = −0.4148   · 0.2427      · 0.8     · 0.2452      · (−0.4)  · 0.2098      · 1
       = 0.001657"""
    )


def test_lecture_in_latex_has_formulas_and_numbers_beneath_their_factors():
    L, (_, w2, w3, _) = lecture_network()
    shown = chain_rule(L, wrt=[w2, w3], names={})
    assert shown._repr_latex_() == f"$$\n{shown.latex}\n$$"
    first, second = re.findall(r"\\begin\{alignedat\}\{(\d)\}\n(.*?)\n\\end\{alignedat\}", shown.latex, re.DOTALL)
    rows = [[cell.strip() for cell in row.split("&") if cell.strip()] for row in first[1].split(r"\\")]
    fraction = r"\frac{{\partial {}}}{{\partial {}}}".format
    assert rows == [
        [fraction("L", "w_{3}"), "= " + fraction("L", "f_{3}"), rf"\;\cdot\; {fraction('f_{3}', 'a_{3}')}",
         rf"\;\cdot\; {fraction('a_{3}', 'w_{3}')}"],
        [r"= -\left(y - f_{3}\right)", r"\;\cdot\; f_{3} \cdot \left(1 - f_{3}\right)", r"\;\cdot\; f_{2}"],
        ["= -0.4148", r"\;\cdot\; 0.2427", r"\;\cdot\; 0.4304"],
        ["= -0.04333"],
    ]  # fmt: skip
    assert (first[0], second[0]) == ("3", "5"), "columns"
    reused = [rf"\underbrace{{{fraction(*pair)}}}_{{\text{{reuse}}}}" for pair in (("L", "f_{3}"), ("f_{3}", "a_{3}"))]
    assert f"= {reused[0]} && \\;\\cdot\\; {reused[1]} && \\;\\cdot\\; {fraction('a_{3}', 'f_{2}')}" in second[1]


def test_names_come_from_the_calling_code():
    w, x = Value(0.5), Value(2.0)
    a = w * x
    L = tanh(a)
    assert (
        str(chain_rule(L, wrt=w))
        == """\
a = w·x = 1
L = tanh(a) = 0.7616

∂L/∂w = ∂L/∂a    · ∂a/∂w
      = (1 − L²) · x
      = 0.42     · 2
      = 0.8399"""
    )
    assert repr(chain_rule(L, wrt=w)) == chain_rule(L, wrt=w).text


def test_paths_that_join_are_added_and_direct_factors_are_marked():
    a, b = Value(2.0), Value(-3.0)
    d = a * b
    e = d * a + d
    assert (
        chain_rule(e, wrt=a).text
        == """\
d = a·b = −6
e = d·a + d = −18

∂e/∂a = ∂e/∂d   · ∂d/∂a
      + ∂e/∂a|direct
      = (1 + a) · b
      + d
      = 3       · (−3)
      + (−6)
      = −9 + (−6)
      = −15"""
    )
    derivation = chain_rule(e, wrt=a).derivations[0]
    assert [[f.direct for f in path] for path in derivation.paths] == [[False, False], [True]]


def test_all_leaves_are_derived_in_backward_order_unless_some_are_named():
    L, _ = lecture_network()
    assert [d.wrt.name for d in chain_rule(L, names={}).derivations] == ["y", "w3", "w2", "w1", "x", "b1"]


def test_derivative_by_the_result_and_by_a_stranger():
    a, stranger = Value(2.0), Value(1.0)
    b = a * 3
    text = chain_rule(b, [b, stranger]).text
    assert "∂b/∂b = 1" in text
    assert "∂b/∂stranger = 0: b does not depend on stranger" in text


def test_nodes_without_names_are_written_into_formulas_or_numbered():
    x = Value(2.0, label="x")
    square = x * x
    out = chain_rule(tanh(square + 1) * square, [x], names={})
    assert [d.node.name for d in out.definitions] == ["v1", "out"]
    assert "out = tanh(v1 + 1)·v1" in out.text


def test_equal_labels_are_told_apart():
    x, other = Value(2.0, label="x"), Value(3.0, label="x")
    assert "∂out/∂x′ = x" in chain_rule(x * other, [x, other], names={}).text


def close(x, y, scale):
    return x == y or (math.isnan(x) and math.isnan(y)) or abs(x - y) <= 1e-10 * scale


def fresh_gradients(expression):
    xs = [Value(x) for x in expression.inputs]
    expression.evaluate(TABLE, xs).backward()
    return [x.grad for x in xs]


def numbers(expression):
    """Its graph, away from points where a derivative is infinite: there 0·∞ is 0 in a sweep, but nan in a formula."""
    xs = [Value(x, label=f"x{i}") for i, x in enumerate(expression.inputs)]
    y = expression.evaluate(TABLE, xs)
    assume(all(math.isfinite(p or 0.0) for node in topological_order([y]) for p in node.partials))
    return y, xs


@given(expressions(primitives=DIFFERENTIABLE, max_steps=10))
@settings(max_examples=60)
def test_products_of_unrounded_factors_add_up_to_the_derivative_of_a_fresh_backward_sweep(expression):
    y, xs = numbers(expression)
    derived = {d.wrt.name: d for d in chain_rule(y, xs, names={}).derivations}
    for x, grad in zip(xs, fresh_gradients(expression), strict=True):
        derivation = derived["out" if x is y else x.label]
        scale = 1.0
        if derivation.paths:
            products = [math.prod(factor.value for factor in path) for path in derivation.paths]
            scale += sum(map(abs, products))
            assert close(sum(products), grad, scale), (derivation, grad)
        assert close(derivation.value, grad, scale), (derivation, grad)


def evaluate(term, data):
    if isinstance(term, float):
        return term
    if isinstance(term, Symbol):
        return data[term.name]
    return term.op.forward(*[evaluate(arg, data) for arg in term.args])


def terms_of(term):
    return [term, *(t for arg in term.args for t in terms_of(arg))] if isinstance(term, Applied) else [term]


def named_data(y, shown):
    data = {node.label: node.data for node in topological_order([y]) if node.label}
    return data | {d.node.name: d.value for d in shown.definitions}


@given(expressions(primitives=DIFFERENTIABLE, max_steps=10))
@settings(max_examples=60)
def test_tidied_formula_of_each_factor_has_the_factors_value(expression):
    y, xs = numbers(expression)
    shown = chain_rule(y, xs, names={})
    data = named_data(y, shown)
    for factor in [f for d in shown.derivations for path in d.paths or () for f in path]:
        terms = terms_of(factor.formula)
        if ELLIPSIS in terms or any(isinstance(t, Symbol) and t.name not in data for t in terms):
            continue
        assert close(evaluate(factor.formula, data), factor.value, 1 + abs(factor.value)), factor


def between(child, parent, named):
    """∂child/∂parent along all ways on which no other named node lies, from the engine's own local derivatives."""
    total = 0.0
    for x, partial in zip(child.operands, child.partials, strict=True):
        if isinstance(x, Value) and partial is not None:
            total += partial * (1.0 if x is parent else 0.0 if x in named else between(x, parent, named))
    return total


def ways(output, wrt, named, found=()):
    """All paths from the output to wrt, each as the named nodes on it, the output's end first; with repetition."""
    if output is wrt:
        return {(*found, wrt)}
    below = [x for x, p in zip(output.operands, output.partials, strict=True) if isinstance(x, Value) and p is not None]
    mine = (*found, output) if output in named else found
    return set().union(*[ways(x, wrt, named, mine) for x in below])


@given(expressions(primitives=DIFFERENTIABLE, max_steps=8))
@settings(max_examples=60)
def test_order_of_factors_marks_for_reuse_and_numbers_are_the_engines(expression):
    y, xs = numbers(expression)
    analysis = Analysis(y, xs, Names({}))
    named = set(analysis.symbols)
    earlier = set()
    for derivation in analysis.derivations():
        wrt = analysis.nodes[derivation.wrt]
        if derivation.paths is None or wrt is y:
            continue
        paths = [[(analysis.nodes[f.child], analysis.nodes[f.parent]) for f in path] for path in derivation.paths]
        for way in paths:
            assert all(first[1] is second[0] for first, second in itertools.pairwise(way)), "one leads to the next"
        found = [(*[child for child, _ in way], wrt) for way in paths]
        assert sorted(map(ids, found)) == sorted(map(ids, ways(y, wrt, named))), "all ways, each once"
        for path, pairs in zip(derivation.paths, paths, strict=True):
            for factor, (child, parent) in zip(path, pairs, strict=True):
                assert factor.reused == ((child, parent) in earlier)
                exact = between(child, parent, named)
                assert close(factor.value, exact, 1 + abs(exact))
        earlier.update(pair for way in paths for pair in way)


def ids(chain):
    return tuple(map(id, chain))


@given(expressions(primitives=DIFFERENTIABLE, max_steps=6))
@settings(max_examples=40)
def test_latex_has_the_numbers_of_the_factors_in_columns(expression):
    y, xs = numbers(expression)
    shown = chain_rule(y, xs, names={})
    printer = Printer(number_formatter(".4g"), latex=True)
    for derivation in shown.derivations:
        for i, path in enumerate(derivation.paths or ()):
            if len(path) > 1:
                first, *others = [printer.factor(f.value, i == k == 0) for k, f in enumerate(path)]
                row = " && ".join([f"&{'{} +' if i else '='} {first}", *[rf"\;\cdot\; {x}" for x in others]])
                assert row in shown.latex


KATEX = """
const katex = require("katex");
const wrong = [];
for (const latex of JSON.parse(require("fs").readFileSync(0, "utf8"))) {
  try {
    katex.renderToString(latex, { displayMode: true, strict: "error" });
  } catch (error) {
    wrong.push(`${error.message}: ${latex}`);
  }
}
console.log(JSON.stringify(wrong));
"""


def test_katex_parses_all_latex_in_strict_mode():
    if not any(Path(folder, "katex").is_dir() for folder in os.environ.get("NODE_PATH", "").split(os.pathsep)):
        pytest.skip("needs the package katex (npm install katex; NODE_PATH=.../node_modules)")
    written = [chain_rule(*lecture_network(), names={}).latex]
    labels = ["w1", "x_1", "loss", "50 % & #", "a{b}", "back\\slash", "ζ₂", "損失", "потеря", "x′", "ä", "a<b", "$"]
    labels += ["two\nlines", "~^", "h[0][1]", "∇f", "x → y", "e", "ŷ"]
    for label in labels:
        x = Value(2.0, label=label)
        written.append(chain_rule(tanh(x * 3) * x, x, names={}).latex)
    for name, op in sorted(TABLE.items()):
        operands = [Value(0.25, label="x"), -Value(0.5, label="y1"), *[Value(0.1 * i) for i in range(6)]]
        operands = operands[: op.arity or 5]
        result = op(0.0, *operands) if name == "take" else op(*operands)
        written.append(chain_rule(-(result**2) / 3e-7 - math.inf, operands[0], names={}).latex)
    z = Value(0.01, label="z")
    for _ in range(60):
        z = z * 0.4 + z * z * 0.1
    written.append(chain_rule(z, names={}).latex)
    run = subprocess.run(["node", "-e", KATEX], input=json.dumps(written), capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == []


ARITHMETIC = ["add", "sub", "mul", "div", "neg", "pow", "tanh", "abs", "sigmoid", "sum", "dot", "prod"]


def evaluate_text(text, data):
    """A printed formula, evaluated by Python's own parser."""
    for i, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹"):
        text = text.replace(digit, f"**{i}")
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    text = text.replace("·", "*").replace("−", "-").replace("^", "**")
    functions = {op.symbol: op.forward for op in TABLE.values() if op.symbol.isidentifier()}
    return eval(text, {**functions, **data})


@given(expressions(primitives=ARITHMETIC, max_steps=8))
@settings(max_examples=80)
def test_printed_formula_means_what_it_computes(expression):
    y, xs = numbers(expression)
    shown = chain_rule(y, xs, names={})
    data = named_data(y, shown)
    exact = Printer(repr)
    formulas = [(d.formula, d.value) for d in shown.definitions]
    formulas += [(f.formula, f.value) for d in shown.derivations for path in d.paths or () for f in path]
    for term, value in formulas:
        text = exact(term)
        if "…" in text or text.count("|") > 2 or not math.isfinite(value):
            continue
        try:
            evaluated = evaluate_text(text, data)
        except (ArithmeticError, ValueError):
            continue
        if not isinstance(evaluated, complex):
            assert close(float(evaluated), value, 1 + abs(value)), (text, evaluated, value)


def mathtext_rows(latex):
    """The rows of all environments, in the part of LaTeX that matplotlib knows."""
    body = re.sub(r"&? ?\\(begin|end)\{aligned(at)?\}(\{\d\})?\n?", "", latex)
    body = re.sub(r"\\underbrace\{(.*?)\}_\{\\text\{reuse\}\}", r"{\1}", body)
    rows = [row.replace("&", "").strip() for row in re.split(r"\\\\(?:\[\d+pt\])?\n", body)]
    return [row for row in rows if row]


@pytest.mark.parametrize("name", sorted(TABLE))
def test_latex_of_every_primitive_is_well_formed(name):
    op = TABLE[name]
    x, y = Value(0.25, label="x"), Value(0.5, label="y1")
    operands = [x + y, -y, x * y, x - 1.0, y][: op.arity or (1 if name == "take" else 5)]
    result = op(0.0, *operands) if name == "take" else op(*operands)
    definition, *_ = mathtext_rows(chain_rule(-(result**2) / 3e-7, [x, y], names={}).latex)
    MathTextParser("path").parse(f"${definition}$")


def test_latex_of_a_single_factor_gives_its_formula_and_its_number_once():
    f = Value(3.0, label="f")
    d = Value(2.0, label="d")
    L = d * f
    assert chain_rule(L, d).latex.endswith(r"\partial d} &= f \\" + "\n&= 3\n\\end{alignedat}\n\\end{aligned}")


def test_latex_of_a_derivation_is_well_formed():
    L, (_, w2, w3, _) = lecture_network()
    for row in mathtext_rows(chain_rule(L, [w2, w3], names={}).latex):
        MathTextParser("path").parse(f"${row}$")


def test_exponentially_many_paths_give_the_recursion():
    z = Value(0.01, label="z")
    x = z
    for _ in range(200):
        x = x * 0.4 + x * x * 0.1
    shown = chain_rule(x, wrt=z, names={})
    text, latex = shown.text, shown.latex
    assert "∂out/∂z = ∂out/∂v1·∂v1/∂z\n" in text
    assert r"\frac{\partial \mathrm{out}}{\partial z} &= " in latex
    x.backward()
    assert shown.derivations[0].value == z.grad
    assert shown.derivations[0].paths is None
    assert shown.recursion[-1].value == z.grad
    assert text.count("\n") < 400


def test_recursion_adds_up_over_children():
    a = Value(0.3, label="a")
    nodes = [a, tanh(a)]
    for _ in range(12):
        nodes.append(nodes[-1] * nodes[-2])
    shown = chain_rule(nodes[-1], wrt=a, names={})
    assert shown.derivations[0].paths is None
    adjoints = {step.node: step.value for step in shown.recursion}
    for step in shown.recursion[1:]:
        assert step.value == pytest.approx(math.fsum(adjoints[f.child] * f.value for f in step.terms), rel=1e-12)


def test_users_rule_that_works_on_floats_only_shows_its_number():
    versine = Primitive("versine", lambda x: 1 - math.cos(x), [lambda out, x: math.sin(x)])
    x = Value(0.5, label="x")
    assert "∂out/∂x = 0.4794" in chain_rule(versine(x), x, names={}).text


@pytest.mark.parametrize("wrong", [(2.0, None), (Value(1.0), 3.0), (Value(1.0), [Value(1.0), "w"])])
def test_what_is_no_value_is_refused(wrong):
    with pytest.raises(TypeError, match=r"chain_rule.* takes a Value"):
        chain_rule(*wrong)


def test_formulas_in_the_two_notations():
    x, y = Value(2.0, label="x"), Value(0.5, label="y1")
    shown = chain_rule(exp(-x) / (x * y) + relu(x) ** y, [x], names={})
    assert "out = exp(−x)/(x·y1) + ReLU(x)^y1" in shown.text
    assert r"\frac{e^{-x}}{x \cdot y_{1}} + {\operatorname{ReLU}(x)}^{y_{1}}" in shown.latex


@pytest.mark.parametrize(
    "labels", [("w1", "w_1"), ("w_1", "w[1]"), ("w1", "w[1]", "w_1"), ("alpha", "alpha "), ("x[0][1]", "x0[1]")]
)
def test_different_names_stay_different_in_latex(labels):
    values = [Value(2.0, label=label) for label in labels]
    latex = chain_rule(prod(values), values, names={}).latex
    written = latex_names(labels)
    assert len(set(written.values())) == len(labels)
    for name in written.values():
        assert rf"\partial {name}}} &=" in latex


def test_names_that_look_alike_are_as_in_the_code_and_the_others_keep_their_index():
    w1, w_1, x1 = (Value(2.0, label=label) for label in ("w1", "w_1", "x1"))
    assert r"\text{w1} \cdot \text{w}\_\text{1} \cdot x_{1}" in chain_rule(w1 * w_1 * x1, [x1], names={}).latex


def test_a_value_called_e_is_not_eulers_number():
    e, x = Value(2.0, label="e"), Value(0.5, label="x")
    assert r"e \cdot \exp(x)" in chain_rule(e * exp(x), [e], names={}).latex
    assert r"{\exp(x)}^{e}" in chain_rule(exp(x) ** e, [e], names={}).latex
    assert r"x \cdot e^{x}" in chain_rule(x * exp(x), [x], names={}).latex


@pytest.mark.parametrize(
    "label",
    [
        "</script><img src=x onerror=alert(1)>",
        r"back\slash $ {a} _ ^ ~ % # &",
        "שלום",
        "two\nlines",
        "\"q\" 'r'",
        "a,b",
    ],
)
def test_label_is_nothing_but_characters_in_latex(label):
    x = Value(2.0, label=label)
    latex = chain_rule(x * 3, x, names={}).latex
    assert not re.search(r"<[a-zA-Z/!?]", latex), "the start of a tag"
    unescaped = re.sub(r"\\[\\{}$%&#_]|\\[a-zA-Z]+", "", latex)
    assert not re.search(r"[$%#~]", unescaped)
    if label.isascii():
        MathTextParser("path").parse(f"${latex_name(label.replace(chr(10), ' '))}$".replace(r"\&", ""))  # unknown to it
