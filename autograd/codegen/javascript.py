"""JavaScript, as an ES module with types in JSDoc; what Math lacks is in arithmetic.js."""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, ClassVar

from autograd.codegen.language import (
    ARITHMETIC,
    ATOM,
    CHOICE,
    COMPARISON,
    COMPARISONS,
    LOGICAL,
    MEANING,
    PRODUCT,
    SIGN,
    Body,
    Language,
    Operation,
    Written,
    call,
    filled,
    infix,
)

if TYPE_CHECKING:
    from autograd.codegen.interface import Part

OF_MATH = [
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cos", "cosh", "exp", "expm1", "log", "log10", "log1p",
    "log2", "sin", "sinh", "tan", "tanh",
]  # fmt: skip
KEYWORDS = [
    "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else",
    "enum", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import", "in",
    "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public", "return", "static",
    "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield", "arguments",
    "eval", "undefined", "NaN", "Infinity", "Math", "Array", "Object", "Float64Array", "ArrayBuffer", "RangeError",
    "Number",
]  # fmt: skip

FLAT = """\
// The numbers of nested arrays of this shape, row by row, or of a Float64Array that holds them so; null is any length.
const flat = (x, shape) => {
  const numbers = ArrayBuffer.isView(x) ? x : [x].flat(Infinity);
  const size = shape.reduce((product, n) => product * (n ?? 1), 1);
  if (shape.includes(null) ? size && numbers.length % size : numbers.length !== size) {
    throw new RangeError(`${numbers.length} numbers, where an array of shape [${shape}] belongs`);
  }
  return numbers;
};"""
NESTED = """\
// Numbers as nested arrays of this shape.
const nested = (numbers, shape) =>
  shape.slice(1).reduceRight((rows, length) => {
    const groups = [];
    for (let i = 0; i < rows.length; i += length) groups.push(rows.slice(i, i + length));
    return groups;
  }, Array.from(numbers));"""


@functools.cache
def definitions() -> dict[str, str]:
    """The functions and tables of arithmetic.js by name, with the comments before them."""
    text = files("autograd.codegen").joinpath("arithmetic.js").read_text(encoding="utf-8")
    blocks = [block.strip() for block in text.split("\n\n")]
    return {m[1]: block for block in blocks if (m := re.search(r"^const (\w+) = ", block, re.M))}


def called_by(code: str) -> list[str]:
    """The definitions of arithmetic.js that code calls, and of what they call in turn."""
    known = definitions()
    order: dict[str, None] = {}
    waiting = [name for name in known if re.search(rf"(?<![\w.]){name}\(", code)]
    while waiting:
        name = waiting.pop()
        if name not in order:
            order[name] = None
            waiting += [other for other in known if other != name and re.search(rf"(?<![\w.]){other}\b", known[name])]
    return [known[name] for name in known if name in order]


