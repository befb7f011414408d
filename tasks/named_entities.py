"""Named entities: the type of a mention, and the tag of each word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import UsageError
from ..core.types import Span, Target
from .base import AnnotatedDocument
from .bio import Chunk, bio
from .families import Family
from .plain_task import PlainTask

_EDGES = "ner"
_SOURCE = (
    "the document's named entities if it has any; else all its mentions that have an entity type, "
    "be they names or not, nested ones included (GUM, LitBank)"
)
_SEVERAL = "of several types of one span, all in alphabetical order, joined by +"


class EntityType(PlainTask):
    """The type of a span that is an entity (NER of Tenney et al. 2019: the span is given)."""

    description = "type of a named entity or of another typed mention, given its span"
    name = "ner"
    facts: Mapping[str, Any] = {
        "label": f"the entity's type; {_SEVERAL}",
        "targets": _SOURCE,
        "left_out": "mentions without a type",
        "control": "by the last word of the span",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a span, by place."""
        for span, label in entities(document):
            yield Target(document.document.id, span, None, label)

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The last word: a span of several words hardly comes again. The last word recurs, and in
        many languages, English first, it is or ends the head, which tells most of the type."""
        return (document.words[target.span1.end - 1].form,)


class EntityTags(PlainTask):
    """The BIO tag of each word, as for a tagger that has to find the entities as well."""

    description = "BIO tag of each word in the outermost named entities"
    name = "ner:tags"
    metric = "macro_f1"
    facts: Mapping[str, Any] = {
        "label": f"B-X, I-X or O, X the entity's type; {_SEVERAL}",
        "entities": f"{_SOURCE}; the outermost only: of those that share a word the longest, then "
        "the earliest, so that nested ones leave no trace (`ner` has them all)",
        "targets": "every word of a document that has an entity",
        "left_out": "documents without any entity, which the data does not tell from documents "
        "that are not annotated",
    }

    def __init__(self) -> None:
        super().__init__()

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a word, in order."""
        found = entities(document)
        if found:
            for word, tag in enumerate(bio(len(document.words), found)):
                yield Target(document.document.id, Span(word, word + 1), None, tag)


def entities(document: AnnotatedDocument) -> list[Chunk]:
    """The spans that are entities with their types, by place, each span once."""
    typed = [(e.span1, label) for e in document.edges if e.task == _EDGES for label in e.labels]
    if not typed:
        typed = [(m.span, m.entity_type) for m in document.mentions or () if m.entity_type]
    types: dict[Span, set[str]] = {}
    for span, label in typed:
        types.setdefault(span, set()).add(label)
    return [Chunk(span, "+".join(sorted(types[span]))) for span in sorted(types)]


def _named_entities(argument: str) -> EntityType | EntityTags:
    if argument not in ("", "tags"):
        raise UsageError(
            f"ner has no {argument!r}",
            where="--task ner",
            cure="write ner for the types of given spans, ner:tags for a tag of each word",
        )
    return EntityTags() if argument else EntityType()


ner = Family(
    "type of a named entity or of another typed mention (ner), or the tag of each word (ner:tags)",
    _named_entities,
    (EntityType.available, EntityTags.available),
)
