"""What `jit` and the compiled `fit` reach, beside NumPy, JAX, PyTorch, CasADi and micrograd.

    python -m pip install ".[demo]" jax casadi ddx-ad micrograd
    python -m pip install torch==2.13.0
    python -m benchmarks.jit            # all tables; --only NAME for one of them

The network is the moons classifier 2-16-16-1 (337 parameters) with the max-margin loss, in float64; a step is the loss
and all gradients. Everybody gets one thread and the same core, unless two are announced. Before anything is timed the
numbers are compared. Times are the shortest of many, with everybody taking turns, so that a busy machine slows all
alike; of compilation and of steps on a million examples they are CPU times. What is not installed is left out, with a
note.
"""

import functools
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ |= dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
CORES = sorted(os.sched_getaffinity(0))

import numpy as np  # noqa: E402

import autograd  # noqa: E402
from autograd import jit, value_and_grad, vmap  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/jit.py serves as well

from benchmarks.table import Table, command_line, measure  # noqa: E402

Step = Callable[[], tuple[float, Any]]  # returns the loss and the gradient
BATCH, SAMPLES, LARGE, POINTS = 104, 10_000, 1_000_000, 100
WIDTHS = (4, 8, 16, 32, 64, 128, 256)


def layers(theta: Any, sizes: list[int]) -> Iterator[tuple[Any, Any]]:
    """Weights (outputs, inputs) and biases of each layer, out of one vector of parameters."""
    start = 0
    for n, m in pairwise(sizes):
        yield theta[start : start + n * m].reshape(m, n), theta[start + n * m : start + n * m + m]
        start += n * m + m


def parameter_count(sizes: list[int]) -> int:
    return sum((n + 1) * m for n, m in pairwise(sizes))


