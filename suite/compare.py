"""Two encoders, or two layers, on the same test targets: which knows more, and is that chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError, LayerwiseError, UsageError, did_you_mean
from ..results.compared import Compared, ComparisonTable, Side
from ..results.comparison import paired_difference
from ..results.multiplicity import adjusted
from ..results.ordering import natural
from .compared_system import System, Task, Unit
from .recount import Recount, recounted

Layers = Literal["best", "all"]


class Pair(NamedTuple):
    """Two layers to be compared."""

    first: Side
    second: Side


def compare(
    first: System,
    second: System,
    tasks: Sequence[str] = (),
    layers: Layers = "best",
    correction: str = "holm",
) -> ComparisonTable:
    """Compare on every task that both have, or on those asked for.

    The best layer of a side is that with the best score on dev. With ``all``, each layer is
    compared with that of its number on the other side, or with the one layer named there. The
    p-values of all comparisons make one family. A task that cannot be compared is an error where
    it was asked for or where no other can be; else it is a note with the reason.
    """
    rows: list[Compared] = []
    notes: list[str] = []
    refused: list[LayerwiseError] = []
    for name in _asked(first, second, tasks):
        try:
            same = _same_targets(first, second, name)
            for task in same:
                pairs, note = _pairs(first, second, task, layers)
                found = [_compared(first, second, task, pair) for pair in pairs]
                # One corpus may have several sets of targets: revisions, samples for training.
                mark = f" ({task.data_hash[:8]})" if len(same) > 1 else ""
                rows += [replace(row, data=row.data + mark) for row in found]
                notes += note
        except LayerwiseError as error:
            if tasks:
                raise
            refused.append(error)
            notes.append(f"not compared: {name}: {error}")
    if not rows:
        raise refused[0]
    p_values = adjusted([row.paired.test.p_value for row in rows], correction)
    rows = [replace(row, adjusted_p=float(p)) for row, p in zip(rows, p_values, strict=True)]
    compared = {row.task for row in rows}
    notes += _failures(first, second, compared) + _other_differences(first, second, compared)
    return ComparisonTable(*_titles(first, second), tuple(rows), correction, tuple(notes))


def _asked(first: System, second: System, tasks: Sequence[str]) -> list[str]:
    """The names of the tasks to compare on, without versions."""
    sides = [{task.bare for task in system.units} for system in (first, second)]
    for name in tasks:
        if name not in sides[0] | sides[1]:
            raise UsageError(
                f"no good records of {name!r}",
                where="--task",
                cure=did_you_mean(name, sides[0] & sides[1]),
            )
    return list(dict.fromkeys(tasks)) or sorted(sides[0] | sides[1], key=natural)


def _same_targets(first: System, second: System, name: str) -> list[Task]:
    """The task, on all targets that both sides have of it."""
    found = [[task for task in side.units if task.bare == name] for side in (first, second)]
    for system, own in zip((first, second), found, strict=True):
        if not own:
            raise DataError(f"{system.encoder} has no good record of it", where=str(system.folder))
    shared = [task for task in found[0] if task in found[1]]
    if not shared:
        sides = zip((first, second), found, strict=True)
        told = " and ".join(
            ", ".join(f"{task.name} of {_data(side, task)} ({task.data_hash[:8]})" for task in own)
            for side, own in sides
        )
        raise DataError(
            f"the two sides have different targets: {told}",
            cure="measure both on the same data, split and number of training targets",
        )
    return shared


def _pairs(
    first: System, second: System, task: Task, layers: Layers
) -> tuple[list[Pair], list[str]]:
    """The layers to compare, and a note of those without a counterpart."""
    own, other = first.units[task], second.units[task]
    named = first.named(task), second.named(task)
    notes = []
    if layers == "best" or None not in named:
        pairs = [Pair(first.best(task), second.best(task))]
    else:
        left = own if named[0] is None else [named[0]]
        right = other if named[1] is None else [named[1]]
        numbers = [(a, b) for a in left for b in right if a == b or named != (None, None)]
        pairs = [Pair(first.side(task, a), second.side(task, b)) for a, b in numbers]
        alone = sorted(own.keys() ^ other.keys()) if named == (None, None) else []
        if alone:
            notes.append(
                f"not compared: {task.name}, layers {', '.join(map(str, alone))}, "
                "which only one side has"
            )
    pairs = [
        pair
        for pair in pairs
        if first.folder.resolve() != second.folder.resolve()
        or own[pair.first.layer] != other[pair.second.layer]
    ]
    if not pairs:
        raise UsageError(
            f"there is no pair of different layers to compare on {task.name}",
            where=second.flag,
            cure="name another encoder, or ENCODER@LAYER",
        )
    return pairs, notes


def _compared(first: System, second: System, task: Task, pair: Pair) -> Compared:
    """One comparison, its p-value not yet adjusted."""
    units = first.units[task][pair.first.layer], second.units[task][pair.second.layer]
    seeds = [[record.key.seed for record in unit] for unit in units]
    if seeds[0] != seeds[1]:
        raise DataError(
            f"seeds {seeds[0]} on one side, {seeds[1]} on the other, of {task.name}",
            where=second.flag,
            cure="measure both with the same seeds",
        )
    recounts = _recounts(units[0], first.folder), _recounts(units[1], second.folder)
    for mine, theirs in zip(*recounts, strict=True):
        if not mine.same_targets(theirs):
            raise DataError(
                f"the predictions on {task.name} are not of the same targets",
                where=str(second.folder),
                cure="measure both again into one new folder: `probe run -o FOLDER`",
            )
    record = units[0][0]
    return Compared(
        task=task.name,
        data=record.key.data,
        metric=record.metric,
        cluster=str(record.facts.get("clusters", "cluster")),
        first=pair.first,
        second=pair.second,
        paired=paired_difference(
            recounts[0][0].counted.statistic, _stacked(recounts[0]), _stacked(recounts[1])
        ),
        adjusted_p=1.0,
    )


def _recounts(unit: Unit, folder: Path) -> list[Recount]:
    return [recounted(record, folder) for record in unit]


def _stacked(recounts: Sequence[Recount]) -> NDArray[Any]:
    """(seeds, clusters, ...)"""
    return np.stack([each.counted.by_cluster for each in recounts])


def _data(system: System, task: Task) -> str:
    return next(iter(system.units[task].values()))[0].key.data


def _titles(first: System, second: System) -> tuple[str, str]:
    """The encoders' names, with the runs' where those differ."""
    if first.folder.resolve() == second.folder.resolve():
        return first.encoder, second.encoder
    return f"{first.encoder} of {first.folder}", f"{second.encoder} of {second.folder}"


def _failures(first: System, second: System, tasks: set[str]) -> list[str]:
    """The layers that could not be chosen, because measuring them failed."""
    found: dict[str, set[int]] = {}
    for record in (*first.failed, *second.failed):
        if record.key.task in tasks:
            found.setdefault(f"{record.key.encoder}, {record.key.task}", set()).add(
                record.key.layer
            )
    return [
        f"failed and left out: {where}, layers {', '.join(map(str, sorted(layers)))}"
        for where, layers in found.items()
    ]


def _other_differences(first: System, second: System, tasks: set[str]) -> list[str]:
    """What sets the sides apart beside the encoder: a probe, or a setting that both have."""
    found = set()
    for task in first.units.keys() & second.units.keys():
        if task.name in tasks:
            one, other = (next(iter(side.units[task].values()))[0].key for side in (first, second))
            mine, theirs = ({"probe": key.probe, **key.settings} for key in (one, other))
            found |= {
                f"{name} ({mine[name]}, {theirs[name]})"
                for name in mine.keys() & theirs.keys()
                if mine[name] != theirs[name]
            }
    return (
        [f"the sides differ in more than the encoder: {'; '.join(sorted(found))}"] if found else []
    )
