"""LitBank: coreference in fiction, with the type of each entity and the kind of each mention.

Source: Bamman et al. 2020, An Annotated Dataset of Coreference in English Literature
(https://arxiv.org/abs/1912.01140).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError
from ..core.files import read_json
from ..core.types import SPLITS, Document, Span
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, Edge
from .conll2012 import read_conll2012
from .conllu_text import read_bytes, split_lines
from .faults import raising

_COREFERENCE, _ANNOTATION, _SPLITS = "litbank.coref.conll", "litbank.coref.ann.tsv", "splits.json"
_COLUMNS = {"MENTION": 10, "COREF": 4, "COP": 4, "APPOS": 4}
_RELATIONS = {"COP": "copulas", "APPOS": "appositions"}
_KINDS = ("PROP", "NOM", "PRON")
COUNTS = (
    "documents",
    "sentences",
    "words",
    "mentions",
    "entities",
    "copulas",
    "appositions",
    "mentions_without_annotation",
    "annotations_without_mention",
    "annotations_of_other_words",
    "chains_differ",
)
"""What is counted of each split."""


class _Told(NamedTuple):
    """What the annotation tells of a mention."""

    id: str
    text: str
    entity_type: str
    kind: str


@dataclass
class _Annotation:
    """The rows of one document: its mentions by span, and the entity of each mention's id."""

    mentions: dict[Span, _Told] = field(default_factory=dict)
    entities: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def read_litbank(folder: Path) -> dict[str, AnnotatedFile]:
    """Read LitBank's three files, plain or gzip, into train, dev and test, by document id.

    ``litbank.coref.conll`` gives words and chains, singletons included; ``litbank.coref.ann.tsv``
    gives each mention its ``entity_type`` (PER, FAC, GPE, LOC, VEH, ORG) and its kind, an edge of
    the task ``mention_kind`` labelled PROP, NOM or PRON; ``splits.json`` lists the documents of
    each split, in the order in which they are given. Copulas and appositions are not read.

    ``counts`` are those of the split, under the names of COUNTS. Where the two files disagree,
    ``mentions_without_annotation`` have an empty type and no kind, ``annotations_without_mention``
    and ``annotations_of_other_words`` (whose text is not that of their words) are left out, and of
    ``chains_differ``, annotated entities that are not just one chain, the chains are kept.

    Raises DataError with ``where="FILE:LINE"`` for a line that cannot be read, and for documents
    that are in no split, in several, or in only one of the files.
    """
    read = read_conll2012(_file(folder, _COREFERENCE))
    documents = {each.document.id.rpartition("/")[0]: each for each in read.documents}
    if len(documents) < len(read.documents):
        raise DataError(
            "a document of several parts", where=str(folder / _COREFERENCE), cure="join its parts"
        )
    annotations = _read_annotations(_file(folder, _ANNOTATION), documents)
    splits = _read_splits(folder / _SPLITS, documents)
    return {
        name: _joined([(each, documents[each], annotations[each]) for each in ids])
        for name, ids in splits.items()
    }


def _file(folder: Path, name: str) -> Path:
    packed = folder / f"{name}.gz"
    return packed if packed.is_file() else folder / name


def _read_splits(path: Path, documents: Mapping[str, AnnotatedDocument]) -> dict[str, list[str]]:
    told = read_json(path)
    splits: dict[str, list[str]] = {}
    for name in SPLITS:
        ids = told.get(name) if isinstance(told, dict) else None
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
            raise DataError(
                f"no list of documents for {name}",
                where=str(path),
                cure='write {"train": [ID, ...], "dev": [...], "test": [...]}',
            )
        splits[name] = ids
    uses = Counter(each for ids in splits.values() for each in ids)
    for each in uses.keys() | documents.keys():
        if uses[each] != 1 or each not in documents:
            what = f"in {uses[each]} splits" if each in documents else "without text"
            raise DataError(
                f"the document {each!r} is {what}",
                where=str(path),
                cure="list each document of the corpus once",
            )
    return splits


