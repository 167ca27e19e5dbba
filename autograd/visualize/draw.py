"""draw: an expression graph as a picture, laid out by Graphviz."""

import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.derivatives import out_of_date
from autograd.files import write_atomically
from autograd.graph import topological_order
from autograd.value import Value
from autograd.visualize.columns import TITLE, Columns, Cyclic, Point, spline
from autograd.visualize.groups import Group, groups_of, title
from autograd.visualize.listing import listing
from autograd.visualize.names import (
    LONGEST_NAME,
    OUT_OF_DATE,
    Names,
    NumberFormat,
    distinct_names,
    number_formatter,
    parameters_of,
    printable,
    signs,
)
from autograd.visualize.selection import Selection, select

if TYPE_CHECKING:
    from autograd.visualize.graphviz_program import Picture

DIRECTIONS = ("LR", "TB", "RL", "BT")
MOST_DRAWN = 120  # nodes, chosen so that a picture can still be read

# Okabe and Ito's colours, thinned: told apart by the colour-blind; the outlines and shapes differ, for print in grey
GRAPH = {"bgcolor": "transparent", "fontname": "Helvetica", "fontsize": "10", "fontcolor": "#5F6B76",
         "nodesep": "0.16"}  # fmt: skip
NODE = {"shape": "box", "style": "filled,rounded", "fillcolor": "#FFFFFF", "color": "#7A8691", "fontcolor": "#1B2530",
        "fontname": "Helvetica", "fontsize": "11", "margin": "0", "height": "0.3", "penwidth": "0.9"}  # fmt: skip
EDGE = {"color": "#7A8691", "fontcolor": "#5F6B76", "fontname": "Helvetica", "fontsize": "9", "arrowsize": "0.55",
        "penwidth": "0.9"}  # fmt: skip
OPERATION = {"shape": "circle", "fixedsize": "true", "width": "0.36", "height": "0.36", "margin": "0",
             "fillcolor": "#EEF1F4"}  # fmt: skip
LONG_OPERATION = {"shape": "box", "fixedsize": "false", "height": "0.3", "margin": "0.08,0.04"}
NO_GRADIENT = {"style": "dashed", "color": "#A5AEB7"}
KINDS = {
    "between": {},
    "leaf": {"fillcolor": "#E3EEF8", "color": "#0072B2"},
    "parameter": {"fillcolor": "#E3EEF8", "color": "#0072B2"},
    "input": {"fillcolor": "#FBF0D9", "color": "#B47B00", "style": "filled"},
    "output": {"fillcolor": "#FBE6D9", "color": "#B84A00", "penwidth": "2"},
    "constant": {"shape": "plaintext", "style": "", "fontcolor": "#5F6B76", "width": "0.2", "height": "0.2",
                 "margin": "0.04"},
    "omitted": {"shape": "plaintext", "style": "", "fontcolor": "#5F6B76", "margin": "0.06,0.02", "height": "0.2"},
}  # fmt: skip
FONT_SIZE, PADDING, POINTS_PER_INCH, ARROW = 11, 4, 72, 5.5
EMS = {" ,.:;'|ijlI·f": 0.37, '/\\()[]-!Jrt"*`': 0.46, "#+<=>^~−∞≤≥≠→ABCDGHKNOQRUVXw&": 0.85, "mMW%@…": 1.08}
BOX = {"style": "rounded", "color": "#C3CAD1", "fontcolor": "#5F6B76", "penwidth": "0.9", "margin": "8"}
ORDERLESS = {"add", "mul", "sum", "prod", "max", "min", "maximum", "minimum", "norm", "hypot", "logsumexp"}


