"""Writing a file completely or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to, and put it in its place when all went well.

    Whatever goes wrong inside, ``path`` keeps what it had before and no temporary file is left behind.

    Raises
    ------
    OutputError
        If the folder is missing or can't be written to, the path is a folder, or the disk refuses the data.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"'{target}' is a folder.", hint="Give the name of a file in it.")
    folder = target.parent
    if not folder.is_dir():
        raise OutputError(f"The folder '{folder}' of the output does not exist.", hint="Create it, or choose another.")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"The file '{target}' is read-only.", hint="Choose another name, or make it writable.")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=folder)
    except OSError as error:
        raise OutputError(
            f"Nothing can be written to the folder '{folder}' ({error.strerror}).",
            hint="Choose another folder, or change its permissions.",
        ) from error
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(_usual_mode())
        part.replace(target)
    except OSError as error:
        raise OutputError(
            f"The file '{target}' could not be written ({error.strerror or error}).",
            hint="Check the free space, and that no other program has the file open.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _usual_mode() -> int:
    """Return the permissions that a newly created file would have; temporary files are closed to others."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
