"""The rows of a split of a data set as annotated documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..core import progress
from ..core.errors import DataError
from ..core.types import Document, Sentence
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, Edge, Word, bare
from .dataset_columns import Columns
from .iob_tags import read_spans
from .surface_sentences import sentence_starts, sentences_of
from .surface_words import word_spans

COUNTS = ("documents", "sentences", "words", "spans", "rows_without_words")
"""What is counted of each split."""


def read_rows(dataset: Any, columns: Columns, split: str, where: str) -> AnnotatedFile | None:
    """A document a row, called after the split and the row's number (``train#0``).

    None where the whole split keeps its labels hidden (-1, or none). Raises DataError for a row
    that does not fit, or that alone hides its labels.
    """
    counts = Counter(dict.fromkeys(COUNTS, 0))
    documents = []
    hidden = 0
    rows = progress.track(dataset, f"reading {split}", len(dataset))
    for number, row in enumerate(rows):
        place = f"{where}, {split} row {number}"
        try:
            labels = _labels(row, columns)
        except IndexError as error:
            raise DataError("a number of no class", where=place, cure="export it again") from error
        sentences = _sentences(row, columns, place)
        if not sentences:
            counts["rows_without_words"] += 1
            continue
        if labels is None:
            hidden += 1
            continue
        document = Document(f"{split}#{number}", tuple(sentences))
        documents.append(_document(document, labels, columns, place))
    if hidden and not documents:
        return None
    if hidden:
        raise DataError(
            f"{hidden} rows of {split} have hidden labels (-1, or none), and others have not",
            where=where,
            cure="leave these rows out",
        )
    for each in documents:
        counts["documents"] += 1
        counts["sentences"] += len(each.document.sentences)
        counts["words"] += len(each.words)
        counts["spans"] += len(each.edges)
    return AnnotatedFile(tuple(documents), counts)


def _labels(row: Mapping[str, Any], columns: Columns) -> dict[str, list[str]] | None:
    """The values of the row's columns of labels by the columns' names; None if they are hidden."""
    found: dict[str, list[str]] = {}
    for column in (*columns.fields.values(), *columns.spans.values()):
        values = [column.value(stored) for stored in row[column.name] or ()]
        if None in values:
            return None
        found[column.name] = [value for value in values if value is not None]
    if columns.label is not None:
        value = columns.label.value(row[columns.label.name])
        if value is None:
            return None
        found[columns.label.name] = [value]
    return found


def _sentences(row: Mapping[str, Any], columns: Columns, where: str) -> Sequence[Sentence]:
    if columns.words is None:
        text = row[columns.text or ""] or ""
        words = word_spans(text)
        return sentences_of(text, words, sentence_starts(text, words)) if words else []
    forms = row[columns.words] or []
    if not all(isinstance(form, str) and form.strip() for form in forms):
        raise DataError("an empty word", where=where, cure="leave it out, with its labels")
    return [Sentence.from_words(forms)] if forms else []


def _document(
    document: Document, labels: Mapping[str, Sequence[str]], columns: Columns, where: str
) -> AnnotatedDocument:
    words = [bare(form) for form in document.words]
    for name, column in (*columns.fields.items(), *columns.spans.items()):
        if len(labels[column.name]) != len(words):
            raise DataError(
                f"{len(labels[column.name])} values of {name} for {len(words)} words",
                where=where,
                cure="give one for each word",
            )
    for name, column in columns.fields.items():
        words = [
            _with(word, name, value) for word, value in zip(words, labels[column.name], strict=True)
        ]
    edges = [
        Edge(task, span, None, (kind,))
        for task, column in columns.spans.items()
        for span, kind in read_spans(labels[column.name], 0).spans
    ]
    told = {"label": labels[columns.label.name][0]} if columns.label else {}
    return AnnotatedDocument(document, tuple(words), edges=tuple(edges), attributes=told)


def _with(word: Word, name: str, value: str) -> Word:
    said = "" if value == "_" else value
    if name == "lemma":
        return word._replace(lemma=said)
    return word._replace(upos=said) if name == "upos" else word._replace(xpos=said)
