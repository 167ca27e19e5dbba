"""Labels as LaTeX: w1 as w with an index, words upright, and whatever else a label holds as its characters only."""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi",
    "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
}  # fmt: skip
_GREEK_LETTERS = range(0x370, 0x400)  # which TeX has in math mode only, as it has mathematical symbols
_INDICES = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_ACCENTS = {"\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar", "\u0307": r"\dot"}

# Each in math mode, where MathJax, KaTeX and LaTeX all know it. < and > stand in braces: never the start of a tag.
_SPECIAL = {
    "\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "&": r"\&", "#": r"\#", "_": r"\_",
    "^": r"{\wedge}", "~": r"{\sim}", "<": "{<}", ">": "{>}", "√": r"{\surd}", "↵": r"{\hookleftarrow}",
    "�": r"{\square}",
}  # fmt: skip
_NAME = re.compile(
    r"(?P<letters>[^\W\d_]+[\u0300-\u036f]*)_?(?P<index>\d*|_[^\W_])(?P<more>(\[\d+\])*)(?P<primes>[′″]?)"
)


def latex_name(label: str) -> str:
    """A label as LaTeX.

    Example:
        >>> print(latex_name("w1"), latex_name("x[0]"), latex_name("alpha"), latex_name("loss"), latex_name("50 %"))
        w_{1} x_{0} \\alpha \\mathrm{loss} \\text{50 }\\%
    """
    found = _NAME.fullmatch(unicodedata.normalize("NFD", label.translate(_INDICES)))
    if found is None:
        return _characters(label)
    indices = [i for i in (found["index"].removeprefix("_"), *re.findall(r"\d+", found["more"])) if i]
    return (
        _letters(found["letters"])
        + (f"_{{{','.join(indices)}}}" if indices else "")
        + {"′": "'", "″": "''"}.get(found["primes"], "")
    )


def latex_names(labels: Iterable[str]) -> dict[str, str]:
    """Labels as LaTeX that tells them apart: those that would look alike are written as their characters.

    Example:
        >>> print(*latex_names(["w1", "x1"]).values(), *latex_names(["w_1", "w[1]"]).values())
        w_{1} x_{1} \\text{w}\\_\\text{1} \\text{w[1]}
    """
    found = {label: latex_name(label) for label in labels}
    uses = Counter(found.values())
    return {label: _characters(label) if uses[written] > 1 else written for label, written in found.items()}


def _letters(letters: str) -> str:
    if letters in _GREEK:
        return rf"\{letters}"
    if len(letters) == 2 and letters[1] in _ACCENTS:
        return rf"{_ACCENTS[letters[1]]}{{{letters[0]}}}"
    letters = unicodedata.normalize("NFC", letters)
    if not letters.isascii():
        return _text(letters)  # in math mode LaTeX and KaTeX have ASCII's letters alone
    return letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"


def _characters(label: str) -> str:
    """Text with every special character written out in math mode, between runs of plain text."""
    runs = re.split(r"([\\{}$%&#_^~<>√↵�])", label)
    return "".join(_SPECIAL.get(run) or _text(run) for run in runs if run)


def _text(letters: str) -> str:
    """Plain text; Greek letters and mathematical symbols as they are, in math mode."""
    runs = itertools.groupby(letters, _is_mathematical)
    return "".join(
        "".join(map("{{{}}}".format, run)) if is_math else rf"\text{{{''.join(run)}}}" for is_math, run in runs
    )


def _is_mathematical(letter: str) -> bool:
    return not letter.isascii() and (ord(letter) in _GREEK_LETTERS or unicodedata.category(letter) == "Sm")
