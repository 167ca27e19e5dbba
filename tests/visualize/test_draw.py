"""draw: the picture has the nodes and edges of the graph, names and numbers as said, and never hangs."""

import json
import math
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from graphviz.backend import dot_command
from hypothesis import given, settings, strategies as st
from strategies import expressions

import autograd
from autograd import Value, draw, gradients, tanh, where
from autograd.graph import topological_order
from autograd.primitives import TABLE
from autograd.visualize import graphviz_program
from autograd.visualize.graphviz_program import RendererNotFound

NASTY = [
    "</script><img src=x onerror=alert(1)>", "\"quoted\" 'twice'", "back\\slash \\N \\n", "{a|b} <c> & &amp;",
    "$x^2$ #%~_", "two\nlines\r\nand more", "emoji 🎉👩‍🔬", "שלום עולם", "right\u202eto left", "nul\x00 and \x1b",
    "half \ud83c pair", "]]> --> ?>",
]  # fmt: skip


def laid_out(picture):
    """The objects by name, and the edges as pairs of names, that Graphviz itself read."""
    graph = json.loads(picture.pipe("json"))
    objects = graph.get("objects", [])
    edges = [(objects[e["tail"]]["name"], objects[e["head"]]["name"]) for e in graph.get("edges", [])]
    return {x["name"]: x for x in objects}, edges


def svg_texts(picture):
    """The text of every text element of the SVG; parsing fails if the SVG is not well-formed."""
    root = ET.fromstring(picture.pipe("svg"))
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def expected_structure(outputs):
    order = topological_order(outputs)
    name = {node: f"v{i}" for i, node in enumerate(order)}
    nodes, edges = set(name.values()), []
    for i, node in enumerate(order):
        if node.op is None:
            continue
        nodes.add(f"op{i}")
        edges.append((f"op{i}", f"v{i}"))
        for position, x in enumerate(node.operands):
            start = name[x] if isinstance(x, Value) else f"c{i}_{position}"
            nodes.add(start)
            edges.append((start, f"op{i}"))
    return nodes, sorted(edges)


@given(expressions())
@settings(max_examples=25)
def test_picture_has_exactly_the_nodes_and_edges_of_the_graph(expression):
    y = expression.evaluate(TABLE, [Value(x) for x in expression.inputs])
    objects, edges = laid_out(draw(y, max_nodes=10**6))
    assert (set(objects), sorted(edges)) == expected_structure([y])


def test_several_outputs_share_one_picture():
    a, b = Value(2.0), Value(3.0)
    s, p = a + b, a * b
    objects, edges = laid_out(draw(s, [p]))
    assert (set(objects), sorted(edges)) == expected_structure([s, p])
    assert [name for name, x in objects.items() if x.get("class") == "output"] == ["v2", "v3"]


def test_gradient_graphs_are_drawn():
    a, b = Value(2.0), Value(3.0)
    results = gradients(tanh(a * b), [a, b])
    objects, edges = laid_out(draw(*results))
    assert (set(objects), sorted(edges)) == expected_structure(results)


# --- names ---


def test_values_are_named_after_the_variables_of_the_calling_function():
    local = Value(2.0)
    labelled = Value(3.0, label="own label")
    result = local * labelled
    assert svg_texts(draw(result))[:1] == ["local"]
    assert {"local", "own label", "result"} <= set(svg_texts(draw(result)))
    assert {"local", "own label", "result"} <= set(svg_texts(result.draw())), "through the method, too"
    assert "labelled" not in svg_texts(draw(result))


def test_names_of_a_comprehension_and_of_a_list_are_found():
    xs = [Value(1.0), Value(2.0)]
    assert {"xs[0]", "xs[1]"} <= set(svg_texts(draw(xs[0] * xs[1])))
    (picture,) = [draw(x * 2.0) for x in xs[:1]]
    assert "x" in svg_texts(picture)


