"""A headless Chromium that counts: messages on the console, errors, requests and dialogs of every page it opens."""

import os
import shutil
from pathlib import Path

import pytest

OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    program = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if program is None:
        pytest.skip("the browser tests need a Chromium on the machine (Debian: apt install chromium)")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=OPTIONS, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def npm_package():
    """A function that finds the folder of a package of npm's in the folders of NODE_PATH, as Node does."""

    def found(name):
        folders = [Path(folder) / name for folder in os.environ.get("NODE_PATH", "").split(os.pathsep) if folder]
        folder = next(filter(Path.is_dir, folders), None)
        return folder or pytest.skip(f"needs the package {name} (npm install {name}; NODE_PATH=.../node_modules)")

    return found


@pytest.fixture
def open_page(chromium, tmp_path):
    """A function that opens a document; at the end, nothing may have gone wrong on any of them."""
    opened = []

    def open_document(html, **options):
        context = chromium.new_context(viewport={"width": 1200, "height": 700}, **options)
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        happened = []
        tab.on("console", lambda message: happened.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: happened.append(f"error: {error}"))
        tab.on("request", lambda request: happened.append(f"request: {request.url}"))
        tab.on("dialog", lambda dialog: (happened.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        file = tmp_path / f"{len(opened)}.html"
        file.write_text(html, encoding="utf-8")
        tab.goto(f"file://{os.fspath(file)}")
        opened.append((context, file, happened))
        return tab

    yield open_document
    for context, file, happened in opened:
        context.close()
        assert [what for what in happened if what != f"request: file://{file}"] == []
