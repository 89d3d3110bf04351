"""The commands text, everything and similar, with models whose answers are known on paper."""

from __future__ import annotations

import json

import numpy as np
import pytest
from prompt_segmenter.core import cli
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.outlines.stored import read_results
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.fake_word_model import BrightnessFeatures, BrightnessWords
from prompt_segmenter.test.helpers.rasters import write_raster
from shapely.geometry import box, shape

GRID = (2.0, 0.0, 500000.0, 0.0, -2.0, 4600000.0)
FIRST, SECOND = (500040, 4599920, 500080, 4599960), (500120, 4599840, 500160, 4599880)
"""Bounds of the two squares, the first brighter."""


@pytest.fixture
def image(tmp_path):
    data = np.full((3, 100, 100), 20, np.uint8)
    data[:, 20:40, 20:40] = 220
    data[:, 60:80, 60:80] = 140
    return write_raster(tmp_path / "image.tif", data, transform=GRID)


@pytest.fixture(autouse=True)
def models(monkeypatch):
    monkeypatch.setattr(ModelStore, "load", lambda _, name, **__: BrightnessFeatures())
    monkeypatch.setattr(ModelStore, "load_for_examples", lambda _, name, **__: BrightnessFeatures())
    monkeypatch.setattr(ModelStore, "load_words", lambda _, name, **__: BrightnessWords())


def run(capsys, *arguments):
    status = cli.main([str(argument) for argument in arguments])
    return (status, *capsys.readouterr())


def boxes(path, *, off=1e-6):
    """Return which of the squares a GeoPackage's outlines are, to a share of their area."""
    found = [stored.geometry for stored in read_results(path)]
    return [
        index
        for geometry in found
        for index, square in enumerate((box(*FIRST), box(*SECOND)))
        if geometry.symmetric_difference(square).area < off * square.area
    ]


def test_words_become_classes(capsys, image, tmp_path):
    out = tmp_path / "out.gpkg"

    status, printed, errors = run(
        capsys, "text", image, "--prompt", "bright; medium", "--confidence", 0.5, "--simplify", 0,
        "--stretch", "0:255", "-o", out,
    )  # fmt: skip

    assert status == 0, errors
    assert sorted(boxes(out)) == [0, 1]
    assert "bright: 1" in printed
    assert "2 polygons" in printed


def test_everything_is_both_squares(capsys, image, tmp_path):
    out = tmp_path / "out.gpkg"

    status, *_ = run(
        capsys, "everything", image, "--model", "starter", "--simplify", 0, "--stretch", "0:255", "-o", out
    )

    assert status == 0
    assert sorted(boxes(out)) == [0, 1]


def test_everything_goes_as_low_as_the_confidence(capsys, image, tmp_path, monkeypatch):
    out = tmp_path / "out.gpkg"
    monkeypatch.setattr(ModelStore, "load", lambda _, name, **__: SameBrightness(score=0.6))
    common = ("everything", image, "--simplify", 0, "--stretch", "0:255", "-o", out)

    for confidence, found in (((), []), (("--confidence", 0.65), []), (("--confidence", 0.5), [0, 1])):
        assert run(capsys, *common, *confidence)[0] == 0
        assert sorted(boxes(out)) == found


def test_only_the_extent_is_searched_in_any_crs(capsys, image, tmp_path):
    out = tmp_path / "out.gpkg"
    extent = "500100,4599820,500200,4599900"

    run(
        capsys, "text", image, "--prompt", "bright; medium", "--confidence", 0.5, "--extent", extent, "--simplify", 0,
        "--stretch", "0:255", "-o", out,
    )  # fmt: skip

    assert boxes(out) == [1]


def test_the_most_similar_object_is_the_example_itself(capsys, image, tmp_path):
    out = tmp_path / "out.geojson"

    status, *_ = run(
        capsys, "similar", image, "--example", "500060,4599940", "--similarity", 0, "--stretch", "0:255", "-o", out
    )

    assert status == 0
    features = json.loads(out.read_text())["features"]
    best = max(features, key=lambda feature: feature["properties"]["similarity"])
    assert best["properties"]["area_m2"] == pytest.approx(1600.0, rel=0.25)
    assert best["properties"]["prompts"].startswith("like +500060,4599940 EPSG:32633")
    assert shape(best["geometry"]).is_valid


def test_it_is_said_that_what_was_found_is_not_similar_enough(capsys, image, tmp_path):
    out = tmp_path / "out.geojson"

    status, _, errors = run(
        capsys, "similar", image, "--example", "500060,4599940", "--similarity", 1, "--stretch", "0:255", "-o", out
    )

    assert status == 0
    assert json.loads(out.read_text())["features"] == []
    assert "Warning: Nothing is as similar as 1: the most similar of" in errors


def test_examples_come_from_a_file_of_results(capsys, image, tmp_path):
    example, out = tmp_path / "example.gpkg", tmp_path / "out.gpkg"
    run(capsys, "text", image, "--prompt", "bright", "--simplify", 0, "--stretch", "0:255", "-o", example)

    status, *_ = run(capsys, "similar", image, "--examples", example, "--simplify", 0, "--stretch", "0:255", "-o", out)

    assert status == 0
    assert 0 in boxes(out, off=0.25)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("text", "--prompt", ";"), "word"),
        (("text", "--prompt", "volcano"), "volcano"),
        (("similar",), "--example"),
        (("everything", "--extent", "0,0,10,10"), "doesn't meet"),
        (("everything", "--step", "0"), "step_px"),
        (("everything", "--confidence", "1.5"), "confidence is 1.5"),
        (("everything", "--confidence", "-5"), "confidence is -5"),
        (("everything", "--window", "0"), "Windows of 0 pixels"),
        (("similar", "--example", "500060,4599940", "--similarity", "7"), "least similarity is 7"),
        (("similar", "--example", "500060,4599940", "--similarity", "nan"), "least similarity is nan"),
    ],
)
def test_what_cannot_work_is_one_sentence_and_no_file(capsys, image, tmp_path, arguments, said):
    out = tmp_path / "out.gpkg"
    command, *rest = arguments

    status, _, errors = run(capsys, command, image, *rest, "-o", out)

    assert status == 1
    assert said in errors.splitlines()[-1]
    assert not out.exists()


def test_it_is_said_before_pixels_go_to_another_machine_unencrypted(capsys, image, tmp_path, monkeypatch):
    monkeypatch.setenv("PROMPT_SEGMENTER_SAMGEO_URL", "http://me:pass@192.0.2.1:8000")
    common = (image, "--prompt", "bright", "--stretch", "0:255", "-o", tmp_path / "out.gpkg")

    _, _, remote = run(capsys, "text", *common, "--model", "samgeo_sam3")
    _, _, local = run(capsys, "text", *common)

    said = "http://192.0.2.1:8000 is another machine that is reached without encryption"
    assert said in remote
    assert "pass@" not in remote
    assert said not in local
