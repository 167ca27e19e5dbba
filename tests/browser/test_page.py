"""The interactive page in a real browser: stepping, keys, what-if, zoom, themes; nothing from a label is executed."""

import json
import math
import re
from typing import Any

import pytest

from autograd import Primitive, Value, chain_rule, draw, exp, page, relu, sigmoid, sqrt, tanh, where
from autograd.graph import topological_order
from autograd.primitives import gt

pytestmark = pytest.mark.browser

NASTY = "</script><img src=x onerror=alert(1)>\"'\\{$}\n🎉 שלום"


def small_graph():
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c")
    d = a * b
    d.label = "d"
    L = d + c
    L.label = "L"
    return L, (a, b, c, d)


def texts(tab, node):
    """What the box of a node shows: name, data, grad."""
    return tab.locator(f"#v{node} text").all_text_contents()


def test_stepping_shows_data_forward_and_then_gradients_backward(open_page):
    tab = open_page(page(small_graph()[0], names={}).html)
    order = [tab.locator(f"#v{i} text").first.text_content() for i in range(5)]
    assert order == ["a", "b", "d", "c", "L"]
    assert texts(tab, 0) == ["a", "data 2", "grad"], "a leaf's data is there at once"
    assert texts(tab, 2) == ["d", "data", "grad"]
    expected = [
        ("d = a·b = 2·(−3) = −6", 2, "data −6", "grad"),
        ("L = d + c = −6 + 10 = 4", 4, "data 4", "grad"),
        ("L.grad = ∂L/∂L = 1", 4, "data 4", "grad 1"),
        ("d.grad += L.grad · ∂L/∂d = 1 · 1 = 1", 2, "data −6", "grad 1"),
        ("a.grad += d.grad · ∂d/∂a = 1 · (−3) = −3", 0, "data 2", "grad −3"),
    ]
    for step, (line, node, data, grad) in enumerate(expected, start=1):
        tab.click("#forward")
        assert tab.locator("#lines p").first.text_content() == line
        assert texts(tab, node)[1:] == [data, grad]
        assert tab.locator("#position").text_content().startswith(f"{step} of 5 · ")
        assert tab.locator("svg .node.current.output, svg .node.current.between").count() == 1
    assert texts(tab, 1) == ["b", "data −3", "grad 2"]
    tab.click("#first")
    assert texts(tab, 2) == ["d", "data", "grad"], "stepping back hides what is not computed yet"


def test_current_edges_are_highlighted(open_page):
    tab = open_page(page(small_graph()[0], names={}).html)
    tab.click("#forward")
    assert {e.get_attribute("id") for e in tab.locator("svg .edge.active").all()} == {"e2_0", "e2_1", "r2"}


def test_gradients_that_are_added_up_show_the_sum(open_page):
    x = Value(3.0, label="x")
    tab = open_page(page(x * x + x, names={}).html)
    tab.keyboard.press("End")
    lines = tab.locator("#lines p").all_text_contents()
    assert lines[-1].endswith("= 1 · 3 = 3, so far 4, now 7")
    assert texts(tab, 0) == ["x", "data 3", "grad 7"]


def test_keys_slider_and_play_step(open_page):
    tab = open_page(page(small_graph()[0], names={}).html)
    at = lambda: tab.locator("#position").text_content().split(" of ")[0]  # noqa: E731
    for key, position in [("ArrowRight", "1"), ("ArrowRight", "2"), ("ArrowLeft", "1"), ("End", "5"), ("Home", "0")]:
        tab.keyboard.press(key)
        assert at() == position, key
    tab.locator("#slider").fill("3")
    assert at() == "3"
    tab.clock.install()
    tab.locator("body").press(" ")
    assert tab.locator("#play").get_attribute("aria-pressed") == "true"
    tab.clock.run_for(800)
    assert at() == "4"
    tab.clock.run_for(5000)
    assert at() == "5"
    assert tab.locator("#play").get_attribute("aria-pressed") == "false", "it stops at the end"
    tab.locator("#leaf0").press("ArrowLeft")
    assert at() == "5", "arrows in a field move its cursor, not the step"


def number(text):
    return float(text.replace("−", "-").replace("∞", "inf"))


def details(tab, node):
    """The unrounded data and grad that hovering over a node shows after the last step."""
    tab.locator("#last").click()
    tab.locator(f"#v{node}").dispatch_event("pointerenter")
    found = dict(line.split(" ", 1) for line in tab.locator("#details p").all_text_contents()[:2])
    return number(found["data"]), number(found["grad"])


