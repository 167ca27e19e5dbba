"""What lowering decides: for which machine, in which loops, and where the numbers of a call are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from autograd.compiler.optimize.graph import Node


class Target(NamedTuple):
    """What code is made for.

    Attributes:
        lanes: doubles to a vector register: 1, 2, 4 or 8.
        vector_functions: functions of a double, or of two, that are there for whole registers: C name -> symbol.
        scalef: whether there is an instruction for x 2^k (AVX-512).
    """

    lanes: int
    vector_functions: Mapping[str, str]
    scalef: bool = False


@dataclass
class Pass:
    """One loop over the lanes of a region: what it computes, and what of it is reduced or stored by lane.

    Attributes:
        region, level: over which lanes, and how many reductions have to come before.
        reductions: the reductions that it completes, sums before minima, in the order of the next two.
        sums: of products. For each left factor, the right factors that it meets.
        minima: what the others are the minima of.
        factors: all that stands in those two, and where in the tile it is kept.
        stacks: (node, column) of what is stored by lane.
        nodes: what it computes, operands first.
        slots: which slots get the reductions.
    """

    region: int
    level: int
    reductions: list[Node] = field(default_factory=list)
    sums: dict[Node, list[Node]] = field(default_factory=dict)
    minima: list[Node] = field(default_factory=list)
    factors: dict[Node, int] = field(default_factory=dict)
    stacks: list[tuple[Node, int]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)

    @property
    def sum_count(self) -> int:
        return sum(map(len, self.sums.values()))


@dataclass
class Layout:
    """Where the numbers of a call are.

    Attributes:
        slots: how many doubles; `outputs` is the first of the results.
        table: for each region, where its entries start in the table of 64-bit integers: how many lanes, the addresses
            of its arrays, the addresses of its columns of results.
        row_lengths: for each region, for each of its arrays, how many doubles one lane has.
        columns: for each region, how many results it stores by lane.
        table_size: entries of the table.
        passes: the loops, in order.
        workspaces: for each pass, how many doubles it needs to work with.
        functions: the functions to call, in order: ("uniform", name) or ("pass", index of the pass).
        nodes: how many nodes were lowered.
        constants: in which slots a number has to stand before the first call.
    """

    slots: int = 0
    outputs: int = 0
    table: dict[int, int] = field(default_factory=dict)
    row_lengths: dict[int, list[int]] = field(default_factory=dict)
    columns: dict[int, int] = field(default_factory=dict)
    table_size: int = 0
    passes: list[Pass] = field(default_factory=list)
    workspaces: list[int] = field(default_factory=list)
    functions: list[tuple[str, int]] = field(default_factory=list)
    nodes: int = 0
    constants: dict[int, float] = field(default_factory=dict)
