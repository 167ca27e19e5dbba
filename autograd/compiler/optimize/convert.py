"""Stage 2, simplify: a graph of Values becomes a compact graph of machine operations, folded, merged and pruned.

Every node goes through `Graph.add`, which computes what is constant, finds what is there already, and applies the
identities of identities.py.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd import primitives
from autograd.compiler.arguments import HasValues
from autograd.compiler.optimize.graph import LONG, UNIFORM, Graph, Node
from autograd.compiler.optimize.identities import RULES, is_finite
from autograd.compiler.optimize.lowering import apply, is_index, is_long, take
from autograd.compiler.trace.calls import Trace, Traced
from autograd.compiler.trace.lanes import StackedResult
from autograd.derivatives import GATED
from autograd.scalars import is_array
from autograd.transforms.tree import flatten
from autograd.value import Value


class Verdict(NamedTuple):
    """Whether one thing that compiled code takes for granted held.

    Attributes:
        kind: "guard", "lanes" (every lane took a known path), "check" (every index of a take was legal) or "range"
            (integers stayed in their bounds).
        which: of a guard its number in the trace, of lanes their region.
        node: of a guard 1 if it held, else 0; of the others the first lane that failed, inf if none did (outside of a
            vmap 0 if it failed).
    """

    kind: str
    which: int
    node: Node


class Program(NamedTuple):
    """A traced function as a compact graph.

    Attributes:
        graph: its nodes.
        outputs: the numbers that it returns.
        stacks: the results that it returns for every lane: the nodes of a row, and the region.
        verdicts: what was taken for granted.
        trouble: 0 if all of that held.
        captured: the leaves that the function did not get as arguments; they are the last of the inputs.
        inputs: how many numbers go in.
        traced: how many Values were traced.
        watched: whether the call has to be repeated by exact code if a result is NaN (see gates.py).
    """

    graph: Graph
    outputs: list[Node]
    stacks: list[tuple[Sequence[Node], int]]
    verdicts: list[Verdict]
    trouble: Node
    captured: list[Value]
    inputs: int
    traced: int
    watched: bool = False

    @property
    def by_lane(self) -> list[tuple[Node, int]]:
        """Each number that is returned for every lane, and its region."""
        return [(node, region) for row, region in self.stacks for node in row]


def simplify(
    traced: Traced, graph: Graph | None = None, captured: Sequence[Value] = (), exact: bool = False
) -> Program:
    """The traced function as a compact graph.

    Args:
        traced: from trace.
        graph: add to this one, in which the same paths of a function share what they have in common.
        captured: leaves that have a place among the inputs already, after the arguments.
        exact: whether gates become selections, and long sums additions, at once.

    Example:
        >>> from autograd.compiler.trace.calls import trace
        >>> program = simplify(trace(lambda x: (x * 1.0 + x * 1.0) * (2.0 * 3.0), [5.0]))
        >>> [program.graph.ops[node] for node in program.graph.needed(program.outputs)]
        ['input', 'fadd', 'const', 'fmul']
    """
    graph = Graph(RULES) if graph is None else graph
    conversion = _Conversion(graph, traced.trace, captured, exact)
    outputs: list[Node] = []
    stacks: list[tuple[Sequence[Node], int]] = []
    for x in flatten(traced.result, is_array)[0]:
        if type(x) is StackedResult:
            number = x.region.number
            stacks.append(([_of(graph, number, conversion.node(lane)) for lane in x.lanes], number))
        else:
            outputs += [_of(graph, UNIFORM, conversion.node(v)) for v in flatten(x)[0] if isinstance(v, Value)]
    for choice in traced.trace.choices:
        conversion.node(choice)
    verdicts = []
    for i, guard in enumerate(traced.trace.guards):
        node = _of(graph, UNIFORM, conversion.node(guard.condition))
        verdicts.append(Verdict("guard", i, node if guard.taken else graph.add("not", (node,))))
    for region in traced.trace.regions:
        if region.valid is not None:
            verdicts.append(
                Verdict("lanes", region.number, _first_failure(graph, conversion.node(region.valid), region.number))
            )
    verdicts += [Verdict("check", 0, _first_failure(graph, x, graph.regions[x])) for x in conversion.checks]
    verdicts += _ranges(graph, conversion, traced.trace)
    verdicts = [v for v in verdicts if not graph.is_constant(v.node)]
    held = [
        v.node if v.kind == "guard" else graph.add("fcmp oeq", (v.node, graph.constant(math.inf))) for v in verdicts
    ]
    if len(traced.trace.regions) > 1:
        for user, lanes in enumerate(graph.regions):
            for x in graph.operands(user) if lanes != UNIFORM else ():
                _of(graph, lanes, x)
    all_held = functools.reduce(lambda x, y: graph.add("and", (x, y)), held, graph.constant(1.0))
    trouble = graph.add("not", (all_held,))
    captured = conversion.captured
    inputs = traced.trace.slots + len(captured)
    conversion.lanes.clear()  # they lead back to it
    return Program(graph, outputs, stacks, verdicts, trouble, captured, inputs, len(conversion.nodes))


def _of(graph: Graph, region: int, node: Node) -> Node:
    """The node, if it is one of these lanes or the same for all; TypeError if f carried it out of another vmap."""
    if graph.regions[node] not in (UNIFORM, region):
        raise TypeError(
            "jit: a number computed by a function under vmap is used outside of it, where it is unclear which example "
            "it belongs to: return it from the mapped function"
        )
    return node


def _ranges(graph: Graph, conversion: "_Conversion", trace: Trace) -> list[Verdict]:
    """Verdicts on the integers that are needed, together for those of one region."""
    found: dict[int, Node] = {}
    for value, low, high in trace.ranges:
        if value in conversion.nodes:
            x = conversion.nodes[value]
            above, below = (graph.constant(low), x), (x, graph.constant(high))
            _join(graph, found, graph.add("and", (graph.add("fcmp ole", above), graph.add("fcmp ole", below))))
    required: dict[int, Node] = {}
    for condition in trace.requirements:
        _join(graph, required, conversion.node(condition))
    return [
        Verdict(kind, region, _first_failure(graph, held, region))
        for kind, each in (("range", found), ("check", required))
        for region, held in each.items()
    ]


def _join(graph: Graph, found: dict[int, Node], condition: Node) -> None:
    region = graph.regions[condition]
    found[region] = graph.add("and", (found[region], condition)) if region in found else condition


def _first_failure(graph: Graph, valid: Node, region: int) -> Node:
    """The first lane in which a condition does not hold; inf if it holds in all."""
    lane = graph.constant(0.0) if region == UNIFORM else graph.source("lane_index", region=region)
    failure = graph.add("select", (valid, graph.constant(math.inf), lane))
    return failure if graph.regions[failure] == UNIFORM else graph.reduce("lane_min", failure)


def runs_by_table(graph: Graph, lefts: Sequence[Node], rights: Sequence[Node]) -> bool:
    """Whether these are the factors of a long sum of products of one kind: all of two numbers of the lanes, or all of
    one and of one that is the same for all lanes."""
    if len(lefts) < LONG:
        return False
    uniform = [x == UNIFORM for x in map(graph.regions.__getitem__, lefts)]
    return {a + (graph.regions[y] == UNIFORM) for a, y in zip(uniform, rights, strict=True)} in ({0}, {1})


class _Conversion:
    """From Values to nodes, each Value once."""

    def __init__(self, graph: Graph, trace: Trace, captured: Sequence[Value], exact: bool):
        self.graph = graph
        self.trace = trace
        self.exact = exact
        self.captured = list(captured)
        self.nodes = {leaf: graph.source("input", trace.slots + i) for i, leaf in enumerate(captured)}
        self.checks: list[Node] = []
        self.lanes: dict[primitives.Primitive, Any] = {}
        for region in trace.regions:
            self.lanes[region.broadcast] = lambda x: x
            count = self._leaf(region.count)
            self.lanes[region.total] = functools.partial(self._total, region.number, count)
            self.lanes[region.total_of_gated] = functools.partial(self._total_of_gated, region.number, count)

    def _total(self, region: int, count: Node, x: Node) -> Node:
        graph = self.graph
        _of(graph, region, x)
        if graph.regions[x] == UNIFORM:
            return graph.add("fadd", (graph.constant(0.0), graph.add("fmul", (count, x))))  # as a sum: not -0.0
        return graph.reduce("lane_sum", x)

    def _total_of_gated(self, region: int, count: Node, *args: Node) -> Node:
        """Of one product, as of a weight, it is one node, with the factors and the condition."""
        graph = self.graph
        if len(args) == 3 and not self.exact:
            x, y, flows = args
            varies = graph.regions[x] or graph.regions[y]
            if varies == region and not graph.is_constant(flows) and not is_finite(graph, y):
                return graph.reduce("lane_sum", *args)
        return self._total(region, count, self._gated(*args))

    def node(self, root: Value) -> Node:
        """The node of a Value; first, without recursion, those of everything it was computed from."""
        nodes = self.nodes
        stack: list[Any] = [root]
        while stack:
            value = stack.pop()
            if value.__class__ is tuple:  # its operands are known
                value, op, operands = value
                nodes[value] = self._operation(op, operands)
            elif value not in nodes:
                op = value.op
                if op is None:
                    nodes[value] = self._leaf(value)
                    continue
                operands = (value._a, value._b) if op.arity == 2 else (value._a,) if op.arity == 1 else value._a
                stack.append((value, op, operands))
                stack += [x for x in reversed(operands) if x.__class__ is not float and x not in nodes]
        return nodes[root]

    @functools.cached_property
    def _true_and_nothing(self) -> tuple[Node, Node]:
        """1.0, and -0.0, which changes no other number by being added."""
        return self.graph.constant(1.0), self.graph.constant(-0.0)

    def _dot(self, start: Node, lefts: Sequence[Node], rights: Sequence[Node]) -> Node:
        """start + left · right + ..., in order; one node if it will run by table."""
        graph = self.graph
        if not self.exact and runs_by_table(graph, lefts, rights):
            return graph.add("dot", (start, *lefts, *rights))
        products = (graph.add("fmul", pair) for pair in zip(lefts, rights, strict=True))  # each added once it is there
        return functools.reduce(lambda x, y: graph.add("fadd", (x, y)), products, start)

    def _gated(self, *args: Node) -> Node:
        """Products of the chain rule, 0 where none flows, added up: by themselves if the partial is finite, since there
        the adjoint is 0."""
        graph, n, (true, nothing) = self.graph, len(args) // 3, self._true_and_nothing
        adjoints, partials, flows = args[:n], args[n : 2 * n], args[2 * n :]
        flows = tuple([true if is_finite(graph, y) else c for c, y in zip(flows, partials, strict=True)])
        if set(flows) == {true}:
            return self._dot(nothing, adjoints, partials)
        if not self.exact and (n == 1 or runs_by_table(graph, adjoints, partials)):
            return graph.add("gated", adjoints + partials + flows)
        products = map(self._gate, adjoints, partials, flows)
        return functools.reduce(lambda x, y: graph.add("fadd", (x, y)), products)

    def _gate(self, x: Node, y: Node, flows: Node) -> Node:
        if not self.exact:
            return self.graph.add("gated", (x, y, flows))
        return self.graph.add("select", (flows, self.graph.add("fmul", (x, y)), self.graph.constant(0.0)))

    def _leaf(self, value: Value) -> Node:
        source = self.trace.sources.get(value)
        if source is not None:
            op, args, region = source
            return self.graph.source(op, *args, region=region)
        if value in self.trace.made:
            return self.graph.constant(value._data)
        if value._a is not None:  # the variable of a transform around the call, which wants its derivative
            raise HasValues
        self.captured.append(value)
        return self.graph.source("input", self.trace.slots + len(self.captured) - 1)

    def _operation(self, op: Any, operands: Sequence[Any]) -> Node:
        nodes, constant = self.nodes, self.graph.constant
        args = tuple([constant(x) if x.__class__ is float else nodes[x] for x in operands])
        if op.lower.__class__ is str and op is not primitives.take:
            return self.graph.add(op.lower, args)
        if op in self.lanes:
            return self.lanes[op](*args)
        if op is primitives.identity:
            return args[0]
        if op is GATED:
            return self._gated(*args)
        if op is primitives.dot:
            n = len(args) // 2 + 1
            return self._dot(args[0], args[1:n], args[n:])
        if op is primitives.take:
            self.checks.append(is_index(self.graph, args[0], len(args) - 1))
            return take(self.graph, *args)
        result = apply(self.graph, op, args)
        if len(args) == 1 and self.graph.regions[args[0]] != UNIFORM and is_long(op):
            self.graph.functions[result] = op.name, args[0]
        return result
