"""Where kept objects go, what they are called, and what happens where a polygon already is."""

from __future__ import annotations

from qgis.core import QgsMapLayerProxyModel, QgsVectorLayer
from qgis.gui import QgsMapLayerComboBox
from qgis.PyQt.QtCore import QCoreApplication, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QCheckBox, QComboBox, QCompleter, QFormLayout, QWidget

from .placement import OverlapRule
from .preferences import Preferences
from .recent_texts import RecentTexts
from .target_layer import KeepSettings


class KeepControls(QWidget):
    """Target layer, class label and keep options.

    ``target_chosen`` is emitted with a polygon layer, or None for a new memory layer; ``label_changed`` with the text;
    ``changed`` with the whole :class:`KeepSettings`, the label included.
    """

    target_chosen = pyqtSignal(object)
    label_changed = pyqtSignal(str)
    changed = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = RecentTexts()
        self.list = QgsMapLayerComboBox()
        self.list.setFilters(QgsMapLayerProxyModel.Filter.PolygonLayer)
        self.list.setAllowEmptyLayer(True, tr("New layer"))
        self.list.setCurrentIndex(0)
        self.label_box = QComboBox()
        self.label_box.setEditable(True)
        self.label_box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.label_box.completer().setCaseSensitivity(Qt.CaseSensitivity.CaseSensitive)
        self.label_box.completer().setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.label_box.lineEdit().setPlaceholderText(tr("none"))
        self.label_box.lineEdit().setClearButtonEnabled(True)
        self.overlap_box = QComboBox()
        for rule, text in (
            (OverlapRule.ALLOW, tr("keep it anyway")),
            (OverlapRule.SKIP, tr("skip it")),
            (OverlapRule.CLIP, tr("clip it there")),
        ):
            self.overlap_box.addItem(text, rule)
        self.merge_box = QCheckBox(tr("Merge with what it touches"))
        for box in (self.list, self.label_box, self.overlap_box):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
        self._restore()
        self._lay_out()
        self._connect()

    def target(self) -> QgsVectorLayer | None:
        """Return the polygon layer, or None for a new one."""
        return self.list.currentLayer()

    def set_target(self, layer: QgsVectorLayer | None) -> None:
        """Show a layer as the target, for example the memory layer that was just made; says nothing."""
        blocked = self.list.blockSignals(True)
        self.list.setLayer(layer)
        self.list.blockSignals(blocked)

    def label(self) -> str:
        """Return the class label; may be empty."""
        return str(self.label_box.currentText().strip())

    def settings(self) -> KeepSettings:
        """Return how objects are kept."""
        return KeepSettings(
            overlap=self.overlap_box.currentData(), merge_touching=self.merge_box.isChecked(), label=self.label()
        )

    def remember_label(self) -> None:
        """Put the present label at the head of the recent ones."""
        if self._history.use(self.label()):
            self._show_recent()

    def _restore(self) -> None:
        stored = Preferences()
        rules = {rule.name: rule for rule in OverlapRule}
        rule = rules.get(stored.text("keep/overlap"), OverlapRule.ALLOW)
        self.overlap_box.setCurrentIndex(self.overlap_box.findData(rule))
        self.merge_box.setChecked(stored.flag("keep/merge_touching", False))
        self._show_recent()
        self.label_box.setEditText(stored.text("keep/label"))

    def _show_recent(self) -> None:
        text, blocked = self.label_box.currentText(), self.label_box.blockSignals(True)
        self.label_box.clear()
        self.label_box.addItems(self._history.recent())
        self.label_box.setEditText(text)
        self.label_box.blockSignals(blocked)

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows = (
            (
                tr("Save to"),
                self.list,
                tr("The polygon layer that kept objects go to. A new one is temporary until you save it."),
            ),
            (tr("Label"), self.label_box, tr("Class or name that is written with each object.")),
            (tr("If it overlaps"), self.overlap_box, tr("What happens where the layer already has a polygon.")),
        )
        for title, widget, tip in rows:
            widget.setToolTip(tip)
            widget.setAccessibleName(title)
            widget.setAccessibleDescription(tip)
            form.addRow(title, widget)
        self.merge_box.setToolTip(tr("Make one polygon of a kept object and those of the layer that it touches."))
        form.addRow(self.merge_box)

    def _connect(self) -> None:
        self.list.layerChanged.connect(self._choose)
        self.label_box.editTextChanged.connect(self._say_label)
        self.label_box.lineEdit().editingFinished.connect(self.remember_label)
        self.overlap_box.currentIndexChanged.connect(self._say)
        self.merge_box.toggled.connect(self._say)

    def _choose(self, layer: QgsVectorLayer | None) -> None:
        self.target_chosen.emit(layer)

    def _say_label(self, *_: object) -> None:
        self.label_changed.emit(self.label())
        self._say()

    def _say(self, *_: object) -> None:
        settings, stored = self.settings(), Preferences()
        stored.set("keep/overlap", settings.overlap.name)
        stored.set("keep/merge_touching", settings.merge_touching)
        stored.set("keep/label", settings.label)
        self.changed.emit(settings)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("KeepControls", text)
