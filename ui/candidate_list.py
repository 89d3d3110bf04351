"""The candidates of a search as a list, with what can be done with those that are chosen in it."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QCoreApplication, QLocale, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from .landform_review import Candidate
from .landform_search import Findings

_NUMBER = Qt.ItemDataRole.UserRole
_FLAGS = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
# Qt 5 takes a number, and the flags of Qt 6 are none
_RIGHT = int(getattr(_FLAGS, "value", _FLAGS))
_KM_M = 1000.0
_ROWS = 7
_NONE = "–"


class CandidateList(QWidget):
    """Class, confidence, height and width of each; the reasons are the tooltip.

    ``accept_requested`` and ``drop_requested`` come with candidates' numbers, ``correct_requested`` and
    ``shown`` (a double click) with one; ``selected`` with those that are chosen.
    """

    accept_requested = pyqtSignal(list)
    drop_requested = pyqtSignal(list)
    correct_requested = pyqtSignal(int)
    shown = pyqtSignal(int)
    selected = pyqtSignal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels([tr("Class"), tr("Sure"), tr("Height"), tr("Width")])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setAccessibleName(tr("Landforms found"))
        self.tree.setToolTip(tr("A double click shows one on the map."))
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.setMinimumHeight((_ROWS + 1) * self.fontMetrics().height() * 3 // 2)
        self.accept = _button(tr("Accept"), tr("Write the chosen ones into a layer."))
        self.correct = _button(tr("Correct"), tr("Accept the chosen one and correct its outline by clicks."))
        self.drop = _button(tr("Discard"), tr("Forget the chosen ones."))
        self.accept_all = _button(tr("Accept all"), tr("Write all of them into a layer."))
        self.drop_all = _button(tr("Discard all"), tr("Forget all of them."))
        buttons = QGridLayout()
        for column, button in enumerate((self.accept, self.correct, self.drop)):
            buttons.addWidget(button, 0, 2 * column, 1, 2)
        buttons.addWidget(self.accept_all, 1, 0, 1, 3)
        buttons.addWidget(self.drop_all, 1, 3, 1, 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tree)
        layout.addLayout(buttons)
        self._connect()
        self.show_candidates((), None)

    def show_candidates(self, candidates: Sequence[Candidate], findings: Findings | None) -> None:
        """Show these in place of those before; what was chosen stays chosen."""
        chosen = set(self.chosen())
        blocked = self.tree.blockSignals(True)
        self.tree.clear()
        for each in candidates:
            item = QTreeWidgetItem(_words(each, findings))
            item.setData(0, _NUMBER, each.number)
            for column in range(1, 4):
                item.setTextAlignment(column, _RIGHT)
            for column in range(4):
                item.setToolTip(column, each.landform.reasons)
            self.tree.addTopLevelItem(item)
            item.setSelected(each.number in chosen)
        self.tree.blockSignals(blocked)
        self.setVisible(self.tree.topLevelItemCount() > 0)
        self._choose()

    def chosen(self) -> list[int]:
        """Return the numbers of the candidates that are chosen."""
        return [int(item.data(0, _NUMBER)) for item in self.tree.selectedItems()]

    def _connect(self) -> None:
        self.tree.itemSelectionChanged.connect(self._choose)
        self.tree.itemDoubleClicked.connect(lambda item, _: self.shown.emit(int(item.data(0, _NUMBER))))
        self.accept.clicked.connect(lambda: self.accept_requested.emit(self.chosen()))
        self.drop.clicked.connect(lambda: self.drop_requested.emit(self.chosen()))
        self.correct.clicked.connect(lambda: self.correct_requested.emit(self.chosen()[0]))
        self.accept_all.clicked.connect(lambda: self.accept_requested.emit(self._all()))
        self.drop_all.clicked.connect(lambda: self.drop_requested.emit(self._all()))

    def _all(self) -> list[int]:
        return [int(self.tree.topLevelItem(row).data(0, _NUMBER)) for row in range(self.tree.topLevelItemCount())]

    def _choose(self) -> None:
        chosen = self.chosen()
        self.accept.setEnabled(bool(chosen))
        self.drop.setEnabled(bool(chosen))
        self.correct.setEnabled(len(chosen) == 1)
        for button in (self.accept_all, self.drop_all):
            button.setEnabled(self.tree.topLevelItemCount() > 0)
        self.selected.emit(chosen)


def _words(candidate: Candidate, findings: Findings | None) -> list[str]:
    landform = candidate.landform
    return [
        landform.label + (tr(" (cut)") if landform.partial else ""),
        QLocale().toString(landform.confidence, "f", 2),
        _length(candidate.value(findings, "height_m", "depth_m")),
        _length(candidate.value(findings, "base_w_m", "width_m")),
    ]


def _length(metres: float | None) -> str:
    if metres is None:
        return _NONE
    if metres < _KM_M:
        return tr("{} m").format(QLocale().toString(metres, "f", 0 if metres >= 10.0 else 1))
    return tr("{} km").format(QLocale().toString(metres / _KM_M, "f", 2 if metres < 10.0 * _KM_M else 1))


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleDescription(tip)
    return button


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("CandidateList", text)
