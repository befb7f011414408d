"""A table as text for a terminal, Markdown, CSV, LaTeX or JSON, with the same digits in each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from .escaping import latex, markdown, spreadsheet
from .table import Cell, Column, Row, Table

MISSING = "–"
BEST = "*"
PARTIAL = "†"
_LONGEST_ERROR = 400
_DECIMALS = {"compression": 2, "ms": 2, "words/s": 0}


def number(value: float, metric: str = "") -> str:
    """Three decimals (a compression or a time: two, a rate: none), and no minus before zero.

    The one place where a score becomes text.
    """
    decimals = _DECIMALS.get(metric.partition(" ")[0], 3)
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def shown(cell: Cell, metric: str, intervals: bool = False) -> str:
    """A cell's text without its marks: ``0.931``, ``0.931 [0.921, 0.940]``, ``failed``, ``–``."""
    if cell.status == "failed":
        return "failed"
    low, high = (number(bound, metric) for bound in cell.interval or (0.0, 0.0))
    if cell.status == "range" and cell.interval is not None:
        return f"{low}–{high}"
    if cell.value is None:
        return MISSING
    if not intervals or cell.interval is None:
        return number(cell.value, metric)
    return f"{number(cell.value, metric)} [{low}, {high}]"


def heads(columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Task and metric above each column; the task is empty where that on the left has named it."""
    before = ["", *(column.task for column in columns)]
    return [
        ("" if column.extra and column.task == left else column.task, column.metric)
        for column, left in zip(columns, before, strict=False)
    ]


def layer_text(row: Row) -> str:
    """A layer's number and name: ``0 embedding``; empty for a baseline."""
    if row.layer is None:
        return ""
    number_again = {f"{prefix}{row.layer}" for prefix in ("", "layer", "layer ", "layer_")}
    return str(row.layer) if row.layer_name in number_again else f"{row.layer} {row.layer_name}"


def row_text(row: Row) -> str:
    """A row's encoder or baseline and what sets it apart: ``lstm (context=document)``."""
    return f"{row.name} ({row.variant})" if row.variant else row.name


def legend(table: Table, intervals: bool = False, best: str = BEST) -> list[str]:
    """The lines below a table, raw: marks, notes, and each failed unit with its reason."""
    cells = table.cells
    lines = []
    if any(cell.best for cell in cells):
        lines.append(f"{best} best layer of the encoder by the score shown")
    if any(cell.partial for cell in cells):
        lines.append(f"{PARTIAL} some seeds failed")
    if any(cell.status == "missing" for cell in cells):
        lines.append(f"{MISSING} not measured")
    if any(cell.status == "range" for cell in cells):
        lines.append("a–b lowest and highest value of a baseline that differs between units")
    if intervals and table.interval_note:
        lines.append(table.interval_note)
    return [*lines, *table.notes, *_failures(table)]


def groups(table: Table) -> Iterator[list[Row]]:
    """The rows of each encoder, then those of the baselines."""
    for _, rows in groupby(
        table.rows, key=lambda row: (row.name, row.variant) if row.layer is not None else None
    ):
        yield list(rows)


def to_markdown(table: Table, intervals: bool = False) -> str:
    """A GitHub-flavoured Markdown table; the best layers are bold."""
    names = [f"{column.task} {column.metric}" for column in table.columns]
    lines = [
        _markdown_row(["encoder", "layer", *map(markdown, names)]),
        _markdown_row([":--", ":--", *("--:" for _ in names)]),
    ]
    for group in groups(table):
        for name, row in _named_once(group):
            cells = [
                _marked(cell, markdown(shown(cell, column.metric, intervals)), "**{}**")
                for column, cell in zip(table.columns, row.cells, strict=True)
            ]
            lines.append(_markdown_row([markdown(name), markdown(layer_text(row)), *cells]))
    notes = [markdown(line) for line in legend(table, intervals, best="bold:")]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)]) + "\n"


