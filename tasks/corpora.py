"""Names to data: what ``--data`` takes, as a corpus."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import DataError, LayerwiseError, UsageError, did_you_mean
from .base import Corpus
from .builtin import SEED, builtin_files
from .corpus_files import conllu_files, files_by_split, is_conllu, is_whole, licence_facts
from .formats import FORMATS, Format, named_format, prefixes, recognised
from .named_corpora import NAMED, find_named, is_named, licence_of, treebanks
from .sound_corpus import sound_corpus
from .split_reading import from_conllu

HUB = "hf-data"
"""The prefix of data sets in the format of the ``datasets`` package."""

_BUILTIN = "a treebank generated from our own grammar: morphology, syntax, coreference"


@dataclass(frozen=True)
class CorpusInfo:
    """A corpus by name. ``where`` is its folder or, if it is not ``available``, what is missing."""

    name: str
    description: str
    available: bool
    where: str
    format: str
    licence: str


def load_corpus(name: str) -> Corpus:
    """Read a corpus: ``builtin``, a named corpus, or the path of a folder or file.

    Named corpora lie below the folder that the environment variable LAYERWISE_DATA names, or in
    the cache, where ``fetch`` put them. A path tells its format by its name or first lines, or
    stands behind the format's prefix (``iob:FOLDER``, ``formats``). ``hf-data:`` takes data sets
    (``hub_data``), which alone may be downloaded, where LAYERWISE_ALLOW_DOWNLOAD is 1.

    A folder holds one file a split, told by the words train, dev (valid, validation) and test in
    their names. A file is split by document; the rule is stated in the corpus's ``facts``, with
    each file's sha256 and counts.

    Raises UsageError for an unknown name or format, DataError for data that is missing or faulty.
    """
    if not name:
        raise UsageError("no data is named", where="--data", cure="write builtin, or a path")
    if name == "builtin":
        files, version = builtin_files()
        folder = next(iter(files.values())).parent
        splits, facts = from_conllu(folder, list(files.values()))
        facts |= {"grammar_version": version, "seed": SEED}
        return sound_corpus(name, splits, facts, name)
    if name.startswith(f"{HUB}:"):
        from .hub_data import load_hub_data  # it takes seconds to import what reads them

        return load_hub_data(name.removeprefix(f"{HUB}:"))
    if is_named(name):
        place = find_named(name)
        kind, path, told = FORMATS[place.format], place.folder, place.facts
    else:
        kind, path, name = locate(name)
        place, told = None, {}
    if place is not None and place.files is not None:
        splits, facts = from_conllu(path, place.files)
    else:
        splits, facts = kind.load(path)
    facts |= {"format": kind.name, **licence_facts(path if path.is_dir() else path.parent), **told}
    return sound_corpus(name, splits, facts, str(path))


def locate(name: str) -> tuple[Format, Path, str]:
    """The format of a path, or of a path behind a prefix, the path, and what the corpus is called.

    One corpus has one name however its path is written, and a record tells no one's folders: the
    name is that of the file or folder, with the prefix where the path would be read otherwise.
    """
    prefix, colon, rest = name.partition(":")
    try:
        exists = Path(name).expanduser().exists()
        if colon and prefix in prefixes():
            path = Path(rest).expanduser()
            if not rest or not path.exists():
                raise DataError(
                    "no such file or folder", where=f"--data {name}", cure="check the path"
                )
            kind = named_format(prefix)
            return kind, path, _called(kind, path)
        path = Path(name).expanduser()
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"not a path ({error})", where="--data") from error
    if exists:
        return recognised(path), path, path.resolve().name
    if colon and prefix.replace("-", "").replace("_", "").isalnum():
        known = [*prefixes(), HUB, "ud"]
        raise UsageError(
            f"no such format: {prefix!r}", where="--data", cure=did_you_mean(prefix, known)
        )
    if "/" in name or os.sep in name or is_conllu(path):
        raise DataError("no such file or folder", where=f"--data {name}", cure="check the path")
    raise UsageError(
        f"no such corpus: {name!r}",
        where="--data",
        cure=did_you_mean(name, ["builtin", *NAMED, *treebanks()])
        + "; or name a folder, a file, or FORMAT:PATH",
    )


def list_corpora() -> list[CorpusInfo]:
    """The corpora that have a name: ours, and what is or could be on this machine."""
    corpora = [CorpusInfo("builtin", _BUILTIN, True, "generated", "conllu", "as this package")]
    whats = {name: corpus.what for name, corpus in NAMED.items()} | treebanks()
    for name, what in whats.items():
        kind = NAMED[name].format if name in NAMED else "conllu"
        try:
            place = find_named(name)
            if kind == "conllu":
                files = place.files or conllu_files(place.folder)
                if not (len(files) == 1 and is_whole(files[0])):
                    files_by_split(files, str(place.folder))
        except LayerwiseError as error:
            corpora.append(CorpusInfo(name, what, False, str(error), kind, licence_of(name)))
        else:
            where = str(place.folder)
            corpora.append(CorpusInfo(name, what, True, where, kind, licence_of(name)))
    return corpora


def _called(kind: Format, path: Path) -> str:
    name = path.resolve().name
    try:
        return name if recognised(path) is kind else f"{kind.name}:{name}"
    except LayerwiseError:
        return f"{kind.name}:{name}"
