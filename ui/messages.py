"""Errors of the core as messages over the map: what happened, and a button for what can be done about it.

With ``algorithms/base.py`` the only place where the core's errors are put before people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from html import escape

from qgis.core import Qgis
from qgis.gui import QgsMessageBar, QgsMessageBarItem
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import QPushButton

from ..core import errors
from ..core.errors import Cancelled, SegmentError

_SECONDS = {Qgis.MessageLevel.Info: 6, Qgis.MessageLevel.Warning: 12, Qgis.MessageLevel.Critical: 0}
"""How long a message stays; what is critical stays until it is closed."""


class Action(Enum):
    """What a message's button offers."""

    DOWNLOAD = "download"
    """Fetch the model."""
    COARSER = "coarser"
    """Do the same at a coarser resolution."""
    RETRY = "retry"
    """Do the same again."""
    OPEN_SETTINGS = "open_settings"
    """Open the layer's properties, where its CRS is set."""
    SHOW_INSTALL = "show_install"
    """Show how missing packages are installed."""


@dataclass(frozen=True)
class Message:
    """What the message bar shows."""

    title: str
    """A few words."""
    text: str
    """What happened and what to do."""
    level: Qgis.MessageLevel
    """How bad it is."""
    action: Action | None = None
    """What the button does."""

    @property
    def seconds(self) -> int:
        """How long it stays; 0 for until it is closed."""
        return _SECONDS[self.level]


def of(error: BaseException | str) -> Message | None:
    """Return the message for an error, or for a plain notice; None for what is no news: the user has cancelled."""
    if isinstance(error, Cancelled):
        return None
    if isinstance(error, str):
        return Message("", error, Qgis.MessageLevel.Info)
    table = _table()
    for kind in type(error).__mro__:
        if kind in table:
            title, level, action = table[kind]
            return Message(title, str(error), level, action)
    text = tr("{kind}: {error}. Please report it, with what you did before.").format(
        kind=type(error).__name__, error=error
    )
    return Message(tr("Unexpected error"), text, Qgis.MessageLevel.Critical)


def show(
    bar: QgsMessageBar, error: BaseException | str, *, on_action: Callable[[Action], None] | None = None
) -> QgsMessageBarItem | None:
    """Show an error or a notice, once: the same one on top of itself says nothing new.

    Parameters
    ----------
    bar : QgsMessageBar
        The main window's.
    error : exception or str
        What to show.
    on_action : callable, optional
        Does what the button offers; without it there is no button.

    Returns
    -------
    QgsMessageBarItem or None
        What is shown now; None if nothing had to be said.
    """
    message = of(error)
    if message is None:
        return None
    text = escape(message.text)
    shown = bar.currentItem()
    if shown is not None and (shown.title(), shown.text()) == (message.title, text):
        return shown
    item = QgsMessageBar.createMessage(message.title, text)
    if message.action is not None and on_action is not None:
        item.layout().addWidget(_button(bar, item, message.action, on_action))
    item.setLevel(message.level)
    item.setDuration(message.seconds)
    bar.pushItem(item)
    return item


def label_of(action: Action) -> str:
    """Return what is written on the button."""
    return {
        Action.DOWNLOAD: tr("Download"),
        Action.COARSER: tr("Use coarser"),
        Action.RETRY: tr("Retry"),
        Action.OPEN_SETTINGS: tr("Open settings"),
        Action.SHOW_INSTALL: tr("Show how"),
    }[action]


def _button(
    bar: QgsMessageBar, item: QgsMessageBarItem, action: Action, on_action: Callable[[Action], None]
) -> QPushButton:
    button = QPushButton(label_of(action))

    def act() -> None:
        bar.popWidget(item)
        on_action(action)

    button.clicked.connect(act)
    return button


def _table() -> dict[type[BaseException], tuple[str, Qgis.MessageLevel, Action | None]]:
    """Return title, level and button for each kind of error; a kind that is not listed is shown as its parent."""
    info, warning, critical = Qgis.MessageLevel.Info, Qgis.MessageLevel.Warning, Qgis.MessageLevel.Critical
    return {
        errors.DependencyError: (tr("A package is missing"), warning, Action.SHOW_INSTALL),
        errors.LicenceError: (tr("Licence not accepted"), warning, Action.DOWNLOAD),
        errors.ModelNotInstalledError: (tr("Model not installed"), warning, Action.DOWNLOAD),
        errors.ModelFileError: (tr("Model file damaged"), critical, Action.DOWNLOAD),
        errors.ModelRunError: (tr("The model failed"), critical, Action.RETRY),
        errors.DownloadError: (tr("Download failed"), critical, Action.RETRY),
        errors.ServerBusyError: (tr("The server is busy"), warning, Action.RETRY),
        errors.ServerUnavailableError: (tr("No answer from the server"), critical, Action.RETRY),
        errors.EmptyPromptError: (tr("Nothing to look for"), info, None),
        errors.UnsupportedPromptError: (tr("Not possible with this model"), warning, None),
        errors.OutsideExtentError: (tr("Outside the image"), warning, None),
        errors.PromptError: (tr("Not a usable prompt"), warning, None),
        errors.MissingCrsError: (tr("No CRS"), warning, Action.OPEN_SETTINGS),
        errors.CrsError: (tr("No place in that CRS"), warning, None),
        errors.ChipTooLargeError: (tr("Too many pixels"), warning, Action.COARSER),
        errors.RasterReadError: (tr("Image can't be read"), critical, Action.RETRY),
        errors.SettingsError: (tr("A setting does not fit"), warning, None),
        errors.OutputError: (tr("Not kept"), critical, None),
        SegmentError: (tr("Prompt Segmenter"), critical, None),
    }


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Messages", text)
