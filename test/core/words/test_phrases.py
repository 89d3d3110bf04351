from __future__ import annotations

import pytest
from prompt_segmenter.core.errors import EmptyPromptError
from prompt_segmenter.core.words import parse_phrases, without_repeats
from prompt_segmenter.core.words.phrases import by_meaning


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("building; tree; swimming pool", ("building", "tree", "swimming pool")),
        ("building", ("building",)),
        (" tree ;;\n road\r\nTREE; Road  side", ("tree", "road", "Road side")),
        ("建物；木；プール", ("建物", "木", "プール")),
        ("مبنى؛ شجرة", ("مبنى", "شجرة")),
        ("étang, 12 árboles; 3.5 t", ("étang, 12 árboles", "3.5 t")),
    ],
)
def test_phrases_are_parted_by_semicolons_and_lines(text, phrases):
    assert parse_phrases(text) == phrases


@pytest.mark.parametrize("text", ["", "  ", ";;\n;"])
def test_no_phrase_is_an_error_that_shows_some(text):
    with pytest.raises(EmptyPromptError, match="swimming pool"):
        parse_phrases(text)


def test_repeats_in_another_case_or_with_other_spaces_are_left_out_and_the_first_stays_as_it_was_written():
    assert without_repeats(["Gebäude", " swimming  pool", "GEBÄUDE", "Swimming pool", "straße", "STRASSE", " "]) == (
        "Gebäude",
        "swimming pool",
        "straße",
    )


def test_phrases_of_one_meaning_come_together_in_their_order():
    means = {"house": "building", "oak": "tree", "roof": "building", "pond": "water"}
    assert by_meaning(list(means), means.__getitem__) == (("house", "roof"), ("oak",), ("pond",))
