"""Which pixels are looked at: one raster layer, its values or its style, or all that the canvas shows."""

from __future__ import annotations

from qgis.core import QgsMapLayerProxyModel, QgsRasterLayer
from qgis.gui import QgsMapLayerComboBox
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QCheckBox, QComboBox, QVBoxLayout, QWidget

from .elevation_controls import ElevationControls
from .preferences import Preferences

_KEY = "use_style"


class SourceControls(QWidget):
    """A list of the project's raster layers, headed by "What the canvas shows".

    ``chosen`` is emitted with a raster layer, or None for the canvas; ``style_toggled`` when a layer's own style is to
    be looked at in place of its values; ``elevation_chosen`` with how its heights are painted, or None.
    """

    chosen = pyqtSignal(object)
    style_toggled = pyqtSignal(bool)
    elevation_chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QgsMapLayerComboBox()
        self.list.setFilters(QgsMapLayerProxyModel.Filter.RasterLayer)
        self.list.setAllowEmptyLayer(True, tr("What the canvas shows"))
        self.list.setAccessibleName(tr("Image to look at"))
        self.list.setToolTip(
            tr("A layer is read at its own resolution; what the canvas shows is looked at as it is drawn.")
        )
        self.list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.list.setMinimumContentsLength(10)
        self.style_box = QCheckBox(tr("Use the layer's style"))
        self.style_box.setToolTip(
            tr("Look at the picture that the layer's style makes, in place of the layer's values.")
        )
        self.style_box.setChecked(Preferences().flag(_KEY, False))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addWidget(self.style_box)
        self.elevation = ElevationControls()
        layout.addWidget(self.elevation)
        self._show_choices()
        self.elevation.chosen.connect(self._repaint)
        self.list.layerChanged.connect(self._choose)
        self.style_box.toggled.connect(self._restyle)

    def layer(self) -> QgsRasterLayer | None:
        """Return the layer, or None for what the canvas shows."""
        return self.list.currentLayer()

    def set_layer(self, layer: QgsRasterLayer | None) -> None:
        """Choose a layer, or with None what the canvas shows."""
        self.list.setLayer(layer)

    def show_elevation(self) -> None:
        """Show what is remembered of the layer's heights, because somebody else has changed it."""
        self._show_choices()
        self.elevation_chosen.emit(self.elevation.picture())

    def _choose(self, layer: QgsRasterLayer | None) -> None:
        self._show_choices()
        self.chosen.emit(layer)

    def _show_choices(self) -> None:
        self.elevation.set_layer(self.layer())
        # what is drawn has its style already
        self.style_box.setEnabled(self.layer() is not None and self.elevation.picture() is None)

    def _repaint(self, dem: object) -> None:
        self.style_box.setEnabled(dem is None)
        self.elevation_chosen.emit(dem)

    def _restyle(self, wanted: bool) -> None:
        Preferences().set(_KEY, wanted)
        self.style_toggled.emit(wanted)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("SourceControls", text)
