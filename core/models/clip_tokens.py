"""From phrases to the token ids of CLIP's text encoder, and of all models that took it over.

The merges are pairs of symbols in the order in which they are joined; the ids follow from them: the 256 bytes, the same
bytes at a word's end, what each merge makes, and the two marks of start and end. The joining is done by the library
``tokenizers``, an optional dependency that is asked for only here.

References
----------
Sennrich, R., Haddow, B., Birch, A. (2016): Neural machine translation of rare words with subword units.
DOI 10.18653/v1/P16-1162
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..errors import ModelFileError, UnsupportedPromptError
from .clean_text import cleaned

START, END = "<|startoftext|>", "<|endoftext|>"
_WORD_END = "</w>"
_MOST_MERGES = 49152 - 256 - 2
_PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_LARGEST_BYTES = 32 * 1024 * 1024


class ClipTokenizer:
    """Makes token ids of phrases.

    Parameters
    ----------
    path : str
        CLIP's ``bpe_simple_vocab_16e6.txt.gz``, a ``merges.txt``, or a ``tokenizer.json``.

    Raises
    ------
    DependencyError
        If the package tokenizers is missing.
    ModelFileError
        If the file holds no merges.
    """

    def __init__(self, path: str) -> None:
        library = native.tokenizers()
        vocabulary, merges = _read(Path(path))
        self.start, self.end = vocabulary[START], vocabulary[END]
        self._encoder = library.Tokenizer(
            library.models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=_WORD_END)
        )
        self._encoder.pre_tokenizer = library.pre_tokenizers.Sequence(
            [
                library.pre_tokenizers.Split(library.Regex(_PIECES), "removed", invert=True),
                library.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        self._encoder.add_special_tokens([START, END])

    def ids(self, phrase: str) -> list[int]:
        """Return the ids of a phrase, without the marks of start and end."""
        return list(self._encoder.encode(cleaned(phrase), add_special_tokens=False).ids)

    def require_fitting(self, phrases: Sequence[str], length: int) -> None:
        """Raise :class:`UnsupportedPromptError` if a phrase is empty, or has no room between start and end."""
        for phrase in phrases:
            count = len(self.ids(phrase))
            if not count:
                raise UnsupportedPromptError("A phrase is empty.", hint="Say in a few words what to look for.")
            if count > length - 2:
                raise UnsupportedPromptError(
                    f"The phrase '{phrase}' has {count} tokens; the model takes {length - 2}.", hint="Say it shorter."
                )

    def batch(
        self, phrases: Sequence[str], length: int, *, padding: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ids (N, length) and what of them is text, 1 or 0 (N, length); what has no room is cut off."""
        ids = np.full((len(phrases), length), padding, np.int64)
        used = np.zeros((len(phrases), length), np.int64)
        for row, phrase in enumerate(phrases):
            tokens = [self.start, *self.ids(phrase)[: length - 2], self.end]
            ids[row, : len(tokens)] = tokens
            used[row, : len(tokens)] = 1
        return ids, used


def _read(path: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return what each id stands for and the merges of a vocabulary file."""
    try:
        if path.suffix == ".json":
            return _from_json(json.loads(_limited(path).decode("utf-8")))
        return _from_merges(_limited(path).decode("utf-8"))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"{path} is no CLIP vocabulary: {str(error) or type(error).__name__}.",
            hint="Give CLIP's bpe_simple_vocab_16e6.txt.gz, or the merges.txt or tokenizer.json beside the model.",
        ) from error


def _limited(path: Path) -> bytes:
    """Return the file's content, unpacked; refuse what is no vocabulary by its size."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        content = stream.read(_LARGEST_BYTES + 1)
    if len(content) > _LARGEST_BYTES:
        raise ValueError(f"it has more than {_LARGEST_BYTES} bytes")
    return content


def _from_merges(text: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    merges: list[tuple[str, str]] = []
    for line in text.split("\n"):
        if "#version" in line or not line.strip():
            continue
        first, second = line.split()
        merges.append((first, second))
        if len(merges) == _MOST_MERGES:
            # CLIP's own file goes on with merges that it was never trained with.
            break
    if not merges:
        raise ValueError("it holds no merges")
    letters = _byte_letters()
    symbols = [*letters, *(letter + _WORD_END for letter in letters), *(first + second for first, second in merges)]
    return {symbol: index for index, symbol in enumerate([*symbols, START, END])}, merges


def _from_json(content: Any) -> tuple[dict[str, int], list[tuple[str, str]]]:
    model = content["model"]
    merges = [tuple(merge.split(" ") if isinstance(merge, str) else merge) for merge in model["merges"]]
    vocabulary = {str(symbol): int(index) for symbol, index in model["vocab"].items()}
    for token in content.get("added_tokens", ()):
        vocabulary.setdefault(token["content"], token["id"])
    if START not in vocabulary or END not in vocabulary or any(len(merge) != 2 for merge in merges):
        raise ValueError(f"it has no {START} and {END}, or a merge is no pair")
    return vocabulary, [(first, second) for first, second in merges]


def _byte_letters() -> list[str]:
    """Return the letter that stands for each byte in merges: itself where it can be printed, else one from 256 on."""
    printed = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = 256 - len(printed)
    return [chr(code) for code in (*printed, *range(256, 256 + others))]
