from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from prompt_segmenter.core.errors import (
    ModelFileError,
    ModelNotInstalledError,
    OutputError,
    UnknownNameError,
)
from prompt_segmenter.core.models import catalogue, download
from prompt_segmenter.core.models.model import ModelFile, ModelSpec
from prompt_segmenter.core.models.store import ModelStore, default_folder
from prompt_segmenter.test.helpers import onnx_graphs
from prompt_segmenter.test.helpers.file_server import serve

ONE, TWO = b"encoder weights", b"decoder weights"
# A distribution's requests beside a newer urllib3 from PyPI passes an argument that the latter warns about.
pytestmark = pytest.mark.filterwarnings("ignore:The 'strict' parameter:FutureWarning")


def sha(content):
    return hashlib.sha256(content).hexdigest()


def spec(*files):
    return ModelSpec(
        "toy", "Toy", "sam", frozenset({"point", "box"}), files, 1024, "CC0-1.0", "https://example.org/toy"
    )


TOY = spec(
    ModelFile("one.onnx", sha(ONE), 0, "https://example.org/one"),
    ModelFile("two.onnx", sha(TWO), 0, "https://example.org/two"),
)
BUNDLED = spec(ModelFile("one.onnx", sha(ONE), 0, bundled=True))


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models", bundled=tmp_path / "plugin", patience=download.Patience(1, 0.0))


@pytest.fixture
def filled(store):
    store.folder.mkdir()
    (store.folder / "one.onnx").write_bytes(ONE)
    (store.folder / "two.onnx").write_bytes(TWO)
    return store


def test_verified_files_are_given_in_their_order(filled):
    assert [Path(path).name for path in filled.locate(TOY)] == ["one.onnx", "two.onnx"]
    assert filled.missing(TOY) == ()


def test_a_missing_model_names_folder_files_and_the_command_that_gets_it(store):
    with pytest.raises(ModelNotInstalledError) as caught:
        store.locate(TOY)
    assert str(store.folder) in caught.value.message
    assert "one.onnx, two.onnx" in caught.value.message
    assert caught.value.hint == "Get it with: python -m prompt_segmenter.core.cli models fetch toy"


def test_a_bundled_model_that_is_gone_asks_for_the_plugin(store):
    with pytest.raises(ModelNotInstalledError, match="come with the plugin: reinstall it"):
        store.locate(BUNDLED)


def test_a_registered_model_that_is_gone_asks_for_its_files(store):
    with pytest.raises(ModelNotInstalledError, match=r"no own\.onnx\. Copy these files into this folder"):
        store.locate(spec(ModelFile("own.onnx", "", 0)))


def test_a_damaged_file_is_set_aside_and_never_given(filled):
    (filled.folder / "two.onnx").write_bytes(b"damaged")
    with pytest.raises(ModelFileError) as caught:
        filled.locate(TOY)
    assert sha(b"damaged") in caught.value.message
    assert sha(TWO) in caught.value.message
    assert "two.onnx.corrupt-1" in caught.value.hint
    assert (filled.folder / "two.onnx.corrupt-1").read_bytes() == b"damaged"
    with pytest.raises(ModelNotInstalledError):
        filled.locate(TOY)


def test_files_set_aside_before_are_kept(filled):
    (filled.folder / "two.onnx.corrupt-1").write_bytes(b"first")
    (filled.folder / "two.onnx").write_bytes(b"second")
    with pytest.raises(ModelFileError, match="corrupt-2"):
        filled.locate(TOY)
    assert (filled.folder / "two.onnx.corrupt-1").read_bytes() == b"first"


def refusing(*_):
    raise PermissionError(errno.EACCES, "Permission denied")


def test_a_damaged_file_that_can_not_be_renamed_is_refused_all_the_same(filled, monkeypatch):
    (filled.folder / "two.onnx").write_bytes(b"damaged")
    monkeypatch.setattr(Path, "replace", refusing)
    for _ in range(2):
        with pytest.raises(ModelFileError, match="damaged or another file") as caught:
            filled.locate(TOY)
        assert caught.value.hint == (
            "It can't be renamed (Permission denied): delete it yourself, then fetch or import the model again."
        )


@pytest.mark.parametrize("where", ["sha256_of", "stat"])
def test_a_file_that_can_not_be_read_is_named_with_the_reason(filled, monkeypatch, where):
    monkeypatch.setattr(filled, "missing", lambda spec: ())
    if where == "stat":
        (filled.folder / "one.onnx").unlink()
    else:
        monkeypatch.setattr(download, "sha256_of", refusing)
    with pytest.raises(ModelFileError) as caught:
        filled.locate(TOY)
    reason = "No such file or directory" if where == "stat" else "Permission denied"
    assert caught.value.message == f"{filled.folder / 'one.onnx'} can't be read: {reason}."
    assert "permissions" in caught.value.hint


def test_a_folder_that_can_not_be_looked_into_has_no_models(tmp_path):
    # A name too long is the one refusal that root gets as well.
    assert ModelStore(tmp_path / ("x" * 300)).missing(TOY) == TOY.files


def test_a_damaged_bundled_file_stays_and_asks_for_the_plugin(store, tmp_path):
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "one.onnx").write_bytes(b"damaged")
    with pytest.raises(ModelFileError, match="reinstall the plugin"):
        store.locate(BUNDLED)
    assert (tmp_path / "plugin" / "one.onnx").exists()


def test_an_unchanged_file_is_read_once_and_a_changed_one_again(filled, monkeypatch):
    read = []
    real = download.sha256_of
    monkeypatch.setattr(download, "sha256_of", lambda path, progress: read.append(path.name) or real(path, progress))
    filled.locate(TOY)
    filled.locate(TOY)
    assert read == ["one.onnx", "two.onnx"]
    os.utime(filled.folder / "one.onnx", ns=(1, 1))
    filled.locate(TOY)
    assert read == ["one.onnx", "two.onnx", "one.onnx"]


