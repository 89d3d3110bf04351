"""Where Words, Everything and Similar look, how closely, and which sizes count: one set of choices for all three."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from qgis.gui import QgsDoubleSpinBox
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import QCheckBox, QComboBox, QFormLayout, QWidget

from ..core.scan import OverlapRule
from .preferences import Preferences

_MOST_M2 = 1e10


class Area(Enum):
    """Where is looked."""

    CANVAS = "canvas"
    """What the canvas shows."""
    WHOLE = "whole"
    """The whole layer."""
    SELECTED = "selected"
    """The box around the selected polygons."""


class Closeness(Enum):
    """At which resolution."""

    NATIVE = "native"
    """The image's own."""
    CANVAS = "canvas"
    """That of the screen, as the map is zoomed now."""


@dataclass(frozen=True)
class ScanChoices:
    """What the user chose."""

    area: Area = Area.CANVAS
    closeness: Closeness = Closeness.NATIVE
    min_area_m2: float = 0.0
    max_area_m2: float | None = None
    overlaps: OverlapRule = OverlapRule.BEST
    keep_on_cancel: bool = True


class ScanControls(QWidget):
    """Shows the choices and remembers them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.area = _choice(
            (Area.CANVAS, tr("what the canvas shows")),
            (Area.WHOLE, tr("the whole layer")),
            (Area.SELECTED, tr("around selected polygons")),
        )
        self.closeness = _choice((Closeness.NATIVE, tr("native")), (Closeness.CANVAS, tr("as on the canvas")))
        self.least = _area(tr("any"))
        self.most = _area(tr("any"))
        self.overlaps = _choice((OverlapRule.BEST, tr("the best keeps it")), (OverlapRule.KEEP, tr("leave them")))
        self.keep = QCheckBox(tr("Keep what was found when stopped"))
        self.keep.setToolTip(tr("Otherwise, the layer of a search that is stopped is taken away again."))
        self._lay_out()
        self._restore()
        for box in (self.area, self.closeness, self.overlaps):
            box.currentIndexChanged.connect(self._remember)
        for spin in (self.least, self.most):
            spin.valueChanged.connect(self._remember)
        self.keep.toggled.connect(self._remember)

    def choices(self) -> ScanChoices:
        """Return what the widgets say."""
        return ScanChoices(
            area=self.area.currentData(),
            closeness=self.closeness.currentData(),
            min_area_m2=self.least.value(),
            max_area_m2=self.most.value() or None,
            overlaps=self.overlaps.currentData(),
            keep_on_cancel=self.keep.isChecked(),
        )

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for title, widget, tip in (
            (tr("Look at"), self.area, tr("Selected polygons may lie in any layer.")),
            (
                tr("Resolution"),
                self.closeness,
                tr("Native finds small objects and takes longer. Web maps have only that of the canvas: zoom to it."),
            ),
            (tr("Smallest area"), self.least, tr("Smaller objects are left out.")),
            (tr("Largest area"), self.most, tr("Larger objects are left out.")),
            (tr("Overlaps"), self.overlaps, tr("What happens to ground that several objects claim.")),
        ):
            widget.setToolTip(tip)
            widget.setAccessibleName(title)
            widget.setAccessibleDescription(tip)
            form.addRow(title, widget)
        form.addRow(self.keep)

    def _restore(self) -> None:
        stored, default = Preferences(), ScanChoices()
        for box, key, value in (
            (self.area, "scan/area", default.area),
            (self.closeness, "scan/closeness", default.closeness),
            (self.overlaps, "scan/overlaps", default.overlaps),
        ):
            names = {box.itemData(row).value: row for row in range(box.count())}
            box.setCurrentIndex(names.get(stored.text(key), names[value.value]))
        self.least.setValue(max(0.0, stored.number("scan/min_area_m2", default.min_area_m2)))
        self.most.setValue(max(0.0, stored.number("scan/max_area_m2", 0.0)))
        self.keep.setChecked(stored.flag("scan/keep_on_cancel", default.keep_on_cancel))

    def _remember(self, *_: object) -> None:
        stored, chosen = Preferences(), self.choices()
        stored.set("scan/area", chosen.area.value)
        stored.set("scan/closeness", chosen.closeness.value)
        stored.set("scan/overlaps", chosen.overlaps.value)
        stored.set("scan/min_area_m2", chosen.min_area_m2)
        stored.set("scan/max_area_m2", chosen.max_area_m2 or 0.0)
        stored.set("scan/keep_on_cancel", chosen.keep_on_cancel)


def _choice(*entries: tuple[Enum, str]) -> QComboBox:
    box = QComboBox()
    for value, text in entries:
        box.addItem(text, value)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def _area(special: str) -> QgsDoubleSpinBox:
    """Return a field for square metres; 0 is ``special``."""
    spin = QgsDoubleSpinBox()
    spin.setRange(0.0, _MOST_M2)
    spin.setDecimals(1)
    spin.setSingleStep(5.0)
    spin.setSuffix(" m²")
    spin.setSpecialValueText(special)
    spin.setClearValue(0.0)
    return spin


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ScanControls", text)
