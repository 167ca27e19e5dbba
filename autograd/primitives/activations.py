"""Activations: what neurons apply to their sums."""

from __future__ import annotations

from autograd import ieee
from autograd.ieee import NORMAL_DENSITY_AT_0, SQRT_HALF, SQRT_HALF_HEAD, SQRT_HALF_REST
from autograd.primitives.choices import abs, clip, maximum, select
from autograd.primitives.powers import exp, expm1, log, log1p, one_minus_square
from autograd.primitives.primitive import Scalar, primitive
from autograd.primitives.special import GAUSSIAN_IS_0, erfc, gaussian, leading_bits
from autograd.primitives.trigonometric import atanh, tanh


@primitive(
    lambda out, x: select(out > 0, 1.0, None),
    symbol="ReLU", latex=r"\operatorname{{ReLU}}({0})", lower=lambda x: select(x <= 0, 0.0, x),
)
def relu(x: float) -> float:
    """max(x, 0); derivative 0 at 0.

    Example:
        >>> relu(-2.0), relu(3.0)
        (0.0, 3.0)
    """
    return x if x > 0 or x != x else 0.0


@primitive(
    lambda out, x, slope: select(x > 0, 1.0, slope), lambda out, x, slope: select(x > 0, None, x),
    symbol="LeakyReLU", latex=r"\operatorname{{LeakyReLU}}_{{{1}}}({0})",
    lower=lambda x, slope: select(x > 0, x, slope * x),
)
def leaky_relu(x: float, slope: float = 0.01) -> float:
    """x above 0, slope · x below; the slope may be a Value that is learnt.

    Example:
        >>> leaky_relu(-2.0, 0.1)
        -0.2
    """
    return x if x > 0 else slope * x


@primitive(
    lambda out, x, alpha: select(x > 0, 1.0, alpha * exp(x)), lambda out, x, alpha: select(x > 0, None, expm1(x)),
    symbol="ELU", latex=r"\operatorname{{ELU}}_{{{1}}}({0})",
    lower=lambda x, alpha: select(x > 0, x, alpha * expm1(x)),
)
def elu(x: float, alpha: float = 1.0) -> float:
    """x above 0, alpha · (e^x - 1) below; alpha may be a Value that is learnt.

    Example:
        >>> elu(2.0), elu(-1000.0)
        (2.0, -1.0)
    """
    return x if x > 0 else alpha * ieee.expm1(x)


def _sigmoid_by_exp(x: Scalar, e: Scalar) -> Scalar:
    share = 1.0 / (1.0 + e)
    return select(x >= 0, share, e * share)


@primitive(
    lambda out, x: sigmoid_slope(x),
    symbol="σ", latex=r"\sigma({0})", lower=lambda x: _sigmoid_by_exp(x, exp(-abs(x))),
)
def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), which never overflows.

    Example:
        >>> from autograd import Value
        >>> sigmoid(Value(0.0)).local_grads
        (0.25,)
    """
    return ieee.sigmoid(x)


@primitive(
    lambda out, x: -out * tanh(0.5 * x),
    symbol="σ'", latex=r"\sigma'({0})",
    lower=lambda x: sigmoid(x) * sigmoid(-x),
)
def sigmoid_slope(x: float) -> float:
    """σ(x) σ(-x), the derivative of σ, whose own derivative as a product would cancel near 0."""
    return ieee.sigmoid(x) * ieee.sigmoid(-x)


def _logit_slope(x: Scalar) -> Scalar:
    """1 / (x (1 - x)); from 1/4 on by 2x - 1, which is exact there, so that its own derivative is right around 1/2."""
    return select(x < 0.25, 1 / (x * (1 - x)), 4 / one_minus_square(2 * x - 1))


@primitive(
    lambda out, x: _logit_slope(x),
    latex=r"\operatorname{{logit}}({0})",
    lower=lambda x: select((x > 0.3) & (x < 0.65), 2.0 * atanh(2.0 * x - 1.0), log(x / (1.0 - x))),
)
def logit(x: float) -> float:
    """log(x / (1 - x)), the inverse of sigmoid; nan outside of 0 ... 1.

    Example:
        >>> logit(0.5), logit(1.0)
        (0.0, inf)
    """
    return ieee.logit(x)


@primitive(lambda out, x: sigmoid(-x), latex=r"\ln\sigma({0})", lower=lambda x: -softplus(-x))
def logsigmoid(x: float) -> float:
    """log(sigmoid(x)) = -softplus(-x), which never overflows.

    Example:
        >>> logsigmoid(-1000.0)
        -1000.0
    """
    return -ieee.softplus(-x)


@primitive(
    lambda out, x: sigmoid(x),
    latex=r"\operatorname{{softplus}}({0})",
    lower=lambda x: maximum(x, 0.0) + log1p(exp(-abs(x))),
)
def softplus(x: float) -> float:
    """log(1 + e^x), a smooth relu, which never overflows.

    Example:
        >>> softplus(1000.0)
        1000.0
    """
    return ieee.softplus(x)


def _silu_by_exp(x: Scalar, e: Scalar) -> Scalar:
    share = 1.0 / (1.0 + e * e)
    return select(x < 0, (x * e) * (e * share), x * share)


def _silu_slope(x: Scalar) -> Scalar:
    """σ(x) + x σ'(x); far out, where σ' may be subnormal and the product is not, σ' is e^-|x|."""
    root = exp(-abs(0.5 * x))
    return sigmoid(x) + select(abs(x) < 40, x * sigmoid_slope(x), x * root * root)


@primitive(
    lambda out, x: _silu_slope(x),
    symbol="SiLU", latex=r"\operatorname{{SiLU}}({0})",
    lower=lambda x: _silu_by_exp(x, exp(-abs(0.5 * x))),
)
def silu(x: float) -> float:
    """x · sigmoid(x), also called Swish.

    Example:
        >>> silu(0.0)
        0.0
    """
    return ieee.silu(x)


def _density(x: Scalar, factor: Scalar) -> Scalar:
    """factor φ(x), with φ the standard normal density: far out φ may be subnormal and the product not, so its last part
    comes last, e^(-x²/2) = e^(-(|x| - 1)²/2) e^(1/2 - |x|)."""
    far = abs(x) > 37
    most = NORMAL_DENSITY_AT_0 * factor * gaussian(select(far, abs(x) - 1, x))
    return select(far, most * exp(0.5 - abs(x)), most)


def _gelu(x: Scalar) -> Scalar:
    """As in ieee.gelu."""
    bounded = clip(x, -GAUSSIAN_IS_0, GAUSSIAN_IS_0)
    z, head = -bounded * SQRT_HALF, leading_bits(bounded)
    rounding = -head * SQRT_HALF_HEAD - z - ((bounded - head) * SQRT_HALF_HEAD + bounded * SQRT_HALF_REST)
    share = 0.5 * erfc(z) * (1 - 2 * z * select(z > 0, rounding, 0.0))
    return select(x < -37, _density(x, -ieee.mills_series(x)), x * share)


@primitive(
    lambda out, x: 0.5 * erfc(-x * SQRT_HALF) + _density(x, x),
    symbol="GELU", latex=r"\operatorname{{GELU}}({0})", lower=_gelu,
)
def gelu(x: float) -> float:
    """x · Φ(x), with Φ the standard normal distribution function (the exact form, not the tanh one).

    Example:
        >>> gelu(0.0)
        0.0
    """
    return ieee.gelu(x)
