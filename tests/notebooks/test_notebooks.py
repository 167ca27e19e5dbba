"""Every notebook runs from top to bottom, says what it shows, and is committed with what it shows.

What a notebook has to look like: a table of contents whose links lead to headings, and three exercises, each with a
solution in a markdown cell that begins with <details>. Solutions in ```python are run here, where they stand.
"""

import copy
import importlib.util
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason='needs nbformat: python -m pip install ".[dev]"')
nbclient = pytest.importorskip("nbclient", reason='needs nbclient: python -m pip install ".[dev]"')
pytest.importorskip("ipykernel", reason='needs ipykernel: python -m pip install ".[notebooks]"')

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_SECONDS = 120
MOST_BYTES = 3_000_000
PERSONAL = re.compile(r"/(home|root|tmp|work|Users)/\w|[A-Z]:\\\\Users")
# ipykernel itself warns of what may be deprecated one day, when it shuts down
STRICT = "import warnings; warnings.simplefilter('error'); warnings.simplefilter('ignore', PendingDeprecationWarning)"

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS, f"no notebooks in {FOLDER}"


@every_notebook
def test_is_short_enough_and_tells_nothing_of_the_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES, f"{path.name} has {len(text)} bytes"
    assert not PERSONAL.search(text), f"{path.name} holds the path {PERSONAL.search(text)}"
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"


@every_notebook
def test_links_of_the_table_of_contents_lead_to_headings(path: Path) -> None:
    prose = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    anchors = {heading.strip().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", prose, re.MULTILINE)}
    links = re.findall(r"\]\(#([^)]*)\)", prose)
    assert len(links) >= 3, f"{path.name} has {len(links)} links to its own sections"
    assert not set(links) - anchors, f"{path.name} links to {set(links) - anchors}, and has {anchors}"
    for name in re.findall(r"\]\(([^)#:]+)\)", prose):
        assert (FOLDER / name).exists(), f"{path.name} links to {name}, which is not there"


@every_notebook
def test_has_three_exercises_with_hidden_solutions(path: Path) -> None:
    sources = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    solutions = [source for source in sources if is_solution(source)]
    assert len(solutions) == 3, f"{path.name} has {len(solutions)} solutions in <details>"
    assert all("<summary>" in source and source.rstrip().endswith("</details>") for source in solutions)


def first_cell(path: Path) -> str:
    return str(next(cell.source for cell in read(path).cells if cell.cell_type == "code"))


@every_notebook
def test_begins_with_the_cell_that_installs_what_is_missing_and_can_be_opened_elsewhere(path: Path) -> None:
    assert first_cell(path) == first_cell(NOTEBOOKS[0])
    top = read(path).cells[0].source
    assert f"https://colab.research.google.com/github/valuegrad/valuegrad/blob/main/notebooks/{path.name}" in top
    assert "/try.html" in top


@pytest.mark.parametrize(
    ("there", "on_colab", "installs"),
    [("ours", False, 0), ("other", False, None), ("other", True, 2), (None, False, 2)],
)
def test_the_first_cell_installs_where_it_has_to(
    there: str | None, on_colab: bool, installs: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[str] = []
    source = re.sub(r"%(pip .*)", lambda match: f"pip({match[1]!r})", first_cell(NOTEBOOKS[0]))

    def found(name: str) -> str:
        if there == "ours":
            return name
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", found)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: there)
    if on_colab:
        monkeypatch.setitem(sys.modules, "google.colab", sys)
    ours = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "autograd"}
    try:
        if installs is None:
            with pytest.raises(ImportError, match="another package is called autograd here"):
                exec(source, {"pip": commands.append})
        else:
            exec(source, {"pip": commands.append})
            assert len(commands) == installs
            assert not installs or "autograd" not in sys.modules
    finally:
        sys.modules.update(ours)


@every_notebook
def test_is_committed_with_its_outputs(path: Path) -> None:
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1)), f"{path.name} was not run from top to bottom: {counts}"
    for cell in cells:
        assert not complaints(cell), f"{path.name} is committed with a failure: {complaints(cell)}"


@every_notebook
def test_every_picture_is_described(path: Path) -> None:
    for cell in read(path).cells:
        for output in cell.get("outputs", []):
            for kind in output.get("data", {}):
                if kind.startswith("image/"):
                    assert len(output.metadata.get(kind, {}).get("alt", "")) > 20, f"{path.name}: {cell.source[-100:]}"


@pytest.mark.slow
@every_notebook
def test_runs_and_gives_the_kinds_of_output_that_are_committed(path: Path) -> None:
    committed = read(path)
    executed, seconds = execute(committed)
    for cell in executed.cells:
        assert not complaints(cell), f"{path.name}: {complaints(cell)} in\n{cell.source}"
    assert seconds < MOST_SECONDS, f"{path.name} took {seconds:.0f} s"
    now = {cell.id: kinds(cell) for cell in executed.cells if cell.cell_type == "code"}
    for cell in committed.cells:
        if cell.cell_type == "code":
            assert kinds(cell) == now[cell.id], f"{path.name}: other outputs are committed for\n{cell.source}"


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def is_solution(source: str) -> bool:
    return source.lstrip().startswith("<details>")


def execute(notebook: Any) -> tuple[Any, float]:
    """The notebook after a run in a kernel of its own, in which warnings are errors, and how long that took."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = [
        nbformat.v4.new_code_cell(STRICT),
        *(part for cell in notebook.cells for part in with_solutions(cell)),
    ]
    client = nbclient.NotebookClient(
        notebook, timeout=MOST_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    started = time.perf_counter()
    client.execute()
    return notebook, time.perf_counter() - started


def with_solutions(cell: Any) -> list[Any]:
    """The cell, and after a solution what it has of code, as cells to run."""
    if cell.cell_type != "markdown" or not is_solution(cell.source):
        return [cell]
    blocks = re.findall(r"^```python\n(.*?)^```", cell.source, re.MULTILINE | re.DOTALL)
    return [cell, *map(nbformat.v4.new_code_cell, blocks)]


def complaints(cell: Any) -> list[str]:
    """Errors, and whatever was written to stderr."""
    found = []
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            found.append(f"{output.ename}: {output.evalue}")
        elif output.output_type == "stream" and output.name == "stderr":
            found.append(output.text)
    return found


def kinds(cell: Any) -> list[str]:
    """What kinds of output a cell has: streams by name, and for what it displays the types of data."""
    return sorted({output.get("name") or " ".join(sorted(output.get("data", {}))) for output in cell.outputs})