def network(numbers):
    w1, w2, b, x, y = [Value(n, label=name) for n, name in zip(numbers, ["w1", "w2", "b", "x", "y"], strict=True)]
    h = tanh(w1 * x + b)
    f = sigmoid(w2 * h + relu(x - 2.0) * b)
    return (y - f) ** 2 / 2 + exp(-w1) * 0.1, [w1, w2, b, x, y]


def test_edited_leaf_gives_the_data_and_gradients_that_python_gives(open_page):
    numbers = [0.5, -0.4, 0.1, 1.5, 1.0]
    L, _ = network(numbers)
    tab = open_page(page(L, names={}).html)
    names = [node.label for node in topological_order([L])]
    for leaf, number in [("x", 3.25), ("w1", -0.7), ("x", -1.0)]:
        numbers[["w1", "w2", "b", "x", "y"].index(leaf)] = number
        tab.locator(f"#leaf{names.index(leaf)}").fill(repr(number))
        fresh, _ = network(numbers)
        fresh.backward()
        for i, node in enumerate(topological_order([fresh])):
            data, grad = details(tab, i)
            assert data == pytest.approx(node.data, rel=1e-12, abs=1e-15), (leaf, number, names[i])
            assert grad == pytest.approx(node.grad, rel=1e-12, abs=1e-15), (leaf, number, names[i])
        shown = tab.locator(f"#grad{names.index('w1')}").text_content()
        w1_grad = next(node.grad for node in topological_order([fresh]) if node.label == "w1")
        assert shown == f"grad {w1_grad:.4g}".replace("-", "−")
    tab.click("#reset")
    assert details(tab, len(names) - 1)[0] == L.data
    assert tab.locator(f"#leaf{names.index('x')}").input_value() == "1.5"


def test_a_zero_adjoint_is_a_number_and_conditions_stay_live(open_page):
    x = Value(4.0, label="x")
    tab = open_page(page(where(gt(x, 1.0), sqrt(x), sqrt(x - 1.0)), names={}).html)
    assert details(tab, 0) == (4.0, 0.25)
    tab.locator("#leaf0").fill("1")
    assert details(tab, 0)[1] == math.inf, "the derivative of sqrt(x - 1) at 1"
    y = Value(4.0, label="y")
    tab = open_page(page(sqrt(y) * 0.0, names={}).html)
    tab.locator("#leaf0").fill("0")
    data, grad = details(tab, 0)
    assert data == 0.0
    assert math.isnan(grad), "0 times an infinite derivative"


def test_text_that_is_no_number_has_a_message_and_a_way_back_and_changes_nothing(open_page):
    tab = open_page(page(small_graph()[0], names={}).html)
    field = tab.locator("#leaf0")
    for text, said in [
        ("", "The field is empty."), ("1e999", "1e999 is larger than any number, 1.8e308; write inf for ∞."),
        ("1,5", "Write 1.5, with a point."), ("two", "“two” is not a number."),
    ]:  # fmt: skip
        field.press("Control+a")
        field.press("Delete")
        field.press_sequentially(text)  # 1e999 comes by 1e99
        assert field.get_attribute("aria-invalid") == "true"
        assert tab.locator("#wrong0").text_content() == f"{said} a is 2 as before."
        assert details(tab, 4) == (4.0, 1.0)
        tab.locator(".leaf:has(#leaf0) .reset").click()
        assert (field.input_value(), field.get_attribute("aria-invalid")) == ("2", "false")
        assert tab.locator("#wrong0").text_content() == ""


def test_numbers_are_read_as_they_are_shown_with_one_minus_sign_and_one_infinity(open_page):
    tab = open_page(page(Value(2.0, label="x") * 1.0, names={}).html)
    for text, x in [("−1.5", -1.5), ("-∞", -math.inf), ("inf", math.inf), ("-1e-7", -1e-7), ("nan", math.nan)]:
        tab.locator("#leaf0").fill(text)
        assert details(tab, 0)[0] == pytest.approx(x, nan_ok=True)
        shown = tab.locator("body").inner_text() + tab.locator("#leaf0").input_value()
        assert not re.search(r"-\d|\binf|Infinity|NaN", shown), shown


