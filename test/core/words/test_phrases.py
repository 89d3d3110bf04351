from __future__ import annotations

import pytest
from prompt_segmenter.core.errors import EmptyPromptError
from prompt_segmenter.core.words import parse_phrases


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
