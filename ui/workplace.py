"""Panel and map tool in the main window: joined here, opened by the plugin's action, and taken away again."""

from __future__ import annotations

from qgis.core import QgsRasterLayer
from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import QCoreApplication, QObject, Qt
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import QAction

from ..algorithms.base import missing_packages
from ..core.errors import SegmentError
from ..core.models.store import ModelStore
from . import attribute_form, copy_command, licence, messages
from .finding import Finding
from .messages import Action
from .model_download import ModelDownloads
from .segment_panel import SegmentPanel
from .segmenter import Segmenter
from .servers_page import ServersPage
from .terrain_page import TerrainPage


class Workplace(QObject):
    """What the map tool's action opens.

    Parameters
    ----------
    iface : QgisInterface
        The running window.
    action : QAction
        Shows, as a button, whether the tool is in use.
    """

    def __init__(self, iface: QgisInterface, action: QAction) -> None:
        super().__init__(iface.mainWindow())
        self._iface = iface
        self._action = action
        self.panel = SegmentPanel(iface.mainWindow())
        self.segmenter = Segmenter(
            iface.mapCanvas(),
            ask_form=lambda layer, feature: attribute_form.ask(layer, feature, iface.mainWindow()),
            parent=self,
        )
        self._downloads = ModelDownloads(self)
        self.segmenter.tool.setAction(action)
        connect_panel(self.segmenter, self.panel)
        self.terrain = TerrainPage(iface.mapCanvas(), self.panel, self.segmenter, parent=self)
        self.finding = Finding(iface.mapCanvas(), self.panel, self.segmenter, parent=self)
        self.servers = ServersPage(self.panel.servers, parent=self)
        self._connect()
        iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.panel)

    def start(self) -> None:
        """Show the panel, and take up the tool if nothing is missing that it needs."""
        self.panel.show()
        missing = missing_packages()
        self.panel.show_missing(missing)
        if missing:
            self._action.setChecked(False)
            return
        self._choose_first_layer()
        self.segmenter.activate()

    def stop(self) -> None:
        """Lay the tool down; the panel stays."""
        self.segmenter.deactivate()

    def close(self) -> None:
        """Take everything away; returns after a moment at most, whatever is being computed."""
        self._downloads.cancel()
        self.terrain.close()
        self.finding.close()
        self.servers.close()
        self.segmenter.close()
        self._iface.removeDockWidget(self.panel)
        self.panel.deleteLater()
        self.segmenter.tool.deleteLater()
        self.deleteLater()

    def _connect(self) -> None:
        panel, segmenter, iface = self.panel, self.segmenter, self._iface
        panel.start_requested.connect(self.start)
        panel.stop_requested.connect(self.stop)
        panel.packages_installed.connect(lambda: panel.show_missing(missing_packages()))
        panel.download_requested.connect(self._fetch)
        panel.copy_command_requested.connect(lambda: self._copy(copy_command.qgis_process_command))
        panel.copy_python_requested.connect(lambda: self._copy(copy_command.python_code))
        segmenter.failed.connect(self._show_error)
        # QGIS's own undo, which is what Ctrl+Z is while no object is open, is that of the active layer
        segmenter.kept.connect(lambda _: iface.setActiveLayer(segmenter.keeper.layer))
        self.terrain.failed.connect(self._show_error)
        self.servers.failed.connect(self._show_error)
        self.terrain.accepted.connect(iface.setActiveLayer)
        self.finding.failed.connect(lambda error: self._show_error(error, self.finding))
        self.finding.copied.connect(iface.setActiveLayer)
        self.finding.noticed.connect(lambda text: messages.show(iface.messageBar(), text))
        self._downloads.arrived.connect(self._use_model)
        self._downloads.failed.connect(lambda name, error: self._show_error(error))
        self._downloads.progressed.connect(
            lambda name, part: panel.set_status(tr("Downloading {}").format(name), True, part)
        )

    def _choose_first_layer(self) -> None:
        """Look at the active layer, if it is a raster and nothing was chosen."""
        layer = self._iface.activeLayer()
        if self.panel.layer() is None and isinstance(layer, QgsRasterLayer):
            self.panel.set_layer(layer)

    def _use_model(self, name: str) -> None:
        self.panel.refresh_models()
        self.panel.choose_model(name)
        if "point" in ModelStore().get(name).accepts:
            self.segmenter.choose_model(name)

    def _copy(self, as_text: object) -> None:
        found = self.segmenter.found()
        if found is None or found.answer.outline is None or found.source is None:
            return
        try:
            text = as_text(found.answer.outline, found.crs, found.provenance, found.source)  # type: ignore[operator]
        except SegmentError as error:
            self._show_error(error)
            return
        QGuiApplication.clipboard().setText(text)
        self.panel.set_status(tr("Copied."))

    def _show_error(self, error: Exception, whose: Segmenter | Finding | None = None) -> None:
        owner = whose or self.segmenter
        messages.show(self._iface.messageBar(), error, on_action=lambda action: self._act(action, owner))

    def _fetch(self, name: str) -> None:
        """Download a model, or what is left of getting it: its licence may have to be accepted first."""
        store = ModelStore()
        # what is here already is only verified
        if licence.ask(store, store.get(name), self._iface.mainWindow()):
            self._downloads.start(name)

    def _act(self, action: Action, owner: Segmenter | Finding) -> None:
        """Do what a message's button offers, for whom it went wrong."""
        if action is Action.DOWNLOAD:
            self._fetch(owner.model)
        elif action is Action.RETRY:
            owner.retry()
        elif action is Action.COARSER:
            self._iface.mapCanvas().zoomOut()
            owner.retry()
        elif action is Action.OPEN_SETTINGS and self.panel.layer() is not None:
            self._iface.showLayerProperties(self.panel.layer())
        elif action is Action.SHOW_INSTALL:
            self.panel.show()
            self.panel.show_missing(missing_packages())


