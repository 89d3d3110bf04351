"""An interactive session whose answers are known on paper: a disc around each include click, and each box as it is."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import SimpleNamespace

from prompt_segmenter.core import native
from prompt_segmenter.core.errors import Cancelled
from prompt_segmenter.core.interactive import Answer
from prompt_segmenter.core.outlines.results import Provenance, SegmentedPolygon
from prompt_segmenter.core.prompts.box import BoxPrompt
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.shape import ShapePrompt
from prompt_segmenter.ui.live_session import LiveSession

RADIUS, CANDIDATES = 10.0, 3


class FakeInteractive:
    """What the map tool asks of a session. Candidate n has discs of n + 1 times the radius."""

    def __init__(self, crs):
        self.crs = crs
        self.encodes = 0
        self.encoded = set()
        self.asked = []
        self.aheads = []
        self.nears = []
        self.previous = []
        self.threads = set()
        self.fails = None
        self.finds_nothing = False
        self.go = threading.Event()
        self.go.set()
        self.made_with = None

    def encode_ahead(self, screen, progress, *, near=None):
        self.threads.add(threading.current_thread())
        self.aheads.append(screen)
        self.nears.append(near)
        self._work(progress, "Encoding the view")
        if screen in self.encoded:
            return 0
        self.encoded.add(screen)
        self.encodes += 1
        return 1

    def is_ready(self, screen):
        return screen in self.encoded

    def answer(self, prompts, screen, progress, *, previous=None):
        self.threads.add(threading.current_thread())
        self.asked.append(prompts.describe())
        self.previous.append(None if previous is None else previous.prompts.describe())
        self._work(progress, "Looking")
        if self.fails is not None:
            raise self.fails
        if screen not in self.encoded:
            self.encoded.add(screen)
            self.encodes += 1
        return self._answer(prompts, 0)

    def candidate(self, answer, index):
        return self._answer(answer.prompts, index % CANDIDATES)

    def reshaped(self, answer, outline, progress=None):
        self.made_with = outline
        return self._answer(answer.prompts, answer.chosen)

    def use_outline(self, outline):
        self.made_with = outline

    def provenance(self):
        return Provenance("fake", "00" * 32, "nowhere.tif", version="0")

    def _answer(self, prompts, chosen):
        shapely = native.shapely()
        radius = RADIUS * (chosen + 1)
        shape = shapely.geometry.Polygon()
        for prompt in prompts.prompts:
            if isinstance(prompt, BoxPrompt):
                shape = shape.union(shapely.geometry.box(*prompt.envelope()))
            elif isinstance(prompt, ShapePrompt):
                shape = shape.union(prompt.geometry)
            elif isinstance(prompt, PointPrompt):
                disc = shapely.geometry.Point(prompt.x, prompt.y).buffer(radius)
                shape = shape.union(disc) if prompt.include else shape.difference(disc)
        if self.made_with is not None and self.made_with.expand_m:
            shape = shape.buffer(self.made_with.expand_m)
        outline = None
        if not shape.is_empty and not self.finds_nothing:
            given = prompts.given or prompts
            outline = SegmentedPolygon(
                shape, 1, prompts.label, 0.9, shape.area, shape.length, given.describe(), 1.0, "0,0,64,64@64x64"
            )
        look = SimpleNamespace(grid=SimpleNamespace(crs=self.crs))
        return Answer(replace(prompts), look, outline, (look,) * CANDIDATES, chosen)

    def _work(self, progress, message):
        progress.report(0.5, message)
        end = time.monotonic() + 60.0
        while not self.go.wait(0.002):
            if progress.is_cancelled():
                raise Cancelled("stopped")
            if time.monotonic() > end:
                raise TimeoutError("the test forgot to let it go")


class FakeSessions:
    """Hands out live sessions on one fake; counts them."""

    device = "CPU"

    def __init__(self, crs, raster_crs):
        self.fake = FakeInteractive(crs)
        self._crs = raster_crs
        self.opened, self.closed = [], 0
        self.extra_key = 0
        self.fails_to_open = None

    def crs(self, choice, settings):
        return self._crs

    def key(self, choice, settings):
        layer = None if choice.layer is None else choice.layer.id()
        return layer, choice.model, choice.styled, self.extra_key

    def open(self, choice, settings):
        self.opened.append(choice)
        return LiveSession(self._load, self._close)

    def forget_cache(self):
        pass

    def _load(self, progress):
        if self.fails_to_open is not None:
            raise self.fails_to_open
        return self.fake

    def _close(self):
        self.closed += 1
