"""What the Processing side may import, and what it must not have imported when the plugin has loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"onnxruntime", "rasterio", "shapely", "pyproj", "requests"}
FILES = [*sorted((ROOT / "algorithms").rglob("*.py")), ROOT / "plugin.py"]
LOAD = """
import importlib.util, sys
from qgis.core import QgsApplication
root = sys.argv[1]
app = QgsApplication([], False)
app.initQgis()
before = set(sys.modules)  # QGIS 3.40 brings shapely itself
locate = importlib.util.spec_from_file_location
spec = locate("prompt_segmenter", root + "/__init__.py", submodule_search_locations=[root])
package = importlib.util.module_from_spec(spec)
sys.modules["prompt_segmenter"] = package
spec.loader.exec_module(package)
plugin = package.classFactory(None)
plugin.initProcessing()
provider = QgsApplication.processingRegistry().providerById("promptsegmenter")
print([algorithm.id() for algorithm in provider.algorithms()])
print(sorted(name for name in set(sys.modules) - before if name.split(".")[0] in {heavy!r}))
plugin.unload()
app.exitQgis()
"""


def imported_by(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES[:-1], ids=lambda path: path.stem)
def test_algorithms_import_nothing_of_the_window(path):
    names = set(imported_by(path))

    assert not {name for name in names if name.startswith(("qgis.gui", "qgis.utils", "processing"))}
    assert not {name for name in names if "QtWidgets" in name or name.startswith(("PyQt5", "PyQt6"))}


def test_the_plugin_loads_without_a_heavy_import():
    script = LOAD.replace("{heavy!r}", repr(HEAVY))

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(ROOT)],
        check=False,
        capture_output=True,
        text=True,
        env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": "/tmp"},
    )

    algorithms, heavy = done.stdout.splitlines()
    assert "promptsegmenter:segmentprompts" in algorithms and heavy == "[]", done.stderr
