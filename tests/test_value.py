"""Value: what a node records, its operators, and how it behaves as a number."""

import copy
import functools
import gc
import itertools
import math
import operator
import pickle
import struct
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.primitives import TABLE
from autograd.value import record_dot


def same_bits(x, y):
    return struct.pack("<d", x) == struct.pack("<d", y) or (x != x and y != y)


# --- what a node records ----------------------------------------------------------------------------------------------


def test_first_example_of_the_design():
    a = Value(-4.0, label="a")
    b = Value(2.0, label="b")
    d = a * b + b**3
    d.backward()
    assert (d.data, a.grad, b.grad) == (0.0, 2.0, 8.0)


@pytest.mark.parametrize(
    "number", [2, True, Fraction(1, 2), np.float64(0.1), np.float32(0.5), np.int64(3), np.bool_(True), 0.1], ids=repr
)
def test_data_is_always_a_python_float(number):
    leaf = Value(number)
    assert type(leaf.data) is float
    assert leaf.data == number
    leaf.data = number
    assert type(leaf.data) is float
    leaf.grad = number
    assert type(leaf.grad) is float
    assert type((leaf * number).data) is float
    assert all(type(x) in (float, Value) for x in (number + leaf).operands)


@pytest.mark.parametrize(
    ("wrong", "named", "advice"),
    [
        ("1.5", "str", r"float\(...\)"),
        (b"1.5", "bytes", r"float\(...\)"),
        (1j, "complex", "real and imaginary"),
        (None, "NoneType", "real number"),
        ([1.0], "list", "list of Values"),
        (np.zeros(3), "ndarray", "list of Values"),
        (np.zeros(1), "ndarray", "list of Values"),
        (object(), "object", "real number"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_data_that_is_no_real_number_is_refused_with_its_type_and_the_way_out(wrong, named, advice):
    with pytest.raises(TypeError, match=f"(?s){named}.*{advice}|{advice}.*{named}"):
        Value(wrong)
    leaf = Value(1.0)
    with pytest.raises(TypeError, match=named):
        leaf.data = wrong
    with pytest.raises(TypeError, match="a grad"):
        leaf.grad = wrong
    assert leaf.data == 1.0


def test_value_of_a_value_is_refused():
    with pytest.raises(TypeError, match=r"Value 'x' \(2.0\).*\.data"):
        Value(Value(2.0, label="x"))


def test_micrograd_constructor_of_operations_names_its_replacement():
    with pytest.raises(TypeError, match=r"autograd\.Primitive\(name, forward, partials\)"):
        Value(1.0, (Value(2.0),), "op")


def test_plain_number_stays_a_number_in_the_node():
    x = Value(3.0, label="x")
    node = x * 2
    assert node.operands == (x, 2.0)
    assert type(node.operands[1]) is float
    assert node.parents == (x,)
    assert node.local_grads == (2.0,)
    assert node.partials == (2.0, None)
    assert (2 - x).operands == (2.0, x)
    assert (2 - x).local_grads == (-1.0,)


def test_parents_and_local_grads_are_aligned():
    x, y = Value(3.0), Value(4.0)
    assert [p is q for p, q in zip((x * y).parents, (x, y), strict=True)] == [True, True]
    assert (x * y).local_grads == (4.0, 3.0)
    assert (x * x).parents == (x, x)
    dot = autograd.dot([x, 2.0], [y, y], bias=1.0)
    assert dot.operands == (1.0, x, 2.0, y, y)
    assert dot.parents == (x, y, y)
    assert dot.local_grads == (4.0, 3.0, 2.0)


def test_leaf_has_no_operation():
    leaf = Value(1.0)
    assert (leaf.op, leaf.operands, leaf.parents, leaf.local_grads, leaf._prev, leaf._op) == (
        None,
        (),
        (),
        (),
        set(),
        "",
    )


def test_data_of_a_result_cannot_be_assigned():
    result = Value(1.0) + 1
    with pytest.raises(AttributeError, match=r"'add'.*leaf"):
        result.data = 3.0
    assert result.data == 2.0


def test_attribute_that_does_not_exist_cannot_be_assigned():
    with pytest.raises(AttributeError):
        setattr(Value(1.0), "dta", 3.0)  # noqa: B010


@pytest.mark.parametrize(
    "operation", [lambda x, y: x + y, lambda x, y: x * 2.0, lambda x, y: x / y, lambda x, y: x.tanh()]
)
def test_operation_of_one_or_two_operands_makes_one_object_that_the_garbage_collector_walks(operation):
    x, y = Value(2.0), Value(3.0)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        keep = [None] * 100
        for i in range(100):
            keep[i] = operation(x, y)
        assert 100 <= len(gc.get_objects()) - before <= 105
    finally:
        gc.enable()


# --- operators --------------------------------------------------------------------------------------------------------

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
INPLACE = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow]
NUMBERS = [3, 2.5, True, Fraction(1, 2), np.float64(1.5), np.int32(2), np.float32(0.5)]


@pytest.mark.parametrize("apply", BINARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", NUMBERS, ids=lambda x: type(x).__name__)
def test_operator_takes_a_number_on_either_side(apply, other):
    x = Value(1.75)
    for result, expected in [
        (apply(x, other), apply(1.75, float(other))),
        (apply(other, x), apply(float(other), 1.75)),
        (apply(x, Value(other)), apply(1.75, float(other))),
    ]:
        assert type(result) is Value
        assert result.data == expected


@pytest.mark.parametrize(("inplace", "apply"), list(zip(INPLACE, BINARY, strict=True)), ids=lambda f: f.__name__)
def test_inplace_form_makes_a_new_node(inplace, apply):
    x = Value(2.0)
    result = inplace(x, 3.0)
    assert result is not x
    assert (x.data, result.data) == (2.0, apply(2.0, 3.0))
    result.backward()
    assert x.grad == apply(Value(2.0), 3.0).local_grads[0]


def test_unary_operators():
    x = Value(-2.0)
    assert ((-x).data, (+x).data, abs(x).data) == (2.0, -2.0, 2.0)
    assert ((-x).local_grads, abs(x).local_grads) == ((-1.0,), (-1.0,))


@pytest.mark.parametrize("apply", BINARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", ["2", None, 1j, [1.0], (1.0,), {}], ids=lambda x: type(x).__name__)
def test_operator_refuses_what_is_no_number(apply, other):
    for operands in [(Value(1.0), other), (other, Value(1.0))]:
        with pytest.raises(TypeError, match=rf"{type(other).__name__}|Value\(1.0\)"):
            apply(*operands)


SPECIAL = [0.0, -0.0, 1.0, -2.5, 1e-200, 1e200, -1e308, 5e-324, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("name", ["add", "sub", "mul"])
def test_operators_written_out_for_speed_equal_the_table_bit_for_bit(name):
    apply = getattr(operator, name)
    for x, y in itertools.product(SPECIAL, repeat=2):
        for operands in [(Value(x), Value(y)), (Value(x), y), (x, Value(y)), (Value(x), Fraction(3, 2))]:
            node, expected = apply(*operands), TABLE[name](*operands)
            assert node.op is expected.op is TABLE[name]
            assert same_bits(node.data, expected.data)
            assert [p is None for p in node.partials] == [p is None for p in expected.partials]
            assert all(same_bits(p, q) for p, q in zip(node.partials, expected.partials, strict=True) if p is not None)
            assert all(a is b or a == b for a, b in zip(node.operands, expected.operands, strict=True))


def test_dot_written_out_for_speed_equals_the_table_bit_for_bit():
    for w, x, b in itertools.product(SPECIAL, repeat=3):
        weights = [Value(w), Value(0.5)]
        for inputs, bias in itertools.product(([x, 2.0], [Value(x), Value(2.0)]), (b, Value(b))):
            node, expected = record_dot(bias, weights, inputs), TABLE["dot"](bias, *weights, *inputs)
            assert same_bits(node.data, expected.data)
            assert node.op is expected.op
            assert list(map(repr, node.partials)) == list(map(repr, expected.partials))
            assert all(p is q or p == q or p != p for p, q in zip(node.operands, expected.operands, strict=True))


def test_dot_of_what_is_not_written_out_is_the_table_s():
    for bias, w, x, result in [
        (1.0, [Value(1.0), 2.0], [Value(1.0), 2.0], 6.0),
        (1.0, [Value(1.0)], [3], 4.0),
        (1, [Value(1.0)], [3.0], 4.0),
        (1.0, [2.0], [Value(3.0)], 7.0),
        (Value(1.0), [Value(1.0), Value(1.0)], [3.0, Value(2.0)], 6.0),
    ]:
        assert record_dot(bias, w, x) is None
        assert autograd.dot(w, x, bias).data == result


# --- backward ---------------------------------------------------------------------------------------------------------


def test_gradients_accumulate_in_leaves_and_are_set_in_between():
    x = Value(3.0)
    square = x * x
    y = square * 2
    y.backward()
    first = (x.grad, square.grad, y.grad)
    y.backward()
    assert (first, (x.grad, square.grad, y.grad)) == ((12.0, 2.0, 1.0), (24.0, 2.0, 1.0))
    x.grad = 0.0
    y.backward()
    assert x.grad == 12.0


def test_backward_of_a_leaf_is_one():
    x = Value(3.0)
    x.backward()
    x.backward()
    assert x.grad == 2.0


def test_backward_seeds_another_gradient():
    x = Value(3.0)
    (x * x).backward(gradient=0.5)
    assert x.grad == 3.0
    with pytest.raises(TypeError, match="a gradient"):
        (x * x).backward(gradient="1")


def test_backward_from_two_results_adds_up():
    x = Value(3.0)
    shared = x * x
    (shared + 1).backward()
    (shared * 2).backward()
    assert x.grad == 6.0 + 12.0


def test_leaf_changed_after_recording_keeps_the_recorded_derivatives():
    x = Value(3.0)
    y = x * x
    x.data = 5.0
    y.backward()
    assert (y.data, x.grad) == (9.0, 6.0)


def test_detach_and_conditions_pass_no_derivative():
    x = Value(3.0)
    y = x * x.detach() + autograd.sign(x) + autograd.where(x > 0, 1.0, 2.0)
    y.backward()
    assert x.grad == 3.0


@pytest.mark.parametrize(
    "infinite",
    [
        autograd.sqrt,
        lambda x: x ** Value(0.5),
        lambda x: Value(1.0) / x,
        lambda x: autograd.dot([Value(math.inf)], [x]),
        lambda x: autograd.prod([math.inf, Value(1.0), x]),
    ],
    ids=["unary", "first of two", "second of two", "dot", "one of many"],
)
def test_zero_adjoint_contributes_zero_whatever_the_partial(infinite):
    x = Value(0.0)
    node = infinite(x)
    assert not math.isfinite(node.local_grads[node.parents.index(x)])
    result = autograd.where(x > 0, node, 0.0) + 1.0
    result.backward()
    assert x.grad == 0.0
    assert [g.data for g in autograd.gradients(result, [x])] == [0.0]


# --- IEEE 754 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda v: 1 / v(0), math.inf),
        (lambda v: -1 / v(0), -math.inf),
        (lambda v: 1 / v(-0.0), -math.inf),
        (lambda v: v(0) / 0, math.nan),
        (lambda v: v(1.0) / 0, math.inf),
        (lambda v: autograd.log(v(0)), -math.inf),
        (lambda v: autograd.log(v(-1)), math.nan),
        (lambda v: autograd.sqrt(v(-1)), math.nan),
        (lambda v: v(-8) ** (1 / 3), math.nan),
        (lambda v: (-8) ** v(1 / 3), math.nan),
        (lambda v: v(0) ** -1, math.inf),
        (lambda v: v(-0.0) ** -3, -math.inf),
        (lambda v: v(10) ** 400, math.inf),
        (lambda v: v(-10) ** 401, -math.inf),
        (lambda v: autograd.exp(v(1000)), math.inf),
        (lambda v: 1 / (1 + autograd.exp(v(1000))), 0.0),
        (lambda v: autograd.sinh(v(-1000)), -math.inf),
        (lambda v: autograd.sin(v(math.inf)), math.nan),
        (lambda v: autograd.acosh(v(0.5)), math.nan),
        (lambda v: autograd.atanh(v(1)), math.inf),
        (lambda v: v(1e200) * 1e200, math.inf),
        (lambda v: v(math.inf) - math.inf, math.nan),
    ],
)
def test_arithmetic_follows_ieee_754_and_never_raises(compute, expected):
    result = compute(Value).data
    assert result == expected or (result != result and expected != expected)


# --- as a number ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
def test_values_compare_by_value_as_floats_do(compare):
    for x, y in itertools.product([*SPECIAL, 3.0, 3.0], repeat=2):
        for result in (compare(Value(x), Value(y)), compare(Value(x), y), compare(x, Value(y))):
            assert result is compare(x, y)
    assert compare(Value(0.5), Fraction(1, 2)) is compare(0.5, 0.5)


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
@pytest.mark.parametrize("number", [10**400, -(10**400), 2**53 + 1, Fraction(1, 10), Fraction(10**400, 3), np.int64(3)])
def test_values_compare_exactly_with_ints_and_fractions_that_are_no_floats(compare, number):
    exact = int(number) if isinstance(number, np.int64) else number
    for x in [*SPECIAL, 0.1, 2.0**53, 3.0]:
        assert compare(Value(x), number) is compare(x, exact)
        assert compare(number, Value(x)) is compare(exact, x)


@pytest.mark.parametrize("too_large", [10**400, -(10**400), Fraction(10**400, 3)], ids=["int", "negative", "Fraction"])
@pytest.mark.parametrize("use", [Value, autograd.exp, lambda x: Value(1.0) + x, lambda x: x * Value(1.0)])
def test_a_number_beyond_all_floats_is_refused_with_its_size_and_without_its_digits(use, too_large):
    with pytest.raises(
        OverflowError, match=r"number that a float can hold.*got (int|Fraction) of about -?10\*\*(400|399)"
    ):
        use(too_large)


def test_value_is_unequal_to_what_is_no_number_and_not_ordered_with_it():
    x = Value(1.0)
    assert (x == "1") is False
    assert x != None  # noqa: E711
    assert x not in ["1", None, [1.0]]
    with pytest.raises(TypeError, match="str"):
        _ = x < "1"
    with pytest.raises(TypeError, match="NoneType"):
        _ = x <= None


def test_hashing_is_by_identity():
    x, y = Value(1.0), Value(1.0)
    assert x == y
    assert len({x, y}) == 2
    assert {x: "x", y: "y"}[x] == "x"


def test_python_sum_max_min_and_sorted_work_on_values():
    values = [Value(3.0), Value(-1.0), Value(2.0)]
    total: Any = sum(values)
    assert total.data == 4.0
    total.backward()
    assert [v.grad for v in values] == [1.0, 1.0, 1.0]
    assert max(values) is values[0]
    assert min(values) is values[1]
    assert sorted(values) == [values[1], values[2], values[0]]
    assert max(values, key=lambda v: -v) is values[1]


def test_sums_and_dots_add_left_to_right():
    numbers = [1e100, 1.0, -1e100, 1.0]
    assert autograd.sum(map(Value, numbers)).data == autograd.sum(numbers) == 1.0
    tenths = [0.1] * 10
    assert autograd.sum(map(Value, tenths)).data == autograd.sum(tenths) == functools.reduce(operator.add, tenths)
    assert autograd.dot(list(map(Value, tenths)), [1.0] * 10).data == functools.reduce(operator.add, tenths)


@pytest.mark.parametrize("x", SPECIAL, ids=repr)
def test_truth_is_that_of_the_float(x):
    assert bool(Value(x)) is bool(x)


@pytest.mark.parametrize("spec", ["", ".3f", "+.2e", ">12", "010.4f", "%", "g"])
def test_format_and_fstrings_are_those_of_the_float(spec):
    x = Value(1234.5678)
    assert format(x, spec) == f"{x:{spec}}" == format(1234.5678, spec)


def test_repr_is_one_short_line():
    x = Value(-4.0, label="a\nb")
    assert repr(Value(1.5)) == "Value(data=1.5, grad=0.0)"
    assert repr(x) == r"Value(data=-4.0, grad=0.0, label='a\nb')"
    deep = x
    for _ in range(10_000):
        deep = deep + 1
    assert len(repr(deep)) < 80


@pytest.mark.parametrize(
    "convert",
    [
        float,
        int,
        complex,
        math.exp,
        math.isnan,
        range,
        [1, 2].__getitem__,
        lambda v: v // 2,
        lambda v: 2 // v,
        lambda v: divmod(v, 2),
        lambda v: pow(v, 2, 3),
        lambda v: "%.2f" % v,  # noqa: UP031
        lambda v: v(1),
        lambda v: v[0],
        len,
        iter,
    ],
)
def test_conversion_that_would_drop_the_gradient_is_refused(convert):
    with pytest.raises(TypeError):
        convert(Value(3.0))


def test_rounding_and_remainders_give_values_through_which_derivatives_flow_as_they_do():
    v = Value(-2.5)
    for result, expected in [(math.floor(v), -3.0), (math.ceil(v), -2.0), (math.trunc(v), -2.0), (round(v), -2.0)]:
        assert type(result) is Value
        assert result.data == expected
        assert result.local_grads == (0.0,)
    assert round(Value(2.375), 2).data == 2.38
    for result, expected, by in [
        (v % 2, 1.5, (1.0,)),
        (7 % Value(-4.0), -1.0, (2.0,)),
        (v % Value(2.0), 1.5, (1.0, 2.0)),
    ]:
        assert (result.data, result.local_grads) == (expected, by)
    with pytest.raises(TypeError, match=r"write autograd.floor\(x / y\)"):
        v // 2


def test_refused_conversion_names_the_value_and_the_way_out():
    with pytest.raises(TypeError, match=r"Value 'rate' \(3.0\).*\.data.*autograd\.exp"):
        math.exp(Value(3.0, label="rate"))


# --- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_leaf_is_copied_with_data_grad_and_label(duplicate):
    x = Value(0.1, label="x")
    x.grad = 3.0
    y = duplicate(x)
    assert y is not x
    assert (y.data, y.grad, y.label, y.op) == (0.1, 3.0, "x", None)
    y.data = 5.0
    assert x.data == 0.1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_structure_of_leaves_is_pickled_with_its_sharing(protocol):
    x = Value(math.pi)
    a, b = pickle.loads(pickle.dumps([x, x], protocol))
    assert a is b
    assert a.data == math.pi


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_result_of_an_operation_is_not_copied(duplicate):
    y = Value(1.0) + 1
    y.label = "y"
    with pytest.raises(TypeError, match=r"Value 'y' \(2.0\) is the result of 'add'.*Value\(v\.data\)"):
        duplicate(y)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_primitive_is_copied_and_pickled_by_name(name):
    assert pickle.loads(pickle.dumps(TABLE[name])) is TABLE[name]
    assert copy.deepcopy(TABLE[name]) is TABLE[name]
