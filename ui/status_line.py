"""What is happening: a sentence, how far it is, and a way to stop it."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QVBoxLayout, QWidget

_STEPS = 1000


class StatusLine(QWidget):
    """A line of text over a thin bar; ``cancel_requested`` comes from the button that is there during work."""

    cancel_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setAccessibleName(tr("Status"))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(max(4, self.fontMetrics().height() // 3))
        self.bar.setAccessibleName(tr("Progress"))
        self.cancel = QToolButton()
        self.cancel.setIcon(QgsApplication.getThemeIcon("/mTaskCancel.svg"))
        self.cancel.setText(tr("Cancel"))
        self.cancel.setToolTip(tr("Stop what is being computed"))
        self.cancel.setAccessibleName(tr("Cancel"))
        self.cancel.setAutoRaise(True)
        for widget in (self.bar, self.cancel):
            # what is below must not jump each time that something is computed
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
        row = QHBoxLayout()
        row.addWidget(self.text, 1)
        row.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.bar)
        self.cancel.clicked.connect(self.cancel_requested)
        self.show_status("")

    def show_status(self, text: str, busy: bool = False, fraction: float | None = None) -> None:
        """Show a sentence, and while ``busy`` the bar: ``fraction`` (0 to 1) of it, or moving where that is unknown."""
        self.text.setText(text)
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        if fraction is None and busy:
            self.bar.setRange(0, 0)
        else:
            self.bar.setRange(0, _STEPS)
            self.bar.setValue(round(_STEPS * min(max(fraction or 0.0, 0.0), 1.0)))


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("StatusLine", text)
