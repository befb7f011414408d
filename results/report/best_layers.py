"""The layer that stands for each encoder, beside what can be had without what it has learnt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..render import MISSING
from ..table import is_ranked, lower_is_better
from .markup import Markup, section, table, tag
from .series import ON_DEV, Series, written

_TWIN = re.compile(r"(?P<trained>.+)\+random[0-9]*")
WORDS = ("onehot", "random-vectors")
_MARKS = "¹²³"
_HEAD = (
    "task",
    "encoder",
    "layer",
    "score on test",
    "interval",
    "score on dev",
    "score on random labels",
    "selectivity",
    "random weights",
    "words alone",
    "best baseline",
)


def best_layers(series: Sequence[Series]) -> Markup:
    """A row for each task and encoder that is no control itself."""
    found = {(s.task, s.metric, s.encoder, s.variant): s for s in series}
    shown = [each for each in series if not is_control(each.encoder)]
    ways = sorted({each.choice.how for each in shown} - {ON_DEV})
    marks = {ON_DEV: "", **dict(zip(ways, _MARKS, strict=False))}
    rows = [_row(each, found, marks[each.choice.how]) for each in shown]
    notes = [tag("p", f"{marks[way]} {way}; all others: {ON_DEV}") for way in ways]
    return section(
        "best",
        "Best layers and their controls",
        tag(
            "p",
            "What the same architecture scores with random weights, what one-hot words or a random "
            "vector for each word score, and what is scored on random labels, the trained weights "
            "did not bring. Each control is shown at its own best layer.",
        ),
        table("The layer chosen for each encoder", _HEAD, rows, left=2),
        *notes,
    )


def is_control(encoder: str) -> bool:
    """Whether an encoder is there to be compared with."""
    return encoder in WORDS or _TWIN.fullmatch(encoder) is not None


def _row(series: Series, found: Mapping[tuple[str, str, str, str], Series], mark: str) -> list[str]:
    metric, layer = series.metric, series.choice.layer
    twins = [
        other
        for (task, scored, encoder, variant), other in found.items()
        if (task, scored) == (series.task, metric)
        and (match := _TWIN.fullmatch(encoder))
        and match["trained"] == series.encoder
    ]
    words = [
        other
        for (task, scored, encoder, variant), other in found.items()
        if (task, scored) == (series.task, metric) and encoder in WORDS
    ]
    ends = layer.interval
    return [
        series.task,
        series.label,
        f"{layer.text} {mark}".rstrip(),
        f"{written(layer.score(metric), metric)} {metric}",
        "[{}, {}]".format(*(written(end, metric) for end in ends)) if ends else MISSING,
        written(layer.dev_score(metric), metric),
        written(layer.score(f"control_{metric}"), metric),
        written(layer.score("selectivity"), "selectivity"),
        _best_of(twins),
        _best_of(words),
        _baseline(series),
    ]


def _best_of(controls: Sequence[Series]) -> str:
    """The strongest of them: ``0.812 (layer 2)``, ``0.777 (onehot)``."""
    found = [
        (score, each)
        for each in controls
        if (score := each.choice.layer.score(each.metric)) is not None
    ]
    if not found:
        return MISSING
    choose = min if lower_is_better(controls[0].metric) else max
    score, series = choose(found, key=lambda pair: pair[0])
    told = series.encoder if series.encoder in WORDS else f"layer {series.choice.layer.number}"
    return f"{written(score, series.metric)} ({told})"


def _baseline(series: Series) -> str:
    metric = series.metric
    baselines = series.choice.layer.records[0].baselines
    scores = {name: found[metric] for name, found in baselines.items() if metric in found}
    if not scores or not is_ranked(metric):
        return MISSING
    choose = min if lower_is_better(metric) else max
    name = choose(scores, key=lambda key: scores[key])
    return f"{written(scores[name], metric)} ({name})"
