"""Answers while somebody points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, EmptyPromptError, OutsideExtentError
from prompt_segmenter.core.interactive import InteractiveSession
from prompt_segmenter.core.models.model import LookPolicy
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.prompts.parse import parse_prompts
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.prompt import PromptSet
from prompt_segmenter.core.prompts.shape import ShapePrompt
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.screen import ScreenView
from prompt_segmenter.core.session import SegmentationSession
from prompt_segmenter.core.trace import Trace
from prompt_segmenter.test.helpers.fake_model import SameBrightness

QUIET = NullProgress()
GRIDS = {
    "UTM": PixelGrid((0.5, 0.0, 500_000.0, 0.0, -0.5, 4_600_000.0), "EPSG:32633", 1000, 800),
    "degrees": PixelGrid((5e-6, 0.0, 15.0, 0.0, -4e-6, 41.5), "EPSG:4326", 1000, 800),
    "turned": PixelGrid((0.3, 0.4, 500_000.0, 0.4, -0.3, 4_600_000.0), "EPSG:32633", 1000, 800),
}
ROOF = (slice(300, 380), slice(420, 540))


class Stopped(NullProgress):
    def is_cancelled(self):
        return True


def picture():
    data = np.random.default_rng(3).normal(70, 5, (3, 800, 1000))
    data[(slice(None), *ROOF)] = np.random.default_rng(4).normal(190, 1.5, (3, 80, 120))
    data[:, 500:560, 700:720] = 190.0
    return data.clip(0, 255).astype(np.uint8)


def opened(grid, model):
    return InteractiveSession(SegmentationSession(ArraySource(picture(), grid, already_rgb=True), model))


@pytest.fixture(scope="module")
def starter():
    return ModelStore().load("starter")


@pytest.fixture(params=list(GRIDS))
def grid(request):
    return GRIDS[request.param]


@pytest.fixture
def seen(grid):
    """A window of 600 x 500 screen pixels around the roof, at the raster's resolution."""
    corners = grid.to_map([(200, 100), (800, 100), (800, 600), (200, 600)])
    (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
    return ScreenView((left, bottom, right, top), max(grid.resolution))


def at(grid, col, row, *, include=True):
    x, y = grid.to_map([(col, row)])[0]
    return PointPrompt(float(x), float(y), include)


def asked(grid, *points):
    return PromptSet(tuple(points), grid.crs)


def truth(look):
    """The roof on a look's grid."""
    columns, rows = np.meshgrid(np.arange(look.grid.width) + 0.5, np.arange(look.grid.height) + 0.5)
    native = look.view.window
    col = native.col + columns * native.width / look.grid.width
    row = native.row + rows * native.height / look.grid.height
    return (row >= 300) & (row < 380) & (col >= 420) & (col < 540)


def iou(look):
    wanted = truth(look)
    return (look.mask & wanted).sum() / (look.mask | wanted).sum()


def test_after_the_view_is_encoded_a_click_only_decodes_and_finds_the_roof(starter, grid, seen):
    session = opened(grid, starter)
    assert not session.is_ready(seen)
    assert session.encode_ahead(seen, QUIET) > 0
    assert session.is_ready(seen)
    before = session.encodes
    answer = session.answer(asked(grid, at(grid, 480, 340)), seen, QUIET)
    assert session.encodes == before
    assert iou(answer.look) > 0.85
    assert answer.outline.score > 0.5
    assert session.encode_ahead(seen, QUIET) == 0


def test_an_answer_can_be_had_again_from_its_prompts_and_window_alone(starter, grid, seen):
    session = opened(grid, starter)
    first = session.answer(asked(grid, at(grid, 480, 340)), seen, QUIET)
    second = session.answer(
        asked(grid, at(grid, 480, 340), at(grid, 530, 340, include=False)), seen, QUIET, previous=first
    )
    third = session.candidate(first, 1)
    for answer in (first, second, third):
        fresh = SegmentationSession(ArraySource(picture(), grid, already_rgb=True), starter)
        look = fresh.looker().again(
            Trace.parse(answer.outline.window), parse_prompts(answer.outline.prompts, crs=grid.crs), QUIET
        )
        assert np.array_equal(look.mask, answer.look.mask)
        assert fresh.outline(look, answer.prompts).geometry.equals(answer.outline.geometry)


def test_further_clicks_give_the_same_whether_or_not_the_answer_before_is_given(starter, grid, seen):
    session = opened(grid, starter)
    points = [at(grid, 480, 340), at(grid, 530, 310), at(grid, 560, 340, include=False)]
    step = None
    for count in (1, 2, 3):
        step = session.answer(asked(grid, *points[:count]), seen, QUIET, previous=step)
    at_once = session.answer(asked(grid, *points), seen, QUIET)
    assert np.array_equal(step.look.mask, at_once.look.mask)
    assert step.outline.window == at_once.outline.window


def test_prompts_in_another_crs_are_answered_and_repeated_as_they_were_given(starter):
    grid = GRIDS["UTM"]
    there = asked(grid, at(grid, 480, 340)).transformed("EPSG:4326")
    screen = ScreenView((500_100.0, 4_599_700.0, 500_400.0, 4_599_950.0), 0.5)
    answer = opened(grid, starter).answer(there, screen, QUIET)
    assert iou(answer.look) > 0.85
    assert answer.outline.prompts == there.describe()


def test_a_shape_is_its_own_answer_and_a_click_corrects_it(starter, grid, seen):
    ring = [(420, 300), (540, 300), (540, 440), (420, 440)]  # 60 rows too many
    corners = ", ".join(f"{x!r} {y!r}" for x, y in grid.to_map([*ring, ring[0]]))
    shape = ShapePrompt(f"POLYGON (({corners}))")
    session = opened(grid, starter)
    given = session.answer(asked(grid, shape), seen, QUIET)
    assert given.outline.geometry.equals(shape.geometry)
    better = session.answer(asked(grid, shape, at(grid, 480, 410, include=False)), seen, QUIET, previous=given)
    assert iou(better.look) > max(0.8, iou(given.look))
    assert "beyond the image" not in " ".join(better.warnings)
    again = session.answer(parse_prompts(better.outline.prompts, crs=grid.crs), seen, QUIET)
    assert again.outline.geometry.equals(better.outline.geometry)


def test_correcting_a_shape_that_goes_on_beyond_the_raster_says_what_is_lost(starter, grid, seen):
    ring = [(-60, 300), (90, 300), (90, 440), (-60, 440)]
    corners = ", ".join(f"{x!r} {y!r}" for x, y in grid.to_map([*ring, ring[0]]))
    shape = ShapePrompt(f"POLYGON (({corners}))")
    session = opened(grid, starter)
    given = session.answer(asked(grid, shape), seen, QUIET)
    assert given.warnings == ()
    better = session.answer(asked(grid, shape, at(grid, 40, 410)), seen, QUIET, previous=given)
    assert "beyond the image" in " ".join(better.warnings)


def test_a_shape_beside_the_raster_is_named_in_a_short_message(starter, grid, seen):
    ring = [(-2000 - row % 2, row) for row in range(400)]
    corners = ", ".join(f"{x!r} {y!r}" for x, y in grid.to_map([*ring, (-2090, 200), ring[0]]))
    with pytest.raises(OutsideExtentError) as caught:
        opened(grid, starter).answer(asked(grid, ShapePrompt(f"POLYGON (({corners}))")), seen, QUIET)
    assert len(str(caught.value)) < 400


def test_a_box_is_looked_at_by_its_own_size(starter, grid, seen):
    corners = grid.to_map([(420, 300), (540, 380), (420, 380), (540, 300)])
    box = (*corners.min(axis=0), *corners.max(axis=0))
    answer = opened(grid, starter).answer(prompts(box=box, crs=grid.crs), seen, QUIET)
    assert iou(answer.look) > 0.8


def test_what_is_larger_than_the_window_is_still_found_whole(starter):
    grid = GRIDS["UTM"]
    tiny = ScreenView((500_225.0, 4_599_830.0, 500_245.0, 4_599_845.0), 0.02)  # all roof
    answer = opened(grid, starter).answer(asked(grid, at(grid, 480, 340)), tiny, QUIET)
    assert not answer.look.cut
    assert iou(answer.look) > 0.8


def test_a_model_with_a_frame_encodes_the_window_once_for_all_clicks(grid, seen):
    model = SameBrightness(LookPolicy(1024), candidates=2)
    session = opened(grid, model)
    session.encode_ahead(seen, QUIET)
    before = session.encodes
    first = session.answer(asked(grid, at(grid, 480, 340)), seen, QUIET)
    session.answer(asked(grid, at(grid, 710, 530)), seen, QUIET)
    assert session.encodes == before == 1
    assert iou(first.look) > 0.95
    assert [look.trace.candidate for look in first.candidates] == [None, 1]
    assert session.candidate(first, 1).outline.window.endswith(" candidate 1")
    assert session.candidate(first, 2).chosen == 0


def test_outline_settings_change_the_current_answer_without_asking_the_model(grid, seen):
    model = SameBrightness(LookPolicy(1024))
    session = opened(grid, model)
    answer = session.answer(asked(grid, at(grid, 480, 340)), seen, QUIET)
    asked_before = len(model.previous)
    larger = session.reshaped(answer, OutlineSettings(expand_m=1.0))
    assert larger.outline.area_m2 > answer.outline.area_m2
    assert len(model.previous) == asked_before
    assert "expand=1" in session.provenance().settings.replace("_m", "")
    both = session.reshaped(answer, OutlineSettings(parts=PartRule.ALL))
    assert both.look.mask.sum() > answer.look.mask.sum()


def test_prompts_that_cannot_be_answered_are_refused(starter, grid, seen):
    session = opened(grid, starter)
    with pytest.raises(EmptyPromptError):
        session.answer(asked(grid, at(grid, 480, 340, include=False)), seen, QUIET)
    with pytest.raises(OutsideExtentError):
        session.answer(asked(grid, at(grid, -50, 340)), seen, QUIET)


def test_encoding_ahead_stops_when_asked_and_what_was_encoded_stays(starter, grid, seen):
    class AfterOne(NullProgress):
        def is_cancelled(self):
            return session.encodes >= 1

    session = opened(grid, starter)
    with pytest.raises(Cancelled):
        session.encode_ahead(seen, Stopped())
    assert session.encodes == 0
    with pytest.raises(Cancelled):
        session.encode_ahead(seen, AfterOne())
    assert session.encodes == 1
    missing = session.encode_ahead(seen, QUIET)
    assert missing == len(session._ahead(seen)) - 1


def test_nothing_found_is_an_answer_without_an_outline():
    grid = GRIDS["UTM"]
    data, valid = picture(), np.ones((800, 1000), bool)
    valid[330:350, 470:490] = False
    source = ArraySource(data, grid, valid=valid, already_rgb=True)
    session = InteractiveSession(SegmentationSession(source, SameBrightness(LookPolicy(1024))))
    screen = ScreenView((500_100.0, 4_599_700.0, 500_400.0, 4_599_950.0), 0.5)
    answer = session.answer(asked(grid, at(grid, 480, 340)), screen, QUIET)
    assert answer.outline is None
    assert answer.look.blank
    more = session.answer(asked(grid, at(grid, 480, 340), at(grid, 450, 340)), screen, QUIET, previous=replace(answer))
    assert more.outline is not None
