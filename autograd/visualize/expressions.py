"""Formulas as people write them: terms made of nodes of a graph, lightly tidied, and printed as text or as LaTeX."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograd import primitives as p
from autograd.graph import topological_order
from autograd.primitives import CALL, NEGATION, POWER, PRODUCT, SUM, Primitive
from autograd.value import Value
from autograd.visualize.latex_names import latex_name
from autograd.visualize.names import signs

LARGEST = 40  # symbols and operations in a formula, chosen so that it can still be read; what is larger prints as …
LONGEST_SUM = 8  # terms; of more, those in the middle print as …


@dataclass(frozen=True)
class Symbol:
    """A name in a formula."""

    name: str
    size: int = field(default=1, init=False, compare=False)


@dataclass(frozen=True)
class Applied:
    """A primitive applied to terms."""

    op: Primitive
    args: "tuple[Term, ...]"

    @property
    def size(self) -> int:
        return 1 + sum(map(size_of, self.args))


Term = float | Symbol | Applied
ELLIPSIS = Symbol("…")


def size_of(term: Term) -> int:
    return 1 if isinstance(term, float) else term.size


def term_of(node: Any, symbols: Mapping[Value, Symbol], definitions: Mapping[Term, Symbol] | None = None) -> Term:
    """A node, or a number, as a formula in terms of the symbols.

    Args:
        node: a Value, or a number.
        symbols: the names of Values; their operands are not looked at.
        definitions: names of formulas: where one occurs, its name is written.
    """
    if isinstance(node, Value):
        term = symbols[node] if node in symbols else definition_of(node, symbols)
        return _with_names(term, definitions) if definitions else term
    return float(node)


def definition_of(node: Value, symbols: Mapping[Value, Symbol]) -> Term:
    """The formula that a node was computed by, in terms of the symbols; it may be one of them."""
    terms: dict[Value, Term] = {}
    for x in topological_order([node], lambda x: () if x in symbols and x is not node else x.parents):
        if x in symbols and x is not node:
            terms[x] = symbols[x]
        elif x.op is None:
            terms[x] = x.data
        else:
            args = tuple([terms[y] if isinstance(y, Value) else y for y in x.operands])
            terms[x] = _short(tidy(x.op, args))
    return terms[node]


def _short(term: Term) -> Term:
    return term if size_of(term) <= LARGEST else ELLIPSIS


def _with_names(term: Term, definitions: Mapping[Term, Symbol]) -> Term:
    if isinstance(term, Applied):
        term = Applied(term.op, tuple([_with_names(arg, definitions) for arg in term.args]))
    return definitions.get(term, term)


# --- tidying: 1·x, x^1 and 0 + x say nothing; the two identities are those that every textbook writes ---------------


def tidy(op: Primitive, args: tuple[Term, ...]) -> Term:
    """op applied to args, in the form that a person would write."""
    rule = _RULES.get(op)
    tidied = rule(*args) if rule else None
    return Applied(op, args) if tidied is None else tidied


def _add(x: Term, y: Term) -> Term | None:
    if isinstance(x, float) and isinstance(y, float):
        return x + y
    if x == 0.0 or y == 0.0:
        return y if x == 0.0 else x
    if x == y:
        return product(2.0, x)
    match x:
        case Applied(p.add, (first, again)) if again == y:
            return tidy(p.add, (first, product(2.0, y)))
    opposite = _negated(y)
    return tidy(p.sub, (x, opposite)) if opposite is not None else None


def _sub(x: Term, y: Term) -> Term | None:
    if isinstance(x, float) and isinstance(y, float):
        return x - y
    if y == 0.0:
        return x
    if x == 0.0:
        return negative(y)
    opposite = _negated(y)
    return Applied(p.add, (x, opposite)) if opposite is not None else None


def _mul(x: Term, y: Term) -> Term | None:
    if isinstance(x, float) and isinstance(y, float):
        return x * y
    if isinstance(y, float):
        return product(y, x)
    if isinstance(x, float) and x in (0.0, 1.0, -1.0):
        return 0.0 if x == 0.0 else y if x == 1.0 else negative(y)
    for one, other in ((x, y), (y, x)):
        opposite = None if isinstance(one, float) else _negated(one)
        if opposite is not None:
            return negative(product(opposite, other) if one is x else product(other, opposite))
    match x, y:
        case float(), Applied(p.mul, (float(factor), rest)):
            return product(x * factor, rest)
    return None


def _div(x: Term, y: Term) -> Term | None:
    if isinstance(x, float) and isinstance(y, float) and y != 0.0:
        return x / y
    if y == 1.0:
        return x
    opposite = _negated(x)
    if opposite is not None:
        return negative(tidy(p.div, (opposite, y)))
    match x:
        case Applied(p.div, (above, below)):
            squared = _squared(y)
            return Applied(p.div, (above, squared if below == y else product(below, y)))
    return None


def _squared(x: Term) -> Term:
    match x:
        case float():
            return x * x
        case Applied(p.hypot, (a, b)):
            return tidy(p.add, (_squared(a), _squared(b)))
    return Applied(p.pow, (x, 2.0))


def _pow(x: Term, y: Term) -> Term | None:
    return x if y == 1.0 else 1.0 if y == 0.0 else None


def _sigmoid(x: Term) -> Term | None:
    """σ(-x) = 1 - σ(x), unless x is a number."""
    opposite = None if isinstance(x, float) else _negated(x)
    return Applied(p.sub, (1.0, Applied(p.sigmoid, (opposite,)))) if opposite is not None else None


def _cbrt_slope(x: Term) -> Term:
    return tidy(p.div, (1.0, product(3.0, _squared(tidy(p.cbrt, (x,))))))


def _sech_squared(x: Term) -> Term:
    """1 - tanh² x; what the table says keeps its digits, this is what people know."""
    return Applied(p.sub, (1.0, Applied(p.pow, (Applied(p.tanh, (x,)), 2.0))))


def _sigmoid_slope(x: Term) -> Term:
    """σ(x) (1 - σ(x))."""
    share = tidy(p.sigmoid, (x,))
    return product(share, tidy(p.sub, (1.0, share)))


def _one_minus_square(x: Term) -> Term:
    return tidy(p.sub, (1.0, _squared(x)))


def _gaussian(x: Term) -> Term:
    return tidy(p.exp, (negative(tidy(p.div, (_squared(x), 2.0))),))


def _sum(*xs: Term) -> Term:
    return _nested(p.add, xs, 0.0)


def _dot(bias: Term, *terms: Term) -> Term:
    n = len(terms) // 2
    products = [product(w, x) for w, x in zip(terms[:n], terms[n:], strict=True)]
    return _nested(p.add, (*products, bias), 0.0)


def _prod(*xs: Term) -> Term:
    return _nested(p.mul, xs, 1.0)


def _nested(op: Primitive, xs: tuple[Term, ...], neutral: float) -> Term:
    """xs joined by a binary operation, those in the middle of many as an ellipsis."""
    if len(xs) > LONGEST_SUM:
        xs = (*xs[:2], ELLIPSIS, xs[-1])
    result: Term = neutral
    for x in xs:
        result = tidy(op, (result, x))
    return result


def product(x: Term, y: Term) -> Term:
    return tidy(p.mul, (x, y))


def negative(x: Term) -> Term:
    opposite = _negated(x)
    return Applied(p.neg, (x,)) if opposite is None else opposite


def _negated(x: Term) -> Term | None:
    """What x is the negative of, if it is written with a minus."""
    match x:
        case float():
            return -x if x < 0 else None
        case Applied(p.neg, (y,)):
            return y
        case Applied(p.mul, (float(factor), y)) if factor < 0:
            return product(-factor, y)
    return None


_RULES: dict[Primitive, Callable[..., Term | None]] = {
    p.add: _add, p.sub: _sub, p.mul: _mul, p.div: _div, p.pow: _pow, p.sigmoid: _sigmoid,
    p.cbrt_slope: _cbrt_slope, p.sech_squared: _sech_squared, p.sigmoid_slope: _sigmoid_slope,
    p.one_minus_square: _one_minus_square,
    p.gaussian: _gaussian, p.direction: lambda t, s: t,  # where t² + s = 1
    p.neg: lambda x: -x if isinstance(x, float) else negative(x),
    p.detach: lambda x: x, p.square: lambda x: Applied(p.pow, (x, 2.0)), p.sum: _sum, p.dot: _dot, p.prod: _prod,
}  # fmt: skip

# --- printing -------------------------------------------------------------------------------------------------------

_TEXT = {
    p.add: "{0} + {1}", p.sub: "{0} − {1}", p.mul: "{0}·{1}", p.div: "{0}/{1}", p.neg: "−{0}",
    p.pow: "{0}^{1}", p.abs: "|{0}|", p.norm: "‖{0}‖",
}  # fmt: skip
_EXPONENTS: dict[Term, str] = {float(i): "⁰¹²³⁴⁵⁶⁷⁸⁹"[i] for i in range(10)}
ANY = 0  # precedence of what needs parentheses in any operation
_AMBIGUOUS = re.compile(r"[\s+\-−·*/^=<>]")


@dataclass(frozen=True)
class Printer:
    """Writes terms, with parentheses where they are needed; `latex` or text.

    Args:
        number: writes a number.
        latex: whether as LaTeX.
        names: the LaTeX for symbols by name; what is not there is written by itself, see latex_name.

    Example:
        >>> x, y = Symbol("x"), Symbol("y1")
        >>> squared = Applied(p.pow, (Applied(p.sub, (x, y)), 2.0))
        >>> Printer("{:.4g}".format)(squared)
        '(x − y1)²'
        >>> print(Printer("{:.4g}".format, latex=True)(squared))
        {\\left(x - y_{1}\\right)}^{2}
    """

    number: Callable[[float], str]
    latex: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, term: Term, loosest: int = ANY) -> str:
        """The term, in parentheses if its precedence is below the loosest that may stand here."""
        written = self._term(term)
        return self.parenthesized(written) if self.precedence(term) < loosest else written

    def summand(self, term: Term, first: bool) -> str:
        """The term as one of several that are added up."""
        return self(term, SUM if first or self.precedence(term) != NEGATION else CALL)

    def factor(self, term: Term, first: bool) -> str:
        """The term as one of several factors."""
        return self(term, PRODUCT if first or self.precedence(term) != NEGATION else CALL)

    def parenthesized(self, written: str) -> str:
        return rf"\left({written}\right)" if self.latex else f"({written})"

    def precedence(self, term: Term) -> int:
        if isinstance(term, float):
            return NEGATION if signs(self.number(term)).startswith("−") else CALL
        if isinstance(term, Symbol):
            return ANY if _AMBIGUOUS.search(term.name) else CALL
        if self.latex and term.op in (p.exp, p.exp2) and not self._by_name(term.op):
            return POWER  # as the base of another power
        if term.op is p.mul and self.precedence(term.args[0]) == NEGATION:
            return NEGATION
        if term.op.precedence == SUM and term.op not in (p.add, p.sub):
            return ANY  # comparisons
        return term.op.precedence

    def name(self, symbol: Symbol) -> str:
        return (self.names.get(symbol.name) or latex_name(symbol.name)) if self.latex else symbol.name

    def _by_name(self, op: Primitive) -> bool:
        """Whether exp(x) is written so, and not e^x, because e is the name of a Value."""
        return op is p.exp and "e" in self.names.values()

    def value(self, x: float) -> str:
        """A number; in LaTeX with a power of ten for an exponent."""
        written = signs(self.number(x or 0.0))  # not -0
        if not self.latex:
            return written
        written = written.replace("−", "-").replace("∞", r"\infty").replace("nan", r"\mathrm{nan}")
        mantissa, e, exponent = written.partition("e")
        return rf"{mantissa}\times 10^{{{int(exponent)}}}" if e and exponent.lstrip("+-").isdigit() else written

    def _term(self, term: Term) -> str:
        if isinstance(term, float):
            return self.value(term)
        if isinstance(term, Symbol):
            return (r"\dots" if self.latex else "…") if term is ELLIPSIS else self.name(term)
        op, args = term.op, term.args
        written = [self(arg, self._loosest(op, i, arg)) for i, arg in enumerate(args)]
        if op is p.pow and not self.latex and args[1] in _EXPONENTS:
            return written[0] + _EXPONENTS[args[1]]
        if op.arity is None:
            written = [", ".join(written)]
        return self._template(op, len(written)).format(*written)

    def _loosest(self, op: Primitive, position: int, arg: Term) -> int:
        """The loosest precedence that may stand as this operand without parentheses."""
        if op.precedence == CALL or (self.latex and (op is p.div or (op is p.pow and position == 1))):
            return ANY
        if op is p.neg:
            return PRODUCT
        if op is p.pow or (position == 1 and self.precedence(arg) == NEGATION):
            return CALL
        return op.precedence + (position == 1 and op in (p.sub, p.div))

    def _template(self, op: Primitive, count: int) -> str:
        operands = ", ".join(f"{{{i}}}" for i in range(count))
        if self.latex and self._by_name(op):
            return r"\exp({0})"
        if self.latex:
            return op.latex or latex_name(op.name).replace("{", "{{").replace("}", "}}") + f"({operands})"
        if op in _TEXT:
            return _TEXT[op]
        if op.precedence == SUM and op.arity == 2:
            return f"{{0}} {op.symbol} {{1}}"
        return f"{op.symbol}({operands})"
