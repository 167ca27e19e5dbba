"""What browsers make of pictures: text in its cell with any font that is installed."""

import math
import re
import shutil
import subprocess

import pytest

from autograd import Value, draw, logsumexp, page

pytestmark = pytest.mark.browser

LEAVES = """(fonts) => {
    const left = [];
    for (const font of fonts) {
        for (const text of document.querySelectorAll("svg text")) text.style.fontFamily = font;
        for (const node of document.querySelectorAll(".node")) {
            const shape = node.querySelector("path, ellipse");
            if (shape === null) continue; // a constant stands in no cell
            const { x, width } = shape.getBBox();
            const bars = [...node.querySelectorAll("polygon")].map((bar) => bar.getBBox().x);
            const edges = [...bars, x + width].sort((a, b) => a - b);
            for (const text of node.querySelectorAll("text")) {
                const box = text.getBBox();
                const edge = edges.find((edge) => edge > box.x);
                if (box.x + box.width > edge + 0.1) left.push(`${font}: ${text.textContent}`);
            }
        }
    }
    return left;
}"""


def fonts():
    """The families of the fonts that are installed."""
    if shutil.which("fc-list") is None:
        return ["sans-serif", "serif", "monospace"]
    listed = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True, check=True).stdout
    return sorted({line.split(",")[0] for line in listed.splitlines() if line})


def graph():
    a = Value(-1.23456e-7, label="layers.0.neurons.1.w[1]")
    b = Value(-0.70731, label="WWW loss mm illicit")
    c = Value(math.inf, label="σ₁ 損失 שלום 🎉")
    return logsumexp([a * b, c * -1e300, -a]) - 1.0


def test_text_never_leaves_its_cell_with_any_installed_font(open_page):
    y = graph()
    y.backward()
    drawn = re.sub(r"^.*?(?=<svg)", "", draw(y, names={}).pipe("svg", encoding="utf-8"), flags=re.DOTALL)
    for html in (f"<!doctype html><meta charset=utf-8>{drawn}", page(y, names={}).html):
        assert open_page(html).evaluate(LEAVES, fonts()) == []