def draw(
    *outputs: Any,
    direction: str = "LR",
    format: NumberFormat = ".4g",
    local_grads: bool = False,
    names: Mapping[str, Any] | None = None,
    group: Any = None,
    max_nodes: int = MOST_DRAWN,
    file: str | os.PathLike[str] | None = None,
) -> "Picture":
    """The graph that the outputs were computed by, or a network, as a picture that shows itself in a notebook.

    Values are boxes (label | data | grad), operations round nodes between them. Blue boxes are leaves; with a model
    given as `group`, its parameters are blue and the other leaves yellow. Outputs are orange with a thick outline,
    plain numbers have no outline. A dashed edge is one along which no derivative flows.

    `draw(model)`, of a model of nn, shows its neurons and weights: blue lines are positive, orange ones negative, wide
    ones large in their layer; a neuron is filled by its bias. Of a layer of more than 16 neurons it shows 12.
    Inputs and outputs are called as the columns that the model was trained on. It takes `format` and `file`, an .svg.

    Args:
        outputs: Values, or lists of them; or one model.
        direction: "LR" from left to right, "TB" from top to bottom, or "RL", "BT".
        format: how numbers are written: a format specification such as ".2f", or a function of a float. An image
            format ("svg", "png") is set as the Digraph's `format`, as by micrograd's draw_dot.
        local_grads: whether each edge shows the local derivative.
        names: variables to name the Values without a label after; those of the calling code unless given, {} for none.
        group: a model, anything with `named_parameters()`: a box is drawn around each of its layers and neurons, which
            stand in columns, in order. (Where a value comes back to a layer that it left, Graphviz places the boxes.)
        max_nodes: of a larger graph, only what is nearest to the outputs is shown, the rest as "… n more".
        file: also write the picture there, as what the name ends in: .svg, .png, .dot, or .pdf
            with the system's Graphviz.

    Returns: a graphviz.Digraph, whose `source`, `render`, `save` and `pipe` are at hand, and which prints the graph as
    lines of text in a terminal; of a model an object with its text `svg` and `save(path)`.

    Errors: TypeError for anything but Values; ValueError for an unknown direction, format or kind of file;
    RendererNotFound when a picture is laid out (not when it is made) on a machine without Graphviz; ImportError
    without the `graphviz` package. Each says what to do.

    Example:
        >>> a, b = Value(2.0), Value(3.0)
        >>> picture = draw(a * b)
        >>> picture.pipe("svg").startswith(b"<?xml")
        True
    """
    if len(outputs) == 1 and hasattr(outputs[0], "_draw_"):
        given = {"direction": direction != "LR", "local_grads": local_grads, "names": names, "group": group}
        if wrong := [name for name, value in given.items() if value] + ["max_nodes"] * (max_nodes != MOST_DRAWN):
            raise TypeError(f"draw of a model takes format and file, and {wrong[0]} has no effect on it")
        return outputs[0]._draw_(format=format, file=file)
    from autograd.visualize.graphviz_program import FORMATS

    values = _flat(outputs)
    if direction not in DIRECTIONS:
        raise ValueError(f"the direction is {direction!r}; it can be one of {', '.join(DIRECTIONS)}")
    kind_of_file = None if file is None else _kind_of_file(file)
    image = format if isinstance(format, str) and format in FORMATS else None
    named = Names(names, group)
    look = Look(number_formatter(".4g" if image else format), named, model=group, local_grads=local_grads)
    selection = select(values, max_nodes)
    picture = look.picture(values, selection, direction)
    picture.format = image or "svg"
    hidden = len(topological_order(values)) - len(selection.values) if selection.omitted else 0
    shown = selection.values
    picture.text = lambda: listing(shown, distinct_names(shown, named), look.number, hidden)
    if file is not None:
        write_atomically(file, picture.source.encode() if kind_of_file == "dot" else picture.pipe(kind_of_file))
    return picture


def _flat(outputs: Iterable[Any]) -> list[Value]:
    values: list[Value] = []
    for x in outputs:
        if isinstance(x, Value):
            values.append(x)
        elif isinstance(x, list | tuple):
            values += _flat(x)
        else:
            raise TypeError(f"draw takes Values, got {type(x).__name__} {x!r:.60}")
    if not values:
        raise TypeError("draw takes at least one Value")
    return values


