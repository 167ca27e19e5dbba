"""Cells of a table, from a file or a frame: their numbers and texts, the names of the columns, the lines they are on.

CSV is read with Python's own module: 50 000 rows of 11 columns take 0.75 s, where pandas takes 0.3 s to be imported and
0.1 s to read, and smaller files less than that import. What pandas would add is little: it does not tell the separator,
the encoding or the header, nor say in which row and column something is wrong.
"""

import csv
import io
import itertools
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autograd.extras import needs

Cell = float | str

# As pandas reads them, and "?" of the UCI repository.
MISSING = frozenset("|NA|N/A|n/a|NaN|nan|-NaN|-nan|NULL|null|None|<NA>|#N/A|#NA|?".split("|"))  # noqa: SIM905
SEPARATORS = "\t;, "  # where several would do, the first
SAMPLE = 200  # rows that are looked at to tell the separator

_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
_COMMENT = re.compile(r"\s*#(?!N/?A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!)")  # a line, unless of Excel's errors
_TRAILING = re.compile(r"\s+#(\s.*)?$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_UNNAMED = re.compile(r"(Unnamed: \d+(\.\d+)*)?")  # what pandas makes of an index in CSV, before the columns,
_INDEX = re.compile(r"__index_level_\d+__")  # and in Parquet, after them


class DataError(ValueError):
    """Data are not what they should be; of a file, the message names the file, the row and the column."""


class Cells(NamedTuple):
    """A table as it was read, of rows of equal length.

    Attributes:
        source: what messages begin with: the name of the file.
        columns: the names of the columns, all different; "column 1" and so on where none are given.
        positions: where each column is in the file, from 1.
        named: whether the names are given.
        lines: for each row its line in the file, from 1.
        rows: for each row its cells: finite numbers, and texts (also those that stand for a missing value).
        notes: what should be known about the reading, as sentences.
    """

    source: str
    columns: list[str]
    positions: list[int]
    named: bool
    lines: list[int]
    rows: list[list[Cell]]
    notes: list[str]

    def place(self, row: int, column: int) -> str:
        """Where a cell is, as the beginning of a message."""
        return f"{self.source}: row {self.lines[row]}, {self.column(column)}"

    def column(self, column: int) -> str:
        """A column by position and name, for messages."""
        return f"column {self.positions[column]} ({shortened(self.columns[column], 40)})"

    def without(self, left_out: Iterable[int], *notes: str) -> "Cells":
        """The same without some columns."""
        left = set(left_out)
        kept = [j for j in range(len(self.columns)) if j not in left]
        return self._replace(
            columns=[self.columns[j] for j in kept],
            positions=[self.positions[j] for j in kept],
            rows=[[row[j] for j in kept] for row in self.rows],
            notes=[*self.notes, *notes],
        )


def read_cells(source: Any, header: bool | None = None) -> Cells:
    """The cells of a CSV, Parquet or npy file, a folder of Parquet files, a zarr array, a frame or an array.

    Args:
        source: a path, "-" for the standard input, a binary file, a pandas or polars DataFrame, a 2-D array.
        header: of CSV, whether the first row names the columns; None to tell by what is in it.

    Errors: DataError, as `read_table`.
    """
    if hasattr(source, "columns") or hasattr(source, "shape"):
        return _of_frame(source) if hasattr(source, "columns") else _of_array(type(source).__name__, source)
    name = _name(source)
    if name != "-" and os.path.isdir(name) and any(map(os.path.exists, _zarr_files(name))):
        return _of_array(name, _zarr_array(name))
    if name != "-" and os.path.isdir(name):
        return _of_folder(name)
    content = _content(source)
    name = "standard input" if name == "-" else name
    for magic, read in _FORMATS.items():
        if content.startswith(magic):
            return read(name, content)
    return _of_text(name, *_decoded(name, content), header)


def shortened(text: str, length: int) -> str:
    """The beginning of a text from a file, with unprintable characters escaped."""
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: length + 1])
    return printable if len(printable) <= length else printable[: length - 3] + "..."


def column_called(name: str) -> str:
    """A column by its name, for messages; a table without names has "column 1" and so on for these."""
    return shortened(name if name.startswith("column ") else f"column {name}", 40)


