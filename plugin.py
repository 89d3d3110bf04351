"""The plugin object that QGIS loads: it registers the Processing provider, and a menu entry where there is a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.core import QgsApplication

from .algorithms.provider import ICON_PATH, PromptSegmenterProvider

if TYPE_CHECKING:
    from qgis.gui import QgisInterface
    from qgis.PyQt.QtWidgets import QAction

TITLE = "Prompt Segmenter"
OPENED_BY_ACTION = "promptsegmenter:segmentprompts"


class PromptSegmenterPlugin:
    """What QGIS starts and stops.

    Parameters
    ----------
    iface : QgisInterface or None
        The running window; None in qgis_process, which calls only :meth:`initProcessing`.
    """

    def __init__(self, iface: QgisInterface | None) -> None:
        self._iface = iface
        self._provider: PromptSegmenterProvider | None = None
        self._action: QAction | None = None

    def initProcessing(self) -> None:  # noqa: N802 (QGIS asks for this name)
        """Register the provider; all that qgis_process needs."""
        if self._provider is not None:
            return
        provider = PromptSegmenterProvider()
        # The registry deletes a provider that it refuses, so a reference is kept only when it took this one.
        if QgsApplication.processingRegistry().addProvider(provider):
            self._provider = provider

    def initGui(self) -> None:  # noqa: N802 (QGIS asks for this name)
        """Register the provider and add the entry in the Raster menu."""
        self.initProcessing()
        if self._iface is None or self._action is not None:
            return
        from qgis.PyQt.QtGui import QIcon
        from qgis.PyQt.QtWidgets import QAction

        self._action = QAction(QIcon(str(ICON_PATH)), "Segment from prompts…", self._iface.mainWindow())
        self._action.triggered.connect(self._open_dialog)
        self._iface.addPluginToRasterMenu(TITLE, self._action)
        self._iface.addRasterToolBarIcon(self._action)

    def unload(self) -> None:
        """Take everything back that was added."""
        if self._action is not None and self._iface is not None:
            self._iface.removePluginRasterMenu(TITLE, self._action)
            self._iface.removeRasterToolBarIcon(self._action)
            self._action.deleteLater()
            self._action = None
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None

    def _open_dialog(self) -> None:
        from qgis import processing

        processing.execAlgorithmDialog(OPENED_BY_ACTION, {})
