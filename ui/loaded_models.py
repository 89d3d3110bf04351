"""The models that searches use: each kind keeps the one that was used last, so that the next search begins at once."""

from __future__ import annotations

from ..core.models.finding import WordModel
from ..core.models.model import RuntimeSettings, SegmentationModel
from ..core.models.store import ModelStore
from ..core.progress import Progress, check

_Key = tuple[str, RuntimeSettings]
_LOADING = "Loading the model"


class LoadedModels:
    """Loads in the thread that asks, which is always the same one.

    Parameters
    ----------
    store : ModelStore, optional
        Where weights are.
    """

    def __init__(self, store: ModelStore | None = None) -> None:
        self._store = store
        self._clicks: tuple[_Key, SegmentationModel] | None = None
        self._words: tuple[_Key, WordModel] | None = None

    def clicks(self, name: str, settings: RuntimeSettings, progress: Progress) -> SegmentationModel:
        """Return a click model; raises like :meth:`ModelStore.load`."""
        key = (name, settings)
        if self._clicks is None or self._clicks[0] != key:
            # the one before goes first: two large ones may not fit
            self._clicks = None
            progress.report(0.0, _LOADING)
            self._clicks = (key, self._from().load(name, settings=settings, progress=progress))
            check(progress)
        return self._clicks[1]

    def words(self, name: str, settings: RuntimeSettings, progress: Progress) -> WordModel:
        """Return a model that takes words; raises like :meth:`ModelStore.load_words`."""
        key = (name, settings)
        if self._words is None or self._words[0] != key:
            self._words = None
            progress.report(0.0, _LOADING)
            self._words = (key, self._from().load_words(name, settings=settings, progress=progress))
            check(progress)
        return self._words[1]

    def _from(self) -> ModelStore:
        # a store is for one thread, and this one is the thread of the searches
        self._store = self._store or ModelStore()
        return self._store
