"""What `python -m nn` says: results to the standard output, everything else to people at the standard error."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nn.cells import shortened

LONGEST = 400  # characters of an error


class UsageError(ValueError):
    """Options that do not go together."""


def fail(message: str, code: int) -> int:
    say(f"{styled('error:', '31', sys.stderr)} {shortened(' '.join(message.split()), LONGEST)}")
    return code


def say(message: str) -> None:
    """To people, where results may go to a program."""
    if sys.stderr is not None:  # else print would write to the standard output
        print(f"python -m nn: {message}", file=sys.stderr, flush=True)


def styled(text: str, style: str, stream: Any) -> str:
    """Text in a colour or bold, on a terminal that is not told otherwise (no-color.org)."""
    shown = stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")
    return f"\x1b[{style}m{text}\x1b[0m" if shown else text


def show(text: str) -> None:
    """Results, at once: a program that reads them may not wait for the end."""
    if sys.stdout is None:  # closed, which is not a failure
        return
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "the standard output") from error


def tell(options: argparse.Namespace, text: str) -> None:
    """What is said on the way, except to a program."""
    if not options.json:
        show(text)


def note(options: argparse.Namespace, notes: Sequence[str]) -> None:
    for note in notes:
        if not options.quiet:
            say(f"note: {note}")


def check_file(option: str, path: Path | None) -> None:
    """Whether a file can be written, where the option names one."""
    if path is None:
        return
    if path.exists() and not path.is_file():
        raise UsageError(f"{option} {path}: it exists and is not a regular file")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UsageError(f"{option} {path}: its folder cannot be written to: {error.strerror}") from error
