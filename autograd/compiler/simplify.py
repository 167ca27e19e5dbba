"""Stage 2, simplify: a graph of Values becomes a compact graph of machine operations, folded, merged and pruned.

Every node goes through `Graph.add`, which computes what is constant, finds what is there already, and applies
identities that are exact in IEEE 754: nothing here changes a NaN, an infinity or the sign of a zero (so `x + 0.0`
stays: it turns -0.0 into 0.0; and so does `x * 0.0`).
"""

import functools
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from autograd import primitives
from autograd.compiler import exponential
from autograd.compiler.arrays import StackedResult
from autograd.compiler.trace import Trace, Traced
from autograd.conditions import Condition
from autograd.graph import topological_order
from autograd.tree import leaves
from autograd.value import Value, tracing

Node = int  # a position in the lists of a Graph
UNIFORM = 0  # the region of what is the same for all lanes; the lanes of the r-th vmap are region r = 1, 2, ...

# what each machine operation computes: the forward rule of the primitive that is lowered to it
FORWARD: dict[str, Callable[..., float]] = {
    p.lower: p.forward for p in primitives.TABLE.values() if isinstance(p.lower, str)
}
FORWARD["chain"] = primitives.chain.forward
COMPARISONS = frozenset(op for op in FORWARD if op.startswith("fcmp"))
LOGICAL = frozenset({"and", "or", "not"})
CONDITIONS = COMPARISONS | LOGICAL
REDUCTIONS = {"lane_sum": -0.0, "lane_min": math.inf}  # over the lanes of a region, with what they start from
SOURCES = frozenset({"const", "input", "lane_input", "lane_index"})


_CONSTANTS = {"const"}


class Graph:
    """A compact expression graph: parallel lists, operands before results.

    Attributes:
        ops: for each node an LLVM instruction, an intrinsic, a function of the C library, "chain", "take", a reduction,
            or a source: "const" (its float), "input" (its position), "lane_input" (array, element), "lane_index".
        args: for each node its operands, as positions; for a source what is given in parentheses above.
        regions: for each node UNIFORM, or the number of the vmap whose lanes it varies over.

    Example:
        >>> graph = Graph()
        >>> x = graph.source("input", 0)
        >>> two = graph.constant(2.0)
        >>> graph.add("fmul", (x, two)) == graph.add("fmul", (two, x))
        True
        >>> graph.add("fdiv", (x, graph.constant(1.0))) == x
        True
    """

    def __init__(self) -> None:
        self.ops: list[str] = []
        self.args: list[tuple[Any, ...]] = []
        self.regions: list[int] = []
        self._known: dict[tuple[Any, ...], Node] = {}

    def __len__(self) -> int:
        return len(self.ops)

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
        """The node that computes op of the operands, by whatever is cheapest and exactly equal."""
        ops = self.ops
        if {ops[x] for x in args} == _CONSTANTS and op in FORWARD:
            return self.constant(FORWARD[op](*[self.args[x][0] for x in args]))
        rule = RULES.get(op)
        if rule is not None:
            simpler = rule(self, *args)
            if simpler is not None:
                return simpler
            if op in COMMUTATIVE and args[0] > args[1]:
                args = (args[1], args[0])
        known = self._known.get((op, args))
        if known is not None:
            return known
        regions = self.regions
        return self._node((op, args), op, args, max([regions[x] for x in args]))

    def reduce(self, op: str, x: Node) -> Node:
        """A reduction over all lanes, which is one number."""
        return self._node((op, x), op, (x,), UNIFORM)

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

    def needed(self, outputs: Iterable[Node], known: Iterable[Node] = ()) -> list[Node]:
        """Dead code elimination: only what the outputs need, beyond what is known, operands before results."""
        ops, args = self.ops, self.args
        order: list[Node] = []
        seen = bytearray(len(ops))
        for node in known:
            seen[node] = 1
        stack: list[Node] = list(outputs)[::-1]
        while stack:
            node = stack.pop()
            if node < 0:
                order.append(~node)
            elif not seen[node]:
                seen[node] = 1
                if ops[node] in SOURCES:
                    order.append(node)
                else:
                    stack.append(~node)
                    stack += args[node][::-1]
        return order


