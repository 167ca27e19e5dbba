"""The line that says what takes so long, and what is said before a compilation that takes long."""

import io
import re
import sys
import time
import warnings

import pytest

from autograd import jit
from nn import MLP, fit
from nn.elapsed import elapsed


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_from_half_a_second_on_a_line_says_how_long_it_has_taken_and_goes_when_it_is_done(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with elapsed("compiling"):
        while sys.stderr.getvalue().count("\r") < 3:
            time.sleep(0.01)
    written = sys.stderr.getvalue().split("\r")
    seconds = [float(re.fullmatch(r"compiling \.\.\. (\d+\.\d) s", line)[1]) for line in written[:-2]]
    assert len(seconds) >= 3
    assert sorted(seconds) == seconds
    assert seconds[0] >= 0.5
    assert written[-2] == " " * len(written[-3])  # what was there is written over
    assert written[-1] == ""


def test_there_is_no_line_before_that_nor_where_nobody_looks(monkeypatch):
    for stream, wanted in ((Terminal(), True), (Terminal(), False), (io.StringIO(), True), (None, True)):
        monkeypatch.setattr(sys, "stderr", stream)
        with elapsed("compiling", wanted):
            time.sleep(0.0 if stream is not None and stream.isatty() and wanted else 0.6)
        assert stream is None or stream.getvalue() == ""


def test_the_line_ends_with_what_it_is_about_when_that_fails(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(TypeError), elapsed("drawing"):
        time.sleep(time.sleep(0.6))  # which is None
    count = len(sys.stderr.getvalue())
    time.sleep(0.2)
    assert len(sys.stderr.getvalue()) == count


def test_a_compilation_that_takes_long_says_so_before_and_how_to_avoid_it(monkeypatch):
    path = pytest.importorskip("autograd.compiler.path")
    f = jit(lambda x: x * x + 1.0)
    report = f.lower(3.0)
    assert 0 < report.seconds < 1e-2
    assert report.announcement() == ""
    monkeypatch.setattr(path, "LONG", report.seconds)
    with pytest.warns(RuntimeWarning, match=r"which will take about 0 s for its \d+ operations\. .*vmap has less"):
        jit(lambda x: x * x + 1.0)(3.0)
    with pytest.warns(RuntimeWarning, match=r"fit: MLP is compiled, which will take about .*; backend='eager' starts"):
        fit(MLP(1, [2, 1], rng=0), [[0.0], [1.0]], [0.0, 1.0], epochs=1, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(MLP(1, [2, 1], rng=0), [[0.0], [1.0]], [0.0, 1.0], epochs=1, progress=False, backend="eager")


@pytest.mark.filterwarnings("default")
def test_the_command_shows_warnings_as_notes(monkeypatch, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path = pytest.importorskip("autograd.compiler.path")
    monkeypatch.setattr(path, "LONG", 0.0)
    from nn.__main__ import main

    options = ["--samples", "40", "--hidden", "2", "--epochs", "1", "--out", str(tmp_path)]
    assert main([*options, "--json"]) == 0
    assert "python -m nn: note: fit: MLP is compiled, which will take" in capsys.readouterr().err
    assert main([*options, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
