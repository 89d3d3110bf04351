"""The servers page at work: remembers what is set, asks how servers are, and starts one."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication, QObject, QTimer, pyqtSignal

from ..algorithms import server_settings
from ..core.errors import SegmentError
from ..core.remote.address import warnings_of
from ..core.remote.samgeo_status import SamgeoStatus
from .samgeo_runner import SamgeoRunner
from .server_box import ServerBox
from .server_controls import ServerControls
from .server_inquiry import ServerInquiry, ask_samgeo, ask_samgis

AGAIN_EVERY_MS = 15_000
"""How often a samgeo server is asked while somebody looks. A SamGIS server isn't: newer ones read through all their
weights for each answer."""


class ServersPage(QObject):
    """Joins the panel's servers page with settings, servers and the process.

    ``failed`` comes with an exception that the user should see, ``changed`` when another server is in use.

    Parameters
    ----------
    controls : ServerControls
        The page's widgets.
    runner : SamgeoRunner, optional
        Runs a server.
    """

    failed = pyqtSignal(object)
    changed = pyqtSignal()

    def __init__(
        self, controls: ServerControls, *, runner: SamgeoRunner | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._controls = controls
        self._is_closed = False
        self.runner = runner or SamgeoRunner(parent=self)
        self.samgeo = ServerInquiry(ask_samgeo, self)
        self.samgis = ServerInquiry(ask_samgis, self)
        self._timer = QTimer(self)
        self._timer.setInterval(AGAIN_EVERY_MS)
        self._connect()
        self._show_settings()

    def refresh(self) -> None:
        """Ask both servers how they are; returns at once."""
        self.refresh_samgeo()
        self.refresh_samgis()

    def refresh_samgeo(self, *, may_ask: bool | None = False) -> None:
        """Ask the samgeo server; ``may_ask`` lets QGIS ask for the master password of a login."""
        self._ask("samgeo", self._controls.samgeo, self.samgeo, may_ask)

    def refresh_samgis(self, *, may_ask: bool | None = False) -> None:
        """Ask the SamGIS server."""
        self._ask("samgis", self._controls.samgis, self.samgis, may_ask)

    def close(self) -> bool:
        """Stop for good: questions at once, the server in a moment. Return True if all has ended."""
        if self._is_closed:
            return True
        self._is_closed = True
        self._timer.stop()
        QCoreApplication.instance().aboutToQuit.disconnect(self._quit)
        ended = [self.samgeo.close(), self.samgis.close(), self.runner.close()]
        return all(ended)

    def _connect(self) -> None:
        controls, runner = self._controls, self.runner
        controls.changed.connect(self._store)
        controls.shown.connect(self.refresh)
        controls.samgeo.refresh_requested.connect(lambda: self.refresh_samgeo(may_ask=None))
        controls.samgis.refresh_requested.connect(lambda: self.refresh_samgis(may_ask=None))
        controls.start_requested.connect(self._start)
        controls.stop_requested.connect(runner.stop)
        controls.progress.cancel_requested.connect(runner.stop)
        runner.starting.connect(controls.show_starting)
        runner.said.connect(controls.show_log)
        runner.started.connect(lambda _: self._show_process())
        runner.stopped.connect(self._show_process)
        runner.failed.connect(self._fail_to_start)
        self.samgeo.answered.connect(self._show_samgeo)
        self.samgeo.failed.connect(lambda error: controls.samgeo.show_state([str(error)]))
        self.samgis.answered.connect(controls.samgis.show_state)
        self.samgis.failed.connect(lambda error: controls.samgis.show_state([str(error)]))
        self._timer.timeout.connect(self._again)
        self._timer.start()
        QCoreApplication.instance().aboutToQuit.connect(self._quit)

    def _ask(self, which: str, box: ServerBox, inquiry: ServerInquiry, may_ask: bool | None) -> None:
        try:
            address = server_settings.address(which, may_ask=may_ask)
            warnings = [] if address is None else list(warnings_of(address))
        except SegmentError as error:
            inquiry.cancel()
            box.show_state([str(error)])
            return
        if address is None:
            inquiry.cancel()
            box.show_state([tr("None is set up.")])
            return
        if not box.state.text():
            box.show_state([tr("Asking…"), *warnings])
        inquiry.start(address)

    def _again(self) -> None:
        if self._controls.isVisible() and not self.samgeo.is_asking:
            self.refresh_samgeo()

    def _show_samgeo(self, status: SamgeoStatus) -> None:
        self._controls.samgeo.show_state(status.lines())
        if status.models:
            self._controls.show_models(f"{version}:{name}" for version, names in status.models for name in names)

    def _store(self) -> None:
        wanted = self._controls.settings()
        for box, url in ((self._controls.samgeo, wanted.samgeo_url), (self._controls.samgis, wanted.samgis_url)):
            try:
                server_settings.require_storable(url)
            except SegmentError as error:
                box.show_state([tr("Not stored: {}").format(error)])
                return
        server_settings.store(wanted)
        for box in (self._controls.samgeo, self._controls.samgis):
            box.show_state([])
        self._show_settings()
        self.refresh()
        self.changed.emit()

    def _start(self) -> None:
        self._controls.show_starting(tr("Starting samgeo-api"))
        self.runner.start(self._controls.settings().samgeo_command)

    def _show_process(self) -> None:
        """Show that a server has begun or ended."""
        if self._is_closed:
            return
        self._controls.show_starting("")
        self._controls.samgeo.show_state([])
        self._show_settings()
        self.refresh_samgeo()
        self.changed.emit()

    def _fail_to_start(self, error: Exception) -> None:
        self._controls.samgeo.show_state([str(error)])
        self.failed.emit(error)

    def _show_settings(self) -> None:
        samgeo, samgis = (
            (server_settings.url_of(which), server_settings.named_by(which)) for which in ("samgeo", "samgis")
        )
        self._controls.show_settings(server_settings.stored(), samgeo, samgis)
        self._controls.show_running(self.runner.is_running, may_start=not samgeo[0])

    def _quit(self) -> None:
        self.runner.close_with_qgis()
        self.close()


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ServersPage", text)
