"""Scores of many samples by compiled code: what `predict`, `fit` and the pictures evaluate by."""

from typing import Any

import numpy as np

from autograd import jit, vmap
from autograd.transforms.tree import Structure, flatten


def scores_of(model: Any, executor: Any = None) -> Any:
    """The compiled function of all parameters, and of samples of shape (n, features), that gives the n scores."""
    structure = structure_of(model, training=False)

    def scores(theta: Any, X: Any) -> Any:
        traced = structure.unflatten(theta)
        return vmap(lambda x: _scored(traced(listed(x))))(X)

    return jit(scores, executor=executor)


def many_scores(model: Any, X: Any) -> Any:
    """The scores of many samples, as an array; None where the model or the samples cannot be compiled."""
    parameters = model.parameters()
    try:
        theta = np.array([p._data for p in parameters])
        return np.asarray(scores_of(model)(theta, np.asarray(X, dtype=float)))
    except Exception:  # Python then says what is wrong, if anything is
        return None


def structure_of(model: Any, training: bool) -> Structure:
    """What builds the model of other parameters, in one mode or the other; it shares the parameters of the model."""
    return flatten(model.with_parameters(model.named_parameters()).train(training))[1]


def listed(x: Any) -> Any:
    """What the eager backend gives a model: lists."""
    return x.tolist() if isinstance(x, np.ndarray) else x


def _scored(score: Any) -> Any:
    return np.array(score, dtype=object) if isinstance(score, list) else score
