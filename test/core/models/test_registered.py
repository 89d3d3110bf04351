from __future__ import annotations

import json

import pytest
from prompt_segmenter.core.errors import (
    LicenceError,
    ModelFileError,
    ModelNotInstalledError,
    OutputError,
    SettingsError,
    UnknownNameError,
    UnsupportedPromptError,
)
from prompt_segmenter.core.models.families import FAMILIES
from prompt_segmenter.core.models.finding import WordModel
from prompt_segmenter.core.models.registered import FAMILY_KINDS, FILENAME, Registration, register, unregister
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.test.helpers import onnx_graphs, word_graphs


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


@pytest.fixture
def mine(tmp_path):
    """Return the files of a click model, which lie anywhere."""
    from pathlib import Path

    (tmp_path / "mine").mkdir()
    return tuple(Path(path) for path in onnx_graphs.save_pair(tmp_path / "mine"))


def test_registered_files_are_a_model_like_any_other(store, mine):
    spec = register(store.folder, Registration("my_sam", "sam", mine, title="My own SAM", licence="MIT"))
    assert (spec.title, spec.licence, spec.accepts) == ("My own SAM", "MIT", {"point", "box", "shape"})
    assert [known.name for known in store.taking("point")][-1] == "my_sam"
    assert "my_sam" not in [known.name for known in store.taking("words")]
    assert store.get("my_sam") == spec
    assert store.missing(spec) == ()
    model = store.load("my_sam")
    assert model.spec.name == "my_sam"
    assert model.weights_sha256 == spec.weights_sha256
    assert len({file.sha256 for file in spec.files}) == 2
    assert not list(store.folder.glob("*.onnx"))


def test_a_model_of_words_is_loaded_as_one(store, tmp_path):
    pytest.importorskip("tokenizers", reason="optional, and in requirements-dev.txt: make test installs it")
    from pathlib import Path

    files = tuple(Path(path) for path in word_graphs.save_family(tmp_path, "clipseg"))
    register(store.folder, Registration("clipseg", "clipseg", files))
    assert isinstance(store.load_words("clipseg"), WordModel)
    with pytest.raises(UnsupportedPromptError, match="takes no clicks") as caught:
        store.load("clipseg")
    assert "starter" in caught.value.hint
    with pytest.raises(UnsupportedPromptError) as caught:
        store.load_words("starter")
    assert "clipseg" in caught.value.hint


def test_files_of_sam3_ask_for_its_licence_wherever_they_are_from(store, mine):
    spec = register(store.folder, Registration("my_sam3", "sam3", mine, licence="MIT"))
    assert spec.licence == "SAM License"
    with pytest.raises(LicenceError):
        store.load_words("my_sam3")
    store.accept(spec)
    with pytest.raises(ModelFileError, match=r"3 \.onnx files"):
        store.load_words("my_sam3")


def test_a_relative_path_is_found_from_anywhere(store, mine, monkeypatch, tmp_path):
    monkeypatch.chdir(mine[0].parent)
    register(store.folder, Registration("my_sam", "sam", tuple(type(path)(path.name) for path in mine)))
    monkeypatch.chdir(tmp_path)
    assert store.locate(store.get("my_sam")) == tuple(str(path.resolve()) for path in mine)


def test_a_file_that_has_changed_is_refused_and_left_where_it_is(store, mine):
    register(store.folder, Registration("my_sam", "sam", mine))
    mine[1].write_bytes(b"another one")
    with pytest.raises(ModelFileError, match="It has changed since you registered it"):
        store.load("my_sam")
    assert mine[1].read_bytes() == b"another one"


def test_a_file_that_has_gone_is_named(store, mine):
    register(store.folder, Registration("my_sam", "sam", mine))
    mine[0].unlink()
    with pytest.raises(ModelNotInstalledError, match=r"encoder\.onnx.*Register the model again"):
        store.load("my_sam")


def test_registering_again_replaces_and_unregistering_forgets(store, mine):
    register(store.folder, Registration("my_sam", "sam", mine))
    register(store.folder, Registration("other", "sam", mine))
    register(store.folder, Registration("my_sam", "sam", mine, title="Better"))
    assert [spec.name for spec in store.taking()][-2:] == ["my_sam", "other"]
    assert store.get("my_sam").title == "Better"
    unregister(store.folder, "my_sam")
    with pytest.raises(UnknownNameError, match=r"starter, mobile_sam.*other"):
        store.get("my_sam")
    with pytest.raises(UnsupportedPromptError, match=r"'other' takes no words\. Use one of: starter_words, owlv2_base"):
        store.get("other", "words")
    assert store.names("words")[0] == "starter_words"
    with pytest.raises(UnknownNameError, match="Registered: other"):
        unregister(store.folder, "my_sam")
    assert all(path.exists() for path in mine)


@pytest.mark.parametrize(
    ("name", "family"),
    [("starter", "sam"), ("My SAM", "sam"), ("", "sam"), ("../x", "sam"), ("x", "starter"), ("x", "nothing")],
)
def test_names_and_families_that_make_no_sense_are_refused(store, mine, name, family):
    with pytest.raises(SettingsError):
        register(store.folder, Registration(name, family, mine))
    assert not (store.folder / FILENAME).exists()


def test_no_file_or_one_that_is_not_there_is_refused(store, tmp_path):
    with pytest.raises(SettingsError):
        register(store.folder, Registration("x", "sam", ()))
    with pytest.raises(OutputError, match=r"gone\.onnx"):
        register(store.folder, Registration("x", "sam", (tmp_path / "gone.onnx",)))


@pytest.mark.parametrize(
    "content",
    ["", "[1]", '{"x": {"family": "nothing", "files": []}}', '{"x": 3}', '{"x": {"family": "sam", "files": []}}'],
)
def test_a_list_that_makes_no_sense_hides_no_other_model(store, mine, content):
    store.folder.mkdir()
    (store.folder / FILENAME).write_text(content, encoding="utf-8")
    assert store.taking("point")[0].name == "starter"
    register(store.folder, Registration("my_sam", "sam", mine))
    assert store.get("my_sam").files


def test_size_and_traits_reach_the_family(store, mine):
    register(store.folder, Registration("x", "sam", mine, input_size_px=512, traits=frozenset({"nonorm"})))
    assert (store.get("x").input_size_px, store.get("x").traits) == (512, {"nonorm"})
    assert json.loads((store.folder / FILENAME).read_text(encoding="utf-8"))["x"]["traits"] == ["nonorm"]


def test_every_family_that_can_be_registered_exists():
    assert set(FAMILY_KINDS) <= set(FAMILIES.names())


def test_what_is_registered_proposes_the_threshold_of_its_family(store, mine):
    for family, kind in FAMILY_KINDS.items():
        assert register(store.folder, Registration("x", family, mine)).confidence == kind.confidence
    for spec in store.taking("words"):
        assert spec.family not in FAMILY_KINDS or spec.confidence == FAMILY_KINDS[spec.family].confidence
