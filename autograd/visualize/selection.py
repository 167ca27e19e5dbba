"""Which part of a graph is shown: all of a small one, of a large one what is nearest to the outputs."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd.graph import topological_order
from autograd.value import Value

MOST_OPERANDS = 6  # of one operation, in a graph that is not shown whole


@dataclass
class Selection:
    """The nodes to show.

    Attributes:
        values: the Values, parents before children.
        operands: of each that is the result of an operation, the positions and operands that are shown.
        omitted: of each that has operands which are not shown, how many nodes stand behind it and behind none before
            it, so that these add up to all that is left out.
        total: how many nodes the whole graph has.
    """

    values: list[Value]
    operands: dict[Value, list[tuple[int, Any]]] = field(default_factory=dict)
    omitted: dict[Value, int] = field(default_factory=dict)
    total: int = 0


def select(outputs: Sequence[Value], max_nodes: int) -> Selection:
    """The nodes to show when there is room for max_nodes of them; plain numbers count as nodes."""
    order = topological_order(outputs)
    operands = {node: node.operands for node in order}
    numbers = {node: sum(not isinstance(x, Value) for x in xs) for node, xs in operands.items()}
    selection = Selection(order, total=len(order) + sum(numbers.values()))
    if selection.total <= max_nodes:
        selection.operands = {node: list(enumerate(xs)) for node, xs in operands.items() if xs}
        return selection
    near = _nearest(outputs, operands, max_nodes)
    selection.values = [node for node in order if node in near]
    counted = set(near)
    for node in near:  # nearest first
        shown = [
            (i, x) for i, x in enumerate(operands[node]) if (x in near if isinstance(x, Value) else i in near[node])
        ]
        if operands[node]:
            selection.operands[node] = shown
        if len(shown) < len(operands[node]):
            hidden_numbers = numbers[node] - sum(not isinstance(x, Value) for _, x in shown)
            selection.omitted[node] = hidden_numbers + _count_behind(node, operands, numbers, counted)
    return selection


def _nearest(outputs: Sequence[Value], operands: dict[Value, Any], max_nodes: int) -> dict[Value, set[int]]:
    """The Values nearest to the outputs, nearest first, each with the positions of the operands that have room."""
    near: dict[Value, set[int]] = {output: set() for output in outputs}
    queue = deque(near)
    room = max_nodes - len(near)
    while queue and room > 0:
        node = queue.popleft()
        for i, x in enumerate(operands[node][:MOST_OPERANDS]):
            if room <= 0:
                break
            near[node].add(i)
            if not isinstance(x, Value):
                room -= 1
            elif x not in near:
                near[x] = set()
                queue.append(x)
                room -= 1
    return near


def _count_behind(node: Value, operands: dict[Value, Any], numbers: dict[Value, int], counted: set[Value]) -> int:
    """How many nodes that are not counted yet stand behind this one; they are counted then."""
    count = 0
    stack = list(operands[node])
    while stack:
        x = stack.pop()
        if isinstance(x, Value) and x not in counted:
            counted.add(x)
            count += 1 + numbers[x]
            stack += operands[x]
    return count
