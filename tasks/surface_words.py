"""Words of running English text by one rule, for data that comes as text and not as words."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ..core.types import Sentence, Span

_RUN = r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*"
_ENDING = r"['’](?:s|m|d|ll|re|ve)(?![^\W_])"
_WORD = re.compile(
    rf"\d+(?:[.,:]\d+)+(?![^\W_])|(?:[A-Z]\.){{2,}}|(?i:{_ENDING})|{_RUN}(?:['’-]{_RUN})*|``|''|\S"
)
_CLITIC = re.compile(r"(?i:n['’]t|['’](?:s|m|d|ll|re|ve))$")


def word_spans(text: str, borders: Iterable[int] = ()) -> tuple[Span, ...]:
    """The spans of characters of the words of ``text``, in order; no word lies over a border.

    A word is a run of letters and digits with hyphens and apostrophes inside (``mother-in-law``,
    ``O'Brien``), a number with its points (``10,000.5``), initials (``U.S.``), a pair of single
    quotes, or any other sign alone. At the end of a run, ``n't`` and ``'s``, ``'m``, ``'d``,
    ``'ll``, ``'re``, ``'ve`` are words of their own, as in English UD. The words hold all that is
    not white space.
    ``borders`` count characters.
    """
    cuts = sorted({0, len(text), *(cut for cut in borders if 0 < cut < len(text))})
    return tuple(span for start, end in pairwise(cuts) for span in _spans(text, start, end))


def words_of(text: str, borders: Iterable[int] = ()) -> Sentence:
    """The words of ``text`` (``word_spans``) as a sentence whose surface it is.

    Raises DataError where there is none.
    """
    spans = word_spans(text, borders)
    return Sentence(tuple(text[start:end] for start, end in spans), text, spans)


def words_within(offsets: Sequence[Span], place: Span) -> Span:
    """Which words, of those with these ``offsets``, lie between two borders of words."""
    return Span(
        bisect_left(offsets, place.start, key=lambda word: word.start),
        bisect_right(offsets, place.end, key=lambda word: word.end),
    )


def _spans(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _WORD.finditer(text, start, end):
        first, last = match.span()
        clitic = _CLITIC.search(text, first, last)
        if clitic and clitic.start() > first:
            yield Span(first, clitic.start())
            first = clitic.start()
        yield Span(first, last)
