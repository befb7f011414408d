"""The kind of a mention: a pronoun, a name, or a nominal (any other phrase)."""

from __future__ import annotations

from ..core.errors import DataError
from ..core.types import Span
from .base import NO_HEAD, AnnotatedDocument
from .english_words import POSTMODIFYING, PRONOUNS

NAME, NOMINAL, PRONOUN = "name", "nominal", "pronoun"

_TOLD = {"PROP": NAME, "NOM": NOMINAL, "PRON": PRONOUN}
_UPOS = {"PROPN": NAME, "PRON": PRONOUN}
_XPOS = {
    **dict.fromkeys(("PRP", "PRP$", "WP", "WP$"), PRONOUN),
    **dict.fromkeys(("NNP", "NNPS"), NAME),
}


class MentionKinds:
    """The kinds and the heads of one document's mentions.

    The kind is that which the data tells (an edge ``mention_kind`` labelled PROP, NOM or PRON);
    else it is told by the tag of the head, the UPOS or without one the Penn tag; and without any,
    by English spelling: a word of ``PRONOUNS`` alone is a pronoun, a mention whose head has a
    capital is a name.
    """

    def __init__(self, document: AnnotatedDocument) -> None:
        self._document = document
        self._parsed = any(word.head != NO_HEAD for word in document.words)
        self._told: dict[Span, str] = {}
        for edge in document.edges:
            if edge.task == "mention_kind":
                if len(edge.labels) != 1 or edge.labels[0] not in _TOLD:
                    raise DataError(
                        f"no kind of mention: {', '.join(edge.labels)!r}",
                        where=document.document.id,
                        cure=f"label it with one of {', '.join(_TOLD)}",
                    )
                self._told[edge.span1] = _TOLD[edge.labels[0]]

    def head(self, span: Span) -> int:
        """The position of the head: the first word whose own head lies outside the mention.

        In a document without dependencies, the last word before the first one, from the second
        on, that is in ``POSTMODIFYING``; in a mention without such a word, its last one.
        """
        start, end = span
        words = self._document.words
        if self._parsed:
            return next(word for word in range(start, end) if not start <= words[word].head < end)
        inner = range(start + 1, end)
        return next((w for w in inner if words[w].form.lower() in POSTMODIFYING), end) - 1

    def kind(self, span: Span) -> str:
        """``name``, ``nominal`` or ``pronoun``."""
        told = self._told.get(span)
        if told is not None:
            return told
        head = self._document.words[self.head(span)]
        if head.upos:
            return _UPOS.get(head.upos, NOMINAL)
        if head.xpos:
            return _XPOS.get(head.xpos, NOMINAL)
        if span.end - span.start == 1 and head.form.lower() in PRONOUNS:
            return PRONOUN
        return NAME if head.form[:1].isupper() else NOMINAL
