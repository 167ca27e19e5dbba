"""Why a trace is given up. Thrown through the traced function, past its `except Exception`."""


class Again(BaseException):
    """Trace anew, with this vmap as a plain loop."""

    def __init__(self, vmap: int):
        super().__init__(vmap)
        self.vmap = vmap


class Static(BaseException):
    """Trace anew, with these integers among the arguments as part of the program.

    Args:
        positions: which of the integers.
        names: the arguments that they are in.
    """

    def __init__(self, positions: frozenset[int], names: tuple[str, ...]):
        super().__init__(positions, names)
        self.positions, self.names = positions, names


class Uncompilable(BaseException):
    """Compiled code cannot do what the function does, for the reason given."""
