"""fit: minibatch gradient descent."""

import contextlib
import math
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import autograd
from autograd import Value
from autograd.frames import warn
from nn.draws import SampleDraws
from nn.eager import Eager, Penalty, objective, sample_loss
from nn.history import History, NonFiniteError
from nn.losses import Loss, absolute_error, find_loss
from nn.metadata import check_columns, noted
from nn.module import Module, in_training
from nn.optimizers import Optimizer, find_optimizer
from nn.ranges import at_least_1
from nn.samples import labelled


def accuracy(model: Module, X: Any, y: Any, loss: Any) -> float:
    """The fraction of samples whose label the model gets right; builds no graph.

    Args:
        model, X, y: as for `fit`.
        loss: a loss of classification, which says how a score is read as a label.

    Errors: as `fit`; ValueError for a loss that is not one of classification.

    Example:
        >>> from nn import Neuron
        >>> neuron = Neuron(1, nonlin=False)
        >>> neuron.w[0].data = 1.0
        >>> accuracy(neuron, [[2.0], [-3.0], [-1.0]], [1, -1, 1], "hinge") == 2 / 3
        True
    """
    loss = find_loss(loss)
    if loss.label is None:
        raise ValueError(f"{loss.name} is not a loss of classification, so there is no accuracy")
    check_columns(model, X)
    samples, wanted = labelled(model, X, y, loss)
    return _accuracy(loss, model.predict(samples), wanted)


def _accuracy(loss: Loss, scores: Sequence[Any], wanted: Sequence[Any]) -> float:
    assert loss.label is not None
    return sum([loss.label(score) == target for score, target in zip(scores, wanted, strict=True)]) / len(wanted)


def _mean_absolute_error(loss: Loss, scores: Sequence[Any], wanted: Sequence[Any]) -> float:
    return loss.unit * float(absolute_error.batch(scores, wanted))


METRICS: dict[str, Callable[[Loss, Sequence[Any], Sequence[Any]], float]] = {
    "accuracy": _accuracy,
    "mean absolute error": _mean_absolute_error,
}


# --- backends ---------------------------------------------------------------------------------------------------------


def _compiled(*run: Any) -> Any:
    """Compiled, for a model and a loss that eager mode takes as well."""
    from nn.compiled import Compiled

    compiled = Compiled(*run)
    _try_eagerly(*run)
    return compiled


def _fastest(model: Module, *run: Any) -> Any:
    """Compiled, if the compiler is installed and takes the model; else eager, with a warning that says why."""
    try:
        from nn.compiled import Compiled

        compiled = Compiled(model, *run)
    except Exception as refusal:
        warn(
            f"fit: {type(model).__name__} trains eagerly, which may take a thousand times as long, since it cannot be "
            f"compiled: {refusal}",
            RuntimeWarning,
            os.path.dirname(__file__),
        )
        return Eager(model, *run)
    _try_eagerly(model, *run)
    return compiled


def _try_eagerly(model: Module, loss: Loss, penalty: Penalty | None, X: list[Any], y: list[Any], key: int) -> None:
    """Raise what eager mode refuses. Not before the compiler has seen that the model keeps no state of its own."""
    eager = Eager(model, loss, penalty, X[:1], y[:1], key)
    eager.loss_and_gradient(eager.initial(), [0], 0)


# made of (model, loss, penalty, X, y, key); the key is what random draws inside the model follow from
BACKENDS: dict[str, Callable[..., Any]] = {"auto": _fastest, "eager": Eager, "jit": _compiled}


# --- one run ----------------------------------------------------------------------------------------------------------


class _Run:
    """A run of fit: at any moment `theta` is a whole set of parameters, and `last_good` one of a finite loss."""

    def __init__(
        self, model: Module, X: list[Any], y: list[Any], loss: Loss, optimizer: Optimizer, penalty: Penalty | None,
        backend: str, key: int,
    ):  # fmt: skip
        self.model, self.X, self.y, self.loss, self.optimizer = model, X, y, loss, optimizer
        self.objective = objective(loss, penalty)
        self.key = key
        self.backend = BACKENDS[backend](model, loss, penalty, X, y, key)
        self.theta = self.last_good = self.backend.initial()
        self.state: Any = None
        self.steps = 0
        self.history = History(metric_name=loss.metric, backend=self.backend.name)

    def epoch(self, minibatches: Iterable[list[int]]) -> None:
        """Use every sample once."""
        rate = self.optimizer.rate(len(self.history.loss))
        total = autograd.sum([len(indices) * self.step(indices, rate) for indices in minibatches])
        scores = self.backend.scores(self.theta)
        for i, score in enumerate(scores):
            if not all(map(math.isfinite, score if isinstance(score, list) else [score])):
                self.stop([i], training=False)
        self.history.loss.append(total / len(self.X))
        if self.loss.metric:
            self.history.metric.append(METRICS[self.loss.metric](self.loss, scores, self.y))

    def step(self, indices: list[int], rate: float) -> float:
        """One update; returns the loss before it."""
        loss, gradient = self.backend.loss_and_gradient(self.theta, indices, self.steps)
        if not (math.isfinite(loss) and self.backend.is_finite(gradient)):
            self.stop(indices)
        self.last_good = self.theta
        self.steps += 1
        self.theta, self.state = self.backend.update(self.optimizer, self.theta, gradient, self.state, self.steps, rate)
        return float(loss)

    def stop(self, indices: list[int], training: bool = True) -> NoReturn:
        """Go back to the last good parameters, and say what made those after them bad."""
        bad, self.theta = self.theta, self.last_good
        reason = self.why_nonfinite(bad, indices, training)
        raise NonFiniteError(f"epoch {len(self.history.loss)}, step {self.steps}, {reason}", self.history)

    def why_nonfinite(self, theta: Sequence[float], indices: list[int], training: bool) -> str:
        """The sentence of Value.why_nonfinite, with the sample where it is one sample's fault."""
        names = self.model.named_parameters()
        leaves = {name: Value(data, label=name) for name, data in zip(names, theta, strict=True)}
        model = self.model.with_parameters(leaves).train(training)

        def sample(i: int) -> tuple[Any, Any, SampleDraws]:
            return self.X[i], self.y[i], SampleDraws(self.key, self.steps, i)

        for i in indices:
            loss = sample_loss(model, self.loss, *sample(i))
            if not math.isfinite(loss._data):
                return f"sample {i}: {loss.why_nonfinite()}"
        loss = self.objective(model, list(leaves.values()), map(sample, indices))
        loss.backward()
        return f"samples {', '.join(map(str, indices[:8]))}: {loss.why_nonfinite()}"


