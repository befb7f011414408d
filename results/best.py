"""Which cells of a pivot hold an encoder's best layer, and which the best of all encoders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

from .render import NO_SCORES
from .table import Cell, Label, is_ranked, lower_is_better

Place = TypeVar("Place")

_OF_LAYER = {"layer", "layer_name"}
_OF_ENCODER = {"encoder", "fingerprint", *_OF_LAYER}


class Scored(NamedTuple):
    """A cell, what it holds, and the labels of its row and column by their fields."""

    cell: Cell
    metric: str
    labels: Mapping[str, Label]


def mark(scored: Mapping[Place, Scored]) -> dict[Place, Cell]:
    """The cells with ``best`` and ``leads`` set.

    ``best``: of cells that differ in the layer alone. ``leads``: of cells that differ in nothing
    but the encoder and the layer. One alone is no best one; equals share the mark; of a cost the
    lowest is best, and what is no score has no best.
    """
    best = _winners(scored, "layer", _OF_LAYER)
    leads = _winners(scored, "encoder", _OF_ENCODER)
    return {
        place: replace(found.cell, best=place in best, leads=place in leads)
        for place, found in scored.items()
    }


def _winners(scored: Mapping[Place, Scored], rivals: str, free: set[str]) -> set[Place]:
    groups: dict[object, dict[Place, float]] = defaultdict(dict)
    for place, (cell, metric, labels) in scored.items():
        ranked = is_ranked(_name(metric)) and not metric.startswith(NO_SCORES)
        if cell.value is not None and rivals in labels and ranked:
            fixed = tuple(item for item in labels.items() if item[0] not in free)
            groups[fixed, metric][place] = cell.value
    won: set[Place] = set()
    for group in groups.values():
        if len({scored[place].labels[rivals] for place in group}) > 1:
            metric = _name(scored[next(iter(group))].metric)
            top = (min if lower_is_better(metric) else max)(group.values())
            won |= {place for place, value in group.items() if value == top}
    return won


def _name(metric: str) -> str:
    """``accuracy`` of ``dev_scores.accuracy``."""
    return metric.rpartition(".")[2]
