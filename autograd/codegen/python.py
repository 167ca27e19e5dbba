"""Python that needs `math` alone; where that raises, the functions of ieee.py, which are copied into the code."""

import ast
import builtins
import functools
import inspect
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import ClassVar

from autograd import ieee
from autograd.codegen.interface import Part
from autograd.codegen.language import (
    ARITHMETIC,
    ATOM,
    CHOICE,
    COMPARISON,
    COMPARISONS,
    LOGICAL,
    MEANING,
    Body,
    Language,
    Operation,
    Written,
    call,
    filled,
    infix,
)

TOTAL = [  # those of math that raise
    "acos", "acosh", "asin", "atanh", "cos", "cosh", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "sin",
    "sinh", "tan",
]  # fmt: skip
WHOLE = ["asinh", "atan", "cbrt", "erf", "erfc", "tanh"]  # those that do not
RENAMED = {"sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "round"}

FLAT = '''\
def _flat(x, shape):
    """The numbers of nested sequences of this shape, row by row; None is any length."""
    if not shape:
        return [float(x)]
    if shape[0] is not None and len(x) != shape[0]:
        raise ValueError(f"{len(x)} entries where {shape[0]} belong")
    if len(shape) == 1:
        return [float(number) for number in x]
    return [number for row in x for number in _flat(row, shape[1:])]'''
NESTED = '''\
def _nested(numbers, shape):
    """Numbers as nested lists of this shape."""
    for length in shape[:0:-1]:
        numbers = [numbers[i : i + length] for i in range(0, len(numbers), length)]
    return numbers'''
ERROR = '''\
class UnknownBranch(ValueError):
    """The numbers take a branch that no example took."""'''


class Python(Language):
    """Python 3.11 or later."""

    name, extension = "Python", ".py"
    comment, end, close = "#", "", ""
    infinity, nan = "math.inf", "math.nan"
    operations: ClassVar[Mapping[str, Operation]] = {
        **ARITHMETIC,
        **COMPARISONS,
        "fdiv": call("_div", 2),
        **{name: call(f"_{name}") for name in TOTAL},
        **{name: call(f"math.{name}") for name in WHOLE},
        **{f"llvm.{name}": call(f"_{function}") for name, function in RENAMED.items()},
        "tgamma": call("_gamma"),
        "lgamma": call("_lgamma"),
        "pow": call("_pow", 2),
        "fmod": call("_fmod", 2),
        "atan2": call("math.atan2", 2),
        "hypot": call("math.hypot", 2),
        "llvm.fabs": call("abs"),
        "llvm.copysign": call("math.copysign", 2),
        "llvm.maximum": call("_maximum", 2),
        "llvm.minimum": call("_minimum", 2),
        "select": Operation("{1} if {0} else {2}", CHOICE, (LOGICAL, LOGICAL, CHOICE)),
        "and": infix("and", LOGICAL)._replace(operands=(COMPARISON, COMPARISON)),
        "or": infix("or", LOGICAL)._replace(operands=(COMPARISON, COMPARISON)),
        "not": Operation("not {}", LOGICAL, (ATOM,)),
    }
    reserved = frozenset([*keyword.kwlist, *dir(builtins), "math"])

    def of_bit(self, x: Written) -> Written:
        return Written(f"float({x.text})")

    def whole(self, length: str) -> Written:
        return Written(f"float({length})")

    def argument(self, part: Part) -> str:
        return "_".join(part.path)

    def result(self, part: Part) -> str:
        return "_".join(part.path)

    def assign_result(self, part: Part, x: str) -> str:
        return self.assign(self.result(part), f"int({x})" if part.type == "int" else x)

    def declare(self, name: str, x: Written, mutable: bool = False) -> str:
        return f"{name} = {x.text}"

    def loop(self, variable: str, count: str) -> str:
        return f"for {variable} in range({count}):"

    def when(self, condition: Written) -> str:
        return f"if {condition.text}:"

    def unless(self, condition: Written, status: int) -> list[str]:
        error = {1: "UnknownBranch", 2: "IndexError", 3: "OverflowError"}[status]
        return [f"if not {condition.inside(ATOM)}:", f'    raise {error}("{MEANING[status]}")']

    def leave(self, result: Part, lengths: Mapping[int, str]) -> list[str]:
        return [f"return {self._structure(result, lengths)}"]

    def _structure(self, part: Part, lengths: Mapping[int, str]) -> str:
        if part.kind == "fixed":
            return repr(part.value) if isinstance(part.value, int | float | str | bytes | bool | None) else "None"
        if part.kind == "number":
            return self.result(part)
        if part.kind == "array":
            return self._array(part, lengths)
        children = [self._structure(child, lengths) for child in part.children]
        if part.container == "list":
            return f"[{', '.join(children)}]"
        if part.container == "tuple":
            return f"({', '.join(children)}{',' * (len(children) == 1)})"
        pairs = [f"{_literal(child.key)}: {x}" for child, x in zip(part.children, children, strict=True)]
        return f"{{{', '.join(pairs)}}}"

    def _array(self, part: Part, lengths: Mapping[int, str]) -> str:
        name = self.result(part)
        shape = [lengths[part.region] if n is None else n for n in part.shape]
        if part.keys:
            return f"dict(zip({_keys_name(part)}, {name}))"
        if part.type == "bool":
            name = f"list(map(bool, {name}))"
        if len(part.shape) == 1:
            return f"tuple({name})" if part.container == "tuple" else name
        return f"{name}[0]" if not part.shape else f"_nested({name}, ({', '.join(map(str, shape))}))"

    def table(self, name: str, entries: Sequence[str], kind: str) -> list[str]:
        return [f"{name} = (", *filled(entries), ")"]

    def module(self, name: str, about: Sequence[str], arguments: Sequence[Part], result: Part, body: Body) -> str:
        parts = [p for a in arguments for p in a.walk()]
        inside = [*_unpacked(arguments)]
        text = "\n".join(body.lines)
        for n, arrays in body.lengths.items():
            (first, size), *others = [("_".join(path), size) for path, size in arrays]
            inside.append(f"    {n} = len({first}) // {size or 1}")
            for other, other_size in others:
                inside += [
                    f"    if len({other}) != {n} * {other_size}:",
                    f'        raise ValueError(f"{{{n}}} rows in {first}, and another number in {other}")',
                ]
        for part in result.walk():
            if part.kind == "array":
                length = f" * {body.result_lengths[part.region]}" if None in part.shape else ""
                inside.append(f"    {self.result(part)} = [0.0] * {part.size}{length}")
        if body.work:
            inside.append(f"    work = [0.0] * {body.work}")
        keys = {_keys_name(p): p.keys for p in [*parts, *result.walk()] if p.keys}
        tables = [line for k, names in keys.items() for line in self.table(k, [repr(x) for x in names], "index")]
        parameters = ", ".join([p.name for p in arguments if p.kind != "fixed"])
        function = [f"def {name}({parameters}):", *_docstring(about), *inside, *body.lines]
        whole = "\n".join([*inside, text])
        pieces = [
            "import math",
            *([ERROR] if "UnknownBranch" in whole else []),
            *([FLAT] if "_flat(" in whole else []),
            *([NESTED] if "_nested(" in whole else []),
            *_copied(re.findall(r"(?<![\w.])_(\w+)\(", whole)),
        ]
        constants = "\n".join([*tables, *body.tables])
        pieces += [constants] if constants else []
        return "\n\n\n".join([*pieces, "\n".join(function)]) + "\n"


def _literal(key: object) -> str:
    return repr(key) if isinstance(key, str | int | float | bool) else repr(str(key))


def _keys_name(part: Part) -> str:
    return f"{'_'.join(part.path)}_names".upper()


def _docstring(about: Sequence[str]) -> list[str]:
    lines = [line.replace("\\", "\\\\").replace('"""', "'''") for line in about]
    if len(lines) == 1:
        return [f'    """{lines[0]}"""']
    return [f'    """{lines[0]}', *[f"    {line}".rstrip() for line in lines[1:]], '    """']


def _unpacked(arguments: Sequence[Part]) -> Iterator[str]:
    """Statements that take the arguments apart."""

    def part(p: Part, reached: str) -> Iterator[str]:
        name = "_".join(p.path)
        if p.kind == "number":
            yield f"    {name} = float({reached})"
        elif p.kind == "array":
            found = f"[{reached}[name] for name in {_keys_name(p)}]" if p.keys else reached
            shape = ", ".join(["None" if n is None else str(n) for n in p.shape])
            yield f"    {name} = _flat({found}, ({shape}{',' * (len(p.shape) == 1)}))"
        for child in p.children:
            step = f".{child.key}" if p.container == "object" else f"[{_literal(child.key)}]"
            yield from part(child, reached + step)

    for argument in arguments:
        yield from part(argument, argument.name)


# --- what is copied from ieee.py -------------------------------------------------------------------------------------


@functools.cache
def _definitions() -> dict[str, ast.stmt]:
    """The statements of ieee.py that define its names."""
    found: dict[str, ast.stmt] = {}
    for statement in ast.parse(inspect.getsource(ieee)).body:
        if isinstance(statement, ast.FunctionDef):
            found[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            for target, value in _pairs(statement):
                found[target] = ast.Assign([ast.Name(target, ast.Store())], value, lineno=statement.lineno)
    return found


def _pairs(statement: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    (target,) = statement.targets
    if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
        yield from zip([ast.unparse(t) for t in target.elts], statement.value.elts, strict=True)
    elif isinstance(target, ast.Name):
        yield target.id, statement.value


def _copied(names: Sequence[str]) -> list[str]:
    """The definitions of functions of ieee.py, and of what they need, with _ before their names."""
    definitions = _definitions()
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in order or name not in definitions:
            return
        used = [n.id for n in ast.walk(definitions[name]) if isinstance(n, ast.Name) and n.id != name]
        for other in used:
            if other in definitions:
                visit(other)
        order[name] = None

    for name in names:
        if name not in ("flat", "nested"):
            visit(name)
    return [ast.unparse(ast.fix_missing_locations(_Plain(order.keys()).visit(_copy(definitions[n])))) for n in order]


def _copy(statement: ast.stmt) -> ast.stmt:
    return ast.parse(ast.unparse(ast.fix_missing_locations(statement))).body[0]


class _Plain(ast.NodeTransformer):
    """Without annotations and decorators, with _ before the names that are copied."""

    def __init__(self, names: Set[str]):
        self.names = names

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list, node.returns = [], None
        for a in [*node.args.args, *node.args.kwonlyargs]:
            a.annotation = None
        self.generic_visit(node)
        if node.name in self.names:
            node.name = f"_{node.name}"
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        name = node.targets[0]
        if not (isinstance(name, ast.Name) and name.id in self.names):
            return self.generic_visit(node)
        node.value = _Plain(self.names - {name.id}).visit(node.value)  # as in round = _whole(round)
        name.id = f"_{name.id}"
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.names:
            node.id = f"_{node.id}"
        return node
