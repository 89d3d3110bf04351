"""The closed vocabulary of the starter's words head: what a phrase in any of six languages means there."""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import lru_cache

from .synonyms import SYNONYMS

WORDS = tuple(SYNONYMS)
"""The words, in English, in the order of the head's output."""
_ARTICLES = (
    "a an the all der die das den dem ein eine einen alle le la les l un une des du de tous toutes "
    "el los las una unos unas todos todas o os as um uma uns umas todo toda il lo i gli uno tutti tutte"
)
_NEAR = 0.75
"""How like a known word another must be (0 to 1) to be suggested."""


def meaning(phrase: str) -> str | None:
    """Return the word of WORDS that a phrase means, or None where it means none of them.

    Case, accents, articles and singular or plural make no difference.

    Examples
    --------
    >>> meaning("Häuser"), meaning("les arbres"), meaning("PISCINAS"), meaning("zebra")
    ('building', 'tree', 'pool', None)
    """
    plain = _plain(phrase)
    known = _known()
    if plain in known:
        return known[plain]
    articles = _ARTICLES.split()
    without = [part for part in plain.split() if part not in articles]
    return known.get(" ".join(without))


def nearest(phrase: str) -> str | None:
    """Return the known phrase that is in one that isn't known, or most like it, as it is written; None if none is."""
    written = _written()
    for part in _plain(phrase).split():
        if part in written:
            return written[part]
    found = difflib.get_close_matches(_plain(phrase), written, n=1, cutoff=_NEAR)
    return written[found[0]] if found else None


def names_of(word: str, language: str) -> tuple[str, ...]:
    """Return what one of WORDS is called in a language ("en", "de", "fr", "es", "pt" or "it")."""
    return tuple(name.strip() for name in SYNONYMS[word][language].split(","))


def _plain(phrase: str) -> str:
    """Return a phrase without case, accents, punctuation and double spaces."""
    spread = unicodedata.normalize("NFKD", phrase.casefold())
    bare = "".join(sign for sign in spread if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[^\w]|_", " ", bare).split())


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    """Return the word that each plain phrase means."""
    return {_plain(name): word for word, name in _all_names()}


@lru_cache(maxsize=1)
def _written() -> dict[str, str]:
    """Return how each plain phrase is written; the first language that has it decides."""
    return {_plain(name): name for _, name in reversed(_all_names())}


def _all_names() -> list[tuple[str, str]]:
    return [(word, name) for word, named in SYNONYMS.items() for language in named for name in names_of(word, language)]
