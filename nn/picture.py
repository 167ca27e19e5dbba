"""draw(model): the neurons of a network as columns, and its weights as the lines between them."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from autograd import read_data
from autograd.files import write_atomically
from autograd.visualize.names import NumberFormat, number_formatter, printable
from nn.layers import Conv1d, Conv2d, Embedding, Flatten, Reshape, Residual
from nn.metadata import Metadata
from nn.module import Module
from nn.stages import Each, Linear, stages

MOST_ROWS, SUMMARY = 16, 12  # neurons of a layer that are shown one by one; of a larger layer so many
ROW, GAP, RADIUS, MARGIN, LINE = 26, 150, 9, 16, 15  # pixels: between neurons and layers, of a neuron, around, of text
LETTER, LONGEST = 6.2, 24  # pixels of a letter, letters of a name
THINNEST, THICKEST, FAINTEST = 0.3, 4.0, 0.12
RESHAPING = Conv1d, Conv2d, Embedding, Flatten, Reshape, Residual  # what comes out are other numbers

# Told apart with any colour vision (Okabe and Ito, 2008): as attributes, which every program reads, and by a style that
# browsers take on dark ground. The ground is part of the picture, so that it can be read wherever it stands.
COLOURS = {
    "paper": ("fill", "#ffffff", "#14191f"),
    "ink": ("fill", "#1b2530", "#e8edf2"),
    "faint": ("fill", "#5f6b76", "#a5aeb7"),
    "neuron": ("stroke", "#7a8691", "#a5aeb7"),
    "band": ("stroke", "#c3cad1", "#46505a"),
    "plus": ("stroke", "#0072b2", "#56b4e9"),
    "minus": ("stroke", "#d55e00", "#ff8c42"),
    "plus-bias": ("fill", "#0072b2", "#56b4e9"),
    "minus-bias": ("fill", "#d55e00", "#ff8c42"),
}
DARK = "".join([f".nn-picture .{name}{{{what}:{dark}}}" for name, (what, _, dark) in COLOURS.items()])


@dataclass
class Column:
    """Numbers one above the other.

    Attributes:
        count: how many there are.
        kind: what they are: "input", "number", "neuron" or "output".
        names: of some of them.
        weights: of each its weights of the numbers in the column before; biases: of each.
        notes: what is applied to them.
    """

    count: int
    kind: str
    names: Sequence[str] = ()
    weights: Sequence[Sequence[float]] = ()
    biases: Sequence[float] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[int | None]:
        """The numbers that are shown, from above; None where some are left out."""
        if self.count <= MOST_ROWS:
            return [*range(self.count)]
        half = SUMMARY // 2
        return [*range(half), None, *range(self.count - half, self.count)]

    def label(self) -> list[str]:
        count = f"{self.count} {self.kind}{'s' * (self.count != 1)}"
        left_out = [f"({SUMMARY} shown)"] if self.count > MOST_ROWS else []
        return [count, *self.notes, *left_out]


@dataclass
class Box:
    """A module that is no column.

    Attributes:
        title: what it is; `notes`: what else is said of it, and what is applied to what it gives.
    """

    title: str
    notes: list[str]


class Picture:
    """A picture as SVG, which shows itself in a notebook.

    Attributes:
        svg: its text.
    """

    def __init__(self, svg: str):
        self.svg = svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file."""
        write_atomically(path, self.svg.encode())

    def _repr_svg_(self) -> str:
        return self.svg


def picture(model: Module, format: NumberFormat = ".4g", file: str | os.PathLike[str] | None = None) -> Picture:
    """See autograd.draw."""
    if file is not None and Path(file).suffix.lower() != ".svg":
        raise ValueError(f"the file is {os.fspath(file)!r}; the picture of a model is SVG: its name has to end in .svg")
    drawing = Picture(_Drawing(_parts(model), number_formatter(format)).svg(f"{model!r:.200}"))
    if file is not None:
        drawing.save(file)
    return drawing


Module._draw_ = picture  # what autograd.draw calls


def _parts(model: Module) -> list[Column | Box]:
    """What is drawn, from left to right."""
    about = model.metadata or Metadata()
    parts: list[Column | Box] = []
    for stage in stages(model):
        if isinstance(stage, Linear):
            nin = len(stage.weights[0])
            if not parts or isinstance(parts[-1], Box):
                parts.append(Column(nin, "number") if parts else Column(nin, "input", about.columns or _numbered(nin)))
            weights, biases = read_data(stage.weights), read_data(stage.biases)
            parts.append(Column(len(biases), "neuron", weights=weights, biases=biases))
        elif isinstance(stage, Each) or (parts and not isinstance(stage, RESHAPING)):
            parts[-1].notes.append(_shown(stage.modules[0] if isinstance(stage, Each) else stage))
        else:
            parts.append(_box(stage))
    last = parts[-1]
    if isinstance(last, Column):
        last.kind = "output"
        last.names = about.classes if len(about.classes) == last.count else [about.target] * (last.count == 1)
    return parts


