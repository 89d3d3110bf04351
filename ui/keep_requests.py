"""Wishes to keep objects: at once where the outline is known, else as soon as it comes."""

from __future__ import annotations

from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..core.errors import SegmentError
from .inquirer import Inquirer
from .keeper import Keeper
from .outlining import Outlining
from .prompt_state import OpenObject


class KeepRequests(QObject):
    """Takes objects from what is open to the target layer.

    ``kept`` comes with what became of an object; ``said`` with a sentence; ``failed`` with an error, after which the
    object is still open.
    """

    kept = pyqtSignal(object)
    said = pyqtSignal(str)
    failed = pyqtSignal(object)

    def __init__(
        self, canvas: QgsMapCanvas, outlining: Outlining, keeper: Keeper, inquirer: Inquirer, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._outlining = outlining
        self._keeper = keeper
        self._wished: dict[int, bool] = {}
        self._writing = False
        outlining.answered.connect(self._fulfil)
        inquirer.missed.connect(lambda item: self._wished.pop(item.number, None))

    def keep(self, item: OpenObject, *, in_passing: bool = False) -> None:
        """Keep an object, now or when its outline comes.

        Parameters
        ----------
        item : OpenObject
            One that is open.
        in_passing : bool
            True if the user has gone on to the next object: what can't be kept is then dropped.
        """
        if item.is_untouched:
            self._close(item)
        elif self._outlining.found(item) is not None:
            self._write(item, in_passing=in_passing)
        elif self._outlining.is_waiting(item) or self._outlining.ask(item):
            self._wished[item.number] = in_passing
            self.said.emit(tr("It will be kept as soon as its outline is there."))
        else:
            self.said.emit(tr("Nothing to keep yet: click on the object itself."))

    def is_wished(self, item: OpenObject) -> bool:
        """Return True if an object will be kept when its outline comes."""
        return item.number in self._wished

    def withdraw(self, item: OpenObject | None) -> None:
        """Don't keep an object when its outline comes: the user has gone back to its prompts."""
        if item is not None:
            self._wished.pop(item.number, None)

    def forget(self) -> None:
        """Keep nothing any more of what is still to come."""
        self._wished.clear()

    def _fulfil(self, item: OpenObject) -> None:
        if item.number in self._wished and not self._writing:
            self._write(item, in_passing=self._wished.pop(item.number))

    def _write(self, item: OpenObject, *, in_passing: bool) -> None:
        found = self._outlining.found(item)
        # the form of one object is open: the user can't mean another one
        if found is None or self._writing:
            return
        if found.answer.outline is None:
            self.said.emit(tr("Nothing was found there, so nothing was kept."))
            if in_passing:
                self._close(item)
            return
        self._writing = True
        try:
            done = self._keeper.keep(item, found, self._canvas.mapSettings().destinationCrs())
        except SegmentError as error:
            self.failed.emit(error)
            return
        finally:
            self._writing = False
        if done.written or in_passing:
            self._close(item)
        if done.written:
            self.kept.emit(done)
        self.said.emit(done.message or tr("Kept."))
        self._fulfil_late()

    def _fulfil_late(self) -> None:
        """Keep what was answered while another object was being written: a form may have been open."""
        for waiting in self._outlining.state.objects:
            if waiting.number in self._wished and self._outlining.found(waiting) is not None:
                self._fulfil(waiting)
                return

    def _close(self, item: OpenObject) -> None:
        self._wished.pop(item.number, None)
        self._outlining.change(lambda history: history.close(item.number))


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("KeepRequests", text)
