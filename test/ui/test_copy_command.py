"""What is copied from the screen makes the same object when it is pasted, whatever is in it."""

from __future__ import annotations

import os
import shlex
import subprocess
from contextlib import closing

import numpy as np
import pytest
from prompt_segmenter.algorithms.provider_source import ProviderSource
from prompt_segmenter.algorithms.rendered_source import RenderedSource
from prompt_segmenter.core.errors import RasterReadError
from prompt_segmenter.core.interactive import InteractiveSession
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.outlines.results import Provenance, SegmentedPolygon
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.box import BoxPrompt
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.prompt import PromptSet
from prompt_segmenter.core.prompts.shape import ShapePrompt
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.rgb import RgbSettings
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.raster.stretch import Stretch
from prompt_segmenter.core.screen import ScreenView
from prompt_segmenter.core.session import SegmentationSession, SessionSettings
from prompt_segmenter.plugin import PromptSegmenterPlugin
from prompt_segmenter.test.headless.test_qgis_process import PROGRAM
from prompt_segmenter.test.helpers.processing_run import run
from prompt_segmenter.test.helpers.rasters import NORTH_UP, UTM, write_raster
from prompt_segmenter.ui.copy_command import python_code, qgis_process_command
from qgis.core import QgsProject, QgsRasterLayer, QgsVectorLayer
from shapely.geometry import MultiPolygon, box

QUIET = NullProgress()
CLICKS = ((55, 45, True), (120, 30, False), (75, 57, True))
OUTLINES = [
    OutlineSettings(),
    OutlineSettings(parts=PartRule.ALL, fill_holes_m2=1 / 3, smooth=2, simplify_px=0.4, expand_m=-3.7, min_area_m2=9.5),
    OutlineSettings(simplify_m=12.25),
]


@pytest.fixture
def plugin(qgis_app):
    plugin = PromptSegmenterPlugin(None)
    plugin.initProcessing()
    yield plugin
    plugin.unload()


@pytest.fixture(scope="module")
def starter():
    return ModelStore().load("starter")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """150 x 120 pixels in a folder whose name a shell would stumble over."""
    folder = tmp_path_factory.mktemp("it's a $folder & more")
    data = np.random.default_rng(1).normal(500, 30, (3, 120, 150))
    data[:, 40:60, 50:80] += 2000
    return write_raster(folder / 'the "scene".tif', data.astype(np.uint16))


def answers(source, model, settings):
    """Return the outlines of three clicks after each other, of a box, of a corrected shape, and their provenance."""
    session = InteractiveSession(SegmentationSession(source, model, settings))
    grid, last, found = source.grid, None, []
    points = tuple(PointPrompt(*map(float, grid.to_map([(col, row)])[0]), include) for col, row, include in CLICKS)
    screen = ScreenView(grid.bounds, 10.0)
    for count in range(1, 4):
        last = session.answer(PromptSet(points[:count], grid.crs, "it's"), screen, QUIET, previous=last)
        found.append(last.outline)
    (left, bottom), (right, top) = grid.to_map([(48, 62), (82, 38)]).tolist()
    for prompts in ((BoxPrompt(left, bottom, right, top),), (ShapePrompt.of(found[0].geometry), points[1])):
        found.append(session.answer(PromptSet(prompts, grid.crs), screen, QUIET).outline)
    return found, session.provenance()


