"""The documentation site: Sphinx reads this. `python -m docs` builds it.

What is written elsewhere is not written again: the notebooks, the maps of the code, the benchmarks and the changelog
are taken from where they live, and their links lead to the site's pages, or to the source where there is no such page.
"""

import json
import posixpath
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

from docs.browser import MATHJAX, assemble  # noqa: E402

SOURCE = "https://github.com/valuegrad/valuegrad/blob/main"

project = "valuegrad"
author = copyright = "The valuegrad authors"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "myst_nb"]
exclude_patterns = ["node_modules"]
nitpicky = False  # annotations name types that are private

mathjax_path = MATHJAX

html_theme = "furo"
html_title = "valuegrad"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "source_repository": "https://github.com/valuegrad/valuegrad/",
    "source_branch": "main",
    "source_directory": "docs/",
}

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature has them
smartquotes = False
default_role = "literal"  # `x` in a docstring is code, as in Markdown
nb_execution_mode = "off"  # stored outputs, which tests compare with what runs
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]

# A page of the site for each document that lives elsewhere.
PAGES = {
    "README.md": "index",
    **{f"docs/explanation/{name}.md": f"explanation/{name}" for name in ("symbols", "past_one_machine")},
    "autograd/README.md": "explanation/engine",
    "autograd/compiler/README.md": "explanation/compiler",
    "nn/README.md": "explanation/networks",
    "benchmarks/README.md": "explanation/performance",
    "CHANGELOG.md": "changelog",
    ".github/CONTRIBUTING.md": "contributing",
    **{f"notebooks/{path.name}": f"tutorial/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))},
}


def copy_notebooks() -> None:
    """Sphinx reads below its own folder only."""
    folder = DOCS / "tutorial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = relink("".join(cell["source"]), f"notebooks/{path.name}")
            metadata = [output.get("metadata", {}) for output in cell.get("outputs", [])]
            described = [kind["alt"] for kinds in metadata for kind in kinds.values() if "alt" in kind]
            if described:  # MyST-NB takes it from the cell, not from the output
                cell["metadata"]["mystnb"] = {"image": {"alt": described[0]}}
        (folder / path.name).write_text(json.dumps(notebook), encoding="utf-8")


def relink(text: str, origin: str) -> str:
    """The Markdown of the document `origin`, its links as they are from that document's page of the site."""
    here = posixpath.dirname(PAGES[origin])

    def target(match: re.Match[str]) -> str:
        link, hash, anchor = match[2].partition("#")
        if re.match(r"\w+:", link):
            return match[0]
        anchor = hash + re.sub(r"[^\w-]", "", anchor.lower())  # Jupyter's have capitals
        if not link:
            return f"{match[1]}({anchor})"
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))
        if match[1].startswith("!"):
            return f"{match[1]}({posixpath.relpath(path, posixpath.join('docs', here))})"
        if path in PAGES:
            suffix = ".ipynb" if path.endswith(".ipynb") else ".md"
            return f"{match[1]}({posixpath.relpath(PAGES[path], here or '.')}{suffix}{anchor})"
        if not (ROOT / path).exists():
            raise FileNotFoundError(f"{origin} links to {match[2]}, but there is no {path}")
        return f"{match[1]}({SOURCE}/{path}{anchor})"

    return re.sub(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^)\s]+)\)", target, text)


def tidy(app: Sphinx, page: str, text: list[str]) -> None:
    """Blocks end in an empty line, for doctest's sake."""
    text[0] = re.sub(r"(\n>>> [^`]*\n)\n```\n", r"\1```\n", text[0])


def relink_included(app: Sphinx, path: Path, parent: str, text: list[str]) -> None:
    tidy(app, parent, text)
    origin = (DOCS / path).resolve().relative_to(ROOT).as_posix()
    if origin in PAGES:
        text[0] = relink(text[0], origin)


def fields(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Our docstrings as reStructuredText: after `Returns:` or `Errors:` stands a field; |x| is an absolute value."""
    in_field = False
    for i, line in enumerate(lines):
        if line.startswith("Example"):
            break
        in_field = bool(line) and (in_field or line.startswith(("Returns: ", "Errors: ")))
        if in_field:
            line = re.sub(r"^(Returns|Errors): ", r":\1: ", line) if not line.startswith(" ") else line
            line = line if line.startswith((":", " ")) else f"    {line}"
        parts = line.split("`")  # every other is code
        lines[i] = "`".join(part if k % 2 else part.replace("|", r"\|") for k, part in enumerate(parts))


def add_browser(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "html":
        assemble(Path(app.outdir))


def setup(app: Sphinx) -> None:
    app.connect("build-finished", add_browser)
    app.connect("source-read", tidy)
    app.connect("include-read", relink_included)
    app.connect("autodoc-process-docstring", fields, priority=100)  # before napoleon's


copy_notebooks()
