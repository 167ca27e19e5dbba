"""Object code in a folder, so that another process starts without compiling."""

import functools
import hashlib
import os
import platform
import sys
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from autograd.files import write_atomically
from autograd.frames import warn

MAGIC = b"valuegrad object code 1\n"
DIGEST = 32  # bytes


class Cache:
    """A folder of object code, a file for each program.

    What is read is checked: a file that is damaged, of another program, or that another user may have written counts as
    none. Object code is run, so that the folder is as trusted as the code that names it.

    Args:
        folder: made if it is not there.

    Errors: OSError if it cannot be made.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cache = Cache(folder)
        ...     cache.store("a", b"code")
        ...     cache.load("a"), cache.load("b")
        (b'code', None)
    """

    def __init__(self, folder: "str | os.PathLike[str]"):
        self.folder = Path(folder).absolute()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def key(self, ir: str, level: int) -> str:
        """A name that the same program for the same machine and versions has, and no other."""
        return hashlib.blake2b(repr((ir, level, *_circumstances())).encode(), digest_size=DIGEST).hexdigest()

    def load(self, key: str) -> bytes | None:
        """The code that was stored under the key, if there is any."""
        try:
            with open(self._file(key), "rb") as file:
                about = os.fstat(file.fileno())
                if hasattr(os, "geteuid") and (about.st_uid not in (os.geteuid(), 0) or about.st_mode & 0o022):
                    return None
                content = file.read()
        except OSError:
            return None
        start, code = content[: len(MAGIC) + DIGEST], content[len(MAGIC) + DIGEST :]
        return code if start == self._start(key, code) else None

    def store(self, key: str, code: bytes) -> None:
        """Keep code; where that fails, warn."""
        try:
            write_atomically(self._file(key), self._start(key, code) + code)
        except OSError as error:
            warn(f"jit: compiled code is not kept: {error}", RuntimeWarning, os.path.dirname(__file__))

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.o"

    def _start(self, key: str, code: bytes) -> bytes:
        return MAGIC + hashlib.blake2b(key.encode() + code, digest_size=DIGEST).digest()


@functools.cache
def _circumstances() -> tuple[object, ...]:
    """All that object code depends on beside the program: machine, C library, versions."""
    return (
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        platform.libc_ver(),
        llvm.llvm_version_info,
        llvmlite.__version__,
        sys.modules["autograd"].__version__,
    )
