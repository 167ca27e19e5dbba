"""The one printer: from a schedule to statements, in any language."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd.codegen.interface import Part, identifier
from autograd.codegen.language import UNKNOWN_BRANCH, WIDEST, Body, Language, Written
from autograd.codegen.programs import Exportable, Way
from autograd.codegen.schedule import (
    LANES,
    LONG,
    WORK,
    Chain,
    Copy,
    Item,
    Lanes,
    Map,
    Operand,
    Place,
    Ref,
    Single,
    Space,
    State,
    Sum,
    Sums,
    Total,
    refs_of,
    schedule,
)
from autograd.compiler.optimize.graph import Node

# A tile is for what runs in loops: it has its size times the numbers of a lane on the stack, and compilers of C take
# five times as long for a line of code that is a loop over its lanes.
MOST_TILED_NUMBERS, MOST_TILED_LINES = 4096, 64
NEUTRAL = -0.0  # changes no number by being added to it


class Printer:
    """Writes one function.

    Args:
        language: in which.
        program: what.
    """

    def __init__(self, language: Language, program: Exportable):
        self.language, self.program, self.graph = language, program, program.graph
        self.lines: list[str] = []
        self.tables: list[str] = []
        self.known_tables: dict[tuple[str, tuple[str, ...]], str] = {}
        self.called: dict[str, None] = {}
        self.indent = 1
        self.most_work = self.most_lanes = self.count = 0
        self.taken = {*language.reserved}
        parts = [p for a in [*program.arguments, program.ways[0].result] for p in a.walk()]
        self.taken.update(name for p in parts for name in (*p.path, "_".join(p.path)))
        self.arrays: dict[Space, str] = {
            WORK: self._name("work"),
            LANES: self._name("lanes"),
            Space("captured"): self._name("parameters"),
        }
        self.inputs: dict[int, Written] = {}  # slots
        self.places: dict[Node, Place] = {}
        self.by_position = {p.position: p for a in program.arguments for p in a.walk() if p.position >= 0}
        self.rows: dict[tuple[int, int], tuple[Part, int]] = {}  # region, array: the argument, its mapped axis
        self.lengths: dict[int, str] = {}  # of each region
        self.named_lengths: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        self.names: dict[Node, Written] = {}
        self.lane = self.each = self.last = ""  # the number of a lane; in a tile the variable, and how many there are
        self.tile = 1
        self.stacks: list[Part] = []  # results that are stored by lane
        self._note_inputs()

    def body(self) -> Body:
        """Write everything."""
        self._ways(self.program.ways, 0, State(dict(self.places)))
        if any(place.space.kind == "captured" for place in self.places.values()):
            numbers = [self.language.literal(x).text for x in self.program.captured]
            self.tables += self.language.table(self.arrays[Space("captured")], numbers, "double")
        called, lengths = [*self.called], (self.named_lengths, self.lengths)
        return Body(self.lines, self.tables, called, self.most_work, *lengths, lanes=self.most_lanes)

    # --- names --------------------------------------------------------------------------------------------------------

    def _name(self, wish: str) -> str:
        """A name that is not taken."""
        name = identifier(wish, self.taken)
        self.taken.add(name)
        return name

    def _note_inputs(self) -> None:
        graph, program, language = self.graph, self.program, self.language
        for argument in program.arguments:
            for part in argument.walk():
                if part.kind == "number":
                    self.inputs[part.numbers[0]] = Written(language.argument(part))
                elif part.kind == "array":
                    for kind in ("argument", "row"):
                        self.arrays[Space(kind, part.path)] = language.argument(part)
        slots = {
            slot: Place(Space("argument", part.path), i)
            for argument in program.arguments for part in argument.walk() if part.kind == "array"
            for i, slot in enumerate(part.numbers)
        }  # fmt: skip
        self._note_lengths()
        for region, arrays in program.regions.items():
            for k, (position, axis) in enumerate(arrays):
                self.rows[region, k] = self.by_position[position], axis
        for node, op in enumerate(graph.ops):
            if op == "input":
                slot = graph.args[node][0]
                if slot in slots:
                    self.places[node] = slots[slot]
                elif slot >= program.captured_from:
                    self.places[node] = Place(Space("captured"), slot - program.captured_from)
                elif slot in program.counts:
                    self.inputs[slot] = language.whole(self.length(*program.counts[slot]))
            elif op == "lane_input":
                part, axis = self.rows[graph.regions[node], graph.args[node][0]]
                if axis == 0:
                    self.places[node] = Place(Space("row", part.path), graph.args[node][1])

    def _note_lengths(self) -> None:
        """One name for the free lengths of all arrays that have to agree."""
        self.free: dict[int, str] = {}  # position of an array: the name of its free length
        for region, arrays in self.program.regions.items():
            free = [position for position, axis in arrays if self.by_position[position].shape[axis] is None]
            names = [self.free[p] for p in free if p in self.free]
            name = names[0] if names else self._name("n") if free else ""
            for position in free:
                if position not in self.free:
                    self.free[position] = name
                    part = self.by_position[position]
                    self.named_lengths.setdefault(name, []).append((part.path, part.size))
            self.lengths[region] = name or self.length(*arrays[0])

    def length(self, position: int, axis: int) -> str:
        n = self.by_position[position].shape[axis]
        return self.free[position] if n is None else str(n)

    # --- lines --------------------------------------------------------------------------------------------------------

    def _line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    @contextmanager
    def _block(self, opening: str) -> Iterator[None]:
        self._line(opening)
        self.indent += 1
        yield
        self.indent -= 1
        if self.language.close:
            self._line(self.language.close)

    # --- ways through the function ------------------------------------------------------------------------------------

    def _ways(self, ways: Sequence[Way], depth: int, state: State) -> None:
        """What is left of these ways from this branch on."""
        language = self.language
        while True:
            first = ways[0]
            if len(ways) == 1 and depth >= len(first.decisions):
                break
            condition = first.guards.get(depth)
            same = [w for w in ways if w.decisions[depth] == first.decisions[depth]]
            others = [w for w in ways if w not in same]
            if condition is not None:
                self._compute([condition], [], {}, state, {condition: 1})
                text = self.language.condition(self._read(condition, state))
                if others:
                    before = self.names.copy()
                    with self._block(language.when(text)):
                        self._ways(same, depth + 1, state.copy())
                    self.names = before
                    ways = others
                else:
                    for line in language.unless(text, UNKNOWN_BRANCH):
                        self._line(line)
            depth += 1
        self._way(first, state)

    def _way(self, way: Way, state: State) -> None:
        for condition, status in way.checks:
            self._compute([condition], [], {}, state, {condition: 1})
            for line in self.language.unless(self.language.condition(self._read(condition, state)), status):
                self._line(line)
        parts = [p for p in way.result.walk() if p.kind in ("number", "array")]
        arrays = [p for p in parts if p.kind == "array" and not p.region]
        for part in parts:
            if part.kind == "array":
                self.arrays[Space("result", part.path)] = self.language.result(part)
        homes: dict[Node, Place] = {}
        for part in arrays:
            for i, node in enumerate(part.numbers):
                homes.setdefault(node, Place(Space("result", part.path), i))
        targets = [node for part in parts if not part.region for node in part.numbers]
        stacks = [(node, part.region) for part in parts if part.region for node in part.numbers]
        self.stacks = [part for part in parts if part.region]
        self._compute(targets, stacks, homes, state, Counter(targets))
        for part in parts:
            if part.kind == "number":
                x = self._read(part.numbers[0], state)
                x = self.language.condition(x) if part.type == "bool" else self.language.number(x)
                self._line(self.language.assign_result(part, x.text))
        for part in arrays:
            to = [Place(Space("result", part.path), i) for i in range(len(part.numbers))]
            self._copy(to, [state.places.get(x, x) for x in part.numbers])
        for line in self.language.leave(way.result, self.lengths):
            self._line(line)

    def _compute(
        self, targets: Sequence[Node], stacks: Sequence[tuple[Node, int]], homes: Mapping[Node, Place], state: State,
        final: Mapping[Node, int],
    ) -> None:  # fmt: skip
        items = schedule(self.graph, targets, stacks, homes, state, self.language.tile > 1)
        self._items(items, state, final)
        self.most_work = max(self.most_work, state.work)

    # --- items --------------------------------------------------------------------------------------------------------

    def _items(self, items: Sequence[Item], state: State, final: Mapping[Node, int]) -> None:
        uses = self._uses(items)
        for item in items:
            if isinstance(item, Single):
                self._keep(
                    item.node, self._operation(item.node, state), state, uses[item.node] + final.get(item.node, 0)
                )
            elif isinstance(item, Sum):
                x = self._written_out(item.chain, state)
                self._keep(item.node, x, state, uses[item.node] + final.get(item.node, 0))
            elif isinstance(item, Copy):
                x = self.language.number(self._read(item.node, state))
                with self._of_each():
                    self._line(self.language.assign(self._at(item.place), x.text))
            elif isinstance(item, Map):
                self._map(item, state)
            elif isinstance(item, Sums):
                self._sums(item, state)
            else:
                self._lanes(item, state)

    def _uses(self, items: Sequence[Item]) -> Counter[Node]:
        """How often each node is read; counted double where it is computed outside of a loop and read inside."""
        uses: Counter[Node] = Counter()
        for item in items:
            if isinstance(item, Single):
                uses.update(self.graph.operands(item.node))
            elif isinstance(item, Sum):
                uses.update(item.chain.operands)
            elif isinstance(item, Copy):
                uses[item.node] += 1
            elif isinstance(item, Map):
                uses.update(2 * _nodes_of(item.operands))
            elif isinstance(item, Sums):
                uses.update(2 * [*item.needs, *_nodes_of([item.lefts, item.rights or ()])])
            else:
                inner = self._uses(item.body)
                uses.update({node: 2 * count for node, count in inner.items()})
                read = [x for total in item.totals for x in _nodes_of(total.factors)]
                uses.update(2 * [*read, *item.stacks])
        return uses

    def _keep(self, node: Node, x: Written, state: State, uses: int) -> None:
        """Give an expression its place or its name; one that is used once is written there."""
        place = state.places.get(node)
        if place is not None:
            with self._of_each():
                self._line(self.language.assign(self._at(place), self.language.number(x).text))
        elif uses <= 1 and len(x.text) <= WIDEST:
            self.names[node] = x
        else:
            self.names[node] = self._variable(self._fresh("c" if x.bit else "t"), x)

    def _fresh(self, letter: str) -> str:
        self.count += 1
        return self._name(f"{letter}{self.count}")

    def _map(self, item: Map, state: State) -> None:
        sequences = [self._indices(refs) for refs in [item.places, *refs_of(item)]]
        n = len(item.nodes)
        inner = _inner_length([s for s in sequences if s is not None], n)
        with self._loops(n, inner) as variables:
            x = self._element(item, (n // inner, inner), variables, state)
            to = self._element(item.places, (n // inner, inner), variables, state)
            with self._of_each():
                self._line(self.language.assign(to.text, self.language.number(x).text))

    def _sums(self, item: Sums, state: State) -> None:
        count, length = len(item.nodes), item.length
        with self._loops(count, count) as (_, row):
            total = self._fresh("s")
            start = self.language.literal(NEUTRAL)
            if item.starts is not None:
                start = self.language.number(self._element(item.starts, (1, count), ("", row), state))
            total = self._variable(total, start, mutable=True).text
            with self._loops(length, length) as (_, column):
                factors = [
                    self._element(side, (count, length), (row, column), state)
                    for side in (item.lefts, item.rights) if side is not None
                ]  # fmt: skip
                term = self._apply("fmul", factors) if len(factors) == 2 else self.language.number(factors[0])
                with self._of_each():
                    self._line(self.language.assign(total, term.text, "+="))
            to = self._element(item.places, (1, count), ("", row), state)
            with self._of_each():
                self._line(self.language.assign(to.text, total))

    def _lanes(self, item: Lanes, state: State) -> None:
        language = self.language
        for total in item.totals:
            start = 0.0 if total.op == "lane_sum" else float("inf")
            if total.places is None:
                name = self._fresh("s")
                self._line(language.declare(name, language.literal(start), mutable=True))
                self.names[total.nodes[0]] = Written(name)
            else:
                with self._over(total.places, state) as place:
                    self._line(language.assign(place, language.literal(start).text))
        outer = self.names.copy()
        with self._over_lanes(item):
            read = Counter([x for t in item.totals for x in _nodes_of(t.factors)])
            read.update(item.stacks)
            self._items(item.body, item.inside, read)
            for total in item.totals:
                self._total(total, item.inside)
            self._stack(item)
        self.names = outer

    @contextmanager
    def _over_lanes(self, item: Lanes) -> Iterator[None]:
        """The loop over the lanes of a region, one by one or in tiles of several side by side."""
        language, count, variable = self.language, self.lengths[item.region], self._name("lane")
        self.lane, work = variable, item.inside.work
        lines = sum([isinstance(x, Single | Sum | Copy) for x in item.body])
        self.tile = language.tile if work <= MOST_TILED_NUMBERS and lines <= MOST_TILED_LINES else 1
        if language.tile > 1:
            self.most_lanes = max(self.most_lanes, self.tile * work)
        else:
            self.most_work = max(self.most_work, work)
        opening = [language.loop(variable, count)]
        if self.tile > 1:
            self.last, at, self.each = self._name("last"), self._name("at"), self._name("l")
            self.lane = f"{at}[{self.each}]"
            opening = language.tiles(variable, count, self.last, at, self.each)
        with self._block(opening[0]):
            for line in opening[1:]:
                self._line(line)
            yield
        self.taken -= {variable}
        self.lane = self.each = self.last = ""

    @contextmanager
    def _of_each(self, count: str = "") -> Iterator[None]:
        """In a tile, for each of its lanes, or so many."""
        if not self.each:
            yield
            return
        with self._block(self.language.loop(self.each, count or str(self.tile))):
            yield

    def _variable(self, name: str, x: Written, mutable: bool = False) -> Written:
        """Declare a variable that begins as x; in a tile one for each lane."""
        if not self.each:
            self._line(self.language.declare(name, x, mutable))
            return Written(name, bit=x.bit)
        self._line(self.language.array(name))
        element = Written(f"{name}[{self.each}]")
        with self._of_each():
            self._line(self.language.assign(element.text, self.language.number(x).text))
        return element

    def _total(self, total: Total, state: State) -> None:
        language = self.language
        n = len(total.nodes)
        if total.places is not None:
            read = [refs for factor in total.factors for refs in refs_of(factor)]
            sequences = [self._indices(refs) for refs in [total.places, *read]]
            inner = _inner_length([s for s in sequences if s is not None], n)
            with self._of_each(self.last), self._loops(n, inner) as variables:
                shape = n // inner, inner
                term = self._product([self._element(refs, shape, variables, state) for refs in total.factors])
                place = self._element(total.places, shape, variables, state).text
                self._line(language.assign(place, term.text, "+="))
            return
        name = self.names[total.nodes[0]]
        term = self._product([self._element(refs, (1, 1), ("", ""), state) for refs in total.factors])
        with self._of_each(self.last):
            if total.op == "lane_sum":
                self._line(language.assign(name.text, term.text, "+="))
            else:
                with self._block(language.when(self._apply("fcmp olt", [term, name]))):
                    self._line(language.assign(name.text, term.text))

    def _product(self, factors: Sequence[Written]) -> Written:
        return self._apply("fmul", factors) if len(factors) == 2 else self.language.number(factors[0])

    def _stack(self, item: Lanes) -> None:
        """Store what this lane has computed."""
        computed = {*item.stacks}
        for part in self.stacks:
            if part.region != item.region or computed.isdisjoint(part.numbers):
                continue
            array, size = self.arrays[Space("result", part.path)], len(part.numbers)
            refs = [item.inside.places.get(x, x) for x in part.numbers]
            spaces = {r.space if isinstance(r, Place) else None for r in refs}
            if part.axis == 0 and size >= LONG and len(spaces) == 1 and None not in spaces:
                with self._loop(size) as k:
                    x = self._element(refs, (1, size), ("", k), item.inside)
                    with self._of_each(self.last):
                        self._line(self.language.assign(f"{array}[{_joined([(size, self.lane), (1, k)])}]", x.text))
                continue
            inner = math.prod([n or 1 for n in part.shape[part.axis + 1 :]])
            for e, node in enumerate(part.numbers):
                if node in computed:
                    index = self._lane_element(self.lengths[item.region], e, size, inner)
                    x = self.language.number(self._read(node, item.inside))
                    with self._of_each(self.last):
                        self._line(self.language.assign(f"{array}[{index}]", x.text))

    def _lane_element(self, length: str, e: int, size: int, inner: int) -> str:
        """The index of element e of this lane's part, if `inner` elements come after the axis of the lanes."""
        outer, rest = divmod(e, inner)
        if size == inner or outer == 0:
            return _joined([(inner, self.lane)], rest)
        return _joined([(inner, f"({_joined([(outer, length), (1, self.lane)])})")], rest)

    def _copy(self, to: Sequence[Place], refs: Sequence[Ref]) -> None:
        """Store results that are not where they belong."""
        pairs = [(t, r) for t, r in zip(to, refs, strict=True) if t != r]
        for key, run in itertools.groupby(pairs, lambda pair: pair[1].space if isinstance(pair[1], Place) else None):
            found = [*run]
            targets, sources = [t for t, _ in found], [r for _, r in found]
            state = State({})
            if key is not None and len(found) >= LONG:
                sequences = [self._indices(targets), self._indices(sources)]
                inner = _inner_length([s for s in sequences if s is not None], len(found))
                shape = len(found) // inner, inner
                with self._loops(len(found), inner) as variables:
                    x = self._element(sources, shape, variables, state)
                    self._line(self.language.assign(self._element(targets, shape, variables, state).text, x.text))
            else:
                for t, r in found:
                    x = self.language.number(self._element([r], (1, 1), ("", ""), state))
                    self._line(self.language.assign(self._at(t), x.text))

    # --- loops --------------------------------------------------------------------------------------------------------

    @contextmanager
    def _loops(self, n: int, inner: int) -> Iterator[tuple[str, str]]:
        """One loop, or one in another; yields their variables, "" for one that is not needed."""
        outer_count = n // inner
        with self._loop(outer_count) as i, self._loop(inner) as j:
            yield i, j

    @contextmanager
    def _loop(self, count: int) -> Iterator[str]:
        if count == 1:
            yield ""
            return
        variable = next(x for x in self._letters() if x not in self.taken)
        self.taken.add(variable)
        with self._block(self.language.loop(variable, str(count))):
            yield variable
        self.taken.discard(variable)

    @staticmethod
    def _letters() -> Iterator[str]:
        yield from "ijk"
        yield from (f"i{n}" for n in itertools.count(1))

    @contextmanager
    def _over(self, places: Sequence[Place], state: State) -> Iterator[str]:
        """A loop over places."""
        inner = _inner_length([self._indices(places)], len(places))  # type: ignore[list-item]
        with self._loops(len(places), inner) as variables:
            yield self._element(places, (len(places) // inner, inner), variables, state).text

    def _indices(self, refs: Sequence[Ref]) -> "np.ndarray[Any, Any] | None":
        """Where the numbers are in their array; of constants that differ, in a table of them."""
        if isinstance(refs[0], Place):
            return np.array([r.offset for r in refs])  # type: ignore[union-attr]
        return None if len({*refs}) == 1 else np.arange(len(refs))

    def _element(self, refs: Operand, shape: tuple[int, int], variables: tuple[str, str], state: State) -> Written:
        """The number that a loop, or two, have come to."""
        if isinstance(refs, Map):
            return self._apply(refs.op, [self._element(x, shape, variables, state) for x in refs.operands])
        first = refs[0]
        if isinstance(first, Place):
            return Written(self._indexed(first.space, np.array([r.offset for r in refs]), shape, variables))  # type: ignore[union-attr]
        if len({*refs}) == 1:
            return self._read(first, state)
        numbers = [self.language.literal(self.graph.args[r][0]).text for r in refs]  # type: ignore[index]
        table = self._table(numbers, "double")
        return Written(f"{table}[{self._index(np.arange(len(refs)), shape, variables)}]")

    def _indexed(self, space: Space, indices: Any, shape: tuple[int, int], variables: tuple[str, str]) -> str:
        index = self._index(indices, shape, variables)
        if space.kind == "row":
            part = next(p for p in self.by_position.values() if p.path == space.path)
            size = part.size if part.shape[0] is None else part.size // (part.shape[0] or 1)
            index = _joined([(size, self.lane)], index)
        if space == LANES and self.each:
            simple = index.replace("[", "").replace("]", "").isalnum()
            terms = [] if index.isdigit() else [(self.tile, index if simple else f"({index})")]
            index = _joined([*terms, (1, self.each)], self.tile * int(index) if index.isdigit() else 0)
        return f"{self.arrays[space]}[{index}]"

    def _at(self, place: Place) -> str:
        return self._indexed(place.space, np.array([place.offset]), (1, 1), ("", ""))

    def _index(self, indices: Any, shape: tuple[int, int], variables: tuple[str, str]) -> str:
        """Indices of a loop in a loop, as arithmetic if they are that, or from a table."""
        grid = indices.reshape(shape)
        rows, columns = shape
        i, j = variables
        first = int(grid[0, 0])
        down = int(grid[1, 0]) - first if rows > 1 else 0
        along = int(grid[0, 1]) - first if columns > 1 else 0
        if (grid == first + down * np.arange(rows)[:, None] + along * np.arange(columns)).all():
            return _joined([(down, i), (along, j)], first)
        if (grid == grid[0]).all():
            return f"{self._table(grid[0], 'index')}[{j}]"
        if (grid - grid[:, :1] == along * np.arange(columns)).all():
            return _joined([(1, f"{self._table(grid[:, 0], 'index')}[{i}]"), (along, j)])
        return f"{self._table(indices, 'index')}[{_joined([(columns, i), (1, j)])}]"

    def _table(self, entries: Any, kind: str) -> str:
        texts = tuple([str(x) for x in (entries.tolist() if isinstance(entries, np.ndarray) else entries)])
        if (kind, texts) not in self.known_tables:
            name = self._name(f"{'numbers' if kind == 'double' else 'indices'}{len(self.known_tables) + 1}")
            self.known_tables[kind, texts] = name
            self.tables += self.language.table(name, texts, kind)
        return self.known_tables[kind, texts]

    # --- expressions --------------------------------------------------------------------------------------------------

    def _read(self, node: Node, state: State) -> Written:
        """A number that is computed already."""
        graph = self.graph
        place = state.places.get(node)
        if place is not None:
            return Written(self._at(place))
        op, args = graph.ops[node], graph.args[node]
        if op == "const":
            return self.language.literal(args[0])
        if op == "input":
            return self.inputs[args[0]]
        if op == "lane_index":
            return self.language.whole(self.lane)
        if op == "lane_input":
            part, axis = self.rows[graph.regions[node], args[0]]
            sizes = [n or 1 for n in part.shape]
            inner = math.prod(sizes[axis + 1 :])
            size = math.prod(sizes) // sizes[axis]
            index = self._lane_element(self.lengths[graph.regions[node]], args[1], size, inner)
            return Written(f"{self.arrays[Space('row', part.path)]}[{index}]")
        return self.names[node]

    def _operation(self, node: Node, state: State) -> Written:
        return self._apply(self.graph.ops[node], [self._read(x, state) for x in self.graph.args[node]])

    def _written_out(self, chain: Chain, state: State) -> Written:
        lefts = [self._read(x, state) for x in chain.lefts]
        if chain.rights is None:
            terms = lefts
        else:
            rights = [self._read(x, state) for x in chain.rights]
            terms = [self._apply("fmul", pair) for pair in zip(lefts, rights, strict=True)]
        if chain.start is not None:
            terms.insert(0, self._read(chain.start, state))
        total = terms[0]
        for term in terms[1:]:
            total = self._apply("fadd", [total, term])
        return total

    def _apply(self, op: str, operands: Sequence[Written]) -> Written:
        self.called[op] = None
        return self.language.apply(op, operands)


def _nodes_of(operands: Iterable[Operand]) -> list[Node]:
    """The nodes that are read, beside what has a place."""
    return [x for operand in operands for refs in refs_of(operand) for x in refs if isinstance(x, int)]


def _joined(terms: Sequence[tuple[int, str]], rest: "int | str" = 0) -> str:
    """A sum of products of whole numbers and variables; what is 0 is left out."""
    parts = [
        (factor < 0, name if abs(factor) == 1 else f"{abs(factor)} * {name}")
        for factor, name in terms
        if factor and name
    ]
    if rest not in (0, "0"):
        parts.append((False, str(rest)) if isinstance(rest, str) or rest > 0 else (True, str(-rest)))
    parts.sort(key=lambda part: part[0])  # what is subtracted comes last, so that nothing is negative
    if not parts:
        return "0"
    text = f"-{parts[0][1]}" if parts[0][0] else parts[0][1]
    return text + "".join([f" {'-' if negative else '+'} {part}" for negative, part in parts[1:]])


def _inner_length(sequences: "Sequence[np.ndarray[Any, Any]]", n: int) -> int:
    """How long an inner loop best is, so that indices are arithmetic."""
    lengths = {n}
    for indices in sequences:
        steps = np.diff(indices)
        breaks = np.flatnonzero(steps != steps[:1])
        if len(breaks):
            lengths.add(int(breaks[0]) + 1)

    def fits(length: int) -> int:
        if n % length or length == 1:
            return -1
        return sum(_is_affine(indices.reshape(-1, length)) for indices in sequences)

    return max(lengths, key=lambda length: (fits(length), length))


def _is_affine(grid: "np.ndarray[Any, Any]") -> bool:
    rows, columns = grid.shape
    down = grid[1, 0] - grid[0, 0] if rows > 1 else 0
    along = grid[0, 1] - grid[0, 0] if columns > 1 else 0
    return bool((grid == grid[0, 0] + down * np.arange(rows)[:, None] + along * np.arange(columns)).all())
