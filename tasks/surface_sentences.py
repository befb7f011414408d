"""Where sentences begin in running English text, by one rule."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.types import Sentence, Span

_ENDS = frozenset(".!?")
_CLOSING = frozenset(("'", "''", '"', "”", "’", ")", "]"))
_OPENING = frozenset("'\"`“‘([")
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st jr sr rev hon gen col maj capt lt sgt gov sen rep mt ft vs vol pp ca "
    "cf ed eds op jan feb mar apr jun jul aug sep sept oct nov dec".split()
)


def sentence_starts(text: str, words: Sequence[Span], unbroken: Sequence[Span] = ()) -> list[int]:
    """The positions of the words with which sentences begin, the first word's included.

    ``words`` are spans of characters, as are ``unbroken``, inside of which none begins. A sentence
    ends with ``.``, ``!`` or ``?`` and the closing quotes and brackets right behind it, where
    white space and a capital, an opening quote or bracket follow; a point does not end one behind
    a single capital or a common abbreviation. Neither does the point inside of initials.
    """
    starts = [0]
    for position, (start, end) in enumerate(words):
        if text[start:end] not in _ENDS or _abbreviates(text, words, position):
            continue
        after = position + 1
        while (
            after < len(words)
            and _adjoins(words, after)
            and _word(text, words, after) in (_CLOSING)
        ):
            after += 1
        if after == len(words) or _adjoins(words, after):
            continue
        begin = words[after].start
        opens = text[begin].isupper() or text[begin] in _OPENING
        if opens and not any(span.start < begin < span.end for span in unbroken):
            starts.append(after)
    return starts


def sentences_of(text: str, words: Sequence[Span], starts: Sequence[int]) -> list[Sentence]:
    """The sentences that begin at those words; the surface of each ends with its last word."""
    found = []
    for first, last in zip(starts, [*starts[1:], len(words)], strict=True):
        begin, end = words[first].start, words[last - 1].end
        offsets = tuple(Span(start - begin, stop - begin) for start, stop in words[first:last])
        surface = text[begin:end]
        found.append(
            Sentence(tuple(surface[start:stop] for start, stop in offsets), surface, offsets)
        )
    return found


def _word(text: str, words: Sequence[Span], position: int) -> str:
    return text[words[position].start : words[position].end]


def _adjoins(words: Sequence[Span], position: int) -> bool:
    return words[position].start == words[position - 1].end


def _abbreviates(text: str, words: Sequence[Span], position: int) -> bool:
    if not position or _word(text, words, position) != "." or not _adjoins(words, position):
        return False
    before = _word(text, words, position - 1)
    return (len(before) == 1 and before.isupper()) or before.lower() in _ABBREVIATIONS
