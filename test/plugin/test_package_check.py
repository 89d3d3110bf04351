from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("check_zip", ROOT / "tools/check_zip.py")
check_zip = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_zip)

METADATA = "\n".join(
    ["[general]", "icon=icon.svg", *(f"{field}=x" for field in check_zip.FIELDS if field != "icon"), ""]
)
GOOD = {"p/__init__.py": "", "p/LICENSE": "text", "p/icon.svg": "<svg/>", "p/metadata.txt": METADATA}


def package(tmp_path, files, modes=None):
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o100644) << 16
            archive.writestr(info, text)
    return path


def test_a_good_package_has_no_findings(tmp_path):
    assert check_zip.findings(package(tmp_path, GOOD)) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"p/LICENSE": None}, "LICENSE is missing"),
        ({"p/icon.svg": None}, "the icon icon.svg is not in the package"),
        ({"p/.secret": "x"}, "p/.secret is hidden or a cache"),
        ({"p/__pycache__/a.py": ""}, "p/__pycache__/a.py is hidden or a cache"),
        ({"p/lib.so": ""}, "p/lib.so is of a kind that is refused"),
        ({"q/__init__.py": ""}, "expected one top folder with a valid name, found ['p', 'q']"),
        ({"p/metadata.txt": GOOD["p/metadata.txt"].replace("email=x\n", "")}, "metadata.txt has no email"),
    ],
)
def test_what_the_plugin_site_refuses_is_found(tmp_path, change, finding):
    files = {name: text for name, text in {**GOOD, **change}.items() if text is not None}

    assert check_zip.findings(package(tmp_path, files)) == [finding]


def test_executable_files_are_found(tmp_path):
    assert check_zip.findings(package(tmp_path, GOOD, {"p/__init__.py": 0o100755})) == ["p/__init__.py is executable"]
