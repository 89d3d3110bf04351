"""The everything page: how densely is looked, whether the ground is divided among the objects, and what was found."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ..core.everything import EverythingSettings
from ..core.models.store import ModelStore
from ..core.search import WantedEverything
from .found_controls import FoundControls
from .model_controls import ModelControls
from .preferences import Preferences

_LEAST_SCORE = 0.3
"""What scores less is hardly ever an object, and is not even kept hidden unless the slider was there before."""


class EverythingControls(QWidget):
    """``find_requested`` comes from the button.

    Parameters
    ----------
    model : ModelControls
        What looks: each model's scores mean something else.
    store : ModelStore, optional
        Knows the models.
    """

    find_requested = pyqtSignal()

    def __init__(self, model: ModelControls, parent: QWidget | None = None, *, store: ModelStore | None = None) -> None:
        super().__init__(parent)
        self._model, self._store = model, store or ModelStore()
        self.about = QLabel(tr("Outlines all objects with the model above."))
        self.about.setWordWrap(True)
        self.closeness = QComboBox()
        for step_px, text in (
            (32, tr("large ones (fast)")),
            (16, tr("middling and large ones")),
            (8, tr("small ones too (slow)")),
        ):
            self.closeness.addItem(text, step_px)
        self.closeness.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.closeness.setMinimumContentsLength(10)
        self.closeness.setAccessibleName(tr("Objects"))
        self.closeness.setToolTip(tr("How closely is looked. What counts is the size in pixels: zoom, or see below."))
        usual = self.closeness.findData(EverythingSettings.step_px)
        stored = self.closeness.findData(round(Preferences().number("everything/step_px", EverythingSettings.step_px)))
        self.closeness.setCurrentIndex(usual if stored < 0 else stored)
        self.coverage_box = QCheckBox(tr("Clean coverage"))
        self.coverage_box.setToolTip(
            tr("Divide the ground among the objects: no gaps, no overlaps, borders shared. They appear at the end.")
        )
        self.coverage_box.setChecked(Preferences().flag("everything/coverage", False))
        self.find = QPushButton(tr("Find everything"))
        self.find.setToolTip(tr("Outline all objects where is looked."))
        self.results = FoundControls("everything", tr("Score at least"), default=self._proposed())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("Objects"), self.closeness)
        whole.addWidget(self.about)
        whole.addLayout(form)
        for widget in (self.coverage_box, self.find, self.results):
            whole.addWidget(widget)
        self.closeness.currentIndexChanged.connect(
            lambda: Preferences().set("everything/step_px", self.closeness.currentData())
        )
        self.coverage_box.toggled.connect(lambda wanted: Preferences().set("everything/coverage", wanted))
        self.find.clicked.connect(self.find_requested)
        model.chosen.connect(lambda _: self.results.propose(self._proposed()))

    def settings(self) -> EverythingSettings:
        """Return how closely is looked, and what is found at all: also what the slider hides until it is moved."""
        # the ground is divided among those that count: what is hidden afterwards leaves gaps
        shown = self.results.next_threshold()
        least = shown if self.is_coverage() else min(_LEAST_SCORE, shown)
        return EverythingSettings(step_px=self.closeness.currentData(), min_score=least)

    def is_coverage(self) -> bool:
        """Return True if there are to be neither gaps nor overlaps."""
        return bool(self.coverage_box.isChecked())

    def _proposed(self) -> float:
        """Return the score from which the model itself takes something for an object."""
        name = self._model.name()
        return WantedEverything(name).confidence(self._store) if name else 0.0

    def set_free(self, free: bool) -> None:
        """Let a search be begun, or not."""
        self.find.setEnabled(free)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("EverythingControls", text)
