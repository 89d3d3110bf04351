"""The map tool: what mouse and keys do, as calls of methods that are named for it. It decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qgis.core import QgsPointXY
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool
from qgis.PyQt.QtCore import QEvent, QObject, QPoint, Qt
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import QApplication

from .pointer import Pointer, cursor

if TYPE_CHECKING:
    from .gestures import Gestures

_LEFT, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
_SHIFT, _CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
_PLAIN = Qt.KeyboardModifier.NoModifier
_KEYPAD = Qt.KeyboardModifier.KeypadModifier
_DELETING = (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)
_REPEATING = (Qt.Key.Key_Backspace, Qt.Key.Key_Z, Qt.Key.Key_Y)


class PromptMapTool(QgsMapTool):
    """Translates events of one canvas.

    Parameters
    ----------
    canvas : QgsMapCanvas
        Where the user points.
    gestures : Gestures
        What is done about it.
    """

    def __init__(self, canvas: QgsMapCanvas, gestures: Gestures) -> None:
        super().__init__(canvas)
        self._gestures = gestures
        self._pressed: QPoint | None = None
        self._begun = QgsPointXY()
        self._dragged = False
        self._last: QPoint | None = None
        self._shown: Pointer | None = None

    def activate(self) -> None:
        """Begin to listen."""
        super().activate()
        self.canvas().installEventFilter(self)
        self.canvas().viewport().installEventFilter(self)
        self.canvas().setFocus()
        self._shown = None
        self.show_pointer()

    def deactivate(self) -> None:
        """Stop listening."""
        self.canvas().removeEventFilter(self)
        self.canvas().viewport().removeEventFilter(self)
        self._forget_press()
        self._last = None
        super().deactivate()

    def show_pointer(self, modifiers: Qt.KeyboardModifiers = _PLAIN) -> None:
        """Show by the cursor what the next click will do."""
        wanted = self._gestures.pointer(beside=_has(modifiers, _SHIFT))
        if wanted is not self._shown:
            self._shown = wanted
            self.setCursor(cursor(wanted))

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802 (QGIS asks for this name)
        """Note where a click or a drag begins."""
        if event.button() in (_LEFT, _RIGHT):
            self._gestures.give_way()
        if event.button() == _LEFT:
            self._pressed, self._begun, self._dragged = event.pixelPoint(), event.mapPoint(), False

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802
        """Stretch a box while the button is down, else point."""
        now = self._last = event.pixelPoint()
        if self._pressed is None:
            self._gestures.point_at(event.mapPoint(), beside=_has(event.modifiers(), _SHIFT))
            self.show_pointer(event.modifiers())
        elif self._dragged or _is_drag(self._pressed, now):
            self._dragged = True
            self._gestures.stretch(self._corners(now))

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802
        """Give a prompt: a click, or the box that was dragged."""
        now = self._last = event.pixelPoint()
        beside = _has(event.modifiers(), _SHIFT)
        if event.button() == _RIGHT:
            self._gestures.exclude(event.mapPoint())
        elif event.button() == _LEFT and self._pressed is not None:
            dragged = self._dragged or _is_drag(self._pressed, now)
            self._forget_press()
            if dragged:
                self._gestures.enclose(self._corners(now), beside=beside)
            else:
                self._gestures.include(self._begun, beside=beside)

    def canvasDoubleClickEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802
        """Keep the object."""
        self._forget_press()
        if event.button() == _LEFT:
            self._gestures.keep_by_double_click()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Do what a key stands for; other keys go on to QGIS."""
        self.show_pointer(_after(event))
        act = self._action(event)
        if act is None:
            return
        if not event.isAutoRepeat() or event.key() in _REPEATING:
            act()
        # The canvas reads it the other way round: what comes back accepted it still has to see to, by moving the map
        # with the arrow keys, and by deleting the active layer's selected features with Delete and Backspace.
        event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Show what a click will do without the key."""
        self.show_pointer(_after(event))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt asks for this name)
        """Take our keys before QGIS's shortcuts do, while the canvas has the focus; notice the pointer leaving."""
        if event.type() == QEvent.Type.ShortcutOverride and watched is self.canvas():
            return self._claim(event)
        if event.type() == QEvent.Type.Leave and watched is self.canvas().viewport():
            self._last = None
            self._gestures.point_away()
        return False

    def _claim(self, event: QKeyEvent) -> bool:
        if not (self.isActive() and self.canvas().hasFocus()):
            return False
        if self._action(event) is None:
            if event.key() == Qt.Key.Key_Z and _has(event.modifiers(), _CONTROL):
                self._gestures.leave_undo_to_layer()
            return False
        event.accept()
        return True

    def _action(self, event: QKeyEvent) -> Callable[[], None] | None:
        """Return what a key does now, or None if it isn't ours."""
        key, modifiers, gestures = event.key(), _without_keypad(event.modifiers()), self._gestures
        if modifiers == _PLAIN and key in _DELETING:
            under = None if self._last is None else self.toMapCoordinates(self._last)
            return gestures.remove_last if key == Qt.Key.Key_Backspace else lambda: gestures.remove_at(under)
        redoes = (key == Qt.Key.Key_Z and modifiers == (_CONTROL | _SHIFT)) or (
            key == Qt.Key.Key_Y and modifiers == _CONTROL
        )
        if redoes:
            return gestures.redo if gestures.has_open or gestures.can_redo_here else None
        if not gestures.has_open:
            return None
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return gestures.keep if modifiers == _PLAIN else gestures.keep_all if modifiers == _SHIFT else None
        if key == Qt.Key.Key_Z and modifiers == _CONTROL:
            return gestures.undo
        plain = {Qt.Key.Key_Escape: gestures.drop, Qt.Key.Key_M: gestures.next_candidate}
        return plain.get(key) if modifiers == _PLAIN else None

    def _corners(self, other: QPoint) -> list[QgsPointXY]:
        """Return the four corners of a box on the screen: on a rotated map it does not lie along the axes.

        It begins at a place of the map, not of the screen: the wheel may zoom while the button is down.
        """
        one = self.toCanvasCoordinates(self._begun)
        pixels = (one, QPoint(other.x(), one.y()), other, QPoint(one.x(), other.y()))
        return [self.toMapCoordinates(pixel) for pixel in pixels]

    def _forget_press(self) -> None:
        self._pressed, self._dragged = None, False


def _is_drag(begun: QPoint, now: QPoint) -> bool:
    return bool((now - begun).manhattanLength() >= QApplication.startDragDistance())


def _has(modifiers: Qt.KeyboardModifiers, one: Qt.KeyboardModifier) -> bool:
    return bool(modifiers & one)


def _without_keypad(modifiers: Qt.KeyboardModifiers) -> Qt.KeyboardModifiers:
    return modifiers & ~_KEYPAD


def _after(event: QKeyEvent) -> Qt.KeyboardModifiers:
    """Return the modifiers that hold after a key event: those in it are from before."""
    if event.key() != Qt.Key.Key_Shift:
        return event.modifiers()
    return _SHIFT if event.type() == QEvent.Type.KeyPress else _PLAIN
