"""A line on the terminal that says what takes so long, and for how long so far."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

PATIENCE, INTERVAL = 0.5, 0.1  # seconds until there is a line, and until it is written again


@contextlib.contextmanager
def elapsed(what: str, wanted: bool = True) -> Iterator[None]:
    """Inside `with`, from half a second on, a line such as "compiling ... 1.2 s" on the standard error.

    Args:
        what: what is going on.
        wanted: False for no line. There is none, either, where the standard error is no terminal.

    The cursor stays at the beginning of the line, so that whatever else is written takes its place.

    Example:
        >>> with elapsed("waiting"):
        ...     pass
    """
    stream = sys.stderr
    if not wanted or stream is None or not stream.isatty():
        yield
        return
    done, started = threading.Event(), time.monotonic()

    def rewrite() -> None:
        wait, text = PATIENCE, ""
        while not done.wait(wait):
            wait, text = INTERVAL, f"{what} ... {time.monotonic() - started:.1f} s"
            stream.write(f"{text}\r")
            stream.flush()
        stream.write(f"{' ' * len(text)}\r" if text else "")
        stream.flush()

    thread = threading.Thread(target=rewrite, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