# --- exact identities: each rule returns an equal node, or None ------------------------------------------------------


def _add(graph: Graph, x: Node, y: Node) -> Node | None:
    for one, other in ((x, y), (y, x)):
        value = graph.value_of(other)
        if value == 0 and math.copysign(1.0, value) < 0:
            return one
        if graph.ops[other] == "fneg":
            return graph.add("fsub", (one, graph.args[other][0]))
    return None


def _sub(graph: Graph, x: Node, y: Node) -> Node | None:
    value = graph.value_of(y)
    if value == 0 and math.copysign(1.0, value) > 0:
        return x
    return graph.add("fadd", (x, graph.args[y][0])) if graph.ops[y] == "fneg" else None


def _mul(graph: Graph, x: Node, y: Node) -> Node | None:
    if graph.is_constant(x):
        x, y = y, x
    value = graph.value_of(y)
    if value == 1.0:
        return x
    if value == -1.0:
        return graph.add("fneg", (x,))
    if graph.ops[x] == "fneg" and value is not None:
        return graph.add("fmul", (graph.args[x][0], graph.constant(-value)))
    if graph.ops[x] == "fneg" and graph.ops[y] == "fneg":
        return graph.add("fmul", (graph.args[x][0], graph.args[y][0]))
    return None


def _div(graph: Graph, x: Node, y: Node) -> Node | None:
    value = graph.value_of(y)
    if value and math.isfinite(value) and abs(math.frexp(value)[0]) == 0.5 and 1e-300 < abs(value) < 1e300:
        return graph.add("fmul", (x, graph.constant(1.0 / value)))  # by a power of two: no rounding in either
    return None


def _neg(graph: Graph, x: Node) -> Node | None:
    if graph.ops[x] == "fneg":
        return graph.args[x][0]
    if graph.ops[x] == "fmul":
        for one, other in (graph.args[x], graph.args[x][::-1]):
            value = graph.value_of(other)
            if value is not None:
                return graph.add("fmul", (one, graph.constant(-value)))
    return None


def _fabs(graph: Graph, x: Node) -> Node | None:
    op, args = graph.ops[x], graph.args[x]
    if op == "llvm.fabs":
        return x
    if op == "fneg":
        return graph.add(op="llvm.fabs", args=args)
    if op == "fmul":
        for one, other in (args, args[::-1]):
            value = graph.value_of(other)
            if value is not None and math.copysign(1.0, value) < 0:
                return graph.add("llvm.fabs", (graph.add("fmul", (one, graph.constant(-value))),))
    return None


def _select(graph: Graph, condition: Node, x: Node, y: Node) -> Node | None:
    value = graph.value_of(condition)
    if value is not None:
        return x if value else y
    if x == y:
        return x
    if graph.ops[condition] == "not":
        return graph.add("select", (graph.args[condition][0], y, x))
    if graph.value_of(x) == 1.0 and graph.value_of(y) == 0.0 and graph.ops[condition] in CONDITIONS:
        return condition if math.copysign(1.0, graph.value_of(y) or 0.0) > 0 else None
    return None


def _not(graph: Graph, x: Node) -> Node | None:
    if graph.ops[x] == "not" and graph.ops[graph.args[x][0]] in CONDITIONS:
        return graph.args[x][0]
    return None


def _and(graph: Graph, x: Node, y: Node) -> Node | None:
    return _logical(graph, x, y, absorbing=False)


def _or(graph: Graph, x: Node, y: Node) -> Node | None:
    return _logical(graph, x, y, absorbing=True)


def _logical(graph: Graph, x: Node, y: Node, *, absorbing: bool) -> Node | None:
    for one, other in ((x, y), (y, x)):
        value = graph.value_of(other)
        if value is not None and bool(value) is absorbing:
            return graph.constant(float(absorbing))
        if (value is not None or one == other) and graph.ops[one] in CONDITIONS:
            return one
    return None


