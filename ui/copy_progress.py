"""How far work is that only the window's own thread can do, with a button to stop it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtWidgets import QProgressDialog, QWidget

from ..core.errors import Cancelled

_SHOWN_AFTER_MS = 500
_STEP = 50
"""Objects between two looks at the button."""
Item = TypeVar("Item")


def watched(items: Iterable[Item], count: int, text: str, parent: QWidget) -> Iterator[Item]:
    """Yield items while a dialog says how many of them were taken; it appears if that lasts.

    The window draws in between, but takes no other input: nothing that is worked on can be changed. To be closed when
    it is no longer needed.

    Raises
    ------
    Cancelled
        If the user presses Cancel.
    """
    dialog = QProgressDialog(text, tr("Cancel"), 0, max(1, count), parent)
    dialog.setWindowModality(Qt.WindowModality.ApplicationModal)
    dialog.setMinimumDuration(_SHOWN_AFTER_MS)
    try:
        for number, item in enumerate(items):
            if number % _STEP == 0 and number < dialog.maximum():
                dialog.setValue(number)
            if dialog.wasCanceled():
                raise Cancelled("Stopped on request.")
            yield item
    finally:
        dialog.reset()
        dialog.deleteLater()


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("CopyProgress", text)
