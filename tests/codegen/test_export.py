"""Exported code beside the function itself: C by both compilers, JavaScript and WebAssembly under Node, and Python."""

import math
import shutil
import subprocess
from typing import NamedTuple

import numpy as np
import pytest
from exported import Failed, compiled, plain, python_function, run_javascript
from hypothesis import given, settings, strategies as st
from strategies import EXTREME, MODERATE, expressions, given_some_or_many

from autograd import Primitive, Value, export, flatten, relu, take, value_and_grad, vmap
from autograd.primitives import TABLE
from nn import MLP
from tests.compiler.conftest import close, same_bits
from tests.compiler.test_primitives import (
    EXACT,
    EXTREME as EXTREME_POINTS,
    MODERATE as MODERATE_POINTS,
    all_derivatives,
    points,
)
from tests.compiler.test_random_programs import BLOCKS, run

EXACT = EXACT | {"floor", "ceil", "trunc", "round", "fmod", "mod"}
pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="there is no gcc here")
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"there is no {program} here")


def numbers(result):
    return [float(x.data if isinstance(x, Value) else x) for x in flatten(result)[0]]


def agree(f, calls, same=same_bits, levels=("-O0", "-O3"), **options):
    """Compare exported code in all languages with the function itself, at each of the calls."""
    expected = [numbers(f(*args)) for args in calls]
    first, *others = calls
    options = {"examples": others, **options}
    found = {}
    code = export(f, *first, language="c", **options)
    for compiler in COMPILERS:
        for level in levels:
            function = compiled(code, compiler, level)
            found[f"{compiler} {level}"] = [numbers(function(*args)) for args in calls]
    function = python_function(export(f, *first, language="python", **options))
    found["python"] = [numbers(function(*map(plain, args))) for args in calls]
    if shutil.which("node"):
        for language in ("javascript", "wasm"):
            found[language] = run_javascript(export(f, *first, language=language, **options), calls)
    for where, results in found.items():
        for args, mine, theirs in zip(calls, results, expected, strict=True):
            assert len(mine) == len(theirs), where
            wrong = [(i, x, y) for i, (x, y) in enumerate(zip(mine, theirs, strict=True)) if not same(x, y)]
            assert not wrong, (where, args, wrong[:5])


@needs("clang")
@needs("node")
@needs("g++")
def test_every_tool_that_these_tests_use_is_here():
    assert COMPILERS == ["gcc", "clang"]


PROGRAMS = st.lists(
    expressions(primitives=sorted(EXACT - {"take"}), extreme=True, max_steps=12), min_size=12, max_size=12
)


@given_some_or_many(PROGRAMS, st.data(), some=2, many=20)
def test_arithmetic_and_comparisons_are_bit_identical_to_eager_mode(programs, data):
    def everything(inputs):
        return [
            value_and_grad(lambda xs, p=p: p.evaluate(TABLE, list(xs)))(xs)
            for p, xs in zip(programs, inputs, strict=True)
        ]

    others = [[data.draw(st.lists(EXTREME, min_size=len(p.inputs), max_size=len(p.inputs))) for p in programs]
              for _ in range(3)]  # fmt: skip
    agree(everything, [([list(p.inputs) for p in programs],), *[(inputs,) for inputs in others]])