def data(n: int, sizes: list[int]) -> tuple[Any, Any, Any]:
    """Parameters, samples and labels of two half circles."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    angle = rng.uniform(0, np.pi, n)
    X = np.stack([np.cos(angle) * y + (y < 0), np.sin(angle) * y + 0.5 * (y < 0)], axis=1)
    theta = rng.normal(size=parameter_count(sizes)) / np.sqrt(max(sizes))
    return theta, X + rng.normal(scale=0.1, size=X.shape), y


# --- the step in each library ----------------------------------------------------------------------------------------


def loss_of_sample(activation: str, sizes: list[int]) -> Callable[[Any, Any, Any], Any]:
    act = getattr(autograd, activation)

    def loss(theta: Any, x: Any, y: Any) -> Any:
        *hidden, last = layers(theta, sizes)
        h = list(x)
        for W, b in hidden:
            h = [act(autograd.dot(w, h, bias)) for w, bias in zip(W.tolist(), b.tolist(), strict=True)]
        (w,), (bias,) = last[0].tolist(), last[1].tolist()
        return autograd.relu(1 - y * autograd.dot(w, h, bias))

    return loss


def compiled(theta: Any, X: Any, y: Any, activation: str, sizes: list[int], threads: int = 1) -> Step:
    batch = vmap(loss_of_sample(activation, sizes), in_axes=(None, 0, 0), reduce="mean")
    step = jit(value_and_grad(batch), threads=threads)
    return lambda: step(theta, X, y)


def with_numpy(theta: Any, X: Any, y: Any, activation: str, sizes: list[int]) -> Step:
    """Forward and backward written out by hand."""

    def step() -> tuple[float, Any]:
        gradient = np.empty_like(theta)
        parameters, gradients = list(layers(theta, sizes)), list(layers(gradient, sizes))
        outputs = [X]
        for W, b in parameters[:-1]:
            z = outputs[-1] @ W.T + b
            outputs.append(np.tanh(z) if activation == "tanh" else np.maximum(z, 0.0))
        W, b = parameters[-1]
        margin = 1 - y * (outputs[-1] @ W[0] + b[0])
        adjoint = (np.where(margin > 0, -y, 0.0) / len(y))[:, None]
        for i in reversed(range(len(parameters))):
            np.matmul(adjoint.T, outputs[i], out=gradients[i][0])
            adjoint.sum(axis=0, out=gradients[i][1])
            if i:
                adjoint = adjoint @ parameters[i][0]
                adjoint *= 1 - outputs[i] ** 2 if activation == "tanh" else outputs[i] > 0
        return np.maximum(margin, 0.0).mean(), gradient

    return step


def loss_in_jax(activation: str, sizes: list[int]) -> Callable[[Any, Any, Any], Any]:
    """The mean over a batch."""
    import jax

    jax.config.update("jax_enable_x64", True)
    act = jax.numpy.tanh if activation == "tanh" else jax.nn.relu

    def loss(theta: Any, X: Any, y: Any) -> Any:
        *hidden, (W, b) = layers(theta, sizes)
        h = X
        for V, c in hidden:
            h = act(h @ V.T + c)
        return jax.nn.relu(1 - y * (h @ W[0] + b[0])).mean()

    return loss


def with_jax(theta: Any, X: Any, y: Any, activation: str, sizes: list[int]) -> Step:
    import jax

    step = jax.jit(jax.value_and_grad(loss_in_jax(activation, sizes)))
    theta, X, y = map(jax.numpy.asarray, (theta, X, y))
    return lambda: jax.block_until_ready(step(theta, X, y))


def with_torch(theta: Any, X: Any, y: Any, activation: str, sizes: list[int]) -> Step:
    import torch

    torch.set_num_threads(1)
    act = torch.tanh if activation == "tanh" else torch.relu
    leaves = [torch.tensor(x, requires_grad=True) for pair in layers(theta, sizes) for x in pair]
    inputs, labels = torch.tensor(X), torch.tensor(y)

    def step() -> tuple[float, Any]:
        for leaf in leaves:
            leaf.grad = None
        h = inputs
        for W, b in zip(leaves[:-2:2], leaves[1:-2:2], strict=True):
            h = act(torch.nn.functional.linear(h, W, b))
        scores = torch.nn.functional.linear(h, leaves[-2], leaves[-1])[:, 0]
        loss = torch.relu(1 - labels * scores).mean()
        loss.backward()
        return loss.item(), [leaf.grad for leaf in leaves]

    return step


def with_micrograd(theta: Any, X: Any, y: Any, activation: str, sizes: list[int]) -> Step:
    from micrograd.engine import Value

    leaves = [Value(x) for x in theta.tolist()]
    weights = [
        (W.tolist(), b.tolist()) for W, b in layers(np.array(range(len(leaves))), sizes)
    ]  # positions among the leaves
    samples = list(zip(X.tolist(), y.tolist(), strict=True))

    def step() -> tuple[float, Any]:
        for leaf in leaves:
            leaf.grad = 0
        total = Value(0.0)
        for x, label in samples:
            h = x
            for k, (W, b) in enumerate(weights):
                rows = zip(W, b, strict=True)
                h = [sum((leaves[w] * v for w, v in zip(row, h, strict=True)), leaves[i]) for row, i in rows]
                h = [v.relu() for v in h] if k < len(weights) - 1 else h
            total = total + (1 + -label * h[0]).relu()
        total = total * (1 / len(samples))
        total.backward()
        return total.data, [leaf.grad for leaf in leaves]

    return step


LIBRARIES: dict[str, tuple[str, Callable[..., Step]]] = {
    "NumPy by hand": ("numpy", with_numpy),
    "JAX jit": ("jax", with_jax),
    "PyTorch eager": ("torch", with_torch),
    "micrograd": ("micrograd", with_micrograd),
}


def steps(n: int, activation: str, names: list[str], sizes: list[int] | None = None) -> dict[str, Step]:
    """A step in this package and in each library named that is installed, their numbers found equal."""
    sizes = sizes or [2, 16, 16, 1]
    theta, X, y = data(n, sizes)
    found = {"valuegrad": compiled(theta, X, y, activation, sizes)}
    for name in names:
        module, make = LIBRARIES[name]
        if find_spec(module):
            found[name] = make(theta, X, y, activation, sizes)
        else:
            print(f"  ({name} is not installed)")
    results = {name: step() for name, step in found.items()}
    for name, (loss, gradient) in results.items():
        if name == "PyTorch eager":
            gradient = np.concatenate([np.asarray(g).ravel() for g in gradient])
        np.testing.assert_allclose(loss, results["valuegrad"][0], rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(gradient, results["valuegrad"][1], rtol=1e-7, atol=1e-12, err_msg=name)
    return found


def best_times(
    calls: dict[str, Callable[[], Any]], seconds: float, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """The shortest time of each call, all in turn, for so long each, or twice."""
    repeats, best = {}, {}
    for name, call in calls.items():
        start = clock()
        call()
        best[name] = clock() - start
        repeats[name] = max(1, min(200, int(0.005 / best[name])))
    spent = dict.fromkeys(calls, 0.0)
    for round_ in range(10_000):
        waiting = [name for name in calls if spent[name] < seconds or round_ < 2]
        for name in waiting:
            start = clock()
            for _ in range(repeats[name]):
                calls[name]()
            took = clock() - start
            spent[name] += took
            best[name] = min(best[name], took / repeats[name])
        if not waiting:
            break
    return best


def shown(seconds: float) -> str:
    scale, unit = (1e6, "µs") if seconds < 1e-3 else (1e3, "ms") if seconds < 1 else (1, "s")
    return f"{seconds * scale:.3g} {unit}"


def comparison(title: str) -> Table:
    return Table(title, "what", "time", "ratio", "to reach")


# --- tables ----------------------------------------------------------------------------------------------------------


def batch_104() -> Table:
    table = comparison(f"A step of the moons network, batch {BATCH}, one thread")
    goals = {"NumPy by hand": 3, "JAX jit": 2, "PyTorch eager": 10, "micrograd": 20_000}
    times = best_times(steps(BATCH, "relu", list(goals)), 1.5)
    ours = times["valuegrad"]
    tanh = best_times(steps(BATCH, "tanh", []), 1.0)["valuegrad"]
    table.row("valuegrad", shown(ours))
    for name, goal in goals.items():
        if name in times:
            table.row(name, shown(times[name]), f"{times[name] / ours:.3g} times", f"at least {goal}")
    table.row("valuegrad, tanh instead of ReLU", shown(tanh), f"{tanh / ours:.2f} times", "at most 1.6")
    return table


def million() -> Table:
    table = comparison(f"A step of the moons network, {LARGE:,} examples, one thread")
    goals = {"JAX jit": 4, "PyTorch eager": 15}
    times = best_times(steps(LARGE, "relu", list(goals)), 1.0, time.process_time)
    ours = times["valuegrad"]
    table.row("valuegrad", shown(ours))
    for name, goal in goals.items():
        if name in times:
            table.row(name, shown(times[name]), f"{times[name] / ours:.3g} times", f"at least {goal}")
    sizes = [2, 16, 16, 1]
    arguments = data(LARGE, sizes)
    steps_of = {name: compiled(*arguments, name, sizes) for name in ("relu", "tanh")}
    times = best_times(steps_of | {"alone": tanh_alone(32)}, 1.5, time.process_time)
    ours, tanh = times["relu"], times["tanh"]
    table.row("valuegrad, tanh instead of ReLU", shown(tanh), f"{tanh / ours:.2f} times", "at most 1.6")
    table.row("32 tanh and their derivatives alone", shown(times["alone"]), f"{times['alone'] / ours:.2f} times")
    if len(CORES) > 1:
        os.sched_setaffinity(0, CORES[:2])
        pair = {n: compiled(*arguments, "relu", sizes, threads) for n, threads in (("one", 1), ("two", 2))}
        halves = [compiled(*data(LARGE // 2, sizes), "relu", sizes) for _ in range(2)]
        times = best_times(pair | {"control": lambda: at_once(halves)}, 1.0)
        ratio, free = [f"{times['one'] / times[name]:.2f} times" for name in ("two", "control")]
        table.row("valuegrad, two threads", shown(times["two"]), ratio, "at least 1.7")
        table.row("  control: two halves at once, a core each", shown(times["control"]), free, "2 where both are free")
        os.sched_setaffinity(0, CORES[:1])
    return table


def at_once(calls: list[Step]) -> None:
    """Each in a thread of its own."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def tanh_alone(count: int) -> Callable[[], Any]:
    """So many tanh of each example, with their derivatives, and next to nothing else."""

    def f(w: Any, x: Any) -> Any:
        return autograd.sum([autograd.tanh(weight * x) for weight in w])

    step = jit(value_and_grad(vmap(f, in_axes=(None, 0), reduce="mean")), threads=1)
    w, x = np.linspace(-1, 1, count), np.linspace(-2, 2, LARGE)
    return lambda: step(w, x)