def _box(module: Module) -> Box:
    count = len(module.parameters())
    inside = [type(each).__name__ for each in getattr(module, "modules", [])]
    said = [
        ", ".join(inside),
        module.shapes().replace("->", "→"),
        f"{count} parameter{'s' * (count > 1)}" * (count > 0),
    ]
    return Box(_shown(module) if not count else type(module).__name__, [printable(x, LONGEST) for x in said if x])


def _numbered(count: int) -> list[str]:
    return [f"x{i}" for i in range(count)]


def _shown(module: Module) -> str:
    """A module as it is written, if that is short."""
    written = f"{module!r}".removesuffix("()")
    return written if len(written) <= LONGEST else type(module).__name__


class _Drawing:
    """Columns and boxes with their places, as SVG.

    Attributes:
        xs: the middle of each part; `middle`: of all of them, from above.
        places: of each column, where each of its numbers that are shown is, from above.
    """

    def __init__(self, parts: Sequence[Column | Box], number: Any):
        self.parts, self.number = parts, number
        rows = max([len(part.rows) for part in parts if isinstance(part, Column)], default=3)
        self.middle = MARGIN + rows * ROW / 2
        names = [_names(part) for part in parts]
        left = max(map(len, names[0]), default=0)
        self.xs = [MARGIN + RADIUS + left * LETTER + (8 if left else 40) + GAP * i for i in range(len(parts))]
        self.right = max(map(len, names[-1]), default=0) * LETTER + RADIUS + 50
        self.places = [self._places(part) for part in parts]
        self.bottom = MARGIN + rows * ROW + 8

    def _places(self, part: Column | Box) -> dict[int, float]:
        if isinstance(part, Box):
            return {}
        rows = len(part.rows)
        step = min(2 * (self.middle - MARGIN) / rows, 2 * ROW)  # few numbers are less close
        first = self.middle - step * (rows - 1) / 2
        return {n: first + step * i for i, n in enumerate(part.rows) if n is not None}

    def svg(self, title: str) -> str:
        texts = [part.label() if isinstance(part, Column) else [] for part in self.parts]
        legend = self.bottom + LINE * (max(map(len, texts)) + 1)
        width, height = max(self.xs[-1] + self.right, 520) + MARGIN, legend + 2 * LINE + MARGIN
        pieces = [
            '<svg xmlns="http://www.w3.org/2000/svg" class="nn-picture" role="img" font-size="11" '
            f'font-family="Helvetica, Arial, sans-serif" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}">',
            f"<title>{_text(title)}</title>",
            f"<style>@media (prefers-color-scheme: dark) {{{DARK}}}</style>",
            f'<rect width="100%" height="100%" rx="6" {_coloured("paper")}/>',
            *[line for i in range(1, len(self.parts)) for line in self._between(i)],
            *[line for i in range(len(self.parts)) for line in self._part(i)],
            *self._captions(texts),
            *self._legend(legend),
            "</svg>",
        ]
        return "\n".join(pieces) + "\n"

    # --- weights ------------------------------------------------------------------------------------------------------

    def _between(self, i: int) -> Iterator[str]:
        """The lines from the part before."""
        x, before, part = self.xs[i], self.xs[i - 1], self.parts[i]
        if not isinstance(part, Column) or not part.weights:
            yield f'<g {_coloured("band")} stroke-width="6"><path d="M{before:.0f} {self.middle:.0f}H{x:.0f}"/></g>'
            return
        largest = _largest([w for weights in part.weights for w in weights])
        lines: dict[str, list[tuple[float, str]]] = {"minus": [], "plus": []}
        for n, y in self.places[i].items():
            for k, from_y in self.places[i - 1].items():
                w = part.weights[n][k]
                share = min(abs(w) / largest, 1.0) if math.isfinite(w) else 1.0
                line = f'<path d="M{before:.0f} {from_y:g}L{x:.0f} {y:g}" stroke-width="{_width(share):.2f}" '
                said = _text(f"weight of {k} for {n}: {self.number(w)}")
                line += f'stroke-opacity="{FAINTEST + (1 - FAINTEST) * share**1.5:.2f}"><title>{said}</title></path>'
                lines["minus" if w < 0 else "plus"].append((share, line))
        for sign, found in lines.items():
            yield f"<g {_coloured(sign)}>"
            yield from [line for _, line in sorted(found)]  # the strongest in front
            yield "</g>"

    # --- neurons ------------------------------------------------------------------------------------------------------

    def _part(self, i: int) -> Iterator[str]:
        part, x = self.parts[i], self.xs[i]
        if isinstance(part, Box):
            yield from self._box(part, x)
            return
        largest = _largest(part.biases)
        for n, y in self.places[i].items():
            place = f'cx="{x:.0f}" cy="{y:g}" r="{RADIUS}"'
            if part.biases:
                bias = part.biases[n]
                said = f"<title>{_text(f'{part.kind} {n}: bias {self.number(bias)}')}</title>"
                yield f"<g {_coloured('neuron')}><circle {place} {_coloured('paper')}/></g>"
                share = min(abs(bias) / largest, 1.0) if math.isfinite(bias) else 1.0
                sign = "minus-bias" if bias < 0 else "plus-bias"
                yield f'<circle {place} {_coloured(sign)} fill-opacity="{0.85 * share:.2f}">{said}</circle>'
            else:
                size = 2 * RADIUS - 2
                corner = f'x="{x - size / 2:.0f}" y="{y - size / 2:g}" width="{size}" height="{size}"'
                yield f'<g {_coloured("neuron")}><rect {corner} rx="2" {_coloured("paper")}/></g>'
        if len(part.rows) > len(self.places[i]):
            for step in (-6, 0, 6):
                yield f'<circle cx="{x:.0f}" cy="{self.middle + step:g}" r="1.5" {_coloured("faint")}/>'
        at_left = i == 0
        end = x - RADIUS - 6 if at_left else x + RADIUS + 6
        for n, y in self.places[i].items():
            if n < len(part.names):
                anchor = "end" if at_left else "start"
                yield self._line(printable(part.names[n], LONGEST), end, y + 4, "ink", anchor)

    def _box(self, part: Box, x: float) -> Iterator[str]:
        lines = [part.title, *part.notes]
        width, height = GAP - 40, LINE * len(lines) + 14
        corner = f'x="{x - width / 2:.0f}" y="{self.middle - height / 2:.0f}" width="{width}" height="{height}"'
        yield f'<g {_coloured("neuron")}><rect {corner} rx="5" {_coloured("paper")}/></g>'
        for i, line in enumerate(lines):
            y = self.middle - height / 2 + LINE * (i + 1) + 3
            yield self._line(line, x, y, "faint" if i else "ink", "middle")

    # --- words --------------------------------------------------------------------------------------------------------

    def _captions(self, texts: Sequence[Sequence[str]]) -> Iterator[str]:
        for x, lines in zip(self.xs, texts, strict=True):
            for i, line in enumerate(lines):
                yield self._line(line, x, self.bottom + LINE * (i + 1), "faint" if i else "ink", "middle")
        for i, (before, x) in enumerate(pairwise(self.xs), 1):
            part = self.parts[i]
            if isinstance(part, Column) and part.weights:
                largest = self.number(_largest([w for weights in part.weights for w in weights]))
                yield self._line(f"|w| ≤ {largest}", (before + x) / 2, self.bottom + LINE, "faint", "middle")

    def _legend(self, y: float) -> Iterator[str]:
        x = float(MARGIN)
        for sign, said in (("plus", "positive weight"), ("minus", "negative weight")):
            yield f'<g {_coloured(sign)} stroke-width="3"><path d="M{x:.0f} {y:g}h24"/></g>'
            yield self._line(said, x + 30, y + 4, "ink", "start")
            x += 30 + len(said) * LETTER + 14
        yield self._line("width: its size, beside the largest of the layer", x, y + 4, "faint", "start")
        said = "fill of a neuron: its bias, in the same colours, beside the largest of the layer"
        yield self._line(said, MARGIN, y + 4 + LINE, "faint", "start")

    def _line(self, text: str, x: float, y: float, colour: str, anchor: str) -> str:
        return f'<text x="{x:.0f}" y="{y:g}" text-anchor="{anchor}" {_coloured(colour)}>{_text(text)}</text>'


def _names(part: Column | Box) -> list[str]:
    return [printable(name, LONGEST) for name in part.names] if isinstance(part, Column) else []


def _coloured(name: str) -> str:
    what, light, _ = COLOURS[name]
    return f'class="{name}" {what}="{light}"'


def _largest(numbers: Sequence[float]) -> float:
    return max([abs(x) for x in numbers if math.isfinite(x)], default=0.0) or 1.0


def _width(share: float) -> float:
    return THINNEST + (THICKEST - THINNEST) * share


def _text(text: str) -> str:
    return escape(printable(text))
