"""From what each window of a scan shows of the objects to the objects: none cut at a seam, none twice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..models.finding import FoundMask
from ..outlines.runs import Box, RunMask, union
from .box_index import BoxIndex, common, meet
from .windows import ScanLattice, ScanWindow

SAME_IOU = 0.5
"""Least IoU, where both windows see, of what is one object."""
CUT_REACH_PX = 4
"""What comes this near to a window's side may go on beyond it: masks are drawn at a quarter of the image's size."""
_FAINT_IOU = 0.2
_NESTED = 0.5
_OUTSIDE = 0.1
_ROOM_PX = 64
"""A window that sees this much around an object sees it as well as any other."""


@dataclass(frozen=True)
class Traits:
    """What is said of an object, beside where it is; as in :class:`FoundMask`."""

    label: str
    score: float
    stability: float
    similarity: float
    prompt: str


@dataclass(eq=False)
class Piece:
    """What one window shows of an object."""

    order: int
    """Number among all pieces."""
    pixels: RunMask
    """Usable pixels on the lattice; at least one."""
    window: ScanWindow
    """Which window."""
    traits: Traits
    """What the finder said of it."""
    cut: bool
    """True if it may go on beyond the window."""
    group: _Group = field(init=False)
    whole: WholeObject | None = None
    """What became of it, once that is known; None if it was dropped, or another's share took its place."""
    known: bool = False
    """True once it is known what became of it."""
    is_vague: bool = False
    """As in :class:`FoundMask`."""
    is_doubled: bool = False
    """True for what is vague here, if another window is sure of it."""

    def __post_init__(self) -> None:
        self.group = _Group([self])

    @property
    def box(self) -> Box:
        """The pixels that enclose it."""
        return self.pixels.box


@dataclass(eq=False)
class WholeObject:
    """An object of the extent."""

    order: int
    """Number among all objects: that of its first piece."""
    pixels: RunMask
    """What it covers."""
    traits: Traits
    """Those of its pieces: numbers are means by area, the prompt is that of the one that shows most of it."""
    window: ScanWindow
    """The window that shows most of it."""

    @property
    def box(self) -> Box:
        """The pixels that enclose it."""
        return self.pixels.box


@dataclass(frozen=True)
class Step:
    """What one more window brought."""

    opened: list[Piece]
    """Its pieces."""
    settled: list[Piece]
    """Pieces of this and earlier windows that no later window can change."""
    objects: list[WholeObject]
    """What has become of those."""


