"""Give the checkout its package name, whatever its folder is called, before any test imports from it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

NAME = "prompt_segmenter"
ROOT = Path(__file__).resolve().parents[1]

if NAME not in sys.modules:
    spec = importlib.util.spec_from_file_location(NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)

if importlib.util.find_spec("hypothesis") is not None:
    from hypothesis import settings

    # no test is timed: these machines are shared
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
