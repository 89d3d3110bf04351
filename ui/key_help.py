"""The mouse and the keys of the map tool, as a short list."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtWidgets import QLabel, QWidget


def gestures() -> list[tuple[str, str]]:
    """Return what to do and what it means."""
    return [
        (_tr("Click"), _tr("this belongs to the object")),
        (_tr("Right click"), _tr("this does not")),
        (_tr("Drag"), _tr("a box around the object")),
        (_tr("Shift+click"), _tr("a new object beside this one")),
        (_tr("Click a kept polygon"), _tr("open it to correct it")),
        (_tr("Enter, double click"), _tr("keep")),
        (_tr("Esc"), _tr("drop")),
        (_tr("Ctrl+Z, Backspace"), _tr("take the last prompt back")),
        (_tr("Ctrl+Shift+Z"), _tr("set it again")),
        (_tr("M"), _tr("the model's next suggestion")),
        (_tr("Delete"), _tr("remove the polygon under the pointer")),
    ]


class KeyHelp(QLabel):
    """A table of gestures that wraps with the panel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        rows = "".join(f"<tr><td><b>{do}</b></td><td style='padding-left:8px'>{so}</td></tr>" for do, so in gestures())
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setText(f"<table cellspacing='2'>{rows}</table>")
        self.setWordWrap(True)
        self.setAccessibleName(_tr("Mouse and keys"))
        self.setAccessibleDescription("; ".join(f"{do}: {so}" for do, so in gestures()))


def _tr(text: str) -> str:
    return QCoreApplication.translate("KeyHelp", text)
