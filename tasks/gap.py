"""GAP: pronouns in Wikipedia, each with two names of which one, the other or neither is meant.

Source: Webster et al. 2018 (TACL), Mind the GAP: a Balanced Corpus of Gendered Ambiguous Pronouns.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ..core.errors import DataError
from ..core.types import Document, Span
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, Mention, bare
from .pronoun_choice import GENDERS, choice_edges
from .surface_sentences import sentence_starts, sentences_of
from .surface_words import word_spans, words_within
from .table_rows import TableRow, table_rows

_COLUMNS = (
    "ID",
    "Text",
    "Pronoun",
    "Pronoun-offset",
    "A",
    "A-offset",
    "A-coref",
    "B",
    "B-offset",
    "B-coref",
    "URL",
)
_TRUTH = {"TRUE": True, "FALSE": False}
COUNTS = ("documents", "sentences", "words", "a_right", "b_right", "neither_right", "both_right")
"""What is always counted, beside the documents of each gender (``feminine``, ``masculine``)."""


def read_gap(path: Path) -> AnnotatedFile:
    """Read a file, plain or gzip: a document a row.

    Words are cut by rule (``surface_words``), with borders at both ends of the pronoun and of
    each name, and sentences by rule (``surface_sentences``), never inside of a name. The
    mentions, in the order of the text, are the pronoun (entity ``P``) and the names ``A`` and
    ``B``: of the pronoun's entity if that is right, otherwise each one of its own (``A``, ``B``).
    Two edges of the task ``choice`` join the pronoun to A and to B, in this order, and say yes or
    no; in rows where neither is right, both say no. Attributes: ``id``, ``gender`` of the pronoun
    (``feminine``, ``masculine``), ``url``.

    Raises DataError with ``where="FILE:LINE"`` at the first fault.
    """
    counts = Counter(dict.fromkeys((*COUNTS, *GENDERS.values()), 0))
    documents: dict[str, AnnotatedDocument] = {}
    for row in table_rows(path, _COLUMNS, header=True):
        if row.cells[0] in documents:
            raise DataError(
                f"a second row {row.cells[0]!r}", where=row.where, cure="ids are used once"
            )
        documents[row.cells[0]] = _document(row, counts)
    return AnnotatedFile(tuple(documents.values()), dict(counts))


def _document(row: TableRow, counts: Counter[str]) -> AnnotatedDocument:
    name, text, pronoun, _, _, _, a_coref, _, _, b_coref, url = row.cells
    gender = GENDERS.get(pronoun.lower())
    if gender is None:
        raise DataError(
            f"{pronoun!r} is no pronoun that tells a gender",
            where=row.where,
            cure=f"known: {', '.join(sorted(GENDERS))}",
        )
    for coref in (a_coref, b_coref):
        if coref not in _TRUTH:
            raise DataError(
                f"{coref!r} where TRUE or FALSE is due", where=row.where, cure="write one of them"
            )
    right = (_TRUTH[a_coref], _TRUTH[b_coref])
    places = [_place(row, column) for column in (2, 4, 7)]
    words = word_spans(text, (border for place in places for border in place))
    sentences = sentences_of(text, words, sentence_starts(text, words, places))
    span, a, b = (words_within(words, place) for place in places)
    mentions = (
        Mention(span, "P", ""),
        Mention(a, "P" if right[0] else "A", ""),
        Mention(b, "P" if right[1] else "B", ""),
    )
    document = Document(name, tuple(sentences))
    counts["documents"] += 1
    counts["sentences"] += len(sentences)
    counts["words"] += len(document)
    counts["a_right"] += right[0]
    counts["b_right"] += right[1]
    counts["neither_right"] += not any(right)
    counts["both_right"] += all(right)
    counts[gender] += 1
    return AnnotatedDocument(
        document,
        tuple(map(bare, document.words)),
        mentions=tuple(sorted(mentions)),
        edges=choice_edges(span, zip((a, b), right, strict=True)),
        attributes={"id": name, "gender": gender, "url": url},
    )


def _place(row: TableRow, column: int) -> Span:
    """The characters of what the column names, at the offset that the next one tells."""
    text, named, offset = row.cells[1], row.cells[column], row.cells[column + 1]
    if offset.isascii() and offset.isdigit() and len(offset) < 10 and named == named.strip():
        place = Span(int(offset), int(offset) + len(named))
        if text[place.start : place.end] == named:
            return place
    raise DataError(
        f"{named!r} does not stand at the offset {offset!r}",
        where=row.where,
        cure="count characters of the text from 0",
    )
