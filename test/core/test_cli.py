from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import prompt_segmenter
import pytest
from prompt_segmenter.core import cli
from prompt_segmenter.core.console import ConsoleProgress, stopping
from prompt_segmenter.core.errors import DependencyError, ModelNotInstalledError, StoppedWaiting
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.store import FOLDER_VARIABLE, ModelStore
from prompt_segmenter.core.raster.crs import transform_points
from prompt_segmenter.core.remote.address import SAMGEO_VARIABLES
from prompt_segmenter.core.status import status_lines
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.fake_samgeo import fake_samgeo
from prompt_segmenter.test.helpers.rasters import write_raster
from shapely.geometry import Polygon, box, shape

ROOT = Path(prompt_segmenter.__file__).resolve().parent
GRID = (2.0, 0.0, 500000.0, 0.0, -2.0, 4600000.0)
FIRST, SECOND = "500050,4599950", "500130,4599870"


@pytest.fixture
def image(tmp_path):
    """Two bright squares of 20 m: one around (500050, 4599950), one around (500130, 4599870)."""
    data = np.full((3, 100, 100), 20, np.uint8)
    data[:, 20:30, 20:30] = 120
    data[:, 60:70, 60:70] = 200
    return write_raster(tmp_path / "image.tif", data, transform=GRID)


@pytest.fixture(autouse=True)
def model(monkeypatch):
    """Every model is the one whose answer is known on paper."""
    asked = {}

    def load(_store, name, *, settings=None, progress=None):
        asked.update(name=name, settings=settings)
        return SameBrightness()

    monkeypatch.setattr(ModelStore, "load", load)
    return asked


def run(capsys, *arguments):
    status = cli.main([str(argument) for argument in arguments])
    return (status, *capsys.readouterr())


def segment(capsys, image, out, *arguments):
    return run(capsys, "segment", image, *arguments, "--stretch", "0:255", "-o", out)


def features(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))["features"]


def in_utm(feature):
    ring = transform_points(feature["geometry"]["coordinates"][0], "EPSG:4326", "EPSG:32633")
    return np.round([*ring.min(axis=0), *ring.max(axis=0)], 3).tolist()


def test_a_click_makes_a_geojson_with_the_square_under_it(capsys, image, tmp_path):
    out = tmp_path / "out.geojson"
    status, said, _ = segment(capsys, image, out, "--include", FIRST, "--label", "roof")
    assert status == 0
    (feature,) = features(out)
    assert in_utm(feature) == [500040.0, 4599940.0, 500060.0, 4599960.0]
    assert feature["properties"]["label"] == "roof"
    assert feature["properties"]["area_m2"] == pytest.approx(400.0, rel=1e-3)
    assert "area 400." in said
    assert "1 polygon in" in said


def test_a_geopackage_keeps_the_crs_of_the_raster(capsys, image, tmp_path):
    ogr = pytest.importorskip("osgeo.ogr")
    out = tmp_path / "out.gpkg"
    assert segment(capsys, image, out, "--include", FIRST)[0] == 0
    dataset = ogr.Open(str(out))
    layer = dataset.GetLayer(0)
    assert layer.GetSpatialRef().GetAuthorityCode(None) == "32633"
    assert layer.GetExtent() == (500040.0, 500060.0, 4599940.0, 4599960.0)


def test_coordinates_in_another_crs_and_negative_ones_find_the_same_object(capsys, tmp_path):
    data = np.full((3, 60, 60), 20, np.uint8)
    data[:, 20:30, 20:30] = 120
    west = write_raster(tmp_path / "west.tif", data, transform=(1e-5, 0, -71.2, 0, -1e-5, 46.8), crs="EPSG:4326")
    out = tmp_path / "out.geojson"
    assert segment(capsys, west, out, "--include", "-71.19975,46.79975")[0] == 0
    (first,) = features(out)
    x, y = transform_points([(-71.19975, 46.79975)], "EPSG:4326", "EPSG:3857")[0]
    assert segment(capsys, west, out, "--include", f"{x},{y}", "--crs", "EPSG:3857")[0] == 0
    (second,) = features(out)
    assert first["geometry"] == second["geometry"]
    assert shape(first["geometry"]).symmetric_difference(box(-71.1998, 46.7997, -71.1997, 46.7998)).area < 1e-14


