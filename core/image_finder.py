"""What a scan asks of whatever finds all objects of one picture: by words, by examples, or everything there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .models.finding import FoundMask
from .models.model import LoadedModel
from .picture import Picture
from .progress import Progress

SEARCHES = ("words ", "everything", "like ")
"""What the descriptions of finders begin with: how prompts that are a search are told from clicks and boxes."""


@dataclass(frozen=True)
class WindowPolicy:
    """Which windows a finder works on."""

    window_px: int
    """Side of a window, in pixels that are read. An extent that is no larger is one window."""
    overlap_px: int
    """How much neighbouring windows share: objects smaller than this lie whole in at least one of them."""
    context_px: int = 0
    """How much a finder wants to see around what it is asked about. If there is any, windows are those of the raster's
    lattice, they share as much as this makes them, and what is found doesn't depend on their size."""


class ImageFinder(Protocol):
    """Finds the objects of one picture. Used from one thread at a time.

    What it finds at a place depends on the pixels around that place alone, as far as its model allows: prompts lie on
    a lattice of the whole raster (``picture.view`` says where the picture is), never on one that begins at the window.
    """

    @property
    def models(self) -> tuple[LoadedModel, ...]:
        """The models it uses, the one that finds first: their names and digests go into provenance."""

    @property
    def windows(self) -> WindowPolicy:
        """Windows that suit it; the user may ask for others."""

    def describe(self) -> str:
        """Return what it looks for and how, as one line for the field ``prompts``, e.g. 'words "tree" "road"'.

        It begins with one of :data:`SEARCHES`.
        """

    def find(self, picture: Picture, progress: Progress) -> list[FoundMask]:
        """Return the objects of a picture, in its pixels; they may overlap each other.

        Of a picture with a ``home``, only objects that have something in it are asked for.

        Objects that touch the picture's edge are given too, as far as they are in it: the scan joins them with what
        the neighbouring window sees of them.

        Raises
        ------
        ModelRunError
            If a graph fails.
        Cancelled
            If the user asked to stop.
        """


@runtime_checkable
class HasWarnings(Protocol):
    """What a finder offers beside its other calls if the user should know how it took what it was asked for."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that go into the result of each scan; known before anything is looked at."""
