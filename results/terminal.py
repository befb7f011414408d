"""A table for a terminal, in as many blocks of columns as its width asks for."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.cells import cell_len
from rich.table import Table as Grid
from rich.text import Text

from .console import console
from .escaping import visible
from .render import (
    BEST,
    LEADS,
    PARTIAL,
    groups,
    heads,
    legend,
    row_heads,
    row_labels,
    shown,
)
from .table import Row, Table

_GAP = 2
# No lines but one under the head and one above the baselines.
_LINES = box.Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")
_WIDEST_HEAD = 18
_NARROWEST_NAME = 12
_INDENT = 2


def to_terminal(
    table: Table, *, width: int = 100, styled: bool = False, intervals: bool = False
) -> str:
    """The table as lines of at most ``width`` columns.

    ``styled`` is for a terminal and shows the best layers in bold; without it they carry a star
    and there are no escape sequences. Tasks that do not fit side by side follow in blocks below;
    the columns of one task stay together where the width allows it.
    """
    out = io.StringIO()
    page = console(out, width, colours="standard" if styled else None)
    names = _name_width(table, width)
    left = width - names - _GAP
    for number, block in enumerate(_blocks(table, left, styled, intervals)):
        if number:
            page.print()
        page.print(_grid(table, names, block, styled, intervals))
    page.print()
    for line in legend(table, intervals, best="bold:" if styled else BEST):
        page.print(Text(visible(line), style="dim", overflow="fold"))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _grid(
    table: Table, names: int, block: Sequence[tuple[int, int]], styled: bool, intervals: bool
) -> Grid:
    """Some of the table's columns; ``block`` is a list of (column, width)."""
    grid = Grid(box=_LINES, show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0))
    grid.add_column(_corner(table), width=names, overflow="fold", vertical="top")
    tops = heads([table.columns[index] for index, _ in block])
    for (task, metric), (_, size) in zip(tops, block, strict=True):
        head = Text("\n".join(_folded(text, size) for text in (task, metric)), overflow="fold")
        grid.add_column(head, width=size, justify="right", overflow="fold")
    for group in groups(table):
        first = group[0]
        if first.below:
            grid.add_section()
        elif above := _group_head(table, first):
            grid.add_row(Text(visible(above), style="bold", overflow="fold"))
        for row in group:
            cells = [_cell(table, row, index, styled, intervals) for index, _ in block]
            grid.add_row(Text(_row_head(table, row), overflow="fold"), *cells)
    return grid


def _folded(name: str, width: int) -> str:
    """A long name in several lines, broken behind its underscores where that is enough."""
    lines = [""]
    for part in re.findall(r"[^_]*_|[^_]+$", visible(name)):
        if lines[-1] and cell_len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _row_head(table: Table, row: Row) -> str:
    *above, last = row_labels(table, row)
    if row.below:
        return visible(", ".join(label for label in [*above, last] if label))
    indent = _INDENT if _group_head(table, row) else 0
    if row.layer is not None and row_heads(table)[-1] == "layer":
        digits = max(len(str(other.layer)) for other in table.rows if other.layer is not None)
        indent += digits - len(str(row.layer))
    return " " * indent + visible(last)


def _group_head(table: Table, row: Row) -> str:
    """What stands above the rows of an encoder; nothing where a row has one label."""
    return ", ".join(row_labels(table, row)[:-1])


def _corner(table: Table) -> str:
    return " and ".join(row_heads(table))


def _cell(table: Table, row: Row, index: int, styled: bool, intervals: bool) -> Text:
    cell = row.cells[index]
    mark = BEST * (cell.best and not styled) + LEADS * cell.leads + PARTIAL * cell.partial
    style = "bold" if cell.best else "red" if cell.status == "failed" else ""
    return Text(mark + shown(cell, table.columns[index].metric, intervals), style=style)


def _name_width(table: Table, width: int) -> int:
    texts = [_corner(table)]
    for row in table.rows:
        texts += [visible(_group_head(table, row)), _row_head(table, row)]
    return min(max(map(cell_len, texts)), max(_NARROWEST_NAME, width // 2))


def _blocks(
    table: Table, room: int, styled: bool, intervals: bool
) -> Iterator[list[tuple[int, int]]]:
    def sized(indices: Sequence[int]) -> list[tuple[int, int]]:
        tops = heads([table.columns[index] for index in indices])
        return [
            (index, min(_width(table, index, top, styled, intervals), room))
            for index, top in zip(indices, tops, strict=True)
        ]

    block: list[tuple[int, int]] = []
    for _, same in groupby(range(len(table.columns)), lambda index: table.columns[index].task):
        indices = list(same)
        whole = sized(indices)
        parts = [whole] if _extent(whole) <= room else [sized([index]) for index in indices]
        for part in parts:
            if block and _extent(block) + _extent(part) > room:
                yield block
                block = []
            block += part
    yield block


def _extent(block: Sequence[tuple[int, int]]) -> int:
    return sum(_GAP + size for _, size in block)


def _width(table: Table, index: int, top: tuple[str, str], styled: bool, intervals: bool) -> int:
    head = max(cell_len(visible(text)) for text in top)
    body = max(cell_len(_cell(table, row, index, styled, intervals).plain) for row in table.rows)
    return max(body, min(head, _WIDEST_HEAD))
