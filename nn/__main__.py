"""`python -m nn`: train a network on two moons, or on your data, and write pictures of what it learnt."""

import argparse
import contextlib
import copy
import io
import itertools
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from autograd import Value
from autograd.extras import needs
from autograd.files import write_atomically
from autograd.visualize.draw import draw
from nn.cells import DataError, column_called, shortened
from nn.checkpoint import ModelFileError, save
from nn.datasets import DATASETS, split
from nn.elapsed import elapsed
from nn.exporting import export, language_of
from nn.history import History, NonFiniteError
from nn.layers import MLP
from nn.losses import LOSSES, Loss
from nn.metadata import Metadata, finite, is_by_piece
from nn.metrics import METRICS, measured_by
from nn.module import Module
from nn.optimizers import OPTIMIZERS, Optimizer
from nn.options import DECAYS, parsed
from nn.playground import Playground, playground
from nn.prediction import predict
from nn.scaling import Scale, unscale
from nn.tables import Feature, read_table
from nn.terminal import LONGEST, UsageError, check_file, fail, note, say, show, styled, tell
from nn.training import fit

HUGE = 1e100  # weights that have taken over such a scale, and their squares, are still far from overflow
MOST_PARAMETERS = 10_000_000  # chosen: --hidden asks for more by mistake only

Samples = tuple[list[Any], list[Any]]


