"""The recipe in true units: elevation, slope in degrees, and curvature, of the ground smoothed by metres.

Red is the elevation between two percentiles of the whole raster. Green is the slope, 0 to 60 degrees. Blue is the
curvature, half-way where the ground is straight, brighter on crests and darker in hollows and at the foot of slopes.
Slope and curvature are absolute, so the same mountain has the same colours whatever the window, the zoom and the CRS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import RasterReadError, SettingsError
from ...progress import Progress
from ...raster.grid import Window
from ...raster.stretch import sample
from ..composite import CompositeSettings, RgbImage
from ..derivatives import profile_and_tangential, slope_deg
from ..elevation import LOWEST_M
from ..reader import ElevationReader, Piece
from ..smoothing import REACH, smoothed

NAME = "metric"
_CELLS = 2.0
_STEEPEST_DEG = 60.0
_FULL_BEND = 0.25
_STENCIL = 2
_LEAST_RELIEF_M = 1.0
_DIGITS = 6


@dataclass(frozen=True)
class MetricComposite:
    """The recipe with the numbers that belong to one raster.

    Examples
    --------
    >>> MetricComposite(45.0, 0.0, 2400.0).text
    'composite=metric smoothing_m=45.0 elevation_m=0.0:2400.0'
    """

    smoothing_m: float
    """Standard deviation of the smoothing, in metres; also the length over which curvature is judged."""
    low_m: float
    """Elevation that has no red."""
    high_m: float
    """Elevation that has full red."""

    has_void_colour = True
    sees_beyond = True

    @property
    def text(self) -> str:
        """Smoothing and elevation range."""
        return f"composite={NAME} smoothing_m={self.smoothing_m!r} elevation_m={self.low_m!r}:{self.high_m!r}"

    def margin(self, cell_m: tuple[float, float]) -> tuple[int, int]:
        """Return the reach of the Gaussian and of the finite differences."""
        across, down = (math.ceil(1.05 * REACH * self.smoothing_m / size) + _STENCIL for size in cell_m)
        return across, down

    def picture(self, piece: Piece) -> RgbImage:
        """Return the picture of the inner part: 1 to 255, and 0 where void."""
        ground = smoothed(piece.elevation, self.smoothing_m)
        slope = np.nan_to_num(slope_deg(ground)[piece.inner])
        profile, tangential = (np.nan_to_num(bend[piece.inner]) for bend in profile_and_tangential(ground))
        # Twice the mean curvature, over the smoothing length: by how much the ground turns, in radians.
        cells = np.maximum(*(np.asarray(steps)[piece.inner[0], None] for steps in ground.spacing))
        turn = (profile + tangential) * np.maximum(self.smoothing_m, cells)
        heights = ground.metres[piece.inner]
        shares = (
            (np.nan_to_num(heights) - self.low_m) / (self.high_m - self.low_m),
            slope / _STEEPEST_DEG,
            0.5 + 0.5 * turn / _FULL_BEND,
        )
        picture = np.stack([_painted(share) for share in shares], axis=-1)
        picture[~piece.elevation.valid[piece.inner]] = 0
        return picture


class MetricRecipe:
    """Fits the recipe to a raster: once, from an even sample of all of it."""

    per_view = False

    def fit(
        self,
        reader: ElevationReader,
        settings: CompositeSettings,
        region: Window,
        size: tuple[int, int],
        progress: Progress,
    ) -> MetricComposite:
        """Return the composite of a whole raster, whatever the region; see :class:`CompositeRecipe`."""
        grid = reader.grid
        smoothing = settings.smoothing_m
        if smoothing is None:
            smoothing = _short(_CELLS * max(grid.metres_per_pixel()))
        if not (math.isfinite(smoothing) and smoothing >= 0.0):
            raise SettingsError(f"A smoothing of {smoothing} m makes no sense.", hint="Give metres, 0 for none.")
        low, high = settings.elevation_m or _elevations(reader, settings.percentiles, progress)
        if not (math.isfinite(high - low) and low < high):
            raise SettingsError(f"Elevations from {low:g} to {high:g} m make no range.", hint="Give the lower first.")
        return MetricComposite(smoothing, low, high)


def _elevations(reader: ElevationReader, percentiles: tuple[float, float], progress: Progress) -> tuple[float, float]:
    """Return the elevations at two percentiles of a sample of the whole raster, rounded to what matters."""
    wanted = reader.settings
    values = sample(reader.source, (wanted.band,), progress)[0]
    values = values[~np.isin(values, wanted.nodata)].astype(np.float64) * (wanted.unit.in_metres * wanted.factor)
    values = values[values >= LOWEST_M]
    if not values.size:
        raise RasterReadError(
            f"'{reader.source.uri}' holds nothing but nodata in band {wanted.band}.",
            hint="Choose another band, or check the raster's nodata value.",
        )
    low, high = (float(value) for value in np.percentile(values, percentiles))
    # What is nearly flat stays nearly flat to the eye.
    lacking = max(0.0, _LEAST_RELIEF_M - (high - low)) / 2.0
    return _short(low - lacking, high - low), _short(high + lacking, high - low)


def _painted(share: NDArray[Any]) -> NDArray[np.uint8]:
    painted: NDArray[np.uint8] = (1.5 + 254.0 * np.clip(share, 0.0, 1.0)).astype(np.uint8)
    return painted


def _short(value: float, span: float | None = None) -> float:
    """Return a value rounded to six digits of itself, or of a span."""
    size = abs(value if span is None else span)
    return value if not size > 0.0 else round(value, _DIGITS - 1 - math.floor(math.log10(max(size, 1e-3))))


ENTRY = MetricRecipe()
