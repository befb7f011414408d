"""Which file of a folder is which split, and what lies beside them of licence and source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import DataError
from ..core.types import SPLITS
from .conllu_text import file_stem, read_bytes

_WORDS = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "devel": "dev",
    "development": "dev",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "test": "test",
    "testing": "test",
    "testa": "dev",  # so in CoNLL-2003
    "testb": "test",
}
_LICENCE = re.compile(r"(licen[cs]e|copying)([-._].*)?", re.IGNORECASE)


def is_conllu(path: Path) -> bool:
    """Does the name end in ``.conllu`` or ``.conllu.gz``?"""
    return path.name.endswith((".conllu", ".conllu.gz"))


def conllu_files(folder: Path) -> list[Path]:
    """The CoNLL-U files right in the folder, by name; hidden ones are none."""
    return [path for path in inside(folder) if is_conllu(path)]


def inside(folder: Path) -> list[Path]:
    """What lies right in the folder, by name, hidden things left out."""
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"cannot be listed ({error.strerror})", where=str(folder)) from error
    return [path for path in found if not path.name.startswith(".")]


def split_of(path: Path) -> str | None:
    """The split that the file's name tells: ``en_ewt-ud-dev.conllu`` is dev, ``latest`` nothing.

    Raises DataError when it names two.
    """
    words = re.split(r"[^a-z]+", file_stem(path).lower())
    found = sorted({_WORDS[word] for word in words if word in _WORDS})
    if len(found) > 1:
        raise DataError(
            f"the name tells two splits, {' and '.join(found)}",
            where=str(path),
            cure="keep one of the words in the name",
        )
    return found[0] if found else None


def is_whole(path: Path) -> bool:
    """Is a lone file of a folder the whole corpus, and not one split whose fellows are missing?"""
    return split_of(path) is None or "pud" in re.split("[^a-z]+", path.name.lower())


def files_by_split(
    files: Sequence[Path], where: str, ending: str = ".conllu", whole: bool = True
) -> tuple[dict[str, Path], list[Path]]:
    """One file for each of train, dev and test, and the files whose names tell no split.

    The same text packed and unpacked is one file. Raises DataError where a split has two files,
    and where it has none unless it need not be the ``whole``; ``ending`` is what files would have.
    """
    found: dict[str, Path] = {}
    rest: list[Path] = []
    for path in files:
        split = split_of(path)
        if split is None:
            rest.append(path)
        elif split not in found:
            found[split] = path
        elif not _same(found[split], path):
            raise DataError(
                f"two files for the {split} split: {found[split].name} and {path.name}",
                where=where,
                cure="join them or move one away",
            )
    missing = [split for split in SPLITS if split not in found]
    if missing and (whole or not found):
        names = ", ".join(path.name for path in files) or f"no {ending} file at all"
        raise DataError(
            f"no {' and no '.join(missing)} file (there is: {names})",
            where=where,
            cure="add a file with that word in its name, or name one file as --data to have it "
            "split by document",
        )
    return {split: found[split] for split in SPLITS if split in found}, rest


def licence_facts(folder: Path) -> dict[str, object]:
    """The names of the licence files in the folder, and what PROVENANCE.md says of the source.

    PROVENANCE.md may lie one folder up; then only its line or table row on this folder counts.
    """
    folder = folder.resolve()
    facts: dict[str, object] = {"licence_files": _licences(folder)}
    for place, told in ((folder, "Source:"), (folder.parent, f"| {folder.name} |")):
        source = next((line for line in _provenance(place) if line.startswith(told)), None)
        if source is not None:
            facts["source"] = source.removeprefix("Source:").strip("| ")
            break
    return facts


def _licences(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if _LICENCE.fullmatch(path.name))
    except OSError:
        return []


def _provenance(folder: Path) -> list[str]:
    try:
        page = (folder / "PROVENANCE.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return page.splitlines()


def _same(one: Path, other: Path) -> bool:
    return file_stem(one) == file_stem(other) and read_bytes(one) == read_bytes(other)
