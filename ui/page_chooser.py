"""Which way of finding objects the panel shows: a row of buttons, and below them the page of the one that is down."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication, QSize, pyqtSignal
from qgis.PyQt.QtWidgets import QButtonGroup, QGridLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from .preferences import Preferences

_KEY = "page"
_COLUMNS = 3


class PageChooser(QWidget):
    """Only the chosen page takes room. Arrow keys go from one button to the next; ``changed`` comes with a page's key.

    Buttons in rows, and not tabs, because a narrow dock would hide the last tabs behind arrows.
    """

    changed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: dict[str, QWidget] = {}
        self._buttons: dict[str, QToolButton] = {}
        self._with: dict[QWidget, frozenset[str]] = {}
        self._group = QButtonGroup(self)
        self._grid = QGridLayout()
        self._grid.setSpacing(2)
        self._below = QVBoxLayout()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(self._grid)
        whole.addLayout(self._below)
        self._current = ""

    def add(self, key: str, title: str, page: QWidget, tip: str) -> None:
        """Add a page; the first one, or the one that was shown last time, is shown."""
        button = QToolButton()
        button.setText(title)
        button.setToolTip(tip)
        button.setAccessibleName(tr("{}: show this way of finding objects").format(title))
        button.setCheckable(True)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._group.addButton(button)
        count = len(self._pages)
        self._grid.addWidget(button, count // _COLUMNS, count % _COLUMNS)
        if self._buttons:
            # all buttons before the first page
            self.setTabOrder(list(self._buttons.values())[-1], button)
        self._below.addWidget(page)
        self._pages[key], self._buttons[key] = page, button
        page.setVisible(False)
        button.toggled.connect(lambda down: self._turn_to(key) if down else None)
        # what the user presses is remembered; what the panel shows by itself is not
        button.clicked.connect(lambda: Preferences().set(_KEY, key))
        if count == 0 or Preferences().text(_KEY) == key:
            self.show_page(key)

    def show_with(self, widget: QWidget, *keys: str) -> None:
        """Let a widget be seen with these pages only."""
        self._with[widget] = frozenset(keys)
        widget.setVisible(self._current in keys)

    def current(self) -> str:
        """Return the key of the page that is shown."""
        return self._current

    def show_page(self, key: str) -> None:
        """Show a page, as if its button had been pressed."""
        self._buttons[key].setChecked(True)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt asks for this name)
        """Return a width that every page can live with: the dock's must not jump from page to page."""
        hint = super().minimumSizeHint()
        widest = max((page.minimumSizeHint().width() for page in self._pages.values()), default=0)
        return QSize(max(hint.width(), widest), hint.height())

    def _turn_to(self, key: str) -> None:
        if key == self._current:
            return
        self._current = key
        for name, page in self._pages.items():
            page.setVisible(name == key)
        for widget, keys in self._with.items():
            widget.setVisible(key in keys)
        self.changed.emit(key)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("PageChooser", text)
