"""What can be seen of a mention without an encoder: string, head, kind, place, agreement."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from ..core.types import Span, Target
from .base import AnnotatedDocument
from .english_words import GENDERS, PRONOUNS, Agreement
from .mention_kinds import NAME, PRONOUN, MentionKinds
from .once import once_a_document


class MentionFeatures(NamedTuple):
    """``string`` and ``head`` (a word) are in lower case; ``sentence`` is that of its start."""

    span: Span
    string: str
    head: str
    kind: str
    sentence: int
    agreement: Agreement


@once_a_document
def features_of(document: AnnotatedDocument) -> Mapping[Span, MentionFeatures]:
    """The features of each mention."""
    words = [word.lower() for word in document.document.words]
    starts = document.document.sentence_starts
    kinds = MentionKinds(document)
    found = {}
    for span in {mention.span for mention in document.mentions or ()}:
        head, kind = kinds.head(span), kinds.kind(span)
        found[span] = MentionFeatures(
            span,
            " ".join(words[span.start : span.end]),
            words[head],
            kind,
            bisect_right(starts, span.start) - 1,
            _agreement(document, head, kind, words[span.start]),
        )
    return found


def pair_of(document: AnnotatedDocument, target: Target) -> tuple[MentionFeatures, MentionFeatures]:
    """The features of the two mentions of a pair, in its order."""
    assert target.span2 is not None
    features = features_of(document)
    return features[target.span1], features[target.span2]


@lru_cache(maxsize=1 << 16)
def agree(first: Agreement, second: Agreement) -> bool:
    """Whether the two have, wherever both are known, a value in common."""
    return all(
        not a or not b or not set(a.split(",")).isdisjoint(b.split(","))
        for a, b in zip(first, second, strict=True)
    )


def _agreement(document: AnnotatedDocument, head: int, kind: str, first: str) -> Agreement:
    """By the morphology of the head, else its Penn tag, else the closed lists of English.

    Names and nominals are of the third person. A possessive agrees with its owner.
    """
    word = document.words[head]
    form = word.form.lower()
    title = GENDERS.get(first, "") if kind == NAME else ""
    listed = Agreement("3", "", title or GENDERS.get(form, ""))
    if kind == PRONOUN:
        listed = PRONOUNS.get(form, Agreement("", "", ""))
    elif word.xpos in ("NN", "NNP"):
        listed = listed._replace(number="Sing")
    elif word.xpos in ("NNS", "NNPS"):
        listed = listed._replace(number="Plur")
    return Agreement(
        *(
            word.feats.get(f"{name}[psor]") or word.feats.get(name) or otherwise
            for name, otherwise in zip(("Person", "Number", "Gender"), listed, strict=True)
        )
    )
