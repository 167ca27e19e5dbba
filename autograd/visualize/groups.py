"""Which neuron and which layer of a model each node of a graph belongs to, from the dotted names of the parameters."""

from collections.abc import Iterable
from typing import Any

from autograd.primitives import CALL
from autograd.value import Value
from autograd.visualize.names import parameters_of

# The dotted paths of the boxes around a node, outermost first: ("layers.0", "layers.0.neurons.1")
Group = tuple[str, ...]


def groups_of(order: Iterable[Value], model: Any) -> dict[Value, Group]:
    """The group of each node that belongs to a part of the model.

    A node belongs to the neuron whose parameters enter it. So does what is added up from such nodes, and the one
    function (the activation) that is applied to the sum; what is then computed from that belongs to no neuron.

    Args:
        order: the nodes, parents before children.
        model: something with `named_parameters()`.
    """
    groups = {x: _boxes(model, name) for name, x in parameters_of(model).items()}
    parameters = set(groups)
    activations: set[Value] = set()
    for node in order:
        if node.op is None or node in groups:
            continue
        entering = [groups[x] for x in node.parents if x in parameters]
        if entering:
            groups[node] = _common(entering)
            continue
        # numbers enter an activation (the slope of a leaky ReLU), but what subtracts a number is a loss, not a neuron
        operands: tuple[Any, ...] = node.parents if node.op.precedence == CALL else node.operands
        inside = {groups[x] if x in groups and x not in activations else () for x in operands}
        if len(inside) == 1 and () not in inside:
            groups[node] = inside.pop()
            if node.op.precedence == CALL and node.op.arity is not None:
                activations.add(node)
    return {node: group for node, group in groups.items() if group}


def title(model: Any, path: str) -> str:
    """What a box is called: the class of that part of the model and its number, or its name.

    Example:
        >>> title(object(), "layers.0.neurons.1")
        'neurons 1'
    """
    *_, owner, last = ["", *path.split(".")]
    part = _part(model, path)
    kind = owner if part is None else type(part).__name__
    return f"{kind} {last}".strip()


def _boxes(model: Any, name: str) -> Group:
    """The paths of the parts that a parameter is in, leaving out the lists on the way to it."""
    steps = name.split(".")[:-1]
    paths = [".".join(steps[: i + 1]) for i in range(len(steps))]
    return tuple(path for path in paths if _is_box(model, path, name))


def _is_box(model: Any, path: str, name: str) -> bool:
    part = _part(model, path)
    if part is not None:
        return not isinstance(part, list | tuple | dict)
    # A name alone tells, too: after a list comes a number, after a part the name of what it has
    return not name[len(path) + 1 :].split(".")[0].isdigit()


def _part(model: Any, path: str) -> Any:
    """The object at a dotted path, or None if the names of the model's parameters are not paths."""
    part = model
    for step in path.split("."):
        try:
            part = part[int(step)] if step.isdigit() else part[step] if isinstance(part, dict) else getattr(part, step)
        except (AttributeError, LookupError, TypeError):
            return None
    return part


def _common(groups: list[Group]) -> Group:
    """What several groups have in common, from the outside."""
    common = groups[0]
    for group in groups[1:]:
        while common != group[: len(common)]:
            common = common[:-1]
    return common
