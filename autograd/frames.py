"""Whose code called: the innermost frame outside this package, for names in pictures and lines in messages."""

import os
import sys
from types import FrameType

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


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
