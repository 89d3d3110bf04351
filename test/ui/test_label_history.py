from __future__ import annotations

from prompt_segmenter.ui.label_history import LabelHistory


def test_the_last_used_is_first_and_none_is_there_twice():
    history = LabelHistory()
    for label in ("roof", "pond", " roof ", ""):
        history.use(label)

    assert history.recent() == ["roof", "pond"]


def test_the_oldest_go_when_there_are_too_many():
    history = LabelHistory(3)
    for label in "abcd":
        history.use(label)

    assert history.recent() == ["d", "c", "b"]


def test_one_label_alone_comes_back_as_it_was():
    LabelHistory().use("forest, dense")

    assert LabelHistory().recent() == ["forest, dense"]