@pytest.mark.parametrize("extreme", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_every_primitive_and_its_derivatives_agree_on_lanes(extreme):
    batch = points(tuple(EXTREME_POINTS if extreme else MODERATE_POINTS))
    size = 12
    chosen = {name: rows[:: max(1, len(rows) // size)][:size] for name, rows in batch.items()}
    f = vmap(all_derivatives)
    expected = f(chosen)
    code = export(f, chosen)
    results = {"c": compiled(code)(chosen), "python": python_function(export(f, chosen, language="python"))(chosen)}
    if "clang" in COMPILERS:
        results["clang"] = compiled(code, "clang", "-O3")(chosen)
    if shutil.which("node"):
        for language in ("javascript", *["wasm"] * extreme):
            (numbers,) = run_javascript(export(f, chosen, language=language), [(chosen,)])
            columns = iter(np.array(numbers).reshape(-1, size))
            results[language] = {name: [next(columns) for _ in expected[name]] for name in chosen}
    for where, found in results.items():
        for name in found:
            for k, (mine, theirs) in enumerate(zip(found[name], expected[name], strict=True)):
                for xs, x, y in zip(chosen[name], mine, theirs, strict=True):
                    x, y = float(x), y.data if isinstance(y, Value) else float(y)
                    same = same_bits(x, y) if name in EXACT else close(x, y, 1e-11 if extreme else 1e-13)
                    assert same, (where, name, k, xs, x, y)


@settings(max_examples=4)
@given(
    st.lists(st.tuples(BLOCKS, st.lists(st.tuples(MODERATE, MODERATE), min_size=4, max_size=4)), min_size=1, max_size=1)
)
def test_branches_become_branches(programs):
    ((block, points),) = programs
    f = value_and_grad(lambda x, y: run(block, x, y)[0], argnums=(0, 1))
    agree(f, points, levels=("-O1",))


def steps(x):
    """How often x is halved until it is at most 1."""
    count = 0.0
    while x > 1:
        x, count = x / 2, count + 1
    return x * count


def test_a_branch_that_no_example_took_is_a_status_and_never_a_number():
    c = compiled(export(steps, 3.0, examples=[(0.5,)]))
    assert [c(0.25), c(4.0)] == [steps(0.25), steps(4.0)]
    for x in (1.5, 100.0):
        with pytest.raises(Failed, match="1"):
            c(x)
    python = python_function(export(steps, 3.0, language="python"))
    with pytest.raises(ValueError, match="a branch that no example took"):
        python(100.0)
    if shutil.which("node"):
        for language in ("javascript", "wasm"):
            known, unknown = run_javascript(export(steps, 3.0, language=language), [(4.0,), (100.0,)])
            assert known == [steps(4.0)]
            assert "no example took" in unknown


def test_branches_on_lanes_take_the_ways_of_the_examples():
    f = vmap(lambda w, x: w * steps(x), in_axes=(None, 0), reduce="sum")
    xs = np.array([0.5, 3.0, 1.5, 0.1])
    code = export(vmap(value_and_grad(steps)), xs)
    c = compiled(code)
    again = np.array([1.75, 0.3, 2.5, 3.5, 0.0])
    assert numbers(c(again)) == numbers(vmap(value_and_grad(steps))(again))
    with pytest.raises(Failed, match="1"):
        c(np.array([0.5, 100.0]))
    assert numbers(compiled(export(f, 2.0, xs))(2.0, again)) == numbers(f(2.0, again))


def test_an_index_out_of_range_is_a_status():
    def f(values, index):
        return 2.0 * take(values, index)

    c = compiled(export(f, [1.0, 2.0, 3.0], 1.0))
    assert c([1.0, 2.0, 3.0], 2.0) == 6.0
    for index in (3.0, -1.0, 0.5, math.nan):
        with pytest.raises(Failed, match="2"):
            c([1.0, 2.0, 3.0], index)
    python = python_function(export(f, [1.0, 2.0, 3.0], 1.0, language="python"))
    with pytest.raises(IndexError, match="out of range"):
        python([1.0, 2.0, 3.0], 3.0)


class Point(NamedTuple):
    x: float
    y: float


def test_structures_keep_their_shape_and_names():
    def f(params, rows, point, scale, double):
        return {
            "sum": params["w"][0] * point.x + params["w"][1] * point.y + params["bias"]["b"],
            "rows": [[x * scale for x in row] for row in rows],
            "keyed": {"a b": scale, "c-d": point.x},
            "array": np.array([[point.x, point.y, scale], [0.0, 1.0, point.x]]) * 2.0,
            "half": double / 2,
            "larger": point.x > point.y,
            "nothing": None,
        }

    args = ({"w": [1.0, 2.0], "bias": {"b": 0.5}}, [[1.0, 2.0], [3.0, 4.0]], Point(5.0, 6.0), 7.0, 3)
    expected = f(*args)
    python = python_function(export(f, *args, language="python"))(*args)
    assert python == {**expected, "array": expected["array"].tolist()}
    code = export(f, *args, name="all_of_it")
    c = compiled(code)(*args)
    for key in ("sum", "keyed", "half", "larger"):
        assert c[key] == expected[key]
    assert c["rows"].tolist() == expected["rows"]
    assert c["array"].tolist() == expected["array"].tolist()
    assert "struct all_of_it_params_bias {\n    double b;\n};" in code.text
    assert "result->keyed[2]: a b, c-d" in code.text
    if shutil.which("node"):
        agree(lambda *a: {k: v for k, v in f(*a).items() if k != "nothing"}, [args], levels=("-O1",))


def test_names_that_mean_something_in_the_language_are_others_there():
    def f(double, work, t1, exp, i, n, flat):
        return exp(double) if callable(exp) else double * work + t1 * exp - i / n + flat

    agree(f, [(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)], levels=("-O1",))


@needs("g++")
def test_a_header_declares_the_function_for_c_and_cpp(tmp_path):
    code = export(lambda p: {"y": p["a"] * 2.0}, {"a": 1.0}, name="twice")
    code.save(tmp_path / "twice.c")
    main = (
        '#include "twice.h"\n#include <stdio.h>\nint main(void) { struct twice_p p; struct twice_result r; p.a = 3.0;'
    )
    main += ' int status = twice(&p, &r); printf("%d %g", status, r.y); return 0; }\n'
    for compiler, name in (("gcc", "main.c"), ("g++", "main.cpp")):
        (tmp_path / name).write_text(main)
        subprocess.run(["gcc", "-c", "twice.c"], cwd=tmp_path, check=True)
        subprocess.run([compiler, name, "twice.o", "-o", "main", "-lm"], cwd=tmp_path, check=True)
        assert subprocess.check_output([tmp_path / "main"], text=True) == "0 6"


# --- networks --------------------------------------------------------------------------------------------------------


def hinge(model, x, y):
    """The hinge loss of one sample."""
    return relu(1 - y * model(x))


def test_a_network_and_all_its_gradients_are_bit_identical():
    model = MLP(3, [16, 9, 1], rng=0)
    X = np.random.default_rng(0).normal(size=(3, 3))
    agree(value_and_grad(hinge), [(model, x, y) for x, y in zip(X, (1.0, -1.0, 1.0), strict=True)])


def test_a_batch_adds_from_the_first_sample_to_the_last():
    model = MLP(2, [10, 1], rng=0)
    X = np.random.default_rng(0).normal(size=(7, 2))
    y = np.sign(X[:, 0] * X[:, 1])
    code = export(value_and_grad(vmap(hinge, in_axes=(None, 0, 0), reduce="sum")), model, X, y)
    c, python = compiled(code), python_function(export(*_batch(model, X, y), language="python"))
    value, gradient = vmap(value_and_grad(hinge), in_axes=(None, 0, 0), reduce="sum")(model, X, y)
    for results in (c(model, X, y), python(plain(model), X, y)):
        assert numbers(results) == numbers((value, gradient))


def test_lanes_side_by_side_compute_what_they_compute_one_by_one():
    def f(w, row, i):
        h = [relu(row[0] * w[k] - row[1]) for k in range(9)]
        return sum(h) * i, row[1] * i, np.array(h)

    rng = np.random.default_rng(0)
    calls = [(rng.normal(size=9), rng.uniform(0, 3, size=(2, n)), rng.normal(size=n)) for n in (21, 8, 1)]
    odd = np.array([[math.nan, math.inf, -0.0, 1.0] * 4, [0.0, -0.0, math.inf, math.nan] * 4])
    calls += [(-calls[0][0], odd, np.zeros(16))]
    stacked = vmap(f, in_axes=(None, 1, 0))
    summed = value_and_grad(vmap(lambda *lane: f(*lane)[0], in_axes=(None, 1, 0), reduce="sum"))
    with np.errstate(invalid="ignore"):
        for g in (stacked, summed):
            one_by_one = python_function(export(g, *calls[0], language="python"))
            code = export(g, *calls[0])
            assert "lane += 8" in code.text
            for function in [compiled(code, compiler, "-O3") for compiler in COMPILERS]:
                for args in calls:
                    pairs = zip(numbers(function(*args)), numbers(one_by_one(*args)), strict=True)
                    assert all(same_bits(x, y) for x, y in pairs)


def _batch(model, X, y):
    return value_and_grad(vmap(hinge, in_axes=(None, 0, 0), reduce="sum")), model, X, y


def test_a_captured_model_is_a_table_of_its_numbers():
    model = MLP(4, [12, 3], activation="tanh", rng=0)
    xs = [[0.1, 0.2, 0.3, 0.4], [-1.0, 2.0, 0.5, 0.0]]
    code = export(model, xs[0])
    assert f"static const double parameters[{len(model.parameters())}]" in code.text
    agree(model, [(x,) for x in xs], same=lambda x, y: close(x, y, 1e-14), levels=("-O1",))


def test_what_is_done_to_each_number_and_read_once_is_one_loop():
    def f(xs, ys):
        scaled = [(3.0 * x + y) / 2.0 for x, y in zip(xs, ys, strict=True)]
        return [relu(x) for x in scaled], sum(x * x for x in scaled), [x + 1.0 for x in scaled]

    xs = [math.sin(i) for i in range(12)]
    code = export(f, xs, xs[::-1])
    assert code.text.count("for (") == 4
    assert "double work[13];" in code.text  # what is scaled, which is read more than once, and the sum
    agree(f, [(xs, xs[::-1]), ([math.inf] * 12, [math.nan] * 12)], levels=("-O3",))


@pytest.mark.slow
def test_a_network_of_20000_parameters_is_some_kilobytes_of_code():
    model = MLP(64, [128, 96, 10], rng=0)
    assert len(model.parameters()) > 20_000
    x = np.random.default_rng(0).normal(size=64)

    def loss(model, x):
        return sum([s * s for s in model(x)])

    code = export(value_and_grad(loss), model, x)
    assert len(code.text) < 12_000
    value, gradient = compiled(code)(model, x)
    expected, slopes = value_and_grad(loss)(model, x)
    assert value == expected
    assert gradient == slopes


@pytest.mark.parametrize("axes", [(0, 1), (2, 0), (1, 2)])
def test_any_axis_may_be_mapped_and_stacked(axes):
    in_axis, out_axis = axes

    def f(rows, w):
        return np.sum(rows * w) * rows

    shape = [2, 3]
    shape.insert(in_axis, 5)
    X = np.arange(30.0).reshape(shape) + 0.25
    mapped = vmap(f, in_axes=(in_axis, None), out_axes=out_axis)
    w = np.array([[1.0, -2.0, 0.5], [0.1, 0.2, 0.3]])
    agree(mapped, [(X, w)], levels=("-O1",))


# --- refusals --------------------------------------------------------------------------------------------------------


def test_an_unknown_language_is_named():
    with pytest.raises(ValueError, match="unknown language 'rust'; choose from 'c'"):
        export(steps, 1.0, language="rust")


def test_examples_of_another_structure_are_refused():
    with pytest.raises(ValueError, match="example 1 differs from the arguments"):
        export(lambda x: x[0] * 2.0, [1.0], examples=[([1.0, 2.0],)])


def test_what_jit_refuses_is_refused():
    with pytest.raises(TypeError, match=r"\.data"):
        export(lambda x: x * x.data, 2.0)


def test_a_primitive_that_a_language_has_not_is_named():
    zeroth = Primitive("zeroth", lambda x: math.sin(x) / x, [lambda out, x: out], lower="j0")
    with pytest.raises(TypeError, match="'j0' is not known in JavaScript"):
        export(zeroth, 3.5, language="javascript")
