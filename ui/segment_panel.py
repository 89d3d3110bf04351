"""The dock beside the map: what to look at, with which model, what was found, and where it goes.

Only widgets and what they remember: it knows neither the map tool nor the core's sessions, and says by signals what the
user wants.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import QgsApplication, QgsRasterLayer, QgsVectorLayer
from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import QCoreApplication, QEvent, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from ..algorithms.base import missing_packages
from ..core.models.store import ModelStore
from ..core.outlines.shape import OutlineSettings
from .everything_controls import EverythingControls
from .first_run import FirstRunPage
from .keep_controls import KeepControls
from .key_help import KeyHelp
from .mode import Mode
from .mode_controls import ModeControls
from .model_controls import ModelControls
from .object_controls import ObjectControls
from .outline_controls import OutlineControls
from .page_chooser import PageChooser
from .panel_parts import heading, line, scrolled, section
from .scan_controls import ScanControls
from .server_controls import ServerControls
from .similar_controls import SimilarControls
from .source_controls import SourceControls
from .status_line import StatusLine
from .store_controls import StoreControls
from .target_layer import KeepSettings
from .terrain_controls import TerrainControls
from .words_controls import WordsControls

OBJECT_NAME = "PromptSegmenterPanel"
"""QGIS remembers the dock's place under this name."""
CLICKS = "clicks"
"""The page of the map tool."""
SEARCHES = ("words", "everything", "similar")
"""The pages that look at a whole place at once."""


