"""Sequential and Residual: modules made of other modules."""

from typing import Any

from nn.module import Module


class Sequential(Module):
    """Modules or functions, each called with the result of the one before.

    Example:
        >>> from nn import Layer, PReLU
        >>> model = Sequential(Layer(2, 3, nonlin=False), PReLU(), Layer(3, 1, nonlin=False))
        >>> len(model.parameters())
        14
    """

    def __init__(self, *modules: Any):
        for module in modules:
            if not callable(module):
                raise TypeError(f"{type(self).__name__} takes Modules, got {type(module).__name__} {module!r:.60}")
        self.modules = list(modules)

    def __call__(self, x: Any) -> Any:
        for module in self.modules:
            x = module(x)
        return x

    def config(self) -> dict[str, Any]:
        return {"modules": self.modules}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.modules))})"


class Residual(Sequential):
    """x + f(x), f being modules or functions one after the other: a way around them for numbers and gradients.

    He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2015.

    Called with a number or lists of numbers, of whatever shape; f has to give as many in the same shape.

    Errors: ValueError when called, if it does not.

    Example:
        >>> from nn import Layer, Tanh
        >>> block = Residual(Layer(2, 8, activation="tanh"), Layer(8, 2, nonlin=False))
        >>> len(block([1.0, 2.0])), Residual(Tanh())(0.0)
        (2, 0.0)
    """

    def __call__(self, x: Any) -> Any:
        return _added(x, super().__call__(x))


def _added(x: Any, y: Any) -> Any:
    if not isinstance(x, list) or not isinstance(y, list):
        if isinstance(x, list) or isinstance(y, list):
            raise ValueError(f"Residual adds what its modules give to {_kind(x)}, and that is {_kind(y)}")
        return x + y
    if len(x) != len(y):
        raise ValueError(f"Residual adds what its modules give to {_kind(x)}, and that is {_kind(y)}")
    return [_added(*pair) for pair in zip(x, y, strict=True)]


def _kind(x: Any) -> str:
    return f"a list of {len(x)}" if isinstance(x, list) else "one number"
