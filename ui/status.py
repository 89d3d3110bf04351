"""What the status line says: what is being computed, else the last news, which holds until there are others."""

from __future__ import annotations

from collections.abc import Callable

from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from .live_session import Encoded, Found


class Status(QObject):
    """``changed`` comes with a sentence, whether something is computed, and how much of it is done (0 to 1, or None).

    Parameters
    ----------
    device : callable
        Returns where the model runs, in a word; empty while none is loaded.
    is_busy : callable
        Returns True while something is computed.
    """

    changed = pyqtSignal(str, bool, object)

    def __init__(self, device: Callable[[], str], is_busy: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._device = device
        self._is_busy = is_busy
        self._news = tr("Ready")

    def tell(self, news: str) -> None:
        """Say something that holds until there are other news."""
        self._news = news
        if not self._is_busy():
            self.rest()

    def rest(self) -> None:
        """Say the last news: nothing is computed any more."""
        self.changed.emit(self._news, False, None)

    def stumble(self, error: Exception) -> None:
        """Say what went wrong in work that nobody has asked for."""
        self.changed.emit(str(error), False, None)

    def work(self, message: str, fraction: float) -> None:
        """Say what is being computed."""
        self.changed.emit(message, True, fraction)

    def tell_found(self, found: Found) -> None:
        """Say what came of the user's prompts."""
        if found.answer.outline is None:
            self.tell(tr("Nothing found here. Try another click, a box, or zoom closer."))
        else:
            self.tell(" ".join([*found.answer.warnings, *found.doubts]) or self._ready())

    def tell_encoded(self, encoded: Encoded) -> None:
        """Say how long a view took, if it was not there already."""
        if encoded.count:
            took = tr("view {:.1f} s").format(encoded.elapsed_s)
            self.tell(f"{self._ready()} ({took})")

    def _ready(self) -> str:
        device = self._device()
        return tr("Ready, {}").format(device) if device else tr("Ready")


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Status", text)