class Problem(NamedTuple):
    """What is to be learnt: samples with a number as their target, or the number of their class; lists, or Rows."""

    X: Any
    y: Any
    features: list[Feature]
    target: str
    classes: list[str]  # the names of the classes in their order; none for a regression
    notes: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        return [name for feature in self.features for name in feature.columns]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 if training failed, 2 if options or data are wrong."""
    options = parsed(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: note(options, [" ".join(str(message).split())])
            if options.load:
                predict(options)
            else:
                with _workers(options) as executor:
                    _train(options, executor)
    except KeyboardInterrupt:  # outside of the training, which it merely ends
        return fail("interrupted", 130)
    except NonFiniteError as error:
        return fail(f"training stopped: {shortened(str(error), 200)}. Try a smaller --learning-rate", 1)
    except BrokenPipeError:
        raise
    except RuntimeError as error:
        if options.workers is None and options.scheduler is None:
            raise
        return fail(f"training stopped: {error}", 1)  # by workers that are not there, or by rows that cannot be read
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 2)
    except (UsageError, DataError, ModelFileError, ImportError) as error:
        return fail(str(error), 2)
    return 0


# --- training ---------------------------------------------------------------------------------------------------------


def _workers(options: argparse.Namespace) -> Any:
    if options.workers is None and options.scheduler is None:
        return contextlib.nullcontext()
    try:
        from nn.row_tables import workers
    except ImportError as error:
        raise ImportError(needs("--workers", "distributed", "llvmlite", "numpy")) from error
    return workers(options)


def _train(options: argparse.Namespace, executor: Any = None) -> None:
    started = time.perf_counter()
    _check_pictures()
    with elapsed("reading", _shows_progress(options)):
        problem = _problem(options, executor)
    note(options, problem.notes)
    loss = _loss(options, problem)
    train, test = _split(options, problem, loss)
    model = _model(options, problem, loss)
    inputs = _scale(train[0], problem.columns, executor)
    is_scaled = options.data and loss.label is None and loss.expected is None  # counts stay what they are
    outputs = _scale(train[1], [problem.target], executor) if is_scaled else None
    _check_scales(options, problem, inputs, outputs)
    _check_outputs(options)
    tell(
        options,
        f"{model}, {len(model.parameters())} parameters, {len(train[0])} samples, {loss.name}, {options.optimizer}",
    )
    X, y, settings = _settings(options, train, test, loss, inputs if options.data else None, outputs)
    live = _playground(options, model, problem, X, y, settings) if options.playground else None
    try:
        history = _fit(options, model, X, y, settings, executor)
    except NonFiniteError:
        with contextlib.suppress(OSError):
            options.out.rmdir()  # made to see whether it can be, and empty
        raise
    except RuntimeError as error:
        if not (options.save and vars(error).get("history", History()).loss):
            raise
        model.metadata = _described(model, options, problem, loss, inputs, outputs)
        save(model, options.save)
        raise RuntimeError(f"{str(error).rstrip('.')}. What was learnt so far is in {options.save}") from error
    about = _described(model, options, problem, loss, inputs, outputs)
    scores = _metrics(model, loss, train, test, executor)
    tell(options, _report(history, loss, scores, len(test[0])))
    model.metadata = replace(about, score=finite(scores[0]), test_score=finite(scores[1]))
    written = [options.save] if options.save else []
    for path in written:
        save(model, path)
    if options.export:
        export(model, options.export)
        written.append(options.export)
    if live:
        written.append(options.out / "playground.html")
        live.save(written[-1])
    if history.loss:
        scaled = loss.in_unit(outputs.deviations[0]) if outputs else loss
        with elapsed("drawing", _shows_progress(options)):
            some = _shown(train), _shown(test)
            if is_by_piece(problem.X):
                problem = problem._replace(X=some[0][0])
            written += _pictures(options, model, history, *some, problem, scaled)
    seconds = time.perf_counter() - started
    if options.json:
        result = {
            "data": _source(options), "samples": len(train[0]), "test_samples": len(test[0]), "loss": loss.name,
            "parameters": len(model.parameters()), "epochs": len(history.loss), "interrupted": history.interrupted,
            "final_loss": history.loss[-1] if history.loss else None, "metric": loss.metric,
            "score": finite(scores[0]), "test_score": finite(scores[1]), "seconds": seconds,
            "training_seconds": history.seconds,
            "files": [str(path) for path in written],
        }  # fmt: skip
        show(json.dumps(result))
    tell(options, f"wrote {', '.join(map(str, written))} ({seconds:.1f} s in all)")
    if not options.quiet:
        tell(options, _next_steps(options))


def _described(
    model: MLP, options: argparse.Namespace, problem: Problem, loss: Loss, inputs: Scale, outputs: Scale | None
) -> Metadata:
    """What is known of a model that takes the table as it is from now on, no longer scaled."""
    if options.data:
        unscale(model, inputs, outputs)
    return replace(
        model.metadata or Metadata(), features=problem.features, target=problem.target, classes=problem.classes,
        means=inputs.means, deviations=inputs.deviations, data=_source(options), loss=loss.name, metric=loss.metric,
    )  # fmt: skip


def _shows_progress(options: argparse.Namespace) -> bool:
    return not (options.quiet or options.json or sys.stderr is None)


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
    return "\n".join(["next:", *(f"  {styled(command, '1', sys.stdout)}  # {what}" for command, what in commands)])


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
    check_file("--save", options.save)
    check_file("--export", options.export)
    if options.export:
        language_of(options.export)
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


def _problem(options: argparse.Namespace, executor: Any = None) -> Problem:
    if options.data is None:
        given = {"n": options.samples, "noise": options.noise, "seed": options.seed}
        X, y = DATASETS[options.dataset](**{name: value for name, value in given.items() if value is not None})
        if len(set(y)) < 2:
            raise UsageError(f"--samples {options.samples} draws one class only; classification needs two or more")
        return Problem(X, y, [Feature(f"x{j}") for j in range(len(X[0]))], "class", [str(c) for c in sorted(set(y))])
    notes = []
    if executor is not None and not (options.missing or options.categorical or options.data == "-"):
        from nn.row_tables import row_table

        try:
            return Problem(*row_table(options.data, options.target, options.drop or (), options.task))
        except ValueError as error:
            raise DataError(str(error)) from error
        except TypeError as error:
            if Path(options.data).is_dir():
                raise DataError(f"{error}; --drop leaves one out") from error
            notes = [f"the table is read here, as a whole: {error}"]
    table = read_table(
        options.data, target=options.target, task=options.task, header=options.header, missing=options.missing,
        categorical=options.categorical is not None and (options.categorical or True), drop=options.drop or (),
    )  # fmt: skip
    return Problem(table.X, table.y, table.features, table.target, table.classes, [*notes, *table.notes])


def _model(options: argparse.Namespace, problem: Problem, loss: Loss) -> MLP:
    outputs = len(problem.classes) if loss.name == "cross_entropy" else 1
    sizes = [len(problem.columns), *_hidden(options), outputs]
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
    try:
        return measured_by(loss, None if options.metric == "auto" else options.metric)
    except ValueError as error:
        raise UsageError(f"--metric {options.metric}: {error}") from error


def _hidden(options: argparse.Namespace) -> list[int]:
    if options.hidden is not None:
        return options.hidden
    return [32] if options.dataset == "digits" and not options.data else [16, 16]


def _split(options: argparse.Namespace, problem: Problem, loss: Loss) -> tuple[Samples, Samples]:
    try:
        if is_by_piece(problem.X):
            from nn.row_tables import replaced, split_rows

            y = replaced(problem.y, range(2), loss.labels) if loss.labels else problem.y
            return split_rows(problem.X, y, options.test, options.seed)
        wanted = [loss.labels[int(c)] for c in problem.y] if loss.labels else list(problem.y)
        X, y, X_test, y_test = split(problem.X, wanted, options.test, options.seed)
    except ValueError as error:
        raise UsageError(f"--test {options.test}: {error}") from error
    return (X, y), (X_test, y_test)


def _scale(x: Any, names: Sequence[str], executor: Any) -> Scale:
    if is_by_piece(x):
        from nn.row_tables import scale_of_rows

        return scale_of_rows(x, names, executor)
    return Scale.of(x if isinstance(x[0], list) else [[t] for t in x])


def _scaled(x: Any, scale: Scale | None) -> Any:
    if scale is None:
        return x
    if is_by_piece(x):
        from nn.row_tables import scaled_rows

        return scaled_rows(x, scale)
    return scale.apply(x) if isinstance(x[0], list) else [t for (t,) in scale.apply([[t] for t in x])]


def _settings(
    options: argparse.Namespace, train: Samples, test: Samples, loss: Loss, inputs: Scale | None, outputs: Scale | None
) -> tuple[Any, Any, dict[str, Any]]:
    """Samples, targets and settings to train by; data from a file are scaled."""

    def scaled(samples: Samples) -> Samples:
        return _scaled(samples[0], inputs), _scaled(samples[1], outputs)

    return *scaled(train), {
        "validation_data": scaled(test) if test[0] else None,
        "loss": loss.in_unit(outputs.deviations[0]) if outputs else loss,
        "optimizer": _optimizer(options),
        "batch_size": options.batch_size,
        "seed": options.seed,
    }


def _fit(options: argparse.Namespace, model: MLP, X: Any, y: Any, settings: dict[str, Any], executor: Any) -> History:
    progress = _shows_progress(options)
    return fit(model, X, y, **settings, epochs=options.epochs, progress=progress, executor=executor)


def _playground(
    options: argparse.Namespace, model: MLP, problem: Problem, X: list[Any], y: list[Any], settings: dict[str, Any]
) -> Playground:
    """The same training, to be watched in a browser."""
    fresh = copy.deepcopy(model)
    fresh.metadata = Metadata(features=problem.features, target=problem.target, classes=problem.classes)
    return playground(fresh, X, y, **settings)


def _check_scales(options: argparse.Namespace, problem: Problem, *scales: Scale | None) -> None:
    columns = [column for scale in scales if scale for column in zip(*scale, strict=True)]
    for name, (mean, deviation) in zip([*problem.columns, problem.target], columns, strict=False):
        if not (abs(mean) < HUGE and 1 / HUGE < deviation < HUGE):
            raise DataError(
                f"{_source(options)}: {column_called(name)} has mean {mean:.3g} and standard deviation "
                f"{deviation:.3g}, too large or too small to compute with; give it in another unit"
            )


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


def _metrics(model: Module, loss: Loss, train: Samples, test: Samples, executor: Any) -> list[float | None]:
    if executor is not None:
        return [model.score(X, y, loss=loss, executor=executor) if len(X) else None for X, y in (train, test)]
    import numpy as np  # as the pictures do

    scores, count = np.array(model.predict(train[0] + test[0])), len(train[0])
    parts = (scores[:count], np.array(train[1])), (scores[count:], np.array(test[1]))
    return [METRICS[loss.metric](loss, *part) if len(part[0]) else None for part in parts]


def _shown(samples: Samples) -> Samples:
    """Samples for pictures: all of them, or of those that are read by workers the first few."""
    if not is_by_piece(samples[0]):
        return samples
    from nn.row_tables import shown

    return shown(samples[0]), shown(samples[1])


def _pictures(
    options: argparse.Namespace,
    model: MLP,
    history: History,
    train: Samples,
    test: Samples,
    problem: Problem,
    loss: Loss,
) -> list[Path]:
    """Draw what was learnt; a picture that fails is reported, and nothing else is lost."""
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
            say(f"note: {path} was not drawn: {shortened(' '.join(str(error).split()), LONGEST)}")
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
    neuron = copy.deepcopy(model.layers[0].neurons[0])
    scores = neuron.predict(problem.X)
    sample = problem.X[scores.index(max(scores))]
    output = neuron([Value(x, label=name) for x, name in zip(sample, problem.columns, strict=True)])
    output.label = "output"
    output.backward()
    draw(output, group=neuron, file=path)


def _run() -> int:
    """main, as a program: when nobody reads its output on, it ends as others do, by SIGPIPE."""
    code = 0
    try:
        try:
            code = main()
        except SystemExit as end:  # argparse's, after help or a wrong option
            code = int(end.code or 0)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # not earlier: a program that this one starts, and that fails, must not end this one
        if hasattr(signal, "SIGPIPE"):
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGPIPE)
        code = code or 1
    except OSError as error:  # of the last of the output, unless it has been said already
        code = code or fail(f"the standard output: {error.strerror}", 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where Python puts what it still has at its end
    return code


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show must not make it fail
    sys.exit(_run())
