"""Run the algorithm as Processing does, and keep what it says."""

from __future__ import annotations

from dataclasses import dataclass, field

from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingUtils, QgsVectorLayer

ALGORITHM = "promptsegmenter:segmentprompts"


@dataclass
class Outcome:
    """What a run gave."""

    refused: str = ""
    """The sentence with which the values were refused before the run."""
    error: str = ""
    """The sentence with which the run failed."""
    results: dict = field(default_factory=dict)
    warnings: list = field(default_factory=list)
    log: str = ""
    layer: QgsVectorLayer = None

    @property
    def features(self):
        return list(self.layer.getFeatures())


class Recorder(QgsProcessingFeedback):
    """Keeps warnings and errors apart; cancels itself when it reads a given word."""

    def __init__(self, cancel_at=None):
        super().__init__(False)
        self.warnings, self.errors, self.infos = [], [], []
        self.cancel_at = cancel_at

    def pushWarning(self, text):
        self.warnings.append(text)

    def reportError(self, text, fatalError=False):  # noqa: N803 (the name that QGIS passes)
        self.errors.append(text)

    def pushInfo(self, text):
        self.infos.append(text)
        if self.cancel_at and self.cancel_at in text:
            self.cancel()


def run(feedback=None, algorithm=ALGORITHM, **parameters):
    """Return the outcome of a run with these parameters; OUTPUT is a memory layer unless it is given."""
    parameters = {"OUTPUT": "memory:", **parameters}
    context = QgsProcessingContext()
    feedback = feedback or Recorder()
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm)
    accepted, text = algorithm.checkParameterValues(parameters, context)
    if not accepted:
        return Outcome(refused=text)
    results, ok = algorithm.run(parameters, context, feedback)
    outcome = Outcome(results=results, warnings=feedback.warnings, log="\n".join(feedback.infos))
    if not ok:
        outcome.error = "\n".join(feedback.errors)
    elif "OUTPUT" in results:
        layer = QgsProcessingUtils.mapLayerFromString(results["OUTPUT"], context)
        outcome.layer = context.takeResultLayer(layer.id()) or layer
    return outcome
