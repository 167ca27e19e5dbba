"""The page as a document: self-contained, its script the only one allowed to run, its data what the graph says."""

import base64
import hashlib
import json
import math
import re
import runpy
from pathlib import Path

import pytest

from autograd import Primitive, Value, dot, page, tanh
from autograd.visualize.javascript import NoJavaScript, operation


def data_of(document):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', document.html, re.S)[1])


def test_document_refers_to_nothing_outside_itself():
    html = page(tanh(Value(1.0) * 2.0)).html
    assert not re.search(r"\b(src|href)\s*=|url\(|@import|fetch\(|XMLHttpRequest", html)
    addresses = set(re.findall(r"https?://[^\"'\s)]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_policy_allows_exactly_the_pages_own_script():
    html = page(Value(1.0) * 2.0).html
    script = re.search(r"<script>(.*)</script>", html, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in html


def test_data_is_the_graphs():
    x, y = Value(0.5, label="x"), Value(math.inf, label="y")
    z = dot([x], [2.0], y)
    data = data_of(page(z, names={}))
    assert [node["name"] for node in data["nodes"]] == ["y", "x", "out"]
    assert data["nodes"][0]["data"] == "Infinity"
    assert data["nodes"][2]["operands"] == [0, 1, {"number": 2.0}]
    assert data["nodes"][2]["partials"] == [1.0, 2.0, None]
    assert data["nodes"][2]["formula"] == ["", 1, "·", 2, " + ", 0, ""]
    assert (data["output"], data["editable"]) == (2, True)


@pytest.mark.parametrize("label", ["</script>", "<!--<script>", "\u2028", "\ud83c", "]]>"])
def test_label_cannot_end_the_data(label):
    document = page(Value(2.0, label=label) * 3, names={})
    assert document.html.count("</script>") == 2
    assert data_of(document)["nodes"][0]["name"]
    document.html.encode()


def test_page_is_saved_whole(tmp_path):
    document = page(Value(1.0) * 2.0)
    document.save(tmp_path / "x.html")
    assert (tmp_path / "x.html").read_text(encoding="utf-8") == document.html
    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]


def test_large_graph_is_refused_with_its_size():
    total = Value(0.0)
    for _ in range(600):
        total = total + Value(1.0)
    with pytest.raises(ValueError, match="has 1201 nodes, more than max_nodes=1000"):
        page(total)


@pytest.mark.parametrize("wrong", [2.0, None, [Value(1.0)]])
def test_what_is_no_value_is_refused(wrong):
    with pytest.raises(TypeError, match="page takes a Value, got"):
        page(wrong)
    with pytest.raises(ValueError, match="'sideways'"):
        page(Value(1.0), direction="sideways")


def test_two_primitives_of_one_name_are_not_confused():
    first, second = (Primitive("f", lambda x: x, [lambda out, x: 1.0], lower=lambda x: x) for _ in range(2))
    data = data_of(page(first(second(Value(1.0)))))
    assert data["reason"] == "two different primitives are called f"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda out, x: 1.0 if x > 0 else 2.0, "branches on a number"),
        (lambda out, x: math.cos(x), "does not convert to a plain number"),
        (lambda out, x: x.data, r"uses the data"),
    ],
)
def test_rule_that_cannot_be_traced_says_why(rule, reason):
    with pytest.raises(NoJavaScript, match=f"f has no JavaScript: its derivative cannot be written down .*{reason}"):
        operation(Primitive("f", lambda x: x, [rule], lower=lambda x: x), 1)


def test_equal_expressions_of_a_rule_are_computed_once():
    from autograd.primitives import TABLE

    assert len(operation(TABLE["max"], 200)) < 40_000, "linear in the number of operands"


def test_pictures_of_the_readme_are_made_by_the_command(tmp_path):
    made = runpy.run_path(str(Path(__file__).parents[2] / "notebooks" / "pictures" / "make.py"))
    made["draw_picture"](tmp_path / "draw.svg")
    made["chain_rule_picture"](tmp_path / "chain_rule.svg")
    for name in ("draw.svg", "chain_rule.svg"):
        assert "</svg>" in (tmp_path / name).read_text(encoding="utf-8")


def test_parameters_with_equal_labels_are_told_apart_by_their_paths():
    class Model:
        w = (Value(1.0, label="w"), Value(2.0, label="w"))

        def named_parameters(self):
            yield from {"first.w": self.w[0], "second.w": self.w[1]}.items()

    product = Model.w[0] * Model.w[1] * Value(3.0, label="w")
    names = [node["name"] for node in data_of(page(product, group=Model(), names={}))["nodes"]]
    assert names == ["first.w", "second.w", "v1", "w", "out"]
    total = Value(0.0)
    for _ in range(5):
        total = total + Value(1.0, label="x")
    names = [node["name"] for node in data_of(page(total, names={}))["nodes"]]
    assert [name for name in names if name.startswith("x")] == ["x", "x′", "x″", "x (4)", "x (5)"]
