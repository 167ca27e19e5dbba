"""What the compiler's own numbers, arrays and lanes ask of the trace that they belong to."""

from collections.abc import Sequence
from typing import Any, NoReturn

from autograd.tracing import Tracer
from autograd.value import Value


class TraceHooks(Tracer):
    """The hooks of the compiler's trace, beside those that every Value calls.

    Attributes:
        closed: whether the trace is over, so that what is left of it has no numbers.
    """

    closed: bool

    def note_range(self, integer: Any) -> None:
        """Whole numbers were computed, which have to stay in the bounds of their type, or the plain function serves."""
        raise NotImplementedError

    def note_requirement(self, condition: Any) -> None:
        """The plain function serves where the condition does not hold."""
        raise NotImplementedError

    def need_number(self, x: Any, what: str) -> NoReturn:
        """Python or NumPy needs a whole number itself: the arguments behind it become part of the program."""
        raise NotImplementedError

    def stop_compiling(self, what: str) -> NoReturn:
        """The function does what compiled code cannot do."""
        raise NotImplementedError

    def apply_ufunc(self, ufunc: Any, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """What a function of NumPy gives for integers and booleans, among others."""
        raise NotImplementedError

    def array_inputs(self, array: Any) -> list[Value]:
        """Leaves for the elements of an array argument, which the function looks into."""
        raise NotImplementedError

    def repeat_as_loop(self, region: Any) -> NoReturn:
        """The function looks into the results of a vmap: trace again, with that vmap as a plain loop."""
        raise NotImplementedError
