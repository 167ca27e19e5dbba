"""The estimators for scikit-learn: its own checks, all of them, and what people put around an estimator."""

import pickle

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("sklearn", "1.6")

from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks as checks

import nn
from nn.sklearn import ValueMLPClassifier, ValueMLPRegressor

ESTIMATORS = ValueMLPClassifier, ValueMLPRegressor
SMALL = {"hidden_layer_sizes": (4,), "epochs": 3, "backend": "eager", "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2))
SPECIES = np.array(["setosa", "versicolor", "virginica"])[np.arange(20) % 3]
NUMBERS = X[:, 0] - 2 * X[:, 1]


def classifier(**changes):
    return ValueMLPClassifier(**{**SMALL, **changes})


def regressor(**changes):
    return ValueMLPRegressor(**{**SMALL, **changes})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_every_check_of_scikit_learn_passes(kind):
    passed = {found["check_name"]: found["status"] for found in checks.check_estimator(kind(), on_skip=None)}
    assert len(passed) > 50
    # it is skipped for every estimator, unless an environment variable says that SciPy is to take other arrays
    assert {name for name, status in passed.items() if status != "passed"} <= {"check_array_api_input"}


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_checks_of_the_interface_pass(kind):
    """Those that need no training to speak of; the slow test runs all."""
    for check in (
        checks.check_estimators_unfitted, checks.check_no_attributes_set_in_init, checks.check_get_params_invariance,
        checks.check_estimator_sparse_matrix, checks.check_dict_unchanged, checks.check_n_features_in_after_fitting,
        checks.check_estimators_pickle,
    ):  # fmt: skip
        check(kind.__name__, kind(epochs=1, hidden_layer_sizes=2, backend="eager"))


def test_labels_are_text_and_probabilities_are_in_the_order_of_classes():
    model = classifier(epochs=60).fit(X, SPECIES)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    probabilities = model.predict_proba(X)
    assert probabilities.shape == model.decision_function(X).shape == (20, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1.0)
    assert model.predict(X).tolist() == model.classes_[probabilities.argmax(axis=1)].tolist()
    two = classifier().fit(X, NUMBERS > 0)
    assert two.decision_function(X).shape == (20,)
    assert two.predict(X).tolist() == (two.predict_proba(X)[:, 1] > 0.5).tolist()


def test_it_is_the_network_that_fit_trains_to_the_last_bit():
    model = nn.MLP(2, [4, 1], rng=7)
    nn.fit(model, X, NUMBERS, epochs=3, seed=7, backend="eager", progress=False)
    assert regressor(random_state=7).fit(X, NUMBERS).model_.state_dict() == model.state_dict()


def test_the_same_random_state_gives_the_same_bits_and_another_does_not():
    def trained(random_state):
        return list(regressor(random_state=random_state).fit(X, NUMBERS).model_.state_dict().values())

    assert trained(3) == trained(3) == trained(np.int64(3)) != trained(4)
    assert trained(np.random.RandomState(3)) == trained(np.random.RandomState(3)) != trained(None)


def test_partial_fit_goes_on_as_one_run_does_with_what_the_optimizer_remembers():
    whole = classifier(batch_size=8).fit(X, SPECIES)
    steps = classifier(batch_size=8).partial_fit(X, SPECIES, classes=np.unique(SPECIES))
    for _ in range(2):
        steps.partial_fit(X, SPECIES)
    assert steps.model_.state_dict() == whole.model_.state_dict()
    assert steps.n_iter_ == whole.n_iter_ == 3
    assert classifier(backend="auto").partial_fit(X, SPECIES, np.unique(SPECIES)).history_.backend == "eager"
    with pytest.raises(ValueError, match="previously unseen labels"):
        steps.partial_fit(X, ["other"] * 20)
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        classifier().partial_fit(X, SPECIES)
    with pytest.raises(ValueError, match="early_stopping and validation_split go with fit"):
        regressor(early_stopping=2, validation_split=0.2).partial_fit(X, NUMBERS)
    with pytest.raises(ValueError, match='class_weight="balanced" goes with fit'):
        classifier(class_weight="balanced").partial_fit(X, SPECIES, classes=np.unique(SPECIES))


def test_warm_start_goes_on_and_without_it_training_begins_anew():
    cold, warm = regressor(), regressor(warm_start=True)
    first = cold.fit(X, NUMBERS).model_.state_dict()
    assert cold.fit(X, NUMBERS).model_.state_dict() == first
    assert warm.fit(X, NUMBERS).model_.state_dict() == first
    losses = [warm.fit(X, NUMBERS).history_.loss[0] for _ in range(20)]
    assert losses[-1] < losses[0] / 2


def test_weights_of_samples_and_of_classes_count_as_samples_given_again():
    few = np.repeat([0, 1], [4, 16])
    full = {"batch_size": None, "epochs": 40}
    again = classifier(**full).fit(np.vstack([X[:4]] * 4 + [X[4:]]), np.repeat([0, 1], [16, 16]))
    weighted = classifier(**full).fit(X, few, sample_weight=np.where(few == 0, 4.0, 1.0))
    balanced = classifier(class_weight="balanced", **full).fit(X, few)
    both = classifier(class_weight={0: 2}, **full).fit(X, few, sample_weight=np.where(few == 0, 2.0, 1.0))
    for other in (weighted, balanced, both):
        assert other.decision_function(X) == pytest.approx(again.decision_function(X), rel=1e-9)
    assert classifier(**full).fit(X, few).decision_function(X) != pytest.approx(again.decision_function(X), rel=1e-3)


def test_several_outputs_and_several_losses_of_regression():
    targets = np.column_stack([NUMBERS, -NUMBERS])
    assert regressor().fit(X, targets).predict(X).shape == (20, 2)
    model = nn.MLP(2, [4, 1], rng=0)
    nn.fit(model, X, NUMBERS, loss="huber", epochs=3, backend="eager", progress=False)
    assert regressor(loss="huber").fit(X, NUMBERS).model_.state_dict() == model.state_dict()


def test_frames_in_pipelines_give_the_columns_and_classes_that_a_saved_model_keeps(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["length", "width"])
    pipeline = make_pipeline(StandardScaler(), classifier()).set_output(transform="pandas").fit(frame, SPECIES)
    model = pipeline[-1]
    assert model.feature_names_in_.tolist() == ["length", "width"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["width", "length"]])
    nn.save(model.model_, tmp_path / "model.json")
    loaded = nn.load(tmp_path / "model.json")
    assert loaded.metadata.columns == ["length", "width"]
    assert loaded.metadata.classes == ["setosa", "versicolor", "virginica"]


