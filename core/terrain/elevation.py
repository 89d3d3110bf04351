"""ElevationGrid: elevations in metres with the true ground spacing of their cells, and reading one from any source."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ..errors import RasterReadError, SettingsError
from ..progress import Progress
from ..raster import crs as crs_maths
from ..raster.grid import PixelGrid, Window
from ..raster.source import RasterSource

FloatArray = NDArray[np.float64]
Spacing = tuple[Union[float, FloatArray], Union[float, FloatArray]]
LOWEST_M = -12_000.0
"""Below the deepest place of the oceans (10.9 km): no elevation, whatever the file declares."""
_HIGHEST_M = 9_000.0
_STEEPEST_DEG = 65.0
_VOIDS = (-32768.0, -32767.0, -99999.0, -9999.0, 9999.0, 32767.0, 65535.0)
_NEVER = (-32768.0, -32767.0)
_SAMPLE = 512
_SLIMMEST = 16.0


class ElevationUnit(Enum):
    """The unit of a raster's heights."""

    METRES = "metres"
    FEET = "feet"
    US_FEET = "us_feet"

    @property
    def in_metres(self) -> float:
        """Length of one unit in metres."""
        return {"metres": 1.0, "feet": 0.3048, "us_feet": 1200.0 / 3937.0}[self.value]


@dataclass(frozen=True)
class ElevationGrid:
    """Elevations of a piece of ground. Arrays are read-only.

    Examples
    --------
    >>> grid = PixelGrid((30.0, 0.0, 500000.0, 0.0, -30.0, 4600000.0), "EPSG:32633", 4, 3)
    >>> flat = ElevationGrid(np.zeros((3, 4), np.float32), np.ones((3, 4), bool), grid, (30.0, 30.0), "made")
    >>> flat.spacing[0].tolist(), flat.cell_m
    ([30.0, 30.0, 30.0], (30.0, 30.0))
    """

    metres: NDArray[Any]
    """(H, W) float32 or float64, metres above the file's own datum; NaN where unusable."""
    valid: NDArray[np.bool_]
    """(H, W), True where ``metres`` is usable."""
    grid: PixelGrid
    """Where the cells lie, in any CRS; its size is (W, H)."""
    spacing: Spacing
    """True ground length in metres of a step of one column and of one row, (H,) each: they depend on the latitude.
    May be given as plain numbers; kept as float64 arrays."""
    source: str
    """What to open to get these elevations again, without credentials."""
    unit_m: Spacing | None = None
    """Metres for one CRS unit along x and along y, (H,) each; made from ``spacing`` where left out, which is exact for
    all grids but rotated or sheared ones in degrees."""
    warnings: tuple[str, ...] = field(default=())
    """Sentences on values that look wrong: undeclared voids, a relief that the unit can't explain."""

    def __post_init__(self) -> None:
        size = (self.grid.height, self.grid.width)
        if self.metres.shape != size or self.metres.dtype not in (np.float32, np.float64):
            raise ValueError(f"ElevationGrid: expected floats {size}, got {self.metres.dtype} {self.metres.shape}")
        if self.valid.shape != size or self.valid.dtype != np.bool_:
            raise ValueError(f"ElevationGrid.valid: expected bool {size}, got {self.valid.dtype} {self.valid.shape}")
        object.__setattr__(self, "spacing", tuple(_per_row(steps, size[0]) for steps in self.spacing))
        if self.unit_m is None:
            a, b, _, d, e, _ = self.grid.transform
            columns, rows = self.spacing
            across, down = columns / math.hypot(a, d), rows / math.hypot(b, e)
            turned = abs(d) > abs(a)
            object.__setattr__(self, "unit_m", (down, across) if turned else (across, down))
        object.__setattr__(self, "unit_m", tuple(_per_row(steps, size[0]) for steps in self.unit_m or ()))
        self.metres.setflags(write=False)
        self.valid.setflags(write=False)

    @property
    def cell_m(self) -> tuple[float, float]:
        """Ground size of the middle cell in metres, (along columns, along rows)."""
        middle = self.grid.height // 2
        return float(_array(self.spacing[0])[middle]), float(_array(self.spacing[1])[middle])

    def steps_m(self) -> tuple[FloatArray, FloatArray]:
        """Return the ground vectors (H, 2), east and north in metres, of a step of one column and of one row."""
        a, b, _, d, e, _ = self.grid.transform
        east, north = (_array(steps) for steps in self.unit_m or ())
        return np.column_stack([a * east, d * north]), np.column_stack([b * east, e * north])


