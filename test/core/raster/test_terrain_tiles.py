"""Elevation tiles from a server on the loopback."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.errors import (
    Cancelled,
    ChipTooLargeError,
    OutsideExtentError,
    SettingsError,
    TileDownloadError,
)
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster import tile_fetch
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.raster.sources import open_source
from prompt_segmenter.core.raster.sources.terrain_tiles import TerrainTileSource
from prompt_segmenter.core.raster.terrain_rgb import TerrainEncoding
from prompt_segmenter.core.raster.tile_fetch import Patience, TileCache
from prompt_segmenter.core.raster.tile_template import TileIndex, TileTemplate
from prompt_segmenter.test.helpers.tile_server import height, png, serve_tiles

ZOOM = 10
ACROSS = Window(256 * 500 - 100, 256 * 400 - 30, 300, 200)
"""Meets 3 x 2 tiles."""


@pytest.fixture
def site():
    with serve_tiles() as site:
        yield site


def opened(site, encoding=TerrainEncoding.TERRARIUM, **settings):
    settings = {"zoom": ZOOM, "cache": TileCache(), "patience": Patience(3, 0.01), **settings}
    return TerrainTileSource(TileTemplate(site.url), encoding, **settings)


def expected(window, zoom=ZOOM):
    rows, cols = np.indices((window.height, window.width))
    return height(zoom, cols + window.col, rows + window.row)


@pytest.mark.parametrize("encoding", list(TerrainEncoding))
def test_a_window_across_tiles_has_the_elevations_of_its_pixels(site, encoding):
    site.encoding = encoding.value
    chip = opened(site, encoding).read(ACROSS, (300, 200), (1,))
    assert np.array_equal(chip.data[0], expected(ACROSS)) and chip.valid.all()
    assert len(site.asked) == 4
    assert site.agents == {tile_fetch.USER_AGENT}


def test_pixels_lie_where_web_mercator_puts_them(site):
    grid = opened(site).grid
    assert grid.crs == "EPSG:3857" and grid.width == 256 << ZOOM
    # tile 10/512/512 begins where the equator meets the prime meridian
    assert grid.to_pixel([(0.0, 0.0)])[0] == pytest.approx([512 * 256, 512 * 256])
    assert grid.resolution[0] == pytest.approx(152.8740565703525)


def test_bounds_cut_the_source_at_whole_pixels(site):
    whole = opened(site).grid
    bounds = whole.window(ACROSS).bounds
    source = opened(site, bounds=bounds)
    assert (source.grid.width, source.grid.height) == (300, 200)
    assert source.grid.bounds == pytest.approx(bounds)
    chip = source.read(Window(10, 20, 30, 40), (30, 40), (1,))
    assert np.array_equal(chip.data[0], expected(ACROSS)[20:60, 10:40])
    with pytest.raises(OutsideExtentError):
        opened(site, bounds=(3e7, 0, 4e7, 10))


def test_a_coarser_view_takes_coarser_tiles(site):
    window = Window(256 * 500, 256 * 400, 1024, 1024)
    chip = opened(site).read(window, (256, 256), (1,))
    assert site.asked == ["8/125/100"]
    assert np.array_equal(chip.data[0], expected(Window(125 * 256, 100 * 256, 256, 256), 8))
    between = opened(site).read(window, (300, 300), (1,))
    assert between.data.shape == (1, 300, 300) and set(site.asked[1:]) <= {
        f"9/{x}/{y}" for x in (250, 251) for y in (200, 201)
    }


def test_tiles_are_asked_for_once(site):
    source = opened(site)
    source.read(ACROSS, (300, 200), (1,))
    source.read(ACROSS, (300, 200), (1,))
    assert len(site.asked) == 4


def test_another_source_finds_them_in_the_cache_unless_the_server_forbids(site):
    cache = TileCache()
    for header, times in (({"Cache-Control": "max-age=60"}, 1), ({"Cache-Control": "no-store"}, 2)):
        site.asked.clear()
        site.headers = header
        cache = TileCache()
        for _ in range(2):
            opened(site, cache=cache).read(ACROSS, (300, 200), (1,))
        assert len(site.asked) == 4 * times


def test_a_tile_that_is_old_is_asked_for_again_but_not_sent_again(site):
    now = [0.0]
    cache = TileCache(clock=lambda: now[0])
    site.headers = {"Cache-Control": "max-age=60", "ETag": '"one"'}
    first = opened(site, cache=cache).read(ACROSS, (300, 200), (1,)).data
    site.bodies = {name: b"changed without a new tag" for name in site.asked}
    now[0] = 61.0
    second = opened(site, cache=cache).read(ACROSS, (300, 200), (1,)).data
    assert len(site.asked) == 8 and np.array_equal(first, second)


def test_the_cache_keeps_to_its_limit(site):
    cache = TileCache(limit_bytes=10)
    opened(site, cache=cache).read(ACROSS, (300, 200), (1,))
    assert cache._bytes <= 10


def test_a_tile_that_stumbles_is_asked_for_again(site):
    site.statuses["10/500/400"] = [503, 429]
    chip = opened(site).read(ACROSS, (300, 200), (1,))
    assert np.array_equal(chip.data[0], expected(ACROSS))
    assert site.asked.count("10/500/400") == 3


@pytest.mark.parametrize(
    ("status", "hint", "asked"), [(404, "lower zoom", 1), (403, "token", 1), (500, "try again", 3)]
)
def test_a_tile_that_does_not_come_is_an_error_that_says_which(site, status, hint, asked):
    site.statuses["10/500/400"] = [status] * 9
    with pytest.raises(TileDownloadError) as caught:
        opened(site).read(ACROSS, (300, 200), (1,))
    assert "1 of 4 tiles of http://127.0.0.1" in caught.value.message
    assert f"10/500/400 (HTTP {status})" in caught.value.message and hint in caught.value.hint
    assert site.asked.count("10/500/400") == asked


def test_the_token_is_sent_and_never_shown(site):
    site.statuses["10/500/400"] = [404]
    template = TileTemplate(site.url + "?access_token=pk.secret")
    source = TerrainTileSource(template, TerrainEncoding.TERRARIUM, ZOOM, cache=TileCache())
    with pytest.raises(TileDownloadError) as caught:
        source.read(ACROSS, (300, 200), (1,))
    assert "secret" not in f"{caught.value} {source.uri} {template.shown}" and "access_token=***" in source.uri


def test_no_answer_at_all_is_named(site):
    source = TerrainTileSource(
        TileTemplate("http://127.0.0.1:9/{z}/{x}/{y}.png"), TerrainEncoding.TERRARIUM, 3, patience=Patience(1, 0.0)
    )
    with pytest.raises(TileDownloadError, match=r"64 of 64 tiles .* and 59 more"):
        source.read(Window(0, 0, 2048, 2048), (2048, 2048), (1,))


@pytest.mark.parametrize(
    ("body", "what"), [(b"<html>", "no picture"), (png(np.zeros((3, 64, 64), np.uint8)), "64 x 64")]
)
def test_what_is_no_tile_is_refused(site, body, what):
    site.bodies["10/500/400"] = body
    with pytest.raises(TileDownloadError, match=f"10/500/400 is {what}"):
        opened(site).read(ACROSS, (300, 200), (1,))


def test_a_tile_beyond_the_size_limit_is_refused(site, monkeypatch):
    monkeypatch.setattr(tile_fetch, "LARGEST_TILE_BYTES", 1000)
    site.bodies["10/500/400"] = b"x" * 5000
    with pytest.raises(TileDownloadError, match="larger than"):
        opened(site, patience=Patience(1, 0)).read(ACROSS, (300, 200), (1,))


def test_too_many_tiles_are_refused_before_any_is_asked_for(site):
    with pytest.raises(ChipTooLargeError, match="limit is 3"):
        opened(site, most_tiles=3).read(ACROSS, (300, 200), (1,))
    assert not site.asked


def test_black_and_transparent_pixels_are_void(site):
    pixels = np.full((4, 256, 256), 128, np.uint8)
    pixels[:3, :10] = 0
    pixels[3, 20:30] = 0
    site.bodies["10/500/400"] = png(pixels)
    chip = opened(site).read(Window(500 * 256, 400 * 256, 256, 256), (256, 256), (1,))
    assert not chip.valid[:10].any() and not chip.valid[20:30].any() and chip.valid[30:].all()
    assert (chip.data[0][chip.valid] == 128.5).all()


def test_fetching_can_be_stopped(site):
    class Stopped(NullProgress):
        def is_cancelled(self):
            return len(site.asked) > 0

    with pytest.raises(Cancelled):
        opened(site).read(ACROSS, (300, 200), (1,), Stopped())


def test_volunteers_servers_get_two_connections():
    for host, most in (("tile.openstreetmap.org", 2), ("a.tile.openstreetmap.org", 2), ("tiles.example.com", 6)):
        assert TileTemplate(f"https://{host}/{{z}}/{{x}}/{{y}}.png").connections == most
    assert TileTemplate("https://notopenstreetmap.org/{z}/{x}/{y}").connections == 6


def test_connections_are_not_exceeded(site, monkeypatch):
    monkeypatch.setattr(TileTemplate, "connections", 2)
    opened(site).read(Window(0, 0, 1024, 1024), (1024, 1024), (1,))
    assert len(site.asked) == 16 and site.most_at_once <= 2


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://h/{z}/{x}/{y}.png", "https://h/3/1/2.png"),
        ("https://h/{z}/{x}/{-y}.png", "https://h/3/1/5.png"),
        ("https://{s}.h/{z}/{x}/{y}{r}.png?key=1", "https://a.h/3/1/2.png?key=1"),
        ("https://h/{z}/{x}/{y}@2x.png", "https://h/3/1/2@2x.png"),
    ],
)
def test_a_template_names_tiles(text, url):
    assert TileTemplate(text).url(TileIndex(3, 1, 2)) == url


@pytest.mark.parametrize(
    "text",
    [
        "h/{z}/{x}/{y}",
        "file:///tiles/{z}/{x}/{y}.png",
        "https://h/{z}/{x}.png",
        "https://h/{zoom}/{x}/{y}?token=s3cret",
    ],
)
def test_a_template_that_can_not_work_is_refused(text):
    with pytest.raises(SettingsError) as caught:
        TileTemplate(text)
    assert "s3cret" not in str(caught.value)


def test_an_address_says_all_of_it(site):
    with pytest.raises(SettingsError, match="Zoom 30"):
        opened(site, zoom=30)
    whole = opened(site).grid.window(ACROSS).bounds
    uri = f"terrarium+{site.url}#zoom=10&bounds={','.join(map(str, whole))}"
    source = open_source(uri)
    assert np.array_equal(source.read(Window(0, 0, 300, 200), (300, 200), (1,)).data[0], expected(ACROSS))
    assert source.uri.startswith(f"terrarium+{site.url}#zoom=10&bounds=")
    source.close()
    with pytest.raises(SettingsError, match="can't be understood"):
        open_source(f"mapbox+{site.url}#zoom=deep")
