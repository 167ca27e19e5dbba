"""Primitives as machine operations of a compact graph: what their `lower` says."""

import functools
from collections.abc import Iterable
from typing import Any

from autograd import primitives
from autograd.compiler.optimize.graph import Graph, Node
from autograd.compiler.optimize.identities import RULES
from autograd.condition import trace_rule
from autograd.graph import topological_order
from autograd.value import Value

# What a primitive that is lowered by an expression stands for: steps (op, operands) and the step that is the result.
# An operand is an input (-1, -2, ...), an earlier step (0, 1, ...) or a constant (float).
MANY = 12  # operations, with constants, from which a function may run by table
Reference = int | float
Template = tuple[list[tuple[primitives.Primitive, tuple[Reference, ...]]], Reference]
_templates: dict[tuple[primitives.Primitive, int], Template] = {}


def _template(op: primitives.Primitive, count: int) -> Template:
    key = op, count
    if key not in _templates:
        inputs = [Value(0.5) for _ in range(count)]
        try:
            result, traced = trace_rule(op.lower, *inputs)  # type: ignore[arg-type]
        except TypeError as error:
            raise TypeError(f"the lowering of the primitive {op.name!r} cannot be compiled: {error}") from error
        positions: dict[Any, Reference] = {x: ~i for i, x in enumerate(inputs)}
        steps: list[tuple[primitives.Primitive, tuple[Reference, ...]]] = []
        for node in topological_order([result] if isinstance(result, Value) else []):
            if node in positions:
                continue
            if node.op is None:
                if node not in traced.made:
                    raise TypeError(
                        f"the lowering of the primitive {op.name!r} uses {node._name()}, which is not one of its "
                        "operands and would be frozen into the compiled code: make it an operand or write it as a "
                        "number"
                    )
                positions[node] = node._data
            else:
                positions[node] = len(steps)
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
        operands = tuple([resolve(r) for r in references])
        found.append(graph.add(inner.lower, operands) if type(inner.lower) is str else apply(graph, inner, operands))
    return resolve(result)


def on_lanes(names: Iterable[str]) -> tuple[Graph, Node, list[Node]]:
    """Primitives of one number that varies over the lanes, written out: a graph, the number, and the results."""
    graph = Graph(RULES)
    x = graph.source("lane_input", 0, 0, region=1)
    return graph, x, [apply(graph, primitives.TABLE[name], (x,)) for name in names]


@functools.cache
def is_long(op: primitives.Primitive) -> bool:
    """Whether this is a primitive of the package that is written out in many operations."""
    if primitives.TABLE.get(op.name) is not op:
        return False
    graph, _, results = on_lanes([op.name])
    return len(graph.needed(results)) > MANY


def take(graph: Graph, index: Node, *values: Node) -> Node:
    """A chain of choices; that the index is one of 0, 1, ... is checked apart (see `Traced.checks`)."""
    result = values[0]
    for i, value in enumerate(values[1:], 1):
        result = graph.add("select", (graph.add("fcmp oeq", (index, graph.constant(float(i)))), value, result))
    return result


def is_index(graph: Graph, x: Node, count: int) -> Node:
    """The condition that x is one of 0, 1, ..., count - 1."""
    from_0 = graph.add("fcmp ole", (graph.constant(0.0), x))
    below = graph.add("fcmp ole", (x, graph.constant(count - 1.0)))
    whole = graph.add("fcmp oeq", (x, graph.add("llvm.floor", (x,))))
    return graph.add("and", (graph.add("and", (from_0, below)), whole))
