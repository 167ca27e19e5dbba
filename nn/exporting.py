"""`python -m nn --export`: a trained model as code that predicts, in C, JavaScript or Python."""

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import autograd
from nn.losses import LOSSES, Loss
from nn.metadata import Metadata
from nn.module import Module
from nn.terminal import UsageError

if TYPE_CHECKING:
    from autograd.codegen.code import Code

LANGUAGES = {".c": "c", ".js": "javascript", ".mjs": "javascript", ".py": "python"}
MOST_CLASSES_NAMED = 100


def language_of(path: Path) -> str:
    """The language that the ending of a file's name says.

    Errors: UsageError for any other.
    """
    if path.suffix not in LANGUAGES:
        raise UsageError(f"--export {path}: give it a name that ends with {', '.join(LANGUAGES)}")
    return LANGUAGES[path.suffix]


def predictor(model: Module, language: str, inputs: int) -> "Code":
    """Code of a function `predict` of one sample, its features unscaled.

    Args:
        model: what predicts; the numbers of its parameters become a table.
        language: as of autograd.export.
        inputs: how many numbers a sample has.

    Of a regression it gives the score, which is the prediction. Of classes it gives the score, or the scores, and the
    number of the class that these predict; the comment at the beginning names the classes.
    """
    about = model.metadata or Metadata()
    loss = LOSSES.get(about.loss)
    model = copy.deepcopy(model).eval()

    def predict(x: Any) -> Any:
        score = model(x)
        chosen = _class(score, loss) if loss and about.classes else None
        if chosen is None:
            return score
        return {"scores" if isinstance(score, list) else "score": score, "chosen": chosen}

    return autograd.export(predict, [0.5] * inputs, language=language, about=_about(model, about))


def _class(score: Any, loss: Loss) -> Any:
    """The number of the class that a score stands for, without a branch; as loss.label has it."""
    if loss.label is None:
        return None
    if loss.labels:
        return autograd.where(score > 0, 1.0, 0.0)
    best, chosen = score[0], 0.0
    for i, s in enumerate(score[1:], 1):
        chosen = autograd.where(s > best, float(i), chosen)
        best = autograd.where(s > best, s, best)
    return chosen


def _about(model: Module, about: Metadata) -> str:
    """What the code says of itself."""
    said = f"{model!r:.200} predicts {about.target or 'a score'}"
    if about.columns:
        said += f" from x = {', '.join(about.columns)}"
    if about.rows:
        said += f"; trained on {about.rows} samples of {about.data}"
    if about.classes:
        named = [f"{i} {name}" for i, name in enumerate(about.classes[:MOST_CLASSES_NAMED])]
        said += f". The number of the class is {', '.join(named)}"
    return f"{said}."
