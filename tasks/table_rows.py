"""The rows of a table whose cells are set apart by tabs, without any quoting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError
from .conllu_text import read_bytes, split_lines
from .faults import raising


class TableRow(NamedTuple):
    """A row's cells, none of them blank; ``number`` is of its line, ``where`` is ``FILE:LINE``."""

    number: int
    where: str
    cells: list[str]


def table_rows(path: Path, columns: Sequence[str], *, header: bool) -> Iterator[TableRow]:
    """The rows of a file, plain or gzip; ``header``: does the first line name the columns?

    Raises DataError with ``where="FILE:LINE"`` for another header, a row with more or fewer cells
    or with a blank one (an empty line is such a row), and for a file without rows.
    """
    lines = split_lines(read_bytes(path), raising(str(path), {}))
    if not lines[-1]:
        lines.pop()
    due = ", ".join(columns)
    if header and lines and lines[0].split("\t") != list(columns):
        raise DataError(
            "not the names of the columns",
            where=f"{path}:1",
            cure=f"write {due}, with tabs between",
        )
    if len(lines) == header:
        raise DataError("no row in this file", where=str(path), cure=f"write rows of {due}")
    for number, line in enumerate(lines[header:], 1 + header):
        where = f"{path}:{number}"
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise DataError(
                f"{len(cells)} columns instead of {len(columns)}",
                where=where,
                cure=f"write {due}, with tabs between",
            )
        for name, cell in zip(columns, cells, strict=True):
            if not cell.strip():
                raise DataError(f"the column {name} is empty", where=where, cure="fill it")
        yield TableRow(number, where, cells)
