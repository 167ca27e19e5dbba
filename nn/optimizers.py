"""Optimizers: how parameters follow from their gradients. θ ← θ - η ∇θ, and its refinements.

An optimizer is settings and one pure rule, `update`, in ordinary arithmetic. So the same rule moves one float, as in
`step`, or all parameters at once as a NumPy vector. The formulas and defaults are PyTorch's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autograd import Value, sqrt
from nn.ranges import at_least_0, fraction, positive
from nn.schedules import Schedule, plateau

State = tuple[Any, ...]  # numbers or vectors as θ is


def power(base: float, t: Any) -> Any:
    """base^t of a whole number t, by multiplications alone: the same bits on every machine, and in JavaScript.

    Example:
        >>> power(0.5, 3)
        0.125
    """
    if not isinstance(t, int):
        return base**t
    result = 1.0
    while t:
        result, base, t = result * base if t & 1 else result, base * base, t >> 1
    return result


class Optimizer:
    """What optimizers share: a learning rate, and steps on the Values of a model.

    Args:
        learning_rate: η, a positive number, or a schedule: a function from a count to a rate. `step` counts its own
            calls, `fit` counts epochs, or steps if it is told to.

    Errors: ValueError if it is a number that is not positive, or a schedule gives a negative one.

    Example:
        >>> w = Value(1.0)
        >>> optimizer = SGD(learning_rate=0.1)
        >>> for _ in range(3):
        ...     w.grad = 0.0
        ...     (w * w).backward()
        ...     optimizer.step([w])
        >>> round(w.data, 3)            # 1 · 0.8 · 0.8 · 0.8
        0.512
    """

    slots = 0  # how many numbers it remembers a parameter; all are 0 at first

    def __init__(self, learning_rate: float | Schedule | plateau):
        self.learning_rate: Any = learning_rate
        if not callable(learning_rate):
            self.learning_rate = positive(learning_rate, "learning rate")
        self._memory: dict[Value, tuple[int, State]] = {}  # of each parameter: its updates, and what is remembered

    def rate(self, count: int, losses: Sequence[float] = ()) -> float:
        """The learning rate after so many steps or epochs, which had these losses."""
        if isinstance(self.learning_rate, plateau):
            return self.learning_rate(losses)
        if callable(self.learning_rate):
            return at_least_0(self.learning_rate(count), f"the learning rate after {count}")
        return float(self.learning_rate)

    def initial_state(self) -> State:
        """What is remembered before the first update."""
        return (0.0,) * self.slots

    def update(self, theta: Any, gradient: Any, state: State, t: int, rate: float) -> tuple[Any, State]:
        """One update.

        Args:
            theta, gradient: parameter and derivative: floats, or float64 vectors of all of them.
            state: what the update before returned, or `initial_state()`.
            t: the number of this update, from 1.
            rate: the learning rate.

        Returns: the new parameter and state.
        """
        raise NotImplementedError

    def step(self, parameters: Sequence[Value]) -> None:
        """Move each parameter by its `grad`, but those that are not `trainable`.

        What is remembered of a parameter (momentum, how often it was moved, which is the count that a schedule gets) is
        kept here for the next call; the parameters of another model start afresh.
        """
        for p in [p for p in parameters if p.trainable]:
            count, state = self._memory.get(p) or (0, self.initial_state())
            p.data, state = self.update(p._data, p.grad, state, count + 1, self.rate(count))
            self._memory[p] = count + 1, state

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({settings})"


class SGD(Optimizer):
    """Gradient descent, θ ← θ - η g; with momentum, g is a sum of past gradients that fades by `momentum` a step.

    Args:
        learning_rate: as for Optimizer.
        momentum: 0 or more, below 1.
        nesterov: look ahead along the momentum (Sutskever et al., 2013).
        weight_decay: λ of a pull λθ towards 0, which is added to the gradient.

    Errors: ValueError for a setting out of its range.

    Example:
        >>> w = Value(1.0)
        >>> optimizer = SGD(0.1, momentum=0.9)
        >>> for _ in range(2):
        ...     w.grad = 1.0             # the gradient of w itself
        ...     optimizer.step([w])
        >>> round(w.data, 4)
        0.71
    """

    slots = 1

    def __init__(
        self,
        learning_rate: float | Schedule | plateau = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        super().__init__(learning_rate)
        self.momentum = fraction(momentum, "momentum")
        self.nesterov = nesterov
        self.weight_decay = at_least_0(weight_decay, "weight decay")
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum above 0")

    def update(self, theta: Any, gradient: Any, state: State, t: int, rate: float) -> tuple[Any, State]:
        g = gradient + self.weight_decay * theta
        velocity = self.momentum * state[0] + g
        return theta - rate * (g + self.momentum * velocity if self.nesterov else velocity), (velocity,)


class Adam(Optimizer):
    """Steps of the size of the learning rate, by running means of the gradient and its square (Kingma and Ba, 2015).

    Args:
        learning_rate: as for Optimizer.
        betas: how much of the running means of gradient and square is kept each step.
        epsilon: keeps the division finite.
        weight_decay: λ of a pull λθ towards 0, which is added to the gradient.

    Errors: ValueError for a setting out of its range.

    Example:
        >>> w = Value(1.0)
        >>> optimizer = Adam(0.1)
        >>> for _ in range(2):
        ...     w.grad = 1.0             # the gradient of w itself
        ...     optimizer.step([w])
        >>> round(w.data, 4)
        0.8
    """

    slots = 2

    def __init__(
        self,
        learning_rate: float | Schedule | plateau = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(learning_rate)
        self.betas = fraction(betas[0], "beta"), fraction(betas[1], "beta")
        self.epsilon = positive(epsilon, "epsilon")
        self.weight_decay = at_least_0(weight_decay, "weight decay")

    def update(self, theta: Any, gradient: Any, state: State, t: int, rate: float) -> tuple[Any, State]:
        g = gradient + self.weight_decay * theta
        return self._adapt(theta, g, state, t, rate)

    def _adapt(self, theta: Any, g: Any, state: State, t: int, rate: float) -> tuple[Any, State]:
        beta1, beta2 = self.betas
        mean = beta1 * state[0] + (1 - beta1) * g
        square = beta2 * state[1] + (1 - beta2) * g * g
        unbiased_root = square**0.5 / sqrt(1 - power(beta2, t))
        return theta - rate / (1 - power(beta1, t)) * mean / (unbiased_root + self.epsilon), (mean, square)


class AdamW(Adam):
    """Adam whose weight decay pulls the parameter itself, not its gradient (Loshchilov and Hutter, 2019).

    Args, errors: as Adam; the pull is η λθ a step.

    Example:
        >>> w = Value(1.0)
        >>> optimizer = AdamW(0.1, weight_decay=0.5)
        >>> for _ in range(2):
        ...     w.grad = 1.0             # the gradient of w itself
        ...     optimizer.step([w])
        >>> round(w.data, 4)
        0.7075
    """

    def __init__(
        self,
        learning_rate: float | Schedule | plateau = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(learning_rate, betas, epsilon, weight_decay)

    def update(self, theta: Any, gradient: Any, state: State, t: int, rate: float) -> tuple[Any, State]:
        return self._adapt(theta * (1 - rate * self.weight_decay), gradient, state, t, rate)


class RMSprop(Optimizer):
    """Gradient descent by the gradient over the root of a running mean of its square (Hinton, 2012).

    Args:
        learning_rate: as for Optimizer.
        alpha: how much of the running mean is kept each step.
        epsilon: keeps the division finite.
        momentum, weight_decay: as for SGD.

    Errors: ValueError for a setting out of its range.

    Example:
        >>> w = Value(1.0)
        >>> optimizer = RMSprop(0.01)
        >>> for _ in range(2):
        ...     w.grad = 1.0             # the gradient of w itself
        ...     optimizer.step([w])
        >>> round(w.data, 4)
        0.8291
    """

    slots = 2

    def __init__(
        self,
        learning_rate: float | Schedule | plateau = 0.01,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ):
        super().__init__(learning_rate)
        self.alpha = fraction(alpha, "alpha")
        self.epsilon = positive(epsilon, "epsilon")
        self.momentum = fraction(momentum, "momentum")
        self.weight_decay = at_least_0(weight_decay, "weight decay")

    def update(self, theta: Any, gradient: Any, state: State, t: int, rate: float) -> tuple[Any, State]:
        g = gradient + self.weight_decay * theta
        square = self.alpha * state[0] + (1 - self.alpha) * g * g
        velocity = self.momentum * state[1] + g / (square**0.5 + self.epsilon)
        return theta - rate * velocity, (square, velocity)


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop}


def find_optimizers(optimizer: Any, names: Iterable[str]) -> list[tuple[Optimizer, list[str]]]:
    """Optimizers with the names of the parameters that each moves.

    Args:
        optimizer: what `find_optimizer` takes, for all parameters; or a dict of such by the first parts of names, of
            which the longest that fits counts, and "" fits all.
        names: of the parameters.

    Errors: ValueError for a parameter that none is for, and for one that is for no parameter; as `find_optimizer`.

    Example:
        >>> find_optimizers({"layers.0": SGD(0.1), "": SGD(0.2)}, ["layers.0.w", "layers.1.w", "layers.01.w"])
        ... # doctest: +NORMALIZE_WHITESPACE
        [(SGD(learning_rate=0.1, momentum=0.0, nesterov=False, weight_decay=0.0), ['layers.0.w']),
         (SGD(learning_rate=0.2, momentum=0.0, nesterov=False, weight_decay=0.0), ['layers.1.w', 'layers.01.w'])]
    """
    if not isinstance(optimizer, Mapping):
        return [(find_optimizer(optimizer), list(names))]
    groups: dict[Any, list[str]] = {prefix: [] for prefix in optimizer}
    for name in names:
        fitting = [prefix for prefix in groups if f"{name}.".startswith(f"{prefix}.") or prefix == ""]
        if not fitting:
            raise ValueError(f'no optimizer is for the parameter {name!r}; give one for "", or freeze it')
        groups[max(fitting, key=len)].append(name)
    if idle := [prefix for prefix, members in groups.items() if prefix and not members]:
        raise ValueError(f"no parameter that is trained has a name that begins with {idle[0]!r:.60}")
    return [(find_optimizer(optimizer[prefix]), members) for prefix, members in groups.items() if members]


def find_optimizer(optimizer: Any) -> Optimizer:
    """An optimizer itself, or by its name with its default settings.

    Errors: ValueError for another name, TypeError for anything else.

    Example:
        >>> find_optimizer("sgd")
        SGD(learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=0.0)
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if not isinstance(optimizer, str):
        raise TypeError(f"optimizer must be a name or an Optimizer, got {type(optimizer).__name__} {optimizer!r:.60}")
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {optimizer!r}; choose from {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[optimizer]()
