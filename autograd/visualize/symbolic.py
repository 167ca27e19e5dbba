"""to_sympy: a graph, or a derivative of it, as an expression of SymPy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autograd.extras import needs
from autograd.value import Value
from autograd.visualize.names import Names

if TYPE_CHECKING:
    import sympy


def to_sympy(value: Value, *by: Value, names: Mapping[str, Any] | None = None) -> "sympy.Expr":
    """What a Value was computed from, or a derivative of that, as an expression of SymPy.

    Args:
        value: the result.
        by: Values to differentiate it by, one after another: `to_sympy(y, x, x)` is the second derivative by x. They
            are found by the rules of this package, not by sympy.diff.
        names: variables to name leaves without a label after; those of the calling code unless given, {} for none.

    Returns: an expression in a real symbol for each leaf, `sympy.Symbol("x", real=True)`. Numbers that are whole, have
        a denominator of at most 1000 or are constants such as π and ln 2 are exact in it, where that is the same
        double; others are Floats. `detach(x)` is x. A `where` of a comparison is on the side that the numbers of the
        Value decided; relu, abs, clip and their kin, and the derivatives of these, have both sides.

    Errors: ImportError without SymPy; TypeError for a primitive that neither SymPy nor its own `lower` expresses.

    Example:
        >>> from autograd import sin
        >>> x, y = Value(2.0, label="x"), Value(3.0, label="y")
        >>> to_sympy(sin(x) * y**2)                                                         # doctest: +SKIP
        y**2*sin(x)
        >>> to_sympy(sin(x) * y**2, y, x)                                                   # doctest: +SKIP
        2*y*cos(x)
    """
    for node in (value, *by):
        if not isinstance(node, Value):
            raise TypeError(f"to_sympy takes Values, got {type(node).__name__} {node!r:.60}")
    known = Names(names)
    try:
        from autograd.visualize.sympy_terms import expression
    except ImportError as error:
        raise ImportError(needs("to_sympy", "sympy")) from error
    return expression(value, by, known)
