"""Kinds of pairs of mentions: same string, kinds of mention, distance in words and sentences."""

from __future__ import annotations

from bisect import bisect_right

from ..core.types import Span
from .mention_features import MentionFeatures

_WORDS = ((0, 10, 50, 200, 1000), ("<10", "10-49", "50-199", "200-999", ">=1000"))
_SENTENCES = ((0, 1, 3, 11), ("same", "1-2", "3-10", ">10"))


def strata_of_pair(first: MentionFeatures, second: MentionFeatures) -> dict[str, str]:
    """``string``: whether the two are the same words, case aside. ``kinds`` in alphabetical order
    (``name-pronoun``), whichever comes first. ``distance``: the words between the two, 0 where
    they overlap. ``sentences``: from the one's first word to the other's."""
    return {
        "string": same_string(first, second),
        "kinds": "-".join(sorted((first.kind, second.kind))),
        "distance": _bucket(words_between(first.span, second.span), _WORDS),
        "sentences": sentences_between(first, second),
    }


def same_string(first: MentionFeatures, second: MentionFeatures) -> str:
    """``same`` or ``different``, case aside."""
    return "same" if first.string == second.string else "different"


def sentences_between(first: MentionFeatures, second: MentionFeatures) -> str:
    """How many sentences lie from the one's first word to the other's: ``same``, ``1-2`` ..."""
    return _bucket(abs(second.sentence - first.sentence), _SENTENCES)


def words_between(first: Span, second: Span) -> int:
    """The number of words between two spans, 0 where they touch or overlap."""
    return max(second.start - first.end, first.start - second.end, 0)


def _bucket(value: int, buckets: tuple[tuple[int, ...], tuple[str, ...]]) -> str:
    bounds, names = buckets
    return names[bisect_right(bounds, value) - 1]
