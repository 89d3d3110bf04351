from __future__ import annotations

from prompt_segmenter.ui.recent_texts import RecentTexts


def test_the_last_used_is_first_and_none_is_there_twice():
    history = RecentTexts()
    for label in ("roof", "pond", " roof ", ""):
        history.use(label)

    assert history.recent() == ["roof", "pond"]


def test_the_oldest_go_when_there_are_too_many():
    history = RecentTexts(most=3)
    for label in "abcd":
        history.use(label)

    assert history.recent() == ["d", "c", "b"]


def test_one_label_alone_comes_back_as_it_was():
    RecentTexts().use("forest, dense")

    assert RecentTexts().recent() == ["forest, dense"]


def test_words_and_labels_are_remembered_apart():
    RecentTexts("words/recent").use("tree; pond")

    assert RecentTexts("words/recent").recent() == ["tree; pond"]
    assert RecentTexts().recent() == []
