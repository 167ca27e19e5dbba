"""Writing a file so that a crash leaves the old one or the new one, never a part."""

import os
import secrets
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file that a crash or a full disk at any moment leaves as it was before, or whole.

    The content goes to a temporary file beside it, to the disk, and only then under the name.

    Errors: OSError, as `open`, and where the path exists and is not a regular file, such as a folder or /dev/null. The
    temporary file is removed then.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(Path(folder, "a.txt"), b"whole")
        ...     Path(folder, "a.txt").read_bytes(), len(os.listdir(folder))
        (b'whole', 1)
    """
    target = Path(os.path.realpath(path))  # replace what a link points to, not the link
    if target.exists() and not target.is_file():
        raise OSError(f"{os.fspath(path)} is not a regular file, so it cannot be replaced; choose another name")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            if target.exists():
                os.chmod(temporary, target.stat().st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:  # which names the temporary file
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise
