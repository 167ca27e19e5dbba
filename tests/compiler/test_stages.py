"""The stages of the compiler, one by one."""

import itertools
import math

import pytest

from autograd import Value, dot, exp, grad, relu, sin, sqrt, vmap
from autograd.compiler.lower.module import lower
from autograd.compiler.lower.target import host_target
from autograd.compiler.optimize.convert import simplify
from autograd.compiler.optimize.gates import settle
from autograd.compiler.optimize.graph import Graph
from autograd.compiler.run.kernel import Kernel
from autograd.compiler.trace.calls import trace
from tests.compiler.conftest import same_bits

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -3.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1.7e308, -1e200, 1e-200]


def run(f, *args, exact=False):
    """The outputs of a function of floats, stage by stage."""
    program = simplify(trace(f, args))
    ir, plan = lower(settle(program, exact), {}, host_target())
    kernel = Kernel(ir, plan)
    buffers = kernel.take_buffers()
    buffers.slots[: len(args)] = args
    kernel.run(buffers, 1)
    return buffers.slots[plan.outputs : plan.outputs + len(program.outputs)].tolist()


def operations(f, *args):
    program = simplify(trace(f, args))
    return [program.graph.ops[node] for node in program.graph.needed(program.outputs)]


# --- trace -----------------------------------------------------------------------------------------------------------


def test_a_trace_records_inputs_guards_and_where_they_are():
    traced = trace(lambda x, n: x * n if x > 0 else x, [3.0, 2])
    (guard,) = traced.trace.guards
    assert guard.taken
    assert "test_stages.py" in guard.line
    assert [leaf.label for leaf in traced.trace.sources] == ["x", "n"]


def test_a_trace_can_be_steered_another_way_than_the_numbers_go():
    traced = trace(lambda x: x * 2.0 if x > 0 else -x, [3.0], decisions=(False,))
    assert traced.result.data == -3.0


# --- simplify --------------------------------------------------------------------------------------------------------


def test_a_product_comes_right_before_it_is_added():
    found = operations(lambda w, x, y, z: dot([w, x, y], [x, y, z]), 1.0, 2.0, 3.0, 4.0)
    assert [op for op in found if op not in ("input", "const")] == ["fmul", "fadd"] * 3


def test_constants_fold_equal_nodes_merge_and_dead_ones_go():
    assert operations(lambda x: x * (2.0 * 3.0), 1.0) == ["input", "const", "fmul"]
    assert operations(lambda x, y: (x + y) * (y + x), 1.0, 2.0) == ["input", "input", "fadd", "fmul"]
    assert operations(lambda x: (sin(x), x + 1.0)[1], 1.0) == ["input", "const", "fadd"]
    assert operations(lambda x: x * 1.0 / 1.0 - 0.0, 1.0) == ["input"]


@pytest.mark.parametrize(
    "f",
    [lambda x: x + 0.0, lambda x: x * 0.0, lambda x: x - x, lambda x: x / x, lambda x: 0.0 - x, lambda x: x * 2 / 2],
)
def test_what_is_not_exact_stays(f):
    assert len(operations(f, 1.0)) > 1
    for x in SPECIAL:
        assert same_bits(run(f, x)[0], trace(f, [x]).result.data), x


# Every identity on every special number: what Graph.add makes of an operation computes the same bits
BINARY = [
    "fadd",
    "fsub",
    "fmul",
    "fdiv",
    "fcmp olt",
    "fcmp ole",
    "fcmp ogt",
    "fcmp oge",
    "fcmp oeq",
    "fcmp une",
    "llvm.copysign",
]
WRAPPED = {
    "itself": lambda graph, x: x, "negated": lambda graph, x: graph.add("fneg", (x,)),
    "size": lambda graph, x: graph.add("llvm.fabs", (x,)),
    "doubled": lambda graph, x: graph.add("fmul", (x, graph.constant(-2.0))),
}  # fmt: skip


def evaluate(graph, node, inputs):
    """The number of a node, by the forward rules of the primitives."""
    from autograd.compiler.optimize.operations import FORWARD

    op, args = graph.ops[node], graph.args[node]
    if op == "const":
        return args[0]
    if op == "input":
        return inputs[args[0]]
    return FORWARD[op](*[evaluate(graph, x, inputs) for x in args])


@pytest.mark.parametrize("op", BINARY)
def test_identities_are_exact(op):
    from autograd.compiler.optimize.identities import RULES
    from autograd.compiler.optimize.operations import FORWARD

    pairs = [(*wraps, None) for wraps in itertools.product(WRAPPED.values(), repeat=2)]
    for wrap_x, wrap_y, constant in [*pairs, *itertools.product(WRAPPED.values(), [WRAPPED["itself"]], SPECIAL)]:
        graph = Graph(RULES)
        x, y = wrap_x(graph, graph.source("input", 0)), wrap_y(graph, graph.source("input", 1))
        pair = (x, y) if constant is None else (x, graph.constant(constant))
        node = graph.add(op, pair)
        swapped = graph.add(op, pair[::-1])
        for inputs in itertools.product(SPECIAL, SPECIAL if constant is None else [0.0]):
            operands = [evaluate(graph, operand, inputs) for operand in pair]
            assert same_bits(evaluate(graph, node, inputs), FORWARD[op](*operands)), (op, operands)
            assert same_bits(evaluate(graph, swapped, inputs), FORWARD[op](*operands[::-1])), (op, operands[::-1])


# --- lower and run ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True])
def test_lowered_code_computes(exact):
    assert run(lambda x, y: [x * y + 1.0, relu(x - y), exp(x)], 2.0, 3.0, exact=exact) == [7.0, 0.0, math.exp(2.0)]


def test_fast_code_reports_a_product_that_exact_code_makes_zero():
    program = simplify(trace(grad(lambda x: sqrt(relu(x - 1.0)) + x), [1.0]))
    flags = []
    for exact in (False, True):
        ir, plan = lower(settle(program, exact), {}, host_target())
        kernel = Kernel(ir, plan)
        buffers = kernel.take_buffers()
        buffers.slots[0] = 1.0
        kernel.run(buffers, 1)
        flags.append(buffers.slots[plan.outputs : plan.outputs + 3].tolist())
    (fast, _, fast_nan), (exact_result, _, exact_nan) = flags
    assert (exact_result, exact_nan) == (1.0, 0.0)
    assert fast_nan == 1.0 or fast == 1.0


@pytest.mark.parametrize("exact", [False, True])
def test_results_that_nothing_computes_are_copied(exact):
    constants = [0.0, -0.0, 0.5, math.nan, math.inf, -0.0]
    results = run(lambda x, y: [x, *map(Value, constants), y, x], 2.0, -3.0, exact=exact)
    assert len(results) == 9
    assert all(map(same_bits, results, [2.0, *constants, -3.0, 2.0]))


@pytest.mark.parametrize("size", [1, 2, 499, 500, 501, 2000])
def test_a_graph_is_cut_into_functions_that_hand_numbers_on(size):
    def f(x, y):
        values = [x, y]
        for i in range(size):
            values.append(values[-1] * 0.5 + values[i // 2])
        return [values[-1], values[len(values) // 3]]

    assert run(f, 1.5, -2.5) == f(1.5, -2.5)


def test_lanes_of_a_large_body_hand_vectors_on(target):
    import numpy as np

    from autograd import jit

    def body(x):
        values = [x, x * x]
        for i in range(700):
            values.append(values[-1] * 0.5 + values[i // 2])
        return values[-1]

    X = np.linspace(-1, 1, 19)
    assert np.array_equal(jit(vmap(body), target=target)(X), [body(x) for x in X.tolist()])
