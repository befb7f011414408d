"""What comparisons of two systems found, and how it is said: one sentence a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from .comparison import ALPHA, PairedDifference
from .render import MISSING, number
from .table import lower_is_better

Verdict = Literal["beats", "loses", "no difference shown"]

CORRECTION_NAMES = {"holm": "Holm", "bh": "Benjamini-Hochberg"}
"""By the names of ``multiplicity.CORRECTIONS``, but ``none``."""

_SMALLEST_P = 0.001


@dataclass(frozen=True)
class Side:
    """A layer of one system, and how it was chosen: ``chosen on dev``; empty where it was asked
    for."""

    layer: int
    layer_name: str
    chosen: str = ""

    def __str__(self) -> str:
        return f"layer {self.layer}" + (f", {self.chosen}" if self.chosen else "")


@dataclass(frozen=True)
class Compared:
    """Two layers on one task. ``cluster`` says what is resampled and swapped: ``sentence``."""

    task: str
    data: str
    metric: str
    cluster: str
    first: Side
    second: Side
    paired: PairedDifference
    adjusted_p: float

    @property
    def verdict(self) -> Verdict:
        """What the test says of the first system, at an adjusted p of at most ``ALPHA``."""
        if self.adjusted_p > ALPHA or not self.paired.difference:
            return "no difference shown"
        better = (self.paired.difference > 0) != lower_is_better(self.metric)
        return "beats" if better else "loses"


@dataclass(frozen=True)
class ComparisonTable:
    """All comparisons of a first and a second system, whose p-values make one family."""

    first: str
    second: str
    rows: tuple[Compared, ...]
    correction: str
    notes: tuple[str, ...] = ()


def sentences(table: ComparisonTable) -> list[str]:
    """What was found, in one sentence a task."""
    found = []
    for _, rows in groupby(table.rows, key=lambda row: (row.task, row.data)):
        same = list(rows)
        found.append(_sentence(table, same[0]) if len(same) == 1 else _summary(table, same))
    return found


def _sentence(table: ComparisonTable, row: Compared) -> str:
    first, second = f"{table.first} ({row.first})", f"{table.second} ({row.second})"
    task, difference, metric = task_text(table, row), row.paired.difference, row.metric
    shown = row.verdict != "no difference shown"
    if shown:
        verb = "beats" if row.verdict == "beats" else "loses to"
        said = f"{first} {verb} {second} on {task} by {number(abs(difference), metric)} {metric}"
    else:
        said = f"no difference shown between {first} and {second} on {task}: "
        said += f"{signed(difference, metric)} {metric}"
    interval = interval_text(row, flip=shown and difference < 0)
    said += f" {interval}, p {p_text(row.adjusted_p, '= ')}{_after(table)}"
    if row.paired.clusters == 1:
        return f"{said}; one {row.cluster} alone tells nothing of other text."
    if row.paired.test.deciding == 0:
        return f"{said}; the two score alike in every {row.cluster}."
    if row.paired.detectable is None:
        return f"{said}; what it could show is unknown, since every {row.cluster} differs alike."
    smallest = number(row.paired.detectable, metric)
    return f"{said}; the smallest difference this test set could show is {smallest}."


def _summary(table: ComparisonTable, rows: Sequence[Compared]) -> str:
    """Of several pairs of layers: of the same number, or one layer of a side with each other."""
    lefts = {row.first.layer for row in rows}
    rights = {row.second.layer for row in rows}
    first = f"{table.first} (layer {rows[0].first.layer})" if len(lefts) == 1 else table.first
    second = f"{table.second} (layer {rows[0].second.layer})" if len(rights) == 1 else table.second
    parts = []
    for verdict in ("beats", "loses", "no difference shown"):
        found = [row for row in rows if row.verdict == verdict]
        sides = [row.second if len(lefts) == 1 else row.first for row in found]
        if sides:
            parts.append(f"{verdict} at {', '.join(str(side.layer) for side in sides)}")
    compared = f"{first} against {second} on {task_text(table, rows[0])}, layer by layer"
    return f"{compared}: {'; '.join(parts)} (p at most {ALPHA:g}{_after(table)})."


def _after(table: ComparisonTable) -> str:
    if len(table.rows) == 1:
        return ""
    name = CORRECTION_NAMES.get(table.correction)
    return f" after {name}" if name else " uncorrected"


def task_text(table: ComparisonTable, row: Compared) -> str:
    """The task, with its data where there are several."""
    several = len({each.data for each in table.rows}) > 1
    return f"{row.task} of {row.data}" if several else row.task


def interval_text(row: Compared, *, flip: bool = False) -> str:
    """The interval of the difference; ``flip`` is for that of the second less the first."""
    found = row.paired.interval
    if found is None:
        return MISSING
    low, high = (-found.high, -found.low) if flip else (found.low, found.high)
    return f"[{number(low, row.metric)}, {number(high, row.metric)}]"


def signed(value: float, metric: str) -> str:
    """A difference with its sign, but for one that is shown as zero."""
    text = number(value, metric)
    return text if text.startswith("-") or not text.strip("0.") else f"+{text}"


def p_text(value: float, equals: str = "") -> str:
    """A p-value, ``equals`` before it unless it is too small to be told."""
    if value < _SMALLEST_P:
        return f"{'< ' if equals else '<'}{_SMALLEST_P:g}"
    return f"{equals}{value:.3f}"
