"""The compact graph of machine operations that simplify makes of Values, and lower turns into LLVM IR."""

import math
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from autograd.compiler.optimize.operations import COMMUTATIVE, FORWARD

Node = int  # a position in the lists of a Graph
Nodes = Sequence[Node]
Rule = Callable[..., Node | None]  # of a graph and operands: an equal node, or None
UNIFORM = 0  # the region of what is the same for all lanes; the lanes of the r-th vmap are region r = 1, 2, ...
REDUCTIONS = {"lane_sum": 0.0, "lane_min": math.inf}  # over the lanes of a region, with what they start from
LONG = 12  # products from which a sum runs by table: `adbench` and `widths` in benchmarks/jit.py
SOURCES = frozenset({"const", "input", "lane_input", "lane_index"})


class Graph:
    """A compact expression graph: parallel lists, operands before results.

    Args:
        rules: identities that `add` applies, by the operation (see identities.py).

    Attributes:
        ops: for each node an LLVM instruction, an intrinsic, a function of the C library, "dot" (a long sum: its start,
            left and right factors), "gated" (left and right factors, conditions; see gates.py), a reduction (of a
            node, of the product of two, or of one that is gated), or a source: "const" (its float), "input" (its
            position), "lane_input" (array, element), "lane_index".
        args: for each node its operands, as positions; for a source what is given in parentheses above.
        regions: for each node UNIFORM, or the number of the vmap whose lanes it varies over.
        functions: nodes that were written out, but may be computed by table: the primitive and its operand.

    Example:
        >>> from autograd.compiler.optimize.identities import RULES
        >>> graph = Graph(RULES)
        >>> x = graph.source("input", 0)
        >>> two = graph.constant(2.0)
        >>> graph.add("fmul", (x, two)) == graph.add("fmul", (two, x))
        True
        >>> graph.add("fdiv", (x, graph.constant(1.0))) == x
        True
    """

    def __init__(self, rules: Mapping[str, Rule] = MappingProxyType({})):
        self.rules = rules
        self.ops: list[str] = []
        self.args: list[tuple[Any, ...]] = []
        self.regions: list[int] = []
        self.functions: dict[Node, tuple[str, Node]] = {}
        self._known: dict[tuple[Any, ...], Node] = {}

    def __len__(self) -> int:
        return len(self.ops)

    def copy(self) -> "Graph":
        """One that can be added to without changing this one."""
        new = Graph(self.rules)
        new.ops, new.args, new.regions = self.ops.copy(), self.args.copy(), self.regions.copy()
        new.functions, new._known = self.functions.copy(), self._known.copy()
        return new

    def source(self, op: str, *args: Any, region: int = UNIFORM) -> Node:
        """A node without operands; the same one for the same description."""
        return self._node((op, *args, region), op, args, region)

    def constant(self, x: float) -> Node:
        """A number. 0.0 and -0.0 are two; all NaNs are one."""
        return self._node(("const", struct.pack("d", math.nan if x != x else x)), "const", (x,), UNIFORM)

    def is_constant(self, node: Node) -> bool:
        return self.ops[node] == "const"

    def value_of(self, node: Node) -> float | None:
        """The number of a constant, None for anything else."""
        return self.args[node][0] if self.ops[node] == "const" else None

    def add(self, op: str, args: tuple[Node, ...]) -> Node:
        """The node that computes op of the operands, by whatever is cheapest and exactly equal. A hot path: see
        `scaling` in benchmarks/jit.py."""
        ops = self.ops
        if ops[args[0]] == "const" and op in FORWARD and all(ops[x] == "const" for x in args):
            return self.constant(FORWARD[op](*[self.args[x][0] for x in args]))
        rule = self.rules.get(op)
        if rule is not None:
            simpler = rule(self, *args)
            if simpler is not None:
                return simpler
            if op in COMMUTATIVE and args[0] > args[1]:
                args = (args[1], args[0])
        node = self._known.get((op, args))
        if node is None:
            node = self._node((op, args), op, args, max([self.regions[x] for x in args]))
        return node

    def reduce(self, op: str, *args: Node) -> Node:
        """A reduction over all lanes, which is one number: of a node, or of what its factors give."""
        return self._node((op, args), op, args, UNIFORM)

    def _node(self, key: tuple[Any, ...], op: str, args: tuple[Any, ...], region: int) -> Node:
        node = self._known.setdefault(key, len(self.ops))
        if node == len(self.ops):
            self.ops.append(op)
            self.args.append(args)
            self.regions.append(region)
        return node

    def operands(self, node: Node) -> Sequence[Node]:
        """The positions that a node reads; none for a source."""
        return () if self.ops[node] in SOURCES else self.args[node]

    def needed(
        self, outputs: Iterable[Node], whole: Mapping[Node, tuple[str, Node]] = MappingProxyType({})
    ) -> list[Node]:
        """Dead code elimination: only what the outputs need, operands before results.

        Args:
            whole: functions that are not to be written out.
        """
        ops, args = self.ops, self.args
        wanted = set(outputs)
        for node in range(max(wanted, default=-1), -1, -1):
            if node in wanted and ops[node] not in SOURCES:
                wanted.update(whole[node][1:] if node in whole else args[node])
        return sorted(wanted)

    def operations(self, nodes: Iterable[Node]) -> Counter[str]:
        """How often each operation occurs among these nodes; a long sum consists of many."""
        found: Counter[str] = Counter()
        for node in nodes:
            op, count = self.ops[node], len(self.args[node])
            if op in ("dot", "gated"):
                products = count // 2 if op == "dot" else count // 3
                found.update({"fmul": products, "fadd": products, "select": products * (op == "gated")})
            else:
                found[op] += 1
                found["fmul"] += op == "lane_sum" and count > 1
        return +found