def _kind_of_file(file: str | os.PathLike[str]) -> str:
    kind = Path(file).suffix.lower().removeprefix(".")
    kind = "dot" if kind == "gv" else kind
    if kind not in ("svg", "png", "pdf", "dot"):
        raise ValueError(f"the file is {os.fspath(file)!r}; its name has to end in .svg, .png, .pdf or .dot")
    return kind


class Look:
    """How the nodes of a selection are drawn."""

    def __init__(
        self,
        number: Callable[[float], str],
        names: Mapping[Value, str] | Names,
        *,
        model: Any = None,
        local_grads: bool = False,
        tooltips: bool = True,
    ):
        self.number = number
        self.names = names
        self.model = model
        self.parameters = list(parameters_of(model).values())
        self.local_grads = local_grads
        self.tooltips = tooltips
        self.groups: dict[Value, Group] = {}
        self.outdated: set[Value] = set()

    def picture(self, outputs: list[Value], selection: Selection, direction: str) -> "Picture":
        """The Digraph: `v3` is the fourth Value of the selection, `op3` the operation that gave it."""
        from autograd.visualize.graphviz_program import Picture

        ranks = {"rankdir": direction, "ranksep": "0.32" if direction in ("LR", "RL") else "0.2"}
        graph = Picture(graph_attr={**GRAPH, **ranks}, node_attr=NODE, edge_attr=EDGE)
        self.outdated = out_of_date(topological_order(outputs))
        self.groups = groups_of(selection.values, self.model)
        parts = _Parts()
        ids = {node: i for i, node in enumerate(selection.values)}
        results = set(outputs)  # a list would compare by value
        inputs: dict[Any, str] = {}
        parameters = [x for x in self.parameters if x in ids]  # in their own order
        for node in dict.fromkeys([*parameters, *ids]):
            i, box = ids[node], self.groups.get(node, ())
            parts.node(f"v{i}", box, self.value(node, node in results))
            if node.op is not None:
                parts.node(f"op{i}", box, self.operation(node))
                parts.edge(f"op{i}", f"v{i}", {"id": f"r{i}"})
        for node, operands in selection.operands.items():
            i, box = ids[node], self.groups.get(node, ())
            of_layer = any(x in self.parameters for x in node.parents)
            for position, x in operands:
                start = f"v{ids[x]}" if isinstance(x, Value) else f"c{i}_{position}"
                if not isinstance(x, Value):
                    # a number that enters all neurons of a layer is one input, outside of them
                    start = inputs.setdefault((box[:-1], node.op, position, x), start) if of_layer and box else start
                    parts.node(start, () if of_layer else box, self.constant(x))
                parts.edge(start, f"op{i}", {"id": f"e{i}_{position}", **self.edge(node, position)})
        for node, count in selection.omitted.items():
            parts.node(f"more{ids[node]}", (), {"label": f"… {count} more" if count else "…", **KINDS["omitted"]})
            parts.edge(f"more{ids[node]}", f"op{ids[node]}", {"style": "dotted"})
        if selection.omitted:
            shown = selection.total - sum(selection.omitted.values())
            graph.attr(label=f"the {shown} nodes nearest to the output, of {selection.total}")
        elif self.groups:
            parts.lay_out(graph, direction)
        parts.draw(graph, self.model)
        return graph

    def value(self, node: Value, is_output: bool) -> dict[str, str]:
        """The attributes of a Value: a box of label | data | grad."""
        kind = "output" if is_output else "between" if node.op is not None else self.kind_of_leaf(node)
        name = self.name(node)
        label = cell(printable(name, LONGEST_NAME)) + "<VR/>" if name else ""
        outdated = node in self.outdated
        mark = cell("out of date") + "<VR/>" if outdated else ""
        cells = f"{label}{mark}{self.cell('data', node.data)}<VR/>{self.cell('grad', self.grad(node))}"
        table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{PADDING}"><TR>{cells}</TR></TABLE>'
        attributes = {"label": f"<{table}>", "class": kind, **KINDS[kind]}
        said = f"; {OUT_OF_DATE}" if outdated else ""
        numbers = signs(f"data {node.data!r}, grad {self.grad(node)!r}")
        return {**attributes, **self.tooltip(f"{printable(name)} {numbers}{said}".strip())}

    def name(self, node: Value) -> str:
        """The node's name; a parameter's without the boxes that it is drawn in."""
        name, boxes = self.names[node], self.groups.get(node)
        if boxes is None or not name.startswith(boxes[-1] + "."):
            return name
        own, *indices = name.removeprefix(boxes[-1] + ".").split(".")
        return own + "".join(f"[{i}]" for i in indices)

    def kind_of_leaf(self, leaf: Value) -> str:
        if self.model is None:
            return "leaf"
        return "parameter" if leaf in self.parameters else "input"

    def grad(self, node: Value) -> float:
        return node.grad

    def cell(self, what: str, x: float) -> str:
        return cell(f"{what} {printable(self.number(x))}")

    def operation(self, node: Value) -> dict[str, str]:
        """The attributes of an operation: a round node with its symbol, or a wider one around a word."""
        assert node.op is not None
        symbol = "−" if node.op.symbol == "-" else printable(node.op.symbol, LONGEST_NAME)
        width = f"{width_of(symbol) / POINTS_PER_INCH + 0.16:.2f}"
        long = {**LONG_OPERATION, "width": width} if len(symbol) > 2 else {}
        ordering = {} if node.op.name in ORDERLESS else {"ordering": "in"}
        return {
            "label": _text(symbol),
            "class": "operation",
            **OPERATION,
            **long,
            **ordering,
            **self.tooltip(node.op.name),
        }

    def constant(self, x: float) -> dict[str, str]:
        label = _text(printable(self.number(x)))
        return {"label": label, "class": "constant", **KINDS["constant"], **self.tooltip(signs(repr(x)))}

    def edge(self, node: Value, position: int) -> dict[str, str]:
        """The attributes of the edge from an operand: dashed if no derivative flows."""
        partial = node.partials[position]
        if partial is None:
            return NO_GRADIENT if isinstance(node.operands[position], Value) else {}
        return {"label": _text(f" {printable(self.number(partial))} ")} if self.local_grads else {}

    def tooltip(self, text: str) -> dict[str, str]:
        # A tooltip is looked through twice for Graphviz's escapes such as \N, the name of the node
        return {"tooltip": escape(text).replace("\\", "\\" * 4)} if self.tooltips else {}


