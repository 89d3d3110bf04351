"""The pixel grid of a raster or of a piece of it, and every pixel<->map conversion of the project.

Pixel coordinates are continuous and have their origin at the outer corner of the corner pixel: the centre of the first
pixel is (0.5, 0.5). They are written (col, row) when they stand beside map coordinates (x, y).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import GridError
from . import crs as crs_maths

FloatArray = NDArray[np.float64]
Transform = tuple[float, float, float, float, float, float]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Window:
    """A rectangle of whole pixels inside a grid."""

    col: int
    """First column."""
    row: int
    """First row."""
    width: int
    """Number of columns, at least 1."""
    height: int
    """Number of rows, at least 1."""

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to cut it out of an array (H, W, ...)."""
        return slice(self.row, self.row + self.height), slice(self.col, self.col + self.width)


@dataclass(frozen=True)
class PixelGrid:
    """An affine grid of square, oblong, rotated or sheared pixels.

    Examples
    --------
    >>> grid = PixelGrid((10.0, 0.0, 500000.0, 0.0, -10.0, 4600000.0), "EPSG:32633", 100, 50)
    >>> grid.to_map([[0.5, 0.5]]).tolist()
    [[500005.0, 4599995.0]]
    >>> grid.to_pixel([[500005.0, 4599995.0]]).tolist()
    [[0.5, 0.5]]
    """

    transform: Transform
    """(a, b, c, d, e, f): x = a*col + b*row + c, y = d*col + e*row + f."""
    crs: str | None
    """Authority code ("EPSG:32633") or WKT; None for pixel space."""
    width: int
    """Number of columns."""
    height: int
    """Number of rows."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise GridError(f"A raster needs at least one pixel, got {self.width} x {self.height}.")
        a, b, _, d, e, _ = self.transform
        if not all(math.isfinite(value) for value in self.transform) or a * e - b * d == 0.0:
            raise GridError(
                f"The raster's geotransform {self.transform} can't be inverted.",
                hint="Check its georeference (for example with gdalinfo).",
            )

    @classmethod
    def pixel_space(cls, width: int, height: int) -> PixelGrid:
        """Return the grid of an image without a place: x = column, y = row, no CRS."""
        return cls((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None, width, height)

    @classmethod
    def from_bounds(cls, bounds: Bounds, resolution: tuple[float, float], crs: str | None) -> PixelGrid:
        """Return the north-up grid that covers ``bounds``, from its top left corner, with ``resolution`` (x, y)."""
        left, bottom, right, top = bounds
        size_x, size_y = resolution
        if not (right > left and top > bottom and size_x > 0 and size_y > 0):
            raise GridError(f"Bounds {bounds} with resolution {resolution} hold no pixel.")
        width = max(1, math.ceil((right - left) / size_x - 1e-9))
        height = max(1, math.ceil((top - bottom) / size_y - 1e-9))
        return cls((size_x, 0.0, left, 0.0, -size_y, top), crs, width, height)

    def to_map(self, pixels: ArrayLike) -> FloatArray:
        """Return map coordinates (N, 2) of continuous pixel coordinates (N, 2)."""
        points = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        a, b, c, d, e, f = self.transform
        return np.column_stack([a * points[:, 0] + b * points[:, 1] + c, d * points[:, 0] + e * points[:, 1] + f])

    def to_pixel(self, points: ArrayLike) -> FloatArray:
        """Return continuous pixel coordinates (N, 2) of map coordinates (N, 2) in this grid's CRS."""
        xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        a, b, c, d, e, f = self.transform
        dx, dy = xy[:, 0] - c, xy[:, 1] - f
        determinant = a * e - b * d
        return np.column_stack([(e * dx - b * dy) / determinant, (a * dy - d * dx) / determinant])

    def box_to_pixel(self, bounds: Bounds) -> FloatArray:
        """Return the (left, top, right, bottom) pixel box that encloses map ``bounds`` on this grid, float64 (4,)."""
        left, bottom, right, top = bounds
        corners = self.to_pixel([(left, bottom), (right, bottom), (right, top), (left, top)])
        return np.concatenate([corners.min(axis=0), corners.max(axis=0)])

    def contains(self, pixels: ArrayLike) -> NDArray[np.bool_]:
        """Return which continuous pixel coordinates (N, 2) lie on the grid, its outer edge included."""
        points = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        size = np.array([self.width, self.height], dtype=np.float64)
        with np.errstate(invalid="ignore"):
            inside: NDArray[np.bool_] = np.all((points >= 0.0) & (points <= size), axis=1)
        return inside

    @property
    def corners(self) -> FloatArray:
        """Map coordinates (4, 2) of the outer corners, in pixel order: (0,0), (w,0), (w,h), (0,h)."""
        return self.to_map([(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)])

    @property
    def bounds(self) -> Bounds:
        """Map envelope (left, bottom, right, top)."""
        corners = self.corners
        left, bottom = corners.min(axis=0)
        right, top = corners.max(axis=0)
        return float(left), float(bottom), float(right), float(top)

    @property
    def resolution(self) -> tuple[float, float]:
        """CRS units per pixel along the columns' and the rows' direction, both positive."""
        a, b, _, d, e, _ = self.transform
        return math.hypot(a, d), math.hypot(b, e)

    def metres_per_pixel(self) -> tuple[float, float]:
        """Return the geodesic size in metres of the pixel in the middle, along the columns and the rows.

        In pixel space (no CRS) a map unit counts as a metre.
        """
        if self.crs is None:
            return self.resolution
        col, row = self.width / 2.0, self.height / 2.0
        ends = self.to_map([(col - 0.5, row), (col + 0.5, row), (col, row - 0.5), (col, row + 0.5)])
        lengths = crs_maths.ground_lengths(ends[[0, 2]], ends[[1, 3]], self.crs)
        return float(lengths[0]), float(lengths[1])

    def window(self, window: Window) -> PixelGrid:
        """Return the grid of a window, which may reach over the edge."""
        a, b, c, d, e, f = self.transform
        x = a * window.col + b * window.row + c
        y = d * window.col + e * window.row + f
        return PixelGrid((a, b, x, d, e, y), self.crs, window.width, window.height)

    def resampled(self, width: int, height: int) -> PixelGrid:
        """Return a grid of ``width`` x ``height`` pixels over the same ground."""
        a, b, c, d, e, f = self.transform
        over_x, over_y = self.width / width, self.height / height
        return PixelGrid((a * over_x, b * over_y, c, d * over_x, e * over_y, f), self.crs, width, height)
