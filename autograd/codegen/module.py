"""LLVM IR as a WebAssembly module: what LLVM emits is an object file for a linker, and lacks only exports."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import llvmlite.binding as llvm

TRIPLE, FEATURES = "wasm32-unknown-unknown", "+simd128,+bulk-memory"
CUSTOM, IMPORT, EXPORT, ELEMENTS, DATA = 0, 2, 7, 9, 11
SYMBOLS = 8  # the part of the section for linkers that names functions
OF_FUNCTION, OF_DATA, OF_SECTION = 0, 1, 3  # of a symbol
OF_TABLE, OF_GLOBAL = 1, 3  # of an import
UNDEFINED, EXPLICIT_NAME = 0x10, 0x40


class Module(NamedTuple):
    """A module that can be loaded.

    Attributes:
        binary: its bytes.
        imports: the functions that it calls, each with the number of its arguments.
        data: how many bytes of memory its constants take, from 0 on.
        table: how many entries of the table of functions.
    """

    binary: bytes
    imports: Mapping[str, int]
    data: int
    table: int


def module(irs: Mapping[str, str]) -> Module:
    """One module of several.

    Args:
        irs: LLVM IR with a function @main each, which gets this name and can be called from outside.
    """
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(cpu="generic", features=FEATURES, opt=2)
    linked = None
    for name, ir in irs.items():
        parsed = llvm.parse_assembly(ir)
        parsed.triple, parsed.data_layout = TRIPLE, str(machine.target_data)
        for function in parsed.functions:
            if not function.is_declaration:
                function.name = name if function.name == "main" else f"{name}.{function.name}"
        if linked is None:
            linked = parsed
        else:
            linked.link_in(parsed)
    assert linked is not None
    arguments = {f.name: len([*f.arguments]) for f in linked.functions if f.is_declaration}
    return _loadable(machine.emit_object(linked), [*irs], arguments)


def _loadable(emitted: bytes, names: Sequence[str], arguments: Mapping[str, int]) -> Module:
    """An object file with these functions exported. Where its data are, and which function is which, LLVM has filled in
    as if nothing else were to be linked, so that no relocation is left to do."""
    sections = [*_sections(emitted)]
    functions: dict[str, int] = {}
    for kind, body in sections:
        if kind == CUSTOM and _name(body, 0)[0] == "linking":
            functions = _functions(body)
    entries = b"".join([_text(name) + bytes([OF_FUNCTION]) + _number(functions[name]) for name in names])
    export = EXPORT, _number(len(names)) + entries
    kept = [(kind, body) for kind, body in sections if kind != CUSTOM]
    place = next(i for i, (kind, _) in enumerate(kept) if kind > EXPORT)
    kept.insert(place, export)
    binary = emitted[:8] + b"".join([bytes([kind]) + _number(len(body)) + body for kind, body in kept])
    found = dict(kept)
    data, table = [_end(found.get(kind, b"\0"), size) for kind, size in ((DATA, 1), (ELEMENTS, 0))]
    return Module(binary, {name: arguments[name] for name in _imports(found[IMPORT])}, data, table)


def _sections(binary: bytes) -> Iterator[tuple[int, bytes]]:
    at = 8
    while at < len(binary):
        size, start = _read(binary, at + 1)
        yield binary[at], binary[start : start + size]
        at = start + size


def _functions(body: bytes) -> dict[str, int]:
    """The numbers of the functions that an object file defines, from its section for linkers."""
    found: dict[str, int] = {}
    at = _read(body, _name(body, 0)[1])[1]  # behind the version
    while at < len(body):
        part, (size, start) = body[at], _read(body, at + 1)
        at = start + size
        if part != SYMBOLS:
            continue
        count, i = _read(body, start)
        for _ in range(count):
            kind, (flags, i) = body[i], _read(body, i + 1)
            if kind == OF_DATA:
                i = _name(body, i)[1]
                for _ in range(0 if flags & UNDEFINED else 3):
                    i = _read(body, i)[1]
                continue
            number, i = _read(body, i)
            if kind != OF_SECTION and (not flags & UNDEFINED or flags & EXPLICIT_NAME):
                name, i = _name(body, i)
                if kind == OF_FUNCTION:
                    found[name] = number
    return found


def _imports(body: bytes) -> list[str]:
    """The functions that are imported."""
    functions = []
    count, i = _read(body, 0)
    for _ in range(count):
        i = _name(body, i)[1]
        name, i = _name(body, i)
        kind, i = body[i], i + 1
        if kind == OF_FUNCTION:
            functions.append(name)
            i = _read(body, i)[1]
        elif kind == OF_GLOBAL:  # type and mutability
            i += 2
        else:  # a table, of which the type of elements comes first, or a memory: their limits
            i += kind == OF_TABLE
            limited, i = body[i] & 1, _read(body, i + 1)[1]
            i = _read(body, i)[1] if limited else i
    return functions


def _end(body: bytes, element: int) -> int:
    """Where the segments of memory, or of the table, end.

    Args:
        element: bytes of one of their elements; 0 for a number in LEB128.
    """
    end = 0
    count, i = _read(body, 0)
    for _ in range(count):
        offset, i = _read(body, i + 2)  # behind a flag and the operation that puts a constant
        size, i = _read(body, i + 1)
        end = max(end, offset + size)
        for _ in range(0 if element else size):
            i = _read(body, i)[1]
        i += size * element
    return end


def _read(body: bytes, at: int) -> tuple[int, int]:
    """A number in LEB128, and where it ends."""
    number = shift = 0
    while True:
        number |= (body[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if body[at - 1] < 128:
            return number, at


def _number(n: int) -> bytes:
    written = []
    while n > 127:
        written.append(n & 127 | 128)
        n >>= 7
    return bytes([*written, n])


def _name(body: bytes, at: int) -> tuple[str, int]:
    size, start = _read(body, at)
    return body[start : start + size].decode(), start + size


def _text(name: str) -> bytes:
    return _number(len(name.encode())) + name.encode()
