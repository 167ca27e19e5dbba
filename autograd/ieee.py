"""Python's arithmetic and `math`, with IEEE 754 results (inf, -inf, nan) where those raise.

NumPy, PyTorch and JAX compute this way, and so does machine code: 1/0 is inf, log(0) is -inf, exp(1000) is inf,
sqrt(-1) is nan. Everything here maps floats to a float and never raises.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Sequence

TYPE_CHECKING = False  # to type checkers it is true; loading typing would double the time of `import autograd`
if TYPE_CHECKING:
    from typing import Any

inf, nan = math.inf, math.nan


def _unary(function: Callable[[float], float], *, overflow: float = inf) -> Callable[[float], float]:
    """The same function with nan outside its domain and ±inf (odd functions: `overflow=-inf` below 0) on overflow."""

    @functools.wraps(function)
    def total(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return nan
        except OverflowError:
            return inf if x > 0 else overflow

    return total


def div(x: float, y: float) -> float:
    """x / y."""
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0 or x != x else math.copysign(inf, x) * math.copysign(1.0, y)


def pow(x: float, y: float) -> float:
    """x ** y as C's pow: nan for a negative base with a fractional exponent."""
    if x != 0 or not y < 0:  # C divides by zero there, and NumPy warns of that even if it happens in a derivative
        try:
            return math.pow(x, y)
        except ValueError:  # a negative base with a fractional exponent
            return nan
        except OverflowError:
            pass
    odd = y % 2 == 1
    return -inf if odd and math.copysign(1.0, x) < 0 else inf


def log(x: float) -> float:
    """Natural logarithm."""
    return math.log(x) if x > 0 else -inf if x == 0 else nan


def log2(x: float) -> float:
    """Logarithm to base 2."""
    return math.log2(x) if x > 0 else -inf if x == 0 else nan


def log10(x: float) -> float:
    """Logarithm to base 10."""
    return math.log10(x) if x > 0 else -inf if x == 0 else nan


def log1p(x: float) -> float:
    """log(1 + x) without cancellation near 0."""
    return math.log1p(x) if x > -1 else -inf if x == -1 else nan


def atanh(x: float) -> float:
    """Inverse hyperbolic tangent; ±inf at ±1."""
    return math.atanh(x) if -1 < x < 1 else math.copysign(inf, x) if abs(x) == 1 else nan


sqrt = _unary(math.sqrt)
exp = _unary(math.exp)
exp2 = _unary(math.exp2)
expm1 = _unary(math.expm1)
sin = _unary(math.sin)
cos = _unary(math.cos)
tan = _unary(math.tan)
asin = _unary(math.asin)
acos = _unary(math.acos)
sinh = _unary(math.sinh, overflow=-inf)
cosh = _unary(math.cosh)
acosh = _unary(math.acosh)


def _whole(function: Callable[[float], float]) -> Callable[[float], float]:
    """The same function with a float as its result, -0.0 included; infinities and nan are left as they are."""

    @functools.wraps(function)
    def total(x: float) -> float:
        return math.copysign(function(x), x) if abs(x) < ALL_WHOLE else x

    return total


ALL_WHOLE = 2.0**52  # from here on there are no fractions
floor, ceil, trunc = _whole(math.floor), _whole(math.ceil), _whole(math.trunc)
round = _whole(round)  # to even


def fmod(x: float, y: float) -> float:
    """C's fmod; nan for an infinite x and for y = 0."""
    try:
        return math.fmod(x, y)
    except ValueError:
        return nan


def sign(x: float) -> float:
    """-1, 0 or 1; nan for nan."""
    return x if x != x else math.copysign(1.0, x) if x else 0.0


def maximum(x: float, y: float) -> float:
    """The larger of two, 0.0 before -0.0; nan if either is (Python's max depends on their order)."""
    return x if x > y or x != x or (x == y == 0.0 and math.copysign(1.0, y) < 0) else y


def minimum(x: float, y: float) -> float:
    """The smaller of two, -0.0 before 0.0; nan if either is."""
    return x if x < y or x != x or (x == y == 0.0 and math.copysign(1.0, y) > 0) else y


def sum(values: Iterable[float]) -> float:
    """Left to right, in every Python version: since 3.12 the built-in `sum` compensates, and machine code does not."""
    total = 0.0
    for x in values:
        total += x
    return total


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), from the exponential that cannot overflow."""
    e = math.exp(-abs(x))
    return 1.0 / (1.0 + e) if x >= 0 else e / (1.0 + e)


def sech_squared(x: float) -> float:
    """1 / cosh(x)², from the exponential that cannot overflow."""
    e = math.exp(-2.0 * abs(x))
    return 4.0 * e / ((1.0 + e) * (1.0 + e))


def cbrt_slope(x: float) -> float:
    """1 / (3 ∛x²), as ∛x / 3x: C's cbrt errs by up to 3 units in the last place, and its square by twice as much."""
    return math.cbrt(x) / x / 3 if x != 0 and x - x == 0 else div(1.0, x * x)


