"""Operations in JavaScript, for the page: forward and partials, as the compiler would compute them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from autograd.codegen.javascript import JavaScript
from autograd.codegen.language import IDENTITIES, WIDEST, Written
from autograd.compiler.optimize.graph import Graph, Node
from autograd.compiler.optimize.lowering import apply, is_index, take
from autograd.condition import trace_rule
from autograd.graph import topological_order
from autograd.primitives import Flow, Primitive, take as take_one
from autograd.value import Value

LANGUAGE = JavaScript()


class NoJavaScript(Exception):
    """Why an operation cannot be recomputed in the browser."""


def operation(op: Primitive, count: int) -> str:
    """A JavaScript object with the functions `forward` and `partials` of an operation on that many operands.

    `partials` returns the local derivatives for all operands, null where none flows.

    Errors: NoJavaScript, saying why, for a primitive without `lower` or with a rule that cannot be traced.

    Example:
        >>> from autograd.primitives import mul
        >>> print(operation(mul, 2))
        {forward: (x0, x1) => {return x0 * x1;}, partials: (out, x0, x1) => {return [x1, x0];}}
    """
    if op.lower is None:
        raise NoJavaScript(
            f"{op.name} has no JavaScript: give the primitive a `lower`, an expression in functions of this package or "
            "the name of a C function"
        )
    graph = Graph(IDENTITIES)
    names = [f"x{i}" for i in range(count)]
    inputs = [graph.source("input", name) for name in ["out", *names]]
    out, *operands = [Value(0.5) for _ in inputs]
    try:
        before, (forward,) = _statements(graph, [_lowered(graph, op, inputs[1:])])
    except TypeError as error:
        raise NoJavaScript(f"{op.name} has no JavaScript: {error}") from None
    try:
        rules = _traced_partials(op, out, operands)
        nodes = dict(zip([out, *operands], inputs, strict=True))
        constants, partials = _statements(graph, [_converted(graph, x, nodes) for x in rules])
    except (TypeError, ValueError, ArithmeticError) as error:  # a user's rule that works on floats only, or branches
        raise NoJavaScript(f"{op.name} has no JavaScript: its derivative cannot be written down ({error})") from None
    return (
        f"{{forward: ({', '.join(names)}) => {{{before}return {forward};}}, "
        f"partials: ({', '.join(['out', *names])}) => {{{constants}return [{', '.join(partials)}];}}}}"
    )


def _lowered(graph: Graph, op: Primitive, args: Sequence[Node]) -> Node:
    if op is not take_one:
        return apply(graph, op, tuple(args))
    inside = is_index(graph, args[0], len(args) - 1)
    return graph.add("select", (inside, take(graph, *args), graph.constant(float("nan"))))


def _traced_partials(op: Primitive, out: Value, operands: Sequence[Value]) -> Sequence[Any]:
    if op.arity is None:
        partials: Sequence[Any] = trace_rule(op.partials, out, *operands)[0]
        return partials
    return [None if rule is None else trace_rule(rule, out, *operands)[0] for rule in op.partials]


def _converted(graph: Graph, x: Any, nodes: dict[Value, Node]) -> Any:
    """A partial, which may be None or a Flow, with nodes for Values; those of the Values on the way are noted."""
    if isinstance(x, Flow):
        return Flow(_converted(graph, x.amount, nodes), _converted(graph, x.condition, nodes))
    if not isinstance(x, Value):
        return None if x is None else graph.constant(float(x))
    for value in topological_order([x]):
        if value not in nodes:
            args = [nodes[y] if isinstance(y, Value) else graph.constant(y) for y in value.operands]
            nodes[value] = graph.constant(value._data) if value.op is None else _lowered(graph, value.op, args)
    return nodes[x]


def _statements(graph: Graph, results: Sequence[Any]) -> tuple[str, list[str]]:
    """Straight-line code with a constant for what is used more than once, and each result as an expression."""
    parts = [part for x in results for part in ((x.amount, x.condition) if isinstance(x, Flow) else (x,))]
    wanted = [x for x in parts if x is not None]
    order = graph.needed(wanted)
    uses = Counter([*wanted, *[x for node in order for x in graph.operands(node)]])
    code: list[str] = []
    texts: dict[Node, Written] = {}
    for node in order:
        op, args = graph.ops[node], graph.args[node]
        if op == "const":
            texts[node] = LANGUAGE.literal(args[0])
        elif op == "input":
            texts[node] = Written(args[0])
        else:
            texts[node] = LANGUAGE.apply(op, [texts[x] for x in args])
            if uses[node] > 1 or len(texts[node].text) > WIDEST:
                name = f"t{len(code)}"
                code.append(LANGUAGE.declare(name, texts[node]) + " ")
                texts[node] = Written(name, bit=texts[node].bit)
    return "".join(code), [_result(x, texts) for x in results]


def _result(x: Any, texts: Mapping[Node, Written]) -> str:
    if isinstance(x, Flow):
        return f"{LANGUAGE.condition(texts[x.condition]).text} ? {_result(x.amount, texts)} : null"
    return "null" if x is None else LANGUAGE.number(texts[x]).text