def _compare(op: str) -> Callable[[Graph, Node, Node], Node | None]:
    """A product with a constant beyond ±1 need not be computed to be compared with 0: the other factor has its sign."""

    def rule(graph: Graph, x: Node, y: Node) -> Node | None:
        for zero, product, swapped in ((x, y, False), (y, x, True)):
            if graph.value_of(zero) == 0 and graph.ops[product] == "fmul":
                one, other = graph.args[product]
                one, other = (other, one) if graph.is_constant(one) else (one, other)
                factor = graph.value_of(other)
                if factor is not None and math.inf > abs(factor) >= 1:
                    return graph.add(op, (one, zero) if swapped == (factor > 0) else (zero, one))
        return None

    return rule


def _greater(op: str) -> Callable[[Graph, Node, Node], Node | None]:
    return lambda graph, x, y: graph.add(op, (y, x))


def _pow(graph: Graph, x: Node, y: Node) -> Node | None:
    """Small whole powers as products: at least as accurate as the C function."""
    value = graph.value_of(y)
    if value == 0.0:
        return graph.constant(1.0)  # also of NaN
    if value == 1.0:
        return x
    if value == -1.0:
        return graph.add("fdiv", (graph.constant(1.0), x))
    if value in (2.0, 3.0):
        square = graph.add("fmul", (x, x))
        return square if value == 2.0 else graph.add("fmul", (square, x))
    return None


def _chain(graph: Graph, adjoint: Node, partial: Node) -> Node | None:
    """An ordinary product, unless 0 can meet an infinity or a NaN in it."""
    g = graph.value_of(adjoint)
    if _is_finite(graph, partial) or (g is not None and g != 0):
        return graph.add("fmul", (adjoint, partial))
    return None


def _is_finite(graph: Graph, node: Node) -> bool:
    op = graph.ops[node]
    if op == "select":
        return all(_is_finite_constant(graph, x) for x in graph.args[node][1:])
    return op in CONDITIONS or _is_finite_constant(graph, node)


def _is_finite_constant(graph: Graph, node: Node) -> bool:
    value = graph.value_of(node)
    return value is not None and math.isfinite(value)


def _on_lanes(written_out: Callable[[Graph, Node], Node]) -> Callable[[Graph, Node], Node | None]:
    return lambda graph, x: None if graph.regions[x] == UNIFORM else written_out(graph, x)


RULES: dict[str, Callable[..., Node | None]] = {
    "fadd": _add, "fsub": _sub, "fmul": _mul, "fdiv": _div, "fneg": _neg, "llvm.fabs": _fabs, "select": _select,
    "exp": _on_lanes(exponential.exp), "expm1": _on_lanes(exponential.expm1), "and": _and, "or": _or,
    "not": _not, "chain": _chain, "pow": _pow, "fcmp ogt": _greater("fcmp olt"),
    "fcmp oge": _greater("fcmp ole"), "fcmp olt": _compare("fcmp olt"), "fcmp ole": _compare("fcmp ole"),
    "fcmp oeq": _compare("fcmp oeq"), "fcmp une": _compare("fcmp une"),
}  # fmt: skip
COMMUTATIVE = frozenset({"fadd", "fmul", "and", "or", "fcmp oeq", "fcmp une"})

# --- from Values -----------------------------------------------------------------------------------------------------

# What a primitive that is lowered by an expression stands for: steps (op, operands) and the step that is the result.
# An operand is an input (-1, -2, ...), an earlier step (0, 1, ...) or a constant (float).
Reference = int | float
Template = tuple[list[tuple[primitives.Primitive, tuple[Reference, ...]]], Reference]
_templates: dict[tuple[primitives.Primitive, int], Template] = {}


class _Recording:
    """A stand-in for the trace while the expression of a lowering is evaluated: comparisons are recorded."""

    def __init__(self) -> None:
        self.made: set[Value] = set()

    def condition(self, op: primitives.Primitive, x: Any, y: Any) -> Value:
        return Condition.of(op(x, y))


