"""What is done before anybody clicks: encode the view once it has settled, and show what a click would give."""

from __future__ import annotations

from qgis.core import QgsPointXY
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from .preferences import Preferences

REST_MS, SETTLE_MS = 120, 300
_LEAST_MS, _MOST_MS = 0, 5000


class Anticipation(QObject):
    """Two timers on one canvas: ``rested`` when the pointer has come to rest, ``settled`` when the view has.

    Both are silent until :meth:`begin`. How long a rest is can be set (``hover_ms`` in the plugin's settings).
    """

    rested = pyqtSignal()
    settled = pyqtSignal()
    view_changed = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.hover = True
        """Whether outlines are shown ahead."""
        self.pointer: QgsPointXY | None = None
        """Where the pointer is, in the map's CRS; None if it isn't over the canvas."""
        self.beside = False
        """Whether a click there would begin another object."""
        self._is_on = False
        self._is_held = False
        self._rest, self._settle = QTimer(self), QTimer(self)
        for timer, signal in ((self._rest, self.rested), (self._settle, self.settled)):
            timer.setSingleShot(True)
            timer.timeout.connect(signal)
        for signal in (canvas.extentsChanged, canvas.rotationChanged, canvas.destinationCrsChanged):
            signal.connect(self._change)

    def begin(self) -> None:
        """Be ready for the first click."""
        self._is_on = True
        self._rest.setInterval(round(min(max(Preferences().number("hover_ms", REST_MS), _LEAST_MS), _MOST_MS)))
        self._settle.start(0)

    def end(self) -> None:
        """Do nothing more, until begun again."""
        self._is_on = False
        self.pointer = None
        self._rest.stop()
        self._settle.stop()

    def point(self, pointer: QgsPointXY, *, beside: bool) -> bool:
        """Note where the pointer is; return True if it is another place than before."""
        moved = pointer != self.pointer or beside != self.beside
        self._is_held &= not moved
        self.pointer, self.beside = pointer, beside
        if moved and self.hover and self._is_on:
            self._rest.start()
        return moved

    def leave(self) -> None:
        """Note that the pointer is not over the canvas."""
        self.pointer = None
        self._rest.stop()

    def hold(self) -> None:
        """Show nothing ahead until the pointer moves again: it still is where the user has just clicked."""
        self._is_held = True
        self._rest.stop()

    def again(self) -> None:
        """Look again soon whether the view is ready, because something had to give way."""
        if self._is_on:
            self._settle.start(SETTLE_MS)

    def rest_again(self) -> None:
        """Show what a click would give at the present place, because it can be known now."""
        if self._is_on and self.hover and self.pointer is not None and not self._is_held:
            self._rest.start()

    def _change(self) -> None:
        if self._is_on:
            self._rest.stop()
            self._settle.start(SETTLE_MS)
            self.view_changed.emit()
