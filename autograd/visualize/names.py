"""What people read in all three views: the names of values, numbers in four digits, and text that is safe to show."""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd.frames import callers_frame
from autograd.value import Value

LONGEST_NAME = 32  # characters; chosen so that a box can still be read
OUT_OF_DATE = "out of date: a leaf was edited after this was computed; compute it again"
NumberFormat = str | Callable[[float], str]


def caller_scope() -> dict[str, Any]:
    """The variables that the code which called this package can see, its local ones first."""
    frame = callers_frame()
    local = frame.f_locals
    visible = {**local, **{name: x for name, x in frame.f_globals.items() if name not in local}}
    return {name: x for name, x in visible.items() if name.isidentifier()}  # pytest adds names like @py_assert1


def names_of_values(scope: Mapping[str, Any]) -> dict[Value, str]:
    """The Values bound to variables, and those in lists and tuples bound to one, with the name of each.

    Names that begin with an underscore do not count: they are private, or IPython's own (`_`, `__`, `_3`).

    Example:
        >>> a, b = Value(1.0), Value(2.0)
        >>> sorted(names_of_values({"a": a, "_": b, "pair": (a, b)}).values())
        ['a', 'pair[1]']
    """
    names: dict[Value, str] = {}
    public = {name: x for name, x in scope.items() if not name.startswith("_")}
    for name, x in public.items():
        if isinstance(x, Value):
            names.setdefault(x, name)
    for name, xs in public.items():
        if type(xs) in (list, tuple):
            for i, x in enumerate(xs):
                if isinstance(x, Value):
                    names.setdefault(x, f"{name}[{i}]")
    return names


class Names:
    """The name of each Value: its own label, else the name of a variable, else that of a model's parameter.

    Args:
        variables: names to Values; None looks at the variables that the caller of the package can see.
        model: something with `named_parameters()`, whose parameters then have names, too.
    """

    def __init__(self, variables: Mapping[str, Any] | None = None, model: Any = None):
        self.paths = {x: name for name, x in parameters_of(model).items()}
        self.of = dict(self.paths)
        self.of.update(names_of_values(caller_scope() if variables is None else variables))

    def __getitem__(self, value: Value) -> str:
        return value.label or self.of.get(value, "")


def distinct_names(order: Iterable[Value], names: Names) -> dict[Value, str]:
    """A name for every node, no two alike: v1, v2, ... for those without one.

    Of several that are called x, a parameter of the model has its path instead; others are x, x′, x″, x (4).
    """
    found = {node: printable(names[node], LONGEST_NAME) for node in order}
    uses = Counter(found.values())
    taken = {""}
    free = (name for i in itertools.count(1) if (name := f"v{i}") not in taken)
    for node, name in found.items():
        if uses[name] > 1 and node in names.paths:
            name = printable(names.paths[node])
        alike = (name + mark for mark in itertools.chain(["", "′", "″"], (f" ({i})" for i in itertools.count(4))))
        found[node] = name and next(x for x in alike if x not in taken)
        taken.add(found[node])
    for node, name in found.items():
        found[node] = name or next(free)
    return found


def parameters_of(model: Any) -> dict[str, Value]:
    """The named parameters of a model as a dict; none of None.

    Errors: TypeError if the model has no `named_parameters()`.
    """
    if model is None:
        return {}
    try:
        return dict(model.named_parameters())
    except AttributeError:
        raise TypeError(f"{type(model).__name__} has no named_parameters(); pass an nn.Module") from None


def number_formatter(format: NumberFormat) -> Callable[[float], str]:
    """A function that writes numbers: from a format specification such as ".4g", or the function itself.

    Errors: ValueError if floats cannot be formatted so.

    Example:
        >>> four_digits = number_formatter(".4g")
        >>> four_digits(2.0), four_digits(-0.0554623)
        ('2', '−0.05546')
    """
    if callable(format):
        return format
    try:
        f"{0.5:{format}}"
    except (ValueError, TypeError):
        raise ValueError(
            f"{format!r} is not a number format; use one like '.4g' or '.2f', or a function of a float"
        ) from None
    return lambda x: signs(f"{x:{format}}")


def signs(written: str) -> str:
    """A number with the signs that people read: − and ∞.

    Example:
        >>> signs("-inf"), signs("-1e-05")
        ('−∞', '−1e−05')
    """
    return written.replace("-", "−").replace("inf", "∞")


# Control characters and halves of surrogate pairs, which XML cannot hold, and the controls of the writing direction,
# which would reorder what stands around a label.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)


def printable(label: Any, longest: int | None = None) -> str:
    """A label as one line of text: ↵ for a line break, � for what cannot be shown; cut after `longest` characters.

    Example:
        >>> printable("two\\nlines"), printable("a very long label", 8)
        ('two↵lines', 'a very …')
    """
    line = re.sub("\r\n|[\r\n\u2028\u2029]", "↵", str(label)).replace("\t", " ")
    line = _UNPRINTABLE.sub("\ufffd", line)
    return line if longest is None or len(line) <= longest else line[: longest - 1] + "…"
