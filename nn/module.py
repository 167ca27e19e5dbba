"""Module: a part of a model, which knows its parameters."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

from autograd import Value
from autograd.foreign import as_numpy
from autograd.scalars import is_array, number
from autograd.transforms.objects import attributes
from autograd.transforms.tree import first_names, flatten, parts_of, with_parameters
from nn.losses import LOSSES, find_loss
from nn.metadata import Metadata, check_columns, is_by_piece
from nn.metrics import METRICS, measured_by
from nn.samples import labelled

MANY = 500_000  # parameters times samples from which on compiling pays: Python takes some 2 µs for each


class Module:
    """What models are made of: an object whose attributes hold its parameters, and which is called with one sample.

    The parameters are the leaf Values among the attributes, and in Modules, lists, tuples, dicts, dataclasses and
    NumPy object arrays there, in the order in which they were assigned. A Value that is held elsewhere, by a closure or
    an object of another class, is a constant: nothing trains it.

    Write `__call__` with operators and the functions of `autograd` (`autograd.relu(x)` rather than `x.relu()`): then it
    also evaluates on plain floats, which is what `predict` does.

    Where a module is evaluated with other parameters (`predict`, `fit`, `grad`), that is a copy: the modules in it are
    new, and what leads to a parameter; everything else they hold is shared with the original.

    Attributes:
        training: whether the module is in training, which Dropout asks; see `train` and `eval`.

    Example:
        >>> from autograd import exp
        >>> class Bell(Module):
        ...     def __init__(self):
        ...         self.height, self.width = Value(2.0), Value(1.0)
        ...     def __call__(self, x):
        ...         return self.height * exp(-(x * x) / self.width)
        >>> bell = Bell()
        >>> bell
        Bell(2 parameters)
        >>> bell(0.0)
        Value(data=2.0, grad=0.0)
        >>> bell.predict([0.0, 0.0])
        [2.0, 2.0]
    """

    _draw_: Callable[..., Any]  # by nn/picture.py, which is built on this file
    metadata: Metadata | None = None  # what is known of it beside its parameters; `save` keeps it
    training = True

    def __call__(self, x: Any) -> Any:
        """The score or scores for one sample x."""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__(self, x)")

    def named_parameters(self) -> dict[str, Value]:
        """The parameters by dotted name; one that occurs twice has its first name only.

        Example:
            >>> from nn import MLP
            >>> list(MLP(2, [1]).named_parameters())
            ['layers.0.neurons.0.w.0', 'layers.0.neurons.0.w.1', 'layers.0.neurons.0.b']
        """
        found: list[tuple[str, Value]] = []
        _search(self, "", found, {})
        return first_names(found)

    def parameters(self) -> list[Value]:
        """The parameters in the order of `named_parameters`."""
        return list(self.named_parameters().values())

    def train(self, mode: bool = True) -> Self:
        """Set `training` of this module and all modules in it; returns the module itself.

        A model is in training until `eval()` is called, as in PyTorch. `fit` trains in training whatever was set, and
        `predict` evaluates in evaluation; both leave the mode as it was.

        Example:
            >>> from nn import Dropout
            >>> Dropout(0.5).eval()([1.0, 2.0])
            [1.0, 2.0]
        """
        for module in _modules(self):
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """The same as `train(False)`."""
        return self.train(False)

    def freeze(self) -> Self:
        """Keep the parameters of this module and all modules in it as they are; returns the module itself.

        The same as `parameter.trainable = False` for each of them: neither `fit` nor `Optimizer.step` moves it, and
        saved models keep that. Gradients are computed as ever.

        Example:
            >>> from nn import MLP
            >>> model = MLP(2, [8, 1])
            >>> _ = model.freeze().layers[-1].unfreeze()
            >>> len(model.trainable_parameters()), len(model.parameters())
            (9, 33)
        """
        return self._set_trainable(False)

    def unfreeze(self) -> Self:
        """Let the parameters of this module and all modules in it be moved again; returns the module itself."""
        return self._set_trainable(True)

    def _set_trainable(self, trainable: bool) -> Self:
        for parameter in self.parameters():
            parameter.trainable = trainable
        return self

    def trainable_parameters(self) -> dict[str, Value]:
        """The parameters that are not frozen, by their names in `named_parameters`."""
        return {name: p for name, p in self.named_parameters().items() if p.trainable}

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, before the next backward()."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def with_parameters(self, replacements: Mapping[str, Any]) -> Self:
        """A copy of this module that computes with something else in place of its parameters.

        Args:
            replacements: for the name of each parameter what stands in for it: a float, another Value, an array.

        Errors: KeyError if a parameter has none.

        Example:
            >>> from nn import Neuron
            >>> neuron = Neuron(1, nonlin=False)
            >>> neuron.with_parameters({"w.0": 2.0, "b": 1.0})([10.0])      # of floats only: no graph
            21.0
        """
        copied: Self = with_parameters(self, replacements, self.named_parameters())
        return copied

    def predict(self, X: Any, *, executor: Any = None) -> Any:
        """The scores for many samples, as plain floats, in evaluation mode: no graph, and compiled where that pays.

        Args:
            X: n samples, each a list of features; or an array of shape (n, features), or a frame or tensor. A frame
                has the columns of the one that the model was trained on, in their order. A zarr or Dask array, and
                autograd.rows, are read piece by piece.
            executor: workers that share the samples, and read them themselves (see autograd.jit).

        Returns: a list of n scores (lists of scores, of a model with several outputs); an array, unless X is a list.

        Errors: ValueError for a frame of other columns, TypeError for one of anything but numbers. With an executor,
        and for what is read piece by piece, also what autograd.jit refuses.

        Example:
            >>> from nn import Neuron
            >>> neuron = Neuron(1, nonlin=False)
            >>> neuron.w[0].data, neuron.b.data = 2.0, 1.0
            >>> neuron.predict([[10.0], [20.0]])
            [21.0, 41.0]
        """
        check_columns(self, X)
        by_piece = is_by_piece(X)
        X = X if by_piece else as_numpy(X)
        if by_piece or (executor is not None and len(X)):
            from nn.rowwise import scores_by_piece

            scores = scores_by_piece(self, X, executor)
            return scores.tolist() if isinstance(X, list) else scores
        parameters = self.named_parameters()
        if len(X) * len(parameters) >= MANY and (scores := _compiled_scores(self, X)) is not None:
            return scores if is_array(X) else scores.tolist()
        if is_array(X):
            import numpy as np

            return np.array(self.predict(X.tolist()))
        plain = with_parameters(self, {name: p._data for name, p in parameters.items()}, parameters).eval()
        return [_numbers(plain(x)) for x in X]

    def score(self, X: Any, y: Any, metric: str | None = None, loss: Any = None, *, executor: Any = None) -> float:
        """How good the scores of many samples are, by a metric.

        Args:
            X, y: samples and targets, as for `fit`.
            metric: as for `fit`; None for the one that the model was trained with.
            loss: the loss, or its name, which says how a score is read; None for the one that the model was trained
                with.
            executor: workers that share the samples, as for `predict`; they send sums, and keep the scores.

        Errors: ValueError for a model that was not trained by `fit`, unless a loss is given, and as `fit`; ImportError
        where a metric is not installed.

        Example:
            >>> from nn import Neuron
            >>> neuron = Neuron(1, nonlin=False)
            >>> neuron.w[0].data = 1.0
            >>> neuron.score([[2.0], [-3.0], [-1.0], [-2.0]], [1, -1, 1, -1], "accuracy", "hinge")
            0.75
        """
        about = self.metadata or Metadata()
        if loss is None and about.loss not in LOSSES:
            trained = "a loss of its own" if about.loss else "no loss by fit"
            raise ValueError(f"{type(self).__name__} was trained with {trained}; say which loss reads its scores")
        found = find_loss(about.loss if loss is None else loss)
        found = measured_by(found, metric or (about.metric if loss is None else None) or None)
        if not found.metric:
            raise ValueError(f"say which metric: {found.name} has none")
        check_columns(self, X)
        if executor is not None or any(map(is_by_piece, (X, y))):
            from nn.rowwise import metric_by_piece

            return metric_by_piece(self, X, y, found, executor)
        samples = labelled(self, X, y, found)
        return METRICS[found.metric](found, self.predict(samples.X), samples.y)

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class for many samples, by the loss that the model was trained with.

        Args:
            X: as for `predict`.

        Returns: n lists of k probabilities; an array, unless X is a list.

        Errors: ValueError for a model that was not trained with "cross_entropy" or "binary_cross_entropy", since the
        scores of another say nothing of probabilities; as `predict`.

        Example:
            >>> from nn import Neuron, fit
            >>> neuron = Neuron(1, nonlin=False, rng=0)
            >>> history = fit(neuron, [[-1.0], [1.0]], [0, 1], loss="binary_cross_entropy", progress=False)
            >>> [[unlikely, likely]] = neuron.predict_proba([[0.0]])
            >>> unlikely + likely, likely > 0.4
            (1.0, True)
        """
        loss = LOSSES.get(self.metadata.loss) if self.metadata else None
        if loss is None or loss.probabilities is None:
            trained = f"it was trained with {self.metadata.loss}" if self.metadata else "it was not trained by fit"
            raise ValueError(
                f"{type(self).__name__} gives scores and no probabilities: {trained}. "
                'Train it with the loss "cross_entropy" or "binary_cross_entropy"'
            )
        scores = self.predict(X)
        if not is_array(scores):
            return [loss.probabilities(score) for score in scores]
        import numpy as np

        return np.array([loss.probabilities(score) for score in scores.tolist()])

    def summary(self) -> str:
        """A table of the modules in it: their name, inputs and outputs, how many parameters, and how many are trained.

        Example:
            >>> from nn import MLP
            >>> model = MLP(2, [8, 1])
            >>> _ = model.layers[0].freeze()
            >>> print(model.summary())
            module    type   shape   parameters  trained
            layers.0  Layer  2 -> 8          24        0
            layers.1  Layer  8 -> 1           9        9
            total     MLP    2 -> 1          33        9
        """
        rows = [("module", "type", "shape", "parameters", "trained")]
        trained = self.trainable_parameters().values()

        def add(name: str, module: Module, parameters: Iterable[Value]) -> None:
            counted, moved = set(parameters), set(parameters) & set(trained)
            rows.append((name, type(module).__name__, module.shapes(), str(len(counted)), str(len(moved))))

        children = _listed_modules(self)
        for name, module in children.items():
            add(name, module, module.parameters())
        inside = {parameter for module in children.values() for parameter in module.parameters()}
        if own := set(self.parameters()) - inside:
            rows.append(("its own", "", "", str(len(own)), str(len(own & set(trained)))))
        add("total", self, self.parameters())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        align = (str.ljust, str.ljust, str.ljust, str.rjust, str.rjust)
        lines = ["  ".join(f(cell, w) for f, cell, w in zip(align, row, widths, strict=True)) for row in rows]
        return "\n".join(line.rstrip() for line in lines)

    def shapes(self) -> str:
        """How many numbers it takes and gives, for `summary`; "" unless a module says so.

        Example:
            >>> from nn import Layer
            >>> Layer(2, 8).shapes()
            '2 -> 8'
        """
        return ""

    def state_dict(self) -> dict[str, float]:
        """The numbers of all parameters by name."""
        return {name: parameter._data for name, parameter in self.named_parameters().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set all parameters to the numbers that `state_dict` gave; all of them or, on an error, none.

        Errors: ValueError if an entry is missing, unexpected, or is not one number, naming it.

        Example:
            >>> from nn import Neuron
            >>> Neuron(1).load_state_dict({"w.0": 1.0})
            Traceback (most recent call last):
            ...
            ValueError: Neuron: the state has no entry for the parameter 'b'
        """
        parameters = self.named_parameters()
        kind = type(self).__name__
        if missing := [name for name in parameters if name not in state]:
            raise ValueError(f"{kind}: the state has no entry for the parameter {_some(missing)}")
        if unexpected := [name for name in state if name not in parameters]:
            raise ValueError(
                f"{kind}: the state has an entry for {_some(unexpected)}, which is not a parameter of the model"
            )
        numbers = {}
        for name in parameters:
            try:
                numbers[name] = number(state[name], f"the parameter {name!r}")
            except (TypeError, OverflowError) as error:
                raise ValueError(f"{kind}: {error}") from None
        for name, parameter in parameters.items():
            parameter.data = numbers[name]

    def config(self) -> dict[str, Any]:
        """The arguments that construct a module of this structure; parameters and initialisation are not among them.

        Errors: TypeError for a Module without it. Those of this package have it; one of your own can.
        """
        raise TypeError(f"{type(self).__name__} has no config(), which says how to construct it")

    def __repr__(self) -> str:
        try:
            arguments = [f"{name}={value!r}" for name, value in self.config().items()]
        except TypeError:
            arguments = [f"{len(self.parameters())} parameters"]
        return f"{type(self).__name__}({', '.join(arguments)})"


def _compiled_scores(model: Module, X: Any) -> Any:
    try:
        from nn.evaluation import many_scores
    except ImportError:  # without NumPy
        return None
    return many_scores(model, X)


def _search(x: Any, name: str, parameters: list[tuple[str, Value]], modules: dict[int, tuple[str, Any]]) -> None:
    """Add name and Value of each parameter in x, as often as it is found; and by id name and object looked into."""
    modules[id(x)] = name.removesuffix("."), x
    for key, child in _children(x):
        kind = type(child)
        if kind is Value or isinstance(child, Value):
            if child.op is None:
                parameters.append((name + key, child))
        elif kind not in _NUMBERS and id(child) not in modules:
            _search(child, f"{name}{key}.", parameters, modules)


def named_modules(model: Module) -> dict[str, Module]:
    """The model, as "", and all Modules in it by dotted name, each once."""
    found: dict[int, tuple[str, Any]] = {}
    _search(model, "", [], found)
    return {name: x for name, x in found.values() if isinstance(x, Module)}


def _listed_modules(model: Module) -> dict[str, Module]:
    """The Modules that a model is made of; those in them only where they are no more than a row of modules."""
    found: dict[str, Module] = {}
    for name, module in named_modules(model).items():
        if name and not hasattr(module, "modules") and not any(name.startswith(f"{outer}.") for outer in found):
            found[name] = module
    return found


def _modules(model: Module) -> list[Module]:
    return list(named_modules(model).values())


@contextlib.contextmanager
def in_training(model: Module) -> Iterator[None]:
    """Inside `with`, the model is in training; after it, each of its modules in the mode that it was in before."""
    before = [(module, module.training) for module in _modules(model)]
    model.train()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


_NUMBERS = {float, int, str, bool}  # most of what lists hold besides parameters


def _children(x: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(x, Module):
        return attributes(x).items()
    if isinstance(x, list | tuple) and not hasattr(x, "_fields"):
        return zip(map(str, range(len(x))), x, strict=True)
    if is_array(x) and x.dtype != object:
        return ()
    parts = parts_of(x)
    if parts is None:
        return ()
    keys = parts.kind.keys(parts.context, len(parts.children))
    names = [".".join(map(str, key)) if is_array(x) else str(key) for key in keys]
    return zip(names, parts.children, strict=True)


def _numbers(score: Any) -> Any:
    """A score, with numbers in place of Values that the model captured."""
    if type(score) is float:
        return score
    found, structure = flatten(score)
    if not any(isinstance(x, Value) for x in found):
        return score
    return structure.unflatten([x._data if isinstance(x, Value) else x for x in found])


def _some(names: list[Any]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(repr, names[:3])) + more
