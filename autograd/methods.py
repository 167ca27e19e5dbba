"""The functions as methods of a Value, under the names that NumPy calls on the elements of an object array.

`np.tanh(a)` on an array of Values calls `tanh` on each of them, `np.arcsin(a)` calls `arcsin`. Those that users of
micrograd and PyTorch expect (relu, sigmoid, detach) are here too. The functions of the same names say what they do.
"""

from typing import TYPE_CHECKING, Any

from autograd import primitives as p

if TYPE_CHECKING:
    from autograd.value import Value


class Methods:
    """What a Value inherits.

    Example:
        >>> import math
        >>> from autograd import Value
        >>> Value(0.5).arcsin().data == math.asin(0.5)
        True
    """

    __slots__ = ()

    def sqrt(self) -> "Value":
        return p.sqrt(self)

    def cbrt(self) -> "Value":
        return p.cbrt(self)

    def exp(self) -> "Value":
        return p.exp(self)

    def exp2(self) -> "Value":
        return p.exp2(self)

    def expm1(self) -> "Value":
        return p.expm1(self)

    def log(self) -> "Value":
        return p.log(self)

    def log2(self) -> "Value":
        return p.log2(self)

    def log10(self) -> "Value":
        return p.log10(self)

    def log1p(self) -> "Value":
        return p.log1p(self)

    def sin(self) -> "Value":
        return p.sin(self)

    def cos(self) -> "Value":
        return p.cos(self)

    def tan(self) -> "Value":
        return p.tan(self)

    def sinh(self) -> "Value":
        return p.sinh(self)

    def cosh(self) -> "Value":
        return p.cosh(self)

    def tanh(self) -> "Value":
        return p.tanh(self)

    def sigmoid(self) -> "Value":
        return p.sigmoid(self)

    def relu(self) -> "Value":
        return p.relu(self)

    def detach(self) -> "Value":
        return p.detach(self)

    def arcsin(self) -> "Value":
        return p.asin(self)

    def arccos(self) -> "Value":
        return p.acos(self)

    def arctan(self) -> "Value":
        return p.atan(self)

    def arcsinh(self) -> "Value":
        return p.asinh(self)

    def arccosh(self) -> "Value":
        return p.acosh(self)

    def arctanh(self) -> "Value":
        return p.atanh(self)

    def arctan2(self, other: Any) -> "Value":
        return p.atan2(self, other)

    def hypot(self, other: Any) -> "Value":
        return p.hypot(self, other)

    def conjugate(self: Any) -> Any:
        """A real number is its own conjugate; np.var and np.linalg ask."""
        return self
