"""From phrases to the token ids of BERT, which GroundingDINO reads: lower case, without accents, words in pieces.

References
----------
Devlin, J., Chang, M.-W., Lee, K., Toutanova, K. (2019): BERT: Pre-training of deep bidirectional transformers for
language understanding. DOI 10.18653/v1/N19-1423
"""

from __future__ import annotations

import json
from pathlib import Path

from .. import native
from ..errors import ModelFileError

_START, _END, _UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_LARGEST_BYTES = 16 * 1024 * 1024


class WordPieceTokenizer:
    """Makes token ids of phrases.

    Parameters
    ----------
    path : str
        BERT's ``vocab.txt``, or a ``tokenizer.json``.

    Raises
    ------
    DependencyError
        If the package tokenizers is missing.
    ModelFileError
        If the file is none of these.
    """

    def __init__(self, path: str) -> None:
        library = native.tokenizers()
        vocabulary = _read(Path(path))
        self.start, self.end, self.unknown = (vocabulary[token] for token in (_START, _END, _UNKNOWN))
        self._encoder = library.Tokenizer(library.models.WordPiece(vocab=vocabulary, unk_token=_UNKNOWN))
        self._encoder.normalizer = library.normalizers.BertNormalizer(lowercase=True)
        self._encoder.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()

    def ids(self, phrase: str) -> list[int]:
        """Return the ids of a phrase, without the marks of start and end."""
        return list(self._encoder.encode(phrase, add_special_tokens=False).ids)


def _read(path: Path) -> dict[str, int]:
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise ValueError(f"it has more than {_LARGEST_BYTES} bytes")
        text = content.decode("utf-8")
        if path.suffix == ".json":
            vocabulary = {str(token): int(index) for token, index in json.loads(text)["model"]["vocab"].items()}
        else:
            vocabulary = {line.rstrip("\r"): index for index, line in enumerate(text.rstrip("\n").split("\n"))}
        lacking = [token for token in (_START, _END, _UNKNOWN) if token not in vocabulary]
        if lacking:
            raise ValueError(f"it has no {', '.join(lacking)}")
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{path} is no BERT vocabulary: {error}.", hint="Give the vocab.txt or tokenizer.json beside the model."
        ) from error
    return vocabulary
