"""Primitive: an operation with its derivative, and every way to write it; `@primitive` makes one of a function.

A rule of partials is ordinary arithmetic, `rule(out, *operands)`. Given floats it gives the local derivatives that a
node records; given Values it gives them as expression graphs, which is how derivatives of derivatives, the compiler
and the pictures come from the same line. `None` says that no derivative flows to an operand: in place of a rule,
whatever the numbers are; as the result of a rule, for these numbers, such as on the side that `where` did not choose.
Along a None nothing is computed, to any order; what flows is plain IEEE arithmetic. A rule never branches with `if`,
but with `select` (choices.py): a compiled graph must hold both sides.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Sequence

from autograd.scalars import elementwise, is_array, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic, overload

    from typing_extensions import TypeVar

    from autograd.scalars import T

    Scalar = Any  # a float or a Value: a rule is written once for both
    Rule = Callable[..., Scalar]

    class One:
        """Of a primitive of one operand, which gives what it is given: a float, a Value, an array."""

    class Several:
        """Of a primitive of several operands."""

    K = TypeVar("K", default=Any)

    class _Typed(Generic[K]):
        @overload
        def __call__(self: _Typed[One], x: int, /) -> float: ...
        @overload
        def __call__(self: _Typed[One], x: T, /) -> T: ...
        @overload
        def __call__(self: _Typed[Several], *operands: Any, **named: Any) -> Any: ...
        def __call__(self, *operands: Any, **named: Any) -> Any: ...

else:
    Scalar, K = object, None

    class _Typed:
        """What type checkers know of how a primitive is called; at run time nothing."""

        def __class_getitem__(cls, kind):
            return cls


SUM, PRODUCT, NEGATION, POWER, CALL = range(1, 6)  # precedence, loosest first
_TAKES_ANY_NUMBER = 0x04  # the flag of code whose parameters end in *operands


class Primitive(_Typed[K]):
    """An operation with its derivative; call it with floats or Values (fixed arity: also elementwise on NumPy arrays).

    Args:
        name: a Python identifier, also used in messages and pictures.
        forward: maps floats to a float. Of the table's own it never raises (see ieee.py).
        partials: one rule `rule(out, *operands)` an operand, or None for an operand without a derivative. For a
            primitive of any number of operands: one function that returns a sequence with a partial for each. Write
            the rules in ordinary arithmetic and functions of this package; then second derivatives work as well. For
            numbers at which no derivative flows a rule gives None: `select(condition, partial, None)`.
        symbol: what a picture shows in the operation's node; the name unless given.
        latex: template with the operands as {0}, {1}, ...; `name(...)` unless given.
        precedence: SUM, PRODUCT, NEGATION, POWER or CALL, for parentheses around it.
        lower: how it is computed elsewhere, by `jit`, in exported code and on a page: the name of an LLVM instruction
            or intrinsic ("fadd", "llvm.sqrt"), a function of the C library ("exp"), or an expression in other
            primitives. Without it the primitive works everywhere else.

    Errors: TypeError when called with a wrong number of operands or with something that is not a number.

    Example:
        >>> import math
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

    name: str
    forward: Callable[..., float]
    partials: Any  # one or the other, as arity tells
    arity: int | None
    never_negative_zero = False  # whether its results are sums from 0.0

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
    ):
        functools.update_wrapper(self, forward, updated=())  # help() and inspect.signature() are the function's own
        self.name = self.__name__ = name
        self.forward = forward
        self.partials = partials
        self.arity = None if callable(partials) else len(partials)
        self.symbol = symbol or name
        self.latex = latex
        self.precedence = precedence
        self.lower = lower

    def __call__(self, *operands: Any, **named: Any) -> Any:
        if named or (self.arity is not None and len(operands) != self.arity):
            operands = self._bound(operands, named)
        for x in operands:
            if x.__class__ is not float:
                return getattr(x, "__apply__", _apply_to_numbers)(self, operands)
        return self.forward(*operands)

    def _bound(self, operands: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """All operands in order, those given by name and those with a default among them."""
        code = getattr(self.forward, "__code__", None)
        parameters = code.co_varnames[: code.co_argcount] if code is not None else ()
        defaults = getattr(self.forward, "__defaults__", None) or ()
        known = dict(zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True))
        known |= dict(zip(parameters, operands, strict=False))
        twice = [name for name in named if name in parameters[: len(operands)]]
        known |= named
        if self.arity is None or len(operands) > self.arity or twice or known.keys() != set(parameters):
            given = f"{len(operands)}" + (f" and {', '.join(named)} by name" if named else "")
            raise TypeError(f"{self.name} takes {self.arity} operands ({', '.join(parameters)}), got {given}")
        return tuple([known[name] for name in parameters])

    def expand(self, node: Any) -> None:
        """Called before a walk goes through a node of a trace, which may stand for several."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """In a class a primitive is a method, as a function is."""
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __copy__(self) -> Primitive[K]:
        return self

    def __deepcopy__(self, memo: Any) -> Primitive[K]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """By the name of a variable of a module, as functions are; or by its parts, if it has no such name.

        What stands in __main__ has no name that another process knows by itself. Pickle takes functions there by name
        all the same, cloudpickle by their code; so the asker decides.
        """
        asked_by = sys._getframe(1).f_globals.get("__name__", "")
        rules = [self.partials] if callable(self.partials) else self.partials
        for module in dict.fromkeys([getattr(f, "__module__", None) for f in (self.forward, *rules)]):
            if module in sys.modules and not (module == "__main__" and "cloudpickle" in asked_by):
                for name, x in vars(sys.modules[module]).items():
                    if x is self:
                        return _named, (module, name)
        return _of_parts, (type(self), self.__dict__)


def _named(module: str, name: str) -> Any:
    __import__(module)
    return getattr(sys.modules[module], name)


def _of_parts(cls: type, parts: dict[str, Any]) -> Any:
    op: Any = object.__new__(cls)
    op.__dict__.update(parts)
    return op


if TYPE_CHECKING:

    @overload
    def primitive(
        partial: Rule | None, /, **written: Any
    ) -> Callable[[Callable[[float], float]], Primitive[One]]: ...
    @overload
    def primitive(*partials: Rule | None, **written: Any) -> Callable[[Callable[..., float]], Primitive[Several]]: ...


def primitive(*partials: Rule | None, **written: Any) -> Any:
    """A decorator: the function becomes a Primitive, with its name, documentation and signature.

    Args:
        partials: one rule an operand, or None. For a function of `*operands`: one rule that returns all partials.
        written: symbol, latex, precedence and lower; see Primitive.

    Example:
        >>> from autograd import Value
        >>> @primitive(lambda out, x: 3 * x**2, latex="{{{0}}}^3", lower=lambda x: x * x * x)
        ... def cube(x):
        ...     "The third power of x."
        ...     return x**3
        >>> cube(Value(2.0)).local_grads, cube.__doc__
        ((12.0,), 'The third power of x.')
    """

    def decorated(forward: Any) -> Primitive:
        of_any_number = forward.__code__.co_flags & _TAKES_ANY_NUMBER
        rules: Any = partials[0] if of_any_number else partials
        return Primitive(forward.__name__, forward, rules, **written)

    return decorated


def _apply_to_numbers(op: Primitive, operands: Sequence[Any]) -> Any:
    """Arrays among the operands are taken element by element; an int, a Fraction and the like as a float.

    The table knows no Values. What an operand makes of an operation that it takes part in is its own affair: a class
    says it by `__apply__(op, operands)`, as NumPy's `__array_ufunc__` and PyTorch's `__torch_function__` do.
    """
    if any(map(is_array, operands)):
        return elementwise(op, operands)
    return op(*[x if hasattr(x, "__apply__") else number(x, op.name) for x in operands])
