"""Which derivative: what valuegrad, PyTorch and JAX answer where more than one answer is possible.

    python -m pip install . torch jax
    python -m benchmarks.kinks

Nothing is timed. `nan` beside a number is the price of multiplying by 0 what should not have been there.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import autograd
from benchmarks.table import Table, command_line, measure

F = Callable[[Any, Any], Any]  # a formula of a module of functions and x

CASES: list[tuple[str, float, F]] = [
    ("relu(x)", 0.0, lambda np, x: np.relu(x)),
    ("abs(x)", 0.0, lambda np, x: abs(x)),
    ("sign(x)", 0.0, lambda np, x: np.sign(x)),
    ("floor(x)", 1.0, lambda np, x: np.floor(x)),
    ("maximum(x, 1)", 1.0, lambda np, x: np.maximum(x, np.number(1.0))),
    ("clip(x, 0, 1)", 1.0, lambda np, x: np.clip(x, 0.0, 1.0)),
    ("hypot(x, 0)", 0.0, lambda np, x: np.hypot(x, np.number(0.0))),
    ("norm([x, x])", 0.0, lambda np, x: np.norm(np.stack([x, x]))),
    ("x**0", 0.0, lambda np, x: x**0),
    ("sqrt(x)", 0.0, lambda np, x: np.sqrt(x)),
    ("where(x > 0, sqrt(x), 0)", 0.0, lambda np, x: np.where(x > 0, np.sqrt(x), np.number(0.0))),
    ("where(x > 0, x log(x), 0)", 0.0, lambda np, x: np.where(x > 0, x * np.log(x), np.number(0.0))),
    ("log(1 + exp(x))", 1000.0, lambda np, x: np.log(1 + np.exp(x))),
    ("softplus(x)", 1000.0, lambda np, x: np.softplus(x)),
]


class Ours:
    number, stack = float, list

    def __getattr__(self, name: str) -> Any:
        return getattr(autograd, name)

    @staticmethod
    def derivative(f: F, x: float) -> float:
        return autograd.grad(lambda x: f(Ours(), x))(x)


class PyTorch:
    def __init__(self) -> None:
        import torch

        self.torch = torch
        self.norm, self.softplus = torch.linalg.norm, torch.nn.functional.softplus

    def __getattr__(self, name: str) -> Any:
        return getattr(self.torch, name)

    def number(self, x: float) -> Any:
        return self.torch.tensor(x, dtype=self.torch.float64)

    def derivative(self, f: F, x: float) -> float:
        return self.torch.func.grad(lambda x: f(self, x))(self.number(x)).item()


class Jax:
    number = float

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax = jax
        self.relu, self.softplus, self.norm = jax.nn.relu, jax.nn.softplus, jax.numpy.linalg.norm

    def __getattr__(self, name: str) -> Any:
        return getattr(self.jax.numpy, name)

    def derivative(self, f: F, x: float) -> float:
        return float(self.jax.grad(lambda x: f(self, x))(x))


def derivatives() -> Table:
    others = {"torch": ("PyTorch", PyTorch), "jax": ("JAX", Jax)}
    libraries: dict[str, Any] = {"valuegrad": Ours()} | {
        title: made() for name, (title, made) in others.items() if find_spec(name)
    }
    table = Table("Derivatives where there is more than one answer", "what", "x", *libraries)
    for formula, x, f in CASES:
        answers = [library.derivative(f, x) for library in libraries.values()]
        table.row(f"`{formula}`", f"{x:g}", *(f"{answer:g}" for answer in answers))
    return table


TABLES = {"derivatives": derivatives}

if __name__ == "__main__":
    sys.exit(measure(__file__, command_line(__file__, __doc__, TABLES).parse_args(), TABLES))
