"""How a layer's heights become a picture: chosen for each layer, and remembered with it in the project."""

from __future__ import annotations

from qgis.core import QgsRasterLayer
from qgis.PyQt import sip

from ..algorithms.dem_prompts import DemChoice
from ..algorithms.provider_source import is_picture
from ..algorithms.terrain_source import NONE
from ..core.terrain.composite import RECIPES, CompositeSettings
from ..core.terrain.elevation import ElevationUnit
from ..core.terrain.reader import ElevationSettings
from .preferences import PREFIX

_PICTURE, _UNIT = f"{PREFIX}/elevation_picture", f"{PREFIX}/elevation_unit"


def may_be_dem(layer: QgsRasterLayer | None) -> bool:
    """Return True for a layer of one band of values, which may be heights."""
    if layer is None or sip.isdeleted(layer) or not layer.isValid() or layer.dataProvider() is None:
        return False
    return bool(layer.bandCount() == 1) and not is_picture(layer)


def picture_of(layer: QgsRasterLayer | None) -> DemChoice | None:
    """Return how a layer's heights are to be painted; None to look at its values as they are."""
    recipe = _text(layer, _PICTURE)
    if not may_be_dem(layer) or recipe not in RECIPES.names():
        return None
    return DemChoice(CompositeSettings(recipe), ElevationSettings(unit=unit_of(layer)), NONE)


def unit_of(layer: QgsRasterLayer | None) -> ElevationUnit:
    """Return the unit of a layer's heights."""
    said = _text(layer, _UNIT)
    return next((unit for unit in ElevationUnit if unit.value == said), ElevationUnit.METRES)


def remember(layer: QgsRasterLayer, recipe: str, unit: ElevationUnit) -> None:
    """Paint a layer's heights by a recipe from now on, or not with ``NONE``."""
    layer.setCustomProperty(_PICTURE, recipe)
    layer.setCustomProperty(_UNIT, unit.value)


def _text(layer: QgsRasterLayer | None, key: str) -> str:
    # another program may have written anything into a project
    return "" if layer is None or sip.isdeleted(layer) else str(layer.customProperty(key, "") or "")
