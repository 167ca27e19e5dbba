"""Exported code, run: C by any compiler, JavaScript and WebAssembly by Node, Python here; arguments and results as
Python has them."""

import ctypes
import json
import math
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd.codegen.code import Code
from autograd.codegen.interface import Part

WARNINGS = ["-Wall", "-Wextra", "-Werror"]


class Failed(Exception):
    """The code did not return results: of C its status."""


# --- C ---------------------------------------------------------------------------------------------------------------


def compiled(code: Code, compiler: str = "gcc", level: str = "-O1") -> Any:
    """A function that calls the exported C."""
    folder = Path(tempfile.mkdtemp())
    code.save(folder / "code.c")
    options = ["-std=c99", "-pedantic", level, "-ffp-contract=off", "-fPIC", "-shared", *WARNINGS]
    try:
        subprocess.run([compiler, *options, "code.c", "-o", "code.so", "-lm"], cwd=folder, check=True)
        function = getattr(ctypes.CDLL(str(folder / "code.so")), code.name)
    finally:
        shutil.rmtree(folder)

    def call(*args: Any) -> Any:
        kept: list[Any] = []
        parts = [(p, x) for p, x in zip(code.arguments, args, strict=True) if p.kind != "fixed"]
        lengths = {n: _length(code, args, paths[0]) for n, paths in code.lengths.items()}
        count = next(iter(lengths.values()), 0)
        result = _Result(code.result, count)
        passed = [ctypes.c_long(n) for n in lengths.values()]
        passed += [_passed(p, x, kept) for p, x in parts]
        status = function(*passed, *result.pointers)
        if status:
            raise Failed(status)
        return result.read()

    return call


def _length(code: Code, args: Sequence[Any], path: tuple[str, ...]) -> int:
    for argument, x in zip(code.arguments, args, strict=True):
        for part, found in _walk(argument, x):
            if part.path == path:
                return int(np.shape(found)[part.shape.index(None)])
    raise AssertionError(path)


def _walk(part: Part, x: Any) -> Any:
    yield part, x
    for child in part.children:
        yield from _walk(child, _child(part, child, x))


def _child(part: Part, child: Part, x: Any) -> Any:
    return getattr(x, child.key) if part.container == "object" else x[child.key]


def _numbers(part: Part, x: Any) -> "np.ndarray[Any, Any]":
    if part.keys:
        state = x if isinstance(x, Mapping) else x.state_dict()
        x = [state[k] for k in part.keys]
    return np.ascontiguousarray(np.array(x, dtype=float).ravel())


def _passed(part: Part, x: Any, kept: list[Any]) -> Any:
    if part.kind == "number":
        return ctypes.c_double(x)
    if part.kind == "array":
        kept.append(_numbers(part, x))
        return ctypes.c_void_p(kept[-1].ctypes.data)
    structure = _structure(part)()
    _fill(part, x, structure, kept)
    return ctypes.byref(structure)


def _is_pointer(part: Part) -> bool:
    return part.kind == "array" and None in part.shape


def _structure(part: Part) -> Any:
    fields = []
    for child in part.children:
        kind: Any = {"number": ctypes.c_double, "array": ctypes.c_double * (child.size or 1)}.get(child.kind)
        if _is_pointer(child):
            kind = ctypes.c_void_p
        if child.kind == "group":
            kind = _structure(child)
        if kind is not None:
            fields.append((child.name, kind))
    return type("Struct", (ctypes.Structure,), {"_fields_": fields or [("unused", ctypes.c_char)]})


def _fill(part: Part, x: Any, structure: Any, kept: list[Any]) -> None:
    for child in part.children:
        value = _child(part, child, x)
        if child.kind == "number":
            setattr(structure, child.name, value)
        elif _is_pointer(child):
            kept.append(_numbers(child, value))
            setattr(structure, child.name, kept[-1].ctypes.data)
        elif child.kind == "array":
            getattr(structure, child.name)[:] = _numbers(child, value).tolist()
        elif child.kind == "group":
            _fill(child, value, getattr(structure, child.name), kept)


