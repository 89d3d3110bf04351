from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core import cli
from prompt_segmenter.core.models.store import FOLDER_VARIABLE, ModelStore
from prompt_segmenter.test.helpers import onnx_graphs
from prompt_segmenter.test.helpers.rasters import write_raster


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "weights"))
    return tmp_path / "weights"


def run(capsys, *arguments):
    status = cli.main([str(argument) for argument in arguments])
    said, errors = capsys.readouterr()
    return status, said, errors


def test_a_licence_is_accepted_by_name(capsys):
    assert "sam3 " in (listed := run(capsys, "models")[1])
    assert "SAM License, to be accepted first" in listed
    assert "owlv2_base" in listed
    assert "(Apache-2.0, 1 MB)" not in listed, "a sum over some files is no size"
    status, said, _ = run(capsys, "models", "accept", "sam3")
    assert status == 0
    assert "SAM License: https://" in said
    assert ModelStore().is_accepted(ModelStore().get("sam3"))


def test_fetching_says_which_licence_is_in_the_way(capsys):
    status, _, errors = run(capsys, "models", "fetch", "efficientsam3_ev_m")
    assert status == 1
    assert "SAM License" in errors
    assert "models accept efficientsam3_ev_m" in errors


def test_fetching_may_accept_in_the_same_breath(capsys, monkeypatch):
    monkeypatch.setattr(ModelStore, "fetch", lambda store, spec, progress: (str(store.is_accepted(spec)),))
    status, said, _ = run(capsys, "models", "fetch", "sam3", "--accept-licence")
    assert (status, said.splitlines()[-1]) == (0, "True")


def test_a_registered_model_is_listed_used_and_forgotten(capsys, tmp_path):
    encoder, decoder = onnx_graphs.save_pair(tmp_path)
    status, said, _ = run(
        capsys,
        "models",
        "register",
        "my_sam",
        encoder,
        decoder,
        "--family",
        "sam",
        "--title",
        "Mine",
        "--licence",
        "MIT",
    )
    assert (status, said) == (0, "my_sam: 2 files of the family 'sam' (MIT)\n")
    assert "my_sam" in run(capsys, "models")[1]

    image = np.full((3, 120, 160), 90, np.uint8)
    transform = (1.0, 0.0, 500000.0, 0.0, -1.0, 4600000.0)
    write_raster(tmp_path / "a.tif", image, transform=transform, crs="EPSG:32633")
    status, said, errors = run(
        capsys,
        "segment",
        tmp_path / "a.tif",
        "--include",
        "500080,4599940",
        "--model",
        "my_sam",
        "-o",
        tmp_path / "a.geojson",
    )
    assert status == 0, errors
    assert "1 polygon" in said

    assert run(capsys, "models", "unregister", "my_sam")[0] == 0
    assert "my_sam" not in run(capsys, "models")[1]
    status, _, errors = run(capsys, "models", "unregister", "my_sam")
    assert (status, "No model called 'my_sam' was registered" in errors) == (1, True)


def test_a_family_that_there_is_not_is_wrong_usage(capsys, tmp_path):
    with pytest.raises(SystemExit) as caught:
        run(capsys, "models", "register", "x", tmp_path / "a.onnx", "--family", "yolo")
    assert caught.value.code == 2
    assert "clipseg" in capsys.readouterr().err
