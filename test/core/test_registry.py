from __future__ import annotations

import sys

import pytest
from prompt_segmenter.core.errors import UnknownNameError
from prompt_segmenter.core.registry import Registry


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "sample_entries"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text("NAME = 'one'\nENTRY = 1\n")
    (folder / "shared.py").write_text("HELPER = 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith("sample_entries")]:
        del sys.modules[name]


def test_a_new_file_is_a_new_entry(package):
    (package / "two.py").write_text("NAME = 'two'\nENTRY = 2\n")
    registry = Registry("sample_entries", "number")

    assert registry.names() == ["one", "two"]
    assert registry.get("two") == 2


def test_an_unknown_name_is_refused_with_the_names_there_are(package):
    with pytest.raises(UnknownNameError, match=r"no number called 'three'. Use one of: one\."):
        Registry("sample_entries", "number").get("three")


def test_two_files_with_one_name_are_an_error(package):
    (package / "again.py").write_text("NAME = 'one'\nENTRY = 1\n")

    with pytest.raises(ValueError, match="Two modules"):
        Registry("sample_entries", "number").names()
