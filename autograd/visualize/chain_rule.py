"""chain_rule: a derivative written out as a textbook does, as LaTeX in a notebook and as text elsewhere."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autograd.derivatives import refuse_edited
from autograd.graph import topological_order
from autograd.value import Value
from autograd.visualize.derivation import Adjoint, Analysis, Derivation, Factor
from autograd.visualize.expressions import Printer, Symbol
from autograd.visualize.latex_names import latex_names
from autograd.visualize.names import Names, NumberFormat, number_formatter

REUSE = "already computed: reuse"
MOST_STEPS = 40  # of a recursion, or of the forward pass, that are written down; chosen so that they can still be read


def chain_rule(
    output: Value,
    wrt: Value | Iterable[Value] | None = None,
    *,
    names: Mapping[str, Any] | None = None,
    format: NumberFormat = ".4g",
) -> "ChainRule":
    """The derivatives of output written out by the chain rule, with the formula and the number of each factor.

    A node is a step of the derivation if it has a label or is bound to a variable of the calling code, or is used more
    than once; what has no name is written into the formula of the next step. Where paths join, their products are
    added; a factor marked "direct" leaves out the other ways from its node. Where paths are too many to write down,
    the recursion over all adjoints is given instead.

    Args:
        output: the result, L in ∂L/∂w.
        wrt: what to differentiate by, one Value or several; all leaves unless given. Several come in the order of the
            backward pass, and what an earlier one has computed is marked for reuse: that is backpropagation.
        names: variables to name the Values without a label after; those of the calling code unless given.
        format: how numbers are written: a format specification such as ".2f", or a function of a float.

    Returns: an object that shows itself; its `text` and `latex` are strings, its `derivations` hold every factor.

    Errors: TypeError if the output or one of wrt is not a Value; RuntimeError if a leaf was edited after the output was
    computed from it.

    Example:
        >>> from autograd import sigmoid
        >>> w, x, y = Value(0.5, label="w"), Value(2.0, label="x"), Value(1.0, label="y")
        >>> a = w * x
        >>> f = sigmoid(a)
        >>> L = (y - f) ** 2
        >>> chain_rule(L, wrt=w)
        a = w·x = 1
        f = σ(a) = 0.7311
        L = (y − f)² = 0.07233
        <BLANKLINE>
        ∂L/∂w = ∂L/∂f      · ∂f/∂a     · ∂a/∂w
              = −2·(y − f) · f·(1 − f) · x
              = −0.5379    · 0.1966    · 2
              = −0.2115
    """
    if not isinstance(output, Value):
        raise TypeError(f"chain_rule takes a Value, got {type(output).__name__} {output!r:.60}")
    if wrt is None:
        wrt = [node for node in topological_order([output]) if node.op is None]
    refuse_edited(topological_order([output]))
    wrt = list(wrt) if isinstance(wrt, Iterable) else [wrt]
    for x in wrt:
        if not isinstance(x, Value):
            raise TypeError(f"chain_rule(L, wrt=...) takes a Value or several, got {type(x).__name__} {x!r:.60}")
    return ChainRule(Analysis(output, wrt, Names(names)), number_formatter(format))


class ChainRule:
    """A written derivation; chain_rule makes it.

    Attributes:
        definitions: how the named nodes (of many the first and the last) were computed, in the order of the forward
            pass.
        derivations: one for each of wrt, in the order of the backward pass: paths of factors, products and their sum.
        recursion: the adjoints of the named nodes (of many the first and the last), if one of the derivations has too
            many paths to write down; else empty.
    """

    def __init__(self, analysis: Analysis, number: Callable[[float], str]):
        self.output = analysis.symbols[analysis.output]
        self.definitions = analysis.definitions(MOST_STEPS)
        self.derivations = analysis.derivations()
        self.recursion = analysis.recursion(MOST_STEPS) if any(d.paths is None for d in self.derivations) else []
        self._number = number
        self._latex_names = latex_names(symbol.name for symbol in analysis.symbols.values())

    @property
    def text(self) -> str:
        """The derivation as plain text."""
        printer = _Text(Printer(self._number), self.output)
        blocks = ["\n".join(self._shortened([printer.definition(d) for d in self.definitions], "…"))]
        if self.recursion:
            blocks += self._shortened([printer.adjoint(a) for a in self.recursion], "…")
        blocks += [printer.derivation(d) for d in self.derivations if d.paths is not None]
        return "\n\n".join(filter(None, blocks))

    @property
    def latex(self) -> str:
        """The derivation as LaTeX, for math mode."""
        printer = _Latex(Printer(self._number, latex=True, names=self._latex_names), self.output)
        rows = self._shortened([printer.definition(d) for d in self.definitions], r"&\dots")
        rows += self._shortened([printer.adjoint(a) for a in self.recursion], r"&\dots")
        blocks = [_block(rows)] if rows else []
        blocks += [printer.derivation(d) for d in self.derivations if d.paths is not None]
        return _block([f"& {block}" for block in blocks], "16pt")

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"

    @staticmethod
    def _shortened(rows: list[str], ellipsis: str) -> list[str]:
        return rows if len(rows) < MOST_STEPS else [*rows[: MOST_STEPS // 2], ellipsis, *rows[-MOST_STEPS // 2 :]]


class _Text:
    """Rows of text, with the factors in columns."""

    def __init__(self, printer: Printer, output: Symbol):
        self.print = printer
        self.output = output

    def definition(self, definition: Any) -> str:
        return f"{definition.node.name} = {self.print(definition.formula)} = {self.print.value(definition.value)}"

    def derivation(self, derivation: Derivation) -> str:
        left = self.partial(self.output, derivation.wrt)
        value = self.print.value(derivation.value)
        if derivation.wrt == self.output:
            return f"{left} = 1"
        if not derivation.paths:
            return f"{left} = {value}: {self.output.name} does not depend on {derivation.wrt.name}"
        indent = " " * len(left)
        if _is_one_factor(derivation):
            return f"{left} = {self.print(derivation.paths[0][0].formula)}\n{indent} = {value}"
        rows = self._aligned(left, [self._columns(path, i == 0) for i, path in enumerate(derivation.paths)])
        if len(derivation.paths) > 1:
            rows.append(f"{indent} = {_sum(self.print, derivation.products)}")
        return "\n".join([*rows, f"{indent} = {value}"])

    def adjoint(self, adjoint: Adjoint) -> str:
        left = self.partial(self.output, adjoint.node)
        if not adjoint.terms:
            return f"{left} = {self.print.value(adjoint.value)}"
        outer = [self.partial(self.output, f.child) for f in adjoint.terms]
        pairs = [f"{o}·{self.partial(f.child, f.parent, f.direct)}" for o, f in zip(outer, adjoint.terms, strict=True)]
        products = [f"{o}·{self.print.factor(f.formula, False)}" for o, f in zip(outer, adjoint.terms, strict=True)]
        equals = "\n" + " " * len(left) + " = "
        return f"{left} = {' + '.join(pairs)}{equals}{' + '.join(products)}{equals}{self.print.value(adjoint.value)}"

    @staticmethod
    def partial(of: Symbol, by: Symbol, direct: bool = False) -> str:
        return f"∂{of.name}/∂{by.name}" + ("|direct" if direct else "")

    def _columns(self, path: Sequence[Factor], first: bool) -> list[tuple[str, str, str, bool]]:
        names = [self.partial(f.child, f.parent, f.direct) for f in path]
        formulas, numbers = _factors(self.print, path, "formula", first), _factors(self.print, path, "value", first)
        return list(zip(names, formulas, numbers, [f.reused for f in path], strict=True))

    def _aligned(self, left: str, paths: list[list[tuple[str, str, str, bool]]]) -> list[str]:
        """For each of the three kinds of row, one row a path; the first with its marks for reuse beneath."""
        rows = []
        for kind in range(3):
            for i, columns in enumerate(paths):
                start = left if kind == i == 0 else " " * len(left)
                widths = [max(map(len, column[:3])) for column in columns]
                cells = [str(column[kind]).ljust(width) for column, width in zip(columns, widths, strict=True)]
                rows.append(f"{start} {'+' if i else '='} {' · '.join(cells)}".rstrip())
                if kind == 0:
                    marks = _marks(widths, [column[3] for column in columns])
                    rows += [f"{' ' * len(left)}   {marks}"] if marks else []
        return rows


def _is_one_factor(derivation: Derivation) -> bool:
    """Whether the first row would say ∂L/∂w = ∂L/∂w."""
    return derivation.paths is not None and [len(path) for path in derivation.paths] == [1]


def _factors(printer: Printer, path: Sequence[Factor], what: str, first: bool) -> list[str]:
    """The factors of a path, of the first path or of one that is added to it, as `what`: formula or value."""
    terms = [getattr(f, what) for f in path]
    if len(terms) == 1:
        return [printer.summand(terms[0], first)]
    return [printer.factor(term, first and i == 0) for i, term in enumerate(terms)]


def _sum(printer: Printer, products: Sequence[float]) -> str:
    return " + ".join(printer.summand(x, i == 0) for i, x in enumerate(products))


def _marks(widths: Sequence[int], reused: Sequence[bool]) -> str:
    """A brace beneath each run of reused columns."""
    line = ""
    position = 0
    for first, last in _runs(reused):
        start = sum(widths[:first]) + 3 * first
        width = sum(widths[first : last + 1]) + 3 * (last - first)
        mark = f" {REUSE} ".center(width - 2, "─") if width >= len(REUSE) + 4 else "─" * max(width - 2, 0)
        brace = f"└{mark}┘" if width >= len(REUSE) + 4 else f"└{mark}┘ {REUSE}"
        line = line.ljust(max(start, position)) + brace
        position = len(line) + 1
    return line


def _runs(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """The first and last positions of each run of True."""
    starts = [i for i, flag in enumerate(flags) if flag and not (i and flags[i - 1])]
    ends = [i for i, flag in enumerate(flags) if flag and not (i + 1 < len(flags) and flags[i + 1])]
    return list(zip(starts, ends, strict=True))


def _block(rows: Sequence[str], gap: str = "6pt") -> str:
    """Rows of LaTeX that stand beneath one another at their &."""
    return "\\begin{aligned}\n" + f" \\\\[{gap}]\n".join(rows) + "\n\\end{aligned}"


class _Latex:
    """Rows of `aligned` environments; of a derivation with the factors in columns."""

    def __init__(self, printer: Printer, output: Symbol):
        self.print = printer
        self.output = output

    def definition(self, definition: Any) -> str:
        name, formula = self.print.name(definition.node), self.print(definition.formula)
        return f"{name} &= {formula} = {self.print.value(definition.value)}"

    def derivation(self, derivation: Derivation) -> str:
        left = self.partial(self.output, derivation.wrt)
        value = self.print.value(derivation.value)
        if derivation.wrt == self.output or not derivation.paths:
            return f"{left} = {value}"
        if _is_one_factor(derivation):
            rows = [[f"= {self.print(derivation.paths[0][0].formula)}"]]
        else:
            rows = self._sum([self._fractions(path) for path in derivation.paths])
            for what in ("formula", "value"):
                factors = [_factors(self.print, path, what, i == 0) for i, path in enumerate(derivation.paths)]
                rows += self._sum(factors)
        if len(derivation.paths) > 1:
            products = [self.print.summand(x, i == 0) for i, x in enumerate(derivation.products)]
            rows.append([f"= {products[0]}", *[rf"\;+\; {x}" for x in products[1:]]])
        rows.append([f"= {value}"])
        lines = " \\\\\n".join("&" + " && ".join(row) for row in rows)
        return f"\\begin{{alignedat}}{{{max(map(len, rows))}}}\n{left} {lines}\n\\end{{alignedat}}"

    def adjoint(self, adjoint: Adjoint) -> str:
        left = self.partial(self.output, adjoint.node)
        if not adjoint.terms:
            return f"{left} &= {self.print.value(adjoint.value)}"
        outer = [self.partial(self.output, f.child) for f in adjoint.terms]
        pairs = [
            rf"{o} \, {self.partial(f.child, f.parent, f.direct)}" for o, f in zip(outer, adjoint.terms, strict=True)
        ]
        products = [
            rf"{o} \cdot {self.print.factor(f.formula, False)}" for o, f in zip(outer, adjoint.terms, strict=True)
        ]
        value = self.print.value(adjoint.value)
        return f"{left} &= {' + '.join(pairs)} \\\\\n&= {' + '.join(products)} \\\\\n&= {value}"

    def partial(self, of: Symbol, by: Symbol, direct: bool = False) -> str:
        fraction = rf"\frac{{\partial {self.print.name(of)}}}{{\partial {self.print.name(by)}}}"
        return rf"\left.{fraction}\right|_{{\text{{direct}}}}" if direct else fraction

    def _sum(self, paths: list[list[str]]) -> list[list[str]]:
        """A row for each path, its factors in columns."""
        return [
            [f"{'{} +' if i else '='} {first}", *[rf"\;\cdot\; {factor}" for factor in others]]
            for i, (first, *others) in enumerate(paths)
        ]

    def _fractions(self, path: Sequence[Factor]) -> list[str]:
        """∂child/∂parent of each factor; a brace cannot reach over columns, so each that is reused has its own."""
        fractions = [self.partial(f.child, f.parent, f.direct) for f in path]
        reused = r"\underbrace{{{}}}_{{\text{{reuse}}}}"
        return [reused.format(x) if f.reused else x for x, f in zip(fractions, path, strict=True)]