# --- bytes ------------------------------------------------------------------------------------------------------------


def _name(source: Any) -> str:
    if hasattr(source, "read"):
        return str(getattr(source, "name", "the table"))
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"a table must be a path, a binary file, a frame or an array, got {type(source).__name__}")
    return os.fspath(source)


def _content(source: Any) -> bytes:
    name = _name(source)
    try:
        if hasattr(source, "read"):
            content = source.read()
            return content.encode() if isinstance(content, str) else content
        if name == "-":
            if sys.stdin is None:
                raise DataError("standard input: closed")
            return sys.stdin.buffer.read()
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise DataError(f"{name}: {error.strerror or error}") from error


def _decoded(name: str, content: bytes) -> tuple[str, list[str]]:
    """The text, and a note where its encoding is a guess."""
    encoding, notes = "utf-8-sig", []
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif zeros := content[:4096].count(0):
        little = content[1:4096:2].count(0)
        if max(little, zeros - little) > len(content[:4096]) // 4:
            encoding = "utf-16-le" if little > zeros - little else "utf-16-be"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise DataError(f"{name}: not text in UTF-16, as its first bytes say: {error.reason}") from error
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
        notes = [f"{name} is not in UTF-8, and was read as Latin-1"]
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise DataError(f"{name}: row {line} has the control character {found[0]!r}; a table is text, Parquet or npy")
    return text, notes


# --- CSV --------------------------------------------------------------------------------------------------------------

Record = tuple[int, list[str]]


def _of_text(name: str, text: str, notes: list[str], header: bool | None) -> Cells:
    separator = _separator(text)
    comments: list[int] = []
    records = list(_records(name, text, separator, comments))
    if not records:
        raise DataError(f"{name}: empty, no rows")
    if within := [line for line in comments if line > records[0][0]]:
        notes = [*notes, f"{name}: left out {len(within)} rows that begin with #, as comments; row {within[0]} first"]
    records = _without_last_separator(records)
    named = _named_rows(records)
    decimal = "," if separator != "," and _has_decimal_comma(records) else "."
    rows = _parsed([cells for _, cells in records], decimal, header is not False)
    if header is None:
        header = named or _is_header(name, records[0], rows)
    line, first = records[0]
    if header and len(records) == 1:
        raise DataError(f"{name}: row {line} names the columns, and no row of numbers follows")
    names = [*([""] if named else []), *first] if header else [""] * len(first)
    columns = [given or f"column {j}" for j, given in enumerate(names, 1)]
    if len(columns) < 2:
        raise DataError(
            f"{name}: row {line} has 1 column; a table needs features and a label, separated by commas, semicolons, "
            "tabs or spaces"
        )
    body = slice(1 if header else 0, None)
    positions, lines = list(range(1, len(columns) + 1)), [line for line, _ in records[body]]
    cells = Cells(name, columns, positions, header, lines, rows[body], notes)
    _check_lengths(cells)
    return _without_index(_unique(cells), names) if header else cells


