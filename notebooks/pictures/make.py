"""python notebooks/pictures/make.py: the pictures of the READMEs.

Needs matplotlib for the chain rule's, and playwright with a Chromium on the machine for the screenshots.
"""

import argparse
import contextlib
import doctest
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd import Value, tanh
from autograd.visualize import chain_rule, draw, page
from autograd.visualize.chain_rule import REUSE
from autograd.visualize.derivation import Derivation, Factor
from autograd.visualize.expressions import Printer, Symbol
from nn import MLP, Adam, playground
from nn.datasets import moons

INK, FAINT = "#1B2530", "#5F6B76"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pictures of the READMEs.")
    parser.add_argument("--out", type=Path, default=Path("notebooks/pictures"), help="folder (default: %(default)s)")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    draw_picture(folder / "draw.svg")
    life_picture(folder / "life.svg")
    chain_rule_picture(folder / "chain_rule.svg")
    if not (page_picture(folder / "page.png") and playground_picture(folder / "playground.png")):
        sys.exit("the screenshots need playwright and a Chromium (pip install playwright, apt install chromium)")


def readme() -> dict[str, Any]:
    """The variables that the README's examples make up to "See the computation", whose pictures show them."""
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    before, section = text.split("\n## See the computation\n")
    section = before + section.split("\n## ")[0]
    variables: dict[str, Any] = {}
    with contextlib.redirect_stdout(None):
        for example in doctest.DocTestParser().get_examples(section):
            exec(example.source, variables)
    return variables


def draw_picture(path: Path) -> None:
    """The README's first graph."""
    variables = readme()
    picture = draw(variables["d"], names=variables, local_grads=True)
    picture.attr(bgcolor="white")
    path.write_bytes(picture.pipe("svg"))


def life_picture(path: Path) -> None:
    """The example of autograd/README.md, after its backward pass."""
    x, w = Value(0.5), Value(-1.2)
    a = tanh(x * w)
    a.backward()
    picture = draw(a, names={"x": x, "w": w, "a": a}, local_grads=True)
    picture.attr(bgcolor="white")
    path.write_bytes(picture.pipe("svg"))


def chain_rule_picture(path: Path) -> None:
    """The derivation in columns: each factor, beneath it its formula and its number, and what is reused."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    variables = readme()
    shown = chain_rule(variables["L"], [variables["w2"], variables["w1"]], names=variables)
    with rc_context({"mathtext.fontset": "cm", "svg.fonttype": "path", "svg.hashsalt": "valuegrad"}):
        figure = Figure(figsize=(8.6, 4.6), dpi=100)
        board = _Board(figure)
        for derivation in shown.derivations:
            board.derivation(Symbol("L"), derivation)
        figure.savefig(path, facecolor="white", bbox_inches="tight", pad_inches=0.15, metadata={"Date": None})


class _Board:
    """Formulas at positions of a figure, in points from its top left corner."""

    def __init__(self, figure: Any):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self.figure = figure
        canvas: Any = FigureCanvasAgg(figure)
        self.renderer = canvas.get_renderer()
        self.print = Printer("{:.4g}".format, latex=True)
        self.y = 30.0

    def derivation(self, output: Symbol, derivation: Derivation) -> None:
        """A left-hand side, then a column for each factor of the first path."""
        assert derivation.paths
        path = derivation.paths[0]
        x = self.formula(10, self.y, self.fraction(output, derivation.wrt)) + 10
        for row, sign in enumerate(["=", "=", "="]):
            self.formula(x, self.y + 52 * row, sign)
        x += 24
        starts, ends = [], []
        for i, factor in enumerate(path):
            cells = [self.fraction(factor.child, factor.parent), *self.formula_and_number(factor, i == 0)]
            ends.append(max(self.formula(x, self.y + 52 * row, cell) for row, cell in enumerate(cells)))
            starts.append(x)
            x = ends[-1] + 30
            if i + 1 < len(path):
                for row in range(3):
                    self.formula(x - 18, self.y + 52 * row, r"\cdot")
        self.formula(x - 14, self.y + 104, f"= {self.print.value(derivation.value)}")
        reused = [i for i, factor in enumerate(path) if factor.reused]
        if reused:
            self.brace(starts[reused[0]], ends[reused[-1]], self.y + 25)
        self.y += 170

    def fraction(self, of: Symbol, by: Symbol) -> str:
        return rf"\dfrac{{\partial {self.print.name(of)}}}{{\partial {self.print.name(by)}}}"

    def formula_and_number(self, factor: Factor, first: bool) -> list[str]:
        return [self.print.factor(factor.formula, first), self.print.factor(factor.value, first)]

    def formula(self, x: float, y: float, latex: str, size: float = 15) -> float:
        """Writes it with its middle at height y; returns where it ends."""
        text = self.figure.text(*self.place(x, y), f"${latex}$", fontsize=size, color=INK, va="center")
        extent: float = text.get_window_extent(self.renderer).x1
        return extent * 72 / self.figure.dpi

    def brace(self, start: float, end: float, y: float) -> None:
        from matplotlib.lines import Line2D

        corners = [self.place(*at) for at in [(start, y - 4), (start, y), (end, y), (end, y - 4)]]
        self.figure.add_artist(Line2D(*zip(*corners, strict=True), color=FAINT, linewidth=0.9))
        middle = self.place((start + end) / 2, y + 3)
        self.figure.text(*middle, REUSE, fontsize=8.5, color=FAINT, ha="center", va="top")

    def place(self, x: float, y: float) -> tuple[float, float]:
        width, height = (72 * inches for inches in self.figure.get_size_inches())
        return x / width, 1 - y / height


def page_picture(path: Path) -> bool:
    """A screenshot in the middle of the backward pass; False without a browser."""
    variables = readme()

    def prepare(tab: Any) -> None:
        for _ in range(11):
            tab.keyboard.press("ArrowRight")
        tab.wait_for_timeout(500)  # until nothing fades any more

    return screenshot(page(variables["L"], names=variables).html, path, 1100, 600, prepare)


def playground_picture(path: Path) -> bool:
    """A screenshot of the playground after 120 steps; False without a browser."""
    X, classes = moons(200, seed=1)
    model = MLP(2, [8, 8, 1], init="he", rng=1)
    live = playground(model, X, [2 * c - 1 for c in classes], loss="hinge", optimizer=Adam(0.02), validation_split=0.2)

    def prepare(tab: Any) -> None:
        tab.wait_for_selector("html[data-ready]", state="attached")
        tab.evaluate("for (let i = 0; i < 120; i++) document.getElementById('step').click()")

    return screenshot(live.html, path, 1240, 790, prepare)


def screenshot(html: str, path: Path, width: int, height: int, prepare: Callable[[Any], None]) -> bool:
    """A document as a browser shows it; False without one."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return False
    if program is None:
        return False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1.5)
        tab.set_content(html)
        prepare(tab)
        tab.screenshot(path=path)
        browser.close()
    return True


if __name__ == "__main__":
    main()
