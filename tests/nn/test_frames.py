"""Frames, series, tensors and arrays of other libraries: taken for what they hold, with the names of their columns."""

import numpy as np
import pytest

from autograd import Value, grad, hessian, jacobian, jit, value_and_grad, vmap
from autograd.transforms.tree import flatten
from nn import MLP, Neuron, accuracy, fit, load, save
from nn.samples import features, targets
from nn.tables import Feature

X = [[0.5, -1.0], [1.5, 2.0], [-1.0, 0.5], [2.0, -0.5]]
Y = [1, -1, 1, -1]


def pandas_frame(rows):
    return pytest.importorskip("pandas").DataFrame(rows, columns=["a", "b"][: len(rows[0])])


def polars_frame(rows):
    return pytest.importorskip("polars").DataFrame(rows, schema=["a", "b"][: len(rows[0])], orient="row")


def tensor(rows):
    return pytest.importorskip("torch").tensor(rows, dtype=pytest.importorskip("torch").float64)


def dask_array(rows):
    return pytest.importorskip("dask.array").from_array(np.array(rows), chunks=2)


def zarr_array(rows):
    return pytest.importorskip("zarr").array(np.array(rows))


def jax_array(rows):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax.numpy.array(rows)


KINDS = [pandas_frame, polars_frame, tensor, dask_array, zarr_array, jax_array]


@pytest.fixture(params=KINDS, ids=[kind.__name__ for kind in KINDS])
def made(request):
    return request.param


def column(made, values):
    """A series, or an array of one axis."""
    if made in (pandas_frame, polars_frame):
        return made([[x, x] for x in values])["a"]
    return made(values)


def test_fit_predict_and_accuracy_take_them_as_lists(made):
    here, there = (MLP(2, [3, 1], rng=0) for _ in range(2))
    settings = {"loss": "hinge", "epochs": 3, "progress": False}
    history = fit(here, made(X), column(made, Y), **settings)
    other = fit(there, X, Y, **settings)
    if made in (dask_array, zarr_array):  # read piece by piece: the rows of a batch are added in another order
        assert history.loss == pytest.approx(other.loss, rel=1e-14)
        there.load_state_dict(here.state_dict())
    else:
        assert history.loss == other.loss
    predicted = here.predict(made(X))
    assert isinstance(predicted, np.ndarray)
    assert predicted.tolist() == there.predict(X)
    assert accuracy(here, made(X), column(made, Y), "hinge") == accuracy(there, X, Y, "hinge")
    assert features(list(map(np.array, X))) == X


def test_transforms_take_them_as_arrays(made):
    x = np.array(X)

    def f(x):
        return (x[0, 0] * x[1, 1] + x[1, 0] ** 2) * x[0, 1]

    for transform in (grad, value_and_grad, jacobian, hessian, jit, lambda f: jit(grad(f))):
        expected, got = transform(f)(x), transform(f)(made(X))
        assert flatten(got)[0] == flatten(expected)[0]
        assert type(got) is type(expected)
    g = lambda w, row: w * row[0] - row[1]  # noqa: E731
    for mapped in (vmap(g, in_axes=(None, 0)), jit(vmap(g, in_axes=(None, 0)))):
        assert np.array_equal(mapped(2.0, made(X)), mapped(2.0, x))
    inside = {"x": [made(X)], "b": 1.0}
    assert np.array_equal(grad(lambda p: f(p["x"][0]) * p["b"])(inside)["x"][0], grad(f)(x))
    assert jit(lambda p: f(p["x"][0]))(inside) == f(x)
    assert grad(lambda w, x: w * f(x))(2.0, made(X)) == pytest.approx(f(x))
    assert jit(f).lower(made(X)).needed == jit(f).lower(x).needed


def test_a_tensor_of_one_number_is_a_number():
    torch = pytest.importorskip("torch")
    assert grad(lambda x: x * x)(torch.tensor(3.0)) == 6.0
    assert jit(lambda x: x * x)(torch.tensor(3.0)) == 9.0
    with pytest.raises(TypeError, match=r"Tensor cannot be read as a NumPy array.*detach"):
        grad(lambda x: x[0])(torch.tensor([3.0], requires_grad=True))


def test_text_is_named_with_its_row_and_column():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0], "kind": ["x", "y"]})
    message = r"DataFrame: row 0, column 'kind' is str 'x', not a number; .*read_table"
    model = Neuron(2)
    for use in (
        lambda: fit(model, frame, [1, 2]), lambda: model.predict(frame),
        lambda: accuracy(model, frame, [1, -1], "hinge"), lambda: vmap(lambda x: x[0])(frame),
        lambda: grad(lambda x: x[0, 0])(frame), lambda: jit(lambda x: x[0, 0])(frame),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=message):
            use()
    with pytest.raises(TypeError, match="Series: row 0 is str 'x', not a number"):
        fit(model, frame[["a", "a"]], frame["kind"])


def test_nullable_and_mixed_columns_are_numbers_and_gaps_are_named():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": pandas.array([1, None], dtype="Int64"), "b": [True, False]})
    with pytest.raises(ValueError, match=r"sample 1, feature 0 \(a\): nan is not finite"):
        fit(Neuron(2), frame, [1, 2])
    assert features(frame.fillna(3)).tolist() == [[1.0, 1.0], [3.0, 0.0]]


def test_a_frame_of_one_column_is_a_target():
    assert targets(pandas_frame([[1.0], [2.0]])).tolist() == [1.0, 2.0]


def test_the_columns_of_the_training_are_remembered(tmp_path):
    model, frame = Neuron(2, rng=0), pandas_frame(X)
    fit(model, frame, Y, epochs=1, progress=False)
    assert model.metadata.columns == ["a", "b"]
    assert (model.metadata.rows, model.metadata.loss, model.metadata.metric) == (
        4,
        "squared_error",
        "mean absolute error",
    )
    save(model, tmp_path / "m.json")
    expected = model.predict(X)
    for known in (model, load(tmp_path / "m.json")):
        assert known.predict(frame).tolist() == expected
        assert known.predict(X) == expected  # no names, so none that could be wrong
        with pytest.raises(ValueError, match=r"Neuron was trained on the columns a, b; these are in another order"):
            known.predict(frame[["b", "a"]])
        with pytest.raises(ValueError, match=r"Neuron was trained on the columns a, b; c is not among them"):
            known.predict(frame.rename(columns={"b": "c"}))
        with pytest.raises(ValueError, match=r"Neuron was trained on the columns a, b; b is missing"):
            known.predict(frame[["a"]])
        with pytest.raises(ValueError, match=r"in another order"):
            accuracy(known, frame[["b", "a"]], Y, "hinge")
    fit(model, frame.rename(columns={"b": "c"}), Y, epochs=1, progress=False)
    assert model.metadata.columns == ["a", "c"]


def test_what_has_no_names_is_taken_by_position(tmp_path):
    pandas = pytest.importorskip("pandas")
    model = Neuron(2, rng=0)
    fit(model, pandas.DataFrame(X), Y, epochs=1, progress=False)
    assert model.metadata.columns == []
    assert model.predict(pandas_frame(X)).tolist() == model.predict(pandas.DataFrame(X)).tolist() == model.predict(X)
    model.metadata.features = [Feature("column 1"), Feature("column 2")]  # as of a CSV file without a header
    assert model.predict(pandas_frame(X)).tolist() == model.predict(X)


def test_values_inside_arrays_stay_values():
    assert grad(lambda x: x[0] * 2.0)(np.array([Value(1.0), Value(2.0)], dtype=object))[0].data == 2.0
