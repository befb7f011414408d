"""Spans from tags: O, B-X, I-X and, in longer schemes, E-X or L-X last and S-X or U-X alone.

Where a span begins is told as by ``conlleval`` (Tjong Kim Sang and Buchholz 2000,
https://aclanthology.org/W00-0726; Tjong Kim Sang and De Meulder 2003), so that IOB1 and IOB2 of the
same spans give the same spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..core.types import Span

_TAG = re.compile(r"O|([BIESLU])-(\S+)")
_LAST = "ESLU"
_PHRASES = frozenset("ADJP ADVP CONJP INTJ LST NP PP PRT SBAR UCP VP".split())


class Typed(NamedTuple):
    """A span of words, counted as its reader was told, and its type."""

    span: Span
    type: str


class Spans(NamedTuple):
    """``iob1_openings`` counts spans that no B, S or U begins, as in IOB1."""

    spans: list[Typed]
    iob1_openings: int


def are_tags(values: Iterable[str]) -> bool:
    """Whether each value is a tag."""
    return all(_TAG.fullmatch(value) for value in values)


def told_task(tags: Iterable[str]) -> str:
    """``chunk`` where all types are phrases of CoNLL-2000, otherwise (``O`` alone, too) ``ner``."""
    types = {tag[2:] for tag in tags if tag != "O"}
    return "chunk" if types and types <= _PHRASES else "ner"


def read_spans(tags: Sequence[str], start: int) -> Spans:
    """The spans of one sentence, whose first word is number ``start``.

    A span begins at B, S and U, and at any other tag that follows O, another type, or a tag that
    ends its span; it ends at E, L, S and U and before the next begins.
    """
    spans: list[Typed] = []
    openings = 0
    open_type = ""
    for position, tag in enumerate(tags, start):
        place, kind = tag[0], tag[2:]
        if place in "BSU" or (place != "O" and kind != open_type):
            openings += place not in "BSU"
            spans.append(Typed(Span(position, position + 1), kind))
        elif place != "O":
            spans[-1] = Typed(Span(spans[-1].span.start, position + 1), kind)
        open_type = "" if place in _LAST else kind
    return Spans(spans, openings)
