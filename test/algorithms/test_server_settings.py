"""Which server is asked, with which login and by which proxy: settings, environment variables, QGIS's own stores."""

from __future__ import annotations

import base64
import logging

import pytest
from prompt_segmenter.algorithms import server_access, server_settings
from prompt_segmenter.algorithms.server_settings import ServerSettings, servers, store, stored
from prompt_segmenter.core.errors import SettingsError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.remote.samgis import SamgisClient
from prompt_segmenter.test.helpers.samgis_server import serve
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsNetworkAccessManager, QgsSettings
from qgis.PyQt.QtNetwork import QNetworkProxy

URL = "http://127.0.0.1:7860"
SECRET = "correct horse battery"
NOTHING = {}


@pytest.fixture(autouse=True)
def nothing_set(qgis_app, monkeypatch):
    for name in ("PROMPT_SEGMENTER_SAMGEO_URL", "GEOLIBRE_ML_SAMGEO_URL", "PROMPT_SEGMENTER_SAMGIS_URL"):
        monkeypatch.delenv(name, raising=False)
    QgsSettings().remove("prompt_segmenter")
    yield
    QgsSettings().remove("prompt_segmenter")
    server_settings.announce("")


@pytest.fixture
def login(qgis_app):
    """The id of a login of the method Basic in QGIS's store, which is unlocked."""
    manager = QgsApplication.authManager()
    assert manager.setMasterPassword("master", True)
    config = QgsAuthMethodConfig()
    config.setName("server")
    config.setMethod("Basic")
    config.setConfigMap({"username": "me", "password": SECRET})
    saved = manager.storeAuthenticationConfig(config)
    assert saved[0] if isinstance(saved, tuple) else saved
    yield config.id()
    manager.removeAuthenticationConfig(config.id())


class TestAddress:
    def test_nothing_is_set_up(self):
        assert servers() == server_settings.Servers()

    def test_what_is_stored_is_read_back(self):
        said = ServerSettings(
            samgis_url=URL, samgis_words_route="/words", samgis_correct_shift=False, samgeo_model="sam2"
        )
        store(said)

        assert stored() == said
        found = servers()
        assert found.samgis.url == URL
        assert (found.samgis_words_route, found.samgis_correct_shift, found.samgeo_model) == ("/words", False, "sam2")
        assert found.samgeo is None

    @pytest.mark.parametrize(
        ("settings", "environment", "started", "wins", "named"),
        [
            ("http://a", {"PROMPT_SEGMENTER_SAMGEO_URL": "http://b"}, "", "http://b", "PROMPT_SEGMENTER_SAMGEO_URL"),
            ("http://a", {"GEOLIBRE_ML_SAMGEO_URL": "http://c"}, "http://d", "http://a", ""),
            ("", {"GEOLIBRE_ML_SAMGEO_URL": "http://c"}, "", "http://c", "GEOLIBRE_ML_SAMGEO_URL"),
            ("", {"GEOLIBRE_ML_SAMGEO_URL": "http://c"}, "http://d", "http://d", ""),
            ("", {"PROMPT_SEGMENTER_SAMGEO_URL": " "}, "", None, ""),
        ],
    )
    def test_our_variable_then_the_settings_then_the_started_then_another_s(
        self, settings, environment, started, wins, named
    ):
        store(ServerSettings(samgeo_url=settings))
        server_settings.announce(started)

        found = servers(environment=environment).samgeo

        assert (None if found is None else found.url) == wins
        assert server_settings.named_by("samgeo", environment) == named

    @pytest.mark.parametrize(
        "url",
        [
            "http://me:pw@server:8000",
            "https://server/?token=abc",
            "https://server/?api_key=x",
            "ftp://server",
            "server",
        ],
    )
    def test_addresses_with_secrets_or_without_a_server_are_not_stored(self, url):
        with pytest.raises(SettingsError) as raised:
            store(ServerSettings(samgeo_url=url))

        assert "pw" not in str(raised.value)
        assert stored() == ServerSettings()

    def test_nonsense_in_the_settings_file_is_as_good_as_nothing(self):
        QgsSettings().setValue(f"{server_settings.PREFIX}/samgis_url", 17)
        assert stored() == ServerSettings()


