"""`python -m nn`: train a network on two moons, or on your data, and write pictures of what it learnt."""

import argparse
import contextlib
import copy
import csv
import io
import itertools
import json
import math
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from autograd import Value
from autograd.extras import needs
from autograd.files import write_atomically
from nn.activations import ACTIVATIONS
from nn.cells import DataError, shortened
from nn.checkpoint import ModelFileError, load, save
from nn.datasets import DATASETS, split
from nn.layers import INITS, MLP
from nn.losses import LOSSES, Loss
from nn.metadata import Metadata
from nn.module import Module
from nn.optimizers import OPTIMIZERS, Optimizer, Schedule, constant, cosine, linear, step
from nn.scaling import Scale, unscale
from nn.tables import MOST_CLASSES, TASKS, Feature, read_samples, read_table
from nn.training import METRICS, History, NonFiniteError, fit

# The learning rate over a run of so many epochs, from `rate` at its start.
DECAYS: dict[str, Callable[[float, int], Schedule]] = {
    "constant": lambda rate, epochs: constant(rate),
    "linear": lambda rate, epochs: linear(rate, rate / 10, epochs),
    "cosine": lambda rate, epochs: cosine(rate, 0.0, epochs),
    "step": lambda rate, epochs: step(rate, 0.5, max(1, epochs // 4)),
}
HUGE = 1e100  # weights that have taken over such a scale, and their squares, are still far from overflow
MOST_PARAMETERS = 10_000_000
LONGEST = 400  # characters of an error

Samples = tuple[list[Any], list[Any]]


class UsageError(ValueError):
    """Options that do not go together."""


class Problem(NamedTuple):
    """What is to be learnt: samples with a number as their target, or the number of their class."""

    X: list[list[float]]
    y: Sequence[float]
    features: list[Feature]
    target: str
    classes: list[str]  # the names of the classes in their order; none for a regression
    notes: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        return [name for feature in self.features for name in feature.columns]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 if training failed, 2 if options or data are wrong."""
    options = _options(arguments)
    try:
        _predict(options) if options.load else _train(options)
    except KeyboardInterrupt:  # outside of the training, which it merely ends
        return _fail("interrupted", 130)
    except NonFiniteError as error:
        return _fail(f"training stopped: {shortened(str(error), 200)}. Try a smaller --learning-rate", 1)
    except BrokenPipeError:  # where there is no SIGPIPE: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 2)
    except (UsageError, DataError, ModelFileError, ImportError) as error:
        return _fail(str(error), 2)
    return 0


def _fail(message: str, code: int) -> int:
    _say(f"{_styled('error:', '31', sys.stderr)} {shortened(' '.join(message.split()), LONGEST)}")
    return code


def _say(message: str) -> None:
    """To people, where results may go to a program."""
    if sys.stderr is not None:  # else print would write to the standard output
        print(f"python -m nn: {message}", file=sys.stderr, flush=True)


def _styled(text: str, style: str, stream: Any) -> str:
    """Text in a colour or bold, on a terminal that is not told otherwise (no-color.org)."""
    shown = stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")
    return f"\x1b[{style}m{text}\x1b[0m" if shown else text


# --- options ----------------------------------------------------------------------------------------------------------


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows the defaults, of the options that have one, and the examples line by line."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return super()._get_help_string(action) if action.default else action.help


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, which the list of all options would bury."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {shortened(message, LONGEST)} (--help lists the options)\n")


EXAMPLES = """
examples:
  python -m nn --dataset spirals --hidden 32 32 --epochs 100
  python -m nn --data iris.csv --target species --save iris.json
  python -m nn --load iris.json
  python -m nn --load iris.json --data iris.csv --predictions predictions.csv
"""


def _parser() -> argparse.ArgumentParser:
    description = "Train a network on two moons, or on your data, and write pictures of what it learnt."
    parser = _Parser(
        prog="python -m nn", description=description, epilog=EXAMPLES, formatter_class=_Help, allow_abbrev=False
    )
    data = parser.add_argument_group("data")
    data.add_argument("--dataset", choices=DATASETS, default="moons", help="made on the spot")
    data.add_argument("--samples", type=_whole(10**7), metavar="N", help="how many; each data set has its own default")
    data.add_argument("--noise", type=_nonnegative, metavar="SD",
        help="standard deviation of the noise; each has its own default")  # fmt: skip
    data.add_argument("--data", type=_text, metavar="FILE",
        help="a table: CSV, Parquet or npy file, zarr array; - for the standard input. Scaled to deviation 1 for "
        "training")  # fmt: skip
    data.add_argument("--target", metavar="NAME", help="the column to learn (default: the last one)")
    data.add_argument("--drop", metavar="NAME", nargs="+", help="columns to leave out")
    data.add_argument("--categorical", metavar="NAME", nargs="*",
        help="make a feature of each value of these columns; of all with text, if none are named")  # fmt: skip
    data.add_argument("--missing", choices=["drop", "mean"],
        help="leave out rows with missing values, or fill in the column's mean (default: refuse them)")  # fmt: skip
    data.add_argument("--header", action=argparse.BooleanOptionalAction, default=None,
        help="whether the first row names the columns (default: told by what is in it)")  # fmt: skip
    data.add_argument("--task", choices=TASKS, default="auto",
        help=f"auto: classification if the targets are text or at most {MOST_CLASSES} distinct whole numbers"
    )  # fmt: skip
    data.add_argument("--test", type=_fraction, default=0.2, metavar="FRACTION", help="of the samples, to test on")
    model = parser.add_argument_group("model")
    model.add_argument("--hidden", type=_whole(10**5), nargs="*", metavar="N",
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
    training.add_argument("--batch-size", type=_whole(10**9), default=10, metavar="B", help="samples a step")
    training.add_argument(
        "--epochs", type=_whole(10**9), default=50, metavar="N", help="how often every sample is used"
    )
    training.add_argument("--seed", type=_seed, default=0, help="of data, split, first weights and order")
    trained = parser.add_argument_group("a model that is trained")
    trained.add_argument("--load", type=Path, metavar="MODEL.json",
        help="say what it is; with --data, what it predicts and how often that is right")  # fmt: skip
    trained.add_argument("--predictions", type=Path, metavar="FILE.csv",
        help="where the predictions go; - for the standard output")  # fmt: skip
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where the pictures go")
    output.add_argument("--save", type=Path, metavar="MODEL.json", help="where the model goes; see --load and nn.load")
    output.add_argument("--quiet", action="store_true", help="results only: no progress bar, no notes, no hints")
    output.add_argument("--json", action="store_true", help="the result as one line of JSON, for programs")
    return parser


OF_DATASETS = {"dataset", "samples", "noise"}
OF_TABLES = {"target", "drop", "categorical", "missing", "header", "task"}
OF_LOADED = {"load", "predictions", "data", "header", "missing", "quiet", "json"}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, of which each that is given has an effect."""
    parser = _parser()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = parser.parse_args(arguments)
    absent = object()
    given = parser.parse_args(arguments, argparse.Namespace(**dict.fromkeys(vars(options), absent)))
    names = [name for name, value in vars(given).items() if value is not absent]
    options.arguments = arguments  # to suggest what is next

    def refuse(kind: set[str], why: str) -> None:
        if wrong := [name for name in names if name in kind]:
            parser.error(f"argument --{wrong[0].replace('_', '-')}: {why}")

    if options.load:
        refuse(set(names) - OF_LOADED, "not allowed with --load, which trains nothing")
        if not options.data:
            refuse({"predictions", "header", "missing"}, "needs --data, the table to predict from")
        return options
    refuse({"predictions"}, "needs --load, the model to predict with")
    if options.data:
        refuse(OF_DATASETS, "not allowed with argument --data, whose samples are what they are")
    else:
        refuse(OF_TABLES, "needs --data, a table of your own")
    return options


def _checked(convert: Callable[[str], Any], accepts: Callable[[Any], bool], kind: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not accepts(value):
            raise argparse.ArgumentTypeError(f"{text!r:.60} is not {kind}")
        return value

    return parse


def _whole(most: int) -> Callable[[str], Any]:
    return _checked(int, lambda n: 1 <= n <= most, f"a whole number, at least 1 and at most {most}")


_text = _checked(str, lambda text: text != "", "the name of a file")
_seed = _checked(int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 2**32 - 1, as NumPy takes")
_positive = _checked(float, lambda x: 0 < x <= 1e6, "a positive number, at most 1e6")
_nonnegative = _checked(float, lambda x: 0 <= x <= 1e6, "a number, at least 0 and at most 1e6")
_fraction = _checked(float, lambda x: 0 <= x < 1, "a fraction, at least 0 and below 1")


# --- training ---------------------------------------------------------------------------------------------------------


def _train(options: argparse.Namespace) -> None:
    started = time.perf_counter()
    _check_pictures()
    problem = _problem(options)
    _note(options, problem.notes)
    loss = _loss(options, problem)
    wanted = [loss.labels[int(c)] for c in problem.y] if loss.labels else list(problem.y)
    train, test = _split(options, problem, wanted)
    model = _model(options, problem, loss)
    inputs = Scale.of(train[0])
    outputs = Scale.of([[t] for t in train[1]]) if options.data and loss.label is None else None
    _check_scales(options, problem, inputs, outputs)
    _check_outputs(options)
    _tell(
        options,
        f"{model}, {len(model.parameters())} parameters, {len(train[0])} samples, {loss.name}, {options.optimizer}",
    )
    try:
        history = _fit(options, model, *train, loss, inputs if options.data else None, outputs)
    except NonFiniteError:
        with contextlib.suppress(OSError):
            options.out.rmdir()  # made to see whether it can be, and empty
        raise
    scores = [_metric(model, loss, samples) if samples[0] else None for samples in (train, test)]
    _tell(options, _report(history, loss, scores, len(test[0])))
    model.metadata = replace(
        model.metadata or Metadata(),
        features=problem.features,
        target=problem.target,
        classes=problem.classes,
        means=inputs.means,
        deviations=inputs.deviations,
        data=_source(options),
        score=scores[0],
        test_score=scores[1],
    )
    written = [options.save] if options.save else []
    for path in written:
        save(model, path)
    if history.loss:
        scaled = loss.in_unit(outputs.deviations[0]) if outputs else loss
        written += _pictures(options, model, history, train, test, problem, scaled)
    seconds = time.perf_counter() - started
    if options.json:
        result = {
            "data": _source(options), "samples": len(train[0]), "test_samples": len(test[0]), "loss": loss.name,
            "parameters": len(model.parameters()), "epochs": len(history.loss), "interrupted": history.interrupted,
            "final_loss": history.loss[-1] if history.loss else None, "metric": loss.metric, "score": scores[0],
            "test_score": scores[1], "seconds": seconds, "files": [str(path) for path in written],
        }  # fmt: skip
        _print(json.dumps(result))
    _tell(options, f"wrote {', '.join(map(str, written))} ({seconds:.1f} s in all)")
    if not options.quiet:
        _tell(options, _next_steps(options))


def _print(text: str) -> None:
    """Results, at once: a program that reads them may not wait for the end."""
    if sys.stdout is None:  # closed, which is no failure
        return
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "the standard output") from error


def _tell(options: argparse.Namespace, text: str) -> None:
    """What is said on the way, except to a program."""
    if not options.json:
        _print(text)


def _note(options: argparse.Namespace, notes: Sequence[str]) -> None:
    for note in notes:
        if not options.quiet:
            _say(f"note: {note}")


def _source(options: argparse.Namespace) -> str:
    return options.data or options.dataset


def _next_steps(options: argparse.Namespace) -> str:
    """What to try next: commands that work where the user is."""
    steps: list[tuple[Sequence[str], str]] = []
    if options.data and options.data != "-":
        predict = ["--load", str(options.save or "model.json"), "--data", options.data]
        predict += ["--missing", options.missing] if options.missing else []
        predict += [] if options.header is None else ["--header" if options.header else "--no-header"]
        if not options.save:
            steps.append(([*options.arguments, "--save", "model.json"], "keep the model"))
        steps.append(([*predict, "--predictions", "predictions.csv"], "predict with it"))
    else:
        other = "spirals" if options.dataset != "spirals" else "xor"
        steps.append((["--dataset", other, "--hidden", "32", "32"], "another data set, a larger network"))
        steps.append((["--data", "FILE.csv", "--save", "model.json"], "a table of your own: the last column is learnt"))
    python = "python" if shutil.which("python") else sys.executable
    commands = [(shlex.join([python, "-m", "nn", *arguments]), what) for arguments, what in steps]
    notebook = Path(__file__).parents[1] / "notebooks" / "05_training_an_mlp.ipynb"
    if notebook.is_file():  # in a clone
        inside = notebook.is_relative_to(Path.cwd())
        commands.append((os.path.relpath(notebook) if inside else str(notebook), "what happened here, step by step"))
    else:
        commands.append((f"{python} -m pydoc nn", "the same from Python"))
    return "\n".join(["next:", *(f"  {_styled(command, '1', sys.stdout)}  # {what}" for command, what in commands)])


def _check_pictures() -> None:
    """Find out before the training whether its results can be drawn after it."""
    try:
        import nn.plots  # noqa: F401
    except ImportError as error:
        raise UsageError(needs("the picture of the training", "matplotlib", "numpy")) from error
    from autograd.visualize.graphviz_program import RendererNotFound, use_installed_program

    try:
        use_installed_program()
    except RendererNotFound as error:
        raise UsageError(str(error)) from error


def _check_outputs(options: argparse.Namespace) -> None:
    """Find out before the training whether its results can be written after it."""
    for folder in [options.out, *options.out.parents]:
        if folder.exists():
            if not folder.is_dir():
                raise UsageError(f"--out {options.out}: {folder} is not a folder")
            break
    _check_file("--save", options.save)
    made = [folder for folder in [options.out, *options.out.parents] if not folder.exists()]
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=options.out):
            pass
    except OSError as error:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise UsageError(f"--out {options.out}: cannot be written to: {error.strerror}") from error


def _check_file(option: str, path: Path | None) -> None:
    """Whether a file can be written, where the option names one."""
    if path is None:
        return
    if path.exists() and not path.is_file():
        raise UsageError(f"{option} {path}: that is there and not a regular file")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UsageError(f"{option} {path}: its folder cannot be written to: {error.strerror}") from error


def _problem(options: argparse.Namespace) -> Problem:
    if options.data is None:
        given = {"n": options.samples, "noise": options.noise, "seed": options.seed}
        X, y = DATASETS[options.dataset](**{name: value for name, value in given.items() if value is not None})
        if len(set(y)) < 2:
            raise UsageError(f"--samples {options.samples} draws one class only; classification needs two or more")
        return Problem(X, y, [Feature(f"x{j}") for j in range(len(X[0]))], "class", [str(c) for c in sorted(set(y))])
    table = read_table(
        options.data, target=options.target, task=options.task, header=options.header, missing=options.missing,
        categorical=options.categorical if options.categorical is not None else False, drop=options.drop or (),
    )  # fmt: skip
    return Problem(table.X, table.y, table.features, table.target, table.classes, table.notes)


def _model(options: argparse.Namespace, problem: Problem, loss: Loss) -> MLP:
    outputs = len(problem.classes) if loss is LOSSES["cross_entropy"] else 1
    sizes = [len(problem.X[0]), *_hidden(options), outputs]
    count = sum((nin + 1) * nout for nin, nout in itertools.pairwise(sizes))
    if count > MOST_PARAMETERS:
        raise UsageError(f"--hidden: {count} parameters are too many; at most {MOST_PARAMETERS}")
    return MLP(sizes[0], sizes[1:], options.activation, options.init, options.seed)


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


def _fit(
    options: argparse.Namespace, model: MLP, X: list[Any], y: list[Any], loss: Loss, inputs: Scale | None,
    outputs: Scale | None,
) -> History:  # fmt: skip
    """Train; on data from a file by way of a scale, of which the model knows nothing afterwards."""
    history = fit(
        model,
        inputs.apply(X) if inputs else X,
        [t for (t,) in outputs.apply([[t] for t in y])] if outputs else y,
        loss=loss.in_unit(outputs.deviations[0]) if outputs else loss,
        optimizer=_optimizer(options),
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        progress=not (options.quiet or options.json or sys.stderr is None),
    )
    if inputs:
        unscale(model, inputs, outputs)
    return history


def _check_scales(options: argparse.Namespace, problem: Problem, *scales: Scale | None) -> None:
    columns = [column for scale in scales if scale for column in zip(*scale, strict=True)]
    for name, (mean, deviation) in zip([*problem.columns, problem.target], columns, strict=False):
        if not (abs(mean) < HUGE and 1 / HUGE < deviation < HUGE):
            raise DataError(
                f"{_source(options)}: {_column(name)} has mean {mean:.3g} and standard deviation {deviation:.3g}, "
                "too large or too small to compute with; give it in another unit"
            )


def _column(name: str) -> str:
    return shortened(name if name.startswith("column ") else f"column {name}", 40)


def _optimizer(options: argparse.Namespace) -> Optimizer:
    rate = DECAYS[options.decay](options.learning_rate, options.epochs)
    return OPTIMIZERS[options.optimizer](rate, weight_decay=options.weight_decay)


def _report(history: History, loss: Loss, scores: Sequence[float | None], tested: int) -> str:
    ended = "interrupted after" if history.interrupted else "after"
    shown = [f"{ended} {len(history.loss)} epochs"]
    if history.loss:
        shown.append(f"loss {history.loss[-1]:.4f}")
    shown.append(f"{loss.metric} {scores[0]:.4g}")
    if tested:
        shown.append(f"on {tested} test samples {scores[1]:.4g}")
    return ", ".join([*shown, f"{history.seconds:.2f} s"])


def _metric(model: Module, loss: Loss, samples: Samples) -> float:
    X, y = samples
    return METRICS[loss.metric](loss, model.predict(X), y)


def _pictures(
    options: argparse.Namespace,
    model: MLP,
    history: History,
    train: Samples,
    test: Samples,
    problem: Problem,
    loss: Loss,
) -> list[Path]:
    """Draw what was learnt; a picture that fails is said to have, and is no reason to lose what was learnt."""
    written = []
    drawings: dict[str, Callable[[Path], None]] = {
        "training.png": lambda path: _write_summary(path, model, history, train, test, problem, loss),
        "neuron.svg": lambda path: _write_neuron(path, model, problem),
    }
    for name, write in drawings.items():
        path = Path(options.out, name)
        try:
            write(path)
            written.append(path)
        except Exception as error:
            _say(f"note: {path} was not drawn: {shortened(' '.join(str(error).split()), LONGEST)}")
    return written


def _write_summary(
    path: Path, model: MLP, history: History, train: Samples, test: Samples, problem: Problem, loss: Loss
) -> None:
    from nn.plots import png, summary

    columns = [*problem.columns, problem.target]
    figure = summary(model, history, *train, loss, test=test, columns=columns, classes=problem.classes or None)
    write_atomically(path, png(figure))


def _write_neuron(path: Path, model: MLP, problem: Problem) -> None:
    """The graph of the first neuron, with its gradients, for the sample that it answers to most."""
    from autograd.visualize.draw import draw

    neuron = copy.deepcopy(model.layers[0].neurons[0])
    scores = neuron.predict(problem.X)
    sample = problem.X[scores.index(max(scores))]
    output = neuron([Value(x, label=name) for x, name in zip(sample, problem.columns, strict=True)])
    output.label = "output"
    output.backward()
    draw(output, group=neuron, file=path)


# --- predicting -------------------------------------------------------------------------------------------------------


def _predict(options: argparse.Namespace) -> None:
    model = load(options.load)
    about = model.metadata or Metadata()
    if options.data is None:
        described = {"model": repr(model), "parameters": len(model.parameters())} | about.as_json()
        _print(json.dumps(described)) if options.json else _print(_description(model, about))
        return
    if options.predictions != Path("-"):
        _check_file("--predictions", options.predictions)
    table = read_samples(
        options.data, about.features or _inputs(options, model), about.target, about.classes,
        header=options.header, missing=options.missing, means=about.means,
    )  # fmt: skip
    _note(options, table.notes)
    scores = model.predict(table.X)
    for row, score in zip(table.rows, scores, strict=True):
        if not all(map(math.isfinite, score if isinstance(score, list) else [score])):
            raise DataError(f"{options.data}: row {row} is so far from the samples of the training that {score!r:.60}")
    loss = LOSSES.get(about.loss)
    predicted = [_named(score, about, loss) for score in scores]
    known = [i for i, target in enumerate(table.y) if target is not None]
    value = None
    if known and loss and about.metric in METRICS:
        wanted = [table.y[i] for i in known]
        labels = [loss.labels[int(c or 0)] for c in wanted] if loss.labels else wanted
        value = METRICS[about.metric](loss, [scores[i] for i in known], labels)
    if options.json:
        result = {
            "data": options.data, "rows": len(scores), "metric": about.metric, "score": value, "scored": len(known),
            "predictions": str(options.predictions) if options.predictions else predicted,
        }  # fmt: skip
        _print(json.dumps(result))
    elif options.predictions != Path("-"):
        _print(_outcome(predicted, table.rows, about, value, len(known), options))
    if options.predictions:
        _write_predictions(options.predictions, about.target or "prediction", table.rows, predicted)


def _inputs(options: argparse.Namespace, model: Any) -> int:
    """How many numbers a model takes whose file does not say what they are."""
    part = model
    while hasattr(part, "modules") and part.modules:
        part = part.modules[0]
    nin = part.config().get("nin")
    if nin is None:
        raise UsageError(f"--load {options.load}: the file does not say what the model takes")
    return int(nin)


def _named(score: Any, about: Metadata, loss: Loss | None) -> Any:
    """What a score predicts: the name of a class, or a number."""
    if not about.classes or loss is None or loss.label is None:
        return score
    label = loss.label(score)
    return about.classes[loss.labels.index(int(label)) if loss.labels else int(label)]


def _description(model: Any, about: Metadata) -> str:
    lines = [f"{model!r:.300}, {len(model.parameters())} parameters"]
    if about.rows:
        by = f", valuegrad {about.version}" if about.version else ""
        lines.append(f"trained on {about.rows} samples of {shortened(about.data, 100)}, {about.date}{by}")
    scales = iter(zip(about.means, about.deviations, strict=False))
    for feature in about.features:
        of_feature = [scale for _, scale in zip(feature.columns, scales, strict=False)]
        said = shortened(", ".join(feature.values), 100)
        if not said and of_feature:
            said = "mean {:.4g}, deviation {:.4g}".format(*of_feature[0])
        lines.append(f"  {shortened(feature.name, 40)}" + (f": {said}" if said else ""))
    if about.target:
        classes = f" ({shortened(', '.join(about.classes), 100)})" if about.classes else ""
        lines.append(f"predicts {shortened(about.target, 40)}{classes}")
    if about.score is not None:
        tested = "" if about.test_score is None else f", on test samples {about.test_score:.4g}"
        lines.append(f"{about.loss}, {about.metric} {about.score:.4g}{tested}")
    return "\n".join(lines)


def _outcome(
    predicted: list[Any], rows: list[int], about: Metadata, value: float | None, known: int, options: argparse.Namespace
) -> str:
    """What was predicted, and how good it is where that is known."""
    shown = [f"{len(predicted)} samples of {options.data}"]
    if value is not None:
        shown.append(f"{about.metric} {value:.4g}" + (f" on the {known} with a target" if known < len(rows) else ""))
    if options.predictions:
        return ", ".join([*shown, f"wrote {options.predictions}"])
    some = [f"  row {row}: {about.target or 'prediction'} {p}" for row, p in zip(rows, predicted, strict=True)][:5]
    more = ["  ... (--predictions FILE.csv writes all)"] if len(predicted) > 5 else []
    return "\n".join([", ".join(shown), *some, *more])


def _write_predictions(path: Path, name: str, rows: list[int], predicted: list[Any]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    width = len(predicted[0]) if isinstance(predicted[0], list) else 0
    writer.writerow(["row", *([f"{name} {j}" for j in range(width)] if width else [name])])
    writer.writerows([row, *(p if isinstance(p, list) else [p])] for row, p in zip(rows, predicted, strict=True))
    if path == Path("-"):
        _print(buffer.getvalue().rstrip("\n"))
    else:
        write_atomically(path, buffer.getvalue().encode())


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as other programs end when nobody reads on
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    sys.exit(main())