def _template(op: primitives.Primitive, count: int) -> Template:
    key = op, count
    if key not in _templates:
        before, tracing.trace = tracing.trace, _Recording()
        try:
            inputs = [Value(0.5) for _ in range(count)]
            result = op.lower(*inputs)  # type: ignore[operator, misc]
        finally:
            tracing.trace = before
        positions: dict[Any, Reference] = {x: ~i for i, x in enumerate(inputs)}
        steps: list[tuple[primitives.Primitive, tuple[Reference, ...]]] = []
        for node in topological_order([result] if isinstance(result, Value) else []):
            if node not in positions:
                positions[node] = node._data if node.op is None else len(steps)
                if node.op is not None:
                    operands = [positions[x] if isinstance(x, Value) else x for x in node.operands]
                    steps.append((node.op, tuple(operands)))
        _templates[key] = steps, positions[result] if isinstance(result, Value) else float(result)
    return _templates[key]


def apply(graph: Graph, op: primitives.Primitive, args: tuple[Node, ...]) -> Node:
    """Add a primitive: its machine operation, or the expression that its lowering says.

    Errors: TypeError for a primitive that has no lowering.
    """
    lower = op.lower
    if lower.__class__ is str:
        return graph.add(lower, args)
    if op is primitives.chain:
        return graph.add("chain", args)
    if lower is None:
        raise TypeError(
            f"the primitive {op.name!r} has no lowering, so jit cannot compile it: give Primitive(...) a `lower`, "
            "an expression in functions of this package or the name of a C function, or call the function without jit"
        )
    steps, result = _template(op, len(args))
    found: list[Node] = []

    def resolve(reference: Reference) -> Node:
        if isinstance(reference, float):
            return graph.constant(reference)
        return found[reference] if reference >= 0 else args[~reference]

    for inner, references in steps:
        found.append(apply(graph, inner, tuple([resolve(r) for r in references])))
    return resolve(result)


def take(graph: Graph, index: Node, *values: Node) -> Node:
    """A chain of choices; that the index is one of 0, 1, ... is checked apart (see `Traced.checks`)."""
    result = values[0]
    for i, value in enumerate(values[1:], 1):
        result = graph.add("select", (graph.add("fcmp oeq", (index, graph.constant(float(i)))), value, result))
    return result


# --- a traced function -----------------------------------------------------------------------------------------------


class Verdict(NamedTuple):
    """Whether one thing that compiled code takes for granted held.

    Attributes:
        kind: "guard", "lanes" (every lane took a known path) or "check" (every index of a take was legal).
        which: of a guard its number in the trace, of lanes their region.
        node: 1 if a guard held; of lanes and checks the first lane that failed, inf if none did (0 and 1 in the plain).
    """

    kind: str
    which: int
    node: Node


class Program(NamedTuple):
    """A traced function as a compact graph.

    Attributes:
        graph: its nodes.
        outputs: the numbers that it returns.
        stacks: the results that it returns for every lane, each with its region.
        verdicts: what was taken for granted.
        trouble: 0 if all of that held.
        captured: the leaves that the function did not get as arguments; they are the last of the inputs.
        inputs: how many numbers go in.
        traced: how many Values were traced.
    """

    graph: Graph
    outputs: list[Node]
    stacks: list[tuple[Node, int]]
    verdicts: list[Verdict]
    trouble: Node
    captured: list[Value]
    inputs: int
    traced: int


def simplify(traced: Traced) -> Program:
    """The traced function as a compact graph.

    Example:
        >>> from autograd.compiler.trace import trace
        >>> program = simplify(trace(lambda x: (x * 1.0 + x * 1.0) * (2.0 * 3.0), [5.0]))
        >>> [program.graph.ops[node] for node in program.graph.needed(program.outputs)]
        ['input', 'fadd', 'const', 'fmul']
    """
    graph = Graph()
    conversion = _Conversion(graph, traced.trace)
    outputs, stacks = [], []
    for x in leaves(traced.result, whole_arrays=True):
        if type(x) is StackedResult:
            stacks += [(conversion.node(lane), x.region.number) for lane in x.lanes]
        else:
            outputs += [conversion.node(v) for v in leaves(x) if isinstance(v, Value)]
    verdicts = []
    for i, guard in enumerate(traced.trace.guards):
        node = conversion.node(guard.condition)
        verdicts.append(Verdict("guard", i, node if guard.taken else graph.add("not", (node,))))
    for region in traced.trace.regions:
        if region.valid is not None:
            verdicts.append(
                Verdict("lanes", region.number, _first_failure(graph, conversion.node(region.valid), region.number))
            )
    verdicts += [Verdict("check", 0, _first_failure(graph, x, graph.regions[x])) for x in conversion.checks]
    verdicts = [v for v in verdicts if not graph.is_constant(v.node)]
    held = [
        v.node if v.kind == "guard" else graph.add("fcmp oeq", (v.node, graph.constant(math.inf))) for v in verdicts
    ]
    all_held = functools.reduce(lambda x, y: graph.add("and", (x, y)), held, graph.constant(1.0))
    trouble = graph.add("not", (all_held,))
    captured = conversion.captured
    inputs = traced.trace.slots + len(captured)
    return Program(graph, outputs, stacks, verdicts, trouble, captured, inputs, len(conversion.nodes))


