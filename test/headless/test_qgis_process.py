"""The real qgis_process, from the checkout and from the packed plugin in a clean profile; seconds for each call."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from prompt_segmenter.test.headless.conftest import LEFT, PIXEL, TOP, click
from qgis.core import QgsGeometry, QgsRectangle, QgsVectorLayer

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".dev/bin/qgis_process"
ALGORITHM = "promptsegmenter:segmentprompts"
pytestmark = pytest.mark.skipif(
    "PROMPT_SEGMENTER_CI" not in os.environ and not PROGRAM.exists(),
    reason="run make setup: there is no .dev/bin/qgis_process",
)


def qgis_process(*arguments, **variables):
    """Run as a user would: without what this test process has put into its own environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QGIS", "QT_", "PYTHON"))}
    return subprocess.run(
        [str(PROGRAM), *arguments], capture_output=True, text=True, check=False, env={**kept, **variables}, timeout=300
    )


def assert_is_the_roof(path):
    layer = QgsVectorLayer(str(path), "out", "ogr")
    (feature,) = layer.getFeatures()
    assert layer.crs().authid() == "EPSG:32633"
    assert feature.geometry().isGeosValid()
    box = feature.geometry().boundingBox()
    assert (box.xMinimum(), box.xMaximum()) == pytest.approx((LEFT + 60, LEFT + 90), abs=3)
    assert (box.yMinimum(), box.yMaximum()) == pytest.approx((TOP - 85, TOP - 65), abs=3)
    assert feature["model"] == "starter"
    assert len(feature["model_sha256"]) == 64


def test_a_click_becomes_a_file_and_status_0(image, tmp_path):
    output = tmp_path / "out.gpkg"

    done = qgis_process(
        "--json", "run", ALGORITHM, "--", f"INPUT={image}", f"INCLUDE={click(150, 150)}", f"OUTPUT={output}"
    )

    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["results"]
    assert results["COUNT"] == 1
    assert 0.0 < results["SCORE"] <= 1.0
    assert_is_the_roof(output)


def test_what_it_wrote_comes_out_the_same_when_it_is_replayed(image, tmp_path):
    output, again = tmp_path / "out.gpkg", tmp_path / "again.gpkg"
    made = qgis_process("run", ALGORITHM, "--", f"INPUT={image}", f"INCLUDE={click(150, 150)}", f"OUTPUT={output}")
    assert made.returncode == 0, made.stderr

    done = qgis_process("--json", "run", "promptsegmenter:replay", "--", f"INPUT={output}", f"OUTPUT={again}")

    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["results"]
    assert (results["SAME"], results["DIFFERENT"], results["FAILED"]) == (1, 0, 0)
    (feature,) = QgsVectorLayer(str(again), "again", "ogr").getFeatures()
    assert (feature["verdict"], feature["status"], feature["iou"]) == ("same", "same", 1.0)
    assert_is_the_roof(again)


@pytest.mark.parametrize(
    ("algorithm", "asked"),
    [
        ("segmenteverything", []),
        ("findsimilar", [f"EXAMPLE_POINTS={click(150, 150)}"]),
    ],
)
def test_a_search_finds_the_roof(image, tmp_path, algorithm, asked):
    output = tmp_path / "out.gpkg"

    done = qgis_process(
        "--json", "run", f"promptsegmenter:{algorithm}", "--", f"INPUT={image}", *asked, f"OUTPUT={output}"
    )

    assert done.returncode == 0, done.stderr
    layer = QgsVectorLayer(str(output), "out", "ogr")
    assert layer.featureCount() == json.loads(done.stdout)["results"]["COUNT"]
    roof = QgsGeometry.fromRect(QgsRectangle(LEFT + 60, TOP - 85, LEFT + 90, TOP - 65))
    shares = [
        feature.geometry().intersection(roof).area() / feature.geometry().combine(roof).area()
        for feature in layer.getFeatures()
    ]
    assert max(shares) > 0.6
    assert all(feature["score"] is not None and feature["model"] for feature in layer.getFeatures())


