"""fit: minibatch gradient descent."""

import contextlib
import copy
import functools
import math
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

import autograd
from autograd import Value
from autograd.frames import warn
from nn.draws import SampleDraws
from nn.eager import Eager, Penalty, objective, sample_loss
from nn.elapsed import elapsed
from nn.history import History, NonFiniteError
from nn.layers import Sequential, Softmax
from nn.losses import LOSSES, Loss, find_loss
from nn.metadata import is_by_piece, noted
from nn.metrics import measured_by
from nn.module import Module, in_training
from nn.optimizers import Adam, Optimizer, find_optimizers
from nn.ranges import at_least_1, positive
from nn.samples import Samples, held_out, labelled, of_pair

Callback = Callable[[Module, History], Any]

# The defaults: small networks on scaled features learn by them, as benchmarks/learning.py measures.
LEARNING_RATE, EPOCHS, STEPS = 0.01, 100, 1000


def accuracy(model: Module, X: Any, y: Any, loss: Any, *, executor: Any = None) -> float:
    """The fraction of samples whose label the model gets right; builds no graph.

    Args:
        model, X, y: as for `fit`.
        loss: a loss of classification, which says how a score is read as a label.
        executor: workers that share the samples, as for `fit`.

    Errors: as `fit`; ValueError for a loss that is not one of classification.

    Example:
        >>> from nn import Neuron
        >>> neuron = Neuron(1, nonlin=False)
        >>> neuron.w[0].data = 1.0
        >>> accuracy(neuron, [[2.0], [-3.0], [-1.0]], [1, -1, 1], "hinge") == 2 / 3
        True
    """
    return model.score(X, y, "accuracy", loss, executor=executor)


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
            f"fit: {type(model).__name__} cannot be compiled, so it trains eagerly, which may take a thousand times as "
            f"long: {refusal}",
            RuntimeWarning,
            os.path.dirname(__file__),
        )
        return Eager(model, *run)
    _try_eagerly(model, *run)
    return compiled


def _try_eagerly(model: Module, loss: Loss, penalty: Penalty | None, samples: Samples, key: int) -> None:
    """Raise what eager mode refuses. Not before the compiler has seen that the model keeps no state of its own."""
    eager = Eager(model, loss, penalty, samples.at([0]), key)
    eager.loss_and_gradient(eager.initial(), [0], 0)


# made of (model, loss, penalty, samples, key); the key is what random draws inside the model follow from
BACKENDS: dict[str, Callable[..., Any]] = {"auto": _fastest, "eager": Eager, "jit": _compiled}


# --- one run ----------------------------------------------------------------------------------------------------------


class _Group(NamedTuple):
    """An optimizer, the indices of the parameters that it moves, and what it remembers of them."""

    optimizer: Optimizer
    indices: list[int]
    state: Any = None


