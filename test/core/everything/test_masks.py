from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.everything.masks import box_iou, distinct, mask_iou, shared_px, suppressed_boxes
from prompt_segmenter.core.models.finding import FoundMask
from prompt_segmenter.core.raster.grid import Window


def block(col, row, width, height, score=0.9):
    return FoundMask(Window(col, row, width, height), np.ones((height, width), bool), score)


def kept(*masks, same=0.6, covered=0.5):
    which = distinct(masks, [mask.score for mask in masks], (100, 100), same=same, covered=covered)
    return [masks[index] for index in which]


def test_the_iou_of_boxes_is_that_of_squared_paper():
    box = np.array([0.0, 0.0, 4.0, 4.0])
    others = np.array([(0, 0, 4, 4), (2, 0, 6, 4), (4, 0, 8, 4), (1, 1, 3, 3)], dtype=float)
    assert box_iou(box, others) == pytest.approx([1.0, 8 / 24, 0.0, 4 / 16])


def test_of_two_boxes_that_nearly_agree_the_better_stays_and_what_it_dropped_drops_nothing():
    # 0 and 1 agree in 0.82, 1 and 2 in 0.80, 0 and 2 only in 0.65
    boxes = np.array([(0, 0, 10, 10), (0, 0, 10, 8.2), (0, 0, 10, 6.5)])
    assert suppressed_boxes(boxes, [0.9, 0.8, 0.7], 0.7) == [0, 2]
    assert suppressed_boxes(boxes, [0.8, 0.9, 0.7], 0.7) == [1]


def test_no_boxes_are_no_problem():
    assert suppressed_boxes(np.empty((0, 4)), [], 0.7) == []


def test_shared_pixels_and_iou_of_crops():
    one, other = block(10, 10, 10, 10), block(15, 18, 10, 10)
    assert shared_px(one, other) == 5 * 2
    assert mask_iou(one, other) == pytest.approx(10 / 190)
    assert shared_px(one, block(20, 10, 5, 5)) == 0


def test_a_second_view_of_the_same_object_goes():
    sure, doubtful = block(10, 10, 20, 20, 0.9), block(11, 10, 20, 20, 0.8)
    assert kept(doubtful, sure) == [sure]


def test_a_part_of_a_surer_object_goes():
    assert len(kept(block(10, 10, 40, 40, 0.9), block(20, 20, 5, 5, 0.8))) == 1


def test_an_object_that_is_surer_than_what_surrounds_it_stays_beside_it():
    field, house = block(10, 10, 40, 40, 0.8), block(20, 20, 5, 5, 0.9)
    assert kept(field, house) == [house, field]


def test_a_group_that_is_mostly_surer_objects_goes():
    halves = block(0, 0, 10, 20, 0.9), block(10, 0, 9, 20, 0.9)
    assert kept(block(0, 0, 20, 20, 0.8), *halves) == list(halves)


def test_what_lies_in_a_hole_stays():
    ring = np.ones((20, 20), bool)
    ring[5:15, 5:15] = False
    lake = FoundMask(Window(10, 10, 20, 20), ring, 0.95)
    island = block(15, 15, 10, 10, 0.7)
    assert kept(lake, island) == [lake, island]


def test_masks_without_a_score_come_last():
    unknown, sure = block(10, 10, 20, 20, math.nan), block(10, 10, 20, 20, 0.1)
    assert kept(unknown, sure) == [sure]
