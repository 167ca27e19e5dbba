"""Every table of a benchmark has its place in benchmarks/README.md, and is written there and nowhere else."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import table
from benchmarks.__main__ import FILES

FOLDER = Path(__file__).parents[1] / "benchmarks"


def tables_of(file: str) -> list[str]:
    """The keys of TABLES, read and not imported: the benchmarks need other libraries."""
    node: Any
    for node in ast.parse((FOLDER / f"{file}.py").read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "TABLES" for target in targets):
            return [key.value for key in node.value.keys]
    raise AssertionError(f"benchmarks/{file}.py has no TABLES")


def test_every_table_has_one_place_in_the_readme_and_every_place_a_table():
    places = re.findall(r"^<!-- (\w+:[\w-]+) -->$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(places) == sorted(f"{file}:{name}" for file in FILES for name in tables_of(file))


def test_every_table_says_by_which_command_when_and_on_what_it_was_measured():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, body in re.findall(r"^<!-- (\w+:[\w-]+) -->\n(.*?)^<!-- end -->$", page, re.MULTILINE | re.DOTALL):
        last = body.strip().rpartition("\n")[2]
        command = re.escape(f"`python -m benchmarks --write --only {name}`")
        assert re.match(rf"{command}, 20\d\d-\d\d-\d\d, Python 3\.\S+, \d+ cores, ", last), f"{name}: {last}"


def test_a_table_is_written_between_its_markers_and_nothing_else_changes(tmp_path, monkeypatch):
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- a:b -->\nold\n<!-- end -->\nbetween\n<!-- a:c -->\nold\n<!-- end -->\nafter\n")
    monkeypatch.setattr(table, "README", page)
    for text in ("first", r"| \1 | 2 µs |"):
        table.write("a:c", text)
        assert page.read_text(encoding="utf-8") == (
            f"before\n<!-- a:b -->\nold\n<!-- end -->\nbetween\n<!-- a:c -->\n{text}\n<!-- end -->\nafter\n"
        )
    with pytest.raises(SystemExit, match=r"README.md has 0 places for this table; write <!-- a:d -->"):
        table.write("a:d", "text")


def test_a_benchmark_measures_what_is_asked_for_and_fails_beyond_a_limit(tmp_path, monkeypatch, capsys):
    page = tmp_path / "README.md"
    page.write_text("<!-- speed:fast -->\n<!-- end -->\n<!-- speed:slow -->\n<!-- end -->\n")
    monkeypatch.setattr(table, "README", page)

    def measured(rounds: int, exceeded: bool) -> table.Table:
        found = table.Table("A step", "library", "time")
        found.row("valuegrad", f"{rounds} µs")
        found.exceeded = exceeded
        return found

    tables = {"fast": lambda rounds: measured(rounds, False), "slow": lambda rounds: measured(rounds, True)}
    parser = table.command_line("speed.py", "What it takes.", tables)
    parser.add_argument("--rounds", type=int, default=7)
    assert table.measure("speed.py", parser.parse_args(["--write", "--only", "fast"]), tables) == 0
    assert re.search(
        r"\| valuegrad \| 7 µs \|\n\n`python -m benchmarks --write --only speed:fast`, \d{4}-\d\d-\d\d, Python 3\.",
        page.read_text(encoding="utf-8"),
    )
    assert page.read_text(encoding="utf-8").endswith("<!-- speed:slow -->\n<!-- end -->\n")
    assert table.measure("speed.py", parser.parse_args(["--rounds", "9"]), tables) == 1
    assert "9 µs" in capsys.readouterr().out
    assert "9 µs" not in page.read_text(encoding="utf-8")
