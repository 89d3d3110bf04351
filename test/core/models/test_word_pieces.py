from __future__ import annotations

import json

import pytest
from prompt_segmenter.core.errors import ModelFileError
from prompt_segmenter.test.helpers import word_graphs

pytest.importorskip("tokenizers", reason="optional, and in requirements-dev.txt: make test installs it")


def make(path):
    from prompt_segmenter.core.models.word_pieces import WordPieceTokenizer

    return WordPieceTokenizer(str(path))


def pieces(tokenizer, text):
    return [word_graphs.PIECES[index] for index in tokenizer.ids(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red  GREEN", ["red", "green"]),
        ("reds", ["red", "##s"]),
        ("ab", ["a", "##b"]),
        ("réd", ["red"]),
        ("big-2.", ["big", "-", "2", "."]),
        ("木", ["[UNK]"]),
        ("", []),
    ],
)
def test_words_are_cut_into_the_longest_pieces_there_are(tmp_path, text, expected):
    assert pieces(make(word_graphs.save_pieces(tmp_path)), text) == expected


def test_a_tokenizer_json_says_the_same(tmp_path):
    plain = make(word_graphs.save_pieces(tmp_path))
    content = {"model": {"vocab": {piece: index for index, piece in enumerate(word_graphs.PIECES)}}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    same = make(tmp_path / "tokenizer.json")
    assert same.ids("big red-2 blues") == plain.ids("big red-2 blues")
    assert (same.start, same.end, same.unknown) == (plain.start, plain.end, plain.unknown) == (2, 3, 1)


def test_a_file_without_the_marks_is_refused(tmp_path):
    (tmp_path / "vocab.txt").write_text("red\ngreen\n", encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"no BERT vocabulary: it has no \[CLS\], \[SEP\], \[UNK\]"):
        make(tmp_path / "vocab.txt")


def test_lines_may_end_as_on_windows(tmp_path):
    (tmp_path / "vocab.txt").write_bytes("\r\n".join([*word_graphs.PIECES, ""]).encode("utf-8"))
    assert pieces(make(tmp_path / "vocab.txt"), "red") == ["red"]
