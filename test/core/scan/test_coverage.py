from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import Cancelled, ChipTooLargeError
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.scan import OverlapRule, Scan, ScanSettings
from prompt_segmenter.test.helpers.truth_finder import TruthFinder, scene

QUIET = NullProgress()
COVER = ScanSettings(overlaps=OverlapRule.COVERAGE)
GRIDS = {
    "pixels": ((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None),
    "turned": ((1.5, 0.5, 500000.0, 0.7, -1.2, 4600000.0), "EPSG:32633"),
    "degrees": ((1e-5, 0.0, 15.0, 0.0, -2e-5, 41.5), "EPSG:4326"),
}
PIXELS = GRIDS["pixels"]


def fields():
    """Return 150 x 180 pixels: fields side by side with a path between them, a pond in one, open ground below."""
    truth = np.zeros((150, 180), int)
    rows, cols = np.indices(truth.shape)
    slant = cols + rows // 3
    truth[(rows < 90) & (slant < 70)] = 1
    truth[(rows < 90) & (slant >= 76)] = 2
    truth[(rows - 40) ** 2 + (cols - 130) ** 2 < 15**2] = 3
    return truth


@pytest.mark.parametrize("name", GRIDS)
def test_polygons_cover_the_extent_once(name):
    transform, crs = GRIDS[name]
    truth = fields()
    source = scene(truth, transform, crs)
    result = Scan(source, TruthFinder(truth), COVER).run(QUIET)
    shapes = [polygon.geometry for polygon in result.polygons]
    extent = native.shapely().geometry.Polygon(source.grid.corners)
    assert all(shape.is_valid for shape in shapes)
    assert sum(shape.area for shape in shapes) == pytest.approx(extent.area, rel=1e-9)
    assert native.shapely().ops.unary_union(shapes).symmetric_difference(extent).area < 1e-6 * extent.area


def test_settings_that_a_coverage_has_no_use_for_are_named():
    truth = fields()

    def said(**given):
        chosen = replace(COVER, outline=OutlineSettings(**given))
        return Scan(scene(truth, *PIXELS), TruthFinder(truth), chosen).run(QUIET).warnings

    assert said() == said(parts=PartRule.ALL, smooth=1, simplify_px=2.0) == ()
    (warning,) = said(expand_m=2.0, fill_holes_m2=5.0)
    assert "not heeded: fill holes, expand." in warning
    (warning,) = said(parts=PartRule.LARGEST, min_area_m2=3.0)
    assert "not heeded: parts, least area of parts." in warning


def test_open_ground_is_a_polygon_without_a_score_and_the_path_that_looks_like_it_is_part_of_it():
    truth = fields()
    finder = TruthFinder(truth, scores={1: 0.8, 2: 0.7, 3: 0.9})
    result = Scan(scene(truth, *PIXELS), finder, COVER).run(QUIET)
    scores = [polygon.score for polygon in result.polygons]
    assert scores[:3] == [0.8, 0.7, 0.9] and scores[3] != scores[3] and len(scores) == 4
    open_ground = result.polygons[3].geometry
    assert open_ground.area == pytest.approx(180 * 60 + 6 * 90, rel=0.005)


def test_a_path_that_ends_between_its_fields_is_shared_by_them():
    truth = np.where(fields() == 3, 2, fields())
    truth[80:90] = 2
    result = Scan(scene(truth, *PIXELS), TruthFinder(truth), COVER).run(QUIET)
    one, other, open_ground = (polygon.geometry for polygon in result.polygons)
    assert open_ground.area == pytest.approx(180 * 60)
    assert one.intersection(other).length > 80


def test_a_pond_is_the_hole_of_its_field():
    truth = fields()
    result = Scan(scene(truth, *PIXELS), TruthFinder(truth), COVER).run(QUIET)
    field, pond = result.polygons[1].geometry, result.polygons[2].geometry
    assert set(field.interiors[0].coords) == set(pond.exterior.coords)


def test_small_parts_go_to_their_neighbours():
    truth = fields()
    result = Scan(scene(truth, *PIXELS), TruthFinder(truth), replace(COVER, min_area_m2=1000.0)).run(QUIET)
    assert len(result) == 3
    assert sum(polygon.geometry.area for polygon in result.polygons) == pytest.approx(150 * 180)
    assert not any(polygon.geometry.interiors for polygon in result.polygons)


def test_only_pixels_with_data_are_covered():
    truth = fields()
    valid = np.ones(truth.shape, bool)
    valid[:, :30] = False
    sides = replace(COVER, outline=OutlineSettings(simplify_px=0.0))
    result = Scan(scene(truth, *PIXELS, valid=valid), TruthFinder(truth), sides).run(QUIET)
    assert sum(polygon.geometry.area for polygon in result.polygons) == pytest.approx(150 * 150)
    assert min(polygon.geometry.bounds[0] for polygon in result.polygons) == 30.0


def test_all_polygons_are_given_out_at_the_end():
    truth = fields()
    calls = []
    result = Scan(scene(truth), TruthFinder(truth), COVER).run(QUIET, calls.append)
    assert len(calls) == 1 and tuple(calls[0]) == result.polygons


def test_without_an_object_the_extent_is_one_polygon():
    truth = np.zeros((100, 120), int)
    result = Scan(scene(truth, *PIXELS), TruthFinder(truth), COVER).run(QUIET)
    assert [polygon.geometry.area for polygon in result.polygons] == [12000.0]


def test_an_extent_that_is_too_large_is_refused_before_anything_is_read():
    grid = PixelGrid.pixel_space(20_000, 20_000)
    source = ArraySource(np.broadcast_to(np.zeros(1, np.uint8), (3, 20_000, 20_000)), grid, already_rgb=True)
    finder = TruthFinder(np.zeros((1, 1), int))
    with pytest.raises(ChipTooLargeError, match="64,000,000"):
        Scan(source, finder, COVER).run(QUIET)
    assert not finder.seen


def test_it_can_be_stopped_at_the_end():
    class Late(NullProgress):
        late = False

        def report(self, fraction, message=""):
            self.late = self.late or "borders" in message

        def is_cancelled(self):
            return self.late

    truth = fields()
    with pytest.raises(Cancelled):
        Scan(scene(truth), TruthFinder(truth), COVER).run(Late())
    kept = Scan(scene(truth), TruthFinder(truth), replace(COVER, keep_on_cancel=True)).run(Late())
    assert len(kept) == 4 and kept.warnings
