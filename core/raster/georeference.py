"""Where a GDAL dataset lies: its geotransform, its ground control points, or its rational polynomial camera model."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..errors import MissingCrsError
from ..redact import without_credentials
from . import crs as crs_maths
from .grid import PixelGrid, Transform

_IDENTITY: Transform = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_FIT_PX = 0.5
_WGS84 = "EPSG:4326"


def place(dataset: Any, uri: str, *, pixel_space: bool) -> tuple[Any, PixelGrid]:
    """Return the dataset to read from and its grid.

    The file's own pixels are kept wherever its georeference is affine, rotated and sheared ones included. Only a file
    placed by a bent set of control points or by a camera model is read through a warped view of it.

    Parameters
    ----------
    dataset : rasterio dataset
        As opened.
    uri : str
        Its name, for messages.
    pixel_space : bool
        True to ignore every georeference: x is the column and y the row (downwards), and there is no CRS.

    Raises
    ------
    MissingCrsError
        If the file says no CRS and ``pixel_space`` is False.
    """
    if pixel_space:
        return dataset, PixelGrid.pixel_space(dataset.width, dataset.height)
    transform = _six(dataset.transform)
    points, points_crs = dataset.gcps
    if transform == _IDENTITY and points and points_crs:
        return _place_by_points(dataset, points, points_crs)
    if transform == _IDENTITY and dataset.rpcs is not None:
        # Without a terrain model the camera's own mean height is the best guess of the ground.
        view = _warped(dataset, _WGS84, SRC_METHOD="RPC", RPC_HEIGHT=dataset.rpcs.height_off)
        return view, PixelGrid(_six(view.transform), _WGS84, view.width, view.height)
    if not dataset.crs:
        raise MissingCrsError(
            f"The raster '{without_credentials(uri)}' has no coordinate reference system.",
            hint="Assign one (in QGIS: Raster > Projections > Assign Projection), or ask for pixel space.",
        )
    return dataset, PixelGrid(transform, _text(dataset.crs), dataset.width, dataset.height)


def _place_by_points(dataset: Any, points: list[Any], points_crs: Any) -> tuple[Any, PixelGrid]:
    crs = _text(points_crs)
    fitted = _affine_through(points)
    if fitted is not None:
        return dataset, PixelGrid(fitted, crs, dataset.width, dataset.height)
    # Named, because GDAL would rather believe a geotransform of 0, 1, 0, 0, 0, 1 where the file states one.
    view = _warped(dataset, points_crs, SRC_METHOD="GCP_POLYNOMIAL")
    return view, PixelGrid(_six(view.transform), crs, view.width, view.height)


def _affine_through(points: list[Any]) -> Transform | None:
    """Return the geotransform that meets all control points to half a pixel, or None if no affine one does."""
    pixels = np.array([(point.col, point.row) for point in points], dtype=np.float64)
    places = np.array([(point.x, point.y) for point in points], dtype=np.float64)
    # Centred, so that large coordinates don't spoil the fit.
    centre, middle = pixels.mean(axis=0), places.mean(axis=0)
    solution, _, rank, _ = np.linalg.lstsq(pixels - centre, places - middle, rcond=None)
    if rank < 2 or abs(np.linalg.det(solution)) == 0.0:
        return None
    missed: NDArray[np.float64] = ((places - middle) - (pixels - centre) @ solution) @ np.linalg.inv(solution)
    if np.abs(missed).max() > _FIT_PX:
        return None
    (a, d), (b, e) = solution
    c, f = middle - centre @ solution
    return float(a), float(b), float(c), float(d), float(e), float(f)


def _warped(dataset: Any, crs: Any, **options: str | float) -> Any:
    rasterio = native.rasterio()
    interpretations = [interpretation.name for interpretation in dataset.colorinterp]
    has_gaps = dataset.nodata is not None or "alpha" in interpretations
    smooth = "palette" not in interpretations
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        return rasterio.vrt.WarpedVRT(
            dataset,
            src_crs=crs,
            crs=crs,
            add_alpha=not has_gaps,
            resampling=rasterio.enums.Resampling.bilinear if smooth else rasterio.enums.Resampling.nearest,
            **options,
        )


def _six(transform: Any) -> Transform:
    a, b, c, d, e, f = (float(value) for value in tuple(transform)[:6])
    return a, b, c, d, e, f


def _text(crs: Any) -> str:
    return crs_maths.canonical(crs.to_wkt())
