"""What the panel shows while packages are missing: which, how to get them here, and an offer to install one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from html import escape

from qgis.PyQt.QtCore import QCoreApplication, Qt, pyqtSignal
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import QLabel, QMessageBox, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from ..algorithms import own_packages
from ..algorithms.base import missing_packages
from ..core import native
from .package_install import PACKAGE, PackageInstall, has_pip, python_program, requirement

_MOST_LINES = 400


def where_to_type(platform: str = sys.platform) -> str:
    """Return where a command for QGIS's own Python is to be typed on this platform."""
    if platform == "win32":
        return tr("Close QGIS, open the OSGeo4W Shell from the Start menu (in QGIS's folder), and type:")
    if platform == "darwin":
        return tr("Open the Terminal, and type the following, with the python3 inside QGIS.app in place of python3:")
    return tr("Open a terminal, and type:")


def command(missing: list[str], platform: str = sys.platform, program: str | None = None) -> str:
    """Return the command that brings what is missing, as it is typed on this platform."""
    text = native.how_to_install(missing)
    if platform == "linux" and " pip " in text and not has_pip() and shutil.which("apt-get"):
        text = f"sudo apt-get install python3-pip && {text}"
    program = python_program() if program is None else program
    if platform == "darwin" and program:
        return text.replace("python3 -m", f'"{program}" -m')
    return text


def offline_words() -> str:
    """Return what to do without a network."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return tr(
        "Without a network: on a machine that has one, with the same system and Python {version}, get the file with "
        '<pre>python3 -m pip download --no-deps "{requirement}"</pre>bring it here, and install it with '
        "<pre>python3 -m pip install --no-deps --target {folder} FILE.whl</pre>"
    ).format(version=version, requirement=escape(requirement()), folder=f'"{escape(str(own_packages.folder()))}"')


class FirstRunPage(QWidget):
    """Says what is missing; ``installed`` is emitted when nothing is missing any more.

    Parameters
    ----------
    parent : QWidget, optional
        Owner.
    program : str, optional
        QGIS's Python; looked for where it is not given.
    ask : callable, optional
        Asks a yes-no question; a message box by default.
    """

    installed = pyqtSignal()

    def __init__(
        self, parent: QWidget | None = None, *, program: str | None = None, ask: Callable[[str], bool] | None = None
    ) -> None:
        super().__init__(parent)
        self._missing: list[str] = []
        self._program = python_program() if program is None else program
        self._ask = ask or self._ask_in_a_box
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.RichText)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._where = QLabel()
        self._where.setWordWrap(True)
        self._command = QPlainTextEdit()
        self._command.setReadOnly(True)
        self._command.setAccessibleName(tr("Command that installs what is missing"))
        self._copy = QPushButton(tr("Copy the command"))
        self._install = QPushButton(tr("Install onnxruntime for me"))
        self._cancel = QPushButton(tr("Cancel"))
        self._again = QPushButton(tr("Look again"))
        self._output = QPlainTextEdit()
        self._output.setReadOnly(True)
        self._output.setMaximumBlockCount(_MOST_LINES)
        self._output.setAccessibleName(tr("What the installation says"))
        self._outcome = QLabel()
        self._outcome.setWordWrap(True)
        self._outcome.setTextFormat(Qt.TextFormat.RichText)
        self._outcome.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        for widget in (
            *(self._words, self._install, self._cancel, self._output, self._outcome),
            *(self._where, self._command, self._copy, self._again),
        ):
            layout.addWidget(widget)
        layout.addStretch(1)
        self._run: PackageInstall | None = None
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._command.toPlainText()))
        self._install.clicked.connect(self.install)
        self._cancel.clicked.connect(self.cancel)
        self._again.clicked.connect(self.look_again)
        self._show_running(False)
        self._output.hide()

    def show_missing(self, missing: list[str]) -> None:
        """Show which packages are missing and how they come here."""
        self._missing = missing
        self._words.setText(
            "<p><b>{title}</b></p><p>{packages}</p>".format(
                title=escape(tr("Almost ready")),
                packages=escape(
                    tr("The plugin needs Python packages that are not there: {packages}.").format(
                        packages=", ".join(missing)
                    )
                ),
            )
        )
        self._where.setText(
            tr("Or by hand: {how}").format(how=where_to_type()) if self.can_install() else where_to_type()
        )
        self._command.setPlainText(command(missing))
        lines = self._command.fontMetrics().lineSpacing()
        self._command.setFixedHeight(4 * lines)
        self._install.setVisible(self.can_install())

    def can_install(self) -> bool:
        """Return True if the page can bring what is missing: onnxruntime, by QGIS's own Python."""
        return PACKAGE in self._missing and bool(self._program) and has_pip()

    def install(self) -> None:
        """Ask, and if the answer is yes, begin; returns at once."""
        if self._run is not None or not self.can_install():
            return
        question = tr(
            "Fetch {requirement} (about 20 MB) from the Python package index and put it into\n{folder}?\n\n"
            "Nothing else is installed or changed. To undo it, delete that folder."
        ).format(requirement=requirement(), folder=own_packages.folder())
        if not self._ask(question):
            return
        self._output.clear()
        self._output.show()
        self._outcome.clear()
        self._run = PackageInstall(self._program, self)
        self._run.said.connect(self._say)
        self._run.ended.connect(self._end)
        self._show_running(True)
        self._run.start()

    def cancel(self) -> None:
        """Stop an installation that is going on."""
        if self._run is not None:
            self._run.cancel()

    def look_again(self) -> None:
        """Look whether what was missing has come by other means."""
        own_packages.make_importable()
        missing = missing_packages()
        if missing:
            self.show_missing(missing)
        else:
            self.installed.emit()

    def _end(self, worked: bool, reason: str) -> None:
        if self._run is not None:
            self._run.deleteLater()
            self._run = None
        self._show_running(False)
        if worked:
            self._outcome.setText(tr("onnxruntime is installed."))
            self.look_again()
            return
        self._outcome.setText(
            "<p>{failed}</p><p>{offline}</p>".format(
                failed=escape(tr("It was not installed: {reason}").format(reason=reason)), offline=offline_words()
            )
        )

    def _say(self, text: str) -> None:
        self._output.appendPlainText(text.rstrip())

    def _show_running(self, running: bool) -> None:
        self._cancel.setVisible(running)
        self._install.setEnabled(not running)
        self._again.setEnabled(not running)

    def _ask_in_a_box(self, question: str) -> bool:
        answer = QMessageBox.question(self, tr("Install onnxruntime"), question)
        return bool(answer == QMessageBox.StandardButton.Yes)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("FirstRunPage", text)