def test_gradient_of_a_leaf_is_shown_once_the_sweep_has_reached_it(open_page):
    tab = open_page(page(small_graph()[0], names={}).html)
    shown = lambda: [tab.locator(f"#grad{i}").text_content() for i in (0, 1, 3)]  # noqa: E731
    for step, expected in [(2, ["?"] * 3), (3, ["?"] * 3), (4, ["?", "?", "1"]), (5, ["−3", "2", "1"])]:
        tab.locator("#slider").fill(str(step))
        assert shown() == [f"grad {x}" for x in expected], step
        assert ("grad −3" in tab.locator("body").inner_text()) == (step == 5), "nor anywhere else"


def test_editing_is_off_with_a_reason_where_a_primitive_has_no_lowering(open_page):
    versine = Primitive("versine", lambda x: x, [lambda out, x: 1.0])
    branching = Primitive("branching", abs, [lambda out, x: 1.0 if x > 0 else -1.0], lower="llvm.fabs")
    op: Any
    for op, reason in [
        (versine, "Editing is off: versine has no JavaScript: give the primitive a `lower`"),
        (branching, "Editing is off: branching has no JavaScript: its derivative cannot be written down (it branches"),
    ]:  # fmt: skip
        x = Value(0.5, label="x")
        y = op(x) * 2
        tab = open_page(page(y, names={}).html)
        assert tab.locator("#editing").text_content().startswith(reason)
        assert tab.locator("#leaf0").is_disabled()
        tab.keyboard.press("End")
        y.backward()
        assert texts(tab, 0) == ["x", "data 0.5", f"grad {x.grad:.4g}"], "stepping works all the same"


def test_users_primitive_with_a_lowering_can_be_edited(open_page):
    cube = Primitive("cube", lambda x: x**3, [lambda out, x: 3 * x * x], lower=lambda x: x**3)
    tab = open_page(page(cube(Value(2.0, label="x")), names={}).html)
    tab.locator("#leaf0").fill("4")
    assert details(tab, 1)[0] == 64.0
    assert details(tab, 0) == (4.0, 48.0)


def view_box(tab):
    return [float(x) for x in tab.locator("#graph > svg").first.get_attribute("viewBox").split()]


def test_pan_and_zoom_move_the_window_and_fit_restores_it(open_page):
    tab = open_page(page(small_graph()[0], names={}).html)
    whole = view_box(tab)
    tab.locator("#graph").hover()
    tab.keyboard.down("Control")
    tab.mouse.wheel(0, -200)
    tab.keyboard.up("Control")
    tab.wait_for_function(f"() => document.querySelector('svg').viewBox.baseVal.width < {whole[2] * 0.95}")
    zoomed = view_box(tab)
    tab.mouse.down()
    tab.mouse.move(300, 300)
    tab.mouse.up()
    assert view_box(tab)[:2] != zoomed[:2]
    assert view_box(tab)[2:] == zoomed[2:]
    tab.keyboard.press("0")
    assert view_box(tab) == whole
    tab.keyboard.press("+")
    assert view_box(tab)[2] == pytest.approx(whole[2] * 0.8)


def test_the_wheel_scrolls_what_is_around_until_the_graph_is_clicked(open_page):
    html = page(small_graph()[0], names={})._repr_html_()
    tab = open_page(f"<!doctype html><meta charset=utf-8><body>{html}<div style='height: 3000px'></div>")
    frame = next(f for f in tab.frames if f != tab.main_frame)
    svg = "document.querySelector('svg').viewBox.baseVal.width"
    whole = frame.evaluate(svg)
    frame.locator("#graph").hover()
    tab.mouse.wheel(0, 200)
    tab.wait_for_function("() => scrollY > 100")
    assert frame.evaluate(svg) == whole
    assert frame.locator("#hint").is_visible()
    tab.evaluate("scrollTo(0, 0)")
    frame.locator("#graph").click(position={"x": 5, "y": 5})
    tab.mouse.wheel(0, -200)
    frame.wait_for_function(f"() => {svg} < {whole * 0.95}")
    assert tab.evaluate("scrollY") == 0
    assert not frame.locator("#hint").is_visible()
    tab.keyboard.press("Escape")
    tab.mouse.wheel(0, 200)
    tab.wait_for_function("() => scrollY > 100")


def is_in_sight(tab, node):
    frame, box = tab.locator("#graph").bounding_box(), tab.locator(f"#v{node}").bounding_box()
    inside = lambda x, size: frame[x] <= box[x] and box[x] + box[size] <= frame[x] + frame[size]  # noqa: E731
    return inside("x", "width") and inside("y", "height")


