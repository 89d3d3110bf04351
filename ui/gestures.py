"""What each gesture on the map means. Points are in the map's CRS; prompts are kept in that of their object."""

from __future__ import annotations

from qgis.core import QgsCoordinateReferenceSystem, QgsFeature, QgsGeometry, QgsPointXY, QgsProject, QgsRectangle
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..algorithms.bridge import crs_text
from ..core.errors import SegmentError
from ..core.prompts.box import BoxPrompt
from ..core.prompts.point import PointPrompt
from ..core.prompts.prompt import Prompt, PromptSet
from . import drawings
from .anticipation import Anticipation
from .canvas_view import moved_prompts
from .inquirer import Inquirer
from .keep_requests import KeepRequests
from .keeper import Keeper
from .live_session import Found
from .mode import Mode
from .outlining import Outlining
from .overlay import Overlay
from .pointer import Pointer
from .prompt_state import Choice, OpenObject, Steps


class Gestures(QObject):
    """The methods that the map tool calls.

    ``said`` comes with a sentence for the status line, ``failed`` with an error.
    """

    said = pyqtSignal(str)
    failed = pyqtSignal(object)

    def __init__(
        self,
        canvas: QgsMapCanvas,
        inquirer: Inquirer,
        outlining: Outlining,
        *,
        keeper: Keeper,
        overlay: Overlay,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.mode = Mode.ONE_OBJECT
        """What a click means."""
        self.anticipation = Anticipation(canvas, self)
        self.requests = KeepRequests(canvas, outlining, keeper, inquirer, self)
        self._canvas = canvas
        self._inquirer = inquirer
        self._outlining = outlining
        self._keeper = keeper
        self._overlay = overlay
        self._clicked_onto: int | None = None
        self._asked_at: tuple[QgsPointXY, bool] | None = None
        self.requests.said.connect(self.said)
        self.requests.failed.connect(self.failed)
        self.anticipation.rested.connect(self._glimpse)
        self.anticipation.settled.connect(self._encode_ahead)
        self.anticipation.view_changed.connect(self._leave_view)
        inquirer.glimpsed.connect(self._show_glimpse)
        inquirer.outdated.connect(self.anticipation.again)
        inquirer.encoded.connect(lambda _: self.anticipation.rest_again())

    @property
    def has_open(self) -> bool:
        """True while an object is open."""
        return self._outlining.current is not None

    @property
    def can_redo_here(self) -> bool:
        """True if the last thing that the user took back was a prompt, and not a step of the target layer."""
        return self._outlining.history.can_redo

    def include(self, point: QgsPointXY, *, beside: bool = False) -> None:
        """Point at the object: at the open one, at the next one, or at a polygon that is to be corrected."""
        self._clicked_onto = None
        self._quieten()
        current = self._outlining.current
        begins = self._begins(QgsGeometry.fromPointXY(point), beside=beside)
        if begins and not beside:
            self._leave(current)
            if self._open_at(point):
                return
        elif current is not None and not beside:
            self._clicked_onto = current.number
        self._give(PointPrompt(point.x(), point.y()), begins=begins)

    def exclude(self, point: QgsPointXY) -> None:
        """Point at what is not the object."""
        self._quieten()
        current = self._outlining.current
        begins = current is None or self.requests.is_wished(current)
        self._give(PointPrompt(point.x(), point.y(), include=False), begins=begins)

    def stretch(self, corners: list[QgsPointXY]) -> None:
        """Show the box that is being dragged."""
        self._overlay.show_drag(QgsGeometry.fromPolygonXY([corners]))

    def enclose(self, corners: list[QgsPointXY], *, beside: bool = False) -> None:
        """Draw a box around the object."""
        self._overlay.hide_drag()
        self._quieten()
        box = QgsRectangle(corners[0], corners[0])
        for corner in corners[1:]:
            box.include(corner)
        if box.width() <= 0 or box.height() <= 0:
            self.said.emit(tr("That box is only a line: drag from corner to corner."))
            return
        begins = self._begins(QgsGeometry.fromRect(box), beside=beside)
        if begins and not beside:
            self._leave(self._outlining.current)
        self._give(BoxPrompt(box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()), begins=begins)

    def next_candidate(self) -> None:
        """Take the model's next suggestion."""
        current = self._outlining.current
        found = self._outlining.found(current) if current is not None else None
        if found is None or len(found.answer.candidates) < 2:
            self.said.emit(tr("There is no other suggestion for these prompts."))
            return
        self._outlining.change(lambda history: history.add(Choice.NEXT))

    def undo(self) -> None:
        """Take the last gesture back."""
        self._quieten()
        self.requests.withdraw(self._outlining.current)
        self._outlining.change(lambda history: history.undo())

    def redo(self) -> None:
        """Do again what was taken back."""
        self._quieten()
        self._outlining.change(lambda history: history.redo())

    def leave_undo_to_layer(self) -> None:
        """Forget what could be redone: the user is in the target layer's own history now."""
        self._outlining.history.forget_undone()

    def remove_last(self) -> None:
        """Take the last prompt of the current object away."""
        self._quieten()
        self.requests.withdraw(self._outlining.current)
        self._outlining.change(lambda history: history.remove_last())

    def drop(self) -> None:
        """Drop the current object."""
        self._quieten()
        self._outlining.change(lambda history: history.drop())

    def keep(self) -> None:
        """Keep the current object."""
        self._quieten()
        if self._outlining.current is not None:
            self.requests.keep(self._outlining.current)

    def keep_all(self) -> None:
        """Keep all open objects."""
        self._quieten()
        for item in self._outlining.state.objects:
            self.requests.keep(item)

    def keep_by_double_click(self) -> None:
        """Keep the current object as it was before the first of the two clicks, if that corrected it."""
        current = self._outlining.current
        if current is not None and current.number == self._clicked_onto:
            self._outlining.change(lambda history: history.take_back())
        self._clicked_onto = None
        self.keep()

    def remove_at(self, point: QgsPointXY | None) -> None:
        """Delete the target layer's polygon under the pointer; None if that is not over the map."""
        self._quieten()
        try:
            removed = None if point is None else self._keeper.remove_at(point, self._crs())
        except SegmentError as error:
            self.failed.emit(error)
            return
        for item in self._outlining.state.objects:
            if removed is not None and item.edited == removed:
                self._outlining.history.close(item.number)
        self._outlining.follow()
        text = tr("Removed; the layer's undo brings it back.") if removed else tr("No polygon is under the pointer.")
        self.said.emit(text)

    def give_way(self) -> None:
        """Stop what is done ahead, because a gesture has begun."""
        self._quieten()
        self._inquirer.worker.give_way()
        self.anticipation.again()

    def point_at(self, point: QgsPointXY, *, beside: bool = False) -> None:
        """Note where the pointer is; what a click there would give is shown once it rests."""
        if self.anticipation.point(point, beside=beside):
            self._overlay.hide_tentative()

    def point_away(self) -> None:
        """Note that the pointer has left the map."""
        self.anticipation.leave()
        self._overlay.hide_tentative()

    def pointer(self, *, beside: bool) -> Pointer:
        """Return what the next click will do."""
        if beside and self.has_open:
            return Pointer.BESIDE
        return Pointer.EACH if self.mode is Mode.EACH_CLICK else Pointer.OBJECT

    def _leave_view(self) -> None:
        """Stop what is done for a view that is not there any more."""
        self._overlay.hide_tentative()
        self._inquirer.worker.give_way()

    def _quieten(self) -> None:
        self.anticipation.hold()
        self._overlay.hide_tentative()

    def _glimpse(self) -> None:
        """Ask what a click at the pointer would give."""
        point, beside = self.anticipation.pointer, self.anticipation.beside
        if point is None:
            return
        self._asked_at = (point, beside)
        current = self._outlining.current
        begins = self._begins(QgsGeometry.fromPointXY(point), beside=beside)
        if begins and not beside and (feature := self._polygon_at(point)) is not None:
            self._show_polygon(feature)
            return
        prompt = PointPrompt(point.x(), point.y())
        steps: Steps = (prompt,)
        crs = crs_text(self._crs())
        if not begins and current is not None:
            try:
                steps, crs = (*current.steps, self._in_crs_of(prompt, current)), current.crs
            except SegmentError:
                return
        self._inquirer.glimpse(steps, crs, self._outlining.outline)

    def _show_glimpse(self, found: Found | None) -> None:
        if self._asked_at is None or self._asked_at != (self.anticipation.pointer, self.anticipation.beside):
            return
        outline = drawings.outline_of(found, self._crs())
        if outline is not None:
            self._overlay.show_tentative(outline)

    def _show_polygon(self, feature: QgsFeature) -> None:
        outline = drawings.feature_outline(feature, self._keeper.layer, self._crs())
        if outline is not None:
            self._overlay.show_tentative(outline)

    def _encode_ahead(self) -> None:
        self._inquirer.encode_ahead(self.anticipation.pointer)

    def _give(self, prompt: Prompt, *, begins: bool) -> None:
        current = self._outlining.current
        if begins or current is None:
            crs = crs_text(self._crs())
            self._outlining.change(lambda history: history.begin(prompt, crs))
        else:
            try:
                moved = self._in_crs_of(prompt, current)
            except SegmentError as error:
                self.failed.emit(error)
                return
            self._outlining.change(lambda history: history.add(moved))
        after = self._outlining.current
        if after is not None and not any(given.locates for given in after.prompts):
            self.said.emit(tr("Now click on the object itself."))

    def _begins(self, place: QgsGeometry, *, beside: bool) -> bool:
        """Return True if pointing at a place begins another object."""
        current = self._outlining.current
        return beside or current is None or self.requests.is_wished(current) or self._passes_on(place)

    def _leave(self, item: OpenObject | None) -> None:
        """Keep an object in passing, unless it will be kept already."""
        if item is not None and not self.requests.is_wished(item):
            self.requests.keep(item, in_passing=True)

    def _passes_on(self, place: QgsGeometry) -> bool:
        """Return True if, with each click an object, pointing there leaves the current one for the next."""
        current = self._outlining.current
        if self.mode is not Mode.EACH_CLICK or current is None or not any(given.locates for given in current.prompts):
            return False
        outline = drawings.outline_of(self._outlining.last_found(current), self._crs())
        return outline is None or not outline.intersects(place)

    def _open_at(self, point: QgsPointXY) -> bool:
        """Open the target layer's polygon under a point; return False if there is none."""
        feature = self._polygon_at(point)
        if feature is None:
            return False
        shape, edited, crs = self._keeper.opened(feature)
        self._outlining.change(lambda history: history.begin(shape, crs, edited=edited))
        self.said.emit(tr("Correct the polygon with clicks, then keep it."))
        return True

    def _polygon_at(self, point: QgsPointXY) -> QgsFeature | None:
        try:
            return self._keeper.at(point, self._crs())
        except SegmentError:
            # where the layer's CRS has no place, it has no polygon
            return None

    def _in_crs_of(self, prompt: Prompt, item: OpenObject) -> Prompt:
        given = PromptSet((prompt,), crs_text(self._crs()))
        return moved_prompts(given, item.crs, QgsProject.instance()).prompts[0]

    def _crs(self) -> QgsCoordinateReferenceSystem:
        return self._canvas.mapSettings().destinationCrs()


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Gestures", text)
