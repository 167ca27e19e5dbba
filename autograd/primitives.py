"""The table of primitives: every operation the engine knows, each with its derivative.

A rule of partials is ordinary arithmetic, `rule(out, *operands)`. Given floats it gives the local derivatives that a
node records; given Values it gives them as expression graphs, which is how derivatives of derivatives, the compiler
and the pictures come from the same line. `None` in place of a rule says that no derivative flows to that operand. A
rule never branches with `if`, but with `select`: a compiled graph must hold both sides.

The columns, for each primitive:

- `forward`: floats to a float; never raises (see ieee.py);
- `partials`: one rule an operand; for an n-ary primitive, one rule that returns the partials of all;
- `symbol`, `latex`: how people write it ({0}, {1} are the operands); `precedence`: when it needs parentheses;
- `lower`: how the compiler writes it: the name of an LLVM instruction or intrinsic ("fadd", "llvm.sqrt"), a function
  of the C library ("exp"), or an expression in other primitives;
- `js`: the same in JavaScript, with the helpers in visualize/assets/arithmetic.js, for the interactive page.
"""

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from autograd import apply as _apply  # which, in turn, needs the table
from autograd import ieee

Scalar = Any  # a float or a Value: a rule is written once for both
Rule = Callable[..., Scalar]

SUM, PRODUCT, NEGATION, POWER, CALL = range(1, 6)  # precedence, loosest first


class Primitive:
    """An operation with its derivative; call it with floats or Values (fixed arity: also elementwise on NumPy arrays).

    Args:
        name: a Python identifier, also used in messages and pictures.
        forward: maps floats to a float.
        partials: one rule `rule(out, *operands)` an operand, or None for an operand without a derivative. For a
            primitive of any number of operands: one function that returns a sequence with a partial for each. Write
            the rules in ordinary arithmetic and functions of this package; then second derivatives work as well.
        symbol: what a picture shows in the operation's node; the name unless given.
        latex: template with the operands as {0}, {1}, ...; `name(...)` unless given.
        precedence: SUM, PRODUCT, NEGATION, POWER or CALL, for parentheses around it.
        lower: see the module's docstring; without it the primitive works everywhere but under `jit`.
        js: JavaScript template with the operands as {0}, {1}, ...; n-ary: one that gets them comma-separated as {0}.
        linear: for a linear operation of one operand that is no product with a number (a sum over the lanes of a
            compiled batch): how it maps a tangent of its operand, and how its transpose maps a cotangent of its result.

    Errors: TypeError when called with a wrong number of operands or with something that is not a number.

    Example:
        >>> from autograd import Value, Primitive, sin, cos, gradients
        >>> versine = Primitive("versine", lambda x: 1 - math.cos(x), [lambda out, x: sin(x)])
        >>> x = Value(0.5)
        >>> y = versine(x)
        >>> y.backward()
        >>> x.grad == math.sin(0.5)
        True
        >>> first, = gradients(y, [x])
        >>> second, = gradients(first, [x])     # the rule is arithmetic on Values, so it can be differentiated again
        >>> second.data == math.cos(0.5)
        True
    """

    __slots__ = ("name", "forward", "partials", "arity", "symbol", "latex", "precedence", "lower", "js", "linear")

    def __init__(
        self,
        name: str,
        forward: Callable[..., float],
        partials: Sequence[Rule | None] | Callable[..., Sequence[Scalar]],
        *,
        symbol: str | None = None,
        latex: str | None = None,
        precedence: int = CALL,
        lower: str | Callable[..., Scalar] | None = None,
        js: str | None = None,
        linear: tuple[Callable[[Scalar], Scalar], Callable[[Scalar], Scalar]] | None = None,
    ):
        self.name = name
        self.forward = forward
        self.partials: Any = partials  # one or the other, as arity tells
        self.arity = None if callable(partials) else len(partials)
        self.symbol = symbol or name
        self.latex = latex
        self.precedence = precedence
        self.lower = lower
        self.js = js
        self.linear = linear

    def __call__(self, *operands: Any) -> Any:
        if self.arity is not None and len(operands) != self.arity:
            raise TypeError(f"{self.name} takes {self.arity} operands, got {len(operands)}")
        return _apply.apply(self, operands)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> str:
        return self.name  # pickled and copied by name, as functions are


# --- arithmetic ---------------------------------------------------------------------------------------------------