def test_it_goes_through_pickle_and_clone():
    model = classifier().fit(X, SPECIES)
    again = pickle.loads(pickle.dumps(model))
    assert again.predict_proba(X).tolist() == model.predict_proba(X).tolist()
    assert again.partial_fit(X, SPECIES).n_iter_ == 4
    fresh = clone(classifier(optimizer=nn.Adam(0.5)))
    assert repr(fresh.optimizer) == repr(nn.Adam(0.5))
    with pytest.raises(NotFittedError):
        fresh.predict(X)


@pytest.mark.parametrize("settings", [{"epochs": 0}, {"optimizer": "adem"}, {"hidden_layer_sizes": (0,)}])
def test_wrong_settings_are_what_fit_says_of_them(settings):
    with pytest.raises(ValueError, match=r"epochs must be|unknown optimizer 'adem'|nout must be at least 1"):
        regressor(**settings).fit(X, NUMBERS)


def test_one_class_and_labels_of_a_regression_are_refused():
    with pytest.raises(ValueError, match="needs two classes or more; y has one class only: 'setosa'"):
        classifier().fit(X, ["setosa"] * 20)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier().fit(X, NUMBERS)


@pytest.mark.slow
def test_a_grid_is_searched_in_two_processes_and_the_best_is_good():
    features, species = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), ValueMLPClassifier(random_state=0))
    name = "valuemlpclassifier__hidden_layer_sizes"
    search = GridSearchCV(pipeline, {name: [(4,), (16,)]}, cv=3, n_jobs=2).fit(features, species)
    assert search.best_score_ > 0.93
    assert search.best_params_[name] in [(4,), (16,)]
    assert cross_val_score(search.best_estimator_, features, species, cv=3).mean() == search.best_score_
