"""The user's servers: from QGIS's settings, its logins and its proxy, and from environment variables.

Precedence of a server's address: our own environment variable (PROMPT_SEGMENTER_..., said for one run or by who manages
the machine), then the settings, then a samgeo server that this QGIS has started, then the variable of another program
(GEOLIBRE_...), which only fills in.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlsplit

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QCoreApplication

from ..core.errors import SettingsError
from ..core.models import catalogue
from ..core.models.model import RuntimeSettings
from ..core.redact import without_credentials
from ..core.remote.address import (
    SAMGEO_MODEL_VARIABLES,
    SAMGEO_VARIABLES,
    SAMGIS_VARIABLES,
    ServerAddress,
    Servers,
    warnings_of,
)
from .server_access import login_headers, proxy_for

PREFIX = "prompt_segmenter/servers"
"""Where the settings are in QGIS's."""
_STARTED = "prompt_segmenter_started_samgeo"
_VARIABLES = {"samgeo": SAMGEO_VARIABLES, "samgis": SAMGIS_VARIABLES}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ServerSettings:
    """What the settings say. Each field is a key under :data:`PREFIX`; no password or token is among them."""

    samgeo_url: str = ""
    """Base URL of a samgeo-api server or of GeoLibre's sidecar."""
    samgeo_authcfg: str = ""
    """Id of the login in QGIS's authentication store."""
    samgeo_login_for: str = ""
    """Scheme, host and port that the login was chosen for: no other server is given it."""
    samgeo_model: str = ""
    """The model that it is to run, as VERSION or VERSION:ID; empty for what the catalogue says."""
    samgeo_command: str = ""
    """What starts one on this machine; empty for samgeo-api."""
    samgis_url: str = ""
    """Base URL of a SamGIS server."""
    samgis_authcfg: str = ""
    """Like ``samgeo_authcfg``."""
    samgis_login_for: str = ""
    """Like ``samgeo_login_for``."""
    samgis_words_route: str = Servers.samgis_words_route
    """Where it takes words."""
    samgis_correct_shift: bool = True
    """Mend the half pixel by which its answers lie to the north-west."""


def stored() -> ServerSettings:
    """Return what QGIS's settings say; a value that can't be understood counts as not there."""
    settings, default = QgsSettings(), ServerSettings()
    said: dict[str, Any] = {}
    for field in fields(ServerSettings):
        usual = getattr(default, field.name)
        value = settings.value(f"{PREFIX}/{field.name}", usual)
        if isinstance(usual, bool):
            said[field.name] = str(value).lower() not in ("false", "0")
        else:
            said[field.name] = value.strip() if isinstance(value, str) else usual
    return ServerSettings(**said)


def store(settings: ServerSettings) -> None:
    """Write the settings; a login is bound to the server whose address is in use now.

    Raises
    ------
    SettingsError
        If an address has a password or a key in it, or is none of a web server; nothing is written.
    """
    for url in (settings.samgeo_url, settings.samgis_url):
        require_storable(url)
    bound: dict[str, Any] = {
        f"{which}_login_for": _origin(_url(which, settings)[0]) if getattr(settings, f"{which}_authcfg") else ""
        for which in _VARIABLES
    }
    complete = replace(settings, **bound)
    for field in fields(ServerSettings):
        QgsSettings().setValue(f"{PREFIX}/{field.name}", getattr(complete, field.name))


def require_storable(url: str) -> None:
    """Raise :class:`SettingsError` for an address that must not be written to a settings file."""
    if not url.strip():
        return
    if without_credentials(url) != url:
        raise SettingsError(
            "The address has a password or a key in it, which the settings would show to everybody.",
            hint="Leave it out, and choose a login that QGIS keeps encrypted.",
        )
    _ = ServerAddress(url).parts  # raises


