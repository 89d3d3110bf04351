from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import prompt_segmenter.core

ROOT = Path(prompt_segmenter.core.__file__).resolve().parents[1]
SCRIPT = """
import importlib, importlib.util, sys
root = sys.argv[1]
locate = importlib.util.spec_from_file_location
spec = locate("prompt_segmenter", root + "/__init__.py", submodule_search_locations=[root])
package = importlib.util.module_from_spec(spec)
sys.modules["prompt_segmenter"] = package
spec.loader.exec_module(package)
before = set(sys.modules)
for name in sys.argv[2:]:
    importlib.import_module(name)
heavy = {"qgis", "PyQt5", "PyQt6", "osgeo", "processing", "onnxruntime", "rasterio", "shapely", "pyproj", "requests"}
print(sorted({name.split(".")[0] for name in set(sys.modules) - before} & heavy))
"""


def core_modules():
    return [
        info.name
        for info in pkgutil.walk_packages(prompt_segmenter.core.__path__, "prompt_segmenter.core.")
        if not info.name.endswith("__main__")
    ]


def test_importing_all_of_the_core_brings_in_neither_qgis_nor_a_native_package():
    modules = core_modules()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT), *modules], check=False, capture_output=True, text=True
    )

    assert len(modules) > 10
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
