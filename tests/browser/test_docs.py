"""The documentation site builds without a warning; its pages are whole on wide and narrow screens, light and dark."""

import subprocess
import sys
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


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_its_pictures_are_there_and_nothing_fails(show, page, width):
    tab = show(page, width)
    assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert tab.evaluate("[...document.images].filter(image => !image.complete || !image.naturalWidth).length") == 0
    assert tab.evaluate("[...document.images].filter(image => !image.alt).length") == 0
    assert tab.locator("h1").count() == 1
    assert tab.errors == []


def test_the_site_is_dark_where_the_system_is(show):
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = (show("index", 1280, scheme).evaluate(background) for scheme in ("light", "dark"))
    assert light == "rgb(255, 255, 255)"
    assert sum(map(int, dark.removeprefix("rgb(").removesuffix(")").split(","))) < 150


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
