"""What a click means, and whether the outline shows before it."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QButtonGroup, QCheckBox, QRadioButton, QVBoxLayout, QWidget

from .mode import Mode
from .preferences import Preferences


class ModeControls(QWidget):
    """``chosen`` is emitted with the :class:`Mode`, ``hover_toggled`` with whether outlines are shown ahead."""

    chosen = pyqtSignal(object)
    hover_toggled = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        stored = Preferences()
        texts = {
            Mode.ONE_OBJECT: (tr("All clicks on one object"), tr("Clicks correct the outline until it is kept.")),
            Mode.EACH_CLICK: (tr("Each click a new object"), tr("A click keeps the object before and begins anew.")),
        }
        self.buttons = {}
        group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for mode, (title, tip) in texts.items():
            self.buttons[mode] = button = QRadioButton(title)
            button.setToolTip(tip)
            button.setAccessibleDescription(tip)
            group.addButton(button)
            layout.addWidget(button)
        remembered = {mode.value: mode for mode in Mode}.get(stored.text("mode"), Mode.ONE_OBJECT)
        self.buttons[remembered].setChecked(True)
        self.hover = QCheckBox(tr("Show the outline before clicking"))
        self.hover.setToolTip(tr("Rest the pointer on an object to see what a click would give."))
        self.hover.setChecked(stored.flag("hover", True))
        layout.addWidget(self.hover)
        for mode, button in self.buttons.items():
            button.toggled.connect(lambda on, mode=mode: self._choose(mode) if on else None)
        self.hover.toggled.connect(self._toggle_hover)

    def mode(self) -> Mode:
        """Return what a click means."""
        return next(mode for mode, button in self.buttons.items() if button.isChecked())

    def _choose(self, mode: Mode) -> None:
        Preferences().set("mode", mode.value)
        self.chosen.emit(mode)

    def _toggle_hover(self, wanted: bool) -> None:
        Preferences().set("hover", wanted)
        self.hover_toggled.emit(wanted)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ModeControls", text)
