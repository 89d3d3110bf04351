"""Which model: those of the catalogue, what each may be used for, and the way to get one that is not here."""

from __future__ import annotations

from urllib.parse import urlsplit

from qgis.PyQt.QtCore import QCoreApplication, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QLabel, QPushButton, QVBoxLayout, QWidget

from ..core.models import catalogue
from ..core.models.model import ModelSpec
from ..core.models.store import ModelStore
from ..core.search import WORDS
from . import licence
from .preferences import Preferences

_KEY = "model"
_MB = 1_000_000


class ModelControls(QWidget):
    """A list of models, and a download button for one that is not here.

    ``chosen`` is emitted with the name of a model that can be used at once, ``download_asked`` with that of one that
    the user wants to have.

    Parameters
    ----------
    store : ModelStore, optional
        Where it looks which models are here.
    kind : str
        What the models must take, e.g. "point" or "words".
    key : str
        Under which the choice is remembered.
    title : str, optional
        What the list is called.
    """

    chosen = pyqtSignal(str)
    download_asked = pyqtSignal(str)

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        store: ModelStore | None = None,
        kind: str = "point",
        key: str = _KEY,
        title: str = "",
    ) -> None:
        super().__init__(parent)
        self._kind, self._key = kind, key
        self._store = store or ModelStore()
        self.list = QComboBox()
        self.list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.list.setMinimumContentsLength(10)
        self.list.setAccessibleName(title or tr("Model"))
        self._about = QLabel()
        self._about.setWordWrap(True)
        self._download = QPushButton(tr("Download"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.list, self._about, self._download):
            layout.addWidget(widget)
        self._chosen = ""
        self._fill(Preferences().text(key, self._default()))
        self.list.currentIndexChanged.connect(self._choose)
        self._download.clicked.connect(lambda: self.download_asked.emit(self.list.currentData()))

    def name(self) -> str:
        """Return the model that is used: the chosen one, or while that is not here, the last one that was.

        Empty if there is none of this kind.
        """
        return self._chosen or self._default()

    def choose(self, name: str) -> None:
        """Choose a model by its name; an unknown one changes nothing."""
        index = self.list.findData(name)
        if index >= 0:
            self.list.setCurrentIndex(index)

    def refresh(self) -> None:
        """Look again which models are here, for example after a download."""
        before = self._chosen
        self._fill(self.list.currentData())
        if self._chosen != before:
            self.chosen.emit(self._chosen)

    def _default(self) -> str:
        """Return the model that is used at first: one that is here, if there is one."""
        specs = self._specs()
        if any(spec.name == catalogue.DEFAULT for spec in specs):
            return catalogue.DEFAULT
        here = [spec for spec in specs if not spec.server and self._is_usable(spec)]
        return (here or specs)[0].name if specs else ""

    def _specs(self) -> list[ModelSpec]:
        """Return the models of this kind; words may also be asked of a server that fetches the map itself."""
        servers = catalogue.map_servers(self._kind) if self._kind == WORDS else []
        return [*self._store.taking(self._kind), *servers]

    def _is_usable(self, spec: ModelSpec) -> bool:
        return not self._store.missing(spec) and licence.is_accepted(self._store, spec)

    def _fill(self, wanted: str) -> None:
        blocked = self.list.blockSignals(True)
        self.list.clear()
        for spec in self._specs():
            here = not self._store.missing(spec)
            title = spec.title if here else tr("{title} (to be downloaded)").format(title=spec.title)
            self.list.addItem(title, spec.name)
            self.list.setItemData(self.list.count() - 1, about(spec), Qt.ItemDataRole.ToolTipRole)
        self.list.setCurrentIndex(max(0, self.list.findData(wanted)))
        self.list.blockSignals(blocked)
        self._show()

    def _choose(self, *_: object) -> None:
        before = self._chosen
        self._show()
        if self._chosen != before:
            Preferences().set(self._key, self._chosen)
            self.chosen.emit(self._chosen)

    def _show(self) -> None:
        """Show what the current entry is; take it as the chosen one if it is here."""
        if self.list.currentData() is None:
            self._about.setText(tr("No model of this kind is known."))
            self._download.setVisible(False)
            return
        spec = self._store.get(self.list.currentData())
        here, usable = not self._store.missing(spec), self._is_usable(spec)
        self.list.setToolTip(about(spec))
        self._about.setVisible(not usable)
        self._download.setVisible(not usable)
        if usable:
            self._chosen = spec.name
            return
        instead = self._store.get(self.name())
        self._about.setText(_lacking(spec, here=here, instead=instead if self._is_usable(instead) else None))
        self._download.setText(tr("Read the licence") if here else tr("Download"))
        self._download.setAccessibleName(tr("Download the model {title}").format(title=spec.title))


def _lacking(spec: ModelSpec, *, here: bool, instead: ModelSpec | None) -> str:
    """Return why a model can't be used yet, and what is used until then."""
    used = tr("Until then: {used}.").format(used=instead.title) if instead is not None else ""
    if here:
        said = tr("Its licence ({licence}) has to be accepted first.").format(licence=spec.licence)
    else:
        said = tr("Not on this machine yet: {size} from {host}, licence {licence}.").format(
            size=size_of(spec), host=host_of(spec), licence=spec.licence
        )
    return f"{said} {used}".strip()


def about(spec: ModelSpec) -> str:
    """Return what a user should know about a model, as lines."""
    takes = ", ".join(sorted(spec.accepts))
    lines = [
        spec.title,
        tr("Size: {size}").format(size=size_of(spec)),
        tr("Licence: {licence}").format(licence=spec.licence),
        tr("Takes: {kinds}").format(kinds=takes),
    ]
    return "\n".join([*lines, spec.citation_url] if spec.citation_url else lines)


def size_of(spec: ModelSpec) -> str:
    """Return a model's size in megabytes, as far as it is known."""
    if spec.server:
        return tr("runs on a server")
    if all(file.bundled for file in spec.files):
        return tr("comes with the plugin")
    if not all(file.size for file in spec.files):
        return tr("size unknown")
    return f"{sum(file.size for file in spec.files) / _MB:.0f} MB"


def host_of(spec: ModelSpec) -> str:
    """Return where a model is fetched from."""
    hosts = [urlsplit(file.url).hostname or "" for file in spec.files if file.url]
    return ", ".join(dict.fromkeys(hosts)) or tr("nowhere: copy its files into the models folder")


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ModelControls", text)
