"""scikit-learn's estimators over `MLP` and `fit`, for its pipelines, searches and scores.

>>> from sklearn.datasets import load_iris
>>> from sklearn.model_selection import cross_val_score
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> X, y = load_iris(return_X_y=True, as_frame=True)
>>> model = make_pipeline(StandardScaler(), ValueMLPClassifier(hidden_layer_sizes=(8,), random_state=0))
>>> bool(cross_val_score(model, X, y, cv=3).mean() > 0.9)
True
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from autograd.extras import needs
from nn.history import History
from nn.layers import MLP
from nn.metadata import Metadata
from nn.tables import Feature
from nn.training import fit

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.preprocessing import LabelEncoder
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_sample_weight
    from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise ImportError(needs("nn.sklearn", "scikit-learn") + ", version 1.6 or later") from error

Array = np.ndarray[Any, Any]

# Parameters times samples up to which an epoch in Python takes less than compiling it: of 465 parameters 0.1 s for 200
# samples, and 0.5 s for 1000, where compiling takes 0.3 s.
FEW = 200_000


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators have in common: they train a network, and give its scores."""

    model_: MLP
    history_: History

    def _train(
        self, X: Array, y: Array, weights: Any, outputs: int, loss: Any, goes_on: bool, partial: bool, classes: Any = ()
    ) -> Self:
        """Train the network that there is, or a new one.

        Args:
            goes_on: whether it is the one that there is.
            partial: whether for one epoch, with what the optimizer remembers.
        """
        if partial and (self.early_stopping is not None or self.validation_split):
            raise ValueError("early_stopping and validation_split go with fit: partial_fit uses each sample once")
        seed = self.random_state
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            seed = check_random_state(seed).randint(2**31 - 1)
        if not goes_on:
            hidden = self.hidden_layer_sizes
            sizes = [*(hidden if np.iterable(hidden) else [hidden]), outputs]
            self.model_ = MLP(X.shape[1], sizes, self.activation, self.init, rng=int(seed))
        small = len(X) * len(self.model_.parameters()) <= FEW
        self.history_ = fit(
            self.model_,
            X,
            y,
            loss=loss,
            optimizer=self.optimizer,
            epochs=1 if partial else self.epochs,
            batch_size=self.batch_size,
            seed=int(seed),
            resume=self.history_ if partial and goes_on else None,
            penalty=self.penalty,
            clip_norm=self.clip_norm,
            sample_weight=weights,
            validation_split=self.validation_split,
            early_stopping=self.early_stopping,
            backend="eager" if partial and small and self.backend == "auto" else self.backend,
            progress=False,
        )
        self.n_iter_ = len(self.history_.loss)
        names = getattr(self, "feature_names_in_", ())
        self.model_.metadata = replace(
            self.model_.metadata or Metadata(), features=list(map(Feature, names)), classes=list(map(str, classes))
        )
        return self

    def _goes_on(self, partial: bool) -> bool:
        """Whether the network that there is, if there is one, is trained further."""
        return (partial or self.warm_start) and hasattr(self, "model_")

    def _scores(self, X: Any) -> Array:
        X = self._samples(X)  # which raises if there is no model
        return np.asarray(self.model_.predict(X))

    def _samples(self, X: Any) -> Any:
        check_is_fitted(self)
        return validate_data(self, X, dtype=float, reset=False)


class ValueMLPClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A network that classifies: `MLP`, trained by `fit` with binary_cross_entropy, or cross_entropy of more classes.

    Args:
        hidden_layer_sizes: how many neurons each hidden layer has.
        activation, init: as for MLP.
        optimizer, epochs, batch_size, penalty, clip_norm, validation_split, early_stopping, backend: as for `nn.fit`.
        class_weight: a weight for each label, 1 where it has none, or "balanced", in which all classes count alike.
        warm_start: whether `fit` goes on with the network that there is.
        random_state: draws the first weights and the order of the samples. A whole number is the seed of MLP and
            `nn.fit`, and gives the same network as they do, to the last bit; a RandomState, or None for NumPy's global
            one, draws that seed.

    Attributes:
        classes_: the labels, sorted; of numbers, text or whatever sorts.
        model_: the MLP, for all that this package does with one: `nn.save(estimator.model_, "model.json")`.
        history_: the History of its training.
        n_iter_: how many epochs that had.
        n_features_in_, feature_names_in_: the features of X, and of a frame their names.

    Example:
        >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["no", "yes", "yes", "no"]
        >>> model = ValueMLPClassifier(hidden_layer_sizes=(8,), random_state=0).fit(X, y)
        >>> model.predict(X).tolist()
        ['no', 'yes', 'yes', 'no']
        >>> model.predict_proba(X).argmax(axis=1)
        array([0, 1, 1, 0])
    """

    classes_: Any

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (16, 16),
        activation: Any = "relu",
        *,
        init: Any = "auto",
        optimizer: Any = None,
        epochs: int | None = None,
        batch_size: int | None = 32,
        penalty: Callable[..., Any] | None = None,
        clip_norm: float | None = None,
        class_weight: Any = None,
        validation_split: float = 0.0,
        early_stopping: int | None = None,
        backend: str = "auto",
        warm_start: bool = False,
        random_state: Any = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.init = init
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.penalty = penalty
        self.clip_norm = clip_norm
        self.class_weight = class_weight
        self.validation_split = validation_split
        self.early_stopping = early_stopping
        self.backend = backend
        self.warm_start = warm_start
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network, or with `warm_start` the one that there is.

        Args:
            X: n samples of finite numbers, of shape (n, features); sparse matrices are refused.
            y: a label for each.
            sample_weight: a number for each sample, 0 or more, by which its loss counts.

        Returns: the estimator itself.

        Errors: ValueError or TypeError for such data and settings as `nn.fit` does not take, for labels of one class
        only, and with `warm_start` for labels of other classes than before.
        """
        return self._learn(X, y, sample_weight, partial=False)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Use these samples once, in minibatches; what the optimizer remembers is kept from call to call.

        Of few samples nothing is compiled, unless `backend="jit"` asks for it.

        Args:
            X, y, sample_weight: as for `fit`; not every class has to be among them.
            classes: all labels that will ever come; needed at the first call.

        Returns: the estimator itself.

        Errors: as `fit`; ValueError for labels that are not among `classes`.
        """
        return self._learn(X, y, sample_weight, partial=True, classes=classes)

    def _learn(self, X: Any, y: Any, sample_weight: Any, partial: bool, classes: Any = None) -> Self:
        goes_on = self._goes_on(partial)
        X, y = validate_data(self, X, y, dtype=float, reset=not goes_on)
        check_classification_targets(y)
        if partial:
            _check_partial_fit_first_call(self, classes)
        labels = LabelEncoder().fit(self.classes_ if partial or goes_on else y)
        if len(labels.classes_) < 2:
            [label] = labels.classes_.tolist()
            raise ValueError(f"{type(self).__name__} needs two classes or more; y has one class only: {label!r:.60}")
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        if self.class_weight is not None:
            if partial and self.class_weight == "balanced":
                raise ValueError('class_weight="balanced" goes with fit: partial_fit does not see all samples')
            of_classes = compute_sample_weight(self.class_weight, y)
            weights = of_classes if weights is None else weights * of_classes
        self.classes_ = labels.classes_
        count = len(self.classes_)
        outputs, loss = (1, "binary_cross_entropy") if count == 2 else (count, "cross_entropy")
        return self._train(X, labels.transform(y), weights, outputs, loss, goes_on, partial, self.classes_)

    def decision_function(self, X: Any) -> Array:
        """The scores of n samples: of two classes one each, above 0 for the second; else one for each class."""
        return self._scores(X)

    def predict(self, X: Any) -> Array:
        """The labels of n samples."""
        scores = self._scores(X)
        found: Array = self.classes_[scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0).astype(int)]
        return found

    def predict_proba(self, X: Any) -> Array:
        """The probabilities of the classes for n samples, of shape (n, classes)."""
        X = self._samples(X)
        return np.asarray(self.model_.predict_proba(X))


class ValueMLPRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A network that predicts one number or several: `MLP`, trained by `fit`.

    Args:
        loss: a loss of regression as for `nn.fit`: its name, or a function of score and target.
        hidden_layer_sizes, activation, ...: all others as for ValueMLPClassifier.

    Targets far from 0 or 1 in size take long to learn; `sklearn.compose.TransformedTargetRegressor` scales them.

    Attributes:
        model_, history_, n_iter_, n_features_in_, feature_names_in_: as of ValueMLPClassifier.

    Example:
        >>> X, y = [[-1.0], [0.0], [1.0]], [1.0, 0.0, 1.0]
        >>> model = ValueMLPRegressor(hidden_layer_sizes=(8,), random_state=0).fit(X, y)
        >>> model.predict(X).round(2)
        array([1., 0., 1.])
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (16, 16),
        activation: Any = "relu",
        *,
        loss: Any = "squared_error",
        init: Any = "auto",
        optimizer: Any = None,
        epochs: int | None = None,
        batch_size: int | None = 32,
        penalty: Callable[..., Any] | None = None,
        clip_norm: float | None = None,
        validation_split: float = 0.0,
        early_stopping: int | None = None,
        backend: str = "auto",
        warm_start: bool = False,
        random_state: Any = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.init = init
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.penalty = penalty
        self.clip_norm = clip_norm
        self.validation_split = validation_split
        self.early_stopping = early_stopping
        self.backend = backend
        self.warm_start = warm_start
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network, or with `warm_start` the one that there is.

        Args:
            X, sample_weight: as for ValueMLPClassifier.
            y: n numbers, or lists of numbers, of shape (n, outputs).

        Returns: the estimator itself.

        Errors: ValueError or TypeError for such data and settings as `nn.fit` does not take.
        """
        return self._learn(X, y, sample_weight, partial=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Use these samples once, in minibatches; what the optimizer remembers is kept from call to call.

        Args:
            X, y, sample_weight: as for `fit`.

        Returns: the estimator itself.

        Errors: as `fit`.
        """
        return self._learn(X, y, sample_weight, partial=True)

    def _learn(self, X: Any, y: Any, sample_weight: Any, partial: bool) -> Self:
        goes_on = self._goes_on(partial)
        X, y = validate_data(self, X, y, dtype=float, y_numeric=True, multi_output=True, reset=not goes_on)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        return self._train(X, y, weights, 1 if y.ndim == 1 else y.shape[1], self.loss, goes_on, partial)

    def predict(self, X: Any) -> Array:
        """The predictions for n samples, of shape (n,) or (n, outputs)."""
        return self._scores(X)
