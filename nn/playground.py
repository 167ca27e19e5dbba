"""playground: one HTML document in which a network trains, live in the browser, by its own WebAssembly."""

import base64
import copy
import gzip
import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any, NamedTuple

from autograd import Value, dot, value_and_grad, vmap
from autograd.codegen import export
from autograd.files import write_atomically
from autograd.visualize.page import framed, page
from nn.activations import Activation
from nn.layers import Dropout
from nn.losses import Loss, find_loss
from nn.metrics import of_sample
from nn.module import Module
from nn.optimizers import SGD, Adam, Optimizer, find_optimizers
from nn.picture import picture
from nn.ranges import at_least_1
from nn.samples import Samples, as_lists, held_out, labelled
from nn.stages import Each, Linear, stages

SCRIPTS = ("random.js", "training.js", "paint.js", "network.js", "charts.js", "playground.js")
SHARED = ("numbers.js", "theme.js")  # with the page of autograd.page
MOST_NEURONS = 150  # that fit into a picture; of larger networks there is none
MOST_NODES = 1000  # of the graph of one sample, for its backward pass to be shown
SQUARE = 7  # samples of at least so many by so many numbers are taken for pictures


def playground(
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: Any = "squared_error",
    optimizer: Any = None,
    batch_size: int = 10,
    seed: int = 0,
    validation_data: Any = None,
    validation_split: float = 0.0,
    height: int = 860,
) -> "Playground":
    """A page in which this network trains live on these data, to watch, to stop, and to meddle with.

    The page needs no network and no other file: it has the compiled training step with it, as WebAssembly. What it
    computes is what `fit` computes from the same settings and seed: to the last bit, if the model and its loss are made
    of `+ - * /`, square roots and comparisons, as with ReLU.

    Args:
        model: the network as it begins; it stays as it is.
        X, y: n samples and their targets, as for fit.
        loss: as for fit.
        optimizer: an Optimizer or the name of one, as for fit; None for Adam(0.01). The page offers it, SGD with and
            without momentum, and Adam.
        batch_size, seed: what the page begins with.
        validation_data, validation_split: samples that are not trained on, as for fit.
        height: of the frame in a notebook, in pixels.

    Returns: an object that shows itself in a notebook, with `html`, the document, and `save(path)`.

    Errors: ImportError without llvmlite and NumPy; what fit refuses of model, data and loss; TypeError for a model that
        cannot be compiled, or that is to be trained by several optimizers.

    Example:
        >>> from nn import MLP
        >>> live = playground(MLP(1, [1], rng=0), [[0.0], [1.0]], [1.0, 3.0], batch_size=2)
        >>> live.html.startswith("<!doctype html>")
        True
    """
    loss = find_loss(loss)
    samples = labelled(model, X, y, loss)
    samples, held = held_out(samples, validation_split, seed, validation_data, model, loss)
    samples, held = _listed(samples), held and _listed(held)
    chosen = _optimizer(optimizer, model)
    data = _data(model, samples, held, loss, chosen, at_least_1(batch_size, "batch_size"), seed)
    programs = _programs(model, samples, loss, chosen, data)
    document = _document(data, programs, _page_of_sample(model, loss, samples))
    return Playground(data, programs, document, picture(model).svg, height)


