from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime

import pytest
from prompt_segmenter.core.errors import LicenceError, OutputError
from prompt_segmenter.core.models import catalogue, download
from prompt_segmenter.core.models.licences import FILENAME
from prompt_segmenter.core.models.model import ModelFile, ModelSpec
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.test.helpers.file_server import serve

CONTENT = b"weights that ask for something"
pytestmark = pytest.mark.filterwarnings("ignore:The 'strict' parameter:FutureWarning")


def spec(url="https://example.org/a"):
    file = ModelFile("asks.onnx", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), url)
    return ModelSpec(
        "asks",
        "Asks",
        "sam",
        frozenset({"point"}),
        (file,),
        1024,
        "Some License",
        "https://example.org",
        must_accept=True,
        licence_url="https://example.org/licence",
    )


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models", patience=download.Patience(1, 0.0))


@pytest.mark.parametrize("call", ["fetch", "locate", "load"])
def test_nothing_is_fetched_or_loaded_before_the_licence_is_accepted(store, call):
    store.folder.mkdir()
    (store.folder / "asks.onnx").write_bytes(CONTENT)
    with pytest.raises(LicenceError) as caught:
        getattr(store, call)(spec())
    assert "Some License (https://example.org/licence)" in caught.value.message
    assert "models accept asks" in caught.value.hint


def test_an_accepted_licence_is_recorded_with_its_name_its_text_and_the_day(store):
    assert not store.is_accepted(spec())
    store.accept(spec())
    assert store.is_accepted(spec())
    assert ModelStore(store.folder).is_accepted(spec())
    (record,) = json.loads((store.folder / FILENAME).read_text(encoding="utf-8")).values()
    assert record["licence"] == "Some License"
    assert record["text"] == "https://example.org/licence"
    assert datetime.fromisoformat(record["accepted"]).tzinfo is not None


def test_what_is_accepted_is_fetched(store):
    with serve(CONTENT) as server:
        asked = spec(server.url)
        store.accept(asked)
        assert store.fetch(asked) == (str(store.folder / "asks.onnx"),)


def test_another_licence_or_another_model_has_to_be_accepted_anew(store):
    store.accept(spec())
    assert not store.is_accepted(replace(spec(), licence="Some License 2"))
    assert not store.is_accepted(replace(spec(), name="other"))
    store.accept(replace(spec(), name="other"))
    assert store.is_accepted(spec())


@pytest.mark.parametrize("content", ["", "[]", '{"asks": true}', "\x00"])
def test_a_record_that_makes_no_sense_is_no_agreement(store, content):
    store.folder.mkdir()
    (store.folder / FILENAME).write_text(content, encoding="utf-8")
    assert not store.is_accepted(spec())
    store.accept(spec())
    assert store.is_accepted(spec())


def test_a_folder_that_can_not_be_written_is_said(tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(OutputError, match="can't be written"):
        ModelStore(tmp_path / "models").accept(spec())


def test_most_models_ask_for_nothing(store):
    asking = [name for name in catalogue.names() if not store.is_accepted(catalogue.get(name))]
    assert set(asking) == {"sam3", "efficientsam3_ev_m"}
    assert all(catalogue.get(name).licence_url for name in asking)


def test_no_model_is_offered_that_may_not_be_sold_or_binds_the_program():
    for name in catalogue.names():
        licence = catalogue.get(name).licence.lower()
        assert not any(word in licence for word in ("agpl", "non-commercial", "noncommercial", "nc-"))
