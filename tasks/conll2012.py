"""The reader of CoNLL-2012 files (OntoNotes, LitBank) and of three-column ones (OntoGUM).

The header of each document tells which: ``#begin document (ID); part N`` stands above the columns
of CoNLL-2012, ``# begin document ID`` above index, form and coreference. Whatever fits neither is
a DataError that names file, line and cure.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ..core.types import Document, Sentence, Span
from .annotated_file import AnnotatedFile
from .base import NO_HEAD, AnnotatedDocument, Constituent, Edge, Mention, Word, bare
from .brackets import plain
from .conll2012_columns import Row, bracketed, coreference, is_empty
from .conll2012_lines import Part, read_parts

_PARSE, _NAMES, _ARGUMENTS = 5, 10, 11
_SPOKEN = {"/.": ".", "/?": "?"}  # how OntoNotes writes the punctuation of transcripts
_UNKNOWN = "_"
_VERB = ("V", "C-V")
_ABOVE = {"TOP": "ROOT"}
COUNTS = (
    "documents",
    "sentences",
    "words",
    "mentions",
    "documents_without_mentions",
    "trees",
    "trees_not_over_the_sentence",
    "names",
    "predicates",
    "predicates_without_one_verb",
    "arguments",
    "forms_unescaped",
    "forms_missing",
)
"""What is always counted."""


def read_conll2012(path: Path) -> AnnotatedFile:
    """Read a file, plain or gzip, into annotated documents.

    With the columns of CoNLL-2012, which tabs or any number of spaces set apart, each part is a
    document ``ID/PART``, as the header writes it. Read are the part of speech (``xpos``), lemma,
    phrases (the node around a tree, TOP, is called ROOT as in other treebanks), names (edges of
    ``ner``), the arguments of each predicate (edges of ``srl``: ``span1`` the predicate, ``span2``
    the argument; the verb, V and C-V, is none) and mentions; frameset, sense and speaker are not.
    ``-``, ``_`` and an empty cell mean none. Escapes are undone in forms: ``-LRB-`` is ``(``,
    ``\\/`` is ``/``, and ``/.`` and ``/?`` of transcripts are ``.`` and ``?``.

    With three columns, forms are words as they stand; an empty one, as OntoGUM has where GUM has
    ``|``, is the word ``_``. A document that the header does not name is called after the file and
    its place (``dev.ontogum#2``). OntoGUM sets no sentences apart: each of its documents is one
    sentence.

    The surface of a sentence is its words with spaces between. A document without any mention
    counts as not annotated for coreference (``mentions`` is None). A tree that does not span its
    sentence, and the arguments of a predicate column that marks no verb, or several, are left out;
    all that is counted under the names of COUNTS.

    Raises DataError with ``where="FILE:LINE"`` at the first fault.
    """
    counts: Counter[str] = Counter()
    documents = tuple(_document(part, counts) for part in read_parts(path))
    counts["documents"] = len(documents)
    return AnnotatedFile(documents, {name: counts[name] for name in COUNTS})


def _document(part: Part, counts: Counter[str]) -> AnnotatedDocument:
    sentences, words, start = [], [], 0
    mentions: list[Mention] = []
    constituents: list[Constituent] = []
    edges: list[Edge] = []
    for rows in part.sentences:
        found = [_word(row, counts) if part.key else _form(row, counts) for row in rows]
        words += found
        sentences.append(Sentence.from_words(word.form for word in found))
        mentions += coreference(rows, start)
        if part.key:
            constituents += _tree(rows, start, counts)
            edges += _edges(rows, start, counts)
        start += len(rows)
    counts["sentences"] += len(sentences)
    counts["words"] += len(words)
    counts["mentions"] += len(mentions)
    counts["documents_without_mentions"] += not mentions
    return AnnotatedDocument(
        Document(part.id, tuple(sentences)),
        tuple(words),
        tuple(mentions) or None,
        tuple(constituents) or None,
        tuple(edges),
    )


def _form(row: Row, counts: Counter[str]) -> Word:
    counts["forms_missing"] += not row.cells[1]
    return bare(row.cells[1] or _UNKNOWN)


def _word(row: Row, counts: Counter[str]) -> Word:
    written, tag, lemma = row.cells[3], row.cells[4], row.cells[6]
    form = _SPOKEN.get(written) or plain(written)
    counts["forms_unescaped"] += form != written
    return Word(
        form,
        "" if is_empty(lemma) else lemma,
        "",
        "" if is_empty(tag) else tag,
        {},
        NO_HEAD,
        "",
    )


def _tree(rows: list[Row], start: int, counts: Counter[str]) -> list[Constituent]:
    phrases = bracketed(rows, _PARSE)
    if not phrases:
        return []
    if phrases[0].span != (0, len(rows)):
        counts["trees_not_over_the_sentence"] += 1
        return []
    counts["trees"] += 1
    return [Constituent(_moved(span, start), _ABOVE.get(label, label)) for span, label in phrases]


def _edges(rows: list[Row], start: int, counts: Counter[str]) -> list[Edge]:
    names = bracketed(rows, _NAMES)
    counts["names"] += len(names)
    edges = [Edge("ner", _moved(span, start), None, (label,)) for span, label in names]
    for column in range(_ARGUMENTS, len(rows[0].cells) - 1):
        frame = bracketed(rows, column)
        verbs = [span for span, label in frame if label == _VERB[0]]
        if len(verbs) == 1:
            roles = [each for each in frame if each.label not in _VERB]
            counts["predicates"] += 1
            counts["arguments"] += len(roles)
            verb = _moved(verbs[0], start)
            edges += [Edge("srl", verb, _moved(span, start), (role,)) for span, role in roles]
        elif frame:
            counts["predicates_without_one_verb"] += 1
    return edges


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)
