from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from prompt_segmenter.core.errors import SettingsError
from prompt_segmenter.core.outlines import shape
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.outlines.measure import measure
from prompt_segmenter.core.outlines.polygonize import polygonize
from prompt_segmenter.core.outlines.shape import OutlineSettings, clean, combine
from prompt_segmenter.core.raster.grid import PixelGrid
from shapely.geometry import Polygon, box
from shapely.validation import explain_validity

DEFAULT = OutlineSettings()
STAIRS = OutlineSettings(simplify_px=0.0)


def half_metre_grid(mask: np.ndarray) -> PixelGrid:
    # On the central meridian of UTM 33 a map metre is 1.0004 ground metres.
    return PixelGrid((0.5, 0.0, 500000.0, 0.0, -0.5, 4600000.0), "EPSG:32633", mask.shape[1], mask.shape[0])


def pixel_grid(mask: np.ndarray) -> PixelGrid:
    return PixelGrid.pixel_space(mask.shape[1], mask.shape[0])


def disc(radius: float, size: int = 120) -> np.ndarray:
    y, x = np.mgrid[:size, :size] + 0.5
    return (x - size / 2) ** 2 + (y - size / 2) ** 2 < radius**2


def rectangle(angle_deg: float, half_width: float, half_height: float, size: int = 120) -> np.ndarray:
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return (abs(x * cos + y * sin) < half_width) & (abs(y * cos - x * sin) < half_height)


def cleaned(mask: np.ndarray, wanted: OutlineSettings = DEFAULT) -> list[Polygon]:
    grid = pixel_grid(mask)
    return clean(polygonize(mask, grid), wanted, grid)


def test_with_simplify_0_the_pixels_keep_their_sides():
    mask = disc(20)
    (outline,) = cleaned(mask, STAIRS)
    assert outline.area == mask.sum()
    assert set(np.array(outline.exterior.coords).ravel() % 1.0) == {0.0}


def test_an_upright_rectangle_keeps_its_four_corners_exactly():
    mask = np.zeros((50, 60), dtype=bool)
    mask[10:40, 5:45] = True
    (outline,) = cleaned(mask)
    assert outline.equals(box(5, 10, 45, 40))
    assert len(outline.exterior.coords) == 5


@pytest.mark.parametrize("angle", range(3, 90, 7))
def test_a_turned_rectangle_comes_out_with_straight_sides(angle):
    mask = rectangle(angle, 45, 30)
    (outline,) = cleaned(mask)
    assert 4 <= len(outline.exterior.coords) - 1 <= 8
    assert outline.area == pytest.approx(90 * 60, rel=0.03)


@pytest.mark.parametrize("radius", [6, 15, 40, 55])
def test_a_disc_comes_out_round(radius):
    mask = disc(radius)
    (outline,) = cleaned(mask)
    distances = np.hypot(*(np.array(outline.exterior.coords) - 60.0).T)
    assert distances.min() > radius - 1.0
    assert distances.max() < radius + 1.0
    assert outline.area == pytest.approx(mask.sum(), rel=0.05)
    assert len(outline.exterior.coords) < len(polygonize(mask, pixel_grid(mask))[0].exterior.coords) / 2


def test_a_line_one_pixel_thin_keeps_its_area():
    mask = rectangle(8, 50, 0.8)
    (outline,) = cleaned(mask)
    assert outline.area == pytest.approx(mask.sum(), rel=0.1)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_smallest_squares_stay_squares(size):
    mask = np.zeros((9, 9), dtype=bool)
    mask[4 : 4 + size, 4 : 4 + size] = True
    assert cleaned(mask)[0].equals(box(4, 4, 4 + size, 4 + size))


def test_simplify_in_metres_means_ground_metres_in_degrees():
    y, x = np.mgrid[:200, :200] + 0.5
    mask = (x - 100) ** 2 / 80**2 + (y - 100) ** 2 / 60**2 < 1.0
    # At 60 degrees north these pixels measure 1 m by 1 m.
    grid = PixelGrid((1 / 55800.0, 0.0, 20.0, 0.0, -1 / 111412.0, 60.0), "EPSG:4326", 200, 200)
    raw = polygonize(mask, grid)
    by_metres = clean(raw, OutlineSettings(simplify_m=4.0), grid)[0]
    by_pixels = clean(raw, OutlineSettings(simplify_px=4.0), grid)[0]
    in_pixels = clean(polygonize(mask, pixel_grid(mask)), OutlineSettings(simplify_m=4.0), pixel_grid(mask))[0]
    assert len(by_metres.exterior.coords) == len(by_pixels.exterior.coords) == len(in_pixels.exterior.coords)
    assert (
        np.abs(np.sort(grid.to_pixel(by_metres.exterior.coords), 0) - np.sort(in_pixels.exterior.coords, 0)).max()
        < 1e-3
    )


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:3857", "EPSG:4326"])
@pytest.mark.parametrize(("expand", "side"), [(2.0, 44.0), (-2.0, 36.0)])
def test_expanding_moves_the_outline_by_ground_metres_in_any_crs(crs, expand, side):
    mask = np.zeros((80, 80), dtype=bool)
    mask[20:60, 20:60] = True
    pixel = {"EPSG:32633": 1.0, "EPSG:3857": 2.0, "EPSG:4326": 1 / 111412.0}[crs]
    corner = {"EPSG:32633": (500000.0, 6650000.0), "EPSG:3857": (2226390.0, 8399737.9), "EPSG:4326": (20.0, 60.0)}[crs]
    grid = PixelGrid((pixel, 0.0, corner[0], 0.0, -pixel, corner[1]), crs, 80, 80)
    raw = polygonize(mask, grid)
    before = measure(raw[0], crs)
    (outline,) = clean(raw, OutlineSettings(expand_m=expand), grid)
    after = measure(outline, crs)
    assert after.perimeter_m - before.perimeter_m == pytest.approx(8.0 * expand, rel=2e-3)
    if crs == "EPSG:32633":
        assert after.area_m2 == pytest.approx(side**2, rel=2e-3)


