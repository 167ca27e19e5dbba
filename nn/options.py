"""The options of `python -m nn`; each that is given has an effect."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from nn.activations import ACTIVATIONS
from nn.cells import shortened
from nn.datasets import DATASETS
from nn.layers import INITS
from nn.losses import LOSSES
from nn.metrics import METRICS, OF_SAMPLES
from nn.optimizers import OPTIMIZERS
from nn.schedules import Schedule, constant, cosine, linear, step
from nn.tables import MOST_CLASSES, TASKS
from nn.terminal import LONGEST

OF_SCORES = [
    name for name in LOSSES if name != "negative_log_likelihood"
]  # which is for a model that ends with Softmax

# The learning rate over a run of so many epochs, from `rate` at its start.
DECAYS: dict[str, Callable[[float, int], Schedule]] = {
    "constant": lambda rate, epochs: constant(rate),
    "linear": lambda rate, epochs: linear(rate, rate / 10, epochs),
    "cosine": lambda rate, epochs: cosine(rate, 0.0, epochs),
    "step": lambda rate, epochs: step(rate, 0.5, max(1, epochs // 4)),
}


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
  python -m nn --load iris.json --export iris.c
  python -m nn --load iris.json --data iris.csv --predictions predictions.csv
"""


def new_parser() -> argparse.ArgumentParser:
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
        help="a table: CSV, Parquet or npy file, folder of Parquet files, zarr array; - for the standard input. Scaled "
        "to deviation 1 for training")  # fmt: skip
    data.add_argument("--workers", type=_whole(1000), metavar="N",
        help="let so many processes of this machine share the work, by Dask; they read Parquet, npy and zarr files "
        "themselves, row by row, so that these may be larger than memory. Steps are then of all samples, unless "
        "--batch-size is given")  # fmt: skip
    data.add_argument("--scheduler", type=_text, metavar="ADDRESS",
        help="the same by the workers of a Dask cluster, which find the file under the same name")  # fmt: skip
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
    model.add_argument("--init", choices=["auto", *INITS], default="auto",
        help="how the first weights are drawn; auto: by the activation")  # fmt: skip
    training = parser.add_argument_group("training")
    training.add_argument("--loss", choices=["auto", *OF_SCORES], default="auto",
        help="auto: hinge for two classes, cross_entropy for more, squared_error for a regression")  # fmt: skip
    training.add_argument("--metric", choices=["auto", *filter(str.isidentifier, METRICS)], default="auto",
        help="auto: accuracy, or the mean absolute error of a regression")  # fmt: skip
    training.add_argument("--optimizer", choices=OPTIMIZERS, default="adam", help="with its usual settings")
    training.add_argument("--learning-rate", type=_positive, default=0.02, metavar="RATE", help="at the start")
    training.add_argument("--decay", choices=DECAYS, default="linear", help="of the learning rate, over the run")
    training.add_argument("--weight-decay", type=_nonnegative, default=1e-4, metavar="LAMBDA", help="pull towards 0")
    training.add_argument("--batch-size", type=_whole(10**9), metavar="B", help="samples a step (default: 10)")
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
    output.add_argument("--export", type=Path, metavar="MODEL.c",
        help="what predicts elsewhere: C, JavaScript (.js), WebAssembly (.wasm), Python (.py), ONNX (.onnx); also with "
        "--load")  # fmt: skip
    output.add_argument("--playground", action="store_true",
        help="also playground.html: a page in which this training runs live, to watch and to change")  # fmt: skip
    output.add_argument("--quiet", action="store_true", help="results only: no progress bar, no notes, no hints")
    output.add_argument("--json", action="store_true", help="the result as one line of JSON, for programs")
    return parser


OF_DATASETS = {"dataset", "samples", "noise"}
OF_TABLES = {"workers", "scheduler", "target", "drop", "categorical", "missing", "header", "task"}
OF_LOADED = {"load", "predictions", "data", "header", "missing", "quiet", "json", "export"}


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; each that is given has an effect."""
    parser = new_parser()
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
    if options.workers and options.scheduler:
        parser.error("argument --scheduler: not allowed with argument --workers, which starts a cluster")
    if options.workers or options.scheduler:
        refuse({"playground"}, "not allowed with --workers or --scheduler: a browser has no workers")
        if options.metric not in ("auto", *OF_SAMPLES):
            refuse(
                {"metric"}, f"{options.metric} needs all scores at once, which --workers and --scheduler do not give"
            )
    if options.batch_size is None and not (options.workers or options.scheduler):
        options.batch_size = 10
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
