"""What all algorithms share: dependency check, and the one translation of the core's errors for Processing."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterDefinition,
)
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from ..core import native
from ..core.errors import Cancelled, SegmentError, StoppedWaiting
from .provider import ICON_PATH

NEEDED = ("numpy", "onnxruntime", "shapely", "pyproj")
"""Packages that every algorithm needs; they are looked for, never imported, when the plugin loads. rasterio is not
among them: in QGIS pixels come from the layer's own provider."""
HOMEPAGE = "https://github.com/prompt-segmenter/prompt-segmenter"
Parameters = dict[str, Any]
P = TypeVar("P", bound=QgsProcessingParameterDefinition)


class SegmenterAlgorithm(QgsProcessingAlgorithm):
    """Base of the algorithms.

    Subclasses write ``check``, ``prepare`` and ``process`` in terms of the core: a :class:`SegmentError` that they
    raise reaches the user as one sentence, and :class:`Cancelled` ends the run without a result.
    """

    def check(self, parameters: Parameters, context: QgsProcessingContext) -> None:
        """Raise a :class:`SegmentError` for values that can't work. Runs before anything is read."""

    def prepare(self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Take everything that is needed from layers and project, as plain values. Runs on the context's thread."""

    def process(
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Parameters:
        """Do the work and return the outputs. May run on another thread."""
        raise NotImplementedError

    def createInstance(self) -> SegmenterAlgorithm:  # noqa: N802 (QGIS asks for this name)
        """Return a new one, as Processing does for every run."""
        return type(self)()

    def icon(self) -> QIcon:
        """Return the plugin's icon."""
        return QIcon(str(ICON_PATH))

    def svgIconPath(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return where the icon lies."""
        return str(ICON_PATH)

    def helpUrl(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return where there is more to read."""
        return HOMEPAGE

    def tr(self, text: str) -> str:
        """Return a text in the user's language."""
        return QCoreApplication.translate(type(self).__name__, text)

    def canExecute(self) -> tuple[bool, str]:  # noqa: N802 (QGIS asks for this name)
        """Return whether the needed packages are there, and which command brings those that are not."""
        missing = missing_packages()
        return not missing, how_to_install(missing) if missing else ""

    def checkParameterValues(  # noqa: N802 (QGIS asks for this name)
        self, parameters: Parameters, context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Return whether the values can work, and the sentence that says why not."""
        # qgis_process and scripts never ask canExecute
        missing = missing_packages()
        if missing:
            return False, how_to_install(missing)
        try:
            self.check(parameters, context)
        except SegmentError as error:
            return False, str(error)
        return super().checkParameterValues(parameters, context)

    def prepareAlgorithm(  # noqa: N802 (QGIS asks for this name)
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Prepare, with errors translated."""
        with translated():
            self.prepare(parameters, context, feedback)
        return True

    def processAlgorithm(  # noqa: N802 (QGIS asks for this name)
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Parameters:
        """Process, with errors translated; a cancelled run has no outputs."""
        try:
            with translated():
                return self.process(parameters, context, feedback)
        except Cancelled as stopped:
            feedback.pushInfo(self.tr("Cancelled; nothing was written."))
            if isinstance(stopped, StoppedWaiting):
                feedback.pushInfo(str(stopped))
            return {}

    def add(self, parameter: P, *, help_text: str, advanced: bool = False) -> P:
        """Add a parameter with its help, among the advanced ones if so said."""
        parameter.setHelp(help_text)
        if advanced:
            parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        if not self.addParameter(parameter):
            raise ValueError(f"QGIS refuses the parameter {parameter.name()}.")
        return parameter


@contextmanager
def translated() -> Iterator[None]:
    """Raise the core's errors as Processing's, with the same words."""
    try:
        yield
    except SegmentError as error:
        raise QgsProcessingException(str(error)) from error


def missing_packages(find: Callable[[str], Any] = importlib.util.find_spec) -> list[str]:
    """Return which of the needed packages can't be found."""
    return [package for package in NEEDED if find(package) is None]


def how_to_install(missing: list[str]) -> str:
    """Return the sentence for packages that are missing, with the command that brings them."""
    many = len(missing) > 1
    return (
        f"The Python package{'s' if many else ''} {' '.join(missing)} {'are' if many else 'is'} not installed. "
        f"Install {'them' if many else 'it'} with: {native.how_to_install(missing)} (with the Python that QGIS uses), "
        "and start QGIS again."
    )
