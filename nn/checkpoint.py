"""save and load: a model as one readable JSON file, which is data and nothing else.

The file has the entries "format" and "version", the "architecture" (the type of each module with the arguments that
construct it), the "parameters" by name, the "metadata" (see nn.metadata) and what is "frozen": names of parameters, or
what names of such begin with. Files of version 1 lack the last two. Loading constructs modules of this package only, no
more of them than the parameters in the file call for, and never executes anything.
"""

import itertools
import json
import math
import os
import sys
from collections.abc import Callable, Container, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, NoReturn

from autograd.files import write_atomically
from nn.activations import ACTIVATIONS
from nn.cells import shortened
from nn.layers import (
    MLP,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Neuron,
    Reshape,
    Residual,
    Sequential,
    Softmax,
)
from nn.layers.initial import whole
from nn.metadata import Metadata
from nn.module import Module, named_modules

FORMAT, VERSION = "valuegrad model", 2
ENTRIES = {1: ["format", "version", "architecture", "parameters"]}
ENTRIES[2] = [*ENTRIES[1], "metadata", "frozen"]
MOST_OBJECTS = 32  # for each parameter, that a file may construct beside what it spells out


class ModelFileError(ValueError):
    """A file is not a model that `save` wrote, or no longer."""


class _Kind(NamedTuple):
    """A class of modules, and how one is constructed of what its `config` gives.

    Attributes:
        make: the class.
        sizes: of one with weights, the inputs and neurons of each of its layers that a config asks for; None of others.
        is_drawn: whether its weights are drawn.
        spread: the name of what is given as arguments one by one, "" if there is none.
    """

    make: Any
    sizes: Callable[[dict[str, Any]], list[tuple[int, int]]] | None = None
    is_drawn: bool = True
    spread: str = ""


def _dense(config: dict[str, Any]) -> list[tuple[int, int]]:
    nouts = config.get("nouts", [config.get("nout", 1)])
    if not isinstance(nouts, list):
        raise ValueError(f"nouts is a list, got {nouts!r:.60}")
    names = ["nin", *["nout"] * len(nouts)]
    sizes = [whole(n, name) for name, n in zip(names, [config.get("nin"), *nouts], strict=True)]
    return list(itertools.pairwise(sizes))


def _convolution(dimensions: int) -> Callable[[dict[str, Any]], list[tuple[int, int]]]:
    def sizes(config: dict[str, Any]) -> list[tuple[int, int]]:
        size = config.get("kernel_size")
        taps = math.prod([whole(n, "kernel_size") for n in (size if isinstance(size, list) else [size] * dimensions)])
        [(nin, nout)] = _pair("in_channels", "out_channels")(config)
        return [(nin * taps, nout)]

    return sizes


def _pair(nin: str, nout: str) -> Callable[[dict[str, Any]], list[tuple[int, int]]]:
    return lambda config: [(whole(config.get(nin), nin), whole(config.get(nout), nout))]


_KINDS = {
    kind.make.__name__: kind
    for kind in (
        *[_Kind(make, _dense) for make in (Neuron, Layer, MLP)],
        _Kind(Conv1d, _convolution(1)),
        _Kind(Conv2d, _convolution(2)),
        _Kind(Embedding, _pair("embedding_dim", "num_embeddings")),
        _Kind(LayerNorm, lambda config: [(1, whole(config.get("size"), "size"))], is_drawn=False),
        *[_Kind(make, spread="modules") for make in (Sequential, Residual)],
        _Kind(Reshape, spread="shape"),
        *[_Kind(make) for make in (Flatten, Softmax, Dropout, *ACTIVATIONS.values())],
    )
}
_NOT_DRAWN = SimpleNamespace(uniform=lambda low, high: 0.0, gauss=lambda mean, deviation: 0.0)


def save(model: Module, path: str | os.PathLike[str]) -> None:
    """Write a model to a JSON file, every parameter to the last bit.

    A crash or a full disk at any moment leaves the file as it was before, or whole.

    Args:
        model: made of the modules of this package. Of a Module of your own, store the `state_dict()`.
        path: the file; an old one is replaced.

    Errors: TypeError for a model that the file could not describe, ValueError for a parameter that is not finite,
    OSError if the file cannot be written.

    Example:
        >>> import tempfile
        >>> model = MLP(2, [3, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(model, folder + "/model.json")
        ...     again = load(folder + "/model.json")
        >>> again
        MLP(nin=2, nouts=[3, 1], activation=ReLU())
        >>> again.state_dict() == model.state_dict()
        True
    """
    architecture, parameters = _described(model), model.state_dict()
    for name, data in parameters.items():
        if not math.isfinite(data):
            raise ValueError(f"the parameter {name!r} is {data!r}; only finite models are saved")
    if _constructed(architecture, len(parameters)).named_parameters().keys() != parameters.keys():
        raise TypeError(
            f"{model!r:.100} has been altered since it was made, or uses a module twice: its parameters do not "
            "follow from its architecture. Store its state_dict()"
        )
    metadata = model.metadata.as_json() if model.metadata else None
    entries = FORMAT, VERSION, architecture, parameters, metadata, _frozen(model)
    document = dict(zip(ENTRIES[VERSION], entries, strict=True))
    write_atomically(path, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())


def load(path: str | os.PathLike[str]) -> Any:
    """The model that `save` wrote.

    Errors: ModelFileError for a file that is damaged or something else, saying what is wrong; OSError for one that
    cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(MLP(2, [1]), folder + "/model.json")
        ...     load(folder + "/model.json")
        MLP(nin=2, nouts=[1])
    """
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file, object_pairs_hook=_without_duplicates, parse_constant=_no_such_number)
        return _loaded(document)
    except RecursionError:
        reason = "it is nested too deeply"
    except UnicodeDecodeError:
        reason = "it is not text in UTF-8"
    except json.JSONDecodeError as error:
        reason = f"it is not JSON: {error}"
    except (ValueError, TypeError) as error:
        reason = str(error)
    raise ModelFileError(f"{os.fspath(path)} is not a saved model: {shortened(reason, 200)}")


