"""Why a trace is given up. BaseExceptions, so that the traced function's `except Exception` does not catch them."""


class Again(BaseException):
    """Restart tracing with this vmap as a plain loop."""

    def __init__(self, vmap: int):
        super().__init__(vmap)
        self.vmap = vmap


class Static(BaseException):
    """Restart tracing with these integers among the arguments as part of the program.

    Args:
        positions: which of the integers.
        names: the arguments that they are in.
    """

    def __init__(self, positions: frozenset[int], names: tuple[str, ...]):
        super().__init__(positions, names)
        self.positions, self.names = positions, names


class Uncompilable(BaseException):
    """Compiled code cannot do what the function does, for the reason given."""