def asked_of(line):
    """Return the parameters of a command as the shell would hand them over."""
    program, verb, algorithm, dashes, *words = shlex.split(line)
    assert (program, verb, algorithm, dashes) == ("qgis_process", "run", "promptsegmenter:segmentprompts", "--")
    return dict(word.split("=", 1) for word in words)


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize("outline", OUTLINES)
@pytest.mark.parametrize("drawn", [False, True])
def test_the_command_gives_the_same_outline_click_by_click(path, starter, outline, drawn):
    layer = QgsRasterLayer(path, "scene")
    stretch = None if drawn else Stretch(((1 / 3, 2500.0),))
    settings = SessionSettings(rgb=RgbSettings(stretch=stretch), outline=outline)
    with closing(RenderedSource(layer) if drawn else ProviderSource(layer)) as source:
        found, provenance = answers(source, starter, settings)
        lines = [qgis_process_command(one, UTM, provenance, source) for one in found]
    assert len(found) == 5

    for one, line in zip(found, lines):
        asked = asked_of(line)
        assert asked.pop("OUTPUT") == "object.gpkg"
        outcome = run(**asked)

        assert not outcome.error and not outcome.refused
        (feature,) = outcome.features
        assert feature.geometry().asWkb().data() == multi(one.geometry)
        assert (feature["prompts"], feature["window"], feature["label"]) == (one.prompts, one.window, one.label)


def multi(shape):
    return bytes((shape if shape.geom_type == "MultiPolygon" else MultiPolygon([shape])).wkb)


def test_the_python_code_adds_the_same_outline_to_the_project(path, starter, plugin, qgis_processing, qgis_new_project):
    with closing(ProviderSource(QgsRasterLayer(path, "scene"))) as source:
        found, provenance = answers(source, starter, SessionSettings())
        code = python_code(found[2], UTM, provenance, source)

    exec(compile(code, "pasted", "exec"), {})

    (layer,) = QgsProject.instance().mapLayers().values()
    (feature,) = layer.getFeatures()
    assert feature.geometry().asWkb().data() == multi(found[2].geometry)
    assert "'MODEL': 'starter'" in code


@pytest.mark.skipif(
    "PROMPT_SEGMENTER_CI" not in os.environ and not PROGRAM.exists(),
    reason="run make setup: there is no .dev/bin/qgis_process",
)
def test_the_pasted_line_works_in_a_real_shell(path, starter, qgis_app, tmp_path):
    with closing(ProviderSource(QgsRasterLayer(path, "scene"))) as source:
        found, provenance = answers(source, starter, SessionSettings())
        line = qgis_process_command(found[1], UTM, provenance, source)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QGIS", "QT_", "PYTHON"))}
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "qgis_process").symlink_to(PROGRAM)
    search = f"{tmp_path / 'bin'}:{os.environ['PATH']}"

    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=tmp_path,
        env={**kept, "PATH": search},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    (feature,) = QgsVectorLayer(str(tmp_path / "object.gpkg"), "out", "ogr").getFeatures()
    assert feature.geometry().asWkb().data() == multi(found[1].geometry)
    assert feature["label"] == "it's"


def test_what_the_map_showed_cannot_be_copied():
    grid = PixelGrid(NORTH_UP, UTM, 150, 120)
    source = ArraySource(np.zeros((3, 120, 150), np.uint8), grid, already_rgb=True, uri="map: streets, photo")
    for write in (qgis_process_command, python_code):
        with pytest.raises(RasterReadError, match="can't be named in a command"):
            write(None, UTM, None, source)


def test_a_layer_without_a_crs_is_asked_for_as_one():
    source = ArraySource(np.zeros((3, 120, 150), np.uint8), PixelGrid.pixel_space(150, 120), uri="plain.png")
    recipe = "bands=3,2,1 stretch=none"
    provenance = Provenance("starter", "", source.uri, recipe, OutlineSettings().describe())
    polygon = SegmentedPolygon(box(0, 0, 3, 4), 1, "", 0.9, 12.0, 14.0, "+1,2 pixels", 1.0, "0,0,150,120@150x120")

    assert qgis_process_command(polygon, None, provenance, source) == (
        "qgis_process run promptsegmenter:segmentprompts -- INPUT=plain.png 'PROMPTS=+1,2 pixels' "
        "WINDOW=0,0,150,120@150x120 MODEL=starter PIXEL_SPACE=true BANDS=3,2,1 OUTPUT=object.gpkg"
    )
