"""The mouse and the keys of the map tool, as a short list."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtWidgets import QLabel, QWidget


def gestures() -> list[tuple[str, str]]:
    """Return what to do and what it means."""
    return [
        (tr("Click"), tr("this belongs to the object")),
        (tr("Right click"), tr("this does not")),
        (tr("Drag"), tr("a box around the object")),
        (tr("Shift+click"), tr("a new object beside this one")),
        (tr("Click a kept polygon"), tr("open it to correct it")),
        (tr("Enter, double click"), tr("keep; with Shift+Enter all that are open")),
        (tr("Esc"), tr("drop")),
        (tr("Ctrl+Z, Backspace"), tr("take the last prompt back")),
        (tr("Ctrl+Shift+Z"), tr("set it again")),
        (tr("M"), tr("the model's next suggestion")),
        (tr("Delete"), tr("remove the polygon under the pointer")),
    ]


class KeyHelp(QLabel):
    """A table of gestures that wraps with the panel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        rows = "".join(f"<tr><td><b>{do}</b></td><td style='padding-left:8px'>{so}</td></tr>" for do, so in gestures())
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setText(f"<table cellspacing='2'>{rows}</table>")
        self.setWordWrap(True)
        self.setAccessibleName(tr("Mouse and keys"))
        self.setAccessibleDescription("; ".join(f"{do}: {so}" for do, so in gestures()))


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("KeyHelp", text)
