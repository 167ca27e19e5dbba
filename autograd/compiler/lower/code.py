"""A writer of LLVM IR: one function at a time, its instructions, loops and branches in the order in which they run."""

import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any


class Code:
    """One function of LLVM IR, without a result.

    Args:
        name: of the function.
        parameters: their names, each with its type and attributes.
        internal: whether only the module itself calls it.
        quick: whether to compile it in the shortest time, whatever the code it becomes.

    Attributes:
        declared: the functions from outside of the module that it calls, as they are to be declared.

    Values and addresses are the names that LLVM has for them (`%3`), or literals; Python ints stand for i64 literals.

    Example:
        >>> code = Code("fill", {"to": "ptr", "n": "i64", "x": "double"})
        >>> with code.loop(0, "%n") as i:
        ...     code.store("double", "%x", code.at("%to", i))
        >>> code.text().count("phi")
        1
    """

    def __init__(self, name: str, parameters: dict[str, str], *, internal: bool = False, quick: bool = False):
        written = ", ".join([f"{kind} %{parameter}" for parameter, kind in parameters.items()])
        attributes = " noinline optnone" if quick else ""
        self.lines = [f"define {'internal ' if internal else ''}void @{name}({written}){attributes} {{", "entry:"]
        self.declared: set[str] = set()
        self._block = "entry"
        self._names = 0

    def text(self) -> str:
        return "\n".join([*self.lines, "  ret void", "}"])

    def do(self, instruction: str) -> None:
        """An instruction without a result."""
        self.lines.append(f"  {instruction}")

    def value(self, instruction: str) -> str:
        """An instruction with a result, which gets a name of its own."""
        name = self._fresh()
        self.lines.append(f"  {name} = {instruction}")
        return name

    def _fresh(self) -> str:
        self._names += 1
        return f"%t{self._names}"

    def add(self, x: Any, y: Any) -> str:
        return self.value(f"add i64 {x}, {y}")

    def sub(self, x: Any, y: Any) -> str:
        return self.value(f"sub i64 {x}, {y}")

    def mul(self, x: Any, y: Any) -> str:
        return self.value(f"mul i64 {x}, {y}")

    def least(self, x: Any, y: Any) -> str:
        return self.result("i64", "llvm.smin.i64", [x, y])

    def select(self, kind: str, condition: str, x: str, y: str, bit: str = "i1") -> str:
        return self.value(f"select {bit} {condition}, {kind} {x}, {kind} {y}")

    def splat(self, lanes: int, kind: str, x: Any) -> str:
        """A vector with x in every lane; of one lane, x itself."""
        if lanes == 1:
            return str(x)
        vector = f"<{lanes} x {kind}>"
        one = self.value(f"insertelement {vector} poison, {kind} {x}, i64 0")
        return self.value(f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def shuffle(self, lanes: int, x: str, y: str, indices: Sequence[int]) -> str:
        """Elements of two vectors of so many doubles, counted through both."""
        vector, numbers = f"<{lanes} x double>", ", ".join([f"i32 {i}" for i in indices])
        return self.value(f"shufflevector {vector} {x}, {vector} {y}, <{len(indices)} x i32> <{numbers}>")

    def gathered(self, kind: str, scalars: Sequence[str]) -> str:
        """A vector of these; of one lane, the scalar itself."""
        vector, whole = "poison", f"<{len(scalars)} x {kind}>"
        for lane, scalar in enumerate(scalars):
            vector = self.value(f"insertelement {whole} {vector}, {kind} {scalar}, i64 {lane}")
        return scalars[0] if len(scalars) == 1 else vector

    def transposed(self, rows: Sequence[str], size: int, lanes: int) -> list[str]:
        """So many columns of so many lanes, out of rows: vectors of as many doubles, in the order of memory.

        Both numbers are powers of two, and there are no fewer lanes than columns.
        """
        vectors = [*rows]
        while len(vectors) > size:
            indices = range(2 * size * lanes // len(vectors))
            pairs = [*zip(vectors[::2], vectors[1::2], strict=True)]
            vectors = [self.shuffle(len(indices) // 2, x, y, indices) for x, y in pairs]
        for _ in range(size.bit_length() - 1):  # evens, then odds: the last bit of a position becomes the first one
            pairs = [*zip(vectors[::2], vectors[1::2], strict=True)]
            vectors = [self.shuffle(lanes, x, y, range(i, 2 * lanes, 2)) for i in (0, 1) for x, y in pairs]
        return vectors

    def rows(self, columns: Sequence[str], lanes: int, size: int) -> list[str]:
        """What columns of so many lanes hold, row after row, as vectors of so many doubles; the reverse of
        `transposed`."""
        vectors, half = [*columns], len(columns) // 2
        for _ in range(len(columns).bit_length() - 1):
            pairs = [*zip(vectors[:half], vectors[half:], strict=True)]
            parts = [[i + k for k in range(lanes // 2) for i in (first, first + lanes)] for first in (0, lanes // 2)]
            vectors = [self.shuffle(lanes, x, y, part) for x, y in pairs for part in parts]
        starts = range(0, lanes, size)
        return [self.shuffle(lanes, x, "poison", range(i, i + size)) for x in vectors for i in starts]

    # --- memory -------------------------------------------------------------------------------------------------------

    def at(self, base: str, index: Any, kind: str = "double") -> str:
        """The address of an element; an address takes 64 bits wherever it is stored."""
        return self.value(f"getelementptr {'i64' if kind == 'ptr' else kind}, ptr {base}, i64 {index}")

    def load(self, kind: str, address: str, align: int = 8) -> str:
        return self.value(f"load {kind}, ptr {address}, align {align}")

    def store(self, kind: str, x: str, address: str) -> None:
        self.do(f"store {kind} {x}, ptr {address}, align 8")

    def entry(self, table: str, index: Any, kind: str = "i64") -> str:
        """An element of a table."""
        return self.load(kind, self.at(table, index, kind))

    def index(self, table: str, i: Any) -> str:
        """An entry of a table of `table`, as a 64-bit integer."""
        return self.value(f"sext i32 {self.load('i32', self.at(table, i, 'i32'), 4)} to i64")

    # --- calls --------------------------------------------------------------------------------------------------------

    def call(self, function: str, *arguments: tuple[str, Any]) -> None:
        """Call a function of the module; arguments are (type, value)."""
        self.do(f"call void {function}({', '.join([f'{kind} {x}' for kind, x in arguments])})")

    def result(self, kind: str, function: str, arguments: Sequence[Any]) -> str:
        """The result of a function from outside of the module; its arguments are of the type of its result."""
        self.declared.add(f"declare {kind} @{function}({', '.join([kind] * len(arguments))})")
        return self.value(f"call {kind} @{function}({', '.join([f'{kind} {x}' for x in arguments])})")

    # --- blocks -------------------------------------------------------------------------------------------------------

    @contextmanager
    def loop(
        self, first: Any, end: Any, step: int = 1, variables: Mapping[str, tuple[str, str]] = MappingProxyType({})
    ) -> "Iterator[Loop]":
        """for i in range(first, end, step), with variables that one round hands to the next: name, type, first value.

        Yields: i. In the body and after it `i[name]` is a variable; the body says what the next round gets,
        `i[name] = ...`.
        """
        loop = Loop(self._fresh(), {name: self._fresh() for name in variables})
        head, body, after = [f"{label}{self._names}" for label in ("head", "body", "after")]
        before = self._block
        self._jump(head)
        phis = len(self.lines)
        self._branch(self.value(f"icmp slt i64 {loop}, {end}"), body, after)
        yield loop
        written = [("i64", loop.index, first, self.add(loop, step))]
        written += [(kind, loop[name], x, loop.following[name]) for name, (kind, x) in variables.items()]
        self.lines[phis:phis] = [
            f"  {name} = phi {kind} [ {x}, %{before} ], [ {following}, %{self._block} ]"
            for kind, name, x, following in written
        ]
        self.do(f"br label %{head}")
        self._begin(after)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """if condition: ..."""
        then, after = f"then{self._names}", f"after{self._names}"
        self._branch(condition, then, after)
        yield
        self._jump(after)

    def _branch(self, condition: str, then: str, otherwise: str) -> None:
        self.do(f"br i1 {condition}, label %{then}, label %{otherwise}")
        self._begin(then)

    def _jump(self, label: str) -> None:
        self.do(f"br label %{label}")
        self._begin(label)

    def _begin(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self._block = label


class Loop:
    """The index of a loop, with its variables; see `Code.loop`."""

    def __init__(self, index: str, variables: Mapping[str, str]):
        self.index = index
        self.variables = variables
        self.following: dict[str, str] = {}

    def __str__(self) -> str:
        return self.index

    def __getitem__(self, name: str) -> str:
        return self.variables[name]

    def __setitem__(self, name: str, following: str) -> None:
        self.following[name] = following


def table(name: str, entries: Sequence[int]) -> str:
    """A constant table of 32-bit integers in a module, written as bytes, which LLVM reads fastest.

    Example:
        >>> table("one", [1])
        '@one = internal constant [4 x i8] c"\\\\01\\\\00\\\\00\\\\00", align 4'
    """
    data = array.array("i", entries).tobytes()
    written = "\\" + data.hex("\\") if data else ""
    return f'@{name} = internal constant [{len(data)} x i8] c"{written}", align 4'


def vector_type(width: int, kind: str = "double") -> str:
    """The type of so many numbers; of one it is no vector."""
    return f"<{width} x {kind}>" if width > 1 else kind


def literal(x: str, width: int, kind: str = "double") -> str:
    """So many times the same constant."""
    return f"splat ({kind} {x})" if width > 1 else x
