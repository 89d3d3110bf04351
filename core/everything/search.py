"""All objects of one picture by a click model, asked at points, and only where it may pay.

A picture is searched tile by tile, each by itself and with what lies around it, so that what is found at a place does
not depend on what else the picture shows; only what is too large for that is looked for in the picture as a whole.

How a point is spared:

- The model can tell beforehand that a click there is hardly answered with an object (its objectness). Of one that
  can't, all points are taken to be alike, and coarse ones come first.
- It lies in an object that is sure: that has been found.
- It lies, as far as the answers to other points can tell, in something that gave no object: what goes on beyond the
  look, or what the model is not sure of. One such answer is no proof, so doubt is summed up, in the measure that the
  model's own logits say that the point belongs to the same thing; a small thing inside another is where those are low.

How few points find what many would: an answer that nearly passes is given back to the model, which often makes a sure
one of it; and an answer that is whole has a middle, and the outline from there is the better one. What fills much of a
look is asked at its middle in the next wider one too.

References
----------
Kirillov, A. et al. (2023): Segment Anything. DOI 10.1109/ICCV51070.2023.00371 (the grid of points, the filters).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..models.finding import FoundMask
from ..picture import Picture
from ..points.ground import origin
from ..points.outliner import PointOutliner
from ..progress import Progress, SubProgress, check
from ..raster.grid import Window
from .judging import SURE
from .lattice import grid_points, lattice, tiles
from .masks import distinct
from .settings import EverythingSettings
from .stage import Asking, Stage, rank

SAME_IOU, COVERED = 0.6, 0.5
TILE_PX = 512
"""Side of a tile of the raster's lattice: the finest look takes a chip of it, so most of it is seen once."""
_FINER = 0.03
"""What a finer look is worth against a coarser one at the same object, in score: its outline is the better one."""
_ACROSS = 36
"""Finest points across one look."""
_FINEST = 2
"""Level of the lattice that wider looks are asked for only where an answer's middle is, if nothing tells them apart."""
_BLIND, _LATER = 1.0, 0.25
"""Log-odds of points that nothing is known of, and what each finer level of the lattice loses of them."""
_LARGE = 0.5
"""Share of the widest look of tiles from which an object is left to the look at the whole picture."""
_ENCODING, _WHOLE = 0.1, 0.1
"""Shares of the progress of encoding, within a tile or the whole; and of the whole, where there are tiles too."""
_LOOKS = ("Looking closely", "Looking at what is larger", "Looking at what is very large")


@dataclass(frozen=True)
class _Part:
    """What is searched at one go."""

    window: Window
    """Where the points lie, in picture pixels."""
    whole: bool
    """True to look at all of the picture at once, False to look closely."""
    title: str
    """What is added to messages."""
    level: int = 0
    """How many finer looks there were before."""
    least_side_px: float = 0.0
    """Objects whose longer side is below this belong to finer looks."""


@dataclass
class _Searched:
    """What a tile, or the picture as a whole, has given."""

    sure: NDArray[np.bool_]
    """Pixels (H, W) of the picture in objects that are sure."""
    masks: list[FoundMask] = field(default_factory=list)
    ranks: list[float] = field(default_factory=list)
    wider: list[NDArray[np.float64]] = field(default_factory=list)
    """Places (2,) to ask in the next wider look."""

    def add(self, mask: FoundMask, rank_: float) -> None:
        """Take in an object."""
        self.masks.append(mask)
        self.ranks.append(rank_)
        if mask.score >= SURE and not mask.is_vague:
            self.sure[mask.window.slices] |= mask.mask

    def extend(self, other: _Searched) -> None:
        """Take in what another part has given."""
        self.masks += other.masks
        self.ranks += other.ranks
        self.wider += other.wider
        self.sure |= other.sure

    def distinct(self) -> _Searched:
        """Return it with each object once, those of the highest rank first."""
        kept = distinct(self.masks, self.ranks, self.sure.shape, same=SAME_IOU, covered=COVERED)
        return _Searched(self.sure, [self.masks[i] for i in kept], [self.ranks[i] for i in kept], self.wider)