def connect_panel(segmenter: Segmenter, panel: SegmentPanel) -> None:
    """Let a panel tell the map tool what the user wants, and show what comes of it."""
    for signal, method in (
        (panel.layer_chosen, segmenter.choose_layer),
        (panel.style_toggled, segmenter.choose_style),
        (panel.elevation_chosen, segmenter.choose_elevation),
        (panel.model_chosen, segmenter.choose_model),
        (panel.mode_chosen, segmenter.choose_mode),
        (panel.outline_changed, segmenter.set_outline),
        (panel.target_chosen, segmenter.choose_target),
        (panel.label_changed, segmenter.set_label),
        (panel.keep_settings_changed, segmenter.set_keep_settings),
        (panel.hover_toggled, segmenter.set_hover),
        (panel.store_changed, segmenter.refresh_store),
        (panel.keep_requested, segmenter.keep),
        (panel.drop_requested, segmenter.drop),
        (panel.undo_requested, segmenter.undo),
        (panel.redo_requested, segmenter.redo),
        (panel.cancel_requested, segmenter.cancel),
    ):
        signal.connect(method)
    history = segmenter.outlining.history
    segmenter.status_changed.connect(panel.set_status)
    segmenter.active_changed.connect(panel.set_active)
    segmenter.target_made.connect(panel.set_target)
    segmenter.kept.connect(lambda _: panel.remember_label())
    segmenter.object_changed.connect(
        lambda: panel.set_object(segmenter.summary(), segmenter.can_keep, history.can_undo, history.can_redo)
    )
    segmenter.choose_layer(panel.layer())
    segmenter.choose_style(panel.is_styled())
    if panel.model():
        segmenter.choose_model(panel.model())
    segmenter.choose_mode(panel.mode())
    segmenter.set_outline(panel.outline())
    segmenter.choose_target(panel.target())
    segmenter.set_keep_settings(panel.keep_settings())
    segmenter.set_hover(panel.has_hover())


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Workplace", text)