def test_a_file_changed_after_it_was_verified_is_caught(filled):
    filled.locate(TOY)
    (filled.folder / "one.onnx").write_bytes(b"exchanged, and longer than before")
    with pytest.raises(ModelFileError):
        filled.locate(TOY)


def test_fetch_gets_only_what_is_missing(store):
    with serve(TWO) as site:
        toy = spec(TOY.files[0], ModelFile("two.onnx", sha(TWO), len(TWO), site.url))
        store.folder.mkdir()
        (store.folder / "one.onnx").write_bytes(ONE)
        paths = store.fetch(toy)
    assert Path(paths[1]).read_bytes() == TWO
    assert site.asked == [""]


def test_fetch_of_a_bundled_file_says_that_it_can_not_be_fetched(store):
    with pytest.raises(ModelNotInstalledError, match="reinstall"):
        store.fetch(BUNDLED)


def test_a_local_file_is_taken_for_the_one_whose_digest_it_has(store, tmp_path):
    (tmp_path / "whatever.bin").write_bytes(TWO)
    assert store.import_file(TOY, tmp_path / "whatever.bin") == store.folder / "two.onnx"
    assert [path.name for path in store.folder.iterdir()] == ["two.onnx"]


def test_a_local_file_of_another_model_is_refused_with_what_is_expected(store, tmp_path):
    (tmp_path / "one.onnx").write_bytes(b"something else")
    with pytest.raises(ModelFileError) as caught:
        store.import_file(TOY, tmp_path / "one.onnx")
    assert sha(b"something else") in caught.value.message
    assert f"one.onnx (SHA-256 {sha(ONE)})" in caught.value.hint
    assert not store.folder.exists()


def test_a_local_file_that_is_not_there_is_said(store, tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        store.import_file(TOY, tmp_path / "nowhere.onnx")


def cut_off(_source, target):
    Path(target).write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_copy_that_fails_leaves_nothing_behind(store, tmp_path, monkeypatch):
    (tmp_path / "two.onnx").write_bytes(TWO)
    monkeypatch.setattr("shutil.copyfile", cut_off)
    with pytest.raises(OutputError, match="No space left"):
        store.import_file(TOY, tmp_path / "two.onnx")
    assert list(store.folder.iterdir()) == []


def test_a_registered_model_takes_files_by_name_and_is_identified_by_them(store, tmp_path):
    own = spec(ModelFile("encoder.onnx", "", 0), ModelFile("decoder.onnx", "", 0))
    for path in onnx_graphs.save_pair(tmp_path):
        store.import_file(own, Path(path))
    model = store.load(own)
    digests = [sha((store.folder / name).read_bytes()) for name in ("encoder.onnx", "decoder.onnx")]
    assert model.weights_sha256 == sha("\n".join(digests).encode("ascii"))
    assert [file.sha256 for file in model.spec.files] == digests


def test_an_unknown_model_lists_those_that_exist(store):
    with pytest.raises(UnknownNameError, match=r"'sam9'.*starter, mobile_sam"):
        store.load("sam9")


def test_a_known_model_without_files_says_how_to_get_it(store):
    with pytest.raises(ModelNotInstalledError, match="models fetch mobile_sam"):
        store.load("mobile_sam")


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"PROMPT_SEGMENTER_MODELS": "/data/weights"}, "/data/weights"),
        ("linux", {"XDG_DATA_HOME": "/x"}, "/x/prompt_segmenter/models"),
        ("linux", {}, "~/.local/share/prompt_segmenter/models"),
        ("darwin", {}, "~/Library/Application Support/prompt_segmenter/models"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/prompt_segmenter/models"),
        ("win32", {}, "~/AppData/Local/prompt_segmenter/models"),
    ],
)
def test_the_folder_is_where_the_platform_keeps_data(platform, environment, expected):
    assert default_folder(environment, platform) == Path(expected).expanduser()


def test_making_a_store_makes_no_folder(store):
    assert not store.folder.exists()


class TestCatalogue:
    def test_names_are_unique_and_start_with_the_default(self):
        assert catalogue.names()[0] == catalogue.DEFAULT
        assert len(set(catalogue.names())) == len(catalogue.names()) >= 6

    @pytest.mark.parametrize("name", catalogue.names())
    def test_every_file_that_is_fetched_has_a_digest_and_a_safe_address(self, name):
        for file in catalogue.get(name).files:
            assert Path(file.filename).name == file.filename
            if not file.bundled:
                assert len(bytes.fromhex(file.sha256)) == 32
                assert file.url.startswith("https://")

    def test_files_that_share_a_name_are_one_file_and_the_other_way_round(self):
        files = {file for name in catalogue.names() for file in catalogue.get(name).files}
        assert len({file.filename for file in files}) == len(files)
        assert len({file.sha256 for file in files}) == len(files)

    def test_an_unknown_name_lists_the_others(self):
        with pytest.raises(UnknownNameError, match="starter, mobile_sam"):
            catalogue.get("sam")

    def test_the_bundled_files_are_the_pinned_ones(self):
        from prompt_segmenter.test.helpers.pin_starter import DIGESTS, pinned_lines

        lines = pinned_lines()
        assert lines, "resources/models holds no starter model"
        lacking = [line for line in lines.values() if line not in DIGESTS.read_text(encoding="utf-8")]
        assert not lacking, "run test/helpers/pin_starter.py; core/models/digests.py must hold:\n" + "\n".join(lacking)