class JavaScript(Language):
    """An ES module."""

    name, extension = "JavaScript", ".js"
    vector = "number[]"  # the type of a result of one axis
    infinity, nan = "Infinity", "NaN"
    operations: ClassVar[Mapping[str, Operation]] = {
        **ARITHMETIC,
        **COMPARISONS,
        "fcmp oeq": infix("===", COMPARISON)._replace(operands=COMPARISONS["fcmp oeq"].operands),
        "fcmp une": infix("!==", COMPARISON)._replace(operands=COMPARISONS["fcmp une"].operands),
        **{name: call(f"Math.{name}") for name in OF_MATH},
        **{f"llvm.{name}": call(f"Math.{name}") for name in ("sqrt", "floor", "ceil", "trunc")},
        "llvm.fabs": call("Math.abs"),
        "llvm.rint": call("roundToEven"),
        "llvm.copysign": call("copysign", 2),
        "llvm.maximum": call("Math.max", 2),
        "llvm.minimum": call("Math.min", 2),
        "exp2": Operation("Math.pow(2, {})", ATOM, (CHOICE,)),
        "erf": call("erf"),
        "erfc": call("erfc"),
        "lgamma": call("lgamma"),
        "tgamma": call("tgamma"),
        "pow": call("pow", 2),
        "atan2": call("Math.atan2", 2),
        "hypot": call("Math.hypot", 2),
        "fmod": infix("%", PRODUCT),
        "select": Operation("{} ? {} : {}", CHOICE, (LOGICAL + 1, COMPARISON, COMPARISON)),
        "and": infix("&&", LOGICAL)._replace(operands=(COMPARISON, COMPARISON)),
        "or": infix("||", LOGICAL)._replace(operands=(COMPARISON, COMPARISON)),
        "not": Operation("!{}", SIGN, (ATOM,)),
    }
    reserved = frozenset([*KEYWORDS, "flat", "nested", "name", *definitions()])

    def of_bit(self, x: Written) -> Written:
        return Written(f"Number({x.text})")

    def whole(self, length: str) -> Written:
        return Written(length)

    def argument(self, part: "Part") -> str:
        return "_".join(part.path)

    def result(self, part: "Part") -> str:
        return "_".join(part.path)

    def assign_result(self, part: "Part", x: str) -> str:
        return f"const {self.result(part)} = {x};"

    def declare(self, name: str, x: Written, mutable: bool = False) -> str:
        return f"{'let' if mutable else 'const'} {name} = {x.text};"

    def loop(self, variable: str, count: str) -> str:
        return f"for (let {variable} = 0; {variable} < {count}; {variable}++) {{"

    def when(self, condition: Written) -> str:
        return f"if ({condition.text}) {{"

    def unless(self, condition: Written, status: int) -> list[str]:
        return [f'if (!{condition.inside(ATOM)}) throw new RangeError("{MEANING[status]}");']

    def leave(self, result: "Part", lengths: Mapping[int, str]) -> list[str]:
        return [f"return {self._structure(result, lengths)};"]

    def _structure(self, part: "Part", lengths: Mapping[int, str]) -> str:
        if part.kind == "fixed":
            return json.dumps(part.value) if isinstance(part.value, int | str | bool | None) else "null"
        if part.kind == "number":
            return self.result(part)
        if part.kind == "array":
            return self._array(part, lengths)
        children = [self._structure(child, lengths) for child in part.children]
        if part.container in ("list", "tuple"):
            return f"[{', '.join(children)}]"
        pairs = zip(part.children, children, strict=True)
        return f"{{ {', '.join([f'{_key(child.key)}: {text}' for child, text in pairs])} }}"

    def _array(self, part: "Part", lengths: Mapping[int, str]) -> str:
        name = self.result(part)
        if part.keys:
            return f"Object.fromEntries({_keys_name(part)}.map((name, i) => [name, {name}[i]]))"
        if part.type == "bool":
            name = f"Array.from({name}, Boolean)"
        if not part.shape:
            return f"{name}[0]"
        if len(part.shape) == 1:
            return f"Array.from({name})"
        shape = [lengths[part.region] if n is None else n for n in part.shape]
        return f"nested({name}, [{', '.join(map(str, shape))}])"

    def table(self, name: str, entries: Sequence[str], kind: str) -> list[str]:
        if kind == "double":
            return [f"const {name} = new Float64Array([", *filled(entries, "  "), "]);"]
        return [f"const {name} = [", *filled(entries, "  "), "];"]

    def module(self, name: str, about: Sequence[str], arguments: "Sequence[Part]", result: "Part", body: Body) -> str:
        before, documented, parameters, statements = self.pieces(about, arguments, result, body)
        head = f"export function {name}({parameters}) {{"
        return "\n\n".join([*before, "\n".join([*documented, head, *statements, "}"])]) + "\n"

    def pieces(
        self, about: Sequence[str], arguments: "Sequence[Part]", result: "Part", body: Body
    ) -> tuple[list[str], list[str], str, list[str]]:
        """What comes before a function, its documentation, parameters and statements."""
        inside = [*_unpacked(arguments)]
        for n, arrays in body.lengths.items():
            (first, size), *others = [("_".join(path), size) for path, size in arrays]
            inside.append(f"    const {n} = {first}.length / {size or 1};")
            for other, other_size in others:
                inside.append(
                    f"    if ({other}.length !== {_times(n, other_size)}) throw new RangeError("
                    f'"{first} and {other} have different numbers of rows");'
                )
        inside += self.memory(result, body)
        keyed = [p for a in [*arguments, result] for p in a.walk() if p.keys]
        keys = [line for p in keyed for line in self.table(_keys_name(p), [json.dumps(k) for k in p.keys], "index")]
        parameters = [p for p in arguments if p.kind != "fixed"]
        statements = [re.sub(r"^(?:    )+", lambda m: "  " * (len(m[0]) // 4), line) for line in [*inside, *body.lines]]
        whole = "\n".join(statements)
        helpers = [
            text for mark, text in (("flat(", FLAT), ("nested(", NESTED)) if re.search(rf"\b{mark[:-1]}\(", whole)
        ]
        helpers += called_by("\n".join([whole, *body.tables]))
        documented = [
            "/**", *[f" * {line}".rstrip() for line in about],
            *[f" * @param {{{_type(p)}}} {p.name}{_shape_in_words(p)}" for p in parameters],
            f" * @returns {{{_type(result, self.vector)}}}{_shape_in_words(result)}",
            f" * @throws {{RangeError}} if {', or '.join(MEANING.values())}", " */",
        ]  # fmt: skip
        documented[1:-1] = [line.replace("*/", "* /") for line in documented[1:-1]]
        constants = "\n".join([*keys, *body.tables])
        before = [*helpers, *([constants] if constants else [])]
        return before, documented, ", ".join([p.name for p in parameters]), statements

    def memory(self, result: "Part", body: Body) -> Iterator[str]:
        """Arrays for results, and for what is in between."""
        for part in result.walk():
            if part.kind == "array":
                count = _times(body.result_lengths[part.region], part.size) if None in part.shape else str(part.size)
                yield f"    const {self.result(part)} = new Float64Array({count});"
        if body.work:
            yield f"    const work = new Float64Array({body.work});"


def _times(n: str, size: int) -> str:
    return n if size == 1 else f"{n} * {size}"


def _key(key: object) -> str:
    text = str(key)
    return text if re.fullmatch(r"[A-Za-z_]\w*", text) else json.dumps(text)


def _keys_name(part: "Part") -> str:
    return f"{'_'.join(part.path)}_names".upper()


def _type(part: "Part", vector: str = "number[]") -> str:
    """The type of a part, as JSDoc has it.

    Args:
        vector: that of an array of one axis.
    """
    if part.kind == "fixed":
        return (
            "null" if part.value is None else "boolean" if isinstance(part.value, bool) else type(part.value).__name__
        )
    if part.kind == "number":
        return "boolean" if part.type == "bool" else "number"
    if part.kind == "array":
        return (
            "Object<string, number>"
            if part.keys
            else vector
            if len(part.shape) == 1
            else "number" + "[]" * len(part.shape)
        )
    if part.container in ("list", "tuple"):
        return f"[{', '.join([_type(child, vector) for child in part.children])}]"
    return f"{{{', '.join([f'{_key(c.key)}: {_type(c, vector)}' for c in part.children])}}}"


def _shape_in_words(part: "Part") -> str:
    if part.kind != "array" or part.keys:
        return ""
    return f" {' x '.join(['any number' if n is None else str(n) for n in part.shape])} of them; nested, or flat"


def _unpacked(arguments: "Sequence[Part]") -> Iterator[str]:
    """Statements that take the arguments apart."""

    def part(p: "Part", reached: str, top: bool) -> Iterator[str]:
        name = "_".join(p.path)
        declare = "" if top else "const "
        if p.kind == "array":
            shape = ", ".join(["null" if n is None else str(n) for n in p.shape])
            found = f"{_keys_name(p)}.map((name) => {reached}[name])" if p.keys else reached
            yield f"    {declare}{name} = flat({found}, [{shape}]);"
        elif p.kind == "number" and not top:
            yield f"    const {name} = {reached};"
        for child in p.children:
            step = f"[{child.key}]" if p.container in ("list", "tuple") else f"[{json.dumps(str(child.key))}]"
            simple = re.fullmatch(r"[A-Za-z_]\w*", str(child.key)) and p.container in ("dict", "object")
            yield from part(child, f"{reached}.{child.key}" if simple else reached + step, False)

    for argument in arguments:
        yield from part(argument, argument.name, True)