class SegmentPanel(QgsDockWidget):
    """The panel.

    Parameters
    ----------
    parent : QWidget, optional
        The main window.
    store : ModelStore, optional
        Where it looks which models are here.
    """

    layer_chosen = pyqtSignal(object)
    style_toggled = pyqtSignal(bool)
    elevation_chosen = pyqtSignal(object)
    model_chosen = pyqtSignal(str)
    download_requested = pyqtSignal(str)
    mode_chosen = pyqtSignal(object)
    outline_changed = pyqtSignal(object)
    target_chosen = pyqtSignal(object)
    label_changed = pyqtSignal(str)
    keep_settings_changed = pyqtSignal(object)
    hover_toggled = pyqtSignal(bool)
    store_changed = pyqtSignal()
    start_requested = pyqtSignal()
    stop_requested = pyqtSignal()
    keep_requested = pyqtSignal()
    drop_requested = pyqtSignal()
    undo_requested = pyqtSignal()
    redo_requested = pyqtSignal()
    cancel_requested = pyqtSignal()
    copy_command_requested = pyqtSignal()
    copy_python_requested = pyqtSignal()
    packages_installed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None, *, store: ModelStore | None = None) -> None:
        super().__init__(tr("Prompt Segmenter"), parent)
        self.setObjectName(OBJECT_NAME)
        self.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self._start = QPushButton(QgsApplication.getThemeIcon("/mActionCapturePolygon.svg"), "")
        self._start.setCheckable(True)
        self._start.clicked.connect(self._toggle)
        self._status = StatusLine()
        self._source = SourceControls()
        self._model = ModelControls(store=store)
        self._mode = ModeControls()
        self._object = ObjectControls()
        self._keep = KeepControls()
        self._outline = OutlineControls()
        self._store = StoreControls()
        self.words = WordsControls(store=store)
        self.everything = EverythingControls(self._model, store=store)
        self.similar = SimilarControls(store=store)
        self.scan = ScanControls()
        self.terrain = TerrainControls()
        self.servers = ServerControls()
        self.ways = PageChooser()
        self._first_run = FirstRunPage()
        self._pages = QStackedWidget()
        self._pages.addWidget(self._controls())
        self._pages.addWidget(scrolled(self._first_run))
        self.setWidget(self._pages)
        self._connect()
        self.set_active(False)
        self.set_status(tr("Press the button above, then click an object on the map."))
        self.show_missing(missing_packages())

    # What the user has chosen.

    def layer(self) -> QgsRasterLayer | None:
        """Return the raster layer to look at, or None for what the canvas shows."""
        return self._source.layer()

    def is_styled(self) -> bool:
        """Return True if the layer's style is to be looked at in place of its values."""
        return bool(self._source.style_box.isChecked())

    def model(self) -> str:
        """Return the name of a model that is on this machine."""
        return self._model.name()

    def mode(self) -> Mode:
        """Return what a click means."""
        return self._mode.mode()

    def outline(self) -> OutlineSettings:
        """Return how outlines should look."""
        return self._outline.settings()

    def target(self) -> QgsVectorLayer | None:
        """Return the layer that objects are kept in, or None for a new memory layer."""
        return self._keep.target()

    def label(self) -> str:
        """Return the class label; may be empty."""
        return self._keep.label()

    def keep_settings(self) -> KeepSettings:
        """Return how objects are kept."""
        return self._keep.settings()

    def has_hover(self) -> bool:
        """Return True if outlines are shown before a click."""
        return bool(self._mode.hover.isChecked())

    # What the panel is told.

    def set_status(self, text: str, busy: bool = False, fraction: float | None = None) -> None:
        """Say what is happening; see :meth:`StatusLine.show_status`."""
        self._status.show_status(text, busy, fraction)

    def set_object(self, summary: str, can_keep: bool, can_undo: bool, can_redo: bool) -> None:
        """Show the current object; an empty summary means that there is none."""
        self._object.show_object(summary, can_keep=can_keep, can_undo=can_undo, can_redo=can_redo)

    def set_active(self, active: bool) -> None:
        """Show whether the map tool is the one in use."""
        self._start.setChecked(active)
        text = tr("Stop segmenting") if active else tr("Segment on the map")
        self._start.setText(text)
        self._start.setAccessibleName(text)

    def set_layer(self, layer: QgsRasterLayer | None) -> None:
        """Choose the layer to look at; ``layer_chosen`` says so if it is another one."""
        self._source.set_layer(layer)

    def show_elevation(self) -> None:
        """Show what is remembered of the layer's heights; ``elevation_chosen`` says so."""
        self._source.show_elevation()

    def set_target(self, layer: QgsVectorLayer | None) -> None:
        """Show the layer that objects are kept in; says nothing."""
        self._keep.set_target(layer)

    def choose_model(self, name: str) -> None:
        """Choose a model in each list that has it, as if the user had."""
        self._model.choose(name)
        self.words.model.choose(name)

    def refresh_models(self) -> None:
        """Look again which models are on this machine."""
        self._model.refresh()
        self.words.model.refresh()

    def remember_label(self) -> None:
        """Put the present label at the head of the recent ones."""
        self._keep.remember_label()

    def show_missing(self, packages: Sequence[str]) -> None:
        """Show how to get packages that are missing, in place of everything else; an empty list brings that back."""
        if packages:
            self._first_run.show_missing(list(packages))
        self._pages.setCurrentIndex(1 if packages else 0)

    def _controls(self) -> QWidget:
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.addWidget(self._start)
        layout.addWidget(self._status)
        layout.addWidget(line())
        for title, widget in ((tr("Image"), self._source), (tr("Model"), self._model)):
            layout.addWidget(heading(title))
            layout.addWidget(widget)
        self._add_ways()
        layout.addWidget(self.ways)
        places = section("scan", tr("Where to look"), self.scan, is_open=False)
        kept = section("kept", tr("Kept objects"), self._keep, is_open=True)
        store = section("store", tr("Encoded views"), self._store, is_open=False)
        keys = section("help", tr("Mouse and keys"), KeyHelp(), is_open=True)
        outline = section("outline", tr("Outline"), self._outline, is_open=False)
        for part in (places, kept, outline, store, keys):
            layout.addWidget(part)
        layout.addStretch(1)
        self.ways.show_with(places, *SEARCHES)
        for part in (kept, outline):
            self.ways.show_with(part, CLICKS, *SEARCHES, "terrain")
        self.ways.show_with(store, CLICKS)
        self.ways.show_with(keys, CLICKS)
        return scrolled(inside)

    def _add_ways(self) -> None:
        """Fill in the pages, each a way of finding objects."""
        clicks = QWidget()
        layout = QVBoxLayout(clicks)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._object)
        layout.addWidget(self._mode)
        for key, title, page, tip in (
            (CLICKS, tr("Clicks"), clicks, tr("Click objects on the map, one after the other.")),
            ("words", tr("Words"), self.words, tr("Find everything that a word says.")),
            ("everything", tr("Everything"), self.everything, tr("Outline all objects.")),
            ("similar", tr("Similar"), self.similar, tr("Find the others like examples.")),
            ("terrain", tr("Terrain"), self.terrain, tr("Find landforms in a DEM.")),
            ("servers", tr("Servers"), self.servers, tr("Let models of a server do the work.")),
        ):
            self.ways.add(key, title, page, tip)

    def _connect(self) -> None:
        self._source.chosen.connect(self.layer_chosen)
        self._source.style_toggled.connect(self.style_toggled)
        self._source.elevation_chosen.connect(self.elevation_chosen)
        self._model.chosen.connect(self.model_chosen)
        for models in (self._model, self.words.model):
            models.download_asked.connect(self.download_requested)
        self._mode.chosen.connect(self.mode_chosen)
        self._mode.hover_toggled.connect(self.hover_toggled)
        self._outline.changed.connect(self.outline_changed)
        self._keep.target_chosen.connect(self.target_chosen)
        self._keep.label_changed.connect(self.label_changed)
        self._keep.changed.connect(self.keep_settings_changed)
        self._store.changed.connect(self.store_changed)
        self._status.cancel_requested.connect(self.cancel_requested)
        self._first_run.installed.connect(self._go_on)
        for name in ("keep", "drop", "undo", "redo", "copy_command", "copy_python"):
            getattr(self._object, f"{name}_requested").connect(getattr(self, f"{name}_requested"))

    def _go_on(self) -> None:
        self.show_missing([])
        self.packages_installed.emit()

    def _toggle(self, wanted: bool) -> None:
        # the tool says by set_active what has become of it
        self._start.setChecked(not wanted)
        (self.start_requested if wanted else self.stop_requested).emit()

    def showEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt asks for this name)
        """Look at what may have changed while the panel was away."""
        self._store.refresh()
        super().showEvent(event)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("SegmentPanel", text)