class Playground:
    """A page to train a network in; nn.playground makes it.

    Attributes:
        html: the whole document.
        data: what it knows of model, samples and settings.
        programs: the classes that compute, as JavaScript.
    """

    def __init__(self, data: dict[str, Any], programs: str, html: str, svg: str, height: int):
        self.data, self.programs, self.html, self.height = data, programs, html, height
        self._svg = svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the document; a crash leaves the old file or the new one."""
        write_atomically(path, self.html.encode())

    def _repr_html_(self) -> str:
        """The page in a frame, and for where no frame is shown the network as it begins."""
        title = f"{self.data['model']}, to be trained"
        return framed(self.html, title, self.height, ("svg+xml", self._svg.encode()), title)

    def __repr__(self) -> str:
        return f"<playground of {len(self.html)} characters; .save('playground.html') writes it>"


# --- code ------------------------------------------------------------------------------------------------------------


def _programs(model: Module, samples: Samples, loss: Loss, optimizer: Optimizer, data: dict[str, Any]) -> str:
    """JavaScript that can do what a training does; what there is to choose from is added to the data."""
    from autograd.codegen.wasm import embedded

    data["draws"], step = _step(model, loss, samples)
    codes = {"Step": step, "Evaluate": _evaluate(model, loss, samples)}
    data["layers"] = _network(model)
    if data["layers"]:
        codes["Respond"] = _respond(model, samples)
    data["optimizers"], updates = _updates(optimizer)
    codes |= updates
    return f"{embedded(codes)}\nconst PROGRAMS = {{ {', '.join(codes)} }};\n"


def _code(f: Callable[..., Any], name: str, *args: Any, results: Sequence[str] = ()) -> str:
    try:
        return str(export(f, *args, language="wasm", name=name, results=results))
    except TypeError as error:
        raise TypeError(f"playground: the model cannot be compiled: {error}") from None


def _vector(model: Module) -> Any:
    import numpy as np

    return np.array([p.data for p in model.parameters()])


def _arrays(samples: Samples) -> tuple[Any, Any]:
    """A few samples, as what they are like."""
    import numpy as np

    return np.array(samples.X[:2], dtype=float), np.array(samples.y[:2], dtype=float)


def _step(model: Module, loss: Loss, samples: Samples) -> tuple[int, str]:
    """How many random numbers the model draws for a sample, and the mean loss of some samples and its gradient."""
    import numpy as np

    from nn.compiled import MoreDraws, mean_loss

    f = mean_loss(model, loss)

    def step(theta: Any, X: Any, y: Any, draws: Any = None) -> Any:
        return f(theta, X, y, None, draws)

    count, (X, y) = 0, _arrays(samples)
    while True:
        args = _vector(model), X, y, *([np.full((len(X), count), 0.5)] if count else [])
        try:
            return count, _code(value_and_grad(step), "step", *args, results=("loss", "gradient"))
        except MoreDraws as more:
            count = more.count


def _evaluate(model: Module, loss: Loss, samples: Samples) -> str:
    """Of each sample its loss, the metric if the loss has one, and its scores."""
    from nn.evaluation import listed, structure_of

    structure = structure_of(model, training=False)

    def evaluate(theta: Any, X: Any, y: Any) -> Any:
        traced = structure.unflatten(theta)

        def one(x: Any, target: Any) -> Any:
            score, wanted = listed(traced(listed(x))), listed(target)
            metric = of_sample(loss, score, wanted) if loss.metric else 0.0 * loss.formula(score, wanted)
            scores = score if isinstance(score, list) else [score]
            return {"loss": loss.formula(score, wanted), "metric": metric, "scores": scores}

        return vmap(one)(X, y)

    return _code(evaluate, "evaluate", _vector(model), *_arrays(samples))


def _respond(model: Module, samples: Samples) -> str:
    """Of each sample the outputs of all neurons, layer by layer: for each neuron an array."""
    from nn.evaluation import listed, structure_of

    structure = structure_of(model, training=False)

    def respond(theta: Any, X: Any) -> Any:
        layers = [*_layers(structure.unflatten(theta))]

        def one(x: Any) -> Any:
            values, found = listed(x), []
            for linear, activations in layers:
                values = [dot(w, values, b) for w, b in zip(linear.weights, linear.biases, strict=True)]
                for activation in activations:
                    values = activation(values)
                found += values
            return found

        return vmap(one)(X)

    return _code(respond, "respond", _vector(model), _arrays(samples)[0])


def _updates(chosen: Optimizer) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The optimizers to choose from, and their code, each kind once."""
    rate = chosen.rate(0)
    offered: list[tuple[str, Optimizer]] = [(_name_of(chosen), chosen)]
    for other in (SGD(rate), SGD(rate, momentum=0.9), Adam(rate)):
        if _name_of(other) not in [name for name, _ in offered]:
            offered.append((_name_of(other), other))
    described, codes = [], {}
    for i, (name, optimizer) in enumerate(offered):
        powers, codes[f"Update{i}"] = _update(optimizer, f"update{i}")
        described.append({"name": name, "slots": optimizer.slots, "bases": powers,
                          "decay": getattr(optimizer, "weight_decay", None)})  # fmt: skip
    return described, codes