class _Run:
    """A run of fit: at any moment `theta` is a whole set of parameters, and `last_good` one of a finite loss."""

    def __init__(
        self, model: Module, samples: Samples, held: Samples | None, loss: Loss, optimizer: Any,
        penalty: Penalty | None, backend: Callable[..., Any], key: int, clip_norm: float | None, rate_per: str,
    ):  # fmt: skip
        self.model, self.samples, self.held = model, samples, held
        self.loss, self.clip_norm, self.rate_per = loss, clip_norm, rate_per
        position = {name: i for i, name in enumerate(model.named_parameters())}
        groups = find_optimizers(optimizer, model.trainable_parameters())
        self.groups = [_Group(optimizer, [position[name] for name in names]) for optimizer, names in groups]
        trained = sorted(i for group in self.groups for i in group.indices)
        self.trained = None if len(trained) == len(position) else trained
        self.parameters, self.objective = model.parameters(), objective(loss, penalty)
        self.key = key
        self.backend = backend(model, loss, penalty, samples, key)
        self.theta = self.last_good = self.backend.initial()
        self.steps = 0
        self.history = History(metric_name=loss.metric, backend=self.backend.name)
        self.best: Any = None  # parameters and groups with the smallest loss on the validation, where that is watched
        self.waited = 0  # epochs since then

    def epoch(self, minibatches: Iterable[Sequence[int]]) -> None:
        """Use every sample once, and see how good the model has become."""
        total = autograd.sum([len(indices) * self.step(indices) for indices in minibatches])
        history = self.history
        _, metric = self.evaluate(self.samples, "")
        measured = [(history.loss, total / len(self.samples)), (history.metric, metric)]
        if self.held is not None:
            scores, validation_metric = self.evaluate(self.held, "validation ")
            validation_loss = self.backend.mean_loss(scores, self.held)
            if not math.isfinite(validation_loss):
                self.stop(self.held, list(range(len(self.held))), training=False, which="validation ")
            measured += [(history.validation_loss, validation_loss), (history.validation_metric, validation_metric)]
        for curve, value in measured:
            if value is not None:
                curve.append(value)

    def keep_best(self) -> None:
        """Keep the parameters, and what the optimizers remember, if no epoch before had as small a validation loss."""
        losses, best = self.history.validation_loss, self.history.best_epoch
        self.waited += 1
        if best is None or losses[-1] < losses[best]:
            self.history.best_epoch, self.best, self.waited = len(losses) - 1, (self.theta, self.groups), 0

    def restore_best(self) -> None:
        """Go back to them."""
        self.theta, self.groups = self.best
        self.assign(self.theta)

    def resume(self, history: History, rng: random.Random, watch: bool) -> None:
        """Go on where another run ended."""
        if history.resumable is None:
            raise ValueError("resume takes the History of a run of fit that ended by itself or by Ctrl-C")
        self.steps, states, order = history.resumable
        if len(states) != len(self.groups):
            raise ValueError(f"resume: that run had {len(states)} optimizers, and this has {len(self.groups)}")
        for group, state in zip(self.groups, states, strict=True):
            if state and {len(numbers) for numbers in state} != {len(group.indices)}:
                raise ValueError("resume: that run trained other parameters; train without resume")
        self.groups = [group._replace(state=s) for group, s in zip(self.groups, states, strict=True)]
        rng.setstate(order)
        fresh, self.history = self.history, copy.deepcopy(history)
        self.history.backend, self.history.interrupted = fresh.backend, False
        if self.history.loss and bool(self.history.validation_loss) != (self.held is not None):
            raise ValueError("resume: the one run has samples to validate with, and the other has none")
        if not watch:
            self.history.best_epoch = None
        elif self.history.loss:  # it has the parameters of its best epoch, or of its last
            self.history.best_epoch = len(self.history.loss) - 1 if history.best_epoch is None else history.best_epoch
            self.best = self.theta, self.groups

    def resumable(self, rng: random.Random) -> Any:
        """What `resume` needs beside the parameters."""
        return self.steps, [_plain(group.state) for group in self.groups], rng.getstate()

    def assign(self, theta: Sequence[float]) -> None:
        """Give these parameters to the model."""
        for parameter, data in zip(self.parameters, theta, strict=True):
            parameter.data, parameter.grad = float(data), 0.0

    def evaluate(self, samples: Samples, which: str) -> tuple[Any, float | None]:
        """The scores, all finite, and the metric if the loss has one."""
        scores = self.backend.scores(self.theta, samples)
        for i in self.backend.not_finite(scores):
            self.stop(samples, [i], training=False, which=which)
        return scores, self.backend.metric(scores, samples) if self.loss.metric else None

    def step(self, indices: Sequence[int]) -> float:
        """One update; returns the loss before it."""
        loss, gradient = self.backend.loss_and_gradient(self.theta, indices, self.steps)
        moving = gradient if self.trained is None else self.backend.some(gradient, self.trained)
        if not (math.isfinite(loss) and self.backend.is_finite(moving)):
            self.stop(self.samples, indices)
        if self.clip_norm is not None and (norm := math.hypot(*moving)) > self.clip_norm:
            gradient = self.backend.scaled(gradient, self.clip_norm / norm)
        self.last_good = self.theta
        history, backend, theta = self.history, self.backend, self.theta
        count = self.steps if self.rate_per == "step" else len(history.loss)
        states = []
        for optimizer, indices, state in self.groups:
            rate = optimizer.rate(count, history.validation_loss or history.loss)
            if len(indices) == len(theta):
                theta, state = backend.update(optimizer, theta, gradient, state, self.steps + 1, rate)
            else:
                some = backend.some(theta, indices), backend.some(gradient, indices)
                moved, state = backend.update(optimizer, *some, state, self.steps + 1, rate)
                theta = backend.replaced(theta, indices, moved)
            states.append(state)
        self.theta, self.groups = theta, [g._replace(state=s) for g, s in zip(self.groups, states, strict=True)]
        self.steps += 1
        return float(loss)

    def stop(self, samples: Samples, indices: Sequence[int], training: bool = True, which: str = "") -> NoReturn:
        """Go back to the last good parameters, and say what made those after them bad."""
        bad, self.theta = self.theta, self.last_good
        reason = which + self.why_nonfinite(bad, samples, indices, training)
        raise NonFiniteError(f"epoch {len(self.history.loss)}, step {self.steps}, {reason}", self.history)

    def why_nonfinite(self, theta: Sequence[float], samples: Samples, indices: Sequence[int], training: bool) -> str:
        """The sentence of Value.why_nonfinite, with the line, and the sample where it is one sample's fault."""
        names = self.model.named_parameters()
        leaves = {name: Value(data, label=name) for name, data in zip(names, theta, strict=True)}
        model = self.model.with_parameters(leaves).train(training)

        def sample(i: int) -> tuple[Any, ...]:
            return *samples[i], SampleDraws(self.key, self.steps, i)

        indices = self.backend.suspects(theta, samples, indices)
        with autograd.detect_anomaly():  # computed once more, to remember lines
            for i in indices:
                loss = sample_loss(model, self.loss, *sample(i))
                if not math.isfinite(loss._data):
                    return f"sample {i}: {loss.why_nonfinite()}"
            loss = self.objective(model, list(leaves.values()), map(sample, indices))
            loss.backward()
        return f"samples {', '.join(map(str, indices[:8]))}: {loss.why_nonfinite()}"


