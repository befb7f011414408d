"""A target among the words around it, cut to what a reader needs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from ...core.types import Span

AROUND = 10  # words beside a span
WITHIN = 12  # words at either end of a long span
_LONGEST_WORD = 40


class Piece(NamedTuple):
    """Words in a row. ``spans``: 0 none, 1 the first, 2 the second, 3 both."""

    text: str
    spans: int


def in_context(words: Sequence[str], span1: Span, span2: Span | None) -> list[Piece]:
    """The words of the spans and those around them; three dots for what is cut out."""
    spans = [span1] if span2 is None else [span1, span2]
    kept: set[int] = set()
    for start, end in spans:
        kept |= {*range(start - AROUND, min(start + WITHIN, end))}
        kept |= {*range(max(end - WITHIN, start), end + AROUND)}
    places = sorted(place for place in kept if 0 <= place < len(words))
    told: list[Piece] = []
    before = -1
    for place in places:
        marks = _marks(place, spans)
        if place > before + 1:
            told.append(Piece("…", marks & _marks(before, spans)))
        told.append(Piece(_short(words[place]), marks))
        before = place
    if before < len(words) - 1:
        told.append(Piece("…", 0))
    return [
        Piece(" ".join(piece.text for piece in row), marks)
        for marks, row in groupby(told, key=lambda piece: piece.spans)
    ]


def _marks(place: int, spans: Sequence[Span]) -> int:
    return sum(1 << i for i, (start, end) in enumerate(spans) if start <= place < end)


def _short(word: str) -> str:
    return word if len(word) <= _LONGEST_WORD else word[: _LONGEST_WORD - 1] + "…"
