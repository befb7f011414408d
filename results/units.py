"""The units that share a cell: their seeds are averaged, and nothing else is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean

from ..core.errors import UsageError
from .fields import Item
from .table import Cell, mean_cell


def cell_of(members: Sequence[Item], metric: str) -> Cell:
    """The cell of one unit's seeds; without a metric each record shows its own.

    The interval is the mean of the seeds', where the metric is the main score and all have one.
    """
    good = [item for item in members if item.record.status == "ok"]
    if not good:
        return Cell(status="failed") if members else Cell()
    numbers = [item.number(metric or item.record.metric) for item in good]
    values = [value for value in numbers if value is not None]
    if not values:
        return Cell()
    main = [item.record for item in good if metric in ("", item.record.metric)]
    intervals = [record.interval for record in main if record.interval is not None]
    return replace(
        mean_cell(values),
        interval=(fmean(i.low for i in intervals), fmean(i.high for i in intervals))
        if len(intervals) == len(good)
        else None,
        partial=len(good) < len(members),
    )


def refuse_mixtures(cells: Sequence[Sequence[Item]]) -> None:
    """Raise UsageError where a cell holds more than the seeds of one unit.

    The error names what tells the units apart; what follows from a field that it names, as the
    fingerprint follows from the encoder, is not named too.
    """
    groups = list(cells)
    differing: list[str] = []
    for name in _telling(groups):
        if any(len(_parts(group, name)) > 1 for group in groups):
            differing.append(name)
            groups = [part for group in groups for part in _parts(group, name)]
    if differing:
        raise UsageError(
            f"up to {max(map(len, cells))} records fall into one cell: they differ in "
            + ", ".join(differing),
            where="--rows and --columns",
            cure=f"add {' and '.join(differing)} to either, or choose by --where {differing[0]}=…",
        )


def _telling(groups: Iterable[Sequence[Item]]) -> list[str]:
    """What may tell units apart, the plainest first."""
    settings = {f"settings.{n}" for g in groups for i in g for n in i.record.key.settings}
    first = ("encoder", "task", "data", "layer", "probe")
    return [*first, *sorted(settings), "metric", "fingerprint", "data_hash"]


def _parts(group: Sequence[Item], name: str) -> list[list[Item]]:
    parts: dict[str, list[Item]] = defaultdict(list)
    for item in group:
        parts[repr(item.label(name))].append(item)  # 1 is not 1.0
    return list(parts.values())
