from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.picture import read_picture
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.rgb import RgbSettings, resolve_recipe
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.scan import reading
from prompt_segmenter.core.scan.reading import WindowReader
from prompt_segmenter.core.scan.windows import lattice_over

QUIET = NullProgress()
GRID = PixelGrid((2.0, 0.0, 500000.0, 0.0, -2.0, 4600000.0), "EPSG:32633", 330, 250)


class Reads(ArraySource):
    """Counts how often each pixel is read."""

    def __init__(self):
        rng = np.random.default_rng(1)
        valid = rng.random((250, 330)) > 0.1
        pixels = rng.integers(0, 255, (3, 250, 330), dtype=np.uint8)
        super().__init__(pixels, GRID, valid=valid, already_rgb=True)
        self.count = np.zeros((250, 330), int)

    def read(self, window, size, bands, progress=None):
        self.count[window.slices] += 1
        return super().read(window, size, bands, progress)


@pytest.mark.parametrize(("resolution", "context_px"), [(None, 20), (None, 90), (2.0, 0), (4.0, 20), (5.3, 8)])
def test_windows_show_what_reading_them_alone_would_and_with_context_no_pixel_is_read_twice(resolution, context_px):
    source = Reads()
    recipe = resolve_recipe(source, RgbSettings(), QUIET)
    lattice = lattice_over(GRID, None, 48, 16, context_px=context_px, resolution=resolution)
    reader = WindowReader(source, recipe, lattice)
    source.count[:] = 0
    shown = [reader.read(window, QUIET) for window in lattice.windows]
    assert len(shown) > 4
    if context_px:
        assert (source.count == 1).all()
    for window, picture in zip(lattice.windows, shown):
        assert (picture.view, picture.home) == (window.view, window.own)
        alone = read_picture(source, recipe, window.view, QUIET)
        # what reaches the end of the extent is stretched to it, and means of parts of pixels may be rounded another way
        rough = resolution == 5.3
        if rough and not set(window.box[2:]).isdisjoint(lattice.size):
            continue
        last = lattice.windows[-1].home if rough else (*lattice.size, 0, 0)
        same = np.s_[: max(0, last[1] - window.box[1]), : max(0, last[0] - window.box[0])]
        assert np.abs(picture.image[same].astype(int) - alone.image[same]).max(initial=0) <= rough
        assert (picture.valid == alone.valid).all()
        assert resolution is not None or 0.05 < np.mean(~picture.valid) < 0.2


def test_homes_that_no_later_window_shows_are_let_go():
    source = Reads()
    recipe = resolve_recipe(source, RgbSettings(), QUIET)
    lattice = lattice_over(GRID, None, 32, 8, context_px=32)
    reader = WindowReader(source, recipe, lattice)
    most = 0
    for window in lattice.windows:
        reader.read(window, QUIET)
        most = max(most, len(reader._homes))
    across = sum(window.home[1] == 0 for window in lattice.windows)
    assert most <= 4 * across < len(lattice.windows)


def test_of_a_wide_extent_no_more_is_held_than_allowed_and_homes_are_read_once_for_each_row(monkeypatch):
    monkeypatch.setattr(reading, "_KEPT_BYTES", 1)
    source = Reads()
    recipe = resolve_recipe(source, RgbSettings(), QUIET)
    lattice = lattice_over(GRID, None, 16, 8, context_px=12)
    reader = WindowReader(source, recipe, lattice)
    source.count[:] = 0
    for window in lattice.windows:
        shown = reader.read(window, QUIET)
        assert len(reader._homes) <= reading._KEPT_HOMES
        assert (shown.valid == source.valid[window.view.window.slices]).all()
    assert source.count.max() == 3