def compile_time() -> Table:
    table = comparison("Compile time of the moons network, from the call to the first result, in a new process")
    code = (
        "import time; import benchmarks.jit as b\n"
        "s = [2, 16, 16, 1]; step = b.compiled(*b.data(104, s), 'ACT', s)\n"
        "t = time.process_time(); step(); print(time.process_time() - t)"
    )
    for activation in ("relu", "tanh"):
        times = [float(run(code.replace("ACT", activation))) for _ in range(3)]
        table.row(activation, shown(min(times)), "", "at most 0.3 s")
    return table


def run(code: str, environ: dict[str, str] | None = None) -> str:
    """The last line that the code prints in a new process, with these variables in its environment."""
    command, here, env = [sys.executable, "-c", code], Path(__file__).parents[1], os.environ | (environ or {})
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here, env=env)
    if result.returncode:
        raise SystemExit(result.stderr)
    return result.stdout.strip().splitlines()[-1]


def loss_of_all(theta: Any, X: Any, y: Any) -> Any:
    """The loss of all points, without vmap: one graph."""
    loss = loss_of_sample("relu", [2, 16, 16, 1])
    return autograd.mean([loss(theta, x, label) for x, label in zip(X, y, strict=True)])


def whole_graph() -> Table:
    table = comparison(f"The loss of {POINTS} points and its gradient as one graph, without vmap")
    theta, X, y = data(POINTS, [2, 16, 16, 1])
    step = jit(value_and_grad(loss_of_all), threads=1)
    calls: dict[str, Callable[[], Any]] = {"valuegrad": lambda: step(theta, X, y)}
    loss, gradient = step(theta, X, y)
    if find_spec("casadi"):
        evaluate = with_casadi(theta, X, y)
        calls["CasADi SX"] = evaluate
        expected, expected_gradient = evaluate()
        np.testing.assert_allclose(loss, expected, rtol=1e-12)
        np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-9, atol=1e-13)
    else:
        table.note("CasADi is not installed")
    times = best_times(calls, 1.0)
    ours = times["valuegrad"]
    table.row(f"valuegrad, {step.lower(theta, X, y).needed:,} nodes", shown(ours))
    if "CasADi SX" in times:
        table.row("CasADi SX", shown(times["CasADi SX"]), f"{times['CasADi SX'] / ours:.2f} times", "at least 2")
    return table


