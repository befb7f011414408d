"""Documents into train, dev and test, the same way on every machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from ..core.errors import DataError
from ..core.types import SPLITS
from .base import AnnotatedDocument
from .conllu import ConlluSentences, build_document
from .conllu_sentence import ParsedSentence

Documents = tuple[AnnotatedDocument, ...]
Splits = dict[str, Documents]


class Unit(NamedTuple):
    """What stays in one split: all documents for which ``key`` gives the same text.

    ``name`` and ``told_by`` name the unit and its key in rules.
    """

    name: str
    told_by: str
    key: Callable[[AnnotatedDocument], str]


DOCUMENT = Unit("document", "ids", lambda document: document.document.id)
SENTENCE = Unit(
    "sentence",
    "words in lower case and without spaces",
    lambda document: "".join("".join(document.document.words).lower().split()),
)

_PUD = re.compile(r"([nw][0-9]{5})[0-9]{3}")
_SHARE = 10


def split_documents(
    documents: Sequence[AnnotatedDocument], where: str, unit: Unit = DOCUMENT
) -> tuple[Splits, str]:
    """Documents into train, dev and test, 80/10/10 by unit, and the rule.

    Raises DataError where there are fewer than three units.
    """
    keys = _ranked(documents, unit)
    if len(keys) < len(SPLITS):
        raise DataError(
            f"{len(keys)} {unit.name}s cannot be split into train, dev and test",
            where=where,
            cure="name a folder with a file for each split"
            + (", or mark more documents (# newdoc)" if unit is DOCUMENT else ""),
        )
    held_out = max(1, round(len(keys) / _SHARE))
    split = dict.fromkeys(keys, "train")
    split.update(dict.fromkeys(keys[: 2 * held_out], "dev"))
    split.update(dict.fromkeys(keys[:held_out], "test"))
    rule = (
        f"split by {unit.name}: in the order of the sha256 of their {unit.told_by}, "
        "the first tenth is test, the second dev, the rest train"
    )
    return _gather(documents, [split[unit.key(document)] for document in documents], where), rule


def hold_out(
    documents: Sequence[AnnotatedDocument], share: int, where: str, unit: Unit = DOCUMENT
) -> tuple[Documents, Documents]:
    """Documents without and with one in ``share`` units: the first in the order of the sha256.

    Raises DataError where nothing would be left.
    """
    keys = _ranked(documents, unit)
    if len(keys) < 2:
        raise DataError(
            f"{len(keys)} {unit.name} cannot be split in two",
            where=where,
            cure="add a file for the split that is missing",
        )
    held = set(keys[: max(1, round(len(keys) / share))])
    return (
        tuple(document for document in documents if unit.key(document) not in held),
        tuple(document for document in documents if unit.key(document) in held),
    )


def completed(
    found: Mapping[str, Sequence[AnnotatedDocument]], where: str, unit: Unit = DOCUMENT
) -> tuple[Splits, str]:
    """All three splits from those that the data has, and how: what is missing is held out.

    Without train, four fifths of dev are train; without dev, a tenth of train is dev; without
    test, dev is test and a tenth of train is dev; a split alone is split 80/10/10.
    """
    have = {name: tuple(found[name]) for name in SPLITS if found.get(name)}
    if len(have) == len(SPLITS):
        return have, "as the data gives them"
    if len(have) < 2:
        return split_documents(
            [document for each in have.values() for document in each], where, unit
        )
    if "train" not in have:
        train, dev = hold_out(have["dev"], 5, where, unit)
        rule = (
            f"the data has no train: a fifth of the {unit.name}s of its dev is dev, the rest train"
        )
        test = have["test"]
    else:
        train, dev = hold_out(have["train"], _SHARE, where, unit)
        rule = "test: its dev is test, and" if "dev" in have else "dev:"
        rule = f"the data has no {rule} a tenth of the {unit.name}s of train is dev"
        test = have["test"] if "test" in have else have["dev"]
    rule += f", the first in the order of the sha256 of their {unit.told_by}"
    return {"train": train, "dev": dev, "test": test}, rule


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
    return split_documents(documents, where)


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


def _ranked(documents: Sequence[AnnotatedDocument], unit: Unit) -> list[str]:
    return sorted({unit.key(document) for document in documents}, key=_digest)


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
