"""The formats that ``--data`` reads, and how a path tells which it is in."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import DataError, UsageError, did_you_mean
from . import data_sets
from .annotated_file import AnnotatedFile
from .blimp import read_blimp
from .brackets_file import read_brackets
from .conll2012 import read_conll2012
from .conllu import read_conllu
from .corpus_files import conllu_files, inside, split_of
from .gap import read_gap
from .iob import read_iob
from .litbank import read_litbank
from .senteval import read_senteval
from .split_reading import Loaded, Rules, from_conllu, from_file, from_folder
from .winobias import read_winobias_folder
from .winogender import read_winogender

_ALIASES = {"ptb": "brackets"}
_HEAD = 1 << 20
_GAP = ["ID", "Text", "Pronoun", "Pronoun-offset"]
_CONLL = re.compile(r"#\s?begin document\b")
_SENTEVAL = re.compile(r"(tr|va|te)\t[^\t]+\t[^\t]+")
_TREE = re.compile(r"\(\s*[^\s()]*\s*\(")
_MANY = 20


@dataclass(frozen=True)
class Format:
    """A format: ``NAME:PATH`` on ``--data`` reads a path in it.

    ``endings`` are those of names that tell the format, ``.gz`` apart; other files are told by
    their first lines. ``load`` gives the splits of a file or folder; ``read`` only reads it, and
    gives the counts of what its reader met.
    """

    name: str
    what: str
    endings: tuple[str, ...]
    load: Callable[[Path], Loaded]
    read: Callable[[Path], Mapping[str, int]]


def named_format(name: str) -> Format:
    """The format of a prefix. Raises UsageError for an unknown one."""
    found = FORMATS.get(_ALIASES.get(name, name))
    if found is None:
        raise UsageError(
            f"no such format: {name!r}", where="--data", cure=did_you_mean(name, prefixes())
        )
    return found


def prefixes() -> list[str]:
    """All that may stand before the colon in ``FORMAT:PATH``."""
    return sorted([*FORMATS, *_ALIASES])


def recognised(path: Path) -> Format:
    """The format that a file or folder is in.

    Raises UsageError that names the prefixes where neither names nor first lines tell one.
    """
    names = _told_of_folder(path) if path.is_dir() else {told_of(path)} - {None}
    if len(names) == 1:
        return FORMATS[str(names.pop())]
    several = f"files of {' and '.join(sorted(map(str, names)))} are here"
    known = f"{', '.join(prefixes())}; or hf-data: for parquet"
    raise UsageError(
        several if names else "neither the name nor the first lines tell a format that is known",
        where=f"--data {path}",
        cure=f"write FORMAT:{path.name} with one of {known}",
    )


def told_of(path: Path) -> str | None:
    """The name of a file's format, by its own name or else by its first lines, or None."""
    name = path.name.lower().removesuffix(".gz")
    for each in FORMATS.values():
        if name.endswith(each.endings):
            return each.name
    return _told_by(_first_lines(path))


def _told_of_folder(folder: Path) -> set[str | None]:
    names = {path.name.removesuffix(".gz") for path in inside(folder)}
    if data_sets.LITBANK in names:
        return {"litbank"}
    if any(map(data_sets.WINOBIAS.fullmatch, names)):
        return {"winobias"}
    if conllu_files(folder):
        return {"conllu"}
    files = [path for path in inside(folder) if path.is_file()]
    found = {told_of(path) for path in files} - {None}
    if found or files:
        return found
    below = (path for path in inside(folder) if path.is_dir() and split_of(path))
    return {told_of(path) for part in below for path in _some_files(part)} - {None}


def _some_files(folder: Path) -> Iterator[Path]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    yield from (path for path, _ in zip(files, range(_MANY), strict=False))


def _first_lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as plain:
            head = plain.read(_HEAD)
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path) as packed:
                head = packed.read(_HEAD)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot be read ({reason})", where=str(path)) from error
    lines = head.decode("utf-8-sig", "replace").split("\n")
    return [line.rstrip("\r") for line in lines if line.strip()]