class Stitcher:
    """Joins the pieces of neighbouring windows, which come row by row.

    Pieces of two windows are of one object if they agree where both windows see. Of an object that lies whole in one
    window, that window's piece is taken and the others are dropped; one that is cut in all of them is put together,
    each pixel as the window shows it that sees the pixel farthest from its sides. A piece that is cut, that no other
    window confirms, and most of which another window sees better, is no object. What is vague is joined with its like
    alone, and no object where another window is sure of it.

    Only pieces that a later window may still change are held, and those of the objects they belong to.
    """

    def __init__(self, lattice: ScanLattice) -> None:
        self._lattice = lattice
        self._reach = min(CUT_REACH_PX, lattice.overlap_px // 2)
        self._index: BoxIndex[Piece] = BoxIndex()
        self._groups: dict[int, _Group] = {}
        self._count = 0

    @property
    def held(self) -> int:
        """How many pieces wait for later windows."""
        return sum(len(group.pieces) for group in self._groups.values())

    def add(self, window: ScanWindow, found: Sequence[FoundMask], usable: NDArray[np.bool_]) -> Step:
        """Take in what a window shows, and return what is done with.

        Parameters
        ----------
        window : ScanWindow
            The next one: windows come in their order, those without objects too.
        found : sequence of FoundMask
            In the window's pixels.
        usable : ndarray of bool (H, W)
            Pixels of the window that show data; objects are cut to them.
        """
        new = [piece for mask in found for piece in self._pieces(mask, window, usable)]
        self._link(new, window)
        for piece in new:
            self._groups[piece.group.order] = piece.group
            if window.is_ahead(piece.box):
                self._index.add(piece)
        done = [group for group in self._groups.values() if not group.waits(window)]
        return self._close(new, done, stopped=False)

    def finish(self, *, stopped: bool = False) -> Step:
        """Return what is left; ``stopped`` says that windows are missing, whose say is not waited for."""
        return self._close([], list(self._groups.values()), stopped=stopped)

    def _pieces(self, found: FoundMask, window: ScanWindow, usable: NDArray[np.bool_]) -> list[Piece]:
        place = found.window
        rows = slice(max(place.row, 0), place.row + place.height)
        cols = slice(max(place.col, 0), place.col + place.width)
        seen = usable[rows, cols]
        inside = found.mask[rows.start - place.row :, cols.start - place.col :][: seen.shape[0], : seen.shape[1]] & seen
        left, top = window.box[0] + cols.start, window.box[1] + rows.start
        pixels = RunMask.of(inside, left, top, self._lattice.grid.width)
        if not pixels.area:
            return []
        self._count += 1
        cut = window.cuts(pixels.box, self._lattice.size, self._reach)
        return [Piece(self._count, pixels, window, _traits(found), cut, is_vague=found.is_vague)]

    def _link(self, new: list[Piece], window: ScanWindow) -> None:
        """Put pieces of the window and of earlier ones that are of one object into one group, the most alike first."""
        pairs = []
        for piece in new:
            for other in self._index.meeting(piece.box):
                likeness = _likeness(other, piece) if other.traits.label == piece.traits.label else 0.0
                if likeness < SAME_IOU:
                    continue
                if other.is_vague == piece.is_vague:
                    pairs.append((-likeness, other.order, piece.order, other, piece))
                else:
                    # what is vague changes no object, and is none that another window is sure of
                    vague, sure = (piece, other) if piece.is_vague else (other, piece)
                    vague.is_doubled |= not sure.cut or _is_seen_best(sure)
        taken: dict[tuple[int, int], list[Piece]] = {}
        for _, _, _, other, piece in sorted(pairs, key=lambda pair: pair[:3]):
            theirs = taken.setdefault((piece.order, other.window.index), [])
            ours = taken.setdefault((other.order, window.index), [])
            both = common(other.window.box, window.box)
            # Two objects of one window, one of which holds the other, are not both this piece.
            if any(_nested(one, other, both) for one in theirs) or any(_nested(one, piece, both) for one in ours):
                continue
            theirs.append(other)
            ours.append(piece)
            if piece.group is not other.group:
                self._groups.pop(piece.group.order, None)
                self._groups.pop(other.group.order, None)
                merged = other.group.merged(piece.group)
                self._groups[merged.order] = merged

    def _close(self, opened: list[Piece], groups: list[_Group], *, stopped: bool) -> Step:
        settled, objects = [], []
        for group in sorted(groups, key=lambda group: group.order):
            del self._groups[group.order]
            whole = self._whole(group, stopped=stopped)
            for piece in group.pieces:
                self._index.remove(piece)
                piece.whole, piece.known = whole, True
                settled.append(piece)
            if whole is not None:
                objects.append(whole)
        return Step(opened, settled, objects)

    def _whole(self, group: _Group, *, stopped: bool) -> WholeObject | None:
        pieces = group.pieces
        if any(piece.is_doubled for piece in pieces):
            return None
        best = self._best_whole(pieces)
        if best is not None:
            return _object([best], [best.pixels], group.order)
        at_home = [piece.pixels.within(piece.window.home) for piece in pieces]
        shares = _shares(pieces, at_home)
        seen_best = sum(share.area for share in at_home)
        waits = stopped and any(piece.window.is_ahead(piece.box) for piece in pieces)
        if 2 * seen_best < union(shares).area and not waits:
            return None
        return _object(pieces, shares, group.order)

    def _best_whole(self, pieces: list[Piece]) -> Piece | None:
        """Return the piece that shows the whole object, of several that are seen well the one of the highest score."""
        whole = [piece for piece in pieces if not piece.cut and _holds(piece, pieces)]
        if len(whole) < 2:
            return whole[0] if whole else None
        size = self._lattice.size
        return min(
            whole,
            key=lambda piece: (
                -min(piece.window.room(piece.box, size), _ROOM_PX),
                _lowest_last(piece.traits.score),
                piece.order,
            ),
        )


class _Group:
    """Pieces of one object."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces = pieces
        self._watched = pieces[0]

    @property
    def order(self) -> int:
        """That of its first piece."""
        return self.pieces[0].order

    def merged(self, other: _Group) -> _Group:
        """Return the pieces of both, in one of the two."""
        large, small = (self, other) if len(self.pieces) >= len(other.pieces) else (other, self)
        large.pieces = sorted([*large.pieces, *small.pieces], key=lambda piece: piece.order)
        for piece in small.pieces:
            piece.group = large
        return large

    def waits(self, window: ScanWindow) -> bool:
        """Return True if a window after this one may see something of it."""
        if window.is_ahead(self._watched.box):
            return True
        ahead = [piece for piece in self.pieces if window.is_ahead(piece.box)]
        self._watched = ahead[-1] if ahead else self._watched
        return bool(ahead)


def _likeness(one: Piece, other: Piece) -> float:
    """Return the IoU of two pieces where both their windows see.

    If both are cut, one window may show as two pieces what hangs together in the other, beyond what both see: of each
    only those parts count that meet the other.
    """
    shared = one.pixels.shared(other.pixels)
    if not shared:
        return 0.0
    box = common(one.window.box, other.window.box)
    first, second = one.pixels.within(box), other.pixels.within(box)
    likeness = _iou(first, second, shared)
    if likeness < SAME_IOU and one.cut and other.cut:
        first, second = _meeting(first, second), _meeting(second, first)
        likeness = _iou(first, second, shared)
    if not _FAINT_IOU <= likeness < SAME_IOU:
        return likeness
    # Of what is only a few pixels wide the edges are most of it, and edges differ by a pixel.
    first, second = first.outer(), second.outer()
    return _iou(first, second, first.shared(second))


def _iou(one: RunMask, other: RunMask, shared: int) -> float:
    return shared / (one.area + other.area - shared)


def _meeting(mask: RunMask, other: RunMask) -> RunMask:
    """Return the 4-connected parts of a mask that have pixels of another."""
    parts = mask.parts()
    both = mask & other
    met = np.zeros(parts.count, dtype=np.bool_)
    met[parts.part[np.searchsorted(parts.starts, both.starts, side="right") - 1]] = True
    return mask.of_parts(parts, met)


def _nested(one: Piece, other: Piece, both: Box) -> bool:
    """Return True if one of two pieces of the same window holds most of the other.

    As a whole, or where a second window sees them too, which shows objects that overlap there as if they were alike.
    """
    if one is other or not meet(one.box, other.box):
        return False
    first, second = one.pixels.within(both), other.pixels.within(both)
    return any(
        a.area > 0 and b.area > 0 and a.shared(b) >= _NESTED * min(a.area, b.area)
        for a, b in ((one.pixels, other.pixels), (first, second))
    )


def _is_seen_best(piece: Piece) -> bool:
    """Return True if no other window sees more of a piece better."""
    return 2 * piece.pixels.within(piece.window.home).area >= piece.pixels.area


def _holds(whole: Piece, pieces: list[Piece]) -> bool:
    """Return True if its window sees all but the rims of the others: a piece that goes on beyond it is no rim."""
    return all(
        piece.pixels.area - piece.pixels.within(whole.window.box).area <= _OUTSIDE * piece.pixels.area
        for piece in pieces
        if piece is not whole
    )


def _shares(pieces: list[Piece], at_home: list[RunMask]) -> list[RunMask]:
    """Return what each piece adds to the object: what its window sees best, and what no better window has a say in."""
    homes = {piece.window.index: piece.window.home for piece in pieces}
    shares = []
    for piece, own in zip(pieces, at_home):
        others = piece.pixels - own
        for index, home in homes.items():
            if index != piece.window.index and others.area and meet(others.box, home):
                others = others - others.within(home)
        shares.append(union([own, others]))
    return shares


def _object(pieces: list[Piece], shares: list[RunMask], order: int) -> WholeObject | None:
    pixels = union(shares)
    if not pixels.area:
        return None
    areas = [share.area for share in shares]
    main = pieces[areas.index(max(areas))]
    traits = Traits(
        label=main.traits.label,
        score=_mean([piece.traits.score for piece in pieces], areas),
        stability=_mean([piece.traits.stability for piece in pieces], areas),
        similarity=_mean([piece.traits.similarity for piece in pieces], areas),
        prompt=main.traits.prompt,
    )
    return WholeObject(order, pixels, traits, main.window)


def _traits(found: FoundMask) -> Traits:
    return Traits(found.label, found.score, found.stability, found.similarity, found.prompt)


def _mean(values: list[float], areas: list[int]) -> float:
    """Return the mean of values that are there, each by its area."""
    known = [(value, area) for value, area in zip(values, areas) if not math.isnan(value) and area]
    if len(known) == 1:
        return known[0][0]
    return sum(value * area for value, area in known) / sum(area for _, area in known) if known else math.nan


def _lowest_last(score: float) -> float:
    return math.inf if math.isnan(score) else -score
