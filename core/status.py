"""What this installation is made of: versions, where graphs run, and which models are there."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import numpy as np

from . import native
from .errors import DependencyError
from .models import catalogue
from .models.store import FOLDER_VARIABLE, ModelStore
from .remote.address import Servers
from .remote.samgeo_status import samgeo_status
from .version import VERSION

_PACKAGES: tuple[tuple[str, Callable[[], Any], Callable[[Any], str]], ...] = (
    ("rasterio", native.rasterio, lambda module: f"{module.__version__} (GDAL {module.__gdal_version__})"),
    ("shapely", native.shapely, lambda module: str(module.__version__)),
    ("pyproj", native.pyproj, lambda module: f"{module.__version__} (PROJ {module.__proj_version__})"),
    ("onnxruntime", native.onnxruntime, lambda module: str(module.__version__)),
    ("requests", native.requests, lambda module: str(module.__version__)),
)


def status_lines() -> list[str]:
    """Return one line for each fact; a package that is missing is named with the command that brings it."""
    lines = [
        f"Prompt Segmenter   {VERSION}",
        f"Python             {platform.python_version()} on {platform.system()} {platform.machine()}",
        f"numpy              {np.__version__}",
    ]
    for name, load, version in _PACKAGES:
        lines.append(f"{name:18} {_version(load, version)}")
    lines.append(f"Providers          {_providers()}")
    store = ModelStore()
    lines.append(f"Weights folder     {store.folder} (set {FOLDER_VARIABLE} for another)")
    there = [spec.name for spec in catalogue.SPECS if not (spec.server or store.missing(spec))]
    lines.append(f"Models installed   {', '.join(there) or 'none'}")
    lines.append(f"Samgeo server      {_samgeo()}")
    return lines


def _samgeo() -> str:
    """Return how the samgeo server is that the environment names; asks it, where there is one."""
    try:
        said = samgeo_status(Servers.from_environment().samgeo)
    except DependencyError as error:
        return f"unknown. {error.hint}"
    return " ".join([f"{said.text} {said.hint}".strip(), *said.warnings])


def _version(load: Callable[[], Any], version: Callable[[Any], str]) -> str:
    try:
        return version(load())
    except DependencyError as error:
        return f"missing. {error.hint}"


def _providers() -> str:
    try:
        return ", ".join(native.onnxruntime().get_available_providers())
    except DependencyError:
        return "none without onnxruntime"