def test_current_node_is_brought_into_sight_after_zooming_in(open_page):
    tab = open_page(page(small_graph()[0], names={}).html)
    for _ in range(4):
        tab.keyboard.press("+")
    for step, node in enumerate([2, 4, 4, 4, 2], start=1):
        tab.keyboard.press("ArrowRight")
        assert is_in_sight(tab, node), step


@pytest.mark.slow
def test_large_graph_opens_around_the_output_at_a_size_to_read_and_follows_the_steps(open_page):
    y = Value(0.5, label="x")
    for _ in range(150):
        y = tanh(y * 1.1)
    tab = open_page(page(y, names={}).html)
    letters = lambda node: tab.locator(f"#v{node} text").first.bounding_box()["height"]  # noqa: E731
    assert is_in_sight(tab, 300)
    assert letters(300) > 10, "pixels"
    for step, node in [(1, 1), (2, 2), (150, 150), (301, 300), (302, 300), (400, 202)]:
        tab.locator("#slider").fill(str(step))
        assert is_in_sight(tab, node), step
        assert letters(node) > 10
        covering = f"""() => {{
            const {{left, top, width, height}} = document.getElementById("v{node}").getBoundingClientRect();
            const over = document.elementFromPoint(left + width / 2, top + height / 2);
            return over.closest("#v{node}") !== null;
        }}"""
        assert tab.evaluate(covering), "nothing lies over it"
    assert tab.locator("#map").is_visible()
    map_box = tab.locator("#map").bounding_box()
    tab.mouse.click(map_box["x"] + 1, map_box["y"] + 1)
    assert is_in_sight(tab, 0), "a press on the map goes there"
    tab.keyboard.press("0")
    assert not tab.locator("#map").is_visible(), "where all is in sight, no map"


def test_nodes_are_reached_and_read_by_keyboard(open_page):
    tab = open_page(page(small_graph()[0], names={}, direction="LR").html)
    stops = tab.locator("#graph [tabindex='0']")
    focused = lambda: tab.evaluate("document.activeElement.id")  # noqa: E731
    assert stops.count() == 1, "one stop of the tab key"
    tab.locator("#last").click()
    stops.focus()
    assert focused() == "v4", "the output"
    said = lambda: tab.locator(f"#{focused()}").get_attribute("aria-label")  # noqa: E731
    assert said() == "L data 4 grad 1"
    tab.keyboard.press("ArrowLeft")
    assert focused() in ("v2", "v3")
    tab.locator("#v2").focus()
    assert "d, by mul" in tab.locator("#details").inner_text()
    assert said() == "d data −6 grad 1"
    tab.keyboard.press("ArrowRight")
    assert focused() == "v4"
    tab.locator("#v0").focus()
    assert said() == "a data 2 grad −3, a leaf"
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Tab")
    assert focused() == "zoom-in", "out of the graph again"
    assert stops.count() == 1
    tab.locator("#v0").focus()
    tab.keyboard.press("Enter")
    assert focused() == "leaf0"
    buttons = tab.locator("button").all()
    assert all((b.get_attribute("aria-label") or b.text_content()).strip() for b in buttons)
    tab.locator("#first").click()
    assert tab.locator("#v2").get_attribute("aria-label") == "d data grad, not computed yet"


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_serious(open_page, npm_package, scheme):
    axe = npm_package("axe-core") / "axe.min.js"
    tab = open_page(page(shared_graph(), names={}).html, color_scheme=scheme)
    tab.evaluate(axe.read_text(encoding="utf-8"))
    for prepare in ("", "#recursion", "#last"):
        if prepare:
            tab.locator(prepare).click()
        tab.locator("#leaf0").fill("none" if prepare else "3")
        found = tab.evaluate("axe.run()")["violations"]
        serious = [f"{v['id']}: {v['help']} {[n['html'] for n in v['nodes']]}" for v in found if v["impact"] != "minor"]
        assert serious == []


def test_nothing_moves_where_reduced_motion_is_asked_for(open_page):
    tab = open_page(page(small_graph()[0], names={}).html, reduced_motion="reduce")
    moving = """() => [...document.querySelectorAll("*")].filter((element) => {
        const { transitionDuration, transitionProperty, animationName } = getComputedStyle(element);
        return animationName !== "none" || (transitionProperty !== "none" && transitionDuration !== "0s");
    }).length"""
    assert tab.evaluate(moving) == 0


