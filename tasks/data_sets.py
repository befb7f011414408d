"""Data sets with splits of their own: from a path to train, dev and test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import DataError
from ..core.files import sha256_of
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument
from .blimp import read_blimp
from .corpus_files import inside, split_of
from .corpus_split import Unit, hold_out
from .edge_probing import read_edge_probing
from .gap import read_gap
from .litbank import read_litbank
from .pronoun_choice import GENDERS
from .senteval import read_senteval
from .split_reading import Loaded, Rules, file_facts, from_file, from_folder, from_parts, told_file
from .winobias import read_winobias_folder
from .winogender import read_winogender

LITBANK = "litbank.coref.conll"
"""A file that every folder of LitBank has, plain or gzip."""
WINOBIAS = re.compile(r"(pro|anti)_stereotyped_type[12]\.txt\.(dev|test)")
"""The names of WinoBias's files of sentences."""

_GAP = ("development", "validation", "test")
_JSON = (".jsonl", ".json")


def _template(document: AnnotatedDocument) -> str:
    """The sentence without what its pro- and its anti-stereotyped version differ in."""
    words = (word.lower() for word in document.document.words)
    return " ".join("_" if word in GENDERS else word for word in words)


TEMPLATE = Unit("sentence but for its pronouns", "words", _template)
_OCCUPATION = Unit("occupation", "names", lambda document: document.attributes["occupation"])
_FIRST = "the first in the order of the sha256 of their"


def load_gap(path: Path) -> Loaded:
    """GAP: development is train and dev, validation is test; with ``gap-test``, that is test."""
    if not path.is_dir():
        return from_file(path, read_gap)
    found: dict[str, Path] = {}
    for file in inside(path):
        for part in _GAP:
            if part in file.name and file.name.removesuffix(".gz").endswith(".tsv"):
                found.setdefault(part, file)
    missing = [part for part in _GAP[:2] if part not in found]
    if missing:
        raise DataError(
            f"no gap-{missing[0]}.tsv", where=str(path), cure="name the folder with GAP's files"
        )
    read = {part: read_gap(found[part]) for part in _GAP if part in found}
    files = {part: file_facts(found[part], each.counts) for part, each in read.items()}
    if "test" in read:
        train, dev, test = (read[part].documents for part in _GAP)
        rule = "as GAP has them: train is its development, dev its validation"
    else:
        train, dev = hold_out(read["development"].documents, 10, str(path))
        test = read["validation"].documents
        rule = f"a tenth of GAP's development is dev, {_FIRST} ids, the rest train; test is its "
        rule += "validation"
    return Loaded({"train": train, "dev": dev, "test": test}, {"files": files, "split": rule})


def load_winobias(path: Path) -> Loaded:
    """WinoBias: its dev is train and dev, a sentence and its other version together."""
    if not path.is_dir():
        raise DataError(
            "a file where a folder is due",
            where=str(path),
            cure="name the folder with WinoBias's eight files and its two lists of occupations",
        )
    read = read_winobias_folder(path)
    train, dev = hold_out(read["dev"].documents, 10, str(path), TEMPLATE)
    rule = (
        "a tenth of WinoBias's dev is dev, the rest train; test is its test; sentences that "
        f"differ in pronouns alone stay in one split; dev has {_FIRST} words"
    )
    names = [file for file in inside(path) if WINOBIAS.fullmatch(file.name)]
    return Loaded(
        {"train": train, "dev": dev, "test": read["test"].documents},
        _facts(names, {f"WinoBias's {split}": file for split, file in read.items()}, rule),
    )


def load_litbank(path: Path) -> Loaded:
    """LitBank, split as its ``splits.json`` tells."""
    read = read_litbank(path)
    splits = {split: file.documents for split, file in read.items()}
    names = [file for file in inside(path) if file.name.startswith(("litbank.", "splits."))]
    return Loaded(splits, _facts(names, read, "by document, as splits.json lists them"))


def load_senteval(path: Path) -> Loaded:
    """One of SentEval's probing files, each of which has all splits."""
    read = read_senteval(told_file(path, "SentEval"))
    splits = {split: file.documents for split, file in read.items()}
    return Loaded(splits, _facts([path], read, "as the lines tell (tr, va, te)"))


def load_winogender(path: Path) -> Loaded:
    """Winogender's sentences, split by occupation."""
    return from_file(told_file(path, "Winogender"), read_winogender, Rules(_OCCUPATION))


def load_blimp(path: Path) -> Loaded:
    """BLiMP, in one file or a file a paradigm; the two sentences of a pair stay together."""
    if not path.is_dir():
        return from_file(path, read_blimp)
    files = [file for file in inside(path) if file.name.removesuffix(".gz").endswith(".jsonl")]
    if not files:
        raise DataError("no .jsonl file", where=str(path), cure="name a folder with BLiMP's files")
    return from_parts(path, files, read_blimp)


def load_edges(path: Path) -> Loaded:
    """Edge probing; the targets' task is called after the files, or after their folder."""
    if path.is_dir():
        return from_folder(path, _is_json, ".jsonl", read_edges)
    return from_file(path, read_edges)


def _is_json(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(_JSON)


def read_edges(path: Path) -> AnnotatedFile:
    """A file of edge probing, whose name tells the task: ``ner-train.jsonl``, ``ner/dev.jsonl``."""
    return read_edge_probing(path, _task_of(path))


def _task_of(path: Path) -> str:
    stem = path.name.removesuffix(".gz").rpartition(".")[0]
    words = [word for word in re.split(r"[-._]", stem) if word and not split_of(Path(word))]
    return "-".join(words) or path.resolve().parent.name


def _facts(files: list[Path], read: Mapping[str, AnnotatedFile], rule: str) -> dict[str, Any]:
    return {
        "files": {path.name: {"sha256": sha256_of(path)} for path in files},
        "counts": {split: dict(file.counts) for split, file in read.items()},
        "split": rule,
    }
