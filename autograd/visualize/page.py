"""page: one self-contained HTML document that plays the forward and the backward pass of a graph, step by step."""

import base64
import hashlib
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Any

from autograd.codegen.javascript import called_by
from autograd.derivatives import pullback, recorded_partials
from autograd.files import write_atomically
from autograd.graph import topological_order
from autograd.primitives import CALL, Primitive
from autograd.value import Value
from autograd.visualize.decisions import Decision, noting_decisions
from autograd.visualize.draw import DIRECTIONS, MOST_DRAWN, Look, cell, width_of
from autograd.visualize.expressions import Applied, Printer, Symbol, Term, tidy
from autograd.visualize.javascript import NoJavaScript, operation
from autograd.visualize.names import OUT_OF_DATE, Names, distinct_names, number_formatter, printable
from autograd.visualize.selection import select

DIGITS = 4
MOST_DESCRIBED = 8  # leaves in the text for those who do not see the picture
MOST_DECISIONS = 100  # that are asked again after an edit
SHAPE = 1.5  # width to height of the part of the page that the graph is in
SCRIPTS = (
    "theme.js", "numbers.js", "graph.js", "sweeps.js", "steps.js", "drawing.js", "view.js", "map.js", "leaves.js",
    "decisions.js", "folds.js", "page.js",
)  # fmt: skip


def page(
    output: Value | Callable[..., Value],
    *args: Any,
    direction: str | None = None,
    names: Mapping[str, Any] | None = None,
    group: Any = None,
    max_nodes: int = 1000,
    height: int = 560,
) -> "Page":
    """An interactive page: the forward and the backward pass of a graph, one node at a time, and what-if questions.

    The page needs no network and no other file. Arrow keys, the slider and the buttons step; space plays; + - 0 zoom,
    and so does the wheel with Ctrl or after a click into the graph. A large graph opens around its output, with a map,
    and follows the steps. Another number typed for a leaf recomputes data and gradients in the browser: those of this
    graph, so that what an `if` or a comparison in Python has decided stays decided. `page(f, x, ...)` calls f, and
    then says which branches were taken, and that the result is unknown where an edit would take another one. And a
    switch plays the backward pass in plain depth-first recursion, to see where the order matters.

    Args:
        output: the Value to differentiate, or a function that computes it.
        args: what to call the function with.
        direction: as in draw; from left to right or from top to bottom, whichever fills the page better, unless given.
        names, group: as in draw; the boxes of a group fold and open by a click.
        max_nodes: a larger graph is refused; up to 300 nodes step smoothly, and more than 1000 cannot be read.
        height: of the frame in a notebook, in pixels.

    Returns: an object that shows itself in a notebook, with `html`, the document, and `save(path)`.

    Errors: TypeError for anything but a Value; ValueError for a graph that is too large; RendererNotFound on a machine
    without Graphviz. Each says what to do.

    Example:
        >>> a, b = Value(2.0), Value(3.0)
        >>> page(a * b).html.startswith("<!doctype html>")
        True
    """
    decisions: list[Decision] | None = None
    if callable(output):
        with noting_decisions() as decisions:
            output = output(*args)
    elif args:
        raise TypeError("page takes one Value, or a function and its arguments; for several Values make one of them")
    if not isinstance(output, Value):
        raise TypeError(f"page takes a Value, got {type(output).__name__} {output!r:.60}")
    if direction is not None and direction not in DIRECTIONS:
        raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}, got {direction!r}")
    selection = select([output], max_nodes)
    if selection.omitted:
        raise ValueError(
            f"the graph has {selection.total} nodes, more than max_nodes={max_nodes} for a page: show a smaller graph, "
            "such as the loss of one example, or draw(v), which summarises large ones"
        )
    return Page(output, selection.values, Names(names, group), group, direction, height, decisions)


class _Look(Look):
    """The gradients of the output, whatever a backward() has left in `grad`."""

    def __init__(self, output: Value, order: list[Value], names: Mapping[Value, str], model: Any):
        super().__init__(number_formatter(f".{DIGITS}g"), names, model=model, tooltips=False)
        self.grads = dict(zip(order, pullback([output], [1.0], order, recorded_partials), strict=True))

    def grad(self, node: Value) -> float:
        return self.grads[node] or 0.0


class _PageLook(_Look):
    """Cells for numbers that come and go: at the left, and wide enough for most."""

    def cell(self, what: str, x: float) -> str:
        return cell(f"{what} {printable(self.number(x))}", width_of("grad −1.234e−05"))


