"""Properties of the transforms on random expression graphs."""

import struct

from hypothesis import assume, given, settings, strategies as st
from references import gradient_and_bound, hessian as exact_hessian, is_tame, value_and_bound
from strategies import Expression, expressions

from autograd import Value, data, grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp, vmap
from autograd.primitives import TABLE

DIRECTIONS = st.lists(st.sampled_from([-2.0, -0.5, 0.0, 1.0, 3.0]), min_size=3, max_size=3)


def scalar(expression):
    """The expression as a function of a list."""
    return lambda xs: expression.evaluate(TABLE, xs)


def several(expression):
    """The last three steps (or fewer) as a function of a list, each of them with a derivative."""
    return lambda xs: [1.0 * y for y in expression.values(TABLE, xs)[-3:]]


def rows_and_bounds(f, inputs):
    """The Jacobian in 50 digits with its rounding bounds; leaves out graphs where doubles say little."""
    xs = [Value(x) for x in inputs]
    rows = []
    for y in f(xs):
        graph = Expression.of(y, xs)
        assume(is_tame(graph))
        exact, bound = gradient_and_bound(graph)
        assume(all(b <= 1e-6 * (1 + abs(g)) for g, b in zip(exact, bound, strict=True)))
        rows.append([(g, b + 1e-100) for g, b in zip(exact, bound, strict=True)])
    return rows


def hessian_and_bounds(expression):
    """The same for the second derivatives of a scalar expression."""
    xs = [Value(x) for x in expression.inputs]
    rows_and_bounds(lambda xs: [expression.evaluate(TABLE, xs)], expression.inputs)
    exact = exact_hessian(expression)
    assume(exact is not None)
    rows = []
    for first, row in zip(gradients(expression.evaluate(TABLE, xs), xs), exact, strict=True):
        graphs = [Expression.of(second, xs) for second in gradients(first, xs)]
        assume(all(map(is_tame, graphs)))
        rows.append([(h, value_and_bound(graph)[1] + 1e-40) for h, graph in zip(row, graphs, strict=True)])
    return rows


def assert_within(actual, expected, what):
    for i, (row, exact_row) in enumerate(zip(actual, expected, strict=True)):
        for j, (a, (e, bound)) in enumerate(zip(row, exact_row, strict=True)):
            assert abs(a - e) <= bound, f"{what}[{i}][{j}] is {a!r}, not {float(e)!r}; the bound is {float(bound)}"


def combined(rows, left, right):
    """left^T rows right, and its bound."""
    terms = [(lv * e * rv, abs(lv * rv) * (b + 1e-14 * abs(e)))
             for lv, row in zip(left, rows, strict=True) for rv, (e, b) in zip(right, row, strict=True)]  # fmt: skip
    return sum(t for t, _ in terms), sum(b for _, b in terms)


def product(xs, ys):
    return sum(x * y for x, y in zip(xs, ys, strict=True))


def bits(numbers):
    return [struct.pack("<d", float("nan") if x != x else x) for x in numbers]


@given(expressions(), DIRECTIONS, DIRECTIONS)
def test_jvp_and_vjp_are_transposes_of_one_another(expression, v, w):
    f, xs = several(expression), list(expression.inputs)
    v, w = v[: len(xs)], w[: len(f(xs))]
    rows = rows_and_bounds(f, xs)
    tangents = jvp(f, (xs,), (v,))[1]
    (cotangents,) = vjp(f, xs)[1](w)
    expected, bound = combined(rows, w, v)
    assert abs(product(tangents, w) - expected) <= bound, (tangents, float(expected), float(bound))
    assert abs(product(v, cotangents) - expected) <= bound, (cotangents, float(expected), float(bound))


@given(expressions())
def test_jacobian_by_either_mode_equals_mpmath(expression):
    f, xs = several(expression), list(expression.inputs)
    rows = rows_and_bounds(f, xs)
    for mode in ("forward", "reverse", None):
        assert_within(jacobian(f, mode=mode)(xs), rows, f"{mode} jacobian")


@settings(max_examples=50)
@given(expressions(max_inputs=3, max_steps=5), DIRECTIONS)
def test_hessian_equals_mpmath_is_symmetric_and_agrees_with_hvp(expression, v):
    f, xs = scalar(expression), list(expression.inputs)
    v = v[: len(xs)]
    rows = hessian_and_bounds(expression)
    matrix = hessian(f)(xs)
    assert_within(matrix, rows, "hessian")
    for i, row in enumerate(matrix):
        for j, entry in enumerate(row):
            assert abs(entry - matrix[j][i]) <= rows[i][j][1] + rows[j][i][1], (i, j, matrix)
    along = {
        "hvp": hvp(f, xs, v),
        "grad of jvp": grad(lambda xs: jvp(f, (xs,), (v,))[1])(xs),
        "vjp of grad": vjp(grad(f), xs)[1](v)[0],
        "grad of grad times v": grad(lambda xs: product(grad(f)(xs), v))(xs),
    }
    for i, row in enumerate(rows):
        expected, bound = combined([row], [1.0], v)
        for name, actual in along.items():
            assert abs(actual[i] - expected) <= bound + 1e-40, (name, i, actual[i], float(expected), float(bound))


@given(expressions(extreme=True))
def test_value_and_grad_is_backward_to_the_bit(expression):
    f, leaves = scalar(expression), [Value(x) for x in expression.inputs]
    root = f(leaves)
    root.backward()
    value, gradient = value_and_grad(f)(list(expression.inputs))
    assert bits([value]) == bits([root.data])
    assert bits(0.0 + g for g in gradient) == bits(x.grad for x in leaves)  # a leaf adds to 0.0, so never has -0.0


@given(expressions())
def test_gradient_of_values_is_a_graph_with_the_same_numbers(expression):
    f, xs = scalar(expression), [Value(x) for x in expression.inputs]
    expected = grad(f)(list(expression.inputs))
    gradient = grad(f)(xs)
    assert all(isinstance(g, Value) for g in gradient)
    assert bits(data(gradient)) == bits(expected)
    gradient[0].backward()
    numbers, direction = list(expression.inputs), [float(i == 0) for i in range(len(xs))]
    rows = vjp(grad(f), numbers)[1](direction)[0]
    for x, expected in zip(xs, rows, strict=True):
        assert x.grad == expected or abs(x.grad - expected) <= 1e-6 * abs(expected) or expected != expected


@given(expressions(max_inputs=1), st.lists(st.floats(-2, 2), min_size=1, max_size=4))
def test_vmap_of_grad_is_grad_of_each_and_sums_to_the_grad_of_the_sum(expression, batch):
    def f(x):
        return expression.evaluate(TABLE, [x])

    each = [grad(f)(x) for x in batch]
    assert bits(vmap(grad(f))(batch)) == bits(each)
    assert bits(grad(lambda xs: vmap(f, reduce="sum")(xs))(batch)) == bits(each)