def elevation_grid(
    metres: NDArray[Any],
    grid: PixelGrid,
    *,
    source: str = "memory",
    whole: PixelGrid | None = None,
    warnings: tuple[str, ...] = (),
) -> ElevationGrid:
    """Return elevations in metres (H, W), NaN where there are none, with the ground spacing that their CRS gives.

    Parameters
    ----------
    metres : ndarray
        (H, W) float; made unwritable.
    grid : PixelGrid
        Where they lie.
    source : str
        Named in provenance.
    whole : PixelGrid, optional
        The raster that this is a piece of. Ground spacing is measured in its middle column, so that pieces agree.
    warnings : tuple of str
        Kept with the grid.
    """
    values = metres if metres.dtype in (np.float32, np.float64) else metres.astype(np.float64)
    east, north = ground_units(grid, whole or grid)
    a, b, _, d, e, _ = grid.transform
    spacing = np.hypot(a * east, d * north), np.hypot(b * east, e * north)
    return ElevationGrid(values, np.isfinite(values), grid, spacing, source, (east, north), warnings)


def ground_units(grid: PixelGrid, whole: PixelGrid) -> tuple[FloatArray, FloatArray]:
    """Return the metres for one CRS unit along x and along y, (H,) each, at the middle of each row of ``grid``.

    Geodesic, on the CRS's ellipsoid, so degrees, web-mercator metres and feet all come out as ground metres. Measured
    where the row meets the middle column of ``whole``.
    """
    rows = np.arange(grid.height) + 0.5
    if grid.crs is None:
        return np.ones(grid.height), np.ones(grid.height)
    places = grid.to_map(np.column_stack([np.full(grid.height, grid.width / 2.0), rows]))
    middles = whole.to_pixel(places)
    middles[:, 0] = whole.width / 2.0
    at = whole.to_map(middles)
    half = np.array(grid.resolution) / 2.0
    lengths = []
    for axis in (0, 1):
        # One cell to either side of the middle; never over a pole.
        offset = np.zeros(2)
        offset[axis] = float(half.max())
        lengths.append(crs_maths.ground_lengths(at - offset, at + offset, grid.crs) / (2.0 * half.max()))
    return lengths[0], lengths[1]


