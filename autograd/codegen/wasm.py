"""WebAssembly: the code that jit would run, made for another machine, and a JavaScript class that calls it."""

import base64
import functools
import math
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from autograd.codegen.interface import Part
from autograd.codegen.javascript import JavaScript
from autograd.codegen.language import MEANING, Body, Written
from autograd.codegen.module import module
from autograd.codegen.printer import Printer
from autograd.codegen.programs import STATUS, Exportable, Way
from autograd.compiler.lower.module import write
from autograd.compiler.lower.plan import Plan, plan
from autograd.compiler.lower.target import Target
from autograd.compiler.optimize.identities import RULES
from autograd.compiler.path import Path

TARGET = Target(2, {})
STACK = 65536  # bytes; the code keeps next to nothing there


class WebAssembly(JavaScript):
    """An ES module that has the WebAssembly in it, as base64."""

    name, extension = "WebAssembly", ".mjs"
    vector = "Float64Array"
    identities = RULES
    reserved = frozenset([
        *JavaScript.reserved,
        "machine", "Machine", "MODULE", "LAYOUT", "FUNCTIONS", "WebAssembly", "atob", "Uint8Array",
    ])  # fmt: skip

    def memory(self, result: Part, body: Body) -> Iterator[str]:
        return iter(())

    def _array(self, part: Part, lengths: Mapping[int, str]) -> str:
        plain = len(part.shape) == 1 and not part.keys and part.type == "float"
        return self.result(part) if plain else super()._array(part, lengths)

    def module(self, name: str, about: Sequence[str], arguments: Sequence[Part], result: Part, body: Body) -> str:
        before, documented, parameters, statements = self.pieces(about, arguments, result, body)
        class_name = name[:1].upper() + name[1:]
        code = [
            f"export class {class_name} {{",
            "  #machine;",
            "",
            "  /** @param {WebAssembly.Module} module what `load` compiles */",
            "  constructor(module) {",
            "    this.#machine = new Machine(module, LAYOUT, FUNCTIONS);",
            "  }",
            "",
            f"  /** @returns {{Promise<{class_name}>}} */",
            "  static async load() {",
            "    const bytes = Uint8Array.from(atob(MODULE), (character) => character.charCodeAt(0));",
            f"    return new {class_name}(await WebAssembly.compile(bytes));",
            "  }",
            "",
            *[f"  {line}" for line in documented],
            f"  {name}({parameters}) {{",
            "    const machine = this.#machine;",
            *[f"  {line}" for line in statements],
            "  }",
            "}",
        ]
        lines = textwrap.wrap(base64.b64encode(body.binary).decode(), 112)
        encoded = "const MODULE =\n" + " +\n".join([f'  "{line}"' for line in lines]) + ";"
        return "\n\n".join([*before, runtime(), encoded, "\n".join(code)]) + "\n"


@functools.cache
def runtime() -> str:
    """The class in JavaScript that lends memory to a module."""
    return files("autograd.codegen").joinpath("machine.js").read_text(encoding="utf-8").strip()


def embedded(codes: Mapping[str, str]) -> str:
    """Several exported codes as one script: a class of each.

    Args:
        codes: the names of the classes, and the codes.
    """
    shared = runtime()
    bodies = {name: code.replace(shared, "").replace("export class", "class") for name, code in codes.items()}
    classes = [f"const {name} = (() => {{\n{body}return {name};\n}})();" for name, body in bodies.items()]
    return "\n\n".join([shared, *classes]) + "\n"


