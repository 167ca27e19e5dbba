"""Tables of data as samples: which column is the target, what the classes are called, what text and gaps become."""

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

import autograd
from nn.cells import Cell, Cells, DataError, is_missing, read_cells, shortened

MOST_CLASSES = 20  # more distinct whole numbers than this are taken for measurements
MOST_CATEGORIES = 100  # a text with more distinct values is hardly a feature
TASKS = ("auto", "classification", "regression")


class Feature(NamedTuple):
    """A column that a model is given: a number or, one-hot, one of some texts.

    Example:
        >>> Feature("colour", ("green", "red")).columns
        ['colour=green', 'colour=red']
    """

    name: str
    values: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The names of the numbers that it becomes."""
        return [f"{self.name}={value}" for value in self.values] or [self.name]


class Table(NamedTuple):
    """Samples read from a table.

    Attributes:
        X: for each sample its features.
        y: for each sample its target: the number of its class, or a measurement.
        features: the columns of the table that the features are made of.
        target: the name of the column of the targets.
        classes: the names of the classes in their order; none if the target is a measurement.
        rows: for each sample its line in the file, from 1.
        notes: what was left out or filled in, as sentences.
    """

    X: list[list[float]]
    y: list[float]
    features: list[Feature]
    target: str
    classes: list[str]
    rows: list[int]
    notes: list[str]

    @property
    def columns(self) -> list[str]:
        """The names of the features in X."""
        return [name for feature in self.features for name in feature.columns]


def read_table(
    source: Any,
    *,
    target: str | None = None,
    task: str = "auto",
    header: bool | None = None,
    missing: str | None = None,
    categorical: bool | Iterable[str] = False,
    drop: Iterable[str] = (),
) -> Table:
    """Read samples from a CSV, Parquet or npy file, a folder of Parquet files, a zarr array, or a frame.

    CSV may be separated by commas, semicolons, tabs or spaces, have numbers with a decimal comma (unless it separates),
    quoted cells and lines of comment (#), and be in UTF-8, UTF-16 or Latin-1.

    Args:
        source: a path, "-" for the standard input, a binary file, a pandas or polars DataFrame, a 2-D array.
        target: the name of the column to learn; the last one, unless given.
        task: "classification", "regression" or "auto": classification if the targets are text, or at most 20 distinct
            whole numbers.
        header: of CSV, whether the first row names the columns; None to tell by what is in it.
        missing: what becomes of missing values (empty cells, NA, NaN, null, ?): None to refuse them, "drop" to leave
            out their rows, "mean" to fill in the mean of the column. A row without its target is left out in either.
        categorical: whether text becomes a feature for each of its values, 1 where it is that value, else 0; or the
            names of the columns that do. False to refuse text.
        drop: the names of columns to leave out.

    Errors: DataError for what cannot be read, naming row and column, and for a first row of which cannot be told
    whether it names the columns; ImportError, naming the package, where a format needs one; ValueError for an argument
    that is none of these.

    Example:
        >>> import io
        >>> table = read_table(io.BytesIO(b"width;height;kind\\n1,5;2;oak\\n3;4,5;elm\\n"))
        >>> table.X, table.y, table.classes
        ([[1.5, 2.0], [3.0, 4.5]], [1, 0], ['elm', 'oak'])
        >>> table.columns, table.target, table.rows
        (['width', 'height'], 'kind', [2, 3])
    """
    if missing not in (None, "drop", "mean"):
        raise ValueError(f'missing must be None, "drop" or "mean", got {missing!r:.60}')
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, got {task!r:.60}")
    cells = read_cells(source, header)
    cells = cells.without([_column(cells, name) for name in drop])
    chosen = _column(cells, target) if target is not None else len(cells.columns) - 1
    if len(cells.columns) < 2:
        raise DataError(f"{cells.source}: only {cells.column(0)} is left; a table needs features and a label")
    inputs = [j for j in range(len(cells.columns)) if j != chosen]
    for j in range(len(cells.columns)):
        if all(is_missing(row[j]) for row in cells.rows):
            hint = "" if j == chosen else f"; drop=[{cells.columns[j]!r:.60}] (--drop) leaves it out"
            raise DataError(f"{cells.place(0, j)} is {_wrong(cells.rows[0][j])}, and so is every other row{hint}")
    cells = _without_gaps(cells, inputs, chosen, missing)
    asked = set() if isinstance(categorical, bool) else {_column(cells, name) for name in categorical}
    features = [_feature(cells, j, j in asked, categorical is True) for j in inputs]
    X, filled = _numbers(cells, inputs, features, missing == "mean", None)
    y, classes = _targets(cells, chosen, task)
    return Table(X, y, features, cells.columns[chosen], classes, cells.lines, [*cells.notes, *filled])


class Samples(NamedTuple):
    """Samples read for a model that has been trained: features, targets (None where there are none), lines, notes."""

    X: list[list[float]]
    y: list[float | None]
    rows: list[int]
    notes: list[str]


def read_samples(
    source: Any,
    features: Sequence[Feature] | int,
    target: str,
    classes: Sequence[str],
    *,
    header: bool | None = None,
    missing: str | None = None,
    means: Sequence[float] | None = None,
) -> Samples:
    """Read samples for a model: its features by their names, and the targets where the table has them.

    Args:
        source, header: as for `read_table`. Of a table without names (header=False) the columns are taken in order.
        features, target, classes: of the table that the model was trained on; where its columns are not known, their
            number: they are the first, and the next one the target.
        missing: None to refuse missing features, "drop" to leave out their rows, "mean" to fill in `means`.
        means: for each number of a sample the mean that it had in training.

    Errors: DataError as `read_table`, and for a feature that is not in the table, or a class that the model does not
    know.

    Example:
        >>> import io
        >>> file = io.BytesIO(b"kind,height,width\\noak,2,1.5\\n,4.5,3\\n")
        >>> read_samples(file, [Feature("width"), Feature("height")], "kind", ["elm", "oak"])
        Samples(X=[[1.5, 2.0], [3.0, 4.5]], y=[1, None], rows=[2, 3], notes=[])
    """
    cells = read_cells(source, header)
    if isinstance(features, int):
        if len(cells.columns) not in (features, features + 1):
            raise DataError(f"{cells.source}: {len(cells.columns)} columns, and the model takes {features}")
        target = cells.columns[-1] if len(cells.columns) > features else ""
        features = [Feature(name) for name in cells.columns[:features]]
    names = [feature.name for feature in features]
    if not cells.named and len(cells.columns) in (len(names), len(names) + 1):
        if header is None and cells.columns[: len(names)] != names:
            raise DataError(
                f"{cells.source}: row {cells.lines[0]} names no columns, and the model takes {', '.join(names):.100}; "
                "name them, or say header=False (--no-header) if they are in this order"
            )
        cells = cells._replace(columns=[*names, target][: len(cells.columns)])
    if absent := [name for name in names if name not in cells.columns]:
        raise DataError(
            f"{cells.source}: there is no column {shortened(absent[0], 40)}, which the model takes; "
            f"there are {shortened(', '.join(cells.columns), 100)}"
        )
    notes = [name for name in cells.columns if name not in names and name != target]
    if notes:
        said = f"{cells.source}: left out, as the model does not take it: {shortened(', '.join(notes), 100)}"
        cells = cells._replace(notes=[*cells.notes, said])
    inputs = [cells.columns.index(name) for name in names]
    cells = _without_gaps(cells, inputs, None, missing)
    X, filled = _numbers(cells, inputs, features, missing == "mean", means)
    y: list[float | None] = [None] * len(X)
    if target in cells.columns:
        y = _known_targets(cells, cells.columns.index(target), classes)
    return Samples(X, y, cells.lines, [*cells.notes, *filled])


def _column(cells: Cells, name: str) -> int:
    if name in cells.columns:
        return cells.columns.index(name)
    known = shortened(", ".join(cells.columns), 100)
    raise DataError(f"{cells.source}: there is no column {shortened(str(name), 40)!r}; there are {known}")


# --- missing values ---------------------------------------------------------------------------------------------------


def _without_gaps(cells: Cells, inputs: Sequence[int], target: int | None, missing: str | None) -> Cells:
    """The same without the rows that miss something that cannot be filled in."""
    needed = ([target] if target is not None else []) if missing == "mean" else [*inputs]
    if missing != "mean" and target is not None:
        needed = sorted([*inputs, target])
    needed = [j for j in needed if not _all_numbers(row[j] for row in cells.rows)]
    kept = []
    for i, row in enumerate(cells.rows if needed else ()):
        gaps = [j for j in needed if is_missing(row[j])]
        if gaps and missing is None:
            raise DataError(
                f"{cells.place(i, gaps[0])} is {_wrong(row[gaps[0]])}; "
                "missing='drop' (--missing drop) leaves out such rows"
                + ("" if gaps[0] == target else ", 'mean' fills in the mean of the column")
            )
        if not gaps:
            kept.append(i)
    left_out = len(cells.rows) - len(kept)
    if not (needed and left_out):
        return cells
    if not kept:
        raise DataError(f"{cells.source}: every row has a missing value, so that none is left")
    what = "their target" if missing == "mean" else "values"
    return cells._replace(
        lines=[cells.lines[i] for i in kept],
        rows=[cells.rows[i] for i in kept],
        notes=[*cells.notes, f"{cells.source}: left out {left_out} of {len(cells.rows)} rows, which miss {what}"],
    )


# --- targets ----------------------------------------------------------------------------------------------------------


def _targets(cells: Cells, j: int, task: str) -> tuple[list[float], list[str]]:
    """The target of each row, and the names of the classes."""
    column = [row[j] for row in cells.rows]
    if task != "classification" and _is_numeric(column):
        numbers = _column_of_numbers(
            cells, j, "; if it names a class, say task='classification' (--task classification)"
        )
        distinct = set(numbers)
        if task == "regression" or len(distinct) > MOST_CLASSES or not all(x.is_integer() for x in distinct):
            return numbers, []
    elif task == "regression":
        return _column_of_numbers(cells, j, "; a regression learns numbers"), []
    texts = [cell for cell in column if isinstance(cell, str)]
    if len(texts) == len(set(texts)) == len(column) > MOST_CLASSES:
        raise DataError(
            f"{cells.place(0, j)} is {texts[0]!r:.60}: no two rows share a text here, so these are not classes; "
            "choose the column to learn by target=... (--target NAME)"
        )
    for i, cell in enumerate(column):
        if isinstance(cell, float) and not texts and not cell.is_integer():
            raise DataError(f"{cells.place(i, j)} is {cell!r}, where a class is a whole number")
    distinct_cells = sorted({*column}, key=lambda cell: (isinstance(cell, str), cell))
    classes = list(dict.fromkeys(map(_label, distinct_cells)))
    if len(classes) < 2:
        raise DataError(
            f"{cells.source}: rows {cells.lines[0]} to {cells.lines[-1]}, {cells.column(j)} have one class only, "
            f"{shortened(classes[0], 40)}; classification needs two or more"
        )
    number = {name: i for i, name in enumerate(classes)}
    return [number[_label(cell)] for cell in column], classes


def _known_targets(cells: Cells, j: int, classes: Sequence[str]) -> list[float | None]:
    y: list[float | None] = []
    for i, row in enumerate(cells.rows):
        cell = row[j]
        if is_missing(cell):
            y.append(None)
        elif not classes:
            y.append(_number(cells, i, j, ""))
        elif _label(cell) in classes:
            y.append(classes.index(_label(cell)))
        else:
            known = shortened(", ".join(classes), 100)
            raise DataError(f"{cells.place(i, j)} is {_label(cell)!r:.60}, not one of the model's classes: {known}")
    return y


def _label(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    return str(int(cell)) if cell.is_integer() else repr(cell)


# --- features ---------------------------------------------------------------------------------------------------------

_GROUPED = re.compile(r"[+-]?\d[\d.,' ]*%?", re.ASCII)
_TRUTH = {"true": 1.0, "false": 0.0}  # as pandas writes booleans


def _all_numbers(column: Iterable[Cell]) -> bool:
    return set(map(type, column)) <= {float}


def _is_numeric(column: Iterable[Cell]) -> bool:
    """Whether a column is one of numbers, some of them perhaps wrong: at least half are numbers, or look like one."""
    given = [cell for cell in column if not is_missing(cell)]
    return 2 * sum(isinstance(cell, float) or _is_odd_number(cell) for cell in given) >= len(given)


@functools.lru_cache(maxsize=1000)  # the same few labels, row by row
def _is_odd_number(text: str) -> bool:
    """Whether a text is meant as a number, but not one that a table has: 1_000, 0x10, inf, 1e999, "1,000", 10%."""
    if _GROUPED.fullmatch(text):
        return True
    for read in (float, lambda text: int(text, 0)):
        try:
            read(text)
        except ValueError:
            continue
        return True
    return False


def _is_truth(column: Iterable[Cell]) -> bool:
    return all(isinstance(cell, str) and (is_missing(cell) or cell.lower() in _TRUTH) for cell in column)


def _wrong(cell: Any) -> str:
    """What is wrong with a text, for messages."""
    if not cell:
        return "empty where a number belongs"
    try:
        float(cell)
    except ValueError:
        return f"{cell!r:.60} where a number belongs"
    return f"{cell!r:.60}, not a finite number" if "_" not in cell else f"{cell!r:.60} where a number belongs"


def _number(cells: Cells, i: int, j: int, hint: str = "") -> float:
    cell = cells.rows[i][j]
    if isinstance(cell, str):
        raise DataError(f"{cells.place(i, j)} is {_wrong(cell)}{hint}")
    return cell


def _column_of_numbers(cells: Cells, j: int, hint: str) -> list[float]:
    return [_number(cells, i, j, hint) for i in range(len(cells.rows))]


def _feature(cells: Cells, j: int, asked: bool, allowed: bool) -> Feature:
    """What a column is to a model; text only if it may be, numbers as categories only if that is asked for."""
    name = cells.columns[j]
    if not asked and _all_numbers(row[j] for row in cells.rows):
        return Feature(name)
    column = [row[j] for row in cells.rows if not is_missing(row[j])]
    if not asked and (_is_numeric(column) or _is_truth(column)):
        return Feature(name)
    values = tuple(sorted(set(map(_label, column))))
    what = f"{cells.source}: {cells.column(j)} has {len(values)} different texts, {values[0]!r:.60} among them"
    if not (asked or allowed):
        i = next(i for i, row in enumerate(cells.rows) if isinstance(row[j], str) and not is_missing(row[j]))
        raise DataError(
            f"{cells.place(i, j)} is {cells.rows[i][j]!r:.60} where a number belongs; categorical=True (--categorical) "
            f"makes a feature of each of its {len(values)} values, drop=[{name!r:.60}] (--drop) leaves it out"
        )
    if len(values) > MOST_CATEGORIES:
        raise DataError(f"{what}, too many for a feature each; drop=[{name!r:.60}] (--drop) leaves it out")
    return Feature(name, values)


def _numbers(
    cells: Cells, inputs: Sequence[int], features: Sequence[Feature], fill: bool, means: Sequence[float] | None
) -> tuple[list[list[float]], list[str]]:
    """The features of each row as numbers, gaps filled in with means, and notes on what was filled."""
    columns: list[list[float]] = []
    notes = []
    for j, feature in zip(inputs, features, strict=True):
        whole = not fill or _all_numbers(row[j] for row in cells.rows)
        gaps = set() if whole else {i for i, row in enumerate(cells.rows) if is_missing(row[j])}
        for numbers in _encoded(cells, j, feature, gaps):
            if gaps:
                given = [x for i, x in enumerate(numbers) if i not in gaps]
                mean = autograd.mean(given) if means is None else means[len(columns)]
                numbers = [mean if i in gaps else x for i, x in enumerate(numbers)]
            columns.append(numbers)
        if gaps:
            notes.append(f"{cells.source}: filled in {len(gaps)} missing values of {cells.column(j)} with the mean")
    return [list(sample) for sample in zip(*columns, strict=True)], notes


def _encoded(cells: Cells, j: int, feature: Feature, gaps: set[int]) -> list[list[float]]:
    """The columns of numbers that a feature becomes; 0 in the gaps."""
    if not feature.values:
        numbers = [row[j] for row in cells.rows]
        if _all_numbers(numbers):
            return [cast(list[float], numbers)]
        if _is_truth(row[j] for row in cells.rows):
            return [[_TRUTH.get(str(row[j]).lower(), 0.0) for row in cells.rows]]
        return [[0.0 if i in gaps else _number(cells, i, j) for i in range(len(cells.rows))]]
    for i, row in enumerate(cells.rows):
        if i not in gaps and _label(row[j]) not in feature.values:
            known = shortened(", ".join(feature.values), 100)
            raise DataError(f"{cells.place(i, j)} is {_label(row[j])!r:.60}, not one of the values {known}")
    return [[float(_label(row[j]) == value) for row in cells.rows] for value in feature.values]
