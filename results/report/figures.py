"""The pictures of the page: what they are drawn from, and the elements that they are drawn in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from ..ordering import by_baseline, natural
from ..records import Record
from ..render import number
from ..speed import METRIC, Size
from ..table import lower_is_better
from .markup import Markup, data, section, select, tag
from .series import Series

LARGEST = 400_000
"""Characters of numbers above which those of parts of the targets are left out of the pictures."""

_TOO_MANY = (
    "Scores of kinds of targets would make this page too large; `probe show --strata` prints them."
)
_NO_SCRIPTS = "Pictures need scripts, which are off. Every number is in the tables below."
_HIDDEN = ("control_",)  # what selectivity is made of, with the score itself
Times = Mapping[str, Mapping[tuple[str, int], float]]


class Drawn(NamedTuple):
    """Numbers for the page's script, and whether those of parts of the targets are among them."""

    numbers: Markup
    with_strata: bool


def numbers(series: Sequence[Series], costs: Sequence[Record]) -> Drawn:
    """What the pictures are drawn from, with the digits that the tables show."""
    times = _times(costs)
    for with_strata in (True, False):
        groups = [
            _group(task, metric, list(found), times, with_strata)
            for (task, metric), found in groupby(series, key=lambda s: (s.task, s.metric))
        ]
        written = data("numbers", {"groups": groups, "sizes": list(times)})
        if len(written) <= LARGEST:
            break
    return Drawn(written, with_strata)


def has_times(series: Sequence[Series], costs: Sequence[Record]) -> bool:
    """Whether any of the encoders was timed."""
    timed = {record.key.fingerprint for record in costs if record.status == "ok"}
    return any(each.fingerprint in timed for each in series)


def pictures(drawn: Drawn, with_times: bool) -> Markup:
    """The section of pictures, empty until the script draws them."""
    menus = tag(
        "div",
        select("task", "Task"),
        select("score", "Score"),
        select("depth", "Across", [("layer", "layer"), ("relative", "depth, 0 to 1")]),
        tag("label", tag("input", type="checkbox", id="flat", checked=True), " baselines"),
        tag("fieldset", tag("legend", "Encoders"), id="encoders", class_="choices"),
        class_="menus",
    )
    note = "" if drawn.with_strata else tag("p", _TOO_MANY)
    rows = [("encoders", "encoders on this task"), ("tasks", "tasks of one encoder")]
    of_heat = [select("heat-rows", "Rows", rows), select("heat-encoder", "Encoder")]
    return section(
        "pictures",
        "Layer by layer",
        tag("noscript", tag("p", _NO_SCRIPTS)),
        tag(
            "div",
            menus,
            note,
            _figure("curve"),
            tag("h3", "Heat map"),
            tag("div", *of_heat, class_="menus"),
            _figure("heat"),
            *_speed(with_times),
            class_="scripted",
        ),
        drawn.numbers,
    )


def _speed(with_times: bool) -> Iterable[Markup]:
    yield tag("h3", "Score against time")
    if with_times:
        yield tag("div", select("size", "Time of"), class_="menus")
        yield _figure("speed")
    else:
        yield tag("p", "No times of these encoders are recorded; `probe time` measures them.")


def _figure(name: str) -> Markup:
    return tag(
        "figure",
        tag("div", id=f"{name}-plot", class_="plot", role="img", aria_labelledby=f"{name}-told"),
        tag("figcaption", id=f"{name}-told", aria_live="polite"),
        tag(
            "details",
            tag("summary", "The numbers of this picture"),
            tag(
                "div",
                id=f"{name}-numbers",
                class_="scroll",
                tabindex=0,
                role="region",
                aria_labelledby=f"{name}-told",
            ),
        ),
        id=name,
    )


def _group(
    task: str, metric: str, found: Sequence[Series], times: Times, with_strata: bool
) -> dict[str, Any]:
    names = _names(metric, found, with_strata)
    return {
        "task": task,
        "metric": metric,
        "scores": [
            {
                "name": name,
                "decimals": len(number(0.0, name).partition(".")[2]),
                "lower": lower_is_better(name),
            }
            for name in names
        ],
        "baselines": _baselines(found, names),
        "series": [_series(each, names, times) for each in found],
    }


def _names(metric: str, found: Sequence[Series], with_strata: bool) -> list[str]:
    known = {name for s in found for layer in s.layers for r in layer.records for name in r.scores}
    others = (
        name
        for name in known - {metric}
        if not name.startswith(_HIDDEN) and (with_strata or not name.endswith("]"))
    )
    return [metric, *sorted(others, key=lambda name: (name.endswith("]"), natural(name)))]


def _series(series: Series, names: Sequence[str], times: Times) -> dict[str, Any]:
    metric = series.metric
    intervals = [layer.interval for layer in series.layers]
    own = [(series.fingerprint, layer.number) for layer in series.layers]
    return {
        "encoder": series.label,
        "depth": series.depth,
        "layers": [layer.number for layer in series.layers],
        "names": [layer.text for layer in series.layers],
        "values": {
            name: [_shown(layer.score(name), name) for layer in series.layers]
            for name in names
            if any(layer.score(name) is not None for layer in series.layers)
        },
        "low": [_shown(ends and ends[0], metric) for ends in intervals],
        "high": [_shown(ends and ends[1], metric) for ends in intervals],
        "best": series.layers.index(series.choice.layer),
        "ms": [[_shown(timed.get(place), "ms") for place in own] for timed in times.values()],
    }


def _baselines(found: Sequence[Series], names: Sequence[str]) -> list[dict[str, Any]]:
    """By name, the lowest and the highest value of each score: units may differ in their data."""
    values: dict[str, dict[str, set[float]]] = defaultdict(lambda: defaultdict(set))
    for record in (r for series in found for layer in series.layers for r in layer.records):
        for name, scores in record.baselines.items():
            for score in scores.keys() & {*names}:
                values[name][score].add(scores[score])
    return [
        {
            "name": name,
            "values": {
                score: [_shown(end(values[name][score]), score) for end in (min, max)]
                for score in names
                if score in values[name]
            },
        }
        for name in sorted(values, key=by_baseline)
    ]


def _times(costs: Sequence[Record]) -> Times:
    """Milliseconds by what was timed where, and by the encoder's fingerprint and the layer."""
    good = [record for record in costs if record.status == "ok"]
    machines = {_machine(record) for record in good}
    found: dict[tuple[Size, str], dict[tuple[str, int], float]] = defaultdict(dict)
    for record in good:
        size = Size(*(int(record.key.settings[name]) for name in ("batch_size", "length")))
        place = record.key.fingerprint, record.key.layer
        found[size, _machine(record)][place] = record.scores[METRIC]
    return {
        f"{size}, {machine}" if len(machines) > 1 else str(size): found[size, machine]
        for size, machine in sorted(found)
    }


def _machine(record: Record) -> str:
    return f"{record.key.settings['device']}, threads: {record.key.settings['threads']}"


def _shown(value: float | None, name: str) -> float | None:
    return None if value is None else float(number(value, name))