def servers(
    which: Collection[str] = tuple(_VARIABLES),
    *,
    may_ask: bool | None = None,
    environment: Mapping[str, str] | None = None,
) -> Servers:
    """Return the servers, logins included. Called on the main thread.

    Parameters
    ----------
    which : collection of str
        Those that are needed ("samgeo", "samgis"): the login of another is not touched, and it is None.
    may_ask : bool, optional
        Whether QGIS may open its dialog for the master password; where left out, if there is a window.
    environment : mapping, optional
        Of variables; the process's where left out.

    Raises
    ------
    SettingsError
        If a login can't be used; says what to do.
    """
    environment = os.environ if environment is None else environment
    said = stored()
    model = next((environment[name] for name in SAMGEO_MODEL_VARIABLES[:1] if environment.get(name, "").strip()), "")
    others = next((environment[name] for name in SAMGEO_MODEL_VARIABLES[1:] if environment.get(name, "").strip()), "")
    return Servers(
        **{each: address(each, said, may_ask=may_ask, environment=environment) for each in which},
        samgis_words_route=said.samgis_words_route or Servers.samgis_words_route,
        samgis_correct_shift=said.samgis_correct_shift,
        samgeo_model=(model or said.samgeo_model or others).strip(),
    )


def address(
    which: str,
    said: ServerSettings | None = None,
    *,
    may_ask: bool | None = None,
    environment: Mapping[str, str] | None = None,
) -> ServerAddress | None:
    """Return how one server ("samgeo" or "samgis") is reached; None if none is set up. Raises like :func:`servers`."""
    said = said or stored()
    url, _ = _url(which, said, environment)
    if not url:
        return None
    authcfg, bound = getattr(said, f"{which}_authcfg"), getattr(said, f"{which}_login_for")
    headers: tuple[tuple[str, str], ...] = ()
    if authcfg and _origin(url) == (bound or _origin(getattr(said, f"{which}_url"))):
        headers = login_headers(authcfg, url, may_ask=may_ask)
    found = ServerAddress(url, headers)
    # no proxy leads to this machine
    return found if found.is_here else replace(found, proxy=proxy_for(url))


def named_by(which: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the environment variable that an address comes from; empty if it comes from elsewhere."""
    return _url(which, stored(), environment)[1]


def url_of(which: str) -> str:
    """Return a server's address without asking for its login; empty if none is set up, or for no server."""
    return _url(which, stored())[0] if which else ""


def runtime(*names: str, may_ask: bool | None = None) -> RuntimeSettings:
    """Return how models are run: with the servers that they are on. No other login is touched.

    A name that is not in the catalogue is no model of a server; who loads it says what is wrong.
    """
    needed = {server_of(name) for name in names} - {""}
    return RuntimeSettings(servers=servers(needed, may_ask=may_ask)) if needed else RuntimeSettings()


def warnings_for(runtime: RuntimeSettings, *names: str) -> tuple[str, ...]:
    """Return what the user should know before pixels go to the servers that models run on, sentence by sentence."""
    which = {server_of(name) for name in names} - {""}
    found = [getattr(runtime.servers, each) for each in sorted(which)] if runtime.servers is not None else []
    return tuple(warning for address in found if address is not None for warning in warnings_of(address))


def server_of(name: str) -> str:
    """Return the server that a model runs on ("samgeo" or "samgis"); empty for one of this machine."""
    return next((spec.server for spec in catalogue.SPECS if spec.name == name), "")


def announce(url: str) -> None:
    """Remember, for as long as QGIS runs, the address of a samgeo server that it has started; empty: it is gone."""
    application = QCoreApplication.instance()
    if application is not None:
        application.setProperty(_STARTED, url)


def _url(which: str, said: ServerSettings, environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return an address, and the environment variable that it comes from or nothing."""
    environment = os.environ if environment is None else environment
    own, *others = _VARIABLES[which]
    application = QCoreApplication.instance()
    started = application.property(_STARTED) if which == "samgeo" and application is not None else ""
    if environment.get(own, "").strip():
        return environment[own].strip(), own
    here = getattr(said, f"{which}_url") or (started if isinstance(started, str) else "")
    if here:
        return here, ""
    named = next((name for name in others if environment.get(name, "").strip()), "")
    return (environment[named].strip(), named) if named else ("", "")


def _origin(url: str) -> str:
    """Return scheme, host and port of an address; empty if it is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""
