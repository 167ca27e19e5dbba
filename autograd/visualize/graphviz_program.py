"""A Digraph that finds a program to lay it out: the system's `dot`, else `graphviz-pure`."""

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    import graphviz
    from graphviz.backend import dot_command
except ImportError as error:
    from autograd.extras import needs

    raise ImportError(needs("a picture of a graph", "graphviz", "graphviz-pure")) from error


SYSTEM = "(apt install graphviz, brew install graphviz, winget install graphviz)"
FORMATS: frozenset[str] = frozenset(graphviz.FORMATS)


Layout = Callable[[str, str], str | bytes]  # DOT text and a format, such as "svg", to what is to be shown
_layout: Layout | None = None


def lay_out_with(layout: Layout | None) -> None:
    """Let a function lay out the graphs of `draw` and `page` in place of a program; None for the program again.

    Args:
        layout: called with DOT text and a format, it returns the picture as text or bytes. In a browser, where no
            program runs, it is a Graphviz compiled to WebAssembly.

    Example:
        >>> from autograd import Value, draw
        >>> lay_out_with(lambda dot, format: f"<svg><!-- {len(dot.splitlines())} lines --></svg>")
        >>> draw(Value(2.0) * 3).pipe("svg", encoding="utf-8")
        '<svg><!-- 12 lines --></svg>'
        >>> lay_out_with(None)
    """
    global _layout
    _layout = layout


class RendererNotFound(RuntimeError):
    """No program that lays out graphs works on this machine."""


class Picture(graphviz.Digraph):  # type: ignore[misc]  # graphviz has no types
    """A graphviz.Digraph; its `pipe`, `render` and notebook display also work where only graphviz-pure is installed.

    Attributes:
        text: gives the graph as lines of text, which a terminal shows.
    """

    text: Callable[[], str] | None = None

    def __repr__(self) -> str:
        return super().__repr__() if self.text is None else self.text()

    def pipe(self, format: str | None = None, *args: Any, encoding: str | None = None, **kwargs: Any) -> Any:
        if _layout is not None:
            picture = _layout(self.source, format or self.format)
            raw = picture.encode() if isinstance(picture, str) else picture
            return raw.decode(encoding) if encoding else raw
        pipe = super().pipe
        # graphviz-pure warns of each σ: no font metrics
        return _laid_out(lambda: pipe(format, *args, encoding=encoding, **{"quiet": True, **kwargs}))

    def render(self, *args: Any, **kwargs: Any) -> Any:
        render = super().render
        return _laid_out(lambda: render(*args, **{"quiet": True, **kwargs}))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **kwargs: Any) -> Any:
        """SVG and PNG: of a notebook that somebody else has run Jupyter shows no SVG, and then takes the PNG. With them
        the graph in words, for those who do not see the picture."""
        include = {self._jupyter_mimetype, "image/png"} if include is None else include
        bundle: dict[str, Any] = super()._repr_mimebundle_(include, exclude, **kwargs)
        alt = "A graph: " + "; ".join(" ".join(line.split()) for line in repr(self).splitlines())
        return bundle, {kind: {"alt": alt} for kind in bundle}


def _laid_out(run: Callable[[], Any]) -> Any:
    """What the program makes of a graph. Where the system's `dot` fails, graphviz-pure is tried in its place.

    A `dot` may fail on every graph (a broken installation) or on one format only (no plugin for it), so that the next
    graph asks it again.

    Errors: RendererNotFound, with what `dot` said, if it fails and there is no graphviz-pure; what `dot` raised, if
    graphviz-pure fails as well: the fault is then in the graph or in what was asked for.
    """
    use_installed_program()
    try:
        return run()
    except (subprocess.CalledProcessError, OSError) as error:
        first, program = dot_command.DOT_BINARY, _graphviz_pure()
        if program is None:
            said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip() or str(error)
            raise RendererNotFound(
                f"the Graphviz program {first} failed: {said:.200}. Repair it, or install another one: "
                "python -m pip install graphviz-pure"
            ) from error
        if first == Path(program):
            if b"not recognized" in (getattr(error, "stderr", None) or b""):
                raise RendererNotFound(
                    "graphviz-pure writes SVG and PNG only. For PDF and other formats install the system's Graphviz "
                    f"{SYSTEM}, or draw an SVG and print it to PDF from a browser"
                ) from error
            raise
        dot_command.DOT_BINARY = Path(program)
        try:
            return run()
        except (subprocess.CalledProcessError, OSError):
            raise error from None
        finally:
            dot_command.DOT_BINARY = first


def use_installed_program() -> None:
    """Let the graphviz package run graphviz-pure if there is no `dot`; nothing changes where there is one.

    Errors: RendererNotFound if neither is there, with the ways to get one.
    """
    if shutil.which(dot_command.DOT_BINARY):
        return
    program = shutil.which("dot") or _graphviz_pure()
    if program is None:
        raise RendererNotFound(
            "laying out a graph needs Graphviz: python -m pip install graphviz-pure, or install the system's "
            f"{SYSTEM}. Without either, "
            "`.source` of the drawing is its DOT text, and draw(v, file='graph.dot') writes it"
        )
    dot_command.DOT_BINARY = Path(program)


def _graphviz_pure() -> str | None:
    """The program that `pip install graphviz-pure` put beside this Python, which need not be on the PATH."""
    return shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
