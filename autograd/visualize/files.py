"""Writing a file whole or not at all."""

import os
import tempfile
from pathlib import Path


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Write beside the target, then put it in its place: a failure leaves what was there."""
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    """mkstemp makes files that only their owner reads; a written picture gets the usual permissions."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