class _Parts:
    """Nodes, the boxes that they are in, and edges: Graphviz wants nodes drawn inside their boxes."""

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, str]] = {}
        self.groups: dict[str, Group] = {}
        self.edges: list[tuple[str, str, dict[str, str]]] = []
        self.boxes: dict[Group, dict[str, str]] = {(): {}}

    def node(self, name: str, group: Group, attributes: dict[str, str]) -> None:
        self.nodes[name] = {"id": name, **attributes}
        self.groups[name] = group
        for depth in range(1, len(group) + 1):
            self.boxes.setdefault(group[:depth], dict(BOX))

    def edge(self, start: str, end: str, attributes: dict[str, str]) -> None:
        self.edges.append((start, end, attributes))

    def lay_out(self, graph: "Picture", direction: str) -> None:
        """Positions for everything, in columns; where that cannot be, Graphviz finds them."""
        turned = direction in ("TB", "BT")
        size = {name: _turned(_size(attributes), turned) for name, attributes in self.nodes.items()}
        try:
            columns = Columns(size, self.groups, [(start, end) for start, end, _ in self.edges], titles_along=turned)
        except Cyclic:
            return
        length, _ = columns.size[()]

        def place(point: Point) -> Point:  # Graphviz's y goes up
            x, y = _turned((length - point[0], point[1]) if direction in ("RL", "BT") else point, turned)
            return x, -y

        graph.attr(layout="nop2")
        for name, attributes in self.nodes.items():
            attributes["pos"] = _written(place(columns.middle[name]))
        for group, attributes in self.boxes.items():
            if group:
                (x, y), (width, height) = place(columns.middle[group]), _turned(columns.size[group], turned)
                corners = (x - width / 2, y - height / 2), (x + width / 2, y + height / 2)
                attributes["bb"] = ",".join(map(_written, corners))
                attributes["lp"] = _written((x, corners[1][1] - TITLE / 2 - 2))
                attributes["lheight"] = attributes["lwidth"] = "0.1"
        times: Counter[tuple[str, str]] = Counter()
        for start, end, attributes in self.edges:
            *way, (x, y) = columns.way(start, end)
            y += 6 * times[start, end]  # d * d: two edges
            times[start, end] += 1
            *curve, tip = [place(point) for point in spline([*way, (x - ARROW, y)])]
            attributes["pos"] = f"e,{_written(place((x, y)))} {' '.join(map(_written, [*curve, tip]))}"
            attributes["lp"] = _written(((curve[-2][0] + tip[0]) / 2, (curve[-2][1] + tip[1]) / 2 + 5))

    def draw(self, graph: "Picture", model: Any) -> None:
        self._draw(graph, (), model)
        for start, end, attributes in self.edges:
            graph.edge(start, end, **attributes)

    def _draw(self, graph: "Picture", group: Group, model: Any) -> None:  # recursive: modules are not nested deeply
        for name, attributes in self.nodes.items():
            if self.groups[name] == group:
                graph.node(name, **attributes)
        for i, (inner, attributes) in enumerate(self.boxes.items()):
            if inner[:-1] == group and inner != ():
                with graph.subgraph(name=f"cluster_{'/'.join(inner)}") as box:
                    box.attr(label=_text(title(model, inner[-1])), id=f"box{i}", **attributes)
                    self._draw(box, inner, model)


