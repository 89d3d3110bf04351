"""What the user writes into the field for words, as phrases."""

from __future__ import annotations

import re

from ..errors import EmptyPromptError

_BETWEEN = re.compile("[;\uff1b\u061b\n\r\u2028\u2029]")
"""Semicolons of three scripts, and line ends."""


def parse_phrases(text: str) -> tuple[str, ...]:
    """Return the phrases of a text, in their order, none twice; what differs only in case is the same.

    Raises
    ------
    EmptyPromptError
        If there is none.

    Examples
    --------
    >>> parse_phrases("building; swimming  pool;; Building")
    ('building', 'swimming pool')
    """
    phrases: dict[str, str] = {}
    for piece in _BETWEEN.split(text):
        phrase = " ".join(piece.split())
        if phrase:
            phrases.setdefault(phrase.casefold(), phrase)
    if not phrases:
        raise EmptyPromptError(
            "There is no word to look for.", hint="Write one or several, for example: building; tree; swimming pool"
        )
    return tuple(phrases.values())
