from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import (
    Cancelled,
    OutsideExtentError,
    ServerUnavailableError,
    SettingsError,
    StoppedWaiting,
)
from prompt_segmenter.core.image_finder import WindowPolicy
from prompt_segmenter.core.models.finding import FoundMask
from prompt_segmenter.core.outlines.masks import PartRule, find_parts
from prompt_segmenter.core.outlines.polygonize import polygonize
from prompt_segmenter.core.outlines.shape import OutlineSettings, combine
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.rgb import RgbRecipe
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.scan import OverlapRule, Scan, ScanSettings
from prompt_segmenter.core.scan import scan as module
from prompt_segmenter.test.helpers.flood_model import Counting
from prompt_segmenter.test.helpers.truth_finder import UTM, TruthFinder, scene

QUIET = NullProgress()
AS_PIXELS = OutlineSettings(parts=PartRule.ALL, simplify_px=0.0, fill_holes_m2=0.0)
EXACT = ScanSettings(outline=AS_PIXELS)
GRIDS = {
    "UTM": (UTM, "EPSG:32633"),
    "turned": ((1.5, 0.5, 500000.0, 0.7, -1.2, 4600000.0), "EPSG:32633"),
    "sheared": ((2.0, 0.6, 500000.0, 0.0, -2.0, 4600000.0), "EPSG:32633"),
    "south-up, oblong": ((3.0, 0.0, 500000.0, 0.0, 1.0, 4600000.0), "EPSG:32633"),
    "degrees": ((1e-5, 0.0, 15.0, 0.0, -1e-5, 41.5), "EPSG:4326"),
    "pixels": ((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None),
}


class Watch:
    """Notes what it is told, and cancels once a message has been seen."""

    def __init__(self, until=None):
        self.said, self.until = [], until

    def report(self, fraction, message=""):
        self.said.append((fraction, message))

    def is_cancelled(self):
        return self.until is not None and any(self.until in message for _, message in self.said)


def outline_of(mask, grid):
    return combine(polygonize(mask, grid))


def same(geometry, other):
    return geometry.symmetric_difference(other).area <= 1e-6 * other.area


def assert_is_truth(result, truth, grid):
    """Every object of the truth is in the result exactly once, and nothing else is."""
    expected = [outline_of(truth == number, grid) for number in np.unique(truth[truth > 0])]
    assert len(result) == len(expected)
    left = [polygon.geometry for polygon in result.polygons]
    for shape in expected:
        hits = [geometry for geometry in left if same(geometry, shape)]
        assert len(hits) == 1, f"object of {shape.area} at {shape.bounds}"
        left.remove(hits[0])


def discs_and_boxes(draw):
    height, width = draw(st.integers(20, 130)), draw(st.integers(20, 130))
    truth = np.zeros((height, width), int)
    rows, cols = np.indices(truth.shape)
    for number in range(1, draw(st.integers(2, 9))):
        row, col = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        size, other = draw(st.integers(1, 50)), draw(st.integers(1, 50))
        if draw(st.booleans()):
            truth[(rows - row) ** 2 + (cols - col) ** 2 < size**2 / 4] = number
        else:
            truth[row : row + size, col : col + other] = number
    return truth


SCENES = st.composite(discs_and_boxes)()


def connected(truth):
    """Give every 4-connected part a number of its own: a finder sees parts that hang together beyond its window."""
    numbered = np.zeros_like(truth)
    count = 0
    for number in np.unique(truth[truth > 0]):
        parts = find_parts(truth == number)
        for part in range(parts.count):
            count += 1
            numbered[parts.mask([part])] = count
    return numbered


@given(
    SCENES, st.integers(16, 70), st.integers(8, 30), st.sampled_from([0, 0, 5, 20]),
    st.sampled_from([OverlapRule.KEEP, OverlapRule.BEST]),
)  # fmt: skip
@settings(deadline=None, max_examples=200)
def test_with_a_perfect_finder_the_result_is_the_truth(truth, window_px, overlap_px, context_px, rule):
    truth = connected(truth)
    finder = TruthFinder(truth, windows=WindowPolicy(window_px, overlap_px, context_px))
    result = Scan(scene(truth), finder, replace(EXACT, overlaps=rule)).run(QUIET)
    assert_is_truth(result, truth, scene(truth).grid)


def test_what_the_finder_has_to_say_beforehand_is_a_warning_of_every_result():
    class Warns(TruthFinder):
        warnings = ("'house' and 'roof' mean the same.",)

    truth = np.zeros((40, 40), int)
    nothing = Scan(scene(truth), Warns(truth), EXACT).run(QUIET)
    assert nothing.warnings[0] == "'house' and 'roof' mean the same." and len(nothing.warnings) == 2
    truth[10:20, 10:20] = 1
    assert Scan(scene(truth), Warns(truth), EXACT).run(QUIET).warnings == ("'house' and 'roof' mean the same.",)
    assert Scan(scene(truth), TruthFinder(truth), EXACT).run(QUIET).warnings == ()


@pytest.mark.parametrize("name", GRIDS)
def test_objects_are_whole_on_any_grid(name):
    transform, crs = GRIDS[name]
    truth = four_corners()
    source = scene(truth, transform, crs)
    result = Scan(source, TruthFinder(truth), EXACT).run(QUIET)
    assert_is_truth(result, truth, source.grid)
    assert result.crs == crs
    assert all(polygon.geometry.is_valid for polygon in result.polygons)
    assert all(polygon.resolution == max(source.grid.resolution) for polygon in result.polygons)


def four_corners():
    """Return 200 x 240 pixels: a disc on the corner of four windows, a ring over many, a speck and a bar."""
    truth = np.zeros((200, 240), int)
    rows, cols = np.indices(truth.shape)
    truth[(rows - 52) ** 2 + (cols - 56) ** 2 < 35**2] = 1
    away = (rows - 120) ** 2 + (cols - 170) ** 2
    truth[(away < 60**2) & (away > 40**2)] = 2
    truth[120:122, 170:172] = 3
    truth[190:195, 3:237] = 4
    return truth


def test_a_river_through_many_windows_is_one_object_with_its_island():
    truth = np.zeros((80, 700), int)
    rows, cols = np.indices(truth.shape)
    truth[np.abs(rows - 40 - 20 * np.sin(cols / 40)) < 9] = 1
    truth[37:41, 238:244] = 0
    finder = TruthFinder(truth)
    result = Scan(scene(truth), finder, EXACT).run(QUIET)
    assert len(finder.seen) > 20
    assert len(result) == 1
    assert same(result.polygons[0].geometry, outline_of(truth == 1, scene(truth).grid))


def test_a_bend_that_leaves_a_window_and_comes_back_is_one_object():
    truth = np.zeros((150, 150), int)
    truth[10:20, 5:140] = truth[60:70, 5:140] = 1
    truth[10:70, 130:140] = 1

    class PartByPart(TruthFinder):
        """Sees the two arms as two objects where their bend is out of sight."""

        def find(self, picture, progress):
            found = []
            for one in super().find(picture, progress):
                rows = np.flatnonzero(~one.mask.any(axis=1))
                cuts = [0, int(rows[0]), one.mask.shape[0]] if rows.size else [0, one.mask.shape[0]]
                for top, bottom in zip(cuts, cuts[1:]):
                    window = Window(one.window.col, one.window.row + top, one.window.width, bottom - top)
                    found.append(FoundMask(window, one.mask[top:bottom], 0.9))
            return found

    result = Scan(scene(truth), PartByPart(truth), EXACT).run(QUIET)
    assert_is_truth(result, truth, scene(truth).grid)


def test_objects_that_touch_on_a_seam_stay_two():
    truth = np.zeros((100, 150), int)
    truth[20:80, 10:56] = 1
    truth[20:80, 56:140] = 2
    assert_is_truth(Scan(scene(truth), TruthFinder(truth), EXACT).run(QUIET), truth, scene(truth).grid)


def test_objects_of_other_labels_are_not_joined():
    truth = np.zeros((60, 100), int)
    truth[20:40, 5:95] = 1

    class Undecided(TruthFinder):
        def find(self, picture, progress):
            label = "road" if picture.view.window.col == 0 else "river"
            return [replace(one, label=label) for one in super().find(picture, progress)]

    result = Scan(scene(truth), Undecided(truth), EXACT).run(QUIET)
    assert [polygon.label for polygon in result.polygons] == ["road", "river"]


@pytest.mark.parametrize("rule", [OverlapRule.KEEP, OverlapRule.BEST])
def test_what_is_vague_changes_no_object_wherever_the_seams_are(rule):
    truth = np.zeros((150, 200), int)
    for number, (row, col) in enumerate(((10, 10), (60, 30), (30, 70), (90, 100), (20, 130)), start=1):
        truth[row : row + 40, col : col + 35] = number
    doubts = TruthFinder(np.roll(truth, 4, axis=1), scores=dict.fromkeys(range(1, 6), 0.5))

    class Doubts(TruthFinder):
        """Of each object the left window alone is sure; and each seems to lie a little to the right, too."""

        def find(self, picture, progress):
            sure = [one for one in super().find(picture, progress) if picture.view.window.col % 96 == 0]
            return [*sure, *(replace(one, is_vague=True) for one in doubts.find(picture, progress))]

    def objects(finder):
        found = Scan(scene(truth), finder, replace(EXACT, overlaps=rule)).run(QUIET).polygons
        return sorted((one.geometry.wkt, one.score) for one in found if not one.score <= 0.5)

    sure = Doubts(truth, scores=dict.fromkeys(range(1, 6), 0.9))
    lenient = objects(sure)
    doubts = TruthFinder(np.zeros_like(truth))
    assert objects(sure) == lenient
    assert lenient


@pytest.mark.parametrize("rule", [OverlapRule.KEEP, OverlapRule.BEST])
@pytest.mark.parametrize("columns", [(36, 80), (50, 76), (51, 60), (52, 70)])
@pytest.mark.parametrize("sure_col", [0, 48])
def test_what_one_window_is_sure_of_is_not_there_again_as_another_doubts_it(columns, sure_col, rule):
    truth = np.zeros((64, 112), int)
    truth[20:40, columns[0] : columns[1]] = 1

    class Doubts(TruthFinder):
        vague = True

        def find(self, picture, progress):
            found, doubts = super().find(picture, progress), picture.view.window.col != sure_col
            if not doubts:
                return found
            return [replace(one, score=0.4, is_vague=True) for one in found] if self.vague else []

    finder = Doubts(truth, scores={1: 0.9})
    chosen = replace(EXACT, overlaps=rule)
    lenient_result = Scan(scene(truth), finder, chosen).run(QUIET)
    lenient = lenient_result.polygons
    finder.vague = False
    usual = Scan(scene(truth), finder, chosen).run(QUIET).polygons
    assert len(lenient) == 1
    if usual:
        assert (lenient[0].geometry.wkt, lenient[0].score) == (usual[0].geometry.wkt, usual[0].score)
    else:
        # the window that sees it best is not sure: nothing else is there to double it
        assert_is_truth(replace(lenient_result, polygons=tuple(lenient)), truth, scene(truth).grid)


def test_the_whole_one_wins_over_what_another_window_makes_of_its_part():
    truth = np.zeros((64, 112), int)
    truth[20:44, 30:56] = 1

    class Bulges(TruthFinder):
        """Where the object is cut it is drawn too large."""

        def find(self, picture, progress):
            if picture.view.window.col == 0:
                return super().find(picture, progress)
            return [FoundMask(Window(0, 18, 10, 28), np.ones((28, 10), bool), 0.99)]

    result = Scan(scene(truth), Bulges(truth, scores={1: 0.7}), EXACT).run(QUIET)
    assert_is_truth(result, truth, scene(truth).grid)
    assert result.polygons[0].score == 0.7


def test_a_sliver_at_a_seam_that_the_better_window_does_not_see_is_no_object():
    truth = np.zeros((64, 112), int)
    truth[20:44, 30:50] = 1

    class Imagines(TruthFinder):
        def find(self, picture, progress):
            found = super().find(picture, progress)
            if picture.view.window.col > 0:
                found = [*found, FoundMask(Window(0, 50, 3, 10), np.ones((10, 3), bool), 0.9)]
            return found

    assert_is_truth(Scan(scene(truth), Imagines(truth), EXACT).run(QUIET), truth, scene(truth).grid)


def test_numbers_of_a_joined_object_are_means_by_area():
    truth = np.zeros((40, 112), int)
    truth[10:30, 6:106] = 1

    class Varies(TruthFinder):
        def find(self, picture, progress):
            left = picture.view.window.col == 0
            return [
                replace(one, score=0.9 if left else 0.5, stability=0.8 if left else math.nan, similarity=0.3)
                for one in super().find(picture, progress)
            ]

    only = Scan(scene(truth), Varies(truth), EXACT).run(QUIET).polygons[0]
    # The seam is in the middle of columns 48 to 64.
    assert only.score == pytest.approx((50 * 0.9 + 50 * 0.5) / 100)
    assert (only.stability, only.similarity) == (pytest.approx(0.8), pytest.approx(0.3))


def test_objects_are_given_out_early_and_are_those_of_the_result():
    truth = np.zeros((400, 200), int)
    for number, row in enumerate(range(10, 380, 20), start=1):
        truth[row : row + 12, 20:180] = number
    finder, calls = TruthFinder(truth), []
    result = Scan(scene(truth), finder, EXACT).run(QUIET, lambda polygons: calls.append((len(finder.seen), polygons)))
    assert [polygon for _, polygons in calls for polygon in polygons] == list(result.polygons)
    assert [polygon.object for polygon in result.polygons] == list(range(1, len(result) + 1))
    # What lies in the first row of windows is given out before the third row is read.
    row = len({view.window.col for view in finder.seen})
    assert calls[0][0] <= row + 1 and len(calls) > 4
    assert_is_truth(result, truth, scene(truth).grid)


@pytest.mark.parametrize("rule", [OverlapRule.KEEP, OverlapRule.BEST])
def test_what_is_held_depends_on_a_row_of_windows_and_not_on_the_extent(rule, monkeypatch):
    held = []
    step = module._Walk.step

    def noted(self, window, picture, found):
        step(self, window, picture, found)
        held.append(self.held)

    monkeypatch.setattr(module._Walk, "step", noted)

    def most(height):
        truth = np.zeros((height, 112), int)
        count = height // 16 * 7
        truth.reshape(height // 16, 16, 7, 16)[:, :13, :, :13] = np.arange(1, count + 1).reshape(-1, 1, 7, 1)
        held.clear()
        assert len(Scan(scene(truth), TruthFinder(truth), replace(EXACT, overlaps=rule)).run(QUIET)) == count
        return max(held)

    assert most(64 + 11 * 48) == most(64 + 3 * 48)


def test_coarser_pixels_are_read_on_one_lattice():
    truth = np.repeat(np.repeat(four_corners(), 3, axis=0), 3, axis=1)
    source = scene(truth)
    result = Scan(source, TruthFinder(truth), replace(EXACT, resolution=6.0)).run(QUIET)
    assert_is_truth(result, truth, source.grid)
    assert result.polygons[0].resolution == 6.0


def test_a_resolution_that_is_no_multiple_of_native_cuts_nothing():
    truth = np.zeros((500, 700), int)
    truth[40:440, 60:110] = 1
    truth[460:490, 20:690] = 2
    result = Scan(scene(truth), TruthFinder(truth), replace(EXACT, resolution=4.7)).run(QUIET)
    assert len(result) == 2
    for polygon, number in zip(result.polygons, (1, 2)):
        expected = outline_of(truth == number, scene(truth).grid)
        assert polygon.geometry.intersection(expected).area / polygon.geometry.union(expected).area > 0.9


def test_only_the_extent_is_looked_at():
    truth = four_corners()
    grid = scene(truth).grid
    extent = (*grid.to_map([(10, 120)])[0], *grid.to_map([(150, 15)])[0])
    finder = TruthFinder(truth)
    result = Scan(scene(truth), finder, replace(EXACT, extent=tuple(extent))).run(QUIET)
    inside = np.zeros_like(truth)
    inside[15:120, 10:150] = truth[15:120, 10:150]
    assert_is_truth(result, inside, grid)


def test_an_extent_no_larger_than_a_window_is_looked_at_once():
    truth = four_corners()
    finder = TruthFinder(truth, windows=WindowPolicy(256, 32))
    assert_is_truth(Scan(scene(truth), finder, EXACT).run(QUIET), truth, scene(truth).grid)
    assert len(finder.seen) == 1


def test_objects_are_cut_to_pixels_with_data_and_windows_without_are_not_looked_at():
    truth = four_corners()
    valid = np.ones(truth.shape, bool)
    valid[:, :60] = False
    finder = TruthFinder(truth)
    result = Scan(scene(truth, valid=valid), finder, EXACT).run(QUIET)
    assert all(view.window.col + view.window.width > 60 for view in finder.seen)
    assert_is_truth(result, np.where(valid, truth, 0), scene(truth).grid)


def test_a_raster_without_data_is_an_empty_result_that_says_so():
    truth = four_corners()
    finder = TruthFinder(truth)
    result = Scan(scene(truth, valid=np.zeros(truth.shape, bool)), finder, EXACT).run(QUIET)
    assert not result.polygons and not finder.seen
    assert "no pixels with data" in result.warnings[0]


def test_nothing_found_is_an_empty_result_that_says_what_to_try():
    truth = np.zeros((100, 100), int)
    result = Scan(scene(truth), TruthFinder(truth), EXACT).run(QUIET)
    assert not result.polygons
    assert "confidence" in result.warnings[0]


def test_low_scores_and_wrong_sizes_are_left_out():
    truth = np.zeros((100, 200), int)
    for number, side in ((1, 5), (2, 10), (3, 20), (4, 40)):
        truth[20 : 20 + side, 45 * number - 40 : 45 * number - 40 + side] = number
    finder = TruthFinder(truth, scores={1: 0.9, 2: 0.9, 3: 0.2, 4: math.nan})

    def areas(**choices):
        result = Scan(scene(truth), finder, replace(EXACT, **choices)).run(QUIET)
        return [round(polygon.area_m2 / 4) for polygon in result.polygons]

    near = pytest.approx
    assert areas(confidence=0.5) == near([25, 100, 1600], rel=0.02)
    assert areas(min_area_m2=300.0) == near([100, 400, 1600], rel=0.02)
    assert areas(min_area_m2=300.0, max_area_m2=1700.0) == near([100, 400], rel=0.02)


def test_cancel_ends_the_scan_at_once():
    truth = four_corners()
    finder = TruthFinder(truth)
    with pytest.raises(Cancelled):
        Scan(scene(truth), finder, EXACT).run(Watch(until="Window 3 of"))
    assert len(finder.seen) == 2


@pytest.mark.parametrize("rule", OverlapRule)
def test_what_was_found_until_cancel_is_kept_if_asked_for(rule):
    truth = four_corners()
    found = []
    asked = replace(EXACT, keep_on_cancel=True, overlaps=rule)
    watch = Watch(until="Window 9 of")
    result = Scan(scene(truth), TruthFinder(truth), asked).run(watch, found.extend)
    assert result.polygons and found == list(result.polygons)
    assert any("Stopped after 8 of" in warning for warning in result.warnings)
    disc = outline_of(truth == 1, scene(truth).grid)
    assert any(polygon.geometry.intersection(disc).area > 0.98 * disc.area for polygon in result.polygons)


class Losing(TruthFinder):
    """A server that is gone, or a wait that is stopped, from some window on."""

    def __init__(self, truth, error, after):
        super().__init__(truth)
        self.error, self.after = error, after

    def find(self, picture, progress):
        if len(self.seen) == self.after:
            raise self.error
        return super().find(picture, progress)


@pytest.mark.parametrize(
    "error", [ServerUnavailableError("The server is gone."), StoppedWaiting("The server goes on.")]
)
def test_what_was_found_before_a_server_went_away_is_kept_and_the_reason_said(error):
    truth = four_corners()
    asked = replace(EXACT, keep_on_cancel=True)

    result = Scan(scene(truth), Losing(truth, error, 8), asked).run(NullProgress())

    assert result.polygons
    assert str(error) in result.warnings
    with pytest.raises(type(error)):
        Scan(scene(truth), Losing(truth, error, 8), EXACT).run(NullProgress())


def test_a_server_that_was_never_there_is_an_error():
    truth = four_corners()
    asked = replace(EXACT, keep_on_cancel=True)

    with pytest.raises(ServerUnavailableError):
        Scan(scene(truth), Losing(truth, ServerUnavailableError("Nobody is there."), 0), asked).run(NullProgress())


def test_progress_names_the_window_and_what_the_finder_says():
    truth = four_corners()
    watch = Watch()
    Scan(scene(truth), TruthFinder(truth), EXACT).run(watch)
    said = [message for _, message in watch.said]
    assert any(message.startswith("Window 3 of 20: looking") for message in said)
    fractions = [fraction for fraction, _ in watch.said]
    assert fractions == sorted(fractions) and fractions[-1] <= 1.0


def test_provenance_says_how_it_was_made():
    truth = np.zeros((200, 240), int)
    truth[3:9, 3:9] = 1
    asked = replace(EXACT, confidence=0.25, min_area_m2=8.0)
    finder = TruthFinder(truth, prompt="+3.5,4 [1,2,3,4]", scores={1: 0.5})
    result = Scan(scene(truth), finder, asked).run(QUIET)
    said = result.provenance
    assert (said.model, said.model_sha256, said.source) == ("truth", "0" * 64, "memory")
    assert OutlineSettings.parse(said.settings) == AS_PIXELS
    for words in ("scan_window=64px", "scan_overlap=16px", "overlaps=best", "confidence=0.25", "area=8:m2"):
        assert words in said.settings
    assert said.stretch.startswith("bands=1,2,3")
    first = result.polygons[0]
    assert first.prompts == "everything +500007,4599992 [500002,4599992,500006,4599996] EPSG:32633"
    assert first.window == "0,0,64,64@64x64"


def test_all_windows_are_drawn_with_one_stretch():
    values = np.linspace(0, 4000, 200 * 240).reshape(1, 200, 240).astype(np.float32)
    source = ArraySource(values, PixelGrid(UTM, "EPSG:32633", 240, 200))

    class Sees(TruthFinder):
        def find(self, picture, progress):
            self.seen.append((int(picture.image.min()), int(picture.image.max())))
            return []

    finder = Sees(np.zeros((200, 240), int))
    Scan(source, finder, EXACT).run(QUIET)
    assert min(low for low, _ in finder.seen) == 0 and max(high for _, high in finder.seen) == 255
    assert all(high - low < 128 for low, high in finder.seen)
    given_recipe = Sees(np.zeros((200, 240), int))
    Scan(source, given_recipe, replace(EXACT, recipe=RgbRecipe((1,), drawn=True))).run(QUIET)
    assert given_recipe.seen != finder.seen


def test_settings_that_cannot_be_are_refused():
    for wrong in ({"min_area_m2": -1.0}, {"min_area_m2": 5.0, "max_area_m2": 4.0}, {"confidence": math.nan}):
        with pytest.raises(SettingsError):
            ScanSettings(**wrong)
    truth = four_corners()
    with pytest.raises(OutsideExtentError):
        Scan(scene(truth), TruthFinder(truth), replace(EXACT, extent=(0.0, 0.0, 1.0, 1.0))).run(QUIET)


def test_outlines_are_reshaped_as_asked():
    truth = four_corners()
    smooth = OutlineSettings(parts=PartRule.ALL, smooth=2, fill_holes_m2=1e6)
    result = Scan(scene(truth), TruthFinder(truth), ScanSettings(outline=smooth)).run(QUIET)
    ring = max(result.polygons, key=lambda polygon: polygon.area_m2).geometry
    assert ring.geom_type == "Polygon" and not ring.interiors
    assert native.shapely().geometry.Point(ring.centroid).within(ring)


@pytest.mark.parametrize("context_px", [0, 24])
def test_progress_never_goes_back_with_a_source_that_tells_of_its_own(context_px):
    class Telling(ArraySource):
        def read(self, window, size, bands, progress=None):
            for share in (0.0, 0.5, 1.0):
                (progress or QUIET).report(share, "Fetching tiles")
            return super().read(window, size, bands, progress)

    truth = np.zeros((90, 130), int)
    truth[20:44, 30:70] = 1
    shown = scene(truth)
    source = Telling(shown.data, shown.grid, already_rgb=True)
    told = Counting()
    Scan(source, TruthFinder(truth, windows=WindowPolicy(48, 16, context_px)), EXACT).run(told)
    assert told.fractions == sorted(told.fractions)
    assert sum("Fetching tiles" in message for message in told.messages) >= 18
