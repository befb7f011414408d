"""A pivot: any field of records downwards, any field across, a score in each cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..core.errors import UsageError
from . import speed
from .best import Scored, mark
from .fields import Item, items, names_of, need, select
from .notes import interval_note
from .ordering import by_baseline, natural
from .records import Record
from .render import label_text
from .table import Cell, Column, Failure, Label, Row, Table, mean_cell, notes_of
from .units import cell_of, refuse_mixtures
from .variants import variants

Labels = tuple[Label, ...]
_Place = tuple[Labels, "_Measured"]

# Told of every table, since a reader takes them for one where nothing else is said.
_TOLD = ("encoder", "task", "layer")
# What a baseline's score depends on.
_OF_DATA = ("task", "data", "data_hash")
# Fields whose values need no name beside them.
_PLAIN = ("encoder", "task", "data", "probe", "layer_name", "metric", "fingerprint")
_IN_CELLS = ("value", "low", "high")
_CONTROLS = ("onehot", "random-vectors")


@dataclass(frozen=True)
class Layout:
    """Which fields stand downwards and across, and which scores in the cells.

    Fields and metrics are names of ``frame.flat``: ``encoder``, ``layer``, ``settings.context``;
    a score may be named without ``scores.``. Without ``metrics`` each record shows its own.
    ``strata`` adds the scores of parts of the targets: ``f1[string=same]``.
    """

    rows: tuple[str, ...] = ("encoder", "layer")
    columns: tuple[str, ...] = ("task",)
    metrics: tuple[str, ...] = ()
    strata: bool = False


class _Measured(NamedTuple):
    """A column: its labels, the score in it, and whose main score it belongs to.

    ``metric`` is empty where each record shows its own; ``main`` empty for all records.
    """

    labels: Labels
    metric: str
    main: str = ""

    def takes(self, item: Item) -> bool:
        return self.main in ("", item.record.metric)

    def metric_of(self, record: Record) -> str:
        return self.metric or record.metric


def pivot(
    records: Iterable[Record],
    layout: Layout | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    *,
    with_speed: bool = False,
) -> Table:
    """The pivot of the records that say what ``where`` asks for, as a table.

    A cell is the mean over the seeds of one unit. Encoders with random weights and encoders of
    words alone stand after the others, baselines below. With ``with_speed`` a column tells what
    it takes to reach each layer (``speed.beside``). Raises UsageError where several units fall
    into one cell, with the fields that tell them apart, and for a field or a score that no record
    has; DataError where no record is left.
    """
    layout = layout or Layout()
    whole = items(records)
    found = select(whole, where or {})
    of_scores = [item for item in found if item.record.key.task != speed.TASK]
    left_out = len(found) - len(of_scores) if of_scores else 0
    found = of_scores or found
    _check(layout, found)
    columns = list(_columns(found, layout))
    rows, cells = _cells(found, layout, columns)
    shown = [item.record for item in found]
    heads = tuple(_head(column, found, layout) for column in columns)
    measured = [
        _row(labels, members, layout, [cells[labels, column] for column in columns])
        for labels, members in rows.items()
    ]
    notes = [*notes_of(shown, measured, heads), *_notes(found, layout, where or {})]
    if left_out and not with_speed:
        notes.append(f"{left_out} records of times are left out; --speed shows them")
    table = Table(
        heads,
        (*measured, *_baselines(found, layout, columns)),
        _failures(shown),
        tuple(notes),
        interval_note(shown),
        layout.rows,
        layout.columns,
    )
    if not with_speed:
        return table
    return _beside(table, list(rows.values()), [item.record for item in whole], shown)


def _check(layout: Layout, found: Sequence[Item]) -> None:
    known = names_of(found)
    for flag, names in (("--rows", layout.rows), ("--columns", layout.columns)):
        for name in names:
            need(name, known, flag)
            if name in _IN_CELLS:
                raise UsageError(f"{name!r} stands in the cells", where=flag)
    twice = [n for n in layout.rows if n in layout.columns or layout.rows.count(n) > 1]
    if twice or not layout.rows:
        what = f"{twice[0]!r} is named twice" if twice else "no field is named"
        raise UsageError(what, where="--rows")
    scores = {name for item in found for name in item.record.scores}
    for metric in layout.metrics:
        if not any(item.number(metric) is not None for item in found):
            need(metric, scores, "--metric")


def _columns(found: Sequence[Item], layout: Layout) -> Iterator[_Measured]:
    by_labels: dict[Labels, list[Item]] = defaultdict(list)
    for item in found:
        by_labels[_labels(item, layout.columns)].append(item)
    for labels in sorted(by_labels, key=lambda labels: _order(layout.columns, labels)):
        members = by_labels[labels]
        # A task's own score has a column; where tasks share one, each record shows its own.
        own = {item.record.metric for item in members} if "task" in layout.columns else {""}
        wanted = [(metric, "") for metric in layout.metrics]
        for metric, main in wanted or [(metric, metric) for metric in sorted(own)]:
            column = _Measured(labels, metric, main)
            yield column
            parts = {n for i in members if column.takes(i) for n in i.record.scores if n[-1] == "]"}
            if layout.strata:
                of_it = [n for n in parts if not layout.metrics or n.startswith(f"{metric}[")]
                yield from (_Measured(labels, n, main) for n in sorted(of_it, key=natural))


def _cells(
    found: Sequence[Item], layout: Layout, columns: Sequence[_Measured]
) -> tuple[dict[Labels, list[Item]], dict[_Place, Cell]]:
    """The rows in order with their records, and the cells."""
    rows: dict[Labels, list[Item]] = defaultdict(list)
    units: dict[_Place, list[Item]] = defaultdict(list)
    by_labels: dict[Labels, list[_Measured]] = defaultdict(list)
    for column in columns:
        by_labels[column.labels].append(column)
    for item in found:
        labels = _labels(item, layout.rows)
        rows[labels].append(item)
        for column in by_labels[_labels(item, layout.columns)]:
            if column.takes(item):
                units[labels, column].append(item)
    refuse_mixtures(list(units.values()))
    scored = {}
    for labels in rows:
        for column in columns:
            members = units.get((labels, column), [])
            metric = column.metric_of(members[0].record) if members else ""
            fields = dict(
                zip((*layout.rows, *layout.columns), (*labels, *column.labels), strict=True)
            )
            scored[labels, column] = Scored(cell_of(members, column.metric), metric, fields)
    order = sorted(rows, key=lambda labels: _order(layout.rows, labels))
    return {labels: rows[labels] for labels in order}, mark(scored)


def _baselines(
    found: Sequence[Item], layout: Layout, columns: Sequence[_Measured]
) -> Iterator[Row]:
    """A row for each baseline and for each value of what it depends on, as far as rows tell it."""
    values: dict[tuple[str, Labels], dict[_Measured, set[float]]] = defaultdict(
        lambda: defaultdict(set)
    )
    for item in found:
        kept = tuple(item.label(n) if n in _OF_DATA else None for n in layout.rows)
        across = _labels(item, layout.columns)
        for column in columns:
            if column.labels == across and column.takes(item):
                metric = column.metric_of(item.record)
                for name, scores in item.record.baselines.items():
                    if metric in scores:
                        values[name, kept][column].add(scores[metric])
    order = sorted(values, key=lambda at: (by_baseline(at[0]), _order(layout.rows, at[1])))
    for name, kept in order:
        cells = tuple(_span(values[name, kept][column]) for column in columns)
        labels = list(kept)
        free = [i for i, field in enumerate(layout.rows) if field not in _OF_DATA]
        labels[free[0] if free else 0] = name if free else f"{name}: {label_text(kept[0])}"
        yield Row(name, "", None, "", cells, tuple(labels), baseline=True)


def _span(values: set[float]) -> Cell:
    if len(values) > 1:
        return Cell(status="range", interval=(min(values), max(values)))
    return mean_cell(tuple(values)) if values else Cell()


def _row(labels: Labels, members: Sequence[Item], layout: Layout, cells: Sequence[Cell]) -> Row:
    layers = {item.record.key.layer for item in members}
    names = {item.record.layer_name for item in members}
    layer = layers.pop() if len(layers) == 1 and "layer" in layout.rows else None
    layer_name = names.pop() if len(names) == 1 and "encoder" in layout.rows else str(layer)
    return Row("", "", layer, layer_name, tuple(cells), labels)


def _head(column: _Measured, found: Sequence[Item], layout: Layout) -> Column:
    text = ", ".join(
        label_text(label)
        if name in _PLAIN
        else f"{name.removeprefix('settings.')}={label_text(label)}"
        for name, label in zip(layout.columns, column.labels, strict=True)
    )
    own = {i.record.metric for i in found if _labels(i, layout.columns) == column.labels}
    return Column(text, column.metric or " or ".join(sorted(own)), column.labels)


def _notes(
    found: Sequence[Item], layout: Layout, where: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for name, values in where.items():
        yield f"only where {name}={' or '.join(values)}"
    for name in _TOLD:
        several = len({item.label(name) for item in found}) > 1
        if several and name not in (*layout.rows, *layout.columns):
            yield f"cells differ in {name} too, which stands neither in rows nor in columns"


def _failures(records: Sequence[Record]) -> tuple[Failure, ...]:
    return tuple(
        Failure(r.key.encoder, "", r.key.task, r.key.layer, r.key.seed, r.error or "")
        for r in sorted(records, key=lambda r: (natural(r.key.encoder), r.key.layer))
        if r.status == "failed"
    )


def _beside(
    table: Table, members: Sequence[Sequence[Item]], whole: Sequence[Record], shown: list[Record]
) -> Table:
    """The table with times beside the rows that stand for one layer of one encoder."""
    variant_of = {r.id: v.encoder for r, v in zip(shown, variants(shown), strict=True)}
    plain = []
    for group in members:
        first = group[0].record
        alike = {(i.record.key.fingerprint, i.record.key.layer) for i in group}
        layer = first.key.layer if len(alike) == 1 else None
        plain.append(Row(first.key.encoder, variant_of[first.id], layer, "", ()))
    if not any(row.layer is not None for row in plain):
        raise UsageError(
            "no row stands for one layer of one encoder",
            where="--speed",
            cure="--rows encoder,layer",
        )
    plain += [Row("", "", None, "", ()) for _ in table.rows[len(members) :]]
    costs = speed.split(whole)[1]
    times = speed.beside(replace(table, columns=(), rows=tuple(plain)), [*shown, *costs])
    rows = zip(table.rows, times.rows, strict=True)
    return replace(
        times,
        columns=(*table.columns, *times.columns),
        rows=tuple(replace(row, cells=(*row.cells, *time.cells)) for row, time in rows),
    )


def _labels(item: Item, names: Sequence[str]) -> Labels:
    return tuple(item.label(name) for name in names)


def _order(names: Sequence[str], labels: Labels) -> tuple[object, ...]:
    """A sort key: numbers by size, then texts; of encoders the controls last."""
    return tuple(
        (
            name == "encoder" and _is_control(label_text(label)),
            isinstance(label, str),
            natural(label) if isinstance(label, str) else float(label or 0),
        )
        for name, label in zip(names, labels, strict=True)
    )


def _is_control(encoder: str) -> bool:
    """Whether it has random weights, or words alone."""
    return "+random" in encoder or encoder.partition(":")[0] in _CONTROLS
