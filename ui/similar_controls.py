"""The similar page: a list of examples and counter-examples, where to take them from, and what was found."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtGui import QIcon, QPixmap, QShowEvent
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..core.models.store import ModelStore
from ..core.search import POINT, for_examples
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

    def __init__(self, parent: QWidget | None = None, *, store: ModelStore | None = None) -> None:
        super().__init__(parent)
        self._store = store or ModelStore()
        self.model_list = QComboBox()
        self.model_list.setAccessibleName(tr("Found by"))
        self.model_list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
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
        self.refresh_models()
        self._lay_out()
        self._connect()
        self.show_examples(())

    def model(self) -> str:
        """Return the name of a model that takes examples alone; empty for the click model that is chosen above."""
        return str(self.model_list.currentData() or "")

    def refresh_models(self) -> None:
        """Look again which models that take examples alone are here; the list is shown if there is one."""
        before = self.model_list.currentData()
        self.model_list.clear()
        self.model_list.addItem(tr("The model above"), "")
        for spec in for_examples(self._store):
            takes_clicks, missing = POINT in spec.accepts, self._store.missing(spec)
            if not (takes_clicks or missing) and self._store.is_accepted(spec):
                self.model_list.addItem(spec.title, spec.name)
        self.model_list.setCurrentIndex(max(0, self.model_list.findData(before)))
        self.model_list.setVisible(self.model_list.count() > 1)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt asks for this name)
        """Look which models are here: one may have been fetched since."""
        self.refresh_models()
        super().showEvent(event)

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
        whole.addWidget(self.model_list)
        whole.addWidget(self.find)
        whole.addWidget(self.results)


def _swatch(wanted: bool) -> QIcon:
    picture = QPixmap(_ICON_PX, _ICON_PX)
    picture.fill(INCLUDED if wanted else EXCLUDED)
    return QIcon(picture)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("SimilarControls", text)
