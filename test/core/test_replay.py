"""Results say enough to be made again, and a replay says which came out the same."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, RasterReadError
from prompt_segmenter.core.interactive import InteractiveSession
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.prompt import PromptSet
from prompt_segmenter.core.prompts.shape import ShapePrompt
from prompt_segmenter.core.raster.crs import transform_points
from prompt_segmenter.core.raster.rgb import RgbSettings
from prompt_segmenter.core.raster.sources import open_source
from prompt_segmenter.core.raster.stretch import Stretch
from prompt_segmenter.core.replay import Record, Replayer, Verdict
from prompt_segmenter.core.screen import ScreenView
from prompt_segmenter.core.session import SegmentationSession, SessionSettings
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.rasters import UTM, write_raster
from shapely.affinity import translate
from shapely.ops import transform

QUIET = NullProgress()
TURNED = (8.0, 6.0, 500_000.0, 6.0, -8.0, 4_600_000.0)
PALETTE = {0: (0, 90, 0, 255), 1: (200, 30, 30, 255), 2: (30, 30, 200, 255), 3: (0, 0, 0, 0)}


def blocks(dtype="uint8", values=(40, 200, 120), bands=3):
    """150 x 120 pixels: ground, a block of 30 x 20 pixels and one of 20 x 25."""
    data = np.full((bands, 120, 150), values[0], dtype)
    data[:, 40:60, 50:80] = values[1]
    data[:, 80:105, 100:120] = values[2]
    return data


RASTERS = {
    "8 bit": {"data": blocks()},
    "16 bit": {"data": blocks("uint16", (310, 2900, 1777)) + np.arange(150, dtype=np.uint16)},
    "float, one band": {"data": blocks("float32", (0.1, 0.7, 0.33), bands=1)},
    "turned": {"data": blocks(), "transform": TURNED},
    "palette": {"data": blocks("uint8", (0, 1, 2), bands=1), "palette": PALETTE},
    "degrees": {
        "data": blocks(), "crs": "EPSG:4326", "transform": (0.00013, 0, 15.1, 0, -0.00009, 46.7)
    },
}  # fmt: skip


@pytest.fixture(params=list(RASTERS))
def path(request, tmp_path):
    return write_raster(tmp_path / "raster.tif", **RASTERS[request.param])


@pytest.fixture
def plain(tmp_path):
    return write_raster(tmp_path / "plain.tif", blocks())


def on(grid, *pixels):
    return [tuple(xy) for xy in grid.to_map(pixels).tolist()]


def segmented(path, sets_of, *, settings=None, model=None):
    """Return the records of a session's result."""
    with closing(open_source(path)) as source:
        session = SegmentationSession(source, model or SameBrightness(), settings)
        return records(session.segment(sets_of(source.grid)))


def records(result):
    names = [column.name for column in result.fields()]
    return [Record.of(shape, result.crs, dict(zip(names, values))) for shape, values in result.rows()]


def replayed(*found, model=None, open_record=None, progress=QUIET):
    opened = open_record or (lambda record: open_source(record.source))
    with closing(Replayer(opened, lambda name: model or SameBrightness())) as replayer:
        return [replayer.replay(record, progress) for record in found]


def first(path, **said):
    return segmented(path, lambda grid: [prompts(include=on(grid, (65, 50)), crs=grid.crs)], **said)[0]


def test_points_boxes_and_several_objects_come_out_the_same_on_any_raster(path):
    def sets(grid):
        (left, top), (right, bottom) = grid.to_map([(98, 78), (122, 107)])
        box = (min(left, right), min(top, bottom), max(left, right), max(top, bottom))
        points = on(grid, (65, 50), (70, 55))
        return [
            prompts(include=points, exclude=on(grid, (5, 5)), crs=grid.crs),
            prompts(box=box, crs=grid.crs),
            prompts(include=on(grid, (3, 3)), crs=grid.crs),
        ]

    found = segmented(path, sets)

    assert len(found) == 3
    assert [(again.verdict, again.status, again.iou) for again in replayed(*found)] == [(Verdict.SAME, "same", 1.0)] * 3


def test_prompts_in_degrees_on_a_raster_in_metres_come_out_the_same(plain):
    def sets(grid):
        degrees = transform_points(on(grid, (65, 50)), grid.crs, "EPSG:4326").tolist()
        x, y = transform_points(on(grid, (110, 92)), grid.crs, "EPSG:4326")[0]
        return [
            prompts(include=degrees, crs="EPSG:4326"),
            prompts(box=(x - 0.002, y - 0.002, x + 0.002, y + 0.002), crs="EPSG:4326"),
        ]

    found = segmented(plain, sets)

    assert all(record.prompts.endswith(" EPSG:4326") for record in found)
    assert [again.status for again in replayed(*found)] == ["same", "same"]


@pytest.mark.parametrize(
    "settings",
    [
        SessionSettings(outline=OutlineSettings(smooth=2, simplify_m=1 / 3, expand_m=-1.7, min_area_m2=1234567.8 / 99)),
        SessionSettings(rgb=RgbSettings(bands=(3, 2, 1), stretch=Stretch(((1 / 3, 250.0),)))),
        SessionSettings(resolution=13.7),
        SessionSettings(extent=(500_300.0, 4_599_000.0, 501_300.0, 4_599_900.0), resolution=17.3),
    ],
)
def test_settings_of_any_kind_come_out_the_same(plain, settings):
    assert [again.status for again in replayed(first(plain, settings=settings))] == ["same"]


