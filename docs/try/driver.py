"""Runs a cell as a notebook does: in one namespace, and the last expression is shown."""

import ast
import linecache
import sys
import traceback
from collections.abc import Callable
from typing import Any

FILE = "<cell>"
namespace: dict[str, Any] = {"__name__": "__main__"}


class Output:
    """What stands in for sys.stdout: print goes to the page at once."""

    def __init__(self, show: Callable[[str, str], None]):
        self.show = show

    def write(self, text: str) -> int:
        if text:
            self.show("text", text)
        return len(text)

    def flush(self) -> None:
        pass


def run(source: str, show: Callable[[str, str], None]) -> bool:
    """Executes source; `show(kind, content)` gets what there is to see: kind is text, svg, html or error.

    Returns: whether it went through.
    """
    sys.stdout = sys.stderr = Output(show)
    linecache.cache[FILE] = len(source), None, source.splitlines(keepends=True), FILE
    try:
        tree = ast.parse(source, FILE)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, FILE, "exec"), namespace)
        if isinstance(last, ast.Expr):
            result = eval(compile(ast.Expression(last.value), FILE, "eval"), namespace)
            if result is not None:
                namespace["_"] = result
                show(*shown(result))
    except BaseException as error:
        show("error", readable(error))
        return False
    return True


def shown(result: Any) -> tuple[str, str]:
    """The richest form of an object that this page can show."""
    if hasattr(result, "pipe"):
        return "svg", result.pipe("svg", encoding="utf-8")
    if hasattr(result, "html"):
        return "html", result.html
    return "text", f"{result!r}\n"


def readable(error: BaseException) -> str:
    """The traceback from the cell on, without what called it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != FILE:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))
