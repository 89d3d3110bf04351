"""Where pixels come from: one kind of source per module, found by :func:`open_source`."""

from __future__ import annotations

from typing import Protocol

from ...registry import Registry
from ..source import RasterSource

_FALLBACK = "raster_file"


class SourceOpener(Protocol):
    """Opens one kind of source; each module here defines NAME and ENTRY, an instance of this."""

    def accepts(self, uri: str) -> bool:
        """Return True if ``uri`` is of this kind, told by its look alone."""

    def open(self, uri: str, *, pixel_space: bool) -> RasterSource:
        """Return the open source.

        Raises
        ------
        RasterReadError
            If it can't be opened.
        MissingCrsError
            If it has no CRS and ``pixel_space`` is False.
        """


SOURCES: Registry[SourceOpener] = Registry(__name__, "raster source")


def open_source(uri: str, *, pixel_space: bool = False) -> RasterSource:
    """Return the raster that ``uri`` names, open for reading; close it when done.

    Parameters
    ----------
    uri : str
        A path, or whatever else one of the registered kinds of source accepts.
    pixel_space : bool
        True to work in pixels whatever georeference there is: x = column, y = row (downwards), no CRS.

    Raises
    ------
    RasterReadError
        If it can't be opened.
    MissingCrsError
        If it has no CRS and ``pixel_space`` is False.
    """
    for name in SOURCES.names():
        opener = SOURCES.get(name)
        if name != _FALLBACK and opener.accepts(uri):
            return opener.open(uri, pixel_space=pixel_space)
    return SOURCES.get(_FALLBACK).open(uri, pixel_space=pixel_space)
