"""One score along the layers of encoders, task by task: what every picture of layers draws.

Scores of single layers only: a mix over the layers 0 to k knows all of them, layer k does not, so
that the two never stand in one plot.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..core.errors import DataError, UsageError, did_you_mean
from . import speed, table
from .records import Record
from .render import number
from .table import Cell, Row
from .variants import variants

_TWIN = re.compile(r"(?P<trained>.+)\+random[0-9]*")
_MIX = "mix_"
"""What the metric of a mix begins with."""
_ENSEMBLE = "tempered_"
"""What the metric of an ensemble of probes begins with."""

Score = Callable[[Record], str]
"""From a record to the name of the score that is drawn of it."""


@dataclass(frozen=True)
class Curve:
    """An encoder's scores by layer, as the table has them; ``layers`` is how many it has."""

    name: str
    variant: str
    layers: int
    cells: Mapping[int, Cell]

    @property
    def label(self) -> str:
        """The name, and what sets it apart from others of that name."""
        return f"{self.name} ({self.variant})" if self.variant else self.name

    @property
    def twin(self) -> bool:
        """Whether its weights are random."""
        return _TWIN.fullmatch(self.name) is not None

    @property
    def family(self) -> str:
        """The label of the trained encoder that it is, or is the twin of."""
        match = _TWIN.fullmatch(self.name)
        return replace(self, name=match["trained"]).label if match else self.label


class Level(NamedTuple):
    """A baseline; ``low`` and ``high`` differ where it differs between units."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class Panel:
    """The curves of one score of a task, and the baselines that have that score."""

    task: str
    metric: str
    curves: tuple[Curve, ...]
    levels: tuple[Level, ...] = ()

    @property
    def score(self) -> str:
        """The score's name, with a word where less of it is better."""
        return self.metric + " (lower is better)" * table.lower_is_better(self.metric)

    @property
    def title(self) -> str:
        """The task and the score."""
        return f"{self.task}, {self.score}"


class Panels(NamedTuple):
    """What can be drawn, and lines that say what is not, with its count."""

    panels: tuple[Panel, ...]
    left_out: tuple[str, ...]


def is_mix(record: Record) -> bool:
    """Whether the scores are those of a mix of layers."""
    return record.metric.startswith(_MIX)


def is_ensemble(record: Record) -> bool:
    """Whether the scores are those of an ensemble over layers."""
    return record.metric.startswith(_ENSEMBLE)


def main_score(record: Record) -> str:
    """The score that tables show."""
    return record.metric


def always(metric: str) -> Score:
    """The score of that name, whatever the record."""
    return lambda record: metric


def panels_of(records: Sequence[Record], metric: str | None = None) -> Panels:
    """A panel a task, of its own metric or of the one asked for.

    Raises DataError where there is nothing to draw, UsageError for a metric that no record has.
    """
    singles = _single_layers(records)
    if metric is not None:
        known = {name for record in singles for name in record.scores}
        if metric not in known:
            raise UsageError(
                f"no layer has a score {metric!r}",
                where="--metric",
                cure=did_you_mean(metric, known),
            )
    return scored(records, main_score if metric is None else always(metric))


def scored(records: Sequence[Record], score: Score) -> Panels:
    """A panel for each task that has the score; none where no record has it."""
    singles = _single_layers(records)
    drawn = [
        record.model_copy(
            update={
                "metric": score(record),
                "interval": record.interval if score(record) == record.metric else None,
            }
        )
        for record in singles
    ]
    good = [record for record in drawn if record.metric in record.scores]
    shown = {(record.key.task, record.metric) for record in good}
    failed = [
        record
        for record in drawn
        if record.status == "failed" and (record.key.task, record.metric) in shown
    ]
    left_out = []
    if mixes := sum(map(is_mix, records)):
        left_out.append(f"{mixes} of mixes of layers, which `probe plot mix` draws")
    if ensembles := sum(map(is_ensemble, records)):
        left_out.append(f"{ensembles} of ensembles over layers, which `probe table` shows")
    if failed:
        left_out.append(f"{len(failed)} that failed; `probe show` tells why")
    if lacking := len(drawn) - len(good) - sum(record.status == "failed" for record in drawn):
        left_out.append(f"{lacking} without this score")
    # All of them, so that what sets encoders apart is told alike whatever score is drawn.
    panels = _panels(drawn, shown) if good else ()
    return Panels(panels, tuple(f"not drawn: {line}" for line in left_out))


def asking(records: Sequence[Record]) -> str:
    """The options of `probe run` or `probe mix` that ask for the units of these records."""
    scores, _ = speed.split(records)
    given = [("-e", record.key.encoder) for record in scores]
    given += [("-t", record.key.task.rpartition(".")[0]) for record in scores]
    given += [("-d", record.key.data) for record in scores]
    return " ".join(f"{flag} {name}" for flag, name in dict.fromkeys(given))


def best_of(panel: Panel) -> str:
    """The best layer of all trained encoders in a panel, for a summary: ``lstm@2, 0.939``."""
    if not table.is_ranked(panel.metric):
        return ""
    found = [
        (cell.value, curve.label, layer)
        for curve in panel.curves
        for layer, cell in curve.cells.items()
        if cell.value is not None
    ]
    choose = min if table.lower_is_better(panel.metric) else max
    value = choose(each[0] for each in found)
    _, label, layer = next(each for each in found if each[0] == value)
    return f"{label}@{layer}, {number(value, panel.metric)}"


def _single_layers(records: Sequence[Record]) -> list[Record]:
    scores, _ = speed.split(records)
    singles = [record for record in scores if not (is_mix(record) or is_ensemble(record))]
    if not singles:
        if any(map(is_mix, scores)):
            raise DataError(
                "all scores here are of mixes of layers", cure="`probe plot mix` draws them"
            )
        raise DataError("no scores of layers here", cure="`probe run` makes them")
    if all(record.status == "failed" for record in singles):
        raise DataError("all units here failed", cure="`probe show` tells why")
    return singles


def _panels(records: Sequence[Record], shown: set[tuple[str, str]]) -> tuple[Panel, ...]:
    built = table.build(records)
    layers: dict[tuple[str, str], int] = defaultdict(int)
    for record, variant in zip(records, variants(records), strict=True):
        place = record.key.encoder, variant.encoder
        layers[place] = max(layers[place], record.layers, record.key.layer + 1)
    return tuple(
        Panel(
            column.task,
            column.metric,
            tuple(_curves(built.rows, index, layers)),
            tuple(_levels(built.rows, index)),
        )
        for index, column in enumerate(built.columns)
        if (column.task, column.metric) in shown
    )


def _curves(
    rows: Sequence[Row], index: int, layers: Mapping[tuple[str, str], int]
) -> Iterable[Curve]:
    cells: dict[tuple[str, str], dict[int, Cell]] = defaultdict(dict)
    for row in rows:
        if row.layer is not None and row.cells[index].status != "missing":
            cells[row.name, row.variant][row.layer] = row.cells[index]
    for place, found in cells.items():
        if any(cell.value is not None for cell in found.values()):
            yield Curve(*place, layers[place], found)


def _levels(rows: Sequence[Row], index: int) -> Iterable[Level]:
    for row in rows:
        cell = row.cells[index]
        if row.layer is None and cell.status != "missing":
            name = f"{row.name} ({row.variant})" if row.variant else row.name
            low, high = cell.interval if cell.status == "range" and cell.interval else (None, None)
            if low is None or high is None:
                assert cell.value is not None
                low = high = cell.value
            yield Level(name, low, high)
