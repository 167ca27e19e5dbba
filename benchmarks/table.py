"""Tables of measurements: printed as they grow, and written between their markers in benchmarks/README.md."""

import argparse
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path

README = Path(__file__).with_name("README.md")


class Table:
    """A table with a title. Rows are printed at once, so that a long benchmark shows how far it is.

    Args:
        title: what is measured, on how many of what, in how many threads.
        columns: the headings, the first over what a row is about, the others over its numbers.

        width: characters of a column of numbers, on the terminal.

    Attributes:
        exceeded: set where a measurement is beyond a limit, so that the benchmark ends with status 1.

    Example:
        >>> table = Table("A step", "network", "time")
        A step
          network                 time
        >>> table.row("moons", "13 µs")
          moons                  13 µs
        >>> print(table.markdown())
        **A step**
        <BLANKLINE>
        | network | time |
        | --- | ---: |
        | moons | 13 µs |
    """

    def __init__(self, title: str, *columns: str, width: int = 14):
        self.title, self.columns = title, columns
        self.rows: list[tuple[str, ...]] = []
        self.notes: list[str] = []
        self.exceeded = False
        first = 50 if columns[0] == "what" else 14
        self.widths = [first, *(max(width, len(name) + 2) for name in columns[1:])]
        print(title)
        self._print(columns)

    def row(self, *cells: object) -> None:
        """Adds a row; cells that are left out at its end are empty."""
        texts = tuple(str(cell) for cell in cells) + ("",) * (len(self.columns) - len(cells))
        self.rows.append(texts)
        self._print(texts)

    def note(self, text: str) -> None:
        """Adds a line below the table."""
        self.notes.append(text)
        print(f"  ({text})", flush=True)

    def markdown(self) -> str:
        """The table as it stands in README.md."""
        lines = [self.columns, ("---", *["---:"] * (len(self.columns) - 1)), *self.rows]
        body = "\n".join(f"| {' | '.join(' '.join(cell.split()) for cell in line)} |" for line in lines)
        return "\n\n".join([f"**{self.title}**", body, *self.notes])

    def _print(self, cells: tuple[str, ...]) -> None:
        first, *others = zip(cells, self.widths, strict=True)
        print(f"  {first[0]:<{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in others), flush=True)


def command_line(file: str, about: str, tables: Iterable[str]) -> argparse.ArgumentParser:
    """The options of every benchmark; one with options of its own adds them.

    Args:
        file: the benchmark's `__file__`.
        about: what `--help` says first.
        tables: the names of its tables.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{Path(file).stem}", description=about)
    names = list(tables)
    parser.add_argument("--only", choices=names, nargs="+", default=names, help="these tables only")
    parser.add_argument("--write", action="store_true", help="write the tables to benchmarks/README.md")
    return parser


def measure(
    file: str,
    options: argparse.Namespace,
    tables: Mapping[str, Callable[..., Table]],
    setup: Callable[[], None] | None = None,
) -> int:
    """Measures the tables that are asked for, prints them and, if so asked, writes them; 1 if a limit is exceeded.

    Args:
        file: the benchmark's `__file__`.
        options: of `command_line`; those that a benchmark added are given to its tables.
        tables: what measures each, by its name between the markers.
        setup: called once before the first.
    """
    added = {name: value for name, value in vars(options).items() if name not in ("only", "write")}
    here = machine()
    print(here)
    if setup:
        setup()
    exceeded = False
    for key in options.only:
        print()
        table = tables[key](**added)
        exceeded |= table.exceeded
        if options.write:
            name = f"{Path(file).stem}:{key}"
            write(name, f"{table.markdown()}\n\n`python -m benchmarks --write --only {name}`, {here}")
    return int(exceeded)


def machine() -> str:
    """What the figures depend on, without the machine's name: the day, Python, cores, instruction set."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    registers = ""
    if find_spec("llvmlite"):
        from autograd.compiler.lower.target import host_lanes

        registers = f", {host_lanes()} doubles to a register"
    return f"{date.today()}, Python {sys.version.split()[0]}, {cores} cores, {platform.machine()}{registers}"


def write(name: str, text: str) -> None:
    """Puts the text between the markers `<!-- name -->` and `<!-- end -->`, which have to be there."""
    whole = README.read_text(encoding="utf-8")
    marked = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    whole, found = marked.subn(lambda match: f"{match[1]}{text}\n{match[2]}", whole)
    if found != 1:
        raise SystemExit(
            f"{README.name} has {found} places for this table; write <!-- {name} --> and <!-- end --> where"
        )
    README.write_text(whole, encoding="utf-8")
