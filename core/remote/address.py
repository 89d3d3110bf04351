"""Where servers are: plain values that the user interface, the environment or a test fills in."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from ..errors import SettingsError

SAMGEO_VARIABLES = ("PROMPT_SEGMENTER_SAMGEO_URL", "GEOLIBRE_ML_SAMGEO_URL")
"""Environment variables that name a samgeo server; the first that is set counts."""
SAMGIS_VARIABLES = ("PROMPT_SEGMENTER_SAMGIS_URL",)
"""The same for a SamGIS server."""
SAMGEO_MODEL_VARIABLES = ("PROMPT_SEGMENTER_SAMGEO_MODEL", "GEOLIBRE_ML_DEFAULT_MODEL")
"""Environment variables that name the model a samgeo server is to run, as VERSION or VERSION:ID."""


@dataclass(frozen=True)
class ServerAddress:
    """How one server is reached."""

    url: str
    """Base URL, as the user gave it."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with each request, e.g. a token from QGIS's auth manager. Never shown or logged."""
    proxy: str = ""
    """URL of the proxy for this server; empty for what the environment says."""

    def __repr__(self) -> str:
        """Return it without what is secret."""
        return f"ServerAddress(url=..., headers={[name for name, _ in self.headers]})"

    @property
    def parts(self) -> SplitResult:
        """The URL, taken apart.

        Raises
        ------
        SettingsError
            If it is no address of a web server.
        """
        try:
            parts = urlsplit(self.url.strip())
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
            usable = usable and "\\" not in self.url and not any(mark.isspace() for mark in self.url.strip())
        except ValueError:
            usable = False
        if not usable:
            # The text isn't repeated: what can't be taken apart can't be rid of its password either.
            raise SettingsError(
                "The server's address is none of a web server.",
                hint="Give it as http://host:port, for example http://127.0.0.1:8000.",
            )
        return parts

    @property
    def shown(self) -> str:
        """What messages call the server: scheme, host and port, without users, keys and paths."""
        parts = self.parts
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
        return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")

    @property
    def is_here(self) -> bool:
        """True if it is this machine."""
        host = str(self.parts.hostname)
        if host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return address.is_loopback or address.is_unspecified

    def route(self, route: str) -> str:
        """Return the URL of a route, e.g. "/health", below the base; a query in the base (a gateway's key) stays."""
        parts = self.parts
        return urlunsplit(parts._replace(path=parts.path.rstrip("/") + route, fragment=""))


@dataclass(frozen=True)
class Servers:
    """The servers that the user has set up."""

    samgeo: ServerAddress | None = None
    """A samgeo-api server, or GeoLibre's sidecar in front of one."""
    samgis: ServerAddress | None = None
    """A SamGIS server."""
    samgis_words_route: str = "/infer_lisa"
    """Where a SamGIS server takes words; the public code doesn't tell its name."""
    samgis_correct_shift: bool = True
    """Mend the half pixel by which a SamGIS server's answers lie to the north-west."""
    samgeo_model: str = ""
    """The model that a samgeo server is to run, as VERSION or VERSION:ID, e.g. "sam3:facebook/sam3.1"; empty for what
    the catalogue says."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Servers:
        """Return what the environment variables say."""
        environment = os.environ if environment is None else environment

        def first(names: tuple[str, ...]) -> str:
            return next((environment[name].strip() for name in names if environment.get(name, "").strip()), "")

        def address(names: tuple[str, ...]) -> ServerAddress | None:
            url = first(names)
            return ServerAddress(url) if url else None

        return cls(address(SAMGEO_VARIABLES), address(SAMGIS_VARIABLES), samgeo_model=first(SAMGEO_MODEL_VARIABLES))


def warnings_of(address: ServerAddress) -> tuple[str, ...]:
    """Return what the user should know before pixels are sent to this address, sentence by sentence.

    Raises
    ------
    SettingsError
        If it is no address of a web server.
    """
    if address.is_here or address.parts.scheme == "https":
        return ()
    what = "your images and your password or token" if address.headers or "@" in address.parts.netloc else "your images"
    return (
        f"{address.shown} is another machine that is reached without encryption: {what} can be read on the way. "
        "Use https, or a tunnel to it.",
    )
