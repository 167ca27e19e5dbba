"""C99: what functions of <math.h> do, with structs for structures; no memory is allocated, and nothing is kept."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from autograd.codegen.interface import Part
from autograd.codegen.language import (
    ARITHMETIC,
    ATOM,
    CHOICE,
    COMPARISON,
    COMPARISONS,
    LOGICAL,
    MEANING,
    SIGN,
    Body,
    Language,
    Operation,
    Written,
    call,
    filled,
    infix,
)

HELPERS = {
    "llvm.maximum": """\
/* The larger of two, 0.0 before -0.0; nan if either is. */
static double maximum(double x, double y)
{
    return x > y || x != x || (x == y && signbit(y)) ? x : y;
}""",
    "llvm.minimum": """\
/* The smaller of two, -0.0 before 0.0; nan if either is. */
static double minimum(double x, double y)
{
    return x < y || x != x || (x == y && signbit(x)) ? x : y;
}""",
}
ONE = [
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1",
    "log", "log10", "log1p", "log2", "lgamma", "sin", "sinh", "tan", "tanh", "tgamma",
]  # fmt: skip
TWO = ["atan2", "fmod", "hypot", "pow"]
KEYWORDS = [
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "main",
    "class", "namespace", "new", "delete", "this", "template", "true", "false", "bool", "INFINITY", "NAN", "signbit",
]  # fmt: skip


class C(Language):
    """C99, which C++ compilers take as well."""

    name, extension = "C", ".c"
    infinity, nan = "INFINITY", "NAN"
    tile = 8  # a register of AVX-512, two of AVX2, four of SSE2 and NEON
    operations: ClassVar[Mapping[str, Operation]] = {
        **ARITHMETIC,
        **COMPARISONS,
        **{name: call(name) for name in ONE},
        **{name: call(name, 2) for name in TWO},
        **{f"llvm.{name}": call(name) for name in ("fabs", "sqrt", "floor", "ceil", "trunc", "rint")},
        "llvm.copysign": call("copysign", 2),
        "llvm.maximum": call("maximum", 2),
        "llvm.minimum": call("minimum", 2),
        "select": Operation("{} ? {} : {}", CHOICE, (LOGICAL + 1, COMPARISON, COMPARISON)),
        "and": infix("&&", LOGICAL, COMPARISON)._replace(operands=(COMPARISON, COMPARISON)),
        "or": infix("||", LOGICAL, COMPARISON)._replace(operands=(COMPARISON, COMPARISON)),
        "not": Operation("!{}", SIGN, (ATOM,)),
    }
    reserved = frozenset([*KEYWORDS, *ONE, *TWO, "fabs", "sqrt", "floor", "ceil", "trunc", "rint", "copysign",
                          "maximum", "minimum"])  # fmt: skip

    def operation(self, op: str, count: int) -> Operation:
        """Functions of the C library by their names, also those that are in no table."""
        return self.operations.get(op) or (call(op, count) if op.isidentifier() else super().operation(op, count))

    def of_bit(self, x: Written) -> Written:
        return Written(f"(double){x.inside(ATOM)}", SIGN)

    def whole(self, length: str) -> Written:
        return Written(f"(double){length}", SIGN)

    def argument(self, part: Part) -> str:
        return _member(part)

    def result(self, part: Part) -> str:
        return "*result" if part.kind == "number" and len(part.path) == 1 else _member(part)

    def declare(self, name: str, x: Written, mutable: bool = False) -> str:
        return f"{'' if mutable else 'const '}{'int' if x.bit else 'double'} {name} = {x.text};"

    def loop(self, variable: str, count: str) -> str:
        return f"for (long {variable} = 0; {variable} < {count}; ++{variable}) {{"

    def tiles(self, variable: str, count: str, last: str, at: str, each: str) -> list[str]:
        size = self.tile
        return [
            f"for (long {variable} = 0; {variable} < {count}; {variable} += {size}) {{",
            f"const long {last} = {count} - {variable} < {size} ? {count} - {variable} : {size};",
            f"long {at}[{size}];",
            f"for (long {each} = 0; {each} < {size}; ++{each}) {{",
            f"    {at}[{each}] = {variable} + ({each} < {last} ? {each} : {last} - 1);",
            "}",
        ]

    def array(self, name: str) -> str:
        return f"double {name}[{self.tile}];"

    def when(self, condition: Written) -> str:
        return f"if ({condition.text}) {{"

    def unless(self, condition: Written, status: int) -> list[str]:
        return [f"if (!{condition.inside(ATOM)}) return {status};"]

    def leave(self, result: Part, lengths: Mapping[int, str]) -> list[str]:
        return ["return 0;"]

    def table(self, name: str, entries: Sequence[str], kind: str) -> list[str]:
        c_type = "double"
        if kind == "index":
            c_type = "unsigned short" if max(map(int, entries)) < 2**16 else "unsigned long"
        return [f"static const {c_type} {name}[{len(entries)}] = {{", *filled(entries), "};"]

    def module(self, name: str, about: Sequence[str], arguments: Sequence[Part], result: Part, body: Body) -> str:
        declarations, signature = self.declarations(name, arguments, result, body)
        uses = "\n".join(body.lines)
        quiet = [f"    (void){p.name};" for p in arguments if p.kind != "fixed" and not _mentions(uses, p.name)]
        quiet += [f"    (void){n};" for n in body.lengths if not _mentions(uses, n)]
        arrays = [f"    double {array}[{n}];" for array, n in (("work", body.work), ("lanes", body.lanes)) if n]
        helpers = [text for op, text in HELPERS.items() if op in body.called]
        pieces = [
            "\n".join(["/*", *[f" * {line}".rstrip() for line in _safe(about)], " */"]),
            "#include <math.h>",
            "#if defined(__clang__) || !defined(__GNUC__)\n#pragma STDC FP_CONTRACT OFF\n#endif",
            *declarations,
            *helpers,
            *(["\n".join(body.tables)] if body.tables else []),
            "\n".join([
                signature, "{", *arrays, *quiet, *body.lines, "}",
            ]),
        ]  # fmt: skip
        return "\n\n".join(pieces) + "\n"

    def declarations(self, name: str, arguments: Sequence[Part], result: Part, body: Body) -> tuple[list[str], str]:
        """The structs, and the function's head."""
        structs = [text for p in [*arguments, result] for text in _structs(name, p)]
        parameters = [f"long {n}" for n in body.lengths]
        for part in arguments:
            if part.kind == "number":
                parameters.append(f"double {part.name}")
            elif part.kind == "array":
                parameters.append(f"const double *{part.name}")
            elif part.kind == "group":
                parameters.append(f"const struct {_struct_name(name, part)} *{part.name}")
        kind = f"struct {_struct_name(name, result)}" if result.kind == "group" else "double"
        if result.kind != "fixed":
            parameters.append(f"{kind} *result")
        return structs, f"int {name}({', '.join(parameters) or 'void'})"

    def header(self, name: str, about: Sequence[str], arguments: Sequence[Part], result: Part, body: Body) -> str:
        """What other files include."""
        structs, signature = self.declarations(name, arguments, result, body)
        guard = f"{name.upper()}_H"
        linkage = '#ifdef __cplusplus\nextern "C" {\n#endif', "#ifdef __cplusplus\n}\n#endif"
        comment = "\n".join(["/*", *[f" * {line}".rstrip() for line in _safe(about)], " */"])
        pieces = [comment, f"#ifndef {guard}\n#define {guard}", linkage[0], *structs, f"{signature};", linkage[1],
                  "#endif"]  # fmt: skip
        return "\n\n".join(pieces) + "\n"


