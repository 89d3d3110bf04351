from __future__ import annotations

import hashlib

import pytest
from prompt_segmenter.core.errors import DownloadError
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.download import Patience
from prompt_segmenter.core.models.model import ModelFile, ModelSpec
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.test.helpers.file_server import serve
from prompt_segmenter.ui.model_download import ModelDownloads
from pytest_qgis.utils import wait_until

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def site():
    with serve(CONTENT) as site:
        yield site


@pytest.fixture
def downloads(site, tmp_path, monkeypatch, qgis_app):
    file = ModelFile("a.onnx", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), site.url)
    spec = ModelSpec("small", "Small", "sam", frozenset({"point"}), (file,), 64, "MIT", "")
    monkeypatch.setattr(catalogue, "SPECS", (spec,))
    downloads = ModelDownloads(store=ModelStore(tmp_path, patience=Patience(tries=1)))
    yield downloads
    downloads.cancel()
    assert wait_until(lambda: not downloads.is_running("small"), timeout_milliseconds=5000)


def test_a_model_comes_in_the_background_and_is_said_to_be_there(downloads, heard, tmp_path):
    arrived, failed = heard(downloads.arrived), heard(downloads.failed)

    downloads.start("small")
    downloads.start("small")
    assert downloads.is_running("small")
    assert arrived.values == []
    assert wait_until(lambda: not downloads.is_running("small"), timeout_milliseconds=5000)

    assert (arrived.values, failed.values) == (["small"], [])
    assert (tmp_path / "a.onnx").read_bytes() == CONTENT


def test_a_server_that_has_gone_is_an_error_with_its_words(downloads, site, heard):
    arrived, failed = heard(downloads.arrived), heard(downloads.failed)
    site.statuses += [404, 404, 404]

    downloads.start("small")
    assert wait_until(lambda: not downloads.is_running("small"), timeout_milliseconds=5000)

    assert arrived.values == []
    ((name, error),) = failed.values
    assert name == "small"
    assert isinstance(error, DownloadError)


def test_a_cancelled_download_is_neither_there_nor_an_error(downloads, heard):
    arrived, failed = heard(downloads.arrived), heard(downloads.failed)

    downloads.start("small")
    downloads.cancel()
    assert wait_until(lambda: not downloads.is_running("small"), timeout_milliseconds=5000)

    assert (arrived.values, failed.values) == ([], [])
