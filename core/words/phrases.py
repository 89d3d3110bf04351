"""What the user writes into the field for words, as phrases, and which of them ask for the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

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
    phrases = without_repeats(_BETWEEN.split(text))
    if not phrases:
        raise EmptyPromptError(
            "There is no word to look for.", hint="Write one or several, for example: building; tree; swimming pool"
        )
    return phrases


def without_repeats(phrases: Iterable[str]) -> tuple[str, ...]:
    """Return phrases without needless spaces, empty ones, and those that differ from another in case only.

    Examples
    --------
    >>> without_repeats(["Pond", " swimming  pool", "pond", ""])
    ('Pond', 'swimming pool')
    """
    first: dict[str, str] = {}
    for each in phrases:
        phrase = " ".join(each.split())
        if phrase:
            first.setdefault(phrase.casefold(), phrase)
    return tuple(first.values())


def by_meaning(phrases: Sequence[str], meaning: Callable[[str], str]) -> tuple[tuple[str, ...], ...]:
    """Return phrases that mean the same together, in their order.

    Examples
    --------
    >>> by_meaning(["house", "tree", "Building"], {"house": "h", "tree": "t", "Building": "h"}.__getitem__)
    (('house', 'Building'), ('tree',))
    """
    together: dict[str, list[str]] = {}
    for phrase in phrases:
        together.setdefault(meaning(phrase), []).append(phrase)
    return tuple(tuple(alike) for alike in together.values())
