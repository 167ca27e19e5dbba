"""The layers of the packages, read off their imports: no circles, and no import inside a function without need.

Imports for type checkers count, too: a circle is a circle for a reader.
"""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("autograd", "nn")
ARROWS_UP = {("autograd.value", "autograd.visualize.draw")}  # Value.draw, as autograd/README.md says


def module_name(path: Path, root: Path = ROOT) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports; of `from x import y` it is x.y where that is one of our files."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = str(node.module)
        assert node.level == 0, f"imports are absolute here: from {'.' * node.level}{module}"
        inside = [f"{module}.{alias.name}" for alias in node.names]
        files = [name for name in inside if name in FILES]
        return files + [module] * (len(files) < len(inside))
    return []


AT_TOP, FOR_TYPES, INSIDE = "at the top", "for type checkers", "inside of a function"


@cache
def imports(source: str) -> list[tuple[str, str]]:
    """Each module that is imported, and where."""
    found = []
    stack: list[tuple[ast.AST, str]] = [(ast.parse(source), AT_TOP)]
    while stack:
        node, where = stack.pop()
        found += [(name, where) for name in imported(node)]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            where = INSIDE
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            stack += [(child, FOR_TYPES) for child in node.body]
            stack += [(child, where) for child in node.orelse]
            continue
        stack += [(child, where) for child in ast.iter_child_nodes(node)]
    return found


def ours(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES


def imports_of(module: str) -> list[tuple[str, str]]:
    return imports(FILES[module].read_text(encoding="utf-8"))


@cache
def needs(module: str) -> frozenset[str]:
    """The packages outside the standard library that a file of ours needs before anything in it runs."""
    found: set[str] = set()
    seen, waiting = {module}, [module]
    while waiting:
        for name, where in imports_of(waiting.pop()):
            if where != AT_TOP:
                continue
            if not ours(name):
                found |= {name.partition(".")[0]} - sys.stdlib_module_names
            elif name not in seen:
                seen.add(name)
                waiting.append(name)
    return frozenset(found)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The circles of a graph that no smaller step leads around, each as its nodes in order."""
    found = []
    for start in graph:
        paths = {start: [start]}
        waiting = [start]
        while waiting:  # breadth first: the shortest way back to where it began
            here = waiting.pop(0)
            for name in sorted(graph.get(here, ())):
                if name == start:
                    found.append(paths[here])
                    waiting.clear()
                    break
                if name not in paths:
                    paths[name] = [*paths[here], name]
                    waiting.append(name)
    return [circle for circle in found if circle[0] == min(circle)]


def test_no_imports_form_a_circle():
    graph = {
        module: {name for name, _ in imports_of(module) if ours(name) and (module, name) not in ARROWS_UP}
        for module in FILES
    }
    assert not circles(graph), "\n".join(" -> ".join([*circle, circle[0]]) for circle in circles(graph))


def test_autograd_never_imports_nn():
    assert not [
        module for module in FILES if module.startswith("autograd") for x, _ in imports_of(module) if x[:2] == "nn"
    ]


@pytest.mark.parametrize("module", FILES)
def test_what_a_function_imports_needs_an_optional_package_that_its_file_does_not(module):
    for name, where in imports_of(module):
        if where != INSIDE or (module, name) in ARROWS_UP:
            continue
        needed = needs(name) if ours(name) else {name.partition(".")[0]} - sys.stdlib_module_names
        assert needed - needs(module), f"{module} can import {name} at its top: it needs nothing more for it"


def test_these_tests_see_circles_and_imports_inside_functions():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    source = "import os\nif TYPE_CHECKING:\n    from autograd import value\ndef f():\n    import numpy\n"
    assert sorted(imports(source)) == [("autograd.value", FOR_TYPES), ("numpy", INSIDE), ("os", AT_TOP)]
    assert "numpy" in needs("nn.compiled")
    assert needs("autograd.value") == set()
