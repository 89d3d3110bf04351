"""How the outline should look: every setting of the core's outlines, in a mapper's words and in metres."""

from __future__ import annotations

from typing import Any

from qgis.gui import QgsDoubleSpinBox, QgsSpinBox
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ..core.outlines.masks import PartRule
from ..core.outlines.shape import OutlineSettings
from .preferences import Preferences

_AUTOMATIC = -1.0
"""Below zero, where no area can be: "only specks"."""
_MOST_SMOOTH = 5
_MOST_M = 10_000.0
_MOST_M2 = 1e8


class OutlineControls(QWidget):
    """Shows and changes :class:`OutlineSettings`; ``changed`` is emitted with the new settings at each change."""

    changed = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts = QComboBox()
        for rule, text in (
            (PartRule.WITH_INCLUDE, tr("Those that I clicked")),
            (PartRule.LARGEST, tr("The largest")),
            (PartRule.ALL, tr("All")),
        ):
            self._parts.addItem(text, rule)
        self._simplify = _number((0.0, 1000.0), special=tr("off"))
        self._unit = QComboBox()
        self._unit.addItem(tr("pixels"), "px")
        self._unit.addItem(tr("metres"), "m")
        self._smooth = QgsSpinBox()
        self._smooth.setRange(0, _MOST_SMOOTH)
        self._smooth.setSpecialValueText(tr("off"))
        self._holes = _number((_AUTOMATIC, _MOST_M2), suffix=" m²", special=tr("only specks"))
        self._least = _number((0.0, _MOST_M2), suffix=" m²", special=tr("keep all"))
        self._expand = _number((-_MOST_M, _MOST_M), suffix=" m")
        self._reset = QPushButton(tr("Reset to defaults"))
        self._lay_out()
        self.set_settings(_remembered())
        self._connect()

    def settings(self) -> OutlineSettings:
        """Return what the widgets say."""
        holes, simplify = self._holes.value(), self._simplify.value()
        in_metres = self._unit.currentData() == "m"
        return OutlineSettings(
            parts=self._parts.currentData(),
            fill_holes_m2=holes if holes >= 0.0 else None,
            min_area_m2=self._least.value(),
            simplify_px=OutlineSettings.simplify_px if in_metres else simplify,
            simplify_m=simplify if in_metres else None,
            smooth=self._smooth.value(),
            expand_m=self._expand.value(),
        )

    def set_settings(self, settings: OutlineSettings) -> None:
        """Show settings, without saying that they changed."""
        blocked = [(widget, widget.blockSignals(True)) for widget in self._widgets()]
        self._parts.setCurrentIndex(self._parts.findData(settings.parts))
        self._unit.setCurrentIndex(0 if settings.simplify_m is None else 1)
        self._simplify.setValue(settings.simplify_px if settings.simplify_m is None else settings.simplify_m)
        self._holes.setValue(_AUTOMATIC if settings.fill_holes_m2 is None else settings.fill_holes_m2)
        self._least.setValue(settings.min_area_m2)
        self._smooth.setValue(settings.smooth)
        self._expand.setValue(settings.expand_m)
        for widget, before in blocked:
            widget.blockSignals(before)

    def reset(self) -> None:
        """Go back to what the core would do by itself."""
        self.set_settings(OutlineSettings())
        self._say()

    def _widgets(self) -> tuple[Any, ...]:
        return (self._parts, self._simplify, self._unit, self._smooth, self._holes, self._least, self._expand)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        simplify = QWidget()
        beside = QHBoxLayout(simplify)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self._simplify, 1)
        beside.addWidget(self._unit)
        rows = (
            (tr("Parts"), self._parts, None, tr("Which separate parts of what was found make up the object.")),
            (
                tr("Simplify by"),
                self._simplify,
                simplify,
                tr("How far the outline may move. One pixel takes out the stairs of the pixels; off keeps them."),
            ),
            (tr("Smooth"), self._smooth, None, tr("How often corners are cut: off for buildings, 2 or 3 for trees.")),
            (tr("Fill holes up to"), self._holes, None, tr("Holes up to this area are filled; 0 keeps all of them.")),
            (tr("Smallest part"), self._least, None, tr("Parts below this area are dropped.")),
            (tr("Expand by"), self._expand, None, tr("Pushes the outline outwards; a negative number shrinks it.")),
        )
        for title, widget, whole_field, tip in rows:
            widget.setToolTip(tip)
            widget.setAccessibleName(title)
            widget.setAccessibleDescription(tip)
            form.addRow(title, whole_field or widget)
        self._unit.setAccessibleName(tr("Unit of simplifying"))
        self._reset.setAccessibleName(tr("Reset the outline settings to their defaults"))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(form)
        whole.addWidget(self._reset)

    def _connect(self) -> None:
        for box in (self._parts, self._unit):
            box.currentIndexChanged.connect(self._say)
        for spin in (self._simplify, self._smooth, self._holes, self._least, self._expand):
            # a number that is being typed is not yet what is wanted
            spin.setKeyboardTracking(False)
            spin.valueChanged.connect(self._say)
        self._reset.clicked.connect(self.reset)

    def _say(self, *_: object) -> None:
        settings = self.settings()
        _remember(settings)
        self.changed.emit(settings)


def _number(limits: tuple[float, float], *, suffix: str = "", special: str = "") -> QgsDoubleSpinBox:
    """Return a field for an area or a length; ``special`` is the name of its least value."""
    is_area = suffix.endswith("²")
    spin = QgsDoubleSpinBox()
    spin.setRange(*limits)
    spin.setDecimals(1 if is_area else 2)
    spin.setSingleStep(5.0 if is_area else 0.5)
    spin.setSuffix(suffix)
    spin.setShowClearButton(False)
    if special:
        spin.setSpecialValueText(special)
    return spin


def _remembered() -> OutlineSettings:
    stored, default = Preferences(), OutlineSettings()
    holes, simplify_m = stored.number("outline/fill_holes_m2", _AUTOMATIC), stored.number("outline/simplify_m", -1.0)
    rules = {rule.value: rule for rule in PartRule}
    return OutlineSettings(
        parts=rules.get(stored.text("outline/parts"), default.parts),
        fill_holes_m2=holes if holes >= 0.0 else None,
        min_area_m2=max(0.0, stored.number("outline/min_area_m2", default.min_area_m2)),
        simplify_px=max(0.0, stored.number("outline/simplify_px", default.simplify_px)),
        simplify_m=simplify_m if simplify_m >= 0.0 else None,
        smooth=min(max(int(stored.number("outline/smooth", default.smooth)), 0), _MOST_SMOOTH),
        expand_m=stored.number("outline/expand_m", default.expand_m),
    )


def _remember(settings: OutlineSettings) -> None:
    stored = Preferences()
    stored.set("outline/parts", settings.parts.value)
    stored.set("outline/fill_holes_m2", _AUTOMATIC if settings.fill_holes_m2 is None else settings.fill_holes_m2)
    stored.set("outline/min_area_m2", settings.min_area_m2)
    stored.set("outline/simplify_px", settings.simplify_px)
    stored.set("outline/simplify_m", -1.0 if settings.simplify_m is None else settings.simplify_m)
    stored.set("outline/smooth", settings.smooth)
    stored.set("outline/expand_m", settings.expand_m)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("OutlineControls", text)
