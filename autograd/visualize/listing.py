"""A graph as lines of text: what a picture of it prints in a terminal."""

from collections.abc import Callable, Mapping, Sequence

from autograd.value import Value
from autograd.visualize.expressions import Printer, Symbol, definition_of

MOST_LINES = 30  # chosen so that a terminal shows them


def listing(
    values: Sequence[Value], names: Mapping[Value, str], number: Callable[[float], str], hidden: int = 0
) -> str:
    """A line for each Value, parents before children; of many the last.

    Args:
        values: the nodes.
        names: of each of them, no two alike.
        number: writes a number.
        hidden: how many nodes of the graph are not among the values.

    Example:
        >>> x = Value(3.0)
        >>> y = x * 2
        >>> y.backward()
        >>> print(listing([x, y], {x: "x", y: "y"}, "{:g}".format))
        x = 3        grad 2
        y = 2·x = 6  grad 1
    """
    shown = values[-MOST_LINES:]
    symbols = {x: Symbol(names[x]) for x in values}
    write = Printer(number)
    left = []
    for x in shown:
        formula = "" if x.op is None else f" = {write(definition_of(x, symbols))}"
        left.append(f"{names[x]}{formula} = {write.value(x.data)}")
    width = max(map(len, left))
    lines = [f"{text:{width}}  grad {write.value(x.grad)}" for text, x in zip(left, shown, strict=True)]
    hidden += len(values) - len(shown)
    return "\n".join([f"… {hidden} more", *lines] if hidden else lines)
