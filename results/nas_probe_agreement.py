"""What NAS-Probe tells: does a cell's rank as a language model tell its rank as a representation,
and which number that takes no training tells it best?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from .nas_probe_table import ProbedCells, Row
from .rank_agreement import Estimated, Ranked

BEST, LAST, ALL = "best", "last", "all tasks"
LEARNT = 0.95
"""A cell has learnt more than how frequent words are where its perplexity is below this share of
that of their frequencies."""


class Rival(NamedTuple):
    """A number that takes no probing, and how it ranks cells as each target does.

    ``behind`` is how much less than the first of all rivals it tells of ``ALL``, paired.
    """

    name: str
    by_target: dict[str, Estimated]
    behind: Estimated


def learnt(table: ProbedCells) -> list[Row]:
    """The good cells that have learnt more than how frequent words are."""
    most = LEARNT * float(table.settings["unigram_perplexity"])
    return [row for row in table.good if row["perplexity"] < most]


def probed(table: ProbedCells, row: Row, task: str, layer: int | str) -> float:
    """A task's test score: of a layer, of the ``LAST``, or of the ``BEST`` of those above the
    characters by its dev score (of equal ones the lowest)."""
    if layer == LAST:
        layer = table.layers
    elif layer == BEST:
        above = range(1, table.layers + 1)
        layer = max(above, key=lambda each: (row[f"{task}_dev_{each}"], -each))
    return float(row[f"{task}_test_{layer}"])


def at_edge(table: ProbedCells, rows: Sequence[Row]) -> dict[int, float]:
    """For each layer the share of probes for which no penalty was better than the strongest."""
    return {
        layer: float(np.mean([bool(row[f"{t}_edge_{layer}"]) for row in rows for t in table.tasks]))
        for layer in range(table.layers + 1)
    }


def as_language_model(
    table: ProbedCells, rows: Sequence[Row]
) -> dict[str, dict[int | str, Estimated]]:
    """By task and layer: Kendall's tau of low perplexity with the probe's test score."""
    ranked = Ranked(len(rows))
    quality = [-row["perplexity"] for row in rows]
    layers: list[int | str] = [*range(table.layers + 1), LAST, BEST]
    return {
        task: {
            layer: ranked.tau(quality, [probed(table, row, task, layer) for row in rows])
            for layer in layers
        }
        for task in table.tasks
    }


def between_tasks(table: ProbedCells, rows: Sequence[Row]) -> dict[tuple[str, str], Estimated]:
    """How two tasks agree on cells, by their best layers: what a rank can tell at most, about."""
    ranked = Ranked(len(rows))
    scores = {task: [probed(table, row, task, BEST) for row in rows] for task in table.tasks}
    return {
        (first, second): ranked.tau(scores[first], scores[second])
        for place, first in enumerate(table.tasks)
        for second in table.tasks[place + 1 :]
    }


def dev_with_test(table: ProbedCells, rows: Sequence[Row]) -> dict[str, Estimated]:
    """How the scores on dev and on test of one probe, that of the last layer, agree on cells.

    What is left of a rank on other text: where that is little, no number can tell the rank well.
    """
    ranked, last = Ranked(len(rows)), table.layers
    return {
        task: ranked.tau(
            [row[f"{task}_dev_{last}"] for row in rows],
            [row[f"{task}_test_{last}"] for row in rows],
        )
        for task in table.tasks
    }


def rivals(table: ProbedCells, rows: Sequence[Row]) -> list[Rival]:
    """Perplexity and all that takes no training, the best for ``ALL`` first.

    The targets: low perplexity, each task's best layer, and ``ALL``, the mean of a cell's places in
    the tasks. A score that a cell does not have is below all others.
    """
    ranked = Ranked(len(rows))
    by_task = {task: [probed(table, row, task, BEST) for row in rows] for task in table.tasks}
    places = np.mean([rankdata(scores) for scores in by_task.values()], axis=0)
    targets: dict[str, Sequence[float]] = {
        "perplexity": [-row["perplexity"] for row in rows],
        **by_task,
        ALL: places.tolist(),
    }
    known: dict[str, list[float]] = {
        "perplexity": [-row["perplexity"] for row in rows],
        "milliseconds": [row["milliseconds"] for row in rows],
    }
    for name in table.scores:
        known[name.removeprefix("score_")] = [
            -math.inf if row[name] is None else row[name] for row in rows
        ]
    found = {
        name: {target: ranked.tau(values, wanted) for target, wanted in targets.items()}
        for name, values in known.items()
    }
    order = sorted(known, key=lambda name: -found[name][ALL].value)
    free = [name for name in order if name != "perplexity"]
    return [
        Rival(name, found[name], ranked.difference(known[name], known[free[0]], targets[ALL]))
        for name in order
    ]
