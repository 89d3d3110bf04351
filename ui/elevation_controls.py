"""For a layer of heights: which picture is made of them, so that mountains can be clicked."""

from __future__ import annotations

from qgis.core import QgsRasterLayer
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QWidget

from ..algorithms.dem_prompts import DemChoice
from ..algorithms.terrain_source import NONE
from ..core.terrain.composite import RECIPES
from ..core.terrain.elevation import ElevationUnit
from . import elevation_choice


class ElevationControls(QWidget):
    """Shown for layers of one band only. ``chosen`` comes with a :class:`DemChoice`, or None for the plain layer."""

    chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layer: QgsRasterLayer | None = None
        self.picture_box = QComboBox()
        self.picture_box.addItem(tr("none"), NONE)
        for name in RECIPES.names():
            self.picture_box.addItem(name, name)
        self.unit_box = unit_list()
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for title, box, tip in (
            (
                tr("Elevation picture"),
                self.picture_box,
                tr(
                    "If the layer holds heights: look at a picture of height, slope and curvature, to click mountains. "
                    "metric has the same colours at every zoom; samgis is the picture that SamGIS makes."
                ),
            ),
            (tr("Heights in"), self.unit_box, tr("Unit of the layer's heights.")),
        ):
            box.setToolTip(tip)
            box.setAccessibleName(title)
            box.setAccessibleDescription(tip)
            form.addRow(title, box)
        self.set_layer(None)
        self.picture_box.currentIndexChanged.connect(self._choose)
        self.unit_box.currentIndexChanged.connect(self._choose)

    def set_layer(self, layer: QgsRasterLayer | None) -> None:
        """Show what is remembered of a layer; says nothing."""
        self._layer = layer if elevation_choice.may_be_dem(layer) else None
        dem = elevation_choice.picture_of(self._layer)
        for box, value in (
            (self.picture_box, NONE if dem is None else dem.composite.recipe),
            (self.unit_box, elevation_choice.unit_of(self._layer)),
        ):
            blocked = box.blockSignals(True)
            box.setCurrentIndex(box.findData(value))
            box.blockSignals(blocked)
        self.unit_box.setEnabled(dem is not None)
        self.setVisible(self._layer is not None)

    def picture(self) -> DemChoice | None:
        """Return how the layer's heights are painted; None for the plain layer."""
        return elevation_choice.picture_of(self._layer)

    def _choose(self, *_: object) -> None:
        if self._layer is None:
            return
        elevation_choice.remember(self._layer, self.picture_box.currentData(), self.unit_box.currentData())
        dem = self.picture()
        self.unit_box.setEnabled(dem is not None)
        self.chosen.emit(dem)


def unit_list() -> QComboBox:
    """Return a list of the units of heights."""
    box = QComboBox()
    for unit, text in (
        (ElevationUnit.METRES, tr("metres")),
        (ElevationUnit.FEET, tr("feet")),
        (ElevationUnit.US_FEET, tr("US survey feet")),
    ):
        box.addItem(text, unit)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)
    return box


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ElevationControls", text)