add = Primitive(
    "add", operator.add, (lambda out, x, y: 1.0, lambda out, x, y: 1.0),
    symbol="+", latex="{0} + {1}", precedence=SUM, lower="fadd", js="{0} + {1}",
)  # fmt: skip
sub = Primitive(
    "sub", operator.sub, (lambda out, x, y: 1.0, lambda out, x, y: -1.0),
    symbol="-", latex="{0} - {1}", precedence=SUM, lower="fsub", js="{0} - {1}",
)  # fmt: skip
mul = Primitive(
    "mul", operator.mul, (lambda out, x, y: y, lambda out, x, y: x),
    symbol="*", latex=r"{0} \cdot {1}", precedence=PRODUCT, lower="fmul", js="{0} * {1}",
)  # fmt: skip
div = Primitive(
    "div", ieee.div, (lambda out, x, y: 1 / y, lambda out, x, y: -out / y),
    symbol="/", latex=r"\frac{{{0}}}{{{1}}}", precedence=PRODUCT, lower="fdiv", js="{0} / {1}",
)  # fmt: skip
neg = Primitive(
    "neg", operator.neg, (lambda out, x: -1.0,),
    symbol="-", latex="-{0}", precedence=NEGATION, lower="fneg", js="-{0}",
)  # fmt: skip
pow: Primitive = Primitive(
    "pow", ieee.pow,
    (
        lambda out, x, y: select((y == 0) & (abs(x) < 1e-300), 0.0, y * pow(x, y - 1)),  # 0 * inf is meant as 0
        lambda out, x, y: select((x == 0) & (y >= 0), 0.0, out * log(x)),
    ),
    symbol="**", latex="{{{0}}}^{{{1}}}", precedence=POWER, lower="pow", js="pow({0}, {1})",
)  # fmt: skip


def _chain(adjoint: float, partial: float) -> float:
    product = adjoint * partial
    return 0.0 if product != product and adjoint == 0 else product


# The product of the chain rule. A zero adjoint contributes zero whatever the partial, so that
# where(x > 0, sqrt(x), 0) has derivative 0 at 0, where sqrt has an infinite one.
chain = Primitive(
    "chain", _chain, (lambda out, g, p: p, lambda out, g, p: g),
    symbol="*", latex=r"{0} \cdot {1}", precedence=PRODUCT, js="chain({0}, {1})",
    lower=lambda g, p: select((g == 0) & (g * p != 0), 0.0, g * p),  # 0 * p is 0 or nan, and nan != 0
)  # fmt: skip

# --- powers, exponentials, logarithms -----------------------------------------------------------------------------

LN2, LN10 = math.log(2), math.log(10)
TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)
SQRT_HALF = math.sqrt(0.5)
NORMAL_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)


def _c_function(
    name: str, forward: Callable[..., float], *partials: Rule | None, latex: str | None = None
) -> Primitive:
    """A primitive that C and JavaScript call by the same name as we do."""
    return Primitive(
        name, forward, partials, latex=latex or rf"\{name}({{0}})", lower=name,
        js=f"Math.{name}({', '.join(f'{{{i}}}' for i in range(len(partials)))})",
    )  # fmt: skip


sqrt = Primitive(
    "sqrt", ieee.sqrt, (lambda out, x: 0.5 / out,), latex=r"\sqrt{{{0}}}", lower="llvm.sqrt", js="Math.sqrt({0})"
)
cbrt = _c_function("cbrt", math.cbrt, lambda out, x: 1 / (3 * out * out), latex=r"\sqrt[3]{{{0}}}")
exp = _c_function("exp", ieee.exp, lambda out, x: out, latex="e^{{{0}}}")
exp2 = Primitive("exp2", ieee.exp2, (lambda out, x: out * LN2,), latex="2^{{{0}}}", lower="exp2", js="Math.pow(2, {0})")
expm1 = _c_function("expm1", ieee.expm1, lambda out, x: exp(x), latex=r"\operatorname{{expm1}}({0})")
log: Primitive = _c_function("log", ieee.log, lambda out, x: 1 / x, latex=r"\ln({0})")
log2 = _c_function("log2", ieee.log2, lambda out, x: 1 / (x * LN2), latex=r"\log_2({0})")
log10 = _c_function("log10", ieee.log10, lambda out, x: 1 / (x * LN10), latex=r"\log_{{10}}({0})")
log1p = _c_function("log1p", ieee.log1p, lambda out, x: 1 / (1 + x), latex=r"\ln(1 + {0})")