def test_each_point_is_an_object_of_its_own_when_asked_for(capsys, image, tmp_path):
    out = tmp_path / "out.geojson"
    assert segment(capsys, image, out, "--include", FIRST, "--include", SECOND, "--each-point")[0] == 0
    assert [feature["properties"]["object"] for feature in features(out)] == [1, 2]


def test_several_boxes_are_several_objects_and_exclude_points_count_for_all(capsys, image, tmp_path):
    out = tmp_path / "out.geojson"
    boxes = ["--box", "500038,4599938,500062,4599962", "--box", "500118,4599858,500142,4599882"]
    assert segment(capsys, image, out, *boxes, "--exclude", "500100,4599900")[0] == 0
    first, second = features(out)
    assert in_utm(first) == [500040.0, 4599940.0, 500060.0, 4599960.0]
    assert in_utm(second) == [500120.0, 4599860.0, 500140.0, 4599880.0]
    assert "-500100,4599900" in first["properties"]["prompts"]


def test_an_image_without_a_crs_works_in_pixels_when_asked_for(capsys, tmp_path):
    data = np.full((3, 50, 50), 20, np.uint8)
    data[:, 10:20, 30:40] = 120
    plain = write_raster(tmp_path / "plain.tif", data, crs=None, transform=None)
    out = tmp_path / "out.geojson"
    status, _, errors = segment(capsys, plain, out, "--include", "35,15")
    assert status == 1
    assert "no coordinate reference system" in errors
    assert "(--pixel-space)" in errors
    status, _, errors = segment(capsys, plain, out, "--include", "35,15", "--pixel-space", "--crs", "EPSG:4326")
    assert status == 1
    assert "(--pixel-space)" not in errors
    assert "can't be brought from" in errors
    assert segment(capsys, plain, out, "--include", "35,15", "--pixel-space")[0] == 0
    assert shape(features(out)[0]["geometry"]).bounds == (30.0, 10.0, 40.0, 20.0)


def test_an_extent_in_the_crs_of_the_prompts_is_looked_at(capsys, image, tmp_path):
    out = tmp_path / "out.geojson"
    extent = ["--extent", "500030,4599930,500070,4599970", "--resolution", "2"]
    assert segment(capsys, image, out, "--include", FIRST, *extent)[0] == 0
    assert features(out)[0]["properties"]["window"] == "15,15,20,20@20x20"


def test_outline_and_machine_settings_arrive(capsys, image, tmp_path, model):
    out = tmp_path / "out.geojson"
    more = ["--parts", "all", "--fill-holes", "5", "--min-area", "1", "--simplify", "0.5", "--smooth", "1"]
    more += ["--expand", "-2", "--threads", "1", "--provider", "cpu", "--model", "mobile_sam", "--bands", "3,2,1"]
    assert segment(capsys, image, out, "--include", FIRST, *more)[0] == 0
    properties = features(out)[0]["properties"]
    assert properties["settings"] == "parts=all fill_holes=5m2 min_area=1m2 simplify=0.5m smooth=1 expand=-2m"
    assert properties["stretch"] == "bands=3,2,1 stretch=0:255"
    assert properties["area_m2"] < 300.0
    assert model["name"] == "mobile_sam"
    assert (model["settings"].threads, model["settings"].provider) == (1, "cpu")


def test_nothing_found_is_a_file_without_features_a_warning_and_status_0(capsys, image, tmp_path):
    out = tmp_path / "out.geojson"
    status, said, errors = segment(capsys, image, out, "--include", FIRST, "--min-area", "1e6")
    assert status == 0
    assert features(out) == []
    assert "Warning: Object 1: nothing found at" in errors
    assert "0 polygons" in said


def test_quiet_says_nothing(capsys, image, tmp_path):
    out = tmp_path / "out.geojson"
    assert segment(capsys, image, out, "--include", FIRST, "--quiet") == (0, "", "")


