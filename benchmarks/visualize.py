"""How long the views take: a large graph drawn, and a step of a page of 300 nodes.

    python -m pip install ".[demo]" playwright
    python -m benchmarks.visualize

Nobody else draws these, so the times stand beside those of building the same graph. The step needs a Chromium on PATH.
"""

import shutil
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograd import Value, page, tanh
from autograd.graph import topological_order

sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/visualize.py serves as well

from benchmarks.table import Table, command_line, measure

STEPS = """() => {
    const slider = document.getElementById("slider");
    const start = performance.now();
    for (let step = 1; step <= 60; step++) { slider.value = step * 4; slider.dispatchEvent(new Event("input")); }
    return (performance.now() - start) / 60;
}"""


def timed(table: Table, what: str, function: Callable[[], Any], goal: str = "") -> Any:
    start = time.perf_counter()
    result = function()
    table.row(what, f"{(time.perf_counter() - start) * 1e3:.1f} ms", goal)
    return result


def mean_of_squares(n: int) -> Value:
    w, total = Value(0.5), Value(0.0)
    for i in range(n):
        total = total + (w * float(i) - 1.0) ** 2
    return total / float(n)


def wide(n: int) -> Value:
    total = Value(0.0, label="start")
    for i in range(n):
        total = total + tanh(Value(i / 100) * (i + 1.0))
    return total


def drawing() -> Table:
    table = Table("A large graph, drawn", "what", "time", "to reach")
    loss = timed(table, "build a loss", lambda: mean_of_squares(17_000))
    nodes = len(topological_order([loss]))
    timed(
        table, f"draw its {nodes:,} nodes, summarised, and lay it out", lambda: loss.draw().pipe("svg"), "at most 1 s"
    )
    return table


def pages() -> Table:
    small = wide(75)
    table = Table(f"The page of a graph of {len(topological_order([small]))} nodes", "what", "time", "to reach")
    html = timed(table, "make it", lambda: page(small, names={}).html)
    chromium = shutil.which("chromium")
    if not (chromium and find_spec("playwright")):
        table.note("a step of it: needs playwright and a chromium")
        return table
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.set_content(html)
        table.row("step through it, each step", f"{tab.evaluate(STEPS):.1f} ms", "at most 16 ms")
        browser.close()
    return table


TABLES = {"drawing": drawing, "page": pages}

if __name__ == "__main__":
    sys.exit(measure(__file__, command_line(__file__, "How long the views take.", TABLES).parse_args(), TABLES))
