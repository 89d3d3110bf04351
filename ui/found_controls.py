"""Under the button of a search: how far it is, and then a threshold, a copy to kept objects, and a way to remove."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from .preferences import Preferences
from .status_line import StatusLine

_STEPS = 100
_WAIT_MS = 40


class FoundControls(QWidget):
    """``threshold_changed`` comes with 0 to 1 while the slider is moved; the others from the buttons.

    Parameters
    ----------
    key : str
        Under which the threshold is remembered.
    title : str
        What the slider is of.
    default : float
        Where it stands at first.
    """

    threshold_changed = pyqtSignal(float)
    copy_requested = pyqtSignal()
    remove_requested = pyqtSignal()
    cancel_requested = pyqtSignal()

    def __init__(self, key: str, title: str, *, default: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = f"{key}/threshold"
        self._proposed = default
        self._proposal: float | None = None
        self.status = StatusLine()
        self.status.text.setAccessibleName(tr("State of the search"))
        self.status.bar.setAccessibleName(tr("Progress of the search"))
        self.status.cancel.setText(tr("Stop searching"))
        self.status.cancel.setToolTip(tr("Stop the search"))
        self.status.cancel.setAccessibleName(tr("Stop the search"))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(10)
        self.slider.setAccessibleName(title)
        self.slider.setToolTip(tr("Hides what is below. Nothing is searched again, and nothing is lost."))
        self.value = QLabel()
        self.count = QLabel()
        self.count.setAccessibleName(tr("How many are shown"))
        self.copy = QPushButton(tr("Copy to kept objects"))
        self.copy.setToolTip(tr("Write those that are shown into the layer of kept objects, as one step to undo."))
        self.remove = QPushButton(tr("Remove layer"))
        self.remove.setToolTip(tr("Take the layer of what was found out of the project."))
        self._result = QWidget()
        self._lay_out(title)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(_WAIT_MS)
        self._wait.timeout.connect(lambda: self.threshold_changed.emit(self.threshold()))
        self.set_threshold(Preferences().number(self._key, default))
        self.slider.valueChanged.connect(self._move)
        self.status.cancel_requested.connect(self.cancel_requested)
        self.copy.clicked.connect(self.copy_requested)
        self.remove.clicked.connect(self.remove_requested)
        self.show_state("")
        self.hide_result()

    def threshold(self) -> float:
        """Return the least value that is shown, 0 to 1."""
        return float(self.slider.value() / _STEPS)

    def set_threshold(self, value: float) -> None:
        """Move the slider, as if the user had."""
        self.slider.setValue(round(_STEPS * value))
        self._show_value()

    def propose(self, value: float) -> None:
        """Move the slider to what suits another model; with the next search if there is a result of the last one."""
        self._proposal = None if value == self._proposed else value
        if not self.has_result:
            self.take_proposal()

    def next_threshold(self) -> float:
        """Return what :meth:`threshold` will be once a search has begun."""
        return self.threshold() if self._proposal is None else self._proposal

    def take_proposal(self) -> None:
        """Move the slider to what was proposed, if that waits."""
        if self._proposal is not None:
            self._proposed, self._proposal = self._proposal, None
            self.set_threshold(self._proposed)

    def show_state(self, text: str, busy: bool = False, fraction: float | None = None) -> None:
        """Say how far the search is, or what came of it."""
        self.status.show_status(text, busy, fraction)
        self.status.setVisible(busy or bool(text))

    def show_result(self, shown: int, total: int, *, may_copy: bool) -> None:
        """Show how many objects there are."""
        self.count.setText(tr("{shown} of {total} shown").format(shown=shown, total=total))
        self.copy.setEnabled(may_copy and shown > 0)
        self._result.setVisible(True)

    def hide_result(self) -> None:
        """Show that there is nothing to filter."""
        self._result.setVisible(False)

    @property
    def has_result(self) -> bool:
        """True while there is a layer to filter."""
        return not self._result.isHidden()

    def _lay_out(self, title: str) -> None:
        name = QLabel(title)
        name.setBuddy(self.slider)
        above, row, buttons = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        above.addWidget(name)
        above.addStretch(1)
        above.addWidget(self.count)
        row.addWidget(self.slider, 1)
        row.addWidget(self.value)
        buttons.addWidget(self.copy, 1)
        buttons.addWidget(self.remove)
        inside = QVBoxLayout(self._result)
        inside.setContentsMargins(0, 0, 0, 0)
        for line in (above, row, buttons):
            inside.addLayout(line)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.status)
        whole.addWidget(self._result)

    def _move(self, *_: object) -> None:
        self._proposal = None
        self._show_value()
        Preferences().set(self._key, self.threshold())
        # a slider that is dragged says more than a layer can follow
        self._wait.start()

    def _show_value(self) -> None:
        self.value.setText(f"{self.threshold():.2f}")


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("FoundControls", text)
