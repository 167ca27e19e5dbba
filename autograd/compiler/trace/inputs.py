"""What fills the slots of compiled code before it runs: scalars, elements of arrays, and how many lanes there are."""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from autograd.compiler.arguments import Arguments


class Scalars(NamedTuple):
    """The floats among the arguments, and the parameters of Modules, in the slots from `first` up to `end`."""

    first: int
    end: int

    def fill(self, slots: Any, arguments: "Arguments") -> None:
        slots[self.first : self.end] = arguments.scalars


class Integers(NamedTuple):
    """The whole numbers among the arguments."""

    first: int
    end: int

    def fill(self, slots: Any, arguments: "Arguments") -> None:
        slots[self.first : self.end] = arguments.integers


class Elements(NamedTuple):
    """All elements of the array at a position among the arrays."""

    first: int
    end: int
    position: int

    def fill(self, slots: Any, arguments: "Arguments") -> None:
        slots[self.first : self.end] = arguments.arrays[self.position].ravel()


class Count(NamedTuple):
    """The number of lanes of a region: the length of one of its arrays along the mapped axis."""

    first: int
    end: int
    position: int
    axis: int

    def fill(self, slots: Any, arguments: "Arguments") -> None:
        slots[self.first] = arguments.arrays[self.position].shape[self.axis]


Input = Scalars | Integers | Elements | Count
