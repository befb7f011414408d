"""A table as text for a terminal, Markdown, CSV, LaTeX or JSON, with the same digits in each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from .escaping import latex, markdown, spreadsheet
from .table import Cell, Column, Label, Row, Table

MISSING = "–"
BEST = "*"
PARTIAL = "†"
LEADS = "‡"
_LONGEST_ERROR = 400
_DECIMALS = {"compression": 2, "ms": 2, "words/s": 0}
NO_SCORES = ("counts.", "chosen.", "settings.", "facts.", "provenance.")
"""Parts of a record that are no scores: a count has no decimals, a penalty may be very small."""

# What only a pivot has.
_OF_PIVOTS = {"leads", "labels", "baseline", "by", "across"}


def number(value: float, metric: str = "") -> str:
    """Three decimals (a compression or a time: two, a rate: none), and no minus before zero.

    What is no score keeps six digits, and a whole number all of its own. The one place where a
    score becomes text.
    """
    if metric.startswith(NO_SCORES):
        return str(int(value)) if float(value).is_integer() else f"{value:.6g}"
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


def row_heads(table: Table) -> tuple[str, ...]:
    """What stands above the rows' labels."""
    return table.by or ("encoder", "layer")


def row_labels(table: Table, row: Row) -> tuple[str, ...]:
    """The texts at the left of a row, one for each of the heads."""
    if not row.labels:
        return row_text(row), layer_text(row)
    return tuple(
        layer_text(row) if name == "layer" and row.layer is not None else label_text(label)
        for name, label in zip(table.by, row.labels, strict=True)
    )


def label_text(label: Label) -> str:
    """A pivot's label as text."""
    if label is None:
        return ""
    return label if isinstance(label, str) else json.dumps(label)


def legend(table: Table, intervals: bool = False, best: str = BEST) -> list[str]:
    """The lines below a table, raw: marks, notes, and each failed unit with its reason."""
    cells = table.cells
    lines = []
    if any(cell.best for cell in cells):
        lines.append(f"{best} best layer of the encoder by the score shown")
    if any(cell.leads for cell in cells):
        lines.append(f"{LEADS} best of all encoders by the score shown")
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
    for _, rows in groupby(table.rows, key=_group):
        yield list(rows)


def _group(row: Row) -> object:
    if row.below:
        return None
    return row.labels[:-1] if row.labels else (row.name, row.variant)


def to_markdown(table: Table, intervals: bool = False) -> str:
    """A GitHub-flavoured Markdown table; the best layers are bold."""
    names = [f"{column.task} {column.metric}".strip() for column in table.columns]
    lines = [
        _markdown_row([*map(markdown, [*row_heads(table), *names])]),
        _markdown_row([*(":--" for _ in row_heads(table)), *("--:" for _ in names)]),
    ]
    for group in groups(table):
        for labels, row in _named_once(table, group):
            cells = [
                _marked(cell, markdown(shown(cell, column.metric, intervals)), "**{}**")
                for column, cell in zip(table.columns, row.cells, strict=True)
            ]
            lines.append(_markdown_row([*map(markdown, labels), *cells]))
    notes = [markdown(line) for line in legend(table, intervals, best="bold:")]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)]) + "\n"


def to_latex(table: Table, intervals: bool = False) -> str:
    """A ``tabular`` for the package booktabs; the best layers are bold."""
    left = row_heads(table)
    width = len(left) + len(table.columns)
    tasks, metrics = zip(*heads(table.columns), strict=True)
    shape = "l" * len(left) + "r" * len(table.columns)
    lines = [rf"\begin{{tabular}}{{{shape}}}", r"\toprule"]
    lines.append(_latex_row([*("" for _ in left), *map(latex, tasks)]))
    lines.append(_latex_row([*map(latex, [*left, *metrics])]))
    for group in groups(table):
        lines.append(r"\midrule")
        for labels, row in _named_once(table, group):
            cells = [
                _marked(cell, latex(shown(cell, column.metric, intervals)), r"\textbf{{{}}}", latex)
                for column, cell in zip(table.columns, row.cells, strict=True)
            ]
            lines.append(_latex_row([*map(latex, labels), *cells]))
    lines.append(r"\bottomrule")
    for note in legend(table, intervals, best="bold:"):
        lines.append(rf"\multicolumn{{{width}}}{{l}}{{\footnotesize {latex(note)}}} \\")
    return "\n".join([*lines, r"\end{tabular}"]) + "\n"


def to_csv(table: Table, intervals: bool = False) -> str:
    """Comma-separated values: every row complete, numbers bare, what is missing empty.

    The best layers are named in a column of their own, ``best``, by task: ``pos.v1; pos.v1
    selectivity``. Only main scores have columns of their interval's ends. Reasons of failures are
    not in it: a line below the table would spoil it for readers. A pivot has a column for each of
    its rows' fields, and another, ``leads``, beside ``best``.
    """
    left = table.by or ("encoder", "variant", "layer", "layer_name")
    marks = ("best", "leads") if table.by else ("best",)
    names = []
    for column in table.columns:
        ends = ("", " low", " high") if intervals and not column.extra else ("",)
        names += [f"{column.task} {column.metric}{end}".strip() for end in ends]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*map(spreadsheet, [*left, *names]), *marks])
    for row in table.rows:
        best, leads = [], []
        values = []
        for column, cell in zip(table.columns, row.cells, strict=True):
            name = f"{column.task} {column.metric}".strip()
            if cell.best:
                best.append(name if column.extra or table.by else column.task)
            if cell.leads:
                leads.append(name)
            values.append("" if cell.status == "missing" else shown(cell, column.metric))
            if intervals and not column.extra:
                bounds = cell.interval if cell.status == "ok" else None
                values += [number(bound, column.metric) for bound in bounds or ()] or ["", ""]
        labels = row.labels or (row.name, row.variant, row.layer, row.layer_name)
        marked = ["; ".join(found) for found in (best, leads)[: len(marks)]]
        writer.writerow([*map(_bare, labels), *values, *map(spreadsheet, marked)])
    return out.getvalue()


def to_json(table: Table, intervals: bool = False) -> str:
    """All of the table: full precision, beside the ``text`` that the other formats show."""
    left_out = set() if table.by else _OF_PIVOTS
    whole = asdict(table, dict_factory=lambda items: {n: v for n, v in items if n not in left_out})
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


def _named_once(table: Table, group: Sequence[Row]) -> Iterator[tuple[tuple[str, ...], Row]]:
    """The labels of each row; what the row above has named already is empty, but the last."""
    before: tuple[str, ...] = ()
    for row in group:
        labels = row_labels(table, row)
        last = len(labels) - 1
        yield (
            tuple(
                "" if i < last and labels[: i + 1] == before[: i + 1] else label
                for i, label in enumerate(labels)
            ),
            row,
        )
        before = labels


def _marked(cell: Cell, text: str, bold: str, escape: Callable[[str], str] = str) -> str:
    text = bold.format(text) if cell.best else text
    return text + escape(LEADS * cell.leads + PARTIAL * cell.partial)


def _bare(label: Label) -> str:
    """A label in a CSV file: numbers bare, text harmless."""
    return spreadsheet(label) if isinstance(label, str) else label_text(label)


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