SPLITTER = 2.0**27 + 1  # x SPLITTER - (x SPLITTER - x) are the leading 26 bits of x (Veltkamp, 1968)


def gaussian(x: float) -> float:
    """e^(-x²/2), within one unit in the last place also where x² is large.

    x is split into a head, whose square is exact, and a small rest: x² = head² + (x - head) (x + head).
    """
    if abs(x) > 64:  # where SPLITTER might overflow
        return 0.0
    head = x * SPLITTER - (x * SPLITTER - x)
    most = math.exp(-0.5 * head * head)
    return most + most * math.expm1(-0.5 * (x - head) * (x + head))


SQRT_HALF = math.sqrt(0.5)
SQRT_HALF_HEAD = float.fromhex("0x1.6a09e68p-1")  # its first 26 bits, and what is left of √(1/2) then
SQRT_HALF_REST = float.fromhex("-0x1.80c4336f74d05p-29")
NORMAL_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)


def gelu(x: float) -> float:
    """x Φ(x), with Φ(x) = erfc(-x/√2) / 2, which does not cancel for negative x (Hendrycks and Gimpel, 2016).

    Rounding z = -x/√2 to a float by r would cost 2 z r of erfc(z), so that is given back. Where Φ is subnormal and x Φ
    is not, an asymptotic series is exact to the last place.
    """
    z = -x * SQRT_HALF
    if x < -37:
        return -NORMAL_DENSITY_AT_0 * gaussian(x) * mills_series(x)
    if x >= 0:
        return x * (0.5 * math.erfc(z))
    head = x * SPLITTER - (x * SPLITTER - x)
    rounding = -head * SQRT_HALF_HEAD - z - ((x - head) * SQRT_HALF_HEAD + x * SQRT_HALF_REST)
    return x * (0.5 * math.erfc(z) * (1 - 2 * z * rounding))


def mills_series(x: Any) -> Any:
    """|x| Φ(x) / φ(x) = 1 - 1/x² + 3/x⁴ - 15/x⁶ ... for x below -37 (Abramowitz and Stegun, 26.2.12)."""
    q = 1 / x / x
    return functools.reduce(lambda rest, k: 1 - k * q * rest, (13, 11, 9, 7, 5, 3, 1), 1.0)


def direction(t: float, s: float) -> float:
    """t / √(t² + s)."""
    return div(t, sqrt(t * t + s))


def gamma(x: float) -> float:
    """The gamma function; ±inf at ±0, nan at negative whole numbers and -inf."""
    try:
        return math.gamma(x)
    except OverflowError:
        return math.copysign(inf, x)
    except ValueError:
        return math.copysign(inf, x) if x == 0 else nan


def lgamma(x: float) -> float:
    """ln |Γ(x)|; inf at 0, -1, -2, ..."""
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return inf


def logit(x: float) -> float:
    """log(x / (1 - x)); around 1/2, where that is near 0, 2 artanh(2x - 1)."""
    if 0.3 < x < 0.65:
        return 2.0 * math.atanh(2.0 * x - 1.0)
    return log(div(x, 1.0 - x))


def silu(x: float) -> float:
    """x / (1 + e^-x), from e^(-|x|/2), which is a normal number wherever the result is one."""
    e = math.exp(-0.5 * abs(x))
    share = 1.0 / (1.0 + e * e)
    return x * e * (e * share) if x < 0 else x * share


def softplus(x: float) -> float:
    """log(1 + e^x) = max(x, 0) + log1p(e^-|x|), which neither overflows nor cancels."""
    return maximum(x, 0.0) + math.log1p(math.exp(-abs(x)))


def logsumexp(values: Iterable[float]) -> float:
    """log(Σ e^x): the largest x is taken out, so that nothing overflows, and its e^0 = 1, so that no digit is lost."""
    values = list(values)
    shift = functools.reduce(maximum, values)
    if math.isinf(shift):  # inf - inf would be nan
        return shift
    others = sum(0.0 if x == shift else exp(x - shift) for x in values)
    return shift + math.log1p(others + (values.count(shift) - 1))


class Float(float):
    """A float whose operators follow IEEE 754 as well: rules of the table run on these where Python's floats raise."""

    __slots__ = ()

    @staticmethod
    def __apply__(op: Any, operands: Sequence[float]) -> Float:
        """The result of a primitive with this among its operands; see Primitive.__call__."""
        return Float(op.forward(*map(float, operands)))


def _closed(function: Callable[..., float], *, swapped: bool = False) -> Callable[..., Any]:
    def method(*operands: Any) -> Any:
        if not all(isinstance(x, float | int) for x in operands):
            return NotImplemented
        return Float(function(*map(float, reversed(operands) if swapped else operands)))

    return method


for _name, _function in {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": div,
    "pow": pow,
}.items():
    setattr(Float, f"__{_name}__", _closed(_function))
    setattr(Float, f"__r{_name}__", _closed(_function, swapped=True))
for _name in ("neg", "pos", "abs"):
    setattr(Float, f"__{_name}__", _closed(getattr(operator, _name)))
