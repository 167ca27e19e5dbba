"""LLVM IR of one function of the compiled code: on numbers in slots, or on the lanes of a region."""

import functools
import math
import struct
from collections.abc import Sequence

from autograd.compiler.lower.code import Code, literal, vector_type
from autograd.compiler.lower.passes import Step
from autograd.compiler.lower.plan import COLUMN, EXPONENT_BIAS, Plan
from autograd.compiler.lower.target import Target
from autograd.compiler.optimize.exponential import ROUND
from autograd.compiler.optimize.graph import Graph, Node
from autograd.compiler.optimize.operations import CONDITIONS

ARITHMETIC = frozenset({"fadd", "fsub", "fmul", "fdiv", "fneg"})


def uniform_function(plan: Plan, n: int) -> Code:
    """Function n on slots."""
    writer = _SlotWriter(plan, Code(f"uniform{n}", {"slots": "ptr noalias"}, quick=plan.quick))
    writer.write(plan.uniform[n])
    return writer.code


def lane_functions(plan: Plan, n: int) -> list[Code]:
    """The functions of all steps of pass n: each for as many lanes as a register holds."""
    pointers = dict.fromkeys(["slots", "scratch", "tile"], "ptr noalias")
    written = []
    for i, step in enumerate(plan.passes[n].work.steps):
        for k, nodes in enumerate(step.codes):
            code = Code(f"pass{n}_{i}_{k}", pointers | {"row": "i64"})
            writer = _LaneWriter(plan, code, n, step)
            if i == k == 0:
                writer.keep_what_is_the_same()
            writer.write(nodes)
            written.append(writer.code)
    return written


