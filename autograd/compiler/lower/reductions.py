"""Which reductions over the lanes are computed together, and in which order."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autograd.compiler.optimize.graph import Node, Nodes

Pair = tuple[Node, Node]
Shape = tuple[int, int]


class Reductions(NamedTuple):
    """Reductions over the lanes of a tile, in the order in which kernels compute them.

    Attributes:
        width: how many pairs, terms or minima a kernel takes at a time.
        blocks: for each shape, sums of all products of so many left factors with so many right ones.
        pairs: the other sums of products.
        terms: what is summed as it is.
        minima: what the others are the minima of.
        order: the reduction of each result of these; None for what only fills up.
    """

    width: int
    blocks: Mapping[Shape, Sequence[tuple[Nodes, Nodes]]]
    pairs: Sequence[Pair]
    terms: Nodes
    minima: Nodes
    order: Sequence[Node | None]

    @property
    def sum_count(self) -> int:
        return len(self.order) - len(self.minima)


def plan_reductions(
    sums: Sequence[tuple[Node, Nodes]], minima: Sequence[tuple[Node, Node]], shapes: Sequence[Shape], width: int
) -> Reductions:
    """Find blocks among products: left factors that meet the same right ones.

    Args:
        sums: reductions, each with the two factors, or the one term, that are summed.
        minima: reductions, each with the term that it reduces.
        shapes: of blocks, those to look for first; width: see Reductions.
    """
    runs: dict[Node, dict[Node, Node]] = defaultdict(dict)
    pairs: list[tuple[Pair, Node]] = []
    terms: list[tuple[Node, Node]] = []
    on_the_left = _lefts([factors for _, factors in sums if len(factors) == 2])
    for node, factors in sums:
        if len(factors) == 1:
            terms.append((node, factors[0]))
            continue
        left, right = factors if factors[0] in on_the_left else factors[::-1]
        if runs[left].setdefault(right, node) != node:  # in fast code two terms may be the same product
            pairs.append(((left, right), node))
    blocks: dict[Shape, list[tuple[Nodes, Nodes]]] = {}
    order: list[Node | None] = []
    for shape in shapes:
        needed = 0.75 if shape == shapes[-1] else 1.0  # a pair takes twice the loads that a product in a block does
        found = list(_blocks(runs, *shape, needed))
        order += [runs[x].pop(y, None) for lefts, rights in found for x in lefts for y in rights]
        if found:
            blocks[shape] = found
    pairs += [((left, right), node) for left, run in runs.items() for right, node in run.items()]
    kinds: list[list[tuple[Node, Any]]] = [[(node, pair) for pair, node in pairs], terms, [*minima]]
    for kind in kinds:
        missing = -len(kind) % width
        order += [*[node for node, _ in kind], *([None] * missing)]
        kind += kind[-1:] * missing
    multiplied, summed, least = [[x for _, x in kind] for kind in kinds]
    return Reductions(width, blocks, multiplied, summed, least, order)


def _lefts(products: Sequence[Nodes]) -> set[Node]:
    """One factor of each product, and as far as possible not the other: what meets the same factors is on one side."""
    partners: dict[Node, list[Node]] = defaultdict(list)
    for x, y in products:
        partners[x].append(y)
        partners[y].append(x)
    side: dict[Node, bool] = {}
    for first in sorted(partners, key=lambda x: -len(partners[x])):
        side.setdefault(first, True)
        stack = [first]
        while stack:
            x = stack.pop()
            new = [y for y in partners[x] if y not in side]
            side |= dict.fromkeys(new, not side[x])
            stack += new
    return {x for x, left in side.items() if left}


def _blocks(
    runs: Mapping[Node, Mapping[Node, Node]], rows: int, columns: int, needed: float
) -> Iterator[tuple[Nodes, Nodes]]:
    """Blocks of a shape of which so much is needed: of left factors next to each other when their runs of right ones
    are in alphabetical order, with the most frequent as the first letters."""
    frequency = Counter(itertools.chain.from_iterable(runs.values()))
    letters = {right: i for i, (right, _) in enumerate(frequency.most_common())}
    least = columns - rows * columns * (1 - needed)
    words = {left: sorted(map(letters.__getitem__, run)) for left, run in runs.items() if len(run) >= least}
    lefts = sorted(words, key=words.__getitem__)
    start = 0
    while start + rows <= len(lefts):
        some = lefts[start : start + rows]
        found = Counter(itertools.chain.from_iterable([runs[left] for left in some])).most_common()
        whole = [found[i : i + columns] for i in range(0, len(found) - columns + 1, columns)]
        blocks = [block for block in whole if sum([count for _, count in block]) >= rows * columns * needed]
        yield from [(some, [right for right, _ in block]) for block in blocks]
        start += rows if blocks else 1
