"""A CoNLL-U file as blocks of checked lines: bytes, encoding, comments, columns.

The ``conllu`` package (6.0) is not used to split rows, because it would change data in silence:
it splits at two spaces as well as at tabs (a legal form with two spaces shifts every column
behind it), strips the line (an empty last column is lost), accepts any number of columns, drops
what follows a second ``=`` in a value and all but the last of equal keys, and knows no line
numbers. Its parsers of ids and comments are sound and are used.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError
from .faults import Fault, Report

COLUMNS = 10

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
# A carriage return is fine only where it ends a line.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|\Z)")


class Row(NamedTuple):
    """A line of ten cells, none empty or with blanks around it."""

    line: int
    cells: list[str]


class Block(NamedTuple):
    """The lines of one sentence. ``sound`` is False when one of its rows was left out as faulty."""

    line: int
    comments: list[tuple[int, str]]
    rows: list[Row]
    sound: bool


def file_stem(path: Path) -> str:
    """The file's name without ``.conllu`` and ``.gz``."""
    return path.name.removesuffix(".gz").removesuffix(".conllu") or path.name


def read_bytes(path: Path) -> bytes:
    """The file's bytes, unpacked if they are gzip (told by content, not by name)."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("no such file", where=str(path), cure="check the path") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot be read ({reason})", where=str(path)) from error
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"not a sound gzip file ({error})", where=str(path), cure="fetch or pack it again"
        ) from error


def split_lines(data: bytes, report: Report) -> list[str]:
    """The lines of the text, without their ends; only LF and CRLF end a line."""
    data = data.removeprefix(_BOM)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = _decode_by_line(data, report)
    for match in _CONTROL.finditer(text):
        sign = match.group()
        name = "a carriage return inside a line" if sign == "\r" else f"the control sign {sign!r}"
        line = text.count("\n", 0, match.start()) + 1
        report(Fault("encoding", line, "", name, "remove it; save the file as plain UTF-8 text"))
    lines = text.split("\n")
    if "\r" in text:
        lines = [line.removesuffix("\r") for line in lines]
    return lines


def _decode_by_line(data: bytes, report: Report) -> str:
    lines = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        try:
            lines.append(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            what = f"not UTF-8: the byte 0x{raw[error.start]:02x} at column {error.start + 1}"
            report(Fault("encoding", number, "", what, "save the file as UTF-8"))
            lines.append(raw.decode("utf-8", "replace"))
    return "\n".join(lines)


def blocks(lines: list[str], report: Report) -> Iterator[Block]:
    """The sentences' lines, each row checked for its cells.

    Faults: a wrong number of columns, an empty cell, blanks around a cell, a comment among the
    words, comments without words, a file without sentences.
    """
    comments: list[tuple[int, str]] = []
    rows: list[Row] = []
    first, sound, empty = 0, True, True
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            first = first or number
            if rows or not sound:
                cure = (
                    "put comments before the sentence's words, and an empty line between sentences"
                )
                report(Fault("comment", number, "", "a comment among the words", cure))
            comments.append((number, line))
        elif line and (line[0] != " " or line.strip(" ")):
            first = first or number
            cells = line.split("\t")
            if len(cells) == COLUMNS and "" not in cells and cells == [c.strip() for c in cells]:
                rows.append(Row(number, cells))
            else:
                sound = False
                report(_cell_fault(number, line, cells))
        elif first:
            yield from _closed(Block(first, comments, rows, sound), report)
            comments, rows, first, sound, empty = [], [], 0, True, False
    if first:
        yield from _closed(Block(first, comments, rows, sound), report)
    elif empty:
        report(Fault("document", 0, "", "no sentence in this file", "is it a CoNLL-U file?"))


def _closed(block: Block, report: Report) -> Iterator[Block]:
    if block.rows or not block.sound:
        yield block
    else:
        cure = "remove them, or the empty line between them and their sentence"
        report(Fault("comment", block.line, "", "comments without a word below them", cure))


def _cell_fault(number: int, line: str, cells: list[str]) -> Fault:
    if len(cells) == 1:
        what, cure = "no tab in this line", "columns are set apart by tabs, comments begin with #"
    elif len(cells) != COLUMNS:
        what = f"{len(cells)} columns instead of {COLUMNS}"
        cure = "CoNLL-U has ten columns, set apart by tabs; an empty one holds _"
    elif "" in cells:
        what, cure = f"column {cells.index('') + 1} is empty", "write _ where there is no value"
    else:
        column = next(i for i, cell in enumerate(cells, 1) if cell != cell.strip())
        what, cure = f"blanks around the value of column {column}", "remove them"
    return Fault("columns", number, "", what, cure)
