"""From files of one format to train, dev and test, and what to say of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import DataError
from ..core.files import sha256_of
from ..core.types import SPLITS
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument
from .conllu import ConlluFile, ConlluSentences, read_conllu, read_sentences
from .corpus_files import files_by_split, inside, is_whole, split_of
from .corpus_split import (
    DOCUMENT,
    SENTENCE,
    Documents,
    Splits,
    Unit,
    completed,
    split_documents,
    split_file,
)
from .splits import sentences_of

Reader = Callable[[Path], AnnotatedFile]
_APART = "each sentence is a document of its own, since the data marks no documents; "


class Loaded(NamedTuple):
    """``facts`` has ``files``, with their sha256 and counts, and ``split``, the rule."""

    splits: Splits
    facts: dict[str, Any]


class Rules(NamedTuple):
    """How a format's files become splits.

    ``unit`` is what stays together. A split that is missing is held out of another if the format
    ``lends``. A text without marked documents is split by ``sentences`` if annotation ends there.
    """

    unit: Unit = DOCUMENT
    lends: bool = False
    sentences: bool = False


PLAIN = Rules()


def file_facts(path: Path, counts: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of a file."""
    return {"file": path.name, "sha256": sha256_of(path), **counts}


def from_conllu(where: Path, files: Sequence[Path]) -> Loaded:
    """A file a split, or one file that is the whole: itself named, or telling no split."""
    if len(files) == 1 and (files[0] == where or is_whole(files[0])):
        sentences = read_sentences(files[0])
        splits, rule = split_file(sentences, str(files[0]))
        return Loaded(splits, {"files": {"all": _conllu_facts(files[0], sentences)}, "split": rule})
    found, rest = files_by_split(files, str(where))
    splits, told = {}, {}
    for split, path in found.items():
        read = read_conllu(path)
        splits[split] = read.documents
        told[split] = _conllu_facts(path, read)
    facts: dict[str, Any] = {"files": told, "split": "one file a split"}
    if rest:
        facts["files_not_read"] = [path.name for path in rest]
    return Loaded(splits, facts)


def _conllu_facts(path: Path, read: ConlluFile | ConlluSentences) -> dict[str, Any]:
    return file_facts(path, {**read.counts, **read.trees})


def from_file(path: Path, read: Reader, rules: Rules = PLAIN) -> Loaded:
    """One file that is the whole corpus."""
    file = read(path)
    splits, rule = _split(file.documents, str(path), rules)
    return Loaded(splits, {"files": {"all": file_facts(path, file.counts)}, "split": rule})


def from_parts(folder: Path, files: Sequence[Path], read: Reader, rules: Rules = PLAIN) -> Loaded:
    """Several files that are the whole corpus together."""
    parts = [(path, read(path)) for path in files]
    documents = [document for _, part in parts for document in part.documents]
    splits, rule = _split(documents, str(folder), rules)
    facts = {"files": {path.name: file_facts(path, part.counts) for path, part in parts}}
    return Loaded(splits, {**facts, "split": rule})


def _split(documents: Sequence[AnnotatedDocument], where: str, rules: Rules) -> tuple[Splits, str]:
    if not rules.sentences or len(documents) > 1:
        return split_documents(documents, where, rules.unit)
    splits, rule = split_documents(list(sentences_of(documents[0], where)), where, SENTENCE)
    return splits, _APART + rule


def from_folder(
    folder: Path, takes: Callable[[Path], bool], ending: str, read: Reader, rules: Rules = PLAIN
) -> Loaded:
    """A file a split or, where the folder holds none, a folder a split with any number of files."""
    files = [path for path in inside(folder) if path.is_file() and takes(path)]
    rest: list[Path] = []
    if files:
        one, rest = files_by_split(files, str(folder), ending, whole=not rules.lends)
        found = {split: [path] for split, path in one.items()}
    else:
        found = _below(folder, takes, ending, whole=not rules.lends)
    splits: dict[str, Documents] = {}
    told: dict[str, Any] = {}
    for split, paths in found.items():
        parts = [read(path) for path in paths]
        splits[split] = tuple(document for part in parts for document in part.documents)
        told[split] = _facts_of(folder, paths, parts)
    facts: dict[str, Any] = {"files": told, "split": "one file a split"}
    if len(found) < 3:
        splits, facts["split"] = _completed(splits, str(folder), rules)
    if rest:
        facts["files_not_read"] = [path.name for path in rest]
    return Loaded(splits, facts)


def _below(
    folder: Path, takes: Callable[[Path], bool], ending: str, whole: bool
) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in inside(folder):
        if path.is_dir() and (split := split_of(path)):
            files = [each for each in sorted(path.rglob("*")) if each.is_file() and takes(each)]
            found.setdefault(split, []).extend(files)
    found = {split: files for split, files in found.items() if files}
    missing = [split for split in SPLITS if split not in found]
    if missing and (whole or not found):
        raise DataError(
            f"no {ending} file for {' and '.join(missing)}",
            where=str(folder),
            cure="put the word train, dev or test into the names of its files or of their folders",
        )
    return {split: found[split] for split in SPLITS if split in found}


def _facts_of(
    folder: Path, paths: Sequence[Path], parts: Sequence[AnnotatedFile]
) -> dict[str, Any]:
    if len(paths) == 1:
        return file_facts(paths[0], parts[0].counts)
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    lines = "".join(f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths)
    return {"files": len(paths), "sha256": hashlib.sha256(lines.encode()).hexdigest(), **counts}


def _completed(splits: Mapping[str, Documents], where: str, rules: Rules) -> tuple[Splits, str]:
    if not rules.sentences or all(len(documents) > 1 for documents in splits.values()):
        return completed(splits, where, rules.unit)
    apart = {
        name: tuple(sentence for each in documents for sentence in sentences_of(each, where))
        for name, documents in splits.items()
    }
    whole, rule = completed(apart, where, SENTENCE)
    return whole, _APART + rule


def told_file(path: Path, what: str) -> Path:
    """The path, unless it is a folder where a file is due."""
    if path.is_dir():
        raise DataError(
            "a folder where a file is due", where=str(path), cure=f"name a file of {what} in it"
        )
    return path
