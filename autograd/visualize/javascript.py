"""Primitives in JavaScript: forward from the table's `js`, the partials from the table's rules, traced and printed."""

import math
from collections.abc import Sequence
from typing import Any

from autograd.condition import trace_rule
from autograd.graph import topological_order
from autograd.primitives import Flow, Primitive
from autograd.value import Value


class NoJavaScript(Exception):
    """Why an operation cannot be recomputed in the browser."""


def operation(op: Primitive, count: int) -> str:
    """A JavaScript object with the functions `forward` and `partials` of an operation on that many operands.

    `partials` returns the local derivatives for all operands, null where none flows.

    Errors: NoJavaScript, saying why, for a primitive without `js` or with a rule that cannot be traced.

    Example:
        >>> from autograd.primitives import mul
        >>> print(operation(mul, 2))
        {forward: (x0, x1) => x0 * x1, partials: (out, x0, x1) => {return [x1, x0];}}
    """
    names = [f"x{i}" for i in range(count)]
    forward = _call(op, names)
    operands = [Value(0.5) for _ in names]
    out = Value(0.5)
    partials = _traced_partials(op, out, operands)
    code = _statements(partials, dict(zip([out, *operands], ["out", *names], strict=True)))
    return f"{{forward: ({', '.join(names)}) => {forward}, partials: ({', '.join(['out', *names])}) => {{{code}}}}}"


def _call(op: Primitive, operands: Sequence[str]) -> str:
    if op.js is None:
        raise NoJavaScript(f"{op.name} has no JavaScript")
    return op.js.format(", ".join(operands)) if op.arity is None else op.js.format(*operands)


def _traced_partials(op: Primitive, out: Value, operands: Sequence[Value]) -> Sequence[Any]:
    try:
        if op.arity is None:
            return trace_rule(op.partials, out, *operands)[0]
        return [None if rule is None else trace_rule(rule, out, *operands)[0] for rule in op.partials]
    except (TypeError, ValueError, ArithmeticError) as error:  # a user's rule that works on floats only, or branches
        raise NoJavaScript(f"{op.name} has no JavaScript: its derivative cannot be written down ({error})") from None


def _statements(results: Sequence[Any], names: dict[Value, str]) -> str:
    """Straight-line code that returns the results, with a constant for each node on the way."""
    code: dict[str, str] = {}  # equal expressions share one constant
    parts = [part for x in results for part in ((x.amount, x.condition) if isinstance(x, Flow) else (x,))]
    for node in topological_order([x for x in parts if isinstance(x, Value)]):
        if node in names:
            continue
        if node.op is None:
            names[node] = _literal(node._data)
            continue
        operands = [names[x] if isinstance(x, Value) else _literal(x) for x in node.operands]
        names[node] = code.setdefault(_call(node.op, operands), f"t{len(code)}")

    def written(x: Any) -> str:
        if isinstance(x, Flow):
            return f"{written(x.condition)} !== 0 ? {written(x.amount)} : null"
        return "null" if x is None else names[x] if isinstance(x, Value) else _literal(x)

    constants = "".join(f"const {name} = {expression}; " for expression, name in code.items())
    return f"{constants}return [{', '.join(map(written, results))}];"


def _literal(x: float) -> str:
    """A number in JavaScript; a negative one in parentheses, since - -1 is one thing and --1 another."""
    x = float(x)
    if math.isnan(x):
        return "NaN"
    written = "Infinity" if math.isinf(x) else repr(abs(x))
    return f"(-{written})" if math.copysign(1.0, x) < 0 else written
