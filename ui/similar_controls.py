"""The similar page: a list of examples and counter-examples, where to take them from, and what was found."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtGui import QIcon, QPixmap
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..core.similar import DEFAULT_SIMILARITY
from .examples import Example
from .found_controls import FoundControls
from .overlay import EXCLUDED, INCLUDED

_ROWS, _ICON_PX = 3, 12


class SimilarControls(QWidget):
    """Examples, and a search for what is like them.

    ``object_asked`` and ``selection_asked`` come with True for examples and False for counter-examples,
    ``remove_asked`` with rows of the list, ``find_requested`` from the button.
    """

    object_asked = pyqtSignal(bool)
    selection_asked = pyqtSignal(bool)
    remove_asked = pyqtSignal(list)
    find_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.add_object, self.add_selection = QPushButton(tr("From the map")), QPushButton(tr("Selection"))
        self.not_object, self.not_selection = QPushButton(tr("From the map")), QPushButton(tr("Selection"))
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName(tr("Examples and counter-examples"))
        self.list.setMaximumHeight((_ROWS + 1) * self.fontMetrics().height() * 3 // 2)
        self.remove = QPushButton(tr("Remove"))
        self.clear = QPushButton(tr("Remove all"))
        self.find = QPushButton(tr("Find similar"))
        self.find.setToolTip(tr("Find the other objects like the examples."))
        self.results = FoundControls("similar", tr("Similarity at least"), default=DEFAULT_SIMILARITY)
        self._is_free = True
        self._lay_out()
        self._connect()
        self.show_examples(())

    def show_examples(self, examples: Sequence[Example]) -> None:
        """List examples, each with the colour that it has on the map."""
        self.list.clear()
        for each in examples:
            text = each.title if each.wanted else tr("not: {}").format(each.title)
            self.list.addItem(QListWidgetItem(_swatch(each.wanted), text))
        self._has_example = any(each.wanted for each in examples)
        self.list.setVisible(bool(examples))
        self.clear.setEnabled(bool(examples))
        self._enable()

    def set_free(self, free: bool) -> None:
        """Let a search be begun, or not."""
        self._is_free = free
        self._enable()

    def _enable(self) -> None:
        self.find.setEnabled(self._is_free and self._has_example)
        self.remove.setEnabled(bool(self.list.selectedItems()))

    def _rows(self) -> list[int]:
        return sorted(index.row() for index in self.list.selectionModel().selectedRows())

    def _connect(self) -> None:
        self.add_object.clicked.connect(lambda: self.object_asked.emit(True))
        self.add_selection.clicked.connect(lambda: self.selection_asked.emit(True))
        self.not_object.clicked.connect(lambda: self.object_asked.emit(False))
        self.not_selection.clicked.connect(lambda: self.selection_asked.emit(False))
        self.list.itemSelectionChanged.connect(self._enable)
        self.remove.clicked.connect(lambda: self.remove_asked.emit(self._rows()))
        self.clear.clicked.connect(lambda: self.remove_asked.emit(list(range(self.list.count()))))
        self.find.clicked.connect(self.find_requested)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        from_map = tr("The object that is open on the map: click it with the tool first.")
        from_layer = tr("The selected features of polygon layers.")
        for row, (title, from_object, from_selection) in enumerate(
            (
                (tr("Like"), self.add_object, self.add_selection),
                (tr("Not like"), self.not_object, self.not_selection),
            )
        ):
            grid.addWidget(QLabel(title), row, 0)
            for column, (button, tip) in enumerate(((from_object, from_map), (from_selection, from_layer)), start=1):
                button.setToolTip(tip)
                button.setAccessibleName(f"{title}: {button.text()}")
                button.setAccessibleDescription(tip)
                grid.addWidget(button, row, column)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.remove)
        buttons.addWidget(self.clear)
        self.remove.setAccessibleName(tr("Remove the chosen examples"))
        self.clear.setAccessibleName(tr("Remove all examples"))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(grid)
        whole.addWidget(self.list)
        whole.addLayout(buttons)
        whole.addWidget(self.find)
        whole.addWidget(self.results)


def _swatch(wanted: bool) -> QIcon:
    picture = QPixmap(_ICON_PX, _ICON_PX)
    picture.fill(INCLUDED if wanted else EXCLUDED)
    return QIcon(picture)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("SimilarControls", text)