def about_layout(name: str, arguments: Sequence[Part], result: Part, body: Body) -> list[str]:
    """What C cannot say of its parameters: shapes, and what the numbers of arrays are."""
    lines = [f"{n}: how many {' and '.join('.'.join(path) for path, _ in arrays)} there are"
             for n, arrays in body.lengths.items()]  # fmt: skip
    for part in [p for a in [*arguments, result] for p in a.walk()]:
        text = "->".join(part.path[:2]) + "".join(f".{x}" for x in part.path[2:])
        if part.kind == "array":
            shape = "".join(f"[{_free(part, arguments, body) if n is None else n}]" for n in part.shape)
            order = ", row by row" if len(part.shape) > 1 else ""
            lines.append(f"{text}{shape}{order}{_of_keys(part.keys)}")
        elif part.kind == "number" and isinstance(part.key, str) and part.key != part.name:
            lines.append(f"{text}: {part.key}")
        elif part.kind == "fixed" and part.value is not None and part is not result:
            lines.append(f"{text}: {part.value!r:.60}, which is part of the code")
    lines.append("returns 0" + "".join(f", {status} if {meaning}" for status, meaning in MEANING.items()))
    lines.append("Results hold nothing of use unless it returns 0.")
    return lines


def _free(part: Part, arguments: Sequence[Part], body: Body) -> str:
    for n, arrays in body.lengths.items():
        if any(path == part.path for path, _ in arrays):
            return n
    return next(iter(body.lengths), "n")


def _of_keys(keys: Sequence[str]) -> str:
    if not keys:
        return ""
    return f": {', '.join(keys)}" if len(keys) <= 40 else f": {keys[0]}, {keys[1]}, ... {keys[-1]}"


def _safe(about: Sequence[str]) -> list[str]:
    return [line.replace("*/", "* /").replace("/*", "/ *").replace("??/", "? ?/") for line in about]


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


def _member(part: Part) -> str:
    first, *rest = part.path
    return first if not rest else f"{first}->{'.'.join(rest)}"


def _struct_name(function: str, part: Part) -> str:
    return "_".join([function, *part.path])


def _structs(function: str, part: Part) -> Iterator[str]:
    """The definitions of a group's struct, those that it contains first."""
    if part.kind != "group":
        return
    for child in part.children:
        yield from _structs(function, child)
    fields = []
    for child in part.children:
        if child.kind == "number":
            fields.append(f"    double {child.name};")
        elif child.kind == "array" and None in child.shape:
            constant = "const " if child.position >= 0 else ""
            fields.append(f"    {constant}double *{child.name};")
        elif child.kind == "array":
            fields.append(f"    double {child.name}[{child.size or 1}];")
        elif child.kind == "group":
            fields.append(f"    struct {_struct_name(function, child)} {child.name};")
    yield "\n".join([f"struct {_struct_name(function, part)} {{", *(fields or ["    char unused;"]), "};"])