def with_casadi(theta: Any, X: Any, y: Any) -> Step:
    """Forward and backward as one function of scalars, called through buffers."""
    import casadi

    p, x, label = casadi.SX.sym("p", len(theta)), casadi.SX.sym("x", 2 * len(y)), casadi.SX.sym("y", len(y))
    total: Any = 0
    positions = [(W.tolist(), b.tolist()) for W, b in layers(np.array(range(len(theta))), [2, 16, 16, 1])]
    for i in range(len(y)):
        h = [x[2 * i], x[2 * i + 1]]
        for k, (W, b) in enumerate(positions):
            z = []
            for weights, bias in zip(W, b, strict=True):
                s = p[bias]
                for w, v in zip(weights, h, strict=True):
                    s = s + p[w] * v
                z.append(casadi.fmax(s, 0) if k < len(positions) - 1 else s)
            h = z
        total = total + casadi.fmax(1 - label[i] * h[0], 0)
    loss = total / len(y)
    function: Any = casadi.Function("step", [p, x, label], [loss, casadi.gradient(loss, p)])
    buffer, evaluate = function.buffer()
    inputs: list[Any] = [np.ascontiguousarray(a.ravel()) for a in (theta, X, y)]
    value: Any = np.zeros(1)
    gradient: Any = np.zeros(len(theta))
    for i, a in enumerate(inputs):
        buffer.set_arg(i, memoryview(a))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(gradient))

    def step(memory: Any = (buffer, inputs)) -> tuple[float, Any]:  # which has to live as long as the step
        evaluate()
        return float(value[0]), gradient

    return step


