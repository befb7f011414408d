"""Splits that can be switched: the same text, split as given, by document or by sentence."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from ..core.errors import DataError, UsageError, did_you_mean
from ..core.types import SPLITS, Document, Span
from .base import NO_HEAD, AnnotatedDocument, Constituent, Corpus, Edge, Mention, Word
from .sound_corpus import shared_texts

RULES = ("given", "document", "sentence")
"""What ``resplit`` knows to split by."""

_SHARE = 10
_BY_DOCUMENT = (
    "all splits together, split by document: in the order of the sha256 of their ids, the first "
    "tenth is test, the second dev, the rest train"
)
_BY_SENTENCE = (
    "all splits together, each sentence a document of its own, DOCUMENT#NUMBER: its split is told "
    "by the sha256 of its words in lower case and without spaces, about 80/10/10, so that equal "
    "sentences fall into the same split; neighbours may fall into different ones"
)

Documents = tuple[AnnotatedDocument, ...]


def resplit(corpus: Corpus, by: str) -> Corpus:
    """The corpus split anew; the rule is stated in ``facts["split"]``.

    ``given``: as it is. ``document``: by the documents' ids, 80/10/10. ``sentence``: by the
    sentences' words, about 80/10/10, for tasks inside sentences: an entity keeps its id in each
    sentence, but a link from one sentence to another is gone, and
    ``facts["entities_in_several_sentences"]`` counts the entities that lose some.

    Raises UsageError for another rule, DataError where ids are not unique, where annotation
    crosses a sentence's border (``sentence``), and where a split would be left without documents.
    """
    if by not in RULES:
        raise UsageError(
            f"not a rule to split by: {by!r}", where="--split", cure=did_you_mean(by, RULES)
        )
    if by == "given":
        return corpus
    where = f"--split {by} --data {corpus.name}"
    documents = [document for name in SPLITS for document in corpus.splits.get(name, ())]
    for name, count in Counter(document.document.id for document in documents).items():
        if count > 1:
            raise DataError(
                f"{count} documents have the id {name!r}",
                where=where,
                cure="a document belongs to one split only: give each an id of its own",
            )
    facts: dict[str, Any] = dict(corpus.facts)
    if by == "document":
        facts["split"] = _BY_DOCUMENT
        splits = _by_id(documents)
    else:
        facts["split"] = _BY_SENTENCE
        facts["entities_in_several_sentences"] = sum(map(_torn_entities, documents))
        sentences = [sentence for each in documents for sentence in sentences_of(each, where)]
        splits = _by_text(sentences)
    empty = [name for name in SPLITS if not splits[name]]
    if empty:
        raise DataError(
            f"too small to split: nothing is left for {' and '.join(empty)}",
            where=where,
            cure="keep the splits as they are (--split given), or take more text",
        )
    if "texts_in_two_splits" in facts:
        facts["texts_in_two_splits"] = shared_texts(splits.values())
    return Corpus(corpus.name, splits, facts)


def _by_id(documents: Sequence[AnnotatedDocument]) -> dict[str, Documents]:
    held_out = max(1, round(len(documents) / _SHARE))
    order = sorted(documents, key=lambda document: _digest(document.document.id))
    chosen = {document.document.id: "train" for document in order}
    chosen.update((document.document.id, "dev") for document in order[: 2 * held_out])
    chosen.update((document.document.id, "test") for document in order[:held_out])
    return _gather(documents, [chosen[document.document.id] for document in documents])


def _by_text(sentences: Sequence[AnnotatedDocument]) -> dict[str, Documents]:
    names = ["test", "dev"] + ["train"] * (_SHARE - 2)
    keys = ["".join("".join(one.document.words).lower().split()) for one in sentences]
    return _gather(sentences, [names[int(_digest(key), 16) % _SHARE] for key in keys])


def _gather(documents: Sequence[AnnotatedDocument], chosen: Sequence[str]) -> dict[str, Documents]:
    return {
        name: tuple(d for d, split in zip(documents, chosen, strict=True) if split == name)
        for name in SPLITS
    }


def sentences_of(annotated: AnnotatedDocument, where: str) -> Iterator[AnnotatedDocument]:
    """Each sentence as a document, its annotation counted from its own first word."""
    document = annotated.document
    pieces = list(pairwise(document.sentence_starts))
    inside = [number for number, (start, end) in enumerate(pieces) for _ in range(start, end)]

    def sentence_of(what: str, *spans: Span | None) -> int:
        touched = {inside[place] for span in spans if span for place in (span.start, span.end - 1)}
        if len(touched) > 1:
            first, *_, last = sorted(touched)
            raise DataError(
                f"{what} reaches from sentence {first + 1} to sentence {last + 1}",
                where=f"{where}, document {document.id}",
                cure="split by document (--split document)",
            )
        return touched.pop()

    mentions: list[list[Mention]] = [[] for _ in pieces]
    for mention in annotated.mentions or ():
        mentions[sentence_of("a mention", mention.span)].append(mention)
    constituents: list[list[Constituent]] = [[] for _ in pieces]
    for phrase in annotated.constituents or ():
        constituents[sentence_of("a constituent", phrase.span)].append(phrase)
    edges: list[list[Edge]] = [[] for _ in pieces]
    for edge in annotated.edges:
        edges[sentence_of("a labelled pair", edge.span1, edge.span2)].append(edge)
    for place, word in enumerate(annotated.words):
        if word.head != NO_HEAD:
            sentence_of("a dependency", Span(place, place + 1), Span(word.head, word.head + 1))

    for number, (start, end) in enumerate(pieces):
        # What the data says of the document as a whole it says of each sentence of it.
        yield replace(
            annotated,
            document=Document(f"{document.id}#{number + 1}", (document.sentences[number],)),
            words=tuple(_moved_head(word, start) for word in annotated.words[start:end]),
            mentions=None
            if annotated.mentions is None
            else tuple(m._replace(span=_moved(m.span, start)) for m in mentions[number]),
            constituents=None
            if annotated.constituents is None
            else tuple(c._replace(span=_moved(c.span, start)) for c in constituents[number]),
            edges=tuple(
                edge._replace(
                    span1=_moved(edge.span1, start),
                    span2=edge.span2 and _moved(edge.span2, start),
                )
                for edge in edges[number]
            ),
        )


def _moved(span: Span, start: int) -> Span:
    return Span(span.start - start, span.end - start)


def _moved_head(word: Word, start: int) -> Word:
    return word if word.head == NO_HEAD else word._replace(head=word.head - start)


def _torn_entities(annotated: AnnotatedDocument) -> int:
    """How many entities have mentions in several sentences."""
    starts = annotated.document.sentence_starts
    inside = [n for n, (start, end) in enumerate(pairwise(starts)) for _ in range(start, end)]
    found = {(m.entity, inside[m.span.start]) for m in annotated.mentions or ()}
    return sum(count > 1 for count in Counter(entity for entity, _ in found).values())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8")).hexdigest()