def test_empty_names_turn_naming_off_and_given_names_are_used():
    local = Value(2.0)
    assert "local" not in svg_texts(draw(local * 2, names={}))
    assert "given" in svg_texts(draw(local * 2, names={"given": local}))


def test_names_of_ipython_never_count():
    source = (
        "_ = __ = ___ = _3 = _i3 = Out_3 = Value(2.0)\ndel Out_3\npicture = draw(_ * 3)\nkept = _\nnamed = draw(_ * 3)"
    )
    scope = {"Value": Value, "draw": draw}
    exec(source, scope)
    assert svg_texts(scope["picture"])[:2] == ["data 2", "grad 0"], "no name"
    assert svg_texts(scope["named"])[0] == "kept"


# --- numbers ---


@pytest.mark.parametrize(
    ("x", "format", "shown"),
    [
        (2.0, ".4g", "2"), (0.0554623, ".4g", "0.05546"), (1e-10, ".4g", "1e−10"), (math.nan, ".4g", "nan"),
            (-math.inf, ".4g", "−∞"),
        (2.0, ".2f", "2.00"), (2.0, lambda x: f"<{x}>", "<2.0>"), (2.0, "svg", "2"),
    ],
)  # fmt: skip
def test_numbers_are_shown_in_the_given_format(x, format, shown):
    assert f"data {shown}" in svg_texts(draw(Value(x), format=format))


def test_data_grad_and_constants_are_shown():
    x = Value(3.0)
    y = x * 7
    y.backward()
    assert {"data 3", "grad 7", "data 21", "grad 1", "7"} <= set(svg_texts(y.draw()))