def _last(model: Module) -> Any:
    """The module whose result is that of the model."""
    while type(model) is Sequential and model.modules:
        model = model.modules[-1]
    return model


def _plain(state: Any) -> Any:
    """What an optimizer remembers, as either backend takes it up."""
    return state and tuple([list(map(float, numbers)) for numbers in state])


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
            if history.validation_loss:
                shown["validation"] = f"{(history.validation_metric or history.validation_loss)[-1]:.3f}"
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
    optimizer: Any = None,
    epochs: int | None = None,
    batch_size: int | None = 32,
    seed: int = 0,
    resume: History | None = None,
    rate_per: str = "epoch",
    penalty: Penalty | None = None,
    clip_norm: float | None = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    validation_data: Any = None,
    validation_split: float = 0.0,
    metric: str | None = None,
    early_stopping: int | None = None,
    callbacks: Sequence[Callback] = (),
    backend: str = "auto",
    progress: bool = True,
    executor: Any = None,
    keep: int = 2**30,
) -> History:
    """Train a model: move its parameters down the gradient of the mean loss, minibatch by minibatch.

    Args:
        model: called with one sample, it gives a score, or a list of them.
        X: n samples, each a list of features; or an array of shape (n, features), or a frame or tensor of another
            library. `model.metadata` keeps the names of the columns.
        y: n targets, as the loss takes them.
        loss: a name ("squared_error", "absolute_error", "huber", "log_cosh", "quantile", "poisson", "hinge",
            "binary_cross_entropy", "focal", "cross_entropy", "negative_log_likelihood"), or a function of one score and
            one target.
        optimizer: an Optimizer, which starts afresh, or a name ("sgd", "adam", "adamw", "rmsprop") for one with the
            settings of PyTorch; None for Adam(0.01). For groups of parameters, a dict of such by the first parts of
            their names: {"layers.0": SGD(0.01), "": "adam"}.
        epochs: how often every sample is used; None for 100, or as often as makes 1000 steps.
        batch_size: None for all samples in each step, 1 for one randomly selected sample, B for minibatches of B
            (the last of an epoch may be smaller).
        seed: draws the order of the samples, and what the model draws by `nn.rand`, as Dropout does;
            the same seed gives the same run to the last bit.
        resume: the History of a run of this model, which goes on as if it had not ended: with what the optimizers
            remember, the order of the samples, counts, and curves. Give the same data and settings.
        rate_per: "epoch" or "step": what a schedule of the learning rate counts.
        penalty: a function of the list of parameters that is added to the loss, such as nn.l2.
        clip_norm: the largest norm of a gradient; a longer one is scaled down to it.
        sample_weight: a number for each sample, by which its loss counts; only their ratios matter, and 2 counts as the
            sample given twice does.
        class_weight: the same for each label, as {label: weight}; or "balanced", in which all classes count alike.
        validation_data: samples and targets, as a pair, that are not trained on; loss and metric on them, after each
            epoch, are in the History.
        validation_split: the fraction of X to hold out for that, drawn by the seed.
        metric: what to measure after each epoch, on the training and on the validation: "accuracy", "precision",
            "recall", "f1" or "roc_auc" of a classification (of more than two classes the mean over them), "r2" or
            "mean absolute error" of a regression; None for accuracy or mean absolute error. All but these two are
            computed by scikit-learn.
        early_stopping: after so many epochs without a smaller loss on the validation, training ends; the model gets the
            parameters of the epoch with the smallest.
        callbacks: functions of the model and the History, which are called after each epoch; one that returns True ends
            the training.
        backend: "jit" to compile the model, which takes about 0.3 s and then is a thousand times as fast as "eager";
            "auto" for "jit" if llvmlite is installed and the model can be traced (see autograd.jit), else "eager", with
            a warning that says why. A model that changes its attributes, or draws random numbers, cannot.
        progress: whether to show a bar, if tqdm is installed.
        executor: workers that share large batches, and read their samples themselves (see autograd.jit); X and y may
            then be memory maps, zarr or Dask arrays, or autograd.rows of files; with all of these memory does not grow.
            The run is the same to the last bit for any number of workers. A minibatch has rows that lie together:
            pieces of 262144 come in an order that is drawn, and the rows of each are shuffled.
        keep: how many bytes of rows that were read a worker keeps from step to step; the rest it reads again.

    Returns: the History. Ctrl-C ends the run early, with what was learnt so far.

    Errors: ValueError or TypeError, naming the sample, for data that are empty, of wrong shape, not finite or not what
    the loss takes, and for a setting out of its range; NonFiniteError when loss, gradient or scores are no longer
    finite, saying which operation made them so. The model then has its last good parameters. RuntimeError for workers
    that are not there, and rows that cannot be read. After such, and those of callbacks, the model has what it learnt
    and `error.history` is the History, with which another run goes on.

    Example:
        >>> from nn import MLP, SGD
        >>> model = MLP(1, [1], rng=0)
        >>> history = fit(model, [[0.0], [1.0]], [1.0, 3.0], optimizer=SGD(0.5), epochs=100, progress=False)
        >>> [round(score, 3) for score in model.predict([[0.0], [1.0], [2.0]])]
        [1.0, 3.0, 5.0]
    """
    loss, optimizer = measured_by(find_loss(loss), metric), Adam(LEARNING_RATE) if optimizer is None else optimizer
    if rate_per not in ("epoch", "step"):
        raise ValueError(f'rate_per is "epoch" or "step", got {rate_per!r:.60}')
    if epochs is not None:
        epochs = at_least_1(epochs, "epochs")
    size = None if batch_size is None else at_least_1(batch_size, "batch_size")
    if backend not in BACKENDS:
        raise ValueError(f"unknown backend {backend!r}; choose from {', '.join(BACKENDS)}")
    if not model.trainable_parameters():
        frozen = ": all are frozen; see unfreeze()" if model.parameters() else ""
        raise ValueError(f"{type(model).__name__} has no parameters to train{frozen}")
    find_optimizers(optimizer, model.trainable_parameters())
    if loss.formula is LOSSES["cross_entropy"].formula and isinstance(_last(model), Softmax):
        raise ValueError(
            "cross_entropy takes scores, and this model ends with Softmax, which makes probabilities of them: leave "
            'Softmax out, or train with the loss "negative_log_likelihood"'
        )
    if clip_norm is not None:
        clip_norm = positive(clip_norm, "clip_norm")
    patience = math.inf if early_stopping is None else at_least_1(early_stopping, "early_stopping")
    samples: Any
    held: Any
    if executor is not None or any(map(is_by_piece, (X, y))):
        from nn.compiled_rows import Rowwise
        from nn.rowwise import row_samples

        if validation_split or sample_weight is not None or class_weight is not None or backend == "eager":
            raise ValueError(
                "an executor, and rows that are read piece by piece, go with backend='jit', and without weights and "
                "validation_split; give validation_data"
            )
        samples = row_samples(model, X, y, loss, executor, keep)
        held = None
        if validation_data is not None:
            held = of_pair(validation_data, model, lambda X, y: row_samples(model, X, y, loss, executor, keep))
        chosen: Callable[..., Any] = functools.partial(Rowwise, executor=executor, keep=keep)
    else:
        samples = labelled(model, X, y, loss).weighted(sample_weight, class_weight, loss)
        samples, held = held_out(samples, validation_split, seed, validation_data, model, loss)
        chosen = BACKENDS[backend]
    if early_stopping and held is None:
        raise ValueError("early_stopping needs validation_data or validation_split, the loss on which it watches")
    if epochs is None:
        epochs = max(EPOCHS, math.ceil(STEPS / math.ceil(len(samples) / (size or len(samples)))))
    rng, started = random.Random(seed), time.perf_counter()
    key = random.Random(seed).getrandbits(64)
    with in_training(model):
        with elapsed("compiling", progress and backend != "eager"):
            run = _Run(model, samples, held, loss, optimizer, penalty, chosen, key, clip_norm, rate_per)
        if resume is not None:
            run.resume(resume, rng, watch=early_stopping is not None)
        history = run.history
        try:
            with _bar(epochs, run.backend.name, progress) as advance:
                for _ in range(epochs):
                    run.epoch(samples.minibatches(size, rng))
                    advance(history)
                    if early_stopping:
                        run.keep_best()
                    run.assign(run.theta)
                    wishes = [callback(model, history) for callback in callbacks]
                    if True in wishes or run.waited >= patience:
                        break
        except KeyboardInterrupt:
            history.interrupted = True
        except Exception as error:  # of workers, of what reads rows, of a callback
            if not isinstance(error, NonFiniteError):
                history.resumable = run.resumable(rng)
                vars(error)["history"] = history
                error.add_note(
                    f"The model has what it learnt in {len(history.loss)} epochs; fit(resume=error.history) goes on."
                )
            raise
        finally:
            run.assign(run.theta)
            history.cut_to_whole_epochs(validated=held is not None)
            history.seconds += time.perf_counter() - started
        if run.best is not None:
            run.restore_best()
        history.resumable = run.resumable(rng)
    kept = -1 if history.best_epoch is None else history.best_epoch
    model.metadata = noted(model.metadata, X, len(samples), loss, history.metric[kept] if history.metric else None)
    return history
