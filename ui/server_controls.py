"""The servers page: where servers are, how they are, and one that QGIS starts itself."""

from __future__ import annotations

from collections.abc import Iterable

from qgis.PyQt.QtCore import QCoreApplication, QEvent, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..algorithms.server_settings import ServerSettings
from ..core.remote.address import Servers
from ..core.remote.samgeo_process import COMMAND
from .server_box import ServerBox, make_wide
from .status_line import StatusLine

_LOG_LINES = 8


class ServerControls(QWidget):
    """``changed`` comes when a setting was changed; ``start_requested`` and ``stop_requested`` from the button.

    ``shown`` comes when the page is opened.
    """

    changed = pyqtSignal()
    start_requested = pyqtSignal()
    stop_requested = pyqtSignal()
    shown = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.samgeo = ServerBox(
            "samgeo-api",
            "http://127.0.0.1:8000",
            tr("Runs SAM models on this or another machine: words, examples, everything, clicks."),
        )
        self.model = QComboBox()
        self.model.setEditable(True)
        self.model.lineEdit().setPlaceholderText(tr("automatic"))
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.model.setMinimumContentsLength(6)
        self.samgeo.add(
            tr("Default model"), self.model, tr("Version, or version:name, such as sam3:facebook/sam3 (empty: usual).")
        )
        self.command = QLineEdit()
        self.command.setPlaceholderText(COMMAND)
        make_wide(self.command)
        self.samgeo.add(tr("Command"), self.command, tr("What starts a server on this machine, with its whole path."))
        self.start = QPushButton()
        self.start.clicked.connect(self._start_or_stop)
        self.progress = StatusLine()
        self.progress.cancel.setAccessibleName(tr("Stop starting the server"))
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.log.setAccessibleName(tr("What the server says"))
        self.log.setFixedHeight(_LOG_LINES * self.log.fontMetrics().lineSpacing())
        for widget in (self.start, self.progress, self.log):
            self.samgeo.below.addWidget(widget)
        self.samgis = ServerBox(
            "SamGIS",
            "http://127.0.0.1:7860",
            tr("Fetches web maps itself and outlines what is clicked on them: Segment from prompts, model samgis."),
        )
        self.route = QLineEdit()
        self.samgis.add(tr("Route for words"), self.route, tr("Where the server takes words; servers differ."))
        self.shift = QCheckBox(tr("Correct the half pixel"))
        self.samgis.add("", self.shift, tr("SamGIS places its outlines half a pixel to the north-west."))
        self.shift.setAccessibleName(self.shift.text())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.samgeo, _line(), self.samgis):
            layout.addWidget(part)
        for before, after in (
            (self.command, self.samgeo.refresh),
            (self.samgeo.refresh, self.start),
            (self.shift, self.samgis.refresh),
        ):
            QWidget.setTabOrder(before, after)
        self._shown: ServerSettings = ServerSettings()
        self._connect()
        self.show_running(False)
        self.show_log("")

    def settings(self) -> ServerSettings:
        """Return what the fields say; an address that the environment names is not among it."""
        return ServerSettings(
            samgeo_url=_own(self.samgeo, self._shown.samgeo_url),
            samgeo_authcfg=self.samgeo.login.configId(),
            samgeo_model=self.model.currentText().strip(),
            samgeo_command=self.command.text().strip(),
            samgis_url=_own(self.samgis, self._shown.samgis_url),
            samgis_authcfg=self.samgis.login.configId(),
            samgis_words_route=self.route.text().strip() or Servers.samgis_words_route,
            samgis_correct_shift=self.shift.isChecked(),
        )

    def show_settings(self, settings: ServerSettings, samgeo: tuple[str, str], samgis: tuple[str, str]) -> None:
        """Show what is set; says nothing. Each server comes with its address in use and the variable that names it."""
        self._shown = settings
        for box, (url, named_by), authcfg, own in (
            (self.samgeo, samgeo, settings.samgeo_authcfg, settings.samgeo_url),
            (self.samgis, samgis, settings.samgis_authcfg, settings.samgis_url),
        ):
            box.show_address(url if named_by else own, authcfg, named_by)
        for widget, value in ((self.command, settings.samgeo_command), (self.route, settings.samgis_words_route)):
            widget.setText(value)
        blocked = self.model.blockSignals(True), self.shift.blockSignals(True)
        self.model.setEditText(settings.samgeo_model)
        self.shift.setChecked(settings.samgis_correct_shift)
        self.model.blockSignals(blocked[0])
        self.shift.blockSignals(blocked[1])

    def show_models(self, names: Iterable[str]) -> None:
        """Offer the models that the server lists; what is chosen stays."""
        chosen = self.model.currentText()
        blocked = self.model.blockSignals(True)
        self.model.clear()
        self.model.addItems(["", *names])
        self.model.setEditText(chosen)
        self.model.blockSignals(blocked)

    def show_running(self, running: bool, *, may_start: bool = True) -> None:
        """Let the button stop what runs, or start one; without a reason to there is none."""
        self._running = running
        self.start.setText(tr("Stop server") if running else tr("Start server"))
        self.start.setToolTip(
            tr("End the server that QGIS has started.")
            if running
            else tr("Start samgeo-api on this machine, for this machine alone. It ends with QGIS.")
        )
        self.start.setVisible(running or may_start)
        self.command.setEnabled(not running)

    def show_starting(self, text: str, fraction: float | None = None) -> None:
        """Show how far the start is; an empty text ends that."""
        self.progress.show_status(text, bool(text), fraction)
        self.progress.setVisible(bool(text))
        self.start.setEnabled(not text)

    def show_log(self, text: str) -> None:
        """Show what the server has said lately; nothing hides it."""
        self.log.setVisible(bool(text))
        if text != self.log.toPlainText():
            self.log.setPlainText(text)
            self.log.verticalScrollBar().setValue(self.log.verticalScrollBar().maximum())

    def showEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt asks for this name)
        """Say that somebody looks."""
        super().showEvent(event)
        self.shown.emit()

    def _connect(self) -> None:
        for box in (self.samgeo, self.samgis):
            box.changed.connect(self.changed)
        for field in (self.command, self.route, self.model.lineEdit()):
            field.editingFinished.connect(self._change)
        self.model.currentIndexChanged.connect(self._change)
        self.shift.toggled.connect(self._change)
        self.show_starting("")

    def _change(self, *_: object) -> None:
        said = self.settings()
        if (said.samgeo_model, said.samgeo_command, said.samgis_words_route, said.samgis_correct_shift) != (
            self._shown.samgeo_model,
            self._shown.samgeo_command,
            self._shown.samgis_words_route,
            self._shown.samgis_correct_shift,
        ):
            self.changed.emit()

    def _start_or_stop(self) -> None:
        (self.stop_requested if self._running else self.start_requested).emit()


def _own(box: ServerBox, stored: str) -> str:
    """Return the address that the user gave: the stored one while another one is in its place."""
    return box.url.text().strip() if box.url.isEnabled() else stored


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    return line


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ServerControls", text)
