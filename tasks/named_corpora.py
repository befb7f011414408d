"""Corpora that have a name, and where they lie: below LAYERWISE_DATA, else where fetch put them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import DataError, UsageError, did_you_mean
from .corpus_files import conllu_files, is_conllu
from .fetch import fetched
from .upstream import SOURCES

VARIABLE = "LAYERWISE_DATA"
"""The environment variable that names the folder of the named corpora."""

UD = "ud:"
_UD_CODE = re.compile("[a-z]{2,3}_[a-z0-9]+")


class NamedCorpus(NamedTuple):
    """What a named corpus holds, and its format."""

    what: str
    format: str
    licence: str


NAMED = {
    "gum": NamedCorpus(
        "English GUM, all genres: morphology, syntax, coreference", "conllu", "CC BY-NC-SA 4.0"
    ),
    "gum_open": NamedCorpus(
        "English GUM, freely licensed genres: morphology, syntax, coreference",
        "conllu",
        "CC BY and CC BY-SA",
    ),
    "ewt": NamedCorpus(
        "Universal Dependencies English-EWT: morphology, syntax", "conllu", "CC BY-SA 4.0"
    ),
    "uner_ewt": NamedCorpus("Universal NER on English-EWT: names", "iob", "CC BY-SA 4.0"),
    "litbank": NamedCorpus(
        "LitBank: coreference and kinds of mentions in English fiction", "litbank", "CC BY 4.0"
    ),
    "gap": NamedCorpus("GAP: ambiguous pronouns in Wikipedia", "gap", "Apache-2.0"),
    "winobias": NamedCorpus("WinoBias: pronouns and stereotypes", "winobias", "MIT"),
    "blimp": NamedCorpus("BLiMP: minimal pairs of English sentences", "blimp", "CC BY 4.0"),
}


@dataclass(frozen=True)
class Place:
    """Where a named corpus lies. ``files`` are those of it, None for all of its folder."""

    folder: Path
    format: str
    files: tuple[Path, ...] | None
    facts: dict[str, Any]


def is_named(name: str) -> bool:
    """Whether it is written like the name of a corpus."""
    return name in NAMED or name.startswith(UD)


def find_named(name: str) -> Place:
    """Where the corpus lies. Raises UsageError for a name that is none, DataError if it is not
    there."""
    code = name.removeprefix(UD)
    if name.startswith(UD) and not _UD_CODE.fullmatch(code):
        raise UsageError(
            f"not the code of a treebank: {code!r}",
            where="--data",
            cure="write ud:LANGUAGE_TREEBANK as in the names of its files, ud:fi_tdt; "
            + did_you_mean(name, treebanks()),
        )
    root = _root()
    if name in NAMED:
        if root is not None and (root / name).is_dir():
            return Place(root / name, NAMED[name].format, None, {})
    elif root is not None and (folder := _treebank(root, name, code)) is not None:
        files = tuple(path for path in conllu_files(folder) if _code_of(path) == code)
        return Place(folder, "conllu", files, {})
    cached = fetched(name)
    if cached is not None:
        source = SOURCES[name]
        told = {
            "repository": source.repository,
            "commit": source.commit,
            "sha256_known_before": dict(cached.pinned),
        }
        return Place(cached.folder, _format_of(name), None, {"fetched": told})
    raise _missing(name, code, root)


def treebanks() -> dict[str, str]:
    """The names of the treebanks below LAYERWISE_DATA and of those that can be fetched, and what
    they are."""
    root = _root()
    known = {
        name: f"Universal Dependencies {source.repository.partition('/UD_')[2]}: morphology, syntax"
        for name, source in SOURCES.items()
        if name.startswith(UD)
    }
    here = {
        UD + _code_of(path): "Universal Dependencies "
        f"{path.parent.name.removeprefix('UD_')}: morphology, syntax"
        for path in (_treebank_files(root) if root else ())
    }
    return dict(sorted((known | here).items()))


def licence_of(name: str) -> str:
    """The licence of a named corpus, as far as it is known here."""
    if name in NAMED:
        return NAMED[name].licence
    return SOURCES[name].licence if name in SOURCES else ""


def _format_of(name: str) -> str:
    return NAMED[name].format if name in NAMED else "conllu"


def _missing(name: str, code: str, root: Path | None) -> DataError:
    if root is None:
        what = f"{name} lies below the folder that {VARIABLE} names, which is not set"
        cure = f"set {VARIABLE}, or write a path (./{code} for a folder here)"
    elif name in NAMED:
        what = f"{root / name} does not exist"
        cure = f"set {VARIABLE} to the folder that holds {name}/"
    else:
        what = f"no file {code}-ud-*.conllu below {root / 'ud'}"
        cure = did_you_mean(name, treebanks())
    if name in SOURCES:
        cure = f"`probe data fetch {name} --allow-download` gets it; or " + cure
    return DataError(what, where=f"--data {name}", cure=cure)


def _root() -> Path | None:
    value = os.environ.get(VARIABLE)
    return Path(value).expanduser() if value else None


def _treebank(root: Path, name: str, code: str) -> Path | None:
    folders = sorted({path.parent for path in _treebank_files(root, code)})
    if len(folders) > 1:
        raise DataError(
            f"two folders hold it: {folders[0]} and {folders[1]}",
            where=f"--data {name}",
            cure="name one of them as a path",
        )
    return folders[0] if folders else None


def _treebank_files(root: Path, code: str = "*") -> list[Path]:
    pattern = f"{code}-ud-*.conllu*"
    found = [*root.glob(f"ud/*/{pattern}"), *root.glob(f"UD_*/{pattern}")]
    return sorted(path for path in found if is_conllu(path))


def _code_of(path: Path) -> str:
    return path.name.partition("-ud-")[0]