def test_contracting_to_nothing_keeps_the_polygon():
    mask = disc(4, 20)
    (outline,) = cleaned(mask, OutlineSettings(expand_m=-50.0))
    assert outline.equals(cleaned(mask)[0])


@pytest.mark.parametrize("rule", [PartRule.WITH_INCLUDE, PartRule.ALL])
def test_an_object_that_contraction_parts_keeps_all_of_itself(rule):
    left, right = cleaned(two_rooms(), OutlineSettings(expand_m=-2.0, parts=rule))
    assert left.bounds == (4.0, 4.0, 24.0, 16.0)
    assert right.bounds == (32.0, 4.0, 38.0, 16.0)


def test_of_an_object_that_contraction_parts_the_largest_piece_is_kept_where_one_is_asked_for():
    (left,) = cleaned(two_rooms(), OutlineSettings(expand_m=-2.0, parts=PartRule.LARGEST))
    assert left.bounds == (4.0, 4.0, 24.0, 16.0)


def two_rooms() -> np.ndarray:
    mask = np.zeros((20, 60), dtype=bool)
    mask[2:18, 2:26] = True
    mask[2:18, 30:40] = True
    mask[9:11, 26:30] = True
    return mask


def test_every_chosen_part_stays_in_the_outline():
    mask = disc(6, 40)
    mask |= np.roll(mask, 14, axis=1)
    assert len(cleaned(mask)) == 2


def test_parts_that_grow_together_become_one():
    mask = np.zeros((20, 40), dtype=bool)
    mask[5:15, 5:15] = True
    mask[5:15, 18:28] = True
    (outline,) = cleaned(mask, OutlineSettings(expand_m=2.0, parts=PartRule.ALL))
    assert outline.bounds == (3.0, 3.0, 30.0, 17.0)


def ring_with_holes(*sides: int) -> np.ndarray:
    mask = np.ones((30, 70), dtype=bool)
    for index, side in enumerate(sides):
        mask[5 : 5 + side, 5 + 15 * index : 5 + 15 * index + side] = False
    return mask


@pytest.mark.parametrize(
    ("limit", "left"), [(None, [25.0, 100.0]), (0.0, [9.0, 16.0, 25.0, 100.0]), (25.0, [100.0]), (1e6, [])]
)
def test_holes_up_to_the_limit_are_filled(limit, left):
    mask = ring_with_holes(3, 4, 5, 10)
    (outline,) = cleaned(mask, OutlineSettings(fill_holes_m2=limit))
    assert sorted(Polygon(hole).area for hole in outline.interiors) == left


def test_the_hole_limit_is_in_ground_metres():
    mask = ring_with_holes(4, 10)
    # Web Mercator metres at 60 degrees north are half metres: these holes measure 4 and 25 square metres.
    grid = PixelGrid((1.0, 0.0, 2226390.0, 0.0, -1.0, 8399737.9), "EPSG:3857", 70, 30)
    (outline,) = clean(polygonize(mask, grid), OutlineSettings(fill_holes_m2=10.0), grid)
    assert len(outline.interiors) == 1


def test_parts_below_the_minimum_area_are_dropped_even_the_last():
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:6, 2:6] = True
    mask[10:18, 10:18] = True
    keep_all = PartRule.ALL
    assert len(cleaned(mask, OutlineSettings(parts=keep_all, min_area_m2=16.0))) == 2
    assert len(cleaned(mask, OutlineSettings(parts=keep_all, min_area_m2=17.0))) == 1
    assert cleaned(mask, OutlineSettings(parts=keep_all, min_area_m2=65.0)) == []


