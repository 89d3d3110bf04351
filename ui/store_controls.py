"""Widgets for the folder of encoded views: on or off, how much, and a way to empty it."""

from __future__ import annotations

from qgis.gui import QgsSpinBox
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QCheckBox, QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from . import embedding_store
from .embedding_store import StoreSettings


class StoreControls(QWidget):
    """``changed`` is emitted when the next session should make its cache anew."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        settings = embedding_store.store_settings()
        self.on_disk = QCheckBox(tr("Keep encoded views on disk"))
        self.on_disk.setToolTip(
            tr("What a model has computed for a view is used again, also after QGIS was started anew.")
        )
        self.on_disk.setChecked(settings.on_disk)
        self.cap = QgsSpinBox()
        self.cap.setRange(embedding_store.LEAST_MB, embedding_store.MOST_MB)
        self.cap.setSuffix(" MB")
        self.cap.setSingleStep(100)
        self.cap.setClearValue(StoreSettings().cap_mb)
        self.cap.setValue(settings.cap_mb)
        self.cap.setKeyboardTracking(False)
        self.cap.setAccessibleName(tr("At most"))
        self.used = QLabel()
        self.used.setWordWrap(True)
        self.clear = QPushButton(tr("Empty the folder"))
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("At most"), self.cap)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.on_disk)
        layout.addLayout(form)
        layout.addWidget(self.used)
        layout.addWidget(self.clear)
        self.on_disk.toggled.connect(self._change)
        self.cap.valueChanged.connect(self._change)
        self.clear.clicked.connect(self._empty)
        self._enable()

    def refresh(self) -> None:
        """Say how much the folder holds now."""
        megabytes = embedding_store.used_bytes() / embedding_store.MB
        self.used.setText(tr("The folder holds {size:.0f} MB.").format(size=megabytes))
        self.used.setToolTip(str(embedding_store.folder()))

    def _change(self, *_: object) -> None:
        embedding_store.remember(StoreSettings(self.on_disk.isChecked(), self.cap.value()))
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        self.cap.setEnabled(self.on_disk.isChecked())

    def _empty(self) -> None:
        try:
            embedding_store.clear()
        except OSError as error:
            self.used.setText(tr("The folder can't be emptied: {reason}.").format(reason=error))
            return
        self.refresh()
        self.changed.emit()


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("StoreControls", text)
