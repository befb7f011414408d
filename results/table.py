"""The layerwise table: encoders and their layers downwards, tasks across, baselines below.

A table holds what was measured and nothing else: what is missing stays missing, what failed says
so, and units whose numbers depend on something different never share a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

from ..core.errors import DataError
from .notes import interval_note, record_notes, seeds_note
from .ordering import by_baseline, by_place, natural
from .records import Record
from .variants import Variant, variants

# Scores shown beside the main one, where measured, in this order.
_EXTRAS = {
    "selectivity": "score minus that of the same probe on random labels, its control task",
    "root_accuracy": "how often the root is the least deep of the scored words",
    "spearman": "rank correlation with true distances, sentences of 5 to 50 words",
    "natural_average_precision": "average precision on pairs as they occur in running text",
    "gender_bias": "F1 on feminine over F1 on masculine pronouns: 1 is none",
    "stereotype_gap": "accuracy along the stereotype minus that against it: 0 is none",
    "compression": "bits of a uniform code over those of the online code",
    "accuracy_centred": "accuracy with the layer's mean word vector taken off (anisotropy)",
    "words/s": "words of the batch over the time to reach the layer",
}

# Scores that describe a layer: more is not better.
_UNRANKED = {"cosine", "adjusted", "eta_squared", "gender_bias", "stereotype_gap"}

Label = str | int | float | None
"""What a pivot reads from a record for a row or a column; None where it has no meaning."""


@dataclass(frozen=True)
class Cell:
    """One score, or why there is none.

    ``value`` is the mean over ``values``, one a seed, in order of the seeds; ``interval`` is the
    mean of the seeds' intervals, None where a seed has none. ``best`` marks the best layer of its
    encoder in its column. ``partial``: some seeds failed. ``range`` (of a baseline that differs
    between units) has the lowest and the highest value. ``leads``: in a pivot, the best of all
    encoders.
    """

    status: Literal["ok", "failed", "missing", "range"] = "missing"
    value: float | None = None
    interval: tuple[float, float] | None = None
    values: tuple[float, ...] = ()
    best: bool = False
    partial: bool = False
    leads: bool = False


@dataclass(frozen=True)
class Column:
    """A task (versioned name) and the score shown of it.

    In a pivot ``task`` is the text of its ``labels``, one for each field of ``Table.across``.
    """

    task: str
    metric: str
    labels: tuple[Label, ...] = ()

    @property
    def extra(self) -> bool:
        """Whether it stands beside the column of a main score, without intervals."""
        return self.metric in _EXTRAS or self.metric.endswith("]")


@dataclass(frozen=True)
class Row:
    """One layer of an encoder, or a baseline (``layer`` None, ``name`` the baseline's).

    ``variant`` says what sets it apart from others of that name: ``context=document``. A pivot's
    row has a label for each field of ``Table.by`` in ``labels``, and says whether it is a
    ``baseline``.
    """

    name: str
    variant: str
    layer: int | None
    layer_name: str
    cells: tuple[Cell, ...]
    labels: tuple[Label, ...] = ()
    baseline: bool = False

    @property
    def below(self) -> bool:
        """Whether it stands below the encoders."""
        return self.baseline or (self.layer is None and not self.labels)


@dataclass(frozen=True)
class Failure:
    """A failed unit and its error."""

    encoder: str
    variant: str
    task: str
    layer: int
    seed: int
    error: str


@dataclass(frozen=True)
class Table:
    """Rows in reading order: encoders by name, layers upwards from 0, then the baselines.

    ``notes`` are lines to stand below, ``interval_note`` one for where intervals are shown. All
    texts are as they came, so that whoever shows them must make them harmless. ``by`` and
    ``across`` name the fields that a pivot's rows and columns stand for.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    interval_note: str = ""
    by: tuple[str, ...] = ()
    across: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, row after row."""
        return tuple(cell for row in self.rows for cell in row.cells)


_Place = tuple[str, str, int]


def build(records: Iterable[Record], *, strata: bool = False) -> Table:
    """The table of the records. Raises DataError where there are none.

    With ``strata`` there are columns for the scores of parts of the targets: ``f1[string=same]``.

    Seeds of one unit are averaged. Whatever else sets units of one encoder, task and layer apart
    (weights, data, probe, settings) gives rows of their own, labelled with what differs.
    """
    unique = {record.id: record for record in records}.values()
    records = sorted(unique, key=lambda r: (natural(r.key.encoder), r.key.layer, r.key.seed))
    if not records:
        raise DataError("no records to draw a table from", cure="run `probe run` first")
    labels = variants(records)
    pairs = _columns(records, strata)
    columns = tuple(column for column, _ in pairs)
    units: dict[tuple[_Place, Column], list[Record]] = defaultdict(list)
    layer_names: dict[_Place, str] = {}
    for record, variant in zip(records, labels, strict=True):
        place = (record.key.encoder, variant.encoder, record.key.layer)
        units[place, Column(record.key.task, record.metric)].append(record)
        layer_names.setdefault(place, record.layer_name)
    rows = [
        Row(*place, name, tuple(_cell(units.get((place, m), []), c.metric) for c, m in pairs))
        for place, name in sorted(layer_names.items(), key=lambda item: by_place(item[0]))
    ]
    rows = _mark_best(rows, columns)
    baselines = _baselines(records, labels, columns)
    failures = tuple(
        Failure(
            record.key.encoder,
            variant.encoder,
            record.key.task,
            record.key.layer,
            record.key.seed,
            record.error or "",
        )
        for record, variant in zip(records, labels, strict=True)
        if record.status == "failed"
    )
    return Table(
        columns,
        (*rows, *baselines),
        failures,
        notes_of(records, rows, columns),
        interval_note(records),
    )


def lower_is_better(metric: str) -> bool:
    """Whether the score is a cost; its unit at the end of the name tells."""
    costs = ("_nats", "_bits", "_seconds", "bits_per_label", "brier", "calibration_error")
    return metric.startswith("milliseconds") or metric.endswith(costs)


def is_ranked(metric: str) -> bool:
    """Whether one end of the score's scale is the better one."""
    return metric not in _UNRANKED


def _columns(records: Sequence[Record], strata: bool) -> list[tuple[Column, Column]]:
    """Each column and that of its main score: itself, or the one before its extras."""
    found: dict[Column, set[str]] = defaultdict(set)
    for record in records:
        found[Column(record.key.task, record.metric)].update(record.scores)
    pairs = []
    for main in sorted(found, key=lambda column: (natural(column.task), column.metric)):
        others = found[main] - {main.metric}
        shown = [main.metric, *(extra for extra in _EXTRAS if extra in others)]
        if strata:
            shown += sorted((name for name in others if name.endswith("]")), key=natural)
        pairs += [(Column(main.task, metric), main) for metric in shown]
    return pairs


def _cell(records: Sequence[Record], metric: str) -> Cell:
    if not records:
        return Cell()
    good = [record for record in records if record.status == "ok"]
    if not good:
        return Cell(status="failed")
    values = [record.scores[metric] for record in good if metric in record.scores]
    if not values:
        return Cell()
    intervals = [r.interval for r in good if r.metric == metric and r.interval is not None]
    return replace(
        mean_cell(values),
        interval=(fmean(i.low for i in intervals), fmean(i.high for i in intervals))
        if len(intervals) == len(good)
        else None,
        partial=len(good) < len(records),
    )


def mean_cell(values: Sequence[float]) -> Cell:
    """The mean over seeds."""
    # fmean of equal values may differ from them in the last bit, and then break a tie.
    mean = values[0] if len(set(values)) == 1 else fmean(values)
    return Cell(status="ok", value=mean, values=tuple(values))


def _mark_best(rows: Sequence[Row], columns: Sequence[Column]) -> list[Row]:
    """Mark the best layers of each encoder and task; one layer alone is no best one."""
    best: dict[tuple[str, str, int], float] = {}
    for index, column in enumerate(columns):
        if not is_ranked(column.metric):
            continue
        measured = defaultdict(list)
        for row in rows:
            value = row.cells[index].value
            if value is not None:
                measured[row.name, row.variant].append(value)
        choose = min if lower_is_better(column.metric) else max
        for group, values in measured.items():
            if len(values) > 1:
                best[(*group, index)] = choose(values)
    return [
        replace(
            row,
            cells=tuple(
                replace(
                    cell,
                    best=cell.value is not None
                    and cell.value == best.get((row.name, row.variant, index)),
                )
                for index, cell in enumerate(row.cells)
            ),
        )
        for row in rows
    ]


def _baselines(
    records: Sequence[Record], labels: Sequence[Variant], columns: Sequence[Column]
) -> list[Row]:
    values: dict[tuple[str, str], dict[Column, set[float]]] = defaultdict(lambda: defaultdict(set))
    for record, variant in zip(records, labels, strict=True):
        for name, scores in record.baselines.items():
            for metric, value in scores.items():
                values[name, variant.data][Column(record.key.task, metric)].add(value)

    def cell(found: set[float] | None) -> Cell:
        if not found:
            return Cell()
        if len(found) > 1:
            return Cell(status="range", interval=(min(found), max(found)))
        return mean_cell(tuple(found))

    return [
        Row(name, variant, None, "", tuple(cell(by_column.get(column)) for column in columns))
        for (name, variant), by_column in sorted(
            values.items(), key=lambda item: (by_baseline(item[0][0]), item[0][1])
        )
        if not by_column.keys().isdisjoint(columns)
    ]


def notes_of(
    records: Sequence[Record], rows: Sequence[Row], columns: Sequence[Column]
) -> tuple[str, ...]:
    """What a reader must know of the numbers, beside the marks."""
    shown = {column.metric for column in columns}
    sizes = {len(cell.values) for row in rows for cell in row.cells if cell.status == "ok"}
    return (
        *(f"{metric}: {meaning}" for metric, meaning in _EXTRAS.items() if metric in shown),
        *seeds_note(sizes),
        *record_notes(records),
    )
