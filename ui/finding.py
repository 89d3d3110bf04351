"""The panel's Words, Everything and Similar pages at work: one search at a time for all three."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import QgsProject, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..algorithms import server_settings
from ..algorithms.bridge import to_qgis_crs, to_qgis_geometry
from ..core.models.model import RuntimeSettings
from ..core.models.store import ModelStore
from . import wanted
from .examples import Example, Examples, selected
from .found_page import Desk, FoundPage
from .found_search import FoundSearch
from .loaded_models import LoadedModels
from .segment_panel import SegmentPanel
from .segmenter import Segmenter
from .sought import Search

SIMILAR = "similar"


class Finding(QObject):
    """Joins the three pages with the search, the map and the layers.

    ``copied`` comes with the layer that objects were written to, ``failed`` with an exception, ``noticed`` with a
    sentence that the user should read.

    Parameters
    ----------
    canvas : QgsMapCanvas
        Where is looked, and where examples are drawn.
    panel : SegmentPanel
        Has the pages.
    segmenter : Segmenter
        Knows the image, the object on the map, and the layer of kept objects.
    store : ModelStore, optional
        Knows which models are here.
    models : LoadedModels, optional
        Loads them in the search's thread.
    runtime : callable, optional
        Returns where and how a model runs: on which server, if on one; as the settings say if left out.
    """

    copied = pyqtSignal(object)
    failed = pyqtSignal(object)
    noticed = pyqtSignal(str)

    def __init__(
        self,
        canvas: QgsMapCanvas,
        panel: SegmentPanel,
        segmenter: Segmenter,
        *,
        store: ModelStore | None = None,
        models: LoadedModels | None = None,
        runtime: Callable[[str], RuntimeSettings] = server_settings.runtime,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._canvas, self._panel, self._segmenter = canvas, panel, segmenter
        self.search = FoundSearch(self)
        self.examples = Examples(canvas, self)
        means = wanted.Means(models or LoadedModels(), runtime, store or ModelStore())
        desk = Desk(canvas, panel, segmenter, self.search)
        self.words = FoundPage(desk, panel.words.results, lambda: self._words(means), self)
        self.everything = FoundPage(
            desk, panel.everything.results, lambda: wanted.everything(means, panel.everything, panel.model()), self
        )
        self.similar = FoundPage(desk, panel.similar.results, lambda: self._similar(means), self)
        self._last = self.words
        self._is_closed = False
        self._connect()

    def find_words(self) -> None:
        """Look for what is typed."""
        self._find(self.words)
        if self.words.is_running:
            self._panel.words.remember_words()

    def find_everything(self) -> None:
        """Look for all objects."""
        self._find(self.everything)

    def find_similar(self) -> None:
        """Look for what is like the examples."""
        self._find(self.similar)

    def retry(self) -> None:
        """Do again what failed last."""
        self._find(self._last)

    @property
    def model(self) -> str:
        """The model that the last search used first."""
        return self._panel.words.model.name() if self._last is self.words else self._panel.model()

    def add_object(self, is_wanted: bool) -> None:
        """Use the object on the map as an example; it is dropped there, so that the next click begins another."""
        found = self._segmenter.found()
        results = self._panel.similar.results
        if found is None or found.answer.outline is None:
            results.show_state(tr("There is no object on the map: click one with the tool first."))
            return
        title = self._segmenter.summary().split(" · ")[0]
        shape = to_qgis_geometry(found.answer.outline.geometry)
        self.examples.add([Example(shape, to_qgis_crs(found.crs), is_wanted, tr("object, {}").format(title))])
        results.show_state("")
        self._segmenter.drop()

    def add_selection(self, is_wanted: bool) -> None:
        """Use the selected polygons as examples."""
        found = selected(wanted=is_wanted)
        self.examples.add(found)
        said = "" if found else tr("No polygon is selected: select some in a polygon layer first.")
        self._panel.similar.results.show_state(said)

    def close(self) -> bool:
        """Stop for good and leave nothing on the map; return True if the search's thread has ended."""
        if self._is_closed:
            return True
        self._is_closed = True
        QCoreApplication.instance().aboutToQuit.disconnect(self.close)
        QgsProject.instance().cleared.disconnect(self.examples.clear)
        for page in (self.words, self.everything, self.similar):
            page.close()
        self.examples.close()
        return self.search.close()

    def _find(self, page: FoundPage) -> None:
        if self.search.run is None:
            self._last = page
            page.find()

    def _words(self, means: wanted.Means) -> Search:
        return wanted.words(means, self._panel.words, self._panel.model(), self._segmenter.chosen.layer)

    def _similar(self, means: wanted.Means) -> Search:
        layer = self._segmenter.chosen.layer
        crs = layer.crs() if layer is not None else self._canvas.mapSettings().destinationCrs()
        return wanted.similar(means, self.examples, crs, self._panel.similar.model() or self._panel.model())

    def _connect(self) -> None:
        panel = self._panel
        panel.words.find_requested.connect(self.find_words)
        panel.everything.find_requested.connect(self.find_everything)
        panel.similar.find_requested.connect(self.find_similar)
        panel.similar.object_asked.connect(self.add_object)
        panel.similar.selection_asked.connect(self.add_selection)
        panel.similar.remove_asked.connect(self.examples.remove)
        self.examples.changed.connect(lambda: panel.similar.show_examples(self.examples.items))
        panel.ways.changed.connect(lambda key: self.examples.show(key == SIMILAR))
        self.examples.show(panel.ways.current() == SIMILAR)
        for controls in (panel.words, panel.everything, panel.similar):
            self.search.busy_changed.connect(lambda busy, each=controls: each.set_free(not busy))
        for page in (self.words, self.everything, self.similar):
            page.failed.connect(self.failed)
            page.noticed.connect(self.noticed)
            page.copied.connect(self._show_target)
        QgsProject.instance().cleared.connect(self.examples.clear)
        QCoreApplication.instance().aboutToQuit.connect(self.close)

    def _show_target(self, layer: QgsVectorLayer) -> None:
        self._panel.set_target(layer)
        self.copied.emit(layer)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Finding", text)