def _read_annotations(
    path: Path, documents: Mapping[str, AnnotatedDocument]
) -> dict[str, _Annotation]:
    found = {each: _Annotation() for each in documents}
    links: list[tuple[str, list[str]]] = []
    ids: set[tuple[str, str]] = set()
    for number, line in enumerate(split_lines(read_bytes(path), raising(str(path), {})), 1):
        if not line:
            continue
        where = f"{path}:{number}"
        cells = line.split("\t")
        if len(cells) < 2 or len(cells) != _COLUMNS.get(cells[1]):
            raise DataError(
                f"{len(cells)} columns that begin with {cells[:2]}",
                where=where,
                cure="write document, MENTION and eight columns, or document, COREF, COP or APPOS "
                "and two, set apart by tabs",
            )
        if cells[0] not in documents:
            raise DataError(
                f"the document {cells[0]!r} has no words",
                where=where,
                cure=f"it belongs into {_COREFERENCE}",
            )
        if cells[1] != "MENTION":
            links.append((where, cells))
            continue
        span, told = _mention(cells, documents[cells[0]], where)
        if (cells[0], told.id) in ids or span in found[cells[0]].mentions:
            raise DataError(
                f"a second mention {told.id}, or a second one of its words",
                where=where,
                cure="remove one of them",
            )
        ids.add((cells[0], told.id))
        found[cells[0]].mentions[span] = told
    for where, (document, relation, mention, other) in links:
        if (document, mention) not in ids:
            raise DataError(
                f"{relation} of the mention {mention}, which is not there",
                where=where,
                cure="give it a row MENTION",
            )
        if relation == "COREF":
            found[document].entities[mention] = other
        else:
            found[document].counts[_RELATIONS[relation]] += 1
    return found


def _mention(cells: list[str], document: AnnotatedDocument, where: str) -> tuple[Span, _Told]:
    _, _, name, *numbers, text, entity_type, kind = cells
    starts = document.document.sentence_starts
    if all(re.fullmatch("[0-9]{1,9}", each) for each in numbers):
        sentence, first, until, last = map(int, numbers)
        if max(sentence, until) < len(starts) - 1:
            span = Span(starts[sentence] + first, starts[until] + last + 1)
            ends = span.start < starts[sentence + 1] and span.end <= starts[until + 1]
            if ends and span.start < span.end and entity_type and kind in _KINDS:
                return span, _Told(name, text, entity_type, kind)
    raise DataError(
        f"the mention {name} has no words, no type or no kind: {' '.join(cells[3:])}",
        where=where,
        cure="write sentence and word where it begins, sentence and word where it ends, counted "
        "from 0, then text, type and PROP, NOM or PRON",
    )


def _joined(rows: list[tuple[str, AnnotatedDocument, _Annotation]]) -> AnnotatedFile:
    counts = Counter(dict.fromkeys(COUNTS, 0))
    documents = []
    for name, document, annotation in rows:
        documents.append(_annotated(name, document, annotation, counts))
        counts["documents"] += 1
        counts["sentences"] += len(document.document.sentences)
        counts["words"] += len(document.words)
        counts["mentions"] += len(document.mentions or ())
        counts["entities"] += len({each.entity for each in document.mentions or ()})
        counts.update(annotation.counts)
    return AnnotatedFile(tuple(documents), {each: counts[each] for each in COUNTS})


def _annotated(
    name: str, document: AnnotatedDocument, annotation: _Annotation, counts: Counter[str]
) -> AnnotatedDocument:
    words = document.document.words
    fitting = {
        span: told
        for span, told in annotation.mentions.items()
        if " ".join(words[span.start : span.end]) == told.text
    }
    mentions, edges = [], []
    chains: dict[str, set[str]] = {}
    entities: dict[str, set[str]] = {}
    for mention in document.mentions or ():
        told = fitting.get(mention.span)
        if told is None:
            counts["mentions_without_annotation"] += 1
            mentions.append(mention)
            continue
        mentions.append(mention._replace(entity_type=told.entity_type))
        entity = annotation.entities.get(told.id)
        if entity is not None:
            chains.setdefault(entity, set()).add(mention.entity)
            entities.setdefault(mention.entity, set()).add(entity)
    mentioned = {each.span for each in mentions}
    for span in sorted(mentioned & fitting.keys()):
        edges.append(Edge("mention_kind", span, None, (fitting[span].kind,)))
    counts["annotations_of_other_words"] += len(annotation.mentions) - len(fitting)
    counts["annotations_without_mention"] += len(fitting.keys() - mentioned)
    counts["chains_differ"] += sum(
        len(chains[each]) > 1 or any(len(entities[chain]) > 1 for chain in chains[each])
        for each in chains
    )
    return replace(
        document,
        document=Document(name, document.document.sentences),
        mentions=tuple(mentions) or None,
        edges=(*document.edges, *edges),
    )