def _minibatches(n: int, size: int | None, rng: random.Random) -> list[list[int]]:
    """The indices of n samples in groups: all in order, or in groups of a size in an order that is drawn."""
    order = list(range(n))
    if size is None:
        return [order]
    rng.shuffle(order)
    return [order[i : i + size] for i in range(0, n, size)]


@contextlib.contextmanager
def _bar(epochs: int, backend: str, wanted: bool) -> Iterator[Callable[[History], None]]:
    """A function that moves a progress bar on by an epoch; it does nothing if no bar is wanted, or without tqdm."""
    try:
        from tqdm import tqdm
    except ImportError:
        wanted = False
    if not wanted:
        yield lambda history: None
        return
    with tqdm(total=epochs, desc=f"fit ({backend})", unit="epoch") as bar:

        def advance(history: History) -> None:
            shown = {"loss": f"{history.loss[-1]:.4f}"}
            if history.metric:
                shown[history.metric_name] = f"{history.metric[-1]:.3f}"
            bar.set_postfix(shown, refresh=False)
            bar.update()

        yield advance


# --- fit --------------------------------------------------------------------------------------------------------------


def fit(
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: Any = "squared_error",
    optimizer: Any = "adam",
    epochs: int = 100,
    batch_size: int | None = None,
    seed: int = 0,
    penalty: Penalty | None = None,
    backend: str = "auto",
    progress: bool = True,
) -> History:
    """Train a model: move its parameters down the gradient of the mean loss, minibatch by minibatch.

    Args:
        model: called with one sample, it gives a score, or a list of them.
        X: n samples, each a list of features; or an array of shape (n, features), or a frame or tensor of another
            library. `model.metadata` keeps the names of the columns.
        y: n targets, as the loss takes them.
        loss: a name ("squared_error", "absolute_error", "huber", "hinge", "binary_cross_entropy", "cross_entropy"),
            or a function of one score and one target.
        optimizer: a name ("sgd", "adam", "adamw", "rmsprop") or an Optimizer; one that is given starts afresh.
        epochs: how often every sample is used.
        batch_size: None for all samples in each step, 1 for one randomly selected sample, B for minibatches of B
            (the last of an epoch may be smaller).
        seed: draws the order of the samples, anew each epoch, and what the model draws by `nn.rand`, as Dropout does;
            the same seed gives the same run to the last bit.
        penalty: a function of the list of parameters that is added to the loss, such as nn.l2.
        backend: "jit" to compile the model, which takes some 0.3 s and then goes a thousand times as fast as "eager";
            "auto" for "jit" if llvmlite is installed and the model can be traced (see autograd.jit), else "eager", with
            a warning that says why. A model that changes its attributes, or draws random numbers, cannot.
        progress: whether to show a bar, if tqdm is installed.

    Returns: the History. Ctrl-C ends the run early, with what was learnt so far.

    Errors: ValueError or TypeError, naming the sample, for data that are empty, of wrong shape, not finite or not what
    the loss takes, and for a setting out of its range; NonFiniteError when loss, gradient or scores are no longer
    finite, saying which operation made them so. The model then has its last good parameters.

    Example:
        >>> from nn import MLP, SGD
        >>> model = MLP(1, [1], rng=0)
        >>> history = fit(model, [[0.0], [1.0]], [1.0, 3.0], optimizer=SGD(0.5), epochs=100, progress=False)
        >>> [round(score, 3) for score in model.predict([[0.0], [1.0], [2.0]])]
        [1.0, 3.0, 5.0]
    """
    loss, optimizer = find_loss(loss), find_optimizer(optimizer)
    epochs = at_least_1(epochs, "epochs")
    size = None if batch_size is None else at_least_1(batch_size, "batch_size")
    if backend not in BACKENDS:
        raise ValueError(f"no backend {backend!r}; there are {', '.join(BACKENDS)}")
    parameters = model.parameters()
    if not parameters:
        raise ValueError(f"{type(model).__name__} has no parameters to train")
    samples, wanted = labelled(model, X, y, loss)
    rng, started = random.Random(seed), time.perf_counter()
    key = random.Random(seed).getrandbits(64)
    with in_training(model):
        run = _Run(model, samples, wanted, loss, optimizer, penalty, backend, key)
        try:
            with _bar(epochs, run.backend.name, progress) as advance:
                for _ in range(epochs):
                    run.epoch(_minibatches(len(samples), size, rng))
                    advance(run.history)
        except KeyboardInterrupt:
            run.history.interrupted = True
            if loss.metric:  # Ctrl-C may have come when an epoch had its loss and not yet its metric
                del run.history.loss[len(run.history.metric) :]
        finally:
            for parameter, data in zip(parameters, run.theta, strict=True):
                parameter.data, parameter.grad = float(data), 0.0
            run.history.seconds = time.perf_counter() - started
    model.metadata = noted(model.metadata, X, len(samples), loss, run.history.metric)
    return run.history
