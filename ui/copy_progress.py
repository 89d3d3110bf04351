"""How far work is that only the window's own thread can do, with a button to stop it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from typing import TypeVar

from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtWidgets import QProgressDialog, QWidget

from ..core.errors import Cancelled

_SHOWN_AFTER_MS = 500
_LOOK_EVERY_S = 0.05
"""Between two looks at the button: each draws the window, so none for each object."""
Item = TypeVar("Item")


def watched(items: Iterable[Item], count: int, text: str, parent: QWidget) -> Generator[Item, None, None]:
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
    dialog.setValue(0)
    looked = time.monotonic()
    try:
        for number, item in enumerate(items):
            if time.monotonic() - looked >= _LOOK_EVERY_S and number < dialog.maximum():
                dialog.setValue(number)
                looked = time.monotonic()
            if dialog.wasCanceled():
                raise Cancelled("Stopped on request.")
            yield item
    finally:
        dialog.reset()
        dialog.deleteLater()


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("CopyProgress", text)
