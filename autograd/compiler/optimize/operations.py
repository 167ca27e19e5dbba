"""The operations of a machine: what each computes, and which of them give a condition."""

from collections.abc import Callable

from autograd import primitives

# what each computes: the forward rule of the primitive that is lowered to it
FORWARD: dict[str, Callable[..., float]] = {
    p.lower: p.forward for p in primitives.TABLE.values() if isinstance(p.lower, str)
}
COMPARISONS = frozenset(op for op in FORWARD if op.startswith("fcmp"))
LOGICAL = frozenset({"and", "or", "not"})
CONDITIONS = COMPARISONS | LOGICAL
COMMUTATIVE = frozenset({"fadd", "fmul", "and", "or", "fcmp oeq", "fcmp une"})
