"""Fetch one weights file: resumed where it stopped, verified while it is written, in place only when it is right."""

from __future__ import annotations

import errno
import hashlib
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .. import native
from ..errors import DownloadError, ModelFileError
from ..progress import Progress, check
from .model import ModelFile

CHUNK_BYTES = 256 * 1024
LARGEST_UNKNOWN_BYTES = 4 * 1024**3
_TIMEOUT_S = (10.0, 30.0)
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL = 206


@dataclass(frozen=True)
class Patience:
    """How often and how long a download that stumbles is tried again."""

    tries: int = 4
    """Attempts before giving up; each goes on where the one before stopped."""
    wait_s: float = 1.0
    """Pause before the second attempt; it doubles each time."""


class _TryAgainError(Exception):
    """A failure that may pass: the next attempt resumes."""


def fetch(file: ModelFile, target: Path, progress: Progress, *, patience: Patience | None = None) -> None:
    """Download ``file`` to ``target``.

    What has arrived lies in ``<target>.part`` until it is whole and its digest is right, and stays there when the
    download is cancelled or fails, so that the next call goes on from it.

    Raises
    ------
    DownloadError
        If the server or the disk doesn't let the file through; names the host and what it said.
    ModelFileError
        If a whole file arrived and its digest isn't the expected one; it is not kept.
    DependencyError
        If requests is missing.
    Cancelled
        If the user asked to stop.
    """
    patience = patience or Patience()
    part = target.with_name(f"{target.name}.part")
    for attempt in range(1, patience.tries + 1):
        check(progress)
        resumed = part.exists()
        try:
            digest = _attempt(file, part, progress)
            if digest == file.sha256:
                part.replace(target)
                return
            part.unlink()
            if not resumed:
                raise ModelFileError(
                    f"{file.url} is not the expected file: its SHA-256 is {digest} and should be {file.sha256}.",
                    hint="Nothing was kept. Get the file elsewhere and import it, or update the plugin.",
                )
        except _TryAgainError as error:
            if attempt == patience.tries:
                raise DownloadError(
                    f"{file.url} could not be fetched in {attempt} attempts: {error}.",
                    hint="Check the connection and try again: it goes on from where it stopped.",
                ) from error
            _wait(patience.wait_s * 2 ** (attempt - 1), progress)
        except OSError as error:
            raise _disk_error(error, part) from error
    raise DownloadError(
        f"{file.url} changed while it was being fetched, {patience.tries} times.", hint="Try again later."
    )


def sha256_of(path: Path, progress: Progress) -> str:
    """Return the file's SHA-256 in lower-case hex.

    Raises
    ------
    Cancelled
        If the user asked to stop.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        _absorb(stream, digest, progress)
    return digest.hexdigest()


def _attempt(file: ModelFile, part: Path, progress: Progress) -> str:
    """Fetch what is missing of ``part`` and return the digest of the whole."""
    requests = native.requests()
    part.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    if file.size and have > file.size:
        part.unlink()
        have = 0
    if file.size and have == file.size:
        return sha256_of(part, progress)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with closing(requests.get(file.url, headers=headers, stream=True, timeout=_TIMEOUT_S)) as response:
            if response.status_code == _RANGE_NOT_SATISFIABLE:
                # Nothing is left after what is here: either it is whole, or it isn't a part of this file.
                return sha256_of(part, progress)
            start = _checked_start(file, response, have)
            return _receive(file, part, response, start, progress)
    except requests.exceptions.RequestException as error:
        # Also raised while the body is read; an IOError by birth, so it must not reach the disk's handler.
        raise _TryAgainError(f"{type(error).__name__} from {_host(file.url)}") from error


def _checked_start(file: ModelFile, response: Any, have: int) -> int:
    """Return the byte at which the response's body starts, after looking at what the server says about it."""
    status, host = response.status_code, _host(file.url)
    if status in _BUSY:
        raise _TryAgainError(f"{host} answered {status}")
    if status not in (200, _PARTIAL):
        raise DownloadError(
            f"{file.url} could not be fetched: {host} answered {status}.",
            hint="Get the file elsewhere and import it, or update the plugin if the address is out of date.",
        )
    if "text/html" in response.headers.get("Content-Type", ""):
        raise _TryAgainError(f"{host} sent a web page instead of the file")
    start = 0
    if status == _PARTIAL:
        said = response.headers.get("Content-Range", "")
        if not said.startswith(f"bytes {have}-"):
            raise _TryAgainError(f"{host} answered with the range '{said}'")
        start = have
    length = response.headers.get("Content-Length", "")
    if length.isdigit():
        _check_size(file, start + int(length), whole=True)
    return start


def _receive(file: ModelFile, part: Path, response: Any, start: int, progress: Progress) -> str:
    digest = hashlib.sha256()
    with part.open("r+b" if start else "wb") as stream:
        if start:
            _absorb(stream, digest, progress)
        done = start
        length = response.headers.get("Content-Length", "")
        total = file.size or (start + int(length) if length.isdigit() else 0)
        for chunk in response.iter_content(CHUNK_BYTES):
            check(progress)
            stream.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            _check_size(file, done, whole=False)
            if total:
                progress.report(done / total, f"{file.filename}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")
    if done < total:
        raise _TryAgainError(f"{_host(file.url)} stopped after {done} of {total} bytes")
    return digest.hexdigest()


def _check_size(file: ModelFile, size: int, *, whole: bool) -> None:
    limit = file.size or LARGEST_UNKNOWN_BYTES
    if size > limit or (whole and file.size and size != file.size):
        raise DownloadError(
            f"{file.url} has {'' if whole else 'at least '}{size} bytes, expected "
            f"{'' if file.size else 'at most '}{limit}.",
            hint="The file at this address is another one. Update the plugin, or import the right file.",
        )


def _absorb(stream: BinaryIO, digest: Any, progress: Progress) -> None:
    while block := stream.read(1024 * 1024):
        digest.update(block)
        check(progress)


def _wait(seconds: float, progress: Progress) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check(progress)
        time.sleep(min(0.1, seconds))


def _host(url: str) -> str:
    return url.split("/")[2] if "//" in url else url


def _disk_error(error: OSError, part: Path) -> DownloadError:
    if error.errno == errno.ENOSPC:
        return DownloadError(
            f"The disk is full: {part} can't grow.", hint="Free some space and try again: it goes on from there."
        )
    return DownloadError(
        f"{part} can't be written: {error.strerror or error}.",
        hint="Make the folder writable, or choose another with PROMPT_SEGMENTER_MODELS.",
    )
