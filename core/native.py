"""The compiled packages that the core works with, imported when they are first needed and never at plugin load.

QGIS's own executables export the symbols of the system's GDAL, GEOS and PROJ. A wheel from PyPI carries its own copies
of these libraries and, loaded in the usual way on Linux, calls QGIS's by mistake: wrong results, and a crash at exit.
Wheels are therefore imported with RTLD_DEEPBIND, which makes each prefer its own copy. The flag is taken back at once,
because Qt and QGIS modules crash when they are imported under it. Packages of the distribution share QGIS's libraries
and are imported as they are. Environment variables are never touched.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import DependencyError

_SUBMODULES = {
    "rasterio": ("features", "warp", "windows", "vrt", "enums", "transform", "io", "errors", "_env"),
    "shapely": ("geometry", "ops", "validation", "wkb", "wkt", "affinity"),
    "pyproj": ("crs", "datadir", "exceptions"),
    "onnxruntime": (),
    "requests": ("exceptions",),
    "tokenizers": ("models", "normalizers", "pre_tokenizers"),
}
_PIP = {"rasterio": 'rasterio "affine<3"', "shapely": '"shapely<2.2"'}
_HARMLESS = (
    # A distribution's pyproj inside a virtual environment: PROJ finds its data all the same.
    "Valid PROJ data directory not found",
    # A distribution's requests beside a newer urllib3 from PyPI: its version table is old, the calls are the same.
    r"urllib3 \(.*doesn't match a supported version",
)
_APT = frozenset({"numpy", "rasterio", "shapely", "pyproj", "requests"})


def rasterio() -> ModuleType:
    """Return rasterio, with features, warp, windows, vrt, enums, transform, io and errors loaded.

    Raises
    ------
    DependencyError
        If it is missing or can't be loaded; the hint is the command that mends it.
    """
    return _load("rasterio")


@contextmanager
def rasterio_env(**options: Any) -> Iterator[None]:
    """Run rasterio calls that open, read or need a CRS, with GDAL options.

    Each outermost ``rasterio.Env`` points PROJ to PROJ_LIB or PROJ_DATA, which QGIS sets for its own PROJ; a wheel's
    PROJ can't read that database.
    """
    module = rasterio()
    with module.Env(**options):
        _use_own_proj_data(module)
        yield


def shapely() -> ModuleType:
    """Return shapely, with geometry, ops, validation, wkb, wkt and affinity loaded.

    Raises
    ------
    DependencyError
        If it is missing or can't be loaded; the hint is the command that mends it.
    """
    return _load("shapely")


def pyproj() -> ModuleType:
    """Return pyproj, with crs, datadir and exceptions loaded.

    Raises
    ------
    DependencyError
        If it is missing or can't be loaded; the hint is the command that mends it.
    """
    return _load("pyproj")


def onnxruntime() -> ModuleType:
    """Return onnxruntime.

    Raises
    ------
    DependencyError
        If it is missing or can't be loaded; the hint is the command that mends it.
    """
    return _load("onnxruntime")


def requests() -> ModuleType:
    """Return requests, with exceptions loaded.

    Raises
    ------
    DependencyError
        If it is missing or can't be loaded; the hint is the command that mends it.
    """
    return _load("requests")


def tokenizers() -> ModuleType:
    """Return tokenizers, with models, normalizers and pre_tokenizers loaded; only models that take any words need it.

    Raises
    ------
    DependencyError
        If it is missing or can't be loaded; the hint is the command that mends it.
    """
    return _load("tokenizers")


def how_to_install(packages: Iterable[str]) -> str:
    """Return the one command line, to be shown and not run, that installs packages for this Python.

    Parameters
    ----------
    packages : iterable of str
        Import names, e.g. "onnxruntime".

    Examples
    --------
    >>> how_to_install(["onnxruntime", "shapely"])  # doctest: +SKIP
    'python3 -m pip install onnxruntime "shapely<2.2"'
    """
    wanted = list(dict.fromkeys(packages))
    from_debian = [package for package in wanted if package in _APT and _takes_debian_packages()]
    from_pip = [_PIP.get(package, package) for package in wanted if package not in from_debian]
    commands = []
    if from_debian:
        commands.append(" ".join(["sudo apt-get install", *(f"python3-{package}" for package in from_debian)]))
    if from_pip:
        options = ["--user --break-system-packages"] if _is_externally_managed() else []
        commands.append(" ".join(["python3 -m pip install", *options, *from_pip]))
    return " && ".join(commands)


def is_bundled_wheel(package: str) -> bool:
    """Return True if ``package`` is a Linux wheel that carries its own shared libraries.

    auditwheel puts them in ``<package>.libs`` beside the package (the case of the name varies).
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return False
    beside = Path(spec.origin).parent.parent
    wanted = f"{package}.libs".lower()
    return any(entry.name.lower() == wanted for entry in beside.glob("*.libs") if entry.is_dir())


@functools.cache
def _load(package: str) -> ModuleType:
    try:
        if sys.platform == "linux" and is_bundled_wheel(package):
            with _own_symbols_first():
                module = _import_all(package)
        else:
            module = _import_all(package)
    except ModuleNotFoundError as error:
        if error.name == package:
            raise DependencyError(f"The Python package {package} is not installed.", hint=_mend(package)) from error
        raise DependencyError(
            f"The Python package {package} can't be loaded: {error}.", hint=_mend(error.name or package)
        ) from error
    except (ImportError, OSError, AttributeError, ValueError) as error:
        # What an extension module raises that was built for another numpy or another system library.
        raise DependencyError(f"The Python package {package} can't be loaded: {error}.", hint=_mend(package)) from error
    if package == "pyproj":
        _help_find_proj_data(module)
    return module


def _import_all(package: str) -> ModuleType:
    with _known_warnings_quiet():
        module = importlib.import_module(package)
        for name in _SUBMODULES[package]:
            importlib.import_module(f"{package}.{name}")
    return module


@contextmanager
def _own_symbols_first() -> Iterator[None]:
    before = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
    try:
        yield
    finally:
        sys.setdlopenflags(before)


@contextmanager
def _known_warnings_quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        for message in _HARMLESS:
            warnings.filterwarnings("ignore", message=message)
        yield


def _help_find_proj_data(module: ModuleType, prefix: str = sys.base_prefix) -> None:
    """Tell a distribution's pyproj where the database is: in a virtual environment it looks under that one's prefix.

    Debian 12's works all the same, Debian 13's (3.7) refuses every CRS.
    """
    try:
        module.datadir.get_data_dir()
    except module.exceptions.DataDirError:
        folder = Path(prefix) / "share" / "proj"
        if (folder / "proj.db").is_file():
            module.datadir.set_data_dir(str(folder))


def _use_own_proj_data(module: ModuleType) -> None:
    """Point a wheel's PROJ to the wheel's own database, whatever PROJ_LIB or PROJ_DATA say for QGIS's PROJ."""
    folder = Path(str(module.__file__)).parent / "proj_data"
    if folder.is_dir():
        module._env.set_proj_data_search_path(str(folder))


def _mend(package: str) -> str:
    return f"Install it with: {how_to_install([package])}"


def _takes_debian_packages() -> bool:
    """Return True if this is the Python of a Debian or Ubuntu, and no environment of its own."""
    return sys.prefix == sys.base_prefix == "/usr" and Path("/etc/debian_version").exists()


def _is_externally_managed() -> bool:
    """Return True if pip refuses to install here without being told twice (PEP 668)."""
    return sys.prefix == sys.base_prefix and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists()
