"""What the panel is laid out with: parts that fold away, titles, lines, and a scroll area as wide as what it holds."""

from __future__ import annotations

from qgis.gui import QgsCollapsibleGroupBoxBasic
from qgis.PyQt.QtCore import QEvent, QObject, Qt
from qgis.PyQt.QtWidgets import QFrame, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from .preferences import Preferences


class _Scroll(QScrollArea):
    """Scrolls up and down only: it is always as wide as what it holds needs."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inside)
        inside.installEventFilter(self)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt asks for this name)
        """Follow a change of font or of what is shown."""
        if watched is self.widget() and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.FontChange):
            self._fit()
        return bool(super().eventFilter(watched, event))

    def _fit(self) -> None:
        bar = self.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(self.widget().minimumSizeHint().width() + bar)


def scrolled(inside: QWidget) -> QScrollArea:
    """Return what scrolls a widget up and down."""
    return _Scroll(inside)


def section(key: str, title: str, inside: QWidget, *, is_open: bool) -> QgsCollapsibleGroupBoxBasic:
    """Return a part of the panel that can be folded away, and stays so."""
    box = QgsCollapsibleGroupBoxBasic(title)
    layout = QVBoxLayout(box)
    layout.addWidget(inside)
    for button in box.findChildren(QToolButton, options=Qt.FindChildOption.FindDirectChildrenOnly):
        button.setAccessibleName(title)
    stored, setting = Preferences(), f"folded/{key}"
    box.setCollapsed(stored.flag(setting, not is_open))
    box.collapsedStateChanged.connect(lambda folded: stored.set(setting, bool(folded)))
    return box


def heading(text: str) -> QLabel:
    """Return a title."""
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def line() -> QFrame:
    """Return a line across the panel."""
    drawn = QFrame()
    drawn.setFrameShape(QFrame.Shape.HLine)
    drawn.setFrameShadow(QFrame.Shadow.Sunken)
    return drawn
