"""The paths through a function that examples take, as programs in one graph."""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.codegen.interface import Part, arguments, counts, results
from autograd.codegen.language import BAD_INDEX, TOO_LARGE, UNKNOWN_BRANCH, Language
from autograd.compiler import jit
from autograd.compiler.optimize.convert import Program, simplify
from autograd.compiler.optimize.graph import Graph, Node
from autograd.compiler.path import Path
from autograd.compiler.trace.calls import Decisions
from autograd.foreign import as_numpy
from autograd.transforms.call import name_of

STATUS = {"guard": UNKNOWN_BRANCH, "lanes": UNKNOWN_BRANCH, "check": BAD_INDEX, "range": TOO_LARGE}


@dataclass
class Way:
    """One way through the function.

    Attributes:
        decisions: which way each branch goes.
        guards: the conditions of these branches, true for this way; those that are always true have none.
        checks: what else has to be true, and the status if it is not.
        result: what it returns.
        program: all of it.
    """

    decisions: Decisions
    guards: Mapping[int, Node]
    checks: Sequence[tuple[Node, int]]
    result: Part
    program: Program


@dataclass
class Exportable:
    """A function that is ready to be written.

    Attributes:
        graph: the nodes of all its ways.
        ways: these.
        arguments: its arguments.
        captured: the numbers of the leaves that it captured; they are the inputs from `captured_from` on.
        counts: the inputs that hold how many lanes there are: position of an array argument, axis.
        regions: for each region, its array arguments: position, axis.
        paths: the compiled paths, in the same order as the ways.
    """

    graph: Graph
    ways: list[Way]
    arguments: list[Part]
    captured: list[float]
    captured_from: int
    counts: Mapping[int, tuple[int, int]]
    regions: Mapping[int, Sequence[tuple[int, int]]]
    paths: list[Path]


def exportable(
    f: Callable[..., Any], examples: Sequence[Sequence[Any]], result_names: Sequence[str], language: Language
) -> Exportable:
    """A function along the ways that the examples take.

    Args:
        f: the function; examples: its arguments, each a sequence of one structure.
        result_names: what to call the items of a tuple that it returns.
        language: what it will be written in.

    Errors: what jit refuses; TypeError for what cannot be compiled; ValueError for examples that differ in structure.
    """
    compiled = jit(f)
    examples = [as_numpy(tuple(args)) for args in examples]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for args in examples:
            try:
                compiled(*args)
            except RuntimeWarning as refusal:
                raise TypeError(f"export: {str(refusal).removeprefix('jit: ')}") from None
    paths, static = compiled.paths_for(examples)
    graph = Graph(language.identities)
    programs: list[tuple[Program, Part]] = []
    parts: list[Part] = []
    captured: list[Any] = []
    found: dict[str, Any] = {}
    for path in paths:
        with compiled.retraced(path, examples[0], static) as traced:
            program = simplify(traced, graph, captured, exact=True)
            captured = program.captured
            result = results(traced, graph, program.outputs, program.stacks, result_names, language.reserved)
            parts = arguments(traced, examples[0], _parameter_names(f, len(examples[0])), language.reserved)
            found["counts"] = found.get("counts", {}) | counts(traced)
            found["regions"] = found.get("regions", {}) | {
                r.number: [(array.position, axis % array.ndim) for array, axis in r.arrays]
                for r in traced.trace.regions
            }
            first = traced.trace.slots
        if programs and not result.alike(programs[0][1]):
            raise TypeError(f"export: {name_of(f)} returns different structures on different branches")
        programs.append((program, result))
    ways = [_way(graph, path, *made) for path, made in zip(paths, programs, strict=True)]
    return Exportable(graph, ways, parts, [leaf.data for leaf in captured], first, **found, paths=paths)


def _way(graph: Graph, path: Path, program: Program, result: Part) -> Way:
    guards = {v.which: v.node for v in program.verdicts if v.kind == "guard"}
    checks = [(_held(graph, v.node), STATUS[v.kind]) for v in program.verdicts if v.kind != "guard"]
    return Way(path.decisions, guards, checks, result, program)


def _held(graph: Graph, failure: Node) -> Node:
    """The condition that there is no first lane that failed; see Verdict."""
    if graph.ops[failure] == "select":  # one number, not lanes: select(condition, inf, 0)
        return graph.args[failure][0]
    return graph.add("fcmp oeq", (failure, graph.constant(float("inf"))))


def _parameter_names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for p in parameters:
        many = p.kind is p.VAR_POSITIONAL
        names += [f"{p.name}{i}" for i in range(count - len(names))] if many else [p.name]
    return names + [f"x{i}" for i in range(len(names), count)]
