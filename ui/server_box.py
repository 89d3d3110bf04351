"""One server: its address, its login, and how it is."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.gui import QgsAuthConfigSelect
from qgis.PyQt.QtCore import QCoreApplication, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

_WIDE = 30


class ServerBox(QWidget):
    """``changed`` comes when the user has changed something, ``refresh_requested`` from the button beside the state.

    Parameters
    ----------
    title : str
        What the server is.
    example : str
        An address, shown while there is none.
    tip : str
        What it is good for.
    """

    changed = pyqtSignal()
    refresh_requested = pyqtSignal()

    def __init__(self, title: str, example: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.heading = QLabel(title)
        font = self.heading.font()
        font.setBold(True)
        self.heading.setFont(font)
        self.heading.setToolTip(tip)
        self.url = QLineEdit()
        self.url.setPlaceholderText(example)
        self.url.setClearButtonEnabled(True)
        make_wide(self.url)
        self.login = QgsAuthConfigSelect()
        _tame(self.login, title)
        self.state = QLabel()
        self.state.setWordWrap(True)
        # what a server says is text, whatever it looks like
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.refresh = QToolButton()
        self.refresh.setIcon(QgsApplication.getThemeIcon("/mActionRefresh.svg"))
        self.refresh.setAutoRaise(True)
        self.refresh.setToolTip(tr("Ask the server how it is"))
        self.form = QFormLayout()
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.add(tr("Address"), self.url, tip)
        self.add(
            tr("Login"),
            self.login,
            tr("A login that QGIS keeps encrypted. It is sent to this server's address alone."),
        )
        row = QHBoxLayout()
        row.addWidget(self.state, 1)
        row.addWidget(self.refresh, 0, Qt.AlignmentFlag.AlignTop)
        self.below = QVBoxLayout()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.heading)
        whole.addLayout(self.form)
        whole.addLayout(row)
        whole.addLayout(self.below)
        self._name_parts()
        self.url.editingFinished.connect(self._change_url)
        self.login.selectedConfigIdChanged.connect(lambda _: self.changed.emit())
        self.refresh.clicked.connect(self.refresh_requested)
        self._shown_url = ""

    def add(self, title: str, widget: QWidget, tip: str) -> None:
        """Add a row to the form."""
        widget.setToolTip(tip)
        widget.setAccessibleName(f"{self._title}: {title}")
        widget.setAccessibleDescription(tip)
        self.form.addRow(title, widget)

    def show_address(self, url: str, authcfg: str, named_by: str = "") -> None:
        """Show what is set; says nothing. An address from an environment variable can't be changed here."""
        self._shown_url = url
        self.url.setText(url)
        self.url.setCursorPosition(0)
        self.url.setEnabled(not named_by)
        if named_by:
            self.url.setToolTip(tr("From the environment variable {}.").format(named_by))
        blocked = self.login.blockSignals(True)
        self.login.setConfigId(authcfg)
        self.login.blockSignals(blocked)

    def show_state(self, lines: list[str]) -> None:
        """Say how the server is."""
        self.state.setText("\n".join(lines))

    def _change_url(self) -> None:
        # Return and leaving the field both end editing
        if self.url.text().strip() != self._shown_url:
            self._shown_url = self.url.text().strip()
            self.changed.emit()

    def _name_parts(self) -> None:
        self.state.setAccessibleName(tr("{}: state").format(self._title))
        self.refresh.setAccessibleName(tr("{}: ask how it is").format(self._title))


def make_wide(field: QLineEdit) -> None:
    """Let a field go below its label where the panel is narrow: an address is read from its beginning to its end."""
    field.setMinimumWidth(_WIDE * field.fontMetrics().averageCharWidth())


def _tame(login: QgsAuthConfigSelect, title: str) -> None:
    """Give the parts of QGIS's own widget names for screen readers, one height, and no more width than they need."""
    for chooser in login.findChildren(QComboBox):
        chooser.setAccessibleName(f"{title}: {tr('Login')}")
        chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        chooser.setMinimumContentsLength(3)
        for button in login.findChildren(QToolButton):
            button.setAccessibleName(f"{title}: {button.toolTip()}")
            button.setMaximumHeight(chooser.sizeHint().height())


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ServerBox", text)