def _described(x: Any) -> Any:
    """The architecture as JSON has it."""
    if isinstance(x, Module) and (kind := _KINDS.get(type(x).__name__)) and kind.make is type(x):
        return {"type": type(x).__name__} | {name: _described(argument) for name, argument in x.config().items()}
    if isinstance(x, list):
        return [_described(each) for each in x]
    if isinstance(x, bool | int | float):
        return x
    raise TypeError(
        f"{x!r:.60} cannot be saved: a file describes the modules of this package by their names. Store the "
        "state_dict() and construct the model yourself"
    )


def _loaded(document: Any) -> Module:
    if not isinstance(document, dict) or not set(document) >= set(ENTRIES[1]):
        raise ValueError(f"its entries should be {', '.join(ENTRIES[VERSION])}")
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {document['format']!r:.60}, not {FORMAT!r}")
    version = document["version"]
    if type(version) is not int or version not in ENTRIES:
        raise ValueError(f"its version is {version!r:.60}; this package reads versions 1 to {VERSION}")
    if set(document) != set(ENTRIES[version]):
        raise ValueError(f"its entries should be {', '.join(ENTRIES[version])}")
    parameters = document["parameters"]
    if not isinstance(parameters, dict):
        raise ValueError("its parameters should be numbers by name")
    for name, data in parameters.items():
        if type(data) not in (int, float) or not abs(data) <= sys.float_info.max:
            raise ValueError(f"the parameter {name!r:.60} should be a finite number, and is {data!r:.60}")
    model = _constructed(document["architecture"], len(parameters))
    if not isinstance(model, Module) or _described(model) != document["architecture"]:
        raise ValueError("its architecture has unknown entries")
    model.load_state_dict(parameters)
    if document.get("metadata") is not None:
        model.metadata = Metadata.from_json(document["metadata"])
    _freeze(model, document.get("frozen", []))
    return model


def _frozen(model: Module) -> list[str]:
    """The names of modules that are frozen, and of frozen parameters that are in no such module."""
    trainable = model.trainable_parameters()
    names: dict[str, None] = {}
    for name, module in named_modules(model).items():
        if not _is_within(name, names) and module.parameters() and not module.trainable_parameters():
            names[name] = None
    alone = [name for name in model.named_parameters() if name not in trainable and not _is_within(name, names)]
    return [*names, *alone]


def _is_within(name: str, names: Container[str]) -> bool:
    """Whether a dotted name, or what it begins with, is among some names; "" is what all begin with."""
    parts = name.split(".")
    return any(".".join(parts[:n]) in names for n in range(len(parts) + 1))


def _freeze(model: Module, names: Any) -> None:
    known = {*named_modules(model), *model.named_parameters()}
    if not isinstance(names, list) or not all(isinstance(name, str) and name in known for name in names):
        raise ValueError("what is frozen in it should be a list of names of modules and parameters")
    frozen = set(names)
    for name, parameter in model.named_parameters().items():
        parameter.trainable = not _is_within(name, frozen)


def _constructed(description: Any, size: int) -> Any:
    """What an architecture describes, if `size` parameters are enough: a hostile file may ask for any number.

    An activation is copied for each neuron, and may itself be a network, so that a small file can ask for much.
    """
    weights, objects = _asked_for(description)
    if weights > size:
        raise ValueError(f"its architecture has more parameters than the {size} in the file")
    if objects > _spelt_out(description) + MOST_OBJECTS * size:
        raise ValueError(f"its architecture has more modules than {size} parameters call for")

    def construct(x: Any) -> Any:
        if isinstance(x, list):
            return [construct(each) for each in x]
        if not isinstance(x, dict):
            return x
        arguments = {name: construct(argument) for name, argument in x.items() if name != "type"}
        kind = _kind(x)
        if kind.sizes and kind.is_drawn:
            arguments["rng"] = _NOT_DRAWN
        return kind.make(*arguments.pop(kind.spread, []), **arguments)

    return construct(description)


def _asked_for(x: Any) -> tuple[int, int]:
    """How many weights, and how many objects, constructing this makes."""
    parts = x if isinstance(x, list) else [x[name] for name in x if name != "activation"] if isinstance(x, dict) else []
    inside = [_asked_for(part) for part in parts]
    weights, objects = sum(w for w, _ in inside), 1 + sum(n for _, n in inside)
    if isinstance(x, str):
        return 0, 1 + len(x)
    if not isinstance(x, dict):
        return weights, objects
    neurons = 1
    if asks := _kind(x).sizes:
        sizes = asks(x)
        neurons = sum(nout for _, nout in sizes)
        weights += sum(nin * nout for nin, nout in sizes)
    each = _asked_for(x.get("activation"))
    return weights + neurons * each[0], objects + neurons * (1 + each[1])


def _kind(x: dict[str, Any]) -> _Kind:
    kind = x.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"it has a module of the unknown type {kind!r:.60}")
    return _KINDS[kind]


def _spelt_out(x: Any) -> int:
    """How many objects a description itself is made of."""
    if isinstance(x, str):
        return 1 + len(x)
    parts = x.values() if isinstance(x, dict) else x if isinstance(x, list) else ()
    return 1 + sum(map(_spelt_out, parts))


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("it has an entry twice")
    return entries


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"it has {name} where a finite number belongs")
