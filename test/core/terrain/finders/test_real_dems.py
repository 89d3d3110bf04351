"""The listed volcanoes of the real DEMs beside the checkout are found, and none is where none is."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster import crs as crs_maths
from prompt_segmenter.core.raster.sources import open_source
from prompt_segmenter.core.terrain.finders import FINDERS, FinderSettings
from prompt_segmenter.core.terrain.outliner import OutlineMethod
from shapely.geometry import Point

BESIDE = Path(__file__).resolve().parents[5] / "shared" / "data"
DEMS = Path(os.environ.get("PROMPT_SEGMENTER_DATA", BESIDE)) / "dem"
pytestmark = pytest.mark.skipif(not DEMS.is_dir(), reason=f"the real DEMs are not in {DEMS}")
VOLCANOES = ("sthelens", "mayon", "villarrica")
NONE_THERE = ("stormlake_montana", "vinschgau_alps_250m", "grandcanyon_tile", "fortworth_plains", "luxembourg_1km")


def find(path):
    with closing(open_source(str(path))) as source:
        settings = FinderSettings(method=OutlineMethod.MORPHOMETRIC)
        return FINDERS.get("volcano").find(source, settings, NullProgress())


@pytest.mark.parametrize("name", VOLCANOES)
def test_every_listed_volcano_has_its_summit_in_a_polygon(name):
    listed = json.loads((DEMS / "dem_volcano" / "volcano_truth.json").read_text(encoding="utf-8"))

    result = find(DEMS / "dem_volcano" / f"{name}.tif")

    for volcano in listed:
        if volcano["dem"] == f"{name}.tif" and not volcano["optional"]:
            summit = Point(*crs_maths.transform_points([volcano["summit_lonlat"]], "EPSG:4326", result.crs)[0])
            assert any(found.geometry.contains(summit) for found in result.polygons), volcano["name"]


@pytest.mark.parametrize("name", NONE_THERE)
def test_nothing_is_found_where_there_is_no_volcano(name):
    assert len(find(DEMS / "dem_negative" / f"{name}.tif")) == 0
