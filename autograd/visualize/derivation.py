"""The chain rule on a graph: its local derivatives between named nodes, the paths between them, and their sums."""

import functools
import operator
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograd.derivatives import pullback, recorded_partials, symbolic_partials
from autograd.graph import differentiable_parents, topological_order
from autograd.primitives import CALL
from autograd.value import Value
from autograd.visualize.expressions import Symbol, Term, definition_of, term_of
from autograd.visualize.names import Names, distinct_names

# Chosen so that a derivation can still be read.
LARGEST_INLINE = 16  # nodes without a name that are written into the formula of the next one
MOST_PATHS = 8
MOST_FACTORS = 40


@dataclass(frozen=True)
class Factor:
    """A local derivative ∂child/∂parent, as a formula and as a number.

    Attributes:
        reused: whether an earlier derivation has it, too.
        direct: whether it is only a part of ∂child/∂parent, because the parent also enters the child on other ways.
    """

    child: Symbol
    parent: Symbol
    formula: Term
    value: float
    reused: bool = False
    direct: bool = False


@dataclass(frozen=True)
class Derivation:
    """∂output/∂wrt: a sum over paths of products of factors, or, if the paths are too many, the recursion's result.

    Attributes:
        wrt: the name.
        paths: for each path its factors, the output's first; None if they are too many to write down.
        products: the number that each path gives.
        value: their sum.
    """

    wrt: Symbol
    paths: list[list[Factor]] | None
    products: list[float]
    value: float


@dataclass(frozen=True)
class Adjoint:
    """One step of the recursion ∂L/∂v = Σ ∂L/∂child · ∂child/∂v."""

    node: Symbol
    terms: list[Factor]
    value: float


@dataclass(frozen=True)
class Definition:
    """How a named node was computed."""

    node: Symbol
    formula: Term
    value: float