class PointSearch:
    """Finds the objects of pictures. Use it from one thread at a time.

    Parameters
    ----------
    outliner : PointOutliner
        What answers points.
    settings : EverythingSettings
        How closely to look.
    """

    def __init__(self, outliner: PointOutliner, settings: EverythingSettings) -> None:
        self._outliner, self._settings = outliner, settings

    def find(self, picture: Picture, progress: Progress) -> list[FoundMask]:
        """Return the objects of a picture's home, the surest first.

        Raises
        ------
        ModelRunError
            If a graph fails.
        Cancelled
            If the user asked to stop.
        """
        home = picture.home or Window(0, 0, picture.valid.shape[1], picture.valid.shape[0])
        if not picture.valid[home.slices].any():
            return []
        every = _Searched(np.zeros(picture.valid.shape, dtype=np.bool_))
        in_tiles = SubProgress(progress, 0.0, 1.0 - _WHOLE)
        level, reach = self._tiles(picture, home, every, in_tiles)
        rest = SubProgress(progress, 1.0 - _WHOLE if level else 0.0, 1.0)
        self._search(picture, _Part(home, True, "", level, _LARGE * reach), every, rest)
        progress.report(1.0)
        found, least = every.distinct().masks, self._settings.min_score
        return found if least is None else [mask for mask in found if mask.score >= least]

    def _tiles(self, picture: Picture, home: Window, every: _Searched, progress: Progress) -> tuple[int, float]:
        """Search a picture's tiles one by one; return how many looks they took, and the side of the widest."""
        level, reach = 0, 0.0
        parts = tiles(origin(picture), home, TILE_PX)
        for number, tile in enumerate(parts):
            found = _Searched(np.zeros_like(every.sure))
            title = f", square {number + 1} of {len(parts)}" if len(parts) > 1 else ""
            share = SubProgress(progress, number / len(parts), (number + 1) / len(parts))
            if not picture.valid[tile.slices].any():
                continue
            looks = self._search(picture, _Part(tile, False, title), found, share)
            if not looks:
                break
            level, reach = max(level, len(looks)), max(reach, *looks)
            every.extend(found.distinct())
        return level, reach

    def _search(self, picture: Picture, part: _Part, found: _Searched, progress: Progress) -> tuple[float, ...]:
        """Add the objects of a part of a picture to what is found; return the sides of the looks that it took."""
        encoding, asking = SubProgress(progress, 0.0, _ENCODING), SubProgress(progress, _ENCODING, 1.0)
        encoding.report(0.0, "Encoding the picture")
        self._outliner.begin(picture, None if part.whole else part.window, encoding)
        looks = self._outliner.reaches_px
        for ground in range(len(looks)):
            share = SubProgress(asking, ground / len(looks), (ground + 1) / len(looks))
            stage = self._stage(picture, part, ground, share)
            stage_asking = Asking(self._outliner, self._settings, picture, stage)
            candidates = stage_asking.candidates(found.sure, found.wider, share)
            found.wider = stage_asking.wider
            for candidate in candidates:
                check(progress)
                mask = self._outliner.full(candidate)
                if mask is not None and np.count_nonzero(mask.mask) >= self._settings.min_size_px:
                    found.add(mask, rank(candidate) - _FINER * (part.level + ground))
        return looks

    def _stage(self, picture: Picture, part: _Part, ground: int, progress: Progress) -> Stage:
        """Return what is asked of a part of a picture at one ground width."""
        window, level = part.window, part.level + ground
        label = _LOOKS[min(level, len(_LOOKS) - 1)] + part.title
        if self._settings.grid is not None:
            points = grid_points((picture.valid.shape[1], picture.valid.shape[0]), self._settings.grid)
            low, high = (window.col, window.row), (window.col + window.width, window.row + window.height)
            points = points[((points >= low) & (points < high)).all(axis=1)]
            return Stage(ground, points, np.zeros(len(points)), 1.0, label)
        step = self._settings.step_px * 2 ** max(0, level - 1)
        while step * _ACROSS < self._outliner.reaches_px[ground]:
            step *= 2
        x, y = origin(picture)
        points, levels = lattice((x + window.col, y + window.row), (window.width, window.height), step)
        points += (window.col, window.row)
        known = self._outliner.objectness(points, ground, progress)
        if known is None:
            blind = _BLIND - _LATER * levels
            hope = np.where((levels == _FINEST) & (level > 0), -np.inf, blind)
        else:
            hope = known.astype(np.float64)
        return Stage(ground, points, hope, step * (2.0 if level else 1.0), label, part.least_side_px)
