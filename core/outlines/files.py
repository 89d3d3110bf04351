"""Writing a file completely or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError


def require_writable(path: str | Path) -> None:
    """Raise if a file can't be written at ``path``, as far as that can be known without writing.

    Raises
    ------
    OutputError
        If the folder is missing or closed to the user, the path is a folder, or the file is read-only.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"'{target}' is a folder.", hint="Give the name of a file in it.")
    folder = target.parent
    if not folder.is_dir():
        raise OutputError(f"The folder '{folder}' of the output does not exist.", hint="Create it, or choose another.")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"The file '{target}' is read-only.", hint="Choose another name, or make it writable.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"Nothing can be written to the folder '{folder}'.",
            hint="Choose another folder, or change its permissions.",
        )


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to, and put it in its place when all went well.

    Whatever goes wrong inside, ``path`` keeps what it had before and no temporary file is left behind.

    Raises
    ------
    OutputError
        If the folder is missing or can't be written to, the path is a folder, or the disk refuses the data.
    """
    require_writable(path)
    target = Path(path)
    part = target.with_name(f".{target.stem}-{uuid.uuid4().hex[:8]}{target.suffix}")
    try:
        part.touch(exist_ok=False)
    except OSError as error:
        raise OutputError(
            f"Nothing can be written to the folder '{target.parent}' ({error.strerror}).",
            hint="Choose another folder, or change its permissions.",
        ) from error
    try:
        yield part
        part.replace(target)
    except OSError as error:
        raise OutputError(
            f"The file '{target}' could not be written ({error.strerror or error}).",
            hint="Check the free space, and that no other program has the file open.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