# --- trigonometric and hyperbolic functions; products such as (1 - x)(1 + x) keep the digits that 1 - x² loses -----

sin = _c_function("sin", ieee.sin, lambda out, x: cos(x))
cos: Primitive = _c_function("cos", ieee.cos, lambda out, x: -sin(x))
tan = _c_function("tan", ieee.tan, lambda out, x: 1 + out * out)
asin = _c_function("asin", ieee.asin, lambda out, x: 1 / (sqrt(1 - x) * sqrt(1 + x)), latex=r"\arcsin({0})")
acos = _c_function("acos", ieee.acos, lambda out, x: -1 / (sqrt(1 - x) * sqrt(1 + x)), latex=r"\arccos({0})")
atan = _c_function("atan", math.atan, lambda out, x: 1 / (1 + x * x), latex=r"\arctan({0})")
atan2 = _c_function(
    "atan2", math.atan2,
    lambda out, y, x: x / hypot(x, y) / hypot(x, y),
    lambda out, y, x: -y / hypot(x, y) / hypot(x, y),
    latex=r"\operatorname{{atan2}}({0}, {1})",
)  # fmt: skip
sinh = _c_function("sinh", ieee.sinh, lambda out, x: cosh(x))
cosh: Primitive = _c_function("cosh", ieee.cosh, lambda out, x: sinh(x))


def _tanh_by_exp(x: Scalar) -> Scalar:
    """(1 - e) / (1 + e) with e = exp(-2|x|), which the derivative takes as well; expm1 keeps the digits near 0."""
    return copysign(expm1(-abs(2 * x)) * (1 / (1 + exp(-abs(2 * x)))), x)


def _sech_squared_by_exp(e: Scalar) -> Scalar:
    return (e * (1 / (1 + e))) * (4 * (1 / (1 + e)))


tanh: Primitive = Primitive(
    "tanh", math.tanh, (lambda out, x: sech_squared(x),), latex=r"\tanh({0})", lower=_tanh_by_exp, js="Math.tanh({0})"
)
sech_squared: Primitive = Primitive(  # 1 - tanh², which would cancel for large |x|
    "sech_squared", ieee.sech_squared, (lambda out, x: -2 * out * tanh(x),), symbol="sech²",
    latex=r"\operatorname{{sech}}^2({0})", lower=lambda x: _sech_squared_by_exp(exp(-abs(2 * x))),
    js="(e => 4 * e / ((1 + e) * (1 + e)))(Math.exp(-2 * Math.abs({0})))",
)  # fmt: skip
asinh = _c_function("asinh", math.asinh, lambda out, x: 1 / hypot(1.0, x), latex=r"\operatorname{{arsinh}}({0})")
acosh = _c_function(
    "acosh", ieee.acosh, lambda out, x: 1 / (sqrt(x - 1) * sqrt(x + 1)), latex=r"\operatorname{{arcosh}}({0})"
)
atanh = _c_function("atanh", ieee.atanh, lambda out, x: 1 / ((1 - x) * (1 + x)), latex=r"\operatorname{{artanh}}({0})")
erf = Primitive(
    "erf", math.erf, (lambda out, x: TWO_OVER_SQRT_PI * exp(-x * x),), latex=r"\operatorname{{erf}}({0})", lower="erf"
)
erfc = Primitive(
    "erfc", math.erfc, (lambda out, x: -TWO_OVER_SQRT_PI * exp(-x * x),), latex=r"\operatorname{{erfc}}({0})",
    lower="erfc",
)  # fmt: skip


def _direction(length: Scalar, x: Scalar, *xs: Scalar) -> Scalar:
    """x / |xs|, the partial of a length; 0 at the origin. A subnormal length has lost digits, so it is taken anew."""
    big = 2.0**600
    scaled = x * big / norm(*[other * big for other in xs])
    return select(length == 0, 0.0, select(length < 1e-290, scaled, x / length))


hypot: Primitive = _c_function(
    "hypot", math.hypot,
    lambda out, x, y: _direction(out, x, x, y),
    lambda out, x, y: _direction(out, y, x, y),
    latex=r"\operatorname{{hypot}}({0}, {1})",
)  # fmt: skip

# --- comparisons and choices: conditions are 1 or 0, and carry no derivative ---------------------------------------