def compile_scaling() -> Table:
    table = comparison("Compile time and memory of one graph, from the call to the first result, each in a new process")
    code = "import benchmarks.jit; benchmarks.jit.print_one_compilation(POINTS)"
    for points in (1, 5, 50, 100, 500):
        nodes, seconds, megabytes = map(float, run(code.replace("POINTS", str(points))).split())
        each = f"{seconds / nodes * 1e6:.1f} µs a node"
        goal = "at most 20" if points == 100 else ""
        table.row(f"{int(nodes):,} nodes, {megabytes:.0f} MB", shown(seconds), each, goal)
    return table


def print_one_compilation(points: int) -> None:
    jit(lambda x: x * x)(1.0)  # the libraries are loaded
    theta, X, y = data(points, [2, 16, 16, 1])
    step = jit(value_and_grad(loss_of_all), threads=1)
    before = memory("VmRSS")
    start = time.process_time()
    step(theta, X, y)
    seconds = time.process_time() - start
    print(step.lower(theta, X, y).needed, seconds, memory("VmHWM") - before)


def memory(field: str) -> float:
    """Megabytes of this process: VmRSS now, VmHWM at most; 0 on systems that do not tell."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024
    except OSError:
        return 0.0


def widths(batch: int = BATCH, avx2: bool = False) -> Table:
    names = list(BESIDE_WIDTHS)
    title = (
        f"A step of networks 2-w-w-1, batch {batch:,}, one thread" + ", everybody with AVX2 instead of AVX-512" * avx2
    )
    table = Table(title, "w", "parameters", "valuegrad", *names, "best other")
    for w in WIDTHS:
        times = (
            json.loads(run(f"import benchmarks.jit as b; b.print_avx2({w}, {batch})", AVX2))
            if avx2
            else times_of(w, batch)
        )
        cells = [shown(times[name]) if name in times else "" for name in ("valuegrad", *names)]
        others = [times[name] for name in names if name in times]
        best = f"{min(others) / times['valuegrad']:.2f} times" if others else ""
        table.row(w, f"{parameter_count([2, w, w, 1]):,}", *cells, best)
    return table


BESIDE_WIDTHS = "NumPy by hand", "JAX jit", "PyTorch eager"
# What holds JAX, OpenBLAS, NumPy and PyTorch, and MKL and oneDNN within it, to the registers of AVX2.
AVX2 = {
    "XLA_FLAGS": os.environ["XLA_FLAGS"] + " --xla_cpu_max_isa=AVX2", "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR", "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2",
}  # fmt: skip


def times_of(width: int, batch: int) -> dict[str, float]:
    return best_times(steps(batch, "relu", list(BESIDE_WIDTHS), [2, width, width, 1]), 0.5)


def print_avx2(width: int, batch: int) -> None:
    """The times on a processor that LLVM takes for one with AVX2."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    features |= {name: False for name in features if name.startswith("avx512")}
    llvm.get_host_cpu_features, llvm.get_host_cpu_name = lambda: features, lambda: "haswell"
    print(json.dumps(times_of(width, batch)))


def first_calls() -> Table:
    title = (
        "The first call (trace, optimise, compile) of networks 2-w-w-1, each in a new process; what it traced and left"
    )
    table = Table(title, "w", "valuegrad", "Values", "memory", "a Value", "by table", "by code", "JAX jit")
    least = float(run("import benchmarks.jit; benchmarks.jit.print_least_memory()"))
    table.note(
        f"a Value: of the memory beyond {least:.1f} MB, which LLVM takes for its first loop over lanes, of one product"
    )
    for w in WIDTHS:
        code = f"import benchmarks.jit; benchmarks.jit.print_first_call({{}}, {w})"
        seconds, traced, megabytes, *left = run(code.format("''")).split()
        a_value = f"{1024 * (float(megabytes) - least) / int(traced):.2f} kB"
        jax = shown(float(run(code.format("'JAX jit'")))) if find_spec("jax") else ""
        table.row(w, shown(float(seconds)), traced, f"{float(megabytes):.1f} MB", a_value, *left, jax)
    return table


