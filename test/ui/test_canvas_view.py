from __future__ import annotations

import math

import pytest
from prompt_segmenter.core.errors import CrsError
from prompt_segmenter.core.prompts.box import BoxPrompt
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.prompt import PromptSet
from prompt_segmenter.core.prompts.shape import ShapePrompt
from prompt_segmenter.ui.canvas_view import moved_prompts, screen_view
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize

UTM, MERCATOR, DEGREES = "EPSG:32633", "EPSG:3857", "EPSG:4326"
CONTEXT = QgsCoordinateTransformContext()
EAST, NORTH = 500_000.0, 5_000_000.0


def crs(name):
    return QgsCoordinateReferenceSystem(name)


def settings(width=400, height=200, unit=2.0, rotation=0.0, ratio=1.0):
    """Return a map window of some pixels around a place, of 2 m each."""
    made = QgsMapSettings()
    made.setDestinationCrs(crs(UTM))
    made.setOutputSize(QSize(width, height))
    made.setDevicePixelRatio(ratio)
    made.setRotation(rotation)
    half = width * unit / 2, height * unit / 2
    made.setExtent(QgsRectangle(EAST - half[0], NORTH - half[1], EAST + half[0], NORTH + half[1]))
    return made


def test_in_the_maps_own_crs_the_view_is_what_the_window_shows():
    view = screen_view(settings(), crs(UTM), CONTEXT)

    assert view.bounds == pytest.approx((EAST - 400, NORTH - 200, EAST + 400, NORTH + 200))
    assert view.resolution == pytest.approx(2.0)


def test_a_pixel_is_a_device_independent_one():
    assert screen_view(settings(ratio=2.0), crs(UTM), CONTEXT).resolution == pytest.approx(2.0)


def test_a_rotated_window_is_enclosed_by_its_corners_and_a_pixel_stays_a_pixel():
    view = screen_view(settings(400, 400, rotation=45.0), crs(UTM), CONTEXT)

    half = 400.0 * math.sqrt(2)
    assert view.bounds == pytest.approx((EAST - half, NORTH - half, EAST + half, NORTH + half))
    assert view.resolution == pytest.approx(2.0)


def test_in_another_crs_the_resolution_is_in_its_units():
    degrees = screen_view(settings(), crs(DEGREES), CONTEXT)
    mercator = screen_view(settings(), crs(MERCATOR), CONTEXT)

    # at 45.15 degrees north a degree is 111.1 km along the meridian and 78.6 km across
    assert degrees.resolution == pytest.approx(2.0 * (1 / 111_140 + 1 / 78_600) / 2, rel=0.01)
    assert degrees.bounds[0] == pytest.approx(15.0 - 400 / 78_600, abs=1e-4)
    assert mercator.resolution == pytest.approx(2.0 / math.cos(math.radians(45.15)), rel=0.01)


def test_a_view_without_a_place_in_the_other_crs_is_none():
    far = settings()
    far.setDestinationCrs(crs(DEGREES))
    far.setExtent(QgsRectangle(170.0, 89.0, 190.0, 95.0))

    assert screen_view(far, crs("EPSG:2056"), CONTEXT) is None


def test_without_a_crs_on_one_side_coordinates_stay():
    view = screen_view(settings(), QgsCoordinateReferenceSystem(), CONTEXT)

    assert view.resolution == pytest.approx(2.0)


def test_a_window_that_is_not_laid_out_yet_shows_nothing():
    assert screen_view(QgsMapSettings(), crs(UTM), CONTEXT) is None


def test_prompts_are_moved_in_order_and_remember_what_was_given():
    given = PromptSet(
        (
            PointPrompt(EAST, NORTH),
            PointPrompt(EAST + 10, NORTH, include=False),
            BoxPrompt(EAST, NORTH, EAST + 20, NORTH + 10),
            ShapePrompt(f"POLYGON (({EAST} {NORTH}, {EAST + 20} {NORTH}, {EAST} {NORTH + 10}, {EAST} {NORTH}))"),
        ),
        UTM,
        "roof",
    )
    moved = moved_prompts(given, DEGREES, QgsProject.instance())

    assert [prompt.kind for prompt in moved.prompts] == ["point", "point", "box", "shape"]
    assert [prompt.include for prompt in moved.prompts[:2]] == [True, False]
    assert moved.prompts[0].x == pytest.approx(15.0)
    assert moved.prompts[3].geometry.bounds[:2] == pytest.approx((15.0, moved.prompts[0].y))
    assert (moved.crs, moved.label, moved.given) == (DEGREES, "roof", given)
    back = moved_prompts(PromptSet(moved.prompts, DEGREES), UTM, QgsProject.instance())
    assert (back.prompts[0].x, back.prompts[0].y) == pytest.approx((EAST, NORTH), abs=1e-6)


def test_prompts_in_the_same_crs_do_not_change_by_a_digit():
    given = PromptSet((PointPrompt(EAST + 0.1 + 0.2, NORTH), BoxPrompt(0.1, 0.2, 0.3, 0.4)), UTM)

    assert moved_prompts(given, UTM, QgsProject.instance()).prompts == given.prompts


def test_a_prompt_that_has_no_place_there_is_named():
    with pytest.raises(CrsError, match=r"EPSG:4326.*has no place in EPSG:2056"):
        moved_prompts(PromptSet((PointPrompt(0.0, 95.0),), DEGREES), "EPSG:2056", QgsProject.instance())