def _comparison(name: str, compare: Callable[[float, float], bool], symbol: str, latex: str, lower: str) -> Primitive:
    return Primitive(
        name, lambda x, y: float(compare(x, y)), (None, None), symbol=symbol, latex=f"{{0}} {latex} {{1}}",
        precedence=SUM, lower=lower, js=f"+({{0}} {symbol} {{1}})",
    )  # fmt: skip


lt = _comparison("lt", operator.lt, "<", "<", "fcmp olt")
le = _comparison("le", operator.le, "<=", r"\le", "fcmp ole")
gt = _comparison("gt", operator.gt, ">", ">", "fcmp ogt")
ge = _comparison("ge", operator.ge, ">=", r"\ge", "fcmp oge")
eq = _comparison("eq", operator.eq, "==", "=", "fcmp oeq")
ne = _comparison("ne", operator.ne, "!=", r"\ne", "fcmp une")
logical_and = Primitive(
    "logical_and", lambda x, y: float(bool(x and y)), (None, None), symbol="and", latex=r"{0} \wedge {1}",
    precedence=SUM, lower="and", js="+({0} !== 0 && {1} !== 0)",
)  # fmt: skip
logical_or = Primitive(
    "logical_or", lambda x, y: float(bool(x or y)), (None, None), symbol="or", latex=r"{0} \vee {1}",
    precedence=SUM, lower="or", js="+({0} !== 0 || {1} !== 0)",
)  # fmt: skip
logical_not = Primitive(
    "logical_not", lambda x: float(not x), (None,), symbol="not", latex=r"\neg {0}", precedence=NEGATION,
    lower="not", js="+({0} === 0)",
)  # fmt: skip
where = Primitive(
    "where", lambda c, x, y: x if c else y,
    (None, lambda out, c, x, y: select(c, 1.0, 0.0), lambda out, c, x, y: select(c, 0.0, 1.0)),
    latex=r"\operatorname{{where}}({0}, {1}, {2})", lower="select", js="({0} !== 0 ? {1} : {2})",
)  # fmt: skip


