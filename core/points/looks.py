"""Which looks a model takes at a picture: close ones at a tile, and one at the whole."""

from __future__ import annotations

from ..models.model import DecodesParts, SegmentationModel
from ..picture import Picture
from ..progress import Progress
from ..raster.grid import Window
from .ground import CELL_PX, FrameGround, Ground, PartsGround, origin


def close_grounds(model: SegmentationModel, picture: Picture, tile: Window, progress: Progress) -> list[Ground]:
    """Return a tile of a picture encoded at each ground width but the widest, finest first, with what lies around it.

    Points of the tile are looked at in the same way whatever else the picture shows, as long as it shows
    :func:`context_px` around the tile. A model that looks at whole frames has none of these.
    """
    found: list[Ground] = []
    if not isinstance(model, DecodesParts):
        return found
    size = picture.image.shape[1], picture.image.shape[0]
    for factor in _factors(model)[:-1]:
        if found and found[-1].reach_px >= max(size):
            break
        seen = _around(tile, model.spec.look.chip_px, factor, origin(picture), size)
        whole = max(seen.width, seen.height) <= model.spec.look.chip_px * factor
        kind = FrameGround if whole else PartsGround
        found.append(kind(model, picture, seen, factor, progress))
    return found


def widest_ground(model: SegmentationModel, picture: Picture, progress: Progress) -> Ground | None:
    """Return all of a picture encoded as one frame, at the model's widest ground width; None if closer looks show it.

    A model that looks at whole frames looks no other way, however wide it is asked to look: its frame is the picture.
    """
    factor, size = 1, (picture.image.shape[1], picture.image.shape[0])
    if isinstance(model, DecodesParts):
        *closer, factor = _factors(model)
        if max(size) <= model.spec.look.chip_px * max(closer, default=0):
            return None
    return FrameGround(model, picture, Window(0, 0, *size), factor, progress)


def context_px(model: SegmentationModel) -> int:
    """Return how much of a picture is looked at around a tile, at the most, by :func:`close_grounds`."""
    if not isinstance(model, DecodesParts):
        return 0
    return (model.spec.look.chip_px // 2 + CELL_PX) * max(_factors(model)[:-1], default=0)


def _factors(model: SegmentationModel) -> list[int]:
    """Return picture pixels for each encoded pixel at each ground width, the finest first."""
    return sorted({max(1, round(scale)) for scale in model.spec.look.scales})


def _around(tile: Window, chip_px: int, factor: int, start: tuple[int, int], size: tuple[int, int]) -> Window:
    """Return a tile with half a chip around it, to whole cells of the raster's lattice, as far as the picture goes."""
    cell, half = CELL_PX * factor, chip_px * factor // 2
    low, high = [], []
    for first, length, offset, limit in zip((tile.col, tile.row), (tile.width, tile.height), start, size):
        low.append(max(0, (first - half + offset) // cell * cell - offset))
        high.append(min(limit, -(-(first + length + half + offset) // cell) * cell - offset))
    return Window(low[0], low[1], high[0] - low[0], high[1] - low[1])