def _name_of(optimizer: Optimizer) -> str:
    momentum = getattr(optimizer, "momentum", 0.0)
    return type(optimizer).__name__ + (f", momentum {momentum:g}" if momentum else "")


class _Powers:
    """Stands for the number of an update: its powers, as in β^t, are arguments of the code."""

    def __init__(self, numbers: Any = None):
        self.bases: list[float] = []
        self.numbers = numbers

    def __rpow__(self, base: float) -> Any:
        if base not in self.bases:
            self.bases.append(base)
        return 0.5 if self.numbers is None else self.numbers[self.bases.index(base)]


def _update(optimizer: Optimizer, name: str) -> tuple[list[float], str]:
    """The bases of the powers that an update needs, and its code: new parameters and what is remembered of them."""
    import numpy as np

    state = optimizer.initial_state()
    seen = _Powers()
    optimizer.update(0.5, 0.5, state, seen, 0.1)  # type: ignore[arg-type]
    settings = copy.copy(optimizer)

    def one(theta: Any, gradient: Any, state: Any, rate: Any, decay: Any, powers: Any) -> Any:
        rule = copy.copy(settings)
        if hasattr(rule, "weight_decay"):
            rule.weight_decay = decay
        moved, kept = rule.update(theta, gradient, state, _Powers(powers), rate)  # type: ignore[arg-type]
        return [moved, *kept]

    def update(theta: Any, gradient: Any, state: Any, rate: Any, decay: Any, powers: Any) -> Any:
        return vmap(one, in_axes=(0, 0, 0, None, None, None))(theta, gradient, state, rate, decay, powers)

    vector = np.ones(2)
    return seen.bases, _code(update, name, vector, vector, [vector] * len(state), 0.1, 0.0, [0.5] * len(seen.bases))


def _optimizer(optimizer: Any, model: Module) -> Optimizer:
    groups = find_optimizers(Adam(0.01) if optimizer is None else optimizer, model.trainable_parameters())
    if len(groups) != 1:
        raise TypeError("playground takes one optimizer for all parameters")
    return groups[0][0]


# --- data ------------------------------------------------------------------------------------------------------------


def _data(
    model: Module, samples: Samples, held: Samples | None, loss: Loss, optimizer: Optimizer, batch_size: int, seed: int
) -> dict[str, Any]:
    named, about = model.named_parameters(), model.metadata
    columns = about.columns if about and about.columns else []
    features = len(samples.X[0])
    side = math.isqrt(features)
    trainable = model.trainable_parameters()
    targets = sorted({*samples.y, *(held.y if held else [])}) if loss.label else []
    labels = list(loss.labels or range(int(max(targets)) + 1)) if loss.label else []
    names = about.classes if about else []
    if len(names) != len(labels):
        names = [f"{label:g}".replace("-", "−") for label in labels]
    return {
        "model": f"{model!r:.200}",
        "theta": [p.data for p in named.values()],
        "names": [*named],
        "frozen": [i for i, name in enumerate(named) if name not in trainable],
        "train": {"X": samples.X, "y": samples.y},
        "test": {"X": held.X, "y": held.y} if held else None,
        "columns": columns or [f"x{i}" for i in range(features)],
        "target": about.target if about and about.target else "target",
        "image": [side, side] if side * side == features and side >= SQUARE else None,
        "labels": labels,
        "classes": names,
        "loss": loss.name,
        "metric": loss.metric,
        "rate": optimizer.rate(0),
        "batch": min(batch_size, len(samples)),
        "seed": seed,
    }


