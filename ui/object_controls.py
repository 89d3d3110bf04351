"""The object that is being outlined: what is known of it, and what can be done with it."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QGridLayout, QLabel, QMenu, QSizePolicy, QToolButton, QWidget


class ObjectControls(QWidget):
    """A summary, and buttons for what the keys do on the canvas."""

    keep_requested = pyqtSignal()
    drop_requested = pyqtSignal()
    undo_requested = pyqtSignal()
    redo_requested = pyqtSignal()
    copy_command_requested = pyqtSignal()
    copy_python_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.summary.setAccessibleName(tr("The current object"))
        self.keep = _button(tr("Keep"), "/mActionSaveEdits.svg", tr("Write the object to the layer (Enter)"))
        self.drop = _button(tr("Drop"), "/mActionRemove.svg", tr("Forget the object (Esc)"))
        self.undo = _button(tr("Undo"), "/mActionUndo.svg", tr("Take the last prompt back (Ctrl+Z, Backspace)"))
        self.redo = _button(tr("Redo"), "/mActionRedo.svg", tr("Set the prompt again (Ctrl+Shift+Z)"))
        self.copy = _button(tr("Copy as"), "/mActionEditCopy.svg", tr("Copy what makes this object again"))
        self._add_copy_menu()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.summary, 0, 0, 1, 2)
        for index, button in enumerate((self.keep, self.drop, self.undo, self.redo)):
            layout.addWidget(button, 1 + index // 2, index % 2)
        layout.addWidget(self.copy, 3, 0, 1, 2)
        self.keep.clicked.connect(self.keep_requested)
        self.drop.clicked.connect(self.drop_requested)
        self.undo.clicked.connect(self.undo_requested)
        self.redo.clicked.connect(self.redo_requested)
        self.show_object("", can_keep=False, can_undo=False, can_redo=False)

    def show_object(self, summary: str, *, can_keep: bool, can_undo: bool, can_redo: bool) -> None:
        """Show what is known of the object and enable what can be done."""
        self.summary.setText(summary or tr("No object yet. Click one on the map."))
        self.keep.setEnabled(can_keep)
        self.copy.setEnabled(can_keep)
        self.drop.setEnabled(bool(summary) or can_keep or can_undo)
        self.undo.setEnabled(can_undo)
        self.redo.setEnabled(can_redo)

    def _add_copy_menu(self) -> None:
        menu = QMenu(self)
        menu.addAction(tr("qgis_process command")).triggered.connect(self.copy_command_requested)
        menu.addAction(tr("Python")).triggered.connect(self.copy_python_requested)
        self.copy.setMenu(menu)
        self.copy.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)


def _button(text: str, icon: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setIcon(QgsApplication.getThemeIcon(icon))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    side = button.fontMetrics().height()
    button.setIconSize(QSize(side, side))
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setToolTip(tip)
    button.setAccessibleName(text)
    button.setAccessibleDescription(tip)
    return button


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ObjectControls", text)
