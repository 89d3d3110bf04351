from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import types
import warnings
import weakref
from pathlib import Path

import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import DependencyError

ROOT = Path(__file__).resolve().parents[2]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the guard is for Linux")


@pytest.fixture
def fake_package(tmp_path, monkeypatch):
    """Return a maker of importable packages that remember the import flags they were loaded under."""
    made = []

    def make(name: str, *, code: str = "", libs: str = "") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("import sys\nFLAGS = sys.getdlopenflags()\n" + code)
        (folder / "part.py").write_text("import sys\nFLAGS = sys.getdlopenflags()\n")
        if libs:
            (tmp_path / libs).mkdir()
        monkeypatch.setitem(native._SUBMODULES, name, ("part",))
        made.append(name)
        return folder

    monkeypatch.syspath_prepend(str(tmp_path))
    yield make
    native._load.cache_clear()
    for name in [*made, *(f"{one}.part" for one in made)]:
        sys.modules.pop(name, None)


def test_every_package_comes_with_the_submodules_that_the_core_uses():
    assert native.rasterio().vrt.WarpedVRT and native.rasterio().features.shapes
    assert native.shapely().geometry.Polygon and native.shapely().validation.make_valid
    assert native.pyproj().crs.CRS and native.pyproj().exceptions.ProjError
    assert native.onnxruntime().InferenceSession
    assert native.requests().exceptions.RequestException


@LINUX
@pytest.mark.parametrize("libs", ["boxed_wheel.libs", "Boxed_Wheel.libs"])
def test_a_wheel_with_its_own_libraries_is_imported_under_deepbind_and_the_flags_are_restored(fake_package, libs):
    fake_package("boxed_wheel", libs=libs)
    before = sys.getdlopenflags()
    module = native._load("boxed_wheel")
    assert module.FLAGS & os.RTLD_DEEPBIND
    assert module.part.FLAGS & os.RTLD_DEEPBIND
    assert sys.getdlopenflags() == before


@LINUX
def test_a_package_of_the_distribution_is_imported_as_it_is(fake_package):
    fake_package("distro_package")
    before = sys.getdlopenflags()
    assert not native.is_bundled_wheel("distro_package")
    assert before == native._load("distro_package").FLAGS


@LINUX
def test_the_flags_are_restored_when_a_wheel_fails_to_load(fake_package):
    fake_package("broken_wheel", code="raise OSError('libproj.so.25: no such file')\n", libs="broken_wheel.libs")
    before = sys.getdlopenflags()
    with pytest.raises(DependencyError, match=r"broken_wheel can't be loaded: libproj\.so\.25"):
        native._load("broken_wheel")
    assert sys.getdlopenflags() == before


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(native._SUBMODULES, "no_such_package", ())
    with pytest.raises(DependencyError, match="no_such_package is not installed") as caught:
        native._load("no_such_package")
    assert caught.value.hint.endswith(" no_such_package")


def test_a_package_whose_own_need_is_missing_names_what_is_missing(fake_package):
    fake_package("needs_more", code="import no_such_need\n")
    with pytest.raises(DependencyError, match="needs_more can't be loaded") as caught:
        native._load("needs_more")
    assert caught.value.hint.endswith(" no_such_need")


@pytest.fixture
def python(monkeypatch):
    """Return what makes this Python look like another one."""

    def be(*, distribution: bool, managed: bool) -> None:
        monkeypatch.setattr(native, "_takes_debian_packages", lambda: distribution)
        monkeypatch.setattr(native, "_is_externally_managed", lambda: managed)

    return be


@pytest.mark.parametrize(
    ("packages", "command"),
    [
        (["onnxruntime"], "python3 -m pip install onnxruntime"),
        (["shapely"], 'python3 -m pip install "shapely<2.2"'),
        (["rasterio", "pyproj"], 'python3 -m pip install rasterio "affine<3" pyproj'),
    ],
)
def test_the_command_has_the_versions_that_go_together(python, packages, command):
    python(distribution=False, managed=False)
    assert native.how_to_install(packages) == command


def test_the_distributions_python_gets_the_distributions_packages(python):
    python(distribution=True, managed=True)
    assert native.how_to_install(["shapely", "pyproj"]) == "sudo apt-get install python3-shapely python3-pyproj"
    assert native.how_to_install(["onnxruntime", "numpy"]) == (
        "sudo apt-get install python3-numpy && python3 -m pip install --user --break-system-packages onnxruntime"
    )


def test_an_environment_of_its_own_is_told_from_the_distributions_python(tmp_path, monkeypatch):
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    monkeypatch.setattr(native.sysconfig, "get_path", lambda name: str(tmp_path))
    for prefix, managed in (("/usr", True), ("/home/me/venv", False)):
        monkeypatch.setattr(sys, "prefix", prefix)
        monkeypatch.setattr(sys, "base_prefix", "/usr")
        assert native._is_externally_managed() is managed
        assert native._takes_debian_packages() is (managed and Path("/etc/debian_version").exists())


def test_a_missing_package_and_the_command_agree(python, monkeypatch):
    python(distribution=False, managed=False)
    monkeypatch.setattr(native, "_SUBMODULES", {"shapely_gone": ()})
    monkeypatch.setattr(native, "_PIP", {"shapely_gone": '"shapely_gone<3"'})
    with pytest.raises(DependencyError) as caught:
        native._load("shapely_gone")
    assert caught.value.hint == f"Install it with: {native.how_to_install(['shapely_gone'])}"