CUT_OFF = """() => {
    const found = [];
    const rectangle = (element) => element.getBoundingClientRect();
    for (const element of document.querySelectorAll("#panel, header, footer, #panel p, #panel td, #panel output, h1")) {
        const isInline = getComputedStyle(element).display === "inline";
        if (!isInline && (element.scrollWidth > element.clientWidth + 1 || rectangle(element).right > innerWidth + 1)) {
            found.push(`cut off: ${element.outerHTML}`);
        }
    }
    for (const control of document.querySelectorAll("button, input")) {
        if (!control.checkVisibility()) continue;
        control.scrollIntoView({ block: "center" });
        const { left, top, width, height } = rectangle(control);
        const over = document.elementFromPoint(left + width / 2, top + height / 2);
        if (!control.contains(over) && !over?.contains(control)) found.push(`covered: ${control.outerHTML}`);
    }
    return found;
}"""


@pytest.mark.parametrize(("width", "height"), [(375, 667), (667, 375), (640, 360), (1280, 720)])
def test_nothing_is_cut_off_or_painted_over(open_page, width, height):
    tab = open_page(page(shared_graph(), names={}).html)
    tab.set_viewport_size({"width": width, "height": height})
    tab.locator("#recursion").check()
    tab.locator("#last").click()
    assert tab.evaluate(CUT_OFF) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_branch_that_an_edit_would_not_take_makes_the_result_unknown(open_page):
    x, t = Value(3.0, label="x"), Value(1.0, label="t")

    def f(x):
        if x * 2.0 > t:
            return x * x
        return -x

    tab = open_page(page(f, x, names={}).html)
    decisions, result = tab.locator("#decisions"), tab.locator("#result")
    assert re.match(r"v\d > t \(test_page\.py:\d+\) was true: that branch is in the graph\.", decisions.inner_text())
    assert result.inner_text() == "out = 9"
    tab.locator("#leaf0").fill("2")
    assert result.inner_text() == "out = 4"
    tab.locator("#leaf0").fill("0.25")
    assert "is false now: the other branch is not in this graph, so the result is unknown." in decisions.inner_text()
    assert result.inner_text() == "out = unknown"
    tab.locator("#reset").click()
    assert result.inner_text() == "out = 9"


def test_a_comparison_in_where_follows_an_edit_and_says_which_branch_is_taken(open_page):
    x = Value(3.0, label="x")
    for document, second, branch in [
        (page(lambda: where(x > 1.0, x * x, -x), names={}), 0.5, "the second branch is taken, "),
        (page(where(x > 1.0, x * x, -x), names={}), 0.25, "the first branch is taken, "),
    ]:
        tab = open_page(document.html)
        out = len(tab.locator("svg .node[role=button]").all()) - 1
        assert details(tab, out)[0] == 9.0
        tab.locator("#leaf0").fill("-0.5")
        assert details(tab, out)[0] == second
        assert branch in tab.locator("#details").inner_text()
    assert "which Python decided" in tab.locator("#details").inner_text()
    assert "page(f, ...) checks it" in tab.locator("#editing").inner_text()


