"""Words on a web map that a SamGIS server fetches itself, from the panel."""

from __future__ import annotations

import pytest
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.remote.address import SAMGIS_VARIABLES
from prompt_segmenter.test.helpers.samgis_server import envelope, feature, ring, serve
from prompt_segmenter.test.ui.stage import Stage, until
from prompt_segmenter.ui.finding import Finding
from prompt_segmenter.ui.segment_panel import SegmentPanel
from prompt_segmenter.ui.workplace import connect_panel
from qgis.core import QgsCoordinateReferenceSystem, QgsRasterLayer, QgsRectangle

OSM = "type=xyz&url=https://tile.openstreetmap.org/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=19&zmin=0"


@pytest.fixture
def server(monkeypatch):
    with serve() as server:
        monkeypatch.setenv(SAMGIS_VARIABLES[0], server.url)
        yield server


@pytest.fixture
def panel(qgis_canvas, qgis_parent, project, server):
    panel = SegmentPanel(store=ModelStore())
    stage = Stage(qgis_canvas, qgis_parent)
    connect_panel(stage.segmenter, panel)
    finding = Finding(qgis_canvas, panel, stage.segmenter, parent=panel)
    panel.words.model.choose("samgis")
    panel.words.text.setEditText("trees")
    yield panel, finding, stage
    assert finding.close()
    stage.close()
    panel.close()
    panel.deleteLater()


def find(finding):
    finding.find_words()
    until(lambda: finding.search.run is None)


def test_the_server_is_asked_for_what_the_canvas_shows_and_its_shapes_become_a_layer(panel, server, project):
    panel, finding, stage = panel
    layer = QgsRasterLayer(OSM, "map", "wms")
    project.addMapLayer(layer)
    stage.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    stage.canvas.setExtent(QgsRectangle(1_044_000, 5_802_000, 1_046_000, 5_803_500))
    panel.set_layer(layer)
    server.answers = lambda *_: (200, envelope([feature([ring(8.5, 8.5, 30.5, 20.5, 14)])]))

    find(finding)

    ((route, body),) = server.asked
    assert (route, body["string_prompt"], body["source_type"]) == ("/infer_lisa", "trees", "OpenStreetMap.Mapnik")
    (found,) = finding.words.layer.layer.getFeatures()
    assert (found["label"], found["model"]) == ("trees", "samgis")
    assert finding.words.layer.layer.crs().authid() == "EPSG:3857"


def test_what_the_canvas_shows_is_no_map_that_the_server_could_fetch(panel, server):
    panel, finding, _ = panel

    find(finding)

    assert "fetches a map itself" in panel.words.results.status.text.text()
    assert server.asked == []