def called(language: WebAssembly, program: Exportable, printer: Printer) -> Body:
    """The statements that call the module, and the module.

    Args:
        printer: of the same program; it knows the lengths.
    """
    plans = [_plan(program, way, path) for way, path in zip(program.ways, program.paths, strict=True)]
    made = module({f"way{w}": write(planned) for w, planned in enumerate(plans)})
    ways = [_layout(way, planned) for way, planned in zip(program.ways, plans, strict=True)]
    layout = {
        "bytes": -(-made.data // 64) * 64 + STACK,
        "functions": made.table,
        "table": max([p.table_size for p in plans]),
        "work": max([loop.memory for p in plans for loop in p.passes], default=0),
        "partials": 3 * max([len(loop.slots) for p in plans for loop in p.passes], default=0),
        "meaning": MEANING,
        "ways": ways,
    }
    tables: list[str] = []
    for w, (way, planned) in enumerate(zip(program.ways, plans, strict=True)):
        captured = {
            slot: x for slot, x in enumerate(program.captured, program.captured_from) if slot < way.program.inputs
        }
        constants = {**planned.constants, **captured}
        tables += language.table(f"SLOTS{w}", [*map(str, constants)], "index")
        tables += language.table(f"NUMBERS{w}", [language.literal(x).text for x in constants.values()], "double")
        ways[w] |= {"constants": Name(f"SLOTS{w}"), "numbers": Name(f"NUMBERS{w}")}
    functions = {name: _function(language, name, count) for name, count in made.imports.items()}
    tables += [f"const LAYOUT = {_written(layout)};", f"const FUNCTIONS = {_written(functions)};"]
    lines = ["    machine.run([", *[f"        {x}," for x in _inputs(language, program, printer)], "    ], {"]
    for region, arrays in program.regions.items():
        rows = [_rows(language, printer, *array) for array in arrays]
        lines.append(f"        {region}: [{', '.join([printer.lengths[region], *rows])}],")
    lines += ["    });", *_results(language, program.ways[0])]
    lines += language.leave(program.ways[0].result, printer.lengths)
    return Body(lines, tables, [], 0, printer.named_lengths, printer.lengths, made.binary)


class Name(str):
    """What stands in JavaScript as it is."""

    __slots__ = ()


def _written(x: Any) -> str:
    """A structure in JavaScript."""
    if isinstance(x, dict):
        return f"{{ {', '.join([f'{key}: {_written(value)}' for key, value in x.items()])} }}"
    if isinstance(x, list | tuple):
        return f"[{', '.join(map(_written, x))}]"
    return str(x).lower() if isinstance(x, bool) else str(x) if isinstance(x, Name | int) else f'"{x}"'


def _numbers(way: Way) -> list[Part]:
    return [p for p in way.result.walk() if p.kind in ("number", "array")]


def _plan(program: Exportable, way: Way, path: Path) -> Plan:
    """The plan of a way, whose outputs are the numbers of its result in order."""
    parts = _numbers(way)
    return plan(
        way.program._replace(
            graph=program.graph,
            outputs=[node for p in parts if not p.region for node in p.numbers],
            stacks=[(p.numbers, p.region) for p in parts if p.region],
        ),
        path.row_lengths,
        TARGET,
    )


def _layout(way: Way, planned: Plan) -> dict[str, Any]:
    """Where the numbers of a way are; see machine.js."""
    first = sum([len(p.numbers) for p in _numbers(way) if not p.region])
    verdicts = [
        [STATUS[v.kind], planned.outputs + first + i, v.kind == "guard"] for i, v in enumerate(way.program.verdicts)
    ]
    regions = [
        {"region": r, "entry": planned.table[r], "lengths": [*lengths], "stacks": [*planned.stacks[r]]}
        for r, lengths in planned.row_lengths.items()
    ]
    return {
        "slots": planned.slots, "outputs": planned.outputs, "trouble": planned.outputs + first + len(verdicts),
        "verdicts": verdicts, "regions": regions,
    }  # fmt: skip


def _function(language: WebAssembly, name: str, count: int) -> Name:
    names = [f"x{i}" for i in range(count)]
    return Name(f"({', '.join(names)}) => {language.apply(name, [Written(x) for x in names]).text}")


def _inputs(language: WebAssembly, program: Exportable, printer: Printer) -> Iterator[str]:
    """What goes into the slots."""
    for argument in program.arguments:
        for part in argument.walk():
            if part.kind == "number":
                yield f"[{part.numbers[0]}, {language.argument(part)}]"
            elif part.kind == "array" and part.numbers:
                first, slots = part.numbers[0], [*part.numbers]
                together = slots == [*range(first, first + len(slots))]
                yield f"[{first if together else slots}, {language.argument(part)}]"
    for slot, (position, axis) in program.counts.items():
        yield f"[{slot}, {printer.length(position, axis)}]"


def _rows(language: WebAssembly, printer: Printer, position: int, axis: int) -> str:
    """An array that is mapped over, row by row."""
    part = printer.by_position[position]
    name = language.argument(part)
    if axis == 0:
        return name
    before, after = [math.prod([n or 1 for n in shape]) for shape in (part.shape[:axis], part.shape[axis + 1 :])]
    return f"machine.byRow({name}, {before}, {printer.length(position, axis)}, {after})"


def _results(language: WebAssembly, way: Way) -> Iterator[str]:
    output, stacks = 0, Counter[int]()
    for part in _numbers(way):
        name, count = language.result(part), len(part.numbers)
        if part.region:
            after = math.prod([n or 1 for n in part.shape[part.axis + 1 :]])
            found = f"machine.stacked({part.region}, {stacks[part.region]}, {count}, {after})"
            stacks[part.region] += 1
        else:
            found = f"machine.number({output})" if part.kind == "number" else f"machine.numbers({output}, {count})"
            output += count
        yield f"    const {name} = {found}{' !== 0' if part.kind == 'number' and part.type == 'bool' else ''};"
