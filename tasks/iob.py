"""The reader of files that tag the words of spans: names (NER) and chunks.

It serves CoNLL-2003 and CoNLL-2000 (spaces between columns, ``-DOCSTART-`` lines) and Universal
NER (tabs, an index before the form, comments ``# newdoc id``, ``# sent_id``, ``# text``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError, UsageError
from ..core.types import Document, Sentence, Span
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, Edge, Word, bare
from .conll2012_columns import is_empty
from .iob_lines import Block, Part, Row, TaggedLines, read_lines
from .iob_tags import are_tags, read_spans, told_task

COUNTS = (
    "documents",
    "documents_without_words",
    "sentences",
    "words",
    "spans",
    "iob1_openings",
    "text_differs",
)
"""What is always counted."""

_WITH_TAG_OF_WORD = (3, 4)
_TAGS = "O, B-TYPE, I-TYPE (also E, S, L, U)"


class _Columns(NamedTuple):
    """Which column holds what, counted from 0; ``xpos`` is None without parts of speech."""

    form: int
    tag: int
    xpos: int | None


def read_iob(path: Path, *, column: int | None = None, task: str | None = None) -> AnnotatedFile:
    """Read a file, plain or gzip, into documents whose spans are edges of ``task``.

    ``column`` is the column of the tags, counted from 1. Without it, it is the one whose every
    value is a tag (``iob_tags``); of several, the only one with other types than phrases, as the
    last of CoNLL-2003, or, with ``task="chunk"``, the only one with phrases alone. Without
    ``task``, the edges are of ``chunk`` where all types are phrases, otherwise of ``ner``.

    Columns are set apart by tabs where the first word's line has one, otherwise by spaces. In a
    file with tabs, a first column that counts the words of each sentence from 1 is an index. With
    three or four columns and no index, the second is the part of speech (``xpos``).

    A document begins at a ``-DOCSTART-`` line or at ``# newdoc id = ID``; without an id it is
    called after the file and its place (``train#2``), and what stands before the first, or in a
    file without any, after the file. One without words is left out. The surface of a sentence is
    its ``# text`` where that holds its words in order and nothing else but blanks, otherwise its
    words with spaces between. ``counts`` has the names of COUNTS; ``iob1_openings`` is of spans
    that begin with I (or E, L), ``text_differs`` of sentences whose text was not used.

    Raises DataError with ``where="FILE:LINE"`` for a line that does not fit, and where no column
    or more than one may hold the tags; UsageError for a ``column`` that cannot.
    """
    lines = read_lines(path)
    rows = [row for part in lines.parts for block in part.blocks for row in block.rows]
    form = _index(path, lines, rows)
    for row in rows:
        if not row.cells[form].strip():
            raise DataError("a word without a form", where=f"{path}:{row.line}", cure="write it")
    values = [{row.cells[each] for row in rows} for each in range(lines.width)]
    tag = _tag_column(path, rows, values, form, column, task)
    with_xpos = not form and tag > 1 and lines.width in _WITH_TAG_OF_WORD
    columns = _Columns(form, tag, 1 if with_xpos and not are_tags(values[1]) else None)
    task = task or told_task(values[tag])
    counts = Counter(dict.fromkeys(COUNTS, 0))
    documents = tuple(_document(part, columns, task, counts) for part in lines.parts if part.blocks)
    counts["documents"] = len(documents)
    counts["documents_without_words"] = len(lines.parts) - len(documents)
    return AnnotatedFile(documents, {name: counts[name] for name in COUNTS})


def _index(path: Path, lines: TaggedLines, rows: Sequence[Row]) -> int:
    """The column of the forms: 1 behind an index, otherwise 0."""
    if not lines.tabs or lines.width < 3:
        return 0
    blocks = [block.rows for part in lines.parts for block in part.blocks]
    off = [
        (row, place)
        for block in blocks
        for place, row in enumerate(block, 1)
        if row.cells[0] != str(place)
    ]
    if 2 * len(off) > len(rows):
        return 0
    for row, place in off:
        raise DataError(
            f"the index {row.cells[0]!r} where {place} is due",
            where=f"{path}:{row.line}",
            cure="count the words of each sentence from 1",
        )
    return 1


def _tag_column(
    path: Path,
    rows: Sequence[Row],
    values: Sequence[set[str]],
    form: int,
    column: int | None,
    task: str | None,
) -> int:
    if column is not None:
        if not form + 2 <= column <= len(values):
            raise UsageError(
                f"no column {column} of tags among {len(values)} columns",
                where=str(path),
                cure=f"count columns from 1; the words are column {form + 1}",
            )
        return _checked(path, rows, values, column - 1)
    fitting = [each for each in range(form + 1, len(values)) if are_tags(values[each])]
    if len(values) < form + 2:
        raise DataError(
            "words without tags", where=f"{path}:{rows[0].line}", cure=f"tags are {_TAGS}"
        )
    if not fitting:
        likely = max(
            range(form + 1, len(values)),
            key=lambda each: (sum(are_tags([row.cells[each]]) for row in rows), each),
        )
        return _checked(path, rows, values, likely)
    wanted = "chunk" if task == "chunk" else "ner"
    chosen = [each for each in fitting if told_task(values[each]) == wanted] or fitting
    if len(chosen) > 1:
        raise DataError(
            f"the columns {', '.join(str(each + 1) for each in chosen)} may all hold the tags",
            where=str(path),
            cure=f"choose one: column={chosen[-1] + 1}",
        )
    return chosen[0]


def _checked(path: Path, rows: Sequence[Row], values: Sequence[set[str]], column: int) -> int:
    if not are_tags(values[column]):
        row = next(row for row in rows if not are_tags([row.cells[column]]))
        raise DataError(
            f"{row.cells[column]!r} in column {column + 1} is no tag",
            where=f"{path}:{row.line}",
            cure=f"tags are {_TAGS}; or name the column that holds them: column=N",
        )
    return column


def _document(part: Part, columns: _Columns, task: str, counts: Counter[str]) -> AnnotatedDocument:
    sentences: list[Sentence] = []
    words: list[Word] = []
    edges: list[Edge] = []
    for block in part.blocks:
        spans, openings = read_spans([row.cells[columns.tag] for row in block.rows], len(words))
        edges += [Edge(task, span, None, (kind,)) for span, kind in spans]
        sentences.append(_sentence(block, columns.form, counts))
        words += [_word(row, columns) for row in block.rows]
        counts["iob1_openings"] += openings
    counts["sentences"] += len(sentences)
    counts["words"] += len(words)
    counts["spans"] += len(edges)
    return AnnotatedDocument(Document(part.id, tuple(sentences)), tuple(words), edges=tuple(edges))


def _word(row: Row, columns: _Columns) -> Word:
    word = bare(row.cells[columns.form])
    tag = "" if columns.xpos is None else row.cells[columns.xpos]
    return word if is_empty(tag) else word._replace(xpos=tag)


def _sentence(block: Block, form: int, counts: Counter[str]) -> Sentence:
    words = tuple(row.cells[form] for row in block.rows)
    if block.text is None:
        return Sentence.from_words(words)
    offsets = _places(words, block.text)
    if offsets is None:
        counts["text_differs"] += 1
        return Sentence.from_words(words)
    return Sentence(words, block.text, offsets)


def _places(words: Sequence[str], text: str) -> tuple[Span, ...] | None:
    """Where the words stand in the text, or None where more or less than they stands there."""
    found, at = [], 0
    for word in words:
        while text[at : at + 1].isspace() and not text.startswith(word, at):
            at += 1
        if not text.startswith(word, at):
            return None
        found.append(Span(at, at + len(word)))
        at += len(word)
    return None if text[at:].strip() else tuple(found)
