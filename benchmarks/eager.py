"""How fast and how small: Values beside micrograd, and PyTorch's scalars where installed.

    python -m pip install ".[demo]" micrograd
    python -m benchmarks.eager

The same program runs on each library: first once to compare the losses and all gradients, then for time, the
libraries taking turns of several steps, so that a busy machine slows them alike, and each collects its own garbage as
it does in a training loop. Times are CPU times of one step forward and backward, medians over the turns.

Python's garbage collector is on, or on with all objects that were there before frozen (`gc.freeze`), or off. As in a
notebook, scikit-learn is imported: its modules are what a full collection has to walk. In the notebooks' own loops it
is off (`autograd.disable_gc`); micrograd's has to be on, which frees its graphs: they are reference cycles.
"""

import contextlib
import gc
import itertools
import math
import os
import random
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import micrograd.engine
import micrograd.nn
from sklearn.datasets import make_moons

import nn
from autograd import Value, disable_gc, primitives, value
from autograd.graph import topological_order

sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/eager.py serves as well

from benchmarks.table import Table, command_line, measure

Leaf = Callable[[float], Any]
Step = tuple[Callable[[], Any], list[Any]]  # forward and backward, returning the loss; and the parameters


# micrograd as published cannot run a GPT: these are added, in its own style
def _exp(self: Any) -> Any:
    out = micrograd.engine.Value(math.exp(self.data), (self,), "exp")

    def _backward() -> None:
        self.grad += out.data * out.grad

    out._backward = _backward
    return out


def _log(self: Any) -> Any:
    out = micrograd.engine.Value(math.log(self.data), (self,), "log")

    def _backward() -> None:
        self.grad += out.grad / self.data

    out._backward = _backward
    return out


micrograd.engine.Value.exp, micrograd.engine.Value.log = _exp, _log
LEAVES: dict[str, Leaf] = {"valuegrad": Value, "micrograd": micrograd.engine.Value}


def torch_scalars() -> Leaf:
    """PyTorch is imported last: the collector walks its modules as well."""
    import torch

    torch.set_num_threads(1)
    return lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True)


# --- the moons network: 2-16-16-1, 100 points, max-margin loss and L2 ----------------------------------------------

SIZES = [2, 16, 16, 1]
POINTS, LABELS = (a.tolist() for a in make_moons(n_samples=100, noise=0.1, random_state=0))
LABELS = [2 * label - 1 for label in LABELS]


