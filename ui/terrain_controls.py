"""The terrain section: which DEM, what to look for in it, how far it is, and what was found."""

from __future__ import annotations

from qgis.core import QgsMapLayerProxyModel, QgsRasterLayer
from qgis.gui import QgsDoubleSpinBox, QgsMapLayerComboBox
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ..core.terrain.elevation import ElevationUnit
from ..core.terrain.finders import FinderSettings
from ..core.terrain.outliner import OutlineMethod
from ..core.terrain.reader import ElevationSettings
from . import elevation_choice
from .candidate_list import CandidateList
from .elevation_controls import unit_list
from .preferences import Preferences
from .status_line import StatusLine

VOLCANOES, DEPRESSIONS = "volcano", "depressions"
_WIDEST_KM, _HIGHEST_M = 1000.0, 10_000.0


class TerrainControls(QWidget):
    """``find_requested`` comes with the name of a finder; ``cancel_requested`` from the button beside the bar."""

    find_requested = pyqtSignal(str)
    cancel_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QgsMapLayerComboBox()
        self.list.setFilters(QgsMapLayerProxyModel.Filter.RasterLayer)
        self.unit_box = unit_list()
        self.smallest = _number(_WIDEST_KM, 2, 0.1, " km")
        self.largest = _number(_WIDEST_KM, 1, 1.0, " km")
        self.least = _number(_HIGHEST_M, 0, 10.0, " m")
        self.confidence = QgsDoubleSpinBox()
        self.confidence.setRange(0.0, 1.0)
        self.confidence.setSingleStep(0.05)
        self.confidence.setClearValue(FinderSettings.confidence)
        self.method = QComboBox()
        for method, text in (
            (OutlineMethod.AGREED, tr("break of slope and model")),
            (OutlineMethod.MORPHOMETRIC, tr("break of slope")),
            (OutlineMethod.MODEL, tr("model")),
        ):
            self.method.addItem(text, method)
        for box in (self.list, self.method):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(6)
        self.volcanoes = QPushButton(tr("Find volcanoes"))
        self.depressions = QPushButton(tr("Find depressions"))
        self.status = StatusLine()
        self.status.text.setAccessibleName(tr("State of the search"))
        self.status.bar.setAccessibleName(tr("Progress of the search"))
        self.status.cancel.setText(tr("Stop searching"))
        self.status.cancel.setToolTip(tr("Stop the search"))
        self.status.cancel.setAccessibleName(tr("Stop the search"))
        self.candidates = CandidateList()
        self._lay_out()
        self._restore()
        self._connect()
        self.set_running(False)

    def layer(self) -> QgsRasterLayer | None:
        """Return the DEM."""
        return self.list.currentLayer()

    def unit(self) -> ElevationUnit:
        """Return the unit of its heights."""
        return ElevationUnit(self.unit_box.currentData())

    def settings(self) -> FinderSettings:
        """Return how to look.

        Raises
        ------
        SettingsError
            If the smallest width is above the largest.
        """
        return FinderSettings(
            dem=ElevationSettings(unit=self.unit()),
            smallest_km=self.smallest.value() or None,
            largest_km=self.largest.value() or None,
            least_relief_m=self.least.value() or None,
            confidence=self.confidence.value(),
            method=self.method.currentData(),
        )

    def set_running(self, running: bool, text: str = "", fraction: float | None = None) -> None:
        """Show how far a search is, or with False what came of it."""
        self.status.show_status(text, running, fraction)
        self.status.setVisible(running or bool(text))
        for button in (self.volcanoes, self.depressions):
            button.setEnabled(not running and self.layer() is not None)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for title, widget, tip in (
            (tr("DEM"), self.list, tr("The raster layer whose values are heights.")),
            (tr("Heights in"), self.unit_box, tr("Unit of the DEM's heights.")),
            (tr("Smallest width"), self.smallest, tr("Automatic: what the DEM's resolution can show.")),
            (tr("Largest width"), self.largest, tr("Automatic: what fits on the DEM.")),
            (tr("Least height"), self.least, tr("Height or depth. Automatic: surely more than the DEM's errors.")),
            (tr("Least confidence"), self.confidence, tr("From 0 to 1. Lower finds more, and more that is none.")),
            (
                tr("Outlines by"),
                self.method,
                tr("Of volcanoes. With a model (the one chosen above), it also says how well the two agree."),
            ),
        ):
            widget.setToolTip(tip)
            widget.setAccessibleName(title)
            widget.setAccessibleDescription(tip)
            form.addRow(title, widget)
        self.volcanoes.setToolTip(tr("Outline, measure and class the volcanoes of the DEM."))
        self.depressions.setToolTip(tr("Outline and measure closed depressions: craters, sinkholes, kettles."))
        buttons = QHBoxLayout()
        buttons.addWidget(self.volcanoes)
        buttons.addWidget(self.depressions)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(form)
        whole.addLayout(buttons)
        whole.addWidget(self.status)
        whole.addWidget(self.candidates)

    def _connect(self) -> None:
        self.volcanoes.clicked.connect(lambda: self.find_requested.emit(VOLCANOES))
        self.depressions.clicked.connect(lambda: self.find_requested.emit(DEPRESSIONS))
        self.status.cancel_requested.connect(self.cancel_requested)
        self.list.layerChanged.connect(self._show_layer)
        self.method.currentIndexChanged.connect(self._remember)
        for spin in (self.smallest, self.largest, self.least, self.confidence):
            spin.valueChanged.connect(self._remember)

    def _show_layer(self, layer: QgsRasterLayer | None) -> None:
        self.unit_box.setCurrentIndex(self.unit_box.findData(elevation_choice.unit_of(layer)))
        for button in (self.volcanoes, self.depressions):
            button.setEnabled(layer is not None and self.status.cancel.isHidden())

    def _restore(self) -> None:
        stored = Preferences()
        self.smallest.setValue(stored.number("terrain/smallest_km", 0.0))
        self.largest.setValue(stored.number("terrain/largest_km", 0.0))
        self.least.setValue(stored.number("terrain/least_m", 0.0))
        self.confidence.setValue(stored.number("terrain/confidence", FinderSettings.confidence))
        methods = {method.value: method for method in OutlineMethod}
        method = methods.get(stored.text("terrain/method"), OutlineMethod.AGREED)
        self.method.setCurrentIndex(self.method.findData(method))

    def _remember(self, *_: object) -> None:
        stored = Preferences()
        stored.set("terrain/smallest_km", self.smallest.value())
        stored.set("terrain/largest_km", self.largest.value())
        stored.set("terrain/least_m", self.least.value())
        stored.set("terrain/confidence", self.confidence.value())
        stored.set("terrain/method", self.method.currentData().value)


def _number(most: float, decimals: int, step: float, suffix: str) -> QgsDoubleSpinBox:
    """Return a field whose least value, 0, leaves it to the DEM."""
    spin = QgsDoubleSpinBox()
    spin.setRange(0.0, most)
    spin.setDecimals(decimals)
    spin.setSingleStep(step)
    spin.setSuffix(suffix)
    spin.setSpecialValueText(tr("automatic"))
    spin.setClearValue(0.0)
    return spin


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("TerrainControls", text)
