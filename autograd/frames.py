"""Whose code called: the innermost frame outside this package, for names in pictures and lines in messages."""

import os
import sys
import warnings
from types import FrameType

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def is_inside(frame: FrameType) -> bool:
    """Whether the code of a frame is this package's own."""
    return frame.f_code.co_filename.startswith(_PACKAGE)


def callers_frame(*others: str) -> FrameType:
    """The innermost frame of a file that is not below this package's folder.

    Args:
        others: more folders to pass over, such as NumPy's, through whose loops an operation on an array comes here.
    """
    inside = (_PACKAGE, *[os.path.join(folder, "") for folder in others])
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(inside):
        frame = frame.f_back
    return frame


def warn(message: str, category: type[Warning], *others: str) -> None:
    """A warning at the line of the caller outside this package.

    Args:
        message, category: as for warnings.warn.
        others: see callers_frame.
    """
    frame = callers_frame(*others)
    module = frame.f_globals.get("__name__", "<unknown>")
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, category, frame.f_code.co_filename, frame.f_lineno, module, registry)