def _literal(x: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', math.nan if x != x else x))[0]:016X}"


class Writer:
    """Writes nodes: their operations, on numbers or on vectors of so many lanes.

    Args:
        graph: what the nodes are of.
        code: where they are written.
        target: what for.
        lanes: doubles to a vector; 1 for numbers.
    """

    def __init__(self, graph: Graph, code: Code, target: Target, lanes: int):
        self.graph, self.code, self.target, self.lanes = graph, code, target, lanes
        self.value = code.value
        self.double, self.bit, self.integer = [vector_type(lanes, kind) for kind in ("double", "i1", "i64")]
        self.exponent_bits, self.true = literal("52", lanes, "i64"), literal("true", lanes, "i1")
        self.doubles: dict[Node, str] = {}  # the name of each node as a number
        self.bits: dict[Node, str] = {}  # the name of each node as a condition; a node may have both

    def write(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self._compute(node)
            self._keep(node)

    def _keep(self, node: Node) -> None:
        """Write a node where others look for it."""

    # --- operands -----------------------------------------------------------------------------------------------------

    def constant(self, x: float) -> str:
        return literal(_literal(x), self.lanes)

    def number(self, node: Node) -> str:
        """The name of a node's number, loaded or converted if need be."""
        name = self.doubles.get(node)
        if name is None:
            if node in self.bits:
                name = self._one_or_zero(self.bits[node])
            elif self.graph.ops[node] == "const":
                name = self.constant(self.graph.args[node][0])
            else:
                name = self._load(node)
            self.doubles[node] = name
        return name

    def _one_or_zero(self, bit: str) -> str:
        return self.value(f"uitofp {self.bit} {bit} to {self.double}")

    def condition(self, node: Node) -> str:
        """The name of a node's truth value: whether it is not zero."""
        name = self.bits.get(node)
        if name is None:
            name = self.value(f"fcmp une {self.double} {self.number(node)}, {self.constant(0.0)}")
            self.bits[node] = name
        return name

    def _load(self, node: Node) -> str:
        raise KeyError(node)

    # --- operations ---------------------------------------------------------------------------------------------------

    def _compute(self, node: Node) -> None:
        op, args = self.graph.ops[node], self.graph.args[node]
        if op in CONDITIONS:
            self.bits[node] = self._condition(op, args)
        elif op == "select":
            x, y = self.number(args[1]), self.number(args[2])
            self.doubles[node] = self._select(self.condition(args[0]), x, y)
        elif op == "gated":
            self.doubles[node] = self._gated(args)
        elif op == "ldexp":
            self.doubles[node] = self._ldexp(*map(self.number, args))
        elif op in ARITHMETIC:
            self.doubles[node] = self._arithmetic(op, *map(self.number, args))
        else:
            self.doubles[node] = self._call(op, [self.number(x) for x in args])

    def _arithmetic(self, op: str, *operands: str) -> str:
        return self.value(f"{op} {self.double} {', '.join(operands)}")

    def _select(self, bit: str, x: str, y: str) -> str:
        return self.code.select(self.double, bit, x, y, self.bit)

    def _gated(self, args: Sequence[Node]) -> str:
        n = len(args) // 3
        terms = []
        for x, y, flows in zip(args[:n], args[n : 2 * n], args[2 * n :], strict=True):
            product = self._arithmetic("fmul", self.number(x), self.number(y))
            terms.append(self._select(self.condition(flows), product, self.constant(0.0)))
        return functools.reduce(lambda x, y: self._arithmetic("fadd", x, y), terms)

    def _condition(self, op: str, args: Sequence[Node]) -> str:
        if op.startswith("fcmp"):
            return self._arithmetic(op, self.number(args[0]), self.number(args[1]))
        bits = [self.condition(x) for x in args]
        if op == "not":
            op, bits = "xor", [*bits, self.true]
        return self.value(f"{op} {self.bit} {bits[0]}, {bits[1]}")

    def _ldexp(self, x: str, k: str) -> str:
        """x 2^k for a whole k. Multiplied in two steps, since 2^k alone may be out of range."""
        if self.target.scalef and self.lanes > 1:
            scalef, double = "llvm.x86.avx512.mask.scalef.pd.512", self.double
            self.code.declared.add(f"declare {double} @{scalef}({double}, {double}, {double}, i8, i32)")
            operands = f"{double} {x}, {double} {k}, {double} zeroinitializer, i8 -1, i32 4"
            return self.value(f"call {double} @{scalef}({operands})")
        half = self._arithmetic("fmul", k, self.constant(0.5))
        half = self._arithmetic("fsub", self._arithmetic("fadd", half, self.constant(ROUND)), self.constant(ROUND))
        for power in (half, self._arithmetic("fsub", k, half)):
            x = self._arithmetic("fmul", x, self._power_of_2(power))
        return x

    def _power_of_2(self, k: str) -> str:
        """2^k: k shifted into the bits of the exponent."""
        shifted = self._arithmetic("fadd", k, self.constant(ROUND + EXPONENT_BIAS))
        bits = self.value(f"bitcast {self.double} {shifted} to {self.integer}")
        exponent = self.value(f"shl {self.integer} {bits}, {self.exponent_bits}")
        return self.value(f"bitcast {self.integer} {exponent} to {self.double}")

    def _call(self, function: str, args: Sequence[str]) -> str:
        if function.startswith("llvm."):
            kind = f"v{self.lanes}f64" if self.lanes > 1 else "f64"
            return self.code.result(self.double, f"llvm.{function[5:]}.{kind}", args)
        if self.lanes == 1:
            return self.code.result("double", function, args)
        if function in self.target.vector_functions:
            return self.code.result(self.double, self.target.vector_functions[function], args)
        results = []
        for lane in range(self.lanes):
            scalars = [self.value(f"extractelement {self.double} {x}, i64 {lane}") for x in args]
            results.append(self.code.result("double", function, scalars))
        return self.code.gathered("double", results)


class _SlotWriter(Writer):
    """Writes nodes that are the same for all lanes: they read and write slots."""

    def __init__(self, plan: Plan, code: Code):
        super().__init__(plan.graph, code, plan.target, 1)
        self.plan = plan

    def _load(self, node: Node) -> str:
        return self.code.entry("%slots", self.plan.slot[node], "double")

    def _keep(self, node: Node) -> None:
        places = self.plan.places.get(node, ())
        handed = self.plan.slot.get(node)
        for slot in places if handed is None else (*places, handed):
            self.code.store("double", self.number(node), self.code.at("%slots", slot))


class _LaneWriter(Writer):
    """Writes nodes that vary over the lanes of a region: a part of the body of its loop."""

    def __init__(self, plan: Plan, code: Code, n: int, step: Step):
        super().__init__(plan.graph, code, plan.target, plan.target.lanes)
        self.plan, self.loop, self.step = plan, plan.passes[n], step

    def keep_what_is_the_same(self) -> None:
        """Columns of the tile that are the same for all lanes."""
        for node in self.loop.work.splat:
            self.code.store(self.double, self.number(node), self._place(node))

    def constant(self, x: float) -> str:
        """From a slot, like a parameter: a literal would be loaded through an address computed at each use."""
        if not x or x != x:
            return super().constant(x)
        return self._splat(self.code.entry("%slots", self.plan.constant_slot[x], "double"))

    def number(self, node: Node) -> str:
        """As on slots; but what is the same for all lanes is read again at each use, as an instruction does by itself:
        kept in a whole register, it would often be spilled."""
        name = super().number(node)
        if self.graph.regions[node] != self.loop.region:
            del self.doubles[node]
        return name

    def _load(self, node: Node) -> str:
        if self.graph.regions[node] == self.loop.region:
            return self.code.load(self.double, self._place(node))
        return self._splat(self.code.entry("%slots", self.plan.slot[node], "double"))

    def _one_or_zero(self, bit: str) -> str:
        """One instruction instead of three where there are registers for masks."""
        return self._select(bit, self.constant(1.0), self.constant(0.0))

    def _splat(self, scalar: str) -> str:
        return self.code.splat(self.lanes, "double", scalar)

    def _place(self, node: Node) -> str:
        """The address of a vector that is kept for others."""
        column = self.loop.work.columns.get(node)
        if column is not None:
            return self.code.at("%tile", column * COLUMN)
        return self.code.at("%scratch", self.step.handed[node] * self.lanes)

    def _compute(self, node: Node) -> None:
        if self.graph.ops[node] == "lane_index":
            first = self._splat(self.value("uitofp i64 %row to double"))
            numbers = ", ".join([f"double {_literal(float(lane))}" for lane in range(self.lanes)])
            self.doubles[node] = self._arithmetic("fadd", first, f"<{numbers}>" if self.lanes > 1 else _literal(0.0))
        else:
            super()._compute(node)

    def _keep(self, node: Node) -> None:
        if node in self.step.handed or node in self.loop.work.columns:
            self.code.store(self.double, self.number(node), self._place(node))
