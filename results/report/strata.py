"""Scores of kinds of targets: seen and unseen words, near and far mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from ..ordering import by_baseline, natural
from ..render import MISSING
from .markup import Markup, section, table, tag
from .series import Series, written

_STRATUM = re.compile(r"(?P<metric>[^\[]+)\[(?P<part>.+)\]")


def strata(series: Sequence[Series]) -> Markup:
    """A table for each task that has kinds of targets; empty where none has."""
    tables = [
        shown
        for (task, metric), found in groupby(series, key=lambda s: (s.task, s.metric))
        if (shown := _of_task(task, metric, list(found)))
    ]
    if not tables:
        return Markup("")
    told = "Each encoder at its chosen layer, and the baselines; the first row counts targets."
    return section("strata", "Kinds of targets", tag("p", told), *tables)


def _of_task(task: str, metric: str, found: Sequence[Series]) -> Markup:
    parts = sorted(
        {
            match["part"]
            for series in found
            for record in series.choice.layer.records
            for name in record.scores
            if (match := _STRATUM.fullmatch(name)) and match["metric"] == metric
        },
        key=natural,
    )
    if not parts:
        return Markup("")
    rows = [_counts(found, parts), *_encoders(found, parts), *_baselines(found, parts)]
    return table(f"{task}, {metric}", ["", "layer", *parts], rows, left=2)


def _counts(found: Sequence[Series], parts: Sequence[str]) -> list[str]:
    counts = found[0].choice.layer.records[0].counts
    sizes = [counts.get(f"targets[{part}]") for part in parts]
    return ["targets", "", *(MISSING if size is None else f"{size:,}" for size in sizes)]


def _encoders(found: Sequence[Series], parts: Sequence[str]) -> Iterable[list[str]]:
    for series in found:
        layer = series.choice.layer
        scores = [layer.score(f"{series.metric}[{part}]") for part in parts]
        yield [series.label, layer.text, *(written(score, series.metric) for score in scores)]


def _baselines(found: Sequence[Series], parts: Sequence[str]) -> Iterable[list[str]]:
    """Those of the first series: they are the same for all encoders on one text."""
    metric = found[0].metric
    baselines = found[0].choice.layer.records[0].baselines
    for name in sorted(baselines, key=by_baseline):
        scores = [baselines[name].get(f"{metric}[{part}]") for part in parts]
        if any(score is not None for score in scores):
            yield [name, "", *(written(score, metric) for score in scores)]
