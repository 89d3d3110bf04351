"""A model on a server is told where it is, with the login; one of this machine is told nothing."""

from __future__ import annotations

import pytest
from prompt_segmenter.algorithms import server_settings
from prompt_segmenter.algorithms.server_settings import ServerSettings
from prompt_segmenter.core.errors import SettingsError
from prompt_segmenter.core.models.embedding import EmbeddingCache
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.ui.session_source import Chosen, Sessions
from qgis.core import QgsMapSettings


class Store:
    def __init__(self):
        self.told = []

    def load(self, name, *, settings=None, progress=None):
        self.told.append((name, settings.servers))
        return SameBrightness()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("PROMPT_SEGMENTER_SAMGEO_URL", "GEOLIBRE_ML_SAMGEO_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store():
    return Store()


def open_with(store, layer, model, sessions=None):
    sessions = sessions or Sessions(store, EmbeddingCache(1_000_000))
    settings = QgsMapSettings()
    settings.setDestinationCrs(layer.crs())
    live = sessions.open(Chosen(layer, False, model), settings)
    live._opened(NullProgress())
    live.close()
    return sessions


def test_the_map_tool_s_model_is_told_its_server(store, raster):
    server_settings.store(ServerSettings(samgeo_url="http://127.0.0.1:8000"))

    sessions = open_with(store, raster, "samgeo_sam2")
    open_with(store, raster, "starter", sessions)

    (remote, servers), (local, none) = store.told
    assert (remote, local) == ("samgeo_sam2", "starter")
    assert servers.samgeo.url == "http://127.0.0.1:8000"
    assert none is None


def test_another_address_is_another_session_and_another_model(store, raster):
    settings = QgsMapSettings()
    sessions = Sessions(store, EmbeddingCache(1_000_000))
    chosen = Chosen(raster, False, "samgeo_sam2")
    keys = []
    for port in (8000, 8001):
        server_settings.store(ServerSettings(samgeo_url=f"http://127.0.0.1:{port}"))
        keys.append(sessions.key(chosen, settings))
        open_with(store, raster, "samgeo_sam2", sessions)

    assert keys[0] != keys[1]
    assert [servers.samgeo.url[-4:] for _, servers in store.told] == ["8000", "8001"]


def test_a_login_that_is_gone_stops_a_server_s_model_alone(store, raster):
    server_settings.store(ServerSettings(samgeo_url="http://127.0.0.1:8000", samgeo_authcfg="gone000"))

    with pytest.raises(SettingsError):
        open_with(store, raster, "samgeo_sam2")
    open_with(store, raster, "starter")

    assert [name for name, _ in store.told] == ["starter"]
