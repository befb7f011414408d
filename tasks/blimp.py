"""BLiMP: minimal pairs of an acceptable and an unacceptable English sentence.

Source: Warstadt et al. 2020 (TACL), BLiMP: The Benchmark of Linguistic Minimal Pairs for English.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import lru_cache
from pathlib import Path

from ..core.errors import DataError
from ..core.types import Document, Span
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, Edge, bare
from .json_lines import JsonLine, json_lines
from .surface_words import words_of

TASK = "acceptable"
"""The task of the edges: ``span1`` a whole sentence, labelled yes or no."""

_word = lru_cache(maxsize=1 << 16)(bare)  # few forms, each of which comes again and again


def read_blimp(path: Path) -> AnnotatedFile:
    """Read JSON lines, plain or gzip: a document of two sentences a pair, called ``UID.pairID``.

    A pair is one document, so that no split can part it. Which of the two comes first is told by a
    hash of the id, so that the place tells nothing. Each sentence is the ``span1`` of an edge of
    the task ``acceptable``, yes or no. Whatever encodes a document as a whole shows one sentence of
    the pair to the other: a task on them takes sentences alone. Words are cut by rule
    (``surface_words``).

    Attributes: ``paradigm`` (UID), ``field`` (``syntax/semantics`` is ``syntax_semantics``) and
    ``phenomenon`` (``linguistics_term``). ``counts``: ``documents``, ``sentences``, ``words``,
    ``paradigms``, ``acceptable_first``, and ``pairs_alike``, whose two sentences are the same text
    (7 of the 67,000 published ones): those have no edges, since nothing tells them apart.

    Raises DataError with ``where="FILE:LINE"`` at the first fault.
    """
    counts = Counter(
        documents=0, sentences=0, words=0, paradigms=0, acceptable_first=0, pairs_alike=0
    )
    documents: dict[str, AnnotatedDocument] = {}
    for line in json_lines(path):
        name = f"{line.text('UID')}.{line.text('pairID')}"
        if name in documents:
            raise DataError(f"a second pair {name!r}", where=line.where, cure="ids are used once")
        documents[name] = _document(name, line, counts)
    counts["paradigms"] = len({each.attributes["paradigm"] for each in documents.values()})
    return AnnotatedFile(tuple(documents.values()), dict(counts))


def _document(name: str, line: JsonLine, counts: Counter[str]) -> AnnotatedDocument:
    good, bad = line.text("sentence_good"), line.text("sentence_bad")
    first = hashlib.sha256(f"blimp {name}".encode()).digest()[0] % 2 == 0
    texts = (good, bad) if first else (bad, good)
    document = Document(name, tuple(map(words_of, texts)))
    starts = document.sentence_starts
    labels = ("yes", "no") if first else ("no", "yes")
    edges = (
        ()
        if good == bad
        else tuple(
            Edge(TASK, Span(start, end), None, (label,))
            for start, end, label in zip(starts[:-1], starts[1:], labels, strict=True)
        )
    )
    counts["documents"] += 1
    counts["sentences"] += 2
    counts["words"] += len(document)
    counts["acceptable_first"] += first
    counts["pairs_alike"] += good == bad
    return AnnotatedDocument(
        document,
        tuple(map(_word, document.words)),
        edges=edges,
        attributes={
            "paradigm": line.text("UID"),
            "field": line.text("field").replace("/", "_"),
            "phenomenon": line.text("linguistics_term"),
        },
    )
