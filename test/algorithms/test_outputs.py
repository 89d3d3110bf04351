from __future__ import annotations

import os

import pytest
from prompt_segmenter.algorithms.outputs import require_writable
from prompt_segmenter.core.errors import OutputError
from qgis.core import QgsProcessingOutputLayerDefinition


@pytest.mark.parametrize(
    "value",
    [
        "TEMPORARY_OUTPUT",
        "memory:",
        "ogr:dbname='/no/such/a.gpkg' table=\"x\"",
        'postgis:dbname=\'gis\' table="public"."x.y"',
        None,
        "",
        QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT"),
    ],
)
def test_what_is_not_a_file_is_left_to_qgis(qgis_app, value):
    require_writable(value)


def test_a_file_in_a_folder_that_can_be_written_is_fine(qgis_app, tmp_path, monkeypatch):
    require_writable(str(tmp_path / "new.gpkg"))
    require_writable(QgsProcessingOutputLayerDefinition(str(tmp_path / "new.gpkg")))
    monkeypatch.chdir(tmp_path)
    require_writable("new.gpkg")


@pytest.mark.parametrize("wrap", [str, QgsProcessingOutputLayerDefinition])
@pytest.mark.parametrize("path", ["/no/such/a.gpkg", "no_such_folder/a.gpkg"])
def test_a_folder_that_is_not_there_is_named(qgis_app, wrap, path):
    folder = path.rsplit("/", 1)[0]

    with pytest.raises(OutputError, match=rf"The folder '{folder}' of the output does not exist\. Create it, or"):
        require_writable(wrap(path))


def test_a_file_that_may_not_be_written_is_named(qgis_app, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(OutputError, match=r"Nothing can be written to the folder '.*'\. Choose another folder"):
        require_writable(str(tmp_path / "a.gpkg"))


def test_a_folder_is_not_taken_for_a_file(qgis_app, tmp_path):
    (tmp_path / "a.gpkg").mkdir()

    with pytest.raises(OutputError, match=r"'.*a\.gpkg' is a folder\. Give the name of a file in it\."):
        require_writable(str(tmp_path / "a.gpkg"))
