"""The client against the real samgeo-api, whose networks alone are stand-ins.

Needs SAMGEO_API_PYTHON (a Python with segment-geospatial 1.4.2 and its server) and the folder with ``serve_stub.py``:
``../shared/tools/samgeo_server`` beside the checkout, or SAMGEO_API_STUB. Without them all of this is skipped.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from prompt_segmenter.core.errors import ModelRunError, StoppedWaiting, UnknownNameError
from prompt_segmenter.core.models.model import RuntimeSettings
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.remote.address import ServerAddress, Servers
from prompt_segmenter.core.remote.samgeo import SamgeoClient, SamgeoModel, upload_of
from prompt_segmenter.core.remote.samgeo_process import SamgeoProcess
from prompt_segmenter.core.remote.samgeo_status import ServerState, samgeo_status
from prompt_segmenter.core.session import SegmentationSession
from prompt_segmenter.test.helpers.loopback import Watched
from prompt_segmenter.test.helpers.map_grids import map_grids

QUIET = NullProgress()
PYTHON = os.environ.get("SAMGEO_API_PYTHON", "")
BESIDE = Path(__file__).resolve().parents[4] / "shared" / "tools" / "samgeo_server"
STUB = Path(os.environ.get("SAMGEO_API_STUB") or BESIDE) / "serve_stub.py"
SLOW_S = 3.0
MODELS = {
    "sam": SamgeoModel("sam", "vit_h"),
    "sam2": SamgeoModel("sam2", "sam2-hiera-large"),
    "sam3": SamgeoModel("sam3"),
}

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="SAMGEO_API_PYTHON does not name a Python with samgeo-api"),
    pytest.mark.skipif(not STUB.is_file(), reason=f"there is no {STUB}"),
]


@pytest.fixture(scope="module")
def server():
    surroundings = {"PYTHONPATH": str(STUB.parent / "stubs"), "SAMGEO_STUB_SLEEP": str(SLOW_S)}
    process = SamgeoProcess(f'"{PYTHON}" "{STUB}"', environment=surroundings, wait_s=180.0)
    process.start(QUIET)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def image():
    """Three bright blobs of known windows; the stand-in gives them scores of 0.9, 0.8 and 0.7."""
    picture = np.full((48, 64, 3), 40, np.uint8)
    for left, top, right, bottom in BLOBS:
        picture[top:bottom, left:right] = 220
    return picture


BLOBS = ((4, 4, 14, 14), (60, 20, 61, 21), (34, 22, 44, 42))
WINDOWS = [Window(left, top, right - left, bottom - top) for left, top, right, bottom in BLOBS]


def client(server, version="sam3"):
    return SamgeoClient(ServerAddress(server.url), MODELS[version])


def test_its_status(server):
    said = samgeo_status(ServerAddress(server.url))
    assert said.state is ServerState.AVAILABLE
    assert said.version == "1.4.2"
    assert "facebook/sam3" in dict(said.models)["sam3"]
    assert "Uvicorn running" in server.log()


def test_words(server, image):
    found = client(server).text(upload_of(image), "bâtiment, 木 2", QUIET)
    assert [(one.window, one.score) for one in found] == list(zip(WINDOWS, (0.9, 0.8, 0.7)))
    assert all(one.mask.all() for one in found)


def test_regions_of_one_object_stay_one(server, image):
    first, second = client(server).text(upload_of(image), "overlap", QUIET)
    assert (first.window, first.score) == (Window(5, 5, 20, 20), 0.9)
    assert (second.window, second.score) == (Window(0, 12, 40, 6), 0.8)
    assert not first.mask[7:13].any()
    assert first.mask[:7].all()


def test_hundreds_of_objects(server, image):
    assert len(client(server).text(upload_of(image), "many", QUIET)) == 300


@pytest.mark.parametrize("version", ["sam3", "sam2", "sam"])
def test_automatic(server, image, version):
    found = client(server, version).automatic(upload_of(image), QUIET)
    assert {one.window for one in found} == set(WINDOWS)


@pytest.mark.parametrize("version", ["sam3", "sam2", "sam"])
def test_a_click(server, image, version):
    (found,) = client(server, version).points(upload_of(image), np.float32([[30.5, 24.5]]), np.int8([1]), QUIET)
    assert found.window == Window(22, 16, 17, 17)
    assert found.mask[8, 8]


def test_a_click_with_an_excluded_place(server, image):
    points = np.float32([[30.5, 24.5], [38.5, 24.5]])
    (found,) = client(server).points(upload_of(image), points, np.int8([1, 0]), QUIET)
    assert found.window.col + found.window.width < 38


def test_a_box_and_two(server, image):
    (found,) = client(server).boxes(upload_of(image), np.float32([[10, 10, 30, 20]]), QUIET)
    assert (found.window, found.score) == (Window(10, 10, 20, 10), 0.95)
    both = client(server).boxes(upload_of(image), np.float32([[10, 10, 30, 20], [40, 30, 50, 44]]), QUIET)
    assert [one.window for one in both] == [Window(10, 10, 20, 10), Window(40, 30, 10, 14)]


def test_nothing_in_all_its_forms(server, image):
    assert client(server).text(upload_of(image), "none", QUIET) == []
    far = np.float32([[500.0, 500.0]])
    for version in ("sam3", "sam2", "sam"):
        assert client(server, version).points(upload_of(image), far, np.int8([1]), QUIET) == []
    for version in ("sam3", "sam2", "sam"):
        assert client(server, version).automatic(upload_of(np.zeros_like(image)), QUIET) == []


def test_failures_say_what_the_server_said(server, image):
    with pytest.raises(ModelRunError, match="boom"):
        client(server).text(upload_of(image), "boom", QUIET)
    with pytest.raises(UnknownNameError, match="facebook/sam3"):
        SamgeoClient(ServerAddress(server.url), SamgeoModel("sam3", "nothing")).text(upload_of(image), "house", QUIET)
    with pytest.raises(ModelRunError, match="prompts"):
        client(server, "sam2").boxes(upload_of(image), np.float32([[10, 10, 30, 20]]), QUIET)


@pytest.mark.parametrize("name", map_grids(64, 48))
def test_an_image_with_a_place_is_answered_in_the_same_pixels(server, image, name):
    found = client(server).text(upload_of(image, map_grids(64, 48)[name]), "house", QUIET)
    assert [one.window for one in found] == WINDOWS
    assert all(one.mask.all() for one in found)


def test_a_busy_server_is_busy_and_its_work_is_waited_for(server, image):
    result = []
    work = threading.Thread(target=lambda: result.append(client(server).text(upload_of(image), "slow", QUIET)))
    asking = client(server)
    asking.kind(QUIET)
    work.start()
    time.sleep(1.0)
    begun = time.monotonic()
    second = asking.text(upload_of(image), "house", QUIET)
    work.join()
    assert len(result[0]) == len(second) == 3
    assert time.monotonic() - begun > 0.5 * SLOW_S


def test_after_cancel_the_server_goes_on_and_is_there_for_the_next(server, image, monkeypatch):
    from prompt_segmenter.core.remote import samgeo_status as status_module
    from prompt_segmenter.core.remote.exchange import Limits

    progress = Watched(cancel_when=lambda: any("server, 1 s" in message for message in progress.messages))
    with pytest.raises(StoppedWaiting):
        client(server).text(upload_of(image), "slow", progress)
    assert time.monotonic() - progress.cancelled_at < 0.2
    monkeypatch.setattr(status_module, "_PROBE", Limits(silence_s=0.3))
    assert samgeo_status(ServerAddress(server.url)).state is ServerState.BUSY
    assert len(client(server).text(upload_of(image), "house", QUIET)) == 3


def test_all_words_are_asked_of_one_loaded_model(server, image):
    client(server).text(upload_of(image), "house", QUIET)
    loaded = samgeo_status(ServerAddress(server.url)).loaded
    assert sum("confidence_threshold" in one for one in loaded if one.startswith("sam3")) == 1


@pytest.mark.parametrize("name", ["samgeo_sam3", "samgeo_sam2", "samgeo_sam"])
@pytest.mark.parametrize("place", map_grids(64, 48))
def test_a_click_on_the_map_through_the_session(server, image, name, place):
    grid = map_grids(64, 48)[place]
    model = ModelStore().load(name, settings=RuntimeSettings(servers=Servers(samgeo=ServerAddress(server.url))))
    source = ArraySource(image.transpose(2, 0, 1), grid, already_rgb=True)
    prompt = prompts(crs=grid.crs, include=[grid.to_map([(30.5, 24.5)])[0]])
    (found,) = SegmentationSession(source, model).segment([prompt]).polygons
    col, row = grid.to_pixel([(found.geometry.centroid.x, found.geometry.centroid.y)])[0]
    assert (col, row) == pytest.approx((30.5, 24.5), abs=0.5)


def test_a_box_on_the_map_through_the_session(server, image):
    grid = map_grids(64, 48)["UTM"]
    settings = RuntimeSettings(servers=Servers(samgeo=ServerAddress(server.url)))
    source = ArraySource(image.transpose(2, 0, 1), grid, already_rgb=True)
    (left, top), (right, bottom) = grid.to_map([(10, 10), (30, 20)])
    prompt = prompts(crs=grid.crs, box=(left, bottom, right, top))
    model = ModelStore().load("samgeo_sam3", settings=settings)
    (found,) = SegmentationSession(source, model).segment([prompt]).polygons
    assert found.geometry.bounds == pytest.approx((left, bottom, right, top))
    assert found.score == pytest.approx(0.95)
