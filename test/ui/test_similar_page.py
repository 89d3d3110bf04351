"""Examples come from the map and from layers, are listed and drawn, and reach the search in the image's CRS."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prompt_segmenter.algorithms import server_settings
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.model import RuntimeSettings
from prompt_segmenter.core.remote.address import ServerAddress, Servers
from prompt_segmenter.test.ui.conftest import outline, square
from prompt_segmenter.test.ui.stage import LEFT, TOP, until
from prompt_segmenter.test.ui.test_finding import WORDS, desk, one_word_model, raster, scan
from prompt_segmenter.ui.overlay import EXCLUDED, INCLUDED
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsRubberBand

__all__ = ["desk", "one_word_model", "raster", "scan"]


@pytest.fixture
def similar(desk, scan):
    desk.panel.ways.show_page("similar")
    scan.batches = ([like(0, 0.9), like(20, 0.1)],)
    return desk


def like(col, similarity):
    return replace(outline(square(col, -20), score=0.8), similarity=similarity)


@pytest.fixture
def ponds(project):
    """Two squares of 40 m in another CRS than the image's."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:3857", "ponds", "memory")
    moving = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:32633"), layer.crs(), project)
    features = []
    for col in (20, 100):
        feature = QgsFeature()
        shape = QgsGeometry.fromRect(QgsRectangle(LEFT + col, TOP - 60, LEFT + col + 40, TOP - 20))
        shape.transform(moving)
        feature.setGeometry(shape)
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    project.addMapLayer(layer)
    return layer


def rows(desk):
    tree = desk.panel.similar.list
    return [tree.item(row).text() for row in range(tree.count())]


def drawn(desk):
    """Return the colours of the rubber bands on the map."""
    bands = [item for item in desk.stage.canvas.scene().items() if isinstance(item, QgsRubberBand) and item.isVisible()]
    return sorted(band.strokeColor().name() for band in bands if not band.asGeometry().isEmpty())


def test_without_an_example_nothing_can_be_looked_for(similar):
    assert not similar.panel.similar.find.isEnabled()
    similar.panel.similar.not_selection.click()
    assert "No polygon is selected" in similar.said("similar")


def test_selected_polygons_of_another_crs_are_examples_in_the_images_own(similar, scan, ponds):
    ponds.selectAll()
    similar.panel.similar.add_selection.click()
    assert rows(similar) == ["ponds, polygon 1", "ponds, polygon 2"]
    similar.find("similar")

    name, session, examples, counter, _settings, _progress = scan.calls[0].finder
    assert name == "similar_finder" and session.source is scan.calls[0].source
    assert counter == () and [each.crs for each in examples] == ["EPSG:32633"] * 2
    for col, each in zip((20, 100), examples):
        assert each.envelope() == pytest.approx((LEFT + col, TOP - 60, LEFT + col + 40, TOP - 20), abs=0.01)
        assert each.given.crs == "EPSG:3857" and each.prompts[0].kind == "shape"
    layer = similar.layer("similar")
    assert layer.name() == "Like 2 examples"
    assert not layer.renderer().symbol().symbolLayer(0).hasDataDefinedProperties(), "all in one colour"


def test_the_model_is_loaded_once_for_all_searches(similar, ponds):
    ponds.selectByIds([1])
    similar.panel.similar.add_selection.click()
    for page in ("similar", "similar", "everything"):
        similar.find(page)
    assert similar.store.loads == ["starter"]


def test_a_model_that_takes_examples_alone_is_offered_and_used(similar, monkeypatch, ponds):
    assert not similar.panel.similar.model_list.isVisibleTo(similar.panel.similar), "there is none"
    sam3 = replace(WORDS, name="sam3_here", title="SAM 3", accepts=frozenset({"words", "example"}))
    monkeypatch.setattr(catalogue, "SPECS", (*catalogue.SPECS, sam3))
    similar.panel.similar.refresh_models()
    choice = similar.panel.similar.model_list
    assert [choice.itemText(row) for row in range(choice.count())] == ["The model above", "SAM 3"]
    choice.setCurrentIndex(1)
    ponds.selectByIds([1])
    similar.panel.similar.add_selection.click()
    similar.find("similar")

    assert similar.store.loads == ["sam3_here"]


