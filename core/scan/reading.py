"""What the windows of a scan show, read once: where they overlap by much, they are put together from their homes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np

from ..models.embedding import image_digest
from ..picture import Picture, read_picture
from ..progress import Progress, SubProgress
from ..raster.grid import Window
from ..raster.rgb import RgbRecipe, faint
from ..raster.source import RasterSource
from .box_index import common, meet
from .windows import ScanLattice, ScanWindow

_KEPT_BYTES = 256 * 1024 * 1024
_KEPT_HOMES = 12
"""What is kept of homes that are shown again: so many bytes, but at least what two windows in a row show. Where a row
of windows shows more, homes are read once for each row that shows them."""


class WindowReader:
    """Reads the windows of a scan as pictures of one recipe, in their order.

    Parameters
    ----------
    source : RasterSource
        Where pixels come from; the caller closes it.
    recipe : RgbRecipe
        How bands become an image.
    lattice : ScanLattice
        The windows.
    """

    def __init__(self, source: RasterSource, recipe: RgbRecipe, lattice: ScanLattice) -> None:
        self._source, self._recipe, self._lattice = source, recipe, lattice
        self._homes: OrderedDict[int, Picture] = OrderedDict()

    def read(self, window: ScanWindow, progress: Progress) -> Picture:
        """Return what a window shows; its home is what is asked about.

        Raises
        ------
        RasterReadError
            If the pixels can't be read.
        Cancelled
            If the user asked to stop.
        """
        if window.home_view is None:
            return replace(read_picture(self._source, self._recipe, window.view, progress), home=window.own)
        windows = self._lattice.windows
        # later windows begin no higher
        for index in [index for index in self._homes if windows[index].home[3] <= window.box[1]]:
            del self._homes[index]
        width, height = window.view.size
        image, valid = np.empty((height, width, 3), np.uint8), np.empty((height, width), np.bool_)
        seen = [other for other in windows if meet(other.home, window.box)]
        for number, other in enumerate(seen):
            home = self._home(other, SubProgress(progress, number / len(seen), (number + 1) / len(seen)))
            shared = common(other.home, window.box)
            there, here = (_part(shared, box[:2]).slices for box in (other.home, window.box))
            image[here], valid[here] = home.image[there], home.valid[there]
        image = faint(image, valid)
        return Picture(window.view, image, image_digest(image), valid, window.own)

    def _home(self, window: ScanWindow, progress: Progress) -> Picture:
        kept = self._homes.get(window.index)
        if kept is None:
            kept = read_picture(self._source, self._recipe, window.home_view or window.view, progress)
            self._homes[window.index] = kept
            while len(self._homes) > _KEPT_HOMES and self._held() > _KEPT_BYTES:
                self._homes.popitem(last=False)
        self._homes.move_to_end(window.index)
        return kept

    def _held(self) -> int:
        return sum(home.image.nbytes + home.valid.nbytes for home in self._homes.values())


def _part(box: tuple[int, int, int, int], corner: tuple[int, int]) -> Window:
    """Return a box of the lattice as a window of what begins at a corner."""
    return Window(box[0] - corner[0], box[1] - corner[1], box[2] - box[0], box[3] - box[1])
