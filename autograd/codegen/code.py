"""Exported code, and how it comes about."""

import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autograd.codegen.c import C, about_layout
from autograd.codegen.interface import Part, identifier
from autograd.codegen.javascript import JavaScript
from autograd.codegen.language import Language
from autograd.codegen.printer import Printer
from autograd.codegen.programs import exportable
from autograd.codegen.python import Python
from autograd.codegen.wasm import WebAssembly, called
from autograd.files import write_atomically
from autograd.transforms.call import name_of

LANGUAGES: dict[str, Language] = {"c": C(), "javascript": JavaScript(), "python": Python(), "wasm": WebAssembly()}


class Code(NamedTuple):
    """Exported code: `str(code)` is its text.

    Attributes:
        language: "c", "javascript", "python" or "wasm".
        name: of its function.
        text: the code.
        header: of C, what other files include; else "".
        binary: of WebAssembly the module, which is in the text as well; else b"".
        arguments, result: what goes in and comes out, see autograd/codegen/interface.py.
        lengths: of C, the free lengths, which are the first parameters, each with the paths of the arrays that have it.
    """

    language: str
    name: str
    text: str
    header: str
    arguments: Sequence[Part]
    result: Part
    lengths: Mapping[str, Sequence[tuple[str, ...]]]
    binary: bytes = b""

    def __str__(self) -> str:
        return self.text

    def save(self, path: "str | Path") -> None:
        """Write the code to a file; beside it, of the same name, of C also a header, and of WebAssembly the class that
        calls the module, `.mjs`."""
        path = Path(path)
        if self.binary:
            write_atomically(path.with_suffix(".wasm"), self.binary)
            path = path.with_suffix(".mjs")
        write_atomically(path, self.text.encode())
        if self.header:
            write_atomically(path.with_suffix(".h"), self.header.encode())


def write(
    f: Callable[..., Any],
    examples: Sequence[Sequence[Any]],
    language: str,
    name: str | None,
    results: Sequence[str],
    about: str | None,
) -> Code:
    """The code of a function. Args: as of export."""
    if language not in LANGUAGES:
        raise ValueError(f"export: unknown language {language!r}; choose from {', '.join(map(repr, LANGUAGES))}")
    writer = LANGUAGES[language]
    program = exportable(f, examples, results, writer)
    function = identifier(name or name_of(f), writer.reserved)
    if not function.strip("_").isidentifier() or "lambda" in function:
        function = "f"
    printer = Printer(writer, program)
    body = called(writer, program, printer) if isinstance(writer, WebAssembly) else printer.body()
    described = about if about is not None else (inspect.getdoc(f) or "").partition("\n\n")[0]
    lines = [f"{function}: {line}" if not i else line for i, line in enumerate(textwrap.wrap(described, 100) or [""])]
    lines[0] = lines[0].rstrip(": ")
    result = program.ways[0].result
    lines += ["", f"Written by autograd.export of valuegrad {sys.modules['autograd'].__version__}."]
    if language == "c":
        lines += ["Compile with: cc -std=c99 -O3 -ffp-contract=off -c FILE.c, and link with -lm", ""]
        lines += about_layout(function, program.arguments, result, body)
    text = writer.module(function, lines, program.arguments, result, body)
    header = writer.header(function, lines, program.arguments, result, body) if isinstance(writer, C) else ""
    lengths = {n: [path for path, _ in arrays] for n, arrays in body.lengths.items()}
    return Code(language, function, text, header, program.arguments, result, lengths, body.binary)