def to_latex(table: Table, intervals: bool = False) -> str:
    """A ``tabular`` for the package booktabs; the best layers are bold."""
    width = len(table.columns) + 2
    tasks, metrics = zip(*heads(table.columns), strict=True)
    lines = [r"\begin{tabular}{ll" + "r" * len(table.columns) + "}", r"\toprule"]
    lines.append(_latex_row(["", "", *map(latex, tasks)]))
    lines.append(_latex_row(["encoder", "layer", *map(latex, metrics)]))
    for group in groups(table):
        lines.append(r"\midrule")
        for name, row in _named_once(group):
            cells = [
                _marked(cell, latex(shown(cell, column.metric, intervals)), r"\textbf{{{}}}")
                for column, cell in zip(table.columns, row.cells, strict=True)
            ]
            lines.append(_latex_row([latex(name), latex(layer_text(row)), *cells]))
    lines.append(r"\bottomrule")
    for note in legend(table, intervals, best="bold:"):
        lines.append(rf"\multicolumn{{{width}}}{{l}}{{\footnotesize {latex(note)}}} \\")
    return "\n".join([*lines, r"\end{tabular}"]) + "\n"


def to_csv(table: Table, intervals: bool = False) -> str:
    """Comma-separated values: every row complete, numbers bare, what is missing empty.

    The best layers are named in a column of their own, ``best``, by task: ``pos.v1; pos.v1
    selectivity``. Only main scores have columns of their interval's ends. Reasons of failures are
    not in it: a line below the table would spoil it for readers.
    """
    names = []
    for column in table.columns:
        ends = ("", " low", " high") if intervals and not column.extra else ("",)
        names += [f"{column.task} {column.metric}{end}" for end in ends]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["encoder", "variant", "layer", "layer_name", *map(spreadsheet, names), "best"])
    for row in table.rows:
        best = []
        values = []
        for column, cell in zip(table.columns, row.cells, strict=True):
            if cell.best:
                best.append(f"{column.task} {column.metric}" if column.extra else column.task)
            values.append("" if cell.status == "missing" else shown(cell, column.metric))
            if intervals and not column.extra:
                bounds = cell.interval if cell.status == "ok" else None
                values += ["", ""] if bounds is None else [number(bounds[0]), number(bounds[1])]
        writer.writerow(
            [
                spreadsheet(row.name),
                spreadsheet(row.variant),
                "" if row.layer is None else row.layer,
                spreadsheet(row.layer_name),
                *values,
                spreadsheet("; ".join(best)),
            ]
        )
    return out.getvalue()


def to_json(table: Table, intervals: bool = False) -> str:
    """All of the table: full precision, beside the ``text`` that the other formats show."""
    whole = asdict(table)
    for row, plain in zip(table.rows, whole["rows"], strict=True):
        for column, cell, fields in zip(table.columns, row.cells, plain["cells"], strict=True):
            fields["text"] = shown(cell, column.metric, intervals)
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def _failures(table: Table) -> list[str]:
    """A line for each reason; layers that failed alike share it."""
    layers: dict[tuple[str, str, int, str], list[int]] = {}
    for failure in table.failures:
        name = f"{failure.encoder} ({failure.variant})" if failure.variant else failure.encoder
        alike = (name, failure.task, failure.seed, failure.error)
        layers.setdefault(alike, []).append(failure.layer)
    lines = []
    for (name, task, seed, error), found in layers.items():
        where = f"layer{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}"
        reason = error if len(error) <= _LONGEST_ERROR else error[:_LONGEST_ERROR] + " …"
        lines.append(f"failed: {name}, {task}, {where}, seed {seed}: {reason}")
    return lines


def _named_once(group: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    before = None
    for row in group:
        name = row_text(row)
        yield ("" if name == before else name), row
        before = name


def _marked(cell: Cell, text: str, bold: str) -> str:
    text = bold.format(text) if cell.best else text
    return text + PARTIAL if cell.partial else text


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


FORMATS: dict[str, Callable[..., str]] = {
    "markdown": to_markdown,
    "csv": to_csv,
    "latex": to_latex,
    "json": to_json,
}
