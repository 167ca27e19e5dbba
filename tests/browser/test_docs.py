"""The documentation site builds without a warning; its pages are whole on wide and narrow screens, light and dark."""

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    "index", "tutorial/02_computation_graphs", "how_to/from_pytorch", "reference/functions", "reference/training",
    "explanation/engine", "explanation/semantics", "explanation/performance", "changelog",
]  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    for package in ("sphinx", "furo", "myst_nb"):
        pytest.importorskip(package, reason="the documentation is built by Sphinx: python -m pip install '.[docs]'")
    if shutil.which("npm") is None:
        pytest.skip("the page that runs Python in the browser needs npm")
    folder = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        [sys.executable, "-m", "docs", "--out", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return folder


@pytest.fixture(scope="session")
def show(site, chromium):
    """A function that opens a page of the site."""
    contexts = []

    def opened(page, width, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme, offline=True)
        contexts.append(context)
        tab = context.new_page()
        tab.errors = []
        tab.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.goto(f"file://{site}/{page}.html")
        return tab

    yield opened
    for context in contexts:
        context.close()


OURS = "[...document.images].filter(image => !/^https?:/.test(image.src))"  # badges come from elsewhere


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_its_pictures_are_there_and_nothing_fails(show, page, width):
    tab = show(page, width)
    assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert tab.evaluate(f"{OURS}.filter(image => !image.complete || !image.naturalWidth).length") == 0
    assert tab.evaluate("[...document.images].filter(image => !image.alt).length") == 0
    assert tab.locator("h1").count() == 1
    assert tab.errors == []


def test_the_site_is_dark_where_the_system_is(show):
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = (show("index", 1280, scheme).evaluate(background) for scheme in ("light", "dark"))
    assert light == "rgb(255, 255, 255)"
    assert sum(map(int, dark.removeprefix("rgb(").removesuffix(")").split(","))) < 150


def test_formulas_are_set_without_a_network(show):
    tab = show("tutorial/04_jacobians", 1280)
    tab.wait_for_selector("mjx-container")
    assert tab.locator("mjx-container").count() > 50


def test_the_playground_trains_there(show):
    tab = show("playground", 1280)
    tab.get_by_role("button", name="Step").click()
    tab.wait_for_function("/loss/i.test(document.body.innerText)")
    assert tab.errors == []


def test_search_finds_a_function(show):
    tab = show("search", 1280)
    tab.goto(tab.url + "?q=softplus")
    tab.wait_for_selector("#search-results li a")
    assert "Functions" in tab.locator("#search-results").inner_text()


def test_what_is_public_has_its_place(site):
    from sphinx.util.inventory import InventoryFile

    with open(site / "objects.inv", "rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, target: target)
    names = {name for objects in inventory.values() for name in objects}
    assert names >= {
        "autograd.Value.backward",
        "autograd.sin",
        "autograd.linalg.solve",
        "nn.MLP",
        "nn.schedules.cosine",
    }


@pytest.fixture(scope="session")
def served(site):
    """The address of a web server of the site."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def guess_type(self, path):
            return "text/javascript" if str(path).endswith(".mjs") else super().guess_type(path)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


DEEP = """from autograd import Value
x = Value(1.0)
z = x
for _ in range(50_000): z = z * 1.0
z.backward()
del z
x.grad"""


def test_the_engine_runs_in_the_browser_and_without_a_network_afterwards(served, chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(90_000)
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(f"{served}/try/index.html")

    def output():
        tab.wait_for_function("/^(Done|An error)/.test(document.querySelector('#status').textContent)")
        return tab.inner_text("#output").rstrip()

    def run(code):
        tab.fill("#code", code)
        tab.press("#code", "Shift+Enter")
        return output()

    assert "dL/da = -2.0" in output()
    assert "grad −2" in tab.get_attribute("#output img", "alt")
    titles = tab.eval_on_selector_all("#example option", "options => options.map(option => option.label)")
    shown = {}
    for title in titles[1:]:
        tab.select_option("#example", label=title)
        shown[title] = output()
        assert tab.locator("#output .error").count() == 0, shown[title]
        if title == "Step by step":
            assert tab.frame_locator("iframe").locator("h1").inner_text().startswith("Forward and backward")
    assert "∂out/∂w" in shown["The chain rule in writing"]
    assert "Hessian: [[4.0, 6.0], [6.0, 0.0]]" in shown["Derivatives of derivatives"]
    assert float(shown["Train a network"].split("accuracy: ")[1]) > 0.8
    assert "log gives -inf from x = 0.0, at <cell>:5" in shown["Look for a NaN"]

    assert run(DEEP) == "1.0"  # freed without recursion, which would end Python
    assert run("x = 1 / 0").splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert run("x.grad") == "1.0"  # an error leaves what was defined

    tab.wait_for_function("navigator.serviceWorker.controller")
    context.set_offline(True)
    tab.reload()
    tab.wait_for_selector("#output img")
    assert errors == []
    context.close()
