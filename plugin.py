"""The plugin object that QGIS loads: it registers the Processing provider, and a menu entry where there is a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication

from .algorithms.provider import ICON_PATH, PromptSegmenterProvider

if TYPE_CHECKING:
    from qgis.gui import QgisInterface
    from qgis.PyQt.QtWidgets import QAction

    from .ui.workplace import Workplace

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
        self._tool_action: QAction | None = None
        self._workplace: Workplace | None = None

    def initProcessing(self) -> None:  # noqa: N802 (QGIS asks for this name)
        """Register the provider; all that qgis_process needs."""
        if self._provider is not None:
            return
        provider = PromptSegmenterProvider()
        # The registry deletes a provider that it refuses, so a reference is kept only when it took this one.
        if QgsApplication.processingRegistry().addProvider(provider):
            self._provider = provider

    def initGui(self) -> None:  # noqa: N802 (QGIS asks for this name)
        """Register the provider, and add the entries in the Raster menu and its toolbar."""
        self.initProcessing()
        if self._iface is None or self._action is not None:
            return
        from qgis.PyQt.QtGui import QIcon
        from qgis.PyQt.QtWidgets import QAction

        # two buttons with one picture could not be told apart
        dialog_icon = QgsApplication.getThemeIcon("/processingAlgorithm.svg")
        self._action = QAction(dialog_icon, tr("Segment from prompts…"), self._iface.mainWindow())
        self._action.triggered.connect(self._open_dialog)
        self._tool_action = QAction(QIcon(str(ICON_PATH)), tr("Segment on the canvas"), self._iface.mainWindow())
        self._tool_action.setObjectName("PromptSegmenterTool")
        self._tool_action.setCheckable(True)
        self._tool_action.triggered.connect(self._use_tool)
        for action in (self._tool_action, self._action):
            self._iface.addPluginToRasterMenu(TITLE, action)
            self._iface.addRasterToolBarIcon(action)

    def unload(self) -> None:
        """Take everything back that was added."""
        if self._workplace is not None:
            self._workplace.close()
            self._workplace = None
        for action in (self._tool_action, self._action):
            if action is not None and self._iface is not None:
                self._iface.removePluginRasterMenu(TITLE, action)
                self._iface.removeRasterToolBarIcon(action)
                action.deleteLater()
        self._tool_action = self._action = None
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None

    def _use_tool(self, wanted: bool) -> None:
        if self._workplace is None and self._iface is not None and self._tool_action is not None:
            # not before it is wanted: QGIS starts no slower for a plugin that isn't used
            from .ui.workplace import Workplace

            self._workplace = Workplace(self._iface, self._tool_action)
        if self._workplace is not None:
            if wanted:
                self._workplace.start()
            else:
                self._workplace.stop()

    def _open_dialog(self) -> None:
        from qgis import processing

        processing.execAlgorithmDialog(OPENED_BY_ACTION, {})


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("PromptSegmenterPlugin", text)
