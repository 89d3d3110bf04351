"""Web tiles: the recorded source opens them again, at the resolution that they were looked at."""

from __future__ import annotations

import shlex
from contextlib import closing

import pytest
from prompt_segmenter.algorithms import replay
from prompt_segmenter.algorithms.rendered_source import RenderedSource
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.session import SegmentationSession
from prompt_segmenter.test.algorithms.conftest import FakeStore
from prompt_segmenter.test.algorithms.test_rendered_source import EDGE, TILE, tile_layer, tiles
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.processing_run import run
from prompt_segmenter.ui.copy_command import qgis_process_command

__all__ = ["tiles"]
pytestmark = pytest.mark.usefixtures("fake_model")
X, Y = -EDGE + 4.5 * TILE, EDGE - 3.5 * TILE


@pytest.fixture(autouse=True)
def fake_store(fake_model, monkeypatch):
    monkeypatch.setattr(replay, "ModelStore", FakeStore)


def test_tiles_come_out_the_same_from_the_recorded_source(tiles):
    extent = f"{X - TILE / 2},{X + 1.5 * TILE},{Y - TILE / 2},{Y + TILE / 2}"
    made = run(INPUT=tile_layer(tiles), INCLUDE=f"Point ({X} {Y})", EXTENT=extent, RESOLUTION=TILE / 256)
    assert made.results["COUNT"] == 1, made
    layer = made.layer

    outcome = run(algorithm="promptsegmenter:replay", INPUT=layer)

    (feature,) = outcome.features
    assert feature["status"] == "same"
    assert feature["source"].startswith("wms://type=xyz&url=http://127.0.0.1")


def test_the_command_of_an_object_on_tiles_finds_it_again(tiles):
    with closing(RenderedSource(tile_layer(tiles))) as source:
        result = SegmentationSession(source, SameBrightness()).segment([prompts(include=[(X, Y)], crs="EPSG:3857")])
        (polygon,), provenance = result.polygons, result.provenance
        line = qgis_process_command(polygon, "EPSG:3857", provenance, source)
    asked = dict(word.split("=", 1) for word in shlex.split(line)[4:])

    (feature,) = run(**{**asked, "OUTPUT": "memory:", "MODEL": "starter"}).features

    assert feature["window"] == polygon.window
    assert feature.geometry().area() == pytest.approx(polygon.geometry.area, rel=1e-12)
