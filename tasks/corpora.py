"""Names to data: what ``--data`` takes, as a corpus. Never downloads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import DataError, LayerwiseError, UsageError, did_you_mean
from ..core.files import sha256_of
from .base import AnnotatedDocument, Corpus
from .builtin import SEED, builtin_files
from .conllu import ConlluFile, ConlluSentences, read_conllu, read_sentences
from .corpus_files import conllu_files, files_by_split, is_conllu, licence_facts, split_of
from .corpus_split import split_file

VARIABLE = "LAYERWISE_DATA"
"""The environment variable that names the folder of the named corpora."""

_NAMED = {
    "gum": "English GUM, all genres: morphology, syntax, coreference (CC BY-NC-SA)",
    "gum_open": "English GUM, freely licensed genres: morphology, syntax, coreference",
    "ewt": "Universal Dependencies English-EWT: morphology, syntax",
}
_BUILTIN = "a treebank generated from our own grammar: morphology, syntax, coreference"
_UD = "ud:"
_UD_CODE = re.compile("[a-z]{2,3}_[a-z0-9]+")


@dataclass(frozen=True)
class CorpusInfo:
    """A corpus by name. ``where`` is its folder or, if it is not ``available``, what is missing."""

    name: str
    description: str
    available: bool
    where: str


def load_corpus(name: str) -> Corpus:
    """Read a corpus: ``builtin``, a named corpus, or the path of a folder or file.

    ``gum``, ``gum_open``, ``ewt`` and ``ud:CODE`` (``ud:cs_cltt``) lie below the folder that the
    environment variable LAYERWISE_DATA names. A folder holds one file a split, told by the words
    train, dev (valid, validation) and test in their names. A file is split by document; the rule
    is stated in the corpus's ``facts``, with each file's sha256 and counts.

    Raises UsageError for an unknown name, DataError for data that is missing or faulty.
    """
    if not name:
        raise UsageError("no data is named", where="--data", cure="write builtin, or a path")
    if name == "builtin":
        files, version = builtin_files()
        return _from_splits(name, files, {"grammar_version": version, "seed": SEED}, name)
    where, found = _find(name)
    if not (name in _NAMED or name.startswith(_UD)):
        # One corpus has one name however its path is written, and a record tells no one's folders.
        name = where.resolve().name
    if len(found) == 1 and _is_whole(found[0], where):
        return _from_one_file(name, found[0])
    files, rest = files_by_split(found, str(where))
    facts = licence_facts(found[0].parent)
    if rest:
        facts["files_not_read"] = [path.name for path in rest]
    return _from_splits(name, files, facts, str(where))


def list_corpora() -> list[CorpusInfo]:
    """The corpora that have a name: ours, and what lies below LAYERWISE_DATA."""
    corpora = [CorpusInfo("builtin", _BUILTIN, True, "generated")]
    for name, description in {**_NAMED, **_ud_corpora()}.items():
        try:
            where, found = _find(name)
            if not (len(found) == 1 and _is_whole(found[0], where)):
                files_by_split(found, str(where))
        except LayerwiseError as error:
            corpora.append(CorpusInfo(name, description, False, str(error)))
        else:
            corpora.append(CorpusInfo(name, description, True, str(where)))
    return corpora


def _find(name: str) -> tuple[Path, list[Path]]:
    """Where the corpus lies, and its files."""
    if name in _NAMED or name.startswith(_UD):
        return _find_named(name)
    try:
        path = Path(name).expanduser()
        if path.is_dir():
            return path, conllu_files(path)
        exists = path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"not a path ({error})", where="--data") from error
    if exists:
        return path, [path]
    if "/" in name or os.sep in name or is_conllu(path):
        raise DataError("no such file or folder", where=f"--data {name}", cure="check the path")
    raise UsageError(
        f"no such corpus: {name!r}",
        where="--data",
        cure=did_you_mean(name, ["builtin", *_NAMED, *_ud_corpora()])
        + "; or name a folder or a .conllu file",
    )


def _find_named(name: str) -> tuple[Path, list[Path]]:
    code = name.removeprefix(_UD)
    if name.startswith(_UD) and not _UD_CODE.fullmatch(code):
        raise UsageError(
            f"not the code of a treebank: {code!r}",
            where="--data",
            cure="write ud:LANGUAGE_TREEBANK as in the names of its files, ud:fi_tdt; "
            + did_you_mean(name, _ud_corpora()),
        )
    root = _root()
    if root is None:
        raise DataError(
            f"{name} lies below the folder that {VARIABLE} names, which is not set",
            where=f"--data {name}",
            cure=f"set {VARIABLE}, or write a path (./{code} for a folder here)",
        )
    if name in _NAMED:
        folder = root / name
        if not folder.is_dir():
            raise DataError(
                f"{folder} does not exist",
                where=f"--data {name}",
                cure=f"get the corpus, or set {VARIABLE} to the folder that holds {name}/",
            )
        return folder, conllu_files(folder)
    folders = sorted({path.parent for path in _ud_files(root, code)})
    if not folders:
        raise DataError(
            f"no file {code}-ud-*.conllu below {root / 'ud'}",
            where=f"--data {name}",
            cure=did_you_mean(name, _ud_corpora()),
        )
    if len(folders) > 1:
        raise DataError(
            f"two folders hold it: {folders[0]} and {folders[1]}",
            where=f"--data {name}",
            cure="name one of them as a path",
        )
    return folders[0], [path for path in conllu_files(folders[0]) if _ud_code(path) == code]


def _root() -> Path | None:
    value = os.environ.get(VARIABLE)
    return Path(value).expanduser() if value else None


def _ud_files(root: Path, code: str = "*") -> list[Path]:
    pattern = f"{code}-ud-*.conllu*"
    found = [*root.glob(f"ud/*/{pattern}"), *root.glob(f"UD_*/{pattern}")]
    return sorted(path for path in found if is_conllu(path))


def _ud_code(path: Path) -> str:
    return path.name.partition("-ud-")[0]


def _ud_corpora() -> dict[str, str]:
    """The names below LAYERWISE_DATA, and their descriptions."""
    root = _root()
    return {
        _UD + _ud_code(path): "Universal Dependencies "
        f"{path.parent.name.removeprefix('UD_')}: morphology, syntax"
        for path in (_ud_files(root) if root else ())
    }


def _is_whole(path: Path, where: Path) -> bool:
    """Is a lone file the whole corpus, and not one split whose fellows are missing?"""
    return (
        path == where or split_of(path) is None or "pud" in re.split("[^a-z]+", path.name.lower())
    )


def _from_one_file(name: str, path: Path) -> Corpus:
    read = read_sentences(path)
    splits, rule = split_file(read, str(path))
    facts = {
        "files": {"all": _file_facts(path, read)},
        "split": rule,
        **licence_facts(path.parent),
    }
    return _checked(name, splits, facts, str(path))


def _from_splits(
    name: str, files: Mapping[str, Path], facts: Mapping[str, Any], where: str
) -> Corpus:
    splits, told = {}, {}
    for split, path in files.items():
        read = read_conllu(path)
        splits[split] = read.documents
        told[split] = _file_facts(path, read)
    facts = {"files": told, "split": "one file a split", **facts}
    return _checked(name, splits, facts, where)


def _file_facts(path: Path, read: ConlluFile | ConlluSentences) -> dict[str, Any]:
    return {"file": path.name, "sha256": sha256_of(path), **read.counts, **read.trees}


def _checked(
    name: str,
    splits: Mapping[str, tuple[AnnotatedDocument, ...]],
    facts: Mapping[str, Any],
    where: str,
) -> Corpus:
    """The corpus, once no document is in it twice; equal texts in two splits are counted."""
    owner: dict[str, str] = {}
    for split, documents in splits.items():
        for document in documents:
            first = owner.setdefault(document.document.id, split)
            if first != split:
                raise DataError(
                    f"the document {document.document.id!r} is both in {first} and in {split}",
                    where=where,
                    cure="a document belongs to one split only",
                )
    return Corpus(name, splits, {**facts, "texts_in_two_splits": _shared_texts(splits.values())})


def _shared_texts(splits: Iterable[tuple[AnnotatedDocument, ...]]) -> int:
    """How many documents have the words of a document of an earlier split."""
    seen: set[tuple[str, ...]] = set()
    shared = 0
    for documents in splits:
        texts = [document.document.words for document in documents]
        shared += sum(text in seen for text in texts)
        seen.update(texts)
    return shared
