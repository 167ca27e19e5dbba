"""Layers in columns: where the nodes, boxes and edges of a grouped graph are drawn. Graphviz then only draws them.

Graphviz keeps no order within nested boxes. Here each box is laid out by itself, from the inside out: what it holds,
nodes and boxes, stands in columns by the longest way to it, and within a column in the given order. An edge that passes
a column, or enters or leaves a box across one, has a lane of its own there, so that it is drawn over no node.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd.visualize.groups import Group

PADDING, TITLE = 8.0, 14.0  # points, within a box and for its title
GAP, FAN = 26.0, 44.0  # points, between columns of nodes, and of boxes, which many edges enter
SPACE, LANE = 7.0, 5.0  # points, between what stands in a column, and the height of a lane

Item = Any  # the name of a node; the group of a box; (item, column) of a lane
Point = tuple[float, float]  # along the direction of the graph, and across it


class Cyclic(ValueError):
    """A value leaves a box and comes back to it, as in a recurrent layer: there are no columns then."""


@dataclass
class Columns:
    """A layout; coordinates along the direction of the graph and across it, from the corner where it starts.

    Args:
        sizes: of each node, along and across; in the order in which nodes of a column stand.
        groups: the boxes that a node is in; () or no entry for one in none.
        edges: pairs of nodes.
        titles_along: whether the title of a box takes room along the direction, as from top to bottom, or across it.

    Attributes:
        middle: of each node and box.
        size: of each node and box.

    Errors: Cyclic.
    """

    sizes: Mapping[str, Point]
    groups: Mapping[str, Group]
    edges: Sequence[tuple[str, str]]
    titles_along: bool = False
    middle: dict[Item, Point] = field(default_factory=dict)
    size: dict[Item, Point] = field(default_factory=dict)
    boxes: dict[Group, _Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.size.update(self.sizes)
        groups = {self.group(name)[:depth] for name in self.sizes for depth in range(len(self.group(name)) + 1)}
        for group in sorted(groups | {()}, key=len, reverse=True):
            self.boxes[group] = box = _Box(self, group)
            self.size[group] = box.size
        self._place((), (0.0, 0.0))

    def group(self, name: str) -> Group:
        return self.groups.get(name, ())

    def item(self, name: str, group: Group) -> Item:
        """What stands for a node in a box: the node, or the box within that it is in."""
        return name if self.group(name) == group else self.group(name)[: len(group) + 1]

    def is_in(self, name: str, group: Group) -> bool:
        return self.group(name)[: len(group)] == group

    def _place(self, group: Group, corner: Point) -> None:  # recursive: modules are not nested a thousand deep
        box = self.boxes[group]
        box.corner = corner
        self.middle[group] = (corner[0] + self.size[group][0] / 2, corner[1] + self.size[group][1] / 2)
        for item, (x, y) in box.middles.items():
            self.middle[item] = corner[0] + x, corner[1] + y
            if item in self.boxes:
                width, height = self.size[item]
                self._place(item, (corner[0] + x - width / 2, corner[1] + y - height / 2))

    def way(self, start: str, end: str) -> list[Point]:
        """The points that an edge passes, the first and the last at the sides of its nodes."""
        common = 0
        while self.group(start)[: common + 1] == self.group(end)[: common + 1] and common < len(self.group(end)):
            common += 1
        (x0, y0), (x1, y1) = self.middle[start], self.middle[end]
        points = [(x0 + self.size[start][0] / 2, y0)]
        for depth in range(len(self.group(start)), common, -1):
            group = self.group(start)[:depth]
            points += self.boxes[group].lanes(self.item(start, group), self.boxes[group].last + 1)
        group = self.group(start)[:common]
        box, from_, to = self.boxes[group], self.item(start, group), self.item(end, group)
        points += box.lanes(from_, box.rank[to])
        for depth in range(common + 1, len(self.group(end)) + 1):
            group = self.group(end)[:depth]
            box, to = self.boxes[group], self.item(end, group)
            points += box.lanes(("in", to), box.rank[to])
        return [*points, (x1 - self.size[end][0] / 2, y1)]


class _Box:
    """One box: its columns, the size that they need, and where in it everything stands."""

    def __init__(self, layout: Columns, group: Group):
        inside = [name for name in layout.sizes if layout.is_in(name, group)]
        self.items = list(dict.fromkeys(layout.item(name, group) for name in inside))
        self.parents: dict[Item, list[Item]] = {item: [] for item in self.items}
        self.corner = (0.0, 0.0)
        entered, left = set(), set()
        for start, end in layout.edges:
            starts_here, ends_here = layout.is_in(start, group), layout.is_in(end, group)
            if starts_here and ends_here:
                parent, child = layout.item(start, group), layout.item(end, group)
                if parent != child:
                    self.parents[child].append(parent)
            elif ends_here:
                entered.add(layout.item(end, group))
            elif starts_here:
                left.add(layout.item(start, group))
        self.rank = self._ranks(entered)
        self.last = max(self.rank.values(), default=0)
        self.columns = self._columns(entered, left)
        self._stack(layout, group)

    def _ranks(self, entered: set[Item]) -> dict[Item, int]:
        """The column of each item: behind all that enters it; a leaf stands right before what it enters."""
        rank: dict[Item, int] = {}
        waiting = list(self.items)
        while waiting:
            ready = [item for item in waiting if all(parent in rank for parent in self.parents[item])]
            if not ready:
                raise Cyclic
            for item in ready:
                rank[item] = max([rank[parent] + 1 for parent in self.parents[item]], default=0)
            waiting = [item for item in waiting if item not in rank]
        children: dict[Item, list[int]] = defaultdict(list)
        for item, parents in self.parents.items():
            for parent in parents:
                children[parent].append(rank[item])
        for item in self.items:
            if not self.parents[item] and item not in entered and children[item]:
                rank[item] = min(children[item]) - 1
        return rank

    def _columns(self, entered: set[Item], left: set[Item]) -> list[list[Item]]:
        """Items and lanes by column, in order."""
        ends: dict[Item, int] = dict.fromkeys(self.items, 0)
        for item, parents in self.parents.items():
            for parent in parents:
                ends[parent] = max(ends[parent], self.rank[item])
        ends |= dict.fromkeys(left, self.last + 1)
        before: dict[Item, list[Item]] = {}
        columns: list[list[Item]] = [[] for _ in range(self.last + 1)]
        for item in entered:
            for column in range(self.rank[item]):
                columns[column].append((("in", item), column))
        for item in self.items:
            columns[self.rank[item]].append(item)
            for column in range(self.rank[item] + 1, ends[item]):
                columns[column].append((item, column))
                before[item, column] = [item if column == self.rank[item] + 1 else (item, column - 1)]
        for item in self.items:
            column_before = self.rank[item] - 1
            before[item] = [p if self.rank[p] == column_before else (p, column_before) for p in self.parents[item]]
        place: dict[Item, float] = {}
        for number, items in enumerate(columns):
            if number > 0:  # in the order of what enters them; leaves below
                items.sort(key=lambda x: _mean([place[p] for p in before.get(x, ()) if p in place]))
            place.update({x: i / len(items) for i, x in enumerate(items)})
        return columns

    def _stack(self, layout: Columns, group: Group) -> None:
        """Coordinates from the columns, with the middles of all columns on one line."""
        size = {x: layout.size.get(x, (0.0, LANE)) for column in self.columns for x in column}
        heights = [sum(size[x][1] for x in column) + SPACE * (len(column) - 1) for column in self.columns]
        above = [self._above(layout, column, own) for column, own in zip(self.columns, heights, strict=True)]
        below = [own - up for own, up in zip(heights, above, strict=True)]
        gap = FAN if any(item in layout.boxes for item in self.items) else GAP
        title = TITLE if group else 0.0
        x = PADDING + (title if layout.titles_along else 0.0)
        self.line = PADDING + (0.0 if layout.titles_along else title) + max(above)
        self.middles: dict[Item, Point] = {}
        self.reach: list[Point] = []
        for column, up in zip(self.columns, above, strict=True):
            width = max(size[item][0] for item in column)
            y = self.line - up
            for item in column:
                if item in layout.boxes:
                    layout.size[item] = size[item] = width, size[item][1]
                # what nothing enters stands right before what it enters
                side = x + width - size[item][0] / 2 if self.parents.get(item) == [] else x + width / 2
                self.middles[item] = side, y + size[item][1] / 2
                y += size[item][1] + SPACE
            self.reach.append((x, x + width))
            x += width + gap
        self.size = x - gap + PADDING, self.line + max(below) + PADDING

    def _above(self, layout: Columns, column: list[Item], height: float) -> float:
        """How much of a column stands above the line: half, but the only result or box in it stands on the line."""
        results = [i for i, item in enumerate(column) if self.parents.get(item) or item in layout.boxes]
        if len(results) != 1:
            return height / 2
        first = results[0]
        before = sum(layout.size.get(item, (0.0, LANE))[1] + SPACE for item in column[:first])
        box = layout.boxes.get(column[first])
        return before + (box.line if box else layout.size[column[first]][1] / 2)

    def lanes(self, item: Item, end: int) -> list[Point]:
        """The points at which the lane of an item passes the columns before `end`."""
        found = []
        for column, (start, stop) in enumerate(self.reach[:end]):
            if (item, column) in self.middles:
                y = self.corner[1] + self.middles[item, column][1]
                found += [(self.corner[0] + start, y), (self.corner[0] + stop, y)]
        return found


def _mean(places: list[float]) -> float:
    return sum(places) / len(places) if places else 2.0


def spline(points: Sequence[Point]) -> Iterator[Point]:
    """The control points of a curve through points, along the direction of the graph at each of them."""
    yield points[0]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        yield (x0 + x1) / 2, y0
        yield (x0 + x1) / 2, y1
        yield x1, y1
