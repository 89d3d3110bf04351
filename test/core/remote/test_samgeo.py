"""The samgeo client: what it sends, to which kind of base, and how it lives with a server that has its moods."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import (
    ChipTooLargeError,
    ModelRunError,
    ServerBusyError,
    ServerUnavailableError,
    SettingsError,
)
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.remote import samgeo
from prompt_segmenter.core.remote.address import ServerAddress
from prompt_segmenter.core.remote.exchange import Limits
from prompt_segmenter.core.remote.http import Patience
from prompt_segmenter.core.remote.samgeo import BaseKind, SamgeoClient, SamgeoModel, upload_of
from prompt_segmenter.test.helpers import fake_samgeo
from prompt_segmenter.test.helpers.fake_samgeo import answer, refused
from prompt_segmenter.test.helpers.loopback import Reply, scripted

QUIET = NullProgress()
SAM3, SAM2 = SamgeoModel("sam3", "facebook/sam3"), SamgeoModel("sam2", "sam2-hiera-large")
POINT, LABEL = np.array([[30.5, 20.25]], np.float32), np.array([1], np.int8)


@pytest.fixture(scope="module")
def image():
    picture = np.full((48, 64, 3), 60, np.uint8)
    picture[10:20, 30:50] = (200, 190, 180)
    picture[30:40, 5:15] = (180, 200, 190)
    return picture


def client(url, model=SAM3, tries=3, **options):
    return SamgeoClient(ServerAddress(url), model, patience=Patience(tries=tries, wait_s=0.02), **options)


def opened(content):
    rasterio = native.rasterio()
    with warnings.catch_warnings(), native.rasterio_env(), rasterio.io.MemoryFile(content) as memory:
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with memory.open() as file:
            return file.read(), file.crs, tuple(file.transform)[:6]


def test_the_upload_is_a_geotiff_of_three_bands_of_bytes_without_a_place(image):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        upload = upload_of(image)
    bands, crs, _ = opened(upload.content)
    assert bands.dtype == np.uint8
    assert np.array_equal(bands.transpose(1, 2, 0), image)
    assert crs is None
    assert upload.grid == PixelGrid.pixel_space(64, 48)


def test_the_upload_may_say_where_it_lies(image):
    grid = PixelGrid((8.0, 6.0, 500000.0, 6.0, -8.0, 5100000.0), "EPSG:32632", 64, 48)
    upload = upload_of(image, grid)
    _, crs, transform = opened(upload.content)
    assert crs.to_epsg() == 32632
    assert transform == pytest.approx(grid.transform)


def test_an_upload_that_servers_refuse_is_refused_before_it_is_sent(image, monkeypatch):
    monkeypatch.setattr(samgeo, "LARGEST_UPLOAD_BYTES", 200)
    with pytest.raises(ChipTooLargeError, match="64 x 48"):
        upload_of(image)


def test_words_are_asked_with_one_fixed_threshold(image):
    with fake_samgeo.fake_samgeo() as server:
        found = client(server.url).text(upload_of(image), "bâtiment 2", QUIET)
        form = server.asked[-1].form
    assert [(one.window, one.score) for one in found] == [(Window(30, 10, 20, 10), 0.9), (Window(5, 30, 10, 10), 0.8)]
    assert server.paths == ["/health", "/segment/text"]
    assert server.asked[-1].filename == "image.tif"
    assert {name: form[name] for name in form if name != "file"} == {
        "prompt": "bâtiment 2",
        "confidence_threshold": "0.2",
        "model_id": "facebook/sam3",
        "output_format": "geojson",
        "min_size": "0",
    }


def test_points_are_sent_in_pixels_and_alone(image):
    with fake_samgeo.fake_samgeo() as server:
        (found,) = client(server.url, SAM2).points(upload_of(image), POINT, LABEL, QUIET)
        form = server.asked[-1].form
    assert found.window == Window(20, 10, 21, 21)
    assert json.loads(form["point_coords"]) == [[30.5, 20.25]]
    assert json.loads(form["point_labels"]) == [1]
    assert (form["model_version"], form["model_id"]) == ("sam2", "sam2-hiera-large")
    assert form["multimask_output"] == "false"
    assert not {"boxes", "point_crs"} & set(form)


def test_boxes_are_sent_alone(image):
    with fake_samgeo.fake_samgeo() as server:
        found = client(server.url).boxes(upload_of(image), np.float32([[10, 12, 30, 20]]), QUIET)
        form = server.asked[-1].form
    assert [one.window for one in found] == [Window(2, 2, 6, 6), Window(10, 12, 20, 8)]
    assert json.loads(form["boxes"]) == [[10.0, 12.0, 30.0, 20.0]]
    assert not {"point_coords", "point_labels", "point_crs"} & set(form)


def test_automatic_keeps_objects_apart(image):
    with fake_samgeo.fake_samgeo() as server:
        assert len(client(server.url).automatic(upload_of(image), QUIET)) == 2
        assert server.asked[-1].form["unique"] == "true"


def test_nothing_found_is_no_error(image):
    with fake_samgeo.fake_samgeo() as server:
        assert client(server.url).text(upload_of(image), "none", QUIET) == []
        assert client(server.url).automatic(upload_of(np.zeros_like(image)), QUIET) == []
        outside = np.float32([[900.0, 900.0]])
        assert client(server.url).points(upload_of(image), outside, LABEL, QUIET) == []
        assert client(server.url, SAM2).points(upload_of(image), outside, LABEL, QUIET) == []


def test_an_automatic_request_that_stumbles_over_an_empty_image_found_nothing(image):
    stumbles = refused(500, "list index out of range")
    with fake_samgeo.fake_samgeo() as server:
        server.replies["/segment/automatic"] = server.replies["/segment/predict"] = [stumbles]
        assert client(server.url, SAM2).automatic(upload_of(image), QUIET) == []
        with pytest.raises(ModelRunError):
            client(server.url, SAM2).points(upload_of(image), POINT, LABEL, QUIET)


def test_the_sidecar_is_told_by_its_status_and_asked_below_ml(image):
    with fake_samgeo.fake_sidecar() as server:
        asking = client(server.url)
        assert len(asking.text(upload_of(image), "house", QUIET)) == 2
        assert len(asking.text(upload_of(image), "house", QUIET)) == 2
        assert server.paths == ["/health", "/ml/status", "/ml/segment/text", "/ml/segment/text"]
        assert asking.kind(QUIET) is BaseKind.SIDECAR


def test_a_sidecar_whose_health_is_like_samgeos_is_found_out(image):
    with fake_samgeo.fake_sidecar() as server:
        server.replies["/health"] = [answer(fake_samgeo.HEALTH)]
        assert len(client(server.url).text(upload_of(image), "house", QUIET)) == 2
        assert server.paths == ["/health", "/segment/text", "/ml/status", "/ml/segment/text"]


def test_a_sidecar_with_nothing_behind_it_says_so_at_once(image):
    message = "Segmentation backend is unavailable. Install it with: pip install segment-geospatial[api,samgeo3]"
    with fake_samgeo.fake_sidecar(available=False, message=message) as server:
        with pytest.raises(ServerUnavailableError, match="pip install"):
            client(server.url).text(upload_of(image), "house", QUIET)
        assert "/ml/segment/text" not in server.paths


def test_a_sidecar_that_takes_a_busy_server_for_dead_is_asked_all_the_same(image):
    message = "GEOLIBRE_ML_SAMGEO_URL is set to http://x but the server is not responding."
    with fake_samgeo.fake_sidecar(available=False, message=message) as server:
        server.replies["/ml/segment/text"].insert(0, refused(503, "no samgeo-api server answered there."))
        assert len(client(server.url).text(upload_of(image), "house", QUIET)) == 2


def test_a_server_that_is_silent_is_busy_and_waited_for(image, monkeypatch):
    monkeypatch.setattr(samgeo, "PROBE", Limits(silence_s=0.2))
    with fake_samgeo.fake_samgeo() as server:
        server.replies["/health"] = [Reply(delay_s=2.0)]
        server.replies["/segment/text"].insert(0, lambda asked: Reply(200, fake_samgeo.text(asked).body, delay_s=0.5))
        assert len(client(server.url).text(upload_of(image), "house", QUIET)) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_wants_a_token_is_not_asked_further(image, status):
    with scripted({"/health": refused(status, "Not authenticated")}) as server:
        with pytest.raises(ServerUnavailableError, match="token"):
            client(server.url).text(upload_of(image), "house", QUIET)
        assert server.paths == ["/health"]


def test_the_token_goes_with_every_request(image):
    with fake_samgeo.fake_samgeo() as server:
        address = ServerAddress(server.url, headers=(("Authorization", "Bearer abc"),))
        SamgeoClient(address, SAM3).text(upload_of(image), "house", QUIET)
        assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer abc"] * 2


def test_another_web_server_is_told_as_such(image):
    with scripted({"/health": Reply(200, b"I am fine")}) as server, pytest.raises(ServerUnavailableError, match="/ml/"):
        client(server.url).text(upload_of(image), "house", QUIET)


@pytest.mark.parametrize("busy", [refused(429, "Too many requests"), refused(503, "starting")], ids=["429", "503"])
def test_a_busy_server_is_asked_again_and_then_given_up(image, busy):
    with fake_samgeo.fake_samgeo() as server:
        server.replies["/segment/text"] = [busy, busy, fake_samgeo.text]
        assert len(client(server.url).text(upload_of(image), "house", QUIET)) == 2
        server.replies["/segment/text"] = [busy]
        with pytest.raises(ServerBusyError):
            client(server.url).text(upload_of(image), "house", QUIET)


def test_a_failure_is_not_asked_for_again(image):
    with fake_samgeo.fake_samgeo() as server:
        server.replies["/segment/text"] = [refused(500, "boom")]
        with pytest.raises(ModelRunError, match="boom"):
            client(server.url).text(upload_of(image), "house", QUIET)
        assert server.paths.count("/segment/text") == 1


@pytest.mark.parametrize("text", ["", "sam4", "facebook/sam3", "SAM3"])
def test_a_model_that_is_none_is_refused(text):
    with pytest.raises(SettingsError, match="sam3"):
        SamgeoModel.parse(text)


def test_a_model_is_read_from_text():
    assert SamgeoModel.parse("sam2") == SamgeoModel("sam2")
    assert SamgeoModel.parse(" sam3 : facebook/sam3.1 ") == SamgeoModel("sam3", "facebook/sam3.1")