def test_only_the_known_warnings_are_kept_quiet(fake_package):
    known = "import warnings\nwarnings.warn('Valid PROJ data directory not found. Either set ...')\n"
    fake_package("warns_known", code=known)
    fake_package("warns_new", code="import warnings\nwarnings.warn('something new')\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        native._load("warns_known")
        native._load("warns_new")
    assert [str(warning.message) for warning in caught] == ["something new"]


def test_a_wheels_proj_is_pointed_to_the_wheels_own_database(tmp_path):
    paths = []

    class Module:
        __file__ = str(tmp_path / "__init__.py")

        class _env:  # noqa: N801 (the name that rasterio gives it)
            set_proj_data_search_path = staticmethod(paths.append)

    native._use_own_proj_data(Module)
    assert paths == []
    (tmp_path / "proj_data").mkdir()
    native._use_own_proj_data(Module)
    assert paths == [str(tmp_path / "proj_data")]


class LostPyproj:
    """A pyproj of the distribution in a virtual environment: it looks for its data in the wrong place."""

    class exceptions:  # noqa: N801 (the name that pyproj gives it)
        class DataDirError(RuntimeError):
            pass

    def __init__(self, found=""):
        self.found = found
        self.datadir = self

    def get_data_dir(self):
        if not self.found:
            raise self.exceptions.DataDirError
        return self.found

    def set_data_dir(self, folder):
        self.found = folder


def test_a_pyproj_that_does_not_find_the_systems_database_is_told_where_it_is(tmp_path):
    lost, still_lost, happy = LostPyproj(), LostPyproj(), LostPyproj("/own/proj")
    (tmp_path / "share/proj").mkdir(parents=True)
    native._help_find_proj_data(still_lost, str(tmp_path))
    (tmp_path / "share/proj/proj.db").touch()
    native._help_find_proj_data(lost, str(tmp_path))
    native._help_find_proj_data(happy, str(tmp_path))
    assert (lost.found, still_lost.found, happy.found) == (str(tmp_path / "share/proj"), "", "/own/proj")


def test_loading_leaves_the_environment_alone():
    before = dict(os.environ)
    native.rasterio()
    native.pyproj()
    assert dict(os.environ) == before


def test_rasterio_runs_with_the_wheels_database_and_the_options_given(monkeypatch):
    pointed = []
    monkeypatch.setattr(native, "_use_own_proj_data", pointed.append)
    with native.rasterio_env(GDAL_NUM_THREADS="3"):
        assert native.rasterio().env.getenv()["GDAL_NUM_THREADS"] == "3"
    assert pointed == [native.rasterio()]


def in_a_clean_interpreter(code: str, **variables: str) -> str:
    """Return what ``code`` prints; it may import the package by its name."""
    prologue = f"import sys, runpy; runpy.run_path({str(ROOT / 'test' / 'conftest.py')!r})\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", prologue + code],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_core_loads_no_compiled_package():
    code = """
from prompt_segmenter.core import native, window
from prompt_segmenter.core.raster import rgb, sources
from prompt_segmenter.core.raster.sources import array, raster_file
heavy = {"rasterio", "shapely", "pyproj", "onnxruntime", "requests", "osgeo", "qgis", "PyQt5", "PyQt6"}
print(sorted(heavy & set(sys.modules)))
"""
    assert in_a_clean_interpreter(code) == "[]"


def test_a_raster_opens_although_proj_lib_names_another_proj(tmp_path):
    code = f"""
import numpy, os
from prompt_segmenter.core import native
from prompt_segmenter.core.raster.sources import open_source
from prompt_segmenter.core.raster import crs
from prompt_segmenter.test.helpers.rasters import write_raster
from pathlib import Path
if native.is_bundled_wheel("rasterio"):
    os.environ["PROJ_LIB"] = os.environ["PROJ_DATA"] = {str(tmp_path)!r}
source = open_source(write_raster(Path({str(tmp_path)!r}) / "a.tif", numpy.ones((1, 2, 2), "uint8")))
print(source.grid.crs, crs.transform_points([(15, 0)], "EPSG:4326", "EPSG:32633").round(3).tolist())
"""
    assert in_a_clean_interpreter(code) == "EPSG:32633 [[500000.0, 0.0]]"


@LINUX
def test_each_package_is_guarded_by_itself():
    code = """
import os
flags = sys.getdlopenflags()
from prompt_segmenter.core import native
for package in ("rasterio", "shapely", "pyproj", "requests"):
    getattr(native, package)()
    assert sys.getdlopenflags() == flags
print(native.is_bundled_wheel("requests"), native.is_bundled_wheel("no_such_package"))
"""
    assert in_a_clean_interpreter(code) == "False False"


class Owner:
    """Stands for what destroys a context when it is collected."""


def test_a_proj_context_lives_as_long_as_the_thread_it_is_for_and_no_longer():
    class Local(threading.local):
        context_manager = None

    before, mains = Local(), Owner()
    before.context_manager = mains
    pyproj = types.SimpleNamespace(_context=types.ModuleType("_context"))
    pyproj._context._CONTEXT_MANAGER_LOCAL = before
    native._keep_contexts(pyproj)
    contexts, gone = pyproj._context._CONTEXT_MANAGER_LOCAL, []

    def make():
        owner = Owner()
        gone.append(weakref.ref(owner))
        contexts.context_manager = owner

    for _ in range(3):
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
    del before, mains
    gc.collect()

    assert gone[-1]() is not None
    assert contexts._before.context_manager is not None
    if native._THREADS.is_dir():
        contexts.context_manager = None
        assert [owner() for owner in gone] == [None, None, None]


def test_a_pyproj_without_such_contexts_is_left_alone():
    older = types.SimpleNamespace()

    native._keep_contexts(older)

    assert vars(older) == {}
