"""The documents: short where they are read first, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

import autograd
import nn

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob(".github/*.md"), *ROOT.glob("*/**/README.md")]
DOCUMENTS = [path for path in DOCUMENTS if not {".venv", "node_modules"} & set(path.parts)]


def headings(path: Path) -> set[str]:
    """The anchors of a document, as its host makes them: lower case, hyphens for spaces, without punctuation."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_what_newcomers_read_first_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 250


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (path.parent / name).resolve() if name else path
        assert found.exists(), f"{target}: there is no {found.relative_to(ROOT)}"
        assert not anchor or anchor in headings(found), f"{target}: {name} has the headings {sorted(headings(found))}"


@pytest.mark.parametrize("package", [autograd, nn], ids=lambda package: package.__name__)
def test_every_public_name_is_in_the_reference(package):
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md"))
    named = set(re.findall(r"\w+", pages))
    missing = set(package.__all__) - named
    assert not missing, f"docs/reference/ says nothing of {sorted(missing)}"