def _listed(samples: Samples) -> Samples:
    """Samples as JSON takes them."""
    return Samples(as_lists(samples.X), as_lists(samples.y))


class _Layer(NamedTuple):
    linear: Linear
    activations: list[Any]


def _layers(model: Any) -> Iterator[_Layer]:
    """The layers of a network of neurons, each with what it applies to every sum.

    Errors: TypeError for any other model.
    """
    layers: list[_Layer] = []
    for stage in stages(model):
        if isinstance(stage, Linear):
            layers.append(_Layer(stage, []))
        elif isinstance(stage, Dropout):
            pass
        elif layers and isinstance(stage, Each):
            layers[-1].activations.append(lambda xs, each=stage.modules: [f(x) for f, x in zip(each, xs, strict=True)])
        elif layers and isinstance(stage, Activation):
            layers[-1].activations.append(lambda xs, f=stage: [f(x) for x in xs])
        else:
            raise TypeError(f"{stage!r:.60} is no layer of neurons")
    yield from layers


def _network(model: Module) -> list[Any] | None:
    """For each layer of neurons the positions of weights and biases among the parameters; None for another model."""
    try:
        layers = [*_layers(model)]
    except TypeError:
        return None
    if not layers or sum([len(layer.linear.biases) for layer in layers]) > MOST_NEURONS:
        return None
    position = {p: i for i, p in enumerate(model.parameters())}
    return [
        {
            "weights": [[position[w] for w in row] for row in linear.weights],
            "biases": [position[b] for b in linear.biases],
        }
        for linear, _ in layers
    ]


def _page_of_sample(model: Module, loss: Loss, samples: Samples) -> str:
    """The backward pass of one sample as the page of autograd.page has it; the playground fills in the numbers of the
    leaves: parameters, then features, then target. Empty if it is too large, or without Graphviz."""
    from autograd.visualize.graphviz_program import RendererNotFound

    named = model.named_parameters()
    own = {name: Value(p.data, label=name) for name, p in named.items()}
    mine = model.with_parameters(own).eval()
    columns = model.metadata.columns if model.metadata else []
    names = columns or [f"x{i}" for i in range(len(samples.X[0]))]
    xs = [Value(x, label=name) for x, name in zip(samples.X[0], names, strict=True)]
    y = samples.y[0]
    wanted = (
        Value(y, label="target") if isinstance(y, float) else [Value(t, label=f"target{i}") for i, t in enumerate(y)]
    )
    try:
        out = loss.formula(mine(xs), wanted)
        return page(out, group=mine, max_nodes=MOST_NODES).html
    except (RendererNotFound, ValueError, TypeError):
        return ""


# --- the document ----------------------------------------------------------------------------------------------------


def _document(data: dict[str, Any], programs: str, sample_page: str) -> str:
    shared = [resources.files("autograd.visualize") / "assets" / name for name in SHARED]
    own = [resources.files("nn") / "assets" / name for name in SCRIPTS]
    texts = [programs, *[file.read_text(encoding="utf-8") for file in (*shared, *own)]]
    script = '"use strict";\n(() => {\n' + "\n".join(texts) + "})();\n"
    script = script.replace("</", "<\\/")  # nothing in a script ends it
    allowed = [_hash(script), *re.findall(r"script-src '(sha256-[^']+)'", sample_page[:2000])]
    assets = resources.files("nn") / "assets"
    return Template((assets / "playground.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{data['model']:.80}, live"),
        model=escape(data["model"]),
        style=(assets / "playground.css").read_text(encoding="utf-8"),
        data=json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        page=base64.b64encode(gzip.compress(sample_page.encode(), mtime=0)).decode() if sample_page else "",
        script=script,
        script_hashes=" ".join([f"'{x}'" for x in allowed]),  # the browser runs these scripts and no others
    )


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