def reachable(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return two sizes of cells, neither taken for less than a sixteenth of the other.

    What has a reach in metres would span a whole raster of cells towards a pole, where degrees of longitude shrink to
    nothing: beyond 86 degrees it reaches less far along the parallel.
    """
    return np.maximum(first, second / _SLIMMEST), np.maximum(second, first / _SLIMMEST)


def read_elevation(
    source: RasterSource,
    window: Window | None = None,
    size: tuple[int, int] | None = None,
    *,
    band: int = 1,
    unit: ElevationUnit = ElevationUnit.METRES,
    factor: float = 1.0,
    nodata: tuple[float, ...] = (),
    progress: Progress | None = None,
) -> ElevationGrid:
    """Return the elevations of a window of a source, in metres.

    Parameters
    ----------
    source : RasterSource
        One of its bands holds heights.
    window : Window, optional
        Whole native pixels; all where left out.
    size : tuple of int, optional
        (width, height) to read at, the window's own or smaller (averaged); the window's own where left out.
    band : int
        Band number, from 1.
    unit : ElevationUnit
        Unit of the band's heights.
    factor : float
        What a stored value is multiplied with to be in ``unit`` (0.1 for decimetres).
    nodata : tuple of float
        Stored values that are voids although the file doesn't declare them.
    progress : Progress, optional
        Asked for cancellation.

    Returns
    -------
    ElevationGrid
        Void (NaN) where the source says so, at ``nodata``, at -32768 and -32767, and below -12,000 m. Its warnings
        say which undeclared void values occur and whether the relief is plausible.

    Raises
    ------
    RasterReadError
        If the source is a picture, or can't be read.
    SettingsError
        If the band does not exist or the factor makes no sense.
    Cancelled
        If the user asked to stop.
    """
    require_elevation(source, band, factor)
    window = window or Window(0, 0, source.grid.width, source.grid.height)
    chip = source.read(window, size or (window.width, window.height), (band,), progress)
    stored = chip.data[0]
    kind = np.float64 if stored.dtype.itemsize > 4 or stored.dtype.name in ("int32", "uint32") else np.float32
    metres = stored.astype(kind)
    void = ~chip.valid
    for value in (*_NEVER, *nodata):
        void |= metres == value
    warnings = _void_warnings(metres, chip.valid, nodata)
    scale = unit.in_metres * factor
    if scale != 1.0:
        metres *= kind(scale)
    metres[void | ~(metres >= LOWEST_M)] = np.nan
    found = elevation_grid(metres, chip.grid, source=source.uri, whole=source.grid)
    doubts = (*warnings, *_relief_warnings(found, unit))
    return ElevationGrid(found.metres, found.valid, found.grid, found.spacing, found.source, found.unit_m, doubts)


def require_elevation(source: RasterSource, band: int, factor: float) -> None:
    """Raise, as :func:`read_elevation` does, if a band of a source can't hold elevations."""
    if source.already_rgb:
        raise RasterReadError(
            f"'{source.uri}' is a finished picture and holds no elevations.",
            hint="Choose the elevation raster itself, or name the encoding of its tiles (terrarium or mapbox).",
        )
    if not 1 <= band <= len(source.bands):
        raise SettingsError(
            f"The raster '{source.uri}' has no band {band}.", hint=f"It has the bands 1 to {len(source.bands)}."
        )
    if not (math.isfinite(factor) and factor != 0.0):
        raise SettingsError(f"A height factor of {factor} makes no sense.", hint="Give 1 for heights in the unit.")


def _void_warnings(stored: NDArray[Any], valid: NDArray[np.bool_], nodata: tuple[float, ...]) -> tuple[str, ...]:
    """Return a hint for each typical void value that occurs and is not declared."""
    found = []
    for value in _VOIDS:
        count = 0 if value in nodata else int(np.count_nonzero((stored == value) & valid))
        # A lone 9999 is a height; hundreds of the very same value are none.
        if count and (value in _NEVER or value == -99999.0 or count > 0.001 * stored.size):
            left_out = " They are left out." if value in _NEVER else ""
            found.append(
                f"Some cells have the value {value:g}, which usually means no data but is not declared.{left_out} "
                f"If it does, say so: nodata {value:g}."
            )
    return tuple(found)


def _relief_warnings(elevation: ElevationGrid, unit: ElevationUnit) -> tuple[str, ...]:
    """Return what speaks against the unit: heights above any mountain, or slopes that are walls nearly everywhere."""
    step = max(1, elevation.grid.height // _SAMPLE), max(1, elevation.grid.width // _SAMPLE)
    sample = elevation.metres[:: step[0], :: step[1]]
    if not np.isfinite(sample).any():
        return ()
    if np.nanmax(sample) > _HIGHEST_M:
        return (
            f"There are heights above {_HIGHEST_M:.0f} m with the unit {unit.value}: higher than any mountain. "
            "Check the unit (feet?) and whether the band holds elevations.",
        )
    rises = np.abs(np.diff(elevation.metres[:: step[0]], axis=1)) / _array(elevation.spacing[0])[:: step[0], None]
    rises = rises[np.isfinite(rises)]
    if rises.size > 100 and np.degrees(np.arctan(np.percentile(rises, 75.0))) > _STEEPEST_DEG:
        return (
            f"A quarter of the ground is steeper than {_STEEPEST_DEG:g} degrees with the unit {unit.value}. Check the "
            "unit (feet, decimetres?) and whether the band holds elevations.",
        )
    return ()


def _per_row(steps: float | FloatArray, height: int) -> FloatArray:
    rows = np.broadcast_to(np.asarray(steps, dtype=np.float64), (height,)).copy()
    if not (np.isfinite(rows).all() and (rows > 0.0).all()):
        raise ValueError("ElevationGrid: expected ground spacings above 0 for every row")
    rows.setflags(write=False)
    return rows


def _array(steps: float | FloatArray) -> FloatArray:
    return np.asarray(steps, dtype=np.float64)
