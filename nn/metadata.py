"""What a model is kept with: what its inputs and outputs mean, and what it was trained on."""

import math
import re
import sys
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from autograd.scalars import is_array
from nn.cells import shortened
from nn.tables import Feature

LONGEST = 1000  # characters of a name in a file


@dataclass
class Metadata:
    """What is known of a model beside its parameters; `fit` notes some of it, `python -m nn` all.

    Attributes:
        features: the columns that it is given, in their order.
        target: the name of the column that it predicts.
        classes: the names of the classes in their order; none of a regression.
        loss: the name of the loss, which says how a score is read.
        means, deviations: of the features in training, number by number; the model takes them unscaled.
        data: the name of what it was trained on.
        rows: of how many samples.
        date: when, in UTC, as ISO 8601 has it.
        metric: what was measured after it.
        score, test_score: the metric on the samples of the training, and on others.
        version: of this package.

    Example:
        >>> Metadata(classes=["no", "yes"], rows=100).classes
        ['no', 'yes']
    """

    features: list[Feature] = field(default_factory=list)
    target: str = ""
    classes: list[str] = field(default_factory=list)
    loss: str = ""
    means: list[float] = field(default_factory=list)
    deviations: list[float] = field(default_factory=list)
    data: str = ""
    rows: int = 0
    date: str = ""
    metric: str = ""
    score: float | None = None
    test_score: float | None = None
    version: str = ""

    @property
    def columns(self) -> list[str]:
        """The names of the numbers that the model takes."""
        return [name for feature in self.features for name in feature.columns]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON has it.

        Example:
            >>> Metadata.from_json(Metadata(target="y").as_json()).target
            'y'
        """
        return asdict(self) | {"features": [{"name": f.name, "values": list(f.values)} for f in self.features]}

    @classmethod
    def from_json(cls, entries: Any) -> "Metadata":
        """What `as_json` gave.

        Errors: ValueError for anything else.
        """
        if not isinstance(entries, dict) or set(entries) != {f.name for f in fields(cls)}:
            raise ValueError(f"its metadata should have the entries {', '.join(f.name for f in fields(cls))}")
        for name, (accepts, kind) in _KINDS.items():
            if not accepts(entries[name]):
                raise ValueError(f"the {name} in its metadata should be {kind}")
        features = [Feature(feature["name"], tuple(feature["values"])) for feature in entries["features"]]
        return cls(**(entries | {"features": features}))


def columns_of(X: Any) -> list[str] | None:
    """The names of the columns of a frame; None for what has none, or has numbers in their place.

    Example:
        >>> columns_of([[1.0, 2.0]]) is None
        True
    """
    if not hasattr(X, "columns") or callable(X.columns):
        return None
    names = list(X.columns)
    return names if all(isinstance(name, str) for name in names) else None


def check_columns(model: Any, X: Any) -> None:
    """Raise ValueError if the columns of a frame are not those that a model was trained on, in their order.

    What has no names for its columns, or a model that was trained on such, is taken as it is.
    """
    names, trained = columns_of(X), model.metadata.columns if model.metadata else []
    nameless = all(re.fullmatch(r"column \d+", name) for name in trained)  # as of a table without a header
    if names is None or nameless or names == trained:
        return
    kind, wanted = type(model).__name__, shortened(", ".join(trained), 100)
    if sorted(names) == sorted(trained):
        raise ValueError(f"{kind} was trained on the columns {wanted}; these are in another order: X[{trained!r:.100}]")
    odd = [name for name in names if name not in trained] or [name for name in trained if name not in names]
    raise ValueError(
        f"{kind} was trained on the columns {wanted}; {shortened(odd[0] if odd else names[0], 40)} is "
        f"{'missing' if set(names) <= set(trained) else 'not among them'}"
    )


def is_by_piece(x: Any) -> bool:
    """Whether rows of x are read piece by piece: made by autograd.rows, or an array of zarr, Dask or the like.

    A memory map is not among them: the system reads of it what is used.
    """
    if isinstance(x, list | tuple) or is_array(x) or not hasattr(x, "shape"):
        return False
    from autograd.compiler.rows import Rows, is_sliceable

    return type(x) is Rows or is_sliceable(x)


def noted(known: Metadata | None, X: Any, rows: int, loss: Any, score: float | None) -> Metadata:
    """What is known of a model after it was trained on X by `fit`."""
    known, names = known or Metadata(), columns_of(X)
    return replace(
        known,
        features=known.features if names is None else [Feature(name) for name in names],
        loss=loss.name,
        rows=rows,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        metric=loss.metric,
        score=finite(score),
        test_score=None,
        version=package_version(),
    )


def finite(score: float | None) -> float | None:
    """A score as JSON has it: None where it is not defined, as ROC AUC is not of one class.

    Example:
        >>> finite(0.5), finite(math.nan), finite(None)
        (0.5, None, None)
    """
    return score if score is not None and math.isfinite(score) else None


def package_version() -> str:
    """The version of this package, "" where it runs without having been installed."""
    try:
        return metadata.version("valuegrad")
    except metadata.PackageNotFoundError:
        return ""


def _is_name(x: Any) -> bool:
    return isinstance(x, str) and len(x) <= LONGEST


def _are_names(x: Any) -> bool:
    return isinstance(x, list) and all(map(_is_name, x))


def _is_finite(x: Any) -> bool:
    return type(x) in (int, float) and abs(x) <= sys.float_info.max


def _are_finite(x: Any) -> bool:
    return isinstance(x, list) and all(map(_is_finite, x))


def _are_features(x: Any) -> bool:
    return isinstance(x, list) and all(
        isinstance(f, dict) and set(f) == {"name", "values"} and _is_name(f["name"]) and _are_names(f["values"])
        for f in x
    )


_NAME = (_is_name, "a text")
_NAMES = (_are_names, "a list of texts")
_NUMBERS = (_are_finite, "a list of finite numbers")
_SCORE = (lambda x: x is None or _is_finite(x), "a finite number or null")
_KINDS: dict[str, tuple[Any, str]] = {
    "features": (_are_features, "a list of names with their values"),
    "classes": _NAMES,
    "means": _NUMBERS,
    "deviations": _NUMBERS,
    "rows": (lambda x: type(x) is int and 0 <= x < 2**63, "a whole number"),
    "score": _SCORE,
    "test_score": _SCORE,
} | dict.fromkeys(("target", "loss", "data", "date", "metric", "version"), _NAME)
