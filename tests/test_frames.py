"""Whose code called: a file of the user's is theirs, wherever it lies and whatever its name begins with."""

import os

import pytest

import autograd
from autograd.frames import callers_frame

FOLDER = os.path.dirname(autograd.__file__)
SCRIPT = """
from autograd import Value, chain_rule, jit

w, x = Value(2.0), Value(3.0)
out = w * x
text = chain_rule(out, wrt=w).text


def branches(x):
    return x if x > 0 else -x
"""


def run_as(path):
    """What a script leaves behind that stands in a file of that name."""
    scope = {"__name__": "__main__"}
    exec(compile(SCRIPT, path, "exec"), scope)
    return scope


@pytest.mark.parametrize("path", [f"{FOLDER}_demo.py", os.path.join(f"{FOLDER}_x", "a.py"), "/home/me/demo.py"])
def test_file_whose_path_begins_like_the_packages_is_the_callers(path):
    pytest.importorskip("llvmlite")
    from autograd.compiler.trace.calls import trace

    script = run_as(path)
    assert "out = w·x = 6" in script["text"], "the names of the script's variables"
    (guard,) = trace(script["branches"], [1.0]).trace.guards
    assert guard.line == f"{path}:10"


def test_file_of_the_package_is_not_the_callers():
    scope = {}
    exec(compile("def call(f): return f()", os.path.join(FOLDER, "some.py"), "exec"), scope)
    assert scope["call"](callers_frame).f_code.co_filename == __file__