def _records(name: str, text: str, separator: str, comments: list[int]) -> Iterator[Record]:
    """The rows that are not blank, each with the number of its first line; the lines of comments are noted."""
    number, fresh = 0, True

    def lines() -> Iterator[str]:
        nonlocal number, fresh
        for at, line in enumerate(io.StringIO(text, newline=""), 1):
            if fresh:
                if not line.strip():
                    continue
                if "#" in line and _COMMENT.match(line):
                    comments.append(at)
                    continue
                number, fresh = at, False
                if '"' not in line:
                    line = _TRAILING.sub("", line) if "#" in line else line
                    line = " ".join(line.split()) if separator == " " else line
            yield line

    reader = csv.reader(lines(), delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        fresh = True
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{name}: row {number}: {error}") from error
        if any(cells):
            yield number, cells


def _separator(text: str) -> str:
    """What separates the columns: what cuts most rows as it cuts the first, and then what leaves most numbers."""

    def score(separator: str) -> tuple[float, float]:
        rows = []
        try:
            for _, cells in _records("", text, separator, []):
                rows.append(cells)
                if len(rows) == SAMPLE:
                    break
        except DataError:  # which is reported when the whole file is read
            pass
        if not rows or len(rows[0]) < 2:
            return 0.0, 0.0
        cells = [cell for row in rows for cell in row]
        numbers = [c for c in cells if isinstance(_cell(c, "."), float) or (separator != "," and _COMMA.fullmatch(c))]
        return sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(numbers) / len(cells)

    scores = {separator: score(separator) for separator in SEPARATORS}
    best = max(scores.values())
    return "," if best == (0.0, 0.0) else next(s for s in SEPARATORS if scores[s] == best)


def _parsed(rows: list[list[str]], decimal: str, first_may_be_names: bool) -> list[list[Cell]]:
    """The numbers and texts of rows; column by column, which is quick where a column has numbers only."""
    if len(set(map(len, rows))) > 1:
        return [[_cell(cell, decimal) for cell in row] for row in rows]  # some of them will be refused
    columns = []
    for column in zip(*rows, strict=True):
        head = column[:1] if first_may_be_names else ()
        try:
            numbers: list[float] = list(map(float, column[len(head) :]))
        except ValueError:
            numbers = [math.nan]
        plain = math.isfinite(sum(map(abs, numbers))) and "_" not in "".join(column)
        body: Sequence[Cell] = numbers if plain else [_cell(cell, decimal) for cell in column[len(head) :]]
        columns.append([*(_cell(cell, decimal) for cell in head), *body])
    return [list(row) for row in zip(*columns, strict=True)]


def _cell(text: str, decimal: str) -> Cell:
    """A number, where the text is a finite one."""
    try:
        x = float(text.replace(",", ".") if decimal == "," and _COMMA.fullmatch(text) else text)
    except ValueError:
        return text
    return x if math.isfinite(x) and "_" not in text else text  # Python reads 1_000


def _has_decimal_comma(records: list[Record]) -> bool:
    cells = [cell for _, cells in records for cell in cells]
    return any("," in c and _COMMA.fullmatch(c) for c in cells) and not any(
        "." in c and isinstance(_cell(c, "."), float) for c in cells
    )


def _without_last_separator(records: list[Record]) -> list[Record]:
    """The same, if each line, or each but the header, ends in a separator, without the empty cells after it."""
    (line, first), *others = records
    width = len(first)
    if others and {len(cells) for _, cells in others} == {width + 1} and not any(cells[-1] for _, cells in others):
        records = [(line, first), *((line, cells[:-1]) for line, cells in others)]
    while len(records[0][1]) > 1 and not any(cells[-1] for _, cells in records):
        records = [(line, cells[:-1]) for line, cells in records]
    return records


def _named_rows(records: list[Record]) -> bool:
    """Whether the rows begin with a name of theirs, which the header does not have, as R writes them."""
    (_, first), *others = records
    names = {cells[0] for _, cells in others}
    texts = not any(isinstance(_cell(cell, "."), float) for cell in first)
    return texts and len(others) > 1 and len(names) == len(others) and {len(c) for _, c in others} == {len(first) + 1}


def _is_header(name: str, record: Record, rows: list[list[Cell]]) -> bool:
    """Whether the first row names the columns: texts over numbers do, numbers among others of their kind do not.

    Errors: DataError where it cannot be told.
    """
    line, first = record
    body = [row for row in rows[1 : 10 * SAMPLE] if len(row) == len(first)]
    columns = [[row[j] for row in body if not is_missing(row[j])] for j in range(len(first))]
    over_numbers = [j for j, column in enumerate(columns) if _mostly_numbers(column)]
    texts = [j for j in over_numbers if isinstance(rows[0][j], str) and not is_missing(rows[0][j])]
    numbers = [j for j in over_numbers if isinstance(rows[0][j], float)]
    if not over_numbers:
        if not any(isinstance(cell, float) for cell in rows[0]) and len(rows) == 1:
            return True  # names; _of_text then says that nothing follows them
        again = [j for j, column in enumerate(columns) if rows[0][j] in column]
        if again or len(rows) == 1 or not all(isinstance(cell, str) for cell in rows[0]):
            return False
        raise DataError(f"{name}: row {line} may name the columns, as all others are text too; {_ASK}")
    if len(texts) > len(numbers):
        return True
    if texts:
        j = texts[0]
        raise DataError(
            f"{name}: row {line}, column {j + 1} (column {j + 1}) is {first[j]!r:.60} where a number belongs, unless "
            f"the row names the columns; {_ASK}"
        )
    if _may_name(rows[0], columns, numbers):
        raise DataError(f"{name}: row {line}, {', '.join(first):.60}, may be numbers or name the columns; {_ASK}")
    return False


_ASK = "say header=True or header=False (--header, --no-header)"


def _may_name(first: list[Cell], columns: list[list[Cell]], numbers: list[int]) -> bool:
    """Whether a first row of numbers may be one of names, such as years: whole numbers, and unlike those below."""
    given = [x for j in numbers if isinstance(x := first[j], float)]
    if len(given) < 2 or not all(x.is_integer() for x in given) or len(set(given)) < len(given):
        return False
    below = [[x for x in columns[j] if isinstance(x, float)] for j in numbers]
    steps = {b - a for a, b in itertools.pairwise(given)}
    if len(given) > 2 and len(steps) == 1 and min(steps) > 0:
        return True
    if any(len(column) < 2 for column in below):
        return False
    far = [
        not min(column) - 3 * (spread := max(column) - min(column)) <= x <= max(column) + 3 * spread
        for x, column in zip(given, below, strict=True)
    ]
    return all(far) or not any(x.is_integer() for column in below for x in column)


def _mostly_numbers(column: Sequence[Cell]) -> bool:
    return bool(column) and 2 * sum(isinstance(cell, float) for cell in column) >= len(column)


def _check_lengths(cells: Cells) -> None:
    width = len(cells.columns)
    for i, row in enumerate(cells.rows):
        if len(row) < width:
            raise DataError(f"{cells.place(i, len(row))} is missing: the row has {len(row)} of {width} columns")
        if len(row) > width:
            line = cells.lines[i]
            raise DataError(f"{cells.source}: row {line}, column {width + 1} is one too many: there are {width}")


def _unique(cells: Cells) -> Cells:
    """The same with every name once: the second of a kind is told by its position."""
    seen: set[str] = set()
    columns, notes = [], list(cells.notes)
    for j, name in enumerate(cells.columns, 1):
        if name in seen:
            again = f"{name} (column {j})"
            notes.append(f"{cells.source}: column {j} has the name of another, and is called {shortened(again, 60)}")
            name = again
        seen.add(name)
        columns.append(name)
    return cells._replace(columns=columns, notes=notes)


def _without_index(cells: Cells, names: Sequence[str]) -> Cells:
    """The same without the columns that pandas writes for an index without a name."""
    leading = list(itertools.takewhile(lambda j: _UNNAMED.fullmatch(names[j]), range(len(names) - 1)))
    index = leading + [j for j, name in enumerate(names) if _INDEX.fullmatch(name)]
    if not index:
        return cells
    which = ", ".join(str(cells.positions[j]) for j in index)
    return cells.without(index, f"{cells.source}: column {which} has no name: an index, left out")


# --- other formats ----------------------------------------------------------------------------------------------------


def is_missing(cell: Any) -> bool:
    """Whether a cell stands for a value that is not there."""
    return isinstance(cell, str) and cell in MISSING


def _of_columns(name: str, columns: dict[str, Sequence[Any]]) -> Cells:
    """Cells from columns of Python's objects."""
    names = [str(column) for column in columns]
    rows = [list(map(_of_object, row)) for row in zip(*columns.values(), strict=True)]
    if not rows or len(names) < 2:
        raise DataError(f"{name}: {len(rows)} rows of {len(names)} columns; a table needs features and a label")
    positions, lines = list(range(1, len(names) + 1)), list(range(1, len(rows) + 1))
    return _without_index(_unique(Cells(name, names, positions, True, lines, rows, [])), names)


def _of_object(x: Any) -> Cell:
    if x is None or x != x or type(x).__name__ in ("NAType", "NaTType"):
        return "nan"
    if isinstance(x, bool) or type(x).__name__ == "bool_":
        return str(bool(x))
    if isinstance(x, str):
        return x
    try:
        number = float(x)
    except (TypeError, ValueError, OverflowError):
        return str(x)
    return number if math.isfinite(number) else str(number)


def _of_frame(frame: Any) -> Cells:
    """A frame of pandas, polars or another library whose columns are found by name."""
    name = type(frame).__name__
    if hasattr(frame, "compute"):  # Dask
        frame = frame.compute()
    columns = {}
    for column in frame.columns:
        values = frame[column]
        columns[column] = values.to_list() if hasattr(values, "to_list") else list(values)
    return _of_columns(name, columns)


def _of_parquet(name: str, content: bytes) -> Cells:
    try:
        from pyarrow import BufferReader, parquet
    except ImportError as error:
        raise ImportError(needs(f"{name}: reading Parquet", "pyarrow")) from error
    try:
        table = parquet.read_table(BufferReader(content))
    except (OSError, ValueError) as error:
        raise DataError(f"{name}: not a Parquet file, though it begins like one: {error!s:.200}") from error
    return _of_columns(name, table.to_pydict())


def _of_folder(name: str) -> Cells:
    """The rows of all Parquet files of a folder, which workers would read piece by piece."""
    try:
        from pyarrow import concat_tables, parquet

        from autograd.compiler.rows import column_names, parquet_files
    except ImportError as error:
        raise ImportError(needs(f"{name}: reading a folder of Parquet files", "pyarrow")) from error
    try:
        files = parquet_files(Path(name))
        column_names(files)
        tables = [parquet.ParquetFile(file).read() for file, _ in files]
        return _of_columns(name, concat_tables(tables, promote_options="permissive").to_pydict())
    except (OSError, TypeError, ValueError) as error:
        raise error if isinstance(error, DataError) else DataError(str(error)) from error


def _of_npy(name: str, content: bytes) -> Cells:
    try:
        import numpy as np
    except ImportError as error:
        raise ImportError(needs(f"{name}: reading npy", "numpy")) from error
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{name}: not an npy file of numbers: {error!s:.200}") from error
    return _of_array(name, array)


def _of_array(name: str, array: Any) -> Cells:
    import numpy as np

    array = np.asarray(array)
    if array.dtype.names:
        return _of_columns(name, {column: array[column].tolist() for column in array.dtype.names})
    if array.ndim != 2 or not array.shape[0] or array.shape[1] < 2:
        raise DataError(f"{name}: an array of shape {array.shape}; a table needs rows of features and a label")
    rows = [list(map(_of_object, row)) for row in array.tolist()]
    positions, lines = list(range(1, array.shape[1] + 1)), list(range(1, len(rows) + 1))
    return Cells(name, [f"column {j}" for j in positions], positions, False, lines, rows, [])


def _zarr_files(name: str) -> Iterable[str]:
    return (os.path.join(name, file) for file in ("zarr.json", ".zarray", ".zgroup"))


def _zarr_array(name: str) -> Any:
    try:
        import zarr
    except ImportError as error:
        raise ImportError(needs(f"{name}: reading zarr", "zarr")) from error
    try:
        return zarr.open_array(name, mode="r")[:]
    except Exception as error:  # of many kinds, by what is wrong with the store
        raise DataError(f"{name}: not a zarr array: {error!s:.200}") from error


def _refused(what: str) -> Callable[[str, bytes], Cells]:
    def refuse(name: str, content: bytes) -> Cells:
        raise DataError(f"{name}: {what}")

    return refuse


# Formats by the bytes that files begin with; all others are text.
_FORMATS: dict[bytes, Callable[[str, bytes], Cells]] = {
    b"PAR1": _of_parquet,
    b"\x93NUMPY": _of_npy,
    b"PK\x03\x04": _refused("a workbook or an archive; save the sheet as CSV, or unpack it"),
    b"\xd0\xcf\x11\xe0": _refused("a workbook of Excel; save the sheet as CSV"),
    b"\x1f\x8b": _refused("compressed; unpack it first (gunzip)"),
}
