from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.algorithms import segmentprompts
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.helpers.processing_run import run
from qgis.core import QgsFeature, QgsGeometry, QgsRasterLayer, QgsRectangle, QgsVectorLayer

CLICK = "Point (500060 4599930)"
NO_PROMPT = "There is no prompt. Give INCLUDE, BOX, POINTS or BOXES."
ONLY_EXCLUDE = (
    "There are only exclude points, so there is no object to look for. Give INCLUDE, BOX, POINTS or BOXES as well."
)
AS_EXTENT = "Write it as xmin,xmax,ymin,ymax with xmin < xmax and ymin < ymax, and optionally [EPSG:n]."
AS_POINTS = "Write MultiPoint ((x y), (x y)) with finite numbers; another CRS in front, as CRS=EPSG:4326;"
MODELS = (
    "Use one of: starter, mobile_sam, mobile_sam_samgis, sam_vit_b, sam_vit_l, sam_vit_h, "
    "samgeo_sam3, samgeo_sam2, samgeo_sam, samgis."
)
REFUSED = {
    "no prompt": ({}, NO_PROMPT),
    "empty prompt": ({"INCLUDE": "  ", "BOX": ""}, NO_PROMPT),
    "exclude only": ({"EXCLUDE": CLICK}, ONLY_EXCLUDE),
    "unknown model": ({"INCLUDE": CLICK, "MODEL": "nosuch"}, f"There is no model called 'nosuch'. {MODELS}"),
    "model by number": ({"INCLUDE": CLICK, "MODEL": 0}, f"There is no model called '0'. {MODELS}"),
    "NaN": ({"INCLUDE": "Point (nan 4)"}, f"INCLUDE 'Point (nan 4)' can't be read as points. {AS_POINTS}"),
    "no WKT": ({"INCLUDE": "1,2"}, f"INCLUDE '1,2' can't be read as points. {AS_POINTS}"),
    "polygon": (
        {"INCLUDE": "Polygon ((0 0, 1 0, 1 1, 0 0))"},
        "Polygon ((0 0, 1 0, 1 1, 0 0)) is not a point. Give a point or a multipoint.",
    ),
    "inverted box": ({"BOX": "9,3,1,5"}, f"BOX '9,3,1,5' is empty or inverted. {AS_EXTENT}"),
    "empty box": ({"BOX": "3,3,1,5"}, f"BOX '3,3,1,5' is empty or inverted. {AS_EXTENT}"),
    "NaN box": ({"BOX": "nan,3,1,5"}, f"BOX 'nan,3,1,5' is not a place. {AS_EXTENT}"),
    "infinite box": ({"BOX": "1,inf,1,5 [EPSG:4326]"}, f"BOX '1,inf,1,5 [EPSG:4326]' is not a place. {AS_EXTENT}"),
    "words as box": ({"BOX": "a,b,c,d"}, f"BOX 'a,b,c,d' can't be read. {AS_EXTENT}"),
    "word as box": ({"BOX": "somewhere"}, f"BOX 'somewhere' is empty or can't be read. {AS_EXTENT}"),
    "box of no size": (
        {"BOX": QgsRectangle(1, 1, 1, 1)},
        f"BOX '{QgsRectangle(1, 1, 1, 1).toString()}' is empty or can't be read. {AS_EXTENT}",
    ),
    "inverted extent": (
        {"INCLUDE": CLICK, "EXTENT": "9,3,1,5"},
        f"EXTENT '9,3,1,5' is empty or inverted. {AS_EXTENT}",
    ),
    "resolution": (
        {"INCLUDE": CLICK, "RESOLUTION": -1.0},
        "RESOLUTION is -1. Give a number above 0, in map units per pixel.",
    ),
    "unknown CRS of points": (
        {"INCLUDE": "CRS=EPSG:99999999;Point (1 2)"},
        "INCLUDE is in the CRS 'EPSG:99999999', which QGIS does not know. Give a code such as EPSG:4326.",
    ),
    "unknown CRS of a box": (
        {"BOX": "1,2,3,4 [EPSG:99999999]"},
        "BOX is in the CRS 'EPSG:99999999', which QGIS does not know. Give a code such as EPSG:4326.",
    ),
    "bands": (
        {"INCLUDE": CLICK, "BANDS": "red"},
        "The bands 'red' can't be understood. Give one band number or three, for example 4,3,2.",
    ),
    "stretch": (
        {"INCLUDE": CLICK, "STRETCH": "9:3"},
        "The stretch 9:3 is empty or inverted. Give it as low:high with low < high, in the raster's own values.",
    ),
    "box and each point": (
        {"INCLUDE": CLICK, "BOX": "1,2,3,4", "OBJECTS": "each_point"},
        "BOX encloses one object, so it does not go with OBJECTS=each_point. "
        "Leave one of them out, or give several boxes as a layer (BOXES).",
    ),
    "field without a layer": (
        {"INCLUDE": CLICK, "GROUP_FIELD": "id"},
        "GROUP_FIELD is a field of POINTS, which is not given. Leave GROUP_FIELD out.",
    ),
    "no folder for the output": (
        {"INCLUDE": CLICK, "OUTPUT": "/no/such/folder/out.gpkg"},
        "The folder '/no/such/folder' of the output does not exist. Create it, or choose another.",
    ),
}