def _first_failure(graph: Graph, valid: Node, region: int) -> Node:
    """The first lane in which a condition does not hold; inf if it holds in all."""
    lane = graph.constant(0.0) if region == UNIFORM else graph.source("lane_index", region=region)
    failure = graph.add("select", (valid, graph.constant(math.inf), lane))
    return failure if graph.regions[failure] == UNIFORM else graph.reduce("lane_min", failure)


class _Conversion:
    """From Values to nodes, each Value once."""

    def __init__(self, graph: Graph, trace: Trace):
        self.graph = graph
        self.trace = trace
        self.nodes: dict[Value, Node] = {}
        self.captured: list[Value] = []
        self.checks: list[Node] = []
        self.lanes: dict[primitives.Primitive, Any] = {}
        for region in trace.regions:
            self.lanes[region.broadcast] = lambda x: x
            self.lanes[region.total] = functools.partial(self._total, self._leaf(region.count))

    def _total(self, count: Node, x: Node) -> Node:
        graph = self.graph
        return graph.add("fmul", (count, x)) if graph.regions[x] == UNIFORM else graph.reduce("lane_sum", x)

    def node(self, root: Value) -> Node:
        """The node of a Value; first, without recursion, those of everything it was computed from."""
        nodes = self.nodes
        stack: list[Any] = [root]
        while stack:
            value = stack.pop()
            if value is None:
                value = stack.pop()
                nodes[value] = self._operation(value)
            elif value not in nodes:
                op = value.op
                if op is None:
                    nodes[value] = self._leaf(value)
                    continue
                operands = (value._a, value._b) if op.arity == 2 else (value._a,) if op.arity == 1 else value._a
                stack.append(value)
                stack.append(None)
                for x in reversed(operands):
                    if x.__class__ is not float and x not in nodes:
                        stack.append(x)
        return nodes[root]

    def _leaf(self, value: Value) -> Node:
        source = self.trace.sources.get(value)
        if source is not None:
            op, *args, region = source
            return self.graph.source(op, *args[: 2 if region else 1], region=region)
        if value in self.trace.made:
            return self.graph.constant(value._data)
        self.captured.append(value)
        return self.graph.source("input", self.trace.slots + len(self.captured) - 1)

    def _operation(self, value: Value) -> Node:
        if value in self.nodes:
            return self.nodes[value]
        op: Any = value.op
        nodes, constant = self.nodes, self.graph.constant
        operands = (value._a, value._b) if op.arity == 2 else (value._a,) if op.arity == 1 else value._a
        args = tuple([constant(x) if x.__class__ is float else nodes[x] for x in operands])
        if op.lower.__class__ is str and op is not primitives.take:
            return self.graph.add(op.lower, args)
        if op in self.lanes:
            return self.lanes[op](*args)
        if op is primitives.take:
            self.checks.append(_is_index(self.graph, args[0], len(args) - 1))
            return take(self.graph, *args)
        return apply(self.graph, op, args)


def _is_index(graph: Graph, x: Node, count: int) -> Node:
    """The condition that x is one of 0, 1, ..., count - 1."""
    from_0 = graph.add("fcmp ole", (graph.constant(0.0), x))
    below = graph.add("fcmp ole", (x, graph.constant(count - 1.0)))
    whole = graph.add("fcmp oeq", (x, graph.add("llvm.floor", (x,))))
    return graph.add("and", (graph.add("and", (from_0, below)), whole))
