"""Objects by words: phrases, and the finder that makes outlines of whatever a word model gives for them."""

from .finder import FLOOR, words_finder
from .phrases import parse_phrases, without_repeats

__all__ = ["FLOOR", "parse_phrases", "without_repeats", "words_finder"]
