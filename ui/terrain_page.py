"""The terrain section at work: it searches, shows what was found, and hands what is corrected to the map tool."""

from __future__ import annotations

from qgis.core import QgsFeature, QgsProject, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..core.errors import SegmentError
from ..core.models.store import ModelStore
from ..core.terrain.composite import DEFAULT
from . import elevation_choice
from .landform_review import LandformReview
from .landform_search import Findings, LandformSearch, Wanted
from .segment_panel import CLICKS, SegmentPanel
from .segmenter import Segmenter
from .target_layer import KeptObject


class TerrainPage(QObject):
    """Joins the panel's terrain section with the search, the candidates on the map, and the map tool.

    ``accepted`` comes with the layer that landforms were written to, ``failed`` with an exception.

    Parameters
    ----------
    canvas : QgsMapCanvas
        Where candidates are drawn.
    panel : SegmentPanel
        Has the section.
    segmenter : Segmenter
        Corrects.
    store : ModelStore, optional
        Where weights are.
    """

    accepted = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(
        self,
        canvas: QgsMapCanvas,
        panel: SegmentPanel,
        segmenter: Segmenter,
        *,
        store: ModelStore | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel = panel
        self._segmenter = segmenter
        self._controls = panel.terrain
        self.search = LandformSearch(store, self)
        self.review = LandformReview(canvas, self)
        self._is_closed = False
        self._connect()

    def find(self, finder: str) -> None:
        """Look for a kind of landform."""
        layer = self._controls.layer()
        if layer is None:
            self._controls.set_running(False, tr("Choose a DEM first."))
            return
        try:
            wanted = Wanted(finder, self._controls.settings(), self._panel.model())
            self.search.start(layer, wanted)
        except SegmentError as error:
            self._fail(error)
            return
        self.review.clear()
        self._controls.set_running(True, tr("Looking for landforms"))

    def accept(self, numbers: list[int]) -> None:
        """Write candidates into a layer."""
        self._write(numbers)

    def correct(self, number: int) -> None:
        """Write a candidate into a layer, and open it there to be corrected by clicks on the picture of the DEM."""
        findings = self.review.findings
        written = self._write([number])
        if written is None or findings is None:
            return
        layer, feature = written
        self._look_at(findings)
        self._segmenter.activate()
        self._segmenter.correct(layer, feature)
        self.review.expect_correction(layer.id(), feature.id())
        text = tr("It is in '{}'. Correct it with clicks, then keep it.").format(layer.name())
        self._controls.set_running(False, text)
        self._panel.set_status(text)
        self._panel.ways.show_page(CLICKS)

    def close(self) -> bool:
        """Stop for good and leave nothing on the map; return True if the search's thread has ended."""
        if self._is_closed:
            return True
        self._is_closed = True
        project = QgsProject.instance()
        project.layersWillBeRemoved.disconnect(self._lose_layers)
        project.cleared.disconnect(self._lose_project)
        QCoreApplication.instance().aboutToQuit.disconnect(self.close)
        self.review.close()
        return self.search.close()

    def _connect(self) -> None:
        controls, candidates = self._controls, self._controls.candidates
        controls.find_requested.connect(self.find)
        controls.cancel_requested.connect(self.search.cancel)
        candidates.accept_requested.connect(self.accept)
        candidates.correct_requested.connect(self.correct)
        candidates.drop_requested.connect(self.review.drop)
        candidates.selected.connect(self.review.select)
        candidates.shown.connect(self.review.zoom_to)
        self.search.found.connect(self._show)
        self.search.failed.connect(self._fail)
        self.search.stopped.connect(lambda: controls.set_running(False, tr("Stopped.")))
        self.search.working.connect(lambda text, fraction: controls.set_running(True, text, fraction))
        self.review.changed.connect(lambda: candidates.show_candidates(self.review.candidates, self.review.findings))
        self._segmenter.kept.connect(self._note)
        project = QgsProject.instance()
        project.layersWillBeRemoved.connect(self._lose_layers)
        project.cleared.connect(self._lose_project)
        QCoreApplication.instance().aboutToQuit.connect(self.close)

    def _show(self, findings: Findings) -> None:
        self.review.show(findings)
        count = len(findings.result)
        if count:
            said = tr("{} found. Accept, correct or discard them.").format(count)
        else:
            said = tr("Nothing found with a confidence of {:g} or more. Lower it, or change the widths.").format(
                findings.wanted.settings.confidence
            )
        self._controls.set_running(False, " ".join([said, *findings.result.warnings]))

    def _write(self, numbers: list[int]) -> tuple[QgsVectorLayer, QgsFeature] | None:
        """Return the layer and the last feature that was written; None if nothing was."""
        try:
            done = self.review.accept(numbers)
        except SegmentError as error:
            self._fail(error)
            return None
        if done is None:
            return None
        layer, feature_ids = done
        self._controls.set_running(False, tr("{} written to '{}'.").format(len(feature_ids), layer.name()))
        self.accepted.emit(layer)
        return layer, layer.getFeature(feature_ids[-1])

    def _look_at(self, findings: Findings) -> None:
        """Let the map tool look at the picture of the DEM, if that is still there."""
        dem = QgsProject.instance().mapLayer(findings.layer_id)
        if dem is None or sip.isdeleted(dem):
            return
        if elevation_choice.may_be_dem(dem) and elevation_choice.picture_of(dem) is None:
            elevation_choice.remember(dem, DEFAULT, findings.wanted.settings.dem.unit)
        self._panel.set_layer(dem)
        self._panel.show_elevation()

    def _note(self, kept: KeptObject) -> None:
        try:
            self.review.note_kept(kept.layer_id, kept.feature_id)
        except SegmentError as error:
            self.failed.emit(error)

    def _fail(self, error: Exception) -> None:
        self._controls.set_running(False, tr("It did not work: {}").format(error))
        self.failed.emit(error)

    def _lose_layers(self, layer_ids: list[str]) -> None:
        """Stop a search whose DEM is being removed; what was found before can still be accepted."""
        if self.search.layer_id in layer_ids:
            self.search.cancel()
            self._controls.set_running(False, tr("The DEM was removed."))

    def _lose_project(self) -> None:
        """Begin anew: the map is another one."""
        self.search.cancel()
        self.review.clear()
        self._controls.set_running(False)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("TerrainPage", text)
