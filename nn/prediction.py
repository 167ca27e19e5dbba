"""`python -m nn --load`: what a saved model is, and what it predicts for a table."""

import argparse
import csv
import io
import json
import math
from pathlib import Path
from typing import Any

from autograd.files import write_atomically
from nn.cells import DataError, shortened
from nn.checkpoint import load
from nn.exporting import export, inputs_of
from nn.losses import LOSSES, Loss
from nn.metadata import Metadata, finite
from nn.metrics import METRICS
from nn.tables import read_samples
from nn.terminal import check_file, note, show, tell


def predict(options: argparse.Namespace) -> None:
    model = load(options.load)
    about = model.metadata or Metadata()
    if options.export:
        check_file("--export", options.export)
        export(model, options.export)
        tell(options, f"wrote {options.export}")
    elif options.data is None:
        described = {"model": repr(model), "parameters": len(model.parameters())} | about.as_json()
        show(json.dumps(described)) if options.json else show(_description(model, about))
    if options.data is None:
        return
    if options.predictions != Path("-"):
        check_file("--predictions", options.predictions)
    table = read_samples(
        options.data, about.features or inputs_of(model), about.target, about.classes,
        header=options.header, missing=options.missing, means=about.means,
    )  # fmt: skip
    note(options, table.notes)
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
            "data": options.data, "rows": len(scores), "metric": about.metric, "score": finite(value),
            "scored": len(known), "predictions": str(options.predictions) if options.predictions else predicted,
        }  # fmt: skip
        show(json.dumps(result))
    elif options.predictions != Path("-"):
        show(_outcome(predicted, table.rows, about, value, len(known), options))
    if options.predictions:
        _write_predictions(options.predictions, about.target or "prediction", table.rows, predicted)


def _named(score: Any, about: Metadata, loss: Loss | None) -> Any:
    """What a score predicts: the name of a class, or a number."""
    if loss is None:
        return score
    if not about.classes or loss.label is None:
        return loss.predicted(score)
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
        show(buffer.getvalue().rstrip("\n"))
    else:
        write_atomically(path, buffer.getvalue().encode())
