"""The lines of a CoNLL-2012-like file as documents of sentences of checked rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import DataError
from .conll2012_columns import Row
from .conllu_text import read_bytes, split_lines
from .faults import raising

_BEGIN = re.compile(r"#\s?begin document(?:\s+(.*?))?\s*")
_PART = re.compile(r"\((.+)\);\s*part\s+([0-9]{1,6})")
_END = re.compile(r"#\s?end document\b.*")
_SPACES = re.compile(" +")
_FEWEST = 12
_HEADER = "#begin document (ID); part 000"


@dataclass
class Part:
    """A document's rows, sentence by sentence.

    ``key`` is what the first two columns of CoNLL-2012 hold (zeros before the part's number
    apart), or None where the document has three columns: index, form, coreference.
    """

    id: str
    where: str
    key: tuple[str, str] | None
    sentences: list[list[Row]] = field(default_factory=lambda: [[]])
    words: int = 0


def read_parts(path: Path) -> Iterator[Part]:
    """The documents of a file, each with a word or more, their ids used once.

    Raises DataError at the first line that fits neither the columns of CoNLL-2012 nor three
    columns, whichever the document's header announces, and where nothing is there.
    """
    lines = split_lines(read_bytes(path), raising(str(path), {}))
    ids: set[str] = set()
    for part in _parts(path, lines):
        if part.id in ids:
            raise DataError(
                f"a second document {part.id!r}", where=part.where, cure="ids are used once"
            )
        ids.add(part.id)
        yield part
    if not ids:
        raise DataError(
            "no document in this file", where=str(path), cure=f"begin each with {_HEADER}"
        )


def _parts(path: Path, lines: list[str]) -> Iterator[Part]:
    stem = path.name.removesuffix(".gz").removesuffix(".conll")
    part: Part | None = None
    seen = 0
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        if line.startswith("#") and (begin := _BEGIN.fullmatch(line)):
            if part is not None:
                raise _unended(part)
            seen += 1
            part = _begun(begin[1] or f"{stem}#{seen}", where)
        elif line.startswith("#") and _END.fullmatch(line):
            if part is None:
                raise DataError(
                    "a document ends that did not begin",
                    where=where,
                    cure=f"begin it with {_HEADER}",
                )
            if not part.words:
                raise DataError(
                    "a document without words", where=part.where, cure="remove its header and end"
                )
            part.sentences = [sentence for sentence in part.sentences if sentence]
            yield part
            part = None
        elif line.strip(" "):
            if part is None:
                raise DataError(
                    "a line outside of any document",
                    where=where,
                    cure=f"begin a document with {_HEADER}, end it with #end document",
                )
            part.sentences[-1].append(
                _three(part, where, line) if part.key is None else _many(part, where, line)
            )
            part.words += 1
        elif part is not None:
            part.sentences.append([])
    if part is not None:
        raise _unended(part)


def _begun(name: str, where: str) -> Part:
    header = _PART.fullmatch(name)
    if header is None:
        return Part(name, where, None)
    return Part(f"{header[1]}/{header[2]}", where, (header[1], header[2].lstrip("0")))


def _unended(part: Part) -> DataError:
    return DataError(
        f"the document {part.id!r} does not end",
        where=part.where,
        cure="end it with #end document; is the file complete?",
    )


def _three(part: Part, where: str, line: str) -> Row:
    cells = line.split("\t")
    if len(cells) != 3:
        raise DataError(
            f"{len(cells)} columns instead of 3",
            where=where,
            cure="below a header without a part stand index, form and coreference, set apart by "
            "tabs",
        )
    _check_index(cells[0], part.words, where, "over the whole document")
    if not cells[1].strip() and cells[1]:
        raise DataError("a form of blanks alone", where=where, cure="write the word's form")
    return Row(where, cells)


def _many(part: Part, where: str, line: str) -> Row:
    cells = line.split("\t") if "\t" in line else _SPACES.split(line.strip(" "))
    before = part.sentences[-1]
    if len(cells) < _FEWEST or (before and len(cells) != len(before[0].cells)):
        due = str(len(before[0].cells)) if before else f"{_FEWEST} or more"
        raise DataError(
            f"{len(cells)} columns where {due} are due",
            where=where,
            cure="below a header with a part stand the columns of CoNLL-2012, the same number in "
            "each line of a sentence",
        )
    if (cells[0], cells[1].lstrip("0")) != part.key:
        raise DataError(
            f"a line of {cells[0]!r}, part {cells[1]!r}, in the document {part.id}",
            where=where,
            cure="the first two columns repeat the document's header",
        )
    _check_index(cells[2], len(before), where, "in each sentence")
    if not cells[3].strip():
        raise DataError("a word without a form", where=where, cure="write its form")
    return Row(where, cells)


def _check_index(index: str, due: int, where: str, counted: str) -> None:
    if index != str(due):
        raise DataError(
            f"the index {index!r} where {due} is due",
            where=where,
            cure=f"words count from 0 {counted}",
        )
