"""Where an inf or a nan came from: the sentence behind Value.why_nonfinite."""

import math
from typing import Any

from autograd.graph import differentiable_parents, topological_order
from autograd.primitives import chain
from autograd.value import Value


def why_nonfinite(root: Value) -> str:
    """See Value.why_nonfinite."""
    order = topological_order([root])
    for node in order:
        if not math.isfinite(node._data):
            return _forward(node)
    if not math.isfinite(root.grad):
        return f"backward: the gradient of {_describe(root)} is {root.grad!r} already where the sweep starts"
    for node in reversed(topological_order([root], differentiable_parents)):
        if not math.isfinite(node.grad):  # but no term of it was, or that would have been found first
            return f"backward: the gradient of {_describe(node)} is {node.grad!r}, a sum that overflowed"
        parent: Any
        for parent, partial in zip(node.operands, node.partials, strict=True):
            if partial is not None and not (math.isfinite(parent.grad) or math.isfinite(chain(node.grad, partial))):
                return _backward(node, parent, partial)
    return f"{_describe(root)} and everything it was computed from are finite, and so are their gradients"


def _forward(node: Value) -> str:
    if node.op is None:
        return f"{_describe(node)} is a leaf: it was given that value"
    operands = ", ".join(_describe(x) for x in node.operands[:8]) + (", ..." if len(node.operands) > 8 else "")
    label = f" (in {node.label})" if node.label else ""
    return f"{node.op.name} gives {node._data!r} from {operands}{label}"


def _backward(node: Value, parent: Any, partial: float) -> str:
    assert node.op is not None
    return (
        f"backward: through {node.op.name} = {node._data!r} the gradient of {_describe(parent)} becomes "
        f"{node.grad!r} * {partial!r} = {node.grad * partial!r}"
    )


def _describe(x: Any) -> str:
    if not isinstance(x, Value):
        return repr(x)
    return f"{x.label} = {x._data!r}" if x.label else repr(x._data)
