"""The map tool as a whole: its parts, what the user has chosen, and what happens when something under it goes away."""

from __future__ import annotations

from dataclasses import replace

from qgis.core import QgsFeature, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.gui import QgsMapCanvas, QgsMapTool
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..algorithms.dem_prompts import DemChoice
from ..core.errors import PromptError
from ..core.models import catalogue
from ..core.outlines.shape import OutlineSettings
from . import drawings, elevation_choice
from .gestures import Gestures
from .inquirer import Inquirer
from .keeper import Keeper
from .live_session import Found
from .mode import Mode
from .outlining import Outlining
from .overlay import Overlay
from .prompt_map_tool import PromptMapTool
from .prompt_state import OpenObject
from .session_source import Chosen, Sessions
from .status import Status
from .target_layer import AskForm, KeepSettings


class Segmenter(QObject):
    """What the panel and the plugin ask for, by methods named for it.

    Parameters
    ----------
    canvas : QgsMapCanvas
        Where the user points.
    sessions : Sessions, optional
        Makes live sessions.
    ask_form : callable, optional
        Shows a new object's attribute form.
    """

    status_changed = pyqtSignal(str, bool, object)
    """A sentence, whether something is being computed, and how much of it is done (0 to 1, or None)."""
    object_changed = pyqtSignal()
    """What is open, or what is known of it, has changed."""
    active_changed = pyqtSignal(bool)
    """The map tool was taken up or laid down."""
    target_made = pyqtSignal(object)
    """A memory layer was made, because there was no target layer."""
    kept = pyqtSignal(object)
    """An object was written; with what became of it."""
    failed = pyqtSignal(object)
    """Something went wrong that the user must know of; with the exception."""

    def __init__(
        self,
        canvas: QgsMapCanvas,
        *,
        sessions: Sessions | None = None,
        ask_form: AskForm | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._sessions = sessions or Sessions()
        self._chosen = Chosen(None, styled=False, model=catalogue.DEFAULT)
        self._before: QgsMapTool | None = None
        self._is_active = False
        self._is_closed = False
        self.overlay = Overlay(canvas)
        self.inquirer = Inquirer(canvas, self._sessions, self)
        self.outlining = Outlining(self.inquirer, self)
        self.keeper = Keeper(ask_form, self)
        self.gestures = Gestures(
            canvas, self.inquirer, self.outlining, keeper=self.keeper, overlay=self.overlay, parent=self
        )
        self.tool = PromptMapTool(canvas, self.gestures)
        self._status = Status(lambda: self._sessions.device, lambda: self.inquirer.worker.is_busy, self)
        self.inquirer.choose(self._chosen)
        self._connect()

    def choose_layer(self, layer: QgsRasterLayer | None) -> None:
        """Look at a raster layer, or with None at what the canvas shows."""
        # what is open was found on the image before, and can be kept as it is: the next prompt looks at the new one
        self._look_at(replace(self._chosen, layer=layer, dem=elevation_choice.picture_of(layer)))

    def choose_elevation(self, dem: DemChoice | None) -> None:
        """Look at the layer's heights as a picture of them, or with None at the layer as it is."""
        if dem != self._chosen.dem:
            self._choose(replace(self._chosen, dem=dem))

    def choose_style(self, styled: bool) -> None:
        """Look at the layer's style in place of its values."""
        self._choose(replace(self._chosen, styled=styled))

    def choose_model(self, name: str) -> None:
        """Use another model."""
        self._choose(replace(self._chosen, model=name))

    def choose_mode(self, mode: Mode) -> None:
        """Let a click mean something else."""
        self.gestures.mode = mode
        self.tool.show_pointer()

    def choose_target(self, layer: QgsVectorLayer | None) -> None:
        """Keep objects in a polygon layer, or with None in a new memory layer."""
        self.keeper.layer = layer
        self._leave_out(layer)

    def set_outline(self, settings: OutlineSettings) -> None:
        """Make outlines in another way, at once."""
        self.outlining.use_outline(settings)

    def set_label(self, label: str) -> None:
        """Give the next objects another class."""
        self.outlining.label = label
        self.keeper.settings = replace(self.keeper.settings, label=label)

    def set_keep_settings(self, settings: KeepSettings) -> None:
        """Keep the next objects in another way."""
        self.keeper.settings = settings
        self.outlining.label = settings.label

    def set_hover(self, wanted: bool) -> None:
        """Show what a click would give, or not."""
        self.gestures.anticipation.hover = wanted
        if not wanted:
            self.overlay.hide_tentative()

    def refresh_store(self) -> None:
        """Use another folder for encoded views, or none, because the settings have changed."""
        self._sessions.forget_cache()
        self._look_at(self._chosen)

    @property
    def is_active(self) -> bool:
        """True while the map tool is in use."""
        return self._is_active

    def activate(self) -> None:
        """Take up the map tool."""
        if self._is_active or self._is_closed:
            return
        self._before = self._canvas.mapTool()
        self._canvas.setMapTool(self.tool)

    def deactivate(self) -> None:
        """Lay the map tool down and take up the one before."""
        if not self._is_active:
            return
        before, self._before = self._before, None
        if before is not None and not sip.isdeleted(before):
            self._canvas.setMapTool(before)
        else:
            self._canvas.unsetMapTool(self.tool)

    def keep(self) -> None:
        """Keep the current object."""
        self.gestures.keep()

    def drop(self) -> None:
        """Drop the current object."""
        self.gestures.drop()

    def undo(self) -> None:
        """Take the last gesture back, also a drop."""
        self.gestures.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self.gestures.redo()

    def correct(self, layer: QgsVectorLayer, feature: QgsFeature) -> None:
        """Open a polygon of any layer, so that clicks correct it; what is kept then takes its place there."""
        shape, edited, crs = self.keeper.opened(feature, layer)
        self.outlining.change(lambda history: history.begin(shape, crs, edited=edited))

    def cancel(self) -> None:
        """Stop what is being computed; the prompts stay."""
        self.gestures.requests.forget()
        self.inquirer.worker.cancel_all()

    def summary(self) -> str:
        """Return the current object in words; empty if there is none."""
        item = self.outlining.current
        if item is None:
            return ""
        return drawings.summary(item, self.outlining.last_found(item), len(self.outlining.state.beside))

    @property
    def chosen(self) -> Chosen:
        """What is looked at, and by what."""
        return self._chosen

    @property
    def model(self) -> str:
        """Name of the model that is used."""
        return self._chosen.model

    def retry(self) -> None:
        """Ask again for what is open and has no answer."""
        self.outlining.follow()
        self.gestures.anticipation.again()

    def found(self) -> Found | None:
        """Return what was found for the current object, or None."""
        item = self.outlining.current
        return self.outlining.found(item) if item is not None else None

    @property
    def can_keep(self) -> bool:
        """True if the current object has an outline."""
        found = self.found()
        return found is not None and found.answer.outline is not None

    def close(self) -> bool:
        """Stop for good and leave nothing behind; return True if the worker has ended. For unload and quitting."""
        if self._is_closed:
            return True
        self.deactivate()
        self._is_closed = True
        self._disconnect()
        self.overlay.clear()
        return self.inquirer.close()

    def _connect(self) -> None:
        self.outlining.changed.connect(self._show)
        self.outlining.answered.connect(self._say_found)
        self.inquirer.failed.connect(self._fail)
        self.inquirer.stumbled.connect(self._status.stumble)
        self.inquirer.working.connect(self._status.work)
        self.inquirer.idle.connect(self._status.rest)
        self.inquirer.encoded.connect(self._status.tell_encoded)
        self.inquirer.outdated.connect(self.outlining.forget_closed)
        self.gestures.said.connect(self._status.tell)
        self._status.changed.connect(self.status_changed)
        self.gestures.failed.connect(self.failed)
        self.gestures.requests.kept.connect(self.kept)
        self.keeper.made.connect(self._take_target)
        self.tool.activated.connect(self._come)
        self.tool.deactivated.connect(self._go)
        self._canvas.destinationCrsChanged.connect(self._show)
        project = QgsProject.instance()
        project.layersWillBeRemoved["QStringList"].connect(self._lose_layers)
        project.cleared.connect(self._lose_project)
        QCoreApplication.instance().aboutToQuit.connect(self.close)

    def _disconnect(self) -> None:
        project = QgsProject.instance()
        project.layersWillBeRemoved["QStringList"].disconnect(self._lose_layers)
        project.cleared.disconnect(self._lose_project)
        QCoreApplication.instance().aboutToQuit.disconnect(self.close)
        if not sip.isdeleted(self._canvas):
            self._canvas.destinationCrsChanged.disconnect(self._show)

    def _choose(self, chosen: Chosen) -> None:
        """Look at another picture, or with another model, and find all that is open anew."""
        self._look_at(chosen)
        self.outlining.forget_answers()

    def _look_at(self, chosen: Chosen) -> None:
        self._chosen = chosen
        self.inquirer.choose(chosen)
        self.outlining.forget_closed()
        self.gestures.anticipation.again()

    def _come(self) -> None:
        self._is_active = True
        self.gestures.anticipation.begin()
        self._show()
        self.active_changed.emit(True)

    def _go(self) -> None:
        self._is_active = False
        self.gestures.anticipation.end()
        self.inquirer.worker.give_way()
        self.overlay.clear()
        self.active_changed.emit(False)

    def _show(self) -> None:
        """Draw what is open, while the tool is in use, and tell the panel."""
        if self._is_active:
            crs = self._canvas.mapSettings().destinationCrs()
            self.overlay.show_objects(
                [
                    drawings.drawing(
                        item,
                        self.outlining.last_found(item),
                        crs,
                        is_current=item is self.outlining.current,
                        is_answered=self.outlining.found(item) is not None,
                    )
                    for item in self.outlining.state.objects
                ]
            )
        self.object_changed.emit()

    def _say_found(self, item: OpenObject) -> None:
        found = self.outlining.found(item)
        if found is not None and item is self.outlining.current:
            self._status.tell_found(found)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, PromptError):
            self._status.tell(tr("That prompt can't be used and was taken back."))
        else:
            self._status.tell(tr("It did not work. Your prompts are still there."))
        self.failed.emit(error)

    def _leave_out(self, layer: QgsVectorLayer | None) -> None:
        """Don't look at what is kept, where all that the canvas shows is looked at."""
        self._chosen = replace(self._chosen, leave_out=layer)
        self.inquirer.adjust(self._chosen)

    def _take_target(self, layer: QgsVectorLayer) -> None:
        self._leave_out(layer)
        self.target_made.emit(layer)

    def _lose_layers(self, layer_ids: list[str]) -> None:
        """Go on without layers that are being removed: what was found stays, and can be kept."""
        target = self.keeper.layer
        if target is not None and target.id() in layer_ids:
            self.keeper.layer = None
            self._leave_out(None)
        for layer_id in layer_ids:
            self.outlining.history.forget_edited(layer_id)
        looked_at = self._chosen.layer
        if looked_at is not None and (sip.isdeleted(looked_at) or looked_at.id() in layer_ids):
            self._chosen = replace(self._chosen, layer=None, dem=None)
            self.inquirer.choose(None)
            self._status.tell(tr("The image was removed. Choose another one to go on."))
        self._show()

    def _lose_project(self) -> None:
        """Begin anew: the map is another one."""
        self.inquirer.worker.cancel_all()
        self.gestures.requests.forget()
        self.outlining.clear()


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Segmenter", text)
