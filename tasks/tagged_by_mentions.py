"""Nouns and pronouns of a document without tags, by the kinds of its mentions."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from ..core.types import Span
from .base import NO_HEAD, AnnotatedDocument, Constituent
from .english_words import PRONOUNS, THIRD_PERSON
from .mention_kinds import NAME, PRONOUN, MentionKinds

_EITHER = {"Number": "Sing,Plur"}


def tagged_by_mentions(document: AnnotatedDocument) -> AnnotatedDocument | None:
    """The document with what its mentions tell; None if it has no kinds of mentions, or has tags,
    dependencies or trees.

    The head of each mention is a NOUN, that of a name a PROPN, of either number; a mention of the
    kind pronoun whose one word is in ``THIRD_PERSON`` is a PRON with the person and the number of
    that list. The only constituent that is known to hold a word is its sentence.
    """
    bare = document.constituents is None and not any(
        word.upos or word.feats or word.head != NO_HEAD for word in document.words
    )
    if not bare or not any(edge.task == "mention_kind" for edge in document.edges):
        return None
    kinds = MentionKinds(document)
    words = list(document.words)
    for span in sorted({mention.span for mention in document.mentions or ()}):
        kind, head = kinds.kind(span), kinds.head(span)
        form = words[head].form.lower()
        if kind != PRONOUN:
            tag = "PROPN" if kind == NAME else "NOUN"
            words[head] = words[head]._replace(upos=tag, feats=_EITHER)
        elif span.end - span.start == 1 and form in THIRD_PERSON:
            number = PRONOUNS[form].number
            feats = {"PronType": "Prs", "Person": "3", "Number": number}
            words[head] = words[head]._replace(upos="PRON", feats=feats)
    sentences = pairwise(document.document.sentence_starts)
    return replace(
        document,
        words=tuple(words),
        constituents=tuple(Constituent(Span(*each), "S") for each in sentences),
    )
