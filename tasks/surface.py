"""The surface text of a sentence of syntactic words and contractions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..core.types import Sentence, Span


class Token(NamedTuple):
    """A surface token over the words ``[first, end)``: a single word or a contraction."""

    form: str
    first: int
    end: int
    space_after: bool


def surface(words: Sequence[str], tokens: Iterable[Token]) -> Sentence:
    """The sentence whose text is the tokens' forms, with one space where ``space_after``.

    The words of a contraction get their own characters if their concatenation is the contraction,
    otherwise each gets the characters of the whole. The tokens cover the words in order.
    """
    text: list[str] = []
    offsets: list[Span] = []
    at = 0
    for form, first, end, space_after in tokens:
        if end - first == 1:
            offsets.append(Span(at, at + len(form)))
        elif "".join(words[first:end]) == form:
            start = at
            for word in words[first:end]:
                offsets.append(Span(start, start + len(word)))
                start += len(word)
        else:
            offsets.extend([Span(at, at + len(form))] * (end - first))
        text.append(form)
        at += len(form)
        if space_after:
            text.append(" ")
            at += 1
    if text and text[-1] == " ":
        text.pop()
    return Sentence(tuple(words), "".join(text), tuple(offsets))
