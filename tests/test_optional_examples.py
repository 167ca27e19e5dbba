"""Examples in docstrings that need an optional package are left out where they stand, and run here."""

import doctest

import pytest

import autograd
import nn


@pytest.mark.parametrize(
    ("function", "package"),
    [(autograd.to_sympy, "sympy"), (nn.to_torch, "torch")],
    ids=lambda x: getattr(x, "__name__", x),
)
def test_examples_that_need_a_package_are_right(function, package):
    pytest.importorskip(package, reason=f"the examples need {package}")
    (found,) = doctest.DocTestFinder(recurse=False).find(function, globs=dict(vars(autograd)) | dict(vars(nn)))
    skipped = [example for example in found.examples if example.options.pop(doctest.SKIP, False)]
    assert skipped
    report = []
    failed, tried = doctest.DocTestRunner().run(found, out=report.append)
    assert failed == 0, "".join(report)
    assert tried == len(found.examples)
