"""What exported code reaches, beside the machine code of `jit`; and what the playground does with it.

    python -m pip install ".[demo]"      # and a C compiler: gcc, clang or both; and Node
    python -m benchmarks.export          # all tables; --only NAME for one of them

A step is the loss and all gradients of the moons classifier 2-16-16-1 (337 parameters) with the max-margin loss, in
float64. Both are called from a loop in C, so that no time is Python's. Before anything is timed the numbers are
compared. Times are the shortest of many, with everybody taking turns, on one core. The code of `jit` is for the very
processor, which C is with -march=native only.

JavaScript runs in Node. The control of the playground is a network of plain objects, one for each neuron and weight, as
the engine of the TensorFlow Playground is built (scalar_engine.js).
"""

import ctypes
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from autograd import export, jit, value_and_grad, vmap
from autograd.codegen.code import Code
from benchmarks.jit import BATCH, CORES, best_times, comparison, data, loss_of_sample, shown
from benchmarks.table import Table, command_line, measure
from nn import MLP, SGD
from nn.playground import playground

SIZES = [2, 16, 16, 1]
COMPILERS = {"gcc": "gcc", "clang": "clang"}
LEVELS = {"-O2": ["-O2"], "-O3 -march=native": ["-O3", "-march=native"]}
OPTIONS = ["-std=c99", "-ffp-contract=off", "-fPIC", "-shared"]
REPEATS = 200
FEW, RATE, SAMPLES = 10, 0.03, 200  # of the playground: samples a step, learning rate, samples
STEPS_A_SECOND = 20_000  # to reach

OF_JIT = """
void repeat(long count, void (*step)(long, long, long, long), long slots, long table, long work, long partials)
{
    for (long k = 0; k < count; ++k) step(slots, table, work, partials);
}
"""
OF_CODE = """
#include "step.h"
void repeat(long count, {parameters})
{{
    for (long k = 0; k < count; ++k) {name}({names});
}}
"""

BEST = """
const best = (f, count) => {
  let least = Infinity;
  for (let round = 0; round < 40; round++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) f();
    least = Math.min(least, (performance.now() - start) / count / 1e3);
  }
  return least;
};
"""
STEP = """
import { Step } from "./step.mjs";
const step = await Step.load();
const [theta, X, y] = %s.map((numbers) => Float64Array.from(numbers));
console.log(JSON.stringify([step.step(theta, X, y)[0], best(() => step.step(theta, X, y), 300)]));
"""
TRAINING = """
const data = %s;
const settings = { rate: data.rate, batch: data.batch, seed: data.seed, decay: 0, optimizer: 0 };
const training = new Training(data, await loaded(data), settings);
const engine = new ScalarEngine(%s, data.theta);
const samples = data.train.X.map((x, i) => [x, data.train.y[i]]);
const engineStep = () => {
  if (!order.length) refill();
  engine.step(order.splice(0, data.batch).map((i) => samples[i]), data.rate);
};
let order = [];
const random = new Random(data.seed);
const refill = () => {
  order = samples.map((_, i) => i);
  random.shuffle(order);
};
for (let i = 0; i < 100; i++) training.step(), engineStep();
const apart = Math.max(...engine.theta().map((x, i) => Math.abs(x - training.theta[i])));
if (apart > 1e-9) throw new Error(`after 100 steps they are ${apart} apart`);
console.log(JSON.stringify([best(() => training.step(), 1000), best(engineStep, 300)]));
"""


def library(folder: Path, compiler: str, level: list[str], *sources: str) -> Any:
    """Shared code from C files in a folder."""
    path = folder / f"{sources[0]}.{compiler}{''.join(level)}.so"
    subprocess.run([compiler, *OPTIONS, *level, *sources, "-o", str(path), "-lm"], cwd=folder, check=True)
    return ctypes.CDLL(str(path))


def arguments(n: int) -> tuple[Any, ...]:
    """Parameters, samples and labels; of one sample its own."""
    theta, X, y = data(n, SIZES)
    return (theta, X, y) if n > 1 else (theta, X[0], float(y[0]))


def step_of(n: int) -> Callable[..., Any]:
    loss = loss_of_sample("relu", SIZES)
    return value_and_grad(loss if n == 1 else vmap(loss, in_axes=(None, 0, 0), reduce="mean"))


def machine_code(n: int, folder: Path) -> tuple[Callable[[], Any], Any]:
    """A call of REPEATS steps of jit's code, and the result of one."""
    step, args = jit(step_of(n), threads=1), arguments(n)
    result = step(*args)
    ((path,), _) = step.paths_for([args])
    kernel = path.kernel or path.prepare()
    buffers = kernel.take_buffers()  # as the call has left them
    (folder / "jit.c").write_text(OF_JIT)
    repeat = library(folder, next(filter(shutil.which, COMPILERS)), ["-O2"], "jit.c").repeat
    main = ctypes.c_void_p(kernel.code.address("main"))
    passed = [ctypes.c_long(x) for x in (buffers.slots_at, buffers.table_at, buffers.work_at, buffers.partials_at)]

    def call() -> None:
        repeat(ctypes.c_long(REPEATS), main, *passed)

    call.kept = kernel, buffers, args  # type: ignore[attr-defined]
    return call, result


