"""Comparisons of two systems as text: their sentences, a table below them, and its legend."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal

from rich import box
from rich.table import Table as Grid
from rich.text import Text

from .compared import (
    CORRECTION_NAMES,
    Compared,
    ComparisonTable,
    interval_text,
    p_text,
    sentences,
    signed,
    task_text,
)
from .comparison import ALPHA, POWER
from .console import console
from .escaping import markdown, spreadsheet, visible
from .render import MISSING, number

_FEW_CLUSTERS = 20  # 95 % intervals of so few cover the truth in less than 92 % of the cases


def legend(table: ComparisonTable) -> list[str]:
    """How to read the numbers, and what was left out."""
    rows = table.rows
    tasks: dict[str, list[str]] = defaultdict(list)
    sizes: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        tasks[row.metric].append(row.task)
        sizes[row.cluster].append(row.paired.clusters)
    scores = [f"{metric} ({', '.join(dict.fromkeys(names))})" for metric, names in tasks.items()]
    clusters = [
        f"{'–'.join(map(str, sorted({min(numbers), max(numbers)})))} {cluster}s"
        for cluster, numbers in sizes.items()
    ]
    exact = sum(row.paired.test.exact for row in rows)
    drawn = max((row.paired.test.swaps for row in rows if not row.paired.test.exact), default=0)
    how = [f"{drawn:,} random swaps"] if drawn else []
    how += [f"every swap in {exact} of {len(rows)}"] if exact else []
    by = CORRECTION_NAMES.get(table.correction, "no correction")
    ending = "s" if len(rows) > 1 else ""
    lines = [
        f"A: {table.first}; B: {table.second}",
        f"scores: {'; '.join(scores)}",
        f"clusters: {', '.join(clusters)} a task",
        "[low, high]: 95 % percentile interval of the difference, paired bootstrap over clusters, "
        "of each comparison by itself",
        f"p: two-sided paired permutation over clusters ({', '.join(how)})",
        f"adjusted p: {by} over {len(rows)} comparison{ending}; "
        f"verdict: by an adjusted p of at most {ALPHA:g}",
        f"smallest: the true difference found in {100 * POWER:.0f} % of test sets like this one "
        f"by one test at {ALPHA:g}, before correction",
    ]
    if few := [row.task for row in rows if row.paired.clusters < _FEW_CLUSTERS]:
        lines.append(f"intervals from so few clusters are too narrow: {', '.join(few)}")
    if any(row.paired.seeds == 1 for row in rows):
        lines.append("each probe was fitted once: other training data may move either score")
    return [*lines, *table.notes]


_HEADS = (
    *("task", "metric", "layers A, B", "A", "B", "A less B", "95 % interval"),
    *("p", "adjusted p", "smallest", "verdict"),
)
_TEXTS = ("task", "metric", "verdict")


def _cells(table: ComparisonTable, row: Compared) -> list[str]:
    paired, metric = row.paired, row.metric
    return [
        task_text(table, row),
        metric,
        f"{row.first.layer}, {row.second.layer}",
        number(paired.first, metric),
        number(paired.second, metric),
        signed(paired.difference, metric),
        interval_text(row),
        p_text(paired.test.p_value),
        p_text(row.adjusted_p),
        MISSING if paired.detectable is None else number(paired.detectable, metric),
        row.verdict,
    ]


def to_terminal(table: ComparisonTable, *, width: int = 100, styled: bool = False) -> str:
    """Sentences, table and legend in lines of at most ``width`` columns."""
    out = io.StringIO()
    page = console(out, width, colours="standard" if styled else None)
    for sentence in sentences(table):
        page.print(Text(visible(sentence), style="bold", overflow="fold"))
    page.print()
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for head in _HEADS:
        if head == "metric":  # there is no room for it beside the rest
            continue
        name = head if head == "95 % interval" else head.replace(" ", "\n", 1)
        justify: Literal["left", "right"] = "left" if head in _TEXTS else "right"
        grid.add_column(name, justify=justify, overflow="fold", no_wrap=head != "task")
    for row in table.rows:
        task, _, *cells, verdict = _cells(table, row)
        short = "not shown" if verdict == "no difference shown" else verdict
        grid.add_row(*(Text(visible(cell), overflow="fold") for cell in (task, *cells, short)))
    page.print(grid)
    page.print()
    for line in legend(table):
        page.print(Text(visible(line), style="dim", overflow="fold"))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def to_markdown(table: ComparisonTable) -> str:
    """Sentences, a GitHub-flavoured Markdown table and its legend."""
    rules = [":--" if head in _TEXTS else "--:" for head in _HEADS]
    rows = [[markdown(cell) for cell in _cells(table, row)] for row in table.rows]
    lines = [f"| {' | '.join(cells)} |" for cells in (_HEADS, rules, *rows)]
    said = [f"{markdown(sentence)}\n" for sentence in sentences(table)]
    return "\n".join([*said, *lines, "", *(f"- {markdown(line)}" for line in legend(table))]) + "\n"


def to_csv(table: ComparisonTable) -> str:
    """Comma-separated values, one comparison a line; what cannot be told is empty."""
    records = [_plain(table, row) for row in table.rows]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(records[0] if records else ())
    for record, row in zip(records, table.rows, strict=True):
        writer.writerow(_csv_value(name, value, row.metric) for name, value in record.items())
    return out.getvalue()


def to_json(table: ComparisonTable) -> str:
    """All comparisons in full precision, with the sentences and the legend."""
    whole = {
        "first": table.first,
        "second": table.second,
        "correction": table.correction,
        "sentences": sentences(table),
        "comparisons": [_plain(table, row) for row in table.rows],
        "legend": legend(table),
    }
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


FORMATS: dict[str, Callable[[ComparisonTable], str]] = {
    "md": to_markdown,
    "csv": to_csv,
    "json": to_json,
}


def _plain(table: ComparisonTable, row: Compared) -> dict[str, Any]:
    paired = row.paired
    low, high = (paired.interval.low, paired.interval.high) if paired.interval else (None, None)
    return {
        "task": row.task,
        "data": row.data,
        "metric": row.metric,
        "encoder_a": table.first,
        "encoder_b": table.second,
        "layer_a": row.first.layer,
        "layer_b": row.second.layer,
        "chosen_a": row.first.chosen,
        "chosen_b": row.second.chosen,
        "score_a": paired.first,
        "score_b": paired.second,
        "difference": paired.difference,
        "low": low,
        "high": high,
        "p": paired.test.p_value,
        "adjusted_p": row.adjusted_p,
        "smallest": paired.detectable,
        "verdict": row.verdict,
        "clusters": paired.clusters,
        "cluster": row.cluster,
        "deciding_clusters": paired.test.deciding,
        "swaps": paired.test.swaps,
        "exact": paired.test.exact,
        "seeds": paired.seeds,
    }


def _csv_value(name: str, value: Any, metric: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if name in ("p", "adjusted_p") else number(value, metric)
    return spreadsheet(value) if isinstance(value, str) else str(value)
