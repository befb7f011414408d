"""The table of scores, to be sorted and filtered, and that of times, with the usual digits."""

from __future__ import annotations

from collections.abc import Sequence

from ..render import PARTIAL, layer_text, legend, row_text, shown
from ..table import Cell, Column, Row, Table
from .markup import Markup, joined, listed, scrolling, section, select, tag
from .series import Series

_BEST = "bold:"


def all_scores(table: Table, series: Sequence[Series]) -> Markup:
    """Every score of the table, with what sorts and filters it."""
    encoders = list(dict.fromkeys(row_text(row) for row in table.rows if not row.below))
    tasks = list(dict.fromkeys(column.task for column in table.columns))
    menus = tag(
        "div",
        select("only-encoder", "Encoder", [("", "all"), *_numbered(encoders)]),
        select("only-task", "Task", [("", "all"), *_numbered(tasks)]),
        tag("label", tag("span", "Find"), tag("input", type="search", id="find")),
        tag("label", tag("input", type="checkbox", id="only-best"), " only chosen layers"),
        tag("output", id="rows-shown", aria_live="polite"),
        class_="menus scripted",
    )
    return section(
        "scores",
        "All scores",
        menus,
        _sorted_by_click(table, series, encoders, tasks),
        listed(legend(table, intervals=True, best=_BEST)),
    )


def times(table: Table) -> Markup:
    """The table of times."""
    rows = (
        (row_text(row), layer_text(row), *(_cell(c, column) for c, column in _pairs(table, row)))
        for row in table.rows
    )
    head = ["encoder", "layer", *(f"{column.task}: {column.metric}" for column in table.columns)]
    body = tag(
        "table",
        tag("caption", "Times; in brackets the quartiles"),
        tag("thead", tag("tr", *(tag("th", name, scope="col") for name in head))),
        tag(
            "tbody",
            *(
                tag("tr", tag("th", name, scope="row"), tag("th", layer, scope="row"), *cells)
                for name, layer, *cells in rows
            ),
        ),
    )
    return tag(
        "details",
        tag("summary", "The table of times"),
        scrolling("Times", body),
        listed(legend(table, intervals=True)),
    )


def _sorted_by_click(
    table: Table, series: Sequence[Series], encoders: Sequence[str], tasks: Sequence[str]
) -> Markup:
    heads = [("encoder", False), ("layer", True)]
    above = [_head(Markup(tag("span", name)), numeric) for name, numeric in heads] + [
        _head(
            joined([tag("span", column.task, class_="task"), tag("span", column.metric)]),
            True,
            tasks.index(column.task),
        )
        for column in table.columns
    ]
    chosen = {(s.task, s.label, s.choice.layer.number) for s in series}
    rows, below = [], []
    for row in table.rows:
        cells = [
            _cell(cell, column, tasks.index(column.task)) for cell, column in _pairs(table, row)
        ]
        name = row_text(row)
        head = tag("th", name, scope="row")
        if row.below:
            below.append(tag("tr", head, tag("td"), *cells))
            continue
        best = [i for i, task in enumerate(tasks) if (task, name, row.layer) in chosen]
        layer = tag("th", layer_text(row), scope="row", data_value=row.layer or 0)
        rows.append(
            tag(
                "tr",
                head,
                layer,
                *cells,
                data_encoder=encoders.index(name),
                data_best=" ".join(map(str, best)),
            )
        )
    return scrolling(
        "All scores",
        tag(
            "table",
            tag("caption", "Scores on test with their intervals. A click on a head sorts."),
            tag("thead", tag("tr", *above)),
            tag("tbody", *rows, id="units"),
            tag("tbody", *below, class_="baselines"),
            id="score-table",
        ),
    )


def _head(inside: Markup, numeric: bool, task: int | None = None) -> Markup:
    of_task = {} if task is None else {"data_task": task}
    return tag(
        "th",
        tag("button", inside, type="button"),
        scope="col",
        aria_sort="none",
        data_kind="number" if numeric else "text",
        **of_task,
    )


def _cell(cell: Cell, column: Column, task: int | None = None) -> Markup:
    attributes: dict[str, str | int | bool] = {} if task is None else {"data_task": task}
    if cell.value is not None:
        attributes["data_value"] = repr(cell.value)
    text = shown(cell, column.metric)
    inside: str = tag("strong", text) if cell.best else text
    parts = [inside, PARTIAL] if cell.partial else [inside]
    if cell.interval is not None and cell.status == "ok":
        ends = shown(cell, column.metric, intervals=True).partition(" ")[2]
        parts += [" ", tag("small", ends)]
    return tag("td", joined(parts), **attributes)


def _pairs(table: Table, row: Row) -> Sequence[tuple[Cell, Column]]:
    return list(zip(row.cells, table.columns, strict=True))


def _numbered(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(str(number), name) for number, name in enumerate(names)]