def test_the_real_model_comes_out_the_same_click_by_click(plain):
    model = ModelStore().load("starter")
    with closing(open_source(plain)) as source:
        session = InteractiveSession(SegmentationSession(source, model))
        grid = source.grid
        screen = ScreenView(grid.bounds, 10.0)
        answers, points = [], ()
        for col, row, include in ((55, 45, True), (120, 30, False), (75, 57, True)):
            ((x, y),) = on(grid, (col, row))
            points = (*points, PointPrompt(x, y, include))
            asked = PromptSet(points, grid.crs)
            answers.append(session.answer(asked, screen, QUIET, previous=answers[-1] if answers else None))
        answers += [session.candidate(answers[0], 1)]
        shape = PromptSet((ShapePrompt.of(answers[0].outline.geometry), points[1]), grid.crs)
        answers += [session.answer(shape, screen, QUIET)]
        outlines = [answer.outline for answer in answers if answer.outline is not None]
        provenance = session.provenance()
    assert len(outlines) >= 4
    found = [Record.of(one.geometry, UTM, {**one.__dict__, **provenance.__dict__}) for one in outlines]

    assert [again.status for again in replayed(*found, model=model)] == ["same"] * len(found)


def test_an_outline_that_was_changed_is_different_and_its_overlap_is_said(plain):
    record = first(plain)  # 300 m x 200 m
    moved = replace(record, geometry=translate(record.geometry, 30.0, 0.0))
    cut = replace(moved, settings=f"{record.settings} clipped")

    one, other = replayed(moved, cut)

    assert (one.verdict, one.iou) == (Verdict.DIFFERENT, pytest.approx(270 / 330))
    assert one.status == "different: IoU 0.81818"
    assert other.status == "different: IoU 0.81818; clipped when it was kept"


def test_a_geometry_in_another_crs_is_compared_where_the_raster_is(plain):
    record = first(plain)

    def degrees(xs, ys):
        moved = transform_points(np.column_stack([xs, ys]), UTM, "EPSG:4326").round(9)
        return moved[:, 0], moved[:, 1]

    (again,) = replayed(replace(record, geometry=transform(degrees, record.geometry), crs="EPSG:4326"))

    assert again.verdict is Verdict.SAME
    assert again.status.startswith("same: IoU 0.9999")


def test_other_weights_are_said_with_both_digests(plain):
    model = SameBrightness()
    model.weights_sha256 = "f" * 64

    (again,) = replayed(first(plain), model=model)

    assert (again.verdict, again.status) == (
        Verdict.SAME, f"same; model differs: weights {'0' * 12} then, {'f' * 12} now"
    )  # fmt: skip


def test_what_fails_says_why_and_the_others_go_on(plain, tmp_path):
    record = first(plain)
    small = write_raster(tmp_path / "small.tif", blocks()[:, :60, :90])
    broken = [
        replace(record, source=str(tmp_path / "gone.tif")),
        replace(record, prompts="somewhere"),
        replace(record, window=""),
        replace(record, stretch="bands=9 stretch=none"),
        replace(record, stretch="bands=1,2,3 stretch=none pixels=drawn"),
        replace(record, settings="parts=some"),
        replace(record, source=small),
        replace(record, prompts='words "tree"'),
        replace(record, prompts="everything, points every 16 px +500040,4599920 EPSG:32633"),
    ]

    *failed, good = replayed(*broken, record)

    assert good.status == "same"
    assert {again.verdict for again in failed} == {Verdict.FAILED}
    words = [
        "gone.tif",
        "can't be understood",
        "window is empty",
        "no band 9",
        "RENDER",
        "parts=some",
        "90 x 60 pixels",
        'found by a search (words "tree")',
        "Run that search again",
    ]
    assert [word in again.status for word, again in zip(words, failed)] == [True] * len(broken)


def test_nothing_found_is_different_and_no_geometry_is_never_the_same(plain):
    record = first(plain)
    nothing, empty = replayed(
        replace(record, settings=record.settings.replace("min_area=0m2", "min_area=1e9m2")),
        replace(record, geometry=None),
    )

    assert (nothing.verdict, nothing.status) == (Verdict.DIFFERENT, "nothing found")
    assert (empty.verdict, empty.iou) == (Verdict.DIFFERENT, 0.0)


def test_a_raster_is_opened_once_for_all_its_results_and_cancel_stops(plain):
    opened = []

    def open_record(record):
        opened.append(record.source)
        return open_source(record.source)

    class Stopped(NullProgress):
        def is_cancelled(self):
            return True

    replayed(first(plain), first(plain), open_record=open_record)
    assert opened == [plain]
    with pytest.raises(Cancelled):
        replayed(first(plain), progress=Stopped())


def test_a_source_that_cannot_be_opened_leaves_the_last_one_closed(plain):
    record = first(plain)

    def refuse(_):
        raise RasterReadError("It is gone.", hint="Look for it.")

    assert [again.status for again in replayed(record, open_record=refuse)] == ["It is gone. Look for it."]