class TestLogin:
    def test_its_header_arrives_at_the_server(self, login, caplog):
        caplog.set_level(logging.DEBUG)
        with serve() as site:
            store(ServerSettings(samgis_url=site.url, samgis_authcfg=login))
            SamgisClient(servers().samgis).require_alive(NullProgress())
        expected = base64.b64encode(f"me:{SECRET}".encode()).decode()
        assert site.headers[0]["Authorization"] == f"Basic {expected}"
        assert expected not in caplog.text
        assert SECRET not in caplog.text

    def test_a_token_of_the_method_api_header_is_sent_as_it_is(self, login):
        manager = QgsApplication.authManager()
        if "APIHeader" not in manager.authMethodsKeys():
            pytest.skip("this QGIS has no method API header")
        config = QgsAuthMethodConfig()
        config.setName("token")
        config.setMethod("APIHeader")
        config.setConfigMap({"X-Api-Token": SECRET})
        manager.storeAuthenticationConfig(config)
        with serve() as site:
            store(ServerSettings(samgis_url=site.url, samgis_authcfg=config.id()))
            SamgisClient(servers().samgis).require_alive(NullProgress())
        manager.removeAuthenticationConfig(config.id())

        assert site.headers[0]["X-Api-Token"] == SECRET

    def test_it_is_in_no_setting_and_no_representation(self, login):
        store(ServerSettings(samgis_url=URL, samgis_authcfg=login))
        found = servers()

        settings = QgsSettings()
        settings.sync()
        keys = [key for key in settings.allKeys() if key.startswith("prompt_segmenter")]
        everything = " ".join(str(settings.value(key)) for key in keys)
        assert login in everything
        for text in (everything, repr(found), str(found), repr(server_settings.runtime("samgis"))):
            assert SECRET not in text
            assert "Basic" not in text

    def test_no_other_server_is_given_it(self, login):
        store(ServerSettings(samgis_url=URL, samgis_authcfg=login))

        elsewhere = servers(environment={"PROMPT_SEGMENTER_SAMGIS_URL": "http://evil.example:7860"}).samgis
        same = servers(environment={"PROMPT_SEGMENTER_SAMGIS_URL": f"{URL}/other/path"}).samgis

        assert elsewhere.headers == ()
        assert [name for name, _ in same.headers] == ["Authorization"]

    def test_a_login_that_is_gone_says_so(self, login):
        store(ServerSettings(samgis_url=URL, samgis_authcfg="gone000"))

        with pytest.raises(SettingsError, match=r"keeps no login 'gone000'.*Servers page"):
            servers()

    def test_a_locked_store_says_how_to_open_it(self, login, monkeypatch):
        store(ServerSettings(samgis_url=URL, samgis_authcfg=login))
        monkeypatch.setattr(server_access, "_is_unlocked", lambda may_ask: False)

        with pytest.raises(SettingsError, match="QGIS_AUTH_PASSWORD_FILE"):
            servers()

    def test_without_a_window_nobody_is_asked_for_the_master_password(self, monkeypatch):
        asked = []

        class Locked:
            def masterPasswordIsSet(self):
                return False

            def setMasterPassword(self, verify):
                asked.append(verify)
                return True

        monkeypatch.setattr(server_access.QgsApplication, "authManager", Locked)
        assert not server_access._is_unlocked(None)
        assert asked == []
        assert server_access._is_unlocked(True)

    def test_a_local_model_touches_no_login(self, login):
        store(ServerSettings(samgis_url=URL, samgis_authcfg="gone000"))

        assert server_settings.runtime("starter").servers is None

    def test_a_model_of_one_server_touches_no_login_of_the_other(self, login):
        store(ServerSettings(samgeo_url="http://127.0.0.1:8000", samgis_url=URL, samgis_authcfg="gone000"))

        found = server_settings.runtime("samgeo_sam3").servers
        assert found.samgeo.url == "http://127.0.0.1:8000"
        assert found.samgis is None


class TestProxy:
    @pytest.fixture(autouse=True)
    def restored(self):
        manager = QgsNetworkAccessManager.instance()
        before = manager.fallbackProxy(), manager.excludeList(), manager.noProxyList()
        yield
        manager.setFallbackProxyAndExcludes(*before)

    def test_qgis_s_proxy_is_ours_but_for_its_exceptions(self):
        proxy = QNetworkProxy(QNetworkProxy.ProxyType.HttpProxy, "proxy.example", 3128, "us er", "p@ss")
        QgsNetworkAccessManager.instance().setFallbackProxyAndExcludes(proxy, [], ["http://inside.example"])

        assert server_access.proxy_for("http://outside.example/x") == "http://us%20er:p%40ss@proxy.example:3128"
        assert server_access.proxy_for("http://inside.example/x") == ""
        store(ServerSettings(samgis_url="http://outside.example"))
        assert servers().samgis.proxy.endswith("@proxy.example:3128")
        assert "p%40ss" not in repr(servers())
        store(ServerSettings(samgis_url=URL))
        assert servers().samgis.proxy == ""

    def test_without_one_there_is_none(self):
        QgsNetworkAccessManager.instance().setFallbackProxyAndExcludes(QNetworkProxy(), [], [])
        assert server_access.proxy_for("http://outside.example/x") == ""