def _turned(pair: Point, turned: bool) -> Point:
    return (pair[1], pair[0]) if turned else pair


def _written(point: Point) -> str:
    return f"{point[0]:.2f},{point[1]:.2f}"


def _size(attributes: Mapping[str, str]) -> Point:
    """Width and height of a node in points."""
    cells = re.findall(r'WIDTH="(\d+)"', attributes["label"])
    height = POINTS_PER_INCH * float(attributes.get("height", NODE["height"]))
    if cells:
        return sum(map(int, cells)) + len(cells), height
    if attributes["class"] == "operation":
        width = POINTS_PER_INCH * float(attributes["width"])
        return width, max(height, width if attributes["shape"] == "circle" else 0.0)
    return width_of(attributes["label"][1:-1]) + 2 * PADDING, height


def cell(text: str, width: float = 0.0) -> str:
    """A table cell with room for the text in any common font: Graphviz measures with one of its own."""
    return f'<TD ALIGN="LEFT" WIDTH="{math.ceil(max(width, width_of(text)) + 2 * PADDING)}">{_html(text)}</TD>'


def width_of(text: str) -> float:
    """At least the width of a text in points, in the widest fonts that are common: DejaVu Sans, Verdana, monospaced."""
    return FONT_SIZE * max(sum(map(_ems, text)), 0.61 * len(text))


def _ems(letter: str) -> float:
    for letters, ems in EMS.items():
        if letter in letters:
            return ems
    if letter.isascii():
        return 0.68
    return 1.4 if unicodedata.east_asian_width(letter) in "WF" else 1.0


def _text(text: str) -> str:
    """Text as Graphviz's HTML-like label, in which it is never markup, an escape or an entity."""
    return f"<{_html(text)}>" if text else ""


def _html(text: str) -> str:
    return escape(text).replace("\\", "\\\\")
