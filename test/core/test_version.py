from __future__ import annotations

import configparser
import re
from pathlib import Path

from prompt_segmenter.core.version import VERSION

ROOT = Path(__file__).resolve().parents[2]


def test_plugin_package_and_provenance_name_the_same_version():
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(ROOT / "metadata.txt", encoding="utf-8")
    declared = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)

    assert metadata["general"]["version"] == VERSION
    assert declared is not None
    assert declared[1] == VERSION
