"""Objects that overlap: each pixel to the best of them, while later windows are still to come."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

import numpy as np

from ..outlines.runs import Box, RunMask
from .box_index import BoxIndex
from .stitch import Piece, WholeObject

KEPT_SHARE = 0.5
"""What an object must keep of its pixels: one that loses more to better ones is another view of them."""
_SLIVER_SHARE = 0.05


class OverlapRule(Enum):
    """What becomes of objects that overlap."""

    KEEP = "keep"
    """They are left as they are."""
    BEST = "best"
    """Each pixel goes to the object with the best score, or of what is like examples to the most similar one; objects
    of different labels may overlap."""
    COVERAGE = "coverage"
    """Every usable pixel belongs to exactly one polygon, whatever its label; neighbours share their border."""


@dataclass(eq=False)
class _Entry:
    """An object that waits for its share."""

    whole: WholeObject
    near: list[_Thing] = field(default_factory=list)
    """What it overlaps with: no later window sees its pixels, so nothing comes to that."""
    awaited: _Thing | None = None
    """What it waits for."""
    decided: bool = False
    share: RunMask | None = None
    """What it keeps, once that is decided; None for nothing."""

    @property
    def order(self) -> int:
        return self.whole.order

    @property
    def box(self) -> Box:
        return self.whole.box

    @property
    def pixels(self) -> RunMask:
        return self.whole.pixels

    @property
    def label(self) -> str:
        return self.whole.traits.label

    def rank(self) -> tuple[bool, float, int, int]:
        """Order objects: the best first, then the larger, then the one that was found first.

        Of what is like examples the most similar is the best: by that callers choose what they keep afterwards, and
        what they don't must not have taken pixels from it. Of all else it is the one with the highest score.
        """
        traits = self.whole.traits
        score = traits.score if math.isnan(traits.similarity) else traits.similarity
        unknown = math.isnan(score)
        return unknown, 0.0 if unknown else -score, -self.whole.pixels.area, self.order


@dataclass(eq=False)
class _Open:
    """A piece of an object that was not known yet when others took notice of it."""

    piece: Piece
    decided: bool = False
    """True once it is known what it belongs to."""
    entry: _Entry | None = None
    """What it belongs to; None if that has no say."""

    @property
    def order(self) -> int:
        # Apart from those of objects, which are those of pieces too.
        return -self.piece.order

    @property
    def box(self) -> Box:
        return self.piece.box

    @property
    def pixels(self) -> RunMask:
        return self.piece.pixels

    @property
    def label(self) -> str:
        return self.piece.traits.label


_Thing = Union[_Entry, _Open]


class BestOfEach:
    """Gives each pixel to the object with the best score, or to the most similar one where there are examples.

    In this order each object keeps what no better one keeps. One that keeps less than half of its pixels
    is dropped, and takes nothing from those after it: that is what non-maximum suppression at an IoU of 0.5 would drop,
    and the parts and wholes that it lets through. Of the others, slivers that come from the cutting are dropped.

    An object's share is known as soon as those of all better objects that it may overlap with are, which is long before
    the scan is done: the outcome is the same as if all objects had been known at once.

    Parameters
    ----------
    apart : bool
        True to let objects of different labels overlap.
    """

    def __init__(self, *, apart: bool) -> None:
        self._apart = apart
        self._index: BoxIndex[_Thing] = BoxIndex()
        self._open: dict[int, _Open] = {}
        self._waiting: list[_Entry] = []

    @property
    def held(self) -> int:
        """How many objects wait for their share."""
        return len(self._waiting)

    def opened(self, pieces: list[Piece]) -> None:
        """Take notice of pieces whose objects are not known yet: they may be better than what they overlap with."""
        for piece in pieces:
            thing = self._open[piece.order] = _Open(piece)
            self._index.add(thing)

    def settled(self, pieces: list[Piece], objects: list[WholeObject]) -> None:
        """Take in objects, and the pieces that they (or nothing) came from; objects left out have no say."""
        entries = {whole.order: _Entry(whole) for whole in objects}
        for entry in entries.values():
            self._index.add(entry)
            self._waiting.append(entry)
        for piece in pieces:
            thing = self._open.pop(piece.order, None)
            if thing is not None:
                self._index.remove(thing)
                thing.decided = True
                thing.entry = entries.get(piece.whole.order) if piece.whole is not None else None
        for entry in entries.values():
            entry.near = [one for one in self._index.meeting(entry.box) if self._overlap(one, entry)]

    def decide(self) -> list[tuple[WholeObject, RunMask]]:
        """Return the objects whose share is now known, and their share."""
        self._waiting.sort(key=_Entry.rank)
        done, still = [], []
        for entry in self._waiting:
            if self._is_decided(entry):
                self._index.remove(entry)
                if entry.share is not None:
                    done.append((entry.whole, entry.share))
            else:
                still.append(entry)
        self._waiting = still
        return sorted(done, key=lambda pair: pair[0].order)

    def _overlap(self, one: _Thing, entry: _Entry) -> bool:
        """Return True if a thing may take pixels from an object, or the object from it."""
        if one is entry or (self._apart and one.label != entry.label):
            return False
        return one.pixels.shared(entry.pixels) > 0

    def _is_decided(self, entry: _Entry) -> bool:
        if entry.awaited is not None and not entry.awaited.decided:
            return False
        better: list[_Entry] = []
        for thing in entry.near:
            other = thing.entry if isinstance(thing, _Open) else thing
            unknown = isinstance(thing, _Open) and not thing.decided
            if unknown or (other is not None and other.rank() < entry.rank() and not other.decided):
                entry.awaited = thing if unknown or other is None else other
                return False
            if other is not None and other.rank() < entry.rank():
                better.append(other)
        entry.share = _share(entry.whole.pixels, [other.share for other in better if other.share is not None])
        entry.decided, entry.near, entry.awaited = True, [], None
        return True


def _share(pixels: RunMask, taken: list[RunMask]) -> RunMask | None:
    """Return what is left of an object after what better ones keep; None if it is too little to be the object."""
    left = pixels
    for share in taken:
        if left.shared(share):
            left = left - share
    if left is pixels:
        return pixels
    left = _without_slivers(left, pixels)
    return left if left.area >= KEPT_SHARE * pixels.area else None


def _without_slivers(left: RunMask, pixels: RunMask) -> RunMask:
    """Return what is left of an object without the parts that are small or thin and were not parts before."""
    parts = left.parts()
    thick = np.zeros(parts.count, dtype=np.bool_)
    inner = left.inner()
    thick[parts.part[np.searchsorted(parts.starts, inner.starts, side="right") - 1]] = True
    kept = thick & (parts.areas_px >= _SLIVER_SHARE * pixels.area)
    if kept.all():
        return left
    before = pixels.parts()
    home = before.part[np.searchsorted(before.starts, parts.starts, side="right") - 1]
    untouched = np.zeros(parts.count, dtype=np.bool_)
    untouched[parts.part] = before.areas_px[home] == parts.areas_px[parts.part]
    return left.of_parts(parts, kept | untouched)
