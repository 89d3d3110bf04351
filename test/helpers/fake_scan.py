"""A scan that finds what the test says, one batch after the other, when the test says so."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

from prompt_segmenter.core.errors import Cancelled
from prompt_segmenter.core.models.model import ModelSpec
from prompt_segmenter.core.outlines.results import Provenance, SegmentationResult
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.ui.loaded_models import LoadedModels

PROVENANCE = Provenance("starter_words + starter", "cd" * 32, "scene.tif", "bands=1", "windows", "2026-01-01T00:00:00Z")
WORDS = ModelSpec(
    name="any_words",
    title="Any words",
    family="test",
    accepts=frozenset({"words"}),
    files=(),
    input_size_px=64,
    licence="none",
    citation_url="",
)


class FakeScan:
    """Stands in for the class: called with source, finder and settings it plays its batches, as far as they are let."""

    def __init__(self, *batches):
        self.batches = batches
        self.calls = []
        self.let = len(batches)
        self.fails = None
        self.threads = set()
        self.ended = threading.Event()

    def __call__(self, source, finder, settings=None):
        self.calls.append(SimpleNamespace(source=source, finder=finder, settings=settings))
        self.ended.clear()
        return self

    @property
    def settings(self):
        return self.calls[-1].settings

    def run(self, progress, on_found=None):
        self.threads.add(threading.current_thread())
        given, warnings = [], ()
        try:
            for number, batch in enumerate(self.batches, start=1):
                while self.let < number and not progress.is_cancelled():
                    progress.report(number / (len(self.batches) + 1), f"Window {number} of {len(self.batches)}")
                    time.sleep(0.005)
                if progress.is_cancelled():
                    if not self.settings.keep_on_cancel:
                        raise Cancelled("Stopped on request.")
                    warnings = ("Stopped: only a part was looked at.",)
                    break
                given += batch
                on_found(batch)
            if self.fails is not None:
                raise self.fails
            return SegmentationResult(tuple(given), "EPSG:32633", 0.1, PROVENANCE, warnings)
        finally:
            self.ended.set()


class FakeWords:
    """Takes any word but those that it is told to refuse."""

    spec, weights_sha256, preprocess_version = WORDS, "cd" * 32, 1

    def __init__(self):
        self.refuses = None

    def require_known(self, phrases):
        if self.refuses is not None:
            raise self.refuses

    def find(self, image, phrases, progress):
        return []


class FakeStore(LoadedModels):
    """Has every model."""

    def __init__(self):
        super().__init__()
        self.words = FakeWords()
        self.loads = []

    def missing(self, spec):
        return ()

    def is_accepted(self, spec):
        return True

    def _load(self, model, settings, progress):
        self.loads.append(model)
        return self.words if "words" in self.get(model).accepts else SameBrightness()