def moons_in_plain_operators(leaf: Leaf) -> Step:
    """As one writes it first: sums over products."""
    rng = random.Random(1)
    layers = [
        [([leaf(rng.uniform(-1, 1)) for _ in range(nin)], leaf(0.0)) for _ in range(nout)]
        for nin, nout in itertools.pairwise(SIZES)
    ]
    parameters = [p for layer in layers for w, b in layer for p in (*w, b)]
    inputs = [[leaf(x) for x in point] for point in POINTS]

    def score(x: list[Any]) -> Any:
        for layer in layers[:-1]:
            x = [sum((wi * xi for wi, xi in zip(w, x, strict=True)), b).relu() for w, b in layer]
        ((w, b),) = layers[-1]
        return sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)

    def step() -> Any:
        zero(parameters)
        losses = [(1 + -label * score(x)).relu() for x, label in zip(inputs, LABELS, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)
        loss.backward()
        return loss

    return step, parameters


def moons_through_an_mlp(leaf: Leaf) -> Step:
    """Each library's own MLP and the losses it comes with."""
    rng = random.Random(1)
    model: Any = (nn if leaf is Value else micrograd.nn).MLP(SIZES[0], SIZES[1:])
    parameters = list(model.parameters())
    for p in parameters:
        p.data = rng.uniform(-1, 1)

    def own_step() -> Any:
        zero(parameters)
        loss = nn.hinge.batch([model(x) for x in POINTS], LABELS) + nn.l2(parameters, 1e-4)
        loss.backward()
        return loss

    def micrograd_step() -> Any:
        zero(parameters)
        losses = [(1 + -label * model(x)).relu() for x, label in zip(POINTS, LABELS, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)
        loss.backward()
        return loss

    return (own_step if leaf is Value else micrograd_step), parameters


# --- a character-level GPT -----------------------------------------------------------------------------------------


def gpt(leaf: Leaf) -> Step:
    """One block, four heads of 4, one word of 8 characters, in + * / ** exp log relu (Vaswani et al., 2017)."""
    rng = random.Random(1)
    characters, width, heads, word = 27, 16, 4, [0, 5, 13, 13, 1, 20, 9, 14, 0]

    def matrix(rows: int, columns: int) -> list[list[Any]]:
        return [[leaf(rng.gauss(0, 0.2)) for _ in range(columns)] for _ in range(rows)]

    token_table, position_table = matrix(characters, width), matrix(len(word), width)
    query, key, value, out = (matrix(width, width) for _ in range(4))
    up, down, to_logits = matrix(4 * width, width), matrix(width, 4 * width), matrix(characters, width)
    tables = [token_table, position_table, query, key, value, out, up, down, to_logits]
    parameters = [p for table in tables for row in table for p in row]

    def linear(weights: list[list[Any]], x: list[Any]) -> list[Any]:
        return [sum(w * xi for w, xi in zip(row, x, strict=True)) for row in weights]

    def normalised(x: list[Any]) -> list[Any]:
        scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def softmax(x: list[Any]) -> list[Any]:
        largest = max(float(xi.data) for xi in x)
        exps = [(xi - largest).exp() for xi in x]
        total = sum(exps)
        return [e / total for e in exps]

    def attention(q: list[Any], keys: list[list[Any]], values: list[list[Any]]) -> list[Any]:
        mixed = []
        for head in range(0, width, width // heads):
            part = slice(head, head + width // heads)
            scores = [sum(a * b for a, b in zip(q[part], k[part], strict=True)) / 2.0 for k in keys]
            shares = softmax(scores)
            columns = zip(*[v[part] for v in values], strict=True)
            mixed += [sum(s * v for s, v in zip(shares, column, strict=True)) for column in columns]
        return mixed

    def step() -> Any:
        zero(parameters)
        keys: list[list[Any]] = []
        values: list[list[Any]] = []
        losses = []
        for position, (token, target) in enumerate(itertools.pairwise(word)):
            x = [a + b for a, b in zip(token_table[token], position_table[position], strict=True)]
            y = normalised(x)
            keys.append(linear(key, y))
            values.append(linear(value, y))
            x = [a + b for a, b in zip(x, linear(out, attention(linear(query, y), keys, values)), strict=True)]
            hidden = [h.relu() for h in linear(up, normalised(x))]
            x = [a + b for a, b in zip(x, linear(down, hidden), strict=True)]
            losses.append(-(softmax(linear(to_logits, x))[target].log()))
        loss = sum(losses) / len(losses)
        loss.backward()
        return loss

    return step, parameters


def zero(parameters: list[Any]) -> None:
    for p in parameters:
        p.grad = None if type(p).__name__ == "Tensor" else 0.0


# --- measuring -----------------------------------------------------------------------------------------------------


def check_same_numbers(steps: dict[str, Step]) -> None:
    """Losses and gradients of all libraries within 1e-9 of the first."""
    reference: list[float] = []
    for name, (step, parameters) in steps.items():
        numbers = [float(step().data), *[0.0 if p.grad is None else float(p.grad) for p in parameters]]
        reference = reference or numbers
        worst = max(abs(a - b) / (1 + abs(b)) for a, b in zip(numbers, reference, strict=True))
        if worst > 1e-9:
            raise SystemExit(f"{name} computes something else: off by {worst}")


@contextlib.contextmanager
def frozen_heap() -> Iterator[None]:
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


COLLECTOR: dict[str, Callable[[], Any]] = {"on": contextlib.nullcontext, "heap frozen": frozen_heap, "off": disable_gc}


def medians(
    steps: dict[str, Callable[[], Any]], rounds: int, steps_a_turn: int = 1, collector: str = "on"
) -> dict[str, float]:
    """CPU seconds of a step of each, taking turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            gc.collect()
            with COLLECTOR[collector]():
                start = time.process_time()
                for _ in range(steps_a_turn):
                    step()
                times[name].append((time.process_time() - start) / steps_a_turn)
    return {name: statistics.median(spent) for name, spent in times.items()}


def speed(title: str, workload: Callable[[Leaf], Step], leaves: dict[str, Leaf], rounds: int) -> tuple[Table, float]:
    """The times, and the ratio with the collector as each has it: off for Values, and on for the other library."""
    steps = {name: workload(leaf) for name, leaf in leaves.items()}
    check_same_numbers(steps)
    nodes = len(topological_order([steps["valuegrad"][0]()]))
    columns = [f"collector {setting}" for setting in COLLECTOR]
    table = Table(f"{title}: {nodes:,} nodes here, same loss and gradients", "library", *columns)
    run = {name: step for name, (step, _) in steps.items()}
    seconds = {setting: medians(run, rounds, steps_a_turn=3, collector=setting) for setting in COLLECTOR}
    for name in steps:
        table.row(name, *(f"{times[name] * 1e3:.1f} ms" for times in seconds.values()))
    (other,) = [name for name in steps if name != "valuegrad"]
    table.row("ratio", *(f"{times[other] / times['valuegrad']:.1f} times" for times in seconds.values()))
    return table, seconds["on"][other] / seconds["off"]["valuegrad"]


def beside_micrograd(title: str, workload: Callable[[Leaf], Step], goal: int, rounds: int) -> Table:
    table, ratio = speed(title, workload, LEAVES, rounds)
    table.note(
        f"off here and on there, as in loops of training: micrograd takes {ratio:.1f} times as long; to reach: {goal}"
    )
    return table


def moons(rounds: int) -> Table:
    table = beside_micrograd("Moons network in plain operators", moons_in_plain_operators, 25, rounds)
    table.note(f"applied by apply() instead of written out, + - * would take {written_out(rounds):.1f} times as long")
    return table


def beside_torch(title: str, workload: Callable[[Leaf], Step], rounds: int) -> Table:
    if not find_spec("torch"):
        table = Table(f"{title}, beside PyTorch", "library", "a step")
        table.note("PyTorch is not installed")
        return table
    return speed(f"{title}, beside PyTorch", workload, {"valuegrad": Value, "torch": torch_scalars()}, rounds)[0]


def written_out(rounds: int) -> float:
    """What it brings that value.py writes out + - * instead of applying the primitives."""
    operators = {"__add__": primitives.add, "__sub__": primitives.sub, "__mul__": primitives.mul}
    applied: Any = {name: lambda x, y, op=op: value._operator(op, x, y) for name, op in operators.items()}
    step, _ = moons_in_plain_operators(Value)

    def through_apply() -> None:
        with mock.patch.multiple(Value, **applied):
            step()

    seconds = medians({"written out": step, "applied": through_apply}, rounds)
    return seconds["applied"] / seconds["written out"]


def memory(rounds: int, chains: int = 100, length: int = 1000) -> Table:
    """What tracemalloc sees, before backward and with a gradient in every node."""
    libraries = ("valuegrad", "micrograd")
    columns = [f"{name}{after}" for name in libraries for after in ("", ", after backward")]
    table = Table(f"Memory: bytes a node, in {chains} chains of {length}", "operation", *columns)
    operations: dict[str, Callable[[Any, Any], Any]] = {
        "+": lambda y, x: y + x,
        "*": lambda y, x: y * x,
        "* a number": lambda y, x: y * 0.999,
        "/ a number": lambda y, x: y / 1.001,
        "** a number": lambda y, x: y**0.999,
        "relu": lambda y, x: y.relu(),
    }
    for title, operation in operations.items():
        numbers = [n for name in libraries for n in bytes_a_node(LEAVES[name], operation, chains, length)]
        table.row(title, *(f"{number:.0f}" for number in numbers))
    return table


def bytes_a_node(leaf: Leaf, operation: Callable[[Any, Any], Any], chains: int, length: int) -> tuple[float, float]:
    x = leaf(0.7)
    nodes = chains * length
    gc.collect()
    tracemalloc.start()
    results = []
    for _ in range(chains):
        y = leaf(0.5)
        for _ in range(length):
            y = operation(y, x)
        results.append(y)
    before = tracemalloc.get_traced_memory()[0]
    for y in results:
        y.backward()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return before / nodes, after / nodes


def scaling(rounds: int) -> Table:
    table = Table("Cost of a node, forward and backward, in a chain of + and *", "nodes", "a node")
    for exponent in range(3, 7):
        count = 10**exponent

        def step(count: int = count) -> None:
            y = x = Value(0.5)
            for _ in range(count // 2):
                y = y * 0.999 + x
            y.backward()

        repeats = max(1, 10**4 // count)

        def turn(step: Callable[[], None] = step, repeats: int = repeats) -> None:
            for _ in range(repeats):
                step()

        seconds = medians({"step": turn}, rounds)["step"]
        table.row(f"{count:,}", f"{seconds / repeats / count * 1e9:.0f} ns")
    return table


def import_time(rounds: int) -> Table:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # compiled once, as usual

    def seconds(code: str) -> float:
        command = [sys.executable, "-c", f"{code}; import time; print(time.process_time())"]
        return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)

    seconds("import autograd")
    pairs = [(seconds("pass"), seconds("import autograd")) for _ in range(4 * rounds)]
    bare, both = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
    table = Table("Start of the interpreter", "program", "time", "beside the bare one", "to reach")
    table.row("bare interpreter", f"{bare:.1f} ms")
    table.row("import autograd", f"{both:.1f} ms", f"{both / bare:.1f} times", "at most 2")
    return table


TABLES: dict[str, Callable[..., Table]] = {
    "moons": moons,
    "mlp": partial(beside_micrograd, "Moons network through each library's MLP", moons_through_an_mlp, 60),
    "gpt": partial(beside_micrograd, "Character-level GPT in plain operators", gpt, 15),
    "memory": memory,
    "scaling": scaling,
    "import": import_time,
    "torch-moons": partial(beside_torch, "Moons network in plain operators", moons_in_plain_operators),
    "torch-gpt": partial(beside_torch, "Character-level GPT in plain operators", gpt),
}  # PyTorch's last: the collector walks its modules as well


def main() -> int:
    parser = command_line(__file__, "Time and memory of Values beside micrograd and PyTorch scalars.", TABLES)
    parser.add_argument("--rounds", type=int, default=7, help="how often each step runs (default 7)")
    sys.setrecursionlimit(100_000)  # micrograd's topological sort is recursive
    return measure(__file__, parser.parse_args(), TABLES)


if __name__ == "__main__":
    sys.exit(main())
