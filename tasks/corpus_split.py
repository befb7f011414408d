"""One file into train, dev and test: by document, the same way on every machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from itertools import groupby

from ..core.errors import DataError
from ..core.types import SPLITS
from .base import AnnotatedDocument
from .conllu import ConlluSentences, build_document
from .conllu_sentence import ParsedSentence

Splits = dict[str, tuple[AnnotatedDocument, ...]]

_PUD = re.compile(r"([nw][0-9]{5})[0-9]{3}")
_SHARE = 10


def split_file(read: ConlluSentences, where: str) -> tuple[Splits, str]:
    """The splits of a file, and the rule by which they were made, for the record.

    Raises DataError when the file has too little to split.
    """
    if all(_PUD.fullmatch(sentence.id) for sentence in read.sentences):
        return _parallel(read.sentences, where)
    if read.has_documents:
        return _by_document(read.sentences, where)
    return _by_sentence(read, where)


def _parallel(sentences: Sequence[ParsedSentence], where: str) -> tuple[Splits, str]:
    # Not by `# newdoc`: Arabic-PUD repeats it on each sentence.
    groups: dict[str, list[ParsedSentence]] = {}
    for sentence in sentences:
        groups.setdefault(sentence.id[:6], []).append(sentence)
    documents = [build_document(key, group) for key, group in groups.items()]
    rule = (
        "parallel treebank (PUD): documents are the sentences whose sent_id begins with the same "
        "six signs; a document's split is told by the sha256 of these signs, about 80/10/10, so "
        "that it is the same in every language"
    )
    return _by_hash(documents, where), rule


def _by_document(sentences: Sequence[ParsedSentence], where: str) -> tuple[Splits, str]:
    documents = [
        build_document(key, group) for key, group in groupby(sentences, key=lambda s: s.document)
    ]
    if len(documents) < len(SPLITS):
        raise DataError(
            f"{len(documents)} documents cannot be split into train, dev and test",
            where=where,
            cure="name a folder with a file for each split, or mark more documents (# newdoc)",
        )
    held_out = max(1, round(len(documents) / _SHARE))
    order = sorted(range(len(documents)), key=lambda i: _digest(documents[i].document.id))
    split = dict.fromkeys(order, "train")
    split.update(dict.fromkeys(order[:held_out], "test"))
    split.update(dict.fromkeys(order[held_out : 2 * held_out], "dev"))
    rule = (
        "one file, split by document: in the order of the sha256 of their ids, the first tenth is "
        "test, the second dev, the rest train"
    )
    return _gather(documents, [split[i] for i in range(len(documents))], where), rule


def _by_sentence(read: ConlluSentences, where: str) -> tuple[Splits, str]:
    if read.has_mentions:
        raise DataError(
            "coreference without documents (# newdoc) cannot be split",
            where=where,
            cure="mark the documents, or name a folder with a file for each split",
        )
    documents = [build_document(sentence.id, [sentence]) for sentence in read.sentences]
    rule = (
        "one file without documents (# newdoc): each sentence is a document of its own, and its "
        "split is told by the sha256 of its sent_id (of its number where it has none), about "
        "80/10/10; neighbours may fall into different splits"
    )
    return _by_hash(documents, where), rule


def _by_hash(documents: Sequence[AnnotatedDocument], where: str) -> Splits:
    names = ["test", "dev"] + ["train"] * (_SHARE - 2)
    chosen = [names[int(_digest(document.document.id), 16) % _SHARE] for document in documents]
    return _gather(documents, chosen, where)


def _gather(documents: Sequence[AnnotatedDocument], chosen: Sequence[str], where: str) -> Splits:
    splits = {
        split: tuple(
            document for document, name in zip(documents, chosen, strict=True) if name == split
        )
        for split in SPLITS
    }
    empty = [split for split in SPLITS if not splits[split]]
    if empty:
        raise DataError(
            f"too small to split: nothing is left for {' and '.join(empty)}",
            where=where,
            cure="name a folder with a file for each split",
        )
    return splits


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8")).hexdigest()