class Page:
    """An interactive page; autograd.page makes it.

    Attributes:
        html: the whole document.
    """

    def __init__(
        self,
        output: Value,
        order: list[Value],
        names: Names,
        model: Any,
        direction: str | None,
        height: int,
        decisions: list[Decision] | None = None,
    ):
        names.of.setdefault(output, "out")
        asked = list({d.condition: d for d in decisions or ()}.values())[:MOST_DECISIONS]
        drawn = set(order)
        hidden = [x for x in topological_order([d.condition for d in asked]) if x not in drawn]  # recomputed, not drawn
        own_names = distinct_names([*order, *hidden], names)
        look = _PageLook(output, order, own_names, model)
        selection = select([output], max_nodes=sys.maxsize)
        layouts = [
            look.picture([output], selection, way).pipe("svg", encoding="utf-8")
            for way in ([direction] if direction else ["LR", "TB"])
        ]
        svg = max(layouts, key=_fill)
        operations, reason = _operations([*order, *hidden])
        data = {
            "nodes": _nodes([*order, *hidden], own_names, len(order)),
            "decisions": _decisions([*order, *hidden], asked) if decisions is not None else None,
            "output": len(order) - 1,
            "editable": not reason,
            "reason": reason,
            "digits": DIGITS,
        }
        self.height = height
        self.title = f"Forward and backward pass of {own_names[output]}"
        if look.outdated:
            self.title += f" ({OUT_OF_DATE})"
        self.html = _document(self.title, svg, data, operations)
        self._still = _Look(output, order, own_names, model)
        self._output = output

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the document; a crash leaves the old file or the new one."""
        write_atomically(path, self.html.encode())

    def _repr_html_(self) -> str:
        """The page in a frame, and for where no frame is shown a picture with the numbers."""
        return framed(self.html, self.title, self.height, ("png", self._picture()), self._description())

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return self._picture(), {"alt": self._description()}

    def _picture(self) -> bytes:
        """The graph with its data and gradients; of a large one what is nearest to the output."""
        return self._still.picture([self._output], select([self._output], MOST_DRAWN), "LR").pipe("png")

    def _description(self) -> str:
        """The picture in words."""
        names, number = self._still.names, self._still.number
        leaves = [x for x in self._still.grads if x.op is None][:MOST_DESCRIBED]
        values = [f"{names[x]} with data {number(x.data)}, grad {number(self._still.grad(x))}" for x in leaves]
        return f"{self.title}, which is {number(self._output.data)}; leaves: {'; '.join(values)}"

    def __repr__(self) -> str:
        return f"<page of {len(self.html)} characters; .save('page.html') writes it>"


def framed(document: str, title: str, height: int, picture: tuple[str, bytes], description: str) -> str:
    """A document in a frame of a notebook, and for where no frame is shown a picture: its format and its bytes."""
    return Template(_asset("notebook.html")).substitute(
        document=escape(document),
        title=escape(title),
        height=height,
        picture=f"{picture[0]};base64,{base64.b64encode(picture[1]).decode()}",
        description=escape(description),
    )


def _document(title: str, svg: str, data: Any, operations: str) -> str:
    scripts = [_asset(name) for name in SCRIPTS]
    script = '"use strict";\n(() => {\n' + "\n".join([*called_by(operations), operations, *scripts]) + "})();\n"
    script = script.replace("</", "<\\/")  # nothing in a script ends it
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(_asset("page.html")).substitute(
        title=escape(title),
        style=_asset("page.css"),
        svg=svg[svg.index("<svg") :],
        data=_json(data),
        script=script,
        script_hash=f"sha256-{digest}",  # the browser runs this script and no other
    )


def _asset(name: str) -> str:
    return (resources.files("autograd.visualize") / "assets" / name).read_text(encoding="utf-8")


def _fill(svg: str) -> float:
    """How large the drawing can be shown: the factor that makes it fit a frame of width SHAPE and height 1."""
    width, height = re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2]
    return min(SHAPE / float(width), 1 / float(height))


def _json(data: Any) -> str:
    """JSON that can stand in a script element."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _number(x: float | None) -> float | str | None:
    """A number for JSON, which has no infinities: JavaScript's Number() reads their names."""
    if x is None or math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def _decisions(order: list[Value], decisions: list[Decision]) -> list[dict[str, Any]]:
    index = {node: i for i, node in enumerate(order)}
    return [{"node": index[d.condition], "taken": bool(d.condition._data), "line": d.line} for d in decisions]


def _nodes(order: list[Value], names: Mapping[Value, str], drawn: int) -> list[dict[str, Any]]:
    index = {node: i for i, node in enumerate(order)}
    return [
        {
            "name": names[node],
            "hidden": i >= drawn,
            "op": _key(node),
            "data": _number(node.data),
            "partials": [_number(p) for p in node.partials],
            "operands": [index[x] if isinstance(x, Value) else {"number": _number(x)} for x in node.operands],
            "formula": _formula(node.op, len(node.operands)) if node.op else [],
            "infix": node.op is not None and (node.op.precedence < CALL or node.op.name in ("sum", "dot", "prod")),
        }
        for i, node in enumerate(order)
    ]


def _key(node: Value) -> str | None:
    return None if node.op is None else f"{node.op.name}/{len(node.operands)}"


def _formula(op: Primitive, count: int) -> list[str | int]:
    """What an operation computes, as pieces of text between the positions of operands."""
    marks: tuple[Term, ...] = tuple([Symbol(f"\x00{i}\x00") for i in range(count)])
    written = Printer(str)(tidy(op, marks) if op.arity is None else Applied(op, marks))
    return [int(piece) if i % 2 else piece for i, piece in enumerate(written.split("\x00"))]


def _operations(order: Iterable[Value]) -> tuple[str, str]:
    """JavaScript for every operation of the graph, and why there is none, if one of them has none."""
    written: dict[str, str] = {}
    ops: dict[str, Primitive] = {}
    try:
        for node in order:
            key = _key(node)
            if key is None or node.op is None:
                continue
            if ops.setdefault(key, node.op) is not node.op:
                raise NoJavaScript(f"two different primitives are called {node.op.name}")
            if key not in written:
                written[key] = operation(node.op, len(node.operands))
    except NoJavaScript as error:
        return "const operations = {};\n", str(error)
    entries = ",\n".join(f"  {json.dumps(key)}: {code}" for key, code in written.items())
    return f"const operations = {{\n{entries}\n}};\n", ""
