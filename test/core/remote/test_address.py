"""Where servers are: what the environment says, what is shown, and what is warned of."""

from __future__ import annotations

import pytest
from prompt_segmenter.core.remote.address import ServerAddress, Servers, warnings_of


def test_the_environment_names_servers_and_ours_comes_first():
    servers = Servers.from_environment(
        {
            "PROMPT_SEGMENTER_SAMGEO_URL": " http://ours:8000 ",
            "GEOLIBRE_ML_SAMGEO_URL": "http://theirs:8000",
            "GEOLIBRE_ML_DEFAULT_MODEL": "sam2",
        }
    )
    assert servers.samgeo.url == "http://ours:8000"
    assert servers.samgis is None
    assert servers.samgeo_model == "sam2"
    assert Servers.from_environment({"GEOLIBRE_ML_SAMGEO_URL": "http://theirs"}).samgeo.url == "http://theirs"
    assert Servers.from_environment({"PROMPT_SEGMENTER_SAMGEO_URL": " "}) == Servers()


@pytest.mark.parametrize(
    ("url", "shown", "here"),
    [
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000", True),
        ("http://localhost", "http://localhost", True),
        ("http://[::1]:8000/x", "http://[::1]:8000", True),
        ("http://me:hunter2@gpu.example:8000/a?token=hunter2", "http://gpu.example:8000", False),
        ("http://192.168.1.5", "http://192.168.1.5", False),
    ],
)
def test_what_is_shown_has_no_secrets(url, shown, here):
    address = ServerAddress(url, (("X-Key", "hunter2"),))
    assert (address.shown, address.is_here) == (shown, here)
    assert "hunter2" not in repr(address)


def test_plain_http_to_another_machine_is_warned_of():
    (warning,) = warnings_of(ServerAddress("http://gpu.example:8000"))
    assert "http://gpu.example:8000" in warning
    assert "token" not in warning
    (warning,) = warnings_of(ServerAddress("http://gpu.example", (("Authorization", "Bearer hunter2"),)))
    assert "token" in warning
    assert "hunter2" not in warning
    assert warnings_of(ServerAddress("https://gpu.example")) == ()
    assert warnings_of(ServerAddress("http://127.0.0.1:8000")) == ()


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://a:8", "http://a:8/health"),
        ("http://a:8/", "http://a:8/health"),
        ("http://a/gate/?key=1#x", "http://a/gate/health?key=1"),
    ],
)
def test_routes_lie_below_the_base(base, url):
    assert ServerAddress(base).route("/health") == url
