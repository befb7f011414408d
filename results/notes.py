"""What a reader must know of records whose numbers stand in a table: a line for each thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from .ordering import natural
from .records import Record


def seeds_note(sizes: set[int]) -> list[str]:
    """Of how many seeds scores are means; none where each is that of one."""
    if sizes in (set(), {1}):
        return []
    if len(sizes) == 1:
        return [f"each score is the mean of n={min(sizes)} seeds"]
    return [f"scores are means of n={_span(sizes)} seeds, not the same number everywhere"]


def record_notes(records: Sequence[Record]) -> list[str]:
    """The data, the probes and how well they were fitted, and the splits that were scored."""
    notes = [
        "data: " + _by_task((record.key.data, record.key.task) for record in records),
        "probe: " + _by_task((record.key.probe, record.key.task) for record in records),
        *_scored_splits(records),
    ]
    fitted = [record.chosen for record in records if record.status == "ok" and record.chosen]
    if loose := sum(chosen.get("converged") is False for chosen in fitted):
        notes.append(f"{loose} of {len(fitted)} probes did not reach their optimum")
    if edge := sum(chosen.get("l2_is_at_the_edge") is True for chosen in fitted):
        notes.append(f"{edge} of {len(fitted)} probes chose an L2 at the end of the grid")
    return notes


def interval_note(records: Sequence[Record]) -> str:
    """How the records' intervals were drawn; empty where they have none."""
    intervals = [record.interval for record in records if record.interval is not None]
    if not intervals:
        return ""
    confidence = _span({100 * interval.confidence for interval in intervals})
    return (
        f"[low, high]: {confidence} % percentile interval, bootstrap over "
        f"{_span({interval.clusters for interval in intervals})} clusters of targets "
        f"({_span({interval.replicates for interval in intervals})} replicates)"
    )


def _scored_splits(records: Sequence[Record]) -> list[str]:
    """A line for tasks without training, where their scores are not those on test alone."""
    tasks: dict[str, set[str]] = defaultdict(set)
    for record in records:
        splits = record.facts.get("scored_on")
        if isinstance(splits, list) and splits != ["test"]:
            tasks[", ".join(map(str, splits))].add(record.key.task)
    return [
        f"scored on {splits} together and not on test alone, since nothing is fitted: "
        + ", ".join(sorted(found, key=natural))
        for splits, found in sorted(tasks.items())
    ]


def _by_task(pairs: Iterable[tuple[str, str]]) -> str:
    tasks: dict[str, set[str]] = defaultdict(set)
    for value, task in pairs:
        tasks[value].add(task)
    if len(tasks) == 1:
        return next(iter(tasks))
    return "; ".join(
        f"{value} ({', '.join(sorted(found, key=natural))})"
        for value, found in sorted(tasks.items())
    )


def _span(values: set[int] | set[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"
