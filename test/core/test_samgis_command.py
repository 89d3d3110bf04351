"""``samgis`` on the command line: a server's outlines end up in a file, and what goes wrong in one sentence."""

from __future__ import annotations

import json

import pytest
from prompt_segmenter.core import cli
from prompt_segmenter.test.helpers.samgis_server import envelope, feature, ring, serve


@pytest.fixture
def server():
    with serve() as site:
        yield site


def test_a_click_becomes_a_polygon_in_degrees(server, tmp_path, capsys):
    out = tmp_path / "out.geojson"
    told = ["samgis", "--server", server.url, "--include", "9.39,46.16", "--zoom", "17", "--label", "roof"]

    assert cli.main([*told, "--source-type", "Esri.WorldImagery", "-o", str(out)]) == 0

    (found,) = json.loads(out.read_text())["features"]
    assert found["properties"]["label"] == "roof"
    assert found["properties"]["score"] is None
    longitudes = [corner[0] for corner in found["geometry"]["coordinates"][0]]
    assert min(longitudes) < 9.39 < max(longitudes)
    assert server.asked[0][1]["source_type"] == "Esri.WorldImagery"
    said = capsys.readouterr().out
    assert "Object 1: area" in said
    assert "nan" not in said


def test_words_from_the_environment_s_server(server, tmp_path, monkeypatch):
    monkeypatch.setenv("PROMPT_SEGMENTER_SAMGIS_URL", server.url)
    server.answers = lambda *_: (200, envelope([feature([ring(8.5, 8.5, 30.5, 20.5, 14)])]))
    out = tmp_path / "out.geojson"
    told = ["samgis", "--words", "trees", "--words", "houses", "--extent", "9.38,46.15,9.40,46.17", "--zoom", "14"]

    assert cli.main([*told, "--words-route", "/say", "-o", str(out)]) == 0

    labels = [found["properties"]["label"] for found in json.loads(out.read_text())["features"]]
    assert labels == ["trees", "houses"]
    assert [route for route, _ in server.asked] == ["/say", "/say"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "no prompt"),
        (("--include", "9.39,46.16"), "zoom level, a resolution"),
        (("--include", "9.39,46.16", "--zoom", "30"), "Zoom 30 does not exist"),
        (("--include", "9.39,46.16", "--words", "a"), "two questions"),
        (("--words", "7 houses", "--extent", "9,46,9.1,46.1"), "takes no '7'"),
    ],
)
def test_what_can_t_be_asked(server, tmp_path, capsys, options, words):
    out = tmp_path / "out.geojson"

    assert cli.main(["samgis", "--server", server.url, *options, "-o", str(out)]) == 1

    assert words in capsys.readouterr().err
    assert not out.exists()
    assert server.asked == []


def test_without_a_server(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("PROMPT_SEGMENTER_SAMGIS_URL", raising=False)

    assert cli.main(["samgis", "--include", "9,46", "--zoom", "9", "-o", str(tmp_path / "a.geojson")]) == 1

    assert "No SamGIS server is set up" in capsys.readouterr().err
