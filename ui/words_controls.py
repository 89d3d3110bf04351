"""The words page: what to look for, with which model, and what was found."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication, QEvent, QObject, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QCompleter,
    QFormLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..core.models.model import ModelSpec
from ..core.models.store import ModelStore
from .found_controls import FoundControls
from .model_controls import ModelControls
from .preferences import Preferences
from .recent_texts import RecentTexts


class WordsControls(QWidget):
    """``find_requested`` comes from the button and from Enter in the text field."""

    find_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None, *, store: ModelStore | None = None) -> None:
        super().__init__(parent)
        self._history = RecentTexts("words/recent")
        self.text = QComboBox()
        self.text.setEditable(True)
        self.text.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.text.completer().setCaseSensitivity(Qt.CaseSensitivity.CaseSensitive)
        self.text.completer().setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.text.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.text.setMinimumContentsLength(10)
        self.text.lineEdit().setPlaceholderText(tr("tree; building"))
        self.text.lineEdit().setClearButtonEnabled(True)
        self.text.lineEdit().installEventFilter(self)
        self.model = ModelControls(store=store, kind="words", key="words/model", title=tr("Model for words"))
        self.outline_box = QCheckBox(tr("Outline with the model above"))
        self.outline_box.setToolTip(
            tr("What is found as boxes or roughly is outlined by the click model that is chosen above.")
        )
        self.outline_box.setChecked(Preferences().flag("words/outline", True))
        self.find = QPushButton(tr("Find"))
        self._store = store or ModelStore()
        self.results = FoundControls("words", tr("Score at least"), default=self._proposed())
        self._lay_out()
        self._show_recent()
        self.text.setEditText(Preferences().text("words/text"))
        self.outline_box.toggled.connect(lambda wanted: Preferences().set("words/outline", wanted))
        self.text.editTextChanged.connect(lambda text: Preferences().set("words/text", text))
        self.find.clicked.connect(self.find_requested)
        # each model's scores mean something else
        self.model.chosen.connect(lambda _: self.results.propose(self._proposed()))

    def words(self) -> str:
        """Return what is typed."""
        return str(self.text.currentText())

    def outlines(self) -> bool:
        """Return True if the click model is to draw the outlines."""
        return bool(self.outline_box.isChecked())

    def remember_words(self) -> None:
        """Put what is typed at the head of the recent ones."""
        if self._history.use(self.words()):
            self._show_recent()

    def set_free(self, free: bool) -> None:
        """Let a search be begun, or not."""
        self.find.setEnabled(free)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt asks for this name)
        """Take Enter, which would otherwise also choose a completion or reach the main window."""
        if event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.find.isEnabled() and QApplication.activePopupWidget() is None:
                self.find_requested.emit()
            return True
        return bool(super().eventFilter(watched, event))

    def _proposed(self) -> float:
        """Return the score from which what the model finds is mostly right."""
        name = self.model.name()
        return self._store.get(name).confidence if name else ModelSpec.confidence

    def _show_recent(self) -> None:
        text, blocked = self.text.currentText(), self.text.blockSignals(True)
        self.text.clear()
        self.text.addItems(self._history.recent())
        self.text.setEditText(text)
        self.text.blockSignals(blocked)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        tip = tr("One or several words, with semicolons between them: each becomes a class of the new layer.")
        self.text.setToolTip(tip)
        self.text.setAccessibleName(tr("Words to look for"))
        self.text.setAccessibleDescription(tip)
        form.addRow(tr("Words"), self.text)
        # what is said of a model that is not here needs the whole width
        form.addRow(QLabel(tr("Found by")))
        form.addRow(self.model)
        self.find.setToolTip(tr("Find everything that the words say."))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(form)
        whole.addWidget(self.outline_box)
        whole.addWidget(self.find)
        whole.addWidget(self.results)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("WordsControls", text)