def print_first_call(name: str, width: int) -> None:
    """Seconds; of valuegrad also the Values traced, megabytes, products by table, operations by code."""
    sizes = [2, width, width, 1]
    arguments = data(BATCH, sizes)
    if name:
        LIBRARIES[name][1](*data(BATCH, [2, 2, 1]), "relu", [2, 2, 1])()  # the library is loaded
        step = LIBRARIES[name][1](*arguments, "relu", sizes)
        start = time.process_time()
        step()
        print(time.process_time() - start)
        return
    batch = vmap(loss_of_sample("relu", sizes), in_axes=(None, 0, 0), reduce="mean")
    step = jit(value_and_grad(batch), threads=1)
    seconds, megabytes = first_call(step, *arguments)
    report = step.lower(*arguments)
    print(seconds, report.traced, megabytes, report.terms, report.instructions)


def print_least_memory() -> None:
    """Megabytes of the least that is compiled for lanes."""
    print(first_call(jit(vmap(lambda x: 2.0 * x, reduce="sum"), threads=1), np.ones(BATCH))[1])


def first_call(step: Any, *arguments: Any) -> tuple[float, float]:
    """Seconds, and megabytes beyond those of a process that compiled a product of numbers."""
    jit(lambda x: x * x)(1.0)
    before, start = memory("VmRSS"), time.process_time()
    step(*arguments)
    return time.process_time() - start, memory("VmHWM") - before


# --- two objectives of ADBench ----------------------------------------------------------------------------------------


def mixture(alphas: Any, means: Any, scales: Any, x: Any, of: Any = autograd) -> Any:
    """The log-likelihood of a point under Gaussians with triangular factors of their inverse covariances (GMM).

    The functions, here and in projection, are those of the package or of another library that takes scalar code.
    """
    d, terms = len(x), []
    for alpha, mean, scale in zip(alphas, means, scales, strict=True):
        centred = [a - b for a, b in zip(x, mean, strict=True)]
        rows, k = [], d
        for i in range(d):
            row_ = of.exp(scale[i]) * centred[i]
            for j in range(i):
                row_ = row_ + scale[k] * centred[j]
                k += 1
            rows.append(row_)
        square = of.sum([r * r for r in rows])
        terms.append(alpha + of.sum(list(scale[:d])) - 0.5 * square)
    return of.logsumexp(terms)


def mixture_in_jax(alphas: Any, means: Any, scales: Any, X: Any) -> Any:
    import jax
    import jax.numpy as jnp

    d = X.shape[1]
    lower_triangle = jnp.tril_indices(d, -1)

    def of_point(x: Any) -> Any:
        def of_component(alpha: Any, mean: Any, scale: Any) -> Any:
            L = jnp.zeros((d, d)).at[lower_triangle].set(scale[d:]) + jnp.diag(jnp.exp(scale[:d]))
            return alpha + scale[:d].sum() - 0.5 * ((L @ (x - mean)) ** 2).sum()

        return jax.nn.logsumexp(jax.vmap(of_component)(alphas, means, scales))

    return jax.vmap(of_point)(X).sum()


def projection(camera: Any, X: Any, weight: Any, feature: Any, of: Any = autograd) -> Any:
    """The weighted error of a point seen by a camera: rotation, centre, focal length, offset, distortion (BA)."""
    rotation, centre, focal, x0, distortion = camera[:3], camera[3:6], camera[6], camera[7:9], camera[9:11]
    seen = [a - b for a, b in zip(X, centre, strict=True)]
    angle = of.sqrt(of.sum([r * r for r in rotation]))
    sine, cosine = of.sin(angle), of.cos(angle)
    w = [r / angle for r in rotation]
    cross = [w[1] * seen[2] - w[2] * seen[1], w[2] * seen[0] - w[0] * seen[2], w[0] * seen[1] - w[1] * seen[0]]
    along = (w[0] * seen[0] + w[1] * seen[1] + w[2] * seen[2]) * (1.0 - cosine)
    p = [s * cosine + c * sine + a * along for s, c, a in zip(seen, cross, w, strict=True)]
    u, v = p[0] / p[2], p[1] / p[2]
    square = u * u + v * v
    scale = 1.0 + distortion[0] * square + distortion[1] * square * square
    return [weight * (u * scale * focal + x0[0] - feature[0]), weight * (v * scale * focal + x0[1] - feature[1])]


