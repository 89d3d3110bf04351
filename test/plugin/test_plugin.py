from __future__ import annotations

import configparser
from pathlib import Path

import prompt_segmenter
import pytest
from prompt_segmenter.algorithms import base
from prompt_segmenter.algorithms.provider import ICON_PATH
from prompt_segmenter.core import native
from prompt_segmenter.core.version import VERSION
from qgis.core import QgsApplication, QgsProcessingContext

ROOT = Path(prompt_segmenter.__file__).parent


@pytest.fixture
def registry(qgis_app):
    """The Processing registry without this plugin."""
    registry = QgsApplication.processingRegistry()
    present = registry.providerById("promptsegmenter")
    if present is not None:
        registry.removeProvider(present)
    return registry


def metadata():
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read(ROOT / "metadata.txt")
    return dict(parser["general"])


class Window:
    """Counts what a plugin adds to the window and takes away again."""

    def __init__(self, parent):
        self.parent, self.menu, self.bar = parent, [], []

    def mainWindow(self):
        return self.parent

    def addPluginToRasterMenu(self, title, action):
        self.menu.append(action)

    def removePluginRasterMenu(self, title, action):
        self.menu.remove(action)

    def addRasterToolBarIcon(self, action):
        self.bar.append(action)

    def removeRasterToolBarIcon(self, action):
        self.bar.remove(action)


def test_without_a_window_the_provider_is_there_and_its_algorithms_listed(registry):
    plugin = prompt_segmenter.classFactory(None)
    plugin.initProcessing()

    provider = registry.providerById("promptsegmenter")
    assert provider.name() == "Prompt Segmenter"
    assert "promptsegmenter:segmentprompts" in [algorithm.id() for algorithm in provider.algorithms()]
    assert not provider.icon().isNull()

    plugin.unload()
    assert registry.providerById("promptsegmenter") is None


def test_with_a_window_it_loads_and_unloads_five_times_and_leaves_nothing(registry, qgis_parent):
    window = Window(qgis_parent)
    for _ in range(5):
        plugin = prompt_segmenter.classFactory(window)
        plugin.initGui()
        assert (len(window.menu), len(window.bar)) == (1, 1)
        assert window.menu[0].text() == "Segment from prompts…"
        assert not window.menu[0].icon().isNull()
        plugin.unload()
        assert (window.menu, window.bar) == ([], [])
        assert registry.providerById("promptsegmenter") is None


def test_loading_or_unloading_twice_does_no_harm(registry, qgis_parent):
    plugin = prompt_segmenter.classFactory(Window(qgis_parent))
    plugin.initGui()
    plugin.initGui()
    plugin.initProcessing()
    plugin.unload()
    plugin.unload()

    assert registry.providerById("promptsegmenter") is None


def test_a_provider_that_is_refused_is_not_kept(registry):
    first, second = prompt_segmenter.classFactory(None), prompt_segmenter.classFactory(None)
    first.initProcessing()
    second.initProcessing()
    second.unload()

    assert registry.providerById("promptsegmenter") is not None
    first.unload()


def test_a_missing_package_leaves_the_algorithm_listed_and_says_what_mends_it(registry, monkeypatch):
    monkeypatch.setattr(base, "missing_packages", lambda: ["onnxruntime"])
    plugin = prompt_segmenter.classFactory(None)
    plugin.initProcessing()
    algorithm = registry.createAlgorithmById("promptsegmenter:segmentprompts")

    sentence = (
        "The Python package onnxruntime is not installed. "
        f"Install it with: {native.how_to_install(['onnxruntime'])} (with the Python that QGIS uses), "
        "and start QGIS again."
    )
    assert algorithm.canExecute() == (False, sentence)
    assert algorithm.checkParameterValues({}, QgsProcessingContext()) == (False, sentence)
    plugin.unload()


def test_packages_are_missed_one_or_many():
    assert base.missing_packages(lambda name: None if name in ("pyproj", "shapely") else object()) == [
        "shapely",
        "pyproj",
    ]
    assert base.how_to_install(["shapely", "pyproj"]) == (
        "The Python packages shapely pyproj are not installed. "
        f"Install them with: {native.how_to_install(['shapely', 'pyproj'])} (with the Python that QGIS uses), "
        "and start QGIS again."
    )


def test_every_parameter_has_help_and_a_constant_name(registry):
    plugin = prompt_segmenter.classFactory(None)
    plugin.initProcessing()
    algorithm = registry.createAlgorithmById("promptsegmenter:segmentprompts")

    definitions = algorithm.parameterDefinitions()
    assert [definition.name() for definition in definitions if not definition.help()] == []
    assert all(definition.name() == definition.name().upper() for definition in definitions)
    assert {output.name() for output in algorithm.outputDefinitions()} == {"OUTPUT", "COUNT", "SCORE"}
    assert algorithm.shortHelpString()
    assert algorithm.tags()
    assert algorithm.groupId() == "segmentation"
    plugin.unload()


def test_the_metadata_is_complete_and_agrees_with_the_code():
    general = metadata()

    assert general["version"] == VERSION
    assert (general["qgisMinimumVersion"], general["qgisMaximumVersion"]) == ("3.22", "4.99")
    assert general["hasProcessingProvider"] == "yes"
    assert (ROOT / general["icon"]) == ICON_PATH
    assert ICON_PATH.is_file()
    required = [
        "name",
        "description",
        "version",
        "author",
        "email",
        "about",
        "tracker",
        "repository",
        "homepage",
        "tags",
    ]
    assert [field for field in required if not general.get(field)] == []
    assert "plugin" not in general["name"].lower()
