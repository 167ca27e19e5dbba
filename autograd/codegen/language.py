"""What a language has to say of itself, so that the one printer can write in it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from autograd.compiler.optimize.graph import Rule
from autograd.compiler.optimize.identities import RULES
from autograd.compiler.optimize.operations import CONDITIONS, LOGICAL as OF_CONDITIONS

if TYPE_CHECKING:  # a page is made without NumPy
    from autograd.codegen.interface import Part

WIDEST = 70  # characters of an expression that is written where it is used, and not given a name
# On lanes these are written out, which suits machine code; here they are called.
IDENTITIES = {op: rule for op, rule in RULES.items() if op not in ("exp", "expm1")}
# What exported code returns, or raises, beside results
UNKNOWN_BRANCH, BAD_INDEX, TOO_LARGE = 1, 2, 3
MEANING = {
    UNKNOWN_BRANCH: "the numbers take a branch that no example took",
    BAD_INDEX: "an index is out of range",
    TOO_LARGE: "a whole number is too large",
}

CHOICE, LOGICAL, COMPARISON, SUM, PRODUCT, SIGN, ATOM = range(7)  # precedences, weakest first


class Written(NamedTuple):
    """An expression, how strongly it binds, and whether it is a truth value."""

    text: str
    binds: int = ATOM
    bit: bool = False

    def inside(self, least: int) -> str:
        """In parentheses, if it binds weaker than this."""
        return self.text if self.binds >= least else f"({self.text})"


class Operation(NamedTuple):
    """How a machine operation is written: a template, how strongly it binds, and how its operands at least have to."""

    template: str
    binds: int
    operands: tuple[int, ...]


def infix(symbol: str, binds: int, right: int | None = None) -> Operation:
    """Between two operands. The right one binds stronger, so that what was added last is not added first."""
    return Operation(f"{{}} {symbol} {{}}", binds, (binds, binds + 1 if right is None else right))


def call(function: str, count: int = 1) -> Operation:
    return Operation(f"{function}({', '.join(['{}'] * count)})", ATOM, (CHOICE,) * count)


ARITHMETIC = {
    "fadd": infix("+", SUM), "fsub": infix("-", SUM), "fmul": infix("*", PRODUCT), "fdiv": infix("/", PRODUCT),
    "fneg": Operation("-{}", SIGN, (ATOM,)),
}  # fmt: skip
COMPARISONS = {
    f"fcmp {name}": infix(symbol, COMPARISON, SUM)._replace(operands=(SUM, SUM))
    for name, symbol in {"oeq": "==", "olt": "<", "ole": "<=", "ogt": ">", "oge": ">=", "une": "!="}.items()
}


@dataclass
class Body:
    """What the printer has made of a function.

    Attributes:
        lines: the statements.
        tables: constants to be declared before the function: lines.
        called: the functions that are called, by the names that they have in the table of operations.
        work, lanes: how long the arrays of numbers in between are: of all, and of the lanes of a tile.
        lengths: the names of free lengths, with the arrays (their paths) that have them and the elements of one row.
        result_lengths: for each region how many lanes it has: a name or a number.
        binary: machine code beside the text.
    """

    lines: Sequence[str]
    tables: Sequence[str]
    called: Sequence[str]
    work: int
    lengths: Mapping[str, Sequence[tuple[tuple[str, ...], int]]]
    result_lengths: Mapping[int, str]
    binary: bytes = b""
    lanes: int = 0


class Language(ABC):
    """One language: its table of operations and its syntax."""

    name: ClassVar[str]
    extension: ClassVar[str]
    operations: ClassVar[Mapping[str, Operation]]
    reserved: ClassVar[frozenset[str]]  # names that nothing of a user's may have
    identities: ClassVar[Mapping[str, Rule]] = IDENTITIES
    comment: ClassVar[str] = "//"
    end: ClassVar[str] = ";"
    close: ClassVar[str] = "}"
    infinity: ClassVar[str]
    nan: ClassVar[str]
    tile: ClassVar[int] = 1  # lanes side by side, for registers that hold several numbers
    zero_if: ClassVar[str] = "{} != 0.0"

    def literal(self, x: float) -> Written:
        if x != x:
            return Written(self.nan)
        text = self.infinity if math.isinf(x) else self.finite(abs(x))
        return Written(f"-{text}", SIGN) if math.copysign(1.0, x) < 0 else Written(text)

    def finite(self, x: float) -> str:
        return repr(x)

    def operation(self, op: str, count: int) -> Operation:
        """Errors: TypeError for one that the language does not have."""
        if op not in self.operations:
            raise TypeError(
                f"the operation {op!r} is not known in {self.name}: give the primitive a `lower` made of "
                "functions of this package"
            )
        return self.operations[op]

    def apply(self, op: str, operands: Sequence[Written]) -> Written:
        """An operation of these."""
        kinds: list[Callable[[Written], Written]] = [self.number] * len(operands)
        if op in OF_CONDITIONS:
            kinds = [self.condition] * len(operands)
        elif op == "select":
            kinds[0] = self.condition
        operation = self.operation(op, len(operands))
        written = [kind(x) for kind, x in zip(kinds, operands, strict=True)]
        texts = [x.inside(least) for x, least in zip(written, operation.operands, strict=True)]
        return Written(operation.template.format(*texts), operation.binds, op in CONDITIONS)

    def number(self, x: Written) -> Written:
        return self.of_bit(x) if x.bit else x

    def condition(self, x: Written) -> Written:
        return x if x.bit else self.apply("fcmp une", [x, self.literal(0.0)])

    @abstractmethod
    def of_bit(self, x: Written) -> Written:
        """A truth value as 1.0 or 0.0."""

    @abstractmethod
    def whole(self, length: str) -> Written:
        """A length as a number."""

    # --- names of what is passed ---

    @abstractmethod
    def argument(self, part: "Part") -> str:
        """A number or an array among the arguments."""

    @abstractmethod
    def result(self, part: "Part") -> str:
        """A number or an array among the results."""

    # --- statements ---

    @abstractmethod
    def declare(self, name: str, x: Written, mutable: bool = False) -> str: ...

    def assign(self, place: str, text: str, operator: str = "=") -> str:
        return f"{place} {operator} {text}{self.end}"

    def assign_result(self, part: "Part", x: str) -> str:
        return self.assign(self.result(part), x)

    @abstractmethod
    def loop(self, variable: str, count: str) -> str: ...

    def tiles(self, variable: str, count: str, last: str, at: str, each: str) -> list[str]:
        """The beginning of a loop over tiles of so many lanes, and what it declares; see Printer.

        Args:
            variable: the first lane of a tile; `count`: how many lanes there are.
            last: a name for how many lanes this tile has.
            at: a name for an array of their numbers, that of the last one where there are no more.
            each: a variable that runs over the lanes of a tile.
        """
        raise NotImplementedError

    def array(self, name: str) -> str:
        """The declaration of a number for each lane of a tile."""
        raise NotImplementedError

    @abstractmethod
    def when(self, condition: Written) -> str: ...

    @abstractmethod
    def unless(self, condition: Written, status: int) -> list[str]:
        """Leave with this status if the condition does not hold."""

    @abstractmethod
    def leave(self, result: "Part", lengths: Mapping[int, str]) -> list[str]:
        """The end of a way through the function: what is left to do with the results, which are computed.

        Args:
            lengths: of each region how many lanes it has, as a name or a number.
        """

    @abstractmethod
    def table(self, name: str, entries: Sequence[str], kind: str) -> list[str]:
        """A constant array; its kind is "double", or "index" for whole numbers."""

    @abstractmethod
    def module(self, name: str, about: Sequence[str], arguments: "Sequence[Part]", result: "Part", body: Body) -> str:
        """The text of everything.

        Args:
            about: what to say of it at its beginning.
        """


def filled(entries: Sequence[str], indent: str = "    ", width: int = 110) -> list[str]:
    """Entries of a table, with commas, in lines."""
    lines, line = [], ""
    for entry in entries:
        if len(line) + len(entry) > width:
            lines.append(indent + line.rstrip())
            line = ""
        line += f"{entry}, "
    return [*lines, indent + line.rstrip()]