def projection_in_jax(camera: Any, X: Any, weight: Any, feature: Any) -> Any:
    import jax.numpy as jnp

    rotation, seen = camera[:3], X - camera[3:6]
    angle = jnp.sqrt((rotation**2).sum())
    w = rotation / angle
    p = seen * jnp.cos(angle) + jnp.cross(w, seen) * jnp.sin(angle) + w * (w @ seen) * (1.0 - jnp.cos(angle))
    u = p[:2] / p[2]
    square = (u**2).sum()
    return weight * (u * (1.0 + camera[9] * square + camera[10] * square**2) * camera[6] + camera[7:9] - feature)


def in_ddx(
    f: Callable[..., Any], of_one: tuple[Any, ...], batch: Any, read: Callable[[Any, Any], Any]
) -> Callable[[], Any] | None:
    """f in ddx-ad, compiled, with its derivatives by all arguments but the last; None if it is not installed.

    Args:
        of_one: the arguments of one point, as nested lists.
        batch: for each number of these a row of those of all points.
        read: what is wanted of the results, and of the derivatives (..., inputs, points).
    """
    if not find_spec("ddx"):
        return None
    import ddx

    def logsumexp(terms: list[Any]) -> Any:
        largest = functools.reduce(ddx.max, terms)
        total: Any = sum(ddx.exp(term - largest) for term in terms)
        return largest + ddx.log(total)

    def named(x: Any, name: str, make: Callable[[str], Any]) -> Any:
        return [named(e, f"{name}_{i}", make) for i, e in enumerate(x)] if isinstance(x, list) else make(name)

    def model() -> Any:
        *inputs, last = [f"argument{i}" for i in range(len(of_one))]
        symbols = [named(x, name, ddx.var) for x, name in zip(of_one, inputs, strict=False)]
        functions = types.SimpleNamespace(**{**vars(ddx), "sum": sum, "logsumexp": logsumexp})
        result = f(*symbols, named(of_one[-1], last, ddx.param), of=functions)
        return tuple(result) if isinstance(result, list) else result

    call = ddx.equation(model).compile(points=batch.shape[1]).buffer(batch)

    def run() -> Any:
        call()
        return read(call.value, call.jacobian)

    return run