def test_a_word_in_another_language_finds_the_buildings_of_a_made_town(town, tmp_path):
    path, buildings = town
    output = tmp_path / "out.gpkg"

    done = qgis_process(
        *("--json", "run", "promptsegmenter:segmenttext", "--", f"INPUT={path}"),
        *("PROMPT=Gebäude", "CONFIDENCE=0.3", f"OUTPUT={output}"),
    )

    assert done.returncode == 0, done.stderr
    features = list(QgsVectorLayer(str(output), "out", "ogr").getFeatures())
    assert features
    assert {feature["label"] for feature in features} == {"Gebäude"}
    found = rasterize((feature.geometry().asWkt(12) for feature in features), buildings.shape)
    # what is called a building is one more often than any place is
    assert (found & buildings).sum() / found.sum() > 1.5 * buildings.mean()
    assert (found & buildings).sum() / buildings.sum() > 0.3


def rasterize(shapes, size):
    """Return the pixels (H, W) under outlines of the made town, given as WKT."""
    from rasterio import Affine, features
    from shapely import wkt

    grid = Affine(PIXEL, 0, LEFT, 0, -PIXEL, TOP)
    return features.rasterize(((wkt.loads(text), 1) for text in shapes), size, transform=grid).astype(bool)


def test_an_unknown_word_is_status_1_and_the_list_of_words(image, tmp_path):
    output = tmp_path / "out.gpkg"

    done = qgis_process(
        "run", "promptsegmenter:segmenttext", "--", f"INPUT={image}", "PROMPT=unicorn", f"OUTPUT={output}"
    )

    assert done.returncode == 1
    assert "unicorn" in done.stderr
    assert "building" in done.stderr
    assert not output.exists()


def test_what_cannot_work_is_status_1_one_sentence_and_no_file(image, tmp_path):
    output = tmp_path / "out.gpkg"

    done = qgis_process("run", ALGORITHM, "--", f"INPUT={image}", f"EXCLUDE={click(5, 5)}", f"OUTPUT={output}")

    assert done.returncode == 1
    assert "There are only exclude points, so there is no object to look for. Give INCLUDE, BOX" in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()


def test_a_failure_during_the_run_is_status_1_and_no_file(image, tmp_path):
    output = tmp_path / "out.gpkg"

    done = qgis_process("run", ALGORITHM, "--", f"INPUT={image}", "INCLUDE=Point (1 2)", f"OUTPUT={output}")

    assert done.returncode == 1
    assert "This prompt lies outside the raster: +1,2 (EPSG:32633). It covers 500000 to 500150" in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The plugin folder out of the package that git makes of HEAD."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so there is nothing to pack")
    folder = tmp_path_factory.mktemp("packed")
    package = folder / "package.zip"
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT)]
    subprocess.run(
        [*git, "archive", "--format=zip", "--prefix=prompt_segmenter/", "-o", str(package), "HEAD"], check=True
    )
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder / "plugins")
    return folder / "plugins"


def test_the_package_works_in_a_clean_profile(packed, image, tmp_path):
    config, output = tmp_path / "config", tmp_path / "out.geojson"
    settings = config / "profiles/default/QGIS"
    settings.mkdir(parents=True)
    for major in (3, 4):
        (settings / f"QGIS{major}.ini").write_text("[PythonPlugins]\nprompt_segmenter=true\n")

    done = qgis_process(
        *("--json", "run", ALGORITHM, "--", f"INPUT={image}", f"INCLUDE={click(150, 150)}", f"OUTPUT={output}"),
        PLUGINS=str(packed),
        QGIS_CUSTOM_CONFIG_PATH=str(config),
    )

    assert done.returncode == 0, done.stderr
    feature = json.loads(output.read_text())["features"][0]
    assert feature["properties"]["area_m2"] == pytest.approx(600, rel=0.25)
    assert not (packed / "prompt_segmenter" / "test").exists()


def test_the_package_is_fit_to_be_uploaded(packed):
    locate = importlib.util.spec_from_file_location
    spec = locate("check_zip", ROOT / "tools/check_zip.py")
    check_zip = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check_zip)

    assert check_zip.findings(packed.parent / "package.zip") == []
    assert {path.name for path in packed.iterdir()} == {"prompt_segmenter"}
    assert not {"test", "training", "tools", "benchmarks", "Makefile"} & {
        path.name for path in (packed / "prompt_segmenter").iterdir()
    }