class FullDisk:
    """A sink on which one call fails."""

    def __init__(self, fails):
        self.fails = fails

    def addFeature(self, feature, flags):
        return self.fails != "addFeature"

    def flushBuffer(self):
        return self.fails != "flushBuffer"

    def lastError(self):
        return "disk full"


@pytest.mark.parametrize(("values", "sentence"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("fake_model")
def test_values_that_cannot_work_are_refused_before_the_run(scene, tmp_path, values, sentence):
    outcome = run(**{"INPUT": scene, "OUTPUT": str(tmp_path / "out.gpkg"), **values})

    assert outcome.refused == sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("fake_model")
def test_an_exponent_is_a_number_in_a_box(scene):
    assert run(INPUT=scene, BOX="5.0004e5,500080,4.59992e6,4599940").error == ""


@pytest.mark.usefixtures("fake_model")
def test_a_missing_raster_is_named(tmp_path):
    outcome = run(INPUT="/no/such/image.tif", INCLUDE=CLICK)

    assert outcome.refused == (
        "The raster '/no/such/image.tif' can't be opened. "
        "Check that the file is there and that QGIS opens it as a raster layer."
    )


@pytest.mark.usefixtures("fake_model")
def test_a_raster_without_crs_needs_to_be_allowed_and_then_works_in_its_own_coordinates(tmp_path):
    data = np.full((1, 50, 60), 10, np.uint8)
    data[:, 10:20, 5:25] = 200
    path = write_tif(tmp_path / "plain.tif", data, crs=None, transform=(2, 0, 0, 0, -2, 0))
    layer = QgsRasterLayer(path, "plain")
    assert not layer.crs().isValid()

    refused = run(INPUT=layer, INCLUDE="Point (20 -30)")
    allowed = run(INPUT=layer, INCLUDE="Point (20 -30)", PIXEL_SPACE=True, SIMPLIFY=0.0)
    in_a_crs = run(INPUT=layer, INCLUDE="CRS=EPSG:4326;Point (20 -30)", PIXEL_SPACE=True)

    assert refused.refused == (
        "The raster 'plain' has no CRS, so areas and positions are unknown. "
        "Set its CRS, or say PIXEL_SPACE=true to work in the layer's own coordinates."
    )
    assert allowed.features[0].geometry().boundingBox().toString(0) == "10,-40 : 50,-20"
    assert in_a_crs.error == (
        "The prompts are in EPSG:4326, but the raster has no CRS. "
        "Set the raster's CRS, or give the prompts without a CRS, in the raster's own coordinates."
    )


@pytest.mark.usefixtures("fake_model")
def test_prompts_outside_the_raster_are_all_named_and_nothing_is_written(scene, tmp_path):
    outcome = run(
        INPUT=scene,
        INCLUDE="MultiPoint ((500060 4599930), (100 200), (300 400))",
        OUTPUT=str(tmp_path / "out.gpkg"),
    )

    named = "+100,200 (EPSG:32633); +300,400 (EPSG:32633)."
    assert outcome.error.startswith(f"These prompts lie outside the raster: {named}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("fake_model")
def test_a_prompt_outside_is_named_as_the_user_wrote_it(scene):
    outcome = run(INPUT=scene, INCLUDE="CRS=EPSG:4326;Point (10 10)")

    assert outcome.error.startswith("This prompt lies outside the raster: +10,10 (EPSG:4326).")


@pytest.mark.usefixtures("fake_model")
def test_a_click_without_a_place_in_the_rasters_crs_is_named(scene):
    outcome = run(INPUT=scene, INCLUDE="CRS=EPSG:4326;Point (500 400)")

    assert "Point (500 400) (EPSG:4326) has no place in EPSG:32633." in outcome.error


@pytest.mark.usefixtures("fake_model")
def test_too_many_pixels_are_refused_with_the_resolution_that_fits(tmp_path, plugin):
    data = np.zeros((1, 5000, 5000), np.uint8)
    path = write_tif(tmp_path / "large.tif", data, compress="deflate", sparse_ok="true")
    extent = "500000,510000,4590000,4600000"

    outcome = run(INPUT=QgsRasterLayer(path, "large"), INCLUDE=CLICK, EXTENT=extent, RESOLUTION=2.0)

    assert "5000 x 5000" in outcome.error
    assert "resolution" in outcome.error.lower()


@pytest.mark.usefixtures("fake_model")
def test_a_label_that_is_neither_include_nor_exclude_is_named(scene):
    layer = QgsVectorLayer("Point?crs=EPSG:32633&field=label:string", "clicks", "memory")
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromWkt(CLICK))
    feature.setAttributes(["maybe"])
    layer.dataProvider().addFeature(feature)

    outcome = run(INPUT=scene, POINTS=layer, LABEL_FIELD="label")

    assert outcome.error == (
        "Feature 1 of POINTS has 'maybe' in the field 'label'. It says 1 for include and 0 for exclude."
    )


@pytest.mark.usefixtures("fake_model")
@pytest.mark.parametrize("name", ["LABEL_FIELD", "GROUP_FIELD"])
def test_a_field_that_is_not_there_is_named_with_those_that_are(scene, name):
    layer = QgsVectorLayer("Point?crs=EPSG:32633&field=label:string&field=roof:integer", "clicks", "memory")
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromWkt(CLICK))
    layer.dataProvider().addFeature(feature)

    outcome = run(INPUT=scene, POINTS=layer, **{name: "nosuch"})

    assert outcome.error == f"POINTS has no field 'nosuch' ({name}). Its fields are: label, roof."


@pytest.mark.usefixtures("fake_model")
def test_layers_without_an_include_point_are_refused(scene):
    layer = QgsVectorLayer("Point?crs=EPSG:32633&field=label:integer", "clicks", "memory")

    outcome = run(INPUT=scene, POINTS=layer)

    assert outcome.error == (
        "The layers hold no include point and no box, so there is no object to look for. "
        "Check POINTS, LABEL_FIELD and BOXES, and whether only selected features are used."
    )


def test_weights_that_are_not_there_are_named_with_the_way_to_get_them(scene, plugin, tmp_path, monkeypatch):
    monkeypatch.setattr(segmentprompts, "ModelStore", lambda: ModelStore(tmp_path))

    outcome = run(INPUT=scene, INCLUDE=CLICK, MODEL="mobile_sam")

    assert "mobile_sam" in outcome.refused
    assert str(tmp_path) in outcome.refused
    assert "models fetch mobile_sam" in outcome.refused


def test_corrupt_weights_are_set_aside_and_never_loaded(scene, plugin, tmp_path, monkeypatch):
    monkeypatch.setattr(segmentprompts, "ModelStore", lambda: ModelStore(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    for name in ("mobile_sam_image_encoder.onnx", "sam_mask_decoder_multi.onnx"):
        (tmp_path / "weights" / name).write_bytes(b"not a graph")

    outcome = run(INPUT=scene, INCLUDE=CLICK, MODEL="mobile_sam", OUTPUT=str(tmp_path / "out.gpkg"))

    assert "is damaged or another file" in outcome.error
    assert (tmp_path / "weights" / "mobile_sam_image_encoder.onnx.corrupt-1").exists()
    assert not (tmp_path / "out.gpkg").exists()


@pytest.mark.usefixtures("fake_model")
def test_an_output_that_cannot_be_made_leaves_nothing(scene, tmp_path):
    (tmp_path / "out.gpkg").mkdir()

    outcome = run(INPUT=scene, INCLUDE=CLICK, OUTPUT=str(tmp_path / "out.gpkg"))

    assert "out.gpkg' is a folder." in outcome.refused
    assert list((tmp_path / "out.gpkg").iterdir()) == []


@pytest.mark.usefixtures("fake_model")
@pytest.mark.parametrize("fails", ["addFeature", "flushBuffer"])
def test_an_output_that_cannot_be_written_is_taken_away_again(scene, tmp_path, monkeypatch, fails):
    path = tmp_path / "out.gpkg"
    path.write_bytes(b"half")
    sink = FullDisk(fails)
    monkeypatch.setattr(segmentprompts.SegmentPromptsAlgorithm, "parameterAsSink", lambda *_: (sink, str(path)))

    outcome = run(INPUT=scene, INCLUDE=CLICK, OUTPUT=str(path))

    assert outcome.error == (
        f"The output can't be written to {path}: disk full. "
        "Check that there is room and that the folder can be written to, or choose another place."
    )
    assert not path.exists()


@pytest.mark.usefixtures("fake_model")
def test_web_tiles_without_their_provider_say_how_to_write_them():
    outcome = run(INPUT="type=xyz&url=http://127.0.0.1:1/{z}/{x}/{y}.png?key=1234567&zmax=20", INCLUDE="Point (1 1)")

    assert "can't be opened. Write the provider in front" in outcome.refused + outcome.error
    assert "wms://type=xyz&url=" in outcome.refused + outcome.error
    assert "1234567" not in outcome.refused + outcome.error


@pytest.mark.usefixtures("fake_model")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"PROMPTS": "+1,2 EPSG:32633", "INCLUDE": CLICK}, "PROMPTS says all prompts, so it does not go with INCLUDE"),
        ({"PROMPTS": "here"}, "The prompts 'here' can't be understood"),
        ({"PROMPTS": "+1,2"}, "can't be understood"),
        ({"PROMPTS": "-500010,4599990 EPSG:32633"}, "only exclude points"),
        ({"PROMPTS": "+1,2 'a local grid'"}, "has no code and is not the raster's"),
        ({"INCLUDE": CLICK, "WINDOW": "all of it"}, "The window 'all of it' can't be understood"),
        ({"INCLUDE": CLICK, "WINDOW": "0,0,9999,9999@64x64"}, "not one of this raster, which has 120 x 100 pixels"),
        ({"INCLUDE": CLICK, "WINDOW": "0,0,64,64@64x64", "EXTENT": "1,2,3,4"}, "WINDOW and EXTENT both say where"),
        ({"INCLUDE": CLICK, "WINDOW": "0,0,64,64@64x64 candidate 7"}, "no candidate 7"),
    ],
)
def test_texts_of_results_that_make_no_sense_are_refused(scene, given, words):
    outcome = run(INPUT=scene, **given)

    assert words in outcome.refused + outcome.error
