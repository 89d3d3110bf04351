"""Where servers are: plain values that the user interface, the environment or a test fills in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

SAMGEO_VARIABLES = ("PROMPT_SEGMENTER_SAMGEO_URL", "GEOLIBRE_ML_SAMGEO_URL")
"""Environment variables that name a samgeo server; the first that is set counts."""
SAMGIS_VARIABLES = ("PROMPT_SEGMENTER_SAMGIS_URL",)
"""The same for a SamGIS server."""


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


@dataclass(frozen=True)
class Servers:
    """The servers that the user has set up."""

    samgeo: ServerAddress | None = None
    """A samgeo-api server, or GeoLibre's sidecar in front of one."""
    samgis: ServerAddress | None = None
    """A SamGIS server."""
    samgis_words_route: str = "/infer_lisa"
    """Where a SamGIS server takes words; the public code doesn't tell its name."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Servers:
        """Return what the environment variables say."""
        environment = os.environ if environment is None else environment

        def first(names: tuple[str, ...]) -> ServerAddress | None:
            url = next((environment[name].strip() for name in names if environment.get(name, "").strip()), "")
            return ServerAddress(url) if url else None

        return cls(first(SAMGEO_VARIABLES), first(SAMGIS_VARIABLES))
