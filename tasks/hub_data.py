"""Data sets in the form of the ``datasets`` package: parquet here or on the hub, or in memory.

Nothing that a data set holds is executed: scripts are refused by ``datasets`` itself from version 4
on, and only parquet is fetched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import DataError, UsageError
from ..core.files import sha256_of
from .base import Corpus
from .corpus_files import licence_facts, split_of
from .corpus_split import Documents, completed
from .dataset_columns import read_columns
from .dataset_rows import read_rows
from .sound_corpus import sound_corpus

ALLOW_DOWNLOAD = "LAYERWISE_ALLOW_DOWNLOAD"
"""The environment variable that allows, where it is 1, to ask the hub."""

_FORM = "hf-data:ORG/NAME@REVISION"
_HUB = re.compile(r"(?P<id>[\w.-]+(?:/[\w.-]+)?)@(?P<revision>[\w./-]+)(?::(?P<part>[\w.-]+))?")
_LICENCE = re.compile(r"^license:[ \t]*(\S.*)$", re.MULTILINE)


class _Here(NamedTuple):
    """A folder or file with parquet, what the corpus is called, and what is known of it."""

    path: Path
    name: str
    facts: dict[str, Any]


def from_dataset(data: Mapping[str, Any], name: str) -> Corpus:
    """A ``DatasetDict``, or splits of class ``Dataset`` by name, as a corpus: a row, a document.

    Words are the column ``tokens`` or ``words``; without one, those of the text in ``text`` or
    ``sentence``, by rule (``surface_words``). Read are the columns ``upos``, ``xpos``, ``lemmas``,
    ``pos_tags`` (UPOS where all values are, otherwise XPOS), those whose values are tags O, B-X,
    I-X (``ner_tags``: edges of the task ``ner``), and ``label``, the document's attribute; values
    are strings or of the class ``ClassLabel``. ``facts`` names the columns that were read and
    those that were not, and counts rows without words, which are left out.

    Splits are told by their names (validation is dev). A split without any label, as hidden test
    sets are, is left out, and one that is missing is held out of another; ``facts["split"]`` says
    how. Raises DataError for columns that fit nothing, and for rows that do not fit.
    """
    where = f"--data {name}"
    splits: dict[str, Any] = {}
    others = []
    for key, dataset in data.items():
        split = split_of(Path(key))
        if split is None and len(data) > 1:
            others.append(key)
        elif (split or "train") in splits:
            raise DataError(
                f"two splits for {split}: {', '.join(data)}",
                where=where,
                cure="give one of them alone",
            )
        else:
            splits[split or "train"] = dataset
    if not splits:
        raise DataError(f"no split among {', '.join(data) or 'none'}", where=where, cure="name one")
    columns = read_columns(splits, where)
    documents: dict[str, Documents] = {}
    counts: dict[str, Any] = {}
    hidden = []
    for split, dataset in splits.items():
        read = read_rows(dataset, columns, split, where)
        if read is None:
            hidden.append(split)
            continue
        documents[split], counts[split] = read.documents, dict(read.counts)
    whole, rule = completed(documents, where)
    facts: dict[str, Any] = {
        "format": "hf-data",
        "columns": columns.facts(),
        "counts": counts,
        "split": rule,
    }
    if hidden:
        facts["splits_without_labels"] = hidden
    if others:
        facts["splits_not_read"] = others
    return sound_corpus(name, whole, facts, where)


def load_hub_data(argument: str) -> Corpus:
    """What ``--data hf-data:ARGUMENT`` names: parquet here, or a data set on the hub.

    A local one starts with ``.``, ``/`` or ``~`` or exists. Anything else is ``NAME@REVISION`` or
    ``ORG/NAME@REVISION`` with ``:PART`` behind it where the data set has several parts; the hub is
    asked for it only when the environment variable LAYERWISE_ALLOW_DOWNLOAD is 1. The revision is
    a commit, or ``refs/convert/parquet``, where the hub keeps parquet of data sets that have none;
    ``facts["revision"]`` is the commit that it stands for.
    """
    where = f"--data hf-data:{argument}"
    local = Path(argument).expanduser()
    if argument.startswith((".", "/", "~")) or local.exists():
        if not local.exists():
            raise DataError("no such file or folder", where=where, cure="check the path")
        here = _Here(local, f"hf-data:{local.resolve().name}", licence_facts(_folder(local)))
    else:
        here = _from_hub(argument, where)
    files = _parquet(here.path, where)
    corpus = from_dataset({name: _read(paths) for name, paths in files.items()}, here.name)
    told = {
        path.relative_to(_folder(here.path)).as_posix(): {"sha256": sha256_of(path)}
        for paths in files.values()
        for path in paths
    }
    return Corpus(corpus.name, corpus.splits, {**corpus.facts, "files": told, **here.facts})


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _from_hub(argument: str, where: str) -> _Here:
    told = _HUB.fullmatch(argument)
    if told is None:
        raise UsageError(
            "neither a path nor a data set with its revision",
            where=where,
            cure=f"write {_FORM}, with a commit or refs/convert/parquet, or hf-data:./FOLDER",
        )
    from huggingface_hub import snapshot_download

    allowed = os.environ.get(ALLOW_DOWNLOAD) == "1"
    part = told["part"]
    try:
        folder = Path(
            snapshot_download(
                told["id"],
                repo_type="dataset",
                revision=told["revision"],
                local_files_only=not allowed,
                allow_patterns=[f"{part}/*.parquet" if part else "*.parquet", "README.md"],
            )
        )
    except Exception as error:
        if allowed:
            what = f"cannot be downloaded ({' '.join(str(error).split())[:200]})"
            cure = "look at the name, the revision and the network"
        else:
            what = "not in the local cache of Hugging Face data sets"
            cure = f"--allow-download (or {ALLOW_DOWNLOAD}=1) fetches it; hf-data:./FOLDER is local"
        raise DataError(what, where=where, cure=cure) from error
    facts = {"source": f"huggingface.co/datasets/{told['id']}", "revision": folder.name}
    if licence := _licence(folder / "README.md"):
        facts["licence"] = licence
    return _Here(folder / part if part else folder, f"hf-data:{argument}", facts)


def _licence(card: Path) -> str:
    try:
        told = _LICENCE.search(card.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return told[1].strip() if told else ""


def _parquet(path: Path, where: str) -> dict[str, list[Path]]:
    """The files of each split, in the order of their names."""
    if path.is_file():
        return {"train": [path]}
    found: dict[str, list[Path]] = {}
    parts = set()
    for file in sorted(path.rglob("*.parquet")):
        inner = file.relative_to(path)
        by_file = split_of(Path(file.stem))
        split = by_file or (split_of(Path(inner.parent.name)) if inner.parent.name else None)
        if split is None:
            raise DataError(
                f"{inner} tells no split", where=where, cure="put train, validation or test into it"
            )
        found.setdefault(split, []).append(file)
        parts.add(inner.parent if by_file else inner.parent.parent)
    if not found:
        raise DataError(
            "no parquet file here, and scripts are never run",
            where=where,
            cure="take the revision refs/convert/parquet, or export it as parquet, CoNLL-U or JSON "
            "lines of edge probing",
        )
    if len(parts) > 1:
        names = ", ".join(sorted(part.as_posix() for part in parts))
        raise DataError(
            f"several data sets are here: {names}",
            where=where,
            cure=f"name one of these folders ({_FORM}:{min(parts).as_posix()})",
        )
    return found


def _read(paths: Sequence[Path]) -> Any:
    """A split as ``datasets`` has it; the file is read at once, and no cache is written."""
    from datasets import Dataset, concatenate_datasets
    from datasets.table import InMemoryTable

    parquet = import_module("pyarrow.parquet")
    read = []
    for path in paths:
        try:
            read.append(Dataset(InMemoryTable(parquet.read_table(path))))
        except (OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:
            raise DataError(
                f"cannot be read as parquet ({' '.join(str(error).split())[:200]})",
                where=str(path),
                cure="fetch or export it again",
            ) from error
    for path, each in zip(paths, read, strict=True):
        if dict(each.features) != dict(read[0].features):  # joined, they would have empty values
            raise DataError(
                f"its columns are not those of {paths[0].name}",
                where=str(path),
                cure="export alike",
            )
    return concatenate_datasets(read)
