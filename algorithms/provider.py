"""The Processing provider: it offers every algorithm that it finds in this folder."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingAlgorithm, QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from ..core.registry import Registry
from . import own_packages

ICON_PATH = Path(__file__).resolve().parents[1] / "resources" / "icons" / "prompt_segmenter.svg"


class PromptSegmenterProvider(QgsProcessingProvider):
    """Offers the algorithms. A new one is a new file with NAME and ENTRY, its class."""

    def id(self) -> str:
        """Return the constant id that models and scripts use."""
        return "promptsegmenter"

    def name(self) -> str:
        """Return what people read."""
        return "Prompt Segmenter"

    def icon(self) -> QIcon:
        """Return the plugin's icon."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return where the icon lies."""
        return str(ICON_PATH)

    def loadAlgorithms(self) -> None:  # noqa: N802 (QGIS asks for this name)
        """Add one of each algorithm in this folder."""
        own_packages.make_importable()
        algorithms: Registry[type[QgsProcessingAlgorithm]] = Registry(__package__, "algorithm")
        for name in algorithms.names():
            self.addAlgorithm(algorithms.get(name)())
