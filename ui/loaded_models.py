"""The models that searches use: of each kind the last one is kept, so that the next search begins at once."""

from __future__ import annotations

from ..core.models.finding import WordModel
from ..core.models.model import LoadedModel, ModelSpec, RuntimeSettings, SegmentationModel
from ..core.models.store import ModelStore
from ..core.progress import NullProgress, Progress, check

_Key = tuple[str, RuntimeSettings]
_LOADING = "Loading the model"


class LoadedModels(ModelStore):
    """A weights folder that remembers what it loaded. For one thread, like any."""

    _clicks: tuple[_Key, SegmentationModel] | None = None
    _words: tuple[_Key, WordModel] | None = None
    _examples: tuple[_Key, LoadedModel] | None = None

    def load(
        self, model: str | ModelSpec, *, settings: RuntimeSettings | None = None, progress: Progress | None = None
    ) -> SegmentationModel:
        """Return a click model; see :meth:`ModelStore.load`."""
        key, progress = _key(model, settings), progress or NullProgress()
        if self._clicks is None or self._clicks[0] != key:
            # the one before goes first: two large ones may not fit
            self._clicks = None
            progress.report(0.0, _LOADING)
            self._clicks = (key, super().load(model, settings=settings, progress=progress))
            check(progress)
        return self._clicks[1]

    def load_words(
        self, model: str | ModelSpec, *, settings: RuntimeSettings | None = None, progress: Progress | None = None
    ) -> WordModel:
        """Return a model that takes words; see :meth:`ModelStore.load_words`."""
        key, progress = _key(model, settings), progress or NullProgress()
        if self._words is None or self._words[0] != key:
            self._words = None
            progress.report(0.0, _LOADING)
            self._words = (key, super().load_words(model, settings=settings, progress=progress))
            check(progress)
        return self._words[1]

    def load_for_examples(
        self, model: str | ModelSpec, *, settings: RuntimeSettings | None = None, progress: Progress | None = None
    ) -> LoadedModel:
        """Return what finds the like of examples; see :meth:`ModelStore.load_for_examples`."""
        spec = self.get(model) if isinstance(model, str) else model
        if "point" in spec.accepts:
            # one that takes clicks is the same for both
            return self.load(model, settings=settings, progress=progress)
        key, progress = _key(model, settings), progress or NullProgress()
        if self._examples is None or self._examples[0] != key:
            self._examples = None
            progress.report(0.0, _LOADING)
            self._examples = (key, super().load_for_examples(model, settings=settings, progress=progress))
            check(progress)
        return self._examples[1]


def _key(model: str | ModelSpec, settings: RuntimeSettings | None) -> _Key:
    return model if isinstance(model, str) else model.name, settings or RuntimeSettings()
