"""What was run, on what, with what, where and when: all that a number of the page came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.files import canonical_json
from ..ordering import natural
from ..records import Record
from ..render import MISSING
from .markup import Markup, joined, listed, section, table, tag
from .series import Series

_HASH = 12


def what_was_run(series: Sequence[Series], records: Sequence[Record]) -> Markup:
    """Encoders and tasks, with their sizes."""
    encoders = {(each.label, each.fingerprint): each for each in reversed(series)}
    tasks = {
        (r.key.task, r.key.data, r.key.data_hash): r for r in reversed(records) if r.status == "ok"
    }
    return section(
        "run",
        "What was run",
        table(
            "Encoders",
            ["encoder", "last layer", "dimensions", "parameters", "final norm", "fingerprint"],
            (
                _encoder(label, fingerprint, encoders[label, fingerprint])
                for label, fingerprint in sorted(encoders, key=lambda key: natural(key[0]))
            ),
        ),
        table(
            "Tasks",
            ["task", "data", "train", "dev", "test", "labels", "probe"],
            (_task(tasks[key]) for key in sorted(tasks, key=lambda key: natural(" ".join(key)))),
        ),
        _definitions(records),
    )


def provenance(records: Sequence[Record], problems: Sequence[str]) -> Markup:
    """Data files, settings, versions and machines; and lines of the records left out."""
    return section(
        "provenance",
        "Provenance",
        _files(records),
        _settings(records),
        _machines(records),
        joined([tag("h3", "Left out"), listed(problems)]) if problems else "",
    )


def dates(records: Sequence[Record]) -> str:
    """The first and the last day on which anything was measured."""
    days = sorted({record.created[:10] for record in records})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _encoder(label: str, fingerprint: str, series: Series) -> list[str]:
    facts = _dict(series.layers[0].records[0].facts.get("encoder"))
    norm = facts.get("final_norm")
    return [
        label,
        str(series.depth),
        _count(facts.get("dim")),
        _count(facts.get("parameters")),
        "applied" if norm else MISSING if norm is None else "none",
        fingerprint[:_HASH],
    ]


def _task(record: Record) -> list[str]:
    counts = record.counts
    sizes = [counts.get(f"{split}_targets") for split in ("train", "dev", "test")]
    return [
        record.key.task,
        f"{record.key.data} ({record.key.data_hash[:_HASH]})",
        *map(_count, sizes),
        _count(counts.get("classes")),
        record.key.probe,
    ]


def _definitions(records: Sequence[Record]) -> Markup:
    """What each task asks, in the words of its records."""
    found = {record.key.task: _dict(record.facts.get("task")) for record in records}
    told = [
        tag("dt", task) + tag("dd", joined(tag("p", f"{n}: {value}") for n, value in facts.items()))
        for task, facts in sorted(found.items())
        if facts
    ]
    if not told:
        return Markup("")
    summary = tag("summary", "What the targets of each task are")
    return tag("details", summary, tag("dl", *map(Markup, told)))


def _files(records: Sequence[Record]) -> Markup:
    found = {}
    for record in records:
        data = _dict(record.facts.get("data"))
        for split, file in _dict(data.get("files")).items():
            told = _dict(file)
            found[record.key.data, split, str(told.get("sha256"))] = told
    if not found:
        return Markup("")
    rows = (
        [
            data,
            split,
            str(told.get("file", MISSING)),
            *(_count(told.get(name)) for name in ("documents", "sentences", "words")),
            sha256,
        ]
        for (data, split, sha256), told in sorted(found.items())
    )
    head = ["data", "split", "file", "documents", "sentences", "words", "sha256"]
    return table("Files", head, rows, left=2, words=True)


def _settings(records: Sequence[Record]) -> Markup:
    """Each probe's settings, and the values that they had."""
    found: dict[str, dict[str, set[str]]] = {}
    for record in records:
        of_probe = found.setdefault(record.key.probe, {})
        for name, value in record.key.settings.items():
            of_probe.setdefault(name, set()).add(str(value))
    rows = (
        [probe, name, ", ".join(sorted(values, key=natural))]
        for probe, settings in sorted(found.items())
        for name, values in sorted(settings.items())
    )
    return table("Settings", ["probe", "setting", "values"], rows, left=2, words=True)


def _machines(records: Sequence[Record]) -> Markup:
    """A column for each state of code and machine."""
    states: dict[str, tuple[dict[str, str], list[Record]]] = {}
    for record in records:
        flat = dict(_flat(record.provenance))
        states.setdefault(canonical_json(flat), (flat, []))[1].append(record)
    names = list(dict.fromkeys(name for flat, _ in states.values() for name in flat))
    rows = [
        ["records", *(f"{len(found):,}" for _, found in states.values())],
        ["measured", *(dates(found) for _, found in states.values())],
        *([name, *(flat.get(name, MISSING) for flat, _ in states.values())] for name in names),
    ]
    heads = [f"state {number}" for number in range(1, len(states) + 1)]
    return table("Code and machines", ["", *heads], rows, words=True)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{name} ")
        else:
            yield f"{prefix}{name}", str(inner)


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else MISSING


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
