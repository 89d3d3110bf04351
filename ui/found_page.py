"""One of the panel's searches at work: its objects appear in a layer of their own, are filtered there, and copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from qgis.core import QgsProject
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..algorithms import server_settings
from ..core.errors import Cancelled, SegmentError
from ..core.outlines.results import SegmentationResult, SegmentedPolygon
from .copy_progress import watched
from .found_controls import FoundControls
from .found_layer import FoundLayer
from .found_search import FoundSearch, Run
from .scan_place import scan_settings
from .segment_panel import SegmentPanel
from .segmenter import Segmenter
from .session_source import pixels_of
from .sought import Search


@dataclass(frozen=True)
class Desk:
    """What all pages share."""

    canvas: QgsMapCanvas
    panel: SegmentPanel
    segmenter: Segmenter
    search: FoundSearch


class FoundPage(QObject):
    """Joins a page's widgets with the search.

    ``copied`` comes with the layer that objects were written to, ``failed`` with an exception.

    Parameters
    ----------
    desk : Desk
        The panel, the map tool and the search.
    results : FoundControls
        The page's state, slider and buttons.
    ask : callable
        Returns what is wanted; raises a :class:`SegmentError` if that can't be.
    """

    copied = pyqtSignal(object)
    failed = pyqtSignal(object)
    noticed = pyqtSignal(str)

    def __init__(
        self, desk: Desk, results: FoundControls, ask: Callable[[], Search], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._results = results
        self._ask = ask
        self._sought: Search | None = None
        self._run: Run | None = None
        self._said = ""
        self._fraction: float | None = None
        self.layer: FoundLayer | None = None
        """What was found last; None if there is nothing, or it was removed."""
        self._connect()

    @property
    def is_running(self) -> bool:
        """True while its search runs."""
        return self._run is not None

    def find(self) -> bool:
        """Begin a search and return True; what was found before stays in its own layer."""
        desk = self._desk
        try:
            sought = self._ask()
            run = self._make_run(sought)
        except SegmentError as error:
            self._show_failure(error)
            return False
        try:
            self._open_layer(sought, run.pixels.source.grid.crs)
        except SegmentError as error:
            run.pixels.close()
            self._show_failure(error)
            return False
        self._sought, self._run = sought, run
        self._fraction = None
        self._said = tr("Asking the server") if sought.is_remote else tr("Preparing")
        self._results.show_state(self._said, busy=True)
        for warning in server_settings.warnings_for(run.machine.runtime, *run.wanted.models):
            self.noticed.emit(warning)
        desk.search.start(run)
        return True

    def cancel(self) -> None:
        """Stop at once; what was found until then stays if the user wants that."""
        if self._run is None:
            return
        self._results.show_state(tr("Stopping"), busy=True)
        self._desk.search.cancel(keep=True)

    def copy(self) -> None:
        """Write what is shown into the layer of kept objects, as one step to undo."""
        if self.layer is None:
            return
        keeper = self._desk.segmenter.keeper
        source = self.layer.layer
        if source is None:
            return
        try:
            # a layer is written to by the window's own thread
            with closing(watched(self.layer.found(), self.layer.shown, tr("Copying"), self._results)) as found:
                target, written, count = keeper.keep_all(found, source, self.layer.provenance)
        except SegmentError as error:
            self._show_failure(error)
            return
        except Cancelled:
            self._results.show_state(tr("Stopped: nothing was copied."))
            return
        said = tr("{count} copied to '{layer}'.").format(count=written, layer=target.name())
        if written < count:
            said = " ".join([said, tr("{} left out, because polygons are there already.").format(count - written)])
        self._results.show_state(said)
        self.copied.emit(target)

    def remove(self) -> None:
        """Take the layer of what was found away."""
        found = self._let_go()
        if self._run is not None:
            self._desk.search.cancel(keep=False)
        if found is not None:
            found.remove()
        self._results.hide_result()
        self._results.show_state("")

    def close(self) -> None:
        """Let go of everything; layers stay in the project."""
        project = QgsProject.instance()
        project.layersWillBeRemoved["QStringList"].disconnect(self._lose_layers)
        project.cleared.disconnect(self._lose_own)
        self._let_go()
        self._run = None

    def _make_run(self, sought: Search) -> Run:
        desk = self._desk
        chosen, canvas = desk.segmenter.chosen, desk.canvas.mapSettings()
        pixels = pixels_of(chosen, canvas)
        try:
            choices = desk.panel.scan.choices()
            settings = scan_settings(choices, chosen, pixels.source.grid, canvas, desk.panel.outline())
        except SegmentError:
            pixels.close()
            raise
        settings = replace(settings, overlaps=sought.overlaps or settings.overlaps)
        layer_id = chosen.layer.id() if chosen.layer is not None else ""
        return Run(sought.title, pixels, sought.wanted, settings, sought.machine, sought.is_remote, layer_id)

    def _open_layer(self, sought: Search, crs: str | None) -> None:
        made = FoundLayer(
            sought.name,
            crs,
            measure=sought.measure,
            threshold=self._results.next_threshold(),
            labels=sought.labels,
            each_its_own=sought.each_its_own,
            parent=self,
        )
        self._let_go()
        self._results.take_proposal()
        self.layer = made
        made.counted.connect(self._count)
        made.gone.connect(self._lose_saved)
        self._count()

    def _let_go(self) -> FoundLayer | None:
        """Leave the layer to the user, and return what it was."""
        before, self.layer = self.layer, None
        if before is not None:
            before.counted.disconnect(self._count)
            before.gone.disconnect(self._lose_saved)
            before.let_go()
        return before

    def _connect(self) -> None:
        search, results = self._desk.search, self._results
        search.arrived.connect(self._take_some)
        search.found.connect(self._take)
        search.failed.connect(self._fail)
        search.stopped.connect(self._stop)
        search.working.connect(self._tell)
        results.cancel_requested.connect(self.cancel)
        results.threshold_changed.connect(self._filter)
        results.copy_requested.connect(self.copy)
        results.remove_requested.connect(self.remove)
        project = QgsProject.instance()
        project.layersWillBeRemoved["QStringList"].connect(self._lose_layers)
        project.cleared.connect(self._lose_own)

    def _take_some(self, run: Run, found: Sequence[SegmentedPolygon]) -> None:
        if run is not self._run or self.layer is None:
            return
        try:
            self.layer.add(found)
        except SegmentError as error:
            # it goes on, and tries these again in the end
            self.failed.emit(error)
        self._results.show_state(self._state(self._said), busy=True, fraction=self._fraction)

    def _take(self, run: Run, result: SegmentationResult) -> None:
        if run is not self._run or self.layer is None or self._sought is None:
            return
        self._run = None
        try:
            self.layer.finish(result)
        except SegmentError as error:
            self._show_failure(error)
            return
        finally:
            self._count()
        # of nothing at all the scan itself says what it may come from
        words = [self._outcome(), *result.warnings] if self.layer.total or not result.warnings else [*result.warnings]
        if self._sought.is_remote and run.ending.is_set():
            words.append(_server_goes_on())
        self._results.show_state(" ".join(words))

    def _fail(self, run: Run, error: Exception) -> None:
        if run is self._run:
            self._run = None
            self._show_failure(error, self._leave(run))

    def _stop(self, run: Run) -> None:
        if run is not self._run:
            return
        self._run = None
        words = [tr("Stopped."), self._leave(run)]
        if run.is_remote:
            words.append(_server_goes_on())
        self._results.show_state(" ".join(word for word in words if word))

    def _leave(self, run: Run) -> str:
        """Leave what was found of a search that did not come to its end, or take it away; return which, in words."""
        found = self.layer
        if found is None:
            return ""
        if run.settings.keep_on_cancel and found.total:
            return tr("{} found until then stay.").format(found.total)
        self._let_go()
        found.remove()
        self._results.hide_result()
        return ""

    def _tell(self, run: Run, text: str, fraction: float | None) -> None:
        if run is self._run:
            self._said, self._fraction = text or self._said, fraction
            self._results.show_state(self._state(self._said), busy=True, fraction=fraction)

    def _state(self, text: str) -> str:
        count = self.layer.total if self.layer is not None else 0
        return tr("{text}: {count} found so far").format(text=text, count=count) if count else text

    def _outcome(self) -> str:
        """Return what came of it, in words."""
        total, shown = (self.layer.total, self.layer.shown) if self.layer is not None else (0, 0)
        if total == 0:
            return tr("Nothing found. {}").format(self._sought.suggestion if self._sought is not None else "").strip()
        if shown == 0:
            return tr("{} found, all below the threshold: move the slider to the left to see them.").format(total)
        return tr("{} found.").format(total)

    def _filter(self, threshold: float) -> None:
        if self.layer is None:
            return
        try:
            self.layer.set_threshold(threshold)
        except SegmentError as error:
            self._show_failure(error)

    def _count(self) -> None:
        if self.layer is None or self.layer.layer is None:
            self._results.hide_result()
        else:
            self._results.show_result(self.layer.shown, self.layer.total, may_copy=self._run is None)

    def _show_failure(self, error: Exception, beside: str = "") -> None:
        self._results.show_state(" ".join(word for word in (tr("It did not work: {}").format(error), beside) if word))
        self.failed.emit(error)

    def _lose_layers(self, layer_ids: list[str]) -> None:
        """Stop a search whose image or whose own layer is being removed."""
        if self.layer is not None and self.layer.layer_id in layer_ids:
            self._lose_own()
        elif self._run is not None and self._run.layer_id in layer_ids:
            self._desk.search.cancel(keep=False)
            self._results.show_state(" ".join([tr("The image was removed."), self._results.status.text.text()]))

    def _lose_own(self) -> None:
        """Begin anew: the layer, or all of the map, is gone."""
        self._let_go()
        self._results.hide_result()
        if self._run is not None:
            self._desk.search.cancel(keep=False)
        self._results.show_state("")

    def _lose_saved(self) -> None:
        """Leave a layer that was saved to a file to the user."""
        is_running = self._run is not None
        self._lose_own()
        if is_running:
            self._results.show_state(tr("Stopped: the layer was saved, and is yours."))


def _server_goes_on() -> str:
    return tr("The server may go on with what it has begun.")


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("FoundPage", text)