class _Result:
    """Memory for results."""

    def __init__(self, part: Part, count: int):
        self.part, self.count = part, count
        self.arrays: dict[tuple[str, ...], Any] = {}
        self.pointers: list[Any] = []
        if part.kind == "group":
            self.memory = _structure(part)()
            self._point(part, self.memory)
            self.pointers = [ctypes.byref(self.memory)]
        elif part.kind != "fixed":
            self.memory = np.full(self._size(part), 1234.5)
            self.pointers = [ctypes.c_void_p(self.memory.ctypes.data)]

    def _size(self, part: Part) -> int:
        return part.size * (self.count if None in part.shape else 1)

    def _point(self, part: Part, memory: Any) -> None:
        for child in part.children:
            if _is_pointer(child):
                self.arrays[child.path] = np.full(self._size(child), 1234.5)
                setattr(memory, child.name, self.arrays[child.path].ctypes.data)
            elif child.kind == "group":
                self._point(child, getattr(memory, child.name))

    def read(self) -> Any:
        return self._read(self.part, None if self.part.kind == "fixed" else self.memory)

    def _read(self, part: Part, memory: Any) -> Any:
        if part.kind == "fixed":
            return part.value
        if part.kind == "number":
            x = memory if isinstance(memory, float) else float(memory[0])
            return {"float": float, "int": int, "bool": bool}[part.type](x)
        if part.kind == "array":
            numbers = self.arrays.get(part.path, memory)
            if part.keys:
                return dict(zip(part.keys, [*numbers], strict=True))
            return np.array(numbers[: self._size(part)]).reshape([self.count if n is None else n for n in part.shape])
        found = [self._read(c, None if c.kind == "fixed" else getattr(memory, c.name)) for c in part.children]
        if part.container in ("list", "tuple"):
            return found
        return {c.key: x for c, x in zip(part.children, found, strict=True)}


# --- JavaScript and Python -------------------------------------------------------------------------------------------

RUN = """
{load}
const flat = (x) => (typeof x === "object" && x !== null ? Object.values(x).flatMap(flat) : [Number(x)]);
const results = [{calls}].map((call) => {{
  try {{
    return flat(call());
  }} catch (error) {{
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }}
}});
const bits = (x) => Buffer.from(new Float64Array([x]).buffer).toString("hex");
console.log(JSON.stringify(results.map((r) => (typeof r === "string" ? r : r.map(bits)))));
"""


def loading(code: Code) -> str:
    """JavaScript that makes a function of this name of code that is saved as code.mjs."""
    if not code.binary:
        return f'import {{ {code.name} }} from "./code.mjs";'
    of = code.name[:1].upper() + code.name[1:]
    return (
        f'import {{ {of} as Loaded }} from "./code.mjs"; const loaded = await Loaded.load();\n'
        f"const {code.name} = (...args) => loaded.{code.name}(...args);"
    )


def run_javascript(code: Code, calls: Sequence[Sequence[Any]]) -> list[Any]:
    """For each call the numbers that it returns, or the message of a RangeError; of WebAssembly, too."""
    folder = Path(tempfile.mkdtemp())
    try:
        code.save(folder / "code.mjs")
        written = [f"() => {code.name}({', '.join(_written(code, args))})" for args in calls]
        (folder / "run.mjs").write_text(RUN.format(load=loading(code), calls=",\n".join(written)))
        done = subprocess.run(["node", "run.mjs"], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(done.stderr[-3000:])
    finally:
        shutil.rmtree(folder)
    found = json.loads(done.stdout)
    return [r if isinstance(r, str) else [struct.unpack("<d", bytes.fromhex(h))[0] for h in r] for r in found]


def _written(code: Code, args: Sequence[Any]) -> list[str]:
    return [_javascript(p, x) for p, x in zip(code.arguments, args, strict=True) if p.kind != "fixed"]


def _javascript(part: Part, x: Any) -> str:
    if part.kind == "number":
        return _literal(float(x))
    if part.kind == "array" and part.keys:
        numbers = _numbers(part, x).tolist()
        return f"{{{', '.join([f'{json.dumps(k)}: {_literal(v)}' for k, v in zip(part.keys, numbers, strict=True)])}}}"
    if part.kind == "array":
        return _nested(np.array(x, dtype=float).tolist())
    if part.kind == "fixed":
        return "null"
    children = [_javascript(c, _child(part, c, x)) for c in part.children]
    if part.container in ("list", "tuple"):
        return f"[{', '.join(children)}]"
    pairs = zip(part.children, children, strict=True)
    return f"{{{', '.join([f'{json.dumps(str(c.key))}: {text}' for c, text in pairs])}}}"


def _nested(x: Any) -> str:
    return f"[{', '.join(map(_nested, x))}]" if isinstance(x, list) else _literal(x)


def _literal(x: float) -> str:
    return "NaN" if x != x else str(x).replace("inf", "Infinity") if math.isinf(x) else repr(x)


def python_function(code: Code) -> Any:
    """The function that exported Python defines."""
    namespace: dict[str, Any] = {}
    exec(compile(code.text, "exported.py", "exec"), namespace)
    return namespace[code.name]


def plain(x: Any) -> Any:
    """An argument as exported Python takes it: Modules as mappings of their parameters."""
    return x.state_dict() if hasattr(x, "state_dict") else x