WRONG = {
    "no prompt": ([], "There is no prompt. Add an include point or a box."),
    "exclude only": (["--exclude", FIRST], "There are only exclude points"),
    "outside": (["--include", "10,10"], "+10,10"),
    "not a number": (["--include", "nan,4599950"], "is not a place"),
    "not a point": (["--include", "12;46"], "The point '12;46' can't be understood."),
    "inverted box": (["--box", "9,1,2,5"], "empty or inverted"),
    "unknown crs": (["--include", FIRST, "--crs", "EPSG:99999999"], "EPSG:99999999"),
    "points and boxes": (["--include", FIRST, "--box", "1,2,3,4", "--box", "1,2,3,4"], "can't be told"),
    "unknown bands": (["--include", FIRST, "--bands", "red"], "The bands 'red' can't be understood."),
    "absent band": (["--include", FIRST, "--bands", "9"], "no band 9"),
    "bad smooth": (["--include", FIRST, "--smooth", "9"], "smooth is 9"),
    "too many pixels": (
        ["--include", FIRST, "--extent", "400000,4000000,600000,5000000", "--resolution", "-1"],
        "resolution",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_input_is_one_sentence_on_stderr_with_status_1_and_no_file(capsys, image, tmp_path, name):
    arguments, sentence = WRONG[name]
    out = tmp_path / "out.geojson"
    status, said, errors = segment(capsys, image, out, *arguments)
    assert status == 1
    assert said == ""
    last = errors.splitlines()[-1]
    assert last.startswith("Error: ")
    assert sentence in last
    assert "Traceback" not in errors
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["image.tif"]


@pytest.mark.parametrize(
    ("out", "sentence"),
    [("nowhere/out.gpkg", "does not exist"), ("out.shp", "no ending that says its format"), (".", "no ending")],
)
def test_an_output_that_cannot_be_is_refused_before_the_work(capsys, tmp_path, out, sentence):
    status, _, errors = run(capsys, "segment", tmp_path / "missing.tif", "--include", "1,1", "-o", tmp_path / out)
    assert status == 1
    assert sentence in errors


def test_a_missing_image_is_named(capsys, tmp_path):
    status, _, errors = segment(capsys, tmp_path / "missing.tif", tmp_path / "out.gpkg", "--include", "1,1")
    assert status == 1
    assert "missing.tif" in errors


def test_a_model_that_is_not_installed_is_told_with_the_command_that_gets_it(capsys, image, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "weights"))

    def load(store, name, **_):
        raise ModelNotInstalledError("The model 'x' is not installed.", hint="Get it with: ...")

    monkeypatch.setattr(ModelStore, "load", load)
    status, _, errors = segment(capsys, image, tmp_path / "out.gpkg", "--include", FIRST)
    assert (status, errors.splitlines()[-1]) == (1, "Error: The model 'x' is not installed. Get it with: ...")


@pytest.mark.parametrize("arguments", [[], ["segment"], ["segment", "a.tif", "-o"], ["nonsense"], ["models", "fetch"]])
def test_wrong_usage_is_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_status_says_how_the_samgeo_server_is(monkeypatch):
    for name in SAMGEO_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert status_lines()[-1].startswith("Samgeo server      No samgeo server is set up.")
    with fake_samgeo() as server:
        monkeypatch.setenv(SAMGEO_VARIABLES[0], server.url)
        assert "1.4.2, available" in status_lines()[-1]
    assert "Start the server" in status_lines()[-1]


def test_a_server_that_goes_on_after_ctrl_c_is_told(capsys, image, tmp_path, monkeypatch):
    def stopped(*_):
        raise StoppedWaiting("Stopped waiting. The server http://127.0.0.1:1 goes on with what it was given.")

    monkeypatch.setattr(ModelStore, "load", lambda *_, **__: stopped())
    status, _, errors = segment(capsys, image, tmp_path / "out.geojson", "--include", FIRST)
    assert status == 130
    assert errors.endswith(
        "Nothing was written. Stopped waiting. The server http://127.0.0.1:1 goes on with what it was given.\n"
    )


def test_models_are_listed_with_whether_they_are_there(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    status, said, _ = run(capsys, "models")
    assert status == 0
    assert re.search(r"^mobile_sam +not installed ", said, re.MULTILINE)
    assert str(tmp_path) in said
    assert run(capsys, "models", "list")[1] == said


def test_an_imported_file_that_is_no_model_file_is_refused(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "weights"))
    (tmp_path / "x.onnx").write_bytes(b"no model")
    status, _, errors = run(capsys, "models", "import", "mobile_sam", tmp_path / "x.onnx")
    assert status == 1
    assert "x.onnx is no file of the model 'mobile_sam'" in errors


def test_fetching_an_unknown_model_lists_the_known_ones(capsys):
    status, _, errors = run(capsys, "models", "fetch", "nothing")
    assert status == 1
    assert "mobile_sam" in errors


def test_status_names_versions_and_folders(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    status, said, _ = run(capsys, "status")
    assert status == 0
    assert "GDAL" in said
    assert "CPUExecutionProvider" in said
    assert str(tmp_path) in said


def test_status_says_what_is_missing_and_how_to_get_it(monkeypatch):
    def missing():
        raise DependencyError("onnxruntime is not installed.", hint="Install it with: pip install onnxruntime")

    monkeypatch.setattr("prompt_segmenter.core.native.onnxruntime", missing)
    monkeypatch.setattr("prompt_segmenter.core.status._PACKAGES", (("onnxruntime", missing, str),))
    lines = "\n".join(status_lines())
    assert "onnxruntime        missing. Install it with: pip install onnxruntime" in lines
    assert "none without onnxruntime" in lines


class Terminal:
    """Collects what a terminal would get."""

    def __init__(self, live):
        self.text, self.live = "", live

    def isatty(self):
        return self.live

    def write(self, text):
        self.text += text

    def flush(self):
        """Nothing is held back."""


def test_progress_on_a_terminal_stays_on_one_line_and_is_wiped():
    terminal = Terminal(live=True)
    progress = ConsoleProgress(terminal)
    progress.report(0.1, "Reading")
    progress.report(0.5)
    progress.done()
    assert terminal.text.split("\r") == ["", " 10% Reading", " 50% Reading", " " * 12, ""]


def test_progress_in_a_log_is_one_line_for_each_new_message():
    log = Terminal(live=False)
    progress = ConsoleProgress(log)
    for fraction, message in ((0.1, "Reading"), (0.2, "Reading"), (0.3, ""), (0.4, "Writing")):
        progress.report(fraction, message)
    progress.done()
    assert log.text == "Reading\nWriting\n"


def test_ctrl_c_stops_the_work_in_good_order_and_the_handler_is_given_back(capsys, image, tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGINT)

    def load(_store, _name, *, settings=None, progress=None):
        os.kill(os.getpid(), signal.SIGINT)
        return SameBrightness()

    monkeypatch.setattr(ModelStore, "load", load)
    status, _, errors = segment(capsys, image, tmp_path / "out.gpkg", "--include", FIRST)
    assert status == 130
    assert errors.splitlines()[-1] == "Stopped. Nothing was written."
    assert not (tmp_path / "out.gpkg").exists()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def pythons_own_ctrl_c():
    """A job in the background starts with Ctrl+C ignored, as CI often does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("pythons_own_ctrl_c")
def test_a_second_ctrl_c_is_no_longer_held_back():
    progress = ConsoleProgress(Terminal(live=False))
    with stopping(progress):
        os.kill(os.getpid(), signal.SIGINT)
        assert progress.is_cancelled()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_module_runs_as_a_program_without_qgis(tmp_path):
    (tmp_path / "prompt_segmenter").symlink_to(ROOT)
    done = subprocess.run(
        [sys.executable, "-m", "prompt_segmenter.core.cli", "segment", "no.tif", "--include", "-1,2", "-o", "x.gpkg"],
        check=False, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "no.tif" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_embedded_model_outlines_a_field_from_one_click(tmp_path, monkeypatch):
    monkeypatch.undo()
    assert ModelStore().missing(catalogue.get(catalogue.DEFAULT)) == ()
    noise = np.random.default_rng(3).integers(-8, 9, (3, 300, 300))
    picture = np.broadcast_to(np.array([60, 110, 50])[:, None, None], (3, 300, 300)).copy()
    picture[:, 100:180, 110:210] = np.array([190, 170, 130])[:, None, None]
    field = write_raster(tmp_path / "field.tif", (picture + noise).astype(np.uint8), transform=GRID)
    out = tmp_path / "field.geojson"
    click = "500320,4599720"
    assert cli.main(["segment", field, "--include", click, "-o", str(out), "--quiet"]) == 0
    (feature,) = features(out)
    ring = Polygon(transform_points(feature["geometry"]["coordinates"][0], "EPSG:4326", "EPSG:32633"))
    true = box(500220, 4599640, 500420, 4599800)
    assert ring.is_valid
    assert ring.intersection(true).area / ring.union(true).area > 0.8
    assert feature["properties"]["model"] == "starter"
    assert len(feature["properties"]["model_sha256"]) == 64
