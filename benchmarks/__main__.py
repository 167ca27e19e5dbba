"""python -m benchmarks: every benchmark, each in a process of its own; `--only jit:widths` for one table."""

import argparse
import subprocess
import sys
from pathlib import Path

NO_BENCHMARK = ("__init__", "__main__", "table")
FILES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NO_BENCHMARK)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, print, and write README.md.")
    parser.add_argument(
        "--only", nargs="+", default=FILES, metavar="NAME", help=f"{', '.join(FILES)}, or one table: jit:widths"
    )
    parser.add_argument("--write", action="store_true", help="write the tables to benchmarks/README.md")
    options = parser.parse_args()
    chosen: dict[str, list[str]] = {}
    for name in options.only:
        file, _, table = name.partition(":")
        if file not in FILES:
            parser.error(f"there is no benchmark {file!r}; choose from {', '.join(FILES)}")
        chosen.setdefault(file, []).extend([table] if table else [])
    failed = 0
    for file, tables in chosen.items():
        only = ["--only", *tables] if tables else []
        command = [sys.executable, "-m", f"benchmarks.{file}", *only, *["--write"] * options.write]
        failed |= subprocess.run(command, check=False).returncode
        print()
    return failed


if __name__ == "__main__":
    sys.exit(main())