def exported(n: int, folder: Path, expected: Any) -> dict[str, Callable[[], Any]]:
    """By compiler and options a call of REPEATS steps of the exported code."""
    theta, X, y = arguments(n)
    code = export(step_of(n), theta, X, y, name="moons_step")
    code.save(folder / "step.c")
    (folder / "repeat.c").write_text(_repeating(code))
    result = np.zeros(1 + len(theta))
    passed: list[Any] = [ctypes.c_long(n)] if n > 1 else []
    passed += [ctypes.c_double(x) if isinstance(x, float) else x.ctypes.data_as(ctypes.c_void_p)
               for x in (theta, X, y, result)]  # fmt: skip
    calls: dict[str, Callable[[], Any]] = {}
    for compiler in filter(shutil.which, COMPILERS):
        for name, level in LEVELS.items():
            repeat = library(folder, compiler, level, "step.c", "repeat.c").repeat
            repeat(ctypes.c_long(1), *passed)
            np.testing.assert_allclose(result[0], expected[0], rtol=1e-14 * (n > 1))
            np.testing.assert_allclose(result[1:], expected[1], rtol=1e-12 * (n > 1), atol=1e-15 * (n > 1))
            calls[f"C, {compiler} {name}"] = functools.partial(repeat, ctypes.c_long(REPEATS), *passed)
    return calls


def _repeating(code: Code) -> str:
    found = re.search(rf"^int {code.name}\((.*)\)$", code.text, re.MULTILINE)
    assert found is not None
    names = ", ".join([re.sub(r".*\W", "", parameter) for parameter in found[1].split(", ")])
    return OF_CODE.format(parameters=found[1], name=code.name, names=names)


def c_step(n: int, most: float | None) -> Table:
    table = comparison(f"A step of the moons network in C, batch {n}")
    with tempfile.TemporaryDirectory() as folder:
        jitted, expected = machine_code(n, Path(folder))
        times = best_times({"jit": jitted} | exported(n, Path(folder), expected), 0.5)
    table.row("jit", shown(times["jit"] / REPEATS))
    for name, seconds in list(times.items())[1:]:
        goal = f"at most {most}" if most and "native" in name else ""
        table.row(name, shown(seconds / REPEATS), f"{seconds / times['jit']:.2f} times", goal)
    return table


def node(script: str, **others: str) -> Any:
    """What a script prints, beside other files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in others.items():
            (Path(folder) / f"{name}.mjs").write_text(text)
        (Path(folder) / "main.mjs").write_text(script)
        return json.loads(subprocess.check_output(["node", "main.mjs"], cwd=folder, text=True))


def wasm(n: int) -> Table:
    table = comparison(f"A step of the moons network as WebAssembly, batch {n}")
    code = export(step_of(n), *arguments(n), language="wasm", name="step")
    with tempfile.TemporaryDirectory() as folder:
        jitted, expected = machine_code(n, Path(folder))
        native = best_times({"jit": jitted}, 0.5)["jit"] / REPEATS
    loss, seconds = node(BEST + STEP % json.dumps([x.ravel().tolist() for x in arguments(n)]), step=code.text)
    if loss != expected[0]:
        raise SystemExit(f"WebAssembly gives {loss!r}, and jit {expected[0]!r}")
    table.row("jit", shown(native))
    table.row("WebAssembly, with the call from JavaScript", shown(seconds), f"{seconds / native:.2f} times")
    return table


def live() -> Table:
    """A training as the playground does it, beside one by objects; both have to learn the same."""
    table = comparison(f"Training the moons network in JavaScript, batch {FEW}")
    theta, X, y = data(SAMPLES, SIZES)
    model = MLP(2, SIZES[1:], rng=0)
    model.load_state_dict(dict(zip(model.named_parameters(), theta.tolist(), strict=True)))
    live = playground(model, X, y, loss="hinge", optimizer=SGD(RATE), batch_size=FEW)
    assets = files("nn").joinpath("assets")
    scripts = [live.programs, *[assets.joinpath(f"{name}.js").read_text() for name in ("random", "training")]]
    engine = Path(__file__).with_name("scalar_engine.js").read_text()
    ours, control = node("\n".join([*scripts, engine, BEST, TRAINING % (json.dumps(live.data), SIZES)]))
    table.row("a network of objects", f"{1 / control:.0f} steps/s")
    table.row("the playground", f"{1 / ours:.0f} steps/s", f"{control / ours:.1f} times", f"{STEPS_A_SECOND}, 20 times")
    table.exceeded = 1 / ours < STEPS_A_SECOND
    return table


TABLES: dict[str, Callable[..., Table]] = {
    "c-1": lambda: c_step(1, 1.3),
    "c-batch": lambda: c_step(BATCH, None),
    "wasm-few": lambda: wasm(FEW),
    "wasm-batch": lambda: wasm(BATCH),
    "playground": live,
}


if __name__ == "__main__":
    options = command_line(__file__, "What exported code reaches, beside jit.", TABLES).parse_args()
    sys.exit(measure(__file__, options, TABLES, setup=lambda: os.sched_setaffinity(0, CORES[:1])))
