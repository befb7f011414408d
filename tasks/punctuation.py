"""Is a word a punctuation mark?"""

from __future__ import annotations

from .base import Word


def is_punctuation(word: Word) -> bool:
    """By its UPOS where the data gives one, else where its form has no letter and no digit."""
    return word.upos == "PUNCT" if word.upos else not any(sign.isalnum() for sign in word.form)
