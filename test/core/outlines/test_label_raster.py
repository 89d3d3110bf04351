from __future__ import annotations

import numpy as np
from prompt_segmenter.core.outlines.label_raster import GAP, NO_DATA, LabelRaster, label_runs
from prompt_segmenter.core.outlines.runs import RunMask

SPECK_PX, REACH_PX = 5, 4


def raster_of(labels, image=None, usable=None):
    """Return a raster with the given labels painted; 0 for what nothing was found on."""
    height, width = labels.shape
    raster = LabelRaster(width, height)
    flat = np.zeros((height, width, 3), np.uint8) if image is None else image
    raster.see(flat, np.ones((height, width), bool) if usable is None else usable, 0, 0)
    for label in np.unique(labels[labels > 0]).tolist():
        raster.paint(RunMask.of(labels == label, 0, 0, width), label)
    return raster


def filled(labels, **seen):
    raster = raster_of(labels, **seen)
    after = raster.fill(int(labels.max()) + 1, SPECK_PX, REACH_PX)
    return raster.labels[1:-1, 1:-1], after


def test_a_narrow_gap_is_shared_by_its_neighbours():
    labels = np.zeros((20, 20), int)
    labels[:, :8], labels[:, 14:] = 1, 2
    result, after = filled(labels)
    assert after == 3
    assert (result[:, :11] == 1).all() and (result[:, 11:] == 2).all()


def test_neighbours_meet_on_an_edge_of_the_image():
    labels = np.zeros((20, 20), int)
    labels[:, :8], labels[:, 14:] = 1, 2
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, 9:] = 200
    result, _ = filled(labels, image=image)
    assert (result[:, :9] == 1).all() and (result[:, 9:] == 2).all()


def test_a_wide_gap_becomes_a_label_of_its_own_and_objects_keep_their_shape():
    labels = np.zeros((40, 60), int)
    labels[10:30, 5:15] = 1
    result, after = filled(labels)
    assert after == 3
    np.testing.assert_array_equal(result == 1, labels == 1)
    assert (result[labels == 0] == 2).all()


def test_wide_gaps_that_are_apart_become_labels_apart():
    labels = np.zeros((30, 61), int)
    labels[:, 30] = 1
    labels[:, 25:36] = 1
    result, after = filled(labels)
    assert after == 4
    assert len(np.unique(result[:, :25])) == len(np.unique(result[:, 36:])) == 1


def test_specks_go_to_what_is_around_them():
    labels = np.ones((20, 20), int)
    labels[5:7, 5:7] = 2
    result, after = filled(labels)
    assert (result == 1).all()
    assert after == 3


def test_pixels_without_data_stay_without_a_label():
    labels = np.zeros((20, 20), int)
    labels[:, :6] = 1
    usable = np.ones((20, 20), bool)
    usable[:, 10:12] = False
    result, after = filled(np.where(usable, labels, 0), usable=usable)
    assert (result[:, 10:12] == NO_DATA).all()
    assert (result[:, :10] == 1).all()
    # What no object reaches is a polygon of its own.
    assert (result[:, 12:] == 2).all() and after == 3


def test_every_usable_pixel_gets_a_label():
    rng = np.random.default_rng(2)
    labels = np.where(rng.random((50, 70)) < 0.4, rng.integers(1, 9, (50, 70)), 0)
    usable = rng.random((50, 70)) < 0.9
    image = rng.integers(0, 255, (50, 70, 3)).astype(np.uint8)
    result, after = filled(np.where(usable, labels, 0), image=image, usable=usable)
    np.testing.assert_array_equal(result > GAP, usable)
    np.testing.assert_array_equal(result == NO_DATA, ~usable)
    assert result.max() < after


def test_windows_that_overlap_see_the_same_pixels():
    raster = LabelRaster(10, 4)
    usable = np.ones((4, 6), bool)
    usable[0, 5] = False
    raster.see(np.zeros((4, 6, 3), np.uint8), usable, 0, 0)
    raster.paint(RunMask.of(np.ones((2, 2), bool), 4, 1, 10), 1)
    raster.see(np.zeros((4, 6, 3), np.uint8), np.ones((4, 6), bool), 4, 0)
    assert (raster.labels[2:4, 5:7] == 1).all()
    assert (raster.labels[1:-1, 1:-1] >= GAP).all()
    assert (raster.labels[[0, -1]] == NO_DATA).all()


def test_runs_of_a_raster_and_their_parts():
    labels = np.array([[1, 1, 2], [2, 1, 2], [2, 1, 1]], np.int32)
    runs = label_runs(labels)
    assert runs.label.tolist() == [1, 2, 2, 1, 2, 2, 1]
    assert sorted(runs.areas_px.tolist()) == [2, 2, 5]