def select(condition: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """`where` inside rules: decided at once, except while a compiled graph, which must hold both sides, is traced."""
    return where(condition, x, y) if isinstance(condition, _apply.Value) else x if condition else y


def _take(index: float, *values: float) -> float:
    if index != index // 1 or not 0 <= index < len(values):
        raise IndexError(
            f"take: the index is {index!r}; {len(values)} values have the whole numbers 0 to {len(values) - 1}"
        )
    return values[int(index)]


take = Primitive(
    "take", _take,
    lambda out, index, *values: [None, *(select(index == i, 1.0, 0.0) for i in range(len(values)))],
    lower="take", js="((i, ...v) => v[i] ?? NaN)({0})",
)  # fmt: skip
detach = Primitive("detach", lambda x: x, (None,), lower=lambda x: x, js="{0}")
identity = Primitive("identity", lambda x: x, (lambda out, x: 1.0,), latex="{0}", lower=lambda x: x, js="{0}")

# --- kinks: the derivative at the kink is 0, ties share equally, clip has 1 on its closed interval -----------------

abs: Primitive = Primitive(
    "abs", operator.abs, (lambda out, x: sign(x),), latex=r"\left|{0}\right|", lower="llvm.fabs", js="Math.abs({0})"
)
sign: Primitive = Primitive(
    "sign", ieee.sign, (None,), latex=r"\operatorname{{sign}}({0})", js="Math.sign({0}) + 0",
    lower=lambda x: select(x > 0, 1.0, select(x < 0, -1.0, select(x == 0, 0.0, x))),
)  # fmt: skip
copysign: Primitive = Primitive(
    "copysign", math.copysign, (lambda out, x, y: sign(x) * copysign(1.0, y), None),
    latex=r"\operatorname{{copysign}}({0}, {1})", lower="llvm.copysign",
    js="(Math.abs({0}) * ({1} < 0 || Object.is({1}, -0) ? -1 : 1))",
)  # fmt: skip


def _tie(won: Scalar, drawn: Scalar) -> Scalar:
    return select(won, 1.0, select(drawn, 0.5, 0.0))


maximum = Primitive(
    "maximum", ieee.maximum, (lambda out, x, y: _tie(x > y, x == y), lambda out, x, y: _tie(y > x, x == y)),
    symbol="max", latex=r"\max({0}, {1})", js="Math.max({0}, {1})",
    lower=lambda x, y: select((x > y) | (x != x), x, y),
)  # fmt: skip
minimum = Primitive(
    "minimum", ieee.minimum, (lambda out, x, y: _tie(x < y, x == y), lambda out, x, y: _tie(y < x, x == y)),
    symbol="min", latex=r"\min({0}, {1})", js="Math.min({0}, {1})",
    lower=lambda x, y: select((x < y) | (x != x), x, y),
)  # fmt: skip
clip = Primitive(
    "clip", lambda x, low, high: ieee.minimum(ieee.maximum(x, low), high),
    (
        lambda out, x, low, high: select((low <= x) & (x <= high), 1.0, 0.0),
        lambda out, x, low, high: select((x < low) & (low <= high), 1.0, 0.0),
        lambda out, x, low, high: select(maximum(x, low) > high, 1.0, 0.0),
    ),
    latex=r"\operatorname{{clip}}({0}, {1}, {2})", js="Math.min(Math.max({0}, {1}), {2})",
    lower=lambda x, low, high: minimum(maximum(x, low), high),
)  # fmt: skip

# --- activations --------------------------------------------------------------------------------------------------

relu = Primitive(
    "relu", lambda x: x if x > 0 or x != x else 0.0, (lambda out, x: select(out > 0, 1.0, 0.0),),
    symbol="ReLU", latex=r"\operatorname{{ReLU}}({0})", js="Math.max({0}, 0)",
    lower=lambda x: select(x <= 0, 0.0, x),
)  # fmt: skip
leaky_relu = Primitive(
    "leaky_relu", lambda x, slope: x if x > 0 else slope * x,
    (lambda out, x, slope: select(x > 0, 1.0, slope), lambda out, x, slope: select(x > 0, 0.0, x)),
    symbol="LeakyReLU", latex=r"\operatorname{{LeakyReLU}}_{{{1}}}({0})", js="({0} > 0 ? {0} : {1} * {0})",
    lower=lambda x, slope: select(x > 0, x, slope * x),
)  # fmt: skip
elu = Primitive(
    "elu", lambda x, alpha: x if x > 0 else alpha * ieee.expm1(x),
    (lambda out, x, alpha: select(x > 0, 1.0, alpha * exp(x)), lambda out, x, alpha: select(x > 0, 0.0, expm1(x))),
    symbol="ELU", latex=r"\operatorname{{ELU}}_{{{1}}}({0})", js="({0} > 0 ? {0} : {1} * Math.expm1({0}))",
    lower=lambda x, alpha: select(x > 0, x, alpha * expm1(x)),
)  # fmt: skip


def _sigmoid_by_exp(x: Scalar, e: Scalar) -> Scalar:
    share = 1.0 / (1.0 + e)
    return select(x >= 0, share, e * share)


sigmoid: Primitive = Primitive(
    "sigmoid", ieee.sigmoid, (lambda out, x: out * sigmoid(-x),),
    symbol="σ", latex=r"\sigma({0})", js="sigmoid({0})",
    lower=lambda x: _sigmoid_by_exp(x, exp(-abs(x))),
)  # fmt: skip
logsigmoid = Primitive(
    "logsigmoid", lambda x: -ieee.softplus(-x), (lambda out, x: sigmoid(-x),),
    latex=r"\ln\sigma({0})", js="-softplus(-({0}))", lower=lambda x: -softplus(-x),
)  # fmt: skip
softplus: Primitive = Primitive(
    "softplus", ieee.softplus, (lambda out, x: sigmoid(x),),
    latex=r"\operatorname{{softplus}}({0})", js="softplus({0})",
    lower=lambda x: maximum(x, 0.0) + log1p(exp(-abs(x))),
)  # fmt: skip
silu = Primitive(
    "silu", lambda x: x * ieee.sigmoid(x), (lambda out, x: sigmoid(x) * (1 + x * sigmoid(-x)),),
    symbol="SiLU", latex=r"\operatorname{{SiLU}}({0})", js="({0} * sigmoid({0}))", lower=lambda x: x * sigmoid(x),
)  # fmt: skip
# x Φ(x), with Φ from erfc, which does not cancel for negative x (Hendrycks and Gimpel, 2016)
gelu = Primitive(
    "gelu", lambda x: x * (0.5 * math.erfc(-x * SQRT_HALF)),
    (lambda out, x: 0.5 * erfc(-x * SQRT_HALF) + x * (NORMAL_DENSITY_AT_0 * exp(-0.5 * x * x)),),
    symbol="GELU", latex=r"\operatorname{{GELU}}({0})", lower=lambda x: x * (0.5 * erfc(-x * SQRT_HALF)),
)  # fmt: skip

# --- n-ary: left to right --------------------------------------------------------------------------------------------

sum = Primitive(
    "sum", lambda *xs: ieee.sum(xs), lambda out, *xs: [1.0] * len(xs),
    symbol="Σ", latex=r"\sum({0})", lower=lambda *xs: functools.reduce(operator.add, xs, 0.0),
    js="[{0}].reduce((s, x) => s + x, 0)",
)  # fmt: skip


def _products_of_the_others(out: Scalar, *xs: Scalar) -> list[Scalar]:
    """Products of what stands before and after each factor: division by the factor itself would fail at 0."""
    before, after = [1.0], [1.0]
    for x in xs[:-1]:
        before.append(before[-1] * x)
    for x in xs[:0:-1]:
        after.append(x * after[-1])
    return [b * a for b, a in zip(before, reversed(after), strict=True)][: len(xs)]


prod = Primitive(
    "prod", lambda *xs: functools.reduce(operator.mul, xs, 1.0), _products_of_the_others,
    symbol="Π", latex=r"\prod({0})", lower=lambda *xs: functools.reduce(operator.mul, xs, 1.0),
    js="[{0}].reduce((p, x) => p * x, 1)",
)  # fmt: skip


def _dot(bias: Scalar, *terms: Scalar) -> Scalar:
    n = len(terms) // 2
    return functools.reduce(operator.add, map(operator.mul, terms[:n], terms[n:]), bias)


# operands: the bias, the n weights, the n inputs
dot = Primitive(
    "dot", _dot, lambda out, bias, *terms: [1.0, *terms[len(terms) // 2 :], *terms[: len(terms) // 2]],
    symbol="w·x+b", latex=r"\operatorname{{dot}}({0})", lower=_dot,
    js="((b, ...t) => t.slice(0, t.length / 2).reduce((s, w, i) => s + w * t[t.length / 2 + i], b))({0})",
)  # fmt: skip
norm = Primitive(
    "norm", lambda *xs: math.hypot(*xs), lambda out, *xs: [_direction(out, x, *xs) for x in xs],
    symbol="‖·‖", latex=r"\left\|{0}\right\|", js="Math.hypot({0})",
    lower=lambda *xs: functools.reduce(hypot, xs, 0.0),
)  # fmt: skip


def _shares_of_the_largest(out: Scalar, *xs: Scalar) -> list[Scalar]:
    reached = [select(x == out, 1.0, 0.0) for x in xs]
    return [div(r, sum(*reached)) for r in reached]  # 0 / 0 if one is nan: none equals nan


max = Primitive(
    "max", lambda *xs: functools.reduce(ieee.maximum, xs), _shares_of_the_largest,
    latex=r"\max({0})", js="Math.max({0})", lower=lambda *xs: functools.reduce(maximum, xs),
)  # fmt: skip
min = Primitive(
    "min", lambda *xs: functools.reduce(ieee.minimum, xs), _shares_of_the_largest,
    latex=r"\min({0})", js="Math.min({0})", lower=lambda *xs: functools.reduce(minimum, xs),
)  # fmt: skip


def softmax(xs: Sequence[Scalar]) -> list[Scalar]:
    """e^x / Σ e^x, with the largest x taken out: a shift changes nothing, so it needs no derivative."""
    shift = detach(max(*xs))
    exps = [exp(x - shift) for x in xs]
    total = sum(*exps)
    return [e / total for e in exps]


logsumexp = Primitive(
    "logsumexp", lambda *xs: ieee.logsumexp(xs), lambda out, *xs: softmax(xs),
    latex=r"\operatorname{{logsumexp}}({0})", js="logsumexp({0})",
    lower=lambda *xs: _shifted_logsumexp(max(*xs), xs),
)  # fmt: skip


def _shifted_logsumexp(shift: Scalar, xs: Sequence[Scalar]) -> Scalar:
    finite = abs(shift) < math.inf
    return select(finite | (shift != shift), shift + log(sum(*[exp(x - shift) for x in xs])), shift)


TABLE: dict[str, Primitive] = {p.name: p for p in list(globals().values()) if isinstance(p, Primitive)}