class Analysis:
    """The graph behind an output, cut at its named nodes: what stands between two of them is one local derivative.

    A node without a name is written into the formula it is used in; where it is used twice, or the formula would grow
    long, it is called v1, v2, ...
    """

    def __init__(self, output: Value, wrt: Iterable[Value], names: Names):
        self.output = output
        order = topological_order([output])
        self.wrt = list(dict.fromkeys(wrt))
        names.of.setdefault(output, "out")
        named = _cuts(order, names, {output, *self.wrt})
        self.symbols = {x: Symbol(name) for x, name in distinct_names([*named, *self.wrt], names).items()}
        self.nodes = {symbol: x for x, symbol in self.symbols.items()}
        self.on_the_way = self._on_the_way(named)
        on_the_way = set(self.on_the_way)
        self.parents = {child: self._named_parents(child, on_the_way) for child in self.on_the_way}
        self._factors: dict[Value, dict[Value, Factor]] = {}
        self._descendants: dict[Value, set[Value]] = {}

    def definitions(self, most: int) -> list[Definition]:
        """What the named nodes on the way from wrt to the output are, and those that their formulas are made of, in the
        order of the forward pass."""
        nodes = _ends([x for x in topological_order(self.on_the_way) if x in self.symbols and x.op is not None], most)
        return [Definition(self.symbols[x], definition_of(x, self.symbols), x.data) for x in nodes]

    def factors(self, child: Value) -> dict[Value, Factor]:
        """The derivatives of a named node by the named nodes that its formula is made of."""
        if child not in self._factors:
            self._factors[child] = self._local_derivatives(child)
        return self._factors[child]

    def derivations(self) -> list[Derivation]:
        """One for each of wrt, in the order of the backward pass; factors that an earlier one gave are `reused`."""
        last_use = {parent: i for i, child in enumerate(self.on_the_way) for parent in self.parents[child]}
        given: set[Any] = set()
        found = []
        for wrt in sorted(self.wrt, key=lambda x: -last_use.get(x, -1)):  # what is used late is reached early
            derivation = self._derivation(wrt, given)
            given |= {(f.child, f.parent) for path in derivation.paths or () for f in path}
            found.append(derivation)
        return found

    def recursion(self, most: int) -> list[Adjoint]:
        """The adjoints of the named nodes on the way, in the order of the backward pass; of many the first and last."""
        adjoints = self._adjoints
        children: dict[Value, list[Value]] = {node: [] for node in self.on_the_way}
        for child in reversed(self.on_the_way):
            for parent in self.parents[child]:
                children[parent].append(child)
        return [
            Adjoint(self.symbols[x], [self._marked(self.factors(c)[x], set()) for c in children[x]], adjoints[x])
            for x in _ends(self.on_the_way[::-1], most)
        ]

    def _on_the_way(self, named: Sequence[Value]) -> list[Value]:
        """The named nodes that a derivative passes from the output to one of wrt, parents before children."""
        reached = topological_order([self.output], differentiable_parents)
        leading = set(self.wrt)
        for node in reached:
            if not leading.isdisjoint(differentiable_parents(node)):
                leading.add(node)
        leading.intersection_update(reached)
        return [x for x in named if x in leading]

    def _named_parents(self, child: Value, on_the_way: set[Value]) -> list[Value]:
        """The named nodes on the way that a derivative reaches from a named node through nodes without a name."""
        inner = topological_order(
            [child], lambda x: () if x in self.symbols and x is not child else differentiable_parents(x)
        )
        return [x for x in inner if x in on_the_way and x is not child]

    def _local_derivatives(self, child: Value) -> dict[Value, Factor]:
        copies = self._copy_of_formula(child)
        parents = self.parents[child]
        xs = [copies[x] for x in parents]
        symbols = {copies[x]: self.symbols[x] for x in copies if x in self.symbols}
        numbers = pullback([copies[child]], [1.0], xs, recorded_partials)
        own_name: dict[Term, Symbol] = {definition_of(copies[child], symbols): self.symbols[child]}
        try:
            formulas = pullback([copies[child]], [1.0], xs, symbolic_partials)
        except (TypeError, ValueError):  # a user's rule that does not compute with Values: numbers only
            formulas = numbers
        return {
            parent: Factor(self.symbols[child], self.symbols[parent], term_of(formula, symbols, own_name), number)
            for parent, number, formula in zip(parents, numbers, formulas, strict=True)
        }

    def _copy_of_formula(self, child: Value) -> dict[Value, Value]:
        """The part of the graph that belongs to the formula of a named node, copied, with leaves for other names."""
        copies: dict[Value, Value] = {}
        for x in topological_order([child], lambda x: () if x in self.symbols and x is not child else x.parents):
            copies[x] = Value(x.data) if x in self.symbols and x is not child else _copy(x, copies)
        return copies

    def _derivation(self, wrt: Value, given: set[Any]) -> Derivation:
        if wrt is self.output:
            return Derivation(self.symbols[wrt], [], [1.0], 1.0)
        count, length = self._path_counts.get(wrt, (0, 0))
        if count > MOST_PATHS or length > MOST_FACTORS:
            return Derivation(self.symbols[wrt], None, [], self._adjoints[wrt])
        paths = [[self._marked(f, given) for f in path] for path in (self._paths(wrt) if count else ())]
        products = [functools.reduce(operator.mul, [f.value for f in path]) for path in paths]
        return Derivation(self.symbols[wrt], paths, products, functools.reduce(operator.add, products, 0.0))

    def _marked(self, factor: Factor, given: set[Any]) -> Factor:
        child, parent = self.nodes[factor.child], self.nodes[factor.parent]
        if parent not in self._descendants:
            self._descendants[parent] = self._below(parent)
        direct = not (set(self.parents[child]) - {parent}).isdisjoint(self._descendants[parent])
        return replace(factor, reused=(factor.child, factor.parent) in given, direct=direct)

    def _below(self, wrt: Value) -> set[Value]:
        """The nodes that wrt enters, directly or not, and wrt."""
        found = {wrt}
        for node in self.on_the_way:
            if not found.isdisjoint(self.parents[node]):
                found.add(node)
        return found

    @functools.cached_property
    def _path_counts(self) -> dict[Value, tuple[int, int]]:
        """For each node: the number of paths from the output to it, and of the factors on all of them together."""
        counts = {self.output: (1, 0)}
        for child in reversed(self.on_the_way):
            paths, factors = counts.get(child, (0, 0))
            for parent in self.parents[child]:
                before = counts.get(parent, (0, 0))
                counts[parent] = before[0] + paths, before[1] + factors + paths
        return counts

    def _paths(self, wrt: Value) -> list[list[Factor]]:
        """All paths from the output to wrt; called where they are few."""
        below = self._below(wrt)
        found = []
        stack: list[tuple[Value, list[Factor]]] = [(self.output, [])]
        while stack:
            node, path = stack.pop()
            if node is wrt:
                found.append(path)
                continue
            onward = [(parent, [*path, f]) for parent, f in self.factors(node).items() if parent in below]
            stack += reversed(onward)
        return found

    @functools.cached_property
    def _adjoints(self) -> dict[Value, float]:
        numbers = pullback([self.output], [1.0], self.on_the_way, recorded_partials)
        return dict.fromkeys(self.wrt, 0.0) | dict(zip(self.on_the_way, numbers, strict=True))


def _ends(nodes: list[Value], most: int) -> list[Value]:
    """Of many the first and the last."""
    return nodes if len(nodes) <= most else [*nodes[: most // 2], *nodes[-most // 2 :]]


def _cuts(order: Sequence[Value], names: Names, ends: set[Value]) -> list[Value]:
    """The nodes that get a name in the formulas, parents before children."""
    uses = Counter(x for node in order for x in node.parents)
    size: dict[Any, int] = {}
    nesting: dict[Any, int] = {}  # functions within functions
    cuts = []
    for node in order:
        size[node] = 1 + sum(size.get(x, 1) for x in node.operands)
        nesting[node] = max([nesting.get(x, 0) for x in node.operands], default=0)
        nesting[node] += node.op is not None and node.op.precedence == CALL
        too_long = size[node] > LARGEST_INLINE or nesting[node] > 1
        if node in ends or node.op is None or names[node] or uses[node] > 1 or too_long:
            cuts.append(node)
            size[node], nesting[node] = 1, 0
    return cuts


def _copy(node: Value, copies: dict[Value, Value]) -> Value:
    """The same node, with what it recorded, of other operands."""
    copy: Value = object.__new__(Value)
    copy._data, copy.op, copy._da, copy._db = node._data, node.op, node._da, node._db
    copy._a, copy._b = _replaced(node._a, copies), _replaced(node._b, copies)
    return copy


def _replaced(operand: Any, copies: dict[Value, Value]) -> Any:
    if isinstance(operand, tuple):
        return tuple([_replaced(x, copies) for x in operand])
    return copies[operand] if isinstance(operand, Value) else operand
