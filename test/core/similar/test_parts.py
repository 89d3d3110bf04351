"""The pieces of the finder: working pixels, tiles, histograms, shapes, placing, duplicates, similarity."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import PromptError
from prompt_segmenter.core.models.families.sam import SamFamily
from prompt_segmenter.core.models.finding import FoundMask, GivesFeatures
from prompt_segmenter.core.models.model import LookPolicy, ModelFile, ModelSpec, RuntimeSettings
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.picture import Picture
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.similar import similar_finder
from prompt_segmenter.core.similar.calibration import similarity
from prompt_segmenter.core.similar.cells import TileEncoder, TilePlan, WorkingGrid, cell_means
from prompt_segmenter.core.similar.distinct import distinct, overlap_px
from prompt_segmenter.core.similar.evidence import Evidence
from prompt_segmenter.core.similar.likeness import ColourScale, Sample, Shape, fit
from prompt_segmenter.core.similar.placing import placed
from prompt_segmenter.core.window import View
from prompt_segmenter.test.helpers import onnx_graphs
from prompt_segmenter.test.helpers.look_alike_model import LookAlike

QUIET = NullProgress()
GOOD = Evidence(
    inside=1.0,
    ring=0.0,
    nearest=0.9,
    colour=0.9,
    size=0.1,
    form=0.1,
    score=0.9,
    stability=0.95,
    cut=0.0,
    counter=0.0,
)


def picture(image, window=None):
    height, width = image.shape[:2]
    view = View(window or Window(0, 0, width, height), (width, height))
    return Picture(view, image, "", np.ones((height, width), np.bool_))


def found(col, row, size, similarity=0.5, score=0.5):
    return FoundMask(Window(col, row, size, size), np.ones((size, size), np.bool_), score, similarity=similarity)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_working_pixels_lie_on_the_rasters_lattice(factor):
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (90, 120, 3)).astype(np.uint8)
    whole = WorkingGrid.of(picture(image), factor)
    part = WorkingGrid.of(picture(image[12:80, 30:110], Window(30, 12, 80, 68)), factor)
    box = tuple(math.ceil(value / factor) for value in (36, 18, 96, 72))
    assert np.array_equal(whole.read(image, box), part.read(image[12:80, 30:110], box))


def test_working_pixels_are_means_of_what_they_cover():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    grid = WorkingGrid.of(picture(image), 2.0)
    assert grid.read(image, (0, 0, 2, 2))[0, 0].tolist() == [8, 9, 10]
    assert grid.span(0) == (0, 2)
    points = np.array([[1.5, 0.5]])
    assert grid.to_picture(points).tolist() == [[3.0, 1.0]]
    assert grid.to_working(grid.to_picture(points)).tolist() == points.tolist()


def test_tiles_cover_each_working_pixel_once():
    image = np.random.default_rng(0).integers(0, 256, (333, 471, 3)).astype(np.uint8)
    encoder = TileEncoder(LookAlike(), TilePlan(128, 64, 24))
    grid = WorkingGrid.of(picture(image, Window(55, 70, 471, 333)), 1.0)
    seen = np.zeros((403, 526), int)
    tiles = list(encoder.tiles(picture(image, Window(55, 70, 471, 333)), grid, QUIET))
    for tile in tiles:
        seen[tile.core[1] : tile.core[3], tile.core[0] : tile.core[2]] += 1
        assert tile.cells.shape[0] == 7
    assert len(tiles) == encoder.count(grid)
    assert seen[70:, 55:].min() == seen.max() == 1


def test_cell_means_of_parts_that_do_not_divide():
    values = np.arange(10, dtype=np.float32).reshape(1, 1, 10)
    assert cell_means(values, 4.0, 3, 2)[0, 0].tolist() == [1.5, 5.5, 8.5]


def test_shape_of_a_square_a_bar_and_a_pixel():
    square = Shape.of(np.ones((20, 20), np.bool_), 2.0)
    assert square.area == 1600.0
    assert square.elongation == pytest.approx(1.0)
    assert square.compactness == pytest.approx(3 / math.pi, rel=0.01)
    assert Shape.of(np.ones((5, 40), np.bool_), 1.0).elongation == pytest.approx(8.0, rel=0.01)
    assert Shape.of(np.ones((1, 1), np.bool_), 1.0).elongation == 1.0


def test_histograms_of_the_same_colours_overlap_and_of_others_do_not():
    red, green = np.full((50, 3), (200, 30, 30), np.uint8), np.full((70, 3), (30, 200, 30), np.uint8)
    scale = ColourScale.of(np.concatenate([red, green]))
    assert scale.histogram(red) @ scale.histogram(red[:9]) == pytest.approx(1.0, abs=1e-5)
    assert scale.histogram(red) @ scale.histogram(green) < 0.3


def sample(inside, outside, wanted=True):
    rng = np.random.default_rng(len(inside))
    pixels = rng.integers(0, 255, (20, 3)).astype(np.uint8)
    shape = Shape.of(np.ones((4, 4), np.bool_), 1.0)
    return Sample(inside.astype(np.float32), outside.astype(np.float32), pixels, pixels, shape, wanted)


def test_likeness_is_one_at_the_examples_and_zero_around_them_whatever_the_units():
    rng = np.random.default_rng(4)
    inside, outside = rng.normal((5, 0, 0), 1, (40, 3)), rng.normal(0, 1, (400, 3))
    for scale in (1.0, 1000.0):
        likeness = fit([sample(inside * (scale, 1, 1), outside * (scale, 1, 1))])
        assert likeness.of_cells((inside * (scale, 1, 1)).T.astype(np.float32)).mean() == pytest.approx(1.0, abs=1e-3)
        assert likeness.of_cells((outside * (scale, 1, 1)).T.astype(np.float32)).mean() == pytest.approx(0.0, abs=1e-3)


def test_examples_that_fill_all_that_is_seen_are_refused_in_words():
    with pytest.raises(PromptError, match="nothing is left to compare them with"):
        fit([sample(np.ones((9, 3)), np.ones((0, 3)))])


def test_a_counter_example_turns_likeness_away_from_itself():
    rng = np.random.default_rng(5)
    inside, outside = rng.normal((4, 1, 0), 0.5, (40, 3)), rng.normal(0, 1, (400, 3))
    other = rng.normal((4, -1, 0), 0.5, (40, 3))
    without = fit([sample(inside, outside)]).of_cells(other.T.astype(np.float32)).mean()
    given = fit([sample(inside, outside), sample(other, outside, wanted=False)])
    assert given.of_cells(other.T.astype(np.float32)).mean() < without - 0.3


def test_similarity_falls_with_everything_that_speaks_against_an_object():
    best = similarity(GOOD)
    assert 0.9 < best <= 1.0
    against = [
        {"inside": 0.1},
        {"ring": 0.8},
        {"nearest": 0.2},
        {"colour": 0.1},
        {"size": 1.5},
        {"form": 1.0},
        {"score": 0.4},
        {"colour": 0.02},
        {"stability": 0.5},
        {"cut": 1.0},
        {"counter": 0.3},
        {"inside": -0.2, "nearest": -0.1},
    ]
    for change in against:
        assert 0.0 <= similarity(replace(GOOD, **change)) < best
    for nothing in ({"inside": 0.0}, {"nearest": -0.1}, {"colour": 0.0}):
        assert similarity(replace(GOOD, **nothing)) == 0.0


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_mask_lies_on_the_picture_where_it_was_seen(factor):
    rows, cols = np.mgrid[0:40, 0:40] + 0.5
    logits = (10.0 - np.hypot(cols - 20, rows - 20)).astype(np.float32)
    image = np.zeros((100, 110, 3), np.uint8)
    shown = picture(image, Window(7, 5, 110, 100))
    grid = WorkingGrid.of(shown, factor)
    mask = placed(logits, (10, 8), grid, shown.valid)
    wanted_x, wanted_y = 30 * factor - 7, 28 * factor - 5
    assert mask.window.col + mask.window.width / 2 == pytest.approx(wanted_x, abs=0.6)
    assert mask.window.row + mask.window.height / 2 == pytest.approx(wanted_y, abs=0.6)
    assert np.count_nonzero(mask.mask) == pytest.approx(math.pi * 100 * factor**2, rel=0.08)
    assert placed(-np.abs(logits), (10, 8), grid, shown.valid) is None
    assert placed(logits, (1000, 8), grid, shown.valid) is None


def test_of_overlapping_outlines_the_most_similar_is_kept():
    low, high, apart, within = found(0, 0, 10, 0.4), found(1, 1, 10, 0.7), found(30, 0, 10, 0.1), found(2, 2, 4, 0.3)
    assert distinct([low, apart, within, high], 0.5) == [high, apart]
    beside = found(6, 0, 10, 0.2)
    assert distinct([low, beside], 0.5) == [low, beside]
    assert overlap_px(low, beside) == 40
    assert overlap_px(low, apart) == 0


def test_the_starter_and_sam_give_features():
    assert isinstance(ModelStore().load("starter"), GivesFeatures)


@pytest.fixture(scope="module")
def tiny_sam(tmp_path_factory):
    paths = onnx_graphs.save_pair(tmp_path_factory.mktemp("sam"))
    files = (ModelFile("e", "", 0), ModelFile("d", "", 0))
    accepts, look = frozenset({"point", "box", "shape"}), LookPolicy(1024)
    spec = ModelSpec("tiny", "Tiny", "sam", accepts, files, 1024, "none", "", look)
    return SamFamily().load(spec, paths, RuntimeSettings(threads=1, provider="cpu"))


def test_sams_features_leave_the_padding_out(tiny_sam):
    embedding = tiny_sam.encode(np.full((512, 1024, 3), 120, np.uint8), QUIET)
    features = tiny_sam.features(embedding)
    assert features.values.shape == (256, 32, 64)
    assert features.step_px == (16.0, 16.0)
    small = tiny_sam.features(tiny_sam.encode(np.full((300, 220, 3), 120, np.uint8), QUIET))
    assert small.values.shape == (256, 64, 47)
    assert small.step_px == pytest.approx((4.6875, 4.6875), rel=0.01)


def test_sams_features_tell_where_something_is(tiny_sam):
    image = np.zeros((1024, 1024, 3), np.uint8)
    image[320:480, 640:800, 0] = 255
    values = tiny_sam.features(tiny_sam.encode(image, QUIET)).values[0]
    assert values[20:30, 40:50].min() > values[:20].max()


def test_a_model_of_one_frame_finds_what_its_masks_allow(discs, tiny_sam):
    finder = similar_finder(discs.session(tiny_sam), [discs.click(discs.red[0])], [], None, QUIET)
    for one in finder.find(discs.picture(), QUIET):
        assert 0.0 <= one.similarity <= 1.0
        assert one.window.col + one.window.width <= 400
