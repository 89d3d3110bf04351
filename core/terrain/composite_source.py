"""CompositeSource: an elevation raster as a picture, so that everything that takes a raster takes a mountain."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from ..errors import SettingsError
from ..progress import NullProgress, Progress, SubProgress, check
from ..raster.chip import RasterChip
from ..raster.grid import PixelGrid, Window
from ..raster.resample import average_over
from ..raster.source import BandInfo, BandRole, RasterSource, check_request
from .composite import RECIPES, Composite, CompositeSettings
from .elevation import ElevationUnit
from .reader import ElevationReader, ElevationSettings

FINER = 2
"""A coarser picture is painted this much finer and averaged, so that it has the colours of the fine one."""
_KEPT = 2
_BANDS = (
    BandInfo("Red", "uint8", BandRole.RED),
    BandInfo("Green", "uint8", BandRole.GREEN),
    BandInfo("Blue", "uint8", BandRole.BLUE),
)


class CompositeSource:
    """The composite of an elevation source, as a raster source of three uint8 bands. Closing it closes the other.

    Parameters
    ----------
    source : RasterSource
        One of its bands holds elevations.
    composite : CompositeSettings, optional
        Recipe and its settings.
    elevation : ElevationSettings, optional
        Band, unit, voids.
    """

    already_rgb = True
    bands = _BANDS

    def __init__(
        self,
        source: RasterSource,
        composite: CompositeSettings | None = None,
        elevation: ElevationSettings | None = None,
    ) -> None:
        self._source = source
        self._settings = composite or CompositeSettings()
        self._reader = ElevationReader(source, elevation)
        self._recipe = RECIPES.get(self._settings.recipe)
        self._fitted: Composite | None = None
        self._recent: OrderedDict[tuple[Window, tuple[int, int]], RasterChip] = OrderedDict()
        self._doubts: dict[str, None] = {}

    @property
    def uri(self) -> str:
        """The elevation source's own."""
        return self._source.uri

    @property
    def grid(self) -> PixelGrid:
        """The elevation source's own."""
        return self._source.grid

    @property
    def how(self) -> str:
        """How the picture is made, for provenance: recipe, its numbers, and how heights were understood.

        A recipe that is fitted to each view has no numbers of its own: the view gives them. :func:`parse` reads it.
        """
        fixed = self._fitted is not None and not self._recipe.per_view
        recipe = self._fitted.text if self._fitted is not None and fixed else f"composite={self._settings.recipe}"
        return f"{recipe} {self._reader.settings.text()}"

    def doubts(self) -> tuple[str, ...]:
        """Return what the elevations that were read leave in doubt: undeclared voids, an implausible relief."""
        return tuple(self._doubts)

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        """Return the picture of a window at ``size``; see :class:`RasterSource`."""
        check_request(self, window, size, bands)
        progress = progress or NullProgress()
        check(progress)
        found = self._recent.get((window, size))
        if found is None:
            found = self._painted(window, size, progress)
            self._recent[window, size] = found
            while len(self._recent) > _KEPT:
                self._recent.popitem(last=False)
        names = tuple(_BANDS[band - 1].name for band in bands)
        return RasterChip(found.data[[band - 1 for band in bands]], found.valid, found.grid, names, self.uri)

    def close(self) -> None:
        """Close the elevation source."""
        self._recent.clear()
        self._source.close()

    def fit(self, window: Window, size: tuple[int, int], progress: Progress) -> Composite:
        """Return the composite that a view is painted with: the same for all, if the recipe allows."""
        if self._fitted is None or self._recipe.per_view:
            self._fitted = self._recipe.fit(self._reader, self._settings, window, size, progress)
        return self._fitted

    def _painted(self, window: Window, size: tuple[int, int], progress: Progress) -> RasterChip:
        fine = size
        if not self._recipe.per_view:
            fine = min(window.width, FINER * size[0]), min(window.height, FINER * size[1])
        composite = self.fit(window, fine, SubProgress(progress, 0.0, 0.3))
        cells = self._reader.smallest_cell(window, fine)
        limits = None if composite.sees_beyond else window
        piece = self._reader.around(window, fine, composite.margin(cells), progress, within=limits)
        check(progress)
        self._doubts.update(dict.fromkeys(piece.elevation.warnings))
        data = np.ascontiguousarray(np.moveaxis(composite.picture(piece), -1, 0))
        valid = piece.elevation.valid[piece.inner].copy()
        if fine != size:
            means, valid = average_over(data, valid, (0.0, 0.0, float(fine[0]), float(fine[1])), size)
            data = np.rint(np.where(valid, means, 0.0)).astype(np.uint8)
        grid = self.grid.window(window).resampled(*size)
        return RasterChip(data, valid, grid, tuple(band.name for band in _BANDS), self.uri)


def parse(text: str) -> tuple[CompositeSettings, ElevationSettings] | None:
    """Return the settings that :attr:`CompositeSource.how` wrote, or None if the text tells of no composite.

    Raises
    ------
    SettingsError
        If the text can't be understood.

    Examples
    --------
    >>> composite, heights = parse("bands=1,2,3 stretch=none composite=metric smoothing_m=45.0 elevation_m=0.0:900.0 "
    ...                            "band=1 unit=feet")
    >>> composite.smoothing_m, composite.elevation_m, heights.unit.value
    (45.0, (0.0, 900.0), 'feet')
    """
    said = dict(part.split("=", 1) for part in text.split() if "=" in part)
    if "composite" not in said:
        return None
    try:
        low, _, high = said.get("elevation_m", "").partition(":")
        composite = CompositeSettings(
            recipe=said["composite"],
            smoothing_m=float(said["smoothing_m"]) if "smoothing_m" in said else None,
            elevation_m=(float(low), float(high)) if low else None,
        )
        nodata = tuple(float(value) for value in said["nodata"].split(",")) if "nodata" in said else ()
        unit = ElevationUnit(said.get("unit", ElevationUnit.METRES.value))
        heights = ElevationSettings(int(said.get("band", "1")), unit, float(said.get("factor", "1.0")), nodata)
    except ValueError as error:
        raise SettingsError(
            f"The composite '{text}' can't be understood.", hint="It reads like: composite=metric band=1 unit=metres."
        ) from error
    return composite, heights
