"""The lines of a file of tagged words as documents of sentences of rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError
from .conllu_text import read_bytes, split_lines
from .faults import raising

_DOCSTART = "-DOCSTART-"
_KNOWN = re.compile(r"#\s*(?:(newdoc)(?:\s+id)?(?:\s*=\s*(.*))?|sent_id\s*=.*|text\s*=\s*(.*))")
_ENDING = re.compile(r"\.(?:iob2?|bio|conll|tsv|txt)$")
_SPACES = re.compile(" +")


class Row(NamedTuple):
    """A word's cells and the number of its line."""

    line: int
    cells: list[str]


@dataclass
class Block:
    """A sentence's rows, and its ``# text`` if there is one."""

    rows: list[Row] = field(default_factory=list)
    text: str | None = None


@dataclass
class Part:
    """A document's sentences, each of a row or more."""

    id: str
    where: str
    blocks: list[Block] = field(default_factory=list)


class TaggedLines(NamedTuple):
    """A file's documents, some perhaps without sentences; ``tabs``: what sets columns apart."""

    parts: list[Part]
    width: int
    tabs: bool


def read_lines(path: Path) -> TaggedLines:
    """The documents of a file, each row of as many columns as the first.

    What begins with ``#`` is a comment if it is one of Universal NER or has another number of
    columns: in CoNLL-2000, ``#`` is a word as well. Raises DataError at the first fault.
    """
    lines = split_lines(read_bytes(path), raising(str(path), {}))
    first = next((each for each in lines if _is_word(each)), None)
    if first is None:
        raise DataError(
            "no word in this file", where=str(path), cure="write a word and its tag on each line"
        )
    width = len(_cells(first, "\t" in first))
    parts = list(_parts(path, lines, width, "\t" in first))
    ids: set[str] = set()
    for part in parts:
        if part.id in ids:
            raise DataError(
                f"a second document {part.id!r}", where=part.where, cure="ids are used once"
            )
        ids.add(part.id)
    return TaggedLines(parts, width, "\t" in first)


def _is_word(line: str) -> bool:
    return bool(line.strip(" \t")) and not line.startswith(("#", _DOCSTART))


def _cells(line: str, tabs: bool) -> list[str]:
    return line.split("\t") if tabs else _SPACES.split(line.strip(" "))


def _parts(path: Path, lines: list[str], width: int, tabs: bool) -> Iterator[Part]:
    stem = _ENDING.sub("", path.name.removesuffix(".gz"))
    part, block, begun = Part(stem, str(path)), Block(), 0
    for number, line in enumerate([*lines, ""], 1):
        where = f"{path}:{number}"
        cells = _cells(line, tabs)
        known = _KNOWN.fullmatch(line)
        starts = cells[0] == _DOCSTART or (known is not None and known[1] is not None)
        if starts or not line.strip(" \t"):
            if block.text is not None and not block.rows:
                raise DataError(
                    "a text without words below it", where=where, cure="remove the comment"
                )
            if known is not None and block.rows:
                raise _among_words(where)
            block = Block()
        if starts:
            if begun or part.blocks:
                yield part
            begun += 1
            part = Part((known and known[2]) or f"{stem}#{begun}", where)
        elif not line.strip(" \t"):
            continue
        elif known is None and len(cells) == width:
            if not block.rows:
                part.blocks.append(block)
            block.rows.append(Row(number, cells))
        elif not line.startswith("#"):
            raise DataError(
                f"{len(cells)} columns where {width} are due",
                where=where,
                cure="write as many columns on each line as on the first, and an empty line "
                "between sentences",
            )
        elif block.rows:
            raise _among_words(where)
        elif known is not None and known[3] is not None:
            block.text = known[3]
    yield part


def _among_words(where: str) -> DataError:
    return DataError(
        "a comment among the words",
        where=where,
        cure="put comments before the sentence's words, and an empty line between sentences",
    )
