"""Find similar, as a user of the Toolbox would, with a click model whose answers and features are known on paper."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.algorithms import search_algorithm
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.test.algorithms.conftest import LEFT, PIXEL, TOP, write_tif
from prompt_segmenter.test.helpers.fake_word_model import BrightnessFeatures
from prompt_segmenter.test.helpers.processing_run import run
from qgis.core import QgsFeature, QgsGeometry, QgsRasterLayer, QgsVectorLayer

NAME = "promptsegmenter:findsimilar"
BRIGHT = [(20, 20), (90, 30), (150, 140), (40, 150)]
MEDIUM = [(60, 80), (130, 70), (100, 160)]
SIDE = 16


class FeatureStore(ModelStore):
    def missing(self, spec):
        return ()

    def load_for_examples(self, name, *, settings=None, progress=None):
        return BrightnessFeatures()


@pytest.fixture(autouse=True)
def features(plugin, monkeypatch):
    monkeypatch.setattr(search_algorithm, "ModelStore", FeatureStore)


@pytest.fixture(scope="module")
def squares_path(tmp_path_factory):
    """200 x 200 pixels of 2 m: dark ground, four squares at grey 200, three at grey 120, all of 16 pixels."""
    data = np.full((3, 200, 200), 40, np.uint8)
    for value, places in ((200, BRIGHT), (120, MEDIUM)):
        for col, row in places:
            data[:, row : row + SIDE, col : col + SIDE] = value
    return write_tif(tmp_path_factory.mktemp("squares") / "squares.tif", data, photometric="RGB")


@pytest.fixture
def squares(squares_path, qgis_app):
    return QgsRasterLayer(squares_path, "squares")


def middle(place):
    return LEFT + PIXEL * (place[0] + SIDE / 2), TOP - PIXEL * (place[1] + SIDE / 2)


def square(place):
    (x, y), half = middle(place), PIXEL * SIDE / 2
    return QgsGeometry.fromWkt(
        f"POLYGON(({x - half} {y - half},{x + half} {y - half},{x + half} {y + half},{x - half} {y + half},"
        f"{x - half} {y - half}))"
    )


def layer_of(*places):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32633", "examples", "memory")
    for place in places:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(square(place))
        assert layer.dataProvider().addFeature(feature)
    return layer


def found(outcome):
    """Return the places whose square is outlined, and how many outlines there are."""
    assert outcome.error == outcome.refused == ""
    shapes = [feature.geometry() for feature in outcome.features]

    def is_outlined(place):
        own = square(place)
        return any(
            shape.intersection(own).area() / shape.combine(own).area() > 0.8
            for shape in shapes
            if shape.intersects(own)
        )

    return {place for place in BRIGHT + MEDIUM if is_outlined(place)}, len(shapes)


def test_one_polygon_finds_all_of_its_kind_and_none_of_the_other(squares):
    outcome = run(algorithm=NAME, INPUT=squares, EXAMPLES=layer_of(BRIGHT[0]), SIMPLIFY=0.0)

    assert found(outcome) == (set(BRIGHT), len(BRIGHT))
    assert all(0.5 <= feature["similarity"] <= 1.0 for feature in outcome.features)


def test_a_point_on_an_object_is_an_example_too(squares):
    x, y = middle(MEDIUM[0])

    outcome = run(algorithm=NAME, INPUT=squares, EXAMPLE_POINTS=f"Point({x} {y})", SIMPLIFY=0.0)

    assert found(outcome)[0] == set(MEDIUM)


def test_an_example_may_come_in_another_crs(squares):
    outcome = run(
        algorithm=NAME, INPUT=squares, EXAMPLE_POINTS=f"CRS=EPSG:4326;Point({lon_lat(BRIGHT[1])})", SIMPLIFY=0.0
    )

    assert found(outcome)[0] == set(BRIGHT)


def lon_lat(place):
    from prompt_segmenter.core import native

    x, y = native.pyproj().Transformer.from_crs(32633, 4326, always_xy=True).transform(*middle(place))
    return f"{x:.9f} {y:.9f}"


def test_a_lower_similarity_gives_more(squares):
    some = run(algorithm=NAME, INPUT=squares, EXAMPLES=layer_of(BRIGHT[0]), SIMPLIFY=0.0)
    more = run(algorithm=NAME, INPUT=squares, EXAMPLES=layer_of(BRIGHT[0]), SIMPLIFY=0.0, SIMILARITY=0.0)

    assert len(more.features) >= len(some.features)
    assert min(feature["similarity"] for feature in more.features) <= min(
        feature["similarity"] for feature in some.features
    )


def test_without_an_example_it_says_what_to_give(squares):
    outcome = run(algorithm=NAME, INPUT=squares)

    assert "EXAMPLES" in outcome.refused


def test_each_polygon_of_a_feature_is_an_example(squares):
    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:32633", "examples", "memory")
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.collectGeometry([square(BRIGHT[0]), square(MEDIUM[0])]))
    assert layer.dataProvider().addFeature(feature)

    outcome = run(algorithm=NAME, INPUT=squares, EXAMPLES=layer, SIMPLIFY=0.0)

    assert found(outcome)[0] == {*BRIGHT, *MEDIUM}


def test_a_coverage_of_the_similar_alone_is_refused(squares):
    outcome = run(algorithm=NAME, INPUT=squares, EXAMPLES=layer_of(BRIGHT[0]), OVERLAPS="coverage")

    assert "coverage" in outcome.refused
