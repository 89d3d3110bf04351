from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.families import FAMILIES
from prompt_segmenter.core.models.families.sam import ENTRY
from prompt_segmenter.core.models.model import ModelSpec, RuntimeSettings
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.points.outliner import Candidate, PointOutliner
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.test.helpers import onnx_graphs
from prompt_segmenter.test.helpers.flood_model import Counting, Flood, FloodParts, picture

QUIET = NullProgress()


def scene(height=200, width=200):
    return np.full((height, width, 3), 40, np.uint8)


def begun(model, image, col=0, row=0, valid=None):
    outliner = PointOutliner(model)
    outliner.begin(picture(image, col, row, valid), QUIET)
    return outliner


def on_raster(found, image, col=0, row=0):
    """The pixels of an object, on the whole raster's image."""
    whole = np.zeros(image.shape[:2], bool)
    window = found.window
    top, left = window.row + row, window.col + col
    whole[top : top + window.height, left : left + window.width] = found.mask
    return whole


@pytest.mark.parametrize("model", [Flood, FloodParts])
def test_a_square_is_outlined_to_the_pixel_whether_frames_or_parts_are_decoded(model):
    image = scene()
    image[50:70, 90:120] = 200
    (outline,) = begun(model(), image).outline([(100.0, 60.0)], QUIET)
    window = outline.found.window
    assert (window.col, window.row, window.width, window.height) == (90, 50, 30, 20)
    assert outline.found.mask.all()
    assert (outline.index, outline.cut) == (0, False)
    assert outline.found.score == pytest.approx(0.9)
    assert (outline.found.stability, outline.found.prompt) == (1.0, "+100,60")


def test_what_does_not_fit_the_fine_chip_is_taken_from_the_wide_one():
    image = scene()
    image[40:160, 40:160] = 200  # 120 px where a fine chip is 64
    (outline,) = begun(FloodParts(), image).outline([(100.0, 100.0)], QUIET)
    assert outline.ground_width_px == 200.0
    assert not outline.cut
    assert outline.found.mask.shape == (120, 120)
    assert outline.found.mask.sum() == 120 * 120 - 4  # what lies between cells is blended: the corners are rounded


def test_what_goes_on_beyond_the_fine_chip_is_told_apart_from_what_the_picture_ends():
    image = scene()
    image[:, 152:] = 200
    outliner = begun(FloodParts(), image)
    (fine,) = outliner.candidates((190.0, 100.0), 0, QUIET)
    (wide,) = outliner.candidates((190.0, 100.0), 1, QUIET)
    assert (fine.cut, wide.cut) == (True, False)
    assert wide.area_px == pytest.approx(48 * 200)


def test_the_same_ground_gives_the_same_mask_whichever_window_it_is_seen_in():
    rng = np.random.default_rng(1)
    image = np.clip(scene(400, 400) + rng.integers(0, 6, (400, 400, 1)), 0, 255).astype(np.uint8)
    rows, cols = np.indices((400, 400))
    image[np.hypot(cols - 250, rows - 210) < 60] = 180
    answers = []
    for col, row in ((0, 0), (37, 51), (101, 98)):
        outliner = begun(FloodParts(), image[row:, col:], col, row)
        (outline,) = outliner.outline([(250.5 - col, 210.5 - row)], QUIET)
        answers.append(on_raster(outline.found, image, col, row))
    assert answers[0].sum() > 10_000
    assert (answers[0] == answers[1]).all()
    assert (answers[0] == answers[2]).all()


def test_points_without_data_or_off_the_picture_give_nothing_and_masks_leave_out_unusable_pixels():
    image = scene()
    image[50:70, 90:120] = 200
    valid = np.ones((200, 200), bool)
    valid[:, 110:] = False
    outliner = begun(Flood(), image, valid=valid)
    outlines = list(outliner.outline([(115.0, 60.0), (-3.0, 5.0), (100.0, 60.0)], QUIET))
    assert [outline.index for outline in outlines] == [2]
    assert outlines[0].found.window.width == 20
    assert outliner.decodes == 1


def test_only_the_part_under_the_point_is_the_object():
    image = scene()
    image[50:70, 90:120] = image[100:110, 90:100] = 200
    model = FAMILIES.get("starter").load(
        catalogue.get("starter"), ModelStore().locate(catalogue.get("starter")), RuntimeSettings(threads=1)
    )
    (outline,) = begun(model, image).outline([(105.0, 60.0)], QUIET)
    window = outline.found.window
    assert abs(window.col - 90) <= 2
    assert abs(window.height - 20) <= 3


def test_asking_before_a_picture_was_begun_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="begin"):
        list(PointOutliner(Flood()).outline([(1.0, 1.0)], QUIET))


def test_a_cancelled_progress_stops_within_one_decode():
    outliner = begun(Flood(), scene())
    progress = Counting(stop_at=4)
    with pytest.raises(Cancelled):
        list(outliner.outline(np.full((50, 2), 20.0), progress))
    assert outliner.decodes <= 3


def test_progress_counts_the_points():
    progress = Counting()
    list(begun(Flood(), scene()).outline([(5.0, 5.0), (6.0, 6.0)], progress))
    assert progress.messages == ["Point 1 of 2", "Point 2 of 2"]


@pytest.mark.parametrize("size", [(300, 220), (733, 1171)])
def test_low_resolution_says_of_a_sam_mask_what_full_size_says(tmp_path, size):
    paths = onnx_graphs.save_pair(tmp_path, "D", "A", 4)
    spec = ModelSpec("toy", "Toy SAM", "sam", frozenset({"point"}), (), 1024, "CC0-1.0", "https://example.org")
    model = ENTRY.load(replace(spec), paths, RuntimeSettings(threads=1))
    outliner = begun(model, scene(*size))
    candidates = outliner.candidates((100.0, 120.0), 0, QUIET)
    assert len(candidates) == 3  # the whole, a part and a part of a part
    cell = 4 * max(size) / 1024
    for candidate in candidates:
        assert candidate.obeys
        found = outliner.full(candidate)
        window = found.window
        edges = (window.col, window.row, window.col + window.width, window.row + window.height)
        assert np.abs(np.subtract(edges, candidate.box)).max() <= 1.5 * cell
        assert candidate.area_px == pytest.approx(found.mask.sum(), rel=0.1, abs=4 * cell**2)
    best = min(candidates, key=Candidate.demerits)
    assert best.score == pytest.approx(0.9, abs=1e-3)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (3, 2), (20, 500), (193, 205), (205, 193), (224, 200), (330, 201)]
)
def test_the_starter_answers_in_pictures_of_any_size(height, width):
    # parts begin at multiples of 4 pixels; pictures hardly larger than a chip once asked for others
    image = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    outliner = begun(ModelStore().load("starter"), image, col=13, row=7)
    corners = np.array([(0.5, 0.5), (width - 0.5, height - 0.5), (width / 2, height / 2)], np.float32)

    for outline in outliner.outline(corners, QUIET):
        assert outline.found.mask.any()
