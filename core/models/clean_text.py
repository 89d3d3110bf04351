"""Phrases as CLIP's own tokenizer cleans them, so that what is pasted has the tokens that models were trained on.

The reference calls ftfy, whose fixes are these; only its repair of text in a wrong encoding is left out, because a
phrase comes from a text field that has decoded it.
"""

from __future__ import annotations

import html
import unicodedata

_LONG_S_T, _APOSTROPHE_N = 0xFB05, 0x149
_LIGATURES = (*range(0x132, 0x134), *range(0x1C4, 0x1CD), *range(0x1F1, 0x1F4), *range(0xFB00, 0xFB07))
_WIDE = (0x3000, *range(0xFF01, 0xFFF0))
_SINGLE_QUOTES = (0x2BC, *range(0x2018, 0x201C))
_DOUBLE_QUOTES = tuple(range(0x201C, 0x2020))
_CONTROLS = (
    *range(0x00, 0x09),
    0x0B,
    *range(0x0E, 0x20),
    0x7F,
    *range(0x206A, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFD),
)


def _table() -> dict[int, str | None]:
    plain: dict[int, str | None] = {code: unicodedata.normalize("NFKC", chr(code)) for code in (*_LIGATURES, *_WIDE)}
    plain[_LONG_S_T], plain[_APOSTROPHE_N] = "\u017ft", "'n"
    plain.update(dict.fromkeys(_SINGLE_QUOTES, "'"))
    plain.update(dict.fromkeys(_DOUBLE_QUOTES, '"'))
    plain.update(dict.fromkeys(_CONTROLS))
    return plain


_PLAIN = _table()


def cleaned(text: str) -> str:
    """Return a phrase with plain quotes and widths, composed accents, single spaces, in lower case.

    Examples
    --------
    >>> cleaned("  The \u201cRed\u201d\u00a0Roof &amp; Pool ")
    'the "red" roof & pool'
    """
    if "<" not in text:
        text = html.unescape(text)
    text = unicodedata.normalize("NFC", text.translate(_PLAIN))
    text = html.unescape(html.unescape(text))
    return " ".join(text.split()).lower()
