"""LLVM IR of one function of the compiled code: on numbers in slots, or on the lanes of a region."""

import math
import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from autograd.compiler.lower.layout import Pass
from autograd.compiler.lower.reductions import TILE
from autograd.compiler.optimize.exponential import ROUND
from autograd.compiler.optimize.graph import Node
from autograd.compiler.optimize.identities import CONDITIONS

if TYPE_CHECKING:
    from autograd.compiler.lower.module import Lowering

EXPONENT_BIAS = 1023.0


def _literal(x: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', math.nan if x != x else x))[0]:016X}"


class Function:
    """LLVM IR for nodes that are the same for all lanes. It reads and writes slots."""

    signature = "ptr noalias %slots"
    double, bit, integer, exponent_bits = "double", "i1", "i64", "52"

    def __init__(self, lowering: "Lowering", name: str):
        self.lowering = lowering
        self.graph = lowering.graph
        self.name = name
        self.lines: list[str] = []
        self.doubles: dict[Node, str] = {}  # the name of each node as a number
        self.bits: dict[Node, str] = {}  # and as a condition
        self.temporaries = 0

    def emit(self, nodes: Sequence[Node]) -> list[str]:
        for node in nodes:
            self._compute(node)
            self._keep(node)
        return [f"define void @{self.name}({self.signature}) {{", *self.lines, "  ret void", "}"]

    def fresh(self) -> str:
        self.temporaries += 1
        return f"%t{self.temporaries}"

    def line(self, text: str) -> str:
        """An instruction with a result of its own name."""
        name = self.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    # --- operands -----------------------------------------------------------------------------------------------------

    def constant(self, x: float) -> str:
        return _literal(x)

    def number(self, node: Node) -> str:
        """The name of a node's number, loaded or converted if need be."""
        name = self.doubles.get(node)
        if name is None:
            if node in self.bits:
                name = self._one_or_zero(self.bits[node])
            elif self.graph.ops[node] == "const":
                name = self.constant(self.graph.args[node][0])
            else:
                name = self.load(node)
            self.doubles[node] = name
        return name

    def _one_or_zero(self, bit: str) -> str:
        return self.line(f"uitofp {self.bit} {bit} to {self.double}")

    def condition(self, node: Node) -> str:
        """The name of a node's truth value: whether it is not zero."""
        name = self.bits.get(node)
        if name is None:
            name = self.line(f"fcmp une {self.double} {self.number(node)}, {self.constant(0.0)}")
            self.bits[node] = name
        return name

    def load(self, node: Node) -> str:
        return self.line(f"load double, ptr {self.slot_address(self.lowering.slot[node])}")

    def slot_address(self, slot: int) -> str:
        return self.line(f"getelementptr double, ptr %slots, i64 {slot}")

    # --- operations ---------------------------------------------------------------------------------------------------

    def _compute(self, node: Node) -> None:
        op, args, double = self.graph.ops[node], self.graph.args[node], self.double
        if op in CONDITIONS:
            self.bits[node] = self._condition(op, args)
        elif op == "select":
            x, y = self.number(args[1]), self.number(args[2])
            bit = self.condition(args[0])
            self.doubles[node] = self.line(f"select {self.bit} {bit}, {double} {x}, {double} {y}")
        elif op == "ldexp":
            self.doubles[node] = self._ldexp(*map(self.number, args))
        elif op == "chain":
            self.doubles[node] = self._chain(node, *map(self.number, args))
        elif op[0] == "f" and op in ARITHMETIC:
            self.doubles[node] = self.line(f"{op} {double} {', '.join(map(self.number, args))}")
        else:
            self.doubles[node] = self._call(op, [self.number(x) for x in args])

    def _condition(self, op: str, args: Sequence[Node]) -> str:
        if op.startswith("fcmp"):
            return self.line(f"{op} {self.double} {self.number(args[0])}, {self.number(args[1])}")
        bits = [self.condition(x) for x in args]
        if op == "not":
            op, bits = "xor", [*bits, self.true]
        return self.line(f"{op} {self.bit} {bits[0]}, {bits[1]}")

    true = "true"

    def _chain(self, node: Node, adjoint: str, partial: str) -> str:
        product = self.line(f"fmul {self.double} {adjoint}, {partial}")
        if node in self.lowering.plain:
            return product
        zero = self.line(f"fcmp oeq {self.double} {adjoint}, {self.constant(0.0)}")
        nan = self.line(f"fcmp uno {self.double} {product}, {product}")
        both = self.line(f"and {self.bit} {zero}, {nan}")
        return self.line(f"select {self.bit} {both}, {self.double} {self.constant(0.0)}, {self.double} {product}")

    def _ldexp(self, x: str, k: str) -> str:
        """x 2^k for a whole k. Multiplied in two steps, since 2^k alone may be out of range."""
        half = self._rounded(self.line(f"fmul {self.double} {k}, {self.constant(0.5)}"))
        rest = self.line(f"fsub {self.double} {k}, {half}")
        for power in (half, rest):
            x = self.line(f"fmul {self.double} {x}, {self._power_of_2(power)}")
        return x

    def _rounded(self, x: str) -> str:
        shifted = self.line(f"fadd {self.double} {x}, {self.constant(ROUND)}")
        return self.line(f"fsub {self.double} {shifted}, {self.constant(ROUND)}")

    def _power_of_2(self, k: str) -> str:
        """2^k: k shifted into the bits of the exponent."""
        shifted = self.line(f"fadd {self.double} {k}, {self.constant(ROUND + EXPONENT_BIAS)}")
        bits = self.line(f"bitcast {self.double} {shifted} to {self.integer}")
        exponent = self.line(f"shl {self.integer} {bits}, {self.exponent_bits}")
        return self.line(f"bitcast {self.integer} {exponent} to {self.double}")

    def _call(self, function: str, args: Sequence[str]) -> str:
        name = f"llvm.{function[5:]}.f64" if function.startswith("llvm.") else function
        return self._call_of("double", name, args)

    def _call_of(self, kind: str, name: str, args: Sequence[str]) -> str:
        self.lowering.declared.add(f"{kind} @{name}({', '.join([kind] * len(args))})")
        return self.line(f"call {kind} @{name}({', '.join([f'{kind} {x}' for x in args])})")

    # --- results ------------------------------------------------------------------------------------------------------

    def _keep(self, node: Node) -> None:
        """Write a node where others look for it."""
        places = self.lowering.places.get(node)
        for place in places or ():
            self._store(self.number(node), place)
        slot = self.lowering.slot.get(node)
        if slot is not None:
            self._store(self.number(node), slot)

    def _store(self, name: str, slot: int) -> None:
        self.lines.append(f"  store double {name}, ptr {self.slot_address(slot)}")


ARITHMETIC = frozenset({"fadd", "fsub", "fmul", "fdiv", "fneg"})


class LaneFunction(Function):
    """LLVM IR for nodes that vary over the lanes of a region: a part of the body of its loop."""

    signature = "ptr noalias %slots, ptr %rows, i64 %row, ptr noalias %scratch, ptr noalias %factors, ptr %columns"

    def __init__(self, lowering: "Lowering", name: str, loop: Pass, handed: Mapping[Node, int], last: bool):
        super().__init__(lowering, name)
        self.loop = loop
        self.handed = handed
        self.last = last
        self.width = lowering.target.lanes
        if self.width > 1:
            self.double, self.bit = f"<{self.width} x double>", f"<{self.width} x i1>"
            self.integer, self.exponent_bits = f"<{self.width} x i64>", "splat (i64 52)"
            self.true = "splat (i1 true)"
        self.columns: dict[Node, list[int]] = defaultdict(list)
        for node, column in loop.stacks:
            self.columns[node].append(column)
        self.arrays: dict[int, str] = {}

    def emit(self, nodes: Sequence[Node]) -> list[str]:
        lines = super().emit(nodes)
        return lines if not self.last else [*lines[:-2], *self._rest(), *lines[-2:]]

    def _rest(self) -> list[str]:
        """What is reduced or stored without being computed here: what is the same for all lanes."""
        self.lines = []
        for node in dict.fromkeys([*self.loop.factors, *self.columns]):
            if self.graph.regions[node] != self.loop.region:
                self._keep(node)
        return self.lines

    def constant(self, x: float) -> str:
        """From a slot, like a parameter: the address of a literal would have to be computed at each use."""
        if not x or x != x:
            return _literal(x) if self.width == 1 else f"splat (double {_literal(x)})"
        return self._splat(self.line(f"load double, ptr {self.slot_address(self.lowering.constant_slot(x))}"))

    def load(self, node: Node) -> str:
        if self.graph.regions[node] == self.loop.region:
            return self.line(f"load {self.double}, ptr {self._place(node)}, align 8")
        return self._splat(super().load(node))

    def _one_or_zero(self, bit: str) -> str:
        """One instruction instead of three where there are registers for masks."""
        one, zero = (f"{self.double} {self.constant(x)}" for x in (1.0, 0.0))
        return self.line(f"select {self.bit} {bit}, {one}, {zero}")

    def _splat(self, scalar: str) -> str:
        if self.width == 1:
            return scalar
        one = self.line(f"insertelement {self.double} poison, double {scalar}, i64 0")
        return self.line(
            f"shufflevector {self.double} {one}, {self.double} poison, <{self.width} x i32> zeroinitializer"
        )

    def _place(self, node: Node) -> str:
        """The address of a vector that other functions of the body, or its reductions, look for."""
        factor = self.loop.factors.get(node)
        if factor is not None:
            return self.line(f"getelementptr double, ptr %factors, i64 {factor * TILE}")
        return self.line(f"getelementptr double, ptr %scratch, i64 {self.handed[node] * self.width}")

    def _compute(self, node: Node) -> None:
        op = self.graph.ops[node]
        if op == "lane_input":
            self.doubles[node] = self._lane_input(*self.graph.args[node])
        elif op == "lane_index":
            lanes = ", ".join([f"double {_literal(float(i))}" for i in range(self.width)])
            first = self._splat(self.line("uitofp i64 %row to double"))
            lanes = f"<{lanes}>" if self.width > 1 else _literal(0.0)
            self.doubles[node] = self.line(f"fadd {self.double} {first}, {lanes}")
        else:
            super()._compute(node)

    def _lane_input(self, array: int, element: int) -> str:
        length = self.lowering.layout.row_lengths[self.loop.region][array]
        if array not in self.arrays:
            address = self.line(f"load ptr, ptr {self.line(f'getelementptr i64, ptr %rows, i64 {array}')}")
            offset = self.line(f"mul i64 %row, {length}")
            self.arrays[array] = self.line(f"getelementptr double, ptr {address}, i64 {offset}")
        base = self.arrays[array]
        if length == 1:
            return self.line(f"load {self.double}, ptr {base}, align 8")
        places = [
            self.line(f"getelementptr double, ptr {base}, i64 {lane * length + element}") for lane in range(self.width)
        ]
        scalars = [self.line(f"load double, ptr {place}") for place in places]
        return self._gathered(scalars)

    def _gathered(self, scalars: Sequence[str]) -> str:
        if self.width == 1:
            return scalars[0]
        vector = "poison"
        for lane, scalar in enumerate(scalars):
            vector = self.line(f"insertelement {self.double} {vector}, double {scalar}, i64 {lane}")
        return vector

    def _call(self, function: str, args: Sequence[str]) -> str:
        width = self.width
        if width == 1:
            return super()._call(function, args)
        if function.startswith("llvm."):
            return self._call_of(self.double, f"llvm.{function[5:]}.v{width}f64", args)
        if function in self.lowering.target.vector_functions:
            return self._call_of(self.double, self.lowering.target.vector_functions[function], args)
        results = []
        for lane in range(width):
            scalars = [self.line(f"extractelement {self.double} {x}, i64 {lane}") for x in args]
            results.append(self._call_of("double", function, scalars))
        return self._gathered(results)

    def _ldexp(self, x: str, k: str) -> str:
        if not self.lowering.target.scalef:
            return super()._ldexp(x, k)
        scalef, double = "llvm.x86.avx512.mask.scalef.pd.512", self.double
        self.lowering.declared.add(f"{double} @{scalef}({double}, {double}, {double}, i8, i32)")
        operands = f"{double} {x}, {double} {k}, {double} zeroinitializer, i8 -1, i32 4"
        return self.line(f"call {double} @{scalef}({operands})")

    def _keep(self, node: Node) -> None:
        if node in self.handed or node in self.loop.factors:
            place = self._place(node)
            self.lines.append(f"  store {self.double} {self.number(node)}, ptr {place}, align 8")
        for column in self.columns.get(node, ()):
            base = self.line(f"load ptr, ptr {self.line(f'getelementptr i64, ptr %columns, i64 {column}')}")
            place = self.line(f"getelementptr double, ptr {base}, i64 %row")
            self.lines.append(f"  store {self.double} {self.number(node)}, ptr {place}, align 8")