def test_layers_and_neurons_fold_and_open_by_a_click(open_page):
    nn = pytest.importorskip("nn")
    model = nn.MLP(2, [8, 8, 1], rng=1)
    output = model([Value(1.0, label="x1"), Value(-0.5, label="x2")])
    output = output[0] if isinstance(output, list) else output
    L = (output - 1.0) ** 2
    tab = open_page(page(L, group=model, names={}).html)
    folded = tab.locator("#graph .cluster.folded")
    shown = lambda: sum(n.is_visible() for n in tab.locator("#graph > svg:first-child .node").all())  # noqa: E731
    assert folded.locator("text").first.text_content() in ("Layer 0", "Layer 1", "Layer 2")
    assert folded.count() == 3, "a network that cannot be read whole is folded"
    few = shown()
    folded.nth(0).dispatch_event("click")
    assert tab.locator("#graph .cluster.folded").count() > 3, "its neurons are folded, still"
    tab.locator("#unfold").click()
    assert folded.count() == 0
    assert shown() > 3 * few
    tab.locator("#fold").click()
    assert folded.count() == 17
    tab.locator("#last").click()
    L.backward()
    neuron = topological_order([L]).index(output)
    texts = folded.filter(has_text="Neuron 0").locator("text").all_text_contents()
    assert f"data {output.data:.4g}".replace("-", "−") in texts
    assert tab.locator(f"#v{neuron}").is_hidden()
    tab.locator("#slider").fill(str(neuron // 2))
    assert tab.locator("#graph .cluster.current, #graph .node.current").count() >= 1


# --- the wrong order of the backward pass ---


def shared_graph():
    """d is used three times."""
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c")
    d = a * b
    e = d * d
    L = e + c * d
    d.label, e.label, L.label = "d", "e", "L"
    return L


def recursive_gradients(output):
    """What the plain recursion gives: backward(v) adds to the operands of v, then calls backward on each."""
    grads = dict.fromkeys(topological_order([output]), 0.0) | {output: 1.0}

    def backward(node):
        for parent, partial in zip(node.operands, node.partials, strict=True):
            grads[parent] += grads[node] * partial
        for parent in node.operands:
            backward(parent)

    backward(output)
    return grads


def test_the_plain_recursion_is_played_beside_the_topological_order_and_goes_wrong(open_page):
    L = shared_graph()
    expected = recursive_gradients(L)
    L.backward()
    order = topological_order([L])
    assert any(expected[x] != x.grad for x in order)
    tab = open_page(page(L, names={}).html)
    assert not tab.locator("#comparison").is_visible()
    tab.locator("#recursion").check()
    tab.locator("#last").click()
    rows = {cells[0]: cells[1:] for cells in tab.evaluate(
        "() => [...document.querySelectorAll('#orders tr')].map((row) => [...row.cells].map((c) => c.textContent))"
    )}  # fmt: skip
    written = lambda x: f"{x:.4g}".replace("-", "−")  # noqa: E731
    assert set(rows) == {"a", "b", "c", "d"}, "the leaves, and what is used more than once"
    for i, node in enumerate(order):
        is_wrong = expected[node] != node.grad
        assert texts(tab, i)[2] == f"grad {written(expected[node])}"
        assert ("wrong" in tab.locator(f"#v{i}").get_attribute("class")) == is_wrong
        if node.label in rows:
            assert rows[node.label] == [written(node.grad), ("✗ " if is_wrong else "") + written(expected[node])]
    assert "✗ Again: d passes on all that it has so far" in tab.locator("#lines").inner_text()
    tab.locator("#topological").check()
    tab.locator("#last").click()
    assert [texts(tab, i)[2] for i in range(len(order))] == [f"grad {written(x.grad)}" for x in order]


def test_where_no_node_is_shared_the_recursion_is_right(open_page):
    tab = open_page(page(small_graph()[0], names={}).html)
    tab.locator("#recursion").check()
    tab.locator("#last").click()
    assert "Here both come to the same" in tab.locator("#verdict").inner_text()
    assert tab.locator(".wrong:not(p)").count() == 0


def test_exponentially_many_visits_of_the_recursion_are_cut_off(open_page):
    x = Value(1.0, label="x")
    for _ in range(40):
        x = x + x
    tab = open_page(page(x, names={}).html)
    tab.locator("#recursion").check()
    tab.locator("#last").click()
    assert "cut off after 2000 nodes" in tab.locator("#verdict").inner_text()


def test_light_and_dark_follow_the_system_and_the_button(open_page):
    colours = []
    for scheme in ("light", "dark"):
        tab = open_page(page(small_graph()[0], names={}).html, color_scheme=scheme)
        for _ in range(2):
            colours.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
            tab.click("#theme")
    assert colours[0] == colours[3] != colours[1] == colours[2]


def notebook_output(attributes=""):
    html = page(shared_graph(), names={})._repr_html_()
    return f"<!doctype html><meta charset=utf-8><body {attributes}>{html}"


def test_page_is_dark_where_the_notebook_is(open_page):
    for attributes, theme in [
        ('data-jp-theme-light="false"', "dark"), ('data-jp-theme-light="true" style="background: #222"', "light"),
        ('data-vscode-theme-kind="vscode-dark"', "dark"), ('data-vscode-theme-kind="vscode-light"', "light"),
        ('style="background: #1e1e1e"', "dark"), ('style="background: rgb(250, 250, 250)"', "light"),
    ]:  # fmt: skip
        tab = open_page(notebook_output(attributes))
        frame = tab.frames[1]
        frame.wait_for_function(f"() => document.documentElement.dataset.theme === '{theme}'")
    tab.evaluate("document.body.dataset.jpThemeLight = 'false'")
    frame.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")


def test_where_no_frame_is_shown_there_is_a_picture_with_the_numbers_and_its_text(open_page):
    tab = open_page(notebook_output())
    picture = tab.locator(".autograd-page img")
    assert not picture.is_visible()
    said = "leaves: a with data 2, grad 6; b with data −3, grad −4; c with data 10, grad −6"
    assert said in picture.get_attribute("alt")
    tab.emulate_media(media="print")
    assert picture.is_visible(), "on paper"
    assert not tab.locator("iframe").is_visible()
    sanitized = re.sub(r"<(iframe|script|style)\b.*?</\1>", "", notebook_output(), flags=re.DOTALL)
    picture = open_page(sanitized).locator("img")
    assert picture.is_visible(), "GitHub, nbviewer, an untrusted notebook"
    assert picture.evaluate("(image) => image.naturalWidth") > 300


def test_without_javascript_a_saved_page_shows_all_numbers(open_page):
    L = shared_graph()
    tab = open_page(page(L, names={}).html, java_script_enabled=False)
    L.backward()
    for i, node in enumerate(topological_order([L])):
        numbers = [f"data {node.data:.4g}", f"grad {node.grad:.4g}"]
        assert texts(tab, i)[1:] == [x.replace("-", "−") for x in numbers]


def test_long_numbers_stay_inside_their_boxes(open_page):
    x = Value(-1.23456e-105, label="x")
    tab = open_page(page(x * -1.2345678e-5, names={}).html)
    tab.keyboard.press("End")
    for i in range(2):
        frame = tab.locator(f"#v{i} path").first.bounding_box()
        for text in tab.locator(f"#v{i} text").all():
            shape = text.bounding_box()
            assert shape["x"] + shape["width"] <= frame["x"] + frame["width"] + 1, text.text_content()


# --- safety ---


def test_nothing_from_a_label_is_executed_on_the_page(open_page):
    x, y = Value(2.0, label=NASTY), Value(3.0, label="</bdi><script>alert(2)</script>")
    z = x * y
    z.label = "${alert(3)}`<svg onload=alert(4)>"
    tab = open_page(page(z, names={}).html)
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
        assert tab.locator("img, svg svg, #panel script").count() == 0
    tab.locator("#v0").hover()
    for place in ("#details h3", ".leaf label", "#v0 text"):
        assert "</script><img src=x onerror" in tab.locator(place).first.text_content()
    assert tab.locator("script").count() == 2


def test_notebook_frame_shows_the_page_and_keeps_labels_in(open_page):
    html = page(Value(2.0, label=NASTY) * 3, names={})._repr_html_()
    tab = open_page(f"<!doctype html><meta charset=utf-8><body>{html}")
    frame = tab.frame_locator("iframe")
    frame.locator("#forward").click()
    assert frame.locator("#position").text_content() == "1 of 3 · forward"
    assert tab.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    assert tab.locator("img").count() == 1, "the picture for where no frame is shown"
    assert tab.locator("body > *").count() == 1
    assert tab.locator(".autograd-page > *").count() == 4


def test_nothing_from_a_label_is_executed_in_the_drawing_and_the_latex(open_page):
    x = Value(2.0, label=NASTY)
    y = x * 3
    svg = re.sub(r"^.*?(?=<svg)", "", draw(y, names={}).pipe("svg", encoding="utf-8"), flags=re.DOTALL)
    tab = open_page(f"<!doctype html><meta charset=utf-8><body>{svg}<p id=latex></p>")
    assert tab.locator("img, script").count() == 0
    assert "</script><img src=x onerror" in tab.locator("#v0 text").first.text_content()
    latex = json.dumps(chain_rule(y, x, names={})._repr_latex_())
    tab.evaluate(f"() => {{ document.getElementById('latex').innerHTML = {latex}; }}")
    assert tab.locator("#latex *").count() == 0


def test_what_a_label_could_smuggle_in_is_refused_by_the_pages_policy(open_page):
    html = page(small_graph()[0], names={}).html
    smuggled = html.replace("<main>", "<main><script>document.title = 'smuggled'</script>")
    tab = open_page(html)
    title = tab.title()
    assert re.search(r"script-src 'sha256-[\w+/=]+'", html)
    context = tab.context.browser.new_context()
    other = context.new_page()
    other.set_content(smuggled)
    assert other.title() == title
    context.close()
