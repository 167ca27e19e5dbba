"""Integers and booleans under jit: as Python and NumPy compute them, or left to the plain function; never as floats."""

import itertools
import operator
import warnings

import numpy as np
import pytest

from autograd import grad, jit, take, value_and_grad, vmap, where

DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
OPERATIONS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "//": operator.floordiv, "%": operator.mod, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, "<": operator.lt, "==": operator.eq,
}  # fmt: skip
UNARY = {"-": operator.neg, "+": operator.pos, "abs": abs, "~": operator.invert}


def numbers(dtype):
    """Typical numbers of a type, and those at its ends."""
    if dtype == "bool":
        return [False, True]
    info = np.iinfo(dtype)
    return [x for x in (0, 1, 2, 3, 7, 100, -1, -5, 2**53 + 1, info.min, info.max) if info.min <= x <= info.max]


def outcome(f, *args):
    """What f gives: its value, and whether it is a bool, an integer of some type, or a float; or its error."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = f(*args)
        except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
            return type(error)
    kind = np.asarray(found).dtype
    return found, kind if kind.kind in "iu" else kind.kind


def same(found, expected):
    if isinstance(found, type) or isinstance(expected, type):
        return found is expected
    if found[1] != expected[1]:
        return False
    return (
        found[0] == expected[0]
        if found[1] != "f"
        else np.allclose(found[0], expected[0], rtol=1e-15, atol=0.0, equal_nan=True)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_elements_of_arrays_compute_as_numpy_computes_them(name, dtype):
    op = OPERATIONS[name]
    f = jit(lambda a: op(a[0], a[1]))
    for x, y in itertools.product(numbers(dtype), repeat=2):
        a = np.array([x, y], dtype=dtype)
        expected = outcome(op, a[0], a[1])
        assert same(outcome(f, a), expected), f"{x} {name} {y} of {dtype} is {outcome(f, a)}, by NumPy {expected}"


@pytest.mark.parametrize("dtypes", [*itertools.combinations(DTYPES, 2)], ids="-".join)
def test_elements_of_different_types_take_the_type_that_numpy_gives(dtypes):
    for name in ("+", "-", "*", "/", "<"):
        op = OPERATIONS[name]
        f = jit(lambda a, b, op=op: op(a[0], b[0]))
        for x, y in itertools.product(*map(numbers, dtypes)):
            a, b = (np.array([z], dtype=dtype) for z, dtype in zip((x, y), dtypes, strict=True))
            expected = outcome(op, a[0], b[0])
            assert same(outcome(f, a, b), expected), f"{x} {name} {y}: {outcome(f, a, b)}, by NumPy {expected}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "constant",
    [1, 2, -1, 2**40, True, 1.5, np.uint8(250)]
    + [pytest.param(x, marks=pytest.mark.slow) for x in (3, 300, np.int16(7), np.True_)],
)
def test_constants_take_part_as_numpy_has_it(dtype, constant):
    for name, op in OPERATIONS.items():
        if name in ("&", "|", "^", "<<", "//", "%") and isinstance(constant, float):
            continue
        sides = [lambda a, op=op: op(a[0], constant), lambda a, op=op: op(constant, a[0])]
        both = jit(lambda a, sides=sides: [side(a) for side in sides])  # one kernel, where neither raises
        from_both = [lambda a, both=both, i=i: both(a)[i] for i in (0, 1)]
        each = [jit(side) for side in sides]
        for x in numbers(dtype):
            a = np.array([x], dtype=dtype)
            expected = [outcome(side, a) for side in sides]
            raises = any(isinstance(found, type) for found in expected)
            found = [outcome(compiled, a) for compiled in (each if raises else from_both)]
            assert all(map(same, found, expected)), f"{x} {name} {constant}, and swapped: {found}, {expected}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_python_integers_compute_as_python_computes_them(name):
    op = OPERATIONS[name]
    f = jit(lambda x, y: op(x, y))
    for x, y in itertools.product([0, 1, 2, 3, -1, -7, 10**6, 2**52, 2**53 - 1, 2**60 + 1], repeat=2):
        if name in ("**", "<<") and abs(y) > 100:
            continue
        expected = outcome(op, x, y)
        assert same(outcome(f, x, y), expected), f"{x} {name} {y} is {outcome(f, x, y)}, by Python {expected}"
        assert type(f(x, y)) is type(op(x, y)) if not isinstance(expected, type) else True


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", [*DTYPES, "python"])
def test_operations_of_one_integer(name, dtype):
    op = UNARY[name]
    if dtype == "python":
        f = jit(op)
        cases = [(x,) for x in (0, 5, -5, 2**53 - 1, 2**60)]
    else:
        f = jit(lambda a: op(a[0]))
        cases = [(np.array([x], dtype=dtype),) for x in numbers(dtype)]
    for case in cases:
        expected = outcome(lambda x: op(x[0] if isinstance(x, np.ndarray) else x), *case)
        assert same(outcome(f, *case), expected), (case, outcome(f, *case), expected)


LOGIC = {
    "~": lambda m, n: ~m, "&": lambda m, n: m & n, "|": lambda m, n: m | n, "^": lambda m, n: m ^ n,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
    "logical_not": lambda m, n: np.logical_not(m), "any": lambda m, n: (m & n).any(), "all": lambda m, n: m.all(),
    "sum": lambda m, n: m.sum(), "mean": lambda m, n: m.mean(), "+": lambda m, n: m + n, "*": lambda m, n: m * n,
    "==": lambda m, n: m == n, "@": lambda m, n: m @ n, "astype(int)": lambda m, n: m.astype(int) + n,
    "astype(float)": lambda m, n: m.astype(float) * 0.5, "count": lambda m, n: (m | n).astype(int).sum(),
    "axis": lambda m, n: np.stack([m, n]).sum(axis=0), "where": lambda m, n: where(m & n, 1.5, 2.5),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGIC)
@pytest.mark.parametrize("size", [3, 40])
def test_arrays_of_booleans_compute_as_in_numpy_without_a_path_for_each(name, size):
    f = jit(LOGIC[name])
    rng = np.random.default_rng(0)
    for _ in range(3):
        m, n = rng.random((2, size)) > 0.5
        expected = np.asarray(LOGIC[name](m, n))
        assert np.array_equal(f(m, n), expected)
        assert np.asarray(f(m, n)).dtype == expected.dtype
    assert f.cache_info().paths == 1


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor", "logical_not", "&", "|", "^", "~"])
def test_comparisons_of_arrays_combine(name):
    def f(x, y):
        return LOGIC[name](x > 0, y > x)

    compiled = jit(f)
    for x, y in np.random.default_rng(1).normal(size=(3, 2, 40)):
        assert np.array_equal(compiled(x, y), f(x, y))
    assert compiled.cache_info().paths == 1


@pytest.mark.parametrize("reduce", [np.sum, np.prod, np.max, np.cumsum, np.mean, np.dot])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions_of_integers(reduce, dtype):
    def f(a):
        return reduce(a, a) if reduce is np.dot else reduce(a)

    compiled = jit(f)
    for a in (np.array([1, 0, 1], dtype), np.array(numbers(dtype), dtype)):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            assert np.array_equal(compiled(a), f(a)), (compiled(a), f(a))
            assert np.asarray(compiled(a)).dtype == np.asarray(f(a)).dtype


def test_an_array_of_integers_keeps_its_type():
    for dtype in DTYPES:
        a = np.array([[1, 0], [1, 1]], dtype=dtype)
        found = jit(lambda a: {"same": a, "row": a[0], "dtype": a.dtype.name})(a)
        assert np.array_equal(found["same"], a)
        assert (found["same"].dtype, found["row"].dtype, found["dtype"]) == (a.dtype, a.dtype, dtype)


def test_large_numbers_of_64_bits_are_exact_in_each_lane():
    f = vmap(lambda t: (t - 2**52) - 2**52)
    t = np.array([2**53 + 1, 2**53 + 100])
    with pytest.warns(RuntimeWarning, match="met whole numbers"):
        assert jit(f)(t).tolist() == [1.0, 100.0]
    labels = np.array([0, 1, 2, 1])
    loss = vmap(lambda w, y: (w - (2 * y - 1)) ** 2, in_axes=(None, 0), reduce="sum")
    compiled = jit(value_and_grad(loss))
    assert compiled(0.5, labels) == value_and_grad(loss)(0.5, labels)
    assert jit(vmap(lambda y: take([1.0, 2.0, 3.0], y)))(labels).tolist() == [1.0, 2.0, 3.0, 2.0]
    assert compiled.cache_info().calls == 1


def test_numbers_of_more_than_64_bits_are_refused_by_dtype():
    if np.dtype(np.longdouble).itemsize > 8:
        for x in (np.ones(2, np.longdouble), np.longdouble(1)):
            with pytest.raises(TypeError, match=r"got one of dtype (float128|float96)"):
                jit(lambda x: x)(x)


def test_an_integer_that_is_only_computed_with_is_compiled_once():
    f = jit(value_and_grad(lambda w, t: w * (1 - 0.9**t) / (t + 1) + t))
    for t in range(1, 62):
        assert f(2.0, t) == pytest.approx(value_and_grad(lambda w, t=t: w * (1 - 0.9**t) / (t + 1) + t)(2.0), rel=1e-15)
    assert f.cache_info().paths == 1


USES = {
    "range": lambda x, n: sum([x * i for i in range(n)]), "index": lambda x, n: [x, 2 * x, 3 * x, x * x][n],
    "remainder": lambda x, n: x * (n % 3), "division": lambda x, n: x * (n // 2), "bits": lambda x, n: x * (n & 1),
    "text": lambda x, n: x * len(str(n)), "format": lambda x, n: x * len(f"{n:03}"), "int": lambda x, n: x * int(n),
    "float": lambda x, n: x * float(n), "repetition": lambda x, n: sum([x] * n), "shape": lambda x, n: np.ones(n) * x,
    "array index": lambda x, n: (np.arange(4.0) * x)[n], "computed": lambda x, n: [x, x, x, 7 * x, x, x, 2 * x][2 * n],
    "int to a power": lambda x, n: x * 2**n, "swallowed": lambda x, n: _swallowed(x, n),
}  # fmt: skip


def _swallowed(x, n):
    try:
        return x * len(range(n))
    except BaseException:
        return -x


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_an_integer_used_as_a_python_int_is_part_of_the_program(use):
    f = jit(use)
    for n in (2, 0, 3, 2, 1, 3):
        assert np.array_equal(f(1.5, n), use(1.5, n)), n
    info = f.cache_info()
    assert (info.calls, info.structures, info.paths) == (6, 1, 4)


def test_only_the_argument_that_needs_it_becomes_part_of_the_program():
    f = jit(lambda sizes, step: sum(range(sizes["n"])) * 1.5 + step)
    for n, step in itertools.product((1, 3), range(5)):
        assert f({"n": n}, step) == sum(range(n)) * 1.5 + step
    assert f.cache_info().paths == 2


def test_many_values_of_such_an_integer_are_warned_about_once_by_name():
    f = jit(lambda x, count: sum([x] * count))
    with pytest.warns(RuntimeWarning, match="compiled for 8 different values of count.*static_argnames") as warned:
        results = [f(1.5, n) for n in range(70)]
    assert results == [1.5 * n for n in range(70)]
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert f.cache_info().paths == 64


@pytest.mark.parametrize(
    "static", [{"static_argnums": 1}, {"static_argnames": "n"}, {"static_argnums": (-1,)}, {"static_argnames": ["n"]}]
)
def test_static_arguments_are_part_of_the_program_without_a_warning(static):
    f = jit(lambda x, n: x * n, **static)
    for n in range(12):
        assert f(1.5, n) == f(1.5, n=n) == 1.5 * n
    assert f(2.0, 1.5) == 3.0
    assert f.lower(2.0, 1.5).operations["input"] == 1
    with pytest.raises(TypeError, match="hashable"):
        f(1.0, [1])


def test_wrong_static_arguments_are_named():
    with pytest.raises(ValueError, match=r"f has no argument 2"):
        jit(_two, static_argnums=2)
    with pytest.raises(ValueError, match=r"f has no argument 'z'"):
        jit(_two, static_argnames="z")
    with pytest.raises(TypeError, match="give positions and names"):
        jit(_two, static_argnums="x")


def f(x, y):
    return x * y


_two = f


class K:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x

    def __hash__(self):
        return hash(self.x)


@pytest.mark.parametrize("pair", [(0.0, -0.0), (1, 1.0), (1, True), ((0.0,), (-0.0,)), (K(0.0), K(-0.0))])
def test_equal_objects_that_are_not_the_same_share_no_code(pair):
    def described(x):
        return repr(x.x) if isinstance(x, K) else repr(x)

    f = jit(lambda k, x: (described(k.x), x))
    for x in (*pair, *pair):
        assert f(K(x), 1.0) == (described(x), 1.0)


def test_an_index_that_compiled_code_does_not_know_is_warned_about_once():
    f = jit(lambda w, i: w[i[0]] * 2.0)
    with pytest.warns(RuntimeWarning, match=r"<lambda> runs without being compiled.*int64, at .*test_int") as warned:
        results = [f(np.array([1.0, 2.0]), np.array([i])) for i in (0, 1, 1, 0)]
    assert results == [2.0, 4.0, 4.0, 2.0]
    assert len(warned) == 1


def test_comparisons_that_are_counted_are_left_to_python():
    f = jit(lambda x, y: (x > 0) + (y > 0))
    with pytest.warns(RuntimeWarning, match="two comparisons"):
        assert f(1.0, 2.0) == 2
    assert jit(grad(lambda x, y: x * ((y > 0) * 2 - 1)))(1.0, 3.0) == 1.0