def test_a_server_that_is_reached_without_encryption_is_warned_of(similar, monkeypatch, ponds, heard):
    servers = Servers(samgeo=ServerAddress("http://10.1.2.3:8000"))
    monkeypatch.setattr(server_settings, "server_of", lambda name: "samgeo")
    noticed = heard(similar.finding.noticed)
    ponds.selectByIds([1])
    similar.panel.similar.add_selection.click()
    similar.finding.similar._ask = lambda ask=similar.finding.similar._ask: replace(
        ask(), machine=replace(ask().machine, runtime=RuntimeSettings(servers=servers))
    )
    similar.find("similar")

    assert any("without encryption" in text for text in noticed.values)


def test_the_object_on_the_map_becomes_an_example_and_the_next_click_begins_another(similar, scan):
    similar.stage.start()
    similar.stage.click(60, 60)
    assert similar.stage.current is not None
    similar.panel.similar.add_object.click()

    assert similar.stage.current is None
    assert [text.startswith("object, 3") and text.endswith(" m²") for text in rows(similar)] == [True]
    assert drawn(similar) == [INCLUDED.name()]
    similar.find("similar")
    (example,) = scan.calls[0].finder[2]
    left, bottom, right, top = example.envelope()
    assert ((left + right) / 2 - LEFT, TOP - (bottom + top) / 2) == pytest.approx((60, 60), abs=1.0)
    assert similar.layer("similar").name().startswith("Like object, ")


def test_without_an_object_on_the_map_it_says_how_to_get_one(similar):
    similar.panel.similar.add_object.click()
    assert "click one with the tool first" in similar.said("similar") and rows(similar) == []


def test_counter_examples_are_listed_and_drawn_as_such(similar, scan, ponds):
    ponds.selectByIds([1])
    similar.panel.similar.add_selection.click()
    ponds.selectByIds([2])
    similar.panel.similar.not_selection.click()
    assert rows(similar) == ["ponds, polygon 1", "not: ponds, polygon 2"]
    assert drawn(similar) == sorted([INCLUDED.name(), EXCLUDED.name()])
    similar.find("similar")
    _, _, examples, counter, _, _ = scan.calls[0].finder
    assert (len(examples), len(counter)) == (1, 1)
    assert counter[0].envelope()[0] == pytest.approx(LEFT + 100, abs=0.01)


def test_counter_examples_alone_are_not_enough(similar, ponds):
    ponds.selectAll()
    similar.panel.similar.not_selection.click()
    assert len(rows(similar)) == 2 and not similar.panel.similar.find.isEnabled()


def test_the_same_polygon_is_taken_once_and_can_be_removed(similar, ponds):
    ponds.selectAll()
    similar.panel.similar.add_selection.click()
    similar.panel.similar.add_selection.click()
    assert len(rows(similar)) == 2
    similar.panel.similar.list.item(0).setSelected(True)
    similar.panel.similar.remove.click()
    assert rows(similar) == ["ponds, polygon 2"] and len(drawn(similar)) == 1
    similar.panel.similar.clear.click()
    assert rows(similar) == [] and drawn(similar) == [] and not similar.panel.similar.find.isEnabled()


def test_examples_are_drawn_only_with_their_page(similar, ponds):
    ponds.selectAll()
    similar.panel.similar.add_selection.click()
    similar.panel.ways.show_page("clicks")
    assert drawn(similar) == []
    similar.panel.ways.show_page("similar")
    assert len(drawn(similar)) == 2


def test_examples_outlive_their_layer_and_not_the_project(similar, ponds, project):
    ponds.selectAll()
    similar.panel.similar.add_selection.click()
    project.removeMapLayer(ponds.id())
    assert len(rows(similar)) == 2
    project.clear()
    assert rows(similar) == [] and drawn(similar) == []


def test_the_slider_is_about_similarity(similar, scan, ponds):
    ponds.selectAll()
    similar.panel.similar.add_selection.click()
    similar.find("similar")
    assert similar.count("similar") == "1 of 2 shown"
    similar.slide(0.05, "similar")
    assert similar.count("similar") == "2 of 2 shown" and len(scan.calls) == 1
    assert sorted(feature["similarity"] for feature in similar.layer("similar").getFeatures()) == [0.1, 0.9]


def test_nothing_is_left_on_the_map_after_unloading(similar, ponds):
    ponds.selectAll()
    similar.panel.similar.add_selection.click()
    assert similar.finding.close()
    until(lambda: drawn(similar) == [])