def adbench() -> Table:
    title = "Two objectives of ADBench, in plain scalar code, one thread"
    table = Table(title, "what", "valuegrad", "JAX jit", "ddx-ad", "best other")
    table.note(
        "ddx-ad gives a gradient for each point of the mixture, which NumPy adds"
        if find_spec("ddx")
        else "ddx-ad is not installed"
    )
    if not find_spec("jax"):
        table.note("JAX is not installed")
        return table
    import jax

    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    for d, k, n in ((2, 5, 10_000), (10, 5, 10_000)):
        alphas, means = rng.normal(size=k), rng.normal(size=(k, d))
        scales, X = rng.normal(scale=0.3, size=(k, d * (d + 1) // 2)), rng.normal(size=(n, d))
        ours = jit(value_and_grad(vmap(mixture, in_axes=(None, None, None, 0), reduce="sum"), (0, 1, 2)), threads=1)
        theirs = jax.jit(jax.value_and_grad(mixture_in_jax, (0, 1, 2)))
        shared = [row for x in (alphas, means, scales) for row in np.repeat(x.reshape(-1, 1), n, axis=1)]
        numbers = (*(x.tolist() for x in (alphas, means, scales)), X[0].tolist())
        added = in_ddx(mixture, numbers, np.array([*shared, *X.T]), lambda y, slopes: (y.sum(), slopes.sum(axis=-1)))
        beside(table, f"mixture, d = {d}, k = {k}, {n:,} points", ours, theirs, (alphas, means, scales, X), added)
    n = 10_000
    cameras, points = rng.normal(size=(n, 11)), rng.normal(size=(n, 3)) + np.array([0.0, 0.0, 8.0])
    weights, features = rng.normal(size=n), rng.normal(size=(n, 2))
    ours = jit(vmap(autograd.jacobian(projection, (0, 1, 2))), threads=1)
    theirs = jax.jit(jax.vmap(jax.jacrev(projection_in_jax, (0, 1, 2))))
    arguments = cameras, points, weights, features
    batch = np.array([*cameras.T, *points.T, weights, *features.T])
    jacobians = in_ddx(projection, tuple(x[0].tolist() for x in arguments), batch, lambda y, slopes: slopes)
    beside(table, f"bundle adjustment, {n:,} Jacobians", ours, theirs, arguments, jacobians)
    return table


def beside(table: Table, what: str, ours: Any, theirs: Any, arguments: tuple[Any, ...], in_ddx: Any) -> None:
    """The times of all, their numbers found equal."""
    import jax

    on_device = [jax.numpy.asarray(x) for x in arguments]

    def flat(result: Any) -> Any:
        return np.concatenate([np.asarray(x).ravel() for x in jax.tree_util.tree_leaves(jax.block_until_ready(result))])

    runs = {"valuegrad": lambda: ours(*arguments), "JAX jit": lambda: jax.block_until_ready(theirs(*on_device))}
    if in_ddx:
        runs["ddx-ad"] = in_ddx
    mine = flat(runs["valuegrad"]())
    for name, run in runs.items():
        np.testing.assert_allclose(np.sort(mine), np.sort(flat(run())), rtol=1e-6, atol=1e-9, err_msg=f"{what}, {name}")
    times = best_times(runs, 1.0)
    best = min(spent for name, spent in times.items() if name != "valuegrad") / times["valuegrad"]
    table.row(what, *(shown(times[name]) if name in times else "" for name in table.columns[1:-1]), f"{best:.2f} times")


def fitting() -> Table:
    table = comparison("fit, and python -m nn")
    import nn
    from nn.datasets import moons

    X, y = moons(POINTS)
    labels = [2 * c - 1 for c in y]

    def seconds(epochs: int) -> float:
        model = nn.MLP(2, [16, 16, 1], rng=0)
        run = nn.fit(model, X, labels, loss="hinge", epochs=epochs, batch_size=None, progress=False, backend="jit")
        return run.seconds

    compiling = statistics.median([seconds(1) for _ in range(3)])
    table.row("compilation in fit", shown(compiling))
    hundred = (min(seconds(2001) for _ in range(3)) - compiling) / 20
    table.row("100 epochs of full-batch moons", shown(hundred), "", "at most 20 ms")
    os.sched_setaffinity(0, CORES)
    imports = "import matplotlib.pyplot, sklearn.datasets, numpy, llvmlite.binding, tqdm, graphviz"
    importing = min(timed([sys.executable, "-c", imports])[0] for _ in range(3))
    took = min(timed([sys.executable, "-m", "nn", "--quiet", "--out", "out/benchmark"])[0] for _ in range(3))
    table.row("importing the libraries", shown(importing))
    table.row("python -m nn, to written pictures", shown(took), f"{took - importing:+.2f} s", "at most +2 s")
    took, output = timed([sys.executable, "-m", "nn", "--dataset", "digits", "--quiet", "--out", "out/benchmark"])
    accuracy = re.search(r"test samples ([\d.]+)", output)
    assert accuracy is not None
    table.row("python -m nn --dataset digits", shown(took), f"{float(accuracy[1]):.1%}", "96 % in 60 s")
    return table


def timed(command: list[str]) -> tuple[float, str]:
    start = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, result.stdout


TABLES: dict[str, Callable[..., Table]] = {
    "batch": batch_104, "million": million, "compile": compile_time, "graph": whole_graph, "scaling": compile_scaling,
    "widths": widths, "wide-batch": functools.partial(widths, SAMPLES), "avx2": functools.partial(widths, avx2=True),
    "first-calls": first_calls, "adbench": adbench,
    "fit": fitting,
}  # fmt: skip


if __name__ == "__main__":
    options = command_line(__file__, "What jit reaches, beside other libraries.", TABLES).parse_args()
    sys.exit(measure(__file__, options, TABLES, setup=lambda: os.sched_setaffinity(0, CORES[:1])))
