"""How long the views take: a large graph drawn, and a step of a page of 300 nodes.

    python -m pip install ".[demo]" playwright
    python benchmarks/visualize.py

Nobody else draws these, so the times stand beside those of building the same graph. The step needs a Chromium on PATH.
"""

import shutil
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from autograd import Value, page, tanh
from autograd.graph import topological_order

STEPS = """() => {
    const slider = document.getElementById("slider");
    const start = performance.now();
    for (let step = 1; step <= 60; step++) { slider.value = step * 4; slider.dispatchEvent(new Event("input")); }
    return (performance.now() - start) / 60;
}"""


def timed(what: str, function: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    result = function()
    print(f"  {what:<45} {(time.perf_counter() - start) * 1e3:9.1f} ms")
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


def main() -> None:
    loss = timed("build a loss", lambda: mean_of_squares(17_000))
    print(f"a graph of {len(topological_order([loss]))} nodes:")
    timed("draw it, summarised, and lay it out (to reach: 1 s)", lambda: loss.draw().pipe("svg"))
    small = wide(75)
    print(f"a graph of {len(topological_order([small]))} nodes:")
    html = timed("make its page", lambda: page(small, names={}).html)
    chromium = shutil.which("chromium")
    if not (chromium and find_spec("playwright")):
        print("  (a step of it: needs playwright and a chromium)")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.set_content(html)
        print(f"  {'step through it, each step (smooth: below 16)':<45} {tab.evaluate(STEPS):9.1f} ms")
        browser.close()


if __name__ == "__main__":
    main()