def test_image_format_is_set_as_the_format_of_the_digraph():
    assert draw(Value(1.0), format="png").format == "png"
    assert draw(Value(1.0)).format == "svg"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "nonsense"}, "'nonsense' is not a number format"),
        ({"direction": "UP"}, "one of LR, TB, RL, BT"),
        ({"file": "x.gif"}, ".svg, .png, .pdf or .dot"),
        ({"group": 3}, "named_parameters"),
    ],
)
def test_wrong_options_are_refused_by_name(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        draw(Value(1.0), **options)


@pytest.mark.parametrize("wrong", [2.0, "text", None, [1.0]])
def test_what_is_no_value_is_refused(wrong):
    with pytest.raises(TypeError, match="draw takes Values, got"):
        draw(wrong)
    with pytest.raises(TypeError, match="at least one"):
        draw()


# --- look ---


def test_direction_is_the_layouts():
    for direction in ("LR", "TB", "RL", "BT"):
        assert f"rankdir={direction}" in draw(Value(1.0), direction=direction).source


def test_edges_show_local_derivatives_on_request_and_are_dashed_where_none_flows():
    x = Value(3.0)
    y = where(x > 0, x * x, 0.0) + x.detach()
    edges = {e["id"]: e for e in json.loads(y.draw(local_grads=True).pipe("json"))["edges"]}
    order = topological_order([y])
    for i, node in enumerate(order):
        for position, partial in enumerate(node.partials):
            edge = edges[f"e{i}_{position}"]
            assert edge.get("label", "").strip() == ("" if partial is None else f"{partial:.4g}")
            no_derivative = partial is None and isinstance(node.operands[position], Value)
            assert (edge.get("style") == "dashed") == no_derivative
    assert not any("label" in e for e in json.loads(y.draw().pipe("json"))["edges"])


class TwoLayers:
    """What draw needs of a module, without nn: names that are paths."""

    def __init__(self):
        self.layers = [Layer(2, 2), Layer(2, 1)]

    def named_parameters(self):
        for i, layer in enumerate(self.layers):
            for j, neuron in enumerate(layer.neurons):
                for k, w in enumerate(neuron.w):
                    yield f"layers.{i}.neurons.{j}.w.{k}", w
                yield f"layers.{i}.neurons.{j}.b", neuron.b

    def __call__(self, xs):
        for layer in self.layers:
            xs = [neuron(xs) for neuron in layer.neurons]
        return xs[0]


class Layer:
    def __init__(self, inputs, outputs):
        self.neurons = [Neuron(inputs) for _ in range(outputs)]


class Neuron:
    def __init__(self, inputs):
        self.w = [Value(0.1 * (i + 1)) for i in range(inputs)]
        self.b = Value(0.5)

    def __call__(self, xs):
        total = self.b
        for w, x in zip(self.w, xs, strict=True):
            total = total + w * x
        return total.tanh()


def clusters(picture):
    """For each box: its title and the nodes in it (in boxes within it, too)."""
    graph = json.loads(picture.pipe("json"))
    objects = graph["objects"]
    return {x["name"].removeprefix("cluster_"): (x["label"], {objects[i]["name"] for i in x["nodes"]})
            for x in objects if x["name"].startswith("cluster_")}  # fmt: skip


def test_each_node_is_in_the_box_of_the_neuron_whose_parameters_enter_it():
    model = TwoLayers()
    x1, x2 = Value(1.0), Value(-2.0)
    y = model([x1, x2])
    loss = (y - 1.0) ** 2
    boxes = clusters(loss.draw(group=model))
    assert {path: label for path, (label, _) in boxes.items()} == {
        "layers.0": "Layer 0", "layers.0/layers.0.neurons.0": "Neuron 0", "layers.0/layers.0.neurons.1": "Neuron 1",
        "layers.1": "Layer 1", "layers.1/layers.1.neurons.0": "Neuron 0",
    }  # fmt: skip
    order = topological_order([loss])
    position = {node: i for i, node in enumerate(order)}
    in_output_neuron = boxes["layers.1/layers.1.neurons.0"][1]
    assert {f"op{position[y]}", f"v{position[y]}"} <= in_output_neuron, "the activation"
    assert f"v{position[loss]}" not in set.union(*[nodes for _, nodes in boxes.values()]), "the loss is in no neuron"
    for x in (x1, x2):
        assert f"v{position[x]}" not in set.union(*[nodes for _, nodes in boxes.values()])
    for i, layer in enumerate(model.layers):
        for j, neuron in enumerate(layer.neurons):
            nodes = boxes[f"layers.{i}/layers.{i}.neurons.{j}"][1]
            assert {f"v{position[p]}" for p in (*neuron.w, neuron.b)} <= nodes
            assert len(nodes) == 3 + 2 * 5, "three parameters; two products, two sums and the activation, with results"
            assert nodes <= boxes[f"layers.{i}"][1]


def test_boxes_are_drawn_around_the_neurons_of_nn():
    nn = pytest.importorskip("nn")
    model = nn.MLP(2, [3, 1])
    y = model([1.0, 2.0])
    boxes = clusters(autograd.draw(y, group=model))
    neurons = [label for label, _ in boxes.values() if label.startswith("Neuron")]
    assert len(neurons) == 4, boxes.keys()
    assert sum(label.startswith("Layer") for label, _ in boxes.values()) == 2
    assert sum(len(nodes) for label, nodes in boxes.values() if label.startswith("Neuron")) > 13 + 4


def test_leaves_parameters_inputs_constants_and_outputs_are_told_apart():
    model = TwoLayers()
    x = Value(1.0)
    kinds = {x["class"] for x in laid_out(draw(model([x, x * 2.0]), group=model))[0].values() if "class" in x}
    assert kinds == {"parameter", "input", "constant", "output", "between", "operation"}
    assert laid_out(draw(x * 2.0))[0]["v0"]["class"] == "leaf"


# --- large graphs ---


def mean_of_squares(n):
    w = Value(0.5)
    total = Value(0.0)
    for i in range(n):
        total = total + (w * float(i) - 1.0) ** 2
    return total / float(n)


@given(st.integers(1, 60), st.integers(1, 60))
@settings(max_examples=20)
def test_omitted_nodes_add_up_to_all_that_is_not_shown(n, max_nodes):
    y = mean_of_squares(n)
    order = topological_order([y])
    total = len(order) + sum(not isinstance(x, Value) for node in order for x in node.operands)
    objects, _ = laid_out(draw(y, max_nodes=max_nodes))
    shown = sum(name[0] in "vc" for name in objects)
    labels = [x["label"] for name, x in objects.items() if name.startswith("more")]
    omitted = sum(int(label.removeprefix("… ").removesuffix(" more")) for label in labels if label != "…")
    assert shown <= max_nodes
    assert shown + omitted == total


def test_large_graph_is_summarised():
    loss = mean_of_squares(17_000)  # 68 000 Values, as the moons loss; how long it takes: benchmarks/visualize.py
    svg = loss.draw().pipe("svg", encoding="utf-8")
    assert "more</text>" in svg
    assert "nodes nearest to the output, of" in svg


def test_wide_node_shows_some_operands_and_counts_the_rest():
    xs = [Value(float(i)) for i in range(1000)]
    objects, _ = laid_out(draw(autograd.sum(xs), names={}))
    assert objects["more6"]["label"] == "… 994 more"


# --- files, programs ---


def test_file_is_written_in_the_kind_of_its_name(tmp_path):
    picture = draw(Value(1.0), file=tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    draw(Value(1.0), file=str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    draw(Value(1.0), file=tmp_path / "a.dot")
    assert (tmp_path / "a.dot").read_text() == picture.source
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.dot", "a.png", "a.svg"], "nothing temporary is left"


def test_pdf_works_or_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(dot_command, "DOT_BINARY", Path(shutil.which("graphviz-pure")))
    with pytest.raises(RendererNotFound, match=r"writes SVG and PNG only\. For PDF .*apt install graphviz"):
        draw(Value(1.0), file=tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())
    _dot_that("cat >/dev/null; echo '%PDF'", tmp_path, monkeypatch)
    draw(Value(1.0), file=tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_text() == "%PDF\n"


def test_in_a_terminal_a_picture_is_lines_of_text():
    a, b = Value(-4.0), Value(2.0)
    d = a * b + b**3
    d.backward()
    assert repr(draw(d)) == (
        "a = −4           grad 2\n"
        "b = 2            grad 8\n"
        "v1 = a·b = −8    grad 1\n"
        "v2 = b³ = 8      grad 1\n"
        "d = v1 + v2 = 0  grad 1"
    )
    lines = repr(draw(mean_of_squares(1000), names={})).splitlines()
    assert lines[0] == "… 3973 more"
    assert len(lines) == 31


def test_failed_layout_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "a.svg").write_text("before")
    monkeypatch.setattr(graphviz_program.Picture, "pipe", lambda *args, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        draw(Value(1.0), file=tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_render_save_and_notebook_display_of_the_digraph_work(tmp_path):
    picture = draw(Value(1.0))
    assert picture.render(tmp_path / "r", format="png") == str(tmp_path / "r.png")
    assert picture.save(tmp_path / "s.gv") == str(tmp_path / "s.gv")
    assert picture._repr_mimebundle_()[0]["image/svg+xml"].startswith("<?xml")
    assert picture._repr_mimebundle_()[0]["image/png"].startswith(b"\x89PNG"), "what an untrusted notebook shows"


def test_without_any_program_the_error_says_how_to_get_one_and_the_source_is_there(monkeypatch, tmp_path):
    monkeypatch.setattr(dot_command, "DOT_BINARY", "dot")
    monkeypatch.setattr(shutil, "which", lambda *args, **options: None)
    picture = draw(Value(1.0))
    assert "digraph" in picture.source
    draw(Value(1.0), file=tmp_path / "a.dot")
    for use in (lambda: picture.pipe("svg"), lambda: picture.render(tmp_path / "r"), picture._repr_mimebundle_):
        with pytest.raises(RendererNotFound, match=r"pip install graphviz-pure.*apt install graphviz.*source"):
            use()


def test_system_dot_is_used_where_there_is_one(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\ncat >/dev/null; echo the system says hello\n")
    program.chmod(0o755)
    monkeypatch.setattr(dot_command, "DOT_BINARY", "dot")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert draw(Value(1.0)).pipe("svg") == b"the system says hello\n"
    assert dot_command.DOT_BINARY == "dot", "nothing changes for who has dot"


def _dot_that(script, folder, monkeypatch):
    program = folder / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(dot_command, "DOT_BINARY", "dot")
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize(
    "script",
    ["cat >/dev/null; echo 'There is no layout engine support for \"dot\"' >&2; exit 1", "exec /no/such/program"],
)
def test_where_the_systems_dot_fails_graphviz_pure_draws(script, monkeypatch, tmp_path):
    expected = draw(Value(1.0), names={}).pipe("svg")
    _dot_that(script, tmp_path, monkeypatch)
    picture = draw(Value(1.0), file=tmp_path / "a.svg", names={})
    assert picture.pipe("svg") == (tmp_path / "a.svg").read_bytes() == expected
    assert picture.render(tmp_path / "r", format="png") == str(tmp_path / "r.png")
    assert picture._repr_mimebundle_()[0]["image/svg+xml"].encode() == expected
    assert dot_command.DOT_BINARY == "dot", "a dot that lacks one format may serve the next graph"


def test_a_program_that_is_no_program_counts_as_one_that_fails(monkeypatch, tmp_path):
    _dot_that("", tmp_path, monkeypatch)
    (tmp_path / "dot").write_bytes(b"\x7fELF, but broken off")
    assert draw(Value(1.0)).pipe("svg").startswith(b"<?xml")


def test_where_dot_fails_and_nothing_else_is_there_the_error_says_what_dot_said(monkeypatch, tmp_path):
    _dot_that("cat >/dev/null; echo plugin lost >&2; exit 1", tmp_path, monkeypatch)
    monkeypatch.setattr(graphviz_program, "_graphviz_pure", lambda: None)
    with pytest.raises(RendererNotFound, match=r"dot failed: plugin lost\. .*pip install graphviz-pure"):
        draw(Value(1.0)).pipe("svg")


def test_where_both_programs_fail_the_error_is_that_of_the_first(monkeypatch, tmp_path):
    _dot_that("cat >/dev/null; echo syntax error in line 1 >&2; exit 1", tmp_path, monkeypatch)
    (tmp_path / "other").write_text("#!/bin/sh\ncat >/dev/null; exit 1\n")
    (tmp_path / "other").chmod(0o755)
    monkeypatch.setattr(graphviz_program, "_graphviz_pure", lambda: str(tmp_path / "other"))
    with pytest.raises(CalledProcessError) as caught:
        draw(Value(1.0)).pipe("svg")
    assert b"syntax error in line 1" in caught.value.stderr


# --- safety ---


@pytest.mark.parametrize("label", NASTY)
def test_label_is_shown_as_its_characters_and_adds_no_element(label):
    from autograd.visualize.names import printable

    plain, nasty = (draw(Value(2.0, label=x) * 3, names={}) for x in ("plain", label))
    assert printable(label, 32) in svg_texts(nasty)
    tags = [[element.tag for element in ET.fromstring(p.pipe("svg")).iter()] for p in (plain, nasty)]
    assert tags[0] == tags[1]
    assert set(laid_out(nasty)[0]) == set(laid_out(plain)[0])
    assert nasty.pipe("png").startswith(b"\x89PNG")


def test_symbol_of_a_users_primitive_is_escaped():
    op = autograd.Primitive("f", lambda x: x, [lambda out, x: 1.0], symbol="<b>&")
    assert "<b>&" in svg_texts(draw(op(Value(1.0))))
