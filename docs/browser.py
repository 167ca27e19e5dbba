"""What the site has besides Sphinx's pages: the page that runs Python in the browser (its own files, the engine as a
zip, Pyodide and Graphviz in WebAssembly), a playground, and MathJax: nothing is fetched from elsewhere."""

import hashlib
import json
import shutil
import subprocess
import zipfile
from importlib import import_module
from pathlib import Path
from string import Template

from nn import MLP, playground
from nn.datasets import moons

MATHJAX = "mathjax.js"
DOCS = Path(__file__).parent
VENDORED = {  # from docs/node_modules to the page's folder vendor
    "pyodide": (
        "pyodide",
        ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"],
    ),
    "graphviz": ("@hpcc-js/wasm-graphviz/dist", ["index.js"]),
}


def assemble(site: Path) -> None:
    """Adds them to a built site, which any web server serves.

    Errors: RuntimeError without npm, or where it cannot fetch what docs/package.json names.
    """
    modules = _installed()
    shutil.copy(modules / "mathjax" / "es5" / "tex-svg-full.js", site / "_static" / MATHJAX)
    _pyodide(site / "try", modules)
    X, y = moons(100, noise=0.1, seed=0)
    loss = "binary_cross_entropy"
    playground(MLP(2, [16, 16, 1], rng=0), X, y, loss=loss).save(site / "playground.html")


def _pyodide(folder: Path, modules: Path) -> None:
    shutil.copytree(DOCS / "try", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (package, files) in VENDORED.items():
        (folder / "vendor" / name).mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(modules / package / file, folder / "vendor" / name / file)
    _zip(folder / "python.zip", "autograd", "nn", "graphviz")
    written = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "offline.js")
    version = hashlib.sha256(b"".join(path.read_bytes() for path in written)).hexdigest()[:12]
    offline = Template((DOCS / "try" / "offline.js").read_text(encoding="utf-8"))
    names = json.dumps([path.relative_to(folder).as_posix() for path in written])
    (folder / "offline.js").write_text(offline.substitute(version=version, files=names), encoding="utf-8")


def _installed() -> Path:
    modules = DOCS / "node_modules"
    packages = json.loads((DOCS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    if not all((modules / package).exists() for package in packages):
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("the page that runs Python in the browser needs npm: install Node.js with npm")
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund"]
        ran = subprocess.run(command, cwd=DOCS, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise RuntimeError(f"npm install failed in docs/: {ran.stderr:.500}")
    return modules


def _zip(path: Path, *packages: str) -> None:
    """The source of installed packages, as Python imports it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in packages:
            root = Path(str(import_module(package).__file__)).parent
            for file in sorted(root.rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    name = str(Path(package) / file.relative_to(root))
                    archive.writestr(zipfile.ZipInfo(name), file.read_bytes(), zipfile.ZIP_DEFLATED)
