"""LLVM IR of functions and operations of a lane, by table."""

from autograd.compiler.lower.code import Code, table
from autograd.compiler.lower.elementwise import Functions
from autograd.compiler.lower.functions import Writer
from autograd.compiler.lower.passes import Step
from autograd.compiler.lower.plan import COLUMN, Pass, Plan
from autograd.compiler.lower.target import Target
from autograd.compiler.optimize.graph import SOURCES, UNIFORM, Graph, Nodes
from autograd.compiler.optimize.lowering import on_lanes


def functions(code: Code, name: str, call: Functions, loop: Pass, tile: str, lanes: str) -> list[str]:
    """A call that computes these for the first lanes of a tile; returns the table that it reads."""
    columns = loop.work.columns
    pointers = [("ptr", x) for x in ("%slots", tile, f"@{name}")]
    code.call(f"@{_functions_name(call)}", *pointers, ("i64", lanes), ("i64", len(call.groups)))
    return [table(name, [columns[node] * COLUMN for results, x in call.groups for node in (x, *results)])]


def operations(code: Code, name: str, step: Step, plan: Plan, loop: Pass, tile: str, lanes: str) -> list[str]:
    """A call that computes these for the first lanes of a tile; returns the tables that it reads."""
    columns, kept, graph = loop.work.columns, len(loop.work.columns), plan.graph
    number = {kind: i for i, kind in enumerate(plan.kinds)}
    calls: list[int] = []
    entries: list[int] = []
    for call in step.operations:
        calls += [number[call.kind], len(entries), len(call.nodes)]
        for node in call.nodes:
            for x in (*graph.args[node], node):
                if graph.regions[x] == UNIFORM:
                    entries.append(plan.slot[x])
                else:
                    entries.append(COLUMN * (columns[x] if x in columns else kept + step.handed[x]))
    names = [f"{name}.{what}" for what in ("calls", "entries")]
    pointers = [("ptr", x) for x in ("%slots", tile, *[f"@{x}" for x in names])]
    code.call("@operations", *pointers, ("i64", lanes), ("i64", len(step.operations)))
    return list(map(table, names, (calls, entries)))


def _functions_name(call: Functions) -> str:
    return ".".join(["functions", *call.names])


def kernels(plan: Plan) -> tuple[list[Code], list[str]]:
    """The functions that `functions` and `operations` call; and the table of the latter."""
    calls = [call for loop in plan.passes for step in loop.work.steps for call in step.functions]
    written = []
    for call in {call.names: call for call in calls}.values():
        graph, x, results = on_lanes(call.names)
        written.append(_function_kernel(_functions_name(call), graph, [x], results, plan.target))
    names = []
    for op, uniform in plan.kinds:
        graph = Graph()
        operands = [graph.source("input", i, region=not same) for i, same in enumerate(uniform)]
        names.append(".".join(["operation", *op.split(), *["slot" if same else "lane" for same in uniform]]))
        written.append(_function_kernel(names[-1], graph, operands, [graph.add(op, tuple(operands))], plan.target))
    if not names:
        return written, []
    addresses = ", ".join([f"ptr @{name}" for name in names])
    return [*written, _operations()], [f"@kernels = internal constant [{len(names)} x ptr] [{addresses}]"]


def _operations() -> Code:
    """One kernel after another: which, where its entries are, and how many."""
    pointers = dict.fromkeys(["slots", "tile", "calls", "entries"], "ptr")
    code = Code("operations", pointers | {"lanes": "i64", "count": "i64"}, internal=True)
    with code.loop(0, "%count") as call:
        kernel, first, count = [code.index("%calls", code.add(code.mul(call, 3), i)) for i in range(3)]
        entries = code.at("%entries", first, "i32")
        arguments = [*[("ptr", x) for x in ("%slots", "%tile", entries)], ("i64", "%lanes"), ("i64", count)]
        code.call(code.entry("@kernels", kernel, "ptr"), *arguments)
    return code


def _function_kernel(name: str, graph: Graph, operands: Nodes, results: Nodes, target: Target) -> Code:
    """For each entry of a table, places of operands and results, the latter."""
    pointers = dict.fromkeys(["slots", "tile", "places"], "ptr")
    code = Code(name, pointers | {"lanes": "i64", "count": "i64"}, internal=True)
    size = len(operands) + len(results)
    with code.loop(0, "%count") as entry:
        places, same = {}, {}
        for i, node in enumerate([*operands, *results]):
            place = code.index("%places", code.add(code.mul(entry, size), i))
            if graph.regions[node] == UNIFORM:
                same[node] = code.splat(target.lanes, "double", code.entry("%slots", place, "double"))
            else:
                places[node] = code.at("%tile", place)
        with code.loop(0, "%lanes", target.lanes) as lane:
            writer = Writer(graph, code, target, target.lanes)
            writer.doubles |= same
            for node in [x for x in operands if x in places]:
                writer.doubles[node] = code.load(writer.double, code.at(places[node], lane))
            writer.write([node for node in graph.needed(results) if graph.ops[node] not in SOURCES])
            for node in results:
                code.store(writer.double, writer.number(node), code.at(places[node], lane))
    return code
