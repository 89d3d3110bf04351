"""Landform finders: one kind of landform per module, found by the registry.

A finder takes a DEM as a raster source and gives polygons with measures. What finders share lies one level up, in
``core/terrain``; they never import each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ...errors import SettingsError
from ...progress import Progress
from ...raster.source import RasterSource
from ...registry import Registry
from ..landform import LandformField, LandformResult
from ..outliner import OutlineMethod, Outliner
from ..reader import ElevationSettings

DEFAULT_CONFIDENCE = 0.5


@dataclass(frozen=True)
class FinderSettings:
    """What the user may choose. None takes a default from the DEM's size and resolution."""

    dem: ElevationSettings = field(default_factory=ElevationSettings)
    """Band, unit and undeclared nodata."""
    smallest_km: float | None = None
    """Width below which nothing is looked for."""
    largest_km: float | None = None
    """Width above which nothing is looked for."""
    least_relief_m: float | None = None
    """Least height, or depth, in metres."""
    confidence: float = DEFAULT_CONFIDENCE
    """Least confidence of what is returned, 0 to 1."""
    method: OutlineMethod = OutlineMethod.AGREED
    """How outlines are drawn, by finders that offer a choice."""

    def __post_init__(self) -> None:
        for name in ("smallest_km", "largest_km", "least_relief_m"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < float("inf"):
                raise SettingsError(f"{name} is {value}.", hint="Give a number above 0.")
        if self.smallest_km is not None and self.largest_km is not None and self.smallest_km > self.largest_km:
            raise SettingsError(
                f"The smallest width, {self.smallest_km:g} km, is above the largest, {self.largest_km:g} km.",
                hint="Exchange the two.",
            )
        if not 0.0 <= self.confidence <= 1.0:
            raise SettingsError(f"The confidence is {self.confidence}.", hint="Give a number from 0 to 1.")


class LandformFinder(Protocol):
    """Finds one kind of landform; each module here defines NAME and ENTRY, an instance of this."""

    @property
    def title(self) -> str:
        """What people read, e.g. "Volcanoes"."""

    @property
    def columns(self) -> tuple[LandformField, ...]:
        """The attribute table of its landforms."""

    def find(
        self, source: RasterSource, settings: FinderSettings, progress: Progress, outliner: Outliner | None = None
    ) -> LandformResult:
        """Return the landforms of a DEM.

        Parameters
        ----------
        source : RasterSource
            The DEM, in any CRS; the caller closes it.
        settings : FinderSettings
            What to look for.
        progress : Progress
            Told about the stages; asked for cancellation.
        outliner : Outliner, optional
            A model that outlines what it is prompted for.

        Raises
        ------
        RasterReadError, SettingsError
            If the DEM can't be read as elevations.
        Cancelled
            If the user asked to stop.
        """


FINDERS: Registry[LandformFinder] = Registry(__name__, "landform finder")
