"""Hypothesis strategies that draw whole expression graphs, as descriptions that any backend can replay.

@given(expressions())
def test_something(expression):
    xs = [Value(x) for x in expression.inputs]
    y = expression.evaluate(TABLE, xs)                          # Values; TABLE also takes floats and traced Values
    assert y.data == expression.evaluate(TABLE)                 # floats
    expression.evaluate(references.MPMATH, ..., constant=mpf)   # another table of functions, another arithmetic
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from autograd import Value
from autograd.graph import topological_order
from autograd.primitives import TABLE

CONDITIONS = ("lt", "le", "gt", "ge", "eq", "ne", "logical_and", "logical_or", "logical_not")
WITHOUT_DERIVATIVE = (*CONDITIONS, "sign", "detach", "floor", "ceil", "trunc", "round")


def given_some_or_many(*strategies: st.SearchStrategy[Any], some: int, many: int) -> Callable[[Callable], Callable]:
    """hypothesis' `given`, as two tests: `some` examples by default, `many` in the long search.

    For what takes long for each example, such as all that is compiled.
    """

    def decorate(holds: Callable) -> Callable:
        @pytest.mark.parametrize("examples", [some, pytest.param(many, marks=pytest.mark.slow)])
        def test(examples: int) -> None:
            settings(max_examples=examples)(given(*strategies)(holds))()

        test.__name__, test.__doc__ = holds.__name__, holds.__doc__
        return test

    return decorate


@dataclass(frozen=True)
class Step:
    """One operation. An operand is a constant (float) or the position of an input or an earlier result (int)."""

    primitive: str
    operands: tuple[int | float, ...]


@dataclass(frozen=True, repr=False)
class Expression:
    """An expression graph without any engine's objects: inputs, and steps in an order in which they can be computed.

    Position i < len(inputs) is an input, position len(inputs) + k is the result of step k. The last step is the result
    of the whole. Every step has at least one operand that is no constant, so on Values every result is a Value.
    """

    inputs: tuple[float, ...]
    steps: tuple[Step, ...]

    def values(
        self,
        functions: Mapping[str, Callable[..., Any]],
        inputs: Sequence[Any] | None = None,
        constant: Callable[[float], Any] = float,
    ) -> list[Any]:
        """The inputs and the results of all steps, by position.

        Args:
            functions: what to call for each primitive, with the primitive's own operands: `TABLE` for floats, Values
                and traced Values; `references.MPMATH` for mpmath; `references.torch_functions()` for tensors.
            inputs: what stands for each input, in that arithmetic; the drawn floats unless given.
            constant: turns a constant into a number of that arithmetic.
        """
        values = list(self.inputs if inputs is None else inputs)
        for step in self.steps:
            operands = [values[x] if isinstance(x, int) else constant(x) for x in step.operands]
            values.append(functions[step.primitive](*operands))
        return values

    def evaluate(self, functions: Any, inputs: Any = None, constant: Callable[[float], Any] = float) -> Any:
        """The result; arguments as for `values`."""
        return self.values(functions, inputs, constant)[-1]

    @classmethod
    def of(cls, result: Value, xs: Sequence[Value]) -> "Expression":
        """The description of a graph of Values. Leaves that are not among xs are taken as constants."""
        position: dict[Any, int | float] = {x: i for i, x in enumerate(xs)}
        steps: list[Step] = []
        for node in topological_order([result]):
            if node in position:
                continue
            operands = tuple([position[x] if isinstance(x, Value) else x for x in node.operands])
            if node.op is None or (float in map(type, operands) and int not in map(type, operands)):
                position[node] = node.data
            else:
                position[node] = len(xs) + len(steps)
                steps.append(Step(node.op.name, operands))
        if not steps or position[result] != len(xs) + len(steps) - 1:  # an input or a constant is the result
            steps.append(Step("add", (position[result], 0.0)))
        return cls(tuple(x.data for x in xs), tuple(steps))

    def __repr__(self) -> str:
        """Code to read and to paste, one line a step."""
        names = [f"x{i}" for i in range(len(self.inputs))] + [f"v{k}" for k in range(len(self.steps))]
        lines = [f"{name} = {x!r}" for name, x in zip(names, self.inputs, strict=False)]
        for name, step in zip(names[len(self.inputs) :], self.steps, strict=True):
            operands = ", ".join(names[x] if isinstance(x, int) else repr(x) for x in step.operands)
            lines.append(f"{name} = {step.primitive}({operands})")
        return "Expression:\n    " + "\n    ".join(lines)


MODERATE = st.one_of(
    st.floats(-4, 4, allow_subnormal=False).map(lambda x: round(x, 6) + 0.0),
    st.sampled_from([0.5, 1.0, 2.0, 3.0, -1.0, -2.0, 0.25, 1.5]),
)
SPECIAL = [0.0, -0.0, 1.0, -1.0, 1e-200, -1e-200, 1e200, -1e200, 5e-324, -5e-324, 2.2e-308, 1.7e308, -1.7e308]
SPECIAL += [math.inf, -math.inf, math.nan, 0.5, 2.0, 710.0, -746.0, 1e16, -1e-17]
EXTREME = st.one_of(st.sampled_from(SPECIAL), st.floats(), MODERATE)


@st.composite
def expressions(
    draw: Any,
    *,
    primitives: Sequence[str] | None = None,
    min_inputs: int = 1,
    max_inputs: int = 3,
    max_steps: int = 12,
    extreme: bool = False,
) -> Expression:
    """Whole random expression graphs: shared sub-expressions, constants on either side, deep and wide.

    Args:
        primitives: names to draw from, every primitive of the table unless given. What no other step uses is joined
            by one final `sum`, whether that is among them or not, so that nothing drawn is left aside.
        min_inputs, max_inputs, max_steps: the size of the graph.
        extreme: draw inputs and constants from all floats (infinities, nan, subnormals, signed zeros, 1e±200) and keep
            every step. By default they are moderate, and a step whose result is not, is left out.
    """
    numbers = EXTREME if extreme else MODERATE
    names = sorted(primitives or set(TABLE) - {"direction"})  # which is for operands with t² + s = 1
    inputs = tuple(draw(st.lists(numbers, min_size=min_inputs, max_size=max_inputs)))
    values: list[float] = list(inputs)
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, max_steps))):
        step = draw(_steps(draw(st.sampled_from(names)), len(inputs), steps, numbers))
        result = TABLE[step.primitive](*[values[x] if isinstance(x, int) else x for x in step.operands])
        if extreme or abs(result) < 1e4:
            steps.append(step)
            values.append(result)
    used = {x for step in steps for x in step.operands if isinstance(x, int)}
    unused = tuple(i for i in range(len(values)) if i not in used)
    if not steps or len(unused) > 1:
        steps.append(Step("sum", unused))
    return Expression(inputs, tuple(steps))


@st.composite
def _steps(draw: Any, name: str, n_inputs: int, steps: Sequence[Step], constants: Any) -> Step:
    last = n_inputs + len(steps) - 1
    references = st.integers(0, last).map(lambda back: last - back)  # shrinks towards a chain
    anything = st.one_of(references, references, references, constants)
    operands = [draw(anything) for _ in range(draw(_operand_counts(name)))]
    if name == "take":
        conditions = [n_inputs + k for k, step in enumerate(steps) if step.primitive in CONDITIONS]
        whole = st.integers(0, len(operands) - 1).map(float)
        can_be_computed = conditions and len(operands) > 1
        index = draw(st.one_of(whole, st.sampled_from(conditions)) if can_be_computed else whole)
        operands = [index, *operands]
    if not any(isinstance(x, int) for x in operands):
        operands[-1] = draw(references)
    return Step(name, tuple(operands))


def _operand_counts(name: str) -> Any:
    """How many operands to draw for a primitive; for take, how many values behind its index."""
    arity = TABLE[name].arity
    if arity is not None:
        return st.just(arity)
    return st.integers(1, 5).map(lambda n: 2 * n - 1) if name == "dot" else st.integers(1, 6)
