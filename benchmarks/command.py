"""What `python -m nn` takes from its start to the pictures, beside the training in it.

python -m pip install ".[demo]"
python -m benchmarks.command
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/command.py serves as well

from benchmarks.table import Table, command_line, measure

ROWS, FEATURES = 50_000, 10
LIMIT = 3.0  # times the training
ROUNDS = 2  # of which the quickest counts


def write_table(path: Path, features: int, classes: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, features))
    y = X @ rng.normal(size=features) + np.sin(3 * X[:, 0])
    ends = np.quantile(y, np.arange(1, classes) / max(1, classes))
    targets = ["abc"[k] for k in np.digitize(y, ends)] if classes else [f"{t:.6g}" for t in y]
    rows = [",".join([*(f"{x:.6g}" for x in row), target]) for row, target in zip(X, targets, strict=True)]
    path.write_text("\n".join([",".join([*(f"f{j}" for j in range(features)), "target"]), *rows]))


def seconds(arguments: list[str]) -> tuple[float, float]:
    """From start to end of the command, and the training in it."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "nn", *arguments], stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - start, json.loads(done.stdout)["training_seconds"]


def rows() -> Table:
    title = f"python -m nn with a table of {ROWS:,} rows, 2-16-16-1 and the like"
    table = Table(title, "what", "training", "start to pictures", "times", "at most")
    cases = [("regression", FEATURES, 0), ("three classes", FEATURES, 3), ("two classes of the plane", 2, 2)]
    for what, features, classes in cases:
        for epochs in (10, 50):  # 50 unless told otherwise
            with tempfile.TemporaryDirectory() as folder:
                data = Path(folder, "data.csv")
                write_table(data, features, classes)
                command = ["--data", str(data), "--epochs", str(epochs), "--out", folder, "--json"]
                whole, training = min(seconds(command) for _ in range(ROUNDS))
            ratio = whole / training
            table.exceeded |= ratio > LIMIT
            table.row(f"{what}, {epochs} epochs", f"{training:.1f} s", f"{whole:.1f} s", f"{ratio:.2f}", f"{LIMIT:g}")
    return table


TABLES = {"rows": rows}

if __name__ == "__main__":
    options = command_line(__file__, str(__doc__).split("\n", 1)[0], TABLES).parse_args()
    sys.exit(measure(__file__, options, TABLES))
