"""The reader of a file of Penn trees alone: their leaves are the words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError
from ..core.types import Document, Sentence, Span
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, Constituent, Word, bare
from .brackets import Tree, parse_tree, plain
from .conllu_text import read_bytes, split_lines
from .faults import raising

_NEWDOC = re.compile(r"#\s*newdoc(?:\s+id)?(?:\s*=\s*(.*?))?\s*")
_ENDING = re.compile(r"\.(?:mrg|ptb|trees?|txt)$")
_LEAF = re.compile(r"\(\s*([^()\s]+)\s+[^()\s]+\s*\)")
_FUNCTION = re.compile(r"(?<=[^-=])[-=].*(?<!-)$")  # -LRB- is no function tag
_NOTHING = "-NONE-"
_ABOVE = ("", "TOP")
_CURE = "write each tree as (LABEL (TAG word) ...)"
COUNTS = (
    "documents",
    "documents_without_words",
    "sentences",
    "words",
    "constituents",
    "traces",
    "empty_phrases",
    "trees_without_words",
)
"""What is always counted."""


class _Leaves(NamedTuple):
    """A tree, the tags of its leaves and the number of its phrases, traces included."""

    tree: Tree
    tags: list[str]
    phrases: int


@dataclass
class _Part:
    """A document's trees, and where it begins."""

    id: str
    where: str
    trees: list[_Leaves] = field(default_factory=list)


def read_brackets(path: Path) -> AnnotatedFile:
    """Read a file of trees (``.mrg``, ``.ptb``, ``.tree``), plain or gzip, as annotated documents.

    Each tree is a sentence of its leaves with spaces between, escapes undone (``-LRB-`` is ``(``).
    ``xpos`` is the leaf's tag without function tags (``NN-TMP`` is NN, ``-LRB-`` stays); labels
    of constituents stand as written, but a node around the tree without a label, or TOP, is ROOT.
    Heads are unknown. Traces (``-NONE-``), phrases that hold nothing else and trees of nothing else
    are left out and counted, under the names of COUNTS.

    A document begins at ``# newdoc id = ID``; without an id it is called after the file and its
    place (``wsj#2``), and what stands before the first, or in a file without any, after the file.
    Other lines that begin with ``#`` are comments.

    Raises DataError with ``where="FILE:LINE"``, the line where the tree begins, for text that is
    no tree.
    """
    counts = Counter(dict.fromkeys(COUNTS, 0))
    documents: list[AnnotatedDocument] = []
    ids: set[str] = set()
    for part in _parts(path, split_lines(read_bytes(path), raising(str(path), {}))):
        if part.id in ids:
            raise DataError(
                f"a second document {part.id!r}", where=part.where, cure="ids are used once"
            )
        ids.add(part.id)
        worded = [each for each in part.trees if each.tree.words]
        counts["trees_without_words"] += len(part.trees) - len(worded)
        for tree, tags, phrases in part.trees:
            counts["traces"] += len(tags) - len(tree.words)
            counts["empty_phrases"] += phrases - len(tree.constituents)
        if worded:
            documents.append(_document(part.id, worded))
        else:
            counts["documents_without_words"] += 1
    if not documents:
        raise DataError("no tree with words in this file", where=str(path), cure=_CURE)
    counts["documents"] = len(documents)
    for each in documents:
        counts["sentences"] += len(each.document.sentences)
        counts["words"] += len(each.words)
        counts["constituents"] += len(each.constituents or ())
    return AnnotatedFile(tuple(documents), {name: counts[name] for name in COUNTS})


def _parts(path: Path, lines: list[str]) -> Iterator[_Part]:
    stem = _ENDING.sub("", path.name.removesuffix(".gz"))
    part, begun = _Part(stem, str(path)), 0
    begin, waiting, depth = 0, "", 0
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        if newdoc := _NEWDOC.fullmatch(line):
            if waiting.strip():
                raise _fault(path, begin, "this tree is not closed before the next document")
            if begun or part.trees:
                yield part
            begun += 1
            part = _Part(newdoc[1] or f"{stem}#{begun}", where)
        elif not line.startswith("#"):
            # A tree ends where as many brackets have closed as have opened.
            for piece in re.findall(r"[^()]*[()]|[^()]+$", line):
                if not waiting.strip():
                    begin, waiting = number, ""
                waiting += piece
                depth += {"(": 1, ")": -1}.get(piece[-1], 0)
                if piece[-1] == ")" and depth <= 0:
                    part.trees.append(_leaves(path, begin, waiting))
                    waiting, depth = "", 0
            waiting += "\n"
    if waiting.strip():
        _leaves(path, begin, waiting)
    yield part


def _leaves(path: Path, line: int, text: str) -> _Leaves:
    try:
        tree = parse_tree(text)
    except ValueError as error:
        raise _fault(path, line, str(error)) from error
    tags = _LEAF.findall(text)
    return _Leaves(tree, tags, text.count("(") - len(tags))


def _fault(path: Path, line: int, what: str) -> DataError:
    return DataError(what, where=f"{path}:{line}", cure=_CURE)


def _document(name: str, trees: list[_Leaves]) -> AnnotatedDocument:
    sentences: list[Sentence] = []
    words: list[Word] = []
    constituents: list[Constituent] = []
    for tree, tags, _ in trees:
        for (start, end), label in tree.constituents:
            named = "ROOT" if label in _ABOVE else label
            constituents.append(Constituent(Span(start + len(words), end + len(words)), named))
        forms = [plain(leaf) for leaf in tree.words]
        sentences.append(Sentence.from_words(forms))
        with_words = (tag for tag in tags if tag != _NOTHING)
        for form, tag in zip(forms, with_words, strict=True):
            words.append(bare(form)._replace(xpos=_FUNCTION.sub("", tag)))
    return AnnotatedDocument(
        Document(name, tuple(sentences)), tuple(words), None, tuple(constituents) or None
    )
