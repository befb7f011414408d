"""The section of mistakes: a menu of what was measured, and within a budget its mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ..predictions import Predictions
from ..records import Record
from ..targets import TestTargets
from .markup import Markup, data, section, select, tag
from .mistakes import as_plain, mistakes
from .series import Layer, Series

BUDGET = 700_000
"""Characters of mistakes on a page."""

_MOST, _MOST_ELSEWHERE = 20, 8  # mistakes of a chosen layer, and of another one


class Kept(NamedTuple):
    """What is kept beside a record."""

    predictions: Predictions
    targets: TestTargets


Find = Callable[[Record], Kept | None]
"""From a record to what is kept beside it; None where nothing is, or no words are."""


class _Unit(NamedTuple):
    series: Series
    layer: Layer
    chosen: bool


def errors_in_context(series: Sequence[Series], find: Find) -> Markup:
    """The section; it says what is not in it, and why."""
    units: list[dict[str, Any]] = []
    spent = 0
    without, too_many = 0, 0
    for unit in _in_turn(series):
        if spent > BUDGET:
            too_many += 1
            continue
        told = _told(unit, find)
        if told is None:
            without += 1
            continue
        size = len(json.dumps(told, ensure_ascii=False, separators=(",", ":")))
        if spent + size > BUDGET:
            spent, too_many = BUDGET + 1, too_many + 1
            continue
        spent += size
        units.append(told)
    notes = [tag("p", note) for note in _notes(without, too_many)]
    if not units:
        return section("errors", "Mistakes in their context", *notes)
    return section(
        "errors",
        "Mistakes in their context",
        tag("noscript", tag("p", "Mistakes are shown by a script, and scripts are off.")),
        tag(
            "div",
            tag(
                "div",
                select("error-task", "Task"),
                select("error-encoder", "Encoder"),
                select("error-layer", "Layer"),
                class_="menus",
            ),
            tag("p", id="errors-told", aria_live="polite"),
            tag("div", id="confusion"),
            tag("ol", id="mistakes"),
            class_="scripted",
        ),
        *notes,
        data("mistakes-data", units),
    )


def _in_turn(series: Sequence[Series]) -> Iterable[_Unit]:
    """The chosen layers first: they are what there must be room for."""
    yield from (_Unit(each, each.choice.layer, True) for each in series)
    for each in series:
        for layer in each.layers:
            if layer.number != each.choice.layer.number:
                yield _Unit(each, layer, False)


def _told(unit: _Unit, find: Find) -> dict[str, Any] | None:
    """Of several seeds the first."""
    record = unit.layer.records[0]
    kept = find(record)
    if kept is None:
        return None
    most = _MOST if unit.chosen else _MOST_ELSEWHERE
    found = mistakes(kept.predictions, kept.targets, most, record.id)
    return {
        "task": unit.series.task,
        "encoder": unit.series.label,
        "layer": unit.layer.text,
        "number": unit.layer.number,
        "how": unit.series.choice.how if unit.chosen else "",
        "seed": record.key.seed if len(unit.layer.records) > 1 else None,
        **as_plain(found),
    }


def _notes(without: int, too_many: int) -> Iterable[str]:
    if without:
        yield (
            f"Of {without:,} measured layers no predictions with their words are kept beside the "
            "records: nothing of them is shown here."
        )
    if too_many:
        yield f"{too_many:,} measured layers are left out, so that the page stays small."
