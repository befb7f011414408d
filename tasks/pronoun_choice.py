"""What data sets on pronouns have in common: a pronoun and two candidates, one of them right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..core.types import Span
from .base import Edge

TASK = "choice"
"""The task of the edges: ``span1`` the pronoun, ``span2`` a candidate, labelled yes or no."""

GENDERS: Mapping[str, str] = dict.fromkeys(("she", "her", "hers", "herself"), "feminine") | (
    dict.fromkeys(("he", "him", "his", "himself"), "masculine")
)
"""The gender of each pronoun of the third person singular, in lower case."""

_ARTICLES = ("the", "a", "an")


class NamedSpan(NamedTuple):
    """Words that are one of the names sought, and which one, in lower case."""

    span: Span
    name: str


def choice_edges(pronoun: Span, candidates: Iterable[tuple[Span, bool]]) -> tuple[Edge, ...]:
    """An edge for each candidate and whether it is right, in the order given."""
    return tuple(
        Edge(TASK, pronoun, candidate, ("yes" if right else "no",))
        for candidate, right in candidates
    )


def find_names(
    words: Sequence[str], names: Iterable[str], taken: Sequence[Span] = ()
) -> Iterator[NamedSpan]:
    """Where a name stands among the words, outside of the spans ``taken``, from the left.

    Names are words with spaces between; case does not count, and of two names at one place the
    longer one is found. The article before a name is part of its span.
    """
    wanted = sorted({tuple(name.lower().split()) for name in names}, key=len, reverse=True)
    lower = [word.lower() for word in words]
    for start, end in taken:
        lower[start:end] = [""] * (end - start)
    at = 0
    while at < len(lower):
        name = next((each for each in wanted if tuple(lower[at : at + len(each)]) == each), None)
        if name is not None:
            yield NamedSpan(with_article(lower, Span(at, at + len(name))), " ".join(name))
        at += len(name or "1")


def with_article(words: Sequence[str], span: Span) -> Span:
    """The span and the article before it, unless it has one or there is none."""
    has_one = words[span.start].lower() in _ARTICLES
    before = span.start > 0 and words[span.start - 1].lower() in _ARTICLES
    return Span(span.start - (before and not has_one), span.end)


def without_article(words: Sequence[str]) -> str:
    """The words in lower case with spaces between, without an article in front."""
    lower = [word.lower() for word in words]
    return " ".join(lower[lower[0] in _ARTICLES :])
