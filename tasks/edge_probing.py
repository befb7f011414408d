"""The edge-probing form: a text, its spans or pairs of spans, and their labels, as JSON lines.

Source: Tenney et al. 2019 (ICLR, section 2), and the files of the jiant toolkit.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import DataError
from ..core.files import atomic_writer
from ..core.types import Document, Sentence, Span, Target
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, Edge, bare
from .json_lines import JsonLine, json_lines

_RESTORED = "words_with_blanks"
_STAND_IN = "_"


def read_edge_probing(path: Path, task: str) -> AnnotatedFile:
    """Read a file, plain or gzip: a document of one sentence a line, its targets edges of ``task``.

    A line is ``{"text": "...", "targets": [{"span1": [START, END], "span2": [START, END],
    "label": "X" or ["X", ...]}], "info": {...}}``; ``span2`` may be null or left out, further keys
    mean nothing. Words are what the spaces of the text set apart; spans are half-open over them.
    ``info.words_with_blanks``, which ``write_edge_probing`` leaves, gives words by their position
    that hold blanks. The surface of a sentence is its words with spaces between.

    A document is called ``info.document_id``, with ``/`` and ``info.sentence_id`` behind it where
    that is told too, if every line tells an id and no two the same; otherwise after the file and
    its line (``train#7``). ``counts``: ``documents``, ``words``, ``words_with_blanks``,
    ``targets``, ``documents_without_targets``.

    Raises DataError with ``where="FILE:LINE"`` at the first fault. White space in the text other
    than one space between words is refused: jiant splits at any stretch of it, other programs at
    each space, and the spans would mean other words.
    """
    counts = Counter(
        documents=0, words=0, words_with_blanks=0, targets=0, documents_without_targets=0
    )
    lines = list(json_lines(path))
    ids = [_id(line) for line in lines]
    if None in ids or len(set(ids)) < len(ids):
        stem = Path(path.name.removesuffix(".gz")).stem
        ids = [f"{stem}#{line.number}" for line in lines]
    documents = tuple(
        _document(str(name), task, line, counts) for name, line in zip(ids, lines, strict=True)
    )
    return AnnotatedFile(documents, dict(counts))


def write_edge_probing(
    documents: Iterable[Document], targets: Iterable[Target], path: Path
) -> Mapping[str, int]:
    """Write a line a document, with its targets in the order given; give counts of what it holds.

    Spans count words over the document, and the text is its words with spaces between: borders of
    sentences and the surface are not kept. White space in a word is written as ``_``, and the word
    as it is under ``info.words_with_blanks`` (counted under that name). The label of a target with
    any number of labels is a list.

    Raises DataError for two documents of one id, a target of a document that is not there, or a
    span outside of its document; no file is left then.
    """
    found: dict[str, list[Target]] = {}
    for target in targets:
        found.setdefault(target.document, []).append(target)
    counts = Counter(documents=0, words=0, words_with_blanks=0, targets=0)
    ids: set[str] = set()
    with atomic_writer(path, "w") as stream:
        for document in documents:
            if document.id in ids:
                raise DataError(f"a second document {document.id!r}", where=str(path))
            ids.add(document.id)
            stream.write(_line(document, found.pop(document.id, []), counts) + "\n")
        if found:
            raise DataError(
                f"targets of documents that are not there: {', '.join(sorted(found)[:3])}",
                where=str(path),
                cure="give their documents as well",
            )
    return dict(counts)


def _line(document: Document, targets: list[Target], counts: Counter[str]) -> str:
    words = [_joined(word) for word in document.words]
    changed = {
        str(position): word
        for position, word in enumerate(document.words)
        if word != words[position]
    }
    for target in targets:
        for span in (target.span1, target.span2):
            if span is not None and not 0 <= span.start < span.end <= len(words):
                raise DataError(
                    f"the span {tuple(span)} is not among {len(words)} words", where=document.id
                )
    counts["documents"] += 1
    counts["words"] += len(words)
    counts["words_with_blanks"] += len(changed)
    counts["targets"] += len(targets)
    value = {
        "text": " ".join(words),
        "info": {"document_id": document.id, **({_RESTORED: changed} if changed else {})},
        "targets": [
            {"span1": each.span1, "label": each.label}
            if each.span2 is None
            else {"span1": each.span1, "span2": each.span2, "label": each.label}
            for each in targets
        ],
    }
    # JSON allows this sign as it is, readers of text lines do not.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _joined(word: str) -> str:
    return "".join(_STAND_IN if sign.isspace() else sign for sign in word)


def _document(name: str, task: str, line: JsonLine, counts: Counter[str]) -> AnnotatedDocument:
    words = _words(line)
    targets = line.value.get("targets")
    if not isinstance(targets, list):
        raise DataError(
            "no list of targets", where=line.where, cure='write "targets": [...], or [] for none'
        )
    edges = tuple(_edge(task, each, len(words), line.where) for each in targets)
    counts["documents"] += 1
    counts["words"] += len(words)
    counts["words_with_blanks"] += len(_info(line).get(_RESTORED, ()))
    counts["targets"] += len(edges)
    counts["documents_without_targets"] += not edges
    text = Document(name, (Sentence.from_words(words),))
    return AnnotatedDocument(text, tuple(map(bare, words)), edges=edges)


def _words(line: JsonLine) -> list[str]:
    text = line.text("text").rstrip(" ")
    words = text.split()
    if " ".join(words) != text:
        raise DataError(
            "a space too many, or other white space, in the text",
            where=line.where,
            cure="set words apart by one space each",
        )
    restored = _info(line).get(_RESTORED, {})
    if not isinstance(restored, dict):
        raise _not_restored(line)
    positions = {str(position): position for position in range(len(words))} if restored else {}
    for place, word in restored.items():
        position = positions.get(place)
        if position is None or not isinstance(word, str) or _joined(word) != words[position]:
            raise _not_restored(line)
        words[position] = word
    return words


def _not_restored(line: JsonLine) -> DataError:
    return DataError(
        f"{_RESTORED} that are not words of the text",
        where=line.where,
        cure='write {"POSITION": "WORD"}, with _ for each blank of the word in the text',
    )


def _edge(task: str, target: Any, size: int, where: str) -> Edge:
    if not isinstance(target, dict):
        raise DataError(
            "a target that is no object", where=where, cure='write {"span1": ..., "label": ...}'
        )
    span2 = target.get("span2")
    label = target.get("label")
    labels = [label] if isinstance(label, str) else label
    if not isinstance(labels, list) or not all(isinstance(each, str) for each in labels):
        raise DataError(
            f"the label {label!r} is neither text nor a list of texts",
            where=where,
            cure='write "label": "X" or "label": ["X", "Y"]',
        )
    return Edge(
        task,
        _span("span1", target.get("span1"), size, where),
        None if span2 is None else _span("span2", span2, size, where),
        tuple(labels),
    )


def _span(name: str, value: Any, size: int, where: str) -> Span:
    # True and False are integers to Python, and none to JSON.
    if isinstance(value, list) and len(value) == 2 and all(type(each) is int for each in value):
        span = Span(*value)
        if 0 <= span.start < span.end <= size:
            return span
    raise DataError(
        f"{name} is {json.dumps(value)[:60]}, which is no span of {size} words",
        where=where,
        cure="write [START, END], counted from 0, END behind the last word",
    )


def _info(line: JsonLine) -> Mapping[str, Any]:
    info = line.value.get("info", {})
    if not isinstance(info, dict):
        raise DataError("info that is no object", where=line.where, cure='write "info": {...}')
    return info


def _id(line: JsonLine) -> str | None:
    info = _info(line)
    parts = [info[name] for name in ("document_id", "sentence_id") if name in info]
    if not all(isinstance(part, str) or type(part) is int for part in parts):
        raise DataError(
            "an id that is neither text nor a number",
            where=line.where,
            cure='write "info": {"document_id": "...", "sentence_id": 1}',
        )
    return "/".join(map(str, parts)) if "document_id" in info else None