def _told_by(lines: list[str]) -> str | None:
    """The format that first lines are in. Each rule is of something that no other has."""
    first = lines[0] if lines else ""
    if first.startswith("{"):
        return _told_by_keys(first)
    cells = first.split("\t")
    if _CONLL.match(first):
        return "conll"
    if cells[:4] == _GAP:
        return "gap"
    if cells == ["sentid", "sentence"]:
        return "winogender"
    if _SENTEVAL.fullmatch(first):
        return "senteval"
    body = next((line for line in lines if not line.startswith("#")), "")
    if body.split()[:1] == ["-DOCSTART-"]:
        return "iob"
    if body.count("\t") == 9 and body[0].isdigit():
        return "conllu"
    return "brackets" if _TREE.match(body) else None


def _told_by_keys(line: str) -> str | None:
    try:
        keys = set(json.loads(line))
    except (ValueError, RecursionError):
        return None
    if keys >= {"sentence_good", "sentence_bad"}:
        return "blimp"
    return "edges" if keys >= {"text", "targets"} else None


def _load_conllu(path: Path) -> Loaded:
    return from_conllu(path, conllu_files(path) if path.is_dir() else [path])


def _by_files(
    name: str, read: Callable[[Path], AnnotatedFile], ending: str, rules: Rules
) -> Callable[[Path], Loaded]:
    def load(path: Path) -> Loaded:
        if not path.is_dir():
            return from_file(path, read, rules)
        files = [each for each in path.rglob("*") if each.is_file()]
        sure = {each for each in files if told_of(each) == name}
        # Nothing but the prefix tells what is in files without marks of their own.
        taken = sure or {each for each in files if told_of(each) is None and split_of(each)}
        return from_folder(path, taken.__contains__, ending, read, rules)

    return load


def _counts(read: Callable[[Path], AnnotatedFile]) -> Callable[[Path], Mapping[str, int]]:
    return lambda path: read(path).counts


def _of_splits(
    read: Callable[[Path], Mapping[str, AnnotatedFile]],
) -> Callable[[Path], Mapping[str, int]]:
    def counts(path: Path) -> Mapping[str, int]:
        found: Counter[str] = Counter()
        for file in read(path).values():
            found.update(file.counts)
        return found

    return counts


_LINES = Rules(lends=True, sentences=True)
_ALL = (
    Format(
        "conllu",
        "CoNLL-U: Universal Dependencies",
        (".conllu",),
        _load_conllu,
        lambda path: read_conllu(path).counts,
    ),
    Format(
        "conll",
        "CoNLL-2012, as OntoNotes and its dialects: coreference, names, roles, trees",
        ("_conll",),
        _by_files("conll", read_conll2012, ".conll", Rules()),
        _counts(read_conll2012),
    ),
    Format(
        "iob",
        "words with tags O, B-X, I-X: names (CoNLL-2003, UNER), chunks (CoNLL-2000)",
        (".iob", ".iob1", ".iob2", ".bio", ".bioes", ".bilou"),
        _by_files("iob", read_iob, ".iob2", _LINES),
        _counts(read_iob),
    ),
    Format(
        "brackets",
        "Penn trees: constituents and parts of speech",
        (".mrg", ".ptb", ".tree", ".trees"),
        _by_files("brackets", read_brackets, ".ptb", Rules(sentences=True)),
        _counts(read_brackets),
    ),
    Format(
        "edges",
        "edge probing of jiant (JSON lines): labelled spans",
        (),
        data_sets.load_edges,
        _counts(data_sets.read_edges),
    ),
    Format(
        "senteval",
        "SentEval's probing: labelled sentences",
        (),
        data_sets.load_senteval,
        _of_splits(read_senteval),
    ),
    Format(
        "gap",
        "GAP: ambiguous pronouns in Wikipedia",
        (),
        data_sets.load_gap,
        _counts(read_gap),
    ),
    Format(
        "winobias",
        "WinoBias: pronouns and stereotypes (a folder)",
        (),
        data_sets.load_winobias,
        _of_splits(read_winobias_folder),
    ),
    Format(
        "winogender",
        "Winogender: pronouns and occupations",
        (),
        data_sets.load_winogender,
        _counts(read_winogender),
    ),
    Format(
        "blimp",
        "BLiMP: minimal pairs of sentences",
        (),
        data_sets.load_blimp,
        _counts(read_blimp),
    ),
    Format(
        "litbank",
        "LitBank: coreference in fiction (a folder)",
        (),
        data_sets.load_litbank,
        _of_splits(read_litbank),
    ),
)
FORMATS = {each.name: each for each in _ALL}
"""By name."""
