"""What to say when something optional is not installed."""

from importlib import metadata


def needs(what: str, *packages: str) -> str:
    """The text of an ImportError that names the packages to install, with a command that works anywhere.

    Args:
        what: what needs them, as the beginning of a sentence.
        packages: their names as pip knows them; those that are installed are not named, unless all are.

    Example:
        >>> needs("this picture", "no-such-package")
        'this picture needs no-such-package, not installed here: python -m pip install no-such-package'
    """
    absent = [name for name in packages if not _is_installed(name)] or list(packages)
    return f"{what} needs {' and '.join(absent)}, not installed here: python -m pip install {' '.join(absent)}"


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
