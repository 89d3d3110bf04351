from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, DownloadError, ModelFileError
from prompt_segmenter.core.models import download
from prompt_segmenter.core.models.download import Patience, fetch
from prompt_segmenter.core.models.model import ModelFile
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.test.helpers.file_server import serve

CONTENT = np.random.default_rng(7).integers(0, 256, 1_000_000, dtype=np.uint8).tobytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NOW = Patience(tries=3, wait_s=0.0)
# A distribution's requests beside a newer urllib3 from PyPI passes an argument that the latter warns about.
pytestmark = pytest.mark.filterwarnings("ignore:The 'strict' parameter:FutureWarning")


class Reports:
    """Keeps what is reported, and is cancelled once a share is done."""

    def __init__(self, stop_at=2.0):
        self.fractions = []
        self.stop_at = stop_at

    def report(self, fraction, message=""):
        self.fractions.append(fraction)

    def is_cancelled(self):
        return bool(self.fractions) and self.fractions[-1] >= self.stop_at


@pytest.fixture
def site():
    with serve(CONTENT) as site:
        yield site


@pytest.fixture
def target(tmp_path):
    return tmp_path / "models" / "weights.onnx"


def part_of(target):
    return target.with_name("weights.onnx.part")


def file_at(site, sha256=SHA256, size=0):
    return ModelFile("weights.onnx", sha256, size, site.url)


@pytest.mark.parametrize("size", [0, len(CONTENT)])
def test_a_file_arrives_whole_and_nothing_else_is_left(site, target, size):
    progress = Reports()
    fetch(file_at(site, size=size), target, progress, patience=NOW)
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["weights.onnx"]
    assert progress.fractions == sorted(progress.fractions)
    assert progress.fractions[-1] == 1.0


def test_a_broken_connection_is_resumed_where_it_stopped(site, target):
    site.drop_after = [300_000, 300_000]
    fetch(file_at(site, size=len(CONTENT)), target, NullProgress(), patience=NOW)
    assert target.read_bytes() == CONTENT
    starts = [int(asked[6:-1]) for asked in site.asked[1:]]
    assert len(starts) == 2
    assert 0 < starts[0] < starts[1] <= 600_000


def test_a_cancelled_download_keeps_its_part_and_the_next_call_resumes(site, target):
    with pytest.raises(Cancelled):
        fetch(file_at(site), target, Reports(stop_at=0.5), patience=NOW)
    have = part_of(target).stat().st_size
    assert 0 < have < len(CONTENT)
    assert not target.exists()
    fetch(file_at(site), target, NullProgress(), patience=NOW)
    assert site.asked == ["", f"bytes={have}-"]
    assert target.read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_starts_anew(site, target):
    target.parent.mkdir()
    part_of(target).write_bytes(CONTENT[:1000])
    site.ranges = False
    fetch(file_at(site), target, NullProgress(), patience=NOW)
    assert target.read_bytes() == CONTENT


def test_a_part_of_another_file_is_thrown_away_and_fetched_anew(site, target):
    target.parent.mkdir()
    part_of(target).write_bytes(b"of an older release")
    fetch(file_at(site), target, NullProgress(), patience=NOW)
    assert target.read_bytes() == CONTENT
    assert site.asked == ["bytes=19-", ""]


@pytest.mark.parametrize("size", [0, len(CONTENT)])
def test_a_part_that_is_already_whole_is_only_verified(site, target, size):
    target.parent.mkdir()
    part_of(target).write_bytes(CONTENT)
    fetch(file_at(site, size=size), target, NullProgress(), patience=NOW)
    assert target.read_bytes() == CONTENT
    assert len(site.asked) == (0 if size else 1)


def test_a_part_that_is_too_long_is_fetched_anew(site, target):
    target.parent.mkdir()
    part_of(target).write_bytes(CONTENT + b"more")
    fetch(file_at(site, size=len(CONTENT)), target, NullProgress(), patience=NOW)
    assert target.read_bytes() == CONTENT


def test_a_wrong_digest_names_both_and_keeps_nothing(site, target):
    wrong = "0" * 64
    with pytest.raises(ModelFileError, match=f"{SHA256}.*should be {wrong}"):
        fetch(file_at(site, sha256=wrong), target, NullProgress(), patience=NOW)
    assert list(target.parent.iterdir()) == []
    assert len(site.asked) == 1


def test_a_missing_page_is_said_at_once(site, target):
    site.statuses = [404]
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:\d+ answered 404"):
        fetch(file_at(site), target, NullProgress(), patience=NOW)
    assert len(site.asked) == 1


def test_a_busy_server_is_asked_again(site, target):
    site.statuses = [503, 429]
    fetch(file_at(site), target, NullProgress(), patience=NOW)
    assert target.read_bytes() == CONTENT


def test_a_server_that_stays_busy_is_given_up(site, target):
    site.statuses = [503] * 3
    with pytest.raises(DownloadError, match=r"in 3 attempts: .* answered 503"):
        fetch(file_at(site), target, NullProgress(), patience=NOW)


def test_a_web_page_instead_of_the_file_is_not_kept(site, target):
    site.content_type = "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match="sent a web page"):
        fetch(file_at(site), target, NullProgress(), patience=NOW)
    assert not target.exists()
    assert not part_of(target).exists()


def test_another_size_is_refused_before_it_is_fetched(site, target):
    with pytest.raises(DownloadError, match="has 1000000 bytes, expected 5"):
        fetch(file_at(site, size=5), target, NullProgress(), patience=NOW)
    assert not target.exists()


def test_a_file_without_a_stated_length_is_stopped_at_the_limit(site, target):
    site.send_length = False
    with pytest.raises(DownloadError, match="has at least 262144 bytes, expected 1000"):
        fetch(file_at(site, size=1000), target, NullProgress(), patience=NOW)


def test_a_file_without_a_stated_length_is_verified_all_the_same(site, target):
    site.send_length = False
    fetch(file_at(site), target, NullProgress(), patience=NOW)
    assert target.read_bytes() == CONTENT


def test_no_server_at_all_is_a_download_error(site, target):
    nobody = ModelFile("weights.onnx", SHA256, 0, "http://127.0.0.1:9/weights.onnx")
    with pytest.raises(DownloadError, match=r"ConnectionError from 127\.0\.0\.1:9"):
        fetch(nobody, target, NullProgress(), patience=NOW)


def test_the_pause_between_attempts_can_be_cancelled(site, target):
    site.statuses = [503]
    progress = Reports(stop_at=0.0)
    progress.fractions = []

    def is_cancelled():
        return len(site.asked) > 0

    progress.is_cancelled = is_cancelled
    with pytest.raises(Cancelled):
        fetch(file_at(site), target, progress, patience=Patience(tries=2, wait_s=60.0))


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "can't be written")])
def test_a_disk_that_does_not_take_the_file_is_said(site, target, monkeypatch, number, words):
    def refuse(self, *args, **kwargs):
        raise OSError(number, "no")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DownloadError, match=words):
        fetch(file_at(site), target, NullProgress(), patience=NOW)


def test_a_folder_that_can_not_be_made_is_said(site, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="ascii")
    with pytest.raises(DownloadError, match="can't be written"):
        fetch(file_at(site), tmp_path / "file" / "weights.onnx", NullProgress(), patience=NOW)


def test_the_digest_of_a_file_can_be_cancelled(tmp_path):
    (tmp_path / "large").write_bytes(CONTENT)
    progress = Reports(stop_at=0.0)
    progress.report(1.0)
    with pytest.raises(Cancelled):
        download.sha256_of(tmp_path / "large", progress)
