"""A Digraph that finds a program to lay it out: the system's `dot`, else `graphviz-pure`."""

import shutil
import sysconfig
from pathlib import Path
from typing import Any

try:
    import graphviz
    from graphviz.backend import dot_command
except ImportError as error:
    from autograd.extras import needs

    raise ImportError(needs("a picture of a graph", "graphviz", "graphviz-pure")) from error


FORMATS: frozenset[str] = frozenset(graphviz.FORMATS)


class RendererNotFound(RuntimeError):
    """Neither `dot` nor `graphviz-pure` is on this machine."""


class Picture(graphviz.Digraph):  # type: ignore[misc]  # graphviz has no types
    """A graphviz.Digraph; its `pipe`, `render` and notebook display also work where only graphviz-pure is installed."""

    def pipe(self, *args: Any, **kwargs: Any) -> Any:
        use_installed_program()
        return super().pipe(*args, **{"quiet": True, **kwargs})  # graphviz-pure warns of each σ: no font metrics

    def render(self, *args: Any, **kwargs: Any) -> Any:
        use_installed_program()
        return super().render(*args, **{"quiet": True, **kwargs})

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **kwargs: Any) -> dict[str, Any]:
        """SVG and PNG: of a notebook that somebody else has run Jupyter shows no SVG, and then takes the PNG."""
        include = {self._jupyter_mimetype, "image/png"} if include is None else include
        bundle: dict[str, Any] = super()._repr_mimebundle_(include, exclude, **kwargs)
        return bundle


def use_installed_program() -> None:
    """Let the graphviz package run graphviz-pure if there is no `dot`; nothing changes where there is one.

    Errors: RendererNotFound, if there is neither, with the ways to get one.
    """
    if shutil.which(dot_command.DOT_BINARY):
        return
    program = shutil.which("dot") or _graphviz_pure()
    if program is None:
        raise RendererNotFound(
            "laying out a graph needs Graphviz: python -m pip install graphviz-pure, or install the system's Graphviz "
            "(apt install graphviz, brew install graphviz, winget install graphviz). Without either, "
            "`.source` of the drawing is its DOT text, and draw(v, file='graph.dot') writes it"
        )
    dot_command.DOT_BINARY = Path(program)


def _graphviz_pure() -> str | None:
    """The program that `pip install graphviz-pure` put beside this Python, which need not be on the PATH."""
    return shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