def test_specks_that_the_minimum_area_drops_cost_no_reshaping(monkeypatch):
    mask = np.zeros((40, 40), dtype=bool)
    mask[::4, ::4] = True
    mask[10:30, 10:30] = True
    reshaped, real = [], shape._simplified
    monkeypatch.setattr(shape, "_simplified", lambda polygon, *more: reshaped.append(polygon) or real(polygon, *more))
    (outline,) = cleaned(mask, OutlineSettings(parts=PartRule.ALL, min_area_m2=50.0))
    assert outline.area == 400.0
    assert len(reshaped) == 1
    # What is pushed outwards may still become large enough.
    grown = cleaned(mask, OutlineSettings(parts=PartRule.ALL, min_area_m2=20.0, expand_m=2.0))
    assert grown[0].area > 1200.0


def test_all_parts_are_kept_but_where_one_is_asked_for():
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:6, 2:6] = True
    mask[10:18, 10:18] = True
    areas = {rule: [part.area for part in cleaned(mask, OutlineSettings(parts=rule))] for rule in PartRule}
    assert areas[PartRule.LARGEST] == [64.0]
    assert areas[PartRule.ALL] == areas[PartRule.WITH_INCLUDE] == [64.0, 16.0]


def test_smoothing_rounds_corners_and_leaves_long_sides():
    mask = np.zeros((120, 120), dtype=bool)
    mask[10:110, 10:110] = True
    (outline,) = cleaned(mask, OutlineSettings(smooth=3))
    assert len(outline.exterior.coords) == 33
    assert outline.bounds == (10.0, 10.0, 110.0, 110.0)
    assert outline.area == pytest.approx(10000.0, rel=0.01)
    assert outline.area < 10000.0


def test_nothing_in_gives_nothing_out():
    assert clean([], OutlineSettings(), PixelGrid.pixel_space(5, 5)) == []


def test_combining_gives_one_geometry():
    one, other = box(0, 0, 1, 1), box(3, 3, 4, 4)
    assert combine([one]) is one
    assert combine([one, other]).geom_type == "MultiPolygon"
    with pytest.raises(ValueError, match="at least one"):
        combine([])


any_settings = st.builds(
    OutlineSettings,
    parts=st.sampled_from(PartRule),
    fill_holes_m2=st.sampled_from([None, 0.0, 3.0]),
    simplify_px=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    smooth=st.integers(0, 5),
    expand_m=st.sampled_from([-1.0, -0.3, 0.0, 0.4, 1.5]),
)


@settings(max_examples=150, deadline=None)
@given(st.tuples(st.integers(1, 16), st.integers(1, 16)).flatmap(lambda size: arrays(np.bool_, size)), any_settings)
def test_the_outline_of_any_mask_is_valid_and_never_empty(mask, wanted):
    grid = half_metre_grid(mask)
    outlines = clean(polygonize(mask, grid), wanted, grid)
    assert bool(outlines) == bool(mask.any())
    for polygon in outlines:
        assert polygon.is_valid, explain_validity(polygon)
        assert polygon.exterior.is_ccw
        assert polygon.area > 0.0
    if outlines:
        assert combine(outlines).is_valid


@pytest.mark.parametrize(
    "wrong",
    [
        {"fill_holes_m2": -1.0},
        {"min_area_m2": float("nan")},
        {"simplify_px": float("inf")},
        {"simplify_m": -0.5},
        {"smooth": 6},
        {"smooth": -1},
        {"expand_m": float("nan")},
    ],
)
def test_settings_out_of_range_are_refused_by_name(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        OutlineSettings(**wrong)


def test_settings_describe_themselves():
    assert OutlineSettings().describe() == (
        "parts=with_include fill_holes=16px min_area=0m2 simplify=1px smooth=0 expand=0m"
    )
    given = OutlineSettings(PartRule.ALL, 2.5, 10.0, simplify_m=0.3, smooth=2, expand_m=-1.0)
    assert given.describe() == "parts=all fill_holes=2.5m2 min_area=10m2 simplify=0.3m smooth=2 expand=-1m"


positive = st.floats(0.0, 1e9, allow_nan=False)


@given(
    st.builds(
        OutlineSettings,
        parts=st.sampled_from(PartRule),
        fill_holes_m2=st.none() | positive,
        min_area_m2=positive,
        simplify_m=st.none() | positive,
        smooth=st.integers(0, 5),
        expand_m=st.floats(-1e6, 1e6),
    )
)
def test_the_text_of_any_settings_makes_the_same_settings(settings):
    assert OutlineSettings.parse(settings.describe()) == settings


def test_what_was_done_to_an_outline_later_is_no_setting():
    settings = OutlineSettings(simplify_px=0.3)
    assert OutlineSettings.parse(f"{settings.describe()} clipped") == settings


@pytest.mark.parametrize("text", ["", "parts=all", OutlineSettings().describe().replace("0m2", "0 ha")])
def test_text_that_is_no_settings_is_refused_with_an_example(text):
    with pytest.raises(SettingsError, match="can't be understood"):
        OutlineSettings.parse(text)
