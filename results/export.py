"""A table as a file: text, Parquet, or HTML for a notebook."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core import files
from ..core.errors import UsageError
from .escaping import visible
from .render import (
    LEADS,
    PARTIAL,
    heads,
    legend,
    row_heads,
    row_labels,
    shown,
    to_csv,
    to_json,
    to_latex,
    to_markdown,
)
from .table import Cell, Label, Table

ENDINGS = {
    ".txt": "terminal",
    ".md": "md",
    ".csv": "csv",
    ".tex": "latex",
    ".json": "json",
    ".parquet": "parquet",
}
FORMATS = tuple(ENDINGS.values())

_TEXTS = {"md": to_markdown, "csv": to_csv, "latex": to_latex, "json": to_json}


def format_of(path: Path) -> str:
    """The format that a file's ending names. Raises UsageError where it names none."""
    try:
        return ENDINGS[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"its ending names no format of {', '.join(ENDINGS)}",
            where=str(path),
            cure="name the format too",
        ) from None


def to_text(table: Table, format_: str, intervals: bool = False) -> str:
    """The table in one of the ``FORMATS`` that are text."""
    if format_ in _TEXTS:
        return _TEXTS[format_](table, intervals)
    if format_ == "terminal":
        from .terminal import to_terminal

        return to_terminal(table, intervals=intervals)
    raise UsageError(f"{format_} is no text", where="--format", cure="write it to a file")


def write(table: Table, path: Path, format_: str | None = None, intervals: bool = False) -> None:
    """Write the table, complete or not at all, by default in the format that the ending names."""
    format_ = format_ or format_of(path)
    if format_ == "parquet":
        with files.atomic_writer(path) as stream:
            stream.write(to_parquet(table, intervals))
    else:
        files.write_text(path, to_text(table, format_, intervals))


def to_parquet(table: Table, intervals: bool = False) -> bytes:
    """A pivot as a Parquet file of one row a cell.

    The columns: the fields of the pivot's rows and columns under their names; ``baseline``, a
    baseline's name; ``score``; ``state`` (ok, failed, missing, range); ``value``, ``low`` and
    ``high`` in full precision; ``seeds``, how many ``value`` is the mean of; ``best``, ``leads``
    and ``partial``; and ``text``, as the other formats show the cell. The file's metadata has the
    lines below the table under ``legend``, as a JSON list. A field of one type keeps it; one of
    several types is text.
    """
    import pyarrow
    from pyarrow import parquet

    kinds = {"low": pyarrow.float64(), "high": pyarrow.float64(), "value": pyarrow.float64()}
    rows = _cells(table, intervals)
    arrays = {
        name: pyarrow.array(_alike([row[name] for row in rows]), kinds.get(name))
        for name in rows[0]
    }
    told = json.dumps(legend(table, intervals, best="best:"))
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays).replace_schema_metadata({"legend": told}), out)
    return out.getvalue()


def to_html(table: Table, intervals: bool = False) -> str:
    """The table for a notebook: text alone is taken from it, nothing that acts."""
    left = row_heads(table)
    tasks, metrics = zip(*heads(table.columns), strict=True)
    top = [_html_row(["" for _ in left] + list(tasks), "th"), _html_row([*left, *metrics], "th")]
    body = []
    for row in table.rows:
        cells = [
            _html_cell(cell, shown(cell, column.metric, intervals))
            for column, cell in zip(table.columns, row.cells, strict=True)
        ]
        labels = "".join(f"<th>{_safe(label)}</th>" for label in row_labels(table, row))
        body.append(f"<tr>{labels}{''.join(cells)}</tr>")
    notes = "".join(f"<li>{_safe(note)}</li>" for note in legend(table, intervals, best="bold:"))
    return (
        f"<table><thead>{''.join(top)}</thead><tbody>{''.join(body)}</tbody></table>"
        f"<ul>{notes}</ul>\n"
    )


def _cells(table: Table, intervals: bool) -> list[dict[str, Any]]:
    return [
        {
            **dict(zip(table.by, row.labels, strict=True)),
            **dict(zip(table.across, column.labels or (None,) * len(table.across), strict=True)),
            "baseline": row.name if row.baseline else None,
            "score": column.metric,
            "state": cell.status,
            "value": cell.value,
            "low": cell.interval[0] if cell.interval else None,
            "high": cell.interval[1] if cell.interval else None,
            "seeds": len(cell.values),
            "best": cell.best,
            "leads": cell.leads,
            "partial": cell.partial,
            "text": shown(cell, column.metric, intervals),
        }
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    ]


def _alike(values: Sequence[Label]) -> list[Label]:
    """The values as they are where they are of one type, else as text; text as UTF-8 can hold."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) == 1 and kinds != {str}:
        return list(values)
    return [None if value is None else _encodable(value) for value in values]


def _encodable(value: Label) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "backslashreplace").decode()


def _html_row(texts: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{_safe(text)}</{tag}>" for text in texts) + "</tr>"


def _html_cell(cell: Cell, text: str) -> str:
    safe = f"<b>{_safe(text)}</b>" if cell.best else _safe(text)
    return f"<td>{safe}{LEADS * cell.leads}{PARTIAL * cell.partial}</td>"


def _safe(text: str) -> str:
    return html.escape(visible(text))
