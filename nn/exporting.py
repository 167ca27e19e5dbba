"""`nn.export` and `python -m nn --export`: a trained model that predicts elsewhere: source code, WebAssembly, ONNX."""

import copy
import math
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import autograd
from autograd.extras import needs
from nn.losses import LOSSES, Loss
from nn.metadata import Metadata
from nn.module import Module
from nn.terminal import UsageError

if TYPE_CHECKING:
    from autograd.codegen.code import Code
    from nn.onnx_model import OnnxModel

LANGUAGES = {".c": "c", ".js": "javascript", ".mjs": "javascript", ".py": "python", ".wasm": "wasm",
             ".onnx": "onnx"}  # fmt: skip
MOST_CLASSES_NAMED = 100


def export(model: Module, path: str | os.PathLike[str], inputs: int | None = None) -> None:
    """Write what predicts as a trained model does, without this package.

    Args:
        model: what predicts.
        path: the file. Its name ends with .c (C99, with a header beside it), .js or .mjs (an ES module), .py (the
            standard library alone), .wasm (a WebAssembly module, with an ES module beside it that has it as well) or
            .onnx (rows of samples in double precision).
        inputs: how many numbers a sample has, where the model does not say it.

    It takes a sample `x`, not scaled, and gives the `score` or `scores`, and of classes the number of the one `chosen`.

    Errors: ValueError for another ending; TypeError for a model that the language cannot express; ImportError where a
    package is needed to write it; OSError if the file cannot be written.

    Example:
        >>> import tempfile
        >>> from nn import MLP
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     export(MLP(2, [3, 1]), f"{folder}/model.py")
        ...     "def predict(x):" in Path(f"{folder}/model.py").read_text()
        True
    """
    path = Path(path)
    predictor(model, language_of(path), inputs_of(model) if inputs is None else inputs).save(path)


def inputs_of(model: Any) -> int:
    """How many numbers a sample has, as the model says.

    Errors: UsageError if it does not.
    """
    about, part = model.metadata or Metadata(), model
    while hasattr(part, "modules") and part.modules:
        part = part.modules[0]
    try:
        config = part.config()
        return len(about.columns) or (math.prod(config["shape"]) if "shape" in config else int(config["nin"]))
    except (KeyError, TypeError):
        raise UsageError(f"{model!r:.100} does not say how many numbers it takes; give inputs=") from None


def language_of(path: Path) -> str:
    """The language that the ending of a file's name says.

    Errors: UsageError for any other; ImportError where a package is missing that writes it.
    """
    if path.suffix not in LANGUAGES:
        raise UsageError(f"{path} cannot be exported to: give it a name that ends with {', '.join(LANGUAGES)}")
    language = LANGUAGES[path.suffix]
    packages = ["onnx" if language == "onnx" else "llvmlite", "numpy"]
    if not all(map(find_spec, packages)):
        raise ImportError(needs(f"export to {path}", *packages))
    return language


def predictor(model: Module, language: str, inputs: int) -> "Code | OnnxModel":
    """Code of a function `predict` of one sample, its features unscaled.

    Args:
        model: what predicts; the numbers of its parameters become a table.
        language: as of autograd.export, or "onnx".
        inputs: how many numbers a sample has.

    Of a regression it gives the score, which is the prediction. Of classes it gives the score, or the scores, and the
    number of the class that these predict; the comment at the beginning names the classes.
    """
    about = model.metadata or Metadata()
    loss = LOSSES.get(about.loss)
    model = copy.deepcopy(model).eval()
    if language == "onnx":
        from nn.onnx_model import onnx_model

        return onnx_model(model, inputs, loss, about, _about(model, about))

    def predict(x: Any) -> Any:
        score = model(x)
        chosen = _class(score, loss) if loss and about.classes else None
        if chosen is None:
            return loss.predicted(score) if loss else score
        return {"scores" if isinstance(score, list) else "score": score, "chosen": chosen}

    return autograd.export(predict, [0.0] * inputs, language=language, about=_about(model, about))


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
