"""`python -m nn`: train a network on two moons, or on your data, and write pictures of what it learnt."""

import argparse
import copy
import io
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autograd import Value
from autograd.files import write_atomically
from nn.activations import ACTIVATIONS
from nn.checkpoint import save
from nn.datasets import DATASETS, DataError, read_csv, split
from nn.layers import INITS, MLP
from nn.losses import LOSSES, Loss
from nn.optimizers import OPTIMIZERS, Optimizer, Schedule, constant, cosine, linear, step
from nn.scaling import Scale, unscale
from nn.training import METRICS, History, NonFiniteError, fit

# The learning rate over a run of so many epochs, from `rate` at its start.
DECAYS: dict[str, Callable[[float, int], Schedule]] = {
    "constant": lambda rate, epochs: constant(rate),
    "linear": lambda rate, epochs: linear(rate, rate / 10, epochs),
    "cosine": lambda rate, epochs: cosine(rate, 0.0, epochs),
    "step": lambda rate, epochs: step(rate, 0.5, max(1, epochs // 4)),
}
HUGE = 1e100  # weights that have taken over such a scale, and their squares, are still far from overflow
MOST_CLASSES = 20  # more distinct integers than this are taken for measurements


Samples = tuple[list[Any], list[Any]]


class UsageError(ValueError):
    """Options that do not go together."""


class Problem(NamedTuple):
    """What is to be learnt: samples with a number as their target, or the number of their class."""

    X: list[list[float]]
    y: Sequence[float]
    columns: list[str]
    classes: list[str]  # the names of the classes in their order; none for a regression


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 if training failed, 2 if options or data are wrong."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except KeyboardInterrupt:  # outside of the training, which it merely ends
        return _fail("interrupted", 130)
    except NonFiniteError as error:
        return _fail(f"training stopped: {error}. Try a smaller --learning-rate", 1)
    except (UsageError, DataError, ImportError, OSError) as error:
        return _fail(str(error), 2)
    return 0


def _fail(message: str, code: int) -> int:
    print(f"python -m nn: error: {' '.join(message.split())}", file=sys.stderr)
    return code


# --- options ----------------------------------------------------------------------------------------------------------


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults, of the options that have one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return super()._get_help_string(action) if action.default else action.help


def _parser() -> argparse.ArgumentParser:
    description = "Train a network on two moons, or on your data, and write pictures of what it learnt."
    parser = argparse.ArgumentParser(prog="python -m nn", description=description, formatter_class=_Help)
    data = parser.add_argument_group("data")
    source = data.add_mutually_exclusive_group()
    source.add_argument("--dataset", choices=DATASETS, default="moons", help="made on the spot")
    source.add_argument(
        "--data", metavar="FILE.csv", help="numeric columns, the last one the label; scaled to deviation 1 for training"
    )
    data.add_argument("--samples", type=_natural, metavar="N", help="how many; each data set has its own default")
    data.add_argument(
        "--noise", type=_nonnegative, metavar="SD", help="standard deviation of the noise; each has its own default"
    )
    data.add_argument("--task", choices=["auto", "classification", "regression"], default="auto",
        help=f"auto: classification if the labels are at most {MOST_CLASSES} distinct integers")  # fmt: skip
    data.add_argument("--test", type=_fraction, default=0.2, metavar="FRACTION", help="of the samples, to test on")
    model = parser.add_argument_group("model")
    model.add_argument("--hidden", type=_natural, nargs="*", metavar="N",
        help="sizes of the layers (default: 16 16; of digits 32)")  # fmt: skip
    model.add_argument("--activation", choices=ACTIVATIONS, default="relu", help="of the hidden layers")
    model.add_argument("--init", choices=INITS, default="he", help="how the first weights are drawn")
    training = parser.add_argument_group("training")
    training.add_argument("--loss", choices=["auto", *LOSSES], default="auto",
        help="auto: hinge for two classes, cross_entropy for more, squared_error for a regression")  # fmt: skip
    training.add_argument("--optimizer", choices=OPTIMIZERS, default="adam", help="with its usual settings")
    training.add_argument("--learning-rate", type=_positive, default=0.02, metavar="RATE", help="at the start")
    training.add_argument("--decay", choices=DECAYS, default="linear", help="of the learning rate, over the run")
    training.add_argument("--weight-decay", type=_nonnegative, default=1e-4, metavar="LAMBDA", help="pull towards 0")
    training.add_argument("--batch-size", type=_natural, default=10, metavar="B", help="samples a step")
    training.add_argument("--epochs", type=_natural, default=50, help="how often every sample is used")
    training.add_argument("--seed", type=_seed, default=0, help="of data, split, first weights and order")
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where the pictures go")
    output.add_argument("--save", type=Path, metavar="MODEL.json", help="where the model goes; see nn.load")
    output.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def _checked(convert: Callable[[str], Any], accepts: Callable[[Any], bool], kind: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not accepts(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {kind}")
        return value

    return parse


_natural = _checked(int, lambda n: n >= 1, "a whole number, at least 1")
_seed = _checked(int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 2**32 - 1, as NumPy takes")
_positive = _checked(float, lambda x: 0 < x < math.inf, "a positive number")
_nonnegative = _checked(float, lambda x: 0 <= x < math.inf, "a number, at least 0")
_fraction = _checked(float, lambda x: 0 <= x < 1, "a fraction, at least 0 and below 1")


# --- the job ----------------------------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> None:
    started = time.perf_counter()
    _check_outputs(options)
    problem = _problem(options)
    loss = _loss(options, problem)
    wanted = [loss.labels[int(c)] for c in problem.y] if loss.labels else list(problem.y)
    train, test = _split(options, problem, wanted)
    outputs = len(problem.classes) if loss is LOSSES["cross_entropy"] else 1
    model = MLP(len(problem.X[0]), [*_hidden(options), outputs], options.activation, options.init, options.seed)
    print(f"{model}, {len(model.parameters())} parameters, {len(train[0])} samples, {loss.name}, {options.optimizer}")
    history = _fit(options, model, *train, loss)
    _report(history, model, loss, train, test)
    written = [options.save] if options.save else []
    for path in written:
        save(model, path)
    options.out.mkdir(parents=True, exist_ok=True)
    written += [_write_summary(options, model, history, wanted, problem, loss), _write_neuron(options, model, problem)]
    print(f"wrote {', '.join(map(str, written))} ({time.perf_counter() - started:.1f} s in all)")
    print(f'what happened here, step by step: {_notebooks()} (python -m pip install ".[notebooks]")')


def _notebooks() -> str:
    """Where the notebooks are: beside this package in a clone, and not at all where only the packages are installed."""
    folder = Path(__file__).parents[1] / "notebooks"
    return os.path.relpath(folder) if folder.is_dir() else "the notebooks folder of the repository"


def _check_outputs(options: argparse.Namespace) -> None:
    """Find out before the training whether its results can be drawn and written after it."""
    try:
        import nn.plots  # noqa: F401
        from autograd.visualize.graphviz_program import RendererNotFound, use_installed_program
    except ImportError as error:
        raise UsageError(
            f'the pictures need matplotlib and graphviz: python -m pip install ".[demo]" ({error})'
        ) from error
    try:
        use_installed_program()
    except RendererNotFound as error:
        raise UsageError(str(error)) from error
    for folder in [options.out, *options.out.parents]:
        if folder.exists():
            if not folder.is_dir():
                raise UsageError(f"--out {options.out}: {folder} is not a folder")
            break
    if options.save and options.save.exists() and not options.save.is_file():
        raise UsageError(f"--save {options.save}: that is there and not a regular file")
    if options.save and not options.save.parent.is_dir():
        raise UsageError(f"--save {options.save}: there is no folder {options.save.parent}")


def _problem(options: argparse.Namespace) -> Problem:
    if options.data is None:
        given = {"n": options.samples, "noise": options.noise, "seed": options.seed}
        X, y = DATASETS[options.dataset](**{name: value for name, value in given.items() if value is not None})
        if len(set(y)) < 2:
            raise UsageError(f"--samples {options.samples} draws one class only; classification needs two or more")
        return Problem(X, y, [*(f"x{j}" for j in range(len(X[0]))), "class"], [str(c) for c in sorted(set(y))])
    table = read_csv(options.data)
    labels = sorted(set(table.y))
    few = len(labels) <= MOST_CLASSES and all(label.is_integer() for label in labels)
    if options.task == "regression" or (options.task == "auto" and not few):
        return Problem(table.X, table.y, table.columns, [])
    where = f"column {len(table.columns)} ({table.columns[-1]})"
    for row, label in zip(table.rows, table.y, strict=True):
        if not label.is_integer():
            raise DataError(f"{options.data}: row {row}, {where} is {label!r}, where a class is a whole number")
    if len(labels) < 2:
        raise DataError(
            f"{options.data}: rows {table.rows[0]} to {table.rows[-1]}, {where} have one class only, {labels[0]:g}; "
            "classification needs two or more"
        )
    return Problem(table.X, [labels.index(c) for c in table.y], table.columns, [f"{c:g}" for c in labels])


def _loss(options: argparse.Namespace, problem: Problem) -> Loss:
    count = len(problem.classes)
    usual = "squared_error" if not count else "hinge" if count == 2 else "cross_entropy"
    loss = LOSSES[usual if options.loss == "auto" else options.loss]
    if (loss.label is not None) != bool(count):
        raise UsageError(f"--loss {loss.name} does not go with {'classification' if count else 'regression'}")
    if loss.labels and count > 2:
        raise UsageError(f"--loss {loss.name} takes 2 classes, and there are {count}; use --loss cross_entropy")
    return loss


def _hidden(options: argparse.Namespace) -> list[int]:
    if options.hidden is not None:
        return options.hidden
    return [32] if options.dataset == "digits" and not options.data else [16, 16]


def _split(options: argparse.Namespace, problem: Problem, wanted: list[Any]) -> tuple[Samples, Samples]:
    try:
        X, y, X_test, y_test = split(problem.X, wanted, options.test, options.seed)
    except ValueError as error:
        raise UsageError(f"--test {options.test}: {error}") from error
    return (X, y), (X_test, y_test)


def _fit(options: argparse.Namespace, model: MLP, X: list[Any], y: list[Any], loss: Loss) -> History:
    """Train; on data from a file by way of a scale, of which the model knows nothing afterwards."""
    inputs = Scale.of(X) if options.data else None
    outputs = Scale.of([[t] for t in y]) if options.data and loss.label is None else None
    _check_scales(options, inputs, outputs)
    history = fit(
        model,
        inputs.apply(X) if inputs else X,
        [t for (t,) in outputs.apply([[t] for t in y])] if outputs else y,
        loss=loss,
        optimizer=_optimizer(options),
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        progress=not options.quiet,
    )
    if inputs:
        unscale(model, inputs, outputs)
    return history


def _check_scales(options: argparse.Namespace, *scales: Scale | None) -> None:
    columns = [column for scale in scales if scale for column in zip(*scale, strict=True)]
    for j, (mean, deviation) in enumerate(columns, 1):
        if not (abs(mean) < HUGE and 1 / HUGE < deviation < HUGE):
            raise DataError(
                f"{options.data}: column {j} has mean {mean:.3g} and standard deviation {deviation:.3g}, "
                "too large or too small to compute with; give it in another unit"
            )


def _optimizer(options: argparse.Namespace) -> Optimizer:
    rate = DECAYS[options.decay](options.learning_rate, options.epochs)
    return OPTIMIZERS[options.optimizer](rate, weight_decay=options.weight_decay)


def _report(history: History, model: MLP, loss: Loss, train: Samples, test: Samples) -> None:
    ended = "interrupted after" if history.interrupted else "after"
    shown = [f"{ended} {len(history.loss)} epochs"]
    if history.loss:
        shown.append(f"loss {history.loss[-1]:.4f}")
    shown.append(f"{loss.metric} {_metric(model, loss, train):.4g}")
    if test[0]:
        shown.append(f"on {len(test[0])} test samples {_metric(model, loss, test):.4g}")
    print(", ".join([*shown, f"{history.seconds:.2f} s"]))


def _metric(model: MLP, loss: Loss, samples: Samples) -> float:
    X, y = samples
    return METRICS[loss.metric](loss, model.predict(X), y)


def _write_summary(
    options: argparse.Namespace, model: MLP, history: History, wanted: list[Any], problem: Problem, loss: Loss
) -> Path:
    from nn.plots import png, summary

    figure = summary(model, history, problem.X, wanted, loss, columns=problem.columns, classes=problem.classes or None)
    path = Path(options.out, "training.png")
    write_atomically(path, png(figure))
    return path


def _write_neuron(options: argparse.Namespace, model: MLP, problem: Problem) -> Path:
    """The graph of the first neuron, with its gradients, for the sample that it answers to most."""
    from autograd.visualize.draw import draw

    neuron = copy.deepcopy(model.layers[0].neurons[0])
    scores = neuron.predict(problem.X)
    sample = problem.X[scores.index(max(scores))]
    output = neuron([Value(x, label=name) for x, name in zip(sample, problem.columns, strict=False)])
    output.label = "output"
    output.backward()
    path = Path(options.out, "neuron.svg")
    draw(output, group=neuron, file=path)
    return path


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    sys.exit(main())
