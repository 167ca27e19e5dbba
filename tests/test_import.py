"""Importing the engine loads nothing outside the standard library."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PRINT_FOREIGN_MODULES = """
import sys
{code}
known = set(sys.stdlib_module_names) | {{"autograd", "__main__", "__mp_main__"}}
print(*sorted({{name.partition(".")[0] for name in sys.modules}} - known - set(sys.argv[1:])))
"""


def foreign_modules(code: str) -> set[str]:
    """The top-level modules outside the standard library that the code loads in a fresh interpreter."""

    def loaded(code: str, *ignored: str) -> str:
        command = [sys.executable, "-W", "error", "-c", PRINT_FOREIGN_MODULES.format(code=code), *ignored]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    at_startup = loaded("")  # what the interpreter itself is set up to load
    return set(loaded(code, *at_startup.split()).split())


@pytest.mark.parametrize(
    "code",
    [
        "import autograd",
        "from autograd import Value; v = Value(2.0); (v * v + v.tanh() ** 2).backward()",
        "import autograd as a; a.gradients(a.softmax([a.Value(1.0), 2.0])[0], []); a.dot([a.Value(1)], [2.0])",
        "from autograd import Value; (Value(0.0) / 0).why_nonfinite()",
        "import autograd\ntry: autograd.Value('x')\nexcept TypeError: pass",
    ],
)
def test_engine_loads_no_third_party_module(code):
    assert foreign_modules(code) == set()


def test_this_test_can_see_a_third_party_module():
    assert "numpy" in foreign_modules("import numpy")


def test_every_public_name_exists():
    import autograd

    for name in autograd.__all__:
        assert getattr(autograd, name) is not None


def test_unknown_name_is_an_attribute_error():
    import autograd

    with pytest.raises(AttributeError, match="no attribute 'tensor'"):
        _ = autograd.tensor


def test_what_is_loaded_on_first_use_is_listed_before_it():
    code = "import sys, autograd; print({*autograd.__all__} <= {*dir(autograd)}, 'autograd.compiler' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "True False\n"
    )


def test_version_is_that_of_the_distribution():
    import autograd

    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "autograd/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", autograd.__version__)


SLOW = {"ast", "dataclasses", "dis", "enum", "inspect", "re", "tokenize", "typing"}  # each as long as all of autograd


def test_engine_does_not_load_what_only_annotations_would_need():
    code = "import sys; before = set(sys.modules); import autograd; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "autograd.value" in loaded
    assert SLOW.isdisjoint(loaded)
